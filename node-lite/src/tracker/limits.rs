//! How fast one connection may speak.

use antiphon_core::time::Moment;

/// Messages at once. A newcomer answers and offers to every candidate, and is answered by as many.
const BURST: u64 = 128;
/// Messages a second, once the burst is used up.
const A_SECOND: u64 = 16;

/// A bucket of thousandths of messages, so that no millisecond is lost to rounding.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bucket {
    thousandths: u64,
    filled: Moment,
}

impl Bucket {
    /// Returns a full bucket.
    pub(super) const fn full(now: Moment) -> Self {
        Self { thousandths: BURST * 1000, filled: now }
    }

    /// Takes one message out, if there is one.
    pub(super) fn take(&mut self, now: Moment) -> bool {
        let ms = u64::try_from(now.since(self.filled).as_millis()).unwrap_or(u64::MAX);
        self.filled = now;
        let more = ms.saturating_mul(A_SECOND);
        self.thousandths = self.thousandths.saturating_add(more).min(BURST * 1000);
        let left = self.thousandths.checked_sub(1000);
        self.thousandths = left.unwrap_or(self.thousandths);
        left.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_then_so_many_a_second() {
        let mut bucket = Bucket::full(Moment::ZERO);
        let passed = |bucket: &mut Bucket, at| {
            (0..1000).filter(|_| bucket.take(Moment::from_millis(at))).count() as u64
        };
        assert_eq!(passed(&mut bucket, 0), BURST);
        assert_eq!(passed(&mut bucket, 1000), A_SECOND);
        assert_eq!(passed(&mut bucket, 3_600_000), BURST, "never more than a burst");
    }
}
