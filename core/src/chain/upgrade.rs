//! How a running chain changes its rules: most of the recent blocks say that their proposers know newer ones, then a time of
//! grace, then the newer ones hold, and software that does not know them stops.
//!
//! Source: AELF-30 (seed 002 §5.2.6: 80 % of the last 100 blocks, then 2000 blocks).

use crate::{codec::Bounded, id::Height};
use alloc::vec::Vec;
use borsh::{BorshDeserialize, BorshSerialize};

/// The rules that this software knows. One more with every change that not all nodes would follow.
pub const KNOWN_RULES: u32 = 1;
/// Longest window, in blocks.
pub const MAX_WINDOW: usize = 256;

/// Parameters of changes of rules, part of the chain spec.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct UpgradeRules {
    /// Blocks that are looked back at.
    pub window: u16,
    /// Per cent of them that must know the newer rules.
    pub percent: u8,
    /// Blocks between the decision and the change.
    pub grace: u64,
}

/// Which rules hold, as the state tree holds it.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Upgrade {
    /// The rules that hold.
    pub rules: u32,
    /// What the newest blocks said, the oldest first.
    pub said: Bounded<u32, MAX_WINDOW>,
    /// The rules that were decided on, and the block from which they hold.
    pub decided: Option<(u32, Height)>,
}

impl Default for Upgrade {
    fn default() -> Self {
        Self { rules: 1, said: Bounded::new(), decided: None }
    }
}

impl UpgradeRules {
    /// Returns whether a chain may have these rules: more than half must agree, and nobody is surprised.
    pub const fn is_sound(&self) -> bool {
        let window = self.window as usize;
        window > 0
            && window <= MAX_WINDOW
            && self.percent > 50
            && self.percent <= 100
            && self.grace > 0
    }

    /// Returns where the chain stands after the block at `height`, whose proposer knows rules up to `known`.
    #[must_use]
    pub fn after(&self, before: &Upgrade, height: Height, known: u32) -> Upgrade {
        let mut said: Vec<u32> = before.said.to_vec();
        said.push(known);
        let surplus = said.len().saturating_sub(usize::from(self.window));
        said.drain(..surplus);
        let (mut rules, mut decided) = (before.rules, before.decided);
        if let Some((next, since)) = decided
            && since <= height
        {
            (rules, decided) = (next, None);
        }
        let next = rules.saturating_add(1);
        let agreeing = said.iter().filter(|known| **known >= next).count();
        let enough = usize::from(self.window).saturating_mul(usize::from(self.percent));
        let is_full = said.len() == usize::from(self.window);
        if is_full && decided.is_none() && agreeing.saturating_mul(100) >= enough {
            decided = Some((next, height.plus(self.grace)));
        }
        Upgrade { rules, said: Bounded::try_from(said).unwrap_or_default(), decided }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: UpgradeRules = UpgradeRules { window: 100, percent: 80, grace: 2000 };

    #[test]
    fn eighty_of_a_hundred_blocks_decide_and_two_thousand_later_the_rules_change() {
        let (decided, changed) = run(|height| if height % 5 == 0 { 1 } else { 2 });
        assert_eq!(decided, Some(100));
        assert_eq!(changed, Some(2100));
    }

    #[test]
    fn fewer_decide_nothing_and_nobody_skips_a_step() {
        let (decided, _) = run(|height| if height % 5 == 0 || height == 7 { 1 } else { 2 });
        assert_eq!(decided, Some(107), "block 7 must leave the window first");
        assert_eq!(run(|height| if height % 4 == 0 { 1 } else { 9 }), (None, None));
        let mut state = Upgrade::default();
        for height in 1..=2100 {
            state = RULES.after(&state, Height(height), 9);
        }
        assert_eq!((state.rules, state.decided), (2, Some((3, Height(4100)))), "one at a time");
    }

    #[test]
    fn rules_by_which_a_minority_changes_the_chain_are_unsound() {
        assert!(RULES.is_sound());
        for bad in [
            UpgradeRules { window: 0, ..RULES },
            UpgradeRules { window: 300, ..RULES },
            UpgradeRules { percent: 50, ..RULES },
            UpgradeRules { percent: 101, ..RULES },
            UpgradeRules { grace: 0, ..RULES },
        ] {
            assert!(!bad.is_sound(), "{bad:?}");
        }
    }

    /// Returns the heights at which newer rules were decided on, and at which they held.
    fn run(known: impl Fn(u64) -> u32) -> (Option<u64>, Option<u64>) {
        let (mut state, mut decided, mut changed) = (Upgrade::default(), None, None);
        for height in 1..=2500 {
            state = RULES.after(&state, Height(height), known(height));
            decided = decided.or(state.decided.map(|_| height));
            changed = changed.or((state.rules > 1).then_some(height));
        }
        (decided, changed)
    }
}
