//! A number by which two people compare their keys: `antiphon_core::wallet::safety` behind plain JavaScript.

use crate::coded;
use antiphon_core::wallet::safety::{Pair, SafetyError};
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};

/// Returns the sixty digits of two keys in hexadecimal, the same whoever is named first.
///
/// # Errors
/// An `Error` with the stable code of [`SafetyError`].
#[wasm_bindgen(js_name = numberOf)]
pub fn number_of(own: &str, other: &str) -> Result<String, JsValue> {
    Pair::parse(own, other).map(|pair| pair.number()).map_err(refused)
}

/// Returns the text of the code that the other one scans.
///
/// # Errors
/// An `Error` with the stable code of [`SafetyError`].
#[wasm_bindgen(js_name = codeOf)]
pub fn code_of(own: &str, other: &str) -> Result<String, JsValue> {
    Pair::parse(own, other).map(|pair| pair.to_code()).map_err(refused)
}

/// Compares with the code that the other one shows.
///
/// # Errors
/// An `Error` with the stable code of [`SafetyError`].
#[wasm_bindgen(js_name = compare)]
pub fn compare(own: &str, other: &str, code: &str) -> Result<(), JsValue> {
    Pair::parse(own, other).and_then(|pair| pair.check(code)).map_err(refused)
}

fn refused(error: SafetyError) -> JsValue {
    coded(error.code())
}
