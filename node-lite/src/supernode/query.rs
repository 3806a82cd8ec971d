//! What a node answers: where its chain stands, and proofs of what it holds.

use super::Supernode;
use crate::{
    ledger::At,
    storage::{Storage, StorageError},
};
use antiphon_core::{
    chain::{
        Level,
        certificate::Certificate,
        light::{MAX_TIP_BLOCKS, News, Tip},
        proof::StateProof,
        spec::ChainSpec,
        state::{Account, StateKey},
    },
    codec::Bounded,
    id::{Address, BlockId, Epoch, Height, TxId},
};

/// Where a node's chain stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// The newest block on the preferred branch.
    pub included: Height,
    /// The newest settled block.
    pub settled: Height,
    /// The newest final checkpoint.
    pub finalised: Height,
    /// The epoch the node is in.
    pub epoch: Epoch,
    /// Transactions that wait.
    pub waiting: usize,
    /// The node has stopped and serves what it had.
    pub stopped: bool,
}

/// Where a transaction is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TxStatus {
    /// Not known here.
    Unknown,
    /// Waits for a block.
    Waiting,
    /// In the block at this height, which is believed so far.
    In(Height, Level),
}

/// Why nothing can be proven at a height.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProveError {
    /// No block of this height is known here.
    #[error("no block of this height is known here")]
    UnknownHeight,
    /// The block is settled, and its state was pruned or never synced.
    #[error("this node does not keep the state at this height any more; ask an archive")]
    Pruned,
    /// The store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl ProveError {
    /// Returns the stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::UnknownHeight => "rpc/unknown-height",
            Self::Pruned => "rpc/state-pruned",
            Self::Storage(error) => error.code(),
        }
    }
}

impl<S: Storage> Supernode<S> {
    /// Returns where the chain stands.
    pub fn status(&self) -> Status {
        Status {
            included: self.tip_block().1,
            settled: self.bft.root().height,
            finalised: self.guardian.height(),
            epoch: self.bft.epoch(),
            waiting: self.mempool.len(),
            stopped: self.is_stopped(),
        }
    }

    /// Returns how many things said by others wait here: what a flood must not make grow (A0.7, A1.23).
    pub fn kept_entries(&self) -> usize {
        self.bft.kept_entries().saturating_add(self.mempool.len())
    }

    /// Returns the chain spec.
    pub const fn spec(&self) -> &ChainSpec {
        self.ledger.spec()
    }

    /// Returns the newest block on the preferred branch.
    pub(super) fn tip_block(&self) -> (BlockId, Height) {
        let path = self.bft.preferred();
        let newest = path.last().and_then(|id| Some((*id, self.bft.block(id)?.height())));
        newest.unwrap_or((self.bft.root_id(), self.bft.root().height))
    }

    /// Returns the file that tells light clients where to look.
    pub fn tip(&self) -> Tip {
        let finalised = self.guardian.certificate();
        let final_height = self.guardian.height();
        let settled = self.settled.iter().filter(|(height, _)| *height > final_height);
        let path = self.bft.preferred();
        let mut chain: Vec<BlockId> = settled.map(|(_, id)| *id).chain(path).collect();
        chain.truncate(MAX_TIP_BLOCKS);
        let named = |id: &BlockId| chain.contains(id);
        // What a term begins from is certified by nobody: no news for who must see signatures.
        let is_news = |held: &&Certificate| !held.signatures.is_empty();
        let highest = self.bft.highest().filter(|held| named(&held.block));
        let held = highest.filter(is_news).or_else(|| self.bft.certificate().filter(is_news));
        let certificate = held.cloned();
        Tip {
            final_height,
            final_block: finalised.map(|held| held.block).unwrap_or_default(),
            chain: Bounded::try_from(chain).unwrap_or_default(),
            certificate: certificate.unwrap_or_else(Certificate::genesis),
        }
    }

    /// Returns the same with the newest headers, for clients that look often.
    pub fn news(&self) -> News {
        let settled = self.settled_headers.iter().cloned();
        News::new(self.tip(), settled.chain(self.unsettled_headers()))
    }

    /// Returns the headers above the settled one on the preferred branch.
    pub fn unsettled_headers(&self) -> Vec<antiphon_core::chain::header::Header> {
        let path = self.bft.preferred();
        let blocks = path.iter().filter_map(|id| self.bft.block(id));
        blocks.map(|block| block.signed.header.clone()).collect()
    }

    /// Proves values or absences after the block at `height` on the preferred branch.
    ///
    /// # Errors
    /// [`ProveError`].
    pub fn prove(&self, height: Height, keys: &[StateKey]) -> Result<Vec<StateProof>, ProveError> {
        let root = self.bft.root();
        let at = if height > root.height {
            let above = height.0.saturating_sub(root.height.0).saturating_sub(1);
            let path = self.bft.preferred();
            let id = usize::try_from(above).ok().and_then(|above| path.get(above));
            At::Block(*id.ok_or(ProveError::UnknownHeight)?)
        } else {
            let store = self.ledger.store();
            let Some(version) = store.version_at(height)? else {
                // Where only the header is left, the state is gone, too.
                let known = store.header(height)?.is_some();
                return Err(if known { ProveError::Pruned } else { ProveError::UnknownHeight });
            };
            if version < store.oldest_version()? {
                return Err(ProveError::Pruned);
            }
            At::Version(version)
        };
        self.ledger.prove(&at, keys)?.ok_or(ProveError::UnknownHeight)
    }

    /// Returns an account at the newest block.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn account(&self, address: &Address) -> Result<Account, StorageError> {
        self.ledger.account(&self.tip_block().0, address)
    }

    /// Returns the sequence that the sender's next transaction must carry, after those that wait.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn next_sequence(&self, sender: &Address) -> Result<u64, StorageError> {
        let account = self.account(sender)?.sequence;
        let waiting = self.mempool.last_sequence(sender).unwrap_or(0);
        Ok(account.max(waiting).saturating_add(1))
    }

    /// Returns the settled head, as a reference for transactions.
    pub fn reference(&self) -> (Height, BlockId) {
        (self.bft.root().height, self.bft.root_id())
    }

    /// Returns where a transaction is.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn transaction(&self, id: &TxId) -> Result<TxStatus, StorageError> {
        if let Some(height) = self.ledger.store().transaction(id)? {
            let finalised = height <= self.guardian.height();
            let level = if finalised { Level::Final } else { Level::Settled };
            return Ok(TxStatus::In(height, level));
        }
        if let Some(height) = self.ledger.included(&self.bft.preferred(), id) {
            return Ok(TxStatus::In(height, Level::Included));
        }
        Ok(if self.mempool.has(id) { TxStatus::Waiting } else { TxStatus::Unknown })
    }
}
