//! A signed promise: what the creator of a pool owes one payee in total.
//!
//! ```text
//! signed   H("pool/v1/voucher", chain, pool 32 | resource 32 | target 20 | seq u64 | cum u128 | ticks)
//! compact  seq u64 | cum u128 | ticks | signature 64                               = 89 bytes, with ticks 141
//! ticks    0 u8, or 1 u8 | anchor 32 | price u128 | length u32
//! ```
//!
//! The compact form leaves out what the payee knows: the pool that the peer offered, the pool's proven resource
//! and its own address. It puts them back before it verifies, so a voucher for anything else fails as a forgery.
//! For comparison: Theta about 144 bytes, µRaiden about 113 (FIELD-NOTES, headline numbers).
//!
//! Source: PROTOCOL A5.9; ticks by [`tick`](super::tick).

use super::tick::{Context, STEPS_OF_A_SIGNATURE, Tick, TickError, Ticks};
use crate::{
    amount::Amount,
    crypto::{PublicKey, Signature, SignatureError, Signed, Tagged},
    id::{Address, ChainId, PoolId, StreamId},
};
use borsh::{BorshDeserialize, BorshSerialize};

/// Bytes of a [`CompactVoucher`] without ticks.
pub const COMPACT_BYTES: usize = 89;
/// Bytes of a [`CompactVoucher`] with ticks.
pub const MAX_COMPACT_BYTES: usize = COMPACT_BYTES + 52;
/// Bytes of a [`Promise`] at most: a whole signed voucher with ticks, and a tick.
pub const MAX_PROMISE_BYTES: usize = 108 + 1 + 52 + 64 + 1 + 36;

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
    /// A chain of hashes, each preimage of which adds a price to the sum (T1).
    pub ticks: Option<Ticks>,
}

/// A voucher with the newest tick that was revealed: what can be settled (A5.9, T3).
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Promise {
    /// Signed by the pool's creator.
    pub voucher: Signed<Voucher>,
    /// Of the voucher's chain; `None` if none was revealed.
    pub tick: Option<Tick>,
}

impl From<Signed<Voucher>> for Promise {
    fn from(voucher: Signed<Voucher>) -> Self {
        Self { voucher, tick: None }
    }
}

impl Promise {
    /// Returns what is promised in total: the voucher's sum, and a price for each tick. Costs nothing; says nothing about
    /// signature and preimage, see [`verify`](Self::verify).
    ///
    /// # Errors
    /// [`TickError`], but for the preimage.
    pub fn worth(&self) -> Result<Amount, TickError> {
        let Voucher { cum, ticks, .. } = self.voucher.body;
        if let Some(ticks) = &ticks {
            ticks.check(cum)?;
        }
        let Some(tick) = &self.tick else { return Ok(cum) };
        let ticks = ticks.ok_or(TickError::NoTicks)?;
        ticks.check_count(tick.count)?;
        ticks.worth(cum, tick.count).ok_or(TickError::BadTerms)
    }

    /// Checks that the creator signed the voucher on one of these chains, and that the tick is of that voucher's chain: a
    /// signature, and as many steps as [`steps`](Self::steps) says.
    ///
    /// # Errors
    /// [`PromiseError`].
    pub fn verify(&self, chains: &[ChainId], creator: &PublicKey) -> Result<(), PromiseError> {
        let voucher = &self.voucher;
        let chain = chains.iter().find(|chain| voucher.verify(**chain, creator).is_ok());
        let chain = *chain.ok_or(PromiseError::Signature(SignatureError))?;
        let Some(tick) = &self.tick else { return Ok(()) };
        let ticks = voucher.body.ticks.ok_or(PromiseError::Tick(TickError::NoTicks))?;
        let context = Context::of(chain, &voucher.body);
        ticks.verify(&context, tick).map_err(PromiseError::Tick)
    }

    /// Returns what the chain takes for a transaction that settles this alone: its fee for the signature that is checked, and
    /// one more for as many steps of ticks as cost the same (T8). More than any balance on overflow.
    pub fn fee(&self, each: Amount) -> Amount {
        let checks = u64::from(self.steps() / STEPS_OF_A_SIGNATURE).saturating_add(1);
        each.checked_mul(checks).unwrap_or(Amount::from_units(u128::MAX))
    }

    /// Returns how many hashes it takes to check the tick.
    pub const fn steps(&self) -> u32 {
        match &self.tick {
            Some(tick) => tick.count,
            None => 0,
        }
    }
}

/// Why a promise proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PromiseError {
    /// The creator did not sign the voucher on any of the chains.
    #[error(transparent)]
    Signature(SignatureError),
    /// The tick is not of the voucher's chain.
    #[error(transparent)]
    Tick(TickError),
}

impl Tagged for Voucher {
    const TAG: &'static str = "pool/v1/voucher";
}

impl Signed<Voucher> {
    /// Returns the form that travels between peers.
    pub const fn to_compact(&self) -> CompactVoucher {
        let Voucher { seq, cum, ticks, .. } = self.body;
        CompactVoucher { seq, cum, ticks, signature: self.signature }
    }
}

/// A voucher as it travels between peers that agreed on the pool. Decode with [`MAX_COMPACT_BYTES`] as bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct CompactVoucher {
    /// See [`Voucher::seq`].
    pub seq: u64,
    /// See [`Voucher::cum`].
    pub cum: Amount,
    /// See [`Voucher::ticks`].
    pub ticks: Option<Ticks>,
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
        let Self { seq, cum, ticks, signature: _ } = *self;
        let body = Voucher { pool, resource, target, seq, cum, ticks };
        Signed { body, signature: self.signature }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        codec::{self, DecodeError},
        crypto::{Hash, SecretKey},
        payment::tick::Preimage,
    };

    const CHAIN: ChainId = ChainId(Hash([1; 32]));

    fn voucher() -> Voucher {
        Voucher {
            pool: PoolId(Hash([2; 32])),
            resource: StreamId(Hash([3; 32])),
            target: Address([4; 20]),
            seq: 5,
            cum: Amount::from_units(600),
            ticks: None,
        }
    }

    fn with_ticks() -> Voucher {
        let ticks = Ticks { anchor: Preimage([6; 32]), price: Amount::from_units(2), length: 9 };
        Voucher { ticks: Some(ticks), ..voucher() }
    }

    #[test]
    fn a_voucher_on_the_wire_is_89_bytes_and_a_whole_one_173() {
        let key = SecretKey::from_bytes(&[7; 32]);
        let signed = Signed::new(&key, CHAIN, voucher());
        assert_eq!(codec::encode(&signed.to_compact()).len(), COMPACT_BYTES);
        const { assert!(COMPACT_BYTES < 113, "smaller than µRaiden's and Theta's") };
        assert_eq!(signed.to_bytes().len(), 173);
        let voucher = Signed::new(&key, CHAIN, with_ticks());
        assert_eq!(codec::encode(&voucher.to_compact()).len(), MAX_COMPACT_BYTES);
        let tick = Some(Tick { count: 1, preimage: Preimage([1; 32]) });
        let promise = Promise { voucher, tick };
        assert_eq!(codec::encode(&promise).len(), MAX_PROMISE_BYTES);
    }

    #[test]
    fn the_compact_form_says_the_same_to_who_knows_the_rest() {
        let key = SecretKey::from_bytes(&[7; 32]);
        for body in [voucher(), with_ticks()] {
            let signed = Signed::new(&key, CHAIN, body);
            let bytes = codec::encode(&signed.to_compact());
            let compact: CompactVoucher = codec::decode(&bytes, MAX_COMPACT_BYTES).unwrap();
            let back = compact.expand(body.pool, body.resource, body.target);
            assert_eq!(back, signed);
            assert_eq!(back.verify(CHAIN, &key.public()), Ok(()));
            let wrong = compact.expand(body.pool, body.resource, Address([9; 20]));
            assert_eq!(wrong.verify(CHAIN, &key.public()), Err(SignatureError));
        }
    }

    #[test]
    fn both_forms_refuse_prefixes_and_trailing_bytes() {
        let signed = Signed::new(&SecretKey::from_bytes(&[7; 32]), CHAIN, voucher());
        let whole = signed.to_bytes();
        let compact = codec::encode(&signed.to_compact());
        for cut in 0..whole.len() {
            let error = codec::decode::<Signed<Voucher>>(&whole[..cut], 173).err();
            assert_eq!(error, Some(DecodeError::Truncated));
        }
        for cut in 0..compact.len() {
            let error = codec::decode::<CompactVoucher>(&compact[..cut], COMPACT_BYTES).err();
            assert_eq!(error, Some(DecodeError::Truncated));
        }
        let longer = [&whole[..], &[0]].concat();
        let error = |max| codec::decode::<Signed<Voucher>>(&longer, max).err();
        assert_eq!(error(173), Some(DecodeError::OverLimit));
        assert_eq!(error(200), Some(DecodeError::Trailing));
        let longer = [&compact[..], &[0]].concat();
        let error = |max| codec::decode::<CompactVoucher>(&longer, max).err();
        assert_eq!(error(COMPACT_BYTES), Some(DecodeError::OverLimit));
        assert_eq!(error(200), Some(DecodeError::Trailing));
    }

    #[test]
    fn the_signed_digest_is_what_it_always_was() {
        // Made here, and by a second implementation (Python hashlib): pins tag, field order and widths.
        let golden = "59c7950a67b7266afe4cb72bfab3dee6e787cec6e0779b8ff83c8f497c3d5f30";
        assert_eq!(voucher().digest(CHAIN).to_hex(), golden);
        let golden = "08f3af68fb50bec74bfc93c9e8d3a4e0adb98924ca07bda5996266c6009128d1";
        assert_eq!(with_ticks().digest(CHAIN).to_hex(), golden);
    }
}
