//! What listening costs: data of a mobile plan, and chunks that neighbours are paid for.
//!
//! Source: Allaudio, "Challenges" (ALLA-23): 96 kbit/s are 43.2 MB an hour. Deviation: its table of hours is rounded up, and has
//! 17 h of 320 kbit/s in 2 GB, which last 13.9 h.

use super::chunk::CHUNK;
use core::time::Duration;

/// What listening takes at most: a listener that carries for nobody, and is brought everything by neighbours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Bytes of sound.
    pub bytes: u64,
    /// Chunks, each at the stream's price.
    pub chunks: u64,
}

impl Cost {
    /// Returns what `listened` takes of a stream of `bits_per_second` in segments of `segment`, a millisecond at least. More than
    /// can be counted is the most that can be.
    pub fn of(bits_per_second: u32, segment: Duration, listened: Duration) -> Self {
        let (segment, listened) = (segment.as_millis().max(1), listened.as_millis());
        let bytes_in = |ms: u128| ms.saturating_mul(bits_per_second.into()).div_ceil(8000);
        let segments = listened.div_ceil(segment);
        let chunks = segments.saturating_mul(bytes_in(segment).div_ceil(CHUNK as u128));
        let count = |it: u128| u64::try_from(it).unwrap_or(u64::MAX);
        Self { bytes: count(bytes_in(listened)), chunks: count(chunks) }
    }
}

/// Returns how long `bytes` of a plan last at `bits_per_second`; `None` where nothing is sent.
pub fn lasts(bits_per_second: u32, bytes: u64) -> Option<Duration> {
    let ms = u128::from(bytes).saturating_mul(8000).checked_div(bits_per_second.into())?;
    Some(Duration::from_millis(u64::try_from(ms).unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);
    const SEGMENT: Duration = Duration::from_secs(2);

    #[test]
    fn an_hour_takes_what_the_paper_says_and_a_plan_lasts_as_long_as_that_makes() {
        for (kbps, bytes, chunks, hours) in
            [(96, 43_200_000, 3600, 46), (160, 72_000_000, 5400, 27), (320, 144_000_000, 9000, 13)]
        {
            assert_eq!(Cost::of(kbps * 1000, SEGMENT, HOUR), Cost { bytes, chunks });
            let lasts = lasts(kbps * 1000, 2_000_000_000).unwrap();
            assert_eq!(lasts.as_secs() / 3600, hours, "{kbps} kbit/s");
        }
    }

    #[test]
    fn nothing_and_the_most_are_counted_too() {
        assert_eq!(Cost::of(0, SEGMENT, HOUR), Cost { bytes: 0, chunks: 0 });
        assert_eq!(Cost::of(1, Duration::ZERO, Duration::from_millis(1)).chunks, 1);
        assert_eq!(lasts(0, 1), None);
        let most = Cost::of(u32::MAX, Duration::ZERO, Duration::MAX);
        assert_eq!((most.bytes, most.chunks), (u64::MAX, u64::MAX));
        assert_eq!(lasts(1, u64::MAX), Some(Duration::from_millis(u64::MAX)));
    }
}
