//! A segment as its source made it, and why it may not be published.

use super::MAX_PENDING;
use antiphon_core::{
    delivery::{
        chunk::MAX_SEGMENT,
        record::{MAX_MAPS, RecordError},
    },
    time::UnixMillis,
};
use borsh::{BorshDeserialize, BorshSerialize};
use std::time::Duration;

/// Longest segment. RFC 8216 sets no bound; chosen here.
pub const MAX_DURATION: Duration = Duration::from_secs(60);

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Container {
    /// Fragmented MP4 (CMAF).
    Mp4,
    /// AAC with ADTS headers.
    Aac,
    /// Packed MP3.
    Mp3,
    /// MPEG transport stream.
    Ts,
}

impl Container {
    /// Returns what a file of this name holds, or `None` if we do not carry it.
    pub fn of_name(name: &str) -> Option<Self> {
        match name.rsplit_once('.')?.1 {
            "m4s" | "mp4" | "m4a" | "m4f" | "cmfa" | "cmfv" => Some(Self::Mp4),
            "aac" => Some(Self::Aac),
            "mp3" => Some(Self::Mp3),
            "ts" => Some(Self::Ts),
            _ => None,
        }
    }

    /// Returns how names of its segments end.
    pub(super) const fn extension(self) -> &'static str {
        match self {
            Self::Mp4 => "m4s",
            Self::Aac => "aac",
            Self::Mp3 => "mp3",
            Self::Ts => "ts",
        }
    }

    /// Returns the media type.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Mp4 => "audio/mp4",
            Self::Aac => "audio/aac",
            Self::Mp3 => "audio/mpeg",
            Self::Ts => "video/mp2t",
        }
    }
}

/// A segment as its source made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Its media.
    pub bytes: Vec<u8>,
    /// What the media is.
    pub container: Container,
    /// How long it lasts.
    pub duration: Duration,
    /// When its first sample was heard, as the source says.
    pub date: UnixMillis,
    /// Whether its samples' clock does not go on from the segment before.
    pub is_discontinuous: bool,
    /// Its number in the source. One that does not follow the last is a discontinuity, too.
    pub source: u64,
    /// The attributes of its `EXT-X-KEY`, if it is encrypted; we have no part in them.
    pub encryption: Option<String>,
}

/// Why a segment is not published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SegmentError {
    /// No byte, or too many.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// Not longer than zero, or longer than [`MAX_DURATION`].
    #[error("a segment lasts above zero and at most 60 seconds")]
    Duration,
    /// No rendition was opened under this number.
    #[error("the stream has no such rendition")]
    NoRendition,
    /// Fragmented MP4 needs its initialisation segment first.
    #[error("no initialisation segment yet")]
    NoMap,
    /// The stream's description has no room for another map.
    #[error("a stream has at most {MAX_MAPS} initialisation segments at one time")]
    TooManyMaps,
    /// The disk does not keep up.
    #[error("more than {MAX_PENDING} segments wait for the disk")]
    Busy,
    /// All numbers are used.
    #[error("no sequence number left")]
    Exhausted,
}

impl SegmentError {
    /// Returns the stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Record(error) => error.code(),
            Self::Duration => "segment/duration",
            Self::NoRendition => "segment/no-rendition",
            Self::NoMap => "segment/no-map",
            Self::TooManyMaps => "segment/too-many-maps",
            Self::Busy => "segment/busy",
            Self::Exhausted => "segment/exhausted",
        }
    }
}

/// Checks what needs no state.
pub(super) fn check(segment: &Segment) -> Result<(), SegmentError> {
    match segment.bytes.len() {
        0 => return Err(RecordError::Empty.into()),
        length if length > MAX_SEGMENT => return Err(RecordError::TooLong.into()),
        _ => {}
    }
    if segment.duration.is_zero() || segment.duration > MAX_DURATION {
        return Err(SegmentError::Duration);
    }
    Ok(())
}
