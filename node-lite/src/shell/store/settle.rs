//! Appends a settled block: the block, the sets it elects, the rows and nodes that its state has and the one before had not.

use super::{
    BLOCKS, CHANGES, HEADERS, HEIGHTS, KEPT, NODES, PAST, SETS, STALE, Store, VALUES, failed,
    put_meta,
};
use crate::{
    ledger::Elected,
    storage::{Settlement, StorageError},
};
use antiphon_core::{
    chain::header::Header,
    codec,
    id::{ChainId, Height},
};
use borsh::BorshDeserialize as _;
use redb::{ReadableTable as _, WriteTransaction};

/// Sets are named by the hash that headers commit.
pub(super) fn write_sets(
    write: &WriteTransaction,
    chain: ChainId,
    elected: &Elected,
) -> Result<(), StorageError> {
    let mut sets = write.open_table(SETS).map_err(failed)?;
    if let Some(set) = &elected.validators {
        sets.insert(&set.hash(chain).0, codec::encode(set).as_slice()).map_err(failed)?;
    }
    if let Some(set) = &elected.guardians {
        sets.insert(&set.hash(chain).0, codec::encode(set).as_slice()).map_err(failed)?;
    }
    Ok(())
}

/// Appends a settled block and its state, and prunes what is not to be kept any more, all in one batch.
pub(super) fn settle(
    write: &WriteTransaction,
    store: &Store,
    settlement: &Settlement,
) -> Result<(), StorageError> {
    let settled = &settlement.settled;
    let height = settled.block.height().0;
    {
        let mut blocks = write.open_table(BLOCKS).map_err(failed)?;
        let bytes = codec::encode(settled);
        let before = blocks.insert(height, bytes.as_slice()).map_err(failed)?;
        if before.is_some() {
            return Err(StorageError(format!("height {height} is settled already")));
        }
        drop(before);
        let headers = write.open_table(HEADERS).map_err(failed)?;
        let below = height.saturating_sub(1);
        let has_parent = blocks.get(below).map_err(failed)?.is_some()
            || headers.get(below).map_err(failed)?.is_some();
        if height > 0 && !has_parent {
            return Err(StorageError(format!("height {height} has no settled parent")));
        }
        let mut heights = write.open_table(HEIGHTS).map_err(failed)?;
        heights.insert(&settled.id.0.0, height).map_err(failed)?;
        store.waiting().settle(write, height, &settlement.transactions)?;
        let mut kept = write.open_table(KEPT).map_err(failed)?;
        kept.retain(|_, bytes| block_height(bytes).is_some_and(|at| at > height))
            .map_err(failed)?;
    }
    put_meta(write, "head", &height)?;
    write_sets(write, store.chain, &settlement.elected)?;
    let header = &settled.block.signed.header;
    if height > 0 && settlement.elected.guardians.is_some() {
        let mut changes = write.open_table(CHANGES).map_err(failed)?;
        changes.insert(&header.guardians_hash.0, height).map_err(failed)?;
    }
    let stale = write_state(write, settlement)?;
    store.pruning.prune(write, store, (Height(height), settled.version), stale)
}

/// Reads the height of a kept block, which begins with its header.
fn block_height(mut bytes: &[u8]) -> Option<u64> {
    Header::deserialize(&mut bytes).ok().map(|header| header.height.0)
}

/// Writes the state, and returns how many rows of older ones it made stale.
fn write_state(write: &WriteTransaction, settlement: &Settlement) -> Result<usize, StorageError> {
    let mut rows = settlement.batch.stale_node_index_batch.len();
    let batch = &settlement.batch;
    let mut nodes = write.open_table(NODES).map_err(failed)?;
    let mut values = write.open_table(VALUES).map_err(failed)?;
    let mut past = write.open_table(PAST).map_err(failed)?;
    let mut stale = write.open_table(STALE).map_err(failed)?;
    for (key, node) in batch.node_batch.nodes() {
        let (key, node) = (borsh::to_vec(key), borsh::to_vec(node));
        let (key, node) = (key.map_err(failed)?, node.map_err(failed)?);
        nodes.insert(key.as_slice(), node.as_slice()).map_err(failed)?;
    }
    for ((version, key), value) in batch.node_batch.values() {
        let value = (*version, value.as_deref().unwrap_or_default());
        // The value before this one is of no use once the states that read it are pruned.
        if let Some(before) = values.insert(&key.0, value).map_err(failed)? {
            rows = rows.saturating_add(1);
            past.insert((*version, &key.0), before.value()).map_err(failed)?;
        }
    }
    for index in &batch.stale_node_index_batch {
        let key = borsh::to_vec(&index.node_key).map_err(failed)?;
        stale.insert((index.stale_since_version, key.as_slice()), ()).map_err(failed)?;
    }
    Ok(rows)
}
