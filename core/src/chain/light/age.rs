//! How old an answer may be for what it is used for. PROTOCOL A7.6.

use crate::chain::spec::ChainSpec;

/// What a proven value is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// It is shown, with its age.
    Show,
    /// Money is locked or given away on the strength of it.
    Spend,
}

/// Least age at which money is refused, in milliseconds. Chosen here: five minutes bear a restart of every node.
const MIN_SPEND_AGE: u64 = 300_000;
/// Checkpoint intervals after which money is refused. Chosen here: one may fail, and the next finalises everything.
const SPEND_INTERVALS: u64 = 2;

impl Use {
    /// Returns the greatest age of a head for this use, in milliseconds; `None` where any will do.
    pub fn max_age(self, spec: &ChainSpec) -> Option<u64> {
        let interval = spec.block_ms.saturating_mul(spec.checkpoint_interval);
        match self {
            Self::Show => None,
            Self::Spend => Some(interval.saturating_mul(SPEND_INTERVALS).max(MIN_SPEND_AGE)),
        }
    }

    /// Returns whether a head of this age, in milliseconds, may serve.
    pub fn allows(self, age: u64, spec: &ChainSpec) -> bool {
        self.max_age(spec).is_none_or(|most| age <= most)
    }
}
