//! A field on chain: what is locked, the best state that was shown, and what may be done at which height.
//!
//! ```text
//! OPEN --SoloClose--> CLOSING until the deadline --Enforce, above it--> CLOSED
//!   |                    '-- Post, up to the deadline: deadline := max(deadline, now + M_incl), never above the limit
//!   '--Challenge(r) until its deadline --Post(r or above)--> answered, the challenger pays
//!                     |---- above it, the leader showed a state below r --> r annulled, the challenger pays
//!                     '---- above it, the leader showed nothing ----------> r annulled, CLOSING, the leader pays
//! ```
//!
//! What is due above a deadline holds there whether or not somebody has asked for it: every act begins by resolving a
//! challenge that ran out, so the answer of one block and the annulment of the next never share a height.
//!
//! The ledger applies exactly these functions and the SDK asks them before it speaks, so the two cannot disagree.
//! They take the state and return the next one, with who pays and who is paid; they never change anything.
//!
//! Source: PROTOCOL A6.8, A6.11 to A6.14, A10.1, A10.8. A field always holds the operational token.

mod amend;
mod close;
mod dispute;
mod error;
mod open;
#[cfg(test)]
mod tests;

pub use error::FieldError;

use super::{FieldRules, MAX_MEMBERS, RoundState, SealedState};
use crate::{
    amount::Amount,
    codec::Bounded,
    crypto::{Hash, PublicKey, bls::BlsPublicKey, merkle},
    id::{Address, ChainId, FieldId, Height},
};
use alloc::vec::Vec;
use borsh::{BorshDeserialize, BorshSerialize};

/// The members of a field, as the state tree holds them: their keys in the order of places. Nobody once it is closed.
pub type FieldKeys = Bounded<PublicKey, MAX_MEMBERS>;

/// A field in the state tree.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct FieldState {
    /// The chain that everything of this field is signed for: the one on which it was opened.
    pub chain: ChainId,
    /// Place of the leader.
    pub leader: u8,
    /// `T_disp`, in blocks.
    pub dispute: u64,
    /// `T_resp`, in blocks.
    pub response: u64,
    /// What a solo close and a challenge lock.
    pub bond: Amount,
    /// What is left of the leader's bond.
    pub leader_bond: Amount,
    /// The key under which all close with one signature.
    pub aggregate: Option<BlsPublicKey>,
    /// The highest state that the chain was shown; its rank never decreases (A10.8). Without balances once it is closed.
    pub best: RoundState,
    /// Rounds of this version from here on are rejected for ever (A6.12).
    pub annulled: Option<u32>,
    /// Who asked for which round, if it is not answered.
    pub challenge: Option<Challenge>,
    /// Where it is in its life.
    pub status: FieldStatus,
}

/// Where a field is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum FieldStatus {
    /// Members pay each other.
    Open,
    /// The best state is about to be enforced.
    Closing(Closing),
    /// Everybody was paid. Stays in the tree, so that its id is never used again.
    Closed {
        /// The block that paid.
        at: Height,
    },
}

/// A close that can still be disputed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Closing {
    /// Last block that may post a higher state.
    pub deadline: Height,
    /// Above this block no post moves the deadline (A6.11).
    pub limit: Height,
    /// Who closes alone, by its place. Nobody where a challenge was not answered: then the leader's bond pays.
    pub closer: Option<u8>,
    /// What the closer has locked.
    pub bond: Amount,
    /// Who posted the best state, if it is above the closer's.
    pub poster: Option<Poster>,
}

/// Who gets its fee back for what it showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Poster {
    /// Whose account.
    pub address: Address,
    /// What it paid.
    pub fee: Amount,
}

/// A member says that it was not given a sealed state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Challenge {
    /// Place of who asks.
    pub by: u8,
    /// What it has locked.
    pub bond: Amount,
    /// What it paid for asking.
    pub fee: Amount,
    /// The round that it asks for.
    pub round: u32,
    /// Last block that may answer.
    pub deadline: Height,
    /// What the leader paid for showing a state below that round, if it did.
    pub leader: Option<Amount>,
}

/// Who acts, when, and under which rules.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    /// The chain's rules.
    pub rules: &'a FieldRules,
    /// `M_incl`: blocks within which an honest transaction is included (A1.24).
    pub inclusion_margin: u64,
    /// The block that would include it.
    pub height: Height,
    /// Who sends the transaction.
    pub by: Address,
    /// The chain's fee for each signature.
    pub fee: Amount,
}

/// What an act does.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Change {
    /// The field afterwards.
    pub field: FieldState,
    /// Its members afterwards, where they are others.
    pub keys: Option<FieldKeys>,
    /// Whose balance loses what.
    pub takes: Vec<(Address, Amount)>,
    /// Whose balance gains what.
    pub pays: Vec<(Address, Amount)>,
}

/// What a header says of a field that its block closed: a leaf under `field_root`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct ClosedField {
    /// Which field.
    pub field: FieldId,
    /// The version that was enforced.
    pub version: u32,
    /// The round that was enforced: the number of leaves under `tx_root`.
    pub round: u32,
    /// Root over all rounds.
    pub tx_root: Hash,
    /// Payments of all rounds.
    pub payments: u64,
    /// Digest of the members of that version, in the order of places ([`members_digest`]): whoever shows their keys can say
    /// who paid and who was paid.
    pub members: Hash,
}

/// Returns what a closed field keeps of its members' keys.
pub fn members_digest(keys: &FieldKeys) -> Hash {
    Hash::of(&[b"antiphon field members", &crate::codec::encode(keys)])
}

impl ClosedField {
    /// Returns its leaf.
    pub fn leaf(&self) -> Hash {
        merkle::leaf_hash(&crate::codec::encode(self))
    }
}

/// Returns a header's `field_root` over the fields that its block closed, which stand in the order of their ids.
pub fn field_root(closed: &[ClosedField]) -> Hash {
    debug_assert!(closed.is_sorted_by(|one, next| one.field < next.field), "in order, each once");
    let leaves: Vec<Hash> = closed.iter().map(ClosedField::leaf).collect();
    merkle::root(&leaves)
}

impl FieldState {
    /// Returns what the chain holds for this field: its row in the sum of all money (A10.1). `None` on overflow, which
    /// opening and amending rule out.
    pub fn held(&self) -> Option<Amount> {
        let bond = match &self.status {
            FieldStatus::Open => Amount::ZERO,
            FieldStatus::Closing(closing) => closing.bond,
            FieldStatus::Closed { .. } => return Some(Amount::ZERO),
        };
        let asked = self.challenge.map_or(Amount::ZERO, |challenge| challenge.bond);
        Amount::checked_sum([self.best.sum()?, self.leader_bond, bond, asked])
    }

    /// Returns what a block's header says of it, if that block closed it.
    pub fn closed_at(&self, height: Height) -> Option<ClosedField> {
        let RoundState { field, version, round, tx_root, payments, prev: members, .. } = self.best;
        let closed = ClosedField { field, version, round, tx_root, payments, members };
        (self.status == FieldStatus::Closed { at: height }).then_some(closed)
    }

    /// Returns from which round on states of this version are rejected at `height`, resolved or not (A6.12).
    pub fn annulled_at(&self, height: Height) -> Option<u32> {
        let run_out = self.challenge.filter(|challenge| challenge.deadline < height);
        let rounds = self.annulled.into_iter().chain(run_out.map(|challenge| challenge.round));
        rounds.min()
    }

    /// Returns whether nobody has asked for this round, or one below it, without an answer: until then it may be annulled,
    /// and the state below it needed again (A6.12).
    pub fn is_safe(&self, round: u32) -> bool {
        round <= self.best.round || self.challenge.is_none_or(|challenge| challenge.round > round)
    }

    /// Checks a state before its signatures: of this field and version, not annulled, not below what was shown before, and
    /// with the money that is locked (A6.10, A6.11).
    fn admit(&self, state: &RoundState, height: Height) -> Result<(), FieldError> {
        if state.field != self.best.field {
            return Err(FieldError::WrongField);
        }
        let (found, expected) = (state.version, self.best.version);
        if found != expected {
            return Err(FieldError::WrongVersion { found, expected });
        }
        if let Some(from) = self.annulled_at(height).filter(|from| state.round >= *from) {
            return Err(FieldError::Annulled { round: state.round, from });
        }
        if state.round < self.best.round || (state.round == self.best.round && *state != self.best)
        {
            return Err(FieldError::NotHigher { round: state.round, best: self.best.round });
        }
        let same_places = state.balances.len() == self.best.balances.len();
        if !same_places || state.sum().is_none() || state.sum() != self.best.sum() {
            return Err(FieldError::WrongSum);
        }
        Ok(())
    }

    /// Checks that all members have signed a state which the chain could enforce at `height`, above what it knows.
    ///
    /// # Errors
    /// [`FieldError`].
    pub fn check(
        &self,
        keys: &[PublicKey],
        sealed: &SealedState,
        height: Height,
    ) -> Result<(), FieldError> {
        if self.is_closed() {
            return Err(FieldError::Closed);
        }
        self.admit(&sealed.state, height)?;
        let (round, best) = (sealed.state.round, self.best.round);
        if round == best {
            return Err(FieldError::NotHigher { round, best });
        }
        Ok(sealed.verify(self.chain, keys.iter())?)
    }

    const fn is_closed(&self) -> bool {
        matches!(self.status, FieldStatus::Closed { .. })
    }
}

impl Scene<'_> {
    /// Returns what the sender pays for an act with so many signatures.
    fn cost(&self, signatures: usize) -> Amount {
        let count = u64::try_from(signatures).unwrap_or(u64::MAX).saturating_add(1);
        // A fee that does not fit cannot have been paid.
        self.fee.checked_mul(count).unwrap_or(Amount::ZERO)
    }
}

/// Returns the place of an address among the members.
fn place(keys: &[PublicKey], address: &Address) -> Option<u8> {
    keys.iter().position(|key| Address::of(key) == *address).and_then(|at| u8::try_from(at).ok())
}

/// Returns the address of the member at a place.
fn address_of(keys: &[PublicKey], place: u8) -> Result<Address, FieldError> {
    keys.get(usize::from(place)).map(Address::of).ok_or(FieldError::NotMember)
}
