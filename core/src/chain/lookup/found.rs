//! What an answer carries. No value without level, height, root, and how it was proven.

use crate::{
    chain::{
        Level,
        certificate::FinalityCertificate,
        header::Header,
        proof::Turn,
        set::{GuardianSet, ValidatorSet},
        stake::{Bond, Staker},
        state::{Account, StateKey},
        transaction::SignedTransaction,
    },
    crypto::Hash,
    id::{Address, BlockId, FieldId, Height, PoolId},
    payment::{
        field::escrow::{FieldKeys, FieldState},
        reservation::{PoolState, PoolTerms},
    },
};
use alloc::{boxed::Box, vec::Vec};

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// To [`Question::Block`](super::Question::Block).
    Block(Box<BlockFound>),
    /// To [`Question::Blocks`](super::Question::Blocks): the highest first.
    Blocks(Vec<(Proven, Header)>),
    /// To [`Question::Checkpoint`](super::Question::Checkpoint).
    Checkpoint(Box<CheckpointFound>),
    /// To [`Question::Account`](super::Question::Account).
    Account(Box<AccountFound>),
    /// To [`Question::Pool`](super::Question::Pool).
    Pool(Box<PoolFound>),
    /// To [`Question::Field`](super::Question::Field).
    Field(Box<FieldFound>),
    /// To [`Question::Stakers`](super::Question::Stakers).
    Stakers(StakersFound),
    /// To [`Question::PoolsOf`](super::Question::PoolsOf).
    Pools(PoolsFound),
}

/// Under which block something is shown, how far that block is believed, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proven {
    /// How far.
    pub level: Level,
    /// The block's height.
    pub height: Height,
    /// The block.
    pub block: BlockId,
    /// The state root that it commits.
    pub root: Hash,
    /// When it was dated, in Unix milliseconds.
    pub time: u64,
    /// How its header hangs on what is trusted.
    pub way: Way,
    /// Whether a witness has the checkpoint that it rests on (A7.5).
    pub is_witnessed: bool,
}

/// The way from what is believed down to a header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Way {
    /// Height of the believed head at which it begins.
    pub head: Height,
    /// The checkpoint at which it goes on, signed by the guardians that signed the head.
    pub certificate: Option<Height>,
    /// Steps from a checkpoint to the one below it.
    pub links: u64,
    /// Steps from a block to its parent.
    pub parents: u64,
}

/// A block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockFound {
    /// What proves it.
    pub proven: Proven,
    /// Its header.
    pub header: Header,
    /// Who signed it, as the block above carries it; `None` while there is no such block.
    pub signed: Option<Signed>,
    /// Its transactions in order; `None` if nobody serves them, as for blocks that are not settled.
    pub transactions: Option<Vec<SignedTransaction>>,
}

/// The signers of a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// The committee.
    pub validators: ValidatorSet,
    /// Places of the signers in it.
    pub places: Vec<u16>,
}

/// A checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckpointFound {
    /// What proves it.
    pub proven: Proven,
    /// Its header.
    pub header: Header,
    /// The set that finalises it.
    pub guardians: GuardianSet,
    /// Its certificate, verified under that set; `None` where a later checkpoint finalised this one.
    pub certificate: Option<FinalityCertificate>,
}

/// The proof of one value, to be looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Where the value lives in the state tree.
    pub key: StateKey,
    /// Where the way to the root begins.
    pub leaf: Hash,
    /// Each turn of it; the last ends in the root.
    pub turns: Vec<Turn>,
}

/// An account with what it has bonded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountFound {
    /// What proves all of it.
    pub proven: Proven,
    /// Whose.
    pub address: Address,
    /// Zeros where the account is proven absent.
    pub account: Account,
    /// Whether the tree holds it.
    pub exists: bool,
    /// The way from the account to the root.
    pub shown: Shown,
    /// As whom it stakes itself.
    pub staker: Option<Staker>,
    /// What it has bonded, with whom.
    pub bonds: Vec<BondFound>,
    /// Whether bonds with every staker of the roster were asked for: there may be more than one answer proves. Who has too
    /// little bonded to be elected is on no roster, and is not looked for.
    pub has_all_bonds: bool,
}

/// A bond and with whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BondFound {
    /// The staker's address.
    pub staker: Address,
    /// The bond.
    pub bond: Bond,
    /// The reward that is due, in units of the operational token.
    pub due: crate::amount::Amount,
}

/// A pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolFound {
    /// What proves it.
    pub proven: Proven,
    /// Which.
    pub pool: PoolId,
    /// Its state, or `None` where it is proven absent.
    pub state: Option<PoolState>,
    /// The way from the pool to the root.
    pub shown: Shown,
}

/// What blocks say of the pools that an account has opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolsFound {
    /// The head from which blocks were read downwards.
    pub proven: Proven,
    /// Every block from this one up to the head was read.
    pub from: Height,
    /// Whether these are all: as many transactions were seen as the account is proven to have sent.
    pub is_whole: bool,
    /// Each with its terms, the newest first.
    pub pools: Vec<(PoolId, PoolTerms)>,
}

/// A payment field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldFound {
    /// What proves it.
    pub proven: Proven,
    /// Which.
    pub field: FieldId,
    /// Its state, or `None` where it is proven absent.
    pub state: Option<FieldState>,
    /// The keys of its members in the order of places, proven under the same root.
    pub keys: FieldKeys,
    /// The way from the field's state to the root.
    pub shown: Shown,
}

/// Everybody who stakes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StakersFound {
    /// What proves all of it.
    pub proven: Proven,
    /// Each with its row, in the order of the roster.
    pub stakers: Vec<(Address, Staker)>,
    /// Whether these are all.
    pub has_all: bool,
}
