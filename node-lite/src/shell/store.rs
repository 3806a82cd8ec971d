//! One node's disk: a redb file with one writer, one batch for each input, synced before anything is said.
//!
//! | table | key | value |
//! |---|---|---|
//! | `meta` | name | format, chain, head, records |
//! | `blocks` | height | settled block, state version, certificate |
//! | `headers` | height | settled header without its block: pruned, or synced |
//! | `heights` | id | height |
//! | `transactions` | id | height, for all but the newest (see `index`) |
//! | `nodes` | node key | node of the state tree |
//! | `values` | state key | newest value, and the version it came with |
//! | `past` | version that replaced it, state key | value that older states read, and the version it came with |
//! | `stale` | version since which, node key | nothing |
//! | `sets` | hash | validators or guardians that a settled block commits |
//! | `changes` | hash of guardians | height at which they elected others |
//! | `closing` | height | what ended the term there |
//! | `kept` | block id | unsettled block behind a vote or proposal |
//! | `final` | height | finality certificate |
//! | `offences` | kind and who, as a hash | evidence |
//! | `sync` | name, or `p` and prefix | what a sync goes on with; empty once it is done |
//! | `signed` | role, term, slot, block id | nothing: the log of everything signed, never deleted |
//!
//! A torn file is refused by redb's checksums. A file that was put back to an older state is noticed by `witness`, a
//! small file beside it that names the last signed slots: where it is ahead, the keys must not sign again (A0.6).

mod error;
mod index;
mod prune;
mod read;
mod settle;
mod snapshot;
mod sync;
#[cfg(test)]
mod tests;
mod witness;

pub use error::OpenError;
pub use prune::Keep;

use crate::{
    bft::{MAX_RECENT, MAX_RECORD, SafetyRecord, message::MAX_MESSAGE},
    guardian::{self, GuardianRecord, Known},
    ledger,
    storage::{Signature, Storage as _, StorageError, Write},
    supernode::Start,
};
use antiphon_core::{
    chain::{certificate::FinalityCertificate, spec::ChainSpec},
    codec,
    id::{BlockId, ChainId, Height},
};
use borsh::BorshDeserialize;
use error::refused;
use index::Waiting;
use prune::Pruning;
use redb::{Database, Durability, ReadableDatabase, TableDefinition, WriteTransaction};
use std::{
    path::Path,
    sync::{Arc, Mutex},
};
use witness::Witness;

const META: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("meta");
const BLOCKS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("blocks");
const HEADERS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("headers");
const HEIGHTS: TableDefinition<'_, &[u8; 32], u64> = TableDefinition::new("heights");
const TRANSACTIONS: TableDefinition<'_, &[u8; 32], u64> = TableDefinition::new("transactions");
const NODES: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("nodes");
const VALUES: TableDefinition<'_, &[u8; 32], Versioned> = TableDefinition::new("values");
const PAST: TableDefinition<'_, (u64, &[u8; 32]), Versioned> = TableDefinition::new("past");
const STALE: TableDefinition<'_, (u64, &[u8]), ()> = TableDefinition::new("stale");
const KEPT: TableDefinition<'_, &[u8; 32], &[u8]> = TableDefinition::new("kept");
const FINAL: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("final");
const SIGNED: TableDefinition<'_, (u8, u64, u64, &[u8; 32]), ()> = TableDefinition::new("signed");
const SETS: TableDefinition<'_, &[u8; 32], &[u8]> = TableDefinition::new("sets");
const CHANGES: TableDefinition<'_, &[u8; 32], u64> = TableDefinition::new("changes");
const OFFENCES: TableDefinition<'_, &[u8; 32], &[u8]> = TableDefinition::new("offences");
const CLOSING: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("closing");
const SYNC: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("sync");

/// The name in `meta` of the certificate that stopped finality.
const CONTRADICTION: &str = "contradiction";

/// The layout of the tables and of what lies in them. Another number is refused.
const FORMAT: u8 = 7;
/// Bytes of the file that are kept in memory. Chosen here: the upper nodes of a tree of millions, on a machine that also runs
/// other things; redb's own default is a gigabyte.
const CACHE: usize = 64 << 20;
/// Longest settled block as stored, in bytes.
const MAX_SETTLED: usize = MAX_MESSAGE + MAX_RECORD;

/// Checkpoints read back at a start.
const CHECKPOINTS: u64 = 8;

/// A value of the state, after the version it came with.
type Versioned = (u64, &'static [u8]);

/// One node's disk. Clones share the file.
#[derive(Clone, Debug)]
pub struct Store {
    chain: ChainId,
    pruning: Pruning,
    db: Arc<Database>,
    witness: Arc<Witness>,
    waiting: Arc<Mutex<Waiting>>,
}

/// How an empty store begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Begin {
    /// At block 0.
    #[default]
    Genesis,
    /// Nowhere, until a state was synced. A store that has begun at genesis stays what it is.
    Sync,
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

impl Store {
    /// Opens the store in `folder`, or makes it with the genesis of `spec`.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(folder: &Path, spec: &ChainSpec) -> Result<Self, OpenError> {
        Self::open_with(folder, spec, (Keep::default(), Begin::default()))
    }

    /// Opens the store in `folder`, or makes it, and prunes what is not to be kept from now on.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open_with(
        folder: &Path,
        spec: &ChainSpec,
        how: (Keep, Begin),
    ) -> Result<Self, OpenError> {
        let mut builder = Database::builder();
        let db =
            builder.set_cache_size(CACHE).create(folder.join("chain.redb")).map_err(refused)?;
        Self::over(db, folder, spec, how)
    }

    /// Opens the store in a database, with what lies beside it in `folder`.
    fn over(
        db: Database,
        folder: &Path,
        spec: &ChainSpec,
        (keep, begin): (Keep, Begin),
    ) -> Result<Self, OpenError> {
        let witness = Witness::open(&folder.join("witness")).map_err(failed)?;
        let (chain, pruning) = (spec.chain_id(), Pruning::of(spec, keep));
        let (db, witness, waiting) = (Arc::new(db), Arc::new(witness), Arc::default());
        let store = Self { chain, pruning, db, witness, waiting };
        match store.identity()? {
            None if begin == Begin::Genesis && spec.origin.is_some() => {
                return Err(OpenError::NeedsSnapshot);
            }
            None => store.begin(begin, spec)?,
            Some((found, _)) if found != FORMAT => return Err(OpenError::Format { found }),
            Some((_, found)) if found != chain => return Err(OpenError::Foreign),
            Some(_) if begin == Begin::Genesis && store.is_syncing()? => {
                if spec.origin.is_some() {
                    return Err(OpenError::NeedsSnapshot);
                }
                store.begin(Begin::Genesis, spec)?;
            }
            Some(_) => {}
        }
        if store.witness.is_ahead_of(&store.signed()?) {
            return Err(OpenError::RolledBack);
        }
        store.read_waiting()?;
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

    /// Begins the chain, forgetting what a sync may have left.
    fn begin(&self, begin: Begin, spec: &ChainSpec) -> Result<(), StorageError> {
        let write = self.db.begin_write().map_err(failed)?;
        sync::forget(&write)?;
        put_meta(&write, "identity", &(FORMAT, self.chain))?;
        for table in [BLOCKS, HEADERS, FINAL, CLOSING] {
            write.open_table(table).map_err(failed)?;
        }
        for table in [HEIGHTS, TRANSACTIONS, CHANGES] {
            write.open_table(table).map_err(failed)?;
        }
        for table in [SETS, KEPT, OFFENCES] {
            write.open_table(table).map_err(failed)?;
        }
        write.open_table(STALE).map_err(failed)?;
        write.open_table(SIGNED).map_err(failed)?;
        settle::write_sets(
            &write,
            self.chain,
            &ledger::Elected {
                validators: Some(spec.validators.clone()),
                guardians: Some(spec.guardians.clone()),
            },
        )?;
        if begin == Begin::Genesis {
            let (_, settlement) = ledger::genesis(spec).map_err(failed)?;
            settle::settle(&write, self, &settlement)?;
        }
        write.commit().map_err(failed)
    }

    /// Begins at genesis instead of syncing a state: the chain has nothing to sync yet.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn begin_at_genesis(&self, spec: &ChainSpec) -> Result<(), StorageError> {
        self.begin(Begin::Genesis, spec)
    }

    /// Writes a batch. When this returns it is on the disk.
    ///
    /// # Errors
    /// [`StorageError`]: nothing of the batch is written then, and nothing may be said that depends on it.
    pub fn write(&self, batch: &[Write]) -> Result<(), StorageError> {
        if let Err(error) = self.commit(batch) {
            // Where the disk still answers, what was done for this batch in memory is undone.
            let _ = self.read_waiting();
            return Err(error);
        }
        self.committed();
        let signed = batch.iter().filter_map(|part| match part {
            Write::Signed(signature) => Some(*signature),
            Write::Safety(_)
            | Write::Keep(_)
            | Write::Settle(_)
            | Write::Closing(_)
            | Write::Guardian(_)
            | Write::Final(_)
            | Write::Contradiction(_)
            | Write::Offence(_)
            | Write::Sync(_) => None,
        });
        self.witness.note(signed).map_err(failed)
    }

    fn commit(&self, batch: &[Write]) -> Result<(), StorageError> {
        let mut write = self.db.begin_write().map_err(failed)?;
        write.set_durability(Durability::Immediate).map_err(failed)?;
        for part in batch {
            apply(&write, self, part)?;
        }
        write.commit().map_err(failed)
    }

    /// Reads what a node starts from.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn start(&self, interval: u64) -> Result<Start, StorageError> {
        let head = self.head()?;
        let (height, base) = (head.block.height(), self.base()?.unwrap_or_default().0);
        let mut recent = Vec::new();
        for back in (0..MAX_RECENT as u64).rev() {
            let Some(at) = height.0.checked_sub(back).map(Height) else { continue };
            // Below a synced or pruned base there may be fewer.
            recent.extend(self.header(at)?.map(|header| (at, header.id())));
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
            // Nobody signs a genesis, at whatever height it is.
            let header = self.header(at)?.filter(|h| at >= base && h.parent != BlockId::default());
            let Some(header) = header else { continue };
            let guardians = header.guardians_hash;
            checkpoints.push((at, Known { block: header.id(), guardians }));
        }
        let newest = Height(newest.saturating_mul(interval));
        let lost = || failed("the store lacks a set or a header that its chain commits");
        let next = self.header(newest)?.ok_or_else(lost)?.next_guardians_hash;
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
            frozen_until: self.meta("frozen")?,
            kept: self.kept()?,
            guardian: guardian::Start {
                record: record.unwrap_or_default(),
                certificate,
                checkpoints,
                open_changes,
                contradiction: self.contradiction()?,
                sets: sets?.ok_or_else(lost)?.into_iter().map(Arc::new).collect(),
            },
        })
    }
}

fn apply(write: &WriteTransaction, store: &Store, part: &Write) -> Result<(), StorageError> {
    match part {
        Write::Safety(record) => put_meta::<SafetyRecord>(write, "safety", record),
        Write::Guardian(record) => put_meta::<GuardianRecord>(write, "guardian", record),
        Write::Keep(block) => {
            let mut kept = write.open_table(KEPT).map_err(failed)?;
            let bytes = codec::encode(block.as_ref());
            kept.insert(&block.id().0.0, bytes.as_slice()).map_err(failed)?;
            Ok(())
        }
        Write::Settle(settlement) => settle::settle(write, store, settlement),
        Write::Sync(part) => sync::write(write, store.chain, part),
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
        Write::Contradiction(certificate) => {
            put_meta::<FinalityCertificate>(write, CONTRADICTION, certificate)
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
