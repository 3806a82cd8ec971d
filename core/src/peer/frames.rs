//! What peers say to each other on a data channel: a byte stream of frames.
//!
//! ```text
//! | length u32 LE | version u8 = 1 | kind u8 | body (borsh) |     length counts version, kind and body
//! ```
//!
//! The sender cuts the stream into messages of at most 17 KiB ([`messages`]), wherever that falls; the receiver
//! puts it together again ([`Assembler`]). Nothing in a body is ever searched for a marker, and every count is 32
//! bits (FIELD-NOTES c.16, c.17).

mod assembler;
mod hello;
mod media;
mod money;

pub use crate::delivery::serve::Refusal;
pub use assembler::{Assembler, messages};
pub use hello::{ByeReason, Hello, TICKS, Terms};
pub use media::{ChunkBytes, Refuse, Request};
pub use money::{MAX_PARCEL, MAX_VOUCHER_BYTES, Parcel, Voucher};

use crate::{
    codec::{self, DecodeError},
    delivery::{
        chunk::{CHUNK, ChunkId},
        have::{HaveDelta, Segments},
    },
    id::PoolId,
    payment::tick::Preimage,
};
use alloc::vec::Vec;
use borsh::BorshSerialize;

/// The version that this file describes.
pub const VERSION: u8 = 1;

/// Bytes before a frame's version.
pub const LENGTH_BYTES: usize = 4;

/// Longest frame after its length: a chunk and 1 KiB.
pub const MAX_FRAME: usize = CHUNK + 1024;

/// Longest message on a data channel: the longest frame, so that no chunk leaves a second message of its last bytes. A quarter of what
/// every WebRTC stack takes (RFC 8841: 64 KiB); WEB R12 asks for short ones, which let others pass.
pub const MAX_MESSAGE: usize = LENGTH_BYTES + MAX_FRAME;

/// One thing that a peer says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// First on every link, both ways.
    Hello(Hello),
    /// Everything that the sender has.
    Have(Segments),
    /// What changed in it.
    HaveDelta(HaveDelta),
    /// Asks for a chunk, and may pay for earlier ones.
    Request(Request),
    /// A chunk that was asked for.
    Chunk(ChunkBytes),
    /// A chunk that was asked for and will not come.
    Refuse(Refuse),
    /// The chunk is no longer needed.
    Cancel(ChunkId),
    /// Pays without asking.
    Voucher(Voucher),
    /// The pool that the sender pays from.
    PoolRef(PoolId),
    /// The sender is about to close the link.
    Bye(ByeReason),
    /// What one member of a payment field says to another.
    Field(Parcel),
    /// Pays for chunks by revealing a value of the newest voucher's ladder.
    Tick(Preimage),
}

/// Why bytes are not frames. Each closes the link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// The length is below that of an empty body or above [`MAX_FRAME`].
    #[error("a frame of {0} bytes")]
    BadLength(u32),
    /// A message longer than [`MAX_MESSAGE`].
    #[error("a message over {MAX_MESSAGE} bytes")]
    LongMessage,
    /// A version that we do not speak.
    #[error("version {0}, expected {VERSION}")]
    BadVersion(u8),
    /// A kind that the version does not have.
    #[error("unknown kind {0}")]
    UnknownKind(u8),
    /// The body is not the canonical bytes of its kind.
    #[error("the body does not decode: {0}")]
    BadBody(#[from] DecodeError),
}

impl FrameError {
    /// Returns the stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::BadLength(_) => "frame/bad-length",
            Self::LongMessage => "frame/long-message",
            Self::BadVersion(_) => "frame/bad-version",
            Self::UnknownKind(_) => "frame/unknown-kind",
            Self::BadBody(_) => "frame/bad-body",
        }
    }
}

impl Frame {
    /// Returns the frame with its length, version and kind.
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Hello(body) => with_header(1, body),
            Self::Have(body) => with_header(2, body),
            Self::HaveDelta(body) => with_header(3, body),
            Self::Request(body) => with_header(4, body),
            Self::Chunk(body) => with_header(5, body),
            Self::Refuse(body) => with_header(6, body),
            Self::Cancel(body) => with_header(7, body),
            Self::Voucher(body) => with_header(8, body),
            Self::PoolRef(body) => with_header(9, body),
            Self::Bye(body) => with_header(10, body),
            Self::Field(body) => with_header(11, body),
            Self::Tick(body) => with_header(12, body),
        }
    }

    /// Reads what follows a frame's length.
    ///
    /// # Errors
    /// [`FrameError`], one variant a cause.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, FrameError> {
        let (kind, body) = kind_and_body(bytes, MAX_FRAME)?;
        Ok(match kind {
            1 => Self::Hello(codec::decode(body, MAX_FRAME)?),
            2 => Self::Have(codec::decode(body, MAX_FRAME)?),
            3 => Self::HaveDelta(codec::decode(body, MAX_FRAME)?),
            4 => Self::Request(codec::decode(body, MAX_FRAME)?),
            5 => Self::Chunk(codec::decode(body, MAX_FRAME)?),
            6 => Self::Refuse(codec::decode(body, MAX_FRAME)?),
            7 => Self::Cancel(codec::decode(body, MAX_FRAME)?),
            8 => Self::Voucher(codec::decode(body, MAX_FRAME)?),
            9 => Self::PoolRef(codec::decode(body, MAX_FRAME)?),
            10 => Self::Bye(codec::decode(body, MAX_FRAME)?),
            11 => Self::Field(codec::decode(body, MAX_FRAME)?),
            12 => Self::Tick(codec::decode(body, MAX_FRAME)?),
            other => return Err(FrameError::UnknownKind(other)),
        })
    }
}

/// Returns length, version, kind and body. Shared with the tracker's wire.
pub(super) fn with_header<T: BorshSerialize>(kind: u8, body: &T) -> Vec<u8> {
    let body = codec::encode(body);
    let length = u32::try_from(body.len().saturating_add(2)).unwrap_or(u32::MAX);
    let mut bytes = Vec::with_capacity(body.len().saturating_add(LENGTH_BYTES + 2));
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(&[VERSION, kind]);
    bytes.extend_from_slice(&body);
    bytes
}

/// Takes version and kind off what follows a length.
pub(super) fn kind_and_body(bytes: &[u8], max: usize) -> Result<(u8, &[u8]), FrameError> {
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    match bytes {
        [version, kind, body @ ..] if bytes.len() <= max => {
            if *version == VERSION {
                Ok((*kind, body))
            } else {
                Err(FrameError::BadVersion(*version))
            }
        }
        _ => Err(FrameError::BadLength(length)),
    }
}

#[cfg(test)]
mod tests;
