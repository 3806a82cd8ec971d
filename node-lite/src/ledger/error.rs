//! Why a block is not what it says.

use super::{CarryError, TxError};
use crate::storage::StorageError;

/// Why a block is not what it says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExecuteError {
    /// The parent's state is not known here.
    #[error("the parent was not executed")]
    UnknownParent,
    /// A transaction cannot be applied, so it must not be in a block.
    #[error("transaction {index}: {error}")]
    Transaction {
        /// Which.
        index: usize,
        /// Why.
        error: TxError,
    },
    /// The state root is not the one that execution gives.
    #[error("the state root differs")]
    WrongRoot,
    /// The header commits other sets than those that its state elects.
    #[error("the sets above it differ")]
    WrongSets,
    /// The header commits other fields than those that the block closed.
    #[error("the closed fields differ")]
    WrongFields,
    /// What the block carries beside its transactions is not what it must carry.
    #[error("what the block carries: {0}")]
    Carried(#[from] CarryError),
    /// The chain has changed to rules that this software does not know. It must be replaced (AELF-30).
    #[error(
        "the chain follows rules {rules} now, this software knows those up to {known}: install a newer one"
    )]
    Outdated {
        /// What holds.
        rules: u32,
        /// What is known here.
        known: u32,
    },
    /// Money was made or lost. Our own mistake: the node stops (A10.1).
    #[error("money was made or lost")]
    NotConserved,
    /// The store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl ExecuteError {
    /// Returns the stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::UnknownParent => "ledger/unknown-parent",
            Self::Transaction { error, .. } => error.code(),
            Self::WrongRoot => "ledger/wrong-root",
            Self::WrongSets => "ledger/wrong-sets",
            Self::WrongFields => "ledger/wrong-fields",
            Self::Carried(error) => error.code(),
            Self::Outdated { .. } => "ledger/outdated",
            Self::NotConserved => "ledger/not-conserved",
            Self::Storage(error) => error.code(),
        }
    }
}

/// Tells a block that is wrong from a store that is.
pub(super) fn failed(index: usize, error: TxError) -> ExecuteError {
    if let TxError::Storage(error) = error {
        ExecuteError::Storage(error)
    } else {
        ExecuteError::Transaction { index, error }
    }
}
