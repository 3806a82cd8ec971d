//! When an unanswered question is repeated: after a patience that doubles.

use crate::time::Moment;
use core::time::Duration;

/// How often the patience doubles at most. Chosen here: four seconds by default, far below the blocks after which silence is
/// taken for a foe's.
const MOST_DOUBLINGS: u32 = 3;

/// The clock of one field's open questions.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Retry {
    at: Option<Moment>,
    tries: u32,
}

impl Retry {
    /// Returns when the next repetition is due.
    pub(super) const fn at(&self) -> Option<Moment> {
        self.at
    }

    /// Returns how often was repeated without an answer.
    pub(super) const fn tries(&self) -> u32 {
        self.tries
    }

    /// Runs while something is waited for, and not otherwise.
    pub(super) fn arm(&mut self, now: Moment, patience: Duration, is_waiting: bool) {
        if !is_waiting {
            *self = Self::default();
        } else if self.at.is_none() {
            self.at = Some(now.after(self.wait(patience)));
        }
    }

    /// An answer came: the next wait is short again.
    pub(super) fn answered(&mut self) {
        *self = Self::default();
    }

    /// Returns whether it is time to repeat, once for each time.
    pub(super) fn is_due(&mut self, now: Moment) -> bool {
        if self.at.is_none_or(|at| at > now) {
            return false;
        }
        (self.at, self.tries) = (None, self.tries.saturating_add(1));
        true
    }

    fn wait(&self, patience: Duration) -> Duration {
        patience.saturating_mul(1_u32 << self.tries.min(MOST_DOUBLINGS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_patience_doubles_until_an_answer_comes() {
        let (mut retry, patience) = (Retry::default(), Duration::from_millis(100));
        let mut now = Moment::ZERO;
        for wait in [100, 200, 400, 800, 800, 800] {
            retry.arm(now, patience, true);
            assert!(!retry.is_due(now.after(Duration::from_millis(wait - 1))));
            now = now.after(Duration::from_millis(wait));
            assert!(retry.is_due(now));
            assert!(!retry.is_due(now), "once for each time");
        }
        retry.answered();
        retry.arm(now, patience, true);
        assert_eq!(retry.at(), Some(now.after(patience)));
        retry.arm(now, patience, false);
        assert_eq!(retry.at(), None);
    }
}
