//! The state after one block, seen through its unsettled ancestors; and the tree that `jmt` reads there.

use super::{ExecuteError, Executed, Ledger};
use crate::storage::{Storage, StorageError};
use antiphon_core::{
    chain::state::StateKey,
    crypto::Hash,
    id::{BlockId, Height},
};
use jmt::{
    KeyHash, OwnedValue, Sha256Jmt,
    storage::{LeafNode, Node, NodeKey, TreeReader, TreeUpdateBatch},
};
use std::collections::BTreeMap;

/// The state after one block.
#[derive(Debug)]
pub(super) struct View<'a, S> {
    ledger: &'a Ledger<S>,
    /// From the block itself down to the one above the store's head.
    overlays: Vec<(BlockId, &'a Executed)>,
    /// The version below the overlays.
    base: u64,
}

impl<S> Clone for View<'_, S> {
    fn clone(&self) -> Self {
        Self { ledger: self.ledger, overlays: self.overlays.clone(), base: self.base }
    }
}

impl<'a, S: Storage> View<'a, S> {
    pub(super) const fn new(
        ledger: &'a Ledger<S>,
        overlays: Vec<(BlockId, &'a Executed)>,
        base: u64,
    ) -> Self {
        Self { ledger, overlays, base }
    }

    /// Returns the version of the tree that this state is.
    pub(super) fn version(&self) -> u64 {
        self.overlays.first().map_or(self.base, |(_, executed)| executed.version)
    }

    pub(super) fn value(&self, key: &StateKey) -> Result<Option<Vec<u8>>, StorageError> {
        let changed = self.overlays.iter().find_map(|(_, executed)| executed.changes.get(key));
        match changed {
            Some(value) => Ok(Some(value.clone())),
            None => self.ledger.store.value(self.base, key),
        }
    }

    /// Returns the id of the ancestor at `height`, if it is recent.
    pub(super) fn ancestor(&self, height: Height) -> Option<BlockId> {
        let unsettled = self.overlays.iter().find(|(_, executed)| executed.height == height);
        unsettled.map(|(id, _)| *id).or_else(|| {
            let settled = self.ledger.references.get(&height);
            settled.copied().filter(|_| height <= self.ledger.head.1)
        })
    }

    pub(super) fn root(&self) -> Result<Hash, StorageError> {
        let root = Sha256Jmt::new(self).get_root_hash(self.version());
        root.map(|root| Hash(root.0)).map_err(|error| StorageError(error.to_string()))
    }
}

impl<S: Storage> TreeReader for View<'_, S> {
    fn get_node_option(&self, key: &NodeKey) -> anyhow::Result<Option<Node>> {
        let unsettled =
            self.overlays.iter().find_map(|(_, e)| e.batch.node_batch.get_node(key).cloned());
        match unsettled {
            Some(node) => Ok(Some(node)),
            None => Ok(self.ledger.store.node(key)?),
        }
    }

    fn get_value_option(
        &self,
        max_version: u64,
        key: KeyHash,
    ) -> anyhow::Result<Option<OwnedValue>> {
        let name = StateKey(Hash(key.0));
        let mut below = self.overlays.iter().filter(|(_, e)| e.version <= max_version);
        match below.find_map(|(_, executed)| executed.changes.get(&name)) {
            Some(value) => Ok(Some(value.clone())),
            None => Ok(self.ledger.store.value(max_version.min(self.base), &name)?),
        }
    }

    fn get_rightmost_leaf(&self) -> anyhow::Result<Option<(NodeKey, LeafNode)>> {
        anyhow::bail!("only a tree that is restored asks for this")
    }
}

/// A tree before genesis.
#[derive(Debug)]
pub(super) struct Empty;

impl TreeReader for Empty {
    fn get_node_option(&self, _: &NodeKey) -> anyhow::Result<Option<Node>> {
        Ok(None)
    }

    fn get_value_option(&self, _: u64, _: KeyHash) -> anyhow::Result<Option<OwnedValue>> {
        Ok(None)
    }

    fn get_rightmost_leaf(&self) -> anyhow::Result<Option<(NodeKey, LeafNode)>> {
        Ok(None)
    }
}

/// Returns the root and the new nodes of the next version.
pub(super) fn put<R: TreeReader>(
    reader: &R,
    version: u64,
    changes: &BTreeMap<StateKey, Vec<u8>>,
) -> Result<(Hash, TreeUpdateBatch), ExecuteError> {
    let values = changes.iter().map(|(key, value)| (KeyHash(key.0.0), Some(value.clone())));
    let put = Sha256Jmt::new(reader).put_value_set(values, version);
    let (root, batch) = put.map_err(|error| StorageError(error.to_string()))?;
    Ok((Hash(root.0), batch))
}
