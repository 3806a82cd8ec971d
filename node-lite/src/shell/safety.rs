//! `antiphon safety`: the number by which two people compare their keys.

use antiphon_core::wallet::safety::Pair;
use anyhow::Context as _;
use clap::Args;
use serde_json::json;
use std::io::Write as _;

/// What `antiphon safety` needs.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// The own key, 64 hexadecimal digits.
    #[arg(value_name = "OWN-KEY")]
    pub own: String,
    /// The other one's key.
    #[arg(value_name = "OTHER-KEY")]
    pub other: String,
    /// Compares with the code that the other one shows.
    #[arg(long, value_name = "CODE")]
    pub check: Option<String>,
}

/// Prints one line of JSON: the sixty digits, the text of the QR code, and whether a code was compared and fits.
///
/// # Errors
/// Keys that are none, and a code that does not fit.
pub fn run(options: &Options) -> anyhow::Result<()> {
    let pair = Pair::parse(&options.own, &options.other)?;
    options.check.as_ref().map_or(Ok(()), |code| pair.check(code))?;
    let line = json!({
        "number": pair.number(),
        "code": pair.to_code(),
        "isCompared": options.check.is_some(),
    });
    writeln!(std::io::stdout().lock(), "{line}").context("standard output is closed")
}
