//! Wycheproof's BLS12-381 files: keys in G1, signatures in G2.
//!
//! The POP file runs through our API, which knows no other ciphersuite. The files under the basic scheme and the one
//! of hash-to-curve run through `blst` as we use it: keys and signatures checked in full. Our keys are 96 uncompressed
//! bytes, the files' 48 compressed; `blst` turns one into the other, as registration does.

use super::{Case, Log, array, read};
use antiphon_core::crypto::bls::{BlsPublicKey, BlsSignature};
use blst::{
    BLST_ERROR,
    min_pk::{PublicKey, SecretKey, Signature},
};
use serde::Deserialize;

/// The ciphersuite of our API.
const POP: &str = "BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct VerifyGroup {
    ciphersuite: String,
    public_key: Key,
    tests: Vec<Case<VerifyBody>>,
}

#[derive(Deserialize)]
struct Key {
    pk: String,
}

#[derive(Deserialize)]
struct VerifyBody {
    msg: String,
    sig: String,
}

#[derive(Deserialize)]
struct AggregateGroup {
    ciphersuite: String,
    tests: Vec<Case<AggregateBody>>,
}

#[derive(Deserialize)]
struct AggregateBody {
    pubkeys: Vec<String>,
    messages: Vec<String>,
    sig: String,
}

#[derive(Deserialize)]
struct HashGroup {
    dst: String,
    tests: Vec<Case<HashBody>>,
}

#[derive(Deserialize)]
struct HashBody {
    msg: String,
    expected: String,
}

/// Runs `bls_sig_g2_pop_verify.json` through our API, or `bls_sig_g2_basic_verify.json` through `blst`.
///
/// # Errors
/// A text that is not such a file.
pub fn verify(text: &str) -> serde_json::Result<Log> {
    let groups = read(text, |group: &VerifyGroup| group.tests.len())?;
    let verdicts = groups.iter().flat_map(|group| {
        let check = if group.ciphersuite == POP { by_our_api } else { by_blst };
        let verdict = |case: &Case<VerifyBody>| {
            let accepted = check(&group.public_key.pk, &case.body, &group.ciphersuite);
            case.judge(accepted.unwrap_or(false))
        };
        group.tests.iter().map(verdict).collect::<Vec<_>>()
    });
    Ok(Log(verdicts.collect()))
}

/// Runs `bls_sig_g2_aggregate_verify.json` through `blst`.
///
/// # Errors
/// A text that is not such a file.
pub fn aggregate_verify(text: &str) -> serde_json::Result<Log> {
    let groups = read(text, |group: &AggregateGroup| group.tests.len())?;
    let verdicts = groups.iter().flat_map(|group| {
        let verdict = |case: &Case<AggregateBody>| {
            case.judge(is_aggregate(&case.body, &group.ciphersuite).unwrap_or(false))
        };
        group.tests.iter().map(verdict).collect::<Vec<_>>()
    });
    Ok(Log(verdicts.collect()))
}

/// Runs `bls_hash_to_g2.json` through `blst`: under the secret key 1 a signature is the hash itself.
///
/// # Errors
/// A text that is not such a file.
pub fn hash_to_g2(text: &str) -> serde_json::Result<Log> {
    let groups = read(text, |group: &HashGroup| group.tests.len())?;
    let verdicts = groups.iter().flat_map(|group| {
        let verdict =
            |case: &Case<HashBody>| case.judge(is_hash(&case.body, &group.dst).unwrap_or(false));
        group.tests.iter().map(verdict).collect::<Vec<_>>()
    });
    Ok(Log(verdicts.collect()))
}

fn by_our_api(key: &str, body: &VerifyBody, _ciphersuite: &str) -> Option<bool> {
    let key = PublicKey::uncompress(&array::<48>(key)?).ok()?;
    let (key, signature) = (BlsPublicKey(key.serialize()), BlsSignature(array(&body.sig)?));
    Some(key.verify_message(&hex::decode(&body.msg).ok()?, &signature).is_ok())
}

fn by_blst(key: &str, body: &VerifyBody, ciphersuite: &str) -> Option<bool> {
    let key = PublicKey::uncompress(&array::<48>(key)?).ok()?;
    let signature = signature(&body.sig)?;
    let message = hex::decode(&body.msg).ok()?;
    let verdict = signature.verify(true, &message, ciphersuite.as_bytes(), &[], &key, true);
    Some(verdict == BLST_ERROR::BLST_SUCCESS)
}

fn is_aggregate(body: &AggregateBody, ciphersuite: &str) -> Option<bool> {
    let keys = body.pubkeys.iter().map(|key| PublicKey::uncompress(&array::<48>(key)?).ok());
    let keys = keys.collect::<Option<Vec<_>>>()?;
    let messages = body.messages.iter().map(|message| hex::decode(message).ok());
    let messages = messages.collect::<Option<Vec<_>>>()?;
    if keys.is_empty() || keys.len() != messages.len() {
        return Some(false);
    }
    let messages: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
    let keys: Vec<&PublicKey> = keys.iter().collect();
    let dst = ciphersuite.as_bytes();
    let verdict = signature(&body.sig)?.aggregate_verify(true, &messages, dst, &keys, true);
    Some(verdict == BLST_ERROR::BLST_SUCCESS)
}

fn is_hash(body: &HashBody, dst: &str) -> Option<bool> {
    let mut one = [0; 32];
    *one.last_mut()? = 1;
    let key = SecretKey::from_bytes(&one).ok()?;
    let point = key.sign(&hex::decode(&body.msg).ok()?, dst.as_bytes(), &[]);
    Some(array(&body.expected)? == point.compress())
}

/// Reads a compressed signature and refuses the identity and points outside the subgroup.
fn signature(hex: &str) -> Option<Signature> {
    let signature = Signature::uncompress(&array::<96>(hex)?).ok()?;
    signature.validate(true).ok().map(|()| signature)
}
