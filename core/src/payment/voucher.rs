//! A signed promise: what the creator of a pool owes one payee in total.
//!
//! ```text
//! signed   H("pool/v1/voucher", chain, pool 32 | resource 32 | target 20 | seq u64 | cum u128)
//! compact  seq u64 | cum u128 | signature 64                                       = 88 bytes
//! ```
//!
//! The compact form leaves out what the payee knows: the pool that the peer offered, the pool's proven resource
//! and its own address. It puts them back before it verifies, so a voucher for anything else fails as a forgery.
//! For comparison: Theta about 144 bytes, µRaiden about 113 (FIELD-NOTES, headline numbers).
//!
//! Source: PROTOCOL A5.9.

use crate::{
    amount::Amount,
    crypto::{Signature, Signed, Tagged},
    id::{Address, PoolId, StreamId},
};
use borsh::{BorshDeserialize, BorshSerialize};

/// Bytes of a [`CompactVoucher`].
pub const COMPACT_BYTES: usize = 88;

/// The total that a pool owes one target. A later voucher replaces an earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Voucher {
    /// The pool that pays.
    pub pool: PoolId,
    /// What is paid for: the pool's resource.
    pub resource: StreamId,
    /// Who is paid.
    pub target: Address,
    /// Rises with each voucher of this pool to this target; `u64::MAX` is never valid.
    pub seq: u64,
    /// All that was ever owed to this target from this pool.
    pub cum: Amount,
}

impl Tagged for Voucher {
    const TAG: &'static str = "pool/v1/voucher";
}

impl Signed<Voucher> {
    /// Returns the form that travels between peers.
    pub const fn to_compact(&self) -> CompactVoucher {
        CompactVoucher { seq: self.body.seq, cum: self.body.cum, signature: self.signature }
    }
}

/// A voucher as it travels between peers that agreed on the pool. Decode with [`COMPACT_BYTES`] as bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct CompactVoucher {
    /// See [`Voucher::seq`].
    pub seq: u64,
    /// See [`Voucher::cum`].
    pub cum: Amount,
    /// The creator's, over the whole [`Voucher`].
    pub signature: Signature,
}

impl CompactVoucher {
    /// Returns the whole voucher for this pool, resource and target. Unverified.
    pub const fn expand(
        &self,
        pool: PoolId,
        resource: StreamId,
        target: Address,
    ) -> Signed<Voucher> {
        let body = Voucher { pool, resource, target, seq: self.seq, cum: self.cum };
        Signed { body, signature: self.signature }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        codec::{self, DecodeError},
        crypto::{Hash, SecretKey, SignatureError},
        id::ChainId,
    };

    const CHAIN: ChainId = ChainId(Hash([1; 32]));

    fn voucher() -> Voucher {
        Voucher {
            pool: PoolId(Hash([2; 32])),
            resource: StreamId(Hash([3; 32])),
            target: Address([4; 20]),
            seq: 5,
            cum: Amount::from_units(600),
        }
    }

    #[test]
    fn a_voucher_on_the_wire_is_88_bytes_and_a_whole_one_172() {
        let signed = Signed::new(&SecretKey::from_bytes(&[7; 32]), CHAIN, voucher());
        assert_eq!(codec::encode(&signed.to_compact()).len(), COMPACT_BYTES);
        const { assert!(COMPACT_BYTES < 113, "smaller than µRaiden's and Theta's") };
        assert_eq!(signed.to_bytes().len(), 172);
    }

    #[test]
    fn the_compact_form_says_the_same_to_who_knows_the_rest() {
        let key = SecretKey::from_bytes(&[7; 32]);
        let signed = Signed::new(&key, CHAIN, voucher());
        let bytes = codec::encode(&signed.to_compact());
        let compact: CompactVoucher = codec::decode(&bytes, COMPACT_BYTES).unwrap();
        let body = voucher();
        let back = compact.expand(body.pool, body.resource, body.target);
        assert_eq!(back, signed);
        assert_eq!(back.verify(CHAIN, &key.public()), Ok(()));
        let wrong = compact.expand(body.pool, body.resource, Address([9; 20]));
        assert_eq!(wrong.verify(CHAIN, &key.public()), Err(SignatureError));
    }

    #[test]
    fn both_forms_refuse_prefixes_and_trailing_bytes() {
        let signed = Signed::new(&SecretKey::from_bytes(&[7; 32]), CHAIN, voucher());
        let whole = signed.to_bytes();
        let compact = codec::encode(&signed.to_compact());
        for cut in 0..whole.len() {
            let error = codec::decode::<Signed<Voucher>>(&whole[..cut], 172).err();
            assert_eq!(error, Some(DecodeError::Truncated));
        }
        for cut in 0..compact.len() {
            let error = codec::decode::<CompactVoucher>(&compact[..cut], COMPACT_BYTES).err();
            assert_eq!(error, Some(DecodeError::Truncated));
        }
        let longer = [&whole[..], &[0]].concat();
        let error = |max| codec::decode::<Signed<Voucher>>(&longer, max).err();
        assert_eq!(error(172), Some(DecodeError::OverLimit));
        assert_eq!(error(200), Some(DecodeError::Trailing));
        let longer = [&compact[..], &[0]].concat();
        let error = |max| codec::decode::<CompactVoucher>(&longer, max).err();
        assert_eq!(error(COMPACT_BYTES), Some(DecodeError::OverLimit));
        assert_eq!(error(200), Some(DecodeError::Trailing));
    }

    #[test]
    fn the_signed_digest_is_what_it_always_was() {
        // Made here, and by a second implementation (Python hashlib): pins tag, field order and widths.
        let golden = "54b223b92c5c2081f7b9d5ce5269dc536e96b6b19343acedd5fad8ae90993814";
        assert_eq!(voucher().digest(CHAIN).to_hex(), golden);
    }
}
