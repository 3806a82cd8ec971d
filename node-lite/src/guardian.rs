//! Signs checkpoints that are settled here, once each, and gathers shares into finality certificates.
//!
//! ```text
//! settled checkpoint --G1..G3--> record stored --> share sent ---+
//! shares of others, verified -------------------------------------+--> quorum: certificate sent --> final
//! ```
//!
//! | file | what it knows |
//! |---|---|
//! | `message` | what travels |
//! | `flood` | small sets: single shares to everybody |
//! | `rounds`, `circle`, `gather` | large sets: sums of shares between neighbours |
//! | `finality` | certificates, and when they contradict each other |
//! | `handover`, `electorate` | one set after another |
//!
//! A node without a guardian key gathers too. Each checkpoint is signed by the set that the one before elected.
//!
//! Beyond G1..G3, nothing is signed above a change of guardians that has no certificate of its own (`handover`).
//!
//! Source: PROTOCOL A2.10, A2.12–A2.18, A7.2.
//!
//! Invariants: heights of own shares strictly increase; each signed checkpoint descends from the one before, because
//! both are on the settled chain; a share leaves only after [`Input::Stored`]; final never runs ahead of settled.

mod circle;
mod electorate;
mod finality;
mod flood;
mod gather;
mod handover;
mod message;
mod rounds;
#[cfg(test)]
mod tests;

pub use circle::MAX_NEIGHBOURS;
pub use message::{Message, Share, Tally};

use crate::bft::Peer;
use antiphon_core::{
    chain::{
        certificate::{FinalityCertificate, FinalityVote},
        header::Header,
        set::GuardianSet,
    },
    crypto::{Hash, Tagged, bls::BlsSecretKey},
    id::{BlockId, ChainId, Height},
    time::Moment,
};
use borsh::{BorshDeserialize, BorshSerialize};
use electorate::Electorates;
use rounds::Rounds;
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// Sets up to this size flood single signatures (A2.17).
pub const MAX_FLOODED: usize = 128;
/// Checkpoints above the final one for which shares are kept. Chosen here: a guardian that lags by more waits.
const MAX_OPEN: u64 = 4;
/// Settled checkpoints remembered, to see what descends from what. Chosen here.
const MAX_CHECKPOINTS: usize = 64;
/// A share that is not part of a certificate yet is sent again this often. Chosen here.
const RESEND: Duration = Duration::from_secs(2);

/// How shares come together. All nodes of a chain do it in one way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gossip {
    /// Sets up to this size flood single signatures; larger ones add them up in rounds.
    pub flooded: usize,
    /// How long a round takes: longer than a message and its check.
    pub round: Duration,
}

impl Default for Gossip {
    fn default() -> Self {
        // Chosen here: ten rounds are over before the next checkpoint, and a message is there within a round.
        Self { flooded: MAX_FLOODED, round: Duration::from_secs(1) }
    }
}

/// What a guardian machine is of.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// The chain.
    pub chain: ChainId,
    /// `T`: every T-th block is a checkpoint.
    pub interval: u64,
    /// How shares come together.
    pub gossip: Gossip,
}

/// A durable write of this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Token(pub u64);

/// What a guardian must never forget: the last checkpoint it signed (G2, G3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, BorshSerialize, BorshDeserialize)]
pub struct GuardianRecord {
    /// Its height; 0 before the first.
    pub height: Height,
    /// Its id.
    pub block: BlockId,
}

/// What happened outside.
#[derive(Clone, Debug)]
pub enum Input {
    /// This checkpoint is settled here; every one from low to high, after execution (G1). With the set that it elects
    /// for the next one, if that is another.
    Settled(Box<Header>, Option<Box<GuardianSet>>),
    /// Another node said this, or passed it on. Unverified.
    Message(Peer, Message),
    /// The neighbours are these now: peers that have proven their keys.
    Neighbours(Vec<Peer>),
    /// The write is durable.
    Stored(Token),
    /// Time moved on.
    Tick,
}

/// What the host must do, in order.
#[derive(Clone, Debug)]
pub enum Output {
    /// Write this durably, then report [`Input::Stored`].
    Store(Token, GuardianRecord),
    /// Send this to every other node.
    Broadcast(Message),
    /// Send this to one neighbour.
    Send(Peer, Message),
    /// This settled checkpoint, and everything below it, is final.
    Final(Box<FinalityCertificate>),
    /// Somebody did what the protocol forbids.
    Fault(Fault),
}

/// A breach of protocol, with what proves it where it can be proven.
#[derive(Clone, Debug)]
pub enum Fault {
    /// Two shares of one guardian at one height (A4-O4).
    TwoShares(Box<[Share; 2]>),
    /// This node sent, or passed on, what no honest node does.
    BadMessage(Peer),
    /// This neighbour itself said a sum that does not verify, or one that no gossip gives (A2.15).
    Forged(Peer),
    /// A certificate contradicts another, or what is settled here: finality stops (A2.18).
    Halted(Box<FinalityCertificate>, BlockId),
}

/// What a node knows when it starts.
#[derive(Clone, Debug, Default)]
pub struct Start {
    /// What the guardian signed last.
    pub record: GuardianRecord,
    /// The newest certificate.
    pub certificate: Option<FinalityCertificate>,
    /// Settled checkpoints, from low to high: at least from the last signed one on.
    pub checkpoints: Vec<(Height, Known)>,
    /// Settled changes of guardians without a certificate of their own.
    pub open_changes: Vec<(Height, Known)>,
    /// The sets of those, and of checkpoints that are not final yet.
    pub sets: Vec<Arc<GuardianSet>>,
}

/// A settled checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// Its id.
    pub block: BlockId,
    /// Hash of the set that signs it.
    pub guardians: Hash,
}

/// Follows, and with a key takes part in, the finality of one chain.
#[derive(Debug)]
pub struct GuardianMachine {
    chain: ChainId,
    sets: Electorates,
    /// Hash of the set of the checkpoint above the newest.
    next: Hash,
    interval: u64,
    flooded: usize,
    key: Option<BlsSecretKey>,
    record: GuardianRecord,
    certificate: Option<FinalityCertificate>,
    /// A certificate above what is settled here waits for it.
    ahead: Option<FinalityCertificate>,
    checkpoints: BTreeMap<Height, Known>,
    /// Settled changes of guardians without a certificate of their own.
    open_changes: BTreeMap<Height, Known>,
    /// When a certificate that passed us by is asked for again.
    ask: Option<Moment>,
    shares: BTreeMap<Height, BTreeMap<u16, Share>>,
    unsent: BTreeMap<Token, Share>,
    next_token: u64,
    resend: Option<Moment>,
    rounds: Rounds,
    halted: bool,
}

impl GuardianMachine {
    /// Starts from what is on disk. `key` makes the node a guardian of every checkpoint whose set has it; `next` is the
    /// set of the checkpoint above the newest.
    ///
    /// Returns `None` for a set that no chain may have.
    pub fn new(
        config: Config,
        next: impl Into<Arc<GuardianSet>>,
        key: Option<BlsSecretKey>,
        start: Start,
    ) -> Option<Self> {
        let Config { chain, interval, gossip } = config;
        let (mut sets, me) = (Electorates::default(), key.as_ref().map(BlsSecretKey::public));
        for set in start.sets {
            sets.add(chain, set, me)?;
        }
        let salt = me.map_or_else(Hash::default, |me| Hash::of(&[&me.0]));
        let next = sets.add(chain, next.into(), me)?;
        // A share may have been written and never sent.
        let resend = (start.record.height > Height(0)).then_some(Moment::ZERO);
        Some(Self {
            chain,
            sets,
            next,
            interval,
            flooded: gossip.flooded,
            key,
            record: start.record,
            certificate: start.certificate,
            ahead: None,
            checkpoints: start.checkpoints.into_iter().collect(),
            open_changes: start.open_changes.into_iter().collect(),
            ask: Some(Moment::ZERO),
            shares: BTreeMap::new(),
            unsent: BTreeMap::new(),
            next_token: 0,
            resend,
            rounds: Rounds::new(gossip.round, salt),
            halted: false,
        })
    }

    /// Applies one input and appends what the host must do to `out`. Never fails.
    pub fn handle(&mut self, now: Moment, input: Input, out: &mut Vec<Output>) {
        if self.halted {
            return;
        }
        match input {
            Input::Settled(header, elected) => self.on_settled(&header, elected, out),
            Input::Message(from, Message::Share(share)) => self.on_share(from, share, out),
            Input::Message(from, Message::Certificate(certificate)) => {
                self.on_certificate(now, from, certificate, out);
            }
            Input::Message(from, Message::Tally(tally)) => self.on_tally(now, from, *tally, out),
            // The node answers from its disk.
            Input::Message(_, Message::Ask(_)) => {}
            Input::Neighbours(neighbours) => self.rounds.set_neighbours(neighbours),
            Input::Stored(token) => {
                if let Some(share) = self.unsent.remove(&token) {
                    self.speak(now, share, out);
                }
            }
            Input::Tick => {
                self.on_tick(now, out);
                self.ask_missed(now, out);
                self.feed_rounds(now, rounds::Input::Tick, out);
            }
        }
        self.gather(now, out);
    }

    /// Returns when [`Input::Tick`] is next needed.
    pub fn deadline(&self) -> Option<Moment> {
        let resend = self.resend.filter(|_| self.key.is_some());
        let ask = self.ask.filter(|_| self.has_missed());
        let idle = || self.target().map(|_| Moment::ZERO);
        let rounds = self.rounds.deadline().or_else(idle);
        [resend, ask, rounds].into_iter().flatten().min().filter(|_| !self.halted)
    }

    /// Returns the newest certificate.
    pub const fn certificate(&self) -> Option<&FinalityCertificate> {
        self.certificate.as_ref()
    }

    /// Returns the height that is final.
    pub fn height(&self) -> Height {
        self.certificate.as_ref().map_or(Height(0), |certificate| certificate.height)
    }

    fn on_settled(
        &mut self,
        header: &Header,
        elected: Option<Box<GuardianSet>>,
        out: &mut Vec<Output>,
    ) {
        let (height, block) = (header.height, header.id());
        if height.0.checked_rem(self.interval) != Some(0) || height <= self.newest() {
            return;
        }
        let known = Known { block, guardians: header.guardians_hash };
        self.checkpoints.insert(height, known);
        if header.next_guardians_hash != header.guardians_hash {
            self.open_changes.insert(height, known);
        }
        while self.checkpoints.len() > MAX_CHECKPOINTS {
            self.checkpoints.pop_first();
        }
        if let Some(set) = elected {
            let me = self.key.as_ref().map(BlsSecretKey::public);
            self.sets.add(self.chain, Arc::from(set), me);
        }
        self.next = header.next_guardians_hash;
        if let Some(certificate) = self.ahead.take_if(|ahead| ahead.height <= height) {
            self.finalise(certificate, out);
        }
        self.sign(height, block, header.guardians_hash, out);
        self.build(height, out);
        let (open, next) = (self.height(), self.next);
        let named = self.checkpoints.range(open..).map(|(_, known)| known.guardians);
        let changed = self.open_changes.values().map(|known| known.guardians);
        let named: Vec<Hash> = named.chain(changed).chain([next]).collect();
        self.sets.retain(|hash| named.contains(hash));
    }

    /// Returns the set that must sign at a height: known of a settled checkpoint, expected of one to come.
    fn set_at(&self, height: Height) -> Hash {
        self.checkpoints.get(&height).map_or(self.next, |known| known.guardians)
    }

    fn newest(&self) -> Height {
        self.checkpoints.last_key_value().map_or(Height(0), |(height, _)| *height)
    }

    /// A2.13: G1 holds because the checkpoint is settled and executed here.
    fn sign(&mut self, height: Height, block: BlockId, set: Hash, out: &mut Vec<Output>) {
        let Some(key) = &self.key else { return };
        let Some(index) = self.sets.get(&set).and_then(|electorate| electorate.index) else {
            return;
        };
        // G2: only above what was signed before. A height that is final needs no more shares (A2.16).
        let above = height > self.record.height && height > self.height();
        // G3: the last signed and the newest final checkpoint lie on the settled chain below this one.
        let signed = (self.record.height, self.record.block);
        let last = self.certificate.as_ref().map(|c| (c.height, c.block));
        let below = [Some(signed), last].into_iter().flatten().all(|(height, block)| {
            let known = self.checkpoints.get(&height).map(|known| known.block);
            height == Height(0) || known == Some(block)
        });
        if self.halted || !above || !below || !self.is_handed_over(height) {
            return;
        }
        let vote = FinalityVote { guardians_hash: set, height, block };
        let signature = key.sign(vote.digest(self.chain));
        let share = Share { vote, index, signature };
        self.record = GuardianRecord { height, block };
        let token = Token(self.next_token);
        self.next_token = self.next_token.saturating_add(1);
        self.unsent.insert(token, share);
        out.push(Output::Store(token, self.record));
    }
}
