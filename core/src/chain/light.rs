//! The light client: believes guardians about checkpoints, validators about what came since, and nobody else.
//!
//! ```text
//!            spec, hash = chain id            tip: names only, a hint
//!                   |                                |
//!   genesis or pin  v      checkpoint + FC           v     headers + CC
//!   ------------> trusted ----------------> final ------> settled ------> included
//!                    |^    A7.2, A2.16             A1.18           linked, no vote yet
//!                    '+ change files: one for each set of guardians that has ended
//! ```
//!
//! | file | what it decides |
//! |---|---|
//! | `trust` | when one checkpoint vouches for another |
//! | `walk` | from the trusted checkpoint to the newest, over changes of guardians |
//! | `follow` | what is settled above it, within the term that it commits |
//! | `witness`, `fork` | whether others see the same chain, and what proves that it has split |
//! | `alarm` | whether many refer to blocks that this chain does not have |
//! | `view`, `age` | the heads, how old they may be |
//! | `kept` | what is stored for the next start |
//!
//! Files are static and named by their content ([`File`]); only the tip changes. A file that is not what its name
//! says, or proves less than it must, is refused with a [`LightError`] and nothing moves.
//!
//! Source: PROTOCOL A7.1–A7.5, seed 001; AELF-28.
//!
//! Invariant: trusted height and time, and the settled height, never go back (A10.10).

mod age;
mod alarm;
mod error;
mod file;
mod follow;
mod fork;
mod kept;
#[cfg(test)]
pub(crate) mod tests;
mod trust;
mod view;
mod walk;
mod witness;

pub use age::Use;
pub use error::LightError;
pub use file::{
    Body, Change, Checkpoint, File, MAX_BLOCK_TXS, MAX_BODY_FILE, MAX_CHANGE, MAX_CHECKPOINT,
    MAX_NEWS, MAX_NEWS_HEADERS, MAX_SET, MAX_SPAN, MAX_SPAN_BLOCKS, MAX_TIP, MAX_TIP_BLOCKS, News,
    Source, Span, Tip,
};
pub use fork::{ForkError, ForkProof, MAX_FORK_PROOF};
pub use kept::{Kept, KeptFork, MAX_KEPT, MAX_KEPT_FORK};
pub use trust::{Rules, Sets, Skipping, Trusted};
pub use view::{Head, Standing};
pub use witness::MAX_WITNESSES;

use super::{
    header::Header,
    set::{GuardianSet, ValidatorSet},
    spec::{ChainSpec, MAX_SPEC},
};
use crate::{
    codec::{self, Bounded},
    crypto::Hash,
    id::{BlockId, ChainId},
    table::Table,
    time::{Moment, UnixMillis},
};
use alloc::vec::Vec;
use borsh::{BorshDeserialize, BorshSerialize};
use core::time::Duration;

/// First wait after a file could not be had. Chosen here: a restarted node is back within it.
const FIRST_RETRY: Duration = Duration::from_millis(500);
/// Longest wait between tries. Chosen here: a person notices recovery within it.
const LAST_RETRY: Duration = Duration::from_secs(5);
/// Shortest wait between looks at the tip.
const MIN_POLL: Duration = Duration::from_millis(200);
/// Blocks from one look to the next while nothing waits for the chain. Chosen here: news bring as many headers where a dozen sign,
/// so a look is one file.
const CALM_BLOCKS: u32 = 8;
/// Longest wait between looks then. Chosen here: money that nobody announced is seen after it, and a payee counts a tip as withheld
/// after half a minute (A5.14).
const MAX_CALM: Duration = Duration::from_secs(8);
/// News that could not be had one after another before a source counts as one that has none. Chosen here: it is asked for tips then.
const MAX_NEWS_MISSED: u32 = 3;
/// Files asked for at once.
const MAX_IN_FLIGHT: usize = 32;

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// What this client stored; nothing at the first start.
    Loaded(Stored),
    /// A file arrived. Unverified.
    Fetched(Source, File, Vec<u8>),
    /// A file could not be had.
    Missing(Source, File),
    /// Time moved on.
    Tick,
}

/// What this client stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stored {
    /// The bytes of the last [`Output::Keep`].
    pub trust: Option<Vec<u8>>,
    /// The bytes of [`Output::KeepFork`].
    pub fork: Option<Vec<u8>>,
}

/// What the host must do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Fetch a light file.
    Fetch(Source, File),
    /// Keep this for the next start; replaces what was kept before. It will be verified again.
    Keep(Vec<u8>),
    /// Keep this proof that the chain has split, and show it to the user.
    KeepFork(Vec<u8>),
    /// A head moved, or a witness spoke.
    Advanced,
    /// A source served something that proves less than it claims.
    Refused(LightError),
    /// Many refer to blocks that this client's chain does not have (AELF-28).
    Alarm,
}

/// Where a client starts to trust.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Anchor {
    /// The chain spec's own sets, dated at genesis.
    Genesis,
    /// A checkpoint that the application ships.
    Checkpoint(BlockId),
}

/// What a client follows, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// The chain.
    pub chain: ChainId,
    /// Where trust starts.
    pub anchor: Anchor,
    /// Whether guardian sets may be skipped.
    pub skipping: Skipping,
    /// How many witnesses there are, at most [`MAX_WITNESSES`].
    pub witnesses: u8,
}

/// Follows one chain. Keeps the newest final, settled and included headers.
#[derive(Debug)]
pub struct Light {
    config: Config,
    spec: Option<ChainSpec>,
    trusted: Option<Trusted>,
    standing: Standing,
    /// A checkpoint that is worth trusting and cannot be yet: a set or a change is missing.
    target: Option<Checkpoint>,
    guardians: Table<Hash, GuardianSet>,
    validators: Table<Hash, ValidatorSet>,
    stored: Stored,
    tip: Option<Tip>,
    headers: Table<BlockId, Header>,
    settled: Option<Header>,
    included: Option<Header>,
    comparison: witness::Comparison,
    fork: Option<ForkProof>,
    alarm: alarm::Alarm,
    in_flight: Vec<(Source, File)>,
    /// Refused since the last look; asked again only at the next.
    refused: Vec<(Source, File)>,
    next_look: Option<Moment>,
    last_look: Moment,
    is_calm: bool,
    failures: u32,
    /// How often news could not be had since they were had last.
    news_missed: u32,
}

impl Light {
    /// Makes a client. Nothing happens before [`Input::Loaded`].
    pub fn new(config: Config) -> Self {
        Self {
            config,
            spec: None,
            trusted: None,
            standing: Standing::Good,
            target: None,
            guardians: Table::new(),
            validators: Table::new(),
            stored: Stored::default(),
            tip: None,
            headers: Table::new(),
            settled: None,
            included: None,
            comparison: witness::Comparison::default(),
            fork: None,
            alarm: alarm::Alarm::default(),
            in_flight: Vec::new(),
            refused: Vec::new(),
            next_look: None,
            last_look: Moment::ZERO,
            is_calm: false,
            failures: 0,
            news_missed: 0,
        }
    }

    /// Applies one input. Never fails: a source's lies are [`Output::Refused`].
    pub fn handle(&mut self, now: Moment, clock: UnixMillis, input: Input, out: &mut Vec<Output>) {
        if self.standing == Standing::Split {
            return;
        }
        match input {
            Input::Loaded(stored) => {
                self.stored = stored;
                self.next_look = Some(now);
                self.ask(Source::NODE, File::Spec(self.config.chain), out);
                // Beside the spec, not after it: each turn costs a newcomer a way to the node and back.
                self.ask(Source::NODE, File::Tip, out);
            }
            Input::Fetched(source, file, bytes) => {
                if self.take_flight(source, &file) {
                    self.fetched((now, clock), source, file, &bytes, out);
                }
            }
            Input::Missing(source, file) => {
                if self.take_flight(source, &file) {
                    self.missing(now, source, &file);
                }
            }
            Input::Tick => {
                self.check_age(clock, out);
                self.look(now, out);
                self.look_at_witnesses(now, out);
            }
        }
    }

    /// Returns when [`Input::Tick`] is next needed.
    pub fn deadline(&self) -> Option<Moment> {
        [self.next_look, self.comparison.deadline()].into_iter().flatten().min()
    }

    /// Says whether every eighth block will do, because nothing waits for the chain. Who waits again looks at once.
    pub fn calm_down(&mut self, is_calm: bool) {
        self.is_calm = is_calm;
        if let (false, 0, Some(poll)) = (is_calm, self.failures, self.poll()) {
            let due = self.last_look.after(poll);
            self.next_look = self.next_look.map(|next| next.min(due));
        }
    }

    /// Returns how long it is from one look to the next.
    fn poll(&self) -> Option<Duration> {
        let block = Duration::from_millis(self.spec.as_ref()?.block_ms).max(MIN_POLL);
        let calm = block.saturating_mul(CALM_BLOCKS).min(MAX_CALM).max(block);
        Some(if self.is_calm { calm } else { block })
    }

    /// Looks at the tip, or for whatever is still missing before it.
    fn look(&mut self, now: Moment, out: &mut Vec<Output>) {
        if self.next_look.is_none_or(|due| now < due) {
            return;
        }
        self.refused.clear();
        let Some(poll) = self.poll() else {
            self.next_look = Some(now.after(self.patience()));
            return self.ask(Source::NODE, File::Spec(self.config.chain), out);
        };
        if self.standing == Standing::Expired {
            // Nothing can be accepted any more; a clock that was wrong may be put right.
            self.next_look = Some(now.after(LAST_RETRY));
            return;
        }
        self.last_look = now;
        self.next_look = Some(now.after(if self.failures == 0 { poll } else { self.patience() }));
        match (&self.trusted, self.config.anchor) {
            (None, Anchor::Checkpoint(block)) => {
                self.ask(Source::NODE, File::Checkpoint(block), out);
            }
            // Who has no head yet reads less, and who serves no news serves a tip.
            (None, Anchor::Genesis) | (Some(_), _) => {
                let is_served = self.failures == 0 && self.news_missed < MAX_NEWS_MISSED;
                let is_news = self.settled.is_some() && is_served;
                self.ask(Source::NODE, if is_news { File::News } else { File::Tip }, out);
            }
        }
        self.request_missing(out);
    }

    /// A7.1, also for a client that was left open: what it trusts grows old.
    fn check_age(&mut self, clock: UnixMillis, out: &mut Vec<Output>) {
        let Some((spec, trusted)) = self.spec.as_ref().zip(self.trusted.as_ref()) else { return };
        let is_expired = trusted.is_expired(&Rules::of(spec, self.config.skipping), clock);
        match (is_expired, self.standing) {
            (true, Standing::Good) => {
                self.standing = Standing::Expired;
                out.extend([Output::Refused(LightError::TrustExpired), Output::Advanced]);
            }
            (false, Standing::Expired) => {
                self.standing = Standing::Good;
                out.push(Output::Advanced);
            }
            (true | false, _) => {}
        }
    }

    fn ask(&mut self, source: Source, file: File, out: &mut Vec<Output>) {
        let asked = (source, file);
        let is_known = self.in_flight.contains(&asked) || self.refused.contains(&asked);
        if self.in_flight.len() < MAX_IN_FLIGHT && !is_known {
            self.in_flight.push(asked.clone());
            out.push(Output::Fetch(asked.0, asked.1));
        }
    }

    fn take_flight(&mut self, source: Source, file: &File) -> bool {
        let mut flights = self.in_flight.iter();
        let place = flights.position(|(from, asked)| *from == source && asked == file);
        place.map(|place| self.in_flight.swap_remove(place)).is_some()
    }

    fn missing(&mut self, now: Moment, source: Source, file: &File) {
        if self.spec.is_none() && *file == File::Tip {
            // The spec was asked for beside it, and says when to try again.
        } else if source == Source::NODE {
            if *file == File::News {
                self.news_missed = self.news_missed.saturating_add(1);
            }
            self.retry_later(now);
        } else if matches!(file, File::Final(height) if self.is_open(*height)) {
            self.ask_witness_later(now);
        }
    }

    fn retry_later(&mut self, now: Moment) {
        self.failures = self.failures.saturating_add(1);
        self.next_look = Some(now.after(self.patience()));
    }

    fn patience(&self) -> Duration {
        FIRST_RETRY.saturating_mul(1 << self.failures.min(5)).min(LAST_RETRY)
    }

    fn fetched(
        &mut self,
        (now, clock): (Moment, UnixMillis),
        source: Source,
        file: File,
        bytes: &[u8],
        out: &mut Vec<Output>,
    ) {
        if source != Source::NODE {
            if let Err(error) = self.learn_witness(now, &file, bytes, out) {
                out.push(Output::Refused(error));
            }
            return;
        }
        match self.learn(now, clock, &file, bytes, out) {
            Ok(()) => self.failures = 0,
            Err(error) => {
                out.push(Output::Refused(error));
                self.refused.push((source, file));
                self.retry_later(now);
            }
        }
    }

    /// Takes in one file of the node, or says why it proves nothing.
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
                self.learn_tip(clock, News { tip, headers: Bounded::new() }, out)
            }
            File::News => {
                let news: News = codec::decode(bytes, MAX_NEWS)?;
                self.news_missed = 0;
                self.learn_tip(clock, news, out)
            }
            File::Header(block) => self.learn_header(clock, *block, bytes, out),
            File::Checkpoint(block) => self.learn_checkpoint(clock, *block, bytes, out),
            File::Guardians(hash) => self.learn_guardians(clock, *hash, bytes, out),
            File::Validators(hash) => self.learn_validators(clock, *hash, bytes, out),
            File::Change(hash) => self.learn_change(clock, *hash, bytes, out),
            // This machine does not ask the node for them.
            File::Final(_) | File::Span(_) | File::Body(_) => Ok(()),
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
        if spec.chain_id() != self.config.chain {
            return Err(LightError::WrongSpec);
        }
        self.guardians.insert(spec.guardians.hash(self.config.chain), spec.guardians.clone());
        self.validators.insert(spec.validators.hash(self.config.chain), spec.validators.clone());
        if self.config.anchor == Anchor::Genesis {
            self.trusted = Some(Trusted::genesis(&spec));
        }
        let rules = Rules::of(&spec, self.config.skipping);
        self.spec = Some(spec);
        self.next_look = Some(now);
        self.load(&rules, clock, out);
        if self.standing != Standing::Split {
            self.check_age(clock, out);
            self.look(now, out);
        }
        Ok(())
    }
}
