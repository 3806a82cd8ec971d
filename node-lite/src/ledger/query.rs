//! What the state is asked for: accounts, owners of keys, and proofs.

use super::{Ledger, reader::View};
use crate::storage::{Storage, StorageError};
use antiphon_core::{
    chain::{
        proof::{Path, StateProof},
        state::{Account, StateKey},
    },
    codec::{self, Bounded},
    id::{Address, BlockId},
};
use jmt::{KeyHash, Sha256Jmt};

/// A state to prove from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// After a block that is not settled, or after the settled head.
    Block(BlockId),
    /// A version of the settled tree.
    Version(u64),
}

impl<S: Storage> Ledger<S> {
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
}
