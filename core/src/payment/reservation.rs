//! A pool on chain: its rules, its state, and what may be done with it at which height.
//!
//! ```text
//! open --- settle ---> end | --- frozen --- | end + F --- release --->
//!    |     height ≤ end      neither        |  height ≥ end + F
//!    |                                      |
//!    '-- a settlement beyond the deposit (≤ end), or evidence of an overdraft (< end + F)
//!          '--> insolvent --- claim ---> | since + F --- collect --->       never open, never released
//!                       height < since + F             height ≥ since + F
//! ```
//!
//! The ledger applies exactly these functions and the SDK asks them before it speaks, so the two cannot disagree.
//! They take the state and return the next one; they never change anything.
//!
//! Source: PROTOCOL A5.8 to A5.12. A pool always holds the operational token, which
//! "pays for everything else"; A5.8 names no other.

#![warn(clippy::arithmetic_side_effects)]

mod insolvency;
mod rules;
mod settle;
#[cfg(test)]
mod tests;

pub use insolvency::{
    Claim, CollectError, Collected, Insolvency, MAX_PROMISES, Overdraft, ReportError, Reported,
};
pub use rules::{PoolRules, RulesError};
pub use settle::{Bearer, SettleError, Settlement};

use crate::{
    amount::Amount,
    codec,
    crypto::{PublicKey, hash_tagged},
    id::{Address, ChainId, Height, PoolId, StreamId},
};
use borsh::{BorshDeserialize, BorshSerialize};

/// Returns the id of a creator's pool with this nonce. It does not depend on the transaction (A5.7, A5.8).
pub fn pool_id(chain: ChainId, creator: &Address, nonce: u64) -> PoolId {
    PoolId(hash_tagged("pool/v1/id", chain, &codec::encode(&(creator, nonce))))
}

/// What a creator asks the chain to lock.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct PoolTerms {
    /// The key that signs the transaction and later the vouchers.
    pub creator: PublicKey,
    /// Never used before by this creator.
    pub nonce: u64,
    /// What the pool pays for.
    pub resource: StreamId,
    /// The most that payees may receive together.
    pub deposit: Amount,
    /// Lost if the creator promises more than the deposit.
    pub collateral: Amount,
    /// Last block in which a payee may settle.
    pub end_height: Height,
}

/// Where a pool is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum PoolStatus {
    /// Funds are locked.
    Open,
    /// Released. Stays in the tree, so that its id is never used again.
    Closed,
    /// More was promised than the deposit holds. For ever (A10.6).
    Insolvent(Insolvency),
}

/// A pool in the state tree.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct PoolState {
    /// Who signs vouchers, and whose address gets the refund.
    pub creator: PublicKey,
    /// What the pool pays for.
    pub resource: StreamId,
    /// The most that payees may receive together.
    pub deposit: Amount,
    /// Locked beside the deposit.
    pub collateral: Amount,
    /// What payees received so far, never more than the deposit (A10.6).
    pub paid_total: Amount,
    /// Last block in which a payee may settle.
    pub end_height: Height,
    /// Where it is in its life.
    pub status: PoolStatus,
}

/// What one target settled from one pool; absent from the tree means zeros. Never decreases (A10.6).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct PaidState {
    /// Sequence of the last settled voucher.
    pub seq: u64,
    /// Total received.
    pub cum: Amount,
    /// What it claims of an insolvent pool beside that.
    pub claim: Option<Claim>,
}

/// What may happen to a pool at a height. The windows never share a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// Payees may settle.
    Settle,
    /// Nothing moves: time for evidence.
    Frozen,
    /// The creator gets back what is left, or has.
    Release,
    /// The pool is insolvent: targets show what they were promised.
    Claim,
    /// The pool is insolvent: targets collect their shares of what is left.
    Collect,
}

/// Why a pool cannot be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The deposit is zero.
    #[error("the deposit is zero")]
    NoDeposit,
    /// The collateral does not exceed deposit and bounty.
    #[error("collateral {collateral} is below the minimum {minimum}")]
    CollateralTooSmall {
        /// Offered.
        collateral: Amount,
        /// `deposit + B_MAX + 1`.
        minimum: Amount,
    },
    /// The pool would end before payees can settle safely.
    #[error("end height {end} is before {earliest}")]
    EndTooSoon {
        /// Offered.
        end: Height,
        /// `now + D_MIN`.
        earliest: Height,
    },
    /// The pool would lock funds for too long.
    #[error("end height {end} is after {latest}")]
    EndTooLate {
        /// Offered.
        end: Height,
        /// `now + D_MAX`.
        latest: Height,
    },
    /// Deposit, collateral and bounty do not fit an amount.
    #[error("deposit and collateral are out of range")]
    OutOfRange,
}

impl OpenError {
    /// Returns the stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoDeposit => "pool/no-deposit",
            Self::CollateralTooSmall { .. } => "pool/collateral-too-small",
            Self::EndTooSoon { .. } => "pool/end-too-soon",
            Self::EndTooLate { .. } => "pool/end-too-late",
            Self::OutOfRange => "pool/out-of-range",
        }
    }
}

/// Why a pool cannot be released.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReleaseError {
    /// It was released before.
    #[error("the pool is closed")]
    Closed,
    /// It is insolvent: nothing goes back to its creator (A5.11).
    #[error("the pool is insolvent")]
    Insolvent,
    /// The freeze is not over.
    #[error("height {height} is before the release at {earliest}")]
    TooEarly {
        /// Now.
        height: Height,
        /// `end + F`.
        earliest: Height,
    },
}

impl ReleaseError {
    /// Returns the stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Closed => "pool/closed",
            Self::Insolvent => "pool/insolvent",
            Self::TooEarly { .. } => "pool/release-too-early",
        }
    }
}

/// What a release does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// The closed pool.
    pub pool: PoolState,
    /// What the creator's address receives.
    pub refund: Amount,
}

impl PoolTerms {
    /// Returns the id that the pool will have.
    pub fn id(&self, chain: ChainId) -> PoolId {
        pool_id(chain, &Address::of(&self.creator), self.nonce)
    }

    /// Returns what leaves the creator's balance, or `None` on overflow.
    pub fn locked(&self) -> Option<Amount> {
        self.deposit.checked_add(self.collateral)
    }

    /// Returns the pool that these terms open at `now` (A5.8). The ledger also checks that the id is new and the
    /// creator can afford [`PoolTerms::locked`].
    ///
    /// # Errors
    /// [`OpenError`], one variant a rule.
    pub fn open(&self, rules: &PoolRules, now: Height) -> Result<PoolState, OpenError> {
        if self.deposit.is_zero() {
            return Err(OpenError::NoDeposit);
        }
        let minimum = rules.min_collateral(self.deposit).ok_or(OpenError::OutOfRange)?;
        if self.collateral < minimum {
            return Err(OpenError::CollateralTooSmall { collateral: self.collateral, minimum });
        }
        self.locked().ok_or(OpenError::OutOfRange)?;
        let earliest = now.plus(rules.min_duration);
        let latest = now.plus(rules.max_duration);
        if self.end_height < earliest {
            return Err(OpenError::EndTooSoon { end: self.end_height, earliest });
        }
        if self.end_height > latest {
            return Err(OpenError::EndTooLate { end: self.end_height, latest });
        }
        Ok(PoolState {
            creator: self.creator,
            resource: self.resource,
            deposit: self.deposit,
            collateral: self.collateral,
            paid_total: Amount::ZERO,
            end_height: self.end_height,
            status: PoolStatus::Open,
        })
    }
}

impl PoolState {
    /// Returns what payees can still receive, or could when the pool became insolvent.
    pub const fn remaining(&self) -> Amount {
        self.deposit.saturating_sub(self.paid_total)
    }

    /// Returns what the chain holds for this pool: its row in the sum of all money (A10.1).
    pub fn held(&self) -> Amount {
        match self.status {
            PoolStatus::Open => {
                // `open` checked this sum, and `remaining` only shrinks.
                self.remaining().checked_add(self.collateral).unwrap_or(Amount::ZERO)
            }
            PoolStatus::Closed => Amount::ZERO,
            PoolStatus::Insolvent(insolvency) => insolvency.left,
        }
    }

    /// Returns what may happen at `height`.
    pub fn window(&self, rules: &PoolRules, height: Height) -> Window {
        if let PoolStatus::Insolvent(insolvency) = self.status {
            let is_over = height >= insolvency.collect_from(rules);
            return if is_over { Window::Collect } else { Window::Claim };
        }
        if height <= self.end_height {
            Window::Settle
        } else if height < self.end_height.plus(rules.freeze) {
            Window::Frozen
        } else {
            Window::Release
        }
    }

    /// Returns the closed pool and the refund (A5.12). Anyone may ask; the creator gets the money.
    ///
    /// # Errors
    /// [`ReleaseError`].
    pub fn release(&self, rules: &PoolRules, height: Height) -> Result<Release, ReleaseError> {
        match self.status {
            PoolStatus::Open => {}
            PoolStatus::Closed => return Err(ReleaseError::Closed),
            PoolStatus::Insolvent(_) => return Err(ReleaseError::Insolvent),
        }
        if self.window(rules, height) != Window::Release {
            let earliest = self.end_height.plus(rules.freeze);
            return Err(ReleaseError::TooEarly { height, earliest });
        }
        let pool = Self { status: PoolStatus::Closed, ..self.clone() };
        Ok(Release { pool, refund: self.held() })
    }
}
