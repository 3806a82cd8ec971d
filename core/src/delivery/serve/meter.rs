//! Counts what may still be given: a token bucket for the rate, a sum for the cap.

use super::Policy;
use crate::{
    delivery::chunk::CHUNK,
    time::{Moment, millis},
};
use core::time::Duration;

/// Chunks that an idle bucket holds at least, so that the lowest rate still sends whole chunks.
const MIN_BURST: u64 = CHUNK as u64;

/// What may be given now and in total. Tokens are thousandths of a byte, so that no rate is lost to rounding.
#[derive(Clone, Debug)]
pub(super) struct Meter {
    rate: Option<u64>,
    total: Option<u64>,
    given: u64,
    tokens: u64,
    filled: Option<Moment>,
}

impl Meter {
    pub(super) fn new(policy: Policy) -> Self {
        let mut meter = Self { rate: None, total: None, given: 0, tokens: 0, filled: None };
        meter.agree(policy);
        meter.tokens = meter.burst();
        meter
    }

    pub(super) fn agree(&mut self, policy: Policy) {
        self.rate = policy.rate;
        self.total = policy.total;
        self.tokens = self.tokens.min(self.burst());
    }

    pub(super) fn refill(&mut self, now: Moment) {
        let since = self.filled.map_or(Duration::ZERO, |filled| now.since(filled));
        self.filled = Some(now);
        let ms = millis(since);
        let more = self.rate.unwrap_or_default().saturating_mul(ms);
        self.tokens = self.tokens.saturating_add(more).min(self.burst());
    }

    pub(super) fn allows(&self, length: usize) -> bool {
        self.rate.is_none() || self.tokens >= cost(length)
    }

    /// Returns when `length` bytes are allowed, given a refill at `now`; the end of time for a rate of nothing.
    pub(super) fn allows_at(&self, now: Moment, length: usize) -> Moment {
        let Some(rate) = self.rate else { return now };
        let lacking = cost(length).saturating_sub(self.tokens);
        let ms = if lacking == 0 {
            0
        } else if rate == 0 {
            u64::MAX
        } else {
            lacking.div_ceil(rate)
        };
        now.after(Duration::from_millis(ms))
    }

    pub(super) fn is_spent(&self, length: usize) -> bool {
        self.left().is_some_and(|left| left < bytes(length))
    }

    pub(super) fn take(&mut self, length: usize) {
        if self.rate.is_some() {
            self.tokens = self.tokens.saturating_sub(cost(length));
        }
        self.given = self.given.saturating_add(bytes(length));
    }

    pub(super) fn left(&self) -> Option<u64> {
        self.total.map(|total| total.saturating_sub(self.given))
    }

    /// One second's worth, or a chunk if that is more.
    fn burst(&self) -> u64 {
        self.rate.unwrap_or_default().max(MIN_BURST).saturating_mul(1000)
    }
}

fn bytes(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

fn cost(length: usize) -> u64 {
    bytes(length).saturating_mul(1000)
}
