//! Validators' votes on a block, and guardians' aggregate on a checkpoint.
//!
//! Source: PROTOCOL A1.12, A1.13, A2.12, A2.16, A2.17. Only the bitmap form of finality certificates is built;
//! the multiplicity form comes with large sets.

use super::set::{GuardianSet, MAX_GUARDIANS, MAX_VALIDATORS, ValidatorSet, quorum, total_weight};
use crate::{
    codec::Bounded,
    crypto::{
        Hash, Signature, Tagged,
        bls::{BlsError, BlsPublicKey, BlsSignature},
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
    /// A signer that the set does not have, or a bitmap of the wrong length.
    #[error("a signer outside the set")]
    UnknownSigner,
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

/// FC: the guardians' aggregate on a checkpoint, with a bitmap of who signed (A2.17).
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct FinalityCertificate {
    /// The checkpoint's height.
    pub height: Height,
    /// The checkpoint.
    pub block: BlockId,
    /// Bit `i % 8` of byte `i / 8` is set if member `i` signed; spare bits are zero.
    pub signers: Bounded<u8, { MAX_GUARDIANS / 8 }>,
    /// The sum of the signers' signatures.
    pub signature: BlsSignature,
}

impl FinalityCertificate {
    /// Checks the bitmap, the weight and the aggregate under the checkpoint's guardian set.
    ///
    /// Two pairings for any number of guardians, and a point addition for each signer unless all signed.
    ///
    /// # Errors
    /// [`CertificateError`].
    pub fn verify(&self, chain: ChainId, set: &GuardianSet) -> Result<(), CertificateError> {
        let total = set.total().ok_or(CertificateError::BadSet)?;
        let signed = self.members(set)?;
        check_weight(total, signed.iter().map(|(_, weight)| *weight))?;
        let vote = FinalityVote {
            guardians_hash: set.hash(chain),
            height: self.height,
            block: self.block,
        };
        let key = if signed.len() == set.members.len() {
            Ok(set.aggregate)
        } else {
            BlsPublicKey::aggregate(signed.iter().map(|(key, _)| *key))
        };
        let verdict = key.and_then(|key| key.verify(vote.digest(chain), &self.signature));
        verdict.map_err(|error| match error {
            BlsError::NotOnCurve => CertificateError::BadSet,
            BlsError::BadPoint | BlsError::BadSignature | BlsError::NoSigners => {
                CertificateError::BadSignature
            }
        })
    }

    /// Returns who signed, in the order of the set.
    pub(super) fn members<'a>(
        &self,
        set: &'a GuardianSet,
    ) -> Result<Vec<(&'a BlsPublicKey, u64)>, CertificateError> {
        let count = set.members.len();
        if self.signers.len() != count.div_ceil(8) {
            return Err(CertificateError::UnknownSigner);
        }
        let is_set =
            |i: usize| self.signers.get(i / 8).is_some_and(|byte| byte >> (i % 8) & 1 == 1);
        if (count..self.signers.len().saturating_mul(8)).any(is_set) {
            return Err(CertificateError::UnknownSigner);
        }
        let members = set.members.iter().enumerate();
        Ok(members.filter(|(i, _)| is_set(*i)).map(|(_, m)| (&m.key, m.weight)).collect())
    }
}

fn check_weight(total: u64, signed: impl IntoIterator<Item = u64>) -> Result<(), CertificateError> {
    let weight = total_weight(signed).ok_or(CertificateError::BadSet)?;
    let quorum = quorum(total);
    if weight < quorum { Err(CertificateError::BelowQuorum { weight, quorum }) } else { Ok(()) }
}
