//! Plays a finished recording for ever: after its last segment comes the first, later in time.
//!
//! The samples' own clock goes on across the seam, so a player meets no discontinuity.

use super::fragment::{FragmentError, Span, Track};
use std::time::Duration;

/// Segments that a recording may have. Chosen here: over an hour of two-second segments.
pub const MAX_PARTS: usize = 2048;

/// Why a recording cannot be repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RepeatError {
    /// No segment, or more than [`MAX_PARTS`].
    #[error("a recording has 1 to {MAX_PARTS} segments, not {0}")]
    Count(usize),
    /// The segment at this position does not begin where the one before ends.
    #[error("segment {0} does not begin where the one before ends")]
    Gap(usize),
    /// A file cannot be read as fragmented MP4.
    #[error(transparent)]
    Fragment(#[from] FragmentError),
}

impl RepeatError {
    /// Returns the stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Count(_) => "repeat/count",
            Self::Gap(_) => "repeat/gap",
            Self::Fragment(error) => error.code(),
        }
    }
}

/// A segment of the endless play.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Played {
    /// Its bytes, moved to their place in time.
    pub bytes: Vec<u8>,
    /// Time from the start of the very first segment to its own.
    pub offset: Duration,
    /// How long it lasts.
    pub duration: Duration,
}

/// A recording that plays for ever.
#[derive(Clone, Debug)]
pub struct Repeat {
    track: Track,
    parts: Vec<(Span, Vec<u8>)>,
    first: u64,
    loop_ticks: u64,
}

impl Repeat {
    /// Takes the initialisation segment and all segments of a recording, in order.
    ///
    /// # Errors
    /// [`RepeatError`], one variant a cause.
    pub fn new(init: &[u8], segments: Vec<Vec<u8>>) -> Result<Self, RepeatError> {
        if segments.is_empty() || segments.len() > MAX_PARTS {
            return Err(RepeatError::Count(segments.len()));
        }
        let track = Track::read(init)?;
        let mut parts: Vec<(Span, Vec<u8>)> = Vec::with_capacity(segments.len());
        let (mut first, mut end) = (None, 0_u64);
        for (position, bytes) in segments.into_iter().enumerate() {
            let span = track.span(&bytes)?;
            if position > 0 && span.start != end {
                return Err(RepeatError::Gap(position));
            }
            first.get_or_insert(span.start);
            end = span.start.checked_add(span.ticks).ok_or(FragmentError::TimeOverflow)?;
            parts.push((span, bytes));
        }
        let first = first.unwrap_or(0);
        Ok(Self { track, parts, first, loop_ticks: end.saturating_sub(first) })
    }

    /// Returns the segment number `index` of the endless play, counted from 0.
    ///
    /// # Errors
    /// [`FragmentError::TimeOverflow`] at the end of time: with 32-bit times at 48 kHz, after a day.
    pub fn segment(&self, index: u64) -> Result<Played, FragmentError> {
        let overflow = FragmentError::TimeOverflow;
        let count = u64::try_from(self.parts.len()).map_err(|_| overflow)?.max(1);
        let round = index.checked_div(count).ok_or(overflow)?;
        let place = index.checked_rem(count).and_then(|place| usize::try_from(place).ok());
        let (span, bytes) = place.and_then(|place| self.parts.get(place)).ok_or(overflow)?;
        let shift = round.checked_mul(self.loop_ticks).ok_or(overflow)?;
        let mut bytes = bytes.clone();
        let sequence = index.wrapping_add(1) & u64::from(u32::MAX);
        self.track.shift(&mut bytes, shift, u32::try_from(sequence).unwrap_or(0))?;
        let offset = shift.saturating_add(span.start.saturating_sub(self.first));
        Ok(Played { bytes, offset: self.time(offset), duration: self.time(span.ticks) })
    }

    fn time(&self, ticks: u64) -> Duration {
        let scale = u64::from(self.track.timescale).max(1);
        let (seconds, rest) = (ticks / scale, ticks % scale);
        let nanos = u128::from(rest).saturating_mul(1_000_000_000) / u128::from(scale);
        Duration::from_secs(seconds).saturating_add(Duration::from_nanos_u128(nanos))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::publisher::fragment::tests::{init, segment};

    #[test]
    fn time_goes_on_across_the_seam_and_every_fragment_has_its_own_number() {
        let repeat = Repeat::new(&init(), vec![segment(5000, 3), segment(8072, 2)]).unwrap();
        let track = Track::read(&init()).unwrap();
        let mut expected = 5000;
        for index in 0..7 {
            let played = repeat.segment(index).unwrap();
            let span = track.span(&played.bytes).unwrap();
            assert_eq!(span.start, expected, "{index}");
            assert_eq!(played.offset, repeat.time(expected - 5000));
            assert_eq!(played.duration, repeat.time(span.ticks));
            expected += span.ticks;
        }
        assert_eq!(repeat.segment(0).unwrap().duration, Duration::from_millis(64));
    }

    #[test]
    fn a_recording_with_a_hole_is_refused() {
        let parts = vec![segment(0, 3), segment(3072, 2), segment(6000, 2)];
        assert_eq!(Repeat::new(&init(), parts).err(), Some(RepeatError::Gap(2)));
        assert_eq!(Repeat::new(&init(), vec![]).err(), Some(RepeatError::Count(0)));
    }
}
