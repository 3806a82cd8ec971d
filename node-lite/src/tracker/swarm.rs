//! The listeners of one stream, and a random pick among them.

use antiphon_core::{
    codec::Bounded,
    crypto::Hash,
    id::PeerId,
    peer::tracker_wire::{Candidate, MAX_CANDIDATES},
};
use std::collections::{BTreeMap, BTreeSet};

/// Random numbers that repeat with their seed.
#[derive(Clone, Debug)]
pub(super) struct Dice {
    seed: [u8; 32],
    rolls: u64,
}

impl Dice {
    pub(super) const fn new(seed: [u8; 32]) -> Self {
        Self { seed, rolls: 0 }
    }

    /// Returns 32 bytes that nobody without the seed foresees.
    pub(super) fn bytes(&mut self) -> [u8; 32] {
        self.rolls = self.rolls.saturating_add(1);
        Hash::of(&[b"tracker/v1/dice", &self.seed, &self.rolls.to_le_bytes()]).0
    }

    /// Returns a number below `count`, or 0 if that is 0. The bias is below 2^-40.
    fn below(&mut self, count: usize) -> usize {
        let bytes = self.bytes();
        let roll = bytes.first_chunk::<8>().map_or(0, |bytes| u64::from_le_bytes(*bytes));
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        roll.checked_rem(count).and_then(|roll| usize::try_from(roll).ok()).unwrap_or(0)
    }
}

/// Who listens to one stream.
#[derive(Debug, Default)]
pub(super) struct Swarm {
    ranks: BTreeMap<PeerId, (u64, usize)>,
    /// The members in no order; each knows its place.
    order: Vec<PeerId>,
}

impl Swarm {
    pub(super) fn len(&self) -> usize {
        self.order.len()
    }

    pub(super) fn rank(&self, peer: &PeerId) -> Option<u64> {
        self.ranks.get(peer).map(|(rank, _)| *rank)
    }

    /// Adds a peer that is not in it.
    pub(super) fn insert(&mut self, peer: PeerId, rank: u64) {
        self.ranks.insert(peer, (rank, self.order.len()));
        self.order.push(peer);
    }

    /// Removes a peer and returns its rank.
    pub(super) fn remove(&mut self, peer: &PeerId) -> Option<u64> {
        let (rank, place) = self.ranks.remove(peer)?;
        if place < self.order.len() {
            self.order.swap_remove(place);
        }
        if let Some(moved) = self.order.get(place).and_then(|moved| self.ranks.get_mut(moved)) {
            moved.1 = place;
        }
        Some(rank)
    }

    /// Picks at most [`MAX_CANDIDATES`] others at random, each as likely.
    pub(super) fn pick(
        &self,
        asker: &PeerId,
        dice: &mut Dice,
    ) -> Bounded<Candidate, MAX_CANDIDATES> {
        let mut chosen = BTreeSet::new();
        // One more than needed, for the asker may be among them. Source: Floyd's sampling, CACM 30(9), 1987.
        let wanted = self.order.len().min(MAX_CANDIDATES.saturating_add(1));
        for last in self.order.len().saturating_sub(wanted)..self.order.len() {
            let place = dice.below(last.saturating_add(1));
            if !chosen.insert(place) {
                chosen.insert(last);
            }
        }
        let mut picked: Vec<Candidate> = chosen
            .iter()
            .filter_map(|place| self.order.get(*place))
            .filter(|peer| *peer != asker)
            .filter_map(|peer| Some(Candidate { peer: *peer, rank: self.rank(peer)? }))
            .collect();
        if picked.len() > MAX_CANDIDATES {
            let surplus = dice.below(picked.len());
            picked.swap_remove(surplus);
        }
        Bounded::try_from(picked).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use antiphon_core::crypto::PublicKey;

    #[test]
    fn every_other_member_is_as_likely_and_none_comes_twice() {
        let mut swarm = Swarm::default();
        (0..100).for_each(|n| swarm.insert(peer(n), n.into()));
        let mut dice = Dice::new([1; 32]);
        let mut counts = BTreeMap::new();
        for _ in 0..1000 {
            let picked = swarm.pick(&peer(5), &mut dice);
            let distinct: BTreeSet<_> = picked.iter().map(|candidate| candidate.peer).collect();
            assert_eq!(distinct.len(), MAX_CANDIDATES);
            distinct.into_iter().for_each(|peer| *counts.entry(peer).or_insert(0) += 1);
        }
        assert!(!counts.contains_key(&peer(5)));
        // 1000 picks of 32 out of 99: 323 on average, standard deviation 15.
        assert!(counts.len() == 99 && counts.values().all(|count| (250..400).contains(count)));
    }

    #[test]
    fn members_come_and_go_and_keep_their_places() {
        let mut swarm = Swarm::default();
        (0..10).for_each(|n| swarm.insert(peer(n), n.into()));
        for n in [9, 0, 4] {
            assert_eq!(swarm.remove(&peer(n)), Some(n.into()));
            assert_eq!(swarm.remove(&peer(n)), None);
        }
        let left: BTreeSet<_> = (1..9).filter(|n| *n != 4).map(peer).collect();
        let picked = swarm.pick(&peer(100), &mut Dice::new([1; 32]));
        assert_eq!(picked.iter().map(|candidate| candidate.peer).collect::<BTreeSet<_>>(), left);
        assert!(
            picked.iter().all(|candidate| candidate.peer.0.0[0] == candidate.rank.to_le_bytes()[0])
        );
        left.iter().for_each(|peer| assert!(swarm.remove(peer).is_some()));
        assert_eq!((swarm.len(), swarm.pick(&peer(1), &mut Dice::new([1; 32])).len()), (0, 0));
    }

    fn peer(n: u8) -> PeerId {
        PeerId(PublicKey([n; 32]))
    }
}
