//! What a member risks, and how long it waits.

use crate::amount::Amount;
use core::time::Duration;

/// What a member risks, and how long it waits. Each member has its own; none of it is agreed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemberPolicy {
    /// Most that may be on its way to one member, pending or sequenced (A6.9).
    pub in_flight_each: Amount,
    /// Most that may be on its way to all members together (A6.9).
    pub in_flight: Amount,
    /// Above this much in the field, it is used only once it is proven final, not settled alone.
    pub final_above: Amount,
    /// Payments after which a leader closes a round, at most [`super::MAX_ROUND`].
    pub round_payments: u32,
    /// How long after a round's first payment a leader closes it.
    pub round_time: Duration,
    /// How long an answer is waited for before the question is repeated; doubled with each repetition.
    pub patience: Duration,
    /// Blocks after which a round that was signed and is not sealed is challenged.
    pub challenge_after: u64,
    /// Blocks after which a member that wants the field closed closes it alone.
    pub close_after: u64,
    /// Blocks within which a proposed version begins, or never: payments wait for all that must sign it.
    pub amend_within: u64,
    /// `M_incl`: blocks within which an honest transaction is included. A warning comes two of them before a deadline.
    pub inclusion_margin: u64,
}

impl MemberPolicy {
    /// Returns the defaults for a chain with this `M_incl`: all of the money may be on its way, a round of a thousand
    /// payments or two seconds, half a minute of one-second blocks for those who are silent when a field is to be closed, a
    /// minute for a round, for bad weather is no foe, and two until a version that was proposed has begun. Chosen here.
    pub const fn for_chain(inclusion_margin: u64) -> Self {
        Self {
            in_flight_each: Amount::from_units(u128::MAX),
            in_flight: Amount::from_units(u128::MAX),
            final_above: Amount::from_units(1_000_000),
            round_payments: 1024,
            round_time: Duration::from_secs(2),
            patience: Duration::from_millis(500),
            challenge_after: inclusion_margin.saturating_mul(4),
            close_after: inclusion_margin.saturating_mul(2),
            amend_within: inclusion_margin.saturating_mul(8),
            inclusion_margin,
        }
    }
}
