//! Transactions whose signatures were checked when they were taken in, so that a block that holds them costs no second
//! check. Keyed by all their bytes: the same body under another signature is another transaction here.

use antiphon_core::crypto::Hash;
use std::collections::{BTreeSet, VecDeque};

/// Most digests remembered. Chosen here: what the mempool holds, and four blocks that were just made of it.
const MAX_VERIFIED: usize = 8 * 1024;

/// Digests of verified transactions, the oldest forgotten first.
#[derive(Debug, Default)]
pub(super) struct Verified {
    known: BTreeSet<Hash>,
    order: VecDeque<Hash>,
}

impl Verified {
    pub(super) fn note(&mut self, bytes: &[u8]) {
        let digest = Hash::of(&[bytes]);
        if self.known.insert(digest) {
            self.order.push_back(digest);
        }
        while self.order.len() > MAX_VERIFIED {
            if let Some(oldest) = self.order.pop_front() {
                self.known.remove(&oldest);
            }
        }
    }

    pub(super) fn has(&self, bytes: &[u8]) -> bool {
        self.known.contains(&Hash::of(&[bytes]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_are_forgotten_and_one_byte_makes_another() {
        let mut verified = Verified::default();
        for n in 0..=MAX_VERIFIED {
            verified.note(&n.to_le_bytes());
            verified.note(&n.to_le_bytes());
        }
        assert!(!verified.has(&0_usize.to_le_bytes()));
        assert!(verified.has(&1_usize.to_le_bytes()) && verified.has(&MAX_VERIFIED.to_le_bytes()));
        assert!(!verified.has(&[1]));
        assert_eq!((verified.known.len(), verified.order.len()), (MAX_VERIFIED, MAX_VERIFIED));
    }
}
