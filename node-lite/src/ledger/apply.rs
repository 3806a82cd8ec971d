//! Applies transactions to a view, each wholly or not at all.

use super::{ExecuteError, conserve, reader::View};
use crate::storage::{Storage, StorageError};
use antiphon_core::{
    amount::Amount,
    chain::{
        spec::{ChainSpec, TOKENS, Token},
        state::{Account, StateKey},
        transaction::{Message, SignedTransaction},
    },
    codec::{self, DecodeError},
    crypto::Signed,
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
            Self::Storage(error) => error.code(),
        }
    }
}

/// A row of the state, typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Row {
    Account(Account),
    Pool(PoolState),
    Paid(PaidState),
}

impl Row {
    fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Account(account) => codec::encode(account),
            Self::Pool(pool) => codec::encode(pool),
            Self::Paid(paid) => codec::encode(paid),
        }
    }

    /// Returns what this row holds of each token.
    pub(super) fn held(&self) -> [Amount; TOKENS] {
        match self {
            Self::Account(account) => account.balances,
            Self::Pool(pool) => [Amount::ZERO, pool.held()],
            Self::Paid(_) => [Amount::ZERO; TOKENS],
        }
    }
}

/// Rows as they were read first, and as they are now.
type Rows = BTreeMap<StateKey, (Option<Row>, Row)>;

/// One block's execution.
#[derive(Debug)]
pub(super) struct Session<'a, S> {
    spec: &'a ChainSpec,
    chain: ChainId,
    view: View<'a, S>,
    height: Height,
    proposer: Address,
    rows: Rows,
}

impl<'a, S: Storage> Session<'a, S> {
    pub(super) const fn new(
        spec: &'a ChainSpec,
        chain: ChainId,
        view: View<'a, S>,
        height: Height,
        proposer: Address,
    ) -> Self {
        Self { spec, chain, view, height, proposer, rows: BTreeMap::new() }
    }

    /// Applies one transaction, or changes nothing.
    pub(super) fn apply(&mut self, tx: &SignedTransaction) -> Result<(), TxError> {
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
        tx.verify(self.chain, &body.sender).map_err(|_| TxError::BadSignature)?;
        let before = self.rows.clone();
        let applied = self.carry_out(tx, &sender);
        if applied.is_err() {
            self.rows = before;
        }
        applied
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
        self.set_account(sender, account);
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
            }
        }
        // The fee goes to the proposer, so that including is worth something. It is taken last, so that who owns
        // nothing but a voucher can settle it.
        self.spend(sender, Token::Operational, self.spec.fee)?;
        self.credit(&self.proposer.clone(), Token::Operational, self.spec.fee)
    }

    /// A5.8.
    fn create_pool(&mut self, tx: &SignedTransaction, terms: &PoolTerms) -> Result<(), TxError> {
        if terms.creator != tx.body.sender {
            return Err(TxError::NotCreator);
        }
        let pool = terms.open(&self.spec.pool, self.height)?;
        let id = terms.id(self.chain);
        // A closed pool stays in the tree, so an id is never used again.
        if self.pool(&id)?.is_some() {
            return Err(TxError::PoolExists);
        }
        let locked = terms.locked().ok_or(TxError::BadAmount)?;
        self.spend(&Address::of(&terms.creator), Token::Operational, locked)?;
        self.set(StateKey::pool(self.chain, &id), Row::Pool(pool));
        Ok(())
    }

    /// A5.9.
    fn settle(&mut self, sender: &Address, voucher: &Signed<Voucher>) -> Result<(), TxError> {
        let id = voucher.body.pool;
        let pool = self.pool(&id)?.ok_or(TxError::NoPool)?;
        let row = StateKey::paid(self.chain, &id, &voucher.body.target);
        let paid = self.paid(&row)?;
        let claim = Claim { chain: self.chain, pool: id, by: *sender, height: self.height };
        let settlement = pool.settle(&paid, voucher, &claim)?;
        self.set(StateKey::pool(self.chain, &id), Row::Pool(settlement.pool));
        self.set(row, Row::Paid(settlement.paid));
        self.credit(sender, Token::Operational, settlement.due)
    }

    /// A5.12.
    fn release(&mut self, id: &PoolId) -> Result<(), TxError> {
        let pool = self.pool(id)?.ok_or(TxError::NoPool)?;
        let release = pool.release(&self.spec.pool, self.height)?;
        let creator = Address::of(&pool.creator);
        self.set(StateKey::pool(self.chain, id), Row::Pool(release.pool));
        self.credit(&creator, Token::Operational, release.refund)
    }

    fn spend(&mut self, from: &Address, token: Token, needed: Amount) -> Result<(), TxError> {
        let mut account = self.account(from)?;
        let Some(balance) = account.balances.get_mut(token.index()) else {
            return Err(TxError::BadAmount);
        };
        let left = balance.checked_sub(needed);
        *balance = left.ok_or(TxError::TooPoor { balance: *balance, needed })?;
        self.set_account(from, account);
        Ok(())
    }

    fn credit(&mut self, to: &Address, token: Token, amount: Amount) -> Result<(), TxError> {
        let mut account = self.account(to)?;
        let Some(balance) = account.balances.get_mut(token.index()) else {
            return Err(TxError::BadAmount);
        };
        *balance = balance.checked_add(amount).ok_or(TxError::BadAmount)?;
        self.set_account(to, account);
        Ok(())
    }

    fn account(&self, address: &Address) -> Result<Account, TxError> {
        let key = StateKey::account(self.chain, address);
        match self.rows.get(&key) {
            Some((_, Row::Account(account))) => Ok(account.clone()),
            _ => Ok(self.read(&key)?.unwrap_or_default()),
        }
    }

    fn pool(&self, id: &PoolId) -> Result<Option<PoolState>, TxError> {
        let key = StateKey::pool(self.chain, id);
        match self.rows.get(&key) {
            Some((_, Row::Pool(pool))) => Ok(Some(pool.clone())),
            _ => self.read(&key),
        }
    }

    fn paid(&self, key: &StateKey) -> Result<PaidState, TxError> {
        match self.rows.get(key) {
            Some((_, Row::Paid(paid))) => Ok(*paid),
            _ => Ok(self.read(key)?.unwrap_or_default()),
        }
    }

    fn read<T>(&self, key: &StateKey) -> Result<Option<T>, TxError>
    where
        T: borsh::BorshSerialize + borsh::BorshDeserialize,
    {
        let Some(bytes) = self.view.value(key)? else { return Ok(None) };
        let value = codec::decode(&bytes, bytes.len());
        value.map(Some).map_err(|error| StorageError(error.to_string()).into())
    }

    fn set_account(&mut self, address: &Address, account: Account) {
        self.set(StateKey::account(self.chain, address), Row::Account(account));
    }

    fn set(&mut self, key: StateKey, row: Row) {
        if let Some((_, now)) = self.rows.get_mut(&key) {
            *now = row;
            return;
        }
        let old = match &row {
            Row::Account(_) => self.read(&key).ok().flatten().map(Row::Account),
            Row::Pool(_) => self.read(&key).ok().flatten().map(Row::Pool),
            Row::Paid(_) => self.read(&key).ok().flatten().map(Row::Paid),
        };
        self.rows.insert(key, (old, row));
    }

    /// Checks that no money was made or lost and returns the rows that differ.
    pub(super) fn into_changes(self) -> Result<BTreeMap<StateKey, Vec<u8>>, ExecuteError> {
        if !conserve::holds(self.rows.values()) {
            return Err(ExecuteError::NotConserved);
        }
        let changed = self.rows.into_iter().filter(|(_, (old, new))| old.as_ref() != Some(new));
        Ok(changed.map(|(key, (_, new))| (key, new.to_bytes())).collect())
    }
}
