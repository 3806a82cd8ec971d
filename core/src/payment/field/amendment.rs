//! Another version of a field: members join, leave, pay in or take out, and another may lead. Source: PROTOCOL A6.14.

use super::{MAX_MEMBERS, Member, RoundState, SealError, TermsError, terms, verify_each};
use crate::{
    amount::Amount,
    codec::Bounded,
    crypto::{PublicKey, Signature, Tagged, bls::BlsPublicKey},
    id::{ChainId, Height},
};
use alloc::vec::Vec;
use borsh::{BorshDeserialize, BorshSerialize};

/// Most who sign an amendment: all members before and all after.
pub const MAX_SIGNERS: usize = 2 * MAX_MEMBERS;

/// What all members, those before and those after, agree on at the boundary of a round.
///
/// Who has more after than before pays the difference in, who has less gets it, in the same transaction.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Amendment {
    /// The last state of the version that ends. It need not be sealed: who signs the amendment signs it, too.
    pub last: RoundState,
    /// Who takes part from now on, with what each has: strictly increasing by address.
    pub members: Bounded<Member, MAX_MEMBERS>,
    /// Last block that may apply it.
    pub until: Height,
    /// Sum of the new members' BLS keys, see [`super::FieldTerms::aggregate`].
    pub aggregate: Option<BlsPublicKey>,
}

impl Tagged for Amendment {
    const TAG: &'static str = "field/v1/amendment";
}

impl Amendment {
    /// Returns the version that begins, or `None` when versions have run out.
    pub const fn version(&self) -> Option<u32> {
        self.last.version.checked_add(1)
    }

    /// Returns the place of the new leader.
    pub fn leader(&self) -> Option<u8> {
        terms::leader_of(&self.members)
    }

    /// Checks what can be seen without the chain, with `bond` as the field's.
    ///
    /// # Errors
    /// [`TermsError`], one variant a rule.
    pub fn check(&self, bond: Amount) -> Result<(), TermsError> {
        terms::check_members(&self.members, bond)?;
        terms::check_aggregate(self.aggregate.as_ref())
    }

    /// Returns who must sign: the members before in the order of places, then those who are new, in the order of theirs.
    pub fn signers(&self, before: &[PublicKey]) -> Vec<PublicKey> {
        let new = self.members.iter().map(|member| member.key).filter(|key| !before.contains(key));
        before.iter().copied().chain(new).collect()
    }

    /// Checks that all who must have signed, in the order of [`Amendment::signers`].
    ///
    /// # Errors
    /// [`SealError`].
    pub fn verify(
        &self,
        chain: ChainId,
        before: &[PublicKey],
        signatures: &[Signature],
    ) -> Result<(), SealError> {
        verify_each(self, chain, self.signers(before).iter(), signatures)
    }

    /// Returns the state that begins the next version. It needs no signature, for the amendment has all of them.
    pub fn first_state(&self, chain: ChainId) -> Option<RoundState> {
        let balances: Vec<Amount> = self.members.iter().map(|member| member.deposit).collect();
        Some(RoundState {
            version: self.version()?,
            balances: Bounded::try_from(balances).ok()?,
            prev: self.digest(chain),
            is_final: false,
            ..self.last.clone()
        })
    }
}
