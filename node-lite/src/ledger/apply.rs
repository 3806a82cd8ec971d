//! Applies transactions to a view, each wholly or not at all.

mod delay;
mod error;
mod exchange;
mod field;
mod lottery;
mod pool;
mod stake;

pub use error::TxError;

use super::{
    ExecuteError, Ledger, conserve,
    reader::View,
    row::{Cell, Cells, Row, Value},
};
use crate::storage::{Storage, StorageError};
use antiphon_core::{
    amount::Amount,
    chain::{
        spec::{ChainSpec, Token},
        state::{Account, StateKey},
        transaction::{Message, SignedTransaction},
    },
    codec,
    crypto::PublicKey,
    id::{Address, BlockId, ChainId, Height},
    payment::field::escrow::{ClosedField, FieldState},
};
use std::collections::BTreeMap;

/// One block's execution.
#[derive(Debug)]
pub(super) struct Session<'a, S> {
    spec: &'a ChainSpec,
    chain: ChainId,
    /// The chain that the keys of the state name.
    keys: ChainId,
    ledger: &'a Ledger<S>,
    parent: BlockId,
    view: View<'a, S>,
    height: Height,
    proposer: PublicKey,
    /// Every row that was read or written, by refused transactions, too.
    cells: Cells,
    /// Fees taken so far. The proposer gets them when all transactions are done, so that they join nothing to anything.
    fees: Amount,
    /// How to take back what the present transaction has changed.
    undo: Vec<(StateKey, Option<Row>)>,
}

impl<'a, S: Storage> Session<'a, S> {
    pub(super) const fn new(
        ledger: &'a Ledger<S>,
        parent: BlockId,
        view: View<'a, S>,
        height: Height,
        proposer: PublicKey,
    ) -> Self {
        let (spec, chain, keys) = (&ledger.spec, ledger.chain, ledger.keys);
        Self {
            spec,
            chain,
            keys,
            ledger,
            parent,
            view,
            height,
            proposer,
            cells: Cells::new(),
            fees: Amount::ZERO,
            undo: Vec::new(),
        }
    }

    /// Returns whether nothing was read or written yet.
    pub(super) fn is_fresh(&self) -> bool {
        self.cells.is_empty()
    }

    /// Returns another fresh session of the same block.
    pub(super) fn fork(&self) -> Self {
        Self::new(self.ledger, self.parent, self.view.clone(), self.height, self.proposer)
    }

    /// Takes over what sessions of the same block have done, if none wrote a row that another one read or wrote (A9.5).
    /// Returns whether it did; otherwise nothing has changed.
    pub(super) fn join(&mut self, forks: Vec<Self>) -> bool {
        let (mut cells, mut fees) = (Cells::new(), Amount::ZERO);
        for fork in forks {
            let Some(sum) = fees.checked_add(fork.fees) else { return false };
            fees = sum;
            for (key, cell) in fork.cells {
                let is_changed = cell.is_changed();
                let other = cells.insert(key, cell);
                if other.is_some_and(|other| is_changed || other.is_changed()) {
                    return false;
                }
            }
        }
        (self.cells, self.fees) = (cells, fees);
        true
    }

    /// Applies one transaction, or changes nothing. Whose signature is `known` to hold is not checked again.
    pub(super) fn apply(&mut self, tx: &SignedTransaction, known: bool) -> Result<(), TxError> {
        let body = &tx.body;
        let sender = body.sender.address();
        self.check_reference(tx)?;
        if body.messages.is_empty() {
            return Err(TxError::Empty);
        }
        let fee = body.fee(self.spec.fee).ok_or(TxError::BadAmount)?;
        if body.max_fee < fee {
            return Err(TxError::FeeTooLow { fee, max: body.max_fee });
        }
        let expected = self.account(&sender)?.sequence.saturating_add(1);
        if body.sequence != expected {
            return Err(TxError::WrongSequence { expected, found: body.sequence });
        }
        if !known {
            tx.verify(self.chain).map_err(|_| TxError::BadSignature)?;
        }
        self.undo.clear();
        let applied = self.carry_out(tx, &sender, fee);
        if applied.is_err() {
            self.take_back();
        }
        applied
    }

    fn take_back(&mut self) {
        while let Some((key, before)) = self.undo.pop() {
            if let Some(cell) = self.cells.get_mut(&key) {
                cell.now = before;
            }
        }
    }

    fn check_reference(&self, tx: &SignedTransaction) -> Result<(), TxError> {
        let reference = tx.body.reference_height;
        let known = self.view.ancestor(reference) == Some(tx.body.reference_block);
        if known && tx.body.lives_at(self.height) {
            return Ok(());
        }
        Err(TxError::Expired { reference, height: self.height })
    }

    fn carry_out(
        &mut self,
        tx: &SignedTransaction,
        sender: &Address,
        fee: Amount,
    ) -> Result<(), TxError> {
        let mut account = self.account(sender)?;
        account.sequence = tx.body.sequence;
        self.set_account(sender, account)?;
        for (place, message) in (0_u8..).zip(tx.body.messages.iter()) {
            match message {
                Message::Transfer { token, to, amount } => {
                    if amount.is_zero() {
                        return Err(TxError::BadAmount);
                    }
                    self.spend(sender, *token, *amount)?;
                    self.credit(to, *token, *amount)?;
                }
                Message::Exchange(exchange) => self.exchange(tx, exchange)?,
                Message::Delay(delay) => self.delay(tx, place, delay)?,
                Message::Cancel(delay) => self.cancel(sender, delay)?,
                Message::CreatePool(terms) => self.create_pool(tx, terms)?,
                Message::Settle(promise) => self.settle(sender, promise)?,
                Message::Release(pool) => self.release(pool)?,
                Message::Field(act) => self.field(sender, act)?,
                Message::Report(overdraft) => self.report(sender, overdraft)?,
                Message::Collect { pool, target } => self.collect(pool, target)?,
                Message::Register(registration) => self.register(sender, registration)?,
                Message::Bond { staker, amount } => self.bond(sender, staker, *amount)?,
                Message::Unbond { staker, amount } => self.unbond(sender, staker, *amount)?,
                Message::Withdraw { staker } => self.withdraw(sender, staker)?,
                Message::Rejoin => self.rejoin(sender)?,
                Message::Accuse { staker, evidence } => self.accuse(sender, staker, evidence)?,
            }
        }
        // It is taken last, so that who owns nothing but a voucher can settle it.
        self.spend(sender, Token::Operational, fee)?;
        self.fees = self.fees.checked_add(fee).ok_or(TxError::BadAmount)?;
        Ok(())
    }

    /// Gives the proposer the fees, so that including is worth something. Called once, after all transactions.
    pub(super) fn pay_proposer(&mut self) -> Result<(), TxError> {
        let fees = std::mem::take(&mut self.fees);
        if fees.is_zero() {
            return Ok(());
        }
        self.credit(&Address::of(&self.proposer), Token::Operational, fees)
    }

    fn spend(&mut self, from: &Address, token: Token, needed: Amount) -> Result<(), TxError> {
        let row = StateKey::account(self.keys, from);
        let mut account: Account = self.get(&row)?.unwrap_or_default();
        let Some(balance) = account.balances.get_mut(token.index()) else {
            return Err(TxError::BadAmount);
        };
        let left = balance.checked_sub(needed);
        *balance = left.ok_or(TxError::TooPoor { balance: *balance, needed })?;
        self.put(row, account)
    }

    fn credit(&mut self, to: &Address, token: Token, amount: Amount) -> Result<(), TxError> {
        let row = StateKey::account(self.keys, to);
        let mut account: Account = self.get(&row)?.unwrap_or_default();
        let Some(balance) = account.balances.get_mut(token.index()) else {
            return Err(TxError::BadAmount);
        };
        *balance = balance.checked_add(amount).ok_or(TxError::BadAmount)?;
        self.put(row, account)
    }

    fn account(&mut self, address: &Address) -> Result<Account, TxError> {
        Ok(self.get(&StateKey::account(self.keys, address))?.unwrap_or_default())
    }

    fn set_account(&mut self, address: &Address, account: Account) -> Result<(), TxError> {
        self.put(StateKey::account(self.keys, address), account)
    }

    /// Returns a row as this block left it.
    fn get<T: Value>(&mut self, key: &StateKey) -> Result<Option<T>, TxError> {
        if let Some(cell) = self.cells.get(key) {
            return Ok(cell.now.as_ref().and_then(T::of).cloned());
        }
        let value: Option<T> = match self.view.value(key)? {
            Some(bytes) => Some(
                codec::decode(&bytes, bytes.len())
                    .map_err(|error| StorageError(error.to_string()))?,
            ),
            None => None,
        };
        let row = value.clone().map(T::row);
        self.cells.insert(*key, Cell { before: row.clone(), now: row });
        Ok(value)
    }

    fn put<T: Value>(&mut self, key: StateKey, value: T) -> Result<(), TxError> {
        if !self.cells.contains_key(&key) {
            self.get::<T>(&key)?;
        }
        let Some(cell) = self.cells.get_mut(&key) else { return Ok(()) };
        let before = cell.now.replace(value.row());
        self.undo.push((key, before));
        Ok(())
    }

    /// Returns the fields that this block has closed, in the order of their ids.
    pub(super) fn closed(&self) -> Vec<ClosedField> {
        let rows = self.cells.values().filter_map(|cell| FieldState::of(cell.now.as_ref()?));
        let mut closed: Vec<_> = rows.filter_map(|row| row.closed_at(self.height)).collect();
        closed.sort_by_key(|one| one.field);
        closed
    }

    /// Checks that no money was made or lost and returns the rows that differ.
    pub(super) fn into_changes(self) -> Result<BTreeMap<StateKey, Vec<u8>>, ExecuteError> {
        if !self.fees.is_zero() || !conserve::holds(self.cells.values()) {
            return Err(ExecuteError::NotConserved);
        }
        let changed = self.cells.into_iter().filter(|(_, cell)| cell.is_changed());
        Ok(changed.filter_map(|(key, cell)| Some((key, cell.now?.to_bytes()))).collect())
    }
}
