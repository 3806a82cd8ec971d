//! Randomness that nobody chooses: each proposer reveals a signature that only it could make, and of which there is one.
//!
//! ```text
//! mix of a block = H(mix of its parent, H(reveal))        order of the blocks above a checkpoint = its mix
//! ```
//!
//! Source: PROTOCOL A3.2; seed 002 (aelf) §4.2.4, AELF-9 to AELF-14; ALLA-2. Deviations: a BLS signature is unique, so the key
//! that was registered is the commitment `out` to every `in` to come, and there is nothing to publish or to compare (AELF-10,
//! 11); the sum of all signatures is the mix, and whoever produced no block adds nothing to it (AELF-12, 14); the order is
//! drawn anew at each checkpoint. What is left to bias: who withholds a block chooses between two mixes.

use super::set::ValidatorSet;
use crate::{
    crypto::{Hash, Tagged, bls::BlsSignature, hash_tagged},
    id::{ChainId, Epoch},
};
use alloc::{vec, vec::Vec};
use borsh::{BorshDeserialize, BorshSerialize};

/// Who proposes in which epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum ProposerOrder {
    /// One after the other, as they stand in the set (ALLA-2).
    #[default]
    RoundRobin,
    /// In an order that is drawn at each checkpoint, with an extra turn at the end of each round (AELF-9 to AELF-13).
    CommitReveal,
}

/// What a proposer signs with its guardian's key, to reveal it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Reveal {
    /// The epoch of the proposal, so that nothing in the block can be chosen to change it.
    pub epoch: Epoch,
}

impl Tagged for Reveal {
    const TAG: &'static str = "beacon/v1/reveal";
}

/// Returns the mix after a block that carries `reveal`.
pub fn mixed(chain: ChainId, mix: Hash, reveal: &BlsSignature) -> Hash {
    let part = Hash::of(&[&reveal.0]);
    hash_tagged("beacon/v1/mix", chain, &crate::codec::encode(&(mix, part)))
}

impl ProposerOrder {
    /// Returns the place in `set` of the proposer of an epoch, above blocks whose header names `order`. `None` for an empty
    /// set.
    pub fn proposer(self, order: Hash, set: &ValidatorSet, epoch: Epoch) -> Option<u16> {
        let members = u64::try_from(set.members.len()).ok()?;
        match self {
            Self::RoundRobin => u16::try_from(epoch.0.checked_rem(members)?).ok(),
            Self::CommitReveal => {
                let turns = turns(order, set)?;
                let turn = epoch.0.checked_rem(u64::try_from(turns.len()).ok()?)?;
                turns.get(usize::try_from(turn).ok()?).copied()
            }
        }
    }
}

/// Returns the proposers of one round: each member once, and one of them once more (AELF-13).
///
/// Members draw their places in the order of the set; a place that is taken falls to the next free one (AELF-12).
fn turns(order: Hash, set: &ValidatorSet) -> Option<Vec<u16>> {
    let count = set.members.len();
    let mut places: Vec<Option<u16>> = vec![None; count];
    for (member, index) in set.members.iter().zip(0_u16..) {
        let drawn = draw(&[&order.0, &member.key.0], count)?;
        let free =
            (drawn..count).chain(0..drawn).find(|place| places.get(*place) == Some(&None))?;
        *places.get_mut(free)? = Some(index);
    }
    let mut turns: Vec<u16> = places.into_iter().flatten().collect();
    let extra = draw(&[&order.0, b"extra"], count)?;
    turns.push(*turns.get(extra)?);
    Some(turns)
}

/// Returns a number below `count` that follows from `parts`.
fn draw(parts: &[&[u8]], count: usize) -> Option<usize> {
    let Hash(digest) = Hash::of(parts);
    let [a, b, c, d, e, f, g, h, ..] = digest;
    let number = u64::from_le_bytes([a, b, c, d, e, f, g, h]);
    usize::try_from(number.checked_rem(u64::try_from(count).ok()?)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        chain::set::Validator,
        crypto::{PublicKey, bls::BlsSecretKey},
        id::Height,
    };

    const CHAIN: ChainId = ChainId(Hash([5; 32]));

    #[test]
    fn every_round_has_each_member_once_and_one_of_them_twice() {
        for members in [1_u8, 2, 4, 7, 23] {
            let set = set(members);
            for seed in 0..50 {
                let turns = turns(Hash([seed; 32]), &set).unwrap();
                assert_eq!(turns.len(), usize::from(members) + 1);
                let mut once = turns[..usize::from(members)].to_vec();
                once.sort_unstable();
                assert_eq!(once, (0..u16::from(members)).collect::<Vec<_>>());
            }
        }
        assert_eq!(ProposerOrder::CommitReveal.proposer(Hash::default(), &set(0), Epoch(3)), None);
        assert_eq!(ProposerOrder::RoundRobin.proposer(Hash::default(), &set(0), Epoch(3)), None);
    }

    #[test]
    fn no_place_is_anybodys_more_often_than_others() {
        let (set, draws) = (set(4), 4000_u32);
        let mut counts = [[0_u32; 5]; 4];
        for n in 0..draws {
            let order = Hash::of(&[&n.to_le_bytes()]);
            for (turn, member) in turns(order, &set).unwrap().into_iter().enumerate() {
                counts[usize::from(member)][turn] += 1;
            }
        }
        // A quarter each; the standard deviation of 4000 draws is 27. Taken places fall to the next, so that neighbours in
        // the set are a little off: never by a tenth.
        for count in counts.into_iter().flatten() {
            assert!((900..=1100).contains(&count), "{counts:?}");
        }
    }

    #[test]
    fn a_reveal_is_the_only_one_of_its_key_and_epoch() {
        let key = BlsSecretKey::from_seed(&[3; 32]).unwrap();
        let digest = Reveal { epoch: Epoch(9) }.digest(CHAIN);
        let reveal = key.sign(digest);
        assert_eq!(key.public().verify(digest, &reveal), Ok(()));
        assert_eq!(key.sign(digest), reveal, "signed again, it is the same");
        let later = Reveal { epoch: Epoch(10) }.digest(CHAIN);
        assert!(key.public().verify(later, &reveal).is_err());
        assert_ne!(mixed(CHAIN, Hash::default(), &reveal), mixed(CHAIN, Hash([1; 32]), &reveal));
    }

    fn set(members: u8) -> ValidatorSet {
        let member = |n| Validator { key: PublicKey([n; 32]), weight: 1 };
        let members: Vec<_> = (0..members).map(member).collect();
        ValidatorSet { since: Height(0), members: members.try_into().unwrap() }
    }
}
