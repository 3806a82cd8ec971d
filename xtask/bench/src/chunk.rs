//! The check of a chunk beside the bare hash.

use antiphon_core::crypto::Hash;
use antiphon_core::delivery::chunk::Chunk;
use antiphon_core::delivery::record::Record;
use antiphon_core::id::StreamId;
use anyhow::{Context as _, Result};

use crate::pair;

/// Bytes of a chunk.
const CHUNK: usize = 16 * 1024;

/// Checks one chunk of a segment of 192 kbit/s.
///
/// # Errors
///
/// The chunk is refused.
pub(crate) fn measure() -> Result<()> {
    let segment: Vec<u8> = (0..3 * CHUNK).map(|index| index.to_le_bytes()[0]).collect();
    let record = Record::of(StreamId(Hash([3; 32])), 1, &segment)?;
    let bytes = segment.get(..CHUNK).context("a segment has a chunk")?;
    pair(
        "chunk of 16 KiB: check",
        &|| Chunk::verify(&record, 0, bytes).is_ok(),
        "SHA-256 of 16 KiB",
        &|| Hash::of(&[bytes]) != Hash([0; 32]),
    )
}
