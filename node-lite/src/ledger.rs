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
mod conserve;
mod elect;
mod footprint;
mod genesis;
mod reader;
mod row;
#[cfg(test)]
mod tests;
mod verified;

pub use apply::TxError;
pub use beacon::CarryError;
pub use elect::Elected;
pub use genesis::{GenesisError, genesis};

use crate::{
    bft::{
        Build,
        message::{Block, MAX_BLOCK_TXS, MAX_BODY, TxBytes, tx_root},
    },
    storage::{SettledBlock, Settlement, Storage, StorageError},
};
use antiphon_core::{
    chain::{
        carried::Carried,
        certificate::Certificate,
        header::{Header, Next},
        proof::{Path, StateProof},
        set::ValidatorSet,
        spec::ChainSpec,
        state::{Account, StateKey},
        transaction::{LIFETIME, SignedTransaction, decode_transaction},
    },
    codec::{self, Bounded},
    crypto::Hash,
    id::{Address, BlockId, ChainId, Epoch, Height, TxId},
};
use apply::Session;
use batch::{Job, apply_all};
use jmt::{KeyHash, Sha256Jmt, storage::TreeUpdateBatch};
use reader::View;
use std::{collections::BTreeMap, iter::Peekable, num::NonZeroUsize};
use verified::Verified;

/// Most settled ids remembered for reference blocks: a transaction's life and some more.
const MAX_REFERENCES: u64 = LIFETIME + 8;

/// Why a block is not what it says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExecuteError {
    /// The parent's state is not known here.
    #[error("the parent was not executed")]
    UnknownParent,
    /// A transaction cannot be applied, so it must not be in a block.
    #[error("transaction {index}: {error}")]
    Transaction {
        /// Which.
        index: usize,
        /// Why.
        error: TxError,
    },
    /// The state root is not the one that execution gives.
    #[error("the state root differs")]
    WrongRoot,
    /// The header commits other sets than those that its state elects.
    #[error("the sets above it differ")]
    WrongSets,
    /// What the block carries beside its transactions is not what it must carry.
    #[error("what the block carries: {0}")]
    Carried(#[from] CarryError),
    /// The chain has changed to rules that this software does not know. It must be replaced (AELF-30).
    #[error(
        "the chain follows rules {rules} now, this software knows those up to {known}: install a newer one"
    )]
    Outdated {
        /// What holds.
        rules: u32,
        /// What is known here.
        known: u32,
    },
    /// Money was made or lost. Our own mistake: the node stops (A10.1).
    #[error("money was made or lost")]
    NotConserved,
    /// The store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl ExecuteError {
    /// Returns the stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::UnknownParent => "ledger/unknown-parent",
            Self::Transaction { error, .. } => error.code(),
            Self::WrongRoot => "ledger/wrong-root",
            Self::WrongSets => "ledger/wrong-sets",
            Self::Carried(error) => error.code(),
            Self::Outdated { .. } => "ledger/outdated",
            Self::NotConserved => "ledger/not-conserved",
            Self::Storage(error) => error.code(),
        }
    }
}

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

/// What a proposer gets.
#[derive(Debug)]
pub struct Body {
    /// Encoded transactions that all apply, in order.
    pub transactions: Vec<TxBytes>,
    /// What the block carries beside them.
    pub carried: Carried,
    /// The state root after both.
    pub state_root: Hash,
    /// What the block commits for those above it.
    pub next: Next,
    /// Candidates that cannot be applied, with why.
    pub refused: Vec<(TxId, TxError)>,
    /// The execution, for [`Ledger::adopt`].
    pub prepared: Prepared,
}

/// The execution of a body that was built here, so that its block need not be executed again.
#[derive(Debug)]
pub struct Prepared {
    proposer_index: u16,
    carried: Hash,
    tx_root: Hash,
    state_root: Hash,
    executed: Executed,
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
        self.blocks.insert(id, Executed { transactions, ..executed });
        Ok(())
    }

    /// Keeps the execution of a body that became this block. Returns whether it did: the header says all that went into
    /// the execution and all that came out, so only the very same block does.
    pub fn adopt(&mut self, id: BlockId, header: &Header, prepared: Prepared) -> bool {
        let Prepared { proposer_index, carried, tx_root, state_root, executed } = prepared;
        let same = (header.parent, header.height) == (executed.parent, executed.height)
            && (header.proposer_index, header.carried) == (proposer_index, carried)
            && (header.tx_root, header.state_root) == (tx_root, state_root)
            && header.next() == executed.next
            && self.view(&header.parent).is_some();
        if same {
            self.blocks.insert(id, executed);
        }
        same
    }

    /// Remembers that the signature of a transaction with these bytes was checked.
    pub fn note_verified(&mut self, bytes: &[u8]) {
        self.verified.note(bytes);
    }

    /// Makes a body from candidates, leaving out what cannot be applied, and carries of what is offered what the chain wants.
    ///
    /// # Errors
    /// [`ExecuteError`] if the parent is unknown, the store fails, or the chain wants something that is not offered.
    pub fn build(
        &self,
        request: &Build,
        offered: Carried,
        candidates: impl IntoIterator<Item = SignedTransaction>,
    ) -> Result<Body, ExecuteError> {
        let mut session = self.session(request)?;
        let (mut transactions, mut refused, mut ids) = (Vec::new(), Vec::new(), Vec::new());
        let mut candidates = candidates.into_iter().peekable();
        let mut room = MAX_BODY;
        while candidates.peek().is_some() {
            let places = MAX_BLOCK_TXS.saturating_sub(transactions.len());
            let (encoded, jobs) = self.take(&mut candidates, places, room);
            if jobs.is_empty() {
                break;
            }
            let verdicts = apply_all(&mut session, &jobs, self.workers);
            for ((encoded, job), verdict) in encoded.into_iter().zip(jobs).zip(verdicts) {
                let id = job.tx.body.id(self.chain);
                match verdict {
                    Ok(()) => {
                        room = room.saturating_sub(encoded.len());
                        ids.push(id);
                        transactions.push(encoded);
                    }
                    Err(TxError::Storage(error)) => return Err(error.into()),
                    Err(error) => refused.push((id, error)),
                }
            }
        }
        let carried = self.wanted(&mut session, request, offered)?;
        let (state_root, executed) = self.finish(session, request, &carried)?;
        let (next, tx_root) = (executed.next, tx_root(&transactions));
        let prepared = Prepared {
            proposer_index: request.proposer_index,
            carried: carried.hash(self.chain),
            tx_root,
            state_root,
            executed: Executed { transactions: ids, ..executed },
        };
        Ok(Body { transactions, carried, state_root, next, refused, prepared })
    }

    /// Takes the next candidates that have room in a block.
    fn take(
        &self,
        candidates: &mut Peekable<impl Iterator<Item = SignedTransaction>>,
        places: usize,
        mut room: usize,
    ) -> (Vec<TxBytes>, Vec<Job>) {
        let (mut encoded, mut jobs) = (Vec::new(), Vec::new());
        while jobs.len() < places
            && let Some(tx) = candidates.next_if(|tx| tx.to_bytes().len() <= room)
        {
            let Ok(bytes) = TxBytes::try_from(tx.to_bytes()) else { continue };
            room = room.saturating_sub(bytes.len());
            jobs.push(Job { is_known: self.verified.has(&bytes), tx });
            encoded.push(bytes);
        }
        (encoded, jobs)
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

    /// Returns an account after block `id`.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn account(&self, id: &BlockId, address: &Address) -> Result<Account, StorageError> {
        let key = StateKey::account(self.keys, address);
        let bytes = self.view(id).map(|view| view.value(&key)).transpose()?.flatten();
        Ok(bytes.and_then(|bytes| codec::decode(&bytes, bytes.len()).ok()).unwrap_or_default())
    }

    /// Returns whose a key is after block `id`, by the row of the key.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn owner(&self, id: &BlockId, row: &StateKey) -> Result<Option<Address>, StorageError> {
        let bytes = self.view(id).map(|view| view.value(row)).transpose()?.flatten();
        Ok(bytes.and_then(|bytes| codec::decode(&bytes, bytes.len()).ok()))
    }

    /// Proves values or their absence after block `id`, or after a durable block at `version`.
    ///
    /// # Errors
    /// [`StorageError`], also for a version that was pruned.
    pub fn prove(
        &self,
        at: &At,
        keys: &[StateKey],
    ) -> Result<Option<Vec<StateProof>>, StorageError> {
        let (view, version) = match at {
            At::Block(id) => {
                let Some(view) = self.view(id) else { return Ok(None) };
                let version = view.version();
                (view, version)
            }
            At::Version(version) => (View::new(self, Vec::new(), *version), *version),
        };
        let tree = Sha256Jmt::new(&view);
        let prove = |key: &StateKey| {
            let (value, proof) = tree.get_with_proof(KeyHash(key.0.0), version).ok()?;
            let path = Path::from_jmt(&borsh::to_vec(&proof).ok()?).ok()?;
            let value = value.map(Bounded::try_from).transpose().ok()?;
            Some(StateProof { value, path })
        };
        Ok(keys.iter().map(prove).collect())
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

/// Tells a block that is wrong from a store that is.
fn failed(index: usize, error: TxError) -> ExecuteError {
    if let TxError::Storage(error) = error {
        ExecuteError::Storage(error)
    } else {
        ExecuteError::Transaction { index, error }
    }
}

/// A state to prove from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// After a block that is not settled, or after the settled head.
    Block(BlockId),
    /// A version of the settled tree.
    Version(u64),
}
