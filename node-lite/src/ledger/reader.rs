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

    /// Returns the unsettled blocks that this state came from, the newest first.
    pub(super) fn into_overlays(self) -> Vec<(BlockId, &'a Executed)> {
        self.overlays
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

/// Returns the root and the new nodes of the next version. `changes` holds something.
///
/// All keys go down the tree together: a node above many of them is read once and hashed once.
pub(super) fn put<R: TreeReader>(
    reader: &R,
    version: u64,
    changes: &BTreeMap<StateKey, Vec<u8>>,
) -> Result<(Hash, TreeUpdateBatch), ExecuteError> {
    let values = changes.iter().map(|(key, value)| (KeyHash(key.0.0), value.clone())).collect();
    let put = Sha256Jmt::new(reader).batch_put_value_sets(vec![values], None, version);
    let (roots, batch) = put.map_err(|error| StorageError(error.to_string()))?;
    let root = roots.first().ok_or_else(|| StorageError(String::from("no root was made")))?;
    Ok((Hash(root.0), batch))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What has been put so far.
    #[derive(Default)]
    struct Tree(BTreeMap<NodeKey, Node>);

    impl TreeReader for Tree {
        fn get_node_option(&self, key: &NodeKey) -> anyhow::Result<Option<Node>> {
            Ok(self.0.get(key).cloned())
        }

        fn get_value_option(&self, _: u64, _: KeyHash) -> anyhow::Result<Option<OwnedValue>> {
            Ok(None)
        }

        fn get_rightmost_leaf(&self) -> anyhow::Result<Option<(NodeKey, LeafNode)>> {
            Ok(None)
        }
    }

    /// A tree is what it holds, however it was put there: other nodes of ours keep trees that were built key by key.
    #[test]
    fn many_keys_at_once_make_the_tree_that_they_make_one_by_one() {
        let mut tree = Tree::default();
        for version in 0..32 {
            let count = if version % 5 == 0 { 1 } else { 3 * version + 1 };
            let change = |n: u64| {
                // Some keys are new, some were put before, some lie close to each other.
                let mut key = Hash::of(&[&(n * 7 % (version + 2)).to_le_bytes()]);
                key.0[31] = u8::try_from(n % 3).unwrap();
                (StateKey(key), vec![u8::try_from(version).unwrap(); 5])
            };
            let changes: BTreeMap<_, _> = (0..count).map(change).collect();
            let (root, batch) = put(&tree, version, &changes).unwrap();
            let values = changes.iter().map(|(key, value)| (KeyHash(key.0.0), Some(value.clone())));
            let (expected, one_by_one) =
                Sha256Jmt::new(&tree).put_value_set(values, version).unwrap();
            assert_eq!(root.0, expected.0);
            assert_eq!(batch.node_batch, one_by_one.node_batch);
            assert_eq!(batch.stale_node_index_batch, one_by_one.stale_node_index_batch);
            tree.0.extend(batch.node_batch.nodes().clone());
        }
    }
}
