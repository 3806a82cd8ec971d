//! Light files that are on disk: each is a function of its name and never changes once it is there.
//!
//! The same bytes are served by the node and written by `antiphon light`, and the simulator answers with them.

pub mod export;

use crate::storage::{Storage, StorageError};
use antiphon_core::{
    chain::{
        light::{Change, Checkpoint, File, MAX_SPAN, MAX_SPAN_BLOCKS, Span},
        spec::ChainSpec,
    },
    codec,
    crypto::Hash,
    id::{BlockId, ChainId, Height},
};
use std::collections::VecDeque;

/// Bytes of the count before a list.
const LENGTH_BYTES: usize = 4;

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
        "span" => File::Span(BlockId(hash)),
        "body" => File::Body(BlockId(hash)),
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
        File::Tip | File::News => None,
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
        File::Span(block) => span(store, spec, block)?.map(|span| codec::encode(&span)),
        File::Body(block) => {
            let Some(height) = store.height_of(block)? else { return Ok(None) };
            let settled = store.settled(height)?;
            settled.map(|settled| codec::encode(&settled.block.body))
        }
    })
}

fn checkpoint(store: &impl Storage, height: Height) -> Result<Option<Checkpoint>, StorageError> {
    let Some(certificate) = store.certificate(height)? else { return Ok(None) };
    Ok(store.header(height)?.map(|header| Checkpoint { header, certificate }))
}

/// Returns the headers between a settled checkpoint and the one below it, as many as a span may have and serve.
fn span(
    store: &impl Storage,
    spec: &ChainSpec,
    block: &BlockId,
) -> Result<Option<Span>, StorageError> {
    let Some(Height(top)) = store.height_of(block)?.filter(|h| spec.is_checkpoint(*h)) else {
        return Ok(None);
    };
    let mut headers = VecDeque::new();
    let mut size = LENGTH_BYTES;
    for below in 1..spec.checkpoint_interval {
        let Some(header) = store.header(Height(top.saturating_sub(below)))? else { break };
        size = size.saturating_add(codec::encode(&header).len());
        if size > MAX_SPAN || headers.len() == MAX_SPAN_BLOCKS {
            break;
        }
        headers.push_front(header);
    }
    Ok(Span::try_from(Vec::from(headers)).ok())
}

fn change(store: &impl Storage, hash: &Hash) -> Result<Option<Change>, StorageError> {
    let Some(height) = store.change_of(hash)? else { return Ok(None) };
    let Some(checkpoint) = checkpoint(store, height)? else { return Ok(None) };
    let elected = store.guardians(&checkpoint.header.next_guardians_hash)?;
    Ok(elected.map(|elected| Change { checkpoint, elected }))
}
