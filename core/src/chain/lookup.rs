//! Look-ups: what a page asks about the chain, answered only with what leads to a head that the light client believes.
//!
//! ```text
//! question + heads --> resolve --needs a file, a proof--> Fetch, Ask --arrived, judged--> resolve ... --> Found
//!                         '-- what came proves nothing, is not there, is too far --> Lost(why)
//! ```
//!
//! | file | what it decides |
//! |---|---|
//! | `header` | how the header of a height hangs on a believed head |
//! | `block` | who signed it, what is in it, who finalised a checkpoint |
//! | `state` | accounts, bonds, pools and fields under a head's state root |
//! | `pools` | which pools an account has opened |
//! | `found` | what an answer carries: level, height, root, and how it was proven |
//!
//! A look-up stands on the heads of the moment when it was asked, so that all of one answer is of one state. It is
//! resolved anew from what has arrived each time that something arrives: nothing is remembered but verified facts.
//!
//! Source: PROTOCOL A7.2, A7.4, A7.6; ALLA-29, AELF-42.
//!
//! Invariant: a header below a head is found by hashes from that head, or by a certificate of the guardians that signed
//! the trusted checkpoint. Signatures of sets that have ended prove nothing by themselves (A7.1).

mod block;
mod error;
mod found;
mod header;
mod pools;
mod state;
#[cfg(test)]
mod tests;

pub use error::LookupError;
pub use found::{
    AccountFound, BlockFound, BondFound, CheckpointFound, FieldFound, Found, PoolFound, PoolsFound,
    Proven, Shown, Signed, StakersFound, Way,
};

use super::{
    Level,
    header::Header,
    light::{File, Head, Light, Standing},
    proof::StateProof,
    spec::ChainSpec,
    state::StateKey,
};
use crate::{
    id::{Address, BlockId, ChainId, FieldId, Height, PoolId},
    table::Table,
    wallet::book::Query,
};
use alloc::{boxed::Box, vec::Vec};

/// Look-ups under way at once. Chosen here: a page of blocks, each with its own.
pub const MAX_LOOKUPS: usize = 32;
/// Links from checkpoint to checkpoint that one look-up follows. Chosen here: a second's worth of requests.
pub const MAX_LINKS: u64 = 64;

/// Names a look-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LookupId(pub u64);

/// Names a question to the node within this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ProofId(pub u64);

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// The block at a height: its header, who signed it, its transactions.
    Block(Height),
    /// The headers from a height down to the checkpoint below it.
    Blocks(Height),
    /// The checkpoint at a height: who finalised it.
    Checkpoint(Height),
    /// An account with its bonds, under the newest head believed at least to the level.
    Account(Address, Level),
    /// A pool, likewise.
    Pool(PoolId, Level),
    /// A payment field and its members, likewise.
    Field(FieldId, Level),
    /// Everybody who stakes, likewise.
    Stakers(Level),
    /// The pools that an account has opened, whatever became of them: blocks are read for it from the settled head down.
    PoolsOf(Address),
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A file arrived for a look-up, or the node has none of its name. Unverified.
    File(LookupId, File, Option<Vec<u8>>),
    /// The node did not answer, or failed: it may have the file.
    Unserved(LookupId, File),
    /// The node answered a question for proofs. Unverified.
    Answered(ProofId, Vec<u8>),
    /// The node has no such proof, or did not answer.
    Unanswered(ProofId),
}

/// What the host must do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Fetch a light file for a look-up.
    Fetch(LookupId, File),
    /// Ask the node for proofs.
    Ask(ProofId, Query),
    /// Hand the answer to who asked.
    Found(LookupId, Box<Found>),
    /// Tell who asked why there is none.
    Lost(LookupId, LookupError),
}

/// What a look-up stands on: the heads when it was asked, the most believed first.
#[derive(Clone, Debug)]
struct Base {
    chain: ChainId,
    /// The chain that the keys of the state name.
    state_chain: ChainId,
    interval: u64,
    stakes: bool,
    heads: Vec<Head>,
}

/// One look-up.
#[derive(Debug)]
struct Running {
    question: Question,
    base: Base,
    facts: Facts,
    walk: pools::Walk,
    /// What it waits for.
    file: Option<File>,
    proof: Option<(ProofId, Vec<StateKey>)>,
}

/// What has arrived and was verified as far as its name says.
#[derive(Debug, Default)]
struct Facts {
    /// By id, which each hashes to.
    headers: Table<BlockId, Header>,
    /// Checkpoints that the guardians of the trusted one have signed.
    certified: Table<Height, Header>,
    /// Other files; `None` for what could not be had.
    files: Table<File, Option<Vec<u8>>>,
    /// Proven values, and the proof of each, in the order asked.
    proofs: Vec<(Vec<StateKey>, Vec<StateProof>)>,
}

/// Why a look-up cannot be answered yet.
#[derive(Debug)]
enum Halt {
    Fetch(File),
    Prove(Height, Vec<StateKey>),
    Lost(LookupError),
}

impl<E: Into<LookupError>> From<E> for Halt {
    fn from(error: E) -> Self {
        Self::Lost(error.into())
    }
}

/// All look-ups of a client.
#[derive(Debug, Default)]
pub struct Lookups {
    running: Table<LookupId, Running>,
    next_proof: u64,
}

impl Lookups {
    /// Begins a look-up; `Found` or `Lost` follows exactly once.
    pub fn ask(&mut self, light: &Light, id: LookupId, question: Question, out: &mut Vec<Output>) {
        let begun = match light.spec() {
            _ if self.running.len() >= MAX_LOOKUPS || self.running.contains_key(&id) => {
                Err(LookupError::Busy)
            }
            _ if light.standing() == Standing::Split => Err(LookupError::Split),
            None => Err(LookupError::NotReady),
            Some(spec) => Ok(Base::of(light, spec)),
        };
        match begun {
            Ok(base) => {
                // What the light client holds hashes to its name, too.
                let facts = Facts { headers: light.headers().clone(), ..Facts::default() };
                let (walk, file, proof) = (pools::Walk::default(), None, None);
                let running = Running { question, base, facts, walk, file, proof };
                self.running.insert(id, running);
                self.go_on(light, id, out);
            }
            Err(error) => out.push(Output::Lost(id, error)),
        }
    }

    /// Applies one input. Never fails: what proves nothing is [`Output::Lost`].
    pub fn handle(&mut self, light: &Light, input: Input, out: &mut Vec<Output>) {
        let (id, learned) = match input {
            Input::File(id, file, bytes) => {
                let Some(running) = self.running.get_mut(&id) else { return };
                if running.file.take_if(|awaited| *awaited == file).is_none() {
                    return;
                }
                (id, running.learn_file(file, bytes))
            }
            Input::Unserved(id, file) => {
                let Some(running) = self.running.get_mut(&id) else { return };
                if running.file.take_if(|awaited| *awaited == file).is_none() {
                    return;
                }
                (id, Err(LookupError::Unreachable))
            }
            Input::Answered(proof, bytes) => {
                let Some((id, running)) = self.waiting(proof) else { return };
                (id, running.learn_proofs(&bytes))
            }
            Input::Unanswered(proof) => {
                let Some((id, _)) = self.waiting(proof) else { return };
                (id, Err(LookupError::Unreachable))
            }
        };
        match learned {
            Ok(()) => self.go_on(light, id, out),
            Err(error) => self.end(id, Output::Lost(id, error), out),
        }
    }

    fn waiting(&mut self, proof: ProofId) -> Option<(LookupId, &mut Running)> {
        let is_for = |running: &Running| running.proof.as_ref().is_some_and(|(p, _)| *p == proof);
        let mut all = self.running.iter_mut();
        all.find(|(_, running)| is_for(running)).map(|(id, running)| (*id, running))
    }

    fn end(&mut self, id: LookupId, last: Output, out: &mut Vec<Output>) {
        self.running.remove(&id);
        out.push(last);
    }

    fn go_on(&mut self, light: &Light, id: LookupId, out: &mut Vec<Output>) {
        let Some(running) = self.running.get_mut(&id) else { return };
        match running.resolve(light) {
            Ok(found) => self.end(id, Output::Found(id, Box::new(found)), out),
            Err(Halt::Lost(error)) => self.end(id, Output::Lost(id, error), out),
            Err(Halt::Fetch(file)) => {
                running.file = Some(file.clone());
                out.push(Output::Fetch(id, file));
            }
            Err(Halt::Prove(height, keys)) => {
                self.next_proof = self.next_proof.saturating_add(1);
                let proof = ProofId(self.next_proof);
                let query = state::query(height, &keys);
                running.proof = Some((proof, keys));
                match query {
                    Some(query) => out.push(Output::Ask(proof, query)),
                    None => self.end(id, Output::Lost(id, LookupError::TooFar), out),
                }
            }
        }
    }
}

impl Base {
    fn of(light: &Light, spec: &ChainSpec) -> Self {
        let all = [Level::Final, Level::Settled, Level::Included];
        let heads = all
            .into_iter()
            .filter_map(|level| light.head(level).filter(|head| head.level == level));
        Self {
            chain: spec.chain_id(),
            state_chain: spec.state_chain(),
            interval: spec.checkpoint_interval.max(1),
            stakes: spec.stake.is_some(),
            heads: heads.collect(),
        }
    }

    /// Returns the newest head believed at least to `level`.
    fn newest(&self, level: Level) -> Option<&Head> {
        self.heads.iter().filter(|head| head.level >= level).max_by_key(|head| head.header.height)
    }

    /// Returns the most believed head that stands on the block at a height.
    fn above(&self, height: Height) -> Option<&Head> {
        self.heads.iter().find(|head| head.header.height >= height)
    }
}

impl Running {
    fn resolve(&mut self, light: &Light) -> Result<Found, Halt> {
        Ok(match self.question {
            Question::Block(height) => Found::Block(self.block(light, height)?.into()),
            Question::Blocks(height) => Found::Blocks(self.blocks(light, height)?),
            Question::Checkpoint(height) => {
                Found::Checkpoint(self.checkpoint(light, height)?.into())
            }
            Question::Account(address, level) => {
                Found::Account(self.account(light, address, level)?.into())
            }
            Question::Pool(pool, level) => Found::Pool(self.pool(light, pool, level)?.into()),
            Question::Field(field, level) => Found::Field(self.field(light, field, level)?.into()),
            Question::Stakers(level) => Found::Stakers(self.stakers(light, level)?),
            Question::PoolsOf(address) => Found::Pools(self.pools_of(light, address)?),
        })
    }
}
