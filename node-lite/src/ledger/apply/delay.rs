//! Transfers that wait, and what a block does with those that are due. Source: ALZA-17.

use super::{Session, TxError};
use crate::storage::Storage;
use antiphon_core::{
    chain::{
        delayed::{DelayError, Delayed, DuePage, MAX_DELAY, Progress},
        state::StateKey,
        transaction::{Delay, SignedTransaction},
    },
    id::{Address, DelayId},
};

impl<S: Storage> Session<'_, S> {
    pub(super) fn delay(
        &mut self,
        tx: &SignedTransaction,
        place: u8,
        delay: &Delay,
    ) -> Result<(), TxError> {
        let Delay { token, to, amount, blocks, guard } = *delay;
        if !(1..=MAX_DELAY).contains(&blocks) {
            return Err(DelayError::BadDelay(blocks).into());
        }
        if amount.is_zero() {
            return Err(TxError::BadAmount);
        }
        let (owner, due) = (tx.body.sender.address(), self.height.plus(blocks));
        let (id, page_row) = (tx.body.delay_id(self.chain, place), StateKey::due(self.keys, due));
        let mut page = self.get::<DuePage>(&page_row)?.unwrap_or_default().into_vec();
        page.push(id);
        let page = DuePage::try_from(page).map_err(|_| DelayError::HeightFull(due))?;
        self.spend(&owner, token, amount)?;
        self.put(page_row, page)?;
        let progress = Progress::Waiting;
        let delayed = Delayed { owner, to, token, amount, due, guard, progress };
        self.put(StateKey::delayed(self.keys, &id), delayed)
    }

    pub(super) fn cancel(&mut self, by: &Address, id: &DelayId) -> Result<(), TxError> {
        let row = StateKey::delayed(self.keys, id);
        let delayed = self.get::<Delayed>(&row)?.ok_or(DelayError::Unknown)?;
        self.put(row, delayed.cancelled(by)?)?;
        self.credit(&delayed.owner, delayed.token, delayed.amount)
    }

    /// Pays what is due at this height. Called once, after all transactions, so that the last block to cancel in is the one
    /// that is due, wherever in it the cancellation stands.
    pub(in crate::ledger) fn pay_due(&mut self) -> Result<(), TxError> {
        let page: DuePage = self.get(&StateKey::due(self.keys, self.height))?.unwrap_or_default();
        for id in page.iter() {
            let row = StateKey::delayed(self.keys, id);
            let delayed = self.get::<Delayed>(&row)?.ok_or(DelayError::Unknown)?;
            if delayed.progress == Progress::Waiting {
                self.put(row, Delayed { progress: Progress::Paid, ..delayed })?;
                self.credit(&delayed.to, delayed.token, delayed.amount)?;
            }
        }
        Ok(())
    }
}
