//! `antiphon peer`: carries a live stream as one of its peers, for whoever wants to lend a machine and be paid.
//!
//! ```text
//! account key (locked), rows of before --> client, tuner, steward --> one line of JSON: ready
//! SIGTERM or SIGINT --> what is owed is paid, goodbye to peers and tracker, last rows durable --> 0
//! ```
//!
//! It is the client of a page with other hands: `antiphon_host` is its worker and its RTC bridge. Vouchers that it holds when it
//! stops are kept, and settled by the next start, or before their pool ends by whoever runs with this folder.

pub mod counts;
pub mod keeper;

use super::{
    chain_file::{self, DECIMALS},
    dev::interrupted,
    http,
    keys::{self, Purpose, SecretFile},
    publish::parse_chain,
};
use crate::peer::steward::{Policy, Steward};
use antiphon_core::{
    amount::Amount,
    chain::light::{Anchor, Skipping},
    client::{Client, Config, UploadPolicy},
    crypto::{Hash, PublicKey, SecretKey},
    delivery::sharing::{Sharing, Surroundings, Terms},
    id::{Address, ChainId},
    peer::swarm::MAX_LINKS,
    wallet::address,
};
use antiphon_host::{
    desk::{Desk, Means},
    disk::{Disk, Row},
    errands::Errands,
    events::{self, Events},
    giving::Giving,
    links::{RTCIceServer, RtcLinks, RtcOptions},
    remote::RemoteNode,
    run::Host,
    socket::Socket,
    tuner::Tuner,
    web::{self, Web},
};
use anyhow::Context as _;
use clap::Args;
use counts::Counts;
use keeper::Watchman;
use serde_json::json;
use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::timeout,
};

/// The file of a data folder in which the client's rows are.
pub const ROWS: &str = "peer.redb";
/// Bytes that are taken of a cap at once, and given until the next look, a second later. Chosen here: what a line of 1 Gbit/s takes.
const SLICE: u64 = 128 << 20;
/// How long links may take to end when the peer is being stopped.
const LAST_LINKS: Duration = Duration::from_secs(2);

/// Which stream is carried, by which key, within which limits.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// URL of the stream's media playlist.
    #[arg(long, value_name = "URL", value_parser = parse_http)]
    pub stream: String,
    /// The data folder that `antiphon init` made: its account key names the peer, earns and pays; rows are kept there.
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
    /// Base URL of a node of the chain.
    #[arg(long, value_name = "URL", value_parser = parse_http)]
    pub node: String,
    /// The chain's id, 64 hexadecimal digits: the one thing that is trusted of it.
    #[arg(long, value_name = "ID", value_parser = parse_chain, required_unless_present = "chain_file")]
    pub chain: Option<ChainId>,
    /// The chain file, instead of the id.
    #[arg(long, value_name = "FILE", conflicts_with = "chain")]
    pub chain_file: Option<PathBuf>,
    /// Base URL of another operator's node, against which every checkpoint is compared; may be given again.
    #[arg(long = "witness", value_name = "URL", value_parser = parse_http)]
    pub witnesses: Vec<String>,
    /// The publisher's key, 64 hexadecimal digits; without it, whoever signs the playlist is believed to be the one.
    #[arg(long, value_name = "KEY", value_parser = parse_key)]
    pub publisher: Option<PublicKey>,
    /// URL of a tracker, instead of the stream's own; may be given again: when one is lost, the next is dialled.
    #[arg(long = "tracker", value_name = "URL", value_parser = http::parse_tracker)]
    pub trackers: Vec<String>,
    /// The publisher's token, where the tracker asks for one.
    #[arg(long, env = "ANTIPHON_TOKEN", hide_env_values = true)]
    pub token: Option<String>,
    /// What is kept in memory at most, such as 256MiB.
    #[arg(long, value_name = "SIZE", default_value = "256MiB", value_parser = parse_size)]
    pub cache: u64,
    /// What is given a second at most, such as 4MiB [default: no limit]
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub upload_rate: Option<u64>,
    /// What is given at most until it is stopped, such as 500GiB [default: no limit]
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub upload_total: Option<u64>,
    /// What is given in a month of the calendar (UTC) at most, such as 2000GiB, counted in the data folder over restarts and crashes [default: no limit]
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub upload_monthly: Option<u64>,
    /// Links to peers at most.
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u8).range(1..=MAX_LINKS as i64))]
    pub max_peers: u8,
    /// What each pool locks by which other peers are paid, in operational tokens. Without it, this peer pays nobody and takes
    /// mostly from the origin.
    #[arg(long, value_name = "AMOUNT", value_parser = parse_amount)]
    pub deposit: Option<Amount>,
    /// Asks the faucet of a development chain when there is too little for the deposit.
    #[arg(long, requires = "deposit")]
    pub faucet: bool,
    /// Address to bind for peers, each link a port of its own; an unspecified one, such as 0.0.0.0, is every address of this machine.
    #[arg(long = "listen", value_name = "ADDRESS", default_value = "0.0.0.0:0")]
    pub listen: Vec<SocketAddr>,
    /// Address by which peers reach this machine, if a translator of addresses is before it.
    #[arg(long = "external", value_name = "IP")]
    pub external: Vec<IpAddr>,
    /// STUN or TURN server, such as stun:stun.example:3478; may be given again.
    #[arg(long = "ice", value_name = "URL")]
    pub ice: Vec<String>,
    /// User name at the TURN servers.
    #[arg(long, requires = "ice_password", default_value = "", hide_default_value = true)]
    pub ice_user: String,
    /// Password at the TURN servers.
    #[arg(
        long,
        env = "ANTIPHON_ICE_PASSWORD",
        hide_env_values = true,
        default_value = "",
        hide_default_value = true
    )]
    pub ice_password: String,
    /// Where counts and state are shown; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub metrics: SocketAddr,
}

fn parse_http(text: &str) -> Result<String, String> {
    web::parse(text, None).map(|_| text.to_owned()).map_err(|error| error.to_string())
}

fn parse_key(text: &str) -> Result<PublicKey, String> {
    let key = Hash::from_hex(text).map(|bytes| PublicKey(bytes.0));
    key.ok_or_else(|| String::from("64 hexadecimal digits are expected"))
}

fn parse_amount(text: &str) -> Result<Amount, String> {
    let amount = Amount::parse(text, DECIMALS).map_err(|error| error.to_string())?;
    if amount.is_zero() { Err(String::from("nothing is no deposit")) } else { Ok(amount) }
}

/// Reads `512`, `64KiB`, `4MiB` or `1GiB`.
fn parse_size(text: &str) -> Result<u64, String> {
    let units = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];
    let (digits, unit) = units
        .into_iter()
        .find_map(|(name, unit)| Some((text.strip_suffix(name)?, unit)))
        .unwrap_or((text, 1));
    let size = digits.parse::<u64>().ok().and_then(|count| count.checked_mul(unit));
    size.ok_or_else(|| format!("{text:?} is not a size such as 512, 64KiB, 4MiB or 1GiB"))
}

/// Carries the stream until interrupted.
///
/// # Errors
/// Keys or rows that cannot be used, a taken port, a disk that failed.
pub async fn run(options: Options) -> anyhow::Result<()> {
    let stop = interrupted()?;
    let peer = Peer::start(options).await?;
    http::ready(&peer.ready);
    peer.run(stop).await
}

/// A running peer.
struct Peer {
    ready: serde_json::Value,
    host: Host<RtcLinks, Watchman>,
    events: Events,
    rows: Vec<Row>,
    serving: JoinHandle<anyhow::Result<()>>,
    /// The lock on the key.
    _secret: SecretFile,
}

impl Peer {
    async fn start(options: Options) -> anyhow::Result<Self> {
        let chain = options.chain()?;
        let secret = SecretFile::open(&keys::path(&options.data, Purpose::Account))?;
        let key = SecretKey::from_bytes(&secret.bytes);
        let (tellers, events) = events::events();
        let (disk, rows) = Disk::open(&options.data.join(ROWS), chain, tellers.disk.clone())?;
        let counts = Arc::new(Counts::default());
        let (metrics, server) =
            http::serve(options.metrics, counts::routes(counts.clone())).await?;
        let ready = ready(&key, chain, metrics);
        let rtc = options.rtc();
        rtc.check().await?;
        let policy = Policy { deposit: options.deposit, may_ask_faucet: options.faucet };
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).context("no randomness")?;
        let sharing = Sharing::new(options.terms(), Surroundings::default(), 0);
        let sharing = sharing.in_slices_of(SLICE);
        let client = Client::new(options.config(key, chain, sharing.policy())?, seed);
        let tuner = Tuner::new(options.stream.clone());
        let means = Means {
            links: RtcLinks::new(rtc, tellers.links.clone()),
            socket: Socket::new(tellers.socket.clone(), options.token.clone()),
            disk,
            errands: Errands::new(RemoteNode::new(&options.node)?, Web::new()?, &tellers),
        };
        // Nobody begins after it in this process.
        let giving = Giving::new(sharing, Arc::default());
        let keeper = Watchman::new(Steward::new(policy), giving, counts);
        let host = Host::new(Desk::new(client, Some(tuner), means), keeper);
        let serving = tokio::spawn(server);
        Ok(Self { ready, host, events, rows, serving, _secret: secret })
    }

    async fn run(mut self, stop: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
        let (_nobody, mut requests) = mpsc::channel(1);
        let (told, mut heard) = oneshot::channel();
        let asked = async {
            // Whoever cannot hear signals is stopped, too.
            let _ = told.send(stop.await);
        };
        let ended = self.host.run(self.rows, &mut self.events, &mut requests, asked).await;
        tracing::info!("stopping");
        let links = self.host.into_parts().0.ended();
        // What they tell is taken from them while they end: none may wait for it.
        let discarded = async { while self.events.discard().await {} };
        let last = async {
            tokio::select! { () = links => {}, () = discarded => {} }
        };
        // Who has not said goodbye by then is heard no more anyway.
        let _ = timeout(LAST_LINKS, last).await;
        self.serving.abort();
        heard.try_recv().unwrap_or(Ok(()))?;
        Ok(ended?)
    }
}

/// Says who and where the peer is.
fn ready(key: &SecretKey, chain: ChainId, metrics: SocketAddr) -> serde_json::Value {
    json!({
        "ready": "peer",
        "peer": key.public().to_string(),
        "address": address::to_text(&Address::of(&key.public())),
        "chain": chain.0.to_hex(),
        "metrics": format!("http://{metrics}/metrics"),
        "status": format!("http://{metrics}/status"),
    })
}

impl Options {
    fn chain(&self) -> anyhow::Result<ChainId> {
        match (self.chain, &self.chain_file) {
            (Some(chain), _) => Ok(chain),
            (None, Some(file)) => Ok(chain_file::read(file)?.chain_id()),
            (None, None) => anyhow::bail!("give --chain or --chain-file"),
        }
    }

    const fn terms(&self) -> Terms {
        Terms {
            is_enabled: true,
            rate: self.upload_rate,
            total: self.upload_total,
            monthly: self.upload_monthly,
            // A machine that is lent has no such surroundings.
            on_metered: true,
            while_saving_power: true,
        }
    }

    fn config(
        &self,
        key: SecretKey,
        chain: ChainId,
        upload: UploadPolicy,
    ) -> anyhow::Result<Config> {
        let trackers = self.trackers.join(" ");
        Ok(Config {
            key,
            chain,
            anchor: Anchor::Genesis,
            node: self.node.trim_end_matches('/').to_owned(),
            witnesses: self.witnesses.clone(),
            skipping: Skipping::Off,
            publisher: self.publisher,
            tracker: Some(trackers).filter(|urls| !urls.is_empty()),
            cache_limit: usize::try_from(self.cache).context("--cache")?,
            max_links: self.max_peers.into(),
            upload,
            has_tower: false,
        })
    }

    fn rtc(&self) -> RtcOptions {
        let server = |url: &String| RTCIceServer {
            urls: vec![url.clone()],
            username: self.ice_user.clone(),
            credential: self.ice_password.clone(),
        };
        RtcOptions {
            listen: self.listen.clone(),
            external: self.external.clone(),
            servers: self.ice.iter().map(server).collect(),
            is_relay_only: false,
        }
    }
}
