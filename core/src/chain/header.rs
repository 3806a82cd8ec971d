//! What a block commits to. Source: PROTOCOL A1.11.

use super::{carried::Carried, certificate::Certificate, spec::ChainSpec};
use crate::{
    crypto::{Hash, Signature, Tagged, merkle},
    id::{BlockId, ChainId, Epoch, Height},
    time::UnixMillis,
};
use borsh::{BorshDeserialize, BorshSerialize};

/// Longest encoding of a header that is decoded, in bytes: fixed fields and one certificate.
pub const MAX_HEADER: usize = 16 * 1024;

/// A block's header. Its id does not cover the proposer's signature.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Header {
    /// The chain it belongs to.
    pub chain_id: ChainId,
    /// The parent's height and one.
    pub height: Height,
    /// The epoch of its proposal, above the parent's.
    pub epoch: Epoch,
    /// The block it builds on.
    pub parent: BlockId,
    /// The highest certificate the proposer knew: of the parent or an ancestor (A1.16).
    pub hcc: Certificate,
    /// RFC 6962 root over the block's transactions.
    pub tx_root: Hash,
    /// State root after this block.
    pub state_root: Hash,
    /// RFC 6962 root over the closed fields of this block; the empty root until fields exist.
    pub field_root: Hash,
    /// The set whose votes certify this block.
    pub validators_hash: Hash,
    /// The set of the blocks above: another one only in a checkpoint, and in what settles that (A1.22).
    pub next_validators_hash: Hash,
    /// The set that finalises this block if it is a checkpoint.
    pub guardians_hash: Hash,
    /// The set of the next checkpoint.
    pub next_guardians_hash: Hash,
    /// Id of the newest checkpoint below this block.
    pub cp_link: BlockId,
    /// When it was proposed; after the parent's time.
    pub time: UnixMillis,
    /// Position of the proposer in the set.
    pub proposer_index: u16,
    /// Hash of what the block carries beside its transactions.
    pub carried: Hash,
    /// What the order of the proposers above this block is drawn from; another one only in a checkpoint (AELF-12).
    pub next_order: Hash,
}

impl Tagged for Header {
    const TAG: &'static str = "chain/v1/header";
}

impl Header {
    /// Returns what its proposer signs. `id` is this header's, so that it need not be hashed again.
    pub const fn proposal(&self, id: BlockId) -> Proposal {
        let (validators_hash, epoch, height) = (self.validators_hash, self.epoch, self.height);
        Proposal { validators_hash, epoch, height, block: id }
    }

    /// Returns who settles and finalises the blocks above, and in which order they propose.
    pub const fn next(&self) -> Next {
        let (validators, guardians) = (self.next_validators_hash, self.next_guardians_hash);
        Next { validators, guardians, order: self.next_order }
    }

    /// Returns whether the term of its validators is over after this block: another set comes next (A1.22).
    ///
    /// True of the checkpoint that elects the other set, and of the blocks above it that only settle it.
    pub fn ends_term(&self) -> bool {
        self.validators_hash != self.next_validators_hash
    }

    /// Returns the block's id.
    pub fn id(&self) -> BlockId {
        BlockId(self.digest(self.chain_id))
    }

    /// Returns the header of the first block of `spec`, over the state root that its accounts give or that it takes over.
    pub fn genesis(spec: &ChainSpec, state_root: Hash) -> Self {
        let chain_id = spec.chain_id();
        let (validators, guardians) =
            (spec.validators.hash(chain_id), spec.guardians.hash(chain_id));
        Self {
            chain_id,
            height: spec.genesis_height(),
            epoch: Epoch(0),
            parent: BlockId::default(),
            hcc: Certificate::genesis(),
            tx_root: merkle::root(&[]),
            state_root,
            field_root: merkle::root(&[]),
            validators_hash: validators,
            next_validators_hash: validators,
            guardians_hash: guardians,
            next_guardians_hash: guardians,
            cp_link: BlockId::default(),
            time: spec.genesis_time,
            proposer_index: 0,
            carried: Carried::default().hash(chain_id),
            next_order: Hash::default(),
        }
    }
}

/// What a block commits for the blocks above it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Next {
    /// Hash of the validators of the next block.
    pub validators: Hash,
    /// Hash of the guardians of the next checkpoint.
    pub guardians: Hash,
    /// What the order of their proposers is drawn from.
    pub order: Hash,
}

/// What a proposer signs. Two for one set and epoch are an offence that needs no headers to show (A4-O1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Proposal {
    /// The set the proposer belongs to.
    pub validators_hash: Hash,
    /// The epoch of the proposal.
    pub epoch: Epoch,
    /// The proposed block's height.
    pub height: Height,
    /// The proposed block.
    pub block: BlockId,
}

impl Tagged for Proposal {
    const TAG: &'static str = "bft/v1/proposal";
}

/// A header with its proposer's signature over the [`Proposal`] of it.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct SignedHeader {
    /// What is proposed.
    pub header: Header,
    /// By the validator at `header.proposer_index`.
    pub signature: Signature,
}
