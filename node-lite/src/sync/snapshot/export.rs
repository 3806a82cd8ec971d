//! Makes a snapshot of what is on a disk.

use super::{Head, Intake, Record, SnapshotError};
use crate::{
    light,
    storage::Storage,
    sync::{Content, MAX_RANGE, Prefix, read},
};
use antiphon_core::{
    chain::{
        light::{Change, Checkpoint, File, MAX_CHANGE},
        spec::ChainSpec,
    },
    codec,
    id::Height,
};

/// Hands the records of the final checkpoint at a height to `put`, each verified as whoever takes it in will verify it, and
/// returns what the snapshot is of, with how many rows and bytes it has.
///
/// # Errors
/// [`SnapshotError`], and whatever `put` says.
pub fn export(
    store: &impl Storage,
    spec: &ChainSpec,
    at: Height,
    mut put: impl FnMut(&Record) -> Result<(), SnapshotError>,
) -> Result<(Head, (u64, u64)), SnapshotError> {
    let first = Record::Head(Box::new(head(store, spec, at)?));
    let version = store.version_at(at)?.ok_or(SnapshotError::NoCheckpoint)?;
    if version < store.oldest_version()? {
        return Err(SnapshotError::NoCheckpoint);
    }
    put(&first)?;
    let mut intake = Intake::new(first, Some(spec.chain_id()))?;
    for change in changes(store, spec, intake.head())? {
        let record = Record::Change(Box::new(change));
        put(&record)?;
        intake.take(record)?;
    }
    let mut waiting = vec![Prefix::default()];
    while let Some(prefix) = waiting.pop() {
        let range = read(store, version, &prefix, MAX_RANGE)?.ok_or(SnapshotError::NoCheckpoint)?;
        if let (Content::Split, Some(branch)) = (&range.content, range.way.last()) {
            let depth = prefix.nibbles().len();
            let below = branch.children().iter().rev();
            waiting.extend(below.filter_map(|child| prefix.child(child.nibble(depth))));
        }
        let record = Record::Range(prefix, Box::new(range));
        put(&record)?;
        intake.take(record)?;
    }
    let rows = intake.rows();
    Ok((intake.finish()?, rows))
}

fn head(store: &impl Storage, spec: &ChainSpec, at: Height) -> Result<Head, SnapshotError> {
    let none = SnapshotError::NoCheckpoint;
    let certificate = store.certificate(at)?.ok_or_else(|| none.clone())?;
    let header = store.header(at)?.ok_or_else(|| none.clone())?;
    let validators = store.validators(&header.next_validators_hash)?;
    let guardians = store.guardians(&header.next_guardians_hash)?;
    Ok(Head {
        spec: spec.clone(),
        checkpoint: Checkpoint { header, certificate },
        validators: validators.ok_or_else(|| none.clone())?,
        guardians: guardians.ok_or(none)?,
    })
}

/// Returns the changes of guardians from genesis to who signed the checkpoint.
fn changes(
    store: &impl Storage,
    spec: &ChainSpec,
    head: &Head,
) -> Result<Vec<Change>, SnapshotError> {
    let (mut changes, mut acting) = (Vec::new(), spec.guardians.hash(spec.chain_id()));
    while acting != head.checkpoint.header.guardians_hash {
        let file = light::find(store, spec, &File::Change(acting))?;
        let file = file.ok_or(SnapshotError::Unvouched)?;
        let change: Change = codec::decode(&file, MAX_CHANGE)?;
        acting = change.checkpoint.header.next_guardians_hash;
        changes.push(change);
    }
    Ok(changes)
}
