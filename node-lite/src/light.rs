//! Light files that are on disk: each is a function of its name and never changes once it is there.
//!
//! The same bytes are served by the node and written by `antiphon light`, and the simulator answers with them.

use crate::storage::{Storage, StorageError};
use antiphon_core::{
    chain::{
        light::{Change, Checkpoint, File},
        spec::ChainSpec,
    },
    codec,
    crypto::Hash,
    id::{BlockId, ChainId, Height},
};

/// Returns the file that a path below `/light/` names, `kind/name`; `None` for a path that no file has.
pub fn named(kind: &str, name: &str) -> Option<File> {
    if kind == "final" {
        // A height has one name: zeros in front would be cached twice.
        let height: u64 = name.parse().ok()?;
        return (height.to_string() == name).then_some(File::Final(Height(height)));
    }
    // A hash has one name, too.
    let hash = Hash::from_hex(name).filter(|_| !name.bytes().any(|b| b.is_ascii_uppercase()))?;
    Some(match kind {
        "spec" => File::Spec(ChainId(hash)),
        "header" => File::Header(BlockId(hash)),
        "checkpoint" => File::Checkpoint(BlockId(hash)),
        "guardians" => File::Guardians(hash),
        "validators" => File::Validators(hash),
        "change" => File::Change(hash),
        _ => return None,
    })
}

/// Returns the content of a file, as far as it is settled here; the tip and unsettled headers are the node's to tell.
///
/// # Errors
/// [`StorageError`].
pub fn find(
    store: &impl Storage,
    spec: &ChainSpec,
    file: &File,
) -> Result<Option<Vec<u8>>, StorageError> {
    Ok(match file {
        File::Spec(chain) => (*chain == spec.chain_id()).then(|| codec::encode(spec)),
        File::Tip => None,
        File::Header(block) => {
            let Some(height) = store.height_of(block)? else { return Ok(None) };
            store.header(height)?.map(|header| codec::encode(&header))
        }
        File::Checkpoint(block) => {
            let Some(height) = store.height_of(block)? else { return Ok(None) };
            checkpoint(store, height)?.map(|held| codec::encode(&held))
        }
        File::Final(height) => checkpoint(store, *height)?.map(|held| codec::encode(&held)),
        File::Guardians(hash) => store.guardians(hash)?.map(|set| codec::encode(&set)),
        File::Validators(hash) => store.validators(hash)?.map(|set| codec::encode(&set)),
        File::Change(hash) => change(store, hash)?.map(|change| codec::encode(&change)),
    })
}

fn checkpoint(store: &impl Storage, height: Height) -> Result<Option<Checkpoint>, StorageError> {
    let Some(certificate) = store.certificate(height)? else { return Ok(None) };
    Ok(store.header(height)?.map(|header| Checkpoint { header, certificate }))
}

fn change(store: &impl Storage, hash: &Hash) -> Result<Option<Change>, StorageError> {
    let Some(height) = store.change_of(hash)? else { return Ok(None) };
    let Some(checkpoint) = checkpoint(store, height)? else { return Ok(None) };
    let elected = store.guardians(&checkpoint.header.next_guardians_hash)?;
    Ok(elected.map(|elected| Change { checkpoint, elected }))
}
