//! The inclusion and consistency proofs of transparency-dev/merkle, through `crypto::merkle`.
//!
//! Some files write a short text such as "don't care 1" for a root. Our roots are 32 bytes, so the runner takes the
//! SHA-256 of such a text: what was equal stays equal. Any other hash that is not 32 bytes long cannot be written in
//! our types, so such a case is refused.

use super::{Log, Verdict};
use antiphon_core::crypto::{
    Hash,
    merkle::{verify_consistency, verify_inclusion},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde::Deserialize;

#[derive(Deserialize)]
struct File {
    inclusion: Vec<Case<Inclusion>>,
    consistency: Vec<Case<Consistency>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Case<T> {
    file: String,
    proof: Option<Vec<String>>,
    want_err: bool,
    #[serde(flatten)]
    body: T,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Inclusion {
    leaf_idx: u64,
    tree_size: u64,
    root: String,
    leaf_hash: String,
}

#[derive(Deserialize)]
struct Consistency {
    size1: u64,
    size2: u64,
    root1: String,
    root2: String,
}

/// Runs `rfc6962.json`.
///
/// # Errors
/// A text that is not that file.
pub fn rfc6962(text: &str) -> serde_json::Result<Log> {
    let file: File = serde_json::from_str(text)?;
    let inclusion = file.inclusion.iter().map(|case| case.judge(includes));
    let consistency = file.consistency.iter().map(|case| case.judge(is_prefix));
    Ok(Log(inclusion.chain(consistency).collect()))
}

impl<T> Case<T> {
    fn judge(&self, check: impl Fn(&T, &[Hash]) -> Option<bool>) -> Verdict {
        let proof = self.proof.iter().flatten().map(|text| hash(text)).collect::<Option<Vec<_>>>();
        let is_accepted = proof.and_then(|proof| check(&self.body, &proof)).unwrap_or(false);
        Verdict { case: self.file.clone(), is_valid: !self.want_err, is_accepted }
    }
}

fn includes(body: &Inclusion, proof: &[Hash]) -> Option<bool> {
    let (root, leaf) = (hash(&body.root)?, hash(&body.leaf_hash)?);
    Some(verify_inclusion(&root, body.tree_size, body.leaf_idx, &leaf, proof).is_ok())
}

fn is_prefix(body: &Consistency, proof: &[Hash]) -> Option<bool> {
    let (root1, root2) = (root(&body.root1)?, root(&body.root2)?);
    Some(verify_consistency(body.size1, &root1, body.size2, &root2, proof).is_ok())
}

/// Reads a root, or the text that stands for one.
fn root(text: &str) -> Option<Hash> {
    let bytes = BASE64_STANDARD.decode(text).ok()?;
    let is_placeholder = bytes.starts_with(b"don't care");
    if is_placeholder { Some(Hash::of(&[&bytes])) } else { bytes.try_into().ok().map(Hash) }
}

fn hash(text: &str) -> Option<Hash> {
    BASE64_STANDARD.decode(text).ok()?.try_into().ok().map(Hash)
}
