//! A value, or its absence, under a state root.
//!
//! The tree is a Jellyfish Merkle tree: a leaf sits as high as its key is alone, so a proof is the leaf that was
//! found on the key's way down (or none) and the siblings from there up. An absence is proven by an empty place,
//! or by another leaf that stands alone where the key would be; both are bound to the same root as an inclusion.
//!
//! ```text
//! leaf = SHA-256("JMT::LeafNode"    | key 32 | SHA-256(value) 32)
//! node = SHA-256("JMT::IntrnalNode" | left 32 | right 32)
//! none = "SPARSE_MERKLE_PLACEHOLDER_HASH__"
//! ```
//!
//! Source: PROTOCOL A7.6, A0.9. The bytes of a [`Path`] are those that the `jmt` crate (0.12) writes with borsh, so
//! the node converts nothing; the verifier is ours because that crate drags its whole tree into a page.

use super::state::{MAX_VALUE, StateKey};
use crate::{
    codec::{self, Bounded},
    crypto::Hash,
};
use alloc::vec::Vec;
use borsh::{BorshDeserialize, BorshSerialize};

/// Bits of a key, and so the longest path.
pub const MAX_DEPTH: usize = 256;
/// Most keys proven in one answer.
pub const MAX_KEYS: usize = 64;
/// Longest answer of `antiphon_prove`, in bytes.
pub const MAX_PROOFS: usize = 512 * 1024;

/// Hash of an empty place in the state tree.
pub const NONE: [u8; 32] = *b"SPARSE_MERKLE_PLACEHOLDER_HASH__";

/// Why a proof shows nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StateProofError {
    /// The path does not lead to the state root.
    #[error("the path does not lead to the state root")]
    WrongRoot,
    /// The leaf is another key's, or the value is not the leaf's.
    #[error("the leaf does not hold the value under this key")]
    WrongLeaf,
    /// The leaf does not stand where the key would be.
    #[error("the leaf does not stand where the key would be")]
    NotNeighbour,
    /// The answer has not one proof for each key.
    #[error("expected {expected} proofs, found {found}")]
    WrongCount {
        /// Keys that were asked.
        expected: usize,
        /// Proofs that came.
        found: usize,
    },
}

impl StateProofError {
    /// Returns the stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::WrongRoot => "state-proof/wrong-root",
            Self::WrongLeaf => "state-proof/wrong-leaf",
            Self::NotNeighbour => "state-proof/not-neighbour",
            Self::WrongCount { .. } => "state-proof/wrong-count",
        }
    }
}

/// A leaf as the tree hashes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Leaf {
    key: [u8; 32],
    value_hash: [u8; 32],
}

/// What stands beside the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Sibling {
    /// An empty subtree.
    Null,
    /// Two subtrees.
    Internal {
        /// Hash of the left one.
        left: [u8; 32],
        /// Hash of the right one.
        right: [u8; 32],
    },
    /// One leaf alone.
    Leaf(Leaf),
}

/// The way from a leaf, or an empty place, up to the root.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Path {
    leaf: Option<Leaf>,
    siblings: Bounded<Sibling, MAX_DEPTH>,
}

/// A value with its path, or the path that shows its absence.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct StateProof {
    /// The value, or `None` where the key is claimed absent.
    pub value: Option<Bounded<u8, MAX_VALUE>>,
    /// What proves it.
    pub path: Path,
}

/// The answer to `antiphon_prove`: one proof a key, in the order asked.
pub type StateProofs = Bounded<StateProof, MAX_KEYS>;

impl StateProof {
    /// Checks the proof for `key` under `root` and returns the value, or `None` if its absence is proven.
    ///
    /// # Errors
    /// [`StateProofError`].
    pub fn verify(&self, root: &Hash, key: &StateKey) -> Result<Option<&[u8]>, StateProofError> {
        let depth = self.path.siblings.len();
        match (&self.value, &self.path.leaf) {
            (Some(value), Some(leaf)) => {
                if leaf.key != key.0.0 || leaf.value_hash != Hash::of(&[value]).0 {
                    return Err(StateProofError::WrongLeaf);
                }
            }
            (Some(_), None) => return Err(StateProofError::WrongLeaf),
            (None, Some(leaf)) => {
                if leaf.key == key.0.0 || common_bits(&leaf.key, &key.0.0) < depth {
                    return Err(StateProofError::NotNeighbour);
                }
            }
            (None, None) => {}
        }
        let (start, turns) = self.turns(key);
        let found = turns.last().map_or(start, |turn| turn.node);
        if found != *root {
            return Err(StateProofError::WrongRoot);
        }
        Ok(self.value.as_deref())
    }
}

/// One turn of a path, from the leaf upwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// What stands beside the path.
    pub sibling: Hash,
    /// Whether the path is the right child.
    pub is_right: bool,
    /// The hash of both together.
    pub node: Hash,
}

impl StateProof {
    /// Returns the way from the leaf to the root, for whoever wants to see it: the start, and each turn.
    ///
    /// The last node is the root if, and only if, [`StateProof::verify`] says so.
    pub fn turns(&self, key: &StateKey) -> (Hash, Vec<Turn>) {
        let start = self.path.leaf.map_or(NONE, |leaf| leaf.hash());
        let mut hash = start;
        let depth = self.path.siblings.len();
        let turns = self.path.siblings.iter().zip((0..depth).rev()).map(|(sibling, bit)| {
            let (beside, is_right) = (sibling.hash(), is_right(&key.0.0, bit));
            hash = if is_right { node_hash(&beside, &hash) } else { node_hash(&hash, &beside) };
            Turn { sibling: Hash(beside), is_right, node: Hash(hash) }
        });
        let turns = turns.collect();
        (Hash(start), turns)
    }
}

/// Checks one answer for several keys and returns the values in the order of the keys.
///
/// # Errors
/// [`StateProofError`]; one bad proof voids the answer.
pub fn verify_all<'a>(
    proofs: &'a [StateProof],
    root: &Hash,
    keys: &[StateKey],
) -> Result<Vec<Option<&'a [u8]>>, StateProofError> {
    if proofs.len() != keys.len() {
        let (expected, found) = (keys.len(), proofs.len());
        return Err(StateProofError::WrongCount { expected, found });
    }
    proofs.iter().zip(keys).map(|(proof, key)| proof.verify(root, key)).collect()
}

impl Path {
    /// Reads the path that the `jmt` crate wrote with borsh.
    ///
    /// # Errors
    /// [`codec::DecodeError`].
    pub fn from_jmt(bytes: &[u8]) -> Result<Self, codec::DecodeError> {
        codec::decode(bytes, MAX_DEPTH.saturating_mul(65).saturating_add(128))
    }
}

impl Leaf {
    fn hash(&self) -> [u8; 32] {
        leaf_hash(&self.key, &self.value_hash)
    }
}

/// Returns the hash of a leaf: a key and the SHA-256 of the value under it.
pub fn leaf_hash(key: &[u8; 32], value_hash: &[u8; 32]) -> [u8; 32] {
    Hash::of(&[b"JMT::LeafNode", key, value_hash]).0
}

impl Sibling {
    fn hash(&self) -> [u8; 32] {
        match self {
            Self::Null => NONE,
            Self::Internal { left, right } => node_hash(left, right),
            Self::Leaf(leaf) => leaf.hash(),
        }
    }
}

/// Returns the hash of a node over two subtrees, of which at most one is empty or each is no lone leaf.
pub fn node_hash(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
    Hash::of(&[b"JMT::IntrnalNode", left, right]).0
}

/// Returns whether the path turns right at this depth: bit `depth` of the key, most significant first.
fn is_right(key: &[u8; 32], depth: usize) -> bool {
    key.get(depth / 8).is_some_and(|byte| byte >> (7 - depth % 8) & 1 == 1)
}

fn common_bits(a: &[u8; 32], b: &[u8; 32]) -> usize {
    (0..MAX_DEPTH).take_while(|depth| is_right(a, *depth) == is_right(b, *depth)).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jmt::{JellyfishMerkleTree, KeyHash, Sha256Jmt, mock::MockTreeStore};
    use proptest::prelude::*;

    fn key(n: u32) -> StateKey {
        StateKey(Hash::of(&[&n.to_le_bytes()]))
    }

    /// A real tree of `count` entries, and a way to ask it.
    fn tree(count: u32) -> (Hash, impl Fn(u32) -> StateProof) {
        let store = MockTreeStore::default();
        let tree = Sha256Jmt::new(&store);
        let entries = (0..count).map(|n| (KeyHash(key(n).0.0), Some(n.to_le_bytes().to_vec())));
        let (root, batch) = tree.put_value_set(entries, 0).unwrap();
        store.write_tree_update_batch(batch).unwrap();
        let ask = move |n: u32| {
            let tree: JellyfishMerkleTree<'_, _, sha2_010::Sha256> = Sha256Jmt::new(&store);
            let (value, proof) = tree.get_with_proof(KeyHash(key(n).0.0), 0).unwrap();
            let path = Path::from_jmt(&borsh::to_vec(&proof).unwrap()).unwrap();
            StateProof { value: value.map(|v| Bounded::try_from(v).unwrap()), path }
        };
        (Hash(root.0), ask)
    }

    #[test]
    fn what_the_tree_holds_is_proven_and_what_it_lacks_is_proven_absent() {
        for count in [1, 2, 3, 17, 300] {
            let (root, ask) = tree(count);
            for n in 0..count.min(40) {
                let proof = ask(n);
                assert_eq!(proof.verify(&root, &key(n)), Ok(Some(&n.to_le_bytes()[..])));
                assert!(proof.verify(&root, &key(n + 1)).is_err());
            }
            for n in count..count + 40 {
                assert_eq!(ask(n).verify(&root, &key(n)), Ok(None));
            }
        }
    }

    #[test]
    fn a_forged_value_absence_or_root_is_refused() {
        let (root, ask) = tree(50);
        let mut forged = ask(7);
        forged.value = Some(Bounded::try_from(b"more".to_vec()).unwrap());
        assert_eq!(forged.verify(&root, &key(7)), Err(StateProofError::WrongLeaf));
        let mut hidden = ask(7);
        hidden.value = None;
        assert_eq!(hidden.verify(&root, &key(7)), Err(StateProofError::NotNeighbour));
        let elsewhere = ask(50);
        assert!(elsewhere.verify(&root, &key(7)).is_err(), "an absence serves only its own key");
        assert_eq!(ask(7).verify(&Hash([9; 32]), &key(7)), Err(StateProofError::WrongRoot));
        let mut emptied = ask(7);
        (emptied.value, emptied.path.leaf) = (None, None);
        assert_eq!(emptied.verify(&root, &key(7)), Err(StateProofError::WrongRoot));
    }

    /// ADVERSARIAL case 28: an absence is proven by what stands where the key would be, in this tree, and by nothing else.
    #[test]
    fn an_absence_with_another_neighbour_or_from_another_root_is_refused() {
        let (root, ask) = tree(50);
        let (other, ask_other) = tree(51);
        let mut refused = 0;
        for n in 50..90 {
            let absent = ask(n);
            assert_eq!(absent.verify(&other, &key(n)), Err(StateProofError::WrongRoot));
            let stale = ask_other(n + 1);
            assert!(stale.verify(&root, &key(n + 1)).is_err(), "from another root");
            for neighbour in 0..50 {
                let honest = ask(neighbour).path;
                if honest == absent.path {
                    continue;
                }
                // The leaf of another place, on its own path and on the path of the key.
                let moved = Path { leaf: honest.leaf, ..absent.path.clone() };
                for path in [honest, moved] {
                    let forged = StateProof { value: None, path };
                    assert!(forged.verify(&root, &key(n)).is_err(), "{n} beside {neighbour}");
                    refused += 1;
                }
            }
        }
        assert!(refused > 3000);
    }

    /// ADVERSARIAL case 28: the children of a node, written as key and value hash of a leaf, are no leaf.
    #[test]
    fn a_node_is_no_leaf() {
        let (root, ask) = tree(50);
        for n in 0..50 {
            let honest = ask(n).path;
            let (leaf, sibling) = (honest.leaf.unwrap().hash(), honest.siblings[0].hash());
            let depth = honest.siblings.len();
            let (left, right) =
                if is_right(&key(n).0.0, depth - 1) { (sibling, leaf) } else { (leaf, sibling) };
            let siblings = honest.siblings.iter().skip(1).copied().collect::<Vec<_>>();
            let path = Path {
                leaf: Some(Leaf { key: left, value_hash: right }),
                siblings: siblings.try_into().unwrap(),
            };
            assert_ne!(path.leaf.unwrap().hash(), node_hash(&left, &right), "domains are apart");
            let forged = StateProof { value: None, path };
            for absent in [key(n), StateKey(Hash(left)), StateKey(Hash(right))] {
                assert!(forged.verify(&root, &absent).is_err());
            }
        }
    }

    #[test]
    fn an_answer_with_too_few_proofs_is_refused() {
        let (root, ask) = tree(5);
        let answer = [ask(1)];
        let short = verify_all(&answer, &root, &[key(1), key(2)]);
        assert_eq!(short, Err(StateProofError::WrongCount { expected: 2, found: 1 }));
    }

    proptest! {
        #[test]
        fn no_flipped_byte_of_a_proof_changes_its_meaning(n in 0_u32..60, at: usize, mask in 1_u8..) {
            let (root, ask) = tree(50);
            let proof = ask(n);
            let truth = proof.verify(&root, &key(n)).unwrap().map(<[u8]>::to_vec);
            let mut bytes = codec::encode(&proof);
            let place = at % bytes.len();
            bytes[place] ^= mask;
            if let Ok(changed) = codec::decode::<StateProof>(&bytes, MAX_PROOFS)
                && let Ok(value) = changed.verify(&root, &key(n)) {
                prop_assert_eq!(value.map(<[u8]>::to_vec), truth);
            }
        }
    }
}
