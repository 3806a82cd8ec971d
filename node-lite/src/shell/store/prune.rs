//! What is let go when a block is settled, in the batch of that block.
//!
//! ```text
//! states   ...gone | kept: the last N, and those of the last two final checkpoints, and all between | head
//! blocks   ...gone | kept: the unbonding time, as far as states, 256 below those checkpoints        | head
//!             '-- headers of checkpoints that changed a set stay, with their certificates
//! ```
//!
//! A row is of use as long as a state reads it. `stale` names each node with the version since which no state does, and
//! `past` holds each value under the version that replaced it, so what is to be deleted is found without looking at the
//! tree: no counts of parents, and as much work as the block made stale.
//! A node that was never named stale is reached by the newest state. Each batch deletes a little more than it made stale,
//! so a node that begins to prune catches up without a long batch.
//!
//! Source: PROTOCOL A7.8; ALLA-27, ALLA-28.

use super::{
    BLOCKS, CLOSING, FINAL, HEADERS, HEIGHTS, MAX_SETTLED, META, NODES, PAST, STALE, Store,
    TRANSACTIONS, decode, failed, index, put_meta, read::version_of,
};
use crate::{
    bft::{MAX_RECENT, MAX_RECORD},
    storage::{SettledBlock, StorageError},
};
use antiphon_core::{
    chain::{
        header::{Header, MAX_HEADER},
        spec::ChainSpec,
    },
    codec,
    id::{BlockId, Height},
};
use redb::{ReadableTable, WriteTransaction};
use std::{fmt, str::FromStr};

/// States kept where only blocks are kept for ever. Source: issue 2.
const STATES: u64 = 256;
/// The fewest states that a node may keep. Chosen here: clients ask for states some blocks old.
const MIN_STATES: u64 = 16;
/// Stale rows deleted in a batch beside twice as many as it made stale. Chosen here: a few milliseconds.
const MAX_EXTRA: usize = 256;
/// Blocks deleted in a batch. Chosen here: more than it adds.
const MAX_BLOCKS: usize = 4;

/// How much of the past a node keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Keep {
    /// Every block and every state.
    Archive,
    /// Every block, and the last 256 states.
    #[default]
    Blocks,
    /// So many states, and the blocks of the unbonding time.
    States(u64),
}

/// A text that says nothing about what to keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected \"archive\", \"blocks\", or a number of states, {MIN_STATES} or more")]
pub struct KeepError;

impl FromStr for Keep {
    type Err = KeepError;

    fn from_str(text: &str) -> Result<Self, KeepError> {
        match text {
            "archive" => Ok(Self::Archive),
            "blocks" => Ok(Self::Blocks),
            number => {
                let states = number.parse().map_err(|_| KeepError)?;
                if states < MIN_STATES { Err(KeepError) } else { Ok(Self::States(states)) }
            }
        }
    }
}

impl fmt::Display for Keep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Archive => f.write_str("archive"),
            Self::Blocks => f.write_str("blocks"),
            Self::States(states) => states.fmt(f),
        }
    }
}

/// What a store lets go.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pruning {
    keep: Keep,
    interval: u64,
    /// Blocks in which an offence can be shown, or a bond leaves.
    unbond: u64,
}

impl Pruning {
    pub(super) fn of(spec: &ChainSpec, keep: Keep) -> Self {
        let unbond = spec.stake.as_ref().map_or(0, |rules| rules.unbond);
        Self { keep, interval: spec.checkpoint_interval, unbond }
    }

    /// Lets go what the head at this height and version makes old. `stale` is how many rows its batch made stale.
    pub(super) fn prune(
        &self,
        write: &WriteTransaction,
        store: &Store,
        (head, version): (Height, u64),
        stale: usize,
    ) -> Result<(), StorageError> {
        let states = match self.keep {
            Keep::Archive => return Ok(()),
            Keep::Blocks => STATES,
            Keep::States(states) => states,
        };
        let Some(last) = before_last_final(write, head)? else { return Ok(()) };
        if let Some(of_last) = version_at(write, last)? {
            let oldest = version.saturating_sub(states).min(of_last);
            prune_states(write, oldest, stale.saturating_mul(2).saturating_add(MAX_EXTRA))?;
        }
        if let Keep::States(states) = self.keep {
            // Whoever syncs at one of the last two final checkpoints asks for the headers below it.
            let of_sync = last.0.saturating_sub(MAX_RECENT as u64);
            let lowest = head.0.saturating_sub(self.unbond.max(states)).min(of_sync);
            self.prune_blocks(write, store, lowest)?;
        }
        Ok(())
    }

    /// Deletes blocks below a height, a few at a time from where it was left.
    fn prune_blocks(
        &self,
        write: &WriteTransaction,
        store: &Store,
        lowest: u64,
    ) -> Result<(), StorageError> {
        let next = meta::<u64>(write, "lowest")?.unwrap_or(0);
        let end = lowest.min(next.saturating_add(MAX_BLOCKS as u64));
        if next >= end {
            return Ok(());
        }
        for height in next..end {
            self.prune_block(write, store, height)?;
        }
        put_meta(write, "lowest", &end)
    }

    fn prune_block(
        &self,
        write: &WriteTransaction,
        store: &Store,
        height: u64,
    ) -> Result<(), StorageError> {
        let mut blocks = write.open_table(BLOCKS).map_err(failed)?;
        let mut headers = write.open_table(HEADERS).map_err(failed)?;
        let settled: Option<SettledBlock> = {
            let bytes = blocks.remove(height).map_err(failed)?;
            bytes.map(|bytes| decode(bytes.value(), MAX_SETTLED)).transpose()?
        };
        let header = match &settled {
            Some(settled) => Some(settled.block.signed.header.clone()),
            None => {
                let bytes = headers.get(height).map_err(failed)?;
                bytes.map(|bytes| decode::<Header>(bytes.value(), MAX_HEADER)).transpose()?
            }
        };
        let mut transactions = write.open_table(TRANSACTIONS).map_err(failed)?;
        for id in settled.iter().flat_map(|settled| index::ids(store.chain, settled)) {
            store.waiting().prune(&id);
            transactions.remove(&id.0.0).map_err(failed)?;
        }
        let Some(header) = header else { return Ok(()) };
        write.open_table(CLOSING).map_err(failed)?.remove(height).map_err(failed)?;
        if self.changes_a_set(&header) {
            headers.insert(height, codec::encode(&header).as_slice()).map_err(failed)?;
            return Ok(());
        }
        headers.remove(height).map_err(failed)?;
        write.open_table(FINAL).map_err(failed)?.remove(height).map_err(failed)?;
        let mut heights = write.open_table(HEIGHTS).map_err(failed)?;
        heights.remove(&header.id().0.0).map_err(failed)?;
        Ok(())
    }

    /// A7.8: who walks over changes of guardians, and who looks when a term began, needs these for ever. Genesis, too.
    fn changes_a_set(&self, header: &Header) -> bool {
        let is_checkpoint = header.height.0.checked_rem(self.interval) == Some(0);
        let changes = header.guardians_hash != header.next_guardians_hash || header.ends_term();
        is_checkpoint && (changes || header.parent == BlockId::default())
    }
}

fn meta<T: borsh::BorshDeserialize + borsh::BorshSerialize>(
    write: &WriteTransaction,
    name: &str,
) -> Result<Option<T>, StorageError> {
    let table = write.open_table(META).map_err(failed)?;
    let bytes = table.get(name).map_err(failed)?;
    bytes.map(|bytes| decode(bytes.value(), MAX_RECORD)).transpose()
}

/// Returns the final checkpoint before the newest one that is settled.
fn before_last_final(
    write: &WriteTransaction,
    head: Height,
) -> Result<Option<Height>, StorageError> {
    let table = write.open_table(FINAL).map_err(failed)?;
    let mut settled = table.range(..=head.0).map_err(failed)?.rev();
    settled.next().transpose().map_err(failed)?;
    let before = settled.next().transpose().map_err(failed)?;
    Ok(before.map(|(height, _)| Height(height.value())))
}

/// Returns the version of the state after a settled block.
fn version_at(write: &WriteTransaction, height: Height) -> Result<Option<u64>, StorageError> {
    let table = write.open_table(BLOCKS).map_err(failed)?;
    let bytes = table.get(height.0).map_err(failed)?;
    if let Some(bytes) = bytes {
        return version_of(&mut bytes.value()).map(Some);
    }
    let base: Option<(Height, u64)> = meta(write, "base")?;
    Ok(base.filter(|(at, _)| *at == height).map(|(_, version)| version))
}

/// Deletes rows that no state from `oldest` on reads, at most so many of each kind.
fn prune_states(write: &WriteTransaction, oldest: u64, most: usize) -> Result<(), StorageError> {
    if meta::<u64>(write, "oldest")?.unwrap_or(0) < oldest {
        put_meta(write, "oldest", &oldest)?;
    }
    let end = oldest.saturating_add(1);
    let mut past = write.open_table(PAST).map_err(failed)?;
    let gone = past.extract_from_if(..(end, &[0; 32]), |_, _| true).map_err(failed)?;
    gone.take(most).try_for_each(|row| row.map(drop)).map_err(failed)?;
    let mut nodes = write.open_table(NODES).map_err(failed)?;
    let mut stale = write.open_table(STALE).map_err(failed)?;
    let gone = stale.extract_from_if(..(end, [].as_slice()), |_, ()| true).map_err(failed)?;
    for row in gone.take(most) {
        let (name, _) = row.map_err(failed)?;
        nodes.remove(name.value().1).map_err(failed)?;
    }
    Ok(())
}
