//! Where settled transactions are: a table by their ids, which takes them late and in order.
//!
//! ```text
//! blocks     h-255 ......... h-1   h      ids of the newest blocks wait in memory
//! table      |..|..|..|##|..|..|          with block h it takes those that begin with the byte h mod 256
//! ```
//!
//! An id is a hash, so those of one block belong to all places of the table, and each would cost a page of the disk. What
//! has waited for up to 256 blocks falls on few pages. Nothing of it is lost with the memory: the newest blocks hold it,
//! and from them it is read when the store is opened.

use super::{BLOCKS, MAX_SETTLED, Store, TRANSACTIONS, decode, failed};
use crate::storage::{SettledBlock, StorageError};
use antiphon_core::{
    chain::transaction::decode_transaction,
    crypto::Hash,
    id::{ChainId, Height, TxId},
};
use redb::{ReadableDatabase as _, WriteTransaction};
use std::{
    collections::BTreeMap,
    sync::{MutexGuard, PoisonError},
};

/// Blocks whose ids may wait: one for each first byte of an id. Chosen here: some megabytes of memory, and at ten million
/// transactions a fifth of a page for each.
const BLOCKS_THAT_WAIT: u64 = 1 << u8::BITS;

/// The ids that wait, those of a batch that is being written among them: whoever reads asks the disk for the block.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    heights: BTreeMap<TxId, u64>,
    /// First bytes that the table has taken in the batch that is being written, with the height up to which it has.
    taken: Vec<(u8, u64)>,
}

impl Waiting {
    /// Puts the ids of a settled block with those that wait, and those whose turn it is into the table.
    pub(super) fn settle(
        &mut self,
        write: &WriteTransaction,
        height: u64,
        ids: &[TxId],
    ) -> Result<(), StorageError> {
        self.heights.extend(ids.iter().map(|id| (*id, height)));
        let [turn, ..] = height.to_le_bytes();
        let mut table = write.open_table(TRANSACTIONS).map_err(failed)?;
        for (id, height) in self.heights.range(beginning_with(turn)) {
            table.insert(&id.0.0, height).map_err(failed)?;
        }
        self.taken.push((turn, height));
        Ok(())
    }

    /// Forgets a block that is pruned.
    pub(super) fn prune(&mut self, id: &TxId) {
        self.heights.remove(id);
    }

    #[cfg(test)]
    pub(super) fn ids(&self) -> impl Iterator<Item = &TxId> {
        self.heights.keys()
    }

    /// The batch is on the disk: what the table has taken waits no more.
    fn commit(&mut self) {
        for (turn, height) in std::mem::take(&mut self.taken) {
            let taken = self.heights.range(beginning_with(turn)).filter(|(_, at)| **at <= height);
            let taken: Vec<TxId> = taken.map(|(id, _)| *id).collect();
            taken.iter().for_each(|id| self.prune(id));
        }
    }
}

/// Returns the ids that begin with a byte.
fn beginning_with(byte: u8) -> std::ops::RangeInclusive<TxId> {
    let [mut first, mut last] = [[0; 32], [u8::MAX; 32]];
    (first[0], last[0]) = (byte, byte);
    TxId(Hash(first))..=TxId(Hash(last))
}

/// Returns the ids of a settled block's transactions.
pub(super) fn ids(chain: ChainId, settled: &SettledBlock) -> impl Iterator<Item = TxId> {
    let decoded = settled.block.body.iter().filter_map(|bytes| decode_transaction(bytes).ok());
    decoded.map(move |tx| tx.body.id(chain))
}

impl Store {
    pub(super) fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads what may wait from the newest blocks, whatever else was thought before.
    pub(super) fn read_waiting(&self) -> Result<(), StorageError> {
        let mut waiting = Waiting::default();
        let head = self.meta::<u64>("head")?;
        if let Some(head) = head {
            let blocks = self.table(BLOCKS)?;
            let oldest = head.saturating_sub(BLOCKS_THAT_WAIT);
            for row in blocks.range(oldest..=head).map_err(failed)? {
                let (height, bytes) = row.map_err(failed)?;
                let settled: SettledBlock = decode(bytes.value(), MAX_SETTLED)?;
                waiting.heights.extend(ids(self.chain, &settled).map(|id| (id, height.value())));
            }
        }
        // At once: whoever asks meanwhile is told what was known before.
        *self.waiting() = waiting;
        Ok(())
    }

    /// Hears that a batch is on the disk.
    pub(super) fn committed(&self) {
        self.waiting().commit();
    }

    /// Returns the height at which a transaction was settled, if its block is here.
    pub(super) fn height_of_transaction(&self, id: &TxId) -> Result<Option<Height>, StorageError> {
        let waits = self.waiting().heights.get(id).copied();
        let read = self.db.begin_read().map_err(failed)?;
        if let Some(height) = waits {
            // It may be of a batch that is being written or, for all that this reader knows, failed.
            let blocks = read.open_table(BLOCKS).map_err(failed)?;
            let is_settled = blocks.get(height).map_err(failed)?.is_some();
            return Ok(is_settled.then_some(Height(height)));
        }
        let table = read.open_table(TRANSACTIONS).map_err(failed)?;
        Ok(table.get(&id.0.0).map_err(failed)?.map(|height| Height(height.value())))
    }
}
