//! A network of validators, each with a thread, a store on disk and every check that it makes in earnest, under a load of
//! transfers.
//!
//! ```text
//! load ── signed transfers, so many on their way ──> nodes 0..n ── settled blocks, certificates ──> count
//! ```
//!
//! Only the network between processes is left out: messages go from thread to thread. All validators share the machine, so
//! what the network can settle is at most the machine's rate of `verify_strict` over their number: each of them checks each
//! signature once. That bare rate is taken in the same run, before and after.

use std::time::Duration;

use anyhow::Result;
use clap::Args;
use serde_json::json;

use crate::{limit, load, network, transfer};

/// Measures what a network of validators on this machine settles.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Options {
    /// Validators; each is a guardian, too.
    #[arg(long, default_value_t = 4)]
    pub(crate) validators: u8,
    /// Milliseconds between blocks.
    #[arg(long, default_value_t = 250)]
    pub(crate) block_ms: u64,
    /// Accounts that send; each to the next.
    #[arg(long, default_value_t = 1024)]
    pub(crate) accounts: usize,
    /// Transfers on their way at any time.
    #[arg(long, default_value_t = 2048)]
    pub(crate) outstanding: usize,
    /// How long to measure, in seconds, after five to warm up.
    #[arg(long, default_value_t = 20)]
    pub(crate) seconds: u64,
}

/// Not measured: the first blocks find empty caches.
pub(crate) const WARM_UP: Duration = Duration::from_secs(5);

pub(crate) fn run(options: &Options) -> Result<()> {
    let before = limit::verifications_per_second()?;
    let network = network::Network::start(options)?;
    let figures = load::run(options, &network)?;
    let transfer_bytes = transfer::size(&network)?;
    network.stop();
    let after = limit::verifications_per_second()?;
    let bare = (before + after) / 2.0;
    let limit = bare / f64::from(options.validators);
    let line = json!({
        "validators": options.validators,
        "blockMs": options.block_ms,
        "seconds": figures.seconds,
        "settled": figures.settled,
        "perSecond": figures.rate(),
        "verifyPerSecond": bare,
        "limit": limit,
        "share": figures.rate() / limit,
        "nodeMicros": figures.micros_each(figures.nodes) / f64::from(options.validators),
        "loadMicros": figures.micros_each(figures.load),
        "nodeBytes": figures.bytes_each() / f64::from(options.validators),
        "transferBytes": transfer_bytes,
        "settledMs": figures.to_settled.summary(),
        "finalMs": figures.to_final.summary(),
        "residentMiB": figures.resident,
    });
    println!("{line}");
    Ok(())
}
