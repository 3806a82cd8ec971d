//! Reads of the settled chain. Each is one read transaction, so each sees whole batches only.

use super::{
    BLOCKS, CHANGES, CLOSING, CONTRADICTION, FINAL, HEADERS, HEIGHTS, KEPT, MAX_SETTLED, META,
    NODES, OFFENCES, PAST, SETS, SIGNED, Store, VALUES, decode, failed, witness::Slots,
};
use crate::{
    bft::{
        Closing, MAX_BLOCKS, MAX_RECORD,
        message::{Block, MAX_MESSAGE},
        term_start,
    },
    guardian::Known,
    offence::{MAX_SEEN, Seen},
    storage::{Role, SettledBlock, Signature, Storage, StorageError},
};
use antiphon_core::{
    chain::{
        carried::Carried,
        certificate::{FinalityCertificate, MAX_FINALITY},
        header::{Header, MAX_HEADER, SignedHeader},
        light::MAX_SET,
        set::{GuardianSet, ValidatorSet},
        state::{MAX_VALUE, StateKey},
    },
    codec::Bounded,
    crypto::Hash,
    id::{BlockId, Height, TxId},
};
use borsh::{BorshDeserialize, BorshSerialize};
use jmt::storage::{Node, NodeKey};
use redb::{ReadOnlyTable, ReadableDatabase, ReadableTable, TableDefinition};

/// Longest row of closing blocks as stored, in bytes: headers without transactions.
const MAX_CLOSING: usize = MAX_BLOCKS.saturating_mul(MAX_RECORD);

impl Store {
    pub(super) fn table<K: redb::Key + 'static, V: redb::Value + 'static>(
        &self,
        definition: TableDefinition<'_, K, V>,
    ) -> Result<ReadOnlyTable<K, V>, StorageError> {
        self.db.begin_read().map_err(failed)?.open_table(definition).map_err(failed)
    }

    pub(super) fn meta<T: BorshDeserialize + BorshSerialize>(
        &self,
        name: &str,
    ) -> Result<Option<T>, StorageError> {
        let table = self.table(META)?;
        let bytes = table.get(name).map_err(failed)?;
        bytes.map(|bytes| decode(bytes.value(), MAX_RECORD)).transpose()
    }

    /// Returns the newest settled block.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn head(&self) -> Result<SettledBlock, StorageError> {
        let height: u64 = self.meta("head")?.ok_or_else(|| failed("the store has no head"))?;
        if let Some((at, version)) = self.base()?.filter(|(at, _)| at.0 == height) {
            return self.base_block(at, version);
        }
        self.block_at(Height(height))
    }

    /// Returns the synced checkpoint as a head: its header, without the body, which nobody here has. It is final, so what
    /// builds on it needs no certificate of its validators; `settled` does not know it, so nobody is sent a bare block.
    fn base_block(&self, at: Height, version: u64) -> Result<SettledBlock, StorageError> {
        let header = self.header(at)?.ok_or_else(|| failed("the store lacks its base"))?;
        let (id, certificate) = (header.id(), term_start(&header));
        let signed = SignedHeader { header, signature: antiphon_core::crypto::Signature([0; 64]) };
        Ok(SettledBlock {
            id,
            version,
            block: Block { signed, carried: Carried::default(), body: Bounded::new() },
            certificate,
        })
    }

    pub(super) fn block_at(&self, height: Height) -> Result<SettledBlock, StorageError> {
        self.settled(height)?.ok_or_else(|| failed(format!("no block at height {height}")))
    }

    /// Returns the newest finality certificate.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn newest_certificate(&self) -> Result<Option<FinalityCertificate>, StorageError> {
        let table = self.table(FINAL)?;
        let last = table.last().map_err(failed)?;
        last.map(|(_, bytes)| decode(bytes.value(), MAX_FINALITY)).transpose()
    }

    /// Returns what stopped finality.
    pub(super) fn contradiction(&self) -> Result<Option<FinalityCertificate>, StorageError> {
        let table = self.table(META)?;
        let bytes = table.get(CONTRADICTION).map_err(failed)?;
        bytes.map(|bytes| decode(bytes.value(), MAX_FINALITY)).transpose()
    }

    /// Returns the settled changes of guardians that have no certificate of their own.
    pub(super) fn open_changes(&self) -> Result<Vec<(Height, Known)>, StorageError> {
        let (changes, finals) = (self.table(CHANGES)?, self.table(FINAL)?);
        let mut open = Vec::new();
        for row in changes.iter().map_err(failed)? {
            let (guardians, height) = row.map_err(failed)?;
            if finals.get(height.value()).map_err(failed)?.is_none() {
                let (at, guardians) = (Height(height.value()), Hash(*guardians.value()));
                let header = self.header(at)?;
                let header = header.ok_or_else(|| failed(format!("no header at {}", at.0)))?;
                open.push((at, Known { block: header.id(), guardians }));
            }
        }
        Ok(open)
    }

    fn set<T: BorshDeserialize + BorshSerialize>(
        &self,
        hash: &Hash,
    ) -> Result<Option<T>, StorageError> {
        let table = self.table(SETS)?;
        let bytes = table.get(&hash.0).map_err(failed)?;
        bytes.map(|bytes| decode(bytes.value(), MAX_SET)).transpose()
    }

    pub(super) fn kept(&self) -> Result<Vec<Block>, StorageError> {
        let table = self.table(KEPT)?;
        let rows = table.iter().map_err(failed)?;
        rows.map(|row| decode(row.map_err(failed)?.1.value(), MAX_MESSAGE)).collect()
    }

    /// Returns the log of everything this node's keys signed, in order of role and slot.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn signatures(&self) -> Result<Vec<Signature>, StorageError> {
        let table = self.table(SIGNED)?;
        let mut signatures = Vec::new();
        for row in table.iter().map_err(failed)? {
            let (key, ()) = row.map(|(key, _)| (key, ())).map_err(failed)?;
            let (role, term, slot, block) = key.value();
            let role = match role {
                0 => Role::Vote,
                1 => Role::Proposal,
                _ => Role::Share,
            };
            signatures.push(Signature { role, term, slot, block: BlockId(Hash(*block)) });
        }
        Ok(signatures)
    }

    pub(super) fn signed(&self) -> Result<Slots, StorageError> {
        let table = self.table(SIGNED)?;
        let mut slots = Slots::default();
        for (role, slot) in (0_u8..).zip(slots.iter_mut()) {
            let (least, most) = ([0; 32], [u8::MAX; 32]);
            let all = (role, 0, 0, &least)..=(role, u64::MAX, u64::MAX, &most);
            let mut range = table.range(all).map_err(failed)?;
            if let Some((key, _)) = range.next_back().transpose().map_err(failed)? {
                *slot = (key.value().1, key.value().2);
            }
        }
        Ok(slots)
    }
}

/// Reads the version of the state after a settled block. The block begins with its id, this version and its header: what
/// comes after may be a megabyte.
pub(super) fn version_of(bytes: &mut &[u8]) -> Result<u64, StorageError> {
    let (_, version): (BlockId, u64) = BorshDeserialize::deserialize(bytes).map_err(failed)?;
    Ok(version)
}

impl Storage for Store {
    fn node(&self, key: &NodeKey) -> Result<Option<Node>, StorageError> {
        let name = borsh::to_vec(key).map_err(failed)?;
        let table = self.table(NODES)?;
        let bytes = table.get(name.as_slice()).map_err(failed)?;
        bytes.map(|bytes| Node::try_from_slice(bytes.value()).map_err(failed)).transpose()
    }

    fn value(&self, version: u64, key: &StateKey) -> Result<Option<Vec<u8>>, StorageError> {
        let read = self.db.begin_read().map_err(failed)?;
        let values = read.open_table(VALUES).map_err(failed)?;
        let Some(newest) = values.get(&key.0.0).map_err(failed)? else { return Ok(None) };
        let (mut since, mut bytes) = {
            let (since, bytes) = newest.value();
            (since, bytes.to_vec())
        };
        // What a version replaced is named by that version, and says with which one it came.
        while since > version {
            let past = read.open_table(PAST).map_err(failed)?;
            let Some(before) = past.get((since, &key.0.0)).map_err(failed)? else {
                return Ok(None);
            };
            let (from, of_before) = before.value();
            (since, bytes) = (from.min(since.saturating_sub(1)), of_before.to_vec());
        }
        Ok(Some(bytes).filter(|bytes| bytes.len() <= MAX_VALUE))
    }

    fn settled(&self, height: Height) -> Result<Option<SettledBlock>, StorageError> {
        let table = self.table(BLOCKS)?;
        let bytes = table.get(height.0).map_err(failed)?;
        bytes.map(|bytes| decode(bytes.value(), MAX_SETTLED)).transpose()
    }

    fn header(&self, height: Height) -> Result<Option<Header>, StorageError> {
        let blocks = self.table(BLOCKS)?;
        if let Some(bytes) = blocks.get(height.0).map_err(failed)? {
            let rest = &mut bytes.value();
            version_of(rest)?;
            return Header::deserialize(rest).map(Some).map_err(failed);
        }
        let table = self.table(HEADERS)?;
        let bytes = table.get(height.0).map_err(failed)?;
        bytes.map(|bytes| decode(bytes.value(), MAX_HEADER)).transpose()
    }

    fn version_at(&self, height: Height) -> Result<Option<u64>, StorageError> {
        let blocks = self.table(BLOCKS)?;
        if let Some(bytes) = blocks.get(height.0).map_err(failed)? {
            return version_of(&mut bytes.value()).map(Some);
        }
        let base = self.base()?.filter(|(at, _)| *at == height);
        Ok(base.map(|(_, version)| version))
    }

    fn oldest_version(&self) -> Result<u64, StorageError> {
        Ok(self.meta("oldest")?.unwrap_or(0))
    }

    fn height_of(&self, id: &BlockId) -> Result<Option<Height>, StorageError> {
        let table = self.table(HEIGHTS)?;
        Ok(table.get(&id.0.0).map_err(failed)?.map(|height| Height(height.value())))
    }

    fn validators(&self, hash: &Hash) -> Result<Option<ValidatorSet>, StorageError> {
        self.set(hash)
    }

    fn guardians(&self, hash: &Hash) -> Result<Option<GuardianSet>, StorageError> {
        self.set(hash)
    }

    fn offences(&self) -> Result<Vec<Seen>, StorageError> {
        let table = self.table(OFFENCES)?;
        let rows = table.iter().map_err(failed)?;
        rows.map(|row| decode(row.map_err(failed)?.1.value(), MAX_SEEN)).collect()
    }

    fn certificate(&self, height: Height) -> Result<Option<FinalityCertificate>, StorageError> {
        let table = self.table(FINAL)?;
        let bytes = table.get(height.0).map_err(failed)?;
        bytes.map(|bytes| decode(bytes.value(), MAX_FINALITY)).transpose()
    }

    fn change_of(&self, guardians: &Hash) -> Result<Option<Height>, StorageError> {
        let table = self.table(CHANGES)?;
        Ok(table.get(&guardians.0).map_err(failed)?.map(|height| Height(height.value())))
    }

    fn closing(&self, height: Height) -> Result<Option<Closing>, StorageError> {
        let table = self.table(CLOSING)?;
        let bytes = table.get(height.0).map_err(failed)?;
        bytes.map(|bytes| decode(bytes.value(), MAX_CLOSING)).transpose()
    }

    fn transaction(&self, id: &TxId) -> Result<Option<Height>, StorageError> {
        self.height_of_transaction(id)
    }
}
