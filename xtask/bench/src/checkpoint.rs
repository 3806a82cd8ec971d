//! A checkpoint's certificate beside one bare BLS signature.

use antiphon_core::chain::certificate::{FinalityCertificate, FinalityVote};
use antiphon_core::chain::set::{Guardian, GuardianSet, quorum};
use antiphon_core::codec::Bounded;
use antiphon_core::crypto::bls::{BlsPublicKey, BlsSecretKey, BlsSignature};
use antiphon_core::crypto::{Hash, Tagged as _};
use antiphon_core::id::{BlockId, ChainId, Height};
use anyhow::{Context as _, Result, anyhow};
use blst::min_pk::SecretKey;

use crate::pair;

const CHAIN: ChainId = ChainId(Hash([1; 32]));
/// The ciphersuite's name, as core signs.
const SUITE: &[u8] = b"BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_";

/// Checks the certificate of a set of which just a quorum signed: the dearest case.
///
/// # Errors
///
/// The certificate is refused.
pub(crate) fn measure(guardians: u32) -> Result<()> {
    let (set, certificate) = sign(guardians)?;
    let bare = SecretKey::key_gen(&[5; 32], &[]).map_err(|error| anyhow!("{error:?}"))?;
    let (public, message) = (bare.sk_to_pk(), [9; 32]);
    let signature = bare.sign(&message, SUITE, &[]);
    pair(
        &format!("checkpoint of {guardians} guardians: check"),
        &|| certificate.verify(CHAIN, &set).is_ok(),
        "BLS: verify one signature",
        &|| {
            let verdict = signature.verify(true, &message, SUITE, &[], &public, false);
            verdict == blst::BLST_ERROR::BLST_SUCCESS
        },
    )
}

fn sign(guardians: u32) -> Result<(GuardianSet, FinalityCertificate)> {
    let mut keys = Vec::new();
    for index in 0..guardians {
        let mut seed = [3; 32];
        for (byte, value) in seed.iter_mut().zip(index.to_le_bytes()) {
            *byte = value;
        }
        keys.push(BlsSecretKey::from_seed(&seed)?);
    }
    keys.sort_by_key(BlsSecretKey::public);
    let public: Vec<BlsPublicKey> = keys.iter().map(BlsSecretKey::public).collect();
    let members = public.iter().map(|key| Guardian { key: *key, weight: 1 }).collect::<Vec<_>>();
    let members = Bounded::try_from(members).ok().context("too many guardians")?;
    let set =
        GuardianSet { since: Height(0), members, aggregate: BlsPublicKey::aggregate(&public)? };

    let (height, block) = (Height(10), BlockId(Hash([4; 32])));
    let digest = FinalityVote { guardians_hash: set.hash(CHAIN), height, block }.digest(CHAIN);
    let count = usize::try_from(quorum(u64::from(guardians)))?;
    let signatures: Vec<BlsSignature> =
        keys.iter().take(count).map(|key| key.sign(digest)).collect();
    let mut bitmap = vec![0_u8; keys.len().div_ceil(8)];
    for index in 0..count {
        if let Some(byte) = bitmap.get_mut(index / 8) {
            *byte |= 1 << (index % 8);
        }
    }
    let signers = Bounded::try_from(bitmap).ok().context("too many guardians")?;
    let signature = BlsSignature::aggregate(&signatures)?;
    Ok((set, FinalityCertificate { height, block, signers, signature }))
}
