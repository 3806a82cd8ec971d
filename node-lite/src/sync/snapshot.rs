//! The state of a final checkpoint as one file, and what proves it: with it another chain can begin (AELF-33).
//!
//! ```text
//! head      spec of the chain, checkpoint with its certificate, the sets that it commits
//! change *  each change of guardians since genesis, so that the spec alone says who may sign the checkpoint
//! range  *  the state as a sync gets it: ranges of rows, and branches below which ranges are
//! ```
//!
//! Nothing of a record is used before it is verified: the head hashes to what names it, a change is signed by the set
//! before it, the checkpoint by the last, and a range leads to the checkpoint's state root. Ranges tile the keys, so none
//! can be left out or come twice. Whoever holds the old chain's file needs to trust nobody who hands the snapshot on.
//!
//! What a certificate cannot say is whether it is of these days: keys of guardians that left long ago may sign anything
//! (A7.1). So who begins a chain compares the checkpoint's id with one that others name, as with `--trust`.

mod error;
mod export;
#[cfg(test)]
mod tests;

pub use error::SnapshotError;
pub use export::export;

use super::{
    MAX_RANGE, Prefix, Range, RangeWrite, Subtree, Verified,
    plan::{Plan, held_of},
};
use antiphon_core::{
    chain::{
        light::{Change, Checkpoint, MAX_CHANGE, MAX_CHECKPOINT, MAX_SET},
        set::{GuardianSet, ValidatorSet},
        spec::{ChainSpec, MAX_LINEAGE, MAX_SPEC, Origin},
    },
    codec::{Bounded, Text},
    crypto::Hash,
    id::{ChainId, Height},
    time::UnixMillis,
};
use borsh::{BorshDeserialize, BorshSerialize};

/// Longest encoding of a record, in bytes: a head, or a range with its way.
pub const MAX_RECORD: usize = {
    let head = MAX_SPEC + MAX_CHECKPOINT + 2 * MAX_SET + 64;
    let range = 2 * MAX_RANGE as usize;
    if head > range { head } else { range }
};
const _: () = assert!(MAX_CHANGE < MAX_RECORD, "a change is no longer than a head");

/// What a snapshot is of.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Head {
    /// The chain.
    pub spec: ChainSpec,
    /// Its final checkpoint.
    pub checkpoint: Checkpoint,
    /// The validators that the checkpoint commits for what comes above it.
    pub validators: ValidatorSet,
    /// The guardians that it commits.
    pub guardians: GuardianSet,
}

/// One part of a snapshot, in the order of the variants.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Record {
    /// The first.
    Head(Box<Head>),
    /// A change of guardians.
    Change(Box<Change>),
    /// A range of the state.
    Range(Prefix, Box<Range>),
}

impl Head {
    /// Returns the spec of the chain that goes on with this state, with every rule of the old one.
    ///
    /// Its sets are those that the checkpoint commits: what its election made of the stakers in this very state.
    pub fn successor(&self, name: Text<64>, genesis_time: UnixMillis) -> ChainSpec {
        let header = &self.checkpoint.header;
        let since = header.height;
        let before = self.spec.origin.as_ref().map(|origin| origin.lineage.clone().into_vec());
        let mut lineage = before.unwrap_or_default();
        lineage.push(header.chain_id);
        if lineage.len() > MAX_LINEAGE {
            lineage.remove(1);
        }
        ChainSpec {
            name,
            genesis_time,
            validators: ValidatorSet { since, ..self.validators.clone() },
            guardians: GuardianSet { since, ..self.guardians.clone() },
            accounts: Bounded::new(),
            stakers: Bounded::new(),
            origin: Some(Origin {
                height: since,
                block: header.id(),
                state_root: header.state_root,
                lineage: Bounded::try_from(lineage).unwrap_or_default(),
            }),
            ..self.spec.clone()
        }
    }

    /// Checks that a chain is the one that goes on with this state: it may choose its name and its beginning, no more.
    ///
    /// # Errors
    /// [`SnapshotError::NotSuccessor`], [`SnapshotError::TooEarly`].
    pub fn check_successor(&self, new: &ChainSpec) -> Result<(), SnapshotError> {
        if self.successor(new.name.clone(), new.genesis_time) != *new {
            return Err(SnapshotError::NotSuccessor);
        }
        if new.genesis_time <= self.checkpoint.header.time {
            return Err(SnapshotError::TooEarly);
        }
        Ok(())
    }

    /// Checks everything that needs no guardians.
    fn check(&self) -> Result<(), SnapshotError> {
        let Self { spec, checkpoint: Checkpoint { header, certificate }, .. } = self;
        let chain = spec.chain_id();
        if header.chain_id != chain {
            return Err(SnapshotError::WrongChain);
        }
        let is_named = (certificate.block, certificate.height) == (header.id(), header.height);
        if !is_named || !spec.is_checkpoint(header.height) {
            return Err(SnapshotError::WrongCheckpoint);
        }
        let sets = (self.validators.hash(chain), self.guardians.hash(chain));
        if sets != (header.next_validators_hash, header.next_guardians_hash) {
            return Err(SnapshotError::WrongSets);
        }
        Ok(())
    }
}

/// Takes a snapshot in, record by record, and verifies each.
#[derive(Debug)]
pub struct Intake {
    chain: ChainId,
    head: Head,
    /// Who finalises what comes next on the walk from genesis, and since which height.
    guardians: GuardianSet,
    walked: Height,
    plan: Plan,
    is_vouched: bool,
}

impl Intake {
    /// Begins with the first record of a snapshot of any chain, or of the one that is asked for.
    ///
    /// # Errors
    /// [`SnapshotError`].
    pub fn new(first: Record, asked: Option<ChainId>) -> Result<Self, SnapshotError> {
        let Record::Head(head) = first else { return Err(SnapshotError::OutOfPlace) };
        head.check()?;
        let chain = head.spec.chain_id();
        if asked.is_some_and(|asked| asked != chain) {
            return Err(SnapshotError::OtherChain);
        }
        let header = &head.checkpoint.header;
        Ok(Self {
            chain,
            guardians: head.spec.guardians.clone(),
            walked: head.spec.genesis_height(),
            plan: Plan::new(header.state_root, header.height.0),
            is_vouched: false,
            head: *head,
        })
    }

    /// Returns what the snapshot is of.
    pub const fn head(&self) -> &Head {
        &self.head
    }

    /// Returns how many rows and bytes are here.
    pub fn rows(&self) -> (u64, u64) {
        self.plan.rows()
    }

    /// Takes the next record. Returns what a disk must write of it.
    ///
    /// # Errors
    /// [`SnapshotError`]; then nothing of the snapshot may be used.
    pub fn take(&mut self, record: Record) -> Result<Option<RangeWrite>, SnapshotError> {
        match record {
            Record::Head(_) => Err(SnapshotError::OutOfPlace),
            Record::Change(change) => self.walk(*change).map(|()| None),
            Record::Range(prefix, range) => self.hold(prefix, *range),
        }
    }

    /// Ends with the last record.
    ///
    /// # Errors
    /// [`SnapshotError::Missing`] unless the whole state came.
    pub fn finish(self) -> Result<Head, SnapshotError> {
        if self.plan.is_whole() { Ok(self.head) } else { Err(SnapshotError::Missing) }
    }

    /// A7.2: the guardians that act now sign which others come next.
    fn walk(&mut self, change: Change) -> Result<(), SnapshotError> {
        let Change { checkpoint: Checkpoint { header, certificate }, elected } = change;
        let rises = header.height > self.walked
            && header.height < self.head.checkpoint.header.height
            && self.head.spec.is_checkpoint(header.height);
        if self.is_vouched || header.chain_id != self.chain || !rises {
            return Err(SnapshotError::OutOfPlace);
        }
        if (certificate.block, certificate.height) != (header.id(), header.height) {
            return Err(SnapshotError::WrongCheckpoint);
        }
        if header.guardians_hash != self.acting()
            || header.next_guardians_hash != elected.hash(self.chain)
        {
            return Err(SnapshotError::Unvouched);
        }
        certificate.verify(self.chain, &self.guardians)?;
        (self.guardians, self.walked) = (elected, header.height);
        Ok(())
    }

    fn acting(&self) -> Hash {
        self.guardians.hash(self.chain)
    }

    /// Checks once, before the first range, that the guardians to whom the walk has led made the checkpoint final.
    fn vouch(&mut self) -> Result<(), SnapshotError> {
        if self.is_vouched {
            return Ok(());
        }
        let Checkpoint { header, certificate } = &self.head.checkpoint;
        if header.guardians_hash != self.acting() {
            return Err(SnapshotError::Unvouched);
        }
        certificate.verify(self.chain, &self.guardians)?;
        self.is_vouched = true;
        Ok(())
    }

    fn hold(&mut self, prefix: Prefix, range: Range) -> Result<Option<RangeWrite>, SnapshotError> {
        self.vouch()?;
        let header = &self.head.checkpoint.header;
        let version = header.height.0;
        let verified = range.verify(&header.state_root, &prefix, MAX_RANGE, version)?;
        let held = held_of(&verified);
        match (verified, held) {
            (Verified::Rows(Subtree { rows, mut nodes, .. }), Some(held)) => {
                let grown = self.plan.hold(&prefix, held)?.ok_or(SnapshotError::Doubled)?;
                nodes.extend(grown.nodes);
                Ok(Some(RangeWrite { prefix, held, version, rows, nodes }))
            }
            (Verified::Split(branch), _) => {
                let is_new = self.plan.split(&prefix, branch);
                if is_new { Ok(None) } else { Err(SnapshotError::Doubled) }
            }
            (Verified::Rows(_), None) => Ok(None),
        }
    }
}
