//! Which ranges of a state are here, and which are missing: together they always tile the key space.
//!
//! ```text
//! all keys, missing --split--> sixteen children, missing --rows--> here ... --all here--> the branch's node, up to the root
//! ```
//!
//! A branch is whole when all its children are. Then its node is made of what they turned out to be, and must have the
//! hash that it was believed for; at the root that is the state root.

use super::{
    branch::{Branch, Prefix},
    node::{self, Below},
    range::Verified,
};
use crate::storage::StorageError;
use antiphon_core::crypto::Hash;
use borsh::{BorshDeserialize, BorshSerialize};
use jmt::storage::{Node, NodeKey};
use std::collections::{BTreeMap, BTreeSet};

/// Branches kept at most. Chosen here: above four million rows in the smallest ranges; each has 1 KiB at most.
const MAX_BRANCHES: usize = 1 << 16;

/// A range whose rows are here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Held {
    /// Hash of its subtree.
    pub hash: Hash,
    /// Rows in it.
    pub leaves: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Whether it is one row.
    pub is_leaf: bool,
}

impl Held {
    const fn below(&self) -> Below {
        Below { hash: self.hash, leaves: self.leaves, is_leaf: self.is_leaf }
    }
}

/// What taking in a range led to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Grown {
    /// Nodes of branches that are whole now.
    pub(super) nodes: Vec<(NodeKey, Node)>,
    /// The prefixes of those branches, with the bytes below them.
    pub(super) whole: Vec<(Prefix, u64)>,
}

/// The ranges of one state.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    root: Hash,
    version: u64,
    branches: BTreeMap<Prefix, Branch>,
    held: BTreeMap<Prefix, Held>,
    missing: BTreeSet<Prefix>,
}

impl Plan {
    /// Begins with nothing of the state with this root.
    pub(super) fn new(root: Hash, version: u64) -> Self {
        let missing = BTreeSet::from([Prefix::default()]);
        Self { root, version, branches: BTreeMap::new(), held: BTreeMap::new(), missing }
    }

    /// Returns the ranges that are missing, in the order of keys.
    pub(super) fn missing(&self) -> impl Iterator<Item = &Prefix> {
        self.missing.iter()
    }

    /// Returns whether everything is here: no range is missing, and what is here has the state root.
    #[must_use]
    pub(super) fn is_whole(&self) -> bool {
        let root = self.held.get(&Prefix::default());
        self.missing.is_empty() && root.is_some_and(|held| held.hash == self.root)
    }

    /// Returns how many rows and bytes are here.
    pub(super) fn rows(&self) -> (u64, u64) {
        let ranges = self.held.iter().filter(|(at, _)| !self.branches.contains_key(*at));
        ranges.fold((0, 0), |(rows, bytes): (u64, u64), (_, held)| {
            (rows.saturating_add(held.leaves), bytes.saturating_add(held.bytes))
        })
    }

    /// Takes in a branch that was verified. Returns whether it was missing and there is room.
    pub(super) fn split(&mut self, at: &Prefix, branch: Branch) -> bool {
        if self.branches.len() >= MAX_BRANCHES || !self.missing.remove(at) {
            return false;
        }
        let depth = at.nibbles().len();
        let children = branch.children().iter().filter_map(|child| at.child(child.nibble(depth)));
        self.missing.extend(children);
        self.branches.insert(at.clone(), branch);
        true
    }

    /// Takes in a range that was verified; `None` if it was not missing.
    ///
    /// # Errors
    /// [`StorageError`] where branches that were verified do not fit: what is on the disk is not what was written.
    pub(super) fn hold(&mut self, at: &Prefix, held: Held) -> Result<Option<Grown>, StorageError> {
        if !self.missing.remove(at) {
            return Ok(None);
        }
        self.held.insert(at.clone(), held);
        let mut grown = Grown::default();
        let mut above = at.parent();
        while let Some(prefix) = above {
            let Some(held) = self.whole(&prefix, &mut grown)? else { break };
            self.held.insert(prefix.clone(), held);
            above = prefix.parent();
        }
        Ok(Some(grown))
    }

    /// Makes the node of a branch if all its children are here.
    fn whole(&self, at: &Prefix, grown: &mut Grown) -> Result<Option<Held>, StorageError> {
        let Some(branch) = self.branches.get(at) else { return Ok(None) };
        let depth = at.nibbles().len();
        let mut children = Vec::new();
        let (mut leaves, mut bytes) = (0_u64, 0_u64);
        for child in branch.children() {
            let nibble = child.nibble(depth);
            let held = at.child(nibble).and_then(|below| self.held.get(&below));
            let Some(held) = held else { return Ok(None) };
            if held.hash != child.hash() {
                return Err(StorageError(String::from("a range is not what its branch says")));
            }
            leaves = leaves.saturating_add(held.leaves);
            bytes = bytes.saturating_add(held.bytes);
            children.push((nibble, held.below()));
        }
        let hash = branch.hash(depth);
        if at.nibbles().is_empty() && hash != self.root {
            return Err(StorageError(String::from("the ranges do not have the state root")));
        }
        grown.nodes.push((node::key(self.version, at)?, node::branch(self.version, &children)?));
        grown.whole.push((at.clone(), bytes));
        Ok(Some(Held { hash, leaves, bytes, is_leaf: false }))
    }
}

/// Returns what is kept of a verified range beside its rows and nodes.
pub(super) const fn held_of(verified: &Verified) -> Option<Held> {
    match verified {
        Verified::Rows(subtree) => Some(Held {
            hash: subtree.top.hash,
            leaves: subtree.top.leaves,
            bytes: subtree.bytes,
            is_leaf: subtree.top.is_leaf,
        }),
        Verified::Split(_) => None,
    }
}
