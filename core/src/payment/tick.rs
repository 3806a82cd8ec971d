//! Payments of one hash: a voucher commits to the end of a chain, and each preimage that is revealed pays one tick more.
//!
//! ```text
//! context      first 16 bytes of H("pool/v1/ticks", chain, pool 32 | target 20 | seq u64)
//! step(x)      SHA-256(x 32 | context 16)                                             one compression
//! x[length] --step--> ... --step--> x[2] --step--> x[1] --step--> x[0] = anchor, which the voucher names
//! tick k       k u32 | x[k] 32          worth: cum + k * price
//! on the wire  x[k] 32                  the payee finds k: at most MAX_SKIP steps above the tick that it has
//! ```
//!
//! The context is what makes a chain that is used for two payees, two pools or two sequences as many chains: a preimage
//! of one is no preimage of another, though its bytes are the same. Whoever steps once too often from one tick has the
//! tick below it, so a tick that is brought again, or an older one, never adds anything.
//!
//! Source: T1 to T9 of `SPEC-MAP.md`; the seeds have no ticks, A5.9 is what they settle by.

#![warn(clippy::arithmetic_side_effects)]

mod ladder;

pub use ladder::Ladder;

use super::voucher::Voucher;
use crate::{
    amount::Amount,
    codec,
    crypto::{Hash, hash_tagged},
    id::{Address, ChainId, PoolId},
};
use borsh::{BorshDeserialize, BorshSerialize};
use sha2::{Digest, Sha256};

/// Most ticks of a voucher. Chosen here: an hour of audio in chunks of a second, and a chain's work that is smaller than
/// that of ten signatures.
pub const MAX_TICKS: u32 = 4096;

/// Most ticks that one message may bring. Chosen here: what takes less work than checking a signature, so that junk is
/// cheaper to refuse than a forged voucher.
pub const MAX_SKIP: u32 = 256;

/// Steps that cost as much as a signature's check, for which the chain takes one fee more. Chosen here, rounded down.
pub const STEPS_OF_A_SIGNATURE: u32 = 1024;

/// One value of a chain.
#[derive(Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Preimage(pub [u8; 32]);

impl core::fmt::Debug for Preimage {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Preimage({})", Hash(self.0))
    }
}

/// The chain that a voucher commits to (T1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Ticks {
    /// Where all preimages lead.
    pub anchor: Preimage,
    /// What each tick pays, above zero.
    pub price: Amount,
    /// How many there are, from one to [`MAX_TICKS`].
    pub length: u32,
}

/// The newest preimage that was revealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Tick {
    /// How many steps it is above the anchor, from one to the chain's length: what it pays.
    pub count: u32,
    /// The value there.
    pub preimage: Preimage,
}

/// Why ticks pay nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TickError {
    /// The voucher commits to no chain.
    #[error("the voucher has no ticks")]
    NoTicks,
    /// The chain's price is zero, or its length zero or over the bound, or the whole is worth more than an amount holds.
    #[error("the voucher's ticks are without price, or too few or too many")]
    BadTerms,
    /// The count is zero, or beyond the chain's length.
    #[error("tick {count} of {length}")]
    OutOfRange {
        /// The tick's.
        count: u32,
        /// The chain's.
        length: u32,
    },
    /// The preimage does not lead to the anchor in so many steps.
    #[error("the preimage does not lead to the anchor")]
    BadPreimage,
}

impl TickError {
    /// Returns the stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoTicks => "tick/none",
            Self::BadTerms => "tick/bad-terms",
            Self::OutOfRange { .. } => "tick/out-of-range",
            Self::BadPreimage => "tick/bad-preimage",
        }
    }
}

/// What binds a chain to one voucher (T2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Context([u8; 16]);

impl Context {
    /// Returns the context of a pool's voucher of this sequence to this target.
    pub fn new(chain: ChainId, pool: &PoolId, target: &Address, seq: u64) -> Self {
        let Hash(whole) = hash_tagged("pool/v1/ticks", chain, &codec::encode(&(pool, target, seq)));
        let mut context = [0; 16];
        context.copy_from_slice(whole.split_at(16).0);
        Self(context)
    }

    /// Returns a voucher's context.
    pub fn of(chain: ChainId, voucher: &Voucher) -> Self {
        Self::new(chain, &voucher.pool, &voucher.target, voucher.seq)
    }

    /// Returns the value one step below, towards the anchor: one compression of SHA-256 (T2).
    pub fn step(&self, Preimage(value): Preimage) -> Preimage {
        let mut input = [0; 48];
        let (head, tail) = input.split_at_mut(32);
        head.copy_from_slice(&value);
        tail.copy_from_slice(&self.0);
        Preimage(Sha256::digest(input).into())
    }

    /// Returns the value so many steps below.
    pub fn steps(&self, value: Preimage, count: u32) -> Preimage {
        (0..count).fold(value, |value, _| self.step(value))
    }
}

impl Ticks {
    /// Checks that the chain has a price, a length within its bound, and a worth that is an amount (T1).
    ///
    /// # Errors
    /// [`TickError::BadTerms`].
    pub fn check(&self, cum: Amount) -> Result<(), TickError> {
        let is_sound = !self.price.is_zero() && (1..=MAX_TICKS).contains(&self.length);
        let most = self.worth(cum, self.length).filter(|_| is_sound);
        most.map(|_| ()).ok_or(TickError::BadTerms)
    }

    /// Returns `cum + count * price`, or `None` on overflow (T3).
    pub fn worth(&self, cum: Amount, count: u32) -> Option<Amount> {
        cum.checked_add(self.price.checked_mul(u64::from(count))?)
    }

    /// Checks a count against the length, before any work is done (T4).
    pub(super) fn check_count(&self, count: u32) -> Result<(), TickError> {
        if count == 0 || count > self.length {
            return Err(TickError::OutOfRange { count, length: self.length });
        }
        Ok(())
    }

    /// Checks that a tick leads to the anchor: `tick.count` steps, at most [`MAX_TICKS`] (T4).
    ///
    /// # Errors
    /// [`TickError::OutOfRange`], [`TickError::BadPreimage`].
    pub fn verify(&self, context: &Context, tick: &Tick) -> Result<(), TickError> {
        self.check_count(tick.count)?;
        let reached = context.steps(tick.preimage, tick.count.min(MAX_TICKS));
        if reached == self.anchor { Ok(()) } else { Err(TickError::BadPreimage) }
    }

    /// Returns the tick that a preimage is, if it is above `known` by at most [`MAX_SKIP`] steps and within the length (T6).
    ///
    /// # Errors
    /// [`TickError::BadPreimage`], also for `known` itself and every tick below it.
    pub fn advance(
        &self,
        context: &Context,
        known: Option<Tick>,
        preimage: Preimage,
    ) -> Result<Tick, TickError> {
        let Tick { count, preimage: newest } = known.unwrap_or(self.start());
        let most = self.length.saturating_sub(count).min(MAX_SKIP);
        let mut value = preimage;
        for steps in 1..=most {
            value = context.step(value);
            if value == newest {
                return Ok(Tick { count: count.saturating_add(steps), preimage });
            }
        }
        Err(TickError::BadPreimage)
    }

    /// Returns the anchor as a tick that pays nothing.
    const fn start(&self) -> Tick {
        Tick { count: 0, preimage: self.anchor }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    const CHAIN: ChainId = ChainId(Hash([1; 32]));
    const POOL: PoolId = PoolId(Hash([2; 32]));
    const TARGET: Address = Address([4; 20]);

    fn context() -> Context {
        Context::new(CHAIN, &POOL, &TARGET, 5)
    }

    /// Every value of a chain of this length, the anchor first.
    fn chain(context: &Context, length: u32) -> Vec<Preimage> {
        let mut values: Vec<_> = (0..=length)
            .scan(Preimage([9; 32]), |value, _| {
                let now = *value;
                *value = context.step(now);
                Some(now)
            })
            .collect();
        values.reverse();
        values
    }

    fn ticks(length: u32) -> (Ticks, Vec<Preimage>) {
        let values = chain(&context(), length);
        (Ticks { anchor: values[0], price: Amount::from_units(3), length }, values)
    }

    #[test]
    fn a_step_is_what_it_always_was() {
        // By a second implementation (Python hashlib): pins tag, order and widths.
        let stepped = context().step(Preimage([9; 32]));
        assert_eq!(hex::encode(stepped.0), STEP);
    }

    const STEP: &str = "d9321d2b55bf1388a7ccc0ca70cc330714bb6109712f4692a30b20b1bee86ee2";

    #[test]
    fn every_tick_is_verified_and_no_other_count_for_its_preimage() {
        let (ticks, values) = ticks(20);
        for count in 1..=20_u32 {
            let tick = Tick { count, preimage: values[count as usize] };
            assert_eq!(ticks.verify(&context(), &tick), Ok(()));
            for other in (1..=20).filter(|other| *other != count) {
                let wrong = Tick { count: other, ..tick };
                assert_eq!(ticks.verify(&context(), &wrong), Err(TickError::BadPreimage));
            }
        }
    }

    // T4.
    #[test]
    fn a_tick_of_zero_and_one_beyond_the_length_pay_nothing() {
        let (ticks, values) = ticks(8);
        let short = Ticks { length: 7, ..ticks };
        let verify = |ticks: &Ticks, count, at: usize| {
            ticks.verify(&context(), &Tick { count, preimage: values[at] })
        };
        assert_eq!(verify(&ticks, 0, 0), Err(TickError::OutOfRange { count: 0, length: 8 }));
        assert_eq!(verify(&ticks, 8, 8), Ok(()));
        assert_eq!(verify(&short, 8, 8), Err(TickError::OutOfRange { count: 8, length: 7 }));
        assert_eq!(short.advance(&context(), None, values[8]), Err(TickError::BadPreimage));
        let last = Some(Tick { count: 7, preimage: values[7] });
        assert_eq!(short.advance(&context(), last, values[8]), Err(TickError::BadPreimage));
    }

    // T1.
    #[test]
    fn terms_without_price_without_length_too_long_or_out_of_range_are_refused() {
        let (good, _) = ticks(8);
        let units = Amount::from_units;
        assert_eq!(good.check(units(5)), Ok(()));
        assert_eq!(Ticks { length: MAX_TICKS, ..good }.check(units(5)), Ok(()));
        let all = [
            Ticks { price: units(0), ..good },
            Ticks { length: 0, ..good },
            Ticks { length: MAX_TICKS + 1, ..good },
            Ticks { price: units(u128::MAX / 7), ..good },
        ];
        for bad in all {
            assert_eq!(bad.check(units(5)), Err(TickError::BadTerms), "{bad:?}");
        }
        assert_eq!(good.check(units(u128::MAX - 23)), Err(TickError::BadTerms), "8 * 3 more");
        assert_eq!(good.check(units(u128::MAX - 24)), Ok(()));
    }

    // T5: replayed, skipped, out of another chain.
    #[test]
    fn skipped_ticks_count_and_repeated_ones_do_not() {
        let (ticks, values) = ticks(300);
        let advance = |known, at: usize| ticks.advance(&context(), known, values[at]);
        let third = advance(None, 3).unwrap();
        assert_eq!(third, Tick { count: 3, preimage: values[3] });
        for old in 0..=3 {
            assert_eq!(advance(Some(third), old), Err(TickError::BadPreimage), "tick {old} again");
        }
        assert_eq!(advance(Some(third), 3 + MAX_SKIP as usize).unwrap().count, 3 + MAX_SKIP);
        assert!(advance(Some(third), 4 + MAX_SKIP as usize).is_err(), "too far at once");
        assert!(ticks.advance(&context(), Some(third), Preimage([0; 32])).is_err());
    }

    // T2.
    #[test]
    fn a_chain_is_another_one_for_another_payee_pool_sequence_or_chain() {
        let (ticks, values) = ticks(8);
        let others = [
            Context::new(ChainId(Hash([9; 32])), &POOL, &TARGET, 5),
            Context::new(CHAIN, &PoolId(Hash([9; 32])), &TARGET, 5),
            Context::new(CHAIN, &POOL, &Address([9; 20]), 5),
            Context::new(CHAIN, &POOL, &TARGET, 6),
        ];
        for other in others {
            let tick = Tick { count: 1, preimage: values[1] };
            assert_eq!(ticks.verify(&other, &tick), Err(TickError::BadPreimage));
            assert_eq!(ticks.advance(&other, None, values[1]), Err(TickError::BadPreimage));
        }
    }
}
