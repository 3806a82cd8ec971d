//! What a validator must never forget, and the voting rule that reads it.
//!
//! Source: PROTOCOL A1.14, A1.17, A0.6.

use antiphon_core::{
    chain::{certificate::Certificate, header::Header},
    crypto::Hash,
    id::{BlockId, Epoch, Height},
};
use borsh::{BorshDeserialize, BorshSerialize};

/// Longest encoding of a record, in bytes: one certificate and fixed fields.
pub const MAX_RECORD: usize = 16 * 1024;

/// The persistent state of a validator (A1.14). Written and synced before what depends on it is sent.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct SafetyRecord {
    /// The set, and so the term, in which it was written.
    pub validators_hash: Hash,
    /// Height and block of the last vote; genesis at first.
    pub last_vote: (Height, BlockId),
    /// The highest certificate that a voted block carried.
    pub lock: Certificate,
    /// The epoch at the time of writing.
    pub epoch: Epoch,
    /// Epoch and block of the last proposal.
    pub last_proposal: (Epoch, BlockId),
}

impl SafetyRecord {
    /// Returns the record of a validator that has not voted in this term, with what it knows to be certified.
    pub fn new(validators_hash: Hash, certificate: Certificate) -> Self {
        Self {
            validators_hash,
            last_vote: (Height(0), certificate.block),
            lock: certificate,
            epoch: Epoch(0),
            last_proposal: (Epoch(0), BlockId::default()),
        }
    }

    /// Returns whether a valid block of epoch `self.epoch` by its right proposer may be voted for (A1.17).
    ///
    /// V1 and V3 are properties of the block that its admission checked; `announced` is the height of the certificate
    /// in this node's own epoch change to this epoch.
    pub fn may_vote(&self, header: &Header, announced: Height) -> bool {
        // V1, the part that changes with time: no vote for another epoch.
        let in_epoch = header.epoch == self.epoch;
        // V2: heights of votes strictly increase.
        let above = header.height > self.last_vote.0;
        // V4: the block has seen what this validator is bound to.
        let unlocked = header.hcc.height >= self.lock.height.max(announced);
        in_epoch && above && unlocked
    }

    /// Records the vote for a block: its height is spent, its certificate binds.
    pub fn vote(&mut self, id: BlockId, header: &Header) {
        self.last_vote = (header.height, id);
        if header.hcc.height > self.lock.height {
            self.lock = header.hcc.clone();
        }
    }
}
