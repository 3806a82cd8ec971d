//! Words, accounts and addresses: what a worker needs before there is a client, and backups of one.

use crate::{
    client::WasmClient,
    error::{bad_input, coded},
    input::entries,
    object::{byte_list, bytes, field, list, nullable, object},
};
use antiphon_core::wallet::{account::Branch, address, mnemonic::Words};
use js_sys::Array;
use std::fmt::Display;
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};

/// Returns the twelve words of 16 fresh bytes.
///
/// # Errors
/// `wallet/bad-entropy-length`.
#[wasm_bindgen(js_name = walletWords)]
pub fn wallet_words(entropy: &[u8]) -> Result<String, JsValue> {
    let words = Words::from_entropy(entropy).map_err(|error| said(error.code(), &error))?;
    Ok(words.to_text().to_string())
}

/// Returns what a device keeps instead of words.
///
/// # Errors
/// `wallet/…`: the first thing that is wrong with them; the message says where.
#[wasm_bindgen(js_name = walletBranch)]
pub fn wallet_branch(words: &str) -> Result<Vec<u8>, JsValue> {
    let words = Words::parse(words).map_err(|error| said(error.code(), &error))?;
    let branch = Branch::new(&words, "").map_err(|error| said(error.code(), &error))?;
    Ok(branch.to_bytes().to_vec())
}

/// Returns the same from the seed of the words (BIP-39), which a browser makes in a thirtieth of the time.
///
/// # Errors
/// `client/bad-input` where the seed has not 64 bytes.
#[wasm_bindgen(js_name = walletBranchOfSeed)]
pub fn wallet_branch_of_seed(seed: &[u8]) -> Result<Vec<u8>, JsValue> {
    let seed = seed.try_into().map_err(|_| bad_input("seed"))?;
    let branch = Branch::of_seed(seed).map_err(|error| said(error.code(), &error))?;
    Ok(branch.to_bytes().to_vec())
}

/// Returns `{secret, address}` of an account of a branch.
///
/// # Errors
/// `wallet/index-out-of-range`; `client/bad-input` where the branch has not 64 bytes.
#[wasm_bindgen(js_name = walletAccount)]
pub fn wallet_account(branch: &[u8], index: u32) -> Result<JsValue, JsValue> {
    let branch = branch.try_into().map_err(|_| bad_input("branch"))?;
    let account = Branch::from_bytes(branch).account(index);
    let account = account.map_err(|error| said(error.code(), &error))?;
    Ok(object([
        ("secret", bytes(&*account.secret().to_bytes())),
        ("address", address::to_text(&account.address()).into()),
    ]))
}

/// Says whether a text is an address.
///
/// # Errors
/// `address/…`: what is wrong with it.
#[wasm_bindgen(js_name = checkAddress)]
pub fn check_address(text: &str) -> Result<(), JsValue> {
    address::parse(text).map(|_| ()).map_err(|error| said(error.code(), &error))
}

#[wasm_bindgen]
impl WasmClient {
    /// Returns the file of `{entries, notes}`: everything that is stored for this account, and what the application adds.
    ///
    /// # Errors
    /// `backup/too-large`; `client/bad-input` with the name of the field that cannot be read.
    pub fn backup(&self, of: &JsValue) -> Result<Vec<u8>, JsValue> {
        let file = self.inner.backup(entries(of)?, byte_list(of, "notes")?);
        file.map_err(|error| said(error.code(), &error))
    }

    /// Reads `{file, names}`, a backup and the names of what is stored already, into `{notes, writes}`: pairs of name and
    /// bytes, or `null` for what goes, in order.
    ///
    /// # Errors
    /// `backup/…`; `client/bad-input` with the name of the field that cannot be read.
    pub fn restore(&self, from: &JsValue) -> Result<JsValue, JsValue> {
        let names = field(from, "names");
        let names = names.dyn_ref::<Array>().ok_or_else(|| bad_input("names"))?;
        let names: Vec<_> = names.iter().filter_map(|name| name.as_string()).collect();
        let restored = self.inner.restore(&byte_list(from, "file")?, &names);
        let restored = restored.map_err(|error| said(error.code(), &error))?;
        let writes = restored
            .writes
            .into_iter()
            .map(|(name, row)| list([name.into(), nullable(row.map(|row| bytes(&row)))]).into());
        Ok(object([("notes", bytes(&restored.notes)), ("writes", list(writes).into())]))
    }
}

fn said(code: &str, error: &dyn Display) -> JsValue {
    coded(code, &error.to_string())
}
