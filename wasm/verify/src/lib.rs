//! The stateless verifier for web pages: `antiphon_core::payment::field::Brought` behind plain JavaScript.
//!
//! ```text
//! file --heightOf--> height --the client proves its header--> judge(file, fieldRoot) --> who paid whom how much
//! ```
//!
//! Two people who compare their keys are judged by it, too: `safety`. A module of its own, because few pages ever judge
//! anything: whoever listens does not download it. It converts and forwards; it holds no protocol decision. Shapes: `wasm/js/src/verify.ts`.

pub mod safety;

use antiphon_core::{
    crypto::Hash,
    payment::field::{Brought, BroughtError},
    wallet::address::to_text,
};
use js_sys::{Error, Object, Reflect};
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};

/// What the host passed is of another shape.
const BAD_INPUT: &str = "client/bad-input";

/// Returns the height of the block whose header must bear a file out, once the file holds together.
///
/// # Errors
/// An `Error` with the stable code of [`BroughtError`].
#[wasm_bindgen(js_name = heightOf)]
pub fn height_of(file: &[u8]) -> Result<f64, JsValue> {
    read(file).map(|brought| number(brought.height().0))
}

/// Returns what a file shows under the field root, in hexadecimal, of the header of that block: `{field, version, round, index,
/// payer, payee, amount}`.
///
/// # Errors
/// An `Error` with the stable code of [`BroughtError`]; `client/bad-input` for what is no field root.
#[wasm_bindgen]
pub fn judge(file: &[u8], field_root: &str) -> Result<JsValue, JsValue> {
    let mut root = [0; 32];
    hex::decode_to_slice(field_root, &mut root).map_err(|_| coded(BAD_INPUT))?;
    let brought = read(file)?;
    let (shown, index) = brought.under(&Hash(root)).map_err(|error| refused(&error))?;
    let paid = shown.paid.ok_or_else(|| refused(&BroughtError::NotPayment))?;
    let object = Object::new();
    let set = |name: &str, value: JsValue| {
        // A plain object of our own refuses no field.
        let _ = Reflect::set(&object, &JsValue::from_str(name), &value);
    };
    set("field", hex::encode(shown.field.0.0).into());
    set("version", shown.version.into());
    set("round", shown.round.into());
    set("index", index.into());
    set("payer", to_text(&paid.payer).into());
    set("payee", to_text(&paid.payee).into());
    set("amount", JsValue::from(paid.amount.units()));
    Ok(object.into())
}

fn read(file: &[u8]) -> Result<Brought, JsValue> {
    Brought::read(file).map_err(|error| refused(&error))
}

fn refused(error: &BroughtError) -> JsValue {
    coded(error.code())
}

fn coded(code: &str) -> JsValue {
    let error = Error::new(code);
    let _ = Reflect::set(&error, &JsValue::from_str("code"), &JsValue::from_str(code));
    error.into()
}

/// No block is so high that its height is no exact number; one that a file claims is looked up in vain.
#[expect(clippy::cast_precision_loss, reason = "heights of blocks stay below 2^53")]
const fn number(height: u64) -> f64 {
    height as f64
}
