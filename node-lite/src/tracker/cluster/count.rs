//! Counts that trackers share.

use super::TrackerId;

/// A count that several trackers share without asking: whatever one has seen, its next is higher, and no two are equal.
/// Source: Lamport, CACM 21(7), 1978.
#[derive(Debug, Default)]
pub(in crate::tracker) struct Count {
    last: u64,
    /// What tells this tracker's counts from those of others; none if it is alone.
    slot: Option<u16>,
}

/// Counts of one and the same moment that trackers can have.
const SLOTS: u64 = 1 << 16;

impl Count {
    pub(in crate::tracker) fn new(me: Option<TrackerId>) -> Self {
        let slot = me.and_then(|TrackerId(id)| id.to_le_bytes().first_chunk().copied());
        Self { last: 0, slot: slot.map(u16::from_le_bytes) }
    }

    pub(in crate::tracker) fn next(&mut self) -> u64 {
        self.last = self.last.saturating_add(1);
        let last = self.last;
        self.slot.map_or(last, |slot| last.saturating_mul(SLOTS).saturating_add(slot.into()))
    }

    pub(super) fn see(&mut self, count: u64) {
        self.last = self.last.max(count / SLOTS);
    }
}
