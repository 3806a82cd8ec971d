//! The rows of a native peer's client, in a file of their own: written by a thread of their own, as many in one commit as wait.
//!
//! A row is told as stored only when the commit is durable: money that waits for it does not move before. A commit that
//! fails ends the loop.

use antiphon_core::{client::StoreToken, id::ChainId};
use anyhow::Context as _;
use redb::{Database, Durability, ReadableDatabase as _, ReadableTable as _, TableDefinition};
use std::{fmt, path::Path, sync::mpsc as std_mpsc, thread};
use tokio::sync::mpsc;

/// A table of rows by name; one a chain, called after it.
type Rows<'a> = TableDefinition<'a, &'static str, &'static [u8]>;

/// Rows that wait before whoever gives more has to wait, too.
const MAX_WAITING: usize = 4096;
/// Bytes of the file that are kept in memory. Chosen here: rows are few and small.
const CACHE: usize = 4 << 20;

/// A name, and what is written under it; nothing removes it.
pub type Write = (StoreToken, String, Option<Vec<u8>>);
/// Who wants to see all rows.
type Reader = Box<dyn FnOnce(Result<Vec<Row>, DiskError>) + Send>;

/// What the thread of a disk is given.
enum Work {
    /// Rows that are written together or not at all.
    Write(Vec<Write>),
    /// Rows are read, with all that was given before.
    Read(Reader),
}

/// A name, and what is written there.
pub type Row = (String, Vec<u8>);

/// The disk failed: full, taken away, or read-only. Nothing was said that is not written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the disk failed: {0}")]
pub struct DiskError(pub String);

/// The rows of one client.
pub struct Disk {
    work: std_mpsc::SyncSender<Work>,
}

/// What became of writes.
pub type Written = Result<Vec<StoreToken>, DiskError>;

impl Disk {
    /// Opens a file, which is made if there is none. Returns what is written there for this chain, and hands what is written from now on to
    /// `done`, which ends with the last.
    ///
    /// # Errors
    /// A file that cannot be opened or read, or is in use.
    pub fn open(
        path: &Path,
        chain: ChainId,
        done: mpsc::Sender<Written>,
    ) -> anyhow::Result<(Self, Vec<Row>)> {
        let (db, rows) = open(path, chain).with_context(|| path.display().to_string())?;
        let (work, inbox) = std_mpsc::sync_channel(MAX_WAITING);
        thread::Builder::new()
            .name(String::from("rows"))
            .spawn(move || write_all(&db, chain, &inbox, &done))?;
        Ok((Self { work }, rows))
    }

    /// Begins a write.
    ///
    /// # Errors
    /// The disk has failed before.
    pub fn write(&self, write: Write) -> Result<(), DiskError> {
        self.write_together(vec![write])
    }

    /// Begins writes of which all become durable, or none.
    ///
    /// # Errors
    /// The disk has failed before.
    pub fn write_together(&self, writes: Vec<Write>) -> Result<(), DiskError> {
        self.give(Work::Write(writes))
    }

    /// Reads every row once what was given before is written, and hands them to `done` on the disk's thread; `done` is dropped if
    /// that fails.
    ///
    /// # Errors
    /// The disk has failed before.
    pub fn read(
        &self,
        done: impl FnOnce(Result<Vec<Row>, DiskError>) + Send + 'static,
    ) -> Result<(), DiskError> {
        self.give(Work::Read(Box::new(done)))
    }

    fn give(&self, work: Work) -> Result<(), DiskError> {
        self.work.send(work).map_err(|_| DiskError(String::from("it has failed before")))
    }
}

impl fmt::Debug for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Disk").finish_non_exhaustive()
    }
}

/// Returns whether a file was not opened because somebody else has it open.
pub fn is_in_use(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(redb::DatabaseError::DatabaseAlreadyOpen))
}

fn open(path: &Path, chain: ChainId) -> anyhow::Result<(Database, Vec<Row>)> {
    let db = Database::builder().set_cache_size(CACHE).create(path)?;
    let name = chain.0.to_hex();
    let begin = db.begin_write()?;
    drop(begin.open_table(Rows::new(&name))?);
    begin.commit()?;
    let rows = read_all(&db, Rows::new(&name))?;
    Ok((db, rows))
}

fn read_all(db: &Database, table: Rows<'_>) -> Result<Vec<Row>, redb::Error> {
    let mut rows = Vec::new();
    for row in db.begin_read()?.open_table(table)?.iter()? {
        let (name, bytes) = row?;
        rows.push((name.value().to_owned(), bytes.value().to_vec()));
    }
    Ok(rows)
}

/// Commits what waits, until nobody can give any more.
fn write_all(
    db: &Database,
    chain: ChainId,
    inbox: &std_mpsc::Receiver<Work>,
    done: &mpsc::Sender<Written>,
) {
    let name = chain.0.to_hex();
    while let Ok(first) = inbox.recv() {
        let (mut batch, mut readers) = (Vec::new(), Vec::new());
        for work in core::iter::once(first).chain(inbox.try_iter()) {
            match work {
                Work::Write(writes) => batch.extend(writes),
                Work::Read(reader) => readers.push(reader),
            }
        }
        if !batch.is_empty() {
            let written = commit(db, Rows::new(&name), &batch).map_err(failed);
            let has_failed = written.is_err();
            let tokens = batch.iter().map(|(token, ..)| *token).collect();
            if done.blocking_send(written.map(|()| tokens)).is_err() || has_failed {
                return;
            }
        }
        for reader in readers {
            reader(read_all(db, Rows::new(&name)).map_err(failed));
        }
    }
}

fn commit(db: &Database, table: Rows<'_>, batch: &[Write]) -> Result<(), redb::Error> {
    let mut transaction = db.begin_write()?;
    transaction.set_durability(Durability::Immediate)?;
    {
        let mut rows = transaction.open_table(table)?;
        for (_, name, value) in batch {
            match value {
                Some(value) => drop(rows.insert(name.as_str(), value.as_slice())?),
                None => drop(rows.remove(name.as_str())?),
            }
        }
    }
    Ok(transaction.commit()?)
}

fn failed(error: redb::Error) -> DiskError {
    DiskError(error.to_string())
}

#[cfg(test)]
mod tests;
