//! What costs a stake: two signatures of one key that no honest node makes.
//!
//! | offence | what was signed | penalty of the own bond |
//! |---|---|---|
//! | O1 | two proposals of one epoch | `proposal_penalty` per cent |
//! | O2 | votes for two blocks at one height | all |
//! | O3 | a vote that forgets the lock of an earlier one | all |
//! | O4 | shares for two checkpoints at one height | all |
//!
//! Not offences: the same vote sent again, proposals at one height in two epochs, silence. Membership in a set need not
//! be shown: an honest key never signs twice for one slot of one set, whether it is in it or not.
//!
//! Source: PROTOCOL A4.1, A4.2; ALLA-10. Deviation: O5 (checkpoints that do not descend from each other) and evidence from
//! aggregated certificates are not built.

use super::{
    certificate::{FinalityVote, Vote},
    header::{Header, Proposal},
};
use crate::{
    crypto::{
        PublicKey, Signed, Tagged,
        bls::{BlsPublicKey, BlsSignature},
    },
    id::{ChainId, Height},
};
use alloc::boxed::Box;
use borsh::{BorshDeserialize, BorshSerialize};

/// One guardian's signature on a checkpoint, by itself.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct SignedShare {
    /// What was signed.
    pub vote: FinalityVote,
    /// Over the vote.
    pub signature: BlsSignature,
}

/// A vote with the header of the block it is for.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct VoteOnHeader {
    /// The vote.
    pub vote: Signed<Vote>,
    /// What it is for: shows the certificate that the voter had seen.
    pub header: Header,
}

/// What shows an offence.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Evidence {
    /// O1.
    Proposals(Box<[Signed<Proposal>; 2]>),
    /// O2.
    Votes(Box<[Signed<Vote>; 2]>),
    /// O3: the earlier vote first.
    Unlocked(Box<[VoteOnHeader; 2]>),
    /// O4.
    Shares(Box<[SignedShare; 2]>),
}

/// The kinds of offences; the number is a bit of `Staker::punished`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offence {
    /// O1.
    TwoProposals = 0,
    /// O2.
    TwoVotes = 1,
    /// O3.
    Unlocked = 2,
    /// O4.
    TwoShares = 3,
}

/// An offence that was shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Which.
    pub offence: Offence,
    /// The lower height of the two signatures.
    pub height: Height,
}

/// Why evidence shows nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EvidenceError {
    /// Twice the same, which is no offence.
    #[error("both signatures are for the same")]
    Same,
    /// The two are of different slots, sets or chains.
    #[error("the signatures are not of one slot")]
    Apart,
    /// A header is not the one that was voted for.
    #[error("a header is not the one that was voted for")]
    WrongHeader,
    /// The later vote kept to the lock.
    #[error("the later vote kept to the lock")]
    Locked,
    /// A signature is not the accused's.
    #[error("a signature is not of the accused")]
    BadSignature,
    /// The accused has no validator key.
    #[error("the accused is no validator")]
    NoValidator,
}

impl EvidenceError {
    /// Returns the stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Same => "offence/same",
            Self::Apart => "offence/apart",
            Self::WrongHeader => "offence/wrong-header",
            Self::Locked => "offence/locked",
            Self::BadSignature => "offence/bad-signature",
            Self::NoValidator => "offence/no-validator",
        }
    }
}

/// The keys of the accused.
#[derive(Clone, Copy, Debug)]
pub struct Accused<'a> {
    /// Its validator key.
    pub validator: Option<&'a PublicKey>,
    /// Its guardian key.
    pub guardian: &'a BlsPublicKey,
}

impl Evidence {
    /// Returns what the evidence shows against the accused on this chain.
    ///
    /// # Errors
    /// [`EvidenceError`]; every signature in it must be the accused's.
    pub fn judge(&self, chain: ChainId, accused: Accused<'_>) -> Result<Shown, EvidenceError> {
        match self {
            Self::Proposals(pair) => proposals(pair, chain, accused),
            Self::Votes(pair) => votes(pair, chain, accused),
            Self::Unlocked(pair) => unlocked(pair, chain, accused),
            Self::Shares(pair) => shares(pair, chain, accused),
        }
    }
}

fn proposals(
    [one, other]: &[Signed<Proposal>; 2],
    chain: ChainId,
    accused: Accused<'_>,
) -> Result<Shown, EvidenceError> {
    let (a, b) = (&one.body, &other.body);
    if (a.validators_hash, a.epoch) != (b.validators_hash, b.epoch) {
        return Err(EvidenceError::Apart);
    }
    if a.block == b.block {
        return Err(EvidenceError::Same);
    }
    signed_both([one, other], chain, accused)?;
    Ok(Shown { offence: Offence::TwoProposals, height: a.height.min(b.height) })
}

fn votes(
    [one, other]: &[Signed<Vote>; 2],
    chain: ChainId,
    accused: Accused<'_>,
) -> Result<Shown, EvidenceError> {
    let (a, b) = (&one.body, &other.body);
    if (a.validators_hash, a.height) != (b.validators_hash, b.height) {
        return Err(EvidenceError::Apart);
    }
    if a.block == b.block {
        return Err(EvidenceError::Same);
    }
    signed_both([one, other], chain, accused)?;
    Ok(Shown { offence: Offence::TwoVotes, height: a.height })
}

/// A1.17 V4: who voted for a block with a certificate at some height never votes above it for one with less.
fn unlocked(
    [earlier, later]: &[VoteOnHeader; 2],
    chain: ChainId,
    accused: Accused<'_>,
) -> Result<Shown, EvidenceError> {
    let of_header = |on: &VoteOnHeader| {
        let (vote, header) = (&on.vote.body, &on.header);
        header.chain_id == chain
            && header.id() == vote.block
            && header.height == vote.height
            && header.validators_hash == vote.validators_hash
    };
    if !of_header(earlier) || !of_header(later) {
        return Err(EvidenceError::WrongHeader);
    }
    let (a, b) = (&earlier.header, &later.header);
    if a.validators_hash != b.validators_hash || b.height <= a.height {
        return Err(EvidenceError::Apart);
    }
    if b.hcc.height >= a.hcc.height {
        return Err(EvidenceError::Locked);
    }
    signed_both([&earlier.vote, &later.vote], chain, accused)?;
    Ok(Shown { offence: Offence::Unlocked, height: a.height })
}

fn shares(
    [one, other]: &[SignedShare; 2],
    chain: ChainId,
    accused: Accused<'_>,
) -> Result<Shown, EvidenceError> {
    let (a, b) = (&one.vote, &other.vote);
    if a.height != b.height {
        return Err(EvidenceError::Apart);
    }
    if a.block == b.block {
        return Err(EvidenceError::Same);
    }
    for share in [one, other] {
        let verdict = accused.guardian.verify(share.vote.digest(chain), &share.signature);
        verdict.map_err(|_| EvidenceError::BadSignature)?;
    }
    Ok(Shown { offence: Offence::TwoShares, height: a.height })
}

fn signed_both<T: Tagged>(
    pair: [&Signed<T>; 2],
    chain: ChainId,
    accused: Accused<'_>,
) -> Result<(), EvidenceError> {
    let key = accused.validator.ok_or(EvidenceError::NoValidator)?;
    for signed in pair {
        signed.verify(chain, key).map_err(|_| EvidenceError::BadSignature)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        chain::light::tests::{spec, test_keys},
        crypto::{Hash, SecretKey, bls::BlsSecretKey},
    };

    /// A vote of `key` for a header at `height` that carries a certificate of height `seen`.
    fn vote(key: &SecretKey, height: u64, seen: u64) -> VoteOnHeader {
        let (validators, guardians) = test_keys();
        let mut header = Header::genesis(&spec(&validators, &guardians), Hash([1; 32]));
        (header.height, header.hcc.height) = (Height(height), Height(seen));
        let body = Vote {
            validators_hash: header.validators_hash,
            height: header.height,
            block: header.id(),
        };
        VoteOnHeader { vote: Signed::new(key, header.chain_id, body), header }
    }

    #[test]
    fn a_vote_that_forgets_the_lock_is_an_offence_and_every_other_pair_is_none() {
        let (key, other) = (SecretKey::from_bytes(&[9; 32]), SecretKey::from_bytes(&[8; 32]));
        let guardian = BlsSecretKey::from_seed(&[7; 32]).unwrap().public();
        let public = key.public();
        let accused = Accused { validator: Some(&public), guardian: &guardian };
        let judge = |pair: [VoteOnHeader; 2]| {
            let chain = pair[0].header.chain_id;
            Evidence::Unlocked(Box::new(pair)).judge(chain, accused)
        };
        let shown = Shown { offence: Offence::Unlocked, height: Height(5) };
        assert_eq!(judge([vote(&key, 5, 4), vote(&key, 6, 3)]), Ok(shown));
        let locked = [vote(&key, 5, 4), vote(&key, 6, 4)];
        assert_eq!(judge(locked), Err(EvidenceError::Locked));
        let not_above = [vote(&key, 5, 4), vote(&key, 5, 3)];
        assert_eq!(judge(not_above), Err(EvidenceError::Apart));
        let forged = [vote(&key, 5, 4), vote(&other, 6, 3)];
        assert_eq!(judge(forged), Err(EvidenceError::BadSignature));
        let mut swapped = [vote(&key, 5, 4), vote(&key, 6, 4)];
        swapped[1].header.hcc.height = Height(3);
        assert_eq!(judge(swapped), Err(EvidenceError::WrongHeader));
    }
}
