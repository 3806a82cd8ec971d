//! A small Jellyfish Merkle tree that proves its values, written apart from the one that the node uses.

use antiphon_core::{
    chain::{proof::StateProof, state::StateKey},
    codec,
    crypto::Hash,
};

const NONE: [u8; 32] = *b"SPARSE_MERKLE_PLACEHOLDER_HASH__";

/// A leaf: key and value.
type Leaf = ([u8; 32], Vec<u8>);

/// A subtree: empty, one leaf alone, or two subtrees.
enum Node<'a> {
    Empty,
    Leaf(&'a Leaf),
    Inner([u8; 32], [u8; 32]),
}

/// Values under their keys.
#[derive(Debug)]
pub(super) struct Tree(Vec<Leaf>);

impl Tree {
    pub(super) fn new(values: impl IntoIterator<Item = (StateKey, Vec<u8>)>) -> Self {
        let mut leaves: Vec<_> = values.into_iter().map(|(key, value)| (key.0.0, value)).collect();
        leaves.sort();
        Self(leaves)
    }

    pub(super) fn root(&self) -> Hash {
        Hash(node(&self.0, 0).hash())
    }

    pub(super) fn value(&self, key: &StateKey) -> Option<&[u8]> {
        self.0.iter().find(|(k, _)| *k == key.0.0).map(|(_, value)| value.as_slice())
    }

    /// Proves what is under `key`, or that nothing is.
    pub(super) fn prove(&self, key: &StateKey) -> Option<StateProof> {
        let (mut leaves, mut depth, mut siblings) = (self.0.as_slice(), 0, Vec::new());
        while leaves.len() > 1 {
            let (left, right) = split(leaves, depth);
            let (own, other) = if bit(&key.0.0, depth) { (right, left) } else { (left, right) };
            siblings.push(node(other, depth.saturating_add(1)).encode());
            (leaves, depth) = (own, depth.saturating_add(1));
        }
        siblings.reverse();
        let found = leaves.first();
        let value = found.filter(|(k, _)| *k == key.0.0).map(|(_, value)| value.clone());
        let leaf = found.map(|(key, value)| (*key, Hash::of(&[value])));
        let count = u32::try_from(siblings.len()).ok()?;
        let mut bytes = codec::encode(&(value, leaf, count));
        bytes.extend(siblings.concat());
        codec::decode(&bytes, bytes.len()).ok()
    }
}

fn bit(key: &[u8; 32], depth: usize) -> bool {
    key.get(depth / 8).is_some_and(|byte| byte >> (7 - depth % 8) & 1 == 1)
}

fn split(leaves: &[Leaf], depth: usize) -> (&[Leaf], &[Leaf]) {
    leaves.split_at(leaves.partition_point(|(key, _)| !bit(key, depth)))
}

fn node(leaves: &[Leaf], depth: usize) -> Node<'_> {
    match leaves {
        [] => Node::Empty,
        [leaf] => Node::Leaf(leaf),
        _ => {
            let ((left, right), below) = (split(leaves, depth), depth.saturating_add(1));
            Node::Inner(node(left, below).hash(), node(right, below).hash())
        }
    }
}

impl Node<'_> {
    fn hash(&self) -> [u8; 32] {
        match self {
            Self::Empty => NONE,
            Self::Leaf((key, value)) => Hash::of(&[b"JMT::LeafNode", key, &Hash::of(&[value]).0]).0,
            Self::Inner(left, right) => Hash::of(&[b"JMT::IntrnalNode", left, right]).0,
        }
    }

    /// Returns the sibling as a path carries it.
    fn encode(&self) -> Vec<u8> {
        match self {
            Self::Empty => vec![0],
            Self::Inner(left, right) => [&[1][..], left, right].concat(),
            Self::Leaf((key, value)) => [&[2][..], key, &Hash::of(&[value]).0].concat(),
        }
    }
}
