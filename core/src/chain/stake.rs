//! Who may settle and finalise: stakers, the bonds that others and they themselves lock with them, and elections.
//!
//! ```text
//! owner --Bond--> staker: guardian key, maybe a validator key     total = its own bond + those delegated to it
//!                   |
//!                   '-- every checkpoint --> guardians: all with enough      validators: the heaviest, at most `committee`
//! ```
//!
//! A bond that leaves answers for offences until its end (A4.4). Rewards are paid to a staker once for all its bonds; each
//! bond takes its part when it is touched, by how far the staker's reward index has risen since.
//!
//! Source: ALLA-1, ALLA-10, ALZA-11, 12, 14, 15; PROTOCOL A2.10, A2.11, A4. The staking token is locked, the operational
//! token is paid.

#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

mod elect;
mod rules;
#[cfg(test)]
mod tests;

pub use elect::{Candidate, elect};
pub use rules::{MAX_MINT_STEPS, MintStep, StakeRules, StakeRulesError};

use super::set::MAX_GUARDIANS;
use crate::{
    amount::Amount,
    codec::Bounded,
    crypto::{PublicKey, bls::BlsPublicKey},
    id::{Address, Height},
};
use borsh::{BorshDeserialize, BorshSerialize};

/// Parts of one bond that may be leaving at a time. Chosen here: more than a person asks for in one unbonding time.
pub const MAX_LEAVING: usize = 8;
/// Stakers on one page of the roster. Chosen here: a page fits a value of the state tree.
pub const PAGE: usize = 128;
/// Pages of the roster: room for every guardian that a set may have.
pub const MAX_PAGES: u32 = 40;
/// The reward index counts in parts of 2⁻⁶⁴ of a unit for each unit bonded.
const INDEX_SHIFT: u32 = 64;

const _: () =
    assert!(PAGE * MAX_PAGES as usize == MAX_GUARDIANS, "a guardian has a place on the roster");

/// A page of the list of all stakers, which elections go through.
pub type RosterPage = Bounded<Address, PAGE>;

/// How a staker stands with the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Standing {
    /// May be elected.
    Good,
    /// Proposed nothing for too long: not elected as validator until it says that it is back (ALZA-11).
    Idle,
    /// Was shown to have broken the protocol: never elected again (A4.2).
    Tombstoned,
}

/// Who may be elected, as the state tree holds it.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Staker {
    /// Signs checkpoints; its possession was proven (A2.11).
    pub guardian: BlsPublicKey,
    /// Signs votes and proposals, if it wants to settle.
    pub validator: Option<PublicKey>,
    /// What is bonded with it by anybody, without what leaves.
    pub total: Amount,
    /// Reward for each unit bonded since the beginning, in parts of 2⁻⁶⁴.
    pub index: u128,
    /// Rewards of its bonds that were not taken yet, and what rounding left.
    pub unclaimed: Amount,
    /// Whether it may be elected.
    pub standing: Standing,
    /// When it proposed last, or joined, or came back.
    pub seen: Height,
    /// Bit `n` is set once it was punished for offence `n` (A4.2).
    pub punished: u8,
}

/// A part of a bond on its way back to its owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Leaving {
    /// How much.
    pub amount: Amount,
    /// The height from which it can be withdrawn.
    pub until: Height,
}

/// What one owner has bonded with one staker.
#[derive(Clone, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Bond {
    /// What counts in elections.
    pub amount: Amount,
    /// The staker's reward index up to which this bond was paid.
    pub index: u128,
    /// What does not count any more and still answers for offences.
    pub leaving: Bounded<Leaving, MAX_LEAVING>,
}

/// Why a bond cannot be changed so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BondError {
    /// Nothing, or more than an amount can hold.
    #[error("an amount is zero or out of range")]
    BadAmount,
    /// More than is bonded.
    #[error("{bonded} is bonded, less than {asked}")]
    TooLittle {
        /// What is bonded.
        bonded: Amount,
        /// What was asked for.
        asked: Amount,
    },
    /// Too many parts are leaving; the first must be withdrawn.
    #[error("too many parts are leaving")]
    TooManyLeaving,
}

impl BondError {
    /// Returns the stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::BadAmount => "stake/bad-amount",
            Self::TooLittle { .. } => "stake/too-little",
            Self::TooManyLeaving => "stake/too-many-leaving",
        }
    }
}

impl Staker {
    /// Returns the row of a staker that registers at `height`.
    pub const fn new(guardian: BlsPublicKey, validator: Option<PublicKey>, height: Height) -> Self {
        Self {
            guardian,
            validator,
            total: Amount::ZERO,
            index: 0,
            unclaimed: Amount::ZERO,
            standing: Standing::Good,
            seen: height,
            punished: 0,
        }
    }

    /// Shares a reward among the bonds. What does not divide stays unclaimed for ever.
    ///
    /// Returns `None` where nothing is bonded or the sums overflow: then nothing may be minted.
    #[must_use]
    pub fn rewarded(&self, reward: Amount) -> Option<Self> {
        let scaled = reward
            .units()
            .checked_shl(INDEX_SHIFT)
            .filter(|s| s >> INDEX_SHIFT == reward.units())?;
        let rise = scaled.checked_div(self.total.units())?;
        let index = self.index.checked_add(rise)?;
        Some(Self { index, unclaimed: self.unclaimed.checked_add(reward)?, ..self.clone() })
    }
}

impl Bond {
    /// Returns everything that is locked: what is bonded and what is leaving.
    pub fn held(&self) -> Option<Amount> {
        Amount::checked_sum(self.leaving.iter().map(|part| part.amount))
            .and_then(|sum| sum.checked_add(self.amount))
    }

    /// Takes the part of the rewards that is due to this bond: the bond and the staker after it, and what is due.
    #[must_use]
    pub fn claimed(&self, staker: &Staker) -> (Self, Staker, Amount) {
        let rise = staker.index.saturating_sub(self.index);
        let due = mul_shift(self.amount.units(), rise);
        // Floors of parts never sum to more than the whole, but the row itself is the last word.
        let due = Amount::from_units(due.min(staker.unclaimed.units()));
        let staker = Staker { unclaimed: staker.unclaimed.saturating_sub(due), ..staker.clone() };
        (Self { index: staker.index, ..self.clone() }, staker, due)
    }

    /// Returns the bond with more in it. Rewards must have been claimed.
    ///
    /// # Errors
    /// [`BondError::BadAmount`].
    pub fn increased(&self, amount: Amount) -> Result<Self, BondError> {
        let sum = self.amount.checked_add(amount).filter(|_| !amount.is_zero());
        Ok(Self { amount: sum.ok_or(BondError::BadAmount)?, ..self.clone() })
    }

    /// Returns the bond with a part of it leaving until `until`. Rewards must have been claimed.
    ///
    /// # Errors
    /// [`BondError`].
    pub fn decreased(&self, amount: Amount, until: Height) -> Result<Self, BondError> {
        if amount.is_zero() {
            return Err(BondError::BadAmount);
        }
        let left = self.amount.checked_sub(amount);
        let left = left.ok_or(BondError::TooLittle { bonded: self.amount, asked: amount })?;
        let mut leaving = self.leaving.clone().into_vec();
        leaving.push(Leaving { amount, until });
        let leaving = Bounded::try_from(leaving).map_err(|_| BondError::TooManyLeaving)?;
        Ok(Self { amount: left, index: self.index, leaving })
    }

    /// Returns the bond without what may go at `height`, and how much that is.
    #[must_use]
    pub fn withdrawn(&self, height: Height) -> (Self, Amount) {
        let (over, still): (alloc::vec::Vec<Leaving>, alloc::vec::Vec<Leaving>) =
            self.leaving.iter().partition(|part| part.until <= height);
        let out = Amount::checked_sum(over.iter().map(|part| part.amount)).unwrap_or_default();
        let leaving = Bounded::try_from(still).unwrap_or_default();
        (Self { leaving, ..self.clone() }, out)
    }

    /// Returns the bond after a penalty of `percent` of everything in it, what was taken, and how much of that was bonded.
    #[must_use]
    pub fn slashed(&self, percent: u8) -> (Self, Penalty) {
        let part = |amount: Amount| {
            let units = amount.units();
            // Of ceilings, so that small sums are not free.
            let whole = (units / 100).saturating_mul(u128::from(percent));
            let rest = (units % 100).saturating_mul(u128::from(percent)).div_ceil(100);
            Amount::from_units(whole.saturating_add(rest).min(units))
        };
        let bonded = part(self.amount);
        let mut taken = bonded;
        let mut leaving = alloc::vec::Vec::new();
        for entry in self.leaving.iter() {
            let penalty = part(entry.amount);
            taken = taken.checked_add(penalty).unwrap_or(taken);
            leaving.push(Leaving { amount: entry.amount.saturating_sub(penalty), ..*entry });
        }
        let amount = self.amount.saturating_sub(bonded);
        let leaving = Bounded::try_from(leaving).unwrap_or_default();
        (Self { amount, index: self.index, leaving }, Penalty { taken, bonded })
    }

    /// Returns whether nothing is in it any more.
    pub fn is_empty(&self) -> bool {
        self.amount.is_zero() && self.leaving.is_empty()
    }
}

/// What an offence cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Penalty {
    /// Everything that was taken.
    pub taken: Amount,
    /// What of it was bonded, and no longer counts in the staker's total.
    pub bonded: Amount,
}

/// Returns `⌊a · b / 2⁶⁴⌋`, or the greatest number where that does not fit.
fn mul_shift(a: u128, b: u128) -> u128 {
    const HALF: u32 = 64;
    let (high_a, low_a) = (a >> HALF, a & u128::from(u64::MAX));
    let (high_b, low_b) = (b >> HALF, b & u128::from(u64::MAX));
    let low = low_a.saturating_mul(low_b) >> HALF;
    let middle = high_a.checked_mul(low_b).zip(low_a.checked_mul(high_b));
    let high = high_a.checked_mul(high_b).and_then(|h| h.checked_mul(1_u128 << HALF));
    let sum = middle.and_then(|(x, y)| x.checked_add(y)).zip(high);
    sum.and_then(|(m, h)| m.checked_add(h)?.checked_add(low)).unwrap_or(u128::MAX)
}
