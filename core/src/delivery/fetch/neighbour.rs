//! A peer as the fetcher sees it: what it has, what it owes, how fast it is.

use super::{Fetch, MAX_PEERS, PEER_PATIENCE, REFUSAL_REST, Refused, active::Slot};
use crate::{
    delivery::{
        chunk::ChunkId,
        have::{HaveDelta, Holdings, Segments},
        serve::Refusal,
    },
    id::PeerId,
    table::Table,
    time::Moment,
};
use core::time::Duration;

/// Cancelled chunks whose late arrival is expected.
const MAX_CANCELLED: usize = 64;

/// Claims "I am fetching it" that are remembered of one peer.
const MAX_CLAIMS: usize = 16;

/// Elections in a row that an elder may miss before it is passed over.
pub(super) const MAX_STRIKES: u8 = 2;

/// A peer.
#[derive(Clone, Debug)]
pub(super) struct Neighbour {
    /// Its place in the order of joins.
    pub(super) rank: u64,
    /// What it says it has.
    pub(super) holdings: Holdings,
    /// What it was asked for, and when.
    pub(super) asked: Table<ChunkId, Moment>,
    /// What it was asked for and may still send.
    pub(super) cancelled: Table<ChunkId, ()>,
    /// Segments that it said it fetches, and when.
    pub(super) claims: Table<u64, Moment>,
    /// When its last chunk came.
    pub(super) last_chunk: Moment,
    /// Smoothed time from ask to chunk.
    pub(super) latency: Duration,
    /// Not asked before this moment.
    pub(super) resting_until: Moment,
    /// Elections that it missed in a row.
    pub(super) strikes: u8,
    /// Chunks that it sent unasked.
    pub(super) unasked: u8,
}

impl Neighbour {
    fn new(now: Moment, rank: u64) -> Self {
        Self {
            rank,
            holdings: Holdings::default(),
            asked: Table::new(),
            cancelled: Table::new(),
            claims: Table::new(),
            last_chunk: now,
            latency: PEER_PATIENCE,
            resting_until: Moment::ZERO,
            strikes: 0,
            unasked: 0,
        }
    }

    /// Returns whether it takes part in the election.
    pub(super) const fn is_carrying(&self) -> bool {
        self.strikes < MAX_STRIKES
    }

    /// Returns when a chunk asked at `asked` counts as stalled after `patience` without any chunk.
    pub(super) fn stalled_at(&self, asked: Moment, patience: Duration) -> Moment {
        asked.max(self.last_chunk).after(patience)
    }

    /// Takes an ask back; the chunk may still arrive.
    pub(super) fn cancel(&mut self, id: ChunkId) {
        self.asked.remove(&id);
        self.cancelled.insert(id, ());
        if self.cancelled.len() > MAX_CANCELLED {
            self.cancelled.pop_first();
        }
    }

    /// Notes that an asked chunk came.
    pub(super) fn arrived(&mut self, now: Moment, asked: Moment) {
        self.last_chunk = now;
        let took = now.since(asked);
        self.latency = self.latency.saturating_mul(7).saturating_add(took) / 8;
    }
}

impl Fetch {
    pub(super) fn join(&mut self, now: Moment, peer: PeerId, rank: u64) {
        if self.peers.len() < MAX_PEERS || self.peers.contains_key(&peer) {
            self.peers.entry(peer).or_insert_with(|| Neighbour::new(now, rank)).rank = rank;
        }
    }

    /// Forgets a peer; what it was asked for is missing again.
    pub(super) fn release(&mut self, peer: PeerId) {
        self.peers.remove(&peer);
        for active in self.active.values_mut() {
            for slot in &mut active.slots {
                if *slot == Slot::Asked(peer) {
                    *slot = Slot::Missing;
                }
            }
            active.tried.retain(|(_, tried), ()| *tried != peer);
        }
    }

    pub(super) fn has(&mut self, peer: PeerId, all: &Segments) {
        if let Some(neighbour) = self.peers.get_mut(&peer) {
            neighbour.holdings.replace(all);
        }
    }

    pub(super) fn has_now(&mut self, now: Moment, peer: PeerId, delta: &HaveDelta) {
        let Some(neighbour) = self.peers.get_mut(&peer) else { return };
        neighbour.holdings.apply(delta);
        if !delta.added.is_empty() {
            neighbour.strikes = 0;
        }
        for sequence in delta.fetching.iter() {
            neighbour.claims.entry(*sequence).or_insert(now);
            if neighbour.claims.len() > MAX_CLAIMS {
                neighbour.claims.pop_first();
            }
        }
    }

    pub(super) fn refused(&mut self, now: Moment, peer: PeerId, refused: Refused) {
        let Some(neighbour) = self.peers.get_mut(&peer) else { return };
        if neighbour.asked.remove(&refused.id).is_none() {
            neighbour.cancelled.remove(&refused.id);
            return;
        }
        match refused.reason {
            Refusal::NotHere => neighbour.holdings.forget(refused.id),
            Refusal::Busy | Refusal::NoCredit | Refusal::Off | Refusal::Spent => {
                neighbour.resting_until = now.after(REFUSAL_REST);
            }
        }
        if let Some(active) = self.active.get_mut(&refused.id.sequence) {
            active.tried.insert((refused.id.index, peer), ());
            active.set(refused.id.index, Slot::Missing);
        }
    }
}
