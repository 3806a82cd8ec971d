//! The light client: believes guardians about checkpoints, validators about what came since, and nobody else.
//!
//! ```text
//!            spec, hash = chain id            tip: names only, a hint
//!                   |                                |
//!   genesis or pin  v      checkpoint + FC           v     headers + CC
//!   ------------> trusted ----------------> final ------> settled ------> included
//!                           A7.2, A2.16             A1.18           linked, no vote yet
//! ```
//!
//! Files are static and named by their content ([`File`]); only the tip changes. A file that is not what its name
//! says, or proves less than it must, is refused with a [`LightError`] and nothing moves.
//!
//! Source: PROTOCOL A7.1–A7.4, seed 001. Deviations: skipping over set changes (A7.3) and witnesses (A7.5) are not
//! built yet; a checkpoint of another guardian set than the one trusted is refused.
//!
//! Invariant: trusted height and time, and the settled height, never go back (A10.10).

mod error;
mod file;
mod follow;
#[cfg(test)]
pub(crate) mod tests;

pub use error::LightError;
pub use file::{Checkpoint, File, MAX_CHECKPOINT, MAX_SET, MAX_TIP, MAX_TIP_BLOCKS, Tip};

use super::{
    Level,
    header::Header,
    set::{GuardianSet, ValidatorSet},
    spec::{ChainSpec, MAX_SPEC},
};
use crate::{
    codec,
    crypto::Hash,
    id::{BlockId, ChainId, Height},
    time::{Moment, UnixMillis},
};
use alloc::{collections::BTreeMap, vec::Vec};
use core::time::Duration;

/// First wait after a file could not be had. Chosen here: a restarted node is back within it.
const FIRST_RETRY: Duration = Duration::from_millis(500);
/// Longest wait between tries. Chosen here: a person notices recovery within it.
const LAST_RETRY: Duration = Duration::from_secs(5);
/// Shortest wait between looks at the tip.
const MIN_POLL: Duration = Duration::from_millis(200);
/// Files asked for at once.
const MAX_IN_FLIGHT: usize = 32;

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// The checkpoint file that this client stored, or nothing at the first start.
    Loaded(Option<Vec<u8>>),
    /// A file arrived. Unverified.
    Fetched(File, Vec<u8>),
    /// A file could not be had.
    Missing(File),
    /// Time moved on.
    Tick,
}

/// What the host must do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Fetch a light file.
    Fetch(File),
    /// Keep this checkpoint file for the next start. It will be verified again.
    Keep(Vec<u8>),
    /// A head moved.
    Advanced,
    /// A source served something that proves less than it claims.
    Refused(LightError),
}

/// Where a client starts to trust.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// The chain spec's own sets, dated at genesis.
    Genesis,
    /// A checkpoint that the application ships.
    Checkpoint(BlockId),
}

/// A checkpoint that is believed: by anchor or by certificate.
#[derive(Clone, Debug)]
struct Trusted {
    height: Height,
    block: BlockId,
    time: UnixMillis,
    next_guardians: Hash,
    /// `None` for genesis, whose header a client needs not know.
    header: Option<Header>,
    /// How many signed, of how many.
    signers: (u32, u32),
}

/// A head of the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Its header.
    pub header: Header,
    /// Its id.
    pub block: BlockId,
    /// How far it is believed.
    pub level: Level,
}

/// Follows one chain. Keeps the newest final, settled and included headers.
#[derive(Debug)]
pub struct Light {
    chain: ChainId,
    anchor: Anchor,
    spec: Option<ChainSpec>,
    trusted: Option<Trusted>,
    guardians: BTreeMap<Hash, GuardianSet>,
    validators: BTreeMap<Hash, ValidatorSet>,
    stored: Option<Vec<u8>>,
    tip: Option<Tip>,
    headers: BTreeMap<BlockId, Header>,
    settled: Option<Header>,
    included: Option<Header>,
    in_flight: Vec<File>,
    /// Refused since the last look; asked again only at the next.
    refused: Vec<File>,
    next_look: Option<Moment>,
    failures: u32,
}

impl Light {
    /// Makes a client of `chain` that starts at `anchor`. Nothing happens before [`Input::Loaded`].
    pub const fn new(chain: ChainId, anchor: Anchor) -> Self {
        Self {
            chain,
            anchor,
            spec: None,
            trusted: None,
            guardians: BTreeMap::new(),
            validators: BTreeMap::new(),
            stored: None,
            tip: None,
            headers: BTreeMap::new(),
            settled: None,
            included: None,
            in_flight: Vec::new(),
            refused: Vec::new(),
            next_look: None,
            failures: 0,
        }
    }

    /// Applies one input. Never fails: a source's lies are [`Output::Refused`].
    pub fn handle(&mut self, now: Moment, clock: UnixMillis, input: Input, out: &mut Vec<Output>) {
        match input {
            Input::Loaded(checkpoint) => {
                self.stored = checkpoint;
                self.next_look = Some(now);
                self.ask(File::Spec(self.chain), out);
            }
            Input::Fetched(file, bytes) => {
                if !self.take_flight(&file) {
                    return;
                }
                match self.learn(now, clock, &file, &bytes, out) {
                    Ok(()) => self.failures = 0,
                    Err(error) => {
                        out.push(Output::Refused(error));
                        self.refused.push(file);
                        self.retry_later(now);
                    }
                }
            }
            Input::Missing(file) => {
                if self.take_flight(&file) {
                    self.retry_later(now);
                }
            }
            Input::Tick => self.look(now, out),
        }
    }

    /// Returns when [`Input::Tick`] is next needed.
    pub const fn deadline(&self) -> Option<Moment> {
        self.next_look
    }

    /// Returns the spec, once it is known and hashes to the chain id.
    pub const fn spec(&self) -> Option<&ChainSpec> {
        self.spec.as_ref()
    }

    /// Returns the newest header believed at least to `level`.
    pub fn head(&self, level: Level) -> Option<Head> {
        let finalised = self.trusted.as_ref().and_then(|trusted| trusted.header.as_ref());
        let settled =
            self.settled.as_ref().filter(|s| finalised.is_none_or(|f| f.height < s.height));
        let included = self
            .included
            .as_ref()
            .filter(|i| settled.or(finalised).is_none_or(|s| s.height < i.height));
        let (header, level) = match (level, included, settled, finalised) {
            (Level::Included, Some(header), ..) => (header, Level::Included),
            (Level::Included | Level::Settled, _, Some(header), _) => (header, Level::Settled),
            (_, _, _, Some(header)) => (header, Level::Final),
            _ => return None,
        };
        Some(Head { header: header.clone(), block: header.id(), level })
    }

    /// Returns how many guardians signed the newest final checkpoint, and how many there are.
    pub fn signers(&self) -> (u32, u32) {
        self.trusted.as_ref().map_or((0, 0), |trusted| trusted.signers)
    }

    /// Looks at the tip, or for whatever is still missing before it.
    fn look(&mut self, now: Moment, out: &mut Vec<Output>) {
        if self.next_look.is_none_or(|due| now < due) {
            return;
        }
        self.refused.clear();
        let Some(spec) = &self.spec else {
            self.next_look = Some(now.after(self.patience()));
            return self.ask(File::Spec(self.chain), out);
        };
        let poll = Duration::from_millis(spec.block_ms).max(MIN_POLL);
        self.next_look = Some(now.after(if self.failures == 0 { poll } else { self.patience() }));
        match (&self.trusted, self.anchor) {
            (None, Anchor::Checkpoint(block)) => self.ask(File::Checkpoint(block), out),
            (None, Anchor::Genesis) | (Some(_), _) => self.ask(File::Tip, out),
        }
        self.request_missing(out);
    }

    fn ask(&mut self, file: File, out: &mut Vec<Output>) {
        let is_known = self.in_flight.contains(&file) || self.refused.contains(&file);
        if self.in_flight.len() < MAX_IN_FLIGHT && !is_known {
            self.in_flight.push(file.clone());
            out.push(Output::Fetch(file));
        }
    }

    fn take_flight(&mut self, file: &File) -> bool {
        let place = self.in_flight.iter().position(|asked| asked == file);
        place.map(|place| self.in_flight.swap_remove(place)).is_some()
    }

    fn retry_later(&mut self, now: Moment) {
        self.failures = self.failures.saturating_add(1);
        self.next_look = Some(now.after(self.patience()));
    }

    fn patience(&self) -> Duration {
        FIRST_RETRY.saturating_mul(1 << self.failures.min(5)).min(LAST_RETRY)
    }

    /// Takes in one file, or says why it proves nothing.
    fn learn(
        &mut self,
        now: Moment,
        clock: UnixMillis,
        file: &File,
        bytes: &[u8],
        out: &mut Vec<Output>,
    ) -> Result<(), LightError> {
        match file {
            File::Spec(_) => self.learn_spec(now, clock, bytes, out),
            File::Tip => {
                let tip: Tip = codec::decode(bytes, MAX_TIP)?;
                self.learn_tip(tip, out)
            }
            File::Header(block) => self.learn_header(*block, bytes, out),
            File::Checkpoint(block) => self.learn_checkpoint(clock, *block, bytes, out),
            File::Guardians(hash) => self.learn_guardians(*hash, bytes, out),
            File::Validators(hash) => self.learn_validators(*hash, bytes, out),
        }
    }

    fn learn_spec(
        &mut self,
        now: Moment,
        clock: UnixMillis,
        bytes: &[u8],
        out: &mut Vec<Output>,
    ) -> Result<(), LightError> {
        let spec: ChainSpec = codec::decode(bytes, MAX_SPEC)?;
        if spec.chain_id() != self.chain {
            return Err(LightError::WrongSpec);
        }
        self.validators.insert(spec.validators.hash(self.chain), spec.validators.clone());
        self.guardians.insert(spec.guardians.hash(self.chain), spec.guardians.clone());
        if self.anchor == Anchor::Genesis {
            self.trusted = Some(Trusted {
                height: Height(0),
                block: BlockId::default(),
                time: spec.genesis_time,
                next_guardians: spec.guardians.hash(self.chain),
                header: None,
                signers: (0, 0),
            });
        }
        self.spec = Some(spec);
        self.next_look = Some(now);
        // What was stored is no more believed than what a stranger sends.
        if let Some(stored) = self.stored.take()
            && let Ok(checkpoint) = codec::decode::<Checkpoint>(&stored, MAX_CHECKPOINT)
            && let Err(error) = self.accept_checkpoint(clock, &checkpoint)
        {
            out.push(Output::Refused(error));
        }
        self.look(now, out);
        Ok(())
    }
}
