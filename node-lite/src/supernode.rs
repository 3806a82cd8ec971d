//! One node: settlement, finality, ledger and waiting transactions, wired to each other. Routes and lifts, decides nothing.
//!
//! ```text
//! bytes --> wire --> bft ----execute, build----> ledger <---- mempool
//!                     |  settled                    |
//!                     +----------> guardian         |
//!                     v               v             v
//!                  one batch of writes, then Stored, then what waited for it
//! ```
//!
//! All writes of one input are one batch: a block, its state, its transactions, records and the log of signatures are
//! on disk together or not at all.

mod fault;
mod frozen;
mod lift;
mod offences;
mod query;
mod serve;
pub mod wire;

pub use fault::Fault;
pub use query::{ProveError, Status, TxStatus};

use crate::{
    bft::{self, Bft, SafetyRecord, message::Block},
    guardian::{self, GuardianMachine},
    ledger::{Ledger, Prepared, TxError},
    mempool::{AdmitError, Mempool, Now},
    storage::{SettledBlock, Storage, StorageError, Write},
    sync,
};
use antiphon_core::{
    chain::{
        header::Header,
        set::{GuardianSet, ValidatorSet},
        spec::ChainSpec,
        transaction::{SignedTransaction, decode_transaction},
    },
    codec,
    crypto::{Hash, SecretKey, bls::BlsSecretKey},
    id::{BlockId, Height, TxId},
    time::{Moment, UnixMillis},
};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    num::NonZeroUsize,
    time::Duration,
};
use wire::{Ask, MAX_ANSWER, Wire};

/// Settled ids remembered for the tip. A tip names no more.
const MAX_SETTLED: usize = antiphon_core::chain::light::MAX_TIP_BLOCKS;

/// A durable batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Token(pub u64);

/// What a node is.
#[derive(Debug)]
pub struct Config {
    /// Its chain.
    pub spec: ChainSpec,
    /// Its key if it settles.
    pub validator: Option<SecretKey>,
    /// Its key if it finalises.
    pub guardian: Option<BlsSecretKey>,
    /// Δ: how long a message between nodes may take.
    pub delta: Duration,
    /// Milliseconds since 1970 at [`Moment::ZERO`].
    pub origin_ms: u64,
    /// How guardians' shares come together.
    pub gossip: guardian::Gossip,
}

/// What a node finds on its disk.
#[derive(Debug)]
pub struct Start {
    /// The newest settled block.
    pub head: SettledBlock,
    /// Ids of settled blocks up to the head, newest last.
    pub recent: Vec<(Height, BlockId)>,
    /// The validator's record.
    pub safety: Option<SafetyRecord>,
    /// Blocks kept with votes and proposals.
    pub kept: Vec<Block>,
    /// The validators that the head commits.
    pub validators: ValidatorSet,
    /// The guardians that the newest settled checkpoint, or genesis, commits.
    pub guardians: GuardianSet,
    /// The guardian's part.
    pub guardian: guardian::Start,
    /// Where this state was synced: keys sign only for sets that were elected by a checkpoint dated later (A0.6).
    pub frozen_until: Option<UnixMillis>,
}

/// What happened outside.
#[derive(Clone, Debug)]
pub enum Input {
    /// A neighbour sent these bytes. Unverified.
    Message(bft::Peer, Vec<u8>),
    /// The neighbours are these now: peers that have proven their keys.
    Neighbours(Vec<bft::Peer>),
    /// The batch is durable.
    Stored(Token),
    /// Time moved on.
    Tick,
}

/// What the host must do, in order.
#[derive(Clone, Debug)]
pub enum Output {
    /// Write all of this durably in one batch, then report [`Input::Stored`].
    Store(Token, Vec<Write>),
    /// Send these bytes to every other node.
    Broadcast(Vec<u8>),
    /// Send these bytes to one node.
    Send(bft::Peer, Vec<u8>),
    /// Something went wrong, here or elsewhere; for the log and for evidence.
    Fault(Fault),
}

/// Who waits for a batch.
#[derive(Debug)]
enum Waiting {
    Bft(bft::Token),
    Guardian(guardian::Token),
    /// A settled block.
    Ledger(BlockId),
}

/// One node over a store that it reads.
#[derive(Debug)]
pub struct Supernode<S> {
    bft: Bft,
    /// What the settlement of every term shares, its set aside.
    pace: bft::Config,
    key: Option<SecretKey>,
    frozen_until: Option<UnixMillis>,
    /// The guardian's key as long as it must not sign.
    frozen_guardian: Option<BlsSecretKey>,
    serves: serve::Serves,
    /// The guardian's key, where proposals must reveal something signed with it (A3.2).
    beacon: Option<BlsSecretKey>,
    guardian: GuardianMachine,
    ledger: Ledger<S>,
    mempool: Mempool,
    settled: VecDeque<(Height, BlockId)>,
    /// Headers of the newest of them that settled in this life, for news.
    settled_headers: VecDeque<Header>,
    /// What was last written to the log of signatures: height of the vote, epoch of the proposal.
    logged: (Height, u64),
    batch: Vec<Write>,
    waiting: Vec<Waiting>,
    in_flight: BTreeMap<Token, Vec<Waiting>>,
    next_token: u64,
    stopped: bool,
    /// The execution of the own proposal, until its block comes to be executed.
    prepared: Option<Prepared>,
    /// Names of the offences that are kept.
    offences: BTreeSet<Hash>,
}

impl<S: Storage> Supernode<S> {
    /// Starts a node from what is on its disk.
    ///
    /// # Errors
    /// [`StorageError`] for a store that lacks what it should have, or a spec whose sets no chain may have.
    pub fn new(
        now: Moment,
        config: Config,
        store: S,
        start: Start,
        out: &mut Vec<Output>,
    ) -> Result<Self, StorageError> {
        let Config { spec, validator, guardian, delta, origin_ms, gossip } = config;
        let chain = spec.chain_id();
        let bad_set = || StorageError(String::from("the chain spec has a set no chain may have"));
        let interval = spec.checkpoint_interval;
        let beacon = guardian.clone().filter(|_| spec.has_beacon());
        let may_sign = |since| frozen::may_sign_since(&store, start.frozen_until, since);
        let (acts, finalises) =
            (may_sign(start.validators.since)?, may_sign(start.guardians.since)?);
        let (guardian, frozen_guardian) =
            if finalises { (guardian, None) } else { (None, guardian) };
        let of = guardian::Config { chain, interval, gossip };
        let finality = GuardianMachine::new(of, start.guardians, guardian, start.guardian)
            .ok_or_else(bad_set)?;
        let pace = bft::Config {
            chain,
            validators: start.validators,
            order: spec.order,
            checkpoint_interval: interval,
            block_time: Duration::from_millis(spec.block_ms),
            delta,
            drift: spec.drift,
            origin_ms,
        };
        let logged = logged(start.safety.as_ref());
        let offences = offences::names(&store)?;
        let ledger = Ledger::open(spec, store, &start.head)?;
        let begin = bft::Start {
            root: start.head.block.signed.header,
            certificate: start.head.certificate,
            recent: start.recent.clone(),
            record: start.safety,
            kept: start.kept,
        };
        let mut outputs = Vec::new();
        let acting = validator.clone().filter(|_| acts);
        let bft = Bft::new(now, pace.clone(), begin, acting, &mut outputs).ok_or_else(bad_set)?;
        let mut node = Self {
            bft,
            pace,
            key: validator,
            frozen_until: start.frozen_until,
            frozen_guardian,
            serves: serve::Serves::default(),
            beacon,
            guardian: finality,
            ledger,
            mempool: Mempool::default(),
            settled: start.recent.into(),
            settled_headers: VecDeque::new(),
            logged,
            batch: Vec::new(),
            waiting: Vec::new(),
            in_flight: BTreeMap::new(),
            next_token: 0,
            stopped: false,
            prepared: None,
            offences,
        };
        node.lift_bft(now, outputs, out);
        node.flush(out);
        Ok(node)
    }

    /// Lets blocks be executed on at most so many threads. The results are the same.
    pub const fn use_workers(&mut self, workers: NonZeroUsize) {
        self.ledger.use_workers(workers);
    }

    /// Applies one input and appends what the host must do to `out`. Never fails.
    pub fn handle(&mut self, now: Moment, input: Input, out: &mut Vec<Output>) {
        if self.stopped {
            return;
        }
        match input {
            Input::Message(from, bytes) => match Wire::decode(&bytes) {
                Ok(message) => self.on_wire(now, from, message, out),
                Err(_) => out.push(Output::Fault(Fault::Malformed(from))),
            },
            Input::Neighbours(neighbours) => {
                self.feed_guardian(now, guardian::Input::Neighbours(neighbours), out);
            }
            Input::Stored(token) => self.on_stored(now, token, out),
            Input::Tick => {
                self.feed_bft(now, bft::Input::Tick, out);
                self.feed_guardian(now, guardian::Input::Tick, out);
            }
        }
        self.flush(out);
    }

    /// Takes in a transaction of an application and tells the other nodes. One that is next in line and could not be
    /// included is refused at once, with the reason.
    ///
    /// # Errors
    /// [`AdmitError`].
    pub fn submit(
        &mut self,
        tx: SignedTransaction,
        out: &mut Vec<Output>,
    ) -> Result<TxId, AdmitError> {
        let (tip, height) = self.tip_block();
        match self.ledger.check(&tip, height.plus(1), &tx) {
            // Others of the sender come first, or our head lags: then only a block can tell.
            Ok(()) | Err(TxError::WrongSequence { .. } | TxError::Expired { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        let bytes = codec::encode(&tx);
        let id = tx.body.id(self.ledger.chain());
        // Whoever did not hear the answer asks again, and the answer is the same.
        let known = self.transaction(&id).map_err(TxError::from)?;
        if known != TxStatus::Unknown {
            return Ok(id);
        }
        self.admit(tx, &bytes)?;
        if let Ok(bytes) = bytes.try_into() {
            out.push(Output::Broadcast(codec::encode(&Wire::Transaction(bytes))));
        }
        Ok(id)
    }

    /// Returns when [`Input::Tick`] is next needed.
    pub fn deadline(&self) -> Option<Moment> {
        [self.bft.deadline(), self.guardian.deadline()].into_iter().flatten().min()
    }

    /// Returns whether this node has stopped on a breach of agreement or a failure of its own.
    pub const fn is_stopped(&self) -> bool {
        self.stopped || self.bft.is_halted()
    }

    fn admit(&mut self, tx: SignedTransaction, bytes: &[u8]) -> Result<TxId, AdmitError> {
        let sender = tx.body.sender.address();
        let tip = self.tip_block();
        let account = self.ledger.account(&tip.0, &sender).map_err(TxError::from)?;
        let spec = self.ledger.spec();
        let now = Now {
            chain: self.ledger.chain(),
            height: tip.1.plus(1),
            fee: spec.fee,
            sequence: account.sequence,
        };
        let admitted = self.mempool.admit(tx, &now)?;
        self.ledger.note_verified(bytes);
        Ok(admitted)
    }

    fn on_wire(&mut self, now: Moment, from: bft::Peer, message: Wire, out: &mut Vec<Output>) {
        match message {
            Wire::Bft(message) => self.feed_bft(now, bft::Input::Message(from, message), out),
            Wire::Guardian(guardian::Message::Ask(height)) => {
                if let Ok(Some(certificate)) = self.ledger.store().certificate(height) {
                    let message = guardian::Message::Certificate(certificate);
                    out.push(Output::Send(from, codec::encode(&Wire::Guardian(message))));
                }
            }
            Wire::Guardian(message) => {
                self.feed_guardian(now, guardian::Input::Message(from, message), out);
            }
            Wire::Transaction(bytes) => {
                // What is known, full or out of date here is no fault of the sender.
                if let Ok(tx) = decode_transaction(&bytes) {
                    let _ = self.admit(tx, &bytes);
                } else {
                    out.push(Output::Fault(Fault::Malformed(from)));
                }
            }
            Wire::Ask(ask) => self.answer(from, ask, out),
            Wire::Sync(sync::Message::Ask(id, ask)) => self.serve(now, from, (id, &ask), out),
            // Late, and of no use to a node that has started.
            Wire::Sync(sync::Message::Answer(..)) => {}
        }
    }

    /// Sends the lowest blocks that lead from the asker's head to the block it heard of.
    fn answer(&self, to: bft::Peer, ask: Ask, out: &mut Vec<Output>) {
        let root = self.bft.root().height;
        let mut above = ask.above;
        let mut left = MAX_ANSWER;
        while above < root && left > 0 {
            above = above.plus(1);
            left = left.saturating_sub(1);
            let Ok(Some(settled)) = self.ledger.store().settled(above) else { return };
            let ends_term = settled.block.signed.header.ends_term();
            out.push(send_block(to, settled.block));
            if ends_term {
                // The asker needs what ended its term before it can use what comes next.
                return self.show_closing(to, above, out);
            }
        }
        let unsettled = self.bft.path(&ask.block).unwrap_or_default();
        for id in unsettled.iter().rev().take(left) {
            if let Some(block) = self.bft.block(id) {
                out.push(send_block(to, block.clone()));
            }
        }
    }

    fn show_closing(&self, to: bft::Peer, height: Height, out: &mut Vec<Output>) {
        let Ok(Some(closing)) = self.ledger.store().closing(height) else { return };
        for block in closing.blocks.into_vec() {
            out.push(send_block(to, block));
        }
        let message = bft::message::Message::Certificate(closing.certificate);
        out.push(Output::Send(to, codec::encode(&Wire::Bft(message))));
    }

    fn on_stored(&mut self, now: Moment, token: Token, out: &mut Vec<Output>) {
        for waiting in self.in_flight.remove(&token).unwrap_or_default() {
            match waiting {
                Waiting::Ledger(id) => {
                    let spent = self.ledger.stored(&id);
                    self.mempool.settle(self.bft.root().height, spent);
                }
                Waiting::Bft(token) => self.feed_bft(now, bft::Input::Stored(token), out),
                Waiting::Guardian(token) => {
                    self.feed_guardian(now, guardian::Input::Stored(token), out);
                }
            }
        }
    }
}

/// What a record shows as signed: height of the vote, epoch of the proposal.
fn logged(record: Option<&SafetyRecord>) -> (Height, u64) {
    record.map_or((Height(0), 0), |safety| (safety.last_vote.0, safety.last_proposal.0.0))
}

fn send_block(to: bft::Peer, block: Block) -> Output {
    let message = bft::message::Message::Block(Box::new(block));
    Output::Send(to, codec::encode(&Wire::Bft(message)))
}
