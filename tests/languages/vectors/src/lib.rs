//! The public vectors for runners in other languages: who brings a file is given our verdicts on it, one line a case.
//!
//! A library of its own, so that what is shipped has nothing that only a test needs. It is the same core behind the same two
//! borders: uniffi, and wasm-bindgen.

use antiphon_tests::vector;

#[cfg(not(target_family = "wasm"))]
uniffi::setup_scaffolding!("vectors");

/// Returns the verdicts on a file of `tests/vectors`, by its name; none for another file, or for a text that is not such a one.
#[cfg_attr(target_family = "wasm", wasm_bindgen::prelude::wasm_bindgen)]
#[cfg_attr(not(target_family = "wasm"), uniffi::export)]
pub fn verdicts(file: &str, text: &str) -> Option<String> {
    vector::run(file, text).map(|log| log.to_string())
}
