//! Executes blocks on the state of their parents and keeps what is not settled yet beside the settled tree.
//!
//! ```text
//!  settled tree (store)            unsettled blocks (memory)
//!  root of height h      <------- h+1: changes, new nodes <---- h+2
//!                                 h+1': a fork, its own nodes
//! ```
//!
//! A block's state is read through its ancestors down to the store. When it is settled its nodes go to the store in the
//! same batch as the block; until that batch is durable they stay readable here.
//!
//! Source: PROTOCOL A5.8 to A5.12, A10.1. Versions of the tree count the blocks that changed something.

#![warn(clippy::arithmetic_side_effects)]

mod apply;
mod batch;
mod beacon;
mod build;
mod conserve;
mod elect;
mod error;
mod footprint;
mod genesis;
mod query;
mod reader;
mod row;
#[cfg(test)]
pub(crate) mod tests;
mod verified;

pub use apply::TxError;
pub use beacon::CarryError;
pub use build::{Body, Prepared};
pub use elect::Elected;
pub use error::ExecuteError;
pub use genesis::{GenesisError, genesis};
pub use query::At;

use crate::{
    bft::{Build, message::Block},
    storage::{SettledBlock, Settlement, Storage, StorageError},
};
use antiphon_core::{
    chain::{
        carried::Carried,
        certificate::Certificate,
        header::Next,
        set::ValidatorSet,
        spec::ChainSpec,
        state::StateKey,
        transaction::{LIFETIME, SignedTransaction, decode_transaction},
    },
    crypto::Hash,
    id::{BlockId, ChainId, Epoch, Height, TxId},
    payment::field::escrow::field_root,
};
use apply::Session;
use batch::{Job, apply_all};
use error::failed;
use jmt::storage::TreeUpdateBatch;
use reader::View;
use std::{collections::BTreeMap, num::NonZeroUsize};
use verified::Verified;

/// Most settled ids remembered for reference blocks: a transaction's life and some more.
const MAX_REFERENCES: u64 = LIFETIME + 8;

/// An executed block that is not durable yet.
#[derive(Debug)]
struct Executed {
    parent: BlockId,
    height: Height,
    version: u64,
    changes: BTreeMap<StateKey, Vec<u8>>,
    batch: TreeUpdateBatch,
    transactions: Vec<TxId>,
    /// The set that finalises it, if it is a checkpoint.
    guardians: Hash,
    next: Next,
    /// Root over the fields that it closed.
    field_root: Hash,
    elected: Elected,
}

/// The state of one chain: settled in `S`, unsettled in memory.
#[derive(Debug)]
pub struct Ledger<S> {
    spec: ChainSpec,
    chain: ChainId,
    /// The chain that the keys of the state name.
    keys: ChainId,
    store: S,
    head: (BlockId, Height),
    head_version: u64,
    /// What the durable head commits, and the validators among it.
    next: Next,
    validators: ValidatorSet,
    references: BTreeMap<Height, BlockId>,
    blocks: BTreeMap<BlockId, Executed>,
    verified: Verified,
    workers: NonZeroUsize,
}

impl<S: Storage> Ledger<S> {
    /// Opens the ledger above the settled block at `head`.
    ///
    /// # Errors
    /// [`StorageError`] also where the store lacks a block below its head, or the set that the head commits.
    pub fn open(spec: ChainSpec, store: S, head: &SettledBlock) -> Result<Self, StorageError> {
        let height = head.block.height();
        let next = head.block.signed.header.next();
        let validators = store.validators(&next.validators)?;
        let validators =
            validators.ok_or_else(|| StorageError(String::from("no set of validators")))?;
        let mut references = BTreeMap::new();
        for back in 0..MAX_REFERENCES {
            let at = height.0.checked_sub(back).filter(|at| *at >= spec.genesis_height().0);
            let Some(at) = at else { break };
            let header = store.header(Height(at))?;
            let header = header.ok_or_else(|| StorageError(format!("no block at {at}")))?;
            references.insert(Height(at), header.id());
        }
        Ok(Self {
            chain: spec.chain_id(),
            keys: spec.state_chain(),
            spec,
            store,
            head: (head.id, height),
            head_version: head.version,
            next,
            validators,
            references,
            blocks: BTreeMap::new(),
            verified: Verified::default(),
            workers: NonZeroUsize::MIN,
        })
    }

    /// Lets blocks be executed on at most so many threads. The results are the same.
    pub const fn use_workers(&mut self, workers: NonZeroUsize) {
        self.workers = workers;
    }

    /// Returns the chain spec.
    pub const fn spec(&self) -> &ChainSpec {
        &self.spec
    }

    /// Returns the chain's id. Costs nothing, where the spec's own would hash it whole.
    pub const fn chain(&self) -> ChainId {
        self.chain
    }

    /// Returns the chain that the keys of the state name: this one, or the first whose state it went on with.
    pub const fn state_chain(&self) -> ChainId {
        self.keys
    }

    /// Returns what the settled chain is read from.
    pub const fn store(&self) -> &S {
        &self.store
    }

    /// Executes a block on its parent and keeps the result.
    ///
    /// # Errors
    /// [`ExecuteError`]; nothing is kept then.
    pub fn execute(&mut self, id: BlockId, block: &Block) -> Result<(), ExecuteError> {
        let header = &block.signed.header;
        let before = self.next_above(&header.parent).ok_or(ExecuteError::UnknownParent)?;
        if header.validators_hash != before.validators {
            // A block that only closes a term. Settlement checked that it changes nothing (A1.22).
            let closing = self.unchanged(header).ok_or(ExecuteError::UnknownParent)?;
            self.blocks.insert(id, closing);
            return Ok(());
        }
        let request = Build::of(header);
        let mut session = self.session(&request)?;
        let mut jobs = Vec::new();
        for (index, bytes) in block.body.iter().enumerate() {
            let tx = decode_transaction(bytes)
                .map_err(|error| failed(index, TxError::Malformed(error)))?;
            jobs.push(Job { tx, is_known: self.verified.has(bytes) });
        }
        let verdicts = apply_all(&mut session, &jobs, self.workers);
        for (index, verdict) in verdicts.into_iter().enumerate() {
            verdict.map_err(|error| failed(index, error))?;
        }
        let transactions = jobs.iter().map(|job| job.tx.body.id(self.chain)).collect();
        let (root, executed) = self.finish(session, &request, &block.carried)?;
        if root != header.state_root {
            return Err(ExecuteError::WrongRoot);
        }
        if executed.next != header.next() {
            return Err(ExecuteError::WrongSets);
        }
        if executed.field_root != header.field_root {
            return Err(ExecuteError::WrongFields);
        }
        self.blocks.insert(id, Executed { transactions, ..executed });
        Ok(())
    }

    /// Remembers that the signature of a transaction with these bytes was checked.
    pub fn note_verified(&mut self, bytes: &[u8]) {
        self.verified.note(bytes);
    }

    /// Checks whether a block on `parent` could include this transaction alone.
    ///
    /// # Errors
    /// [`TxError`]; [`TxError::Expired`] also if the parent is not known here.
    pub fn check(
        &self,
        parent: &BlockId,
        height: Height,
        tx: &SignedTransaction,
    ) -> Result<(), TxError> {
        let reference = tx.body.reference_height;
        let (parent, checkpoint) = (*parent, BlockId::default());
        let request = Build { epoch: Epoch(0), parent, height, proposer_index: 0, checkpoint };
        let session = self.session(&request);
        let mut session = session.map_err(|_| TxError::Expired { reference, height })?;
        session.apply(tx, false)
    }

    fn session(&self, request: &Build) -> Result<Session<'_, S>, ExecuteError> {
        let Build { parent, height, proposer_index, .. } = request;
        let view = self.view(parent).ok_or(ExecuteError::UnknownParent)?;
        let acting = self.acting_above(parent).ok_or(ExecuteError::UnknownParent)?;
        let proposer = acting.members.get(usize::from(*proposer_index));
        let proposer = proposer.ok_or(ExecuteError::UnknownParent)?;
        Ok(Session::new(self, *parent, view, *height, proposer.key))
    }

    /// Does what a block does by itself, after its transactions.
    fn finish(
        &self,
        mut session: Session<'_, S>,
        request: &Build,
        carried: &Carried,
    ) -> Result<(Hash, Executed), ExecuteError> {
        let (parent, height) = (&request.parent, request.height);
        session.pay_due().map_err(elect::internal)?;
        let mix = self.carry(&mut session, request, carried)?;
        session.pay_proposer().map_err(elect::internal)?;
        let (elected, next) = self.elect(&mut session, parent, height)?;
        let field_root = field_root(&session.closed());
        let changes = session.into_changes()?;
        let view = self.view(parent).ok_or(ExecuteError::UnknownParent)?;
        let before = view.version();
        let (root, batch, version) = if changes.is_empty() {
            (view.root()?, TreeUpdateBatch::default(), before)
        } else {
            let version = before.saturating_add(1);
            let (root, batch) = reader::put(&view, version, &changes)?;
            (root, batch, version)
        };
        let below = self.next_above(parent).ok_or(ExecuteError::UnknownParent)?;
        let executed = Executed {
            parent: *parent,
            height,
            version,
            changes,
            batch,
            transactions: Vec::new(),
            guardians: below.guardians,
            field_root,
            next: Next { order: self.order_after(height, below.order, mix), ..next },
            elected,
        };
        Ok((root, executed))
    }

    /// Returns the state after block `id`, if it is known.
    fn view(&self, id: &BlockId) -> Option<View<'_, S>> {
        let mut overlays = Vec::new();
        let mut at = *id;
        while let Some(executed) = self.blocks.get(&at) {
            overlays.push((at, executed));
            at = executed.parent;
        }
        // Below the overlays only the durable head is complete.
        (at == self.head.0).then(|| View::new(self, overlays, self.head_version))
    }

    /// Returns what must be written to settle `block`, which was executed here.
    ///
    /// The ledger reads through it until [`Ledger::stored`].
    pub fn settlement(
        &mut self,
        id: BlockId,
        block: Block,
        certificate: Certificate,
    ) -> Option<Settlement> {
        let executed = self.blocks.get(&id)?;
        let height = executed.height;
        let settled = SettledBlock { id, version: executed.version, block, certificate };
        let (batch, transactions) = (executed.batch.clone(), executed.transactions.clone());
        let elected = executed.elected.clone();
        self.references.insert(height, id);
        while self.references.len() as u64 > MAX_REFERENCES {
            self.references.pop_first();
        }
        Some(Settlement { settled, batch, transactions, elected })
    }

    /// Moves the durable head to `id` and forgets everything that does not build on it.
    pub fn stored(&mut self, id: &BlockId) {
        let Some(executed) = self.blocks.remove(id) else { return };
        self.head = (*id, executed.height);
        self.head_version = executed.version;
        self.next = executed.next;
        if let Some(validators) = executed.elected.validators {
            self.validators = validators;
        }
        self.blocks.retain(|_, block| block.height > executed.height);
        loop {
            let blocks = &self.blocks;
            let orphans: Vec<BlockId> = blocks
                .iter()
                .filter(|(_, block)| block.parent != *id && !blocks.contains_key(&block.parent))
                .map(|(id, _)| *id)
                .collect();
            if orphans.is_empty() {
                break;
            }
            self.blocks.retain(|id, _| !orphans.contains(id));
        }
    }

    /// Returns the height of the unsettled block among `path` that holds the transaction.
    pub fn included(&self, path: &[BlockId], tx: &TxId) -> Option<Height> {
        let blocks = path.iter().filter_map(|id| self.blocks.get(id));
        blocks.into_iter().find(|b| b.transactions.contains(tx)).map(|block| block.height)
    }
}
