//! A node whose state was synced does not know what its keys signed on a disk that may be lost, so for some sets they sign
//! nothing (A0.6). Whoever was elected later is free: `lift` gives the keys back at the election.

use crate::storage::{Storage, StorageError};
use antiphon_core::{id::Height, time::UnixMillis};

/// Returns whether keys may sign for a set that was elected at this height: always, unless the state was synced and the
/// checkpoint is not known to be dated after that.
pub(super) fn may_sign_since(
    store: &impl Storage,
    frozen_until: Option<UnixMillis>,
    since: Height,
) -> Result<bool, StorageError> {
    let Some(until) = frozen_until else { return Ok(true) };
    Ok(store.header(since)?.is_some_and(|header| header.time > until))
}
