//! `antiphon dev`: a whole network in one process, with keys and a chain of its own under a data directory.

pub mod keys;
pub mod network;

use super::store::Keep;
use clap::Args;
use std::{
    io::Write as _,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::signal::unix::{SignalKind, signal};

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
    /// Lets the nodes stake, and everybody bond and delegate: elections at checkpoints, rewards. Part of the chain spec.
    #[arg(long)]
    pub stake: bool,
    /// Blocks for which a bond that leaves is held. By default twice the trusting period, as a sound chain needs; fewer are
    /// for trying it out. Part of the chain spec.
    #[arg(long, value_name = "BLOCKS", requires = "stake")]
    pub unbond: Option<u64>,
    /// What each node keeps of the past: `archive`, `blocks`, or so many states and the blocks of the unbonding time.
    #[arg(long, default_value_t)]
    pub keep: Keep,
    /// Where JSON-RPC and light data are answered; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    pub rpc: SocketAddr,
}

/// Reads `50ms` or `2s`.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is not a duration such as 1s or 50ms");
    let (digits, unit) = text
        .strip_suffix("ms")
        .map_or_else(|| (text.strip_suffix('s').unwrap_or(""), 1000), |digits| (digits, 1));
    let count: u64 = digits.parse().map_err(|_| wrong())?;
    let millis = count.checked_mul(unit).filter(|ms| (10..=600_000).contains(ms));
    millis.map(Duration::from_millis).ok_or_else(wrong)
}

/// Runs the network until interrupted or until a node fails.
///
/// # Errors
/// A data directory that cannot be used, an address that is taken, a node whose disk failed.
pub async fn run(options: Options) -> anyhow::Result<()> {
    let network = keys::Network::open(&options)?;
    let mut running = network::start(&options.data, network, (options.rpc, options.keep)).await?;
    let stop = interrupted()?;
    announce(&options.data, &running.ready())?;
    let ended = tokio::select! {
        failed = running.failed() => Err(failed),
        asked = stop => asked,
    };
    tracing::info!("stopping");
    running.stop().await;
    ended
}

/// Tells people by log, and programs by one line and a file, that the network is up.
fn announce(data: &Path, ready: &serde_json::Value) -> anyhow::Result<()> {
    let line = ready.to_string();
    keys::write_atomically(&data.join("ready.json"), line.as_bytes())?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()?;
    Ok(())
}

/// Listens for Ctrl-C and SIGTERM from now on; what it returns ends when one has come. Called before a service says that it
/// is ready, so that nobody who heard that can kill it without its being stopped.
pub(crate) fn interrupted() -> anyhow::Result<impl Future<Output = anyhow::Result<()>>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        Ok(())
    })
}
