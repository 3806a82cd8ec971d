//! A segment on its way, and an HTTP order.

use super::Neighbour;
use crate::{delivery::chunk::ChunkId, id::PeerId, table::Table, time::Moment};
use alloc::{vec, vec::Vec};
use core::time::Duration;

use super::OrderId;

/// Where a chunk is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slot {
    /// Nowhere yet.
    Missing,
    /// Asked of this peer.
    Asked(PeerId),
    /// Part of this HTTP order.
    Ordered(OrderId),
    /// In the cache.
    Here,
}

impl Slot {
    /// Returns whether somebody was asked for it.
    pub(super) const fn is_coming(self) -> bool {
        matches!(self, Self::Asked(_) | Self::Ordered(_))
    }
}

/// When the player needs the segment, and since when we know that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) since: Moment,
    pub(super) deadline: Moment,
}

/// A segment on its way.
#[derive(Clone, Debug)]
pub(super) struct Active {
    /// When it came within reach of the player.
    pub(super) since: Moment,
    /// Whether the player waits for it.
    pub(super) wanted: Option<Wanted>,
    /// One for each chunk.
    pub(super) slots: Vec<Slot>,
    /// Peers that did not give a chunk and are not asked for it again.
    pub(super) tried: Table<(u16, PeerId), ()>,
    /// HTTP failures in a row.
    pub(super) failures: u32,
    /// When HTTP may be tried again.
    pub(super) retry_at: Moment,
}

/// An HTTP request in flight.
#[derive(Clone, Copy, Debug)]
pub(super) struct Order {
    pub(super) sequence: u64,
    pub(super) since: Moment,
}

/// How long HTTP rests after the first failure; doubles with each, four times at most.
const FAILURE_REST: Duration = Duration::from_millis(250);

impl Active {
    pub(super) fn new(now: Moment, count: u16) -> Self {
        Self {
            since: now,
            wanted: None,
            slots: vec![Slot::Missing; usize::from(count)],
            tried: Table::new(),
            failures: 0,
            retry_at: Moment::ZERO,
        }
    }

    /// Begins again with nothing here; who wants it still does.
    pub(super) fn restart(&mut self, count: u16) {
        let wanted = self.wanted;
        *self = Self { wanted, ..Self::new(self.since, count) };
    }

    pub(super) fn want(&mut self, now: Moment, deadline: Moment) {
        if self.wanted.is_none() {
            self.failures = 0;
        }
        let since = self.wanted.map_or(now, |wanted| wanted.since);
        self.wanted = Some(Wanted { since, deadline });
    }

    /// Returns the chunks with their positions.
    pub(super) fn indexed(&self) -> impl Iterator<Item = (u16, Slot)> + '_ {
        (0_u16..).zip(self.slots.iter().copied())
    }

    pub(super) fn set(&mut self, index: u16, slot: Slot) {
        if let Some(place) = self.slots.get_mut(usize::from(index)) {
            *place = slot;
        }
    }

    /// Notes an HTTP failure.
    pub(super) fn fail(&mut self, now: Moment) {
        let rest = FAILURE_REST.saturating_mul(1 << self.failures.min(4));
        self.failures = self.failures.saturating_add(1);
        self.retry_at = now.after(rest);
    }

    /// Returns whether some peer says it has the chunk and was not tried in vain.
    pub(super) fn is_servable(&self, peers: &Table<PeerId, Neighbour>, id: ChunkId) -> bool {
        peers.iter().any(|(peer, neighbour)| {
            neighbour.holdings.has(id) && !self.tried.contains_key(&(id.index, *peer))
        })
    }
}
