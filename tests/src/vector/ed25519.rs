//! Wycheproof's Ed25519 file, through `PublicKey::verify`: strict, like everything of ours.

use super::{Case, Log, array, read};
use antiphon_core::crypto::{PublicKey, Signature};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Group {
    public_key: Key,
    tests: Vec<Case<Body>>,
}

#[derive(Deserialize)]
struct Key {
    pk: String,
}

#[derive(Deserialize)]
struct Body {
    msg: String,
    sig: String,
}

/// Runs `wycheproof_ed25519_test.json`.
///
/// # Errors
/// A text that is not such a file.
pub fn ed25519(text: &str) -> serde_json::Result<Log> {
    let groups = read(text, |group: &Group| group.tests.len())?;
    let verdicts = groups.iter().flat_map(|group| {
        let verdict = |case: &Case<Body>| {
            case.judge(is_accepted(&group.public_key.pk, &case.body).unwrap_or(false))
        };
        group.tests.iter().map(verdict).collect::<Vec<_>>()
    });
    Ok(Log(verdicts.collect()))
}

fn is_accepted(key: &str, body: &Body) -> Option<bool> {
    let (key, signature) = (PublicKey(array(key)?), Signature(array(&body.sig)?));
    Some(key.verify(&hex::decode(&body.msg).ok()?, &signature).is_ok())
}
