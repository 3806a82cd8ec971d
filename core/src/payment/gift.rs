//! Gives to one payee, and takes what is given: sure as soon as the promise is stored, long before a block settles it.
//!
//! ```text
//! giver   Asked --proven--> Reserved --payee has it--> Sure --paid--> Settled --> Final
//!           the payer stores |  tells the payee with every block      '-- nobody took it --> Lapsed --> Returned
//! payee   Offered --pool proven, voucher verified, stored--> Sure --paid--> Settled --> Final
//! ```
//!
//! Why the payee is sure: the pool pays it alone, holds what is promised, ends late enough, and closes with what the payee
//! brings. The giver can sign what it likes after that. What the payee risks is that its own settlement is kept out until
//! the pool ends, as with every voucher (A5.14).
//!
//! The giver's promise is made by [`payer`](super::payer), which keeps it; here is only who must be told. The payee's row
//! is the whole promise. Words travel by link or tracker, either of which may lose them or lie about the sender: a voucher
//! is verified, and that it was taken only ends the telling.
//!
//! Source: seed 002 (aelf) §5.3.5.2, §5.3.5.3: AELF-35, AELF-37.

#![warn(clippy::arithmetic_side_effects)]

mod given;
mod received;
#[cfg(test)]
mod tests;
mod view;
mod word;

pub use received::Refusal;
pub use view::{GiftView, Stage};
pub use word::{MAX_WORD, is_word};

use super::{
    StoreToken,
    reservation::{PoolRules, PoolState, PoolTerms},
    voucher::{Promise, Voucher},
};
use crate::{
    amount::Amount,
    chain::Level,
    crypto::Signed,
    id::{Address, ChainId, Height, PoolId},
    row::Row,
    table::Table,
};
use alloc::{boxed::Box, string::String, vec::Vec};
use given::Given;
use received::{Giver, Received};

/// Gifts that are followed on one side. Chosen here: what a page can show.
pub const MAX_GIFTS: usize = 64;

/// What happened outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// Somebody who may be this address sent a word.
    Heard(Address, Vec<u8>),
    /// This address can be reached now.
    Came(Address),
    /// The chain proved a pool.
    Proven(PoolId, Box<Proof>),
    /// The chain proved that it holds no such pool at this height, and no transaction that opens it is on its way.
    Absent(PoolId, Height),
    /// The write is durable.
    Stored(StoreToken),
    /// The newest settled height.
    Tip(Height),
}

/// A pool, proven under one header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The pool.
    pub state: PoolState,
    /// The header's height.
    pub height: Height,
    /// How far the header is believed; only settled and final count.
    pub level: Level,
    /// Whether what is known of the chain is new enough to rely on (A7.6).
    pub is_fresh: bool,
}

/// What the parent must do, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Bring this word to this address, by whatever way there is.
    Tell(Address, Vec<u8>),
    /// Ask the chain for proofs of this pool, from now on.
    Need(PoolId),
    /// No proof of this pool is needed any more.
    Done(PoolId),
    /// Write durably under this name, or remove it; then say `Stored`.
    Store(StoreToken, String, Option<Vec<u8>>),
    /// Send the transaction that settles this promise: the countersignature.
    Settle(Box<Promise>),
    /// Promise the payee the whole deposit of this pool.
    Promise(PoolId, Address, Amount),
    /// Send the transaction that gives back what nobody took.
    Release(PoolId),
    /// What is offered is not a gift.
    Refused(Address, Refusal),
    /// There is something new to show.
    Changed,
}

/// What a payee asks of a gift. Its own choice, not the chain's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GiftPolicy {
    /// What a settlement costs: a gift that does not bring more is none.
    pub fee: Amount,
    /// More than this must be reserved under a final header.
    pub final_above: Amount,
}

impl GiftPolicy {
    /// Returns the defaults for a fee. Chosen here: what costs a thousand transactions waits for the guardians.
    pub fn for_fee(fee: Amount) -> Self {
        let final_above = fee.checked_mul(1000).unwrap_or(Amount::from_units(u128::MAX));
        Self { fee, final_above }
    }
}

/// What every gift of one key is judged by.
#[derive(Clone, Copy, Debug)]
struct Ground {
    chain: ChainId,
    me: Address,
    rules: PoolRules,
    policy: GiftPolicy,
    tip: Height,
}

/// The gifts of one key.
#[derive(Debug)]
pub struct Gifts {
    ground: Ground,
    given: Table<PoolId, Given>,
    received: Table<PoolId, Received>,
    waiting: Table<StoreToken, PoolId>,
    next_token: u64,
}

impl Gifts {
    /// Makes the gifts of `me` from everything that was stored under names that [`Gifts::owns`]. A damaged row is as good
    /// as none: whoever gives tells it again.
    pub fn new(
        chain: ChainId,
        me: Address,
        rules: PoolRules,
        policy: GiftPolicy,
        stored: impl IntoIterator<Item = Row>,
    ) -> Self {
        let ground = Ground { chain, me, rules, policy, tip: Height(0) };
        let held = stored.into_iter().filter_map(|(name, bytes)| {
            let pool = received::parse_name(&name)?;
            Some((pool, Received::restored(pool, me, &bytes.ok()?)?))
        });
        let received = held.take(MAX_GIFTS).collect();
        let (given, waiting) = (Table::new(), Table::new());
        Self { ground, given, received, waiting, next_token: 0 }
    }

    /// Returns whether a stored name is one of these.
    pub fn owns(name: &str) -> bool {
        received::parse_name(name).is_some()
    }

    /// Returns every pool whose proofs are wanted: after a restart, those that rows speak of.
    pub fn pools(&self) -> impl Iterator<Item = PoolId> {
        self.received.keys().chain(self.given.keys()).copied()
    }

    /// Returns whether something of ours depends on this pool.
    pub fn holds(&self, pool: PoolId) -> bool {
        self.given.get(&pool).is_some_and(|given| !given.is_over())
            || self.received.get(&pool).is_some_and(Received::is_held)
    }

    /// Returns whether somebody offers us this pool, which may not exist.
    pub fn is_offered(&self, pool: PoolId) -> bool {
        self.received.get(&pool).is_some_and(Received::is_offered)
    }

    /// Checks that one more gift could be followed.
    ///
    /// # Errors
    /// [`Refusal::TooMany`].
    pub fn check_room(&self) -> Result<(), Refusal> {
        let has_room = self.given.len() < MAX_GIFTS || self.given.values().any(Given::is_over);
        if has_room { Ok(()) } else { Err(Refusal::TooMany) }
    }

    /// A pool for one payee was ordered by this key, or found stored. Terms of other pools are none of these. What is over goes
    /// where there is no room.
    ///
    /// # Errors
    /// [`Refusal::TooMany`] as [`Gifts::check_room`]; the gift is not followed then.
    pub fn give(&mut self, terms: &PoolTerms) -> Result<(), Refusal> {
        let (Some(given), pool) = (Given::new(terms), terms.id(self.ground.chain)) else {
            return Ok(());
        };
        if !self.given.contains_key(&pool) {
            let (_, is_full) = make_room(&mut self.given, Given::is_over);
            if is_full {
                return Err(Refusal::TooMany);
            }
            self.given.insert(pool, given);
        }
        Ok(())
    }

    /// The payer's promise is durable: the payee may know it from now on. Returns whether it is one of these.
    pub fn promised(&mut self, voucher: &Signed<Voucher>, out: &mut Vec<Output>) -> bool {
        let Some(given) = self.given.get_mut(&voucher.body.pool) else { return false };
        given.promised(voucher);
        out.extend(given.tell());
        true
    }

    /// Applies one input. Never fails.
    pub fn handle(&mut self, input: Input, out: &mut Vec<Output>) {
        match input {
            Input::Heard(from, bytes) => self.heard(from, &bytes, out),
            Input::Came(who) => {
                let theirs = self.given.values().filter(|given| given.payee() == who);
                out.extend(theirs.filter_map(Given::tell));
            }
            Input::Proven(pool, proof) if proof.level >= Level::Settled => {
                self.given_proven(pool, &proof, out);
                self.received_proven(pool, &proof, out);
            }
            Input::Proven(..) => {}
            Input::Absent(pool, height) => {
                let given = self.given.get_mut(&pool);
                if given.is_some_and(|given| given.absent(height)) {
                    out.extend([Output::Changed, Output::Done(pool)]);
                }
            }
            Input::Stored(token) => {
                let Some(pool) = self.waiting.remove(&token) else { return };
                let Some(received) = self.received.get_mut(&pool) else { return };
                out.extend(received.stored(&self.ground));
            }
            Input::Tip(height) => self.advance(height, out),
        }
    }

    /// Returns every gift as an application may show it.
    pub fn view(&self) -> Vec<GiftView> {
        let given = self.given.iter().map(|(pool, given)| given.view(*pool, &self.ground));
        let received = self.received.iter().map(|(pool, received)| received.view(*pool));
        given.chain(received).collect()
    }

    fn heard(&mut self, from: Address, bytes: &[u8], out: &mut Vec<Output>) {
        let (pool, nonce, compact) =
            match word::read(self.ground.chain, (self.ground.me, from), bytes) {
                Ok(word::Word::Offer(pool, nonce, compact)) => (pool, nonce, compact),
                Ok(word::Word::Taken(pool)) => {
                    let given = self.given.get_mut(&pool).filter(|given| given.payee() == from);
                    if given.is_some_and(Given::taken) {
                        out.push(Output::Changed);
                    }
                    return;
                }
                Err(error) => return out.push(Output::Refused(from, Refusal::Malformed(error))),
            };
        if let Some(received) = self.received.get(&pool) {
            // It may not know that we have it: the answer was lost, or we were away.
            return out.extend(received.thank());
        }
        let (gone, is_full) = make_room(&mut self.received, Received::may_go);
        out.extend(gone.map(Output::Done));
        if is_full {
            return out.push(Output::Refused(from, Refusal::TooMany));
        }
        let giver = Giver { address: from, nonce };
        self.received.insert(pool, Received::offered(giver, compact, self.ground.tip));
        out.extend([Output::Need(pool), Output::Changed]);
    }

    fn given_proven(&mut self, pool: PoolId, proof: &Proof, out: &mut Vec<Output>) {
        if let Some(given) = self.given.get_mut(&pool) {
            given.proven(pool, proof, &self.ground, out);
        }
    }

    fn received_proven(&mut self, pool: PoolId, proof: &Proof, out: &mut Vec<Output>) {
        let Some(received) = self.received.get_mut(&pool) else { return };
        match received.proven(pool, proof, &self.ground, out) {
            Ok(None) => {}
            Ok(Some(promise)) => {
                let token = StoreToken(self.next_token);
                self.next_token = self.next_token.saturating_add(1);
                self.waiting.insert(token, pool);
                out.push(Output::Store(token, received::name(&pool), Some(promise)));
            }
            Err(refusal) => {
                let from = received.from();
                self.received.remove(&pool);
                out.extend([Output::Refused(from, refusal), Output::Done(pool), Output::Changed]);
            }
        }
        if self.received.get(&pool).is_some_and(Received::row_is_spent) {
            let token = StoreToken(self.next_token);
            self.next_token = self.next_token.saturating_add(1);
            out.push(Output::Store(token, received::name(&pool), None));
            out.push(Output::Done(pool));
        }
    }

    fn advance(&mut self, height: Height, out: &mut Vec<Output>) {
        if height <= self.ground.tip {
            return;
        }
        self.ground.tip = height;
        out.extend(self.given.values().filter_map(Given::tell));
        for received in self.received.values_mut() {
            out.extend(received.settle(&self.ground));
        }
        let stale = self.received.iter().filter(|(_, received)| received.is_stale(height));
        for pool in stale.map(|(pool, _)| *pool).collect::<Vec<_>>() {
            self.received.remove(&pool);
            out.extend([Output::Done(pool), Output::Changed]);
        }
    }
}

/// Makes room for one more, if one of them may go. Returns which went, and whether there is no room.
fn make_room<T>(table: &mut Table<PoolId, T>, may_go: fn(&T) -> bool) -> (Option<PoolId>, bool) {
    if table.len() < MAX_GIFTS {
        return (None, false);
    }
    let gone = table.iter().find(|(_, gift)| may_go(gift)).map(|(pool, _)| *pool);
    if let Some(pool) = &gone {
        table.remove(pool);
    }
    (gone, gone.is_none())
}
