//! The tree's nodes as the `jmt` crate (0.12) keeps and reads them, made from outside.
//!
//! The crate restores a tree from left to right only, and changes what it has before it has verified what came. Here each
//! range is verified and written by itself, so its nodes are made by itself. The crate has no constructor for them that
//! others may call; it reads them from borsh, and a test demands that they are, byte for byte, those that it makes.

use super::branch::Prefix;
use crate::storage::StorageError;
use antiphon_core::crypto::Hash;
use borsh::{BorshDeserialize as _, BorshSerialize};
use jmt::storage::{Node, NodeKey};

/// What a branch says of one child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Below {
    pub(super) hash: Hash,
    pub(super) leaves: u64,
    pub(super) is_leaf: bool,
}

#[derive(BorshSerialize)]
struct Child {
    hash: [u8; 32],
    version: u64,
    kind: Kind,
}

#[derive(BorshSerialize)]
enum Kind {
    Leaf,
    Internal(u64),
}

#[derive(BorshSerialize)]
enum Layout {
    #[allow(dead_code, reason = "it keeps the numbers of the others")]
    Null,
    Internal(Box<[Option<Child>; 16]>, u64, u64),
    Leaf([u8; 32], [u8; 32]),
}

fn unreadable(error: &std::io::Error) -> StorageError {
    StorageError(format!("a node of the tree: {error}"))
}

fn read(layout: &Layout) -> Result<Node, StorageError> {
    let bytes = borsh::to_vec(layout).map_err(|error| unreadable(&error))?;
    Node::try_from_slice(&bytes).map_err(|error| unreadable(&error))
}

/// Returns the name of the node at a prefix in a version.
pub(super) fn key(version: u64, prefix: &Prefix) -> Result<NodeKey, StorageError> {
    let nibbles = prefix.nibbles();
    let pairs = nibbles.chunks(2).map(|pair| match pair {
        [first, second] => first << 4 | second,
        [first] => first << 4,
        _ => 0,
    });
    let layout = (version, nibbles.len() as u64, pairs.collect::<Vec<u8>>());
    let bytes = borsh::to_vec(&layout).map_err(|error| unreadable(&error))?;
    NodeKey::try_from_slice(&bytes).map_err(|error| unreadable(&error))
}

/// Returns the node of one row.
pub(super) fn leaf(key: &Hash, value_hash: &Hash) -> Result<Node, StorageError> {
    read(&Layout::Leaf(key.0, value_hash.0))
}

/// Returns the node of a branch over children by their nibbles, all of one version.
pub(super) fn branch(version: u64, children: &[(u8, Below)]) -> Result<Node, StorageError> {
    let mut places: Box<[Option<Child>; 16]> = Box::default();
    let mut leaves = 0_u64;
    for (nibble, below) in children {
        let kind = if below.is_leaf { Kind::Leaf } else { Kind::Internal(below.leaves) };
        leaves = leaves.saturating_add(below.leaves);
        if let Some(place) = places.get_mut(usize::from(*nibble)) {
            *place = Some(Child { hash: below.hash.0, version, kind });
        }
    }
    read(&Layout::Internal(places, children.len() as u64, leaves))
}

/// Returns the key and the value's hash of a leaf, which the crate does not tell.
pub(super) fn of_leaf(leaf: &jmt::storage::LeafNode) -> Result<(Hash, Hash), StorageError> {
    let bytes = borsh::to_vec(leaf).map_err(|error| unreadable(&error))?;
    <(Hash, Hash)>::try_from_slice(&bytes).map_err(|error| unreadable(&error))
}
