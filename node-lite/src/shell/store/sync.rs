//! What a sync keeps on the way, and how its last batch makes the store one that a node starts from.

use super::{
    CHANGES, FINAL, HEADERS, HEIGHTS, NODES, PAST, SETS, SYNC, Store, VALUES, decode, failed,
    put_meta,
};
use crate::{
    storage::StorageError,
    sync::{Finish, Piece, Prefix, RangeWrite, Start, SyncWrite, Target},
};
use antiphon_core::{
    chain::{
        header::Header,
        light::{Change, Checkpoint, MAX_CHECKPOINT, MAX_KEPT, MAX_SET},
    },
    codec,
    id::{ChainId, Height},
};
use redb::{ReadableTable as _, TableError, WriteTransaction};

/// Longest target as stored, in bytes.
const MAX_TARGET: usize = MAX_CHECKPOINT + MAX_SET + 64;
/// Longest piece as stored, in bytes: a branch of sixteen children.
const MAX_PIECE: usize = 2048;

impl Store {
    /// Returns whether the store has no head yet, because a state is being synced.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn is_syncing(&self) -> Result<bool, StorageError> {
        Ok(self.meta::<u64>("head")?.is_none())
    }

    /// Reads what a sync goes on with.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn sync_start(&self) -> Result<Start, StorageError> {
        let table = self.table(SYNC)?;
        let trust = table.get(b"trust".as_slice()).map_err(failed)?;
        let target = table.get(b"target".as_slice()).map_err(failed)?;
        let target = target.map(|bytes| decode::<Target>(bytes.value(), MAX_TARGET)).transpose()?;
        let mut pieces = Vec::new();
        for row in table.range(b"p".as_slice()..b"q".as_slice()).map_err(failed)? {
            let (name, bytes) = row.map_err(failed)?;
            let prefix: Prefix = decode(name.value().get(1..).unwrap_or_default(), 128)?;
            pieces.push((prefix, decode::<Piece>(bytes.value(), MAX_PIECE)?));
        }
        let trust = trust.map(|bytes| bytes.value().to_vec()).filter(|b| b.len() <= MAX_KEPT);
        Ok(Start { trust, target, pieces })
    }

    /// Returns the height at which a synced chain begins here, and the version of its state.
    pub(super) fn base(&self) -> Result<Option<(Height, u64)>, StorageError> {
        self.meta("base")
    }
}

/// Writes a part of a sync.
pub(super) fn write(
    write: &WriteTransaction,
    chain: ChainId,
    part: &SyncWrite,
) -> Result<(), StorageError> {
    match part {
        SyncWrite::Trust(bytes) => put(write, b"trust", bytes),
        SyncWrite::Target(target) => put(write, b"target", &codec::encode(target.as_ref())),
        SyncWrite::Piece(prefix, piece) => put_piece(write, prefix, piece),
        SyncWrite::Change(change) => write_change(write, chain, change),
        SyncWrite::Range(range) => write_range(write, range),
        SyncWrite::Restart => {
            let trust = {
                let table = write.open_table(SYNC).map_err(failed)?;
                let bytes = table.get(b"trust".as_slice()).map_err(failed)?;
                bytes.map(|bytes| bytes.value().to_vec())
            };
            forget(write)?;
            trust.map_or(Ok(()), |bytes| put(write, b"trust", &bytes))
        }
        SyncWrite::Finish(finish) => complete(write, chain, finish),
    }
}

/// Forgets what was synced of a state, and leaves its tables empty.
pub(super) fn forget(write: &WriteTransaction) -> Result<(), StorageError> {
    let gone = |result: Result<bool, TableError>| match result {
        Ok(_) | Err(TableError::TableDoesNotExist(_)) => Ok(()),
        Err(error) => Err(failed(error)),
    };
    gone(write.delete_table(SYNC))?;
    gone(write.delete_table(NODES))?;
    gone(write.delete_table(VALUES))?;
    gone(write.delete_table(PAST))?;
    write.open_table(SYNC).map_err(failed)?;
    write.open_table(NODES).map_err(failed)?;
    write.open_table(VALUES).map_err(failed)?;
    write.open_table(PAST).map_err(failed)?;
    Ok(())
}

fn put(write: &WriteTransaction, name: &[u8], bytes: &[u8]) -> Result<(), StorageError> {
    let mut table = write.open_table(SYNC).map_err(failed)?;
    table.insert(name, bytes).map_err(failed)?;
    Ok(())
}

fn put_piece(write: &WriteTransaction, at: &Prefix, piece: &Piece) -> Result<(), StorageError> {
    put(write, &[b"p", codec::encode(at).as_slice()].concat(), &codec::encode(piece))
}

pub(super) fn write_range(
    write: &WriteTransaction,
    range: &RangeWrite,
) -> Result<(), StorageError> {
    put_piece(write, &range.prefix, &Piece::Held(range.held))?;
    let mut nodes = write.open_table(NODES).map_err(failed)?;
    for (key, node) in &range.nodes {
        let key = borsh::to_vec(key).map_err(failed)?;
        let node = borsh::to_vec(node).map_err(failed)?;
        nodes.insert(key.as_slice(), node.as_slice()).map_err(failed)?;
    }
    let mut values = write.open_table(VALUES).map_err(failed)?;
    for row in &range.rows {
        values.insert(&row.key.0.0, (range.version, &row.value[..])).map_err(failed)?;
    }
    Ok(())
}

fn write_change(
    write: &WriteTransaction,
    chain: ChainId,
    change: &Change,
) -> Result<(), StorageError> {
    write_checkpoint(write, &change.checkpoint)?;
    let mut sets = write.open_table(SETS).map_err(failed)?;
    let set = &change.elected;
    sets.insert(&set.hash(chain).0, codec::encode(set).as_slice()).map_err(failed)?;
    Ok(())
}

/// Writes a final checkpoint, and where it changed its guardians that, too.
fn write_checkpoint(write: &WriteTransaction, checkpoint: &Checkpoint) -> Result<(), StorageError> {
    let Checkpoint { header, certificate } = checkpoint;
    write_header(write, header)?;
    let mut finals = write.open_table(FINAL).map_err(failed)?;
    finals.insert(header.height.0, codec::encode(certificate).as_slice()).map_err(failed)?;
    if header.guardians_hash != header.next_guardians_hash {
        let mut changes = write.open_table(CHANGES).map_err(failed)?;
        changes.insert(&header.guardians_hash.0, header.height.0).map_err(failed)?;
    }
    Ok(())
}

pub(super) fn write_header(write: &WriteTransaction, header: &Header) -> Result<(), StorageError> {
    let mut headers = write.open_table(HEADERS).map_err(failed)?;
    headers.insert(header.height.0, codec::encode(header).as_slice()).map_err(failed)?;
    let mut heights = write.open_table(HEIGHTS).map_err(failed)?;
    heights.insert(&header.id().0.0, header.height.0).map_err(failed)?;
    Ok(())
}

/// Makes the checkpoint the head. One batch with everything that a start needs, so there is no half of it.
fn complete(write: &WriteTransaction, chain: ChainId, finish: &Finish) -> Result<(), StorageError> {
    let Finish { target, ancestors, validators, guardians } = finish;
    let height = target.checkpoint.header.height;
    write_checkpoint(write, &target.checkpoint)?;
    for header in ancestors {
        write_header(write, header)?;
    }
    {
        let mut sets = write.open_table(SETS).map_err(failed)?;
        let bytes = codec::encode(validators);
        sets.insert(&validators.hash(chain).0, bytes.as_slice()).map_err(failed)?;
        for set in [guardians, &target.signers] {
            sets.insert(&set.hash(chain).0, codec::encode(set).as_slice()).map_err(failed)?;
        }
    }
    let lowest = height.0.saturating_sub(ancestors.len() as u64);
    put_meta(write, "head", &height.0)?;
    put_meta(write, "base", &(height, target.version()))?;
    put_meta(write, "oldest", &target.version())?;
    put_meta(write, "lowest", &lowest)?;
    put_meta(write, "frozen", &target.frozen_until)?;
    write.delete_table(SYNC).map_err(failed)?;
    write.open_table(SYNC).map_err(failed)?;
    Ok(())
}
