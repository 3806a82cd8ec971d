//! Transfers from any senders to any receivers. Source: ALZA-5.

use super::{Session, TxError};
use crate::storage::Storage;
use antiphon_core::{
    amount::Amount,
    chain::transaction::{Exchange, MAX_PARTS, Part, SignedTransaction},
    codec::Bounded,
    crypto::AccountKey,
};

impl<S: Storage> Session<'_, S> {
    pub(super) fn exchange(
        &mut self,
        tx: &SignedTransaction,
        exchange: &Exchange,
    ) -> Result<(), TxError> {
        let (taken, given) = (sum(&exchange.from)?, sum(&exchange.to)?);
        if taken != given {
            return Err(TxError::Unequal { taken, given });
        }
        let signers = std::iter::once(&tx.body.sender).chain(tx.body.cosigners.iter());
        let signers: Vec<_> = signers.map(AccountKey::address).collect();
        if !exchange.from.iter().all(|part| signers.contains(&part.address)) {
            return Err(TxError::NotSigned);
        }
        for part in exchange.from.iter() {
            self.spend(&part.address, exchange.token, part.amount)?;
        }
        for part in exchange.to.iter() {
            self.credit(&part.address, exchange.token, part.amount)?;
        }
        Ok(())
    }
}

/// Adds one side up, each account of which stands there once, in order, with something.
fn sum(parts: &Bounded<Part, MAX_PARTS>) -> Result<Amount, TxError> {
    if parts.is_empty() || !parts.is_sorted_by(|a, b| a.address < b.address) {
        return Err(TxError::BadParts);
    }
    if parts.iter().any(|part| part.amount.is_zero()) {
        return Err(TxError::BadAmount);
    }
    Amount::checked_sum(parts.iter().map(|part| part.amount)).ok_or(TxError::BadAmount)
}
