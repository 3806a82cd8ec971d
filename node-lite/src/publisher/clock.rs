//! When a segment was heard, however the system's clock jumps.
//!
//! Players match renditions and show the delay by `EXT-X-PROGRAM-DATE-TIME`. Within a run of segments the dates follow the
//! media: each begins where the one before ends. What the source says pulls them by a thousandth at most, which is more
//! than any crystal drifts and less than anybody hears; so a clock that jumps by an hour moves nothing, and is followed in
//! time if it stays. Only a discontinuity lets dates leap, and only forward.

use antiphon_core::time::UnixMillis;
use std::time::Duration;

/// Parts of a segment's duration of which dates may be pulled by one. Chosen here: clocks drift by a tenth of that.
const PULL: u128 = 1000;

/// Returns the date of a segment that the source dates `said`, where the one before ended at `due`.
pub(super) fn date(
    due: Option<UnixMillis>,
    said: UnixMillis,
    duration: Duration,
    is_discontinuous: bool,
) -> UnixMillis {
    let Some(due) = due else { return said };
    if is_discontinuous {
        return said.max(due);
    }
    let pull = u64::try_from(duration.as_millis().div_ceil(PULL)).unwrap_or(u64::MAX);
    UnixMillis(said.0.clamp(due.0.saturating_sub(pull), due.0.saturating_add(pull)))
}

/// Returns when a segment ends.
pub(super) fn end(date: UnixMillis, duration: Duration) -> UnixMillis {
    date.plus(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEGMENT: Duration = Duration::from_millis(2048);
    const HOUR: i64 = 3_600_000;

    #[test]
    fn a_clock_that_jumps_moves_dates_by_a_thousandth_and_never_back() {
        for jump in [-24 * HOUR, -HOUR, -60_000, 60_000, HOUR, 24 * HOUR] {
            let mut due = None;
            let mut dates = Vec::new();
            for n in 0..50_u32 {
                let leap = if n < 10 { 0 } else { jump };
                let said = 1_700_000_000_000_i64 + i64::from(n) * 2048 + leap;
                let date = date(due, UnixMillis(said.unsigned_abs()), SEGMENT, false);
                due = Some(end(date, SEGMENT));
                dates.push(date.0);
            }
            let steps = dates.windows(2).map(|pair| pair[1] - pair[0]);
            assert!(steps.clone().all(|step| (2045..=2051).contains(&step)), "{jump}");
            assert!(steps.take(9).all(|step| step == 2048), "an honest clock is followed");
        }
    }

    #[test]
    fn a_gap_lets_dates_leap_forward_only() {
        let due = Some(UnixMillis(50_000));
        assert_eq!(date(due, UnixMillis(90_000), SEGMENT, true), UnixMillis(90_000));
        assert_eq!(date(due, UnixMillis(10_000), SEGMENT, true), UnixMillis(50_000));
        assert_eq!(date(None, UnixMillis(7), SEGMENT, false), UnixMillis(7));
        let last = UnixMillis(u64::MAX);
        assert_eq!(date(Some(last), last, SEGMENT, false), last);
    }
}
