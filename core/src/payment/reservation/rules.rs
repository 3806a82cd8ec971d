//! The parameters of pools, part of the chain spec.

use crate::{amount::Amount, id::Height};
use borsh::{BorshDeserialize, BorshSerialize};

/// Parameters of pools, in blocks and smallest units. Hashed into the chain id with the rest of the chain spec.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct PoolRules {
    /// `B_MAX`: most that a reporter of overspending may receive (A5.11).
    pub bounty: Amount,
    /// `M_incl`: blocks within which an honest transaction is included, `4·m` for `m` validators (A1.24).
    pub inclusion_margin: u64,
    /// `D_MIN`: shortest life of a pool, at least `4·M_incl` (A5.8).
    pub min_duration: u64,
    /// `D_MAX`: longest life of a pool (A5.8).
    pub max_duration: u64,
    /// `F`: blocks between end and release, at least `2·M_incl + T` (A5.12).
    pub freeze: u64,
}

/// Why rules would let a pool cheat or be stuck.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RulesError {
    /// `D_MIN < 4·M_incl`.
    #[error("the shortest pool is shorter than four inclusion margins")]
    DurationTooShort,
    /// `D_MAX < D_MIN`.
    #[error("the longest pool is shorter than the shortest")]
    NoDuration,
    /// `F < 2·M_incl + T`.
    #[error("the freeze is shorter than two inclusion margins and a checkpoint")]
    FreezeTooShort,
    /// `M_incl < 4·m`, or no validators.
    #[error("the inclusion margin is shorter than four rotations of the proposers")]
    MarginTooShort,
}

impl RulesError {
    /// Returns the stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::DurationTooShort => "pool/rules-duration-too-short",
            Self::NoDuration => "pool/rules-no-duration",
            Self::FreezeTooShort => "pool/rules-freeze-too-short",
            Self::MarginTooShort => "pool/rules-margin-too-short",
        }
    }
}

impl PoolRules {
    /// Shortest pool of the field, in blocks. Source: Theta `const.go`, by FIELD-NOTES.
    const FIELD_MIN_DURATION: u64 = 300;
    /// Longest pool of the field, in blocks. Source: Theta `const.go`, by FIELD-NOTES.
    const FIELD_MAX_DURATION: u64 = 43_200;

    /// Returns the defaults for a chain of `validators` with a checkpoint every `interval` blocks: the least margins
    /// that the rules allow, the field's durations, and a bounty of one smallest unit (ADVERSARIAL case 18).
    pub fn for_chain(validators: u64, interval: u64) -> Self {
        let inclusion_margin = validators.saturating_mul(4);
        let min_duration = inclusion_margin.saturating_mul(4).max(Self::FIELD_MIN_DURATION);
        Self {
            bounty: Amount::from_units(1),
            inclusion_margin,
            min_duration,
            max_duration: min_duration.max(Self::FIELD_MAX_DURATION),
            freeze: inclusion_margin.saturating_mul(2).saturating_add(interval),
        }
    }

    /// Checks the rules against the chain that uses them.
    ///
    /// # Errors
    /// [`RulesError`], one variant an inequality.
    pub fn check(&self, validators: u64, interval: u64) -> Result<(), RulesError> {
        let margin = self.inclusion_margin;
        if validators == 0 || margin < validators.saturating_mul(4) {
            return Err(RulesError::MarginTooShort);
        }
        if self.min_duration < margin.saturating_mul(4) {
            return Err(RulesError::DurationTooShort);
        }
        if self.max_duration < self.min_duration {
            return Err(RulesError::NoDuration);
        }
        if self.freeze < margin.saturating_mul(2).saturating_add(interval) {
            return Err(RulesError::FreezeTooShort);
        }
        Ok(())
    }

    /// Returns the least collateral for a deposit, `deposit + B_MAX + 1`, or `None` on overflow (A5.8).
    pub fn min_collateral(&self, deposit: Amount) -> Option<Amount> {
        deposit.checked_add(self.bounty)?.checked_add(Amount::from_units(1))
    }

    /// Returns the last block of a pool that is opened now to live for so many blocks: at least as many as payees rely on
    /// (A5.14), at most as many as the chain allows (A5.8).
    pub fn end_of(&self, now: Height, blocks: u64) -> Height {
        let least = self.min_duration.saturating_add(self.settle_margin());
        now.plus(blocks.max(least).min(self.max_duration))
    }

    /// Returns `M_settle`: how long before its end a payee stops trusting a pool, `2·M_incl` (A5.14).
    pub const fn settle_margin(&self) -> u64 {
        self.inclusion_margin.saturating_mul(2)
    }
}
