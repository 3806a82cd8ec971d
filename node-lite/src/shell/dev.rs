//! `antiphon dev`: a whole network in one process, with keys and a chain of its own under a data directory.

pub mod keys;

use clap::Args;
use std::{path::PathBuf, time::Duration};

/// How a development network is run.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// Where keys, chain and state are kept.
    #[arg(long, default_value = "antiphon-dev")]
    pub data: PathBuf,
    /// Forgets the chain and its keys before the start.
    #[arg(long)]
    pub reset: bool,
    /// Time between blocks, such as `1s` or `50ms`. Part of the chain spec: only read when the chain is made.
    #[arg(long, default_value = "1s", value_parser = parse_duration)]
    pub block_time: Duration,
}

/// Reads `50ms` or `2s`.
fn parse_duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is not a duration such as 1s or 50ms");
    let (digits, unit) = text
        .strip_suffix("ms")
        .map_or_else(|| (text.strip_suffix('s').unwrap_or(""), 1000), |digits| (digits, 1));
    let count: u64 = digits.parse().map_err(|_| wrong())?;
    let millis = count.checked_mul(unit).filter(|ms| (10..=600_000).contains(ms));
    millis.map(Duration::from_millis).ok_or_else(wrong)
}

/// Makes or opens the network under `options.data`.
///
/// # Errors
/// A data directory that cannot be read or written, or whose keys do not fit its chain.
#[allow(clippy::unused_async, reason = "the servers of the network run here")]
pub async fn run(options: Options) -> anyhow::Result<()> {
    let network = keys::Network::open(&options)?;
    tracing::info!(chain = %network.spec.chain_id().0, data = %options.data.display(), "development chain");
    Ok(())
}
