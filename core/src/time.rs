//! Time as the machines see it: a monotonic moment for waits, wall-clock milliseconds for what the chain dates.

use borsh::{BorshDeserialize, BorshSerialize};
use core::time::Duration;

/// Returns the whole milliseconds of a duration, saturating.
pub fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// A point on the host's monotonic clock, in milliseconds since an origin of the host's choice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(u64);

impl Moment {
    /// The host's origin.
    pub const ZERO: Self = Self(0);

    /// Returns the moment `ms` milliseconds after the host's origin.
    pub const fn from_millis(ms: u64) -> Self {
        Self(ms)
    }

    /// Returns the milliseconds since the host's origin.
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// Returns the moment `wait` later, saturating at the end of time.
    pub fn after(self, wait: Duration) -> Self {
        Self(self.0.saturating_add(millis(wait)))
    }

    /// Returns the moment `lead` earlier, the origin at the earliest.
    pub fn before(self, lead: Duration) -> Self {
        Self(self.0.saturating_sub(millis(lead)))
    }

    /// Returns how long ago `earlier` was, or zero if it lies ahead.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

/// Wall-clock milliseconds since 1970-01-01T00:00:00Z. Only for dates that a header or a record carries.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize,
)]
pub struct UnixMillis(pub u64);

impl UnixMillis {
    /// Returns the time `ms` milliseconds later, saturating.
    pub const fn plus(self, ms: u64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// Returns the milliseconds since `earlier`, or zero if it lies ahead.
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_saturate_at_both_ends() {
        assert_eq!(Moment::from_millis(u64::MAX).after(Duration::MAX), Moment(u64::MAX));
        assert_eq!(Moment::ZERO.since(Moment(5)), Duration::ZERO);
        assert_eq!(Moment(5).before(Duration::from_millis(6)), Moment::ZERO);
    }
}
