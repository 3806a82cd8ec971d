//! Merkle trees after RFC 6962: prefix 0x00 for leaves, 0x01 for nodes, committed leaf count.
//!
//! Inclusion proofs only name siblings; the verifier walks by index and tree size, so a proof for one position
//! can never serve another. Source: RFC 6962 §2.1, RFC 9162 §2.1.3.2 and §2.1.4.2, PROTOCOL A0.9.

use super::Hash;
use alloc::vec::Vec;

/// A proof cannot be longer than this: 64 levels and one.
pub const MAX_PROOF: usize = 65;

/// The proof does not lead from the leaf to the root.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the proof does not lead to the root")]
pub struct ProofError;

impl ProofError {
    /// Returns the stable code of this error.
    pub const fn code(&self) -> &'static str {
        "crypto/bad-merkle-proof"
    }
}

/// Returns the hash of leaf bytes.
pub fn leaf_hash(leaf: &[u8]) -> Hash {
    Hash::of(&[&[0], leaf])
}

/// Returns the hash of a node over its two halves.
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Hash::of(&[&[1], &left.0, &right.0])
}

/// Returns the root over leaf hashes; the empty tree has the hash of nothing.
pub fn root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => Hash::of(&[]),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(split(leaves.len()));
            node_hash(&root(left), &root(right))
        }
    }
}

/// Returns the siblings from leaf `index` up to the root, or `None` if there is no such leaf.
pub fn prove(leaves: &[Hash], index: usize) -> Option<Vec<Hash>> {
    if index >= leaves.len() {
        return None;
    }
    if leaves.len() == 1 {
        return Some(Vec::new());
    }
    let at = split(leaves.len());
    let (left, right) = leaves.split_at(at);
    let (mut proof, sibling) = if index < at {
        (prove(left, index)?, root(right))
    } else {
        (prove(right, index.checked_sub(at)?)?, root(left))
    };
    proof.push(sibling);
    Some(proof)
}

/// The largest power of two below `length`, which is at least 2.
const fn split(length: usize) -> usize {
    1 << (usize::BITS - 1 - (length - 1).leading_zeros())
}

/// Checks that `leaf` stands at `index` in the tree of `size` leaves under `root`.
///
/// # Errors
/// [`ProofError`] also for a proof that is too long or too short.
pub fn verify_inclusion(
    root: &Hash,
    size: u64,
    index: u64,
    leaf: &Hash,
    proof: &[Hash],
) -> Result<(), ProofError> {
    if index >= size || proof.len() > MAX_PROOF {
        return Err(ProofError);
    }
    let (mut position, mut last, mut hash) = (index, size - 1, *leaf);
    for sibling in proof {
        if last == 0 {
            return Err(ProofError);
        }
        if position & 1 == 1 || position == last {
            hash = node_hash(sibling, &hash);
            while position & 1 == 0 && position != 0 {
                position >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        position >>= 1;
        last >>= 1;
    }
    if last == 0 && hash == *root { Ok(()) } else { Err(ProofError) }
}

/// Checks that the tree of `size1` leaves under `root1` is a prefix of the tree of `size2` under `root2`.
///
/// # Errors
/// [`ProofError`] also for a proof that is too long or too short, or starts at the empty tree.
pub fn verify_consistency(
    size1: u64,
    root1: &Hash,
    size2: u64,
    root2: &Hash,
    proof: &[Hash],
) -> Result<(), ProofError> {
    // A proof that starts at the empty tree says nothing about either root (transparency-dev/merkle refuses it too).
    if size1 == 0 || size1 > size2 || proof.len() > MAX_PROOF {
        return Err(ProofError);
    }
    if size1 == size2 {
        return if proof.is_empty() && root1 == root2 { Ok(()) } else { Err(ProofError) };
    }
    let (first, rest) = if size1.is_power_of_two() {
        (*root1, proof)
    } else {
        let (first, rest) = proof.split_first().ok_or(ProofError)?;
        (*first, rest)
    };
    let (mut position, mut last) = (size1 - 1, size2 - 1);
    while position & 1 == 1 {
        position >>= 1;
        last >>= 1;
    }
    let (mut old, mut new) = (first, first);
    for sibling in rest {
        if last == 0 {
            return Err(ProofError);
        }
        if position & 1 == 1 || position == last {
            old = node_hash(sibling, &old);
            new = node_hash(sibling, &new);
            while position & 1 == 0 && position != 0 {
                position >>= 1;
                last >>= 1;
            }
        } else {
            new = node_hash(&new, sibling);
        }
        position >>= 1;
        last >>= 1;
    }
    if last == 0 && old == *root1 && new == *root2 { Ok(()) } else { Err(ProofError) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn every_leaf_of_every_small_tree_is_proven_only_at_its_place() {
        for size in 1_u64..34 {
            let leaves: Vec<Hash> = (0..size).map(|i| leaf_hash(&i.to_le_bytes())).collect();
            let root = root(&leaves);
            for (index, leaf) in (0..).zip(&leaves) {
                let proof = prove(&leaves, usize::try_from(index).unwrap()).unwrap();
                assert_eq!(verify_inclusion(&root, size, index, leaf, &proof), Ok(()));
                for other in (0..size).filter(|other| *other != index) {
                    assert!(verify_inclusion(&root, size, other, leaf, &proof).is_err());
                }
            }
        }
    }

    #[test]
    fn a_node_is_not_a_leaf() {
        let leaves = vec![leaf_hash(b"a"), leaf_hash(b"b"), leaf_hash(b"c"), leaf_hash(b"d")];
        let inner = node_hash(&leaves[0], &leaves[1]);
        let proof = [node_hash(&leaves[2], &leaves[3])];
        assert!(verify_inclusion(&root(&leaves), 4, 0, &inner, &proof).is_err());
        assert_eq!(
            verify_inclusion(&root(&leaves), 2, 0, &inner, &proof),
            Ok(()),
            "as a tree of 2"
        );
    }

    #[test]
    fn the_last_leaf_cannot_be_counted_twice() {
        let three = [leaf_hash(b"a"), leaf_hash(b"b"), leaf_hash(b"c")];
        let four = [three[0], three[1], three[2], three[2]];
        assert_ne!(root(&three), root(&four));
    }
}
