//! Brings a node to the newest final checkpoint without the blocks below it.
//!
//! ```text
//! spec --light client's walk--> final checkpoint --ancestors, sets--> ranges, each verified and written --> head
//!        ^                                                              |
//!        '------------------ nobody has that state any more ------------'
//! ```
//!
//! What is believed is what the light client believes: headers that guardians finalised, and what hashes to them. Answers
//! come from neighbours, each question from one at a time; who stalls is let be, who lies is not asked again, and the
//! question goes to another. Everything verified is written at once, so a node that was killed goes on where it was.
//!
//! Source: PROTOCOL A7.7; ALLA-29. Nothing is said that depends on a write, so writes are not waited for; the host carries
//! outputs out in order and stops when one fails.
//!
//! Invariant: a node whose state was synced does not know what its keys signed before, so they sign nothing in the terms
//! and guardian sets that may have been on then: see [`Target::frozen_until`].

mod ask;
mod branch;
mod fault;
mod gather;
mod neighbours;
mod node;
mod plan;
mod range;
mod snapshot;
#[cfg(test)]
pub(crate) mod tests;
mod walk;
mod wire;
mod write;

pub use branch::{Branch, Child, MAX_NIBBLES, Prefix};
pub use fault::{Fault, SyncError};
pub use plan::Held;
pub use range::{Content, MAX_RANGE, MIN_RANGE, Range, RangeError, Row, Subtree, Verified, read};
pub use snapshot::{
    Head as SnapshotHead, Intake, MAX_RECORD, Record, SnapshotError, export as export_snapshot,
};
pub use wire::{Answer, Ask, Message, RangeAsk};
pub use write::{Finish, Piece, RangeWrite, Start, SyncWrite, Target};

use crate::{bft::Peer, bucket::Rate, storage::StorageError};
use antiphon_core::{
    chain::{
        header::Header,
        light::{Anchor, File, Input as LightInput, Light},
        spec::ChainSpec,
    },
    id::{BlockId, ChainId},
    time::{Moment, UnixMillis},
};
use gather::Gathering;
use neighbours::Neighbours;
use plan::held_of;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Questions that are unanswered, to all neighbours.
const MAX_FLIGHTS: usize = 16;
/// Looks at tips without news after which the newest checkpoint is taken.
const TIPS: u32 = 3;

/// What a node syncs, and how.
#[derive(Clone, Debug)]
pub struct Config {
    /// Its chain.
    pub spec: ChainSpec,
    /// Where its trust begins.
    pub anchor: Anchor,
    /// Most bytes of rows to ask for at once.
    pub max_range: u32,
    /// KiB a second that the host takes from one neighbour.
    pub kib_per_second: u32,
    /// Milliseconds since 1970 at [`Moment::ZERO`].
    pub origin_ms: u64,
}

/// What happened outside.
#[derive(Clone, Debug)]
pub enum Input {
    /// A neighbour said something of another kind: it is there.
    Heard(Peer),
    /// A neighbour answered. Unverified.
    Message(Peer, Message),
    /// Time moved on.
    Tick,
}

/// What the host must do, in order.
#[derive(Clone, Debug)]
pub enum Output {
    /// Write this durably.
    Store(Box<SyncWrite>),
    /// Send these bytes to one neighbour.
    Send(Peer, Vec<u8>),
    /// A neighbour did what no honest one does, or did nothing.
    Blame(Peer, Fault),
    /// So many rows and bytes of the state are here.
    Progress(u64, u64),
    /// All is written: the node starts from its disk.
    Done,
    /// The chain has no final checkpoint yet: the node begins at genesis.
    Nothing,
    /// The machine has ended; trying again changes nothing.
    Failed(SyncError),
}

/// What was asked of somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
enum What {
    File(File),
    Ancestors(BlockId),
    Range(Prefix),
}

#[derive(Clone, Debug)]
struct Flight {
    what: What,
    peer: Peer,
    /// When it is given up.
    until: Moment,
}

#[derive(Debug)]
enum Phase {
    /// Looking for the newest final checkpoint.
    Walk,
    /// Fetching what stands at it.
    Gather(Box<Gathering>),
    /// Nothing is left to do.
    Ended,
}

/// Syncs the state of one chain.
#[derive(Debug)]
pub struct Sync {
    config: Config,
    chain: ChainId,
    light: Light,
    /// The trust that was kept last, with the set that signed it.
    trust: Option<Vec<u8>>,
    phase: Phase,
    neighbours: Neighbours,
    /// Light files that the walk waits for.
    wanted: VecDeque<File>,
    flights: BTreeMap<u32, Flight>,
    probes: BTreeSet<u32>,
    next_probe: Moment,
    next_id: u32,
    /// Tips since there was news, and the greatest height that one of them called final.
    tips: u32,
    claimed: u64,
}

impl Sync {
    /// Starts from what is on the disk.
    ///
    /// # Errors
    /// [`StorageError`] if that is not what was written there.
    pub fn new(
        now: Moment,
        config: Config,
        start: Start,
        out: &mut Vec<Output>,
    ) -> Result<Self, StorageError> {
        let chain = config.spec.chain_id();
        let kib = config.kib_per_second / 4 * 3;
        let rate = Rate {
            // The host lets five seconds' worth through at once.
            burst: kib.saturating_mul(4),
            milli_per_second: kib.saturating_mul(1000),
        };
        let phase = match start.target {
            Some(target) => {
                let of = (target, config.spec.genesis_height());
                Phase::Gather(Box::new(Gathering::resume(of, start.pieces)?))
            }
            None => Phase::Walk,
        };
        let mut sync = Self {
            chain,
            light: walk::light(&config),
            trust: start.trust,
            phase,
            neighbours: Neighbours::new(rate),
            wanted: VecDeque::new(),
            flights: BTreeMap::new(),
            probes: BTreeSet::new(),
            next_probe: now,
            next_id: 0,
            tips: 0,
            claimed: 0,
            config,
        };
        match &sync.phase {
            Phase::Gather(gathering) => {
                let (rows, bytes) = gathering.plan.rows();
                out.push(Output::Progress(rows, bytes));
            }
            Phase::Walk | Phase::Ended => sync.begin_walk(now, out),
        }
        sync.go_on(now, out);
        Ok(sync)
    }

    /// Applies one input and appends what the host must do to `out`. Never fails.
    pub fn handle(&mut self, now: Moment, input: Input, out: &mut Vec<Output>) {
        match input {
            Input::Heard(peer) => self.neighbours.hear(now, peer),
            Input::Message(peer, message) => {
                self.neighbours.hear(now, peer);
                if let Message::Answer(id, answer) = message {
                    self.on_answer(now, peer, id, answer, out);
                }
            }
            Input::Tick => {
                self.give_up(now, out);
                if matches!(self.phase, Phase::Walk) {
                    self.feed_light(now, LightInput::Tick, None, out);
                }
            }
        }
        self.go_on(now, out);
    }

    /// Returns when [`Input::Tick`] is next needed.
    pub fn deadline(&self) -> Option<Moment> {
        let oldest = self.flights.values().map(|flight| flight.until).min();
        let walk = matches!(self.phase, Phase::Walk).then(|| self.light.deadline()).flatten();
        let ends = matches!(self.phase, Phase::Ended);
        [Some(self.next_probe), oldest, walk].into_iter().flatten().min().filter(|_| !ends)
    }

    fn wall(&self, now: Moment) -> UnixMillis {
        UnixMillis(self.config.origin_ms.saturating_add(now.as_millis()))
    }

    /// Asks again elsewhere what somebody owes us for too long.
    fn give_up(&mut self, now: Moment, out: &mut Vec<Output>) {
        let late = |flight: &Flight| flight.until <= now;
        let late: Vec<_> =
            self.flights.iter().filter(|(_, f)| late(f)).map(|(id, _)| *id).collect();
        for id in late {
            let Some(flight) = self.flights.remove(&id) else { continue };
            self.neighbours.done(flight.peer);
            self.blame(now, flight.peer, Fault::Stalled, out);
            if let What::File(file) = flight.what {
                self.miss(now, file, out);
            }
        }
    }

    fn on_answer(
        &mut self,
        now: Moment,
        peer: Peer,
        id: u32,
        answer: Answer,
        out: &mut Vec<Output>,
    ) {
        if self.probes.remove(&id) {
            return;
        }
        if self.flights.get(&id).is_none_or(|flight| flight.peer != peer) {
            // Late, or of another node: nothing that was asked of this one now.
            return;
        }
        let Some(flight) = self.flights.remove(&id) else { return };
        self.neighbours.done(peer);
        let fault = match (flight.what, answer) {
            (What::File(file), Answer::File(bytes)) => {
                self.on_file(now, peer, file, bytes.into_vec(), out);
                None
            }
            (What::File(file), Answer::Missing) => {
                self.miss(now, file, out);
                None
            }
            (What::Range(_) | What::Ancestors(_), Answer::Missing) => {
                self.neighbours.lacks(peer);
                None
            }
            (What::Ancestors(_), Answer::Ancestors(headers)) => self.on_ancestors(peer, &headers),
            (What::Range(prefix), Answer::Range(range)) => {
                self.on_range(now, peer, (&prefix, *range), out)
            }
            (_, Answer::File(_) | Answer::Ancestors(_) | Answer::Range(_)) => Some(Fault::Unasked),
        };
        if let Some(fault) = fault {
            self.blame(now, peer, fault, out);
        }
    }

    fn blame(&mut self, now: Moment, peer: Peer, fault: Fault, out: &mut Vec<Output>) {
        if fault.is_foul() {
            self.neighbours.condemn(peer);
        } else {
            self.neighbours.bench(now, peer);
        }
        out.push(Output::Blame(peer, fault));
    }

    /// Takes in ancestors of the checkpoint, each named by the one above it.
    fn on_ancestors(&mut self, peer: Peer, headers: &[Header]) -> Option<Fault> {
        let Phase::Gather(gathering) = &mut self.phase else { return None };
        if headers.is_empty() {
            self.neighbours.lacks(peer);
        }
        for header in headers {
            if header.id() != gathering.lowest().parent {
                return Some(Fault::WrongContent);
            }
            if gathering.lacks_ancestors() {
                gathering.ancestors.push(header.clone());
            }
        }
        None
    }

    fn on_range(
        &mut self,
        now: Moment,
        peer: Peer,
        (prefix, range): (&Prefix, Range),
        out: &mut Vec<Output>,
    ) -> Option<Fault> {
        let Phase::Gather(gathering) = &mut self.phase else { return None };
        let (root, version) = (gathering.target.root(), gathering.target.version());
        let max = self.config.max_range;
        let verified = match range.verify(&root, prefix, max, version) {
            Ok(verified) => verified,
            Err(error) => return Some(error.into()),
        };
        let held = held_of(&verified);
        match (verified, held) {
            (Verified::Split(branch), _) => {
                if gathering.plan.split(prefix, branch.clone()) {
                    gathering.splitters.insert(prefix.clone(), peer);
                    let write = SyncWrite::Piece(prefix.clone(), Piece::Split(branch));
                    out.push(Output::Store(Box::new(write)));
                }
            }
            (Verified::Rows(subtree), Some(held)) => match gathering.plan.hold(prefix, held) {
                Ok(Some(grown)) => {
                    let Subtree { rows, mut nodes, .. } = subtree;
                    nodes.extend(grown.nodes);
                    let kept = RangeWrite { prefix: prefix.clone(), held, version, rows, nodes };
                    out.push(Output::Store(Box::new(SyncWrite::Range(Box::new(kept)))));
                    let (rows, bytes) = gathering.plan.rows();
                    out.push(Output::Progress(rows, bytes));
                    let fits = grown.whole.iter().filter(|(_, bytes)| *bytes <= u64::from(max));
                    let liars: Vec<_> =
                        fits.filter_map(|(at, _)| gathering.splitters.remove(at)).collect();
                    for liar in liars {
                        self.blame(now, liar, Fault::Wasteful, out);
                    }
                }
                Ok(None) => {}
                Err(error) => self.fail(error.into(), out),
            },
            (Verified::Rows(_), None) => {}
        }
        None
    }

    fn fail(&mut self, error: SyncError, out: &mut Vec<Output>) {
        self.phase = Phase::Ended;
        self.flights.clear();
        out.push(Output::Failed(error));
    }

    /// Does whatever can be done now.
    fn go_on(&mut self, now: Moment, out: &mut Vec<Output>) {
        if matches!(self.phase, Phase::Ended) {
            return;
        }
        if matches!(self.phase, Phase::Walk) {
            self.choose(now, out);
        }
        if let Phase::Gather(gathering) = &self.phase
            && let Some(finish) = gathering.finish()
        {
            self.phase = Phase::Ended;
            self.flights.clear();
            out.extend([Output::Store(Box::new(SyncWrite::Finish(finish))), Output::Done]);
            return;
        }
        if matches!(self.phase, Phase::Gather(_)) && self.neighbours.all_lack() {
            return self.walk_again(now, out);
        }
        self.probe(now, out);
        self.ask(now, out);
    }
}
