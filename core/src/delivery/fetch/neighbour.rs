//! A peer as the fetcher sees it: what it has, what it owes, how fast it is.

use super::{
    Fetch, LOST_PATIENCE, MAX_PEERS, PEER_PATIENCE, REFUSAL_REST, Refused,
    active::{Active, Slot},
};
use crate::{
    delivery::{
        chunk::ChunkId,
        have::{HaveDelta, Holdings, Segments},
        rendition,
        schedule::SPREAD_PATIENCE,
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

/// What counts as next door. Chosen here: a data channel within one town, with its machine's own time.
const NEAR: Duration = Duration::from_millis(64);

/// Elections in a row that a peer may win and miss before it is passed over.
pub(super) const MAX_STRIKES: u8 = 2;

/// A peer.
#[derive(Clone, Debug)]
pub(super) struct Neighbour {
    /// What it says it has.
    pub(super) holdings: Holdings,
    /// What it was asked for, and when.
    pub(super) asked: Table<ChunkId, Moment>,
    /// What it was asked for and may still send; also where it was asked for it again since, and may send both.
    pub(super) cancelled: Table<ChunkId, Moment>,
    /// Segments that it said it fetches, and when.
    pub(super) claims: Table<u64, Moment>,
    /// When its last chunk came.
    pub(super) last_chunk: Moment,
    /// Smoothed time from ask to chunk.
    pub(super) latency: Duration,
    /// Chunks that came from it.
    pub(super) received: u64,
    /// Not asked before this moment.
    pub(super) resting_until: Moment,
    /// The rendition of which it last said that it has something. Who only claims to fetch keeps nobody from fetching.
    pub(super) carries: Option<u64>,
    /// Elections that it missed in a row.
    pub(super) strikes: u8,
    /// Chunks that it sent unasked, beyond those that it was asked for.
    pub(super) unasked: u8,
    /// Chunks that it was asked for and may still send, of segments that another took the place of.
    pub(super) void: usize,
    /// Chunks in a row that it refused, though it has them, or left open.
    pub(super) missed: u8,
}

impl Neighbour {
    fn new(now: Moment) -> Self {
        Self {
            holdings: Holdings::default(),
            asked: Table::new(),
            cancelled: Table::new(),
            claims: Table::new(),
            last_chunk: now,
            latency: PEER_PATIENCE,
            received: 0,
            resting_until: Moment::ZERO,
            carries: None,
            strikes: 0,
            unasked: 0,
            void: 0,
            missed: 0,
        }
    }

    /// Returns whether it takes part in the election for a segment: it plays this rendition, and announces when it wins.
    pub(super) fn is_carrying(&self, sequence: u64) -> bool {
        self.carries == Some(rendition::of(sequence)) && self.strikes < MAX_STRIKES
    }

    fn note_rendition(&mut self, added: &Segments) {
        self.carries = added.last().map(|segment| rendition::of(segment.sequence)).or(self.carries);
    }

    /// Returns how little it is to be asked for a chunk that others have, too: who brought something before who did not,
    /// but in a trial; then who has less open, is nearer, and brought less. Nearness counts in doublings, so that the
    /// very nearest does not carry everything.
    pub(super) fn reserve(&self, is_trial: bool) -> (bool, usize, u32, u64) {
        let near = NEAR.as_millis().max(1);
        let steps = self.latency.as_millis().checked_div(near).and_then(u128::checked_ilog2);
        let steps = steps.map_or(0, |steps| steps.saturating_add(1));
        ((self.received == 0) != is_trial, self.asked.len(), steps, self.received)
    }

    /// Returns how long it may leave a chunk open while others have it: twice as long as is usual for it, for a chunk that is
    /// on its way already cannot be taken back, and two that bring the same waste one.
    pub(super) fn patience(&self) -> Duration {
        let usual = if self.received == 0 { Duration::ZERO } else { self.latency };
        usual.saturating_mul(2).clamp(PEER_PATIENCE, LOST_PATIENCE)
    }

    /// Returns when a chunk asked at `asked` counts as stalled after `patience` without any chunk.
    pub(super) fn stalled_at(&self, asked: Moment, patience: Duration) -> Moment {
        asked.max(self.last_chunk).after(patience)
    }

    /// Takes an ask back; the chunk may still arrive.
    pub(super) fn cancel(&mut self, id: ChunkId) {
        let Some(asked) = self.asked.remove(&id) else { return };
        self.cancelled.insert(id, asked);
        drop_oldest(&mut self.cancelled, MAX_CANCELLED);
    }

    /// Forgets what it has of a segment, and was asked for: another one stands under that number now, and a neighbour that has not
    /// read of it yet has, and sends, what was signed before.
    pub(super) fn forget_segment(&mut self, sequence: u64) {
        self.holdings.retain(|it| it != sequence);
        self.claims.remove(&sequence);
        let before = self.asked.len().saturating_add(self.cancelled.len());
        self.asked.retain(|id, _| id.sequence != sequence);
        self.cancelled.retain(|id, _| id.sequence != sequence);
        let after = self.asked.len().saturating_add(self.cancelled.len());
        self.void = self.void.saturating_add(before.saturating_sub(after));
    }

    /// Notes that a chunk came that was asked, even if it was taken back since: who is too slow must be known to be.
    pub(super) fn arrived(&mut self, now: Moment, asked: Moment) {
        self.last_chunk = now;
        self.missed = 0;
        self.unasked = self.unasked.saturating_sub(1);
        self.received = self.received.saturating_add(1);
        let took = now.since(asked);
        self.latency = self.latency.saturating_mul(7).saturating_add(took) / 8;
    }
}

/// Keeps the latest `most`: numbers may begin anew, so that the lowest is not the oldest.
fn drop_oldest<K: Copy + Ord>(table: &mut Table<K, Moment>, most: usize) {
    let oldest = table.iter().min_by_key(|(_, at)| **at).map(|(key, _)| *key);
    if let Some(oldest) = oldest.filter(|_| table.len() > most) {
        table.remove(&oldest);
    }
}

impl Fetch {
    /// Returns when those may be asked for a segment who brought nothing yet: the more of them polluted, the later. Who never
    /// had a good chunk from anybody cannot wait for somebody better.
    pub(super) fn opens_at(&self, active: &Active) -> Moment {
        let is_served = self.peers.values().any(|neighbour| neighbour.received > 0);
        let wait = if is_served {
            SPREAD_PATIENCE.saturating_mul(self.distrust.into())
        } else {
            Duration::ZERO
        };
        active.since.after(wait)
    }

    pub(super) fn join(&mut self, now: Moment, peer: PeerId) {
        if self.peers.len() < MAX_PEERS || self.peers.contains_key(&peer) {
            self.peers.entry(peer).or_insert_with(|| Neighbour::new(now));
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
            neighbour.note_rendition(all);
            neighbour.holdings.replace(all);
        }
    }

    pub(super) fn has_now(&mut self, now: Moment, peer: PeerId, delta: &HaveDelta) {
        let Some(neighbour) = self.peers.get_mut(&peer) else { return };
        neighbour.holdings.apply(delta);
        if !delta.added.is_empty() {
            neighbour.note_rendition(&delta.added);
            neighbour.strikes = 0;
        }
        for sequence in delta.fetching.iter() {
            neighbour.claims.entry(*sequence).or_insert(now);
            drop_oldest(&mut neighbour.claims, MAX_CLAIMS);
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
                neighbour.missed = neighbour.missed.saturating_add(1);
            }
        }
        if let Some(active) = self.active.get_mut(&refused.id.sequence) {
            active.tried.insert((refused.id.index, peer), ());
            active.set(refused.id.index, Slot::Missing);
        }
    }
}
