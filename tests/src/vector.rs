//! Runs public test vectors and keeps a log of verdicts.
//!
//! Every function takes the text of a file and returns a [`Log`]; nothing here reads files or panics, so the same
//! code runs natively and as wasm and must give the same log (ADVERSARIAL case 30).

mod bls;
mod ed25519;
mod light;
mod merkle;

pub use bls::{aggregate_verify, hash_to_g2, verify};
pub use ed25519::ed25519;
pub use light::light_client;
pub use merkle::rfc6962;

use serde::Deserialize;
use std::fmt;

/// What our code said about one case, and what its file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Which case: its number or file, and what it is about.
    pub case: String,
    /// Whether the file calls it valid.
    pub is_valid: bool,
    /// Whether our code accepted it.
    pub is_accepted: bool,
}

/// The verdicts on one file, in its order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Log(pub Vec<Verdict>);

impl Log {
    /// Returns the cases on which our code and the file disagree.
    pub fn disagreements(&self) -> Vec<&Verdict> {
        self.0.iter().filter(|verdict| verdict.is_valid != verdict.is_accepted).collect()
    }

    /// Returns how many cases the file calls valid, and how many there are.
    pub fn counts(&self) -> (usize, usize) {
        (self.0.iter().filter(|verdict| verdict.is_valid).count(), self.0.len())
    }
}

impl fmt::Display for Log {
    /// Writes one line a case, to compare platforms byte by byte.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|verdict| {
            writeln!(f, "{} {}", if verdict.is_accepted { 'V' } else { 'X' }, verdict.case)
        })
    }
}

/// Runs a file by its name; none for another file, or for a text that is not such a one.
pub fn run(file: &str, text: &str) -> Option<Log> {
    let log = match file {
        "wycheproof_ed25519_test.json" => ed25519(text),
        "bls_sig_g2_pop_verify.json" | "bls_sig_g2_basic_verify.json" => verify(text),
        "bls_sig_g2_aggregate_verify.json" => aggregate_verify(text),
        "bls_hash_to_g2.json" => hash_to_g2(text),
        "light-client.json" => light_client(text),
        "rfc6962.json" => rfc6962(text),
        _ => return None,
    };
    log.ok()
}

/// A file of Wycheproof, as far as all of ours agree.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct File<G> {
    number_of_tests: usize,
    test_groups: Vec<G>,
}

/// What every case of Wycheproof has, with its own fields.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Case<T> {
    tc_id: u32,
    comment: String,
    result: String,
    #[serde(flatten)]
    body: T,
}

impl<T> Case<T> {
    fn judge(&self, is_accepted: bool) -> Verdict {
        let case = format!("{} {}", self.tc_id, self.comment);
        Verdict { case, is_valid: self.result == "valid", is_accepted }
    }
}

/// Reads a file and checks that it holds as many cases as it says.
fn read<G: for<'a> Deserialize<'a>>(
    text: &str,
    cases: impl Fn(&G) -> usize,
) -> serde_json::Result<Vec<G>> {
    let file: File<G> = serde_json::from_str(text)?;
    let found: usize = file.test_groups.iter().map(cases).sum();
    if found == file.number_of_tests {
        Ok(file.test_groups)
    } else {
        Err(serde::de::Error::custom(format!("{found} cases of {}", file.number_of_tests)))
    }
}

/// Reads hexadecimal digits; bytes of any other length are no such value.
fn array<const N: usize>(hex: &str) -> Option<[u8; N]> {
    hex::decode(hex).ok()?.try_into().ok()
}
