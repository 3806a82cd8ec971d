//! Who has how much after a round. Source: PROTOCOL A6.10, A6.11.

use super::{MAX_MEMBERS, verify_each};
use crate::{
    amount::Amount,
    codec::Bounded,
    crypto::{
        Hash, PublicKey, Signature, Tagged,
        bls::{BlsPublicKey, BlsSignature},
    },
    id::{ChainId, FieldId},
};
use alloc::boxed::Box;
use borsh::{BorshDeserialize, BorshSerialize};

/// The result of all rounds up to one. A member signs at most one for each (version, round).
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct RoundState {
    /// The field.
    pub field: FieldId,
    /// The version of its members.
    pub version: u32,
    /// How many rounds there were, in all versions: the number of leaves under `tx_root`.
    pub round: u32,
    /// What each member has, in the order of places. They sum to what the chain has locked.
    pub balances: Bounded<Amount, MAX_MEMBERS>,
    /// RFC 6962 root over the leaves of all rounds ([`super::Rounds`]).
    pub tx_root: Hash,
    /// Payments of all rounds together.
    pub payments: u64,
    /// Digest of the state before; of a version's first: that of the terms or the amendment that made it.
    pub prev: Hash,
    /// Whether all want the chain to close the field with it at once. Nothing comes after it.
    pub is_final: bool,
}

impl Tagged for RoundState {
    const TAG: &'static str = "field/v1/state";
}

impl RoundState {
    /// Returns what orders the states of a field: the chain enforces the highest (A6.11).
    pub const fn rank(&self) -> (u32, u32) {
        (self.version, self.round)
    }

    /// Returns the sum of all balances, or `None` on overflow.
    pub fn sum(&self) -> Option<Amount> {
        Amount::checked_sum(self.balances.iter().copied())
    }
}

/// Longest encoding of a [`SealedState`] that is decoded, in bytes: the largest field's is half of it.
pub const MAX_SEALED: usize = 16 * 1024;

/// A state that every member has signed.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct SealedState {
    /// What they signed.
    pub state: RoundState,
    /// One a member, in the order of places.
    pub signatures: Bounded<Signature, MAX_MEMBERS>,
}

/// Why not everybody who must has signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// There are more or fewer signatures than who must sign.
    #[error("{signatures} signatures for {keys} keys")]
    Count {
        /// Who must sign.
        keys: usize,
        /// What there is.
        signatures: usize,
    },
    /// One does not verify.
    #[error("the signature at place {place} does not verify")]
    Signature {
        /// The first that does not.
        place: usize,
    },
    /// The field has no aggregate key, or the signature is not under it.
    #[error("the aggregated signature does not verify")]
    Aggregate,
}

impl SealError {
    /// Returns the stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Count { .. } => "field/signature-count",
            Self::Signature { .. } => "field/bad-signature",
            Self::Aggregate => "field/bad-aggregate-signature",
        }
    }
}

impl SealedState {
    /// Checks that each of `keys` signed, in the order of places.
    ///
    /// # Errors
    /// [`SealError`].
    pub fn verify<'a>(
        &self,
        chain: ChainId,
        keys: impl ExactSizeIterator<Item = &'a PublicKey>,
    ) -> Result<(), SealError> {
        verify_each(&self.state, chain, keys, &self.signatures)
    }
}

/// How all members sign a final state.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Seal {
    /// One signature a member, in the order of places.
    Each(Bounded<Signature, MAX_MEMBERS>),
    /// One signature under the field's aggregate key: smaller from two members on, and with its key from three.
    Aggregate(Box<BlsSignature>),
}

impl Seal {
    /// Returns how many signatures everybody who verifies it must check.
    pub fn count(&self) -> usize {
        match self {
            Self::Each(signatures) => signatures.len(),
            Self::Aggregate(_) => 1,
        }
    }

    /// Checks that all signed `state`.
    ///
    /// # Errors
    /// [`SealError`].
    pub fn verify<'a>(
        &self,
        state: &RoundState,
        chain: ChainId,
        keys: impl ExactSizeIterator<Item = &'a PublicKey>,
        aggregate: Option<&BlsPublicKey>,
    ) -> Result<(), SealError> {
        match self {
            Self::Each(signatures) => verify_each(state, chain, keys, signatures),
            Self::Aggregate(signature) => {
                let key = aggregate.ok_or(SealError::Aggregate)?;
                key.verify(state.digest(chain), signature).map_err(|_| SealError::Aggregate)
            }
        }
    }
}
