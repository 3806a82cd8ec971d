//! `antiphon snapshot`: the state of a chain as a file, made from a stopped node's database and verified anywhere.

mod file;
#[cfg(test)]
mod tests;

pub use file::{Reader, Writer};

use super::{
    chain_file, http,
    store::{Begin, Keep, Store},
};
use crate::sync::{Intake, SnapshotError, SnapshotHead, export_snapshot};
use antiphon_core::{
    chain::spec::ChainSpec,
    id::{BlockId, ChainId},
};
use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use std::path::{Path, PathBuf};

/// Makes and verifies snapshots of a chain's state.
#[derive(Clone, Debug, Args)]
pub struct Options {
    #[command(subcommand)]
    task: Task,
}

#[derive(Clone, Debug, Subcommand)]
enum Task {
    /// Writes the state of the newest final checkpoint. The node must be stopped: its database has one owner at a time.
    Export(Export),
    /// Verifies a snapshot: from its chain's first guardians to every row of the state.
    Check(Check),
}

#[derive(Clone, Debug, Args)]
struct Export {
    /// The file. An existing one is never replaced.
    file: PathBuf,
    /// The node's folder of keys and database.
    #[arg(long, env = "ANTIPHON_DATA", default_value = "antiphon-node")]
    data: PathBuf,
    /// The chain file [default: chain.toml in the data folder]
    #[arg(long, env = "ANTIPHON_CHAIN")]
    chain: Option<PathBuf>,
}

#[derive(Clone, Debug, Args)]
struct Check {
    /// The snapshot.
    file: PathBuf,
    /// The file of the chain that it must be of. Without it the snapshot says itself which chain that is.
    #[arg(long)]
    chain: Option<PathBuf>,
}

/// Carries out what was asked, and prints what the snapshot is of.
///
/// # Errors
/// A file or a database that cannot be read, [`SnapshotError`].
pub fn run(options: &Options) -> anyhow::Result<()> {
    let (file, (head, rows)) = match &options.task {
        Task::Export(export) => (&export.file, write(export)?),
        Task::Check(Check { file, chain }) => {
            let spec = chain.as_deref().map(chain_file::read).transpose()?;
            let found = check(file, spec.as_ref().map(ChainSpec::chain_id));
            (file, found.with_context(|| file.display().to_string())?)
        }
    };
    http::ready(&describe(file, &head, rows));
    Ok(())
}

/// Verifies all of a snapshot, and returns what it is of, with how many rows and bytes it has.
///
/// # Errors
/// [`SnapshotError`].
pub fn check(
    path: &Path,
    asked: Option<ChainId>,
) -> Result<(SnapshotHead, (u64, u64)), SnapshotError> {
    let mut file = Reader::open(path)?;
    let first = file.next_record()?.ok_or(SnapshotError::Missing)?;
    let mut intake = Intake::new(first, asked)?;
    while let Some(record) = file.next_record()? {
        // Verified, and not needed here.
        drop(intake.take(record)?);
    }
    let rows = intake.rows();
    Ok((intake.finish()?, rows))
}

/// Begins a store that has no head with the state in a file.
///
/// # Errors
/// [`SnapshotError`]: nothing is written then.
pub fn begin(store: &Store, spec: &ChainSpec, path: &Path) -> Result<(), SnapshotError> {
    let mut file = Reader::open(path)?;
    store.begin_with(spec, || file.next_record())
}

fn write(options: &Export) -> anyhow::Result<(SnapshotHead, (u64, u64))> {
    let Export { file, data, chain } = options;
    let chain = chain.clone().unwrap_or_else(|| data.join("chain.toml"));
    let spec = chain_file::read(&chain)?;
    if !data.join("chain.redb").exists() {
        bail!("{} has no database; --data names a node's folder", data.display());
    }
    let folder = || format!("the data folder {}", data.display());
    let how = (Keep::Archive, Begin::Sync);
    let store = Store::open_with(data, &spec, how).with_context(folder)?;
    let newest = store.newest_certificate()?.ok_or(SnapshotError::NoCheckpoint)?;
    let mut out = Writer::create(file)?;
    let made = export_snapshot(&store, &spec, newest.height, |record| out.put(record))?;
    out.finish()?;
    Ok(made)
}

fn describe(file: &Path, head: &SnapshotHead, (rows, bytes): (u64, u64)) -> serde_json::Value {
    let header = &head.checkpoint.header;
    let BlockId(block) = header.id();
    serde_json::json!({
        "file": file,
        "chain": header.chain_id.0.to_hex(),
        "height": header.height.0,
        "checkpoint": block.to_hex(),
        "stateRoot": header.state_root.to_hex(),
        "time": header.time.0,
        "rows": rows,
        "bytes": bytes,
    })
}
