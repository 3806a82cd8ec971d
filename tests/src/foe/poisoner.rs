//! Poisons sums of shares on their way: counts as great as a round allows, sums that do not verify at line rate, shares that
//! come back scaled so that sums would wrap. PROTOCOL A2.3–A2.5; ADVERSARIAL cases 11 to 13.

use super::Foe;
use antiphon_core::{
    chain::certificate::{Counts, FinalityCertificate, MAX_ROUND, Signers, max_count},
    codec,
    crypto::bls::BlsSignature,
};
use antiphon_node::{
    guardian::{Message, Tally},
    supernode::wire::Wire,
};
use blst::{MultiPoint as _, min_pk::Signature};

/// What a poisoner says instead of its sums.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Poison {
    /// What it has, as often as the round allows: valid, and hard to add to.
    Multiples,
    /// What it has, as often as a certificate may say: valid, and too often to be added to without an overflow.
    Overflow,
    /// Claims that everybody signed, as many times as there is time for, and certificates of that kind.
    Junk,
    /// What it heard, negative, so that honest sums would lose their signers.
    Erasure,
}

impl Poison {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Multiples, Self::Overflow, Self::Junk, Self::Erasure];
}

/// Junk that it says for each message of its node.
const BURST: u32 = 32;

/// A guardian that wants no certificate to be made.
#[derive(Debug)]
pub struct Poisoner {
    poison: Poison,
    /// How many messages it has said.
    spoken: u32,
}

impl Poisoner {
    /// Lets a guardian poison.
    pub const fn new(poison: Poison) -> Self {
        Self { poison, spoken: 0 }
    }

    fn poisoned(&mut self, tally: Tally) -> Vec<Tally> {
        self.spoken += 1;
        match self.poison {
            Poison::Multiples => {
                let most = max_count(tally.round);
                vec![multiple(tally, most)]
            }
            Poison::Overflow => vec![multiple(tally, max_count(MAX_ROUND + 1))],
            Poison::Junk => (0..BURST).map(|number| junk(&tally, number)).collect(),
            Poison::Erasure => vec![erasure(tally)],
        }
    }
}

/// The same sum, as often as no count exceeds `most`.
fn multiple(tally: Tally, most: u32) -> Tally {
    let greatest = tally.counts.iter().copied().max().unwrap().max(1);
    let times = most / greatest;
    let counts = tally.counts.iter().map(|count| count * times).collect();
    let point = Signature::uncompress(&tally.signature.0).unwrap();
    let sum = [point].as_slice().mult(&times.to_le_bytes(), 32);
    let signature = BlsSignature(sum.to_signature().compress());
    Tally { counts: Counts::new(counts).unwrap(), signature, ..tally }
}

/// Everybody signed, each time another number of times.
fn junk(tally: &Tally, number: u32) -> Tally {
    let most = max_count(tally.round);
    let counts = (0..tally.counts.len() as u32).map(|at| 1 + (at * 7 + number) % most);
    Tally { counts: Counts::new(counts.collect()).unwrap(), ..tally.clone() }
}

/// `2³² − c` times everybody's share, which is said to be what is heard, negative, and so wraps to nothing.
fn erasure(tally: Tally) -> Tally {
    let counts = tally.counts.iter().map(|count| count.wrapping_neg()).collect();
    let mut signature = tally.signature;
    signature.0[0] ^= 0x20;
    Tally { counts: Counts::new(counts).unwrap(), signature, ..tally }
}

impl Foe for Poisoner {
    fn says(&mut self, _: usize, bytes: Vec<u8>) -> Vec<Vec<u8>> {
        match Wire::decode(&bytes) {
            Ok(Wire::Guardian(Message::Tally(tally))) => {
                let poisoned = self.poisoned(*tally).into_iter().map(Box::new);
                let wires = poisoned.map(|tally| Wire::Guardian(Message::Tally(tally)));
                wires.map(|wire| codec::encode(&wire)).collect()
            }
            // It tells nobody of a certificate; whoever asks for one gets a lie.
            Ok(Wire::Guardian(Message::Certificate(held))) if self.poison == Poison::Junk => {
                let everybody = match &held.signers {
                    Signers::Counts(counts) => Counts::new(vec![1; counts.len()]),
                    Signers::Bitmap(_) => None,
                };
                let lie = everybody
                    .map(|counts| FinalityCertificate { signers: Signers::Counts(counts), ..held });
                let wires = lie.map(|lie| Wire::Guardian(Message::Certificate(lie)));
                wires.iter().map(codec::encode).collect()
            }
            Ok(Wire::Guardian(Message::Certificate(_))) => Vec::new(),
            Ok(_) | Err(_) => vec![bytes],
        }
    }
}
