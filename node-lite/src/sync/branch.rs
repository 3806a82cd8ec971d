//! Where the state tree branches: up to sixteen children, by the next four bits of the keys below.
//!
//! ```text
//! prefix 3a --branch--> 3a0 (a leaf)   3a4 (a subtree)   3af (a subtree)
//! ```
//!
//! A lone leaf counts for the whole half in which it stands, so hashes alone do not say under which nibble it is. So a
//! leaf is shown with its key, which does.
//!
//! Invariant: two branches of one prefix and one hash have the same children, but that a leaf beside its only sibling may
//! be shown as a subtree; what it is, is seen when its range comes.

use antiphon_core::{
    chain::proof::{NONE, leaf_hash, node_hash},
    codec::Bounded,
    crypto::Hash,
};
use borsh::{BorshDeserialize, BorshSerialize, io};

/// Nibbles of a key, and so the most branches on the way to it.
pub const MAX_NIBBLES: usize = 64;
/// Children of a branch.
const WIDTH: u8 = 16;

/// The nibbles by which all keys of a range begin; empty for all keys. One byte a nibble.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, BorshSerialize)]
pub struct Prefix(Bounded<u8, MAX_NIBBLES>);

impl BorshDeserialize for Prefix {
    fn deserialize_reader<R: io::Read>(reader: &mut R) -> io::Result<Self> {
        let nibbles = Bounded::<u8, MAX_NIBBLES>::deserialize_reader(reader)?;
        if nibbles.iter().any(|nibble| *nibble >= WIDTH) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "no nibble"));
        }
        Ok(Self(nibbles))
    }
}

impl Prefix {
    /// Returns the nibbles.
    pub fn nibbles(&self) -> &[u8] {
        &self.0
    }

    /// Returns the prefix of the first `count` nibbles of a key.
    pub fn of(key: &Hash, count: usize) -> Self {
        let nibbles = (0..count.min(MAX_NIBBLES)).map(|depth| nibble(key, depth));
        Self(Bounded::try_from(nibbles.collect::<Vec<_>>()).unwrap_or_default())
    }

    /// Returns the prefix with one nibble more; `None` where keys end.
    pub fn child(&self, nibble: u8) -> Option<Self> {
        let longer = [self.nibbles(), &[nibble]].concat();
        Bounded::try_from(longer).ok().filter(|_| nibble < WIDTH).map(Self)
    }

    /// Returns the prefix with one nibble less; `None` for all keys.
    pub fn parent(&self) -> Option<Self> {
        let (_, shorter) = self.nibbles().split_last()?;
        Bounded::try_from(shorter.to_vec()).ok().map(Self)
    }

    /// Returns whether a key begins so.
    pub fn covers(&self, key: &Hash) -> bool {
        self.nibbles().iter().enumerate().all(|(depth, at)| nibble(key, depth) == *at)
    }
}

/// Returns four bits of a key, the most significant first.
pub(super) fn nibble(key: &Hash, depth: usize) -> u8 {
    let byte = key.0.get(depth / 2).copied().unwrap_or_default();
    if depth.is_multiple_of(2) { byte >> 4 } else { byte & 15 }
}

/// What stands below a branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Child {
    /// One row: its key and the hash of its value.
    Leaf(Hash, Hash),
    /// More than one row: the nibble, and the subtree's hash.
    Subtree(u8, Hash),
}

impl Child {
    /// Returns the nibble under which it stands below a branch of this depth.
    pub fn nibble(&self, depth: usize) -> u8 {
        match self {
            Self::Leaf(key, _) => nibble(key, depth),
            Self::Subtree(nibble, _) => *nibble,
        }
    }

    /// Returns its hash in the tree.
    pub fn hash(&self) -> Hash {
        match self {
            Self::Leaf(key, value) => Hash(leaf_hash(&key.0, &value.0)),
            Self::Subtree(_, hash) => *hash,
        }
    }

    const fn is_leaf(&self) -> bool {
        matches!(self, Self::Leaf(..))
    }
}

/// A branch, with its children in the order of their nibbles.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Branch(Bounded<Child, 16>);

impl Branch {
    /// Makes a branch of children in order.
    pub fn new(children: Vec<Child>) -> Option<Self> {
        Bounded::try_from(children).ok().map(Self)
    }

    /// Returns the children.
    pub fn children(&self) -> &[Child] {
        &self.0
    }

    /// Returns the child under a nibble.
    pub fn child(&self, depth: usize, nibble: u8) -> Option<&Child> {
        self.0.iter().find(|child| child.nibble(depth) == nibble)
    }

    /// Returns whether a tree can have this branch at `prefix`: children in order, none twice, each leaf where its key
    /// says, and no lone leaf, which would stand higher.
    #[must_use]
    pub fn fits(&self, prefix: &Prefix) -> bool {
        let depth = prefix.nibbles().len();
        let in_place = |child: &Child| match child {
            Child::Leaf(key, _) => prefix.covers(key),
            Child::Subtree(nibble, _) => *nibble < WIDTH,
        };
        let rising = self.0.windows(2).all(|pair| match pair {
            [first, second] => first.nibble(depth) < second.nibble(depth),
            _ => true,
        });
        let enough = !matches!(&self.0[..], [] | [Child::Leaf(..)]);
        depth < MAX_NIBBLES && enough && rising && self.0.iter().all(in_place)
    }

    /// Returns the hash of the branch at this depth. Source: Jellyfish Merkle tree, as `jmt` (0.12) hashes it.
    pub fn hash(&self, depth: usize) -> Hash {
        Hash(hash_of(&self.0, depth, 0, WIDTH))
    }
}

fn hash_of(children: &[Child], depth: usize, first: u8, width: u8) -> [u8; 32] {
    match children {
        [] => NONE,
        [only] if width <= 1 || only.is_leaf() => only.hash().0,
        _ => {
            let half = width / 2;
            let middle = first.saturating_add(half);
            let (left, right) =
                children.split_at(children.partition_point(|child| child.nibble(depth) < middle));
            let left = hash_of(left, depth, first, half);
            node_hash(&left, &hash_of(right, depth, middle, half))
        }
    }
}
