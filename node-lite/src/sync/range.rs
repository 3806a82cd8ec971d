//! A range of the state: all rows whose keys begin alike, with the branches that bind them to a state root.
//!
//! ```text
//! state root --branch--> 3 --branch--> 3a --branch--> 3a4: its rows, or too long, and then the branch at 3a4
//!              (what stands beside the way: the boundary)
//! ```
//!
//! A range is verified by itself: its rows give one subtree, whose hash the way from the root demands. So no row can be
//! left out, added, altered or shown twice, and ranges of distinct prefixes cannot overlap.
//!
//! Source: PROTOCOL A7.7; ALLA-29. Boundary proofs are the branches beside the way, since a range is a subtree.

use super::{
    branch::{Branch, Child, MAX_NIBBLES, Prefix, nibble},
    node::{self, Below},
};
use crate::storage::{Storage, StorageError};
use antiphon_core::{
    chain::{
        proof::leaf_hash,
        state::{MAX_VALUE, StateKey},
    },
    codec::Bounded,
    crypto::Hash,
};
use borsh::{BorshDeserialize, BorshSerialize};
use jmt::storage::{Node, NodeKey};

/// Most bytes of rows in a range. Source: PROTOCOL A7.7.
pub const MAX_RANGE: u32 = 1 << 20;
/// Fewest bytes of rows that may be asked for at most: any one row fits.
pub const MIN_RANGE: u32 = 8 << 10;
/// Bytes of a row beside its value: the key, and the value's length.
const ROW: usize = 36;
/// Most rows in a range.
const MAX_ROWS: usize = MAX_RANGE as usize / ROW;

/// A row of the state.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Row {
    /// Where it is.
    pub key: StateKey,
    /// What it holds.
    pub value: Bounded<u8, MAX_VALUE>,
}

impl Row {
    fn bytes(&self) -> usize {
        self.value.len().saturating_add(ROW)
    }
}

/// What is in a range.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Content {
    /// Every row, in the order of keys.
    Rows(Bounded<Row, MAX_ROWS>),
    /// More than was asked for at most; the last branch is the range's own.
    Split,
}

/// An answer to a question for a range. Unverified.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Range {
    /// The branches from the root to the range, and where it is split its own.
    pub way: Bounded<Branch, MAX_NIBBLES>,
    /// What is in it.
    pub content: Content,
}

/// Why an answer is not the range that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RangeError {
    /// Rows or branches do not lead to the state root: altered, missing, added, or of another state.
    #[error("the range does not lead to the state root")]
    WrongRoot,
    /// A row of another range.
    #[error("a row is outside the range")]
    Outside,
    /// Rows out of order, or one twice.
    #[error("the rows do not rise")]
    Order,
    /// A branch that no tree has, or not one branch for each step of the way.
    #[error("the way is none")]
    NoWay,
    /// More bytes than were asked for at most.
    #[error("more bytes than were asked for")]
    TooLong,
}

impl RangeError {
    /// Returns the stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::WrongRoot => "sync/wrong-root",
            Self::Outside => "sync/outside-range",
            Self::Order => "sync/row-order",
            Self::NoWay => "sync/no-way",
            Self::TooLong => "sync/too-long",
        }
    }
}

/// A range that was verified against a state root.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Verified {
    /// All its rows.
    Rows(Subtree),
    /// The branch below which its rows are.
    Split(Branch),
}

/// The rows of a range with the tree over them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subtree {
    /// The rows.
    pub rows: Vec<Row>,
    /// The tree's nodes at and below the range.
    pub nodes: Vec<(NodeKey, Node)>,
    /// Bytes of the rows.
    pub bytes: u64,
    pub(super) top: Below,
}

impl Range {
    /// Checks that this is the range at `prefix` of the state with this root, and makes the nodes of its tree.
    ///
    /// # Errors
    /// [`RangeError`]; then nothing of it may be used.
    pub fn verify(
        self,
        root: &Hash,
        prefix: &Prefix,
        max: u32,
        version: u64,
    ) -> Result<Verified, RangeError> {
        let (mut expected, mut at) = (*root, Prefix::default());
        let mut branches = self.way.iter();
        for nibble in prefix.nibbles() {
            let depth = at.nibbles().len();
            let branch = checked(branches.next(), &at, &expected)?;
            expected = branch.child(depth, *nibble).ok_or(RangeError::NoWay)?.hash();
            at = at.child(*nibble).ok_or(RangeError::NoWay)?;
        }
        let verified = match self.content {
            Content::Split => Verified::Split(checked(branches.next(), prefix, &expected)?.clone()),
            Content::Rows(rows) => {
                let subtree = subtree(rows.into_vec(), prefix, max, version)?;
                if subtree.top.hash != expected {
                    return Err(RangeError::WrongRoot);
                }
                Verified::Rows(subtree)
            }
        };
        if branches.next().is_some() { Err(RangeError::NoWay) } else { Ok(verified) }
    }
}

fn checked<'a>(
    branch: Option<&'a Branch>,
    at: &Prefix,
    expected: &Hash,
) -> Result<&'a Branch, RangeError> {
    let branch = branch.filter(|branch| branch.fits(at)).ok_or(RangeError::NoWay)?;
    let found = branch.hash(at.nibbles().len());
    if found == *expected { Ok(branch) } else { Err(RangeError::WrongRoot) }
}

/// Makes the tree over rows that all begin with `prefix`.
fn subtree(rows: Vec<Row>, prefix: &Prefix, max: u32, version: u64) -> Result<Subtree, RangeError> {
    let bytes = rows.iter().fold(0_u64, |sum, row| sum.saturating_add(row.bytes() as u64));
    if bytes > u64::from(max) {
        return Err(RangeError::TooLong);
    }
    if rows.iter().any(|row| !prefix.covers(&row.key.0)) {
        return Err(RangeError::Outside);
    }
    if !rows.windows(2).all(|pair| matches!(pair, [first, second] if first.key < second.key)) {
        return Err(RangeError::Order);
    }
    let leaves: Vec<_> = rows.iter().map(|row| (row.key.0, Hash::of(&[&row.value]))).collect();
    let mut nodes = Vec::new();
    let top = grow(&leaves, prefix, version, &mut nodes).ok_or(RangeError::WrongRoot)?;
    Ok(Subtree { rows, nodes, bytes, top })
}

/// Makes the node at `prefix` and everything below it; `None` for no rows. At most as deep as keys are long.
fn grow(
    leaves: &[(Hash, Hash)],
    prefix: &Prefix,
    version: u64,
    nodes: &mut Vec<(NodeKey, Node)>,
) -> Option<Below> {
    let name = node::key(version, prefix).ok()?;
    if let [(key, value)] = leaves {
        nodes.push((name, node::leaf(key, value).ok()?));
        let hash = Hash(leaf_hash(&key.0, &value.0));
        return Some(Below { hash, leaves: 1, is_leaf: true });
    }
    let depth = prefix.nibbles().len();
    let (mut rest, mut children, mut shown) = (leaves, Vec::new(), Vec::new());
    while let Some((key, value)) = rest.first() {
        let at = nibble(key, depth);
        let (inside, beyond) = rest.split_at(rest.partition_point(|(k, _)| nibble(k, depth) <= at));
        let below = grow(inside, &prefix.child(at)?, version, nodes)?;
        shown.push(if below.is_leaf {
            Child::Leaf(*key, *value)
        } else {
            Child::Subtree(at, below.hash)
        });
        children.push((at, below));
        rest = beyond;
    }
    let branch = Branch::new(shown).filter(|branch| !branch.children().is_empty())?;
    nodes.push((name, node::branch(version, &children).ok()?));
    let leaves = leaves.len() as u64;
    Some(Below { hash: branch.hash(depth), leaves, is_leaf: false })
}

/// Reads the range at `prefix` from a version of the tree; `None` if it is not here, or the state has none.
///
/// # Errors
/// [`StorageError`].
pub fn read(
    store: &impl Storage,
    version: u64,
    prefix: &Prefix,
    max: u32,
) -> Result<Option<Range>, StorageError> {
    let max = max.clamp(MIN_RANGE, MAX_RANGE) as usize;
    let (mut way, mut at, mut of) = (Vec::new(), Prefix::default(), version);
    let mut found = store.node(&node::key(of, &at)?)?;
    for nibble in prefix.nibbles() {
        let Some(Node::Internal(inner)) = &found else { return Ok(None) };
        let Some(branch) = branch_at(store, found.as_ref(), &at)? else { return Ok(None) };
        way.push(branch);
        let child = inner.children_sorted().find(|(n, _)| u8::from(*n) == *nibble);
        let child = child.map(|(_, child)| child.version);
        let (Some(version), Some(below)) = (child, at.child(*nibble)) else { return Ok(None) };
        (at, of) = (below, version);
        found = store.node(&node::key(of, &at)?)?;
    }
    let Some(found) = found else { return Ok(None) };
    let content = match rows(store, version, (&found, prefix), max)? {
        Taken::All(rows) => Content::Rows(rows.try_into().unwrap_or_default()),
        Taken::TooMuch => {
            let Some(branch) = branch_at(store, Some(&found), prefix)? else { return Ok(None) };
            way.push(branch);
            Content::Split
        }
        Taken::Gone => return Ok(None),
    };
    Ok(Bounded::try_from(way).ok().map(|way| Range { way, content }))
}

enum Taken {
    All(Vec<Row>),
    TooMuch,
    Gone,
}

/// Takes the rows at and below a node, from left to right, and stops when they are too much.
fn rows(
    store: &impl Storage,
    version: u64,
    (top, prefix): (&Node, &Prefix),
    max: usize,
) -> Result<Taken, StorageError> {
    let (mut rows, mut bytes) = (Vec::new(), 0_usize);
    let mut waiting = vec![(top.clone(), prefix.clone())];
    while let Some((node, at)) = waiting.pop() {
        match node {
            Node::Null => {}
            Node::Leaf(leaf) => {
                let (key, _) = node::of_leaf(&leaf)?;
                let Some(value) = store.value(version, &StateKey(key))? else {
                    return Ok(Taken::Gone);
                };
                let Ok(value) = Bounded::try_from(value) else { return Ok(Taken::Gone) };
                let row = Row { key: StateKey(key), value };
                bytes = bytes.saturating_add(row.bytes());
                rows.push(row);
            }
            Node::Internal(inner) => {
                if inner.leaf_count().saturating_mul(ROW) > max {
                    return Ok(Taken::TooMuch);
                }
                for (nibble, child) in inner.children_sorted() {
                    let Some(below) = at.child(u8::from(nibble)) else { return Ok(Taken::Gone) };
                    let found = store.node(&node::key(child.version, &below)?)?;
                    let Some(found) = found else { return Ok(Taken::Gone) };
                    waiting.push((found, below));
                }
            }
        }
        if bytes > max {
            return Ok(Taken::TooMuch);
        }
    }
    rows.sort_unstable_by_key(|row| row.key);
    Ok(Taken::All(rows))
}

fn branch_at(
    store: &impl Storage,
    node: Option<&Node>,
    at: &Prefix,
) -> Result<Option<Branch>, StorageError> {
    let Some(Node::Internal(inner)) = node else { return Ok(None) };
    let mut children = Vec::new();
    for (nibble, child) in inner.children_sorted() {
        let nibble = u8::from(nibble);
        if !child.is_leaf() {
            children.push(Child::Subtree(nibble, Hash(child.hash)));
            continue;
        }
        let Some(below) = at.child(nibble) else { return Ok(None) };
        let found = store.node(&node::key(child.version, &below)?)?;
        let Some(Node::Leaf(leaf)) = found else { return Ok(None) };
        let (key, value) = node::of_leaf(&leaf)?;
        children.push(Child::Leaf(key, value));
    }
    Ok(Branch::new(children))
}
