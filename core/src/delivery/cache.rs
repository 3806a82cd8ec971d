//! Verified chunks in memory, never over a limit; the segment farthest from the newcomer goes first.
//!
//! On a live stream that is the oldest. After a seek, or when a publisher numbers anew from 0, it is what was left
//! behind.

use super::{
    chunk::{Chunk, ChunkId},
    record::Record,
};
use crate::table::Table;
use alloc::vec::Vec;

/// Verified chunks by segment and position.
#[derive(Clone, Debug)]
pub struct Cache {
    limit: usize,
    used: usize,
    segments: Table<u64, Table<u16, Vec<u8>>>,
}

/// The chunk does not fit even if every other segment goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("one segment exceeds the whole cache")]
pub struct CacheFull;

impl CacheFull {
    /// Returns the stable code of this error.
    pub const fn code(&self) -> &'static str {
        "cache/full"
    }
}

impl Cache {
    /// Makes an empty cache of at most `limit` bytes of chunks.
    pub const fn new(limit: usize) -> Self {
        Self { limit, used: 0, segments: Table::new() }
    }

    /// Keeps a chunk and returns the segments that had to go for it, farthest first; never the chunk's own.
    ///
    /// # Errors
    /// [`CacheFull`] if the chunk's segment alone exceeds the limit; nothing is kept or evicted then.
    pub fn insert(&mut self, chunk: Chunk) -> Result<Vec<u64>, CacheFull> {
        let id = chunk.id();
        if self.has(id) {
            return Ok(Vec::new());
        }
        let length = chunk.bytes().len();
        let own = self.segments.get(&id.sequence).map_or(0, bytes_of);
        if own.saturating_add(length) > self.limit {
            return Err(CacheFull);
        }
        let mut evicted = Vec::new();
        while self.used.saturating_add(length) > self.limit {
            let Some(farthest) = farthest(&self.segments, id.sequence) else { break };
            self.forget(farthest);
            evicted.push(farthest);
        }
        self.used = self.used.saturating_add(length);
        self.segments.entry(id.sequence).or_default().insert(id.index, chunk.into_bytes());
        Ok(evicted)
    }

    /// Drops a segment.
    pub fn forget(&mut self, sequence: u64) {
        if let Some(chunks) = self.segments.remove(&sequence) {
            self.used = self.used.saturating_sub(bytes_of(&chunks));
        }
    }

    /// Returns the bytes of a chunk.
    pub fn get(&self, id: ChunkId) -> Option<&[u8]> {
        self.segments.get(&id.sequence)?.get(&id.index).map(Vec::as_slice)
    }

    /// Returns whether the chunk is here.
    pub fn has(&self, id: ChunkId) -> bool {
        self.get(id).is_some()
    }

    /// Returns whether every chunk of the segment is here.
    pub fn is_whole(&self, record: &Record) -> bool {
        self.segments
            .get(&record.sequence)
            .is_some_and(|chunks| chunks.len() == usize::from(record.count()))
    }

    /// Returns the bytes of the whole segment, or `None` while a chunk is missing.
    pub fn segment(&self, record: &Record) -> Option<Vec<u8>> {
        if !self.is_whole(record) {
            return None;
        }
        let chunks = self.segments.get(&record.sequence)?;
        let mut bytes = Vec::with_capacity(bytes_of(chunks));
        chunks.values().for_each(|chunk| bytes.extend_from_slice(chunk));
        Some(bytes)
    }

    /// Returns every chunk that is here, oldest first.
    pub fn ids(&self) -> impl Iterator<Item = ChunkId> {
        self.segments.iter().flat_map(|(sequence, chunks)| {
            chunks.keys().map(|index| ChunkId { sequence: *sequence, index: *index })
        })
    }

    /// Returns the bytes of all chunks.
    pub const fn used(&self) -> usize {
        self.used
    }
}

/// Returns the segment whose number is farthest from `from`, and is not `from`; of two, the older.
pub(crate) fn farthest<T>(segments: &Table<u64, T>, from: u64) -> Option<u64> {
    let (first, last) = (*segments.keys().next()?, *segments.keys().next_back()?);
    let farthest = if first.abs_diff(from) >= last.abs_diff(from) { first } else { last };
    (farthest != from).then_some(farthest)
}

fn bytes_of(chunks: &Table<u16, Vec<u8>>) -> usize {
    chunks.values().map(Vec::len).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{delivery::chunk::CHUNK, id::StreamId};
    use alloc::vec;

    #[test]
    fn a_segment_is_whole_when_its_last_chunk_is_here() {
        let mut cache = Cache::new(10 * CHUNK);
        let (record, chunks) = segment(1, 3 * CHUNK - 5);
        assert_eq!(cache.insert(chunks[2].clone()), Ok(vec![]));
        assert_eq!(cache.insert(chunks[0].clone()), Ok(vec![]));
        assert_eq!(cache.segment(&record), None);
        assert_eq!(cache.insert(chunks[1].clone()), Ok(vec![]));
        assert_eq!(cache.segment(&record).unwrap().len(), 3 * CHUNK - 5);
        assert_eq!(cache.used(), 3 * CHUNK - 5);
    }

    #[test]
    fn the_oldest_segment_goes_and_the_limit_holds() {
        let mut cache = Cache::new(4 * CHUNK);
        for sequence in 1..20 {
            let (record, chunks) = segment(sequence, 2 * CHUNK);
            let mut evicted = Vec::new();
            for chunk in chunks {
                evicted.extend(cache.insert(chunk).unwrap());
                assert!(cache.used() <= 4 * CHUNK);
            }
            assert!(cache.is_whole(&record));
            assert_eq!(evicted, if sequence < 3 { vec![] } else { vec![sequence - 2] });
        }
    }

    #[test]
    fn when_numbers_begin_anew_the_old_high_ones_go() {
        let mut cache = Cache::new(4 * CHUNK);
        for sequence in [1000, 1001, 0, 1, 2] {
            for chunk in segment(sequence, 2 * CHUNK).1 {
                cache.insert(chunk).unwrap();
            }
        }
        let kept: Vec<u64> = cache.segments.keys().copied().collect();
        assert_eq!(kept, [1, 2]);
    }

    #[test]
    fn a_segment_larger_than_the_cache_is_refused_and_nothing_evicted() {
        let mut cache = Cache::new(2 * CHUNK);
        let (_, chunks) = segment(9, 3 * CHUNK);
        assert_eq!(cache.insert(chunks[0].clone()), Ok(vec![]));
        assert_eq!(cache.insert(chunks[1].clone()), Ok(vec![]));
        assert_eq!(cache.insert(chunks[2].clone()), Err(CacheFull));
        assert_eq!(cache.used(), 2 * CHUNK);
    }

    #[test]
    fn a_chunk_twice_counts_once_and_forgetting_frees() {
        let mut cache = Cache::new(2 * CHUNK);
        let (_, chunks) = segment(9, 10);
        cache.insert(chunks[0].clone()).unwrap();
        cache.insert(chunks[0].clone()).unwrap();
        assert_eq!(cache.used(), 10);
        cache.forget(9);
        assert_eq!((cache.used(), cache.ids().count()), (0, 0));
    }

    fn segment(sequence: u64, length: usize) -> (Record, Vec<Chunk>) {
        let bytes = vec![7; length];
        let record = Record::of(StreamId::default(), sequence, &bytes).unwrap();
        let chunks = bytes.chunks(CHUNK).enumerate();
        let chunks = chunks
            .map(|(i, part)| Chunk::verify(&record, u16::try_from(i).unwrap(), part).unwrap())
            .collect();
        (record, chunks)
    }
}
