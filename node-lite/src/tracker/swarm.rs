//! The listeners of one stream, in the order of their joins.

use super::ABSENCE;
use antiphon_core::{crypto::PublicKey, id::PeerId, peer::tracker_wire::Candidate, time::Moment};
use std::{collections::BTreeMap, ops::Bound};

/// Members of one stream.
pub(super) const MAX_MEMBERS: usize = 20_000;
/// Ranks kept for who left; the one that ends first is forgotten first.
const MAX_ABSENT: usize = 4096;

/// The listeners of one stream.
#[derive(Debug, Default)]
pub(super) struct Swarm {
    members: BTreeMap<PeerId, u64>,
    absent: BTreeMap<PeerId, (u64, Moment)>,
    joins: u64,
}

impl Swarm {
    /// Lets a listener in and returns its rank: the one it had, or the next. `None` if the swarm is full.
    pub(super) fn join(&mut self, now: Moment, peer: PeerId) -> Option<u64> {
        if let Some(rank) = self.members.get(&peer) {
            return Some(*rank);
        }
        if self.members.len() >= MAX_MEMBERS {
            return None;
        }
        let kept = self.absent.remove(&peer).filter(|(_, until)| *until > now);
        let rank = kept.map(|(rank, _)| rank).unwrap_or(self.joins);
        if kept.is_none() {
            self.joins = self.joins.saturating_add(1);
        }
        self.members.insert(peer, rank);
        Some(rank)
    }

    /// Lets a listener out and keeps its rank for a while.
    pub(super) fn leave(&mut self, now: Moment, peer: PeerId) {
        let Some(rank) = self.members.remove(&peer) else { return };
        self.absent.insert(peer, (rank, now.after(ABSENCE)));
        if self.absent.len() > MAX_ABSENT {
            let first = self.absent.iter().min_by_key(|(_, (_, until))| *until).map(|(p, _)| *p);
            first.and_then(|peer| self.absent.remove(&peer));
        }
    }

    /// Returns a member's rank.
    pub(super) fn rank(&self, peer: &PeerId) -> Option<u64> {
        self.members.get(peer).copied()
    }

    /// Returns at most `count` members other than `but`, from a place in the order of keys that the draw decides.
    pub(super) fn some(&self, but: PeerId, draw: [u8; 32], count: usize) -> Vec<Candidate> {
        let from = PeerId(PublicKey(draw));
        let behind = self.members.range((Bound::Included(from), Bound::Unbounded));
        let before = self.members.range((Bound::Unbounded, Bound::Excluded(from)));
        let others = behind.chain(before).filter(|(peer, _)| **peer != but);
        others.take(count).map(|(peer, rank)| Candidate { peer: *peer, rank: *rank }).collect()
    }

    /// Returns whether nobody listens.
    pub(super) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Returns whether nobody listens and no rank is kept.
    pub(super) fn is_over(&self) -> bool {
        self.members.is_empty() && self.absent.is_empty()
    }

    /// Returns when the next rank is forgotten.
    pub(super) fn deadline(&self) -> Option<Moment> {
        self.absent.values().map(|(_, until)| *until).min()
    }

    /// Forgets the ranks of who stayed away.
    pub(super) fn sweep(&mut self, now: Moment) {
        self.absent.retain(|_, (_, until)| *until > now);
    }
}
