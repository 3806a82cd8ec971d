//! What a neighbour may cost: work that turned out to be for nothing, refilled by time.
//!
//! An honest neighbour's work is paid for by its sense: a payment moves money, a signature closes a round. What is counted
//! here is the rest: a signature that does not verify, a request for payments, a message that says nothing new.
//!
//! Source: PROTOCOL A0.7.

use crate::time::{Moment, millis};

/// Units that a neighbour may cost at once. Chosen here: a member that was away asks for a whole round in 32 requests.
const MOST: u32 = 256;
/// Milliseconds in which one unit comes back. Chosen here: 50 units a second, or a fiftieth of a core for signatures.
const REFILL_MS: u64 = 20;

/// What something costs, in verifications of a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Cost {
    /// Work that makes sense for both.
    Free,
    /// Bytes that are no message, or that say nothing new.
    Idle,
    /// A signature that was checked in vain.
    Vain,
    /// An answer of several messages.
    Answer,
    /// A list of so many members: a point each, which takes a tenth of a check, and an address.
    Members(u8),
}

impl Cost {
    fn units(self) -> u32 {
        match self {
            Self::Free => 0,
            Self::Idle | Self::Vain => 1,
            Self::Answer => 4,
            Self::Members(count) => u32::from(count).div_ceil(8).saturating_add(1),
        }
    }
}

/// How much a neighbour may still cost.
#[derive(Clone, Copy, Debug)]
pub(super) struct Allowance {
    left: u32,
    at: Moment,
}

impl Allowance {
    /// Returns a full one.
    pub(super) const fn new(now: Moment) -> Self {
        Self { left: MOST, at: now }
    }

    /// Returns whether anything is left at this time.
    pub(super) fn allows(&mut self, now: Moment) -> bool {
        let passed = millis(now.since(self.at));
        let units = passed.checked_div(REFILL_MS).unwrap_or(0);
        if units > 0 {
            let more = u32::try_from(units).unwrap_or(u32::MAX);
            (self.left, self.at) = (self.left.saturating_add(more).min(MOST), now);
        }
        self.left > 0
    }

    /// Takes what something cost.
    pub(super) fn take(&mut self, cost: Cost) {
        self.left = self.left.saturating_sub(cost.units());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_neighbour_that_costs_too_much_waits_until_time_has_refilled_it() {
        let mut allowance = Allowance::new(Moment::ZERO);
        for _ in 0..MOST {
            assert!(allowance.allows(Moment::ZERO));
            allowance.take(Cost::Vain);
        }
        assert!(!allowance.allows(Moment::from_millis(REFILL_MS - 1)));
        assert!(allowance.allows(Moment::from_millis(REFILL_MS)));
        allowance.take(Cost::Answer);
        assert!(!allowance.allows(Moment::from_millis(REFILL_MS)));
        assert!(allowance.allows(Moment::from_millis(u64::MAX)));
        assert_eq!(allowance.left, MOST);
    }
}
