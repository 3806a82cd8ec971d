//! Vouchers beside bare Ed25519.

use antiphon_core::amount::Amount;
use antiphon_core::crypto::{Hash, SecretKey, Signed};
use antiphon_core::id::{Address, ChainId, PoolId, StreamId};
use antiphon_core::payment::voucher::Voucher;
use anyhow::Result;
use ed25519_dalek::{Signer as _, SigningKey};

use crate::pair;

const CHAIN: ChainId = ChainId(Hash([1; 32]));

/// Signs and checks a voucher, as payer and payee do for each request.
///
/// # Errors
///
/// A signature does not verify.
pub(crate) fn measure() -> Result<()> {
    let seed = [7; 32];
    let key = SecretKey::from_bytes(&seed);
    let voucher = Voucher {
        pool: PoolId(Hash([2; 32])),
        resource: StreamId(Hash([3; 32])),
        target: Address([4; 20]),
        seq: 5,
        cum: Amount::from_units(600),
        ticks: None,
    };
    let signed = Signed::new(&key, CHAIN, voucher);
    let (compact, public) = (signed.to_compact(), key.public());

    let bare = SigningKey::from_bytes(&seed);
    let message = [9; 32];
    let bare_signature = bare.sign(&message);
    let bare_public = bare.verifying_key();

    pair(
        "voucher: sign",
        &|| Signed::new(&key, CHAIN, voucher).signature == signed.signature,
        "ed25519: sign 32 bytes",
        &|| bare.sign(&message) == bare_signature,
    )?;
    pair(
        "voucher: check",
        &|| {
            let whole = compact.expand(voucher.pool, voucher.resource, voucher.target);
            whole.verify(CHAIN, &public).is_ok()
        },
        "ed25519: verify_strict 32 bytes",
        &|| bare_public.verify_strict(&message, &bare_signature).is_ok(),
    )
}
