//! Numbers that differ between listeners and repeat in a replay. No secret depends on them.

use crate::crypto::Hash;
use core::time::Duration;

#[derive(Clone, Debug)]
pub(super) struct Dice {
    seed: [u8; 32],
    rolls: u64,
}

impl Dice {
    pub(super) const fn new(seed: [u8; 32]) -> Self {
        Self { seed, rolls: 0 }
    }

    /// Returns the next number.
    pub(super) fn roll(&mut self) -> u64 {
        self.rolls = self.rolls.saturating_add(1);
        let hash = Hash::of(&[b"swarm/v1/dice", &self.seed, &self.rolls.to_le_bytes()]);
        hash.0.first_chunk::<8>().map_or(0, |bytes| u64::from_le_bytes(*bytes))
    }

    /// Returns between half of `wait` and all of it.
    pub(super) fn jitter(&mut self, wait: Duration) -> Duration {
        let half = u64::try_from(wait.as_millis() / 2).unwrap_or(u64::MAX);
        let more = self.roll().checked_rem(half.saturating_add(1)).unwrap_or_default();
        Duration::from_millis(half.saturating_add(more))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_stays_within_half_and_whole_and_repeats_with_its_seed() {
        let (mut a, mut b) = (Dice::new([1; 32]), Dice::new([1; 32]));
        let wait = Duration::from_secs(60);
        for _ in 0..100 {
            let roll = a.jitter(wait);
            assert!(roll >= wait / 2 && roll <= wait);
            assert_eq!(roll, b.jitter(wait));
        }
        assert_ne!(a.roll(), Dice::new([2; 32]).roll());
    }
}
