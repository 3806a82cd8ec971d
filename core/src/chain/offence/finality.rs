//! Two checkpoints that one guardian vouched for and no honest guardian vouches for both: of one height (O4), or of two
//! heights on two branches (O5).
//!
//! What a guardian said is a share by itself or a sum of many: a finality certificate. Of two sums, whoever is in both is
//! guilty, and nobody else. A sum shows who is in it only if every key in it was proven to be somebody's (A2.14); so the
//! set is the one that the chain commits now, or comes along and each of its keys must be registered, which the chain's
//! ledger looks up.
//!
//! Source: PROTOCOL A2.18, A4.1, A4.2; ADVERSARIAL case 15.

use super::{Accused, EvidenceError, Known, Offence, Shown, SignedShare};
use crate::{
    chain::{
        certificate::{FinalityCertificate, FinalityVote},
        header::Header,
        set::GuardianSet,
    },
    codec::Bounded,
    crypto::{Tagged, bls::BlsPublicKey},
    id::Height,
};
use alloc::boxed::Box;
use borsh::{BorshDeserialize, BorshSerialize};

/// Most checkpoints between the two of O5. Chosen here: as many as fit into a transaction.
pub const MAX_LINKS: usize = 8;

/// How a guardian vouched for a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Vouched {
    /// By itself.
    Share(SignedShare),
    /// Together with others, of a set that is not the one the chain commits now.
    Sum(FinalityCertificate, Box<GuardianSet>),
    /// Together with others, of the set that the chain commits now.
    CurrentSum(FinalityCertificate),
}

/// What a guardian vouched for twice.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Branches {
    /// The two, the lower height first.
    pub vouched: [Vouched; 2],
    /// Of two heights: the checkpoints from the higher one down to the one above the lower, which link each other.
    pub headers: Bounded<Header, MAX_LINKS>,
}

impl Vouched {
    /// Returns the checkpoint.
    fn checkpoint(&self) -> (Height, crate::id::BlockId) {
        match self {
            Self::Share(share) => (share.vote.height, share.vote.block),
            Self::Sum(certificate, _) | Self::CurrentSum(certificate) => {
                (certificate.height, certificate.block)
            }
        }
    }

    /// Checks that the accused signed this.
    fn check(&self, known: Known<'_>, accused: &BlsPublicKey) -> Result<(), EvidenceError> {
        match self {
            Self::Share(share) => {
                let verdict = accused.verify(share.vote.digest(known.chain), &share.signature);
                verdict.map_err(|_| EvidenceError::BadSignature)
            }
            Self::Sum(certificate, set) => {
                // Nobody has checked this set: with a sum of another's choice it would frame anybody in it.
                let keys = set.members.iter().map(|member| &member.key);
                let is_sum = set.total().is_some()
                    && BlsPublicKey::aggregate(keys).is_ok_and(|sum| sum == set.aggregate);
                if is_sum {
                    sum(certificate, set, known, accused)
                } else {
                    Err(EvidenceError::WrongSet)
                }
            }
            Self::CurrentSum(certificate) => {
                let set = known.guardians.ok_or(EvidenceError::WrongSet)?;
                sum(certificate, set, known, accused)
            }
        }
    }
}

/// Checks that the accused is in a sum that verifies, however much it weighs.
fn sum(
    certificate: &FinalityCertificate,
    set: &GuardianSet,
    known: Known<'_>,
    accused: &BlsPublicKey,
) -> Result<(), EvidenceError> {
    let place = set.members.binary_search_by(|member| member.key.cmp(accused));
    if !place.is_ok_and(|place| certificate.signers.has(place)) {
        return Err(EvidenceError::BadSignature);
    }
    let FinalityCertificate { height, block, .. } = *certificate;
    let vote = FinalityVote { guardians_hash: set.hash(known.chain), height, block };
    let verdict = certificate.signers.verify(vote.digest(known.chain), set, &certificate.signature);
    verdict.map_err(|_| EvidenceError::BadSignature)
}

pub(super) fn judge(
    branches: &Branches,
    known: Known<'_>,
    accused: Accused<'_>,
) -> Result<Shown, EvidenceError> {
    let [lower, higher] = &branches.vouched;
    let ((height, block), (above, other)) = (lower.checkpoint(), higher.checkpoint());
    let (offence, _) = branches.claim();
    if height == above {
        if block == other {
            return Err(EvidenceError::Same);
        }
        if !branches.headers.is_empty() {
            return Err(EvidenceError::WrongHeader);
        }
    } else {
        check_links(&branches.headers, known, (height, block), (above, other))?;
    }
    lower.check(known, accused.guardian)?;
    higher.check(known, accused.guardian)?;
    Ok(Shown { offence, height })
}

/// G3: the links of checkpoints below the higher one do not pass the lower one.
fn check_links(
    headers: &[Header],
    known: Known<'_>,
    (height, block): (Height, crate::id::BlockId),
    (above, other): (Height, crate::id::BlockId),
) -> Result<(), EvidenceError> {
    let (mut next, mut at) = (other, above);
    for header in headers {
        if header.chain_id != known.chain || header.height != at || header.id() != next {
            return Err(EvidenceError::WrongHeader);
        }
        next = header.cp_link;
        at = Height(at.0.checked_sub(known.interval).ok_or(EvidenceError::WrongHeader)?);
    }
    // The last link leads to the very height of the lower checkpoint: to it, or past it.
    if above <= height || at != height {
        return Err(EvidenceError::Apart);
    }
    if next == block { Err(EvidenceError::Descends) } else { Ok(()) }
}

impl Branches {
    pub(super) fn claim(&self) -> (Offence, Height) {
        let [(height, _), (above, _)] = self.vouched.each_ref().map(Vouched::checkpoint);
        let same = height == above;
        (if same { Offence::TwoShares } else { Offence::OtherBranch }, height)
    }

    /// Returns whether the set that the chain commits now is needed to judge.
    pub fn needs_current(&self) -> bool {
        self.vouched.iter().any(|vouched| matches!(vouched, Vouched::CurrentSum(_)))
    }

    /// Returns the keys that came along: each must be registered, or the sums they are in show nothing.
    pub fn carried(&self) -> impl Iterator<Item = &BlsPublicKey> {
        let sets = self.vouched.iter().filter_map(|vouched| match vouched {
            Vouched::Sum(_, set) => Some(set),
            Vouched::Share(_) | Vouched::CurrentSum(_) => None,
        });
        sets.flat_map(|set| set.members.iter().map(|member| &member.key))
    }
}
