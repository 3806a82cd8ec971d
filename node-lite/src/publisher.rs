//! Turns segments into a live stream: numbers them, signs a record for each, and writes the playlist.
//!
//! ```text
//! segment() --Store(next number)--> host --Stored--> sign --Serve, Playlist, Forget--> host
//! ```
//!
//! A number is stored before anything is signed under it, so that after a crash no number is signed twice with
//! different bytes. Source: issue 2 "Publisher and origin"; RFC 8216 §6.2.2 for the sliding window.
//!
//! Invariant: a file name holds a digest of its bytes, so what a cache keeps under it is never wrong.

pub mod fragment;
pub mod intake;
mod map;
mod playlist;
pub mod repeat;

use antiphon_core::{
    codec::Bounded,
    crypto::{Hash, SecretKey, Signed},
    delivery::{
        chunk::MAX_SEGMENT,
        record::{MAX_MAPS, Record, RecordError, StreamInfo},
    },
    id::{ChainId, StreamId},
    time::UnixMillis,
};
use map::NamedMap;
use std::{collections::VecDeque, time::Duration};

/// Segments that wait for the disk. Chosen here: above any burst of a start.
pub const MAX_PENDING: usize = 64;

/// Segments that a playlist may list.
pub const MAX_WINDOW: usize = 100;

/// How many windows of segments are served on after they left the playlist, for those who lag.
const KEPT_WINDOWS: usize = 2;

/// Longest segment. RFC 8216 sets no bound; chosen here.
pub const MAX_DURATION: Duration = Duration::from_secs(60);

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    const fn extension(self) -> &'static str {
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
    /// When its first sample was heard.
    pub date: UnixMillis,
    /// Whether its samples' clock does not go on from the segment before.
    pub is_discontinuous: bool,
}

/// What outlives a restart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// The number of the next segment.
    pub next: u64,
    /// Discontinuities up to it.
    pub discontinuities: u64,
}

/// What happened outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// The memory of [`Output::Store`] with this token is on disk, and so are all before it.
    Stored(u64),
}

/// What the host must do, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Write to disk, then say [`Input::Stored`] with the token.
    Store(u64, Memory),
    /// Serve a file; it never changes.
    Serve(File),
    /// Serve this playlist from now on.
    Playlist(String),
    /// Stop serving the file of this name.
    Forget(String),
}

/// A file to serve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its name, beside the playlist.
    pub name: String,
    /// What it holds.
    pub container: Container,
    /// Its bytes.
    pub bytes: Vec<u8>,
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
    /// Fragmented MP4 needs its initialisation segment first.
    #[error("no initialisation segment yet")]
    NoMap,
    /// The stream's description has no room for another map.
    #[error("a stream has at most {MAX_MAPS} initialisation segments at one time")]
    TooManyMaps,
    /// The disk does not keep up.
    #[error("too many segments wait for the disk")]
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
            Self::NoMap => "segment/no-map",
            Self::TooManyMaps => "segment/too-many-maps",
            Self::Busy => "segment/busy",
            Self::Exhausted => "segment/exhausted",
        }
    }
}

/// What a publisher publishes as.
#[derive(Clone, Debug)]
pub struct Terms {
    /// Chain of the stream's id and of all signatures.
    pub chain: ChainId,
    /// Signs the stream and its records.
    pub key: SecretKey,
    /// The stream; its publisher is overwritten with the key's public half, its maps with those of the source.
    pub info: StreamInfo,
    /// Segments in the playlist, 1 to [`MAX_WINDOW`].
    pub window: usize,
}

/// Publishes one stream.
#[derive(Debug)]
pub struct Publisher {
    terms: Terms,
    stream: StreamId,
    info: Signed<StreamInfo>,
    memory: Memory,
    is_restarted: bool,
    map: Option<NamedMap>,
    pending: VecDeque<(u64, Memory, Segment, Option<NamedMap>)>,
    entries: VecDeque<Entry>,
}

/// A segment that is served.
#[derive(Debug)]
struct Entry {
    name: String,
    map: Option<NamedMap>,
    record: Signed<Record>,
    duration: Duration,
    date: UnixMillis,
    is_discontinuous: bool,
    /// Discontinuities before it, its own not counted.
    discontinuities: u64,
}

impl Publisher {
    /// Makes a publisher that goes on from `memory`; the default one for a new stream.
    pub fn new(mut terms: Terms, memory: Memory) -> Self {
        terms.window = terms.window.clamp(1, MAX_WINDOW);
        terms.info.publisher = terms.key.public();
        terms.info.maps = Bounded::new();
        let info = Signed::new(&terms.key, terms.chain, terms.info.clone());
        Self {
            stream: terms.info.id(terms.chain),
            info,
            memory,
            is_restarted: memory.next > 0,
            map: None,
            pending: VecDeque::new(),
            entries: VecDeque::new(),
            terms,
        }
    }

    /// Returns the stream's id.
    pub const fn stream(&self) -> StreamId {
        self.stream
    }

    /// Takes the next segment and gives it the next number.
    ///
    /// # Errors
    /// [`SegmentError`], one variant a cause; no number is used then.
    pub fn segment(
        &mut self,
        mut segment: Segment,
        out: &mut Vec<Output>,
    ) -> Result<(), SegmentError> {
        check_length(&segment.bytes)?;
        if segment.duration.is_zero() || segment.duration > MAX_DURATION {
            return Err(SegmentError::Duration);
        }
        let map = match segment.container {
            Container::Mp4 => Some(self.map.clone().ok_or(SegmentError::NoMap)?),
            Container::Aac | Container::Mp3 | Container::Ts => None,
        };
        if self.pending.len() >= MAX_PENDING {
            return Err(SegmentError::Busy);
        }
        let before = self.memory;
        let next = before.next.checked_add(1).ok_or(SegmentError::Exhausted)?;
        segment.is_discontinuous |= core::mem::take(&mut self.is_restarted);
        let breaks = u64::from(segment.is_discontinuous);
        let discontinuities = before.discontinuities.saturating_add(breaks);
        self.memory = Memory { next, discontinuities };
        out.push(Output::Store(before.next, self.memory));
        self.pending.push_back((before.next, before, segment, map));
        Ok(())
    }

    /// Applies one input and appends what the host must do to `out`. Unknown tokens are ignored.
    pub fn handle(&mut self, input: Input, out: &mut Vec<Output>) {
        let Input::Stored(token) = input;
        let mut is_changed = false;
        while self.pending.front().is_some_and(|(sequence, ..)| *sequence <= token) {
            if let Some((sequence, before, segment, map)) = self.pending.pop_front() {
                is_changed |= self.publish(sequence, before, segment, map, out);
            }
        }
        if is_changed {
            out.push(Output::Playlist(self.text()));
            self.forget_old(out);
        }
    }

    fn publish(
        &mut self,
        sequence: u64,
        before: Memory,
        segment: Segment,
        map: Option<NamedMap>,
        out: &mut Vec<Output>,
    ) -> bool {
        let Ok(record) = Record::of(self.stream, sequence, &segment.bytes) else {
            return false; // Lengths were checked when the segment came.
        };
        self.lengthen_target(segment.duration);
        let extension = segment.container.extension();
        let name = format!("{sequence}-{}.{extension}", short_digest(&segment.bytes));
        self.entries.push_back(Entry {
            name: name.clone(),
            map,
            record: Signed::new(&self.terms.key, self.terms.chain, record),
            duration: segment.duration,
            date: segment.date,
            is_discontinuous: segment.is_discontinuous,
            discontinuities: before.discontinuities,
        });
        out.push(Output::Serve(File { name, container: segment.container, bytes: segment.bytes }));
        true
    }

    /// Deviation: RFC 8216 §6.2.1 wants a constant target; a source that exceeds what it announced is told truly.
    fn lengthen_target(&mut self, duration: Duration) {
        let ms = u32::try_from(duration.as_micros().div_ceil(1000)).unwrap_or(u32::MAX);
        if ms > self.terms.info.target_ms {
            self.terms.info.target_ms = ms;
            self.info = Signed::new(&self.terms.key, self.terms.chain, self.terms.info.clone());
        }
    }

    fn forget_old(&mut self, out: &mut Vec<Output>) {
        let kept = self.terms.window.saturating_mul(KEPT_WINDOWS.saturating_add(1));
        while self.entries.len() > kept {
            let Some(old) = self.entries.pop_front() else { return };
            out.push(Output::Forget(old.name));
            if let Some(map) = old.map {
                self.forget_map(map, out);
            }
        }
    }
}

fn check_length(bytes: &[u8]) -> Result<(), RecordError> {
    match bytes.len() {
        0 => Err(RecordError::Empty),
        length if length > MAX_SEGMENT => Err(RecordError::TooLong),
        _ => Ok(()),
    }
}

/// Returns 16 hexadecimal digits that tell apart what caches may keep under one name.
fn short_digest(bytes: &[u8]) -> String {
    Hash::of(&[bytes]).to_hex().chars().take(16).collect()
}

#[cfg(test)]
mod tests;
