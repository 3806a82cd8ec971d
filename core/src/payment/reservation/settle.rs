//! What a voucher is worth to the chain at a height. Source: PROTOCOL A5.9, A5.10 first sentence.

use super::{PaidState, PoolState, PoolStatus};
use crate::{
    amount::Amount,
    crypto::Signed,
    id::{Address, ChainId, Height, PoolId},
    payment::voucher::Voucher,
};

/// Who brings a voucher, where and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The chain that is asked.
    pub chain: ChainId,
    /// The pool that is asked.
    pub pool: PoolId,
    /// Who signed the transaction.
    pub by: Address,
    /// The block that would include it.
    pub height: Height,
}

/// What a settlement does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settlement {
    /// The pool afterwards.
    pub pool: PoolState,
    /// The target's row afterwards.
    pub paid: PaidState,
    /// What the target's balance gains.
    pub due: Amount,
}

/// Why a voucher is not paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SettleError {
    /// The pool was released.
    #[error("the pool is closed")]
    Closed,
    /// The pool's end has passed.
    #[error("height {height} is after the end {end}")]
    TooLate {
        /// Now.
        height: Height,
        /// Last block for settlement.
        end: Height,
    },
    /// The voucher is for another pool.
    #[error("the voucher is for another pool")]
    WrongPool,
    /// The voucher is for another resource.
    #[error("the voucher is for another resource")]
    WrongResource,
    /// Somebody else brings it.
    #[error("only the target may settle its voucher")]
    NotTarget,
    /// The creator promised to itself.
    #[error("the target is the creator")]
    OwnPool,
    /// The sequence is not above the settled one, or is the last of all.
    #[error("sequence {seq} is not above {settled}, or exhausted")]
    OldSequence {
        /// The voucher's.
        seq: u64,
        /// Settled last.
        settled: u64,
    },
    /// The sum is not above what was paid.
    #[error("sum {cum} is not above the {paid} already paid")]
    NothingNew {
        /// The voucher's.
        cum: Amount,
        /// Paid so far.
        paid: Amount,
    },
    /// The deposit does not cover it: nothing is paid.
    #[error("{due} is due but {remaining} is left")]
    Overdrawn {
        /// What would be paid.
        due: Amount,
        /// What the deposit still holds.
        remaining: Amount,
    },
    /// Not signed by the creator on this chain.
    #[error("the creator did not sign this on this chain")]
    BadSignature,
}

impl SettleError {
    /// Returns the stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Closed => "pool/closed",
            Self::TooLate { .. } => "pool/settle-too-late",
            Self::WrongPool => "pool/wrong-pool",
            Self::WrongResource => "pool/wrong-resource",
            Self::NotTarget => "pool/not-target",
            Self::OwnPool => "pool/own-pool",
            Self::OldSequence { .. } => "pool/old-sequence",
            Self::NothingNew { .. } => "pool/nothing-new",
            Self::Overdrawn { .. } => "pool/overdrawn",
            Self::BadSignature => "pool/bad-signature",
        }
    }
}

impl PoolState {
    /// Returns what settling `voucher` does, given what its target settled before. The signature comes last, as the
    /// dearest check.
    ///
    /// # Errors
    /// [`SettleError`], one variant a rule; nothing changes then.
    pub fn settle(
        &self,
        paid: &PaidState,
        voucher: &Signed<Voucher>,
        claim: &Claim,
    ) -> Result<Settlement, SettleError> {
        let Voucher { pool, resource, target, seq, cum } = voucher.body;
        if self.status == PoolStatus::Closed {
            return Err(SettleError::Closed);
        }
        if claim.height > self.end_height {
            return Err(SettleError::TooLate { height: claim.height, end: self.end_height });
        }
        if pool != claim.pool {
            return Err(SettleError::WrongPool);
        }
        if resource != self.resource {
            return Err(SettleError::WrongResource);
        }
        if target != claim.by {
            return Err(SettleError::NotTarget);
        }
        if target == Address::of(&self.creator) {
            return Err(SettleError::OwnPool);
        }
        // The last sequence would leave no room for a next voucher (ADVERSARIAL case 19).
        if seq <= paid.seq || seq == u64::MAX {
            return Err(SettleError::OldSequence { seq, settled: paid.seq });
        }
        let due = match cum.checked_sub(paid.cum) {
            Some(due) if !due.is_zero() => due,
            Some(_) | None => return Err(SettleError::NothingNew { cum, paid: paid.cum }),
        };
        let overdrawn = SettleError::Overdrawn { due, remaining: self.remaining() };
        let paid_total = self.paid_total.checked_add(due).ok_or(overdrawn)?;
        if paid_total > self.deposit {
            return Err(overdrawn);
        }
        voucher.verify(claim.chain, &self.creator).map_err(|_| SettleError::BadSignature)?;
        let pool = Self { paid_total, ..self.clone() };
        Ok(Settlement { pool, paid: PaidState { seq, cum }, due })
    }
}
