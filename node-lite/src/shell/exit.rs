//! How the process ends: one number a cause, so that a supervisor knows whether to start it again.
//!
//! | code | cause | start again? |
//! |---|---|---|
//! | 0 | asked to stop | – |
//! | 1 | anything else | – |
//! | 2 | command line, configuration or chain file | no: correct it |
//! | 3 | a key is missing, cut, or readable by others | no |
//! | 4 | the data folder is of another chain or another format | no |
//! | 5 | the database is damaged | no: an empty folder syncs anew, but needs new keys |
//! | 6 | the data folder or a key is in use by another process | when that has ended |
//! | 7 | an address is taken or not this machine's | when it is free |
//! | 8 | the database is older than what its keys signed | never with these keys |
//! | 9 | the clock is far off | when it is set |
//! | 10 | the disk failed or is full while running; nothing was said that is not written | when there is room |
//! | 11 | a state cannot be synced: what the node trusts is older than the trusting period | with a newer `--trust` |
//! | 12 | a snapshot was refused; nothing of it was written | with a whole one of the right chain |
//! | 13 | evidence was checked and shows nothing | – |

use super::{
    chain_file::SpecError, config::ConfigError, keys::KeyError, net::AddressError,
    net::ListenError, run::ClockError, store::OpenError,
};
use crate::{
    evidence::CheckError,
    storage::StorageError,
    sync::{SnapshotError, SyncError},
};
use std::{error::Error, io};

/// Returns the exit code for what ended the process.
pub fn code(error: &anyhow::Error) -> u8 {
    error.chain().find_map(code_of).unwrap_or(1)
}

fn code_of(error: &(dyn Error + 'static)) -> Option<u8> {
    let is = |kind: io::ErrorKind| {
        error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == kind)
    };
    if error.is::<ConfigError>() || error.is::<SpecError>() || error.is::<AddressError>() {
        return Some(2);
    }
    if let Some(error) = error.downcast_ref::<KeyError>() {
        return Some(if matches!(error, KeyError::InUse(_)) { 6 } else { 3 });
    }
    if let Some(error) = error.downcast_ref::<OpenError>() {
        return Some(match error {
            OpenError::Foreign | OpenError::Format { .. } => 4,
            OpenError::NeedsSnapshot => 2,
            OpenError::Damaged(_) => 5,
            OpenError::InUse => 6,
            OpenError::RolledBack => 8,
            OpenError::Storage(_) => 10,
        });
    }
    if error.is::<ListenError>()
        || is(io::ErrorKind::AddrInUse)
        || is(io::ErrorKind::AddrNotAvailable)
    {
        return Some(7);
    }
    if error.is::<ClockError>() {
        return Some(9);
    }
    if error.is::<CheckError>() {
        return Some(13);
    }
    if let Some(error) = error.downcast_ref::<SnapshotError>() {
        return Some(if matches!(error, SnapshotError::Storage(_)) { 10 } else { 12 });
    }
    if let Some(error) = error.downcast_ref::<SyncError>() {
        return Some(if matches!(error, SyncError::TrustExpired) { 11 } else { 10 });
    }
    error.is::<StorageError>().then_some(10)
}
