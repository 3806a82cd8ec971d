//! Weighted sets of validators and guardians, and the one quorum rule. Source: PROTOCOL A0.5, A2.11.

#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

use crate::{
    codec::Bounded,
    crypto::{Hash, PublicKey, Tagged, bls::BlsPublicKey},
    id::{ChainId, Height},
};
use borsh::{BorshDeserialize, BorshSerialize};

/// Most validators in a committee.
pub const MAX_VALIDATORS: usize = 128;
/// Most guardians in a set: the thousands of ALLA-1, and so many pages of the roster.
pub const MAX_GUARDIANS: usize = 5120;
/// Total weight stays below this (A0.5).
pub const MAX_TOTAL_WEIGHT: u64 = 1 << 62;

/// Returns the least weight that is more than two thirds: `⌊2W/3⌋ + 1`.
pub fn quorum(total: u64) -> u64 {
    let two_thirds = u128::from(total).saturating_mul(2) / 3;
    u64::try_from(two_thirds).unwrap_or(u64::MAX).saturating_add(1)
}

/// Returns the least weight without which no quorum exists: `W − q(W) + 1`.
pub fn blocking(total: u64) -> u64 {
    total.saturating_sub(quorum(total)).saturating_add(1)
}

/// Adds weights, or `None` where the total reaches [`MAX_TOTAL_WEIGHT`].
pub fn total_weight(weights: impl IntoIterator<Item = u64>) -> Option<u64> {
    weights.into_iter().try_fold(0_u64, u64::checked_add).filter(|total| *total < MAX_TOTAL_WEIGHT)
}

/// Adds the weights of a set, or returns `None` where it is empty, unsorted, holds a key twice or a weight of zero, or is
/// too heavy.
fn total_of<'a, K: Ord + 'a>(
    members: impl ExactSizeIterator<Item = (&'a K, u64)> + Clone,
) -> Option<u64> {
    let is_sorted = members.clone().is_sorted_by(|(a, _), (b, _)| a < b);
    let weights = members.clone().map(|(_, weight)| weight);
    let is_usable = is_sorted && members.len() > 0 && weights.clone().all(|weight| weight > 0);
    is_usable.then(|| total_weight(weights)).flatten()
}

/// A validator: its key and its weight.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Validator {
    /// Signs votes, proposals and epoch changes.
    pub key: PublicKey,
    /// Its stake.
    pub weight: u64,
}

/// The committee that settles, sorted by key, without doubles.
///
/// It acts for one *term*: the blocks above the checkpoint that elected it, up to the one that ends its term (A1.22).
/// As `since` is part of its hash, votes of two terms of the same members never mix.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct ValidatorSet {
    /// Height of the checkpoint after which it acts; 0 for the set of genesis.
    pub since: Height,
    /// The members in the order that certificates' indices name.
    pub members: Bounded<Validator, MAX_VALIDATORS>,
}

impl Tagged for ValidatorSet {
    const TAG: &'static str = "chain/v1/validators";
}

impl ValidatorSet {
    /// Returns what headers commit.
    pub fn hash(&self, chain: ChainId) -> Hash {
        self.digest(chain)
    }

    /// Returns the sum of weights, or `None` for a set that no chain may have: empty, unsorted, or too heavy.
    pub fn total(&self) -> Option<u64> {
        total_of(self.members.iter().map(|member| (&member.key, member.weight)))
    }

    /// Returns the position of a key.
    pub fn index_of(&self, key: &PublicKey) -> Option<usize> {
        self.members.binary_search_by(|member| member.key.cmp(key)).ok()
    }
}

/// A guardian: its BLS key, checked at registration, and its weight.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Guardian {
    /// Signs checkpoints.
    pub key: BlsPublicKey,
    /// Its stake.
    pub weight: u64,
}

/// The set that finalises, sorted by key, without doubles, with the sum of all keys.
///
/// As with validators, `since` is part of its hash: the same members elected twice are two sets, so each set has one
/// end, and a light client can ask for it by name (A7.2).
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct GuardianSet {
    /// Height of the checkpoint that elected it; 0 for the set of genesis.
    pub since: Height,
    /// The members in the order that certificates' bitmaps name.
    pub members: Bounded<Guardian, MAX_GUARDIANS>,
    /// The sum of all members' keys, so that a client need not add them up when all signed.
    pub aggregate: BlsPublicKey,
}

impl Tagged for GuardianSet {
    const TAG: &'static str = "chain/v1/guardians";
}

impl GuardianSet {
    /// Returns what headers commit.
    pub fn hash(&self, chain: ChainId) -> Hash {
        self.digest(chain)
    }

    /// Returns the sum of weights, or `None` for a set that no chain may have: empty, unsorted, or too heavy.
    pub fn total(&self) -> Option<u64> {
        total_of(self.members.iter().map(|member| (&member.key, member.weight)))
    }
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, reason = "a test that overflows fails, as it should")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_set_that_no_chain_may_have_has_no_total() {
        let total = |members: &[(u8, u64)]| {
            let member = |(key, weight): &(u8, u64)| Validator {
                key: PublicKey([*key; 32]),
                weight: *weight,
            };
            let members: alloc::vec::Vec<_> = members.iter().map(member).collect();
            ValidatorSet { since: Height(0), members: members.try_into().unwrap() }.total()
        };
        assert_eq!(total(&[(1, 5), (2, 7)]), Some(12));
        assert_eq!(total(&[]), None, "empty");
        assert_eq!(total(&[(2, 7), (1, 5)]), None, "unsorted");
        assert_eq!(total(&[(1, 5), (1, 5)]), None, "doubled");
        assert_eq!(total(&[(1, 5), (2, 0)]), None, "without weight");
        assert_eq!(total(&[(1, MAX_TOTAL_WEIGHT - 1), (2, 1)]), None, "too heavy");
    }

    #[test]
    fn the_quorum_is_one_above_two_thirds_for_every_small_total() {
        for total in 1..=200_u64 {
            let q = quorum(total);
            assert!(3 * q > 2 * total, "{total}");
            assert!(3 * (q - 1) <= 2 * total, "{total}");
            assert!(q <= total, "{total}");
            assert_eq!(blocking(total), total - q + 1);
        }
    }

    proptest! {
        #[test]
        fn two_quorums_meet_in_more_than_what_may_be_faulty(total in 1..MAX_TOTAL_WEIGHT) {
            let q = quorum(total);
            let faulty = total - q;
            prop_assert!(3 * u128::from(q) > 2 * u128::from(total));
            prop_assert!(2 * u128::from(q) - u128::from(total) > u128::from(faulty));
        }

        #[test]
        fn totals_never_overflow(a: u64, b: u64) {
            let sum = total_weight([a, b]);
            prop_assert_eq!(sum.is_some(), u128::from(a) + u128::from(b) < u128::from(MAX_TOTAL_WEIGHT));
        }
    }
}
