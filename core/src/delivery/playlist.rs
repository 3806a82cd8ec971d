//! Reads what a media playlist says about its segments, and writes the two tags that carry our signatures.
//!
//! ```text
//! #EXTM3U
//! #EXT-X-ANTIPHON-STREAM:<base64 of Signed<StreamInfo>>     once, before the first segment
//! #EXT-X-ANTIPHON-RECORD:<base64 of Signed<Record>>         before each segment's URI
//! #EXTINF:2.0,
//! seg7.m4s
//! ```
//!
//! Ordinary players ignore tags they do not know (RFC 8216 §6.3.1). This is no player's parser: what it does not
//! need (keys, dates; `EXT-X-MAP` too, whose bytes the stream's description answers for wherever they come from) is
//! passed over. A segment whose record is absent or wrong is listed with the
//! reason and not carried by peers; the others still are.

mod line;
mod reader;

pub use line::{record_tag, stream_tag};
pub use reader::Reader;

use super::record::{Record, StreamInfo};
use crate::{
    codec::DecodeError,
    crypto::{PublicKey, Signed},
    id::StreamId,
};
use alloc::{string::String, vec::Vec};

/// Longest playlist that is read, in bytes. Chosen here: four hours of 4 s segments with their records.
pub const MAX_PLAYLIST_BYTES: usize = 4 * 1024 * 1024;

/// Segments that a playlist may list.
pub const MAX_SEGMENTS: usize = 4096;

/// Lines that a playlist may have. Chosen here: sixteen a segment, where we write five.
pub const MAX_LINES: usize = 16 * MAX_SEGMENTS;

/// Longest segment URI, in bytes.
pub const MAX_URI_BYTES: usize = 2048;

/// Whose stream the application expects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Whoever the playlist names first; the reader then holds on to it.
    Anyone,
    /// Any stream of this publisher.
    Publisher(PublicKey),
    /// This stream; its id binds publisher and name.
    Stream(StreamId),
}

/// A playlist as read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Playlist {
    /// The stream, signed by its publisher.
    pub info: StreamInfo,
    /// The stream's id.
    pub stream: StreamId,
    /// The key that signs it now.
    pub signer: PublicKey,
    /// Its segments, oldest first.
    pub segments: Vec<Segment>,
    /// Whether no segment will follow.
    pub is_ended: bool,
    /// Whether its publisher counts anew: what was listed before under numbers past its end, or among its newest, is void.
    pub is_anew: bool,
}

impl Playlist {
    /// Returns what is wrong with the first record of which that is seen.
    pub fn fault(&self) -> Option<RecordFault> {
        let mut faults = self.segments.iter().filter_map(|segment| segment.record.as_ref().err());
        faults.find(|fault| fault.is_wrong()).copied()
    }
}

/// A segment as listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Its media sequence number.
    pub sequence: u64,
    /// Its URI as written, usually relative to the playlist's.
    pub uri: String,
    /// How long it lasts.
    pub duration_ms: u32,
    /// Its verified record, `None` if its signature is verified only by [`Reader::verify`]; or why peers do not carry it.
    pub record: Result<Option<Signed<Record>>, RecordFault>,
}

impl Segment {
    /// Returns its record if that is verified.
    pub const fn verified(&self) -> Option<&Signed<Record>> {
        match &self.record {
            Ok(Some(record)) => Some(record),
            Ok(None) | Err(_) => None,
        }
    }
}

/// Why a playlist cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlaylistError {
    /// The text does not begin with `#EXTM3U`.
    #[error("not a playlist")]
    NotPlaylist,
    /// The text lists renditions, not segments.
    #[error("a multivariant playlist lists no segments")]
    Multivariant,
    /// The text ends inside a line or before a segment's URI.
    #[error("the playlist is cut off")]
    Truncated,
    /// More bytes, segments or URI bytes than the limits.
    #[error("the playlist is over a limit")]
    TooLong,
    /// A number that is not one, negative, or past the last that a segment may have.
    #[error("a number in the playlist is malformed")]
    BadNumber,
    /// No stream tag before the first segment.
    #[error("the playlist names no stream")]
    NoStream,
    /// The stream tag does not decode.
    #[error("the stream tag does not decode: {0}")]
    BadStream(TagError),
    /// The stream tag is not signed by the publisher that it names, or by the last of its heirs.
    #[error("the stream tag has a bad signature")]
    BadSignature,
    /// An heir of the publisher was not named by the key before it.
    #[error("the stream names an heir that the key before it did not")]
    BadHeir,
    /// It lacks an heir that was seen: a key that was given up signs on.
    #[error("the stream is signed by a key that was given up")]
    OldKey,
    /// The stream is not the one expected.
    #[error("another stream than expected")]
    WrongStream,
}

impl PlaylistError {
    /// Returns the stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotPlaylist => "playlist/not-a-playlist",
            Self::Multivariant => "playlist/multivariant",
            Self::Truncated => "playlist/truncated",
            Self::TooLong => "playlist/too-long",
            Self::BadNumber => "playlist/bad-number",
            Self::NoStream => "playlist/no-stream",
            Self::BadStream(_) => "playlist/bad-stream-tag",
            Self::BadSignature => "playlist/bad-signature",
            Self::BadHeir => "playlist/bad-heir",
            Self::OldKey => "playlist/old-key",
            Self::WrongStream => "playlist/wrong-stream",
        }
    }
}

/// Why a tag's value is not the object that it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TagError {
    /// Not canonical base64 (RFC 4648 §4).
    #[error("not canonical base64")]
    Base64,
    /// Not the canonical bytes of the object.
    #[error(transparent)]
    Decode(#[from] DecodeError),
}

/// Why a segment is not carried by peers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordFault {
    /// No record tag before the segment.
    #[error("the segment has no record")]
    Absent,
    /// The record tag does not decode.
    #[error("the record tag does not decode: {0}")]
    Malformed(TagError),
    /// The publisher did not sign the record.
    #[error("the record has a bad signature")]
    BadSignature,
    /// The record belongs to another stream.
    #[error("the record belongs to another stream")]
    WrongStream,
    /// The record belongs to another segment.
    #[error("the record belongs to another segment")]
    WrongSequence,
    /// The number of digests does not fit the length.
    #[error("the record's digests do not fit its length")]
    WrongCount,
    /// The segment is a byte range of a larger file.
    #[error("the segment is a byte range")]
    ByteRange,
}

impl RecordFault {
    /// Returns whether somebody says of the segment what its publisher does not; otherwise nobody says anything.
    pub const fn is_wrong(&self) -> bool {
        !matches!(self, Self::Absent | Self::ByteRange)
    }

    /// Returns the stable code of this fault.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Absent => "segment/no-record",
            Self::Malformed(_) => "segment/malformed-record",
            Self::BadSignature => "segment/bad-signature",
            Self::WrongStream => "segment/wrong-stream",
            Self::WrongSequence => "segment/wrong-sequence",
            Self::WrongCount => "segment/wrong-count",
            Self::ByteRange => "segment/byte-range",
        }
    }
}

#[cfg(test)]
mod tests;
