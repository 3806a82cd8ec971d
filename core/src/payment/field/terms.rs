//! What all members sign before the chain locks their money. Source: PROTOCOL A6.8, A6.13.

use super::{FieldRules, MAX_MEMBERS, MIN_MEMBERS, RoundState, SealError, verify_each};
use crate::{
    amount::Amount,
    codec::{self, Bounded},
    crypto::{PublicKey, SecretKey, Signature, Tagged, bls::BlsPublicKey, hash_tagged, merkle},
    id::{Address, ChainId, FieldId, Height},
};
use alloc::vec::Vec;
use borsh::{BorshDeserialize, BorshSerialize};

/// One who pays and is paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Member {
    /// Signs terms, payments and states; its address is where the money comes from and goes to.
    pub key: PublicKey,
    /// What it has when the field, or this version of it, begins.
    pub deposit: Amount,
}

impl Member {
    /// Returns the account of this member.
    pub fn address(&self) -> Address {
        Address::of(&self.key)
    }
}

/// What members agree on. Every one of them signs the whole.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct FieldTerms {
    /// Never used before by this leader.
    pub nonce: u64,
    /// Who takes part: strictly increasing by address. A member's place in this list is its name in payments.
    pub members: Bounded<Member, MAX_MEMBERS>,
    /// `T_disp`: blocks in which a higher state may be posted after a solo close.
    pub dispute: u64,
    /// `T_resp`: blocks in which a challenge may be answered.
    pub response: u64,
    /// Locked by the leader while it leads, and by whoever closes alone or challenges.
    pub bond: Amount,
    /// Last block that may open the field: a signature that was given once is not good for ever.
    pub until: Height,
    /// Sum of the members' BLS keys, if they want to close with one signature. A member proves the possession of its key to
    /// the others, and nobody signs terms whose sum it has not made itself of keys that were proven to it.
    pub aggregate: Option<BlsPublicKey>,
}

impl Tagged for FieldTerms {
    const TAG: &'static str = "field/v1/terms";
}

/// Why terms are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TermsError {
    /// Too few members.
    #[error("a field has at least two members")]
    TooFewMembers,
    /// Members are not strictly increasing by address.
    #[error("members are not strictly increasing by address")]
    Unsorted,
    /// Deposits and bond do not fit an amount, or there is nothing to pay with.
    #[error("deposits are zero together, or out of range")]
    BadDeposits,
    /// `T_disp` is outside the chain's bounds.
    #[error("a dispute of {blocks} blocks is outside {least} to {most}")]
    Dispute {
        /// Asked for.
        blocks: u64,
        /// The chain's least.
        least: u64,
        /// The chain's most.
        most: u64,
    },
    /// `T_resp` is outside the chain's bounds.
    #[error("a response of {blocks} blocks is outside {least} to {most}")]
    Response {
        /// Asked for.
        blocks: u64,
        /// The chain's least.
        least: u64,
        /// The chain's most.
        most: u64,
    },
    /// The bond does not pay for one transaction with every member's signature.
    #[error("bond {bond} is below the minimum {minimum}")]
    BondTooSmall {
        /// Offered.
        bond: Amount,
        /// The fee of one transaction that posts a state.
        minimum: Amount,
    },
    /// The key under which all close together is none.
    #[error("the aggregate key is not a key")]
    BadAggregate,
}

impl TermsError {
    /// Returns the stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooFewMembers => "field/too-few-members",
            Self::Unsorted => "field/members-unsorted",
            Self::BadDeposits => "field/bad-deposits",
            Self::Dispute { .. } => "field/bad-dispute",
            Self::Response { .. } => "field/bad-response",
            Self::BondTooSmall { .. } => "field/bond-too-small",
            Self::BadAggregate => "field/bad-aggregate",
        }
    }
}

impl FieldTerms {
    /// Returns the id that the field has for ever, or `None` without members.
    pub fn id(&self, chain: ChainId) -> Option<FieldId> {
        let leader = self.members.get(usize::from(leader_of(&self.members)?))?.address();
        let name = codec::encode(&(leader, self.nonce));
        Some(FieldId(hash_tagged("field/v1/id", chain, &name)))
    }

    /// Returns the place of the member with the highest deposit, the lowest address among equals (A6.8).
    pub fn leader(&self) -> Option<u8> {
        leader_of(&self.members)
    }

    /// Returns what is locked for members, without the leader's bond. `None` on overflow.
    pub fn locked(&self) -> Option<Amount> {
        Amount::checked_sum(self.members.iter().map(|member| member.deposit))
    }

    /// Checks the terms against the chain's rules, with `fee` as the chain's fee for each signature.
    ///
    /// # Errors
    /// [`TermsError`], one variant a rule.
    pub fn check(&self, rules: &FieldRules, fee: Amount) -> Result<(), TermsError> {
        check_members(&self.members, self.bond)?;
        let FieldRules { min_dispute, max_dispute, min_response, max_response, .. } = *rules;
        if !(min_dispute..=max_dispute).contains(&self.dispute) {
            let (least, most) = (min_dispute, max_dispute);
            return Err(TermsError::Dispute { blocks: self.dispute, least, most });
        }
        if !(min_response..=max_response).contains(&self.response) {
            let (least, most) = (min_response, max_response);
            return Err(TermsError::Response { blocks: self.response, least, most });
        }
        check_bond(self.bond, fee)?;
        check_aggregate(self.aggregate.as_ref())
    }

    /// Returns the least bond: it pays for whoever must post a state of the largest field, to which this one may grow. `None`
    /// on overflow.
    pub fn least_bond(fee: Amount) -> Option<Amount> {
        let signatures = u64::try_from(MAX_MEMBERS).unwrap_or(u64::MAX).saturating_add(1);
        fee.checked_mul(signatures)
    }

    /// Signs the terms as one member.
    pub fn sign(&self, chain: ChainId, key: &SecretKey) -> Signature {
        key.sign(chain, self)
    }

    /// Checks that every member signed the terms, in the order of the members.
    ///
    /// # Errors
    /// [`SealError`].
    pub fn verify(&self, chain: ChainId, signatures: &[Signature]) -> Result<(), SealError> {
        verify_each(self, chain, self.members.iter().map(|member| &member.key), signatures)
    }

    /// Returns the state before the first round: the deposits. It needs no signature, for the terms have all of them.
    pub fn first_state(&self, chain: ChainId) -> Option<RoundState> {
        let field = self.id(chain)?;
        let balances: Vec<Amount> = self.members.iter().map(|member| member.deposit).collect();
        Some(RoundState {
            field,
            version: 0,
            round: 0,
            balances: Bounded::try_from(balances).ok()?,
            tx_root: merkle::root(&[]),
            payments: 0,
            prev: self.digest(chain),
            is_final: false,
        })
    }
}

/// Returns the place of the member with the highest deposit, the first among equals.
pub(super) fn leader_of(members: &[Member]) -> Option<u8> {
    let mut best: Option<(usize, Amount)> = None;
    for (place, member) in members.iter().enumerate() {
        if best.is_none_or(|(_, most)| member.deposit > most) {
            best = Some((place, member.deposit));
        }
    }
    best.and_then(|(place, _)| u8::try_from(place).ok())
}

/// Checks number, order and sum of members.
pub(super) fn check_members(members: &[Member], bond: Amount) -> Result<(), TermsError> {
    if members.len() < MIN_MEMBERS {
        return Err(TermsError::TooFewMembers);
    }
    let addresses: Vec<Address> = members.iter().map(Member::address).collect();
    if !addresses.is_sorted_by(|one, next| one < next) {
        return Err(TermsError::Unsorted);
    }
    // With the bonds of leader, closer and challenger beside them, so that no sum over a field can overflow later.
    let sum = Amount::checked_sum(members.iter().map(|member| member.deposit));
    let held = sum.zip(bond.checked_mul(3)).and_then(|(sum, bonds)| sum.checked_add(bonds));
    if held.is_none() || sum.is_none_or(Amount::is_zero) {
        return Err(TermsError::BadDeposits);
    }
    Ok(())
}

/// Checks that a bond pays for whoever must post a state of the largest field: it may grow to that.
fn check_bond(bond: Amount, fee: Amount) -> Result<(), TermsError> {
    let minimum = FieldTerms::least_bond(fee).ok_or(TermsError::BadDeposits)?;
    if bond < minimum {
        return Err(TermsError::BondTooSmall { bond, minimum });
    }
    Ok(())
}

/// Checks the aggregate key once, as every key is that is registered: on the curve, in its subgroup, not the identity.
pub(super) fn check_aggregate(key: Option<&BlsPublicKey>) -> Result<(), TermsError> {
    key.map_or(Ok(()), |key| key.check().map_err(|_| TermsError::BadAggregate))
}
