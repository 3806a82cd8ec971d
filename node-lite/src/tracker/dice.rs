//! Random numbers that repeat with their seed.

use antiphon_core::crypto::Hash;

/// Rolls that nobody without the seed foresees.
#[derive(Clone, Debug)]
pub(super) struct Dice {
    seed: [u8; 32],
    rolls: u64,
    /// Of the last roll, what has not been used.
    left: Vec<u64>,
}

impl Dice {
    pub(super) const fn new(seed: [u8; 32]) -> Self {
        Self { seed, rolls: 0, left: Vec::new() }
    }

    /// Returns 32 bytes.
    pub(super) fn bytes(&mut self) -> [u8; 32] {
        self.rolls = self.rolls.saturating_add(1);
        Hash::of(&[b"tracker/v1/dice", &self.seed, &self.rolls.to_le_bytes()]).0
    }

    /// Returns a number below `count`, or 0 if that is 0. The bias is below 2^-40.
    pub(super) fn below(&mut self, count: usize) -> usize {
        if self.left.is_empty() {
            let bytes = self.bytes();
            let words = bytes.chunks_exact(8).filter_map(<[u8]>::first_chunk);
            self.left.extend(words.map(|word| u64::from_le_bytes(*word)));
        }
        let roll = self.left.pop().unwrap_or_default();
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        roll.checked_rem(count).and_then(|roll| usize::try_from(roll).ok()).unwrap_or(0)
    }
}
