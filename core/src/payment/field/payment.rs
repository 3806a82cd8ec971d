//! One payment inside a field, and the leader's receipt for its place.
//!
//! ```text
//! signed   H("field/v1/payment", chain, field 32 | version u32 | round u32 | payer u8 | payee u8 | amount u128 | sequence u64)
//! compact  round u32 | payer u8 | payee u8 | amount u128 | sequence u64 | signature 64                       = 94 bytes
//! ```
//!
//! The compact form leaves out what members of one field know: the field and its version. They put it back before they
//! verify, so a payment of anything else fails as a forgery. Source: PROTOCOL A6.9.

use crate::{
    amount::Amount,
    crypto::{Hash, Signature, Signed, Tagged, merkle},
    id::FieldId,
};
use borsh::{BorshDeserialize, BorshSerialize};

/// Bytes of a [`CompactPayment`].
pub const COMPACT_PAYMENT_BYTES: usize = 94;

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

    /// Returns the form that travels between members.
    pub const fn to_compact(&self) -> CompactPayment {
        let FieldPayment { round, payer, payee, amount, sequence, .. } = self.body;
        CompactPayment { round, payer, payee, amount, sequence, signature: self.signature }
    }
}

/// A payment as it travels between members of one field. Decode with [`COMPACT_PAYMENT_BYTES`] as bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct CompactPayment {
    /// See [`FieldPayment::round`].
    pub round: u32,
    /// See [`FieldPayment::payer`].
    pub payer: u8,
    /// See [`FieldPayment::payee`].
    pub payee: u8,
    /// See [`FieldPayment::amount`].
    pub amount: Amount,
    /// See [`FieldPayment::sequence`].
    pub sequence: u64,
    /// The payer's, over the whole [`FieldPayment`].
    pub signature: Signature,
}

impl CompactPayment {
    /// Returns the whole payment for this field and version. Unverified.
    pub const fn expand(&self, field: FieldId, version: u32) -> Signed<FieldPayment> {
        let Self { round, payer, payee, amount, sequence, signature } = *self;
        let body = FieldPayment { field, version, round, payer, payee, amount, sequence };
        Signed { body, signature }
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
    use crate::{
        codec::{self, DecodeError},
        crypto::{SecretKey, SignatureError},
        id::ChainId,
    };

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
    fn the_compact_form_is_94_bytes_and_says_the_same_to_who_knows_the_field() {
        let key = SecretKey::from_bytes(&[7; 32]);
        let signed = Signed::new(&key, CHAIN, payment());
        let bytes = codec::encode(&signed.to_compact());
        assert_eq!((bytes.len(), signed.to_bytes().len()), (COMPACT_PAYMENT_BYTES, 130));
        const { assert!(COMPACT_PAYMENT_BYTES < 113, "smaller than µRaiden's and Theta's") };
        let compact: CompactPayment = codec::decode(&bytes, COMPACT_PAYMENT_BYTES).unwrap();
        let body = payment();
        assert_eq!(compact.expand(body.field, body.version), signed);
        assert_eq!(signed.verify(CHAIN, &key.public()), Ok(()));
        let other = compact.expand(FieldId(Hash([9; 32])), body.version);
        assert_eq!(other.verify(CHAIN, &key.public()), Err(SignatureError));
        let next = compact.expand(body.field, 4);
        assert_eq!(next.verify(CHAIN, &key.public()), Err(SignatureError));
    }

    #[test]
    fn the_compact_form_refuses_prefixes_and_trailing_bytes() {
        let signed = Signed::new(&SecretKey::from_bytes(&[7; 32]), CHAIN, payment());
        let bytes = codec::encode(&signed.to_compact());
        for cut in 0..bytes.len() {
            let error = codec::decode::<CompactPayment>(&bytes[..cut], COMPACT_PAYMENT_BYTES).err();
            assert_eq!(error, Some(DecodeError::Truncated));
        }
        let longer = [&bytes[..], &[0]].concat();
        let error = |max| codec::decode::<CompactPayment>(&longer, max).err();
        assert_eq!(error(COMPACT_PAYMENT_BYTES), Some(DecodeError::OverLimit));
        assert_eq!(error(200), Some(DecodeError::Trailing));
    }

    #[test]
    fn the_leaf_covers_the_signature() {
        let one = Signed::new(&SecretKey::from_bytes(&[7; 32]), CHAIN, payment());
        let other = Signed::new(&SecretKey::from_bytes(&[8; 32]), CHAIN, payment());
        assert_ne!(one.leaf(), other.leaf());
    }
}
