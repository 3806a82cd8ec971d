//! Why a store cannot be opened.

use super::{FORMAT, failed};
use crate::{ledger::GenesisError, storage::StorageError};

/// Why a store cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Another process has it.
    #[error("the store is in use by another process; stop that one, or choose another directory")]
    InUse,
    /// It belongs to another chain.
    #[error("the store belongs to another chain; start with --reset or another directory")]
    Foreign,
    /// It was written by another version.
    #[error(
        "the store has format {found}, this version reads {FORMAT}; start with --reset or another directory"
    )]
    Format {
        /// The format found.
        found: u8,
    },
    /// It was cut or altered.
    #[error(
        "the store is damaged ({0}); put the folder aside and start with an empty one: what it held is synced anew"
    )]
    Damaged(StorageError),
    /// It is older than what its keys have signed since.
    #[error(
        "the store is older than what its keys have signed: restored from a backup? The keys must not sign again"
    )]
    RolledBack,
    /// The chain begins with a state that its file does not contain.
    #[error("{}", GenesisError::NeedsSnapshot)]
    NeedsSnapshot,
    /// Anything else.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Tells a file that is in use from one that is damaged and from a disk that fails.
pub(super) fn refused(error: redb::DatabaseError) -> OpenError {
    use redb::{DatabaseError, StorageError::Corrupted, StorageError::Io};
    use std::io::ErrorKind::{InvalidData, UnexpectedEof};
    if matches!(error, DatabaseError::DatabaseAlreadyOpen) {
        return OpenError::InUse;
    }
    // A file that is no database at all, or ends where its tables should be, is reported as bad reading.
    let damaged = matches!(
        &error,
        DatabaseError::RepairAborted | DatabaseError::Storage(Corrupted(_))
    ) || matches!(&error, DatabaseError::Storage(Io(io)) if matches!(io.kind(), InvalidData | UnexpectedEof));
    if damaged { OpenError::Damaged(failed(error)) } else { failed(error).into() }
}
