//! The wallet's book: what one key owns, proven, and what it has asked of the chain.
//!
//! ```text
//! Head moved --> Ask(Prove account, pools) --Answered, proof holds--> Proven, level by level
//! command ----> queue --> Ask(Submit) --Answered--> on its way --sequence proven--> done
//!                 ^--------- 64 blocks passed, or refused ---------'
//! ```
//!
//! Nothing that a node says is entered without a proof under a head that the light client believes. One transaction
//! is on its way at a time: the next is made when the account's proven sequence shows that the last one happened.
//!
//! Source: PROTOCOL A7.6, A5.14 (pools are proven by state, not by transaction), A2.19.

mod acts;
mod fields;
mod flight;
mod proofs;
mod sent;
#[cfg(test)]
mod tests;
mod watch;

pub use fields::FieldShown;
pub use sent::{MAX_SENT, Sent};
pub use watch::Interest;

use crate::{
    amount::Amount,
    chain::{ByLevel, Level, light::Head, spec::ChainSpec, state::Account, transaction::Message},
    crypto::{AccountSecret, Hash, Signer as _},
    id::{Address, ChainId, FieldId, Height, PoolId},
    payment::{
        gift::MAX_GIFTS,
        payee::MAX_BOOKS,
        payer::MAX_POOLS,
        reservation::{PaidState, PoolState},
    },
    table::Table,
    time::{Moment, UnixMillis},
};
use alloc::{boxed::Box, vec::Vec};
use core::mem;
use flight::Flight;
use proofs::{Asked, At, POOLS_A_TURN};
use watch::Watch;

/// Pools watched at once: all that the machines may follow; a question asks about some, in turns.
pub const MAX_WATCHED: usize = MAX_POOLS + MAX_BOOKS + 2 * MAX_GIFTS;
/// Transactions that wait for their turn.
pub const MAX_QUEUE: usize = 32;
/// Settlements remembered for the application.
pub const MAX_SETTLEMENTS: usize = 64;

/// Names a query to the node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AskId(pub u64);

/// A question to the node's RPC. Results are bytes; nothing in them is believed without proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Query {
    /// `antiphon_prove`: values or absences of state keys under the state root at a height.
    Prove {
        /// The block whose state root is asked.
        height: u64,
        /// Canonical bytes of the list of keys.
        keys: Vec<u8>,
    },
    /// `antiphon_submit`: canonical bytes of a signed transaction.
    Submit(Vec<u8>),
    /// `antiphon_faucet`, on dev chains only.
    Faucet(Address),
    /// `antiphon_closedFields`: what the header at this height commits of the fields that its block closed.
    Closed(u64),
    /// `antiphon_watch`, of the watch-tower: canonical bytes of a sealed state. Answered with what it
    /// has of the field: id, version and round, in 40 bytes.
    Watch(Vec<u8>),
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// The light client's newest head of a level.
    Head(Box<Head>),
    /// The node answered.
    Answered(AskId, Vec<u8>),
    /// The node refused, with this JSON-RPC error code.
    Refused(AskId, i32),
    /// The node did not answer.
    Unreachable(AskId),
    /// Time moved on.
    Tick,
}

/// What the parent must do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Ask the node.
    Ask(AskId, Query),
    /// A watched pool is proven to be in this state, or proven absent.
    Pool(Box<PoolProof>),
    /// A watched field is proven to be in this state, or proven absent.
    Field(Box<FieldShown>),
    /// Something was refused: by us (a proof that proves nothing) or by the node.
    Trouble(&'static str),
    /// The node will not take the transaction that opens this pool; it is not sent again. Stable code.
    PoolRefused(PoolId, &'static str),
    /// What the application sees changed.
    Changed,
}

/// A watched pool as one head's state shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolProof {
    /// Which pool.
    pub pool: PoolId,
    /// Its state, or `None` if it is proven absent.
    pub state: Option<PoolState>,
    /// What it paid to this book's owner.
    pub paid: PaidState,
    /// How far the head is believed.
    pub level: Level,
    /// The head's height.
    pub height: Height,
    /// The head's state root.
    pub root: Hash,
    /// When the head was dated.
    pub time: UnixMillis,
}

/// A value with the head that showed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown<T> {
    /// The value.
    pub value: T,
    /// How far the head is believed.
    pub level: Level,
    /// The head's height.
    pub height: Height,
    /// The head's state root.
    pub root: Hash,
    /// When the head was dated.
    pub time: UnixMillis,
}

/// A settlement that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settlement {
    /// The pool that pays.
    pub pool: PoolId,
    /// What the voucher promises in all.
    pub cum: Amount,
    /// What of that no settlement before it has brought.
    pub gain: Amount,
    /// How far the chain is proven to have paid it.
    pub level: Option<Level>,
    /// Height of the head that showed it.
    pub height: Option<Height>,
    /// State root of that head.
    pub root: Option<Hash>,
}

/// Why a command is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BookError {
    /// The account is not proven yet.
    #[error("the account is not proven yet; wait for the chain")]
    NotReady,
    /// Too many transactions wait already.
    #[error("too many transactions wait already")]
    QueueFull,
    /// The proven balance does not cover it with the fee.
    #[error("{needed} is needed, {balance} is there")]
    Insufficient {
        /// Amount and fee.
        needed: Amount,
        /// The newest proven balance.
        balance: Amount,
    },
}

impl BookError {
    /// Returns the stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotReady => "wallet/not-ready",
            Self::QueueFull => "wallet/queue-full",
            Self::Insufficient { .. } => "wallet/insufficient",
        }
    }
}

/// What one key owns and asks.
#[derive(Debug)]
pub struct Book {
    chain: ChainId,
    /// The chain that the keys of the state name.
    state_chain: ChainId,
    key: AccountSecret,
    address: Address,
    /// The chain's fee for a signature of Ed25519.
    each: Amount,
    /// What a transaction costs that this key alone signs.
    fee: Amount,
    inclusion_margin: u64,
    heads: ByLevel<Head>,
    /// Height last asked for, by level.
    asked_height: ByLevel<Height>,
    asked: Table<AskId, Asked>,
    account: ByLevel<Shown<Account>>,
    watched: Watch<PoolId, PoolProof>,
    fields: Watch<FieldId, FieldShown>,
    settlements: Vec<Settlement>,
    sent: Vec<Sent>,
    queue: Vec<Message>,
    /// How many at the head of the queue go by themselves: one of them was refused when they went together.
    alone: usize,
    flight: Option<Flight>,
    /// Height of the head that showed the last flight landed.
    landed_at: Height,
    next_ask: u64,
    /// A pool was added to the watch; the newest heads are asked again.
    is_urgent: bool,
    /// The balance when the faucet was asked, until more is proven.
    gift_before: Option<Amount>,
    /// The faucet did not answer: it is asked again at the next head, unless the money came all the same.
    is_gift_lost: bool,
}

impl Book {
    /// Opens the book of `key` on the chain of `spec`.
    pub fn new(key: impl Into<AccountSecret>, spec: &ChainSpec) -> Self {
        let key = key.into();
        let name = key.account_key();
        Self {
            chain: spec.chain_id(),
            state_chain: spec.state_chain(),
            address: name.address(),
            each: spec.fee,
            fee: spec.fee.checked_mul(name.checks()).unwrap_or(spec.fee),
            key,
            inclusion_margin: spec.pool.inclusion_margin,
            heads: ByLevel::new(),
            asked_height: ByLevel::new(),
            asked: Table::new(),
            account: ByLevel::new(),
            watched: Watch::new(),
            fields: Watch::new(),
            settlements: Vec::new(),
            sent: Vec::new(),
            queue: Vec::new(),
            alone: 0,
            flight: None,
            landed_at: Height(0),
            next_ask: 0,
            is_urgent: false,
            gift_before: None,
            is_gift_lost: false,
        }
    }

    /// Applies one input. Never fails: a node's lies are [`Output::Trouble`].
    pub fn handle(&mut self, now: Moment, input: Input, out: &mut Vec<Output>) {
        match input {
            Input::Head(head) => {
                let old = self.heads.get(head.level).map(|old| old.header.height);
                if old.is_none_or(|old| old < head.header.height) {
                    self.heads.set(head.level, *head);
                }
                if mem::take(&mut self.is_gift_lost) && self.gift_before.is_some() {
                    self.ask_faucet(out);
                }
            }
            Input::Answered(id, bytes) => self.answered(id, &bytes, out),
            Input::Refused(id, code) => self.refused(now, id, code, out),
            Input::Unreachable(id) => self.unreachable(now, id),
            Input::Tick => {}
        }
        self.fly(now, out);
        self.ask_proofs(out);
    }

    /// Returns when [`Input::Tick`] is next needed.
    pub fn deadline(&self) -> Option<Moment> {
        self.flight.as_ref().and_then(|flight| flight.again_at)
    }

    /// Returns whose book it is.
    pub const fn address(&self) -> Address {
        self.address
    }

    /// Returns the account as shown by the newest head believed at least to `level`.
    pub fn account(&self, level: Level) -> Option<&Shown<Account>> {
        self.account.at_least(level).max_by_key(|shown| shown.height)
    }

    /// Returns a watched pool as shown by the newest head believed at least to `level`.
    pub fn pool(&self, pool: PoolId, level: Level) -> Option<&PoolProof> {
        self.watched.get(&pool)?.at_least(level).max_by_key(|proof| proof.height)
    }

    /// Returns the settlements that were asked for, oldest first.
    pub fn settlements(&self) -> &[Settlement] {
        &self.settlements
    }

    /// Returns whether a transaction waits or is on its way.
    pub fn is_busy(&self) -> bool {
        self.flight.is_some() || !self.queue.is_empty()
    }

    /// Returns whether what is absent at this height may be on its way: heads of several levels are proven out of order, and
    /// one below the head that showed a transaction done says nothing against it.
    pub fn is_undecided(&self, height: Height) -> bool {
        self.is_busy() || height < self.landed_at
    }

    /// Starts to watch a pool: its state and what it paid to this key. At most [`MAX_WATCHED`] are; of those, one that was
    /// only named gives way to one of ours.
    pub fn watch(&mut self, pool: PoolId, interest: Interest, out: &mut Vec<Output>) {
        if self.watched.add(pool, interest, MAX_WATCHED) {
            // Names cost nothing: many of them bring no more questions than heads.
            self.is_urgent |= interest == Interest::Ours || self.watched.len() <= POOLS_A_TURN;
            self.ask_proofs(out);
        }
    }

    /// Says anew what each watched pool is to us. What is nothing any more is watched until a settlement that it is proven to
    /// have paid is final, too.
    pub fn review(&mut self, interest: impl Fn(PoolId) -> Option<Interest>) {
        let settlements = &self.settlements;
        let is_rising = |pool: &PoolId| {
            let rising = |level: Level| level < Level::Final;
            settlements.iter().any(|known| known.pool == *pool && known.level.is_some_and(rising))
        };
        self.watched
            .review(|pool| interest(*pool).or_else(|| is_rising(pool).then_some(Interest::Ours)));
    }

    /// Returns every pool that is watched.
    #[cfg(test)]
    pub(crate) fn watched(&self) -> usize {
        self.watched.len()
    }

    fn next_ask(&mut self) -> AskId {
        self.next_ask = self.next_ask.saturating_add(1);
        AskId(self.next_ask)
    }

    /// Height, date and state root of the newest head of exactly this level.
    fn at(&self, level: Level) -> Option<At> {
        let header = &self.heads.get(level)?.header;
        Some(At { height: header.height, root: header.state_root, time: header.time })
    }
}
