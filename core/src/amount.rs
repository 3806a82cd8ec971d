//! Money: checked arithmetic only, decimal text in and out.
//!
//! An [`Amount`] counts the smallest unit of one token. The chain spec names each token's decimals
//! (8 for both by default); text at the border is always decimal, never a float.

#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

use alloc::string::String;
use borsh::{BorshDeserialize, BorshSerialize};
use core::{fmt, iter::Sum, str::FromStr};

/// A number of smallest units of one token.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    BorshSerialize,
    BorshDeserialize,
)]
pub struct Amount(u128);

/// Why a text is not an amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseAmountError {
    /// Only digits and at most one point are allowed.
    #[error("an amount is written with digits and at most one point")]
    NotDecimal,
    /// More digits after the point than the token has.
    #[error("more than {decimals} digits after the point")]
    TooPrecise {
        /// Digits the token allows after the point.
        decimals: u8,
    },
    /// The number does not fit 128 bits.
    #[error("amount out of range")]
    OutOfRange,
}

impl ParseAmountError {
    /// Returns the stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotDecimal => "amount/not-decimal",
            Self::TooPrecise { .. } => "amount/too-precise",
            Self::OutOfRange => "amount/out-of-range",
        }
    }
}

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// Returns `units` smallest units.
    pub const fn from_units(units: u128) -> Self {
        Self(units)
    }

    /// Returns the number of smallest units.
    pub const fn units(self) -> u128 {
        self.0
    }

    /// Returns whether this is nothing.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// Returns the sum, or `None` on overflow.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// Returns the difference, or `None` if `other` is larger.
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    /// Returns `self` times `count`, or `None` on overflow.
    pub fn checked_mul(self, count: u64) -> Option<Self> {
        self.0.checked_mul(u128::from(count)).map(Self)
    }

    /// Returns the difference, or zero if `other` is larger.
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// Returns the sum of all items, or `None` on overflow.
    pub fn checked_sum(items: impl IntoIterator<Item = Self>) -> Option<Self> {
        items.into_iter().try_fold(Self::ZERO, Self::checked_add)
    }

    /// Returns `⌊self · part / whole⌋`, exact whatever the product's size, or `None` if `part` is more than `whole` or `whole`
    /// is nothing.
    pub fn share(self, part: Self, whole: Self) -> Option<Self> {
        if whole.is_zero() || part > whole {
            return None;
        }
        // Long division, bit by bit: the remainder stays below `whole`, a carry out of 128 bits included.
        let (mut quotient, mut rest) = (0_u128, 0_u128);
        for bit in (0..u128::BITS).rev() {
            let added = if self.0 >> bit & 1 == 1 { part.0 } else { 0 };
            let (twice, carried) = below(rest, rest, whole.0);
            let (sum, again) = below(twice, added, whole.0);
            let gained = u128::from(carried).saturating_add(u128::from(again));
            quotient = (quotient << 1).checked_add(gained)?;
            rest = sum;
        }
        Some(Self(quotient))
    }

    /// Reads decimal text such as `12.5` for a token with `decimals` digits after the point.
    ///
    /// # Errors
    /// See [`ParseAmountError`].
    pub fn parse(text: &str, decimals: u8) -> Result<Self, ParseAmountError> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits_only = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !digits_only(whole) || !digits_only(fraction) || text.ends_with('.')
        {
            return Err(ParseAmountError::NotDecimal);
        }
        let missing = usize::from(decimals)
            .checked_sub(fraction.len())
            .ok_or(ParseAmountError::TooPrecise { decimals })?;
        let mut digits = String::from(whole);
        digits.push_str(fraction);
        digits.extend(core::iter::repeat_n('0', missing));
        u128::from_str(&digits).map(Self).map_err(|_| ParseAmountError::OutOfRange)
    }

    /// Writes decimal text with the point where the token has it and no trailing zeros.
    pub fn to_decimal(self, decimals: u8) -> String {
        let width = usize::from(decimals).saturating_add(1);
        let digits = alloc::format!("{:0>width$}", self.0);
        let (whole, fraction) = digits.split_at(digits.len().saturating_sub(usize::from(decimals)));
        let fraction = fraction.trim_end_matches('0');
        if fraction.is_empty() { String::from(whole) } else { alloc::format!("{whole}.{fraction}") }
    }
}

/// Returns `a + b` less `whole` if that fits in, and whether it did. `a` is below `whole`, `b` at most as much.
const fn below(a: u128, b: u128, whole: u128) -> (u128, bool) {
    let (sum, overflows) = a.overflowing_add(b);
    if overflows || sum >= whole { (sum.wrapping_sub(whole), true) } else { (sum, false) }
}

impl fmt::Display for Amount {
    /// Writes the number of smallest units.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Sum for Amount {
    /// Saturates: for display only. Money decisions use [`Amount::checked_sum`].
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        iter.fold(Self::ZERO, |total, item| Self(total.0.saturating_add(item.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn decimal_text_names_the_smallest_unit() {
        assert_eq!(Amount::parse("12.5", 8), Ok(Amount(1_250_000_000)));
        assert_eq!(Amount::parse("0", 8), Ok(Amount::ZERO));
        assert_eq!(Amount(1).to_decimal(8), "0.00000001");
        assert_eq!(Amount(300_000_000).to_decimal(8), "3");
    }

    #[test]
    fn wrong_text_is_refused_by_kind() {
        for text in ["", ".5", "5.", "-1", "+1", "1e3", "1.2.3", " 1", "٣"] {
            assert_eq!(Amount::parse(text, 8), Err(ParseAmountError::NotDecimal), "{text:?}");
        }
        let nine = Amount::parse("0.000000001", 8);
        assert_eq!(nine, Err(ParseAmountError::TooPrecise { decimals: 8 }));
        assert_eq!(Amount::parse(&"9".repeat(40), 0), Err(ParseAmountError::OutOfRange));
    }

    #[test]
    fn each_refusal_says_its_code() {
        assert_eq!(ParseAmountError::NotDecimal.code(), "amount/not-decimal");
        assert_eq!(ParseAmountError::OutOfRange.code(), "amount/out-of-range");
    }

    #[test]
    fn sums_for_display_stay_in_range_and_are_written_in_units() {
        let sum = |units: &[u128]| units.iter().copied().map(Amount).sum::<Amount>();
        assert_eq!(sum(&[]), Amount::ZERO);
        assert_eq!(alloc::format!("{}", sum(&[1, 20, 300])), "321");
        assert_eq!(sum(&[u128::MAX, 1]), Amount(u128::MAX));
    }

    proptest! {
        #[test]
        fn text_round_trips(units: u128, decimals in 0_u8..20) {
            let text = Amount(units).to_decimal(decimals);
            prop_assert_eq!(Amount::parse(&text, decimals), Ok(Amount(units)));
        }

        #[test]
        fn shares_are_exact_and_together_no_more_than_the_whole(all: u64, a: u64, b: u64) {
            let whole = Amount(u128::from(a) + u128::from(b));
            let share = |part: u64| Amount(u128::from(all)).share(Amount(u128::from(part)), whole);
            if whole.is_zero() {
                prop_assert_eq!(share(a), None);
            } else {
                prop_assert_eq!(share(a), Some(Amount(u128::from(all) * u128::from(a) / whole.0)));
                let sum = share(a).unwrap().0 + share(b).unwrap().0;
                prop_assert!(sum <= u128::from(all) && u128::from(all) - sum <= 1);
            }
        }

        #[test]
        fn huge_shares_do_not_overflow(all: u128, part: u128, more: u128) {
            let Some(whole) = Amount(part).checked_add(Amount(more)) else { return Ok(()) };
            prop_assume!(!whole.is_zero());
            let share = Amount(all).share(Amount(part), whole).unwrap();
            prop_assert!(share <= Amount(all));
            prop_assert_eq!(Amount(all).share(whole, whole), Some(Amount(all)));
            let rest = Amount(all).share(Amount(more), whole).unwrap();
            let left = all - share.0 - rest.0;
            prop_assert!(left <= 1, "floor loses less than one each");
        }

        #[test]
        fn what_is_added_can_be_taken_away(a: u128, b: u128) {
            if let Some(sum) = Amount(a).checked_add(Amount(b)) {
                prop_assert_eq!(sum.checked_sub(Amount(b)), Some(Amount(a)));
            }
        }
    }
}
