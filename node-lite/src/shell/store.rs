//! One node's disk: a redb file with one writer, one batch for each input, synced before anything is said.
//!
//! | table | key | value |
//! |---|---|---|
//! | `meta` | name | format, chain, head, records |
//! | `blocks` | height | settled block, state version, certificate |
//! | `heights`, `transactions` | id | height |
//! | `nodes`, `values` | node key; state key and version | state tree |
//! | `stale` | version since which, `n` and node key or `v` and value key | nothing |
//! | `sets` | hash | validators or guardians that a settled block commits |
//! | `changes` | hash of guardians | height at which they elected others |
//! | `closing` | height | what ended the term there |
//! | `kept` | block id | unsettled block behind a vote or proposal |
//! | `final` | height | finality certificate |
//! | `offences` | kind and who, as a hash | evidence |
//! | `signed` | role, term, slot, block id | nothing: the log of everything signed, never deleted |
//!
//! A torn file is refused by redb's checksums. A file that was put back to an older state is noticed by `witness`, a
//! small file beside it that names the last signed slots: where it is ahead, the keys must not sign again (A0.6).

mod read;
#[cfg(test)]
mod tests;
mod witness;

use crate::{
    bft::{MAX_RECENT, MAX_RECORD, SafetyRecord, message::MAX_MESSAGE},
    guardian::{self, GuardianRecord, Known},
    ledger::{self, Elected},
    storage::{Settlement, Signature, Storage as _, StorageError, Write},
    supernode::Start,
};
use antiphon_core::{
    chain::{certificate::FinalityCertificate, spec::ChainSpec},
    codec,
    id::{ChainId, Height},
};
use borsh::BorshDeserialize;
use redb::{
    Database, Durability, ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction,
};
use std::{path::Path, sync::Arc};
use witness::Witness;

const META: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("meta");
const BLOCKS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("blocks");
const HEIGHTS: TableDefinition<'_, &[u8; 32], u64> = TableDefinition::new("heights");
const TRANSACTIONS: TableDefinition<'_, &[u8; 32], u64> = TableDefinition::new("transactions");
const NODES: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("nodes");
const VALUES: TableDefinition<'_, &[u8; 40], &[u8]> = TableDefinition::new("values");
const STALE: TableDefinition<'_, (u64, &[u8]), ()> = TableDefinition::new("stale");
const KEPT: TableDefinition<'_, &[u8; 32], &[u8]> = TableDefinition::new("kept");
const FINAL: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("final");
const SIGNED: TableDefinition<'_, (u8, u64, u64, &[u8; 32]), ()> = TableDefinition::new("signed");
const SETS: TableDefinition<'_, &[u8; 32], &[u8]> = TableDefinition::new("sets");
const CHANGES: TableDefinition<'_, &[u8; 32], u64> = TableDefinition::new("changes");
const OFFENCES: TableDefinition<'_, &[u8; 32], &[u8]> = TableDefinition::new("offences");
const CLOSING: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("closing");

/// The layout of the tables. Another number is refused.
const FORMAT: u8 = 4;
/// States kept below the settled one. Source: issue 2.
const KEPT_VERSIONS: u64 = 256;
/// Longest settled block as stored, in bytes.
const MAX_SETTLED: usize = MAX_MESSAGE + MAX_RECORD;

/// Checkpoints read back at a start.
const CHECKPOINTS: u64 = 8;

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
    /// Anything else.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// One node's disk. Clones share the file.
#[derive(Clone, Debug)]
pub struct Store {
    chain: ChainId,
    db: Arc<Database>,
    witness: Arc<Witness>,
}

/// Tells a file that is in use from one that is damaged and from a disk that fails.
fn refused(error: redb::DatabaseError) -> OpenError {
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

fn failed(error: impl std::fmt::Display) -> StorageError {
    StorageError(error.to_string())
}

fn decode<T: BorshDeserialize + borsh::BorshSerialize>(
    bytes: &[u8],
    max: usize,
) -> Result<T, StorageError> {
    codec::decode(bytes, max).map_err(failed)
}

/// Orders versions of one key: the key, then the version with its greatest byte first.
fn value_key(key: &[u8; 32], version: u64) -> [u8; 40] {
    let mut name = [0; 40];
    let bytes = key.iter().copied().chain(version.to_be_bytes());
    name.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
    name
}

impl Store {
    /// Opens the store in `folder`, or makes it with the genesis of `spec`.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(folder: &Path, spec: &ChainSpec) -> Result<Self, OpenError> {
        let db = Database::create(folder.join("chain.redb")).map_err(refused)?;
        Self::over(db, folder, spec)
    }

    /// Opens the store in a database, with what lies beside it in `folder`.
    fn over(db: Database, folder: &Path, spec: &ChainSpec) -> Result<Self, OpenError> {
        let witness = Witness::open(&folder.join("witness")).map_err(failed)?;
        let chain = spec.chain_id();
        let store = Self { chain, db: Arc::new(db), witness: Arc::new(witness) };
        match store.identity()? {
            None => store.begin(spec, chain)?,
            Some((found, _)) if found != FORMAT => return Err(OpenError::Format { found }),
            Some((_, found)) if found != chain => return Err(OpenError::Foreign),
            Some(_) => {}
        }
        if store.witness.is_ahead_of(&store.signed()?) {
            return Err(OpenError::RolledBack);
        }
        Ok(store)
    }

    fn identity(&self) -> Result<Option<(u8, ChainId)>, StorageError> {
        let read = self.db.begin_read().map_err(failed)?;
        let table = match read.open_table(META) {
            Ok(table) => table,
            Err(redb::TableError::TableDoesNotExist(_)) => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        let bytes = table.get("identity").map_err(failed)?;
        bytes.map(|bytes| decode(bytes.value(), 64)).transpose()
    }

    fn begin(&self, spec: &ChainSpec, chain: ChainId) -> Result<(), StorageError> {
        let (_, settlement) = ledger::genesis(spec).map_err(failed)?;
        let write = self.db.begin_write().map_err(failed)?;
        {
            let mut meta = write.open_table(META).map_err(failed)?;
            let identity = codec::encode(&(FORMAT, chain));
            meta.insert("identity", identity.as_slice()).map_err(failed)?;
            write.open_table(TRANSACTIONS).map_err(failed)?;
            write.open_table(FINAL).map_err(failed)?;
            write.open_table(SIGNED).map_err(failed)?;
            write.open_table(CLOSING).map_err(failed)?;
            write.open_table(OFFENCES).map_err(failed)?;
            write.open_table(CHANGES).map_err(failed)?;
        }
        settle(&write, chain, &settlement)?;
        write.commit().map_err(failed)
    }

    /// Writes a batch. When this returns it is on the disk.
    ///
    /// # Errors
    /// [`StorageError`]: nothing of the batch is written then, and nothing may be said that depends on it.
    pub fn write(&self, batch: &[Write]) -> Result<(), StorageError> {
        let mut write = self.db.begin_write().map_err(failed)?;
        write.set_durability(Durability::Immediate).map_err(failed)?;
        for part in batch {
            apply(&write, self.chain, part)?;
        }
        write.commit().map_err(failed)?;
        let signed = batch.iter().filter_map(|part| match part {
            Write::Signed(signature) => Some(*signature),
            Write::Safety(_)
            | Write::Keep(_)
            | Write::Settle(_)
            | Write::Closing(_)
            | Write::Guardian(_)
            | Write::Final(_)
            | Write::Offence(_) => None,
        });
        self.witness.note(signed).map_err(failed)
    }

    /// Reads what a node starts from.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn start(&self, interval: u64) -> Result<Start, StorageError> {
        let head = self.head()?;
        let height = head.block.height();
        let mut recent = Vec::new();
        for back in (0..MAX_RECENT as u64).rev() {
            if let Some(at) = height.0.checked_sub(back) {
                recent.push((Height(at), self.block_at(Height(at))?.id));
            }
        }
        let record: Option<GuardianRecord> = self.meta("guardian")?;
        let newest = height.0.checked_div(interval).unwrap_or(0);
        let signed = record.unwrap_or_default().height.0.checked_div(interval).unwrap_or(0);
        let certificate = self.newest_certificate()?;
        let last =
            certificate.as_ref().map_or(0, |c| c.height.0.checked_div(interval).unwrap_or(0));
        let oldest = newest.saturating_sub(CHECKPOINTS).min(signed).min(last).max(1);
        let mut checkpoints = Vec::new();
        for number in oldest..=newest {
            let at = Height(number.saturating_mul(interval));
            let settled = self.block_at(at)?;
            let guardians = settled.block.signed.header.guardians_hash;
            checkpoints.push((at, Known { block: settled.id, guardians }));
        }
        let newest = Height(newest.saturating_mul(interval));
        let next = self.block_at(newest)?.block.signed.header.next_guardians_hash;
        let lost = || failed("the store lacks a set that its chain commits");
        let open_changes = self.open_changes()?;
        let named = checkpoints.iter().chain(&open_changes);
        let sets: Result<Option<Vec<_>>, _> =
            named.map(|(_, known)| self.guardians(&known.guardians)).collect();
        let validators = self.validators(&head.block.signed.header.next_validators_hash)?;
        Ok(Start {
            validators: validators.ok_or_else(lost)?,
            guardians: self.guardians(&next)?.ok_or_else(lost)?,
            head,
            recent,
            safety: self.meta("safety")?,
            kept: self.kept()?,
            guardian: guardian::Start {
                record: record.unwrap_or_default(),
                certificate,
                checkpoints,
                open_changes,
                sets: sets?.ok_or_else(lost)?.into_iter().map(Arc::new).collect(),
            },
        })
    }
}

fn apply(write: &WriteTransaction, chain: ChainId, part: &Write) -> Result<(), StorageError> {
    match part {
        Write::Safety(record) => put_meta::<SafetyRecord>(write, "safety", record),
        Write::Guardian(record) => put_meta::<GuardianRecord>(write, "guardian", record),
        Write::Keep(block) => {
            let mut kept = write.open_table(KEPT).map_err(failed)?;
            let bytes = codec::encode(block.as_ref());
            kept.insert(&block.id().0.0, bytes.as_slice()).map_err(failed)?;
            Ok(())
        }
        Write::Settle(settlement) => settle(write, chain, settlement),
        Write::Closing(closing) => {
            let mut table = write.open_table(CLOSING).map_err(failed)?;
            let bytes = codec::encode(closing.as_ref());
            table.insert(closing.height.0, bytes.as_slice()).map_err(failed)?;
            Ok(())
        }
        Write::Final(certificate) => {
            let mut table = write.open_table(FINAL).map_err(failed)?;
            let bytes = codec::encode::<FinalityCertificate>(certificate);
            table.insert(certificate.height.0, bytes.as_slice()).map_err(failed)?;
            Ok(())
        }
        Write::Offence(seen) => {
            let mut table = write.open_table(OFFENCES).map_err(failed)?;
            let bytes = codec::encode(seen.as_ref());
            table.insert(&seen.id().0, bytes.as_slice()).map_err(failed)?;
            Ok(())
        }
        Write::Signed(Signature { role, term, slot, block }) => {
            let mut table = write.open_table(SIGNED).map_err(failed)?;
            table.insert((*role as u8, *term, *slot, &block.0.0), ()).map_err(failed)?;
            Ok(())
        }
    }
}

fn put_meta<T: borsh::BorshSerialize>(
    write: &WriteTransaction,
    name: &str,
    value: &T,
) -> Result<(), StorageError> {
    let mut meta = write.open_table(META).map_err(failed)?;
    meta.insert(name, codec::encode(value).as_slice()).map_err(failed)?;
    Ok(())
}

/// Sets are named by the hash that headers commit.
fn write_sets(
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

fn settle(
    write: &WriteTransaction,
    chain: ChainId,
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
        if height > 0 && blocks.get(height.saturating_sub(1)).map_err(failed)?.is_none() {
            return Err(StorageError(format!("height {height} has no settled parent")));
        }
        let mut heights = write.open_table(HEIGHTS).map_err(failed)?;
        heights.insert(&settled.id.0.0, height).map_err(failed)?;
        let mut transactions = write.open_table(TRANSACTIONS).map_err(failed)?;
        for id in &settlement.transactions {
            transactions.insert(&id.0.0, height).map_err(failed)?;
        }
        let mut kept = write.open_table(KEPT).map_err(failed)?;
        kept.retain(|_, bytes| block_height(bytes).is_some_and(|at| at > height))
            .map_err(failed)?;
    }
    put_meta(write, "head", &height)?;
    write_sets(write, chain, &settlement.elected)?;
    let header = &settled.block.signed.header;
    if height > 0 && settlement.elected.guardians.is_some() {
        let mut changes = write.open_table(CHANGES).map_err(failed)?;
        changes.insert(&header.guardians_hash.0, height).map_err(failed)?;
    }
    write_state(write, settlement)
}

fn block_height(bytes: &[u8]) -> Option<u64> {
    let block: crate::bft::message::Block = codec::decode(bytes, MAX_MESSAGE).ok()?;
    Some(block.height().0)
}

fn write_state(write: &WriteTransaction, settlement: &Settlement) -> Result<(), StorageError> {
    let batch = &settlement.batch;
    let mut nodes = write.open_table(NODES).map_err(failed)?;
    let mut values = write.open_table(VALUES).map_err(failed)?;
    let mut stale = write.open_table(STALE).map_err(failed)?;
    for (key, node) in batch.node_batch.nodes() {
        let (key, node) = (borsh::to_vec(key), borsh::to_vec(node));
        let (key, node) = (key.map_err(failed)?, node.map_err(failed)?);
        nodes.insert(key.as_slice(), node.as_slice()).map_err(failed)?;
    }
    for ((version, key), value) in batch.node_batch.values() {
        let name = value_key(&key.0, *version);
        // The value before this one is of no use once the states that read it are pruned.
        let before = {
            let first = value_key(&key.0, 0);
            let mut range = values.range::<&[u8; 40]>(&first..&name).map_err(failed)?;
            range.next_back().transpose().map_err(failed)?.map(|(old, _)| *old.value())
        };
        if let Some(old) = before {
            stale
                .insert((*version, [b"v", old.as_slice()].concat().as_slice()), ())
                .map_err(failed)?;
        }
        let bytes = value.as_deref().unwrap_or_default();
        values.insert(&name, bytes).map_err(failed)?;
    }
    for index in &batch.stale_node_index_batch {
        let key = borsh::to_vec(&index.node_key).map_err(failed)?;
        let name = [b"n", key.as_slice()].concat();
        stale.insert((index.stale_since_version, name.as_slice()), ()).map_err(failed)?;
    }
    let Some(horizon) = settlement.settled.version.checked_sub(KEPT_VERSIONS) else {
        return Ok(());
    };
    let mut gone = Vec::new();
    for row in stale.range(..(horizon, [].as_slice())).map_err(failed)? {
        let (key, _) = row.map_err(failed)?;
        let (since, name) = key.value();
        gone.push((since, name.to_vec()));
    }
    for (since, name) in gone {
        stale.remove((since, name.as_slice())).map_err(failed)?;
        match name.split_first() {
            Some((b'v', key)) => {
                if let Ok(key) = <&[u8; 40]>::try_from(key) {
                    values.remove(key).map_err(failed)?;
                }
            }
            Some((_, key)) => {
                nodes.remove(key).map_err(failed)?;
            }
            None => {}
        }
    }
    Ok(())
}
