//! Words of a wallet for web pages: `antiphon_core::wallet` behind plain JavaScript.
//!
//! A module of its own, because few pages keep a wallet: whoever listens does not download the two thousand words. It converts
//! and forwards; it holds no protocol decision. Shapes: `wasm/js/src/words.ts`.

use antiphon_core::wallet::{account::Account, address::to_text, mnemonic::Words};
use js_sys::{Error, Object, Reflect, Uint8Array};
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};

/// Returns the words that 16 or 32 bytes of fresh entropy stand for.
///
/// # Errors
/// An `Error` with the stable code of `MnemonicError`.
#[wasm_bindgen(js_name = textOf)]
pub fn text_of(entropy: &[u8]) -> Result<String, JsValue> {
    let words = Words::from_entropy(entropy).map_err(|error| coded(error.code()))?;
    Ok(words.to_text().to_string())
}

/// Returns words that a person wrote down as they are written.
///
/// # Errors
/// An `Error` with the stable code of `MnemonicError`.
#[wasm_bindgen]
pub fn tidy(text: &str) -> Result<String, JsValue> {
    read(text).map(|words| words.to_text().to_string())
}

/// Returns account `index` of these words: `{address, key, secret}`. Takes 2048 rounds of HMAC.
///
/// # Errors
/// An `Error` with the stable code of `MnemonicError`, or `wallet/index-out-of-range`.
#[wasm_bindgen(js_name = accountOf)]
pub fn account_of(text: &str, index: f64) -> Result<JsValue, JsValue> {
    let account = Account::new(&read(text)?, "", whole(index));
    let account = account.map_err(|error| coded(error.code()))?;
    let object = Object::new();
    let set = |name: &str, value: JsValue| {
        // A plain object of our own refuses no field.
        let _ = Reflect::set(&object, &JsValue::from_str(name), &value);
    };
    set("address", to_text(&account.address()).into());
    set("key", account.public().to_string().into());
    set("secret", Uint8Array::from(&account.secret().to_bytes()[..]).into());
    Ok(object.into())
}

fn read(text: &str) -> Result<Words, JsValue> {
    Words::parse(text).map_err(|error| coded(error.code()))
}

/// What is no count of 32 bits is out of range, too.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the range and the fraction are checked first"
)]
fn whole(index: f64) -> u32 {
    let fits = (0.0..=f64::from(u32::MAX)).contains(&index) && index.fract() == 0.0;
    if fits { index as u32 } else { u32::MAX }
}

fn coded(code: &str) -> JsValue {
    let error = Error::new(code);
    let _ = Reflect::set(&error, &JsValue::from_str("code"), &JsValue::from_str(code));
    error.into()
}
