//! Bytes that arrive, from a peer or the origin: verified or thrown away.

use super::{
    Body, Fault, Fetch, OrderId, Output, PeerChunk,
    active::{Order, Slot},
    plan::MAX_DISTRUST,
};
use crate::{
    delivery::chunk::{self, Chunk, ChunkId},
    id::PeerId,
    time::Moment,
};
use alloc::vec::Vec;

/// Chunks that a peer may send unasked, in case cancels cross; one more is a flood.
const MAX_UNASKED: u8 = 8;

impl Fetch {
    pub(super) fn chunk(
        &mut self,
        now: Moment,
        peer: PeerId,
        sent: &PeerChunk,
        out: &mut Vec<Output>,
    ) {
        let Some(neighbour) = self.peers.get_mut(&peer) else { return };
        let asked = neighbour.asked.remove(&sent.id);
        let asked = asked.or_else(|| neighbour.cancelled.remove(&sent.id));
        let is_first = neighbour.received == 0;
        if let Some(asked) = asked {
            neighbour.arrived(now, asked);
        } else if neighbour.void > 0 {
            neighbour.void = neighbour.void.saturating_sub(1);
            return;
        } else {
            neighbour.unasked = neighbour.unasked.saturating_add(1);
            if neighbour.unasked > MAX_UNASKED {
                self.ban(peer, Fault::Flood, out);
            }
            return;
        }
        // Without a record (forgotten, or replaced meanwhile) there is nobody to blame.
        let Some(record) = self.known.get(&sent.id.sequence) else { return };
        match Chunk::verify(record, sent.id.index, &sent.bytes) {
            Ok(chunk) if self.cache.has(chunk.id()) => {
                self.stats.late = self.stats.late.saturating_add(1);
            }
            Ok(chunk) => {
                let bytes = as_u64(chunk.bytes().len());
                if is_first {
                    self.distrust = self.distrust.saturating_sub(1);
                }
                if self.keep(chunk, out) {
                    self.stats.from_peers = self.stats.from_peers.saturating_add(bytes);
                    out.push(Output::Earned(peer, sent.id));
                }
            }
            Err(error) => {
                self.stats.bad = self.stats.bad.saturating_add(1);
                self.distrust = self.distrust.saturating_add(1).min(MAX_DISTRUST);
                self.ban(peer, Fault::BadChunk(sent.id, error), out);
            }
        }
    }

    pub(super) fn fetched(&mut self, now: Moment, id: OrderId, body: &Body, out: &mut Vec<Output>) {
        let Some(order) = self.orders.remove(&id) else { return };
        self.http_times.note(now.since(order.since));
        let Some(record) = self.known.get(&order.sequence).cloned() else { return };
        for index in 0..record.count() {
            let id = ChunkId { sequence: order.sequence, index };
            let Some(span) = chunk::span(&record, index) else { break };
            let from = span.start.checked_sub(body.start);
            let Some(bytes) = from
                .and_then(|from| body.bytes.get(from..from.saturating_add(span.len())))
                .filter(|_| !self.cache.has(id))
            else {
                continue;
            };
            match Chunk::verify(&record, index, bytes) {
                Ok(chunk) => {
                    if self.keep(chunk, out) {
                        let bytes = as_u64(span.len());
                        self.stats.from_origin = self.stats.from_origin.saturating_add(bytes);
                    }
                }
                Err(error) => {
                    self.stats.bad = self.stats.bad.saturating_add(1);
                    out.push(Output::BlameOrigin(id, error));
                }
            }
        }
        self.close_order(now, id, order);
    }

    pub(super) fn fetch_failed(&mut self, now: Moment, id: OrderId) {
        if let Some(order) = self.orders.remove(&id) {
            self.close_order(now, id, order);
        }
    }

    /// Puts back what an order that is over did not bring; that is a failure of the origin.
    fn close_order(&mut self, now: Moment, id: OrderId, order: Order) {
        let Some(active) = self.active.get_mut(&order.sequence) else { return };
        let mut has_failed = false;
        for slot in active.slots.iter_mut().filter(|slot| **slot == Slot::Ordered(id)) {
            *slot = Slot::Missing;
            has_failed = true;
        }
        if has_failed {
            active.fail(now);
        } else {
            active.failures = 0;
        }
    }

    /// Keeps a verified chunk; whoever else was asked for it need not send it. Returns whether it was kept.
    fn keep(&mut self, chunk: Chunk, out: &mut Vec<Output>) -> bool {
        let id = chunk.id();
        let Ok(evicted) = self.cache.insert(chunk) else { return false };
        for sequence in &evicted {
            if let Some(active) = self.active.get_mut(sequence) {
                for slot in active.slots.iter_mut().filter(|slot| **slot == Slot::Here) {
                    *slot = Slot::Missing;
                }
            }
        }
        self.news.removed.extend(evicted);
        self.news.added.push(id);
        if let Some(active) = self.active.get_mut(&id.sequence) {
            active.set(id.index, Slot::Here);
        }
        for (peer, neighbour) in &mut self.peers {
            if neighbour.asked.contains_key(&id) {
                neighbour.cancel(id);
                out.push(Output::Cancel(*peer, id));
            }
        }
        true
    }

    fn ban(&mut self, peer: PeerId, fault: Fault, out: &mut Vec<Output>) {
        self.release(peer);
        out.push(Output::Blame(peer, fault));
    }
}

fn as_u64(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
