//! A token bucket: so much at once, so much in the long run.

use antiphon_core::time::Moment;

/// Thousandths of a token that one token has.
const MILLI: u64 = 1000;

/// How fast a bucket fills, and how much it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rate {
    /// Tokens that fit.
    pub(crate) burst: u32,
    /// Thousandths of a token that come each second.
    pub(crate) milli_per_second: u32,
}

impl Rate {
    /// Returns the rate of so many together.
    pub(crate) const fn times(self, factor: u32) -> Self {
        Self {
            burst: self.burst.saturating_mul(factor),
            milli_per_second: self.milli_per_second.saturating_mul(factor),
        }
    }
}

/// What is left of a rate.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bucket {
    /// In millionths, so that no millisecond's refill is rounded away.
    level: u64,
    at: Moment,
}

impl Bucket {
    /// Makes a full bucket.
    pub(crate) fn full(now: Moment, rate: Rate) -> Self {
        Self { level: Self::brim(rate), at: now }
    }

    /// Makes a bucket that holds what comes in one second.
    pub(crate) fn fresh(now: Moment, rate: Rate) -> Self {
        let second = u64::from(rate.milli_per_second).saturating_mul(MILLI);
        Self { level: second.min(Self::brim(rate)), at: now }
    }

    /// Takes one token if there is one.
    pub(crate) fn take(&mut self, now: Moment, rate: Rate) -> bool {
        self.take_many(now, rate, 1)
    }

    /// Takes `count` tokens if there are so many, else none.
    pub(crate) fn take_many(&mut self, now: Moment, rate: Rate, count: u64) -> bool {
        self.fill(now, rate);
        let left = self.level.checked_sub(count.saturating_mul(MILLI * MILLI));
        self.level = left.unwrap_or(self.level);
        left.is_some()
    }

    /// Returns whether the bucket is as good as new, and need not be kept.
    pub(crate) fn is_full(&mut self, now: Moment, rate: Rate) -> bool {
        self.fill(now, rate);
        self.level >= Self::brim(rate)
    }

    fn fill(&mut self, now: Moment, rate: Rate) {
        let passed = now.as_millis().saturating_sub(self.at.as_millis());
        let more = passed.saturating_mul(u64::from(rate.milli_per_second));
        self.level = self.level.saturating_add(more).min(Self::brim(rate));
        self.at = self.at.max(now);
    }

    fn brim(rate: Rate) -> u64 {
        u64::from(rate.burst).saturating_mul(MILLI * MILLI)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_gives_its_burst_and_then_its_rate() {
        let rate = Rate { burst: 3, milli_per_second: 500 };
        let at = Moment::from_millis;
        let mut bucket = Bucket::full(at(0), rate);
        assert!((0..3).all(|_| bucket.take(at(0), rate)));
        assert!(!bucket.take(at(1999), rate));
        assert!(bucket.take(at(2000), rate));
        assert!(!bucket.take(at(2000), rate) && !bucket.is_full(at(7999), rate));
        assert!(bucket.is_full(at(8000), rate));
        assert_eq!((0..9).filter(|_| bucket.take(at(1_000_000), rate)).count(), 3);
        assert!(!bucket.take_many(at(2_000_000), rate, 4), "more than fit are never there");
        assert!(bucket.take_many(at(2_000_000), rate, 3) && !bucket.take(at(2_000_000), rate));
        let mut fresh = Bucket::fresh(at(0), rate);
        assert!(!fresh.take(at(999), rate) && fresh.take(at(1000), rate), "half a token a second");
    }
}
