//! `antiphon publish`: a live stream from a folder, a push, a recording or an audio file, signed and served.
//!
//! ```text
//! source ──segments──► station (publisher, its memory and files on disk) ──files, pages──► origin (HTTP)
//! ```

mod counts;
pub mod keys;
mod origin;
mod source;
mod station;
mod trust;

use super::chain_file::DECIMALS;
use crate::publisher::{MAX_WINDOW, Terms, keyring::Keyring};
use antiphon_core::{
    amount::Amount,
    chain::spec::Token,
    codec::{Bounded, Text},
    crypto::Hash,
    delivery::{heir::Heirs, record::StreamInfo, rendition::MAX_RENDITIONS},
    id::ChainId,
};
use anyhow::{Context, bail};
use clap::{ArgGroup, Args};
use counts::Counts;
use origin::Pushes;
use station::Station;
use std::{fs, net::SocketAddr, path::PathBuf, sync::Arc};

/// What is published, and where.
#[derive(Clone, Debug, Args)]
#[command(group(ArgGroup::new("from").required(true).args(["source", "push", "file"])))]
pub struct Options {
    /// Folder with an HLS playlist (.m3u8) and its segments, followed as it grows; several renditions have a multivariant
    /// playlist beside theirs.
    #[arg(long, value_name = "DIR")]
    pub source: Option<PathBuf>,
    /// Plays the finished playlists of --source as a live stream, for ever.
    #[arg(long = "loop", requires = "source")]
    pub is_loop: bool,
    /// Takes what an encoder sends by HTTP PUT to /push/, as ffmpeg and OBS do; each playlist is a rendition.
    #[arg(long)]
    pub push: bool,
    /// Any audio file, repeated for ever by ffmpeg.
    #[arg(long, value_name = "AUDIO")]
    pub file: Option<PathBuf>,
    /// Kilobits per second of the renditions that --file is encoded to.
    #[arg(long, value_delimiter = ',', default_value = "128", value_name = "KBITS", value_parser = clap::value_parser!(u16).range(16..=512))]
    pub bitrates: Vec<u16>,
    /// Where to listen; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    pub listen: SocketAddr,
    /// Where the publisher's keys and all that a restart needs are kept: numbers, dates, listed segments.
    #[arg(long, default_value = "antiphon-publish")]
    pub data: PathBuf,
    /// Name of the stream, unique among those of this publisher.
    #[arg(long, default_value = "live")]
    pub name: String,
    /// Chain that pays for the stream: its id in hexadecimal. Without it, the node is asked and trusted.
    #[arg(long, value_name = "HEX", value_parser = parse_chain, required_unless_present = "node")]
    pub chain: Option<ChainId>,
    /// URL of a node's RPC, told to listeners. It must be of the chain that --chain names.
    #[arg(long, default_value = "", value_name = "URL", value_parser = parse_node)]
    pub node: String,
    /// URL of the tracker, told to listeners; may be given again: when one is lost, they dial the next.
    #[arg(long = "tracker", value_name = "URL", value_parser = super::http::parse_tracker)]
    pub trackers: Vec<String>,
    /// Price of a chunk of 16 KiB in the operational token, as decimal text.
    #[arg(long, default_value = "0.0001")]
    pub price: String,
    /// Segments in the playlist.
    #[arg(long, default_value_t = 10)]
    pub window: usize,
    /// Milliseconds that a segment lasts; corrected when a longer one comes.
    #[arg(long, default_value_t = 2000, value_parser = clap::value_parser!(u32).range(100..=60_000))]
    pub target_ms: u32,
    /// Bearer token that an encoder must show to push.
    #[arg(long, env = "ANTIPHON_PUSH_TOKEN", requires = "push", hide_env_values = true)]
    pub push_token: Option<String>,
    /// Where Prometheus reads `/metrics`; nowhere if it is not given. For the keeper of the stream, not for listeners.
    #[arg(long, value_name = "ADDRESS")]
    pub metrics: Option<SocketAddr>,
}

pub(super) fn parse_chain(text: &str) -> Result<ChainId, String> {
    Hash::from_hex(text).map(ChainId).ok_or_else(|| "64 hexadecimal digits are expected".into())
}

/// Listeners would be told what they cannot call.
fn parse_node(text: &str) -> Result<String, String> {
    super::http::parse_url(text, &["http://", "https://"])
}

/// Publishes until interrupted.
///
/// # Errors
/// Options that make no sense, a node of another chain, a data folder in use, a taken port, a source that cannot be
/// read.
pub async fn run(options: Options) -> anyhow::Result<()> {
    let token = push_token(&options)?;
    fs::create_dir_all(&options.data)
        .with_context(|| format!("making the folder {}", options.data.display()))?;
    let keyring = keys::load_or_make(&options.data)?;
    let chain = trust::chain(options.chain, &options.node).await?;
    let terms = terms(&options, chain, keyring)?;
    let (publisher, signer) = (terms.keyring.publisher(), terms.keyring.key().public());
    let counts = Arc::new(Counts::default());
    let station = Station::open(terms, &options.data, &options.name, Arc::clone(&counts))?;
    let station = Arc::new(station);
    let source = source::open(&options)?;
    let pushes = options.push.then(|| Arc::new(Pushes::new(Arc::clone(&station), token)));
    let router = origin::router(Arc::clone(&station), pushes.clone(), &counts);
    let (address, server) = super::http::serve_to_the_end(options.listen, router).await?;
    let metrics = counts::routes(counts, Arc::clone(&station));
    let (metrics, keeper) = super::http::serve_some(options.metrics, metrics).await?;
    let feeding = source::feed(source, Arc::clone(&station));
    let timing = async {
        match pushes {
            Some(pushes) => pushes.keep_time().await,
            None => std::future::pending().await,
        }
    };
    let stop = super::dev::interrupted()?;
    super::http::ready(&serde_json::json!({
        "ready": "publish",
        "url": format!("http://{address}/live.m3u8"),
        "push": options.push.then(|| format!("http://{address}/push/")),
        "publisher": publisher.to_string(),
        "signer": signer.to_string(),
        "stream": station.stream().0.to_hex(),
        "chain": chain.0.to_hex(),
        "metrics": metrics.map(|address| format!("http://{address}/metrics")),
    }));
    tokio::select! {
        end = feeding => end,
        end = timing => end,
        end = server => end,
        end = keeper => end,
        asked = stop => asked,
    }
}

/// Anyone who can reach the port could push; that takes a token unless only this machine can.
fn push_token(options: &Options) -> anyhow::Result<Option<String>> {
    if options.push && options.push_token.is_none() && !options.listen.ip().is_loopback() {
        bail!("--push on {} needs --push-token: others can reach it", options.listen.ip());
    }
    Ok(options.push_token.clone())
}

fn terms(options: &Options, chain: ChainId, keyring: Keyring) -> anyhow::Result<Terms> {
    if !(1..=MAX_WINDOW).contains(&options.window) {
        bail!("--window is 1 to {MAX_WINDOW}");
    }
    if options.bitrates.len() > usize::from(MAX_RENDITIONS) {
        bail!("--bitrates names at most {MAX_RENDITIONS}");
    }
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if options.name.is_empty() || !options.name.chars().all(is_plain) {
        bail!("--name is letters, digits, - and _");
    }
    let info = StreamInfo {
        publisher: keyring.publisher(),
        name: Text::try_from(options.name.as_str()).context("--name is too long")?,
        price: Amount::parse(&options.price, DECIMALS).context("--price")?,
        token: Token::Operational,
        target_ms: options.target_ms,
        tracker: Text::try_from(options.trackers.join(" ").as_str())
            .context("--tracker is too long")?,
        node: Text::try_from(options.node.as_str()).context("--node is too long")?,
        maps: Bounded::new(),
        heirs: Heirs::new(),
    };
    Ok(Terms { chain, keyring, info, window: options.window })
}
