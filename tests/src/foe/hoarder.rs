//! Leads a payment field, takes every member's signature of a round, and keeps what they seal to itself.
//! ADVERSARIAL case 23, PROTOCOL A6.15.

use super::Foe;
use antiphon_core::payment::member::wire::{Envelope, Letter};

/// A leader that keeps what all have signed.
#[derive(Debug)]
pub struct Hoarder {
    /// From which round on.
    pub round: u32,
}

impl Foe for Hoarder {
    fn says(&mut self, _: usize, bytes: Vec<u8>) -> Vec<Vec<u8>> {
        let envelope = Envelope::from_bytes(&bytes).unwrap();
        let keeps = match &envelope.letter {
            Letter::Sealed(sealed) => sealed.state.round >= self.round,
            Letter::Vote(vote) => vote.round.round >= self.round,
            // Of the next round it would say what it must not have said yet.
            Letter::Propose(proposal) => proposal.state.round > self.round,
            _ => false,
        };
        if keeps { Vec::new() } else { vec![bytes] }
    }
}
