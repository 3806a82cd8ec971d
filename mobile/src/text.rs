//! Words of the border: amounts and addresses, checked where they come in.

use crate::error::AntiphonError;
use antiphon_core::{amount, crypto::Hash, wallet::address};
use std::{fmt, str::FromStr};

/// Digits after the point of both tokens of a chain. Source: chain spec default.
const DECIMALS: u8 = 8;

/// A count of the smallest unit: an integer of at most 128 bits, in decimal digits where a language has none so long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amount(pub amount::Amount);

uniffi::custom_type!(Amount, String, {
    try_lift: |text| Ok(Amount(units(&text)?)),
    lower: |amount| amount.0.units().to_string(),
});

/// An account's address, whose checksum covers what kind of key it is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address(pub antiphon_core::id::Address, Kind);

/// Which kind of key an address is of, as far as its text or its owner says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Ed25519,
    Falcon,
}

impl Address {
    pub(crate) const fn falcon(address: antiphon_core::id::Address) -> Self {
        Self(address, Kind::Falcon)
    }
}

uniffi::custom_type!(Address, String, {
    try_lift: |text| Ok(text.parse::<Address>()?),
    lower: |address| address.to_string(),
});

impl FromStr for Address {
    type Err = AntiphonError;

    fn from_str(text: &str) -> Result<Self, AntiphonError> {
        match address::parse_falcon(text) {
            Ok(address) => Ok(Self::falcon(address)),
            Err(address::AddressError::NotFalcon) => address::parse(text).map(Self::from),
            Err(error) => Err(error),
        }
        .map_err(|error| AntiphonError::refused(error.code()))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&match self.1 {
            Kind::Ed25519 => address::to_text(&self.0),
            Kind::Falcon => address::to_falcon_text(&self.0),
        })
    }
}

impl From<amount::Amount> for Amount {
    fn from(amount: amount::Amount) -> Self {
        Self(amount)
    }
}

impl From<antiphon_core::id::Address> for Address {
    fn from(address: antiphon_core::id::Address) -> Self {
        Self(address, Kind::Ed25519)
    }
}

fn units(text: &str) -> Result<amount::Amount, AntiphonError> {
    let is_plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let units = text.parse::<u128>().ok().filter(|_| is_plain);
    units.map(amount::Amount::from_units).ok_or_else(|| AntiphonError::invalid("amount"))
}

/// Writes `1250000000` smallest units as `12.5`, without trailing zeros.
#[uniffi::export]
pub fn format_amount(units: Amount) -> String {
    units.0.to_decimal(DECIMALS)
}

/// Reads `12.5` as `1250000000` smallest units.
///
/// # Errors
/// The code of what is wrong with the text.
#[uniffi::export]
pub fn parse_amount(text: &str) -> Result<Amount, AntiphonError> {
    let amount = amount::Amount::parse(text, DECIMALS);
    amount.map(Amount).map_err(|error| AntiphonError::refused(error.code()))
}

/// Returns one sentence on what to do about a code.
#[uniffi::export]
pub fn help_for(code: &str) -> String {
    antiphon_core::code::help(code).to_owned()
}

/// Reads 64 hexadecimal digits.
pub(crate) fn hex_32(text: &str, field: &str) -> Result<Hash, AntiphonError> {
    Hash::from_hex(text).ok_or_else(|| AntiphonError::invalid(field))
}
