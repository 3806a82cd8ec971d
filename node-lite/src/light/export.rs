//! Which light files there are: from the tip down, in an order in which nothing is named before it is there.
//!
//! ```text
//! spec --> sets of genesis --> changes, one for each set that ended --> newest checkpoints, each with its span and bodies
//!      --> headers above the last checkpoint --> news --> tip
//! ```
//!
//! The same walk serves a store on this disk and a node somewhere else. Nothing is verified here: who reads the files does.

use antiphon_core::{
    chain::{
        header::Header,
        light::{
            Change, Checkpoint, File, MAX_CHANGE, MAX_CHECKPOINT, MAX_NEWS, MAX_SPAN, News, Span,
            Tip,
        },
        spec::{ChainSpec, MAX_SPEC},
    },
    codec::{self, DecodeError},
    crypto::{Hash, merkle},
    id::{ChainId, Height},
};

/// Changes of guardians that one export walks. Chosen here: one an hour for a century.
const MAX_CHANGES: usize = 1 << 20;

/// Where files come from and go to.
pub trait Mirror {
    /// Why a file cannot be read or kept.
    type Error: From<DecodeError>;

    /// Reads a file; `None` where the source has none.
    ///
    /// # Errors
    /// What the source says.
    fn read(&mut self, file: &File) -> Result<Option<Vec<u8>>, Self::Error>;

    /// Returns whether a file that never changes is kept already.
    fn has(&self, file: &File) -> bool;

    /// Keeps a file.
    ///
    /// # Errors
    /// What the keeper says.
    fn keep(&mut self, file: &File, bytes: &[u8]) -> Result<(), Self::Error>;
}

/// What was exported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exported {
    /// Files that were not there before.
    pub fresh: u64,
    /// The newest final checkpoint.
    pub finalised: Height,
}

/// Exports a chain with its newest `history` checkpoints; `None` if the source has no such chain or no tip.
///
/// # Errors
/// Those of the mirror, or a file that is none.
pub fn export<M: Mirror>(
    mirror: &mut M,
    chain: ChainId,
    history: u64,
) -> Result<Option<Exported>, M::Error> {
    let mut walk = Walk { mirror, fresh: 0 };
    // The news are read first, so that all that they name is there by now, and kept last, with their tip.
    let Some(news_bytes) = walk.mirror.read(&File::News)? else { return Ok(None) };
    let News { tip, .. } = codec::decode(&news_bytes, MAX_NEWS)?;
    let Some(spec) = walk.take(&File::Spec(chain))? else { return Ok(None) };
    let spec: ChainSpec = codec::decode(&spec, MAX_SPEC)?;
    walk.take(&File::Validators(spec.validators.hash(chain)))?;
    walk.changes(spec.guardians.hash(chain))?;
    walk.checkpoints(&tip, spec.checkpoint_interval, history)?;
    for block in tip.chain.iter() {
        if let Some(header) = walk.take(&File::Header(*block))? {
            walk.sets_of(&codec::decode(&header, File::Header(*block).max_bytes())?)?;
        }
    }
    walk.mirror.keep(&File::News, &news_bytes)?;
    walk.mirror.keep(&File::Tip, &codec::encode(&tip))?;
    Ok(Some(Exported { fresh: walk.fresh, finalised: tip.final_height }))
}

struct Walk<'a, M> {
    mirror: &'a mut M,
    fresh: u64,
}

impl<M: Mirror> Walk<'_, M> {
    /// Reads a file and keeps it, if it is not kept already.
    fn take(&mut self, file: &File) -> Result<Option<Vec<u8>>, M::Error> {
        let Some(bytes) = self.mirror.read(file)? else { return Ok(None) };
        if !self.mirror.has(file) {
            self.mirror.keep(file, &bytes)?;
            self.fresh = self.fresh.saturating_add(1);
        }
        Ok(Some(bytes))
    }

    /// Keeps a file of which nothing more is to be learned.
    fn copy(&mut self, file: &File) -> Result<(), M::Error> {
        if self.mirror.has(file) { Ok(()) } else { self.take(file).map(|_| ()) }
    }

    /// From set to set, as a light client walks (A7.2).
    fn changes(&mut self, first: Hash) -> Result<(), M::Error> {
        let mut guardians = first;
        for _ in 0..MAX_CHANGES {
            self.copy(&File::Guardians(guardians))?;
            let Some(bytes) = self.take(&File::Change(guardians))? else { break };
            let change: Change = codec::decode(&bytes, MAX_CHANGE)?;
            guardians = change.checkpoint.header.next_guardians_hash;
        }
        Ok(())
    }

    fn checkpoints(&mut self, tip: &Tip, interval: u64, history: u64) -> Result<(), M::Error> {
        let Height(newest) = tip.final_height;
        for number in 0..history {
            let height = newest.saturating_sub(number.saturating_mul(interval));
            if height == 0 {
                break;
            }
            // One that failed is final by the next, and is reached by links: its header is in the store all the same.
            if let Some(bytes) = self.take(&File::Final(Height(height)))? {
                let held: Checkpoint = codec::decode(&bytes, MAX_CHECKPOINT)?;
                self.checkpoint(&held.header)?;
            }
        }
        Ok(())
    }

    fn checkpoint(&mut self, header: &Header) -> Result<(), M::Error> {
        let id = header.id();
        self.sets_of(header)?;
        self.copy(&File::Checkpoint(id))?;
        self.copy(&File::Header(id))?;
        self.body_of(header)?;
        // The one below may have no certificate, and is then reached by this link.
        self.copy(&File::Header(header.cp_link))?;
        let Some(bytes) = self.take(&File::Span(id))? else { return Ok(()) };
        let span: Span = codec::decode(&bytes, MAX_SPAN)?;
        for header in span.iter() {
            self.body_of(header)?;
        }
        Ok(())
    }

    fn body_of(&mut self, header: &Header) -> Result<(), M::Error> {
        if header.tx_root == merkle::root(&[]) {
            return Ok(());
        }
        self.copy(&File::Body(header.id()))
    }

    fn sets_of(&mut self, header: &Header) -> Result<(), M::Error> {
        for validators in [header.validators_hash, header.next_validators_hash] {
            self.copy(&File::Validators(validators))?;
        }
        for guardians in [header.guardians_hash, header.next_guardians_hash] {
            self.copy(&File::Guardians(guardians))?;
        }
        Ok(())
    }
}
