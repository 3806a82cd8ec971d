//! What is done with pools: opened, settled, released, found insolvent, shared out.
//!
//! The rules are core's; here rows are read and written, and balances move.
//!
//! Source: PROTOCOL A5.8 to A5.12.

use super::{Session, TxError};
use crate::storage::Storage;
use antiphon_core::{
    chain::{spec::Token, state::StateKey, transaction::SignedTransaction},
    crypto::AccountKey,
    id::{Address, ChainId, PoolId},
    payment::{
        reservation::{Bearer, Overdraft, PaidState, PoolState, PoolTerms},
        voucher::Promise,
    },
};

impl<S: Storage> Session<'_, S> {
    /// A5.8.
    pub(super) fn create_pool(
        &mut self,
        tx: &SignedTransaction,
        terms: &PoolTerms,
    ) -> Result<(), TxError> {
        if AccountKey::from(terms.creator) != tx.body.sender {
            return Err(TxError::NotCreator);
        }
        let pool = terms.open(&self.spec.pool, self.height)?;
        let id = terms.id(self.chain);
        // A closed pool stays in the tree, so an id is never used again.
        let row = StateKey::pool(self.keys, &id);
        if self.get::<PoolState>(&row)?.is_some() {
            return Err(TxError::PoolExists);
        }
        let locked = terms.locked().ok_or(TxError::BadAmount)?;
        self.spend(&Address::of(&terms.creator), Token::Operational, locked)?;
        self.put(row, pool)
    }

    /// A5.9, and A5.10 where the deposit does not cover it, and A5.11 where it never did; AELF-35 where one payee alone is
    /// paid.
    pub(super) fn settle(&mut self, sender: &Address, promise: &Promise) -> Result<(), TxError> {
        let body = &promise.voucher.body;
        let pool = self.pool(&body.pool)?;
        let paid = self.paid(&body.pool, &body.target)?;
        let chains = self.chains();
        let bearer = Bearer { chains: &chains, pool: body.pool, by: *sender, height: self.height };
        let settlement = pool.settle(&self.spec.pool, &paid, promise, &bearer)?;
        let creator = Address::of(&pool.creator);
        self.put(StateKey::pool(self.keys, &body.pool), settlement.pool)?;
        self.put(StateKey::paid(self.keys, &body.pool, &body.target), settlement.paid)?;
        self.credit(sender, Token::Operational, settlement.gain)?;
        self.credit(&creator, Token::Operational, settlement.refund)?;
        self.burn(Token::Operational, settlement.burned)
    }

    /// A5.12.
    pub(super) fn release(&mut self, id: &PoolId) -> Result<(), TxError> {
        let pool = self.pool(id)?;
        let release = pool.release(&self.spec.pool, self.height)?;
        let creator = Address::of(&pool.creator);
        self.put(StateKey::pool(self.keys, id), release.pool)?;
        self.credit(&creator, Token::Operational, release.refund)
    }

    /// A5.10: evidence that anyone may bring.
    pub(super) fn report(
        &mut self,
        reporter: &Address,
        overdraft: &Overdraft,
    ) -> Result<(), TxError> {
        let id = &overdraft.pool;
        let pool = self.pool(id)?;
        let targets: Vec<Address> = overdraft.targets().collect();
        let rows = targets.iter().map(|target| self.paid(id, target));
        let rows = rows.collect::<Result<Vec<_>, _>>()?;
        let now = (self.chains(), self.height);
        let reported = pool.report(&self.spec.pool, &rows, overdraft, (&now.0, now.1))?;
        self.put(StateKey::pool(self.keys, id), reported.pool)?;
        for (target, row) in targets.iter().zip(reported.rows) {
            self.put(StateKey::paid(self.keys, id, target), row)?;
        }
        self.credit(reporter, Token::Operational, reported.bounty)?;
        self.burn(Token::Operational, reported.burned)
    }

    /// A5.11: a share of what an insolvent pool has left.
    pub(super) fn collect(&mut self, id: &PoolId, target: &Address) -> Result<(), TxError> {
        let (pool, paid) = (self.pool(id)?, self.paid(id, target)?);
        let collected = pool.collect(&self.spec.pool, &paid, self.height)?;
        self.put(StateKey::pool(self.keys, id), collected.pool)?;
        self.put(StateKey::paid(self.keys, id, target), collected.paid)?;
        self.credit(target, Token::Operational, collected.share)?;
        self.burn(Token::Operational, collected.burned)
    }

    fn pool(&mut self, id: &PoolId) -> Result<PoolState, TxError> {
        self.get(&StateKey::pool(self.keys, id))?.ok_or(TxError::NoPool)
    }

    fn paid(&mut self, id: &PoolId, target: &Address) -> Result<PaidState, TxError> {
        Ok(self.get(&StateKey::paid(self.keys, id, target))?.unwrap_or_default())
    }

    /// Whose vouchers are paid: this chain's, and those of the chains whose state it went on with, the newest first. The
    /// pools, and all that they paid, came along.
    fn chains(&self) -> Vec<ChainId> {
        let before = self.spec.origin.iter().flat_map(|origin| origin.lineage.iter().rev());
        std::iter::once(self.chain).chain(before.copied()).collect()
    }
}
