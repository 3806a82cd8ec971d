//! A number by which two people compare their keys: the same that a page gives (`wasm/js/src/verify.ts`).

use crate::error::AntiphonError;
use antiphon_core::wallet::safety::{Pair, SafetyError};

/// Returns the safety number of two keys, 64 hexadecimal digits each: sixty digits, the same on both sides. Where people who
/// speak with each other read the same number, each has the key of the other, and nobody stands between them.
///
/// # Errors
/// `safety/bad-key`.
#[uniffi::export]
pub fn safety_number(own_key: String, other_key: String) -> Result<String, AntiphonError> {
    pair(&own_key, &other_key).map(|pair| pair.number())
}

/// Returns the text of a QR code that the other one scans.
///
/// # Errors
/// `safety/bad-key`.
#[uniffi::export]
pub fn safety_code(own_key: String, other_key: String) -> Result<String, AntiphonError> {
    pair(&own_key, &other_key).map(|pair| pair.to_code())
}

/// Compares with the code that the other one shows.
///
/// # Errors
/// `safety/mismatch` where the keys differ, `safety/…` for what is no such code.
#[uniffi::export]
pub fn check_safety_code(
    own_key: String,
    other_key: String,
    code: String,
) -> Result<(), AntiphonError> {
    pair(&own_key, &other_key)?.check(&code).map_err(refused)
}

fn pair(own: &str, other: &str) -> Result<Pair, AntiphonError> {
    Pair::parse(own, other).map_err(refused)
}

fn refused(error: SafetyError) -> AntiphonError {
    AntiphonError::refused(error.code())
}
