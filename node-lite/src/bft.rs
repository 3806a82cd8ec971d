//! Settles blocks by the height-ranked two-chain rule with a lock.
//!
//! ```text
//! block --relations hold--> executed --V1..V4--> vote stored --> vote sent --+
//!   ^                                                                        | quorum
//!   '-- proposer of the next epoch, on the highest certificate <-- CC(block) <'
//!
//! settled: A, once a child B carries CC(A) and B itself is certified
//! ```
//!
//! One machine lives for one *term*: from a checkpoint that elected its set, which it takes for its genesis, to the next
//! checkpoint that elects another. Above that one it makes only empty *closing* blocks, until the checkpoint is settled;
//! it settles nothing above it. Then the machine has ended, and the next term's begins at the checkpoint.
//!
//! Source: PROTOCOL A1.11 to A1.24. Deviation from A1.22, which lets the new set act from kT+3 and demands a certificate
//! of the parent at kT+1 and kT+2: a height is voted for once, so a checkpoint that misses its certificate would stall
//! the chain for ever. Here any two certified closing blocks will do, and the sets never share a height of one branch.
//!
//! Invariants: votes leave only after [`Input::Stored`]; heights of votes strictly increase; the settled chain only grows.

mod admit;
mod epoch;
pub mod message;
mod pace;
mod propose;
mod safety;
mod settle;
mod term;
#[cfg(test)]
mod tests;
mod tree;
mod votes;

pub use safety::{MAX_RECORD, SafetyRecord};
pub use term::{Closing, term_start};
pub use tree::MAX_BLOCKS;

use antiphon_core::{
    chain::{
        beacon::ProposerOrder,
        carried::Carried,
        certificate::Certificate,
        header::{Header, Next, SignedHeader},
        offence::{Evidence, VoteOnHeader},
        set::ValidatorSet,
    },
    crypto::{Hash, SecretKey, Signed},
    id::{BlockId, ChainId, Epoch, Height},
    time::Moment,
};
use epoch::Epochs;
use message::{Block, Message, SignedVote, TxBytes};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::Duration,
};
use tree::Tree;
use votes::Votes;

/// Most blocks asked of one neighbour at a time, so that one who names many keeps nobody from asking the others (A1.23).
/// Chosen here: answers come many blocks at once.
const MAX_ASKS: usize = 16;
/// Blocks settled since a request after which the next part may be asked for at once. Chosen here: half an answer.
const USEFUL_ANSWER: u64 = 16;
/// Neighbours asked for one block before it is given up and asked for anew. Chosen here: more foes in a row are rare.
const MAX_SOURCES: usize = 4;
/// Settled ids remembered to judge certificates below the root.
pub const MAX_RECENT: usize = 256;

/// A neighbour, as the host numbers them.
pub type Peer = u16;

/// A durable write of this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Token(pub u64);

/// How the machine paces itself and what chain it is on.
#[derive(Clone, Debug)]
pub struct Config {
    /// The chain.
    pub chain: ChainId,
    /// Who settles in this term.
    pub validators: ValidatorSet,
    /// Who of them proposes when.
    pub order: ProposerOrder,
    /// Checkpoint interval `T`.
    pub checkpoint_interval: u64,
    /// Least time between a parent and its child; zero proposes at once.
    pub block_time: Duration,
    /// Δ: how long a message may take.
    pub delta: Duration,
    /// Milliseconds a header may be ahead of the clock.
    pub drift: u64,
    /// Milliseconds since 1970 at [`Moment::ZERO`].
    pub origin_ms: u64,
}

/// What a node knows when it starts, all of it from its own disk or from genesis.
#[derive(Clone, Debug)]
pub struct Start {
    /// The last settled header.
    pub root: Header,
    /// Its certificate.
    pub certificate: Certificate,
    /// Ids of settled blocks up to the root, at most [`MAX_RECENT`].
    pub recent: Vec<(Height, BlockId)>,
    /// What a validator wrote last, in whatever term.
    pub record: Option<SafetyRecord>,
    /// Blocks it kept with its votes and proposals.
    pub kept: Vec<Block>,
}

/// What happened outside.
#[derive(Clone, Debug)]
pub enum Input {
    /// A neighbour said this. Unverified.
    Message(Peer, Message),
    /// The write is durable.
    Stored(Token),
    /// The ledger executed the block: its roots are as the header says, or not.
    Executed(BlockId, bool),
    /// The ledger made a body for a proposal.
    Built(Box<Built>),
    /// Time moved on; nothing else happened.
    Tick,
}

/// A body for a proposal.
#[derive(Clone, Debug)]
pub struct Built {
    /// The request that it answers.
    pub request: Build,
    /// Encoded transactions in order.
    pub body: Vec<TxBytes>,
    /// What the block carries beside them.
    pub carried: Carried,
    /// The state root after both.
    pub state_root: Hash,
    /// Root over the fields that the body closes.
    pub field_root: Hash,
    /// What the block commits for those above it.
    pub next: Next,
}

/// A request for a body: all that is known of a block before it is executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Build {
    /// The epoch of the proposal.
    pub epoch: Epoch,
    /// The block to build on.
    pub parent: BlockId,
    /// The new block's height.
    pub height: Height,
    /// The proposer's place in the set.
    pub proposer_index: u16,
    /// The newest checkpoint below the new block.
    pub checkpoint: BlockId,
}

impl Build {
    /// Returns the request that a block answers.
    pub const fn of(header: &Header) -> Self {
        let Header { epoch, parent, height, proposer_index, cp_link, .. } = header;
        Self {
            epoch: *epoch,
            parent: *parent,
            height: *height,
            proposer_index: *proposer_index,
            checkpoint: *cp_link,
        }
    }
}

/// What the host must do, in order.
#[derive(Clone, Debug)]
pub enum Output {
    /// Write this durably, then report [`Input::Stored`].
    Store(Token, Box<Record>),
    /// Send this to every other node.
    Broadcast(Message),
    /// Ask this neighbour for the block and what lies between it and our settled head.
    Ask(Peer, BlockId),
    /// Execute this block on its parent's state.
    Execute(BlockId),
    /// Make a body.
    Build(Build),
    /// These blocks are settled, from low to high.
    Settled(Box<Settled>),
    /// The last settled block ends the term. The machine does nothing any more.
    Ended(Box<Closing>),
    /// Somebody, or this node, did what the protocol forbids.
    Fault(Fault),
}

/// What a validator writes before it speaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The record that replaces the last one.
    pub safety: SafetyRecord,
    /// The block voted for or proposed and what it builds on, as far as not written before: kept until settled, or
    /// nobody might have them after a restart.
    pub blocks: Vec<Block>,
}

/// Blocks that became settled together.
#[derive(Clone, Debug)]
pub struct Settled {
    /// From low to high, each with its id.
    pub blocks: Vec<(BlockId, Block)>,
    /// The certificate of the last of them.
    pub certificate: Certificate,
}

/// A breach of protocol, with what proves it where it can be proven.
#[derive(Clone, Debug)]
pub enum Fault {
    /// Two blocks of one proposer in one epoch (A4-O1).
    TwoProposals(Box<[SignedHeader; 2]>),
    /// Two votes of one validator at one height (A4-O2).
    TwoVotes(Box<[SignedVote; 2]>),
    /// Votes of the validator at this place, the higher of which forgets the lock of the lower (A4-O3).
    Unlocked(u16, Box<[VoteOnHeader; 2]>),
    /// A message that no honest node sends.
    BadMessage(Peer),
    /// Two blocks are certified at one height, or a certified block is invalid here. The machine has stopped.
    Halted(BlockId, BlockId),
}

impl Fault {
    /// Returns what shows the fault to the chain, if it is an offence (A4).
    pub fn evidence(&self) -> Option<Evidence> {
        match self {
            Self::TwoProposals(pair) => {
                let signed = pair.each_ref().map(|signed| Signed {
                    body: signed.header.proposal(signed.header.id()),
                    signature: signed.signature,
                });
                Some(Evidence::Proposals(Box::new(signed)))
            }
            Self::TwoVotes(pair) => {
                let signed = pair
                    .each_ref()
                    .map(|held| Signed { body: held.vote.clone(), signature: held.signature });
                Some(Evidence::Votes(Box::new(signed)))
            }
            Self::Unlocked(_, pair) => Some(Evidence::Unlocked(pair.clone())),
            Self::BadMessage(_) | Self::Halted(..) => None,
        }
    }
}

/// This node's place among the validators.
#[derive(Debug)]
struct Me {
    key: SecretKey,
    index: u16,
}

/// What this node put into its newest epoch change.
#[derive(Clone, Copy, Debug, Default)]
struct Announced {
    epoch: Epoch,
    /// Height of the certificate in it.
    height: Height,
}

/// A block that was asked for.
#[derive(Debug)]
struct Asked {
    /// When somebody was asked last.
    at: Moment,
    /// The settled height then.
    above: Height,
    /// Of whom, the last one at the end.
    of: Vec<Peer>,
}

/// Follows, and with a key takes part in, the settlement of one chain.
#[derive(Debug)]
pub struct Bft {
    config: Config,
    set_hash: Hash,
    total: u64,
    quorum: u64,
    blocking: u64,
    me: Option<Me>,
    tree: Tree,
    votes: Votes,
    epochs: Epochs,
    record: SafetyRecord,
    recent: VecDeque<(Height, BlockId)>,
    /// Messages that wait for their record to be durable.
    unsent: BTreeMap<Token, Vec<Message>>,
    next_token: u64,
    /// Unsettled blocks that are on disk.
    kept: BTreeSet<BlockId>,
    asked: BTreeMap<BlockId, Asked>,
    /// The own epoch change to the present epoch, and the newest.
    announced: [Announced; 2],
    building: Option<Epoch>,
    root_seen: Moment,
    entered: Moment,
    timer_from: Moment,
    settled_epoch: Epoch,
    /// Until the first epoch change after a start, the timer is short: others may wait for our vote.
    fresh: bool,
    halted: bool,
    ended: bool,
}

impl Bft {
    /// Starts from what is on disk. `key` makes the node a validator if the set has it.
    ///
    /// Returns `None` for a set that no chain may have.
    pub fn new(
        now: Moment,
        config: Config,
        start: Start,
        key: Option<SecretKey>,
        out: &mut Vec<Output>,
    ) -> Option<Self> {
        let total = config.validators.total()?;
        let me = key.and_then(|key| {
            let index = config.validators.index_of(&key.public())?;
            Some(Me { key, index: u16::try_from(index).ok()? })
        });
        let settled_epoch = start.root.epoch;
        let set_hash = config.validators.hash(config.chain);
        let certificate = if start.root.height == config.validators.since {
            term_start(&start.root)
        } else {
            start.certificate
        };
        // What was signed in another term binds nobody in this one (A1.22).
        let record = start.record.filter(|record| record.validators_hash == set_hash);
        let record = record.unwrap_or_else(|| SafetyRecord::new(set_hash, certificate.clone()));
        let mut machine = Self {
            set_hash,
            total,
            quorum: antiphon_core::chain::set::quorum(total),
            blocking: antiphon_core::chain::set::blocking(total),
            me,
            tree: Tree::new(start.root, certificate),
            votes: Votes::default(),
            epochs: Epochs::default(),
            record,
            recent: start.recent.into(),
            unsent: BTreeMap::new(),
            next_token: 0,
            kept: BTreeSet::new(),
            asked: BTreeMap::new(),
            announced: [Announced::default(); 2],
            building: None,
            root_seen: now,
            entered: now,
            timer_from: now,
            settled_epoch,
            fresh: true,
            halted: false,
            ended: false,
            config,
        };
        machine.record.epoch = machine.record.epoch.max(settled_epoch);
        machine.restore(now, start.kept, out);
        Some(machine)
    }

    /// Applies one input and appends what the host must do to `out`.
    ///
    /// Never fails: what makes no sense is ignored, what breaks the protocol is reported as [`Output::Fault`].
    pub fn handle(&mut self, now: Moment, input: Input, out: &mut Vec<Output>) {
        if self.halted || self.ended {
            return;
        }
        match input {
            Input::Message(from, message) => self.on_message(now, from, message, out),
            Input::Stored(token) => self.on_stored(now, token, out),
            Input::Executed(id, valid) => self.on_executed(now, id, valid, out),
            Input::Built(built) => self.on_built(now, *built, out),
            Input::Tick => self.on_timer(now, out),
        }
        self.try_propose(now, out);
    }

    /// Returns when [`Input::Tick`] is next needed; a node without a key needs none.
    pub fn deadline(&self) -> Option<Moment> {
        if self.halted || self.ended {
            return None;
        }
        let timer = self.me.as_ref().map(|_| self.timer_end())?;
        Some(self.propose_at().map_or(timer, |at| at.min(timer)))
    }

    /// Returns the last settled header.
    pub const fn root(&self) -> &Header {
        self.tree.root()
    }

    /// Returns the id of the last settled block.
    pub const fn root_id(&self) -> BlockId {
        self.tree.root_id()
    }

    /// Returns the present epoch.
    pub const fn epoch(&self) -> Epoch {
        self.record.epoch
    }

    /// Returns an unsettled block.
    pub fn block(&self, id: &BlockId) -> Option<&Block> {
        self.tree.entry(id).map(|entry| &entry.block)
    }

    /// Returns the ids from an unsettled block (first) down to the one above the settled head.
    pub fn path(&self, id: &BlockId) -> Option<Vec<BlockId>> {
        self.tree.path(id)
    }

    /// Returns the certificate of the settled head.
    pub fn certificate(&self) -> Option<&Certificate> {
        self.tree.certificate(&self.tree.root_id())
    }

    /// Returns the highest certificate known.
    pub fn highest(&self) -> Option<&Certificate> {
        self.tree.highest()
    }

    /// Returns the ids above the settled head on the preferred branch, from low to high.
    pub fn preferred(&self) -> Vec<BlockId> {
        let base = self.tree.highest().map(|certificate| certificate.block);
        let base = base.filter(|id| self.tree.is_valid(id)).unwrap_or(self.tree.root_id());
        let tip = self.tree.tip_above(&base).unwrap_or(self.tree.root_id());
        let mut path = self.tree.path(&tip).unwrap_or_default();
        path.reverse();
        path
    }

    /// Returns how many things said by others are kept: what a flood must not make grow (A1.23).
    pub fn kept_entries(&self) -> usize {
        let asked = self.asked.len().saturating_add(self.unsent.len());
        [self.tree.entries(), self.votes.len(), self.epochs.len(), asked].iter().sum()
    }

    /// Returns whether the machine has stopped on a breach of agreement.
    pub const fn is_halted(&self) -> bool {
        self.halted
    }

    /// Writes the record, and sends `messages` when it is durable.
    fn persist(&mut self, tip: Option<BlockId>, messages: Vec<Message>, out: &mut Vec<Output>) {
        if self.ended {
            return;
        }
        let token = Token(self.next_token);
        self.next_token = self.next_token.saturating_add(1);
        self.unsent.insert(token, messages);
        let path = tip.and_then(|id| self.tree.path(&id)).unwrap_or_default();
        let new = path.into_iter().filter(|id| self.kept.insert(*id));
        let blocks = new.filter_map(|id| self.tree.entry(&id)).map(|e| e.block.clone()).collect();
        let record = Record { safety: self.record.clone(), blocks };
        out.push(Output::Store(token, Box::new(record)));
    }

    fn on_stored(&mut self, now: Moment, token: Token, out: &mut Vec<Output>) {
        for message in self.unsent.remove(&token).unwrap_or_default() {
            out.push(Output::Broadcast(message.clone()));
            // The own vote and epoch change count like any other, but never before they are durable.
            let me = self.me.as_ref().map_or(0, |me| me.index);
            match message {
                Message::Vote(vote) => self.count(now, me, vote, out),
                Message::EpochChange(change) => {
                    self.epochs.keep(*change);
                    self.advance(now, out);
                }
                Message::Block(_) | Message::Certificate(_) => {}
            }
        }
    }

    fn halt(&mut self, one: BlockId, other: BlockId, out: &mut Vec<Output>) {
        self.halted = true;
        out.push(Output::Fault(Fault::Halted(one, other)));
    }
}
