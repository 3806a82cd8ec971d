//! One payment proven out of a header's field root, and nothing else said.
//!
//! ```text
//! payment --siblings--> root of its round --siblings--> tx_root of the closed field --siblings--> field_root of the header
//! ```
//!
//! Every sibling is a hash that covers a salt: a signature that nobody can tell who has not seen it (see [`super::Rounds`]).
//! Who believes the header believes that all members agreed on the payment: they signed the root that it leads to.
//!
//! Source: PROTOCOL A0.9, A6.10.

use super::{FieldPayment, escrow::ClosedField, round_leaf};
use crate::{
    codec::Bounded,
    crypto::{
        Hash, Signed,
        merkle::{self, MAX_PROOF, ProofError},
    },
};
use alloc::vec::Vec;
use borsh::{BorshDeserialize, BorshSerialize};

/// Longest encoding of a [`FieldProof`], in bytes.
pub const MAX_FIELD_PROOF: usize = 8 * 1024;

/// A leaf's way to the root of one tree.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Climb {
    /// The leaf's place.
    pub index: u32,
    /// How many leaves the tree has.
    pub size: u32,
    /// The nodes beside the way, from the leaf up.
    pub siblings: Bounded<Hash, MAX_PROOF>,
}

impl Climb {
    /// Returns the way of the leaf at `index`, or `None` if there is no such leaf.
    pub fn of(leaves: &[Hash], index: usize) -> Option<Self> {
        let siblings: Vec<Hash> = merkle::prove(leaves, index)?;
        let (size, index) = (u32::try_from(leaves.len()).ok()?, u32::try_from(index).ok()?);
        Some(Self { index, size, siblings: Bounded::try_from(siblings).ok()? })
    }

    /// Checks that it leads from the leaf to the root.
    ///
    /// # Errors
    /// [`ProofError`].
    pub fn verify(&self, leaf: &Hash, root: &Hash) -> Result<(), ProofError> {
        let (size, index) = (u64::from(self.size), u64::from(self.index));
        merkle::verify_inclusion(root, size, index, leaf, &self.siblings)
    }
}

/// Proves that a field which a block closed holds a payment.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct FieldProof {
    /// The payment.
    pub payment: Signed<FieldPayment>,
    /// The root over the payments of its round.
    pub round_root: Hash,
    /// What the block's header says of the field.
    pub closed: ClosedField,
    // What has no fixed length comes last: a reader has nothing to give back before.
    /// Among the payments of its round.
    pub in_round: Climb,
    /// Of its round among the rounds of the field.
    pub in_field: Climb,
    /// Of the field among those that the block closed.
    pub in_block: Climb,
}

impl FieldProof {
    /// Checks that the payment is in a field under a header's `field_root`, in the very round that it names. Whose key is at
    /// the payer's place the header does not say: a payment's own signature is checked by who knows the members.
    ///
    /// # Errors
    /// [`ProofError`].
    pub fn verify(&self, field_root: &Hash) -> Result<(), ProofError> {
        let (payment, closed) = (&self.payment.body, &self.closed);
        let place = payment.round.checked_sub(1);
        // The number of rounds is committed, so the round's place says which round it is.
        let is_named = payment.field == closed.field
            && payment.version <= closed.version
            && place == Some(self.in_field.index)
            && self.in_field.size == closed.round;
        if !is_named {
            return Err(ProofError);
        }
        self.in_round.verify(&self.payment.leaf(), &self.round_root)?;
        let round = round_leaf(self.in_round.size, &self.round_root);
        self.in_field.verify(&round, &closed.tx_root)?;
        self.in_block.verify(&closed.leaf(), field_root)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        amount::Amount,
        codec,
        crypto::SecretKey,
        id::{ChainId, FieldId},
        payment::field::{Rounds, escrow::field_root, round_root},
    };

    const FIELD: FieldId = FieldId(Hash([5; 32]));

    fn payments(round: u32) -> Vec<Signed<FieldPayment>> {
        let key = SecretKey::from_bytes(&[1; 32]);
        let body = |sequence| FieldPayment {
            field: FIELD,
            version: 0,
            round,
            payer: 0,
            payee: 1,
            amount: Amount::from_units(1),
            sequence,
        };
        (0..u64::from(round)).map(|n| Signed::new(&key, ChainId::default(), body(n))).collect()
    }

    /// A field of six rounds, of 1 to 6 payments, closed beside two others.
    fn proof(round: u32, index: usize) -> (FieldProof, Hash) {
        let leaves = |round| -> Vec<Hash> { payments(round).iter().map(Signed::leaf).collect() };
        let (mut rounds, mut of_rounds) = (Rounds::default(), Vec::new());
        for number in 1..=6_u32 {
            let root = round_root(&leaves(number));
            rounds = rounds.with(number, &root).unwrap();
            of_rounds.push(round_leaf(number, &root));
        }
        let closed = ClosedField {
            field: FIELD,
            version: 0,
            round: 6,
            tx_root: rounds.root(),
            payments: 21,
            members: Hash([7; 32]),
        };
        let other = |n| ClosedField { field: FieldId(Hash([n; 32])), ..closed };
        let all = [other(1), closed, other(9)];
        let in_block: Vec<Hash> = all.iter().map(ClosedField::leaf).collect();
        let proof = FieldProof {
            payment: payments(round)[index].clone(),
            in_round: Climb::of(&leaves(round), index).unwrap(),
            round_root: round_root(&leaves(round)),
            in_field: Climb::of(&of_rounds, round as usize - 1).unwrap(),
            closed,
            in_block: Climb::of(&in_block, 1).unwrap(),
        };
        (proof, field_root(&all))
    }

    #[test]
    fn any_payment_of_any_round_is_proven_by_one_closed_field() {
        for round in 1..=6 {
            for index in 0..round as usize {
                let (proof, root) = proof(round, index);
                assert_eq!(proof.verify(&root), Ok(()), "{round} {index}");
                let bytes = codec::encode(&proof);
                assert!(bytes.len() < MAX_FIELD_PROOF);
                assert_eq!(codec::decode(&bytes, MAX_FIELD_PROOF), Ok(proof));
            }
        }
    }

    #[test]
    fn nothing_else_is_proven() {
        type Change = fn(&mut FieldProof);
        let changes: [(&str, Change); 14] = [
            ("another sum", |p| p.payment.body.amount = Amount::from_units(2)),
            ("another signature", |p| p.payment.signature.0[0] ^= 1),
            ("another round", |p| p.payment.body.round = 4),
            ("a version to come", |p| p.payment.body.version = 1),
            ("another field", |p| p.payment.body.field = FieldId(Hash([6; 32]))),
            ("another place in the round", |p| p.in_round.index = 2),
            ("a larger round", |p| p.in_round.size = 6),
            ("another root", |p| p.round_root = Hash([0; 32])),
            ("another place in the field", |p| p.in_field.index = 3),
            ("fewer rounds", |p| p.in_field.size = 5),
            ("more payments", |p| p.closed.payments = 22),
            ("other members", |p| p.closed.members = Hash([8; 32])),
            ("another place in the block", |p| p.in_block.index = 0),
            ("fewer siblings", |p| p.in_block.siblings = Bounded::new()),
        ];
        let (good, root) = proof(5, 1);
        for (what, change) in changes {
            let mut proof = good.clone();
            change(&mut proof);
            assert_eq!(proof.verify(&root), Err(ProofError), "{what}");
        }
        assert_eq!(good.verify(&Hash([0; 32])), Err(ProofError));
    }

    /// Members may agree on a tree with anything in it; a payment in another round's place is no payment of that round.
    #[test]
    fn a_payment_under_another_round_than_its_own_is_none() {
        let (mut proof, _) = proof(4, 0);
        let stray = payments(4)[0].leaf();
        let round = round_leaf(1, &stray);
        let others = |n: u8| Hash([n; 32]);
        let of_rounds = [others(1), round, others(3), others(4), others(5), others(6)];
        proof.in_round = Climb::of(&[stray], 0).unwrap();
        proof.round_root = stray;
        proof.in_field = Climb::of(&of_rounds, 1).unwrap();
        proof.closed.tx_root = merkle::root(&of_rounds);
        let leaf = proof.closed.leaf();
        proof.in_block = Climb::of(&[leaf], 0).unwrap();
        assert_eq!(proof.verify(&leaf), Err(ProofError), "round 4, in the place of round 2");
        proof.in_field = Climb::of(&[others(1), others(2), others(3), round], 3).unwrap();
        proof.closed.tx_root = merkle::root(&[others(1), others(2), others(3), round]);
        proof.closed.round = 4;
        let leaf = proof.closed.leaf();
        proof.in_block = Climb::of(&[leaf], 0).unwrap();
        assert_eq!(proof.verify(&leaf), Ok(()));
    }

    /// A node of a round's tree passed off as a leaf's hash fails, for a leaf is hashed from a payment.
    #[test]
    fn a_round_of_no_payments_proves_none() {
        let (mut proof, root) = proof(1, 0);
        proof.in_round.size = 0;
        assert_eq!(proof.verify(&root), Err(ProofError));
    }
}
