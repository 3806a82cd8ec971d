//! The payer's end of a chain: gives its values from the anchor upwards, which is the way that nobody can compute.
//!
//! ```text
//! secret = x[length] --step--> every RUNG-th value is kept --> ... --> x[0] = anchor
//!                                        '-- one rung of values is made again when it is entered
//! ```
//!
//! Two times the root of the length is kept, and each value costs one step more than its own.
//! The secret follows from the payer's key, so nothing of a chain is ever stored (T7).

use super::{Context, MAX_TICKS, Preimage};
use crate::{
    codec,
    crypto::SecretKey,
    id::{Address, ChainId, PoolId},
};
use alloc::vec::Vec;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

/// Values between two that are kept: the root of [`MAX_TICKS`].
const RUNG: u32 = 64;

/// A chain whose secret is known.
#[derive(Clone)]
pub struct Ladder {
    context: Context,
    length: u32,
    anchor: Preimage,
    /// `x[RUNG]`, `x[2 * RUNG]` and so on, and `x[length]` as the last.
    kept: Vec<Preimage>,
    /// The values of one rung, the lowest first, and which rung it is.
    rung: (u32, Vec<Preimage>),
}

impl core::fmt::Debug for Ladder {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Ladder({} to {:?})", self.length, self.anchor)
    }
}

impl Ladder {
    /// Makes the chain of this key for one voucher: `length` steps, at most [`MAX_TICKS`].
    pub fn new(
        key: &SecretKey,
        chain: ChainId,
        (pool, target, seq): (&PoolId, &Address, u64),
        length: u32,
    ) -> Self {
        let context = Context::new(chain, pool, target, seq);
        let length = length.min(MAX_TICKS);
        let secret = secret(key, chain, &codec::encode(&(pool, target, seq)));
        let mut kept = Vec::new();
        let mut value = secret;
        for count in (1..=length).rev() {
            if count == length || count.is_multiple_of(RUNG) {
                kept.push(value);
            }
            value = context.step(value);
        }
        kept.reverse();
        Self { context, length, anchor: value, kept, rung: (u32::MAX, Vec::new()) }
    }

    /// Returns what the voucher names.
    pub const fn anchor(&self) -> Preimage {
        self.anchor
    }

    /// Returns the value of tick `count`, or `None` for zero and beyond the length. Costs a step or two when called for
    /// one tick after the other.
    pub fn preimage(&mut self, count: u32) -> Option<Preimage> {
        let place = count.checked_sub(1).filter(|_| count <= self.length)?;
        let (number, within) = (place.checked_div(RUNG)?, place.checked_rem(RUNG)?);
        if self.rung.0 != number {
            self.rung = (number, self.make(number)?);
        }
        self.rung.1.get(usize::try_from(within).ok()?).copied()
    }

    /// Makes the values of a rung, the lowest first.
    fn make(&self, number: u32) -> Option<Vec<Preimage>> {
        let top = number.checked_add(1)?.checked_mul(RUNG)?.min(self.length);
        let count = top.checked_sub(number.checked_mul(RUNG)?)?;
        let mut value = *self.kept.get(usize::try_from(number).ok()?)?;
        let mut values: Vec<_> = (0..count)
            .map(|_| {
                let now = value;
                value = self.context.step(now);
                now
            })
            .collect();
        values.reverse();
        Some(values)
    }
}

/// Returns the end of a chain: a keyed hash, so that the values of one chain say nothing of another.
fn secret(key: &SecretKey, chain: ChainId, name: &[u8]) -> Preimage {
    let mut block = Zeroizing::new([0; 64]);
    block.split_at_mut(32).0.copy_from_slice(key.to_bytes().as_ref());
    let mut mac = Hmac::<Sha256>::new((&*block).into());
    mac.update(b"pool/v1/tick-secret");
    mac.update(&chain.0.0);
    mac.update(name);
    Preimage(mac.finalize().into_bytes().into())
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Tick, Ticks},
        *,
    };
    use crate::{amount::Amount, crypto::Hash};

    const CHAIN: ChainId = ChainId(Hash([1; 32]));

    fn ladder(n: u8, seq: u64, length: u32) -> Ladder {
        let name = (&PoolId(Hash([2; 32])), &Address([4; 20]), seq);
        Ladder::new(&SecretKey::from_bytes(&[n; 32]), CHAIN, name, length)
    }

    #[test]
    fn every_value_of_a_ladder_leads_to_its_anchor() {
        for length in [1, 2, 63, 64, 65, 128, 300] {
            let mut ladder = ladder(7, 5, length);
            let price = Amount::from_units(1);
            let ticks = Ticks { anchor: ladder.anchor(), price, length };
            let context = ladder.context;
            for count in (1..=length).chain([1, length]) {
                let preimage = ladder.preimage(count).unwrap();
                assert_eq!(ticks.verify(&context, &Tick { count, preimage }), Ok(()));
            }
            assert_eq!(ladder.preimage(0), None);
            assert_eq!(ladder.preimage(length + 1), None);
            assert!(ladder.kept.len() <= 2 + length as usize / 64);
        }
    }

    #[test]
    fn a_ladder_is_of_one_key_and_one_voucher_and_made_again_it_is_the_same() {
        let anchor = |n, seq| ladder(n, seq, 70).anchor();
        assert_eq!(anchor(7, 5), anchor(7, 5));
        assert_ne!(anchor(7, 5), anchor(8, 5));
        assert_ne!(anchor(7, 5), anchor(7, 6));
    }
}
