//! The tree over all payments of a field: round after round, one root that proves any payment of any round.
//!
//! ```text
//! payment and its signature --leaf--> root of the round --with the number of payments--> leaf of the round --> tx_root
//! ```
//!
//! The leaf of a payment covers its signature. A deterministic signature cannot be told without the key that made it, so
//! it is the salt of the leaf: whoever sees a neighbour's leaf in a proof cannot guess the payment (A0.9). The leaf of a
//! round commits how many payments it has, and a state the number of rounds, so no place can be taken for another.
//!
//! Source: PROTOCOL A0.9, A6.10; RFC 6962 §2.1.

use super::RoundState;
use crate::{
    codec::{self, Bounded},
    crypto::{Hash, merkle},
};
use borsh::{BorshDeserialize, BorshSerialize};

/// Returns the root over the leaves of one round's payments, in the leader's order.
pub fn round_root(payments: &[Hash]) -> Hash {
    merkle::root(payments)
}

/// Returns the leaf of a round with so many payments and this root.
pub fn round_leaf(payments: u32, root: &Hash) -> Hash {
    merkle::leaf_hash(&codec::encode(&(payments, root)))
}

/// The roots of all rounds so far, as far as they are needed to add the next one: at most one hash a bit of their number.
#[derive(Clone, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Rounds {
    count: u32,
    /// Roots of full subtrees, the largest first: one for each bit that is set in `count`.
    peaks: Bounded<Hash, MAX_PEAKS>,
}

/// One for each bit of the number of rounds.
const MAX_PEAKS: usize = 32;

impl Rounds {
    /// Returns how many rounds there are.
    pub const fn count(&self) -> u32 {
        self.count
    }

    /// Returns the list with one more round of so many payments under this root. `None` when rounds have run out.
    #[must_use]
    pub fn with(&self, payments: u32, root: &Hash) -> Option<Self> {
        let count = self.count.checked_add(1)?;
        let mut peaks = self.peaks.to_vec();
        let mut peak = round_leaf(payments, root);
        for _ in 0..self.count.trailing_ones() {
            peak = merkle::node_hash(&peaks.pop()?, &peak);
        }
        peaks.push(peak);
        Some(Self { count, peaks: Bounded::try_from(peaks).ok()? })
    }

    /// Returns whether this is the list under a state: what somebody else says of it needs no other proof.
    pub fn is_under(&self, state: &RoundState) -> bool {
        let is_list = u32::try_from(self.peaks.len()) == Ok(self.count.count_ones());
        is_list && self.count == state.round && self.root() == state.tx_root
    }

    /// Returns the root over all rounds: `tx_root` of the last one's state.
    pub fn root(&self) -> Hash {
        let mut from_smallest = self.peaks.iter().rev();
        let Some(smallest) = from_smallest.next() else {
            return merkle::root(&[]);
        };
        from_smallest.fold(*smallest, |right, left| merkle::node_hash(left, &right))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn the_root_of_a_growing_list_is_that_of_the_whole_tree() {
        let (mut rounds, mut leaves) = (Rounds::default(), Vec::new());
        assert_eq!(rounds.root(), merkle::root(&[]));
        for number in 0..70_u32 {
            let root = Hash::of(&[&number.to_le_bytes()]);
            rounds = rounds.with(number, &root).unwrap();
            leaves.push(round_leaf(number, &root));
            assert_eq!(rounds.root(), merkle::root(&leaves), "after {number}");
        }
        assert_eq!(rounds.count(), 70);
    }

    #[test]
    fn a_list_is_under_the_state_of_its_last_round_and_of_no_other() {
        let rounds = Rounds::default().with(3, &Hash([1; 32])).unwrap();
        let under = |round, tx_root| {
            let (field, balances) = (crate::id::FieldId(Hash([2; 32])), Bounded::new());
            let (version, payments, prev, is_final) = (0, 3, Hash([3; 32]), false);
            let state =
                RoundState { field, version, round, balances, tx_root, payments, prev, is_final };
            rounds.is_under(&state)
        };
        assert!(under(1, rounds.root()));
        assert!(!under(2, rounds.root()), "another round of the same root");
        assert!(!under(1, Hash([4; 32])));
        let peaks = Bounded::try_from(alloc::vec![rounds.root(); 2]).unwrap();
        let longer = Rounds { count: 1, peaks };
        let state = RoundState {
            field: crate::id::FieldId(Hash([2; 32])),
            version: 0,
            round: 1,
            balances: Bounded::new(),
            tx_root: longer.root(),
            payments: 3,
            prev: Hash([3; 32]),
            is_final: false,
        };
        assert!(!longer.is_under(&state), "one round has one peak");
    }

    #[test]
    fn a_round_with_another_number_of_payments_is_another_leaf() {
        let root = Hash([1; 32]);
        assert_ne!(round_leaf(1, &root), round_leaf(2, &root));
    }
}
