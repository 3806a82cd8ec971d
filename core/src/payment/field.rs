//! A payment field: members lock money once and pay each other off the chain, in rounds that all of them sign.
//!
//! ```text
//! all sign the terms --OpenField--> OPEN --MutualClose (final state, signed by all)----------> CLOSED
//!                                    | '--SoloClose (bond)--> CLOSING --Enforce, later than the deadline--^
//!                                    |                           '--Post: a higher state, signed by all
//!                                    '--Amend (all sign): members join, leave, top up: the next version
//!
//! round   payments --the leader orders them--> receipts --> state of the round --every member signs--> sealed
//! ```
//!
//! | module | what it knows |
//! |---|---|
//! | [`FieldTerms`], [`Amendment`] | what all sign before money is locked, and before the members change |
//! | [`FieldPayment`], [`Receipt`] | one payment, and the leader's word at which place of the round it stands |
//! | [`RoundState`], [`SealedState`] | who has how much after a round, signed by one, signed by all |
//! | [`Rounds`] | the tree over the payments of all rounds |
//! | [`FieldProof`] | one payment proven out of the header of the block that closed the field |
//! | [`FieldFile`] | what a member can show to anybody, as a file |
//! | [`Brought`] | such a file of one payment, judged by whoever follows the chain |
//! | [`FieldAct`], [`escrow`] | what is asked of the chain, and the chain's half |
//!
//! A round's number counts all rounds since the field was opened, whichever the version, so it is also the number of
//! rounds under `tx_root`. Round 0 of version 0 is the deposits. The first state of a later version is in its amendment:
//! both are known to the chain and need no more signatures.
//!
//! Source: PROTOCOL A6.8 to A6.15.

#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

mod act;
mod amendment;
mod brought;
pub mod escrow;
mod evidence;
mod payment;
mod proof;
mod rules;
mod state;
mod terms;
#[cfg(test)]
mod tests;
mod tree;

pub use act::FieldAct;
pub use amendment::{Amendment, MAX_SIGNERS};
pub use brought::{Brought, BroughtError, MAX_PAYMENT_FILE};
pub use evidence::{
    EVIDENCE_BEGINNING, FieldEvidence, FieldFile, FieldFileError, FieldShown, Paid,
    PaymentEvidence, sealed_file,
};
pub use payment::{FieldPayment, Receipt};
pub use proof::{Climb, FieldProof, MAX_FIELD_PROOF};
pub use rules::{FieldRules, FieldRulesError, longest_extension};
pub use state::{MAX_SEALED, RoundState, Seal, SealError, SealedState};
pub use terms::{FieldTerms, Member, TermsError};
pub use tree::{Rounds, round_leaf, round_root};

use crate::{
    crypto::{PublicKey, Signature},
    id::ChainId,
};

/// Most members of a field. Chosen here: their keys, and apart from them their balances, fit a value of the state tree.
pub const MAX_MEMBERS: usize = 100;
/// Fewest members of a field (A6.8).
pub const MIN_MEMBERS: usize = 2;

/// Checks one signature a key, in the order of the keys: every one of them, under strict rules (A0.3).
fn verify_each<'a>(
    object: &impl crate::crypto::Tagged,
    chain: ChainId,
    keys: impl ExactSizeIterator<Item = &'a PublicKey>,
    signatures: &[Signature],
) -> Result<(), SealError> {
    if keys.len() != signatures.len() {
        return Err(SealError::Count { keys: keys.len(), signatures: signatures.len() });
    }
    let digest = object.digest(chain);
    for (place, (key, signature)) in keys.zip(signatures).enumerate() {
        key.verify(&digest.0, signature).map_err(|_| SealError::Signature { place })?;
    }
    Ok(())
}
