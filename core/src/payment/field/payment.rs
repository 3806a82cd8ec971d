//! One payment inside a field, and the leader's receipt for its place.
//!
//! ```text
//! signed   H("field/v1/payment", chain, field 32 | version u32 | round u32 | payer u8 | payee u8 | amount u128 | sequence u64)
//! ```
//!
//! What travels between members leaves out what they know, see [`wire`](crate::payment::member::wire). Source: PROTOCOL A6.9.

use crate::{
    amount::Amount,
    crypto::{Hash, Signed, Tagged, merkle},
    id::FieldId,
};
use borsh::{BorshDeserialize, BorshSerialize};

/// Money from one member to another, in one round only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct FieldPayment {
    /// The field whose members pay.
    pub field: FieldId,
    /// The version of the field's members.
    pub version: u32,
    /// The round to which it belongs; void if that round is never sealed.
    pub round: u32,
    /// Place of who pays and signs.
    pub payer: u8,
    /// Place of who is paid, another one.
    pub payee: u8,
    /// How much, above zero.
    pub amount: Amount,
    /// Counts this payer's payments of this round, from 0 and without a gap.
    pub sequence: u64,
}

impl Tagged for FieldPayment {
    const TAG: &'static str = "field/v1/payment";
}

impl Signed<FieldPayment> {
    /// Returns the payment's leaf in the tree of its round, which covers the signature (see [`super::Rounds`]).
    pub fn leaf(&self) -> Hash {
        merkle::leaf_hash(&self.to_bytes())
    }
}

/// The leader's word that a payment stands at a place of a round. Two for one place show that it lied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Receipt {
    /// The field.
    pub field: FieldId,
    /// Its version.
    pub version: u32,
    /// The round.
    pub round: u32,
    /// The payment's place in the round, from 0.
    pub index: u32,
    /// The payment's leaf.
    pub payment: Hash,
}

impl Tagged for Receipt {
    const TAG: &'static str = "field/v1/receipt";
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{crypto::SecretKey, id::ChainId};

    const CHAIN: ChainId = ChainId(Hash([1; 32]));

    fn payment() -> FieldPayment {
        FieldPayment {
            field: FieldId(Hash([2; 32])),
            version: 3,
            round: 4,
            payer: 5,
            payee: 6,
            amount: Amount::from_units(700),
            sequence: 8,
        }
    }

    #[test]
    fn the_leaf_covers_the_signature() {
        let one = Signed::new(&SecretKey::from_bytes(&[7; 32]), CHAIN, payment());
        let other = Signed::new(&SecretKey::from_bytes(&[8; 32]), CHAIN, payment());
        assert_ne!(one.leaf(), other.leaf());
    }
}
