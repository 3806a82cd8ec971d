//! What signs an account in at a web site: the same that a page gives (`wasm/js/src/sign-in.ts`).

use crate::{error::AntiphonError, text::Address};
use antiphon_core::{client::Client, crypto::Hash, time::UnixMillis, wallet::sign_in};

/// What a web site wants signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Challenge {
    pub(crate) origin: String,
    pub(crate) nonce: Hash,
    pub(crate) expires: u64,
}

/// What signs an account in at a web site.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct SignedIn {
    /// The account's address.
    pub account: Address,
    /// Its Ed25519 key, 64 hexadecimal digits.
    pub key: String,
    /// The site for which it counts.
    pub origin: String,
    /// The site's, 64 hexadecimal digits.
    pub nonce: String,
    /// When it ends, in milliseconds since 1970.
    pub expires: u64,
    /// 128 hexadecimal digits, over what `examples/sign-in/site.mjs` writes.
    pub signature: String,
}

impl Challenge {
    /// Signs it with the client's account.
    ///
    /// # Errors
    /// `sign-in/bad-origin`, `sign-in/bad-expiry`.
    pub(crate) fn sign(self, client: &Client, now: UnixMillis) -> Result<SignedIn, AntiphonError> {
        let expires = UnixMillis(self.expires);
        let signed = client.sign_in(&self.origin, self.nonce.0, expires, now);
        let signed = signed.map_err(|error| AntiphonError::refused(error.code()))?;
        Ok(self.told(&signed))
    }

    fn told(self, signed: &sign_in::SignedIn) -> SignedIn {
        SignedIn {
            account: antiphon_core::id::Address::of(&signed.key).into(),
            key: signed.key.to_string(),
            origin: self.origin,
            nonce: self.nonce.to_hex(),
            expires: self.expires,
            signature: hex::encode(signed.signed.signature.0),
        }
    }
}
