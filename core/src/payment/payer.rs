//! Promises what chunks cost, for one key: never beyond a deposit, and never before the promise is stored.
//!
//! ```text
//! open --> Store(terms) --Stored--> Create --chain--> adopt --> pay --> Store(line) --Stored--> Voucher
//!                                                                ^--- more pays while storing: one voucher ---'
//! ```
//!
//! What is stored is a row per pool (its terms) and a row per pool and target (sequence and sum), each with the id
//! of the device. A pool is frozen, and never signed for again, when its rows are another device's, damaged, missing,
//! or older than what the chain paid: wait for its release instead.
//!
//! A caller pays for one chunk at a time, after the chunk is verified, so a dishonest payee gains one price (A5.15).
//!
//! Source: PROTOCOL A5.13, A10.7, A0.6.

#![warn(clippy::arithmetic_side_effects)]

mod chunks;
mod line;
mod pay;
mod pool;
mod record;
mod refusal;
#[cfg(test)]
mod tests;

pub use chunks::{LADDER, Paid};
pub use record::{DeviceId, PoolRecord};
pub use refusal::{AdoptError, Freeze, PayError};

use super::{
    StoreToken,
    reservation::{PoolRules, PoolState, PoolStatus, PoolTerms},
    voucher::Voucher,
};
use crate::{
    amount::Amount,
    crypto::{PublicKey, SecretKey, Signed},
    id::{Address, ChainId, Height, PoolId},
    row::{self, Damaged},
    table::Table,
    time::Moment,
};
use alloc::{string::String, vec::Vec};
use line::RESERVE;
use pool::Pool;

/// Pools of one key that are not yet released. Chosen here: a listener pays one stream at a time.
pub const MAX_POOLS: usize = 64;

/// Targets of one pool. Chosen here: ten times the peers that a swarm keeps in an hour.
pub const MAX_TARGETS: usize = 1024;

/// What happened outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// The write is durable.
    Stored(StoreToken),
    /// The newest settled height.
    Tip(Height),
    /// Time moved on; nothing else happened.
    Tick,
}

/// What the parent must do, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Write durably under this name, or remove it; then say `Stored`.
    Store(StoreToken, String, Option<Vec<u8>>),
    /// Send the transaction that opens this pool.
    Create(PoolTerms),
    /// Give the voucher to its target.
    Voucher(Address, Signed<Voucher>),
}

/// The paying side of every pool of one key.
#[derive(Debug)]
pub struct Payer {
    chain: ChainId,
    key: SecretKey,
    public: PublicKey,
    address: Address,
    device: DeviceId,
    rules: PoolRules,
    pools: Table<PoolId, Pool>,
    waiting: Table<StoreToken, Waiting>,
    tip: Height,
    next_token: u64,
}

/// What a write is for.
#[derive(Clone, Copy, Debug)]
enum Waiting {
    Terms(PoolId),
    Line(PoolId, Address),
}

impl Payer {
    /// Makes the payer of `key` from everything that was stored under names that [`Payer::owns`]. Rows that are not
    /// this device's, or are damaged, freeze their pool.
    pub fn new(
        chain: ChainId,
        key: SecretKey,
        device: DeviceId,
        rules: PoolRules,
        stored: impl IntoIterator<Item = row::Row>,
    ) -> Self {
        let public = key.public();
        let address = Address::of(&public);
        let (pools, waiting) = (Table::new(), Table::new());
        let (tip, next_token) = (Height::default(), 0);
        let mut payer =
            Self { chain, key, public, address, device, rules, pools, waiting, tip, next_token };
        for (name, bytes) in stored {
            payer.restore(&name, bytes);
        }
        for pool in payer.pools.values_mut().filter(|pool| pool.terms.is_none()) {
            pool.freeze.get_or_insert(Freeze::Damaged);
        }
        payer
    }

    /// Returns whether a stored name is a payer's.
    pub fn owns(name: &str) -> bool {
        record::parse_name(name).is_some()
    }

    /// Returns the address that pays.
    pub const fn address(&self) -> Address {
        self.address
    }

    /// Applies one input. Never fails; unknown tokens are ignored.
    pub fn handle(&mut self, _now: Moment, input: Input, out: &mut Vec<Output>) {
        match input {
            Input::Stored(token) => match self.waiting.remove(&token) {
                Some(Waiting::Terms(id)) => self.terms_stored(id, out),
                Some(Waiting::Line(id, target)) => self.line_stored(id, target, out),
                None => {}
            },
            Input::Tip(height) => self.tip = self.tip.max(height),
            Input::Tick => {}
        }
    }

    /// Returns `None`: a payer's deadlines are block heights (A0.8).
    pub const fn deadline(&self) -> Option<Moment> {
        None
    }

    /// Starts a pool: stores its terms, then orders its creation. The parent adds the transaction and its fee. A pool
    /// of the same stream and deposit that was refused before is ordered again instead.
    ///
    /// # Errors
    /// [`AdoptError`]: not this key's terms, terms that the chain would refuse, a pool that exists, or too many pools.
    pub fn open(&mut self, terms: PoolTerms, out: &mut Vec<Output>) -> Result<PoolId, AdoptError> {
        if terms.creator != self.public {
            return Err(AdoptError::NotOurs);
        }
        terms.open(&self.rules, self.tip).map_err(AdoptError::Terms)?;
        let (rules, tip) = (&self.rules, self.tip);
        let refused = (self.pools.iter_mut())
            .find_map(|(id, pool)| Some((*id, pool.ask_again(&terms, rules, tip)?)));
        if let Some((id, again)) = refused {
            out.push(Output::Create(again));
            return Ok(id);
        }
        let id = terms.id(self.chain);
        if self.pools.contains_key(&id) {
            return Err(AdoptError::Exists);
        }
        if self.pools.len() >= MAX_POOLS {
            return Err(AdoptError::TooManyPools);
        }
        let record = PoolRecord { device: self.device, terms: terms.clone() };
        self.pools.insert(id, Pool::new(Some(terms)));
        let token = self.wait_for(Waiting::Terms(id));
        out.push(Output::Store(token, record::pool_name(&id), Some(record.to_bytes())));
        Ok(id)
    }

    /// Takes over a pool that this key opened on a device whose rows are lost. It is stored as another device's, so that nothing
    /// is ever signed for it (A5.13). Returns whether it is new.
    ///
    /// # Errors
    /// [`AdoptError::NotOurs`], [`AdoptError::TooManyPools`]. The parent has proven that there is such a pool.
    pub fn found(&mut self, terms: PoolTerms, out: &mut Vec<Output>) -> Result<bool, AdoptError> {
        if terms.creator != self.public {
            return Err(AdoptError::NotOurs);
        }
        let id = terms.id(self.chain);
        if self.pools.contains_key(&id) {
            return Ok(false);
        }
        if self.pools.len() >= MAX_POOLS {
            return Err(AdoptError::TooManyPools);
        }
        let device = DeviceId(self.device.0.map(|byte| !byte));
        let record = PoolRecord { device, terms: terms.clone() };
        let freeze = Some(Freeze::OtherDevice);
        self.pools.insert(id, Pool { freeze, ..Pool::new(Some(terms)) });
        let token = self.fresh_token();
        out.push(Output::Store(token, record::pool_name(&id), Some(record.to_bytes())));
        Ok(true)
    }

    /// Takes a pool's proven state at a height, the first or a newer one. A pool that this device did not open, or of
    /// which the chain paid more than this device promised, is frozen. A closed pool is forgotten.
    ///
    /// # Errors
    /// [`AdoptError`]. The parent proves the state before it calls this.
    pub fn adopt(
        &mut self,
        id: PoolId,
        state: PoolState,
        height: Height,
        out: &mut Vec<Output>,
    ) -> Result<(), AdoptError> {
        if state.creator != self.public {
            return Err(AdoptError::NotOurs);
        }
        if state.status == PoolStatus::Closed {
            self.forget(id, out);
            return Err(AdoptError::Closed);
        }
        if !self.pools.contains_key(&id) {
            if self.pools.len() >= MAX_POOLS {
                return Err(AdoptError::TooManyPools);
            }
            // The chain knows a pool of ours that our storage does not: never sign for it.
            let lost = Pool { freeze: Some(Freeze::Unknown), ..Pool::new(None) };
            self.pools.insert(id, lost);
        }
        let Some(pool) = self.pools.get_mut(&id) else { return Err(AdoptError::TooManyPools) };
        if pool.proven.as_ref().is_some_and(|(_, newest)| *newest > height) {
            return Err(AdoptError::Stale);
        }
        let promised = pool.promised(None).unwrap_or(Amount::ZERO);
        if state.paid_total > promised {
            pool.freeze.get_or_insert(Freeze::RolledBack);
        }
        if matches!(state.status, PoolStatus::Insolvent(_)) {
            pool.freeze = Some(Freeze::Insolvent);
        }
        pool.proven = Some((state, height));
        pool.refusal = None;
        pool.freeze.map_or(Ok(()), |freeze| Err(AdoptError::Frozen(freeze)))
    }

    /// A pool that was opened here is refused, by the account or by the node, for this reason. It is not ordered again
    /// until the application opens one like it, or a restart finds it stored.
    pub fn refuse(&mut self, id: PoolId, code: &'static str) {
        if let Some(pool) = self.pools.get_mut(&id).filter(|pool| pool.proven.is_none()) {
            pool.refusal = Some(code);
        }
    }

    /// Returns why a pool was not opened, by stable code.
    pub fn refusal(&self, id: PoolId) -> Option<&'static str> {
        self.pools.get(&id)?.refusal
    }

    /// The chain is proven not to hold a pool that was opened here: its transaction was lost. Orders it again unless it
    /// was refused, or forgets the pool if it is too late for that. Nothing was promised: only proven pools are signed
    /// for.
    pub fn absent(&mut self, id: PoolId, out: &mut Vec<Output>) {
        let Some(pool) = self.pools.get(&id).filter(|pool| pool.proven.is_none()) else { return };
        let is_stored = !self.waiting.values().any(|waiting| waiting.pool() == id);
        match pool.terms.clone().filter(|terms| terms.open(&self.rules, self.tip).is_ok()) {
            Some(terms) if is_stored && pool.freeze.is_none() && pool.refusal.is_none() => {
                out.push(Output::Create(terms));
            }
            Some(_) => {}
            None => self.forget(id, out),
        }
    }

    /// Returns the terms, and the proven state with its height, of a pool.
    pub fn pool(&self, id: PoolId) -> Option<(&PoolTerms, Option<&(PoolState, Height)>)> {
        self.pools.get(&id).and_then(|pool| Some((pool.terms.as_ref()?, pool.proven.as_ref())))
    }

    /// Returns the proven state of a pool, of one whose terms were lost, too.
    pub fn proven(&self, id: PoolId) -> Option<&PoolState> {
        Some(&self.pools.get(&id)?.proven.as_ref()?.0)
    }

    /// Returns whether a pool is of this key and not over.
    pub fn has(&self, id: PoolId) -> bool {
        self.pools.contains_key(&id)
    }

    /// Returns every pool of this key and why it is frozen, if it is.
    pub fn pools(&self) -> impl Iterator<Item = (PoolId, Option<Freeze>)> {
        self.pools.iter().map(|(id, pool)| (*id, pool.freeze))
    }

    /// Returns all that was promised from a pool, stored or about to be.
    pub fn promised(&self, id: PoolId) -> Amount {
        self.pools.get(&id).and_then(|pool| pool.promised(None)).unwrap_or(Amount::ZERO)
    }

    /// Returns all that the application agreed to pay from a pool: what is promised, but for ticks that are only reserved.
    pub fn agreed(&self, id: PoolId) -> Amount {
        let lines = self.pools.get(&id).map(|pool| pool.lines.values().map(line::Line::wanted));
        lines.into_iter().flatten().sum()
    }

    /// Returns what the application agreed to pay from a pool and is not proven paid.
    pub fn owed(&self, id: PoolId) -> Amount {
        let proven = self.pools.get(&id).and_then(|pool| pool.proven.as_ref());
        let paid = proven.map_or(Amount::ZERO, |(state, _)| state.paid_total);
        self.agreed(id).saturating_sub(paid)
    }

    fn terms_stored(&self, id: PoolId, out: &mut Vec<Output>) {
        let terms = self.pools.get(&id).and_then(|pool| pool.terms.clone());
        out.extend(terms.map(Output::Create));
    }

    fn wait_for(&mut self, what: Waiting) -> StoreToken {
        let token = self.fresh_token();
        self.waiting.insert(token, what);
        token
    }

    const fn fresh_token(&mut self) -> StoreToken {
        let token = StoreToken(self.next_token);
        self.next_token = self.next_token.saturating_add(1);
        token
    }

    /// Removes every row of a closed pool: its id can never be used again.
    fn forget(&mut self, id: PoolId, out: &mut Vec<Output>) {
        let Some(pool) = self.pools.remove(&id) else { return };
        self.waiting.retain(|_, waiting| waiting.pool() != id);
        let lines = pool.lines.keys().map(|target| record::line_name(&id, target));
        // The pool's own row goes last: a crash between leaves it known.
        for name in lines.chain([record::pool_name(&id)]) {
            out.push(Output::Store(self.fresh_token(), name, None));
        }
    }

    fn restore(&mut self, name: &str, bytes: Result<Vec<u8>, Damaged>) {
        let Some(row) = record::parse_name(name) else { return };
        let id = row.pool();
        let pool = self.pools.entry(id).or_insert_with(|| Pool::new(None));
        pool.restore((self.chain, id, self.device), row, bytes);
    }
}

impl Waiting {
    const fn pool(self) -> PoolId {
        match self {
            Self::Terms(id) | Self::Line(id, _) => id,
        }
    }
}
