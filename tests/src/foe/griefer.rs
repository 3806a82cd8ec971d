//! A member of a payment field that takes part in everything but never signs a round. ADVERSARIAL case 25.

use super::Foe;
use antiphon_core::payment::member::wire::{Envelope, Letter};

/// A member that refuses to sign.
#[derive(Debug)]
pub struct Griefer {
    /// From which round on.
    pub round: u32,
}

impl Foe for Griefer {
    fn says(&mut self, _: usize, bytes: Vec<u8>) -> Vec<Vec<u8>> {
        let envelope = Envelope::from_bytes(&bytes).unwrap();
        let refuses = match &envelope.letter {
            Letter::Vote(vote) => vote.round.round >= self.round,
            Letter::Sealed(sealed) => sealed.state.round >= self.round,
            _ => false,
        };
        if refuses { Vec::new() } else { vec![bytes] }
    }
}
