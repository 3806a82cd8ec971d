//! Errors as JavaScript sees them: an `Error` with a stable `code`.

use crate::object::set;
use wasm_bindgen::JsValue;

/// What the host passed is not of the shape that `border.ts` gives.
const BAD_INPUT: &str = "client/bad-input";
/// The client panicked; the module must not be used any more.
const PANICKED: &str = "client/panicked";

/// Returns an `Error` with this code.
pub(crate) fn coded(code: &str, message: &str) -> JsValue {
    let error = js_sys::Error::new(message);
    set(&error, "code", code);
    error.into()
}

/// Returns the error for a field that is missing or of the wrong type.
pub(crate) fn bad_input(field: &str) -> JsValue {
    coded(BAD_INPUT, field)
}

/// Makes every panic a typed error that says where it happened.
pub(crate) fn throw_panics() {
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        wasm_bindgen::throw_val(coded(PANICKED, &place));
    }));
}
