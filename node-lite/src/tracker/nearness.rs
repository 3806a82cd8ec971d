//! Who is near to whom by what listeners measured, for whom no file knows where they are.
//!
//! ```text
//! asker --both say near-- neighbour --both say near-- named        the slower of both ways orders them
//! ```
//!
//! A word counts only where the other end says the same: an honest neighbour measures by itself, and nobody answers sooner
//! than the way allows. So who lies is near only to those who lie with it, or who link to it and find it near. What that
//! brings is capped like every other nearness, and a half of each list is random. Source: issue 5 "Tracker", reported round
//! trips. Invariant: kept while connected, of the nearest eight, in whole doublings of a millisecond.

use antiphon_core::{
    id::PeerId,
    peer::tracker_wire::{MAX_NEARBY, Nearby},
};
use std::collections::BTreeMap;

/// Farther ones are not near: 128 ms for a question and its answer. Chosen here: oceans are wider.
const MAX_DOUBLINGS: u8 = 7;

/// What members of one stream said.
#[derive(Clone, Debug, Default)]
pub(super) struct Nearness {
    told: BTreeMap<PeerId, Vec<Nearby>>,
}

impl Nearness {
    /// A member says who is near to it; what it said before holds no more.
    pub(super) fn tell(&mut self, peer: PeerId, nearby: &[Nearby]) {
        let is_near = |nearby: &&Nearby| nearby.doublings <= MAX_DOUBLINGS && nearby.peer != peer;
        let near: Vec<Nearby> = nearby.iter().filter(is_near).take(MAX_NEARBY).copied().collect();
        if near.is_empty() {
            self.forget(&peer);
        } else {
            self.told.insert(peer, near);
        }
    }

    /// A member is gone.
    pub(super) fn forget(&mut self, peer: &PeerId) {
        self.told.remove(peer);
    }

    /// Returns those who are near to whom `asker` is near, the nearest first.
    pub(super) fn around(&self, asker: &PeerId) -> Vec<PeerId> {
        let mut ways: BTreeMap<PeerId, (u8, u8)> = BTreeMap::new();
        for (middle, first) in self.agreed(asker) {
            for (peer, second) in self.agreed(&middle) {
                let way = (first.max(second), first.min(second));
                let best = ways.entry(peer).or_insert(way);
                *best = way.min(*best);
            }
        }
        let mut peers: Vec<PeerId> = ways.keys().copied().collect();
        peers.retain(|peer| peer != asker);
        peers.sort_by_key(|peer| ways.get(peer).copied());
        peers
    }

    /// Returns whom a member calls near that say the same, with the longer of both times.
    fn agreed(&self, peer: &PeerId) -> impl Iterator<Item = (PeerId, u8)> {
        let said = self.told.get(peer).into_iter().flatten();
        said.filter_map(|near| {
            let back = self.told.get(&near.peer)?.iter().find(|back| back.peer == *peer)?;
            Some((near.peer, near.doublings.max(back.doublings)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use antiphon_core::crypto::PublicKey;

    #[test]
    fn the_neighbours_of_near_neighbours_are_near_the_nearest_first() {
        let nearness = told(&[
            (0, &[(1, 3), (2, 5)]),
            (1, &[(0, 2), (3, 4), (4, 1)]),
            (2, &[(0, 5), (5, 1), (4, 2)]),
            (3, &[(1, 4)]),
            (4, &[(1, 1), (2, 2)]),
            (5, &[(2, 1)]),
        ]);
        // 4 by 1 in 3, rather than by 2 in 5; 3 by 1 in 4; 5 by 2 in 5.
        assert_eq!(nearness.around(&peer(0)), [4, 3, 5].map(peer));
        assert_eq!(nearness.around(&peer(9)), []);
    }

    #[test]
    fn who_alone_says_that_it_is_near_is_not() {
        // A foe calls everybody near, and its own keys; they call it near, and everybody.
        let all: Vec<(u8, u8)> = (0..8).map(|n| (n, 0)).collect();
        let mut nearness = told(&[(0, &[(1, 3)]), (1, &[(0, 3), (2, 3)]), (2, &[(1, 3)])]);
        for foe in 5..8 {
            nearness.tell(peer(foe), &list(&all));
        }
        assert_eq!(nearness.around(&peer(0)), [peer(2)], "only whom honest ones measured");
        // One to whom the asker is linked, and which it finds near, has some of its own named: the caps are for that.
        nearness.tell(peer(0), &list(&[(1, 3), (5, 1)]));
        assert_eq!(nearness.around(&peer(0)), [6, 7, 2].map(peer));
    }

    #[test]
    fn what_is_far_or_more_than_eight_is_not_kept_and_who_goes_is_forgotten() {
        let nearby: Vec<(u8, u8)> = (1..30).map(|n| (n, 7)).chain([(40, 8)]).collect();
        let mut nearness = Nearness::default();
        nearness.tell(peer(0), &list(&nearby));
        assert_eq!(nearness.told[&peer(0)].len(), MAX_NEARBY);
        nearness.tell(peer(0), &list(&[(40, 8), (0, 1)]));
        assert!(nearness.told.is_empty(), "neither far ones nor itself");
        let mut nearness = told(&[(0, &[(1, 3)]), (1, &[(0, 3), (2, 3)]), (2, &[(1, 3)])]);
        nearness.forget(&peer(1));
        assert_eq!(nearness.around(&peer(0)), []);
    }

    fn told(all: &[(u8, &[(u8, u8)])]) -> Nearness {
        let mut nearness = Nearness::default();
        all.iter().for_each(|(who, near)| nearness.tell(peer(*who), &list(near)));
        nearness
    }

    fn list(near: &[(u8, u8)]) -> Vec<Nearby> {
        near.iter().map(|(n, doublings)| Nearby { doublings: *doublings, peer: peer(*n) }).collect()
    }

    fn peer(n: u8) -> PeerId {
        PeerId(PublicKey([n; 32]))
    }
}
