//! Applies transactions to a view, each wholly or not at all.

mod stake;

use super::{
    ExecuteError, conserve,
    reader::View,
    row::{Cell, Cells, Row, Value},
};
use crate::storage::{Storage, StorageError};
use antiphon_core::{
    amount::Amount,
    chain::{
        offence::EvidenceError,
        spec::{ChainSpec, Token},
        stake::BondError,
        state::{Account, StateKey},
        transaction::{Message, SignedTransaction},
    },
    codec::{self, DecodeError},
    crypto::{PublicKey, Signed, bls::BlsError},
    id::{Address, ChainId, Height, PoolId},
    payment::{
        reservation::{
            Claim, OpenError, PaidState, PoolState, PoolTerms, ReleaseError, SettleError,
        },
        voucher::Voucher,
    },
};
use std::collections::BTreeMap;

/// Why a transaction cannot be in this block.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TxError {
    /// The bytes are no transaction.
    #[error("malformed: {0}")]
    Malformed(DecodeError),
    /// The sender did not sign it for this chain.
    #[error("not signed by its sender for this chain")]
    BadSignature,
    /// The reference block is not an ancestor, or too old, or not below this block.
    #[error("the reference block at {reference} is not a recent ancestor of height {height}")]
    Expired {
        /// Its height.
        reference: Height,
        /// The block that would include it.
        height: Height,
    },
    /// It carries nothing.
    #[error("a transaction carries at least one message")]
    Empty,
    /// Another transaction comes first, or came.
    #[error("sequence {found}, expected {expected}")]
    WrongSequence {
        /// The account's next.
        expected: u64,
        /// The transaction's.
        found: u64,
    },
    /// The sender does not allow what the chain takes.
    #[error("the fee is {fee}, at most {max} is allowed")]
    FeeTooLow {
        /// The chain's.
        fee: Amount,
        /// The sender's limit.
        max: Amount,
    },
    /// The balance does not cover what is spent.
    #[error("balance {balance} does not cover {needed}")]
    TooPoor {
        /// What is there.
        balance: Amount,
        /// What is spent.
        needed: Amount,
    },
    /// A sum does not fit an amount.
    #[error("an amount is zero or out of range")]
    BadAmount,
    /// The terms of a pool name another creator.
    #[error("a pool is opened by its creator")]
    NotCreator,
    /// A pool of this creator had this nonce before.
    #[error("this pool was opened before")]
    PoolExists,
    /// No such pool.
    #[error("no such pool")]
    NoPool,
    /// The terms break the rules.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The voucher is not payable.
    #[error(transparent)]
    Settle(#[from] SettleError),
    /// The pool is not to be released.
    #[error(transparent)]
    Release(#[from] ReleaseError),
    /// The chain has no staking.
    #[error("this chain has no staking")]
    NoStaking,
    /// The sender has registered, or one of its keys was registered before by anybody.
    #[error("the sender or one of its keys is registered already")]
    Registered,
    /// The proof of possession does not hold.
    #[error("the guardian key is not proven to be the sender's: {0}")]
    Possession(BlsError),
    /// The first bond is below the least.
    #[error("the bond {bond} is below the least, {least}")]
    BondTooSmall {
        /// What was offered.
        bond: Amount,
        /// What is asked.
        least: Amount,
    },
    /// No place is left on the roster.
    #[error("there are as many stakers as the chain can have")]
    RosterFull,
    /// Nobody of this address has registered, or it is tombstoned.
    #[error("no such staker, or it was punished")]
    NoStaker,
    /// The bond cannot be changed so.
    #[error(transparent)]
    Bond(#[from] BondError),
    /// The evidence shows nothing.
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
    /// The offence was punished, or is too old.
    #[error("the offence was punished before, or is too old")]
    EvidenceSpent,
    /// The store failed; says nothing about the transaction.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl TxError {
    /// Returns the stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed(error) => error.code(),
            Self::BadSignature => "tx/bad-signature",
            Self::Expired { .. } => "tx/expired",
            Self::Empty => "tx/empty",
            Self::WrongSequence { .. } => "tx/wrong-sequence",
            Self::FeeTooLow { .. } => "tx/fee-too-low",
            Self::TooPoor { .. } => "tx/too-poor",
            Self::BadAmount => "tx/bad-amount",
            Self::NotCreator => "tx/not-creator",
            Self::PoolExists => "tx/pool-exists",
            Self::NoPool => "tx/no-pool",
            Self::Open(error) => error.code(),
            Self::Settle(error) => error.code(),
            Self::Release(error) => error.code(),
            Self::NoStaking => "stake/none",
            Self::Registered => "stake/registered",
            Self::Possession(error) => error.code(),
            Self::BondTooSmall { .. } => "stake/bond-too-small",
            Self::RosterFull => "stake/roster-full",
            Self::NoStaker => "stake/no-staker",
            Self::Bond(error) => error.code(),
            Self::Evidence(error) => error.code(),
            Self::EvidenceSpent => "offence/spent",
            Self::Storage(error) => error.code(),
        }
    }
}

/// One block's execution.
#[derive(Debug)]
pub(super) struct Session<'a, S> {
    spec: &'a ChainSpec,
    chain: ChainId,
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
        spec: &'a ChainSpec,
        chain: ChainId,
        view: View<'a, S>,
        height: Height,
        proposer: PublicKey,
    ) -> Self {
        Self {
            spec,
            chain,
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
        Self::new(self.spec, self.chain, self.view.clone(), self.height, self.proposer)
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
        let sender = Address::of(&body.sender);
        self.check_reference(tx)?;
        if body.messages.is_empty() {
            return Err(TxError::Empty);
        }
        if body.max_fee < self.spec.fee {
            return Err(TxError::FeeTooLow { fee: self.spec.fee, max: body.max_fee });
        }
        let expected = self.account(&sender)?.sequence.saturating_add(1);
        if body.sequence != expected {
            return Err(TxError::WrongSequence { expected, found: body.sequence });
        }
        if !known {
            tx.verify(self.chain, &body.sender).map_err(|_| TxError::BadSignature)?;
        }
        self.undo.clear();
        let applied = self.carry_out(tx, &sender);
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

    fn carry_out(&mut self, tx: &SignedTransaction, sender: &Address) -> Result<(), TxError> {
        let mut account = self.account(sender)?;
        account.sequence = tx.body.sequence;
        self.set_account(sender, account)?;
        for message in tx.body.messages.iter() {
            match message {
                Message::Transfer { token, to, amount } => {
                    if amount.is_zero() {
                        return Err(TxError::BadAmount);
                    }
                    self.spend(sender, *token, *amount)?;
                    self.credit(to, *token, *amount)?;
                }
                Message::CreatePool(terms) => self.create_pool(tx, terms)?,
                Message::Settle(voucher) => self.settle(sender, voucher)?,
                Message::Release(pool) => self.release(pool)?,
                Message::Register(registration) => self.register(sender, registration)?,
                Message::Bond { staker, amount } => self.bond(sender, staker, *amount)?,
                Message::Unbond { staker, amount } => self.unbond(sender, staker, *amount)?,
                Message::Withdraw { staker } => self.withdraw(sender, staker)?,
                Message::Rejoin => self.rejoin(sender)?,
                Message::Accuse { staker, evidence } => self.accuse(sender, staker, evidence)?,
            }
        }
        // It is taken last, so that who owns nothing but a voucher can settle it.
        self.spend(sender, Token::Operational, self.spec.fee)?;
        self.fees = self.fees.checked_add(self.spec.fee).ok_or(TxError::BadAmount)?;
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

    /// A5.8.
    fn create_pool(&mut self, tx: &SignedTransaction, terms: &PoolTerms) -> Result<(), TxError> {
        if terms.creator != tx.body.sender {
            return Err(TxError::NotCreator);
        }
        let pool = terms.open(&self.spec.pool, self.height)?;
        let id = terms.id(self.chain);
        // A closed pool stays in the tree, so an id is never used again.
        let row = StateKey::pool(self.chain, &id);
        if self.get::<PoolState>(&row)?.is_some() {
            return Err(TxError::PoolExists);
        }
        let locked = terms.locked().ok_or(TxError::BadAmount)?;
        self.spend(&Address::of(&terms.creator), Token::Operational, locked)?;
        self.put(row, pool)
    }

    /// A5.9.
    fn settle(&mut self, sender: &Address, voucher: &Signed<Voucher>) -> Result<(), TxError> {
        let id = voucher.body.pool;
        let pool_row = StateKey::pool(self.chain, &id);
        let pool: PoolState = self.get(&pool_row)?.ok_or(TxError::NoPool)?;
        let row = StateKey::paid(self.chain, &id, &voucher.body.target);
        let paid: PaidState = self.get(&row)?.unwrap_or_default();
        let claim = Claim { chain: self.chain, pool: id, by: *sender, height: self.height };
        let settlement = pool.settle(&paid, voucher, &claim)?;
        self.put(pool_row, settlement.pool)?;
        self.put(row, settlement.paid)?;
        self.credit(sender, Token::Operational, settlement.due)
    }

    /// A5.12.
    fn release(&mut self, id: &PoolId) -> Result<(), TxError> {
        let row = StateKey::pool(self.chain, id);
        let pool: PoolState = self.get(&row)?.ok_or(TxError::NoPool)?;
        let release = pool.release(&self.spec.pool, self.height)?;
        let creator = Address::of(&pool.creator);
        self.put(row, release.pool)?;
        self.credit(&creator, Token::Operational, release.refund)
    }

    fn spend(&mut self, from: &Address, token: Token, needed: Amount) -> Result<(), TxError> {
        let mut account = self.account(from)?;
        let Some(balance) = account.balances.get_mut(token.index()) else {
            return Err(TxError::BadAmount);
        };
        let left = balance.checked_sub(needed);
        *balance = left.ok_or(TxError::TooPoor { balance: *balance, needed })?;
        self.set_account(from, account)
    }

    fn credit(&mut self, to: &Address, token: Token, amount: Amount) -> Result<(), TxError> {
        let mut account = self.account(to)?;
        let Some(balance) = account.balances.get_mut(token.index()) else {
            return Err(TxError::BadAmount);
        };
        *balance = balance.checked_add(amount).ok_or(TxError::BadAmount)?;
        self.set_account(to, account)
    }

    fn account(&mut self, address: &Address) -> Result<Account, TxError> {
        Ok(self.get(&StateKey::account(self.chain, address))?.unwrap_or_default())
    }

    fn set_account(&mut self, address: &Address, account: Account) -> Result<(), TxError> {
        self.put(StateKey::account(self.chain, address), account)
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

    /// Checks that no money was made or lost and returns the rows that differ.
    pub(super) fn into_changes(self) -> Result<BTreeMap<StateKey, Vec<u8>>, ExecuteError> {
        if !self.fees.is_zero() || !conserve::holds(self.cells.values()) {
            return Err(ExecuteError::NotConserved);
        }
        let changed = self.cells.into_iter().filter(|(_, cell)| cell.is_changed());
        Ok(changed.filter_map(|(key, cell)| Some((key, cell.now?.to_bytes()))).collect())
    }
}
