//! What is asked, checked and paid: 16 KiB of a segment, the last one shorter.
//!
//! Source: FIELD-NOTES recommendation 1; PROTOCOL A5.15 (verify before the next voucher, never relay unverified).

use super::record::Record;
use alloc::vec::Vec;
use borsh::{BorshDeserialize, BorshSerialize};
use core::ops::Range;

/// Bytes of a chunk, but for a segment's last.
pub const CHUNK: usize = 16 * 1024;

/// Chunks that a segment may have. Chosen here: 16 MiB, far above any audio segment.
pub const MAX_CHUNKS: usize = 1024;

/// Bytes that a segment may have.
pub const MAX_SEGMENT: usize = CHUNK * MAX_CHUNKS;

/// Names a chunk within a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub struct ChunkId {
    /// Media sequence number of the segment.
    pub sequence: u64,
    /// Position in the segment.
    pub index: u16,
}

/// Why bytes are not the chunk that they claim to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChunkError {
    /// The record has no such chunk.
    #[error("the segment has no such chunk")]
    NoSuchChunk,
    /// Too many or too few bytes.
    #[error("the chunk has another length")]
    WrongLength,
    /// Not the bytes that the publisher signed.
    #[error("the bytes are not what the publisher signed")]
    WrongBytes,
}

impl ChunkError {
    /// Returns the stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoSuchChunk => "chunk/no-such-chunk",
            Self::WrongLength => "chunk/wrong-length",
            Self::WrongBytes => "chunk/wrong-bytes",
        }
    }
}

/// A chunk whose bytes the publisher signed. Only [`Chunk::verify`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    id: ChunkId,
    bytes: Vec<u8>,
}

impl Chunk {
    /// Checks bytes from anywhere against the publisher's record. Costs one BLAKE3 of the bytes.
    ///
    /// # Errors
    /// [`ChunkError`], one variant a cause.
    pub fn verify(record: &Record, index: u16, bytes: &[u8]) -> Result<Self, ChunkError> {
        let span = span(record, index).ok_or(ChunkError::NoSuchChunk)?;
        let digest = record.chunks.get(usize::from(index)).ok_or(ChunkError::NoSuchChunk)?;
        if bytes.len() != span.len() {
            return Err(ChunkError::WrongLength);
        }
        if blake3::hash(bytes).as_bytes() != digest {
            return Err(ChunkError::WrongBytes);
        }
        Ok(Self { id: ChunkId { sequence: record.sequence, index }, bytes: bytes.to_vec() })
    }

    /// Returns which chunk it is.
    pub const fn id(&self) -> ChunkId {
        self.id
    }

    /// Returns its bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns its bytes.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

/// Returns where in the segment the chunk lies, or `None` if the segment has no such chunk.
pub fn span(record: &Record, index: u16) -> Option<Range<usize>> {
    let length = usize::try_from(record.length).ok()?;
    let start = usize::from(index).checked_mul(CHUNK)?;
    (start < length).then(|| start..length.min(start.saturating_add(CHUNK)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::StreamId;
    use alloc::vec;

    #[test]
    fn only_the_signed_bytes_become_a_chunk() {
        let bytes: Vec<u8> = (0..20_000_u32).map(|n| n.to_le_bytes()[0]).collect();
        let record = Record::of(StreamId::default(), 5, &bytes).unwrap();
        let last = Chunk::verify(&record, 1, &bytes[CHUNK..]).unwrap();
        assert_eq!(last.id(), ChunkId { sequence: 5, index: 1 });
        assert_eq!(last.bytes(), &bytes[CHUNK..]);
        let long = Chunk::verify(&record, 1, &bytes[..CHUNK]);
        assert_eq!(long, Err(ChunkError::WrongLength));
        assert_eq!(Chunk::verify(&record, 0, &bytes[..100]), Err(ChunkError::WrongLength));
        assert_eq!(Chunk::verify(&record, 2, &[]), Err(ChunkError::NoSuchChunk));
        let mut altered = bytes[..CHUNK].to_vec();
        altered[77] ^= 1;
        assert_eq!(Chunk::verify(&record, 0, &altered), Err(ChunkError::WrongBytes));
    }

    #[test]
    fn a_whole_last_chunk_is_16_kib() {
        let record = Record::of(StreamId::default(), 5, &vec![0; 2 * CHUNK]).unwrap();
        assert_eq!(span(&record, 1), Some(CHUNK..2 * CHUNK));
        assert_eq!(span(&record, 2), None);
    }
}
