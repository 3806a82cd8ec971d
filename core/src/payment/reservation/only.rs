//! A pool for one payee alone: it may rely on a promise at once, for nobody else can draw on the deposit.
//!
//! ```text
//! open ---- the payee settles ≤ end ----> closed: the payee has the promised sum, the creator the rest
//!   '------ nobody did, ≥ end + F ------> closed: the creator has it all
//! ```
//!
//! The creator may sign as many promises as it likes: to the payee the largest is worth the deposit at most, and to
//! anybody else none is worth anything. So there is no overdraft, nothing to show as evidence, and no collateral.
//! The payee countersigns with the transaction that settles, which is what ends the matter for both.
//!
//! Source: seed 002 (aelf) §5.3.5.3, AELF-35.

use super::{OpenError, PaidState, PoolState, PoolStatus, PoolTerms, SettleError, Settlement};
use crate::{amount::Amount, codec::Text, id::Address};
use borsh::{BorshDeserialize, BorshSerialize};

/// Longest purpose, in bytes. Chosen here: an order number or a few words.
pub const MAX_PURPOSE: usize = 32;

/// What one payee alone is paid for, as the creator says.
pub type Purpose = Text<MAX_PURPOSE>;

/// Who alone is paid, and what for.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Only {
    /// The one target whose vouchers are paid.
    pub payee: Address,
    /// What for: "type of transaction" in AELF-35. Means nothing to the chain.
    pub purpose: Purpose,
}

impl Only {
    /// Checks what is asked of terms for one payee, beside what is asked of all.
    pub(super) fn check(&self, terms: &PoolTerms) -> Result<(), OpenError> {
        if self.payee == Address::of(&terms.creator) {
            return Err(OpenError::OwnPool);
        }
        if !terms.collateral.is_zero() {
            return Err(OpenError::NeedlessCollateral);
        }
        Ok(())
    }

    /// Checks that a promise of this worth is one that the pool can pay.
    pub(super) fn check_promise(
        &self,
        target: Address,
        worth: Amount,
        deposit: Amount,
    ) -> Result<(), SettleError> {
        if target != self.payee {
            return Err(SettleError::NotPayee);
        }
        if worth > deposit {
            return Err(SettleError::BeyondDeposit { worth, deposit });
        }
        Ok(())
    }
}

impl PoolState {
    /// Pays the one payee and closes: what is left goes back at once, "the remainder back to A" (AELF-35).
    pub(super) fn close_paid(
        &self,
        paid: PaidState,
        due: Amount,
        paid_total: Amount,
    ) -> Settlement {
        let after = Self { paid_total, ..self.clone() };
        let refund = after.held();
        let pool = Self { status: PoolStatus::Closed, ..after };
        Settlement { pool, paid, gain: due, refund, burned: Amount::ZERO }
    }
}
