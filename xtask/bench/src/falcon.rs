//! Signatures of accounts, by Falcon beside bare Ed25519.

use antiphon_core::crypto::{FalconSecret, Hash, Signer as _};
use anyhow::Result;
use ed25519_dalek::{Signer as _, SigningKey};

use crate::pair;

const DIGEST: Hash = Hash([9; 32]);

/// Checks a transaction's signature as a node does, key and all, and makes one.
///
/// # Errors
///
/// A signature does not verify.
pub(crate) fn measure() -> Result<()> {
    let key = FalconSecret::new(&[7; 32], [8; 32]);
    let (name, signature) = (key.account_key(), key.sign_account(DIGEST));
    let bare = SigningKey::from_bytes(&[7; 32]);
    let (public, bare_signature) = (bare.verifying_key(), bare.sign(&DIGEST.0));
    pair(
        "Falcon-1024: check, 3073 bytes",
        &|| name.verify(DIGEST, &signature).is_ok(),
        "ed25519: verify_strict 32 bytes",
        &|| public.verify_strict(&DIGEST.0, &bare_signature).is_ok(),
    )?;
    pair(
        "Falcon-1024: sign",
        &|| key.sign_account(DIGEST) == signature,
        "ed25519: sign 32 bytes",
        &|| bare.sign(&DIGEST.0) == bare_signature,
    )
}
