//! When to stop waiting for peers: the election of a first fetcher and the last safe moment for the origin.
//!
//! ```text
//! known ---- elder 0 fetches at once
//!       ---- position p waits one target duration + p × 700 ms for an announcement, then fetches itself
//! deadline - 500 ms - max(p95 of HTTP, 300 ms) ---- whoever needs it fetches what is missing
//! ```
//!
//! Source: FIELD-NOTES recommendation 2, c.10, c.13. Deviations: the order is that of joins at the tracker, which
//! cannot be ground, where the notes hash keys; one elder fetches for all, and the load spreads as others announce.
//! And what arrives must still reach the ear: on a busy machine a page that hedged 300 ms before silence stalled.

use crate::{table::Table, time::Moment};
use alloc::vec::Vec;
use core::time::Duration;

/// What each further position waits longer. Chosen here: a fetch and an announcement on a slow line.
pub const BACKUP_PATIENCE: Duration = Duration::from_millis(700);

/// Least time that an HTTP fetch is thought to take.
pub const MIN_HTTP: Duration = Duration::from_millis(300);

/// Time that an HTTP fetch is thought to take before any was measured.
pub const UNMEASURED_HTTP: Duration = Duration::from_millis(1000);

/// Time from a segment's arrival to its sound: handed to the player, appended, decoded. Chosen here, for a busy phone.
pub const HAND_OVER: Duration = Duration::from_millis(500);

/// Fetches that are remembered.
const MAX_SAMPLES: usize = 20;

/// Returns how long the listener at `position` waits before it fetches a new segment from the origin.
///
/// The target duration covers that playlists are polled: a younger listener may learn of a segment up to one target
/// duration before its elder does.
pub fn election_wait(position: usize, target: Duration) -> Duration {
    if position == 0 {
        return Duration::ZERO;
    }
    let position = u32::try_from(position).unwrap_or(u32::MAX);
    target.saturating_add(BACKUP_PATIENCE.saturating_mul(position))
}

/// How long HTTP fetches took of late.
#[derive(Clone, Debug, Default)]
pub struct HttpTimes {
    samples: Vec<Duration>,
    next: usize,
}

impl HttpTimes {
    /// Notes how long a fetch took.
    pub fn note(&mut self, took: Duration) {
        match self.samples.get_mut(self.next) {
            Some(sample) => *sample = took,
            None => self.samples.push(took),
        }
        self.next = self.next.saturating_add(1) % MAX_SAMPLES;
    }

    /// Returns the 95th percentile, at least [`MIN_HTTP`]; [`UNMEASURED_HTTP`] before the first fetch.
    pub fn p95(&self) -> Duration {
        let sorted: Table<_, ()> = self.samples.iter().zip(0_usize..).map(|of| (of, ())).collect();
        let rank = sorted.len().saturating_mul(95).div_ceil(100).saturating_sub(1);
        sorted.keys().nth(rank).map_or(UNMEASURED_HTTP, |(p95, _)| MIN_HTTP.max(**p95))
    }

    /// Returns the last moment at which what is fetched is still heard by `deadline`.
    pub fn last_safe(&self, deadline: Moment) -> Moment {
        let before = self.p95().saturating_add(HAND_OVER).as_millis();
        let before = u64::try_from(before).unwrap_or(u64::MAX);
        Moment::from_millis(deadline.as_millis().saturating_sub(before))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_elder_waits_for_nobody_and_each_other_a_step_longer() {
        let target = Duration::from_millis(2000);
        let waits = [0, 1, 2].map(|position| election_wait(position, target).as_millis());
        assert_eq!(waits, [0, 2700, 3400]);
        assert!(election_wait(usize::MAX, target) > target);
    }

    #[test]
    fn the_last_safe_moment_follows_what_was_measured() {
        let mut times = HttpTimes::default();
        let deadline = Moment::from_millis(10_000);
        assert_eq!(times.last_safe(deadline), Moment::from_millis(8_500));
        times.note(Duration::from_millis(20));
        assert_eq!(times.last_safe(deadline), Moment::from_millis(9_200));
        for _ in 0..18 {
            times.note(Duration::from_millis(400));
        }
        assert_eq!(times.last_safe(deadline), Moment::from_millis(9_100));
        for _ in 0..2 {
            times.note(Duration::from_millis(3000));
        }
        assert_eq!(times.last_safe(deadline), Moment::from_millis(6_500));
        for _ in 0..20 {
            times.note(Duration::from_millis(50));
        }
        assert_eq!(times.last_safe(deadline), Moment::from_millis(9_200));
        assert_eq!(times.last_safe(Moment::ZERO), Moment::ZERO);
    }
}
