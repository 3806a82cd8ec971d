//! One line of a playlist: the tags we read, and the two that we write.

use super::{PlaylistError, TagError};
use crate::{
    codec,
    crypto::Signed,
    delivery::record::{Record, StreamInfo},
};
use alloc::string::String;
use base64ct::{Base64, Encoding};
use borsh::{BorshDeserialize, BorshSerialize};

/// Opens the line that describes the stream.
const STREAM: &str = "#EXT-X-ANTIPHON-STREAM:";

/// Opens the line that describes the next segment.
const RECORD: &str = "#EXT-X-ANTIPHON-RECORD:";

/// A line, as far as we care.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    /// The value of our stream tag.
    Stream(&'a str),
    /// The value of our record tag.
    Record(&'a str),
    /// The sequence number of the first segment.
    MediaSequence(u64),
    /// Milliseconds of the next segment.
    Duration(u32),
    /// The next segment is a part of its file.
    ByteRange,
    /// Renditions follow: no media playlist.
    Variant,
    /// No segment will follow.
    End,
    /// The URI of a segment.
    Uri(&'a str),
    /// Blank, a comment or a tag that does not concern us.
    Other,
}

impl<'a> Line<'a> {
    /// Reads one line without its end.
    pub(super) fn read(line: &'a str) -> Result<Self, PlaylistError> {
        let tag = |name: &str| line.strip_prefix(name);
        Ok(if let Some(value) = tag(STREAM) {
            Self::Stream(value)
        } else if let Some(value) = tag(RECORD) {
            Self::Record(value)
        } else if let Some(value) = tag("#EXT-X-MEDIA-SEQUENCE:") {
            Self::MediaSequence(digits(value).ok_or(PlaylistError::BadNumber)?)
        } else if let Some(value) = tag("#EXTINF:") {
            Self::Duration(milliseconds(value).ok_or(PlaylistError::BadNumber)?)
        } else if tag("#EXT-X-BYTERANGE:").is_some() {
            Self::ByteRange
        } else if tag("#EXT-X-STREAM-INF:").is_some() {
            Self::Variant
        } else if line == "#EXT-X-ENDLIST" {
            Self::End
        } else if line.is_empty() || line.starts_with('#') {
            Self::Other
        } else {
            Self::Uri(line)
        })
    }
}

/// Returns the line that describes a stream, without its end.
pub fn stream_tag(info: &Signed<StreamInfo>) -> String {
    tag(STREAM, info)
}

/// Returns the line that describes the segment whose URI follows, without its end.
pub fn record_tag(record: &Signed<Record>) -> String {
    tag(RECORD, record)
}

fn tag<T: BorshSerialize>(name: &str, object: &Signed<T>) -> String {
    let mut line = String::from(name);
    line.push_str(&Base64::encode_string(&object.to_bytes()));
    line
}

/// Reads a tag's value as exactly one signed object of at most `max` bytes.
pub(super) fn value<T>(text: &str, max: usize) -> Result<Signed<T>, TagError>
where
    Signed<T>: BorshDeserialize + BorshSerialize,
{
    if text.len() > max.div_ceil(3).saturating_mul(4) {
        return Err(codec::DecodeError::OverLimit.into());
    }
    let bytes = Base64::decode_vec(text).map_err(|_| TagError::Base64)?;
    Ok(codec::decode(&bytes, max)?)
}

fn digits(text: &str) -> Option<u64> {
    (!text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
}

/// Reads decimal seconds before the comma as milliseconds; digits past the third are cut.
fn milliseconds(text: &str) -> Option<u32> {
    let seconds = text.split_once(',').map_or(text, |(seconds, _)| seconds);
    let (whole, fraction) = seconds.split_once('.').unwrap_or((seconds, "0"));
    let mut ms = digits(whole)?.checked_mul(1000)?;
    digits(fraction.get(..fraction.len().min(18))?)?;
    for (digit, weight) in fraction.bytes().zip([100_u64, 10, 1]) {
        let value = u64::from(digit.wrapping_sub(b'0'));
        ms = ms.checked_add(value.checked_mul(weight)?)?;
    }
    u32::try_from(ms).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_cut_to_milliseconds() {
        for (text, ms) in [("2,", 2000), ("1.9999,title", 1999), ("0.02", 20), ("3.5,", 3500)] {
            assert_eq!(milliseconds(text), Some(ms), "{text}");
        }
        for text in ["", ",", "-1,", "1.x,", "1.,", "4294968,", "1e3,"] {
            assert_eq!(milliseconds(text), None, "{text}");
        }
    }

    #[test]
    fn what_does_not_concern_us_is_passed_over() {
        for line in ["", "# note", "#EXT-X-MAP:URI=\"init.mp4\"", "#EXT-X-DISCONTINUITY"] {
            assert_eq!(Line::read(line), Ok(Line::Other));
        }
        assert_eq!(Line::read("#EXT-X-MEDIA-SEQUENCE:+7"), Err(PlaylistError::BadNumber));
        assert_eq!(Line::read("seg7.m4s"), Ok(Line::Uri("seg7.m4s")));
    }
}
