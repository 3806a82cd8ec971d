//! A store that begins with the state of another chain's checkpoint: one batch, so there is the whole of it or nothing.

use super::{SYNC, Store, failed, put_meta, sync};
use crate::{
    storage::StorageError,
    sync::{Intake, Record, SnapshotError},
};
use antiphon_core::{
    chain::{header::Header, spec::ChainSpec},
    id::Height,
};
use redb::WriteTransaction;

impl Store {
    /// Begins a store without a head with the state of a snapshot, each record verified before it is written.
    ///
    /// # Errors
    /// [`SnapshotError`]: nothing is written then.
    pub fn begin_with(
        &self,
        spec: &ChainSpec,
        mut next: impl FnMut() -> Result<Option<Record>, SnapshotError>,
    ) -> Result<(), SnapshotError> {
        let first = next()?.ok_or(SnapshotError::Missing)?;
        let mut intake = Intake::new(first, None)?;
        intake.head().check_successor(spec)?;
        // What is not committed when this returns is undone.
        let write = self.db.begin_write().map_err(failed)?;
        sync::forget(&write)?;
        while let Some(record) = next()? {
            if let Some(range) = intake.take(record)? {
                sync::write_range(&write, &range)?;
            }
        }
        let head = intake.finish()?;
        let checkpoint = head.checkpoint.header;
        let genesis = Header::genesis(spec, checkpoint.state_root);
        complete(&write, &genesis)?;
        write.commit().map_err(failed)?;
        Ok(())
    }
}

/// Makes the genesis the head. Versions of the tree go on from its height, as in a store that was synced.
fn complete(write: &WriteTransaction, genesis: &Header) -> Result<(), StorageError> {
    let Height(height) = genesis.height;
    sync::write_header(write, genesis)?;
    put_meta(write, "head", &height)?;
    put_meta(write, "base", &(genesis.height, height))?;
    put_meta(write, "oldest", &height)?;
    put_meta(write, "lowest", &height)?;
    write.delete_table(SYNC).map_err(failed)?;
    write.open_table(SYNC).map_err(failed)?;
    Ok(())
}
