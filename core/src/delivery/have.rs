//! Who has which chunks, as a bitmap for every segment and as changes to it.
//!
//! Source: FIELD-NOTES c.15 and c.17: whole lists on every change cost peers × segments bytes, and an 8-bit
//! count made peers invisible. Here a change names only what changed, and every count is 32 bits on the wire.

use super::{
    cache::farthest,
    chunk::{ChunkId, MAX_CHUNKS},
};
use crate::codec::Bounded;
use crate::table::Table;
use alloc::vec::Vec;
use borsh::{BorshDeserialize, BorshSerialize};

/// Segments that one message names. Chosen here: minutes of audio, and well inside one frame.
pub const MAX_NAMED_SEGMENTS: usize = 64;

/// Segments of one peer that are remembered.
pub const MAX_PEER_SEGMENTS: usize = 256;

/// A set of chunk indices of one segment: bit `i % 8` of byte `i / 8`.
#[derive(Clone, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Bits(Bounded<u8, { MAX_CHUNKS / 8 }>);

impl Bits {
    /// Adds a chunk; an index that no segment can have is ignored.
    pub fn insert(&mut self, index: u16) {
        let at = usize::from(index) / 8;
        let mut bytes = core::mem::take(&mut self.0).into_vec();
        if at < MAX_CHUNKS / 8 {
            if bytes.len() <= at {
                bytes.resize(at.saturating_add(1), 0);
            }
            if let Some(byte) = bytes.get_mut(at) {
                *byte |= 1 << (index % 8);
            }
        }
        self.0 = Bounded::try_from(bytes).unwrap_or_default();
    }

    /// Removes a chunk.
    pub fn remove(&mut self, index: u16) {
        let mut bytes = core::mem::take(&mut self.0).into_vec();
        if let Some(byte) = bytes.get_mut(usize::from(index) / 8) {
            *byte &= !(1 << (index % 8));
        }
        self.0 = Bounded::try_from(bytes).unwrap_or_default();
    }

    /// Adds every chunk of `other`.
    pub fn extend(&mut self, other: &Self) {
        let mut bytes = core::mem::take(&mut self.0).into_vec();
        if bytes.len() < other.0.len() {
            bytes.resize(other.0.len(), 0);
        }
        for (byte, more) in bytes.iter_mut().zip(other.0.iter()) {
            *byte |= more;
        }
        self.0 = Bounded::try_from(bytes).unwrap_or_default();
    }

    /// Returns whether the chunk is in the set.
    pub fn contains(&self, index: u16) -> bool {
        self.0.get(usize::from(index) / 8).is_some_and(|byte| byte & (1 << (index % 8)) != 0)
    }

    /// Returns whether the set is empty.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|byte| *byte == 0)
    }
}

impl FromIterator<u16> for Bits {
    fn from_iter<I: IntoIterator<Item = u16>>(indices: I) -> Self {
        let mut bits = Self::default();
        indices.into_iter().for_each(|index| bits.insert(index));
        bits
    }
}

/// Chunks of one segment.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct SegmentHave {
    /// Media sequence number.
    pub sequence: u64,
    /// Its chunks.
    pub chunks: Bits,
}

/// A list of segments that fits one message.
pub type Segments = Bounded<SegmentHave, MAX_NAMED_SEGMENTS>;

/// What changed in what a peer has.
#[derive(Clone, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct HaveDelta {
    /// Chunks that it has now.
    pub added: Segments,
    /// Segments that it forgot.
    pub removed: Bounded<u64, MAX_NAMED_SEGMENTS>,
    /// Segments that it has begun to fetch from the origin and will announce.
    pub fetching: Bounded<u64, MAX_NAMED_SEGMENTS>,
}

impl HaveDelta {
    /// Returns whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.fetching.is_empty()
    }
}

/// What one peer says it has. Bounded: segments far from what it names now are forgotten first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holdings(Table<u64, Bits>);

impl Holdings {
    /// Replaces everything.
    pub fn replace(&mut self, all: &Segments) {
        self.0.clear();
        self.add(all);
    }

    /// Applies a change.
    pub fn apply(&mut self, delta: &HaveDelta) {
        for sequence in delta.removed.iter() {
            self.0.remove(sequence);
        }
        self.add(&delta.added);
    }

    /// Forgets one chunk, which the peer turned out not to have.
    pub fn forget(&mut self, id: ChunkId) {
        if let Some(bits) = self.0.get_mut(&id.sequence) {
            bits.remove(id.index);
        }
    }

    /// Forgets all segments but those that are to be kept, by their numbers.
    pub fn retain(&mut self, keep: impl Fn(u64) -> bool) {
        self.0.retain(|sequence, _| keep(*sequence));
    }

    /// Returns whether the peer says it has the chunk.
    pub fn has(&self, id: ChunkId) -> bool {
        self.0.get(&id.sequence).is_some_and(|bits| bits.contains(id.index))
    }

    fn add(&mut self, more: &Segments) {
        for segment in more.iter() {
            self.0.entry(segment.sequence).or_default().extend(&segment.chunks);
            if self.0.len() > MAX_PEER_SEGMENTS
                && let Some(farthest) = farthest(&self.0, segment.sequence)
            {
                self.0.remove(&farthest);
            }
        }
    }
}

/// Makes the lists of a message out of chunk ids in any order. What exceeds one message is left out, the oldest
/// first.
pub fn segments(ids: impl IntoIterator<Item = ChunkId>) -> Segments {
    segments_near(u64::MAX, ids)
}

/// Makes the lists of a message out of chunk ids in any order. What exceeds one message is left out, the segments
/// farthest from `position` first.
pub fn segments_near(position: u64, ids: impl IntoIterator<Item = ChunkId>) -> Segments {
    let mut all: Table<u64, Bits> = Table::new();
    for id in ids {
        all.entry(id.sequence).or_default().insert(id.index);
        if all.len() > MAX_NAMED_SEGMENTS
            && let Some(farthest) = farthest(&all, position)
        {
            all.remove(&farthest);
        }
    }
    let named: Vec<_> =
        all.into_iter().map(|(sequence, chunks)| SegmentHave { sequence, chunks }).collect();
    Bounded::try_from(named).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_holds_what_was_put_in_and_nothing_else() {
        let mut bits: Bits = [0, 7, 8, 255, 256, 1023].into_iter().collect();
        for index in 0..1100 {
            assert_eq!(bits.contains(index), [0, 7, 8, 255, 256, 1023].contains(&index), "{index}");
        }
        bits.remove(255);
        assert!(!bits.contains(255) && bits.contains(256));
        bits.insert(60_000);
        assert!(!bits.contains(60_000));
    }

    #[test]
    fn changes_add_and_remove() {
        let mut holdings = Holdings::default();
        let ids = [(1, 0), (1, 2), (2, 0)].map(|(sequence, index)| ChunkId { sequence, index });
        holdings.replace(&segments(ids));
        assert!(ids.iter().all(|id| holdings.has(*id)));
        let removed = Bounded::try_from(alloc::vec![1]).unwrap();
        let added = segments([ChunkId { sequence: 3, index: 9 }]);
        holdings.apply(&HaveDelta { added, removed, fetching: Bounded::new() });
        assert!(!holdings.has(ids[0]) && holdings.has(ids[2]));
        assert!(holdings.has(ChunkId { sequence: 3, index: 9 }));
        holdings.forget(ids[2]);
        assert!(!holdings.has(ids[2]));
    }

    #[test]
    fn a_peer_that_names_segments_without_end_costs_a_bounded_table() {
        let mut holdings = Holdings::default();
        for sequence in 0..10_000 {
            let added = segments([ChunkId { sequence, index: 0 }]);
            holdings.apply(&HaveDelta { added, ..HaveDelta::default() });
        }
        assert_eq!(holdings.0.len(), MAX_PEER_SEGMENTS);
        assert!(holdings.has(ChunkId { sequence: 9_999, index: 0 }));
    }
}
