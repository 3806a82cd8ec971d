//! Why a snapshot is refused.

use crate::{storage::StorageError, sync::RangeError};
use antiphon_core::{chain::certificate::CertificateError, codec::DecodeError};

/// Why a snapshot is refused. Nothing of it is used then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// The file cannot be read, or is none: cut, damaged, or of another kind.
    #[error("it is no snapshot, or was cut or damaged: {0}")]
    Unreadable(String),
    /// A record is not what a record can be.
    #[error("a record of it: {0}")]
    Record(#[from] DecodeError),
    /// A record stands where it may not.
    #[error("a record stands where it may not")]
    OutOfPlace,
    /// The checkpoint is not of the chain whose spec comes with it.
    #[error("its checkpoint is not of the chain that it names")]
    WrongChain,
    /// It is of another chain than the one that was asked for.
    #[error("it is of another chain")]
    OtherChain,
    /// The header is no checkpoint's, or the certificate is of another block.
    #[error("its certificate is of another block, or the block is no checkpoint")]
    WrongCheckpoint,
    /// The sets are not those that the checkpoint commits.
    #[error("its sets are not those that the checkpoint commits")]
    WrongSets,
    /// Nothing leads from the chain's first guardians to those who signed.
    #[error("nothing leads from the chain's first guardians to those who signed it")]
    Unvouched,
    /// The guardians have not made the checkpoint final.
    #[error("the guardians did not make it final: {0}")]
    Certificate(#[from] CertificateError),
    /// A range is not of this state.
    #[error(transparent)]
    Range(#[from] RangeError),
    /// A range came twice, or inside another.
    #[error("a range came twice")]
    Doubled,
    /// A part of the state did not come.
    #[error("a part of the state is missing")]
    Missing,
    /// The new chain is not the one that goes on with this state.
    #[error(
        "the chain file is not the one that goes on with this snapshot: make it with `antiphon genesis --from-snapshot`"
    )]
    NotSuccessor,
    /// The new chain would be dated before what it goes on with.
    #[error("the new chain begins before the checkpoint that it goes on with")]
    TooEarly,
    /// The chain has no final checkpoint yet, or its state was pruned.
    #[error("there is no final checkpoint here whose state is kept")]
    NoCheckpoint,
    /// The store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl SnapshotError {
    /// Returns the stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unreadable(_) => "snapshot/unreadable",
            Self::Record(error) => error.code(),
            Self::OutOfPlace => "snapshot/out-of-place",
            Self::WrongChain => "snapshot/wrong-chain",
            Self::OtherChain => "snapshot/other-chain",
            Self::WrongCheckpoint => "snapshot/wrong-checkpoint",
            Self::WrongSets => "snapshot/wrong-sets",
            Self::Unvouched => "snapshot/unvouched",
            Self::Certificate(error) => error.code(),
            Self::Range(error) => error.code(),
            Self::Doubled => "snapshot/doubled",
            Self::Missing => "snapshot/missing",
            Self::NotSuccessor => "snapshot/not-successor",
            Self::TooEarly => "snapshot/too-early",
            Self::NoCheckpoint => "snapshot/no-checkpoint",
            Self::Storage(error) => error.code(),
        }
    }
}
