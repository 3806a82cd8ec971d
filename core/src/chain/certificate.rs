//! Validators' votes on a block, and guardians' aggregate on a checkpoint.
//!
//! Source: PROTOCOL A1.12, A1.13, A2.12, A2.14, A2.16, A2.17.

mod signers;
#[cfg(test)]
mod tests;

pub use signers::{Counts, MAX_MERGES, MAX_ROUND, Signers, max_count};

use super::set::{GuardianSet, MAX_GUARDIANS, MAX_VALIDATORS, ValidatorSet, quorum, total_weight};
use crate::{
    codec::Bounded,
    crypto::{
        Hash, Signature, Tagged,
        bls::{BlsPublicKey, BlsSignature},
    },
    id::{BlockId, ChainId, Height},
};
use alloc::vec::Vec;
use borsh::{BorshDeserialize, BorshSerialize};

/// Why a certificate does not vouch for its block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// The set is empty, unsorted, or too heavy.
    #[error("the set is not one a chain may have")]
    BadSet,
    /// The certificate names a set other than the one given.
    #[error("the set is not the one the header commits")]
    WrongSet,
    /// Indices repeat or do not increase.
    #[error("signers are not strictly increasing")]
    Unsorted,
    /// A signer that the set does not have, or a list of signers of the wrong length.
    #[error("a signer outside the set")]
    UnknownSigner,
    /// A signature is said to be in the sum more often than gossip can put it there (A2.14).
    #[error("a signature is counted more often than gossip can count it")]
    OverCount,
    /// One signature does not verify; the whole certificate is void.
    #[error("a signature does not verify")]
    BadSignature,
    /// The signers weigh less than a quorum.
    #[error("signers weigh {weight}, a quorum is {quorum}")]
    BelowQuorum {
        /// What they weigh.
        weight: u64,
        /// What they must weigh.
        quorum: u64,
    },
}

impl CertificateError {
    /// Returns the stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::BadSet => "certificate/bad-set",
            Self::WrongSet => "certificate/wrong-set",
            Self::Unsorted => "certificate/unsorted",
            Self::UnknownSigner => "certificate/unknown-signer",
            Self::OverCount => "certificate/over-count",
            Self::BadSignature => "certificate/bad-signature",
            Self::BelowQuorum { .. } => "certificate/below-quorum",
        }
    }
}

/// What a validator signs to vote. No epoch in it, so a vote sent again is the same bytes (A1.12).
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Vote {
    /// The set the voter belongs to.
    pub validators_hash: Hash,
    /// The block's height.
    pub height: Height,
    /// The block.
    pub block: BlockId,
}

impl Tagged for Vote {
    const TAG: &'static str = "bft/v1/vote";
}

/// One validator's signature in a certificate.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct IndexedSignature {
    /// Position in the set.
    pub index: u16,
    /// Over the [`Vote`].
    pub signature: Signature,
}

/// CC: a quorum of votes on one block.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Certificate {
    /// The block it certifies.
    pub block: BlockId,
    /// Its height.
    pub height: Height,
    /// Strictly increasing by index.
    pub signatures: Bounded<IndexedSignature, MAX_VALIDATORS>,
}

impl Certificate {
    /// Returns the certificate that genesis carries: of nothing, at height 0, certified by definition.
    pub fn genesis() -> Self {
        Self { block: BlockId::default(), height: Height(0), signatures: Bounded::new() }
    }

    /// Checks every signature and the weight under the set of the certified block.
    ///
    /// The caller must know that `set` is the one that the block's header commits.
    ///
    /// # Errors
    /// [`CertificateError`]. One bad signature voids the whole certificate.
    pub fn verify(&self, chain: ChainId, set: &ValidatorSet) -> Result<(), CertificateError> {
        let total = set.total().ok_or(CertificateError::BadSet)?;
        if !self.signatures.is_sorted_by(|a, b| a.index < b.index) {
            return Err(CertificateError::Unsorted);
        }
        let mut signers = Vec::new();
        for entry in self.signatures.iter() {
            let member = set.members.get(usize::from(entry.index));
            signers.push((member.ok_or(CertificateError::UnknownSigner)?, &entry.signature));
        }
        check_weight(total, signers.iter().map(|(member, _)| member.weight))?;
        let vote =
            Vote { validators_hash: set.hash(chain), height: self.height, block: self.block };
        let digest = vote.digest(chain);
        for (member, signature) in signers {
            let verdict = member.key.verify(&digest.0, signature);
            verdict.map_err(|_| CertificateError::BadSignature)?;
        }
        Ok(())
    }
}

/// What a guardian signs: nothing in it depends on the node, so shares add up (A2.12).
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct FinalityVote {
    /// The guardian set of the checkpoint.
    pub guardians_hash: Hash,
    /// The checkpoint's height.
    pub height: Height,
    /// The checkpoint.
    pub block: BlockId,
}

impl Tagged for FinalityVote {
    const TAG: &'static str = "guardian/v1/vote";
}

/// Longest encoding of a finality certificate, in bytes: counts of 32 bits for the largest set, and fixed fields.
pub const MAX_FINALITY: usize = MAX_GUARDIANS * 4 + 256;

/// FC: the guardians' aggregate on a checkpoint, with who signed (A2.16, A2.17).
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct FinalityCertificate {
    /// The checkpoint's height.
    pub height: Height,
    /// The checkpoint.
    pub block: BlockId,
    /// Who signed; both forms count by the same rule.
    pub signers: Signers,
    /// The sum of the signers' signatures.
    pub signature: BlsSignature,
}

impl FinalityCertificate {
    /// Checks the signers, their weight and the aggregate under the checkpoint's guardian set.
    ///
    /// Costs what [`Signers::verify`] does.
    ///
    /// # Errors
    /// [`CertificateError`].
    pub fn verify(&self, chain: ChainId, set: &GuardianSet) -> Result<(), CertificateError> {
        let total = set.total().ok_or(CertificateError::BadSet)?;
        check_weight(total, self.members(set)?.into_iter().map(|(_, weight)| weight))?;
        let vote = FinalityVote {
            guardians_hash: set.hash(chain),
            height: self.height,
            block: self.block,
        };
        self.signers.verify(vote.digest(chain), set, &self.signature)
    }

    /// Returns who signed, in the order of the set.
    pub(super) fn members<'a>(
        &self,
        set: &'a GuardianSet,
    ) -> Result<Vec<(&'a BlsPublicKey, u64)>, CertificateError> {
        self.signers.check(set.members.len())?;
        let members = set.members.iter().enumerate();
        let signed = members.filter(|(at, _)| self.signers.has(*at));
        Ok(signed.map(|(_, member)| (&member.key, member.weight)).collect())
    }
}

fn check_weight(total: u64, signed: impl IntoIterator<Item = u64>) -> Result<(), CertificateError> {
    let weight = total_weight(signed).ok_or(CertificateError::BadSet)?;
    let quorum = quorum(total);
    if weight < quorum { Err(CertificateError::BelowQuorum { weight, quorum }) } else { Ok(()) }
}
