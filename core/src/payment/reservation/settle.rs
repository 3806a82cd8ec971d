//! What a promise is worth to the chain at a height. Source: PROTOCOL A5.9, A5.10 first sentence; T5.

use super::{Insolvency, PaidState, PoolRules, PoolState, PoolStatus};
use crate::{
    amount::Amount,
    id::{Address, ChainId, Height, PoolId},
    payment::{
        tick::TickError,
        voucher::{Promise, PromiseError, Voucher},
    },
};

/// Who brings a voucher, where and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bearer<'a> {
    /// The chain that is asked, and those whose state it went on with: whose vouchers it pays.
    pub chains: &'a [ChainId],
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
    /// What the target's balance gains: what is due, or the bounty if this is what shows that the pool is insolvent, or
    /// nothing if it is a claim.
    pub gain: Amount,
    /// What is burned: the collateral, if this shows that the pool is insolvent.
    pub burned: Amount,
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
    /// The pool is insolvent, and the time for claims has passed.
    #[error("height {height} is after the last for claims, {last}")]
    ClaimTooLate {
        /// Now.
        height: Height,
        /// Last block for claims.
        last: Height,
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
    /// The target claimed as much of the insolvent pool before.
    #[error("{due} is due, and {claimed} was claimed before")]
    ClaimedBefore {
        /// What the promise is beyond what was paid.
        due: Amount,
        /// What was claimed.
        claimed: Amount,
    },
    /// All claims together are more than an amount holds.
    #[error("the sum of all claims is out of range")]
    OutOfRange,
    /// The voucher's ticks, or the tick that was revealed, are none.
    #[error(transparent)]
    Tick(#[from] TickError),
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
            Self::ClaimTooLate { .. } => "pool/claim-too-late",
            Self::ClaimedBefore { .. } => "pool/claimed-before",
            Self::OutOfRange => "pool/claims-out-of-range",
            Self::Tick(error) => error.code(),
            Self::BadSignature => "pool/bad-signature",
        }
    }
}

impl PoolState {
    /// Returns what settling a promise does, given its target's row: it is paid; or, if the deposit does not cover it,
    /// nothing is paid and the pool becomes insolvent; or it is kept as a claim, if the pool is so already. The
    /// signature and the steps come last, as the dearest checks.
    ///
    /// # Errors
    /// [`SettleError`], one variant a rule; nothing changes then.
    pub fn settle(
        &self,
        rules: &PoolRules,
        paid: &PaidState,
        promise: &Promise,
        bearer: &Bearer<'_>,
    ) -> Result<Settlement, SettleError> {
        self.check_window(rules, bearer.height)?;
        let (worth, due) = self.due(paid, promise, bearer)?;
        let verified = promise.verify(bearer.chains, &self.creator);
        verified.map_err(|error| match error {
            PromiseError::Signature(_) => SettleError::BadSignature,
            PromiseError::Tick(error) => SettleError::Tick(error),
        })?;
        let covered = self.paid_total.checked_add(due).filter(|total| *total <= self.deposit);
        let (insolvency, gain, burned) = match (self.status, covered) {
            (PoolStatus::Insolvent(insolvency), _) => (insolvency, Amount::ZERO, Amount::ZERO),
            (PoolStatus::Open | PoolStatus::Closed, None) => self.fail(rules, bearer.height),
            (PoolStatus::Open | PoolStatus::Closed, Some(paid_total)) => {
                let paid = PaidState { seq: promise.voucher.body.seq, cum: worth, claim: None };
                let pool = Self { paid_total, ..self.clone() };
                return Ok(Settlement { pool, paid, gain: due, burned: Amount::ZERO });
            }
        };
        let (insolvency, paid) = insolvency.claim(self.deposit, paid, due)?;
        let pool = Self { status: PoolStatus::Insolvent(insolvency), ..self.clone() };
        Ok(Settlement { pool, paid, gain, burned })
    }

    fn check_window(&self, rules: &PoolRules, height: Height) -> Result<(), SettleError> {
        match self.status {
            PoolStatus::Closed => Err(SettleError::Closed),
            // In the very block in which evidence came, what is too late without the evidence is too late with it: which of
            // two transactions comes first then changes nothing (ADVERSARIAL case 20).
            PoolStatus::Insolvent(Insolvency { since, .. })
                if height == since && height > self.end_height =>
            {
                Err(SettleError::TooLate { height, end: self.end_height })
            }
            PoolStatus::Open if height > self.end_height => {
                Err(SettleError::TooLate { height, end: self.end_height })
            }
            PoolStatus::Insolvent(insolvency) if height >= insolvency.collect_from(rules) => {
                let last = Height(insolvency.collect_from(rules).0.saturating_sub(1));
                Err(SettleError::ClaimTooLate { height, last })
            }
            PoolStatus::Open | PoolStatus::Insolvent(_) => Ok(()),
        }
    }

    /// Returns what a promise is worth in total and beyond what was paid. Looks at no signature.
    fn due(
        &self,
        paid: &PaidState,
        promise: &Promise,
        bearer: &Bearer<'_>,
    ) -> Result<(Amount, Amount), SettleError> {
        let Voucher { pool, resource, target, seq, ticks, .. } = promise.voucher.body;
        if pool != bearer.pool {
            return Err(SettleError::WrongPool);
        }
        if resource != self.resource {
            return Err(SettleError::WrongResource);
        }
        if target != bearer.by {
            return Err(SettleError::NotTarget);
        }
        if target == Address::of(&self.creator) {
            return Err(SettleError::OwnPool);
        }
        // A voucher with ticks is settled as often as it brings more (T5). The last sequence would leave no room for a next
        // voucher (ADVERSARIAL case 19).
        let is_old = if ticks.is_some() { seq < paid.seq } else { seq <= paid.seq };
        if is_old || seq == u64::MAX {
            return Err(SettleError::OldSequence { seq, settled: paid.seq });
        }
        let worth = promise.worth()?;
        match worth.checked_sub(paid.cum) {
            Some(due) if !due.is_zero() => Ok((worth, due)),
            Some(_) | None => Err(SettleError::NothingNew { cum: worth, paid: paid.cum }),
        }
    }
}
