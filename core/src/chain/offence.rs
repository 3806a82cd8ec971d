//! What costs a stake: two signatures of one key that no honest node makes.
//!
//! | offence | what was signed | penalty of the own bond |
//! |---|---|---|
//! | O1 | two proposals of one epoch | `proposal_penalty` per cent |
//! | O2 | votes for two blocks at one height | all |
//! | O3 | a vote that forgets the lock of an earlier one | all |
//! | O4 | two checkpoints at one height, as guardian | all |
//! | O5 | two checkpoints of which the higher does not descend from the lower, as guardian | all |
//!
//! Not offences: the same vote sent again, proposals at one height in two epochs, silence. Membership in a set need not
//! be shown: an honest key never signs twice for one slot of one set, whether it is in it or not.
//!
//! Source: PROTOCOL A4.1, A4.2; ALLA-10.

mod finality;
#[cfg(test)]
mod tests;

pub use finality::{Branches, MAX_LINKS, Vouched};

use super::{
    certificate::{FinalityVote, Vote},
    header::{Header, Proposal},
    set::GuardianSet,
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

/// Longest evidence, in bytes: what fits into a transaction.
pub const MAX_EVIDENCE: usize = super::transaction::MAX_TRANSACTION;

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
    /// O4 or O5.
    Checkpoints(Box<Branches>),
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
    /// O5.
    OtherBranch = 4,
}

impl Offence {
    /// Returns the stable name of this offence.
    pub const fn code(self) -> &'static str {
        match self {
            Self::TwoProposals => "offence/two-proposals",
            Self::TwoVotes => "offence/two-votes",
            Self::Unlocked => "offence/unlocked",
            Self::TwoShares => "offence/two-shares",
            Self::OtherBranch => "offence/other-branch",
        }
    }
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
    /// A header is not the one that was voted for, or that another links.
    #[error("a header is not the one that was voted for or linked")]
    WrongHeader,
    /// The later checkpoint descends from the earlier one.
    #[error("the later checkpoint descends from the earlier one")]
    Descends,
    /// A set of guardians is not the one expected, or not what it says.
    #[error("the set of guardians is not the one expected")]
    WrongSet,
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
            Self::Descends => "offence/descends",
            Self::WrongSet => "offence/wrong-set",
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

/// What a judge knows of the chain.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// Its id.
    pub chain: ChainId,
    /// `T`: every T-th block is a checkpoint.
    pub interval: u64,
    /// The guardians of the next checkpoint.
    pub guardians: Option<&'a GuardianSet>,
}

impl Evidence {
    /// Returns what the evidence claims to show. Nothing of it is checked.
    pub fn claim(&self) -> Shown {
        let (offence, height) = match self {
            Self::Proposals(pair) => {
                let [one, other] = pair.as_ref();
                (Offence::TwoProposals, one.body.height.min(other.body.height))
            }
            Self::Votes(pair) => {
                let [one, _] = pair.as_ref();
                (Offence::TwoVotes, one.body.height)
            }
            Self::Unlocked(pair) => {
                let [earlier, _] = pair.as_ref();
                (Offence::Unlocked, earlier.header.height)
            }
            Self::Checkpoints(branches) => branches.claim(),
        };
        Shown { offence, height }
    }

    /// Returns what the evidence shows against the accused on this chain.
    ///
    /// Where sets come along ([`Branches::carried`]) the caller must know that each key in them is registered.
    ///
    /// # Errors
    /// [`EvidenceError`]; every signature in it must be the accused's.
    pub fn judge(&self, known: Known<'_>, accused: Accused<'_>) -> Result<Shown, EvidenceError> {
        let chain = known.chain;
        match self {
            Self::Proposals(pair) => proposals(pair, chain, accused),
            Self::Votes(pair) => votes(pair, chain, accused),
            Self::Unlocked(pair) => unlocked(pair, chain, accused),
            Self::Checkpoints(branches) => finality::judge(branches, known, accused),
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
