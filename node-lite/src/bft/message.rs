//! What validators say to each other, and the block as it travels.
//!
//! Source: PROTOCOL A1.11, A1.12, A1.15.

pub use antiphon_core::chain::light::MAX_BLOCK_TXS;
use antiphon_core::{
    chain::{
        carried::Carried,
        certificate::{Certificate, Vote},
        header::SignedHeader,
        transaction::MAX_TRANSACTION,
    },
    codec::Bounded,
    crypto::{Hash, PublicKey, SecretKey, Signature, SignatureError, Tagged, merkle},
    id::{BlockId, ChainId, Epoch, Height},
};
use borsh::{BorshDeserialize, BorshSerialize};

/// Most bytes of transactions in a block. Chosen here: with its header below [`MAX_MESSAGE`].
pub const MAX_BODY: usize = 1 << 20;
const _: () = assert!(MAX_BODY <= 1 << 20, "a page must be able to read every block's body");
/// Longest message between nodes, in bytes.
pub const MAX_MESSAGE: usize = 2 << 20;

/// An encoded transaction. What it means is the ledger's to say.
pub type TxBytes = Bounded<u8, MAX_TRANSACTION>;

/// A block as it is proposed, stored and answered.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Block {
    /// The header and its proposer's signature.
    pub signed: SignedHeader,
    /// What the header commits to beside transactions.
    pub carried: Carried,
    /// The transactions that the header's root covers.
    pub body: Bounded<TxBytes, MAX_BLOCK_TXS>,
}

impl Block {
    /// Returns the block's id. Costs a hash of the header.
    pub fn id(&self) -> BlockId {
        self.signed.header.id()
    }

    /// Returns the height.
    pub const fn height(&self) -> Height {
        self.signed.header.height
    }
}

/// Returns the RFC 6962 root over encoded transactions.
pub fn tx_root(body: &[TxBytes]) -> Hash {
    let leaves: Vec<Hash> = body.iter().map(|tx| merkle::leaf_hash(tx)).collect();
    merkle::root(&leaves)
}

/// A validator's vote with its place in the set.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct SignedVote {
    /// What is voted for.
    pub vote: Vote,
    /// Position of the voter in the set.
    pub index: u16,
    /// Over the vote.
    pub signature: Signature,
}

impl SignedVote {
    /// Signs `vote` as the validator at `index`.
    pub fn new(key: &SecretKey, chain: ChainId, index: u16, vote: Vote) -> Self {
        let signature = key.sign(chain, &vote);
        Self { vote, index, signature }
    }

    /// Checks the signature under the voter's key.
    ///
    /// # Errors
    /// [`SignatureError`].
    pub fn verify(&self, chain: ChainId, key: &PublicKey) -> Result<(), SignatureError> {
        key.verify(&self.vote.digest(chain).0, &self.signature)
    }
}

/// A wish to leave every epoch below `epoch` (A1.15).
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct EpochChange {
    /// The set the sender belongs to.
    pub validators_hash: Hash,
    /// Where to.
    pub epoch: Epoch,
    /// The highest certificate the sender knows.
    pub high_cc: Certificate,
}

impl Tagged for EpochChange {
    const TAG: &'static str = "bft/v1/epoch-change";
}

/// An epoch change with its sender's place and the sender's last vote, so that a lost vote travels again.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct SignedEpochChange {
    /// What is wished.
    pub change: EpochChange,
    /// Position of the sender in the set.
    pub index: u16,
    /// Over the change.
    pub signature: Signature,
    /// The sender's last vote, the same bytes as when it was sent first.
    pub last_vote: Option<SignedVote>,
}

/// What travels between the settlement machines of two nodes.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Message {
    /// A new block, or the answer to a request for one.
    Block(Box<Block>),
    /// A vote.
    Vote(SignedVote),
    /// An epoch change.
    EpochChange(Box<SignedEpochChange>),
    /// A certificate by itself: the last of a term, for whoever was away when the term ended.
    Certificate(Certificate),
}
