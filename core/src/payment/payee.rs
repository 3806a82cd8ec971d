//! Takes vouchers for chunks served: bounded credit, bounded exposure, settlement in time.
//!
//! ```text
//! Offered --NeedPool--> Proven --Voucher--> checks --> Store --Stored--> Credit ... Settle --Proven--> Settled
//!    '-- serve: a few chunks on credit, then only what vouchers cover and one window more
//! ```
//!
//! A pool is one book: what its creator promised us, what the chain is proven to have paid, and the difference, the
//! exposure, which is all that can be lost (A5.15). A peer is one account: chunks served to it against what its
//! vouchers brought. A voucher that comes before the pool is proven waits, one a peer.
//!
//! Source: PROTOCOL A5.14, A5.15, A10.7.

#![warn(clippy::arithmetic_side_effects)]

mod account;
mod book;
mod fault;
mod offer;
mod policy;
mod review;
#[cfg(test)]
mod tests;
mod view;

pub use account::MAX_ACCOUNTS;
pub use fault::{Fault, ServeError};
pub use policy::PayeePolicy;
pub use view::{BookView, ProvenView};

use super::{
    StoreToken,
    reservation::{PaidState, PoolRules, PoolState},
    tick::Preimage,
    voucher::Promise,
};
use crate::{
    amount::Amount,
    chain::Level,
    id::{Address, ChainId, Height, PeerId, PoolId, StreamId},
    row::Row,
    table::Table,
    time::Moment,
};
use account::Accounts;
use alloc::{boxed::Box, string::String, vec::Vec};
use book::{Book, Offer, name, parse_name};

/// Pools that are followed at once. Chosen here: beyond the peers of a swarm, with those of the last streams.
pub const MAX_BOOKS: usize = 256;

/// Blocks after which an unanswered question is asked again. Chosen here.
const RETRY_BLOCKS: u64 = 4;

/// What happened outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// The peer says that it pays from this pool.
    Offered(PeerId, PoolId),
    /// The chain proved a pool.
    Proven(PoolId, Box<Proof>),
    /// The peer sent the bytes of a compact voucher.
    Voucher(PeerId, Vec<u8>),
    /// The peer revealed a tick of its newest voucher.
    Revealed(PeerId, Preimage),
    /// The peer's link closed.
    Left(PeerId),
    /// The write is durable.
    Stored(StoreToken),
    /// The newest settled height.
    Tip(Height),
    /// Time moved on; nothing else happened.
    Tick,
}

/// A pool and our row in it, proven under one header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The pool.
    pub state: PoolState,
    /// What we settled from it; zeros if proven absent.
    pub paid: PaidState,
    /// The header's height.
    pub height: Height,
    /// How far the header is believed; only settled and final count.
    pub level: Level,
}

/// What the parent must do, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Ask the chain for a proof of this pool and of our row in it.
    NeedPool(PoolId),
    /// Write durably under this name, or remove it; then say `Stored`.
    Store(StoreToken, String, Option<Vec<u8>>),
    /// The peer paid this much more, durably.
    Credit(PeerId, Amount),
    /// The peer's voucher was refused.
    Fault(PeerId, Fault),
    /// Send the transaction that settles this promise, or claims it of an insolvent pool.
    Settle(Promise),
    /// Send the transaction that collects our share of an insolvent pool.
    Collect(PoolId),
    /// The pool is proven insolvent; this much is promised to us and not paid. Said once.
    Insolvent(PoolId, Amount),
    /// The chain is proven to have paid this in total.
    Settled(PoolId, PaidState),
    /// The pool ended, or its insolvency did, and this much that was promised is not paid.
    Lost(PoolId, Amount),
}

/// The earning side of one address.
#[derive(Debug)]
pub struct Payee {
    chain: ChainId,
    me: Address,
    rules: PoolRules,
    policy: PayeePolicy,
    books: Table<PoolId, Book>,
    accounts: Accounts,
    waiting: Table<StoreToken, PoolId>,
    tip: Option<Tip>,
    /// Pay days until the tip (AME-24).
    pay_days: u64,
    next_token: u64,
}

/// What we know about the chain's progress.
#[derive(Clone, Copy, Debug)]
struct Tip {
    height: Height,
    seen: Moment,
    is_stalled: bool,
}

impl Payee {
    /// Makes the payee of `me` from everything that was stored under names that [`Payee::owns`]. A damaged row freezes
    /// its pool: an old voucher would pass for a new one. Rows that the pool's creator did not sign go when the pool is
    /// proven.
    pub fn new(
        chain: ChainId,
        me: Address,
        rules: PoolRules,
        policy: PayeePolicy,
        stored: impl IntoIterator<Item = Row>,
    ) -> Self {
        let held = stored.into_iter().filter_map(|(name, bytes)| {
            let pool = parse_name(&name)?;
            Some((pool, Book::restored(pool, me, bytes)?))
        });
        let books = held.take(MAX_BOOKS).collect();
        let (accounts, waiting) = (Accounts::default(), Table::new());
        let (tip, pay_days, next_token) = (None, 0, 0);
        Self { chain, me, rules, policy, books, accounts, waiting, tip, pay_days, next_token }
    }

    /// Returns whether a stored name is a payee's.
    pub fn owns(name: &str) -> bool {
        parse_name(name).is_some()
    }

    /// Says what a peer is served and at what price a chunk, before it is served; again when either changes.
    ///
    /// # Errors
    /// [`ServeError::TooManyPeers`].
    pub fn set_terms(
        &mut self,
        peer: PeerId,
        resource: StreamId,
        price: Amount,
    ) -> Result<(), ServeError> {
        let account = self.accounts.come(peer).ok_or(ServeError::TooManyPeers)?;
        account.set_terms(resource, price);
        Ok(())
    }

    /// Checks whether `peer` may have one more chunk.
    ///
    /// # Errors
    /// [`ServeError`] says why the peer must wait.
    pub fn check(&self, peer: PeerId) -> Result<(), ServeError> {
        let account = self.accounts.get(&peer).ok_or(ServeError::NoTerms)?;
        let Some((resource, price)) = account.terms() else { return Err(ServeError::NoTerms) };
        if price.is_zero() {
            return Ok(());
        }
        let book = account.pool().and_then(|pool| self.books.get(&pool));
        let owed = account.owed_with(price).ok_or(ServeError::Unpaid { owed: account.owed() })?;
        let chunks = if account.has_paid() {
            let (book, tip) = book.zip(self.tip).ok_or(ServeError::Unproven)?;
            if tip.is_stalled {
                return Err(ServeError::ChainStalled);
            }
            let offer = self.offer(resource, price, tip.height);
            book.check_more(&offer, owed).map_err(ServeError::Pool)?;
            self.policy.unpaid_chunks
        } else {
            self.policy.free_chunks
        };
        if price.checked_mul(chunks.into()).is_none_or(|limit| owed > limit) {
            return Err(ServeError::Unpaid { owed: account.owed() });
        }
        Ok(())
    }

    /// Counts one more chunk served to `peer`, if its credit allows that.
    ///
    /// # Errors
    /// [`ServeError`] as [`Payee::check`]; nothing is counted then.
    pub fn serve(&mut self, peer: PeerId) -> Result<(), ServeError> {
        self.check(peer)?;
        let account = self.accounts.get_mut(&peer).ok_or(ServeError::NoTerms)?;
        if let Some((_, price)) = account.terms().filter(|(_, price)| !price.is_zero()) {
            account.serve(price);
        }
        Ok(())
    }

    /// Orders the settlement of everything that is promised and not paid, however little.
    pub fn settle(&mut self, out: &mut Vec<Output>) {
        let Some(tip) = self.tip else { return };
        for book in self.books.values_mut() {
            out.extend(book.settle(tip.height).map(Output::Settle));
        }
    }

    /// Applies one input. Never fails; what a peer did wrong is [`Output::Fault`].
    pub fn handle(&mut self, now: Moment, input: Input, out: &mut Vec<Output>) {
        match input {
            Input::Offered(peer, pool) => self.offered(peer, pool, out),
            Input::Proven(pool, proof) => self.proven(pool, *proof, out),
            Input::Voucher(peer, bytes) => self.voucher(peer, bytes, out),
            Input::Revealed(peer, preimage) => self.revealed(peer, preimage, out),
            Input::Left(peer) => {
                let Some(account) = self.accounts.get_mut(&peer) else { return };
                account.leave();
                if let Some(pool) = account.pool() {
                    self.store_next(pool, self.least(pool), out);
                }
            }
            Input::Stored(token) => self.stored(token, out),
            Input::Tip(height) => self.advance(now, height, out),
            Input::Tick => {
                let patience = self.policy.tip_patience;
                if let Some(tip) = self.tip.as_mut().filter(|tip| tip.seen.after(patience) <= now) {
                    // Blocks are withheld from us: take what we have (ADVERSARIAL case 22).
                    tip.is_stalled = true;
                    self.review(out);
                }
            }
        }
    }

    /// Returns when the chain counts as stalled, unless a new tip comes first.
    pub fn deadline(&self) -> Option<Moment> {
        let tip = self.tip.filter(|tip| !tip.is_stalled)?;
        Some(tip.seen.after(self.policy.tip_patience))
    }

    /// Returns every pool as an application may show it.
    pub fn view(&self) -> Vec<BookView> {
        self.books
            .iter()
            .map(|(pool, book)| view::of(*pool, book, &self.rules, &self.policy))
            .collect()
    }

    /// Returns what a peer's vouchers brought since its first offer, and what it owes beyond.
    pub fn balance(&self, peer: PeerId) -> (Amount, Amount) {
        let account = self.accounts.get(&peer);
        account.map_or_else(Default::default, |account| (account.credited(), account.owed()))
    }

    fn revealed(&mut self, peer: PeerId, preimage: Preimage, out: &mut Vec<Output>) {
        match self.tick(peer, preimage, out) {
            // It counts as soon as its voucher is stored.
            Ok(()) | Err(Fault::Early) => {}
            Err(fault) => out.push(Output::Fault(peer, fault)),
        }
    }

    fn voucher(&mut self, peer: PeerId, bytes: Vec<u8>, out: &mut Vec<Output>) {
        if let Err(fault) = self.try_voucher(peer, bytes, out) {
            out.push(Output::Fault(peer, fault));
        }
    }

    fn try_voucher(
        &mut self,
        peer: PeerId,
        bytes: Vec<u8>,
        out: &mut Vec<Output>,
    ) -> Result<(), Fault> {
        let compact = book::decode(&bytes)?;
        let account = self.accounts.get(&peer).ok_or(Fault::NoPool)?;
        let pool = account.pool().ok_or(Fault::NoPool)?;
        let (resource, price) = account.terms().ok_or(Fault::NoTerms)?;
        let offer = self.tip.map(|tip| self.offer(resource, price, tip.height));
        let book = self.books.get_mut(&pool).ok_or(Fault::NoPool)?;
        let Some(offer) = offer.filter(|_| book.proof().is_some()) else {
            if let Some(account) = self.accounts.get_mut(&peer) {
                account.hold(bytes);
            }
            return Ok(());
        };
        let accepted = book.accept(pool, &compact, &offer);
        if accepted == Err(Fault::NotFinal) && book.ask(Some(offer.height)) {
            out.push(Output::NeedPool(pool));
        }
        book.queue(peer, accepted?);
        self.store_next(pool, self.policy.unsaved_ticks, out);
        Ok(())
    }

    /// Starts the write of the best promise, unless one is under way or it is only some ticks more, less than `least`.
    fn store_next(&mut self, pool: PoolId, least: u32, out: &mut Vec<Output>) {
        let book = self.books.get_mut(&pool);
        let Some(bytes) = book.and_then(|book| book.start(least)) else { return };
        let token = self.token();
        self.waiting.insert(token, pool);
        out.push(Output::Store(token, name(&pool), Some(bytes)));
    }

    fn stored(&mut self, token: StoreToken, out: &mut Vec<Output>) {
        let Some(pool) = self.waiting.remove(&token) else { return };
        let Some(book) = self.books.get_mut(&pool) else { return };
        for (peer, amount) in book.stored() {
            if let Some(account) = self.accounts.get_mut(&peer) {
                account.credit(amount);
            }
            out.push(Output::Credit(peer, amount));
        }
        if let Some((peer, preimage)) = self.books.get_mut(&pool).and_then(Book::take_early) {
            self.revealed(peer, preimage, out);
        }
        self.store_next(pool, self.least(pool), out);
        self.review(out);
    }

    /// Returns how many ticks are worth a write: any, once nobody is here of whom more will come, also where that one left
    /// while a write was under way.
    fn least(&self, pool: PoolId) -> u32 {
        if self.accounts.pay_from(pool) { self.policy.unsaved_ticks } else { 1 }
    }

    /// Checks the vouchers that waited for a proof, or for the first tip.
    fn take_held(&mut self, out: &mut Vec<Output>) {
        for (peer, bytes, tick) in self.accounts.take_held() {
            if let Err(fault) = self.try_voucher(peer, bytes, out) {
                // Its tick is refused with it: one mistake is one fault.
                out.push(Output::Fault(peer, fault));
            } else if let Some(preimage) = tick {
                self.revealed(peer, preimage, out);
            }
        }
    }

    /// Removes a pool that can pay nothing any more.
    fn forget(&mut self, pool: PoolId, out: &mut Vec<Output>) {
        self.books.remove(&pool);
        self.waiting.retain(|_, waiting| *waiting != pool);
        let token = self.token();
        out.push(Output::Store(token, name(&pool), None));
    }

    const fn offer(&self, resource: StreamId, price: Amount, height: Height) -> Offer {
        let (chain, me, rules, policy) = (self.chain, self.me, self.rules, self.policy);
        Offer { chain, me, resource, price, height, rules, policy }
    }

    const fn token(&mut self) -> StoreToken {
        let token = StoreToken(self.next_token);
        self.next_token = self.next_token.saturating_add(1);
        token
    }
}
