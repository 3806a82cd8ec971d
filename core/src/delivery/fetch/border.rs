//! What goes into the fetcher and what comes out.

use super::MAX_WANTED;
use crate::{
    delivery::{
        chunk::{ChunkError, ChunkId},
        have::{HaveDelta, Segments},
        record::Record,
        serve::Refusal,
    },
    id::PeerId,
    time::Moment,
};
use alloc::vec::Vec;

/// Names an HTTP order of one fetcher.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OrderId(pub u64);

/// What the player wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Want {
    /// Which segment.
    pub sequence: u64,
    /// When the player runs dry without it.
    pub deadline: Moment,
}

/// Bytes that an HTTP server sent. Unverified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body {
    /// Where in the segment they begin: the range's start for status 206, 0 for 200.
    pub start: usize,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// What happened outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// The newest playlist ends with this number, and counts anew, or goes on. Said before its records are.
    Listed {
        /// Its last number.
        end: u64,
        /// Whether numbers past it, and what neighbours announced, are void.
        is_anew: bool,
    },
    /// The playlist lists this segment; the record is verified. Another record for a known segment replaces it.
    Known(Record),
    /// The player wants a segment. Answered by one `Deliver` or `Fail`.
    Want(Want),
    /// The player does not want it any more.
    Unwant(u64),
    /// The tracker says that about so many listen. Used for how long to wait for others, never for whether to.
    Crowd(u64),
    /// A peer said hello.
    Joined(PeerId),
    /// A peer is gone.
    Left(PeerId),
    /// A peer told everything that it has.
    Has(PeerId, Segments),
    /// A peer told what changed.
    HasNow(PeerId, HaveDelta),
    /// Bytes from a peer. Unverified.
    Chunk(PeerId, PeerChunk),
    /// A peer will not send a chunk.
    Refused(PeerId, Refused),
    /// An HTTP order was answered.
    Fetched(OrderId, Body),
    /// An HTTP order failed.
    FetchFailed(OrderId),
    /// Time moved on; nothing else happened.
    Tick,
}

/// A chunk as a peer sent it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerChunk {
    /// Which it claims to be.
    pub id: ChunkId,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// A refusal as a peer sent it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Which chunk.
    pub id: ChunkId,
    /// Why.
    pub reason: Refusal,
}

/// What the host must do, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Ask this peer for a chunk.
    Ask(PeerId, ChunkId),
    /// Tell this peer that the chunk is no longer needed.
    Cancel(PeerId, ChunkId),
    /// Fetch bytes of a segment over HTTP.
    Http(OrderId, HttpRange),
    /// Abort an HTTP order; no answer is expected any more.
    CancelHttp(OrderId),
    /// Hand a segment to the player. Verified.
    Deliver(u64, Vec<u8>),
    /// The segment cannot be had now; the player may want it again.
    Fail(u64, FetchError),
    /// This peer's chunk was verified and is new: it has earned its price, once.
    Earned(PeerId, ChunkId),
    /// Tell every peer what changed in what we have.
    Announce(HaveDelta),
    /// This peer broke the rules; if [`Fault::is_ban`], it is forgotten here already and its link should end.
    Blame(PeerId, Fault),
    /// The origin sent bytes that the publisher did not sign.
    BlameOrigin(ChunkId, ChunkError),
}

/// A range of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HttpRange {
    /// Which segment.
    pub sequence: u64,
    /// First byte and the byte after the last; `None` for the whole segment.
    pub range: Option<(usize, usize)>,
    /// Bytes that are expected.
    pub length: usize,
}

/// Why a segment cannot be delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// No record of it is known.
    #[error("no record of the segment is known")]
    Unknown,
    /// Too many segments are wanted.
    #[error("more than {MAX_WANTED} segments are wanted")]
    TooMany,
    /// The origin failed again and again, and no peer has it.
    #[error("the origin failed and no peer has the segment")]
    OriginFailed,
    /// The segment exceeds the cache.
    #[error("the segment exceeds the cache")]
    TooLarge,
}

impl FetchError {
    /// Returns the stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unknown => "fetch/unknown-segment",
            Self::TooMany => "fetch/too-many",
            Self::OriginFailed => "fetch/origin-failed",
            Self::TooLarge => "fetch/too-large",
        }
    }
}

/// What a peer did wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// It sent bytes that the publisher did not sign.
    BadChunk(ChunkId, ChunkError),
    /// It sent chunks that nobody asked for, again and again.
    Flood,
    /// It left a chunk open for [`LOST_PATIENCE`](super::LOST_PATIENCE).
    TooSlow(ChunkId),
}

impl Fault {
    /// Returns the stable code of this fault.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::BadChunk(..) => "peer/bad-chunk",
            Self::Flood => "peer/flood",
            Self::TooSlow(_) => "peer/too-slow",
        }
    }

    /// Returns whether the peer should be banned for it.
    pub const fn is_ban(&self) -> bool {
        matches!(self, Self::BadChunk(..) | Self::Flood)
    }
}
