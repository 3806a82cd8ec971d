//! What a sync writes, and what it finds when it starts again.

use super::{
    branch::{Branch, Prefix},
    plan::Held,
    range::Row,
};
use antiphon_core::{
    chain::{
        header::Header,
        light::{Change, Checkpoint},
        set::{GuardianSet, ValidatorSet},
    },
    crypto::Hash,
    id::BlockId,
    time::UnixMillis,
};
use borsh::{BorshDeserialize, BorshSerialize};
use jmt::storage::{Node, NodeKey};

/// The checkpoint whose state is synced.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Target {
    /// It, with its certificate.
    pub checkpoint: Checkpoint,
    /// Who signed it.
    pub signers: GuardianSet,
    /// Keys of this node sign only in terms and guardian sets that were elected by a checkpoint dated later. A node whose
    /// disk was lost may have signed in all earlier ones, and a checkpoint dated so was voted for after the sync began, by
    /// honest clocks (A1.11). Signatures name their set, and a set the height of its election.
    pub frozen_until: UnixMillis,
}

impl Target {
    /// Returns the state root.
    pub const fn root(&self) -> Hash {
        self.checkpoint.header.state_root
    }

    /// Returns the checkpoint's id.
    pub const fn block(&self) -> BlockId {
        self.checkpoint.certificate.block
    }

    /// Returns the version that its state has on this disk. Versions count blocks that changed something, so they are
    /// never above heights; another node may number them otherwise.
    pub const fn version(&self) -> u64 {
        self.checkpoint.header.height.0
    }
}

/// A range that is here, or the branch below which ranges are.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Piece {
    /// The branch of a range that was split.
    Split(Branch),
    /// A range whose rows are on the disk.
    Held(Held),
}

/// A verified range as it is written.
#[derive(Clone, Debug)]
pub struct RangeWrite {
    /// Where it is.
    pub prefix: Prefix,
    /// What is kept of it beside rows and nodes.
    pub held: Held,
    /// The version of the state.
    pub version: u64,
    /// Its rows.
    pub rows: Vec<Row>,
    /// Its nodes, and those of branches that it made whole.
    pub nodes: Vec<(NodeKey, Node)>,
}

/// What makes a synced disk one that a node starts from.
#[derive(Clone, Debug)]
pub struct Finish {
    /// The checkpoint: the head.
    pub target: Target,
    /// Headers below it, the newest first.
    pub ancestors: Vec<Header>,
    /// The validators that it commits.
    pub validators: ValidatorSet,
    /// The guardians that it commits.
    pub guardians: GuardianSet,
}

/// A write of a sync: each is one batch.
#[derive(Clone, Debug)]
pub enum SyncWrite {
    /// What the light client keeps.
    Trust(Vec<u8>),
    /// A change of guardians that the walk went over, for those who walk after us.
    Change(Box<Change>),
    /// The checkpoint that was chosen.
    Target(Box<Target>),
    /// A branch, or (within [`SyncWrite::Range`]) a range.
    Piece(Prefix, Piece),
    /// A verified range.
    Range(Box<RangeWrite>),
    /// Forgets checkpoint and pieces, rows and nodes.
    Restart,
    /// The checkpoint is the head.
    Finish(Box<Finish>),
}

/// What a sync finds on the disk.
#[derive(Clone, Debug, Default)]
pub struct Start {
    /// The last [`SyncWrite::Trust`].
    pub trust: Option<Vec<u8>>,
    /// The last [`SyncWrite::Target`].
    pub target: Option<Target>,
    /// The pieces since then.
    pub pieces: Vec<(Prefix, Piece)>,
}
