//! Two final checkpoints of one height: the chain has split, and whoever signed both is guilty.
//!
//! The proof is a file: canonical bytes that anyone can check who knows the guardians' hash from a spec, a header or a
//! light client of its own. Source: PROTOCOL A2.18, A7.5; ADVERSARIAL case 27.
//!
//! Deviation: conflicts of two heights (A4-O5) need the headers between and are not shown by this file.

use super::{Checkpoint, MAX_CHECKPOINT, MAX_SET};
use crate::{
    chain::{
        certificate::CertificateError,
        set::{Guardian, GuardianSet},
    },
    codec::{self, DecodeError},
    crypto::Hash,
    id::ChainId,
};
use alloc::{boxed::Box, vec::Vec};
use borsh::{BorshDeserialize, BorshSerialize};

/// Longest proof, in bytes.
pub const MAX_FORK_PROOF: usize = 2 * MAX_CHECKPOINT + MAX_SET;

/// Why a file shows no fork.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ForkError {
    /// The bytes are no such proof.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// A certificate does not vouch for its block.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// A header of another chain.
    #[error("a header is of another chain")]
    WrongChain,
    /// A certificate names another block than its header.
    #[error("a certificate is of another block")]
    WrongBlock,
    /// The guardians are not those of the headers, or not those that the reader knows.
    #[error("the guardian set is not the one expected")]
    WrongSet,
    /// The two are one block, or of two heights, or the greater id comes first.
    #[error("the checkpoints do not conflict")]
    NoConflict,
}

impl ForkError {
    /// Returns the stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Decode(error) => error.code(),
            Self::Certificate(error) => error.code(),
            Self::WrongChain => "fork/wrong-chain",
            Self::WrongBlock => "fork/wrong-block",
            Self::WrongSet => "fork/wrong-set",
            Self::NoConflict => "fork/no-conflict",
        }
    }
}

/// Two certificates of one set for two blocks of one height, the smaller id first.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct ForkProof {
    /// The two.
    pub checkpoints: Box<[Checkpoint; 2]>,
    /// The set that signed both.
    pub guardians: GuardianSet,
}

impl ForkProof {
    /// Puts two conflicting checkpoints into the one order that a proof has.
    pub fn new(one: Checkpoint, other: Checkpoint, guardians: GuardianSet) -> Self {
        let pair = if one.header.id() <= other.header.id() { [one, other] } else { [other, one] };
        Self { checkpoints: Box::new(pair), guardians }
    }

    /// Returns the bytes of the file.
    pub fn to_bytes(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// Reads a file. Nothing in it is shown before [`ForkProof::verify`].
    ///
    /// # Errors
    /// [`ForkError::Decode`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ForkError> {
        Ok(codec::decode(bytes, MAX_FORK_PROOF)?)
    }

    /// Checks the proof for a reader who knows that `guardians` is the hash of a set of `chain`, and returns the guilty:
    /// everybody who signed both (more than a third of the weight, A2.13), and nobody else.
    ///
    /// # Errors
    /// [`ForkError`].
    pub fn verify(&self, chain: ChainId, guardians: Hash) -> Result<Vec<Guardian>, ForkError> {
        let [one, other] = self.checkpoints.as_ref();
        let (first, second) = (&one.header, &other.header);
        if self.guardians.hash(chain) != guardians {
            return Err(ForkError::WrongSet);
        }
        for Checkpoint { header, certificate } in self.checkpoints.iter() {
            if header.chain_id != chain {
                return Err(ForkError::WrongChain);
            }
            if header.guardians_hash != guardians {
                return Err(ForkError::WrongSet);
            }
            if (certificate.block, certificate.height) != (header.id(), header.height) {
                return Err(ForkError::WrongBlock);
            }
        }
        if first.height != second.height || first.id() >= second.id() {
            return Err(ForkError::NoConflict);
        }
        one.certificate.verify(chain, &self.guardians)?;
        other.certificate.verify(chain, &self.guardians)?;
        let signed = |checkpoint: &Checkpoint, at: usize| checkpoint.certificate.signers.has(at);
        let members = self.guardians.members.iter().enumerate();
        let guilty = members.filter(|(at, _)| signed(one, *at) && signed(other, *at));
        Ok(guilty.map(|(_, member)| member.clone()).collect())
    }
}
