//! Reads playlist after playlist of one stream and remembers what it has verified.

use super::{
    Expected, MAX_LINES, MAX_PLAYLIST_BYTES, MAX_SEGMENTS, MAX_URI_BYTES, Playlist, PlaylistError,
    RecordFault, Segment,
    line::{self, Line},
};
use crate::{
    crypto::{PublicKey, Signed},
    delivery::{
        heir::Heirs,
        record::{MAX_INFO_BYTES, MAX_RECORD_BYTES, Record, StreamInfo},
        rendition,
    },
    id::{ChainId, StreamId},
    table::Table,
};
use alloc::{
    string::{String, ToString},
    vec::Vec,
};

/// Records at the end of a playlist whose signatures are verified when it is read. A playlist may go back for hours, and who plays
/// live needs its end; the others are verified when somebody needs them. Chosen here: more than appear between two looks.
const NEWEST: usize = 4;

/// Reads playlists of one stream. A live playlist repeats itself; a record that was verified is not verified again.
#[derive(Clone, Debug)]
pub struct Reader {
    chain: ChainId,
    expected: Expected,
    /// Those that were seen; none of them is ever given up again.
    heirs: Heirs,
    /// What the last list has, and what lists before it had and nobody has verified yet.
    pub(super) listed: Table<u64, Listed>,
}

/// A record as listed.
#[derive(Clone, Debug)]
pub(super) struct Listed {
    text: String,
    record: Signed<Record>,
    /// Who signed the description that it was listed under.
    signer: PublicKey,
    is_verified: bool,
}

impl Listed {
    fn verify(&mut self, chain: ChainId) -> Result<Signed<Record>, RecordFault> {
        if !self.is_verified {
            self.record.verify(chain, &self.signer).map_err(|_| RecordFault::BadSignature)?;
            self.is_verified = true;
        }
        Ok(self.record.clone())
    }
}

/// What a segment's lines have said so far.
#[derive(Default)]
struct Pending<'a> {
    duration_ms: Option<u32>,
    record: Option<&'a str>,
    is_byte_range: bool,
}

impl Reader {
    /// Makes a reader that accepts streams of `chain` as `expected`.
    pub const fn new(chain: ChainId, expected: Expected) -> Self {
        Self { chain, expected, heirs: Heirs::new(), listed: Table::new() }
    }

    /// Reads a playlist, and verifies the signatures of its newest records. Once a stream was read, only that stream is accepted.
    ///
    /// # Errors
    /// [`PlaylistError`], one variant a cause; nothing that was known is forgotten.
    pub fn read(&mut self, text: &str) -> Result<Playlist, PlaylistError> {
        self.read_for(text, |_| false)
    }

    /// Reads a playlist as [`Self::read`] does, and verifies all that it lists: for who examines a stream, not for who plays it.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn read_all(&mut self, text: &str) -> Result<Playlist, PlaylistError> {
        self.read_for(text, |_| true)
    }

    /// Reads a playlist as [`Self::read`] does, and verifies what is `needed`, too, by its number. Where something is wrong, and it
    /// is not the first list, nothing of it is remembered.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn read_for(
        &mut self,
        text: &str,
        needed: impl Fn(u64) -> bool,
    ) -> Result<Playlist, PlaylistError> {
        let lines = lines(text)?;
        let (info, stream, signer) = self.stream(&lines)?;
        let mut sequence = 0_u64;
        let mut segments = Vec::new();
        let mut listed = Table::new();
        let mut pending = Pending::default();
        let mut is_ended = false;
        for line in &lines {
            match *line {
                Line::MediaSequence(first) if segments.is_empty() => sequence = first,
                Line::MediaSequence(_) => return Err(PlaylistError::BadNumber),
                Line::Duration(ms) => pending.duration_ms = Some(ms),
                Line::Record(value) => pending.record = Some(value),
                Line::ByteRange => pending.is_byte_range = true,
                Line::Variant => return Err(PlaylistError::Multivariant),
                Line::End => is_ended = true,
                Line::Uri(uri) => {
                    let pending = core::mem::take(&mut pending);
                    let duration_ms = pending.duration_ms.ok_or(PlaylistError::BadNumber)?;
                    if segments.len() >= MAX_SEGMENTS || uri.len() > MAX_URI_BYTES {
                        return Err(PlaylistError::TooLong);
                    }
                    if sequence >= rendition::END {
                        return Err(PlaylistError::BadNumber);
                    }
                    let record = self.record(&pending, (stream, signer), sequence).map(|record| {
                        let verified = record.is_verified.then(|| record.record.clone());
                        listed.insert(sequence, record);
                        verified
                    });
                    let uri = uri.to_string();
                    segments.push(Segment { sequence, uri, duration_ms, record });
                    sequence = sequence.saturating_add(1);
                }
                Line::Stream(_) | Line::Other => {}
            }
        }
        if pending.duration_ms.is_some() || pending.record.is_some() {
            return Err(PlaylistError::Truncated);
        }
        let newest = segments.len().saturating_sub(NEWEST);
        for (place, segment) in segments.iter_mut().enumerate() {
            if (place >= newest || needed(segment.sequence))
                && let (Ok(None), Some(listed)) =
                    (&segment.record, listed.get_mut(&segment.sequence))
            {
                segment.record = listed.verify(self.chain).map(Some);
            }
        }
        let is_first = !matches!(self.expected, Expected::Stream(_));
        self.expected = Expected::Stream(stream);
        self.heirs.clone_from(&info.heirs);
        let is_anew = self.is_anew(&listed);
        let mut playlist = Playlist { info, stream, signer, segments, is_ended, is_anew };
        if is_first || playlist.fault().is_none() {
            self.keep(listed, is_anew);
        } else {
            playlist.is_anew = false;
        }
        Ok(playlist)
    }

    /// Verifies the record of a listed segment, if nobody did yet; `None` if none is listed.
    ///
    /// # Errors
    /// [`RecordFault::BadSignature`], as often as it is asked.
    pub fn verify(&mut self, sequence: u64) -> Option<Result<Signed<Record>, RecordFault>> {
        Some(self.listed.get_mut(&sequence)?.verify(self.chain))
    }

    /// Returns whether the publisher counts anew: the newest numbers were of other segments, or the list ends before the last one,
    /// with a number that was not listed. A list that is merely old ends with one that was.
    fn is_anew(&self, listed: &Table<u64, Listed>) -> bool {
        let Some((end, _)) = listed.last_key_value() else { return false };
        let mut before = self.listed.keys().rev();
        let before = before.find(|it| rendition::of(**it) == rendition::of(*end));
        let is_other = |(sequence, of): (&u64, &Listed)| {
            self.listed.get(sequence).is_some_and(|it| it.record.body != of.record.body)
        };
        before.is_some_and(|before| end < before) && !self.listed.contains_key(end)
            || listed.iter().rev().take(NEWEST).any(is_other)
    }

    /// Keeps what is listed, and of what was listed before whatever nobody has verified: the player may still want it, and a
    /// later list that has no record of a segment takes none away. But numbers past the end of a list that counts anew mean nothing
    /// any more. Both are no more and no longer than a playlist may be.
    fn keep(&mut self, listed: Table<u64, Listed>, is_anew: bool) {
        let mut left = core::mem::take(&mut self.listed);
        let end = listed.last_key_value().map_or(0, |(end, _)| *end);
        left.retain(|sequence, of| {
            let is_void = is_anew && rendition::is_past(*sequence, end);
            !of.is_verified && !is_void && !listed.contains_key(sequence)
        });
        let bytes = left.values().chain(listed.values()).map(|of| of.text.len());
        let has_room = bytes.sum::<usize>() <= MAX_PLAYLIST_BYTES
            && left.len().saturating_add(listed.len()) <= MAX_SEGMENTS;
        if !has_room {
            left.clear();
        }
        // What comes after the list goes after it: nothing is moved.
        let first = listed.first_key_value().map_or(0, |(first, _)| *first);
        let after = left.split_off(&first);
        left.extend(listed);
        left.extend(after);
        self.listed = left;
    }

    fn stream(
        &self,
        lines: &[Line<'_>],
    ) -> Result<(StreamInfo, StreamId, PublicKey), PlaylistError> {
        let head = lines.iter().take_while(|line| !matches!(line, Line::Uri(_)));
        let mut values = head.filter_map(|line| match line {
            Line::Stream(value) => Some(*value),
            Line::Record(_)
            | Line::MediaSequence(_)
            | Line::Duration(_)
            | Line::ByteRange
            | Line::Variant
            | Line::End
            | Line::Uri(_)
            | Line::Other => None,
        });
        let Some(value) = values.next() else {
            let is_multivariant = lines.contains(&Line::Variant);
            return Err(if is_multivariant {
                PlaylistError::Multivariant
            } else {
                PlaylistError::NoStream
            });
        };
        let info: Signed<StreamInfo> =
            line::value(value, MAX_INFO_BYTES).map_err(PlaylistError::BadStream)?;
        let stream = info.body.id(self.chain);
        let is_expected = match self.expected {
            Expected::Anyone => true,
            Expected::Publisher(publisher) => info.body.publisher == publisher,
            Expected::Stream(expected) => stream == expected,
        };
        if !is_expected {
            return Err(PlaylistError::WrongStream);
        }
        if !info.body.heirs.starts_with(&self.heirs) {
            return Err(PlaylistError::OldKey);
        }
        let signer = info.body.signer().ok_or(PlaylistError::BadHeir)?;
        info.verify(self.chain, &signer).map_err(|_| PlaylistError::BadSignature)?;
        Ok((info.body, stream, signer))
    }

    /// Everything about a record but its signature.
    fn record(
        &self,
        pending: &Pending<'_>,
        (stream, signer): (StreamId, PublicKey),
        sequence: u64,
    ) -> Result<Listed, RecordFault> {
        if pending.is_byte_range {
            return Err(RecordFault::ByteRange);
        }
        let value = pending.record.ok_or(RecordFault::Absent)?;
        if let Some(listed) = self.listed.get(&sequence)
            && listed.text == value
            && listed.record.body.stream == stream
            && listed.signer == signer
        {
            return Ok(listed.clone());
        }
        let record: Signed<Record> =
            line::value(value, MAX_RECORD_BYTES).map_err(RecordFault::Malformed)?;
        if record.body.stream != stream {
            return Err(RecordFault::WrongStream);
        }
        if record.body.sequence != sequence {
            return Err(RecordFault::WrongSequence);
        }
        if !record.body.is_consistent() {
            return Err(RecordFault::WrongCount);
        }
        Ok(Listed { text: value.to_string(), record, signer, is_verified: false })
    }
}

/// Splits a text into lines. Every line of a playlist ends (RFC 8216 §4.1), so a last one that does not was cut.
fn lines(text: &str) -> Result<Vec<Line<'_>>, PlaylistError> {
    if text.len() > MAX_PLAYLIST_BYTES {
        return Err(PlaylistError::TooLong);
    }
    let first = text.lines().next().unwrap_or_default();
    if first != "#EXTM3U" {
        return Err(PlaylistError::NotPlaylist);
    }
    if !text.ends_with('\n') {
        return Err(PlaylistError::Truncated);
    }
    let lines: Vec<_> =
        text.lines().skip(1).take(MAX_LINES).map(Line::read).collect::<Result<_, _>>()?;
    if lines.len() >= MAX_LINES { Err(PlaylistError::TooLong) } else { Ok(lines) }
}
