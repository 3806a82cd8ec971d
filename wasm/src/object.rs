//! Reads and writes fields of plain JavaScript objects.

use crate::error::{bad_input, coded};
use antiphon_core::{id::Address, wallet::address};
use js_sys::{Array, Object, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};

/// Largest integer that a JavaScript number holds exactly, 2^53 − 1.
const MAX_SAFE: f64 = 9_007_199_254_740_991.0;

/// Returns an object with this `kind`.
pub(crate) fn kind(name: &str) -> Object {
    let object = Object::new();
    set(&object, "kind", name);
    object
}

/// Sets a field.
pub(crate) fn set(object: &JsValue, field: &str, value: impl Into<JsValue>) {
    // A plain object of our own refuses no field.
    let _ = Reflect::set(object, &JsValue::from_str(field), &value.into());
}

/// Returns a count or an id as a number; those of the client stay far below 2^53.
#[expect(clippy::cast_precision_loss, reason = "ids, heights and byte counts stay below 2^53")]
pub(crate) fn number(value: u64) -> JsValue {
    JsValue::from_f64(value as f64)
}

/// Returns bytes copied out of the wasm memory.
pub(crate) fn bytes(value: &[u8]) -> JsValue {
    Uint8Array::from(value).into()
}

/// Returns `null` for `None`.
pub(crate) fn nullable(value: Option<JsValue>) -> JsValue {
    value.unwrap_or(JsValue::NULL)
}

/// Returns a list.
pub(crate) fn list(items: impl IntoIterator<Item = JsValue>) -> Array {
    let list = Array::new();
    push_all(&list, &mut items.into_iter());
    list
}

/// One loop for all lists: each of its own would be downloaded.
#[inline(never)]
fn push_all(list: &Array, items: &mut dyn Iterator<Item = JsValue>) {
    for item in items {
        list.push(&item);
    }
}

/// Reads a field, `undefined` where there is none.
pub(crate) fn field(object: &JsValue, name: &str) -> JsValue {
    Reflect::get(object, &JsValue::from_str(name)).unwrap_or(JsValue::UNDEFINED)
}

/// Reads a text.
pub(crate) fn text(object: &JsValue, name: &str) -> Result<String, JsValue> {
    field(object, name).as_string().ok_or_else(|| bad_input(name))
}

/// Reads a text or `null`.
pub(crate) fn optional_text(object: &JsValue, name: &str) -> Result<Option<String>, JsValue> {
    let value = field(object, name);
    if value.is_null() || value.is_undefined() {
        return Ok(None);
    }
    value.as_string().map(Some).ok_or_else(|| bad_input(name))
}

/// Reads a yes or no.
pub(crate) fn boolean(object: &JsValue, name: &str) -> Result<bool, JsValue> {
    field(object, name).as_bool().ok_or_else(|| bad_input(name))
}

/// Reads an integer from 0 to 2^53 − 1.
pub(crate) fn integer(object: &JsValue, name: &str) -> Result<u64, JsValue> {
    optional_integer(object, name)?.ok_or_else(|| bad_input(name))
}

/// Reads an integer from 0 to 2^53 − 1, or `null`.
pub(crate) fn optional_integer(object: &JsValue, name: &str) -> Result<Option<u64>, JsValue> {
    let value = field(object, name);
    if value.is_null() || value.is_undefined() {
        return Ok(None);
    }
    let value = value.as_f64().ok_or_else(|| bad_input(name))?;
    whole(value).map(Some).ok_or_else(|| bad_input(name))
}

/// Returns a number as the integer it is.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the range and the fraction are checked first"
)]
pub(crate) fn whole(value: f64) -> Option<u64> {
    let fits = (0.0..=MAX_SAFE).contains(&value) && value.fract() == 0.0;
    fits.then_some(value as u64)
}

/// Reads a signed 32-bit integer.
pub(crate) fn signed(object: &JsValue, name: &str) -> Result<i32, JsValue> {
    let value = field(object, name).as_f64().ok_or_else(|| bad_input(name))?;
    let fits = f64::from(i32::MIN) <= value && value <= f64::from(i32::MAX) && value.fract() == 0.0;
    #[expect(clippy::cast_possible_truncation, reason = "the range is checked first")]
    if fits { Ok(value as i32) } else { Err(bad_input(name)) }
}

/// Reads a non-negative `bigint` of at most 128 bits.
pub(crate) fn big(object: &JsValue, name: &str) -> Result<u128, JsValue> {
    u128::try_from(field(object, name)).map_err(|_| bad_input(name))
}

/// Reads bytes, copied into the wasm memory.
pub(crate) fn byte_list(object: &JsValue, name: &str) -> Result<Vec<u8>, JsValue> {
    as_bytes(&field(object, name)).ok_or_else(|| bad_input(name))
}

/// Reads exactly 32 bytes.
pub(crate) fn bytes_32(object: &JsValue, name: &str) -> Result<[u8; 32], JsValue> {
    byte_list(object, name)?.try_into().map_err(|_| bad_input(name))
}

/// Reads 32 bytes written as hexadecimal text.
pub(crate) fn hex_32(object: &JsValue, name: &str) -> Result<[u8; 32], JsValue> {
    optional_hex_32(object, name)?.ok_or_else(|| bad_input(name))
}

/// Reads 32 bytes written as hexadecimal text, or `null`.
pub(crate) fn optional_hex_32(object: &JsValue, name: &str) -> Result<Option<[u8; 32]>, JsValue> {
    let Some(text) = optional_text(object, name)? else { return Ok(None) };
    let mut bytes = [0; 32];
    hex::decode_to_slice(text, &mut bytes).map_err(|_| bad_input(name))?;
    Ok(Some(bytes))
}

/// Reads an address.
pub(crate) fn address(object: &JsValue, name: &str) -> Result<Address, JsValue> {
    address::parse(&text(object, name)?).map_err(|error| coded(error.code(), name))
}

/// Returns an object with these fields.
pub(crate) fn object<const N: usize>(fields: [(&str, JsValue); N]) -> JsValue {
    let object = Object::new();
    set_all(&object, &fields);
    object.into()
}

#[inline(never)]
fn set_all(object: &JsValue, fields: &[(&str, JsValue)]) {
    for (field, value) in fields {
        set(object, field, value.clone());
    }
}

/// Returns the bytes of a `Uint8Array`.
pub(crate) fn as_bytes(value: &JsValue) -> Option<Vec<u8>> {
    value.dyn_ref::<Uint8Array>().map(Uint8Array::to_vec)
}
