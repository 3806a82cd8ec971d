//! What the machines read from disk, and what they ask to be written: one batch, all or nothing, synced.
//!
//! Reading is a trait, so that a simulator keeps everything in memory; writing is data.

use crate::{
    bft::{Closing, SafetyRecord, message::Block},
    guardian::GuardianRecord,
    ledger::Elected,
    offence::Seen,
    sync::SyncWrite,
};
use antiphon_core::{
    chain::{
        certificate::{Certificate, FinalityCertificate},
        header::Header,
        set::{GuardianSet, ValidatorSet},
        state::StateKey,
    },
    crypto::Hash,
    id::{BlockId, Height, TxId},
};
use jmt::storage::{Node, NodeKey, TreeUpdateBatch};
use std::sync::Arc;

/// Disk failed or holds what was never written. The node stops.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the store failed: {0}")]
pub struct StorageError(pub String);

impl StorageError {
    /// Returns the stable code of this error.
    pub const fn code(&self) -> &'static str {
        "storage/failed"
    }
}

/// The settled chain and its state, as written. Several threads may read at once.
pub trait Storage: Sync {
    /// Returns a node of the state tree.
    ///
    /// # Errors
    /// [`StorageError`].
    fn node(&self, key: &NodeKey) -> Result<Option<Node>, StorageError>;

    /// Returns the newest value under `key` at or below a version of the tree.
    ///
    /// # Errors
    /// [`StorageError`].
    fn value(&self, version: u64, key: &StateKey) -> Result<Option<Vec<u8>>, StorageError>;

    /// Returns a settled block.
    ///
    /// # Errors
    /// [`StorageError`].
    fn settled(&self, height: Height) -> Result<Option<SettledBlock>, StorageError>;

    /// Returns the settled header at a height, without reading its block. It may be here where the block is not: it was
    /// pruned, or never came.
    ///
    /// # Errors
    /// [`StorageError`].
    fn header(&self, height: Height) -> Result<Option<Header>, StorageError> {
        Ok(self.settled(height)?.map(|settled| settled.block.signed.header))
    }

    /// Returns the version of the state after the settled block at a height.
    ///
    /// # Errors
    /// [`StorageError`].
    fn version_at(&self, height: Height) -> Result<Option<u64>, StorageError> {
        Ok(self.settled(height)?.map(|settled| settled.version))
    }

    /// Returns the oldest version of the state that is whole; those before were pruned.
    ///
    /// # Errors
    /// [`StorageError`].
    fn oldest_version(&self) -> Result<u64, StorageError> {
        Ok(0)
    }

    /// Returns the height of the settled block with this id.
    ///
    /// # Errors
    /// [`StorageError`].
    fn height_of(&self, id: &BlockId) -> Result<Option<Height>, StorageError>;

    /// Returns a set of validators that some settled block committed.
    ///
    /// # Errors
    /// [`StorageError`].
    fn validators(&self, hash: &Hash) -> Result<Option<ValidatorSet>, StorageError>;

    /// Returns a set of guardians that some settled block committed.
    ///
    /// # Errors
    /// [`StorageError`].
    fn guardians(&self, hash: &Hash) -> Result<Option<GuardianSet>, StorageError>;

    /// Returns the finality certificate of the checkpoint at a height.
    ///
    /// # Errors
    /// [`StorageError`].
    fn certificate(&self, height: Height) -> Result<Option<FinalityCertificate>, StorageError>;

    /// Returns the height of the settled checkpoint at which the guardians of this hash elected others.
    ///
    /// # Errors
    /// [`StorageError`].
    fn change_of(&self, guardians: &Hash) -> Result<Option<Height>, StorageError>;

    /// Returns what proved that the checkpoint at a height ended a term.
    ///
    /// # Errors
    /// [`StorageError`].
    fn closing(&self, height: Height) -> Result<Option<Closing>, StorageError>;

    /// Returns every offence that was seen, in no order.
    ///
    /// # Errors
    /// [`StorageError`].
    fn offences(&self) -> Result<Vec<Seen>, StorageError>;

    /// Returns the height at which a transaction was settled.
    ///
    /// # Errors
    /// [`StorageError`].
    fn transaction(&self, id: &TxId) -> Result<Option<Height>, StorageError>;
}

/// A settled block with what is needed to go on from it.
#[derive(Clone, Debug, PartialEq, Eq, borsh::BorshSerialize, borsh::BorshDeserialize)]
pub struct SettledBlock {
    /// Its id.
    pub id: BlockId,
    /// The version of the state tree after it.
    pub version: u64,
    /// The block.
    pub block: Block,
    /// Its certificate, or that of the block settled together with it.
    pub certificate: Certificate,
}

/// One part of a batch.
#[derive(Clone, Debug)]
pub enum Write {
    /// Replaces the validator's safety record.
    Safety(Box<SafetyRecord>),
    /// Keeps an unsettled block.
    Keep(Box<Block>),
    /// Appends a settled block and its state; forgets kept blocks at and below its height.
    Settle(Box<Settlement>),
    /// Keeps what ended a term.
    Closing(Box<Closing>),
    /// Replaces the guardian's record.
    Guardian(GuardianRecord),
    /// Keeps a finality certificate.
    Final(Box<FinalityCertificate>),
    /// Keeps a certificate that contradicts what is final or settled here, by which finality stays stopped (A2.18).
    Contradiction(Box<FinalityCertificate>),
    /// Keeps what shows an offence.
    Offence(Box<Seen>),
    /// Appends to the log of everything this node signed.
    Signed(Signature),
    /// A part of a state that is being synced.
    Sync(Box<SyncWrite>),
}

/// A settled block with what it changes.
#[derive(Clone, Debug)]
pub struct Settlement {
    /// The block.
    pub settled: SettledBlock,
    /// New and stale nodes, new values.
    pub batch: Arc<TreeUpdateBatch>,
    /// The block's transactions in order.
    pub transactions: Vec<TxId>,
    /// The sets it elects.
    pub elected: Elected,
}

/// What was signed: a line of the log that shows that a key never signs two blocks of one slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Signature {
    /// In which role.
    pub role: Role,
    /// The term: height of the checkpoint that elected the validators; 0 for a guardian's share.
    pub term: u64,
    /// The height, or for a proposal the epoch.
    pub slot: u64,
    /// The block.
    pub block: BlockId,
}

/// What a key signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// A vote; one for each height of a term.
    Vote = 0,
    /// A proposal; one for each epoch of a term.
    Proposal = 1,
    /// A guardian's share; one for each height.
    Share = 2,
}
