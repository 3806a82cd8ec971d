//! A node's configuration: flags over environment over file over defaults, and where each value came from.

mod begin;
mod file;
#[cfg(test)]
mod tests;

pub use begin::{Beginning, BlockName};
pub use file::template;

use super::{
    dev::parse_duration,
    log::Format,
    net::{AddressError, Limits, parse_peer},
    store::Keep,
};
use crate::sync::{MAX_RANGE, MIN_RANGE};
use clap::{ArgMatches, Args, parser::ValueSource};
use file::File;
use libp2p::{Multiaddr, PeerId};
use std::{
    net::SocketAddr,
    ops::RangeInclusive,
    path::{Path, PathBuf},
    time::Duration,
};

/// Runs one node of a chain.
#[derive(Clone, Debug, Default, Args)]
#[command(args_override_self = true)]
pub struct Options {
    /// A TOML file with these settings under the same names; `antiphon init` writes one into the data folder.
    #[arg(long, env = "ANTIPHON_CONFIG")]
    pub config: Option<PathBuf>,
    /// Prints the settings that result, each with its origin, and ends.
    #[arg(long)]
    pub print_config: bool,
    /// Stops when standard input closes, so that the node never outlives whoever started it.
    #[arg(long)]
    pub with_parent: bool,
    /// Folder of keys and database [default: the configuration file's, else antiphon-node]
    #[arg(long, env = "ANTIPHON_DATA")]
    pub data: Option<PathBuf>,
    /// The chain file [default: chain.toml in the data folder]
    #[arg(long, env = "ANTIPHON_CHAIN")]
    pub chain: Option<PathBuf>,
    /// Where other nodes reach this one, as multiaddresses [default: port 4600 over QUIC and TCP]
    #[arg(long, env = "ANTIPHON_LISTEN", value_delimiter = ',')]
    pub listen: Option<Vec<Multiaddr>>,
    /// Addresses to tell others, where those of the machine are not reachable.
    #[arg(long, env = "ANTIPHON_EXTERNAL", value_delimiter = ',')]
    pub external: Option<Vec<Multiaddr>>,
    /// Nodes to dial, each with its /p2p id.
    #[arg(long, env = "ANTIPHON_DIAL", value_delimiter = ',')]
    pub dial: Option<Vec<String>>,
    /// Where JSON-RPC and light data are answered [default: 127.0.0.1:4601]
    #[arg(long, env = "ANTIPHON_RPC")]
    pub rpc: Option<SocketAddr>,
    /// Where metrics, health and status are answered [default: 127.0.0.1:4602]
    #[arg(long, env = "ANTIPHON_METRICS")]
    pub metrics: Option<SocketAddr>,
    /// How long a message between nodes may take, the Δ of A1.15 [default: 500ms]
    #[arg(long, env = "ANTIPHON_DELTA", value_parser = parse_duration)]
    pub delta: Option<Duration>,
    /// Key of an account from which the RPC pays whoever asks. Only for networks that are for testing.
    #[arg(long, env = "ANTIPHON_FAUCET")]
    pub faucet: Option<PathBuf>,
    /// Watches payment fields: takes in sealed states by RPC and posts them where somebody closes with less, paid by the
    /// account of keys/account.key in the data folder [default: false]
    #[arg(long, env = "ANTIPHON_TOWER", num_args = 0..=1, default_missing_value = "true")]
    pub tower: Option<bool>,
    /// Most connections that others opened [default: 128]
    #[arg(long, env = "ANTIPHON_MAX_INCOMING")]
    pub max_incoming: Option<u32>,
    /// Most connections that this node opened [default: 32]
    #[arg(long, env = "ANTIPHON_MAX_OUTGOING")]
    pub max_outgoing: Option<u32>,
    /// Connections that this node opened below which it looks for more [default: 8]
    #[arg(long, env = "ANTIPHON_ENOUGH_NEIGHBOURS")]
    pub enough_neighbours: Option<u32>,
    /// Messages a second taken from one neighbour [default: 2000]
    #[arg(long, env = "ANTIPHON_MESSAGES_PER_SECOND")]
    pub messages_per_second: Option<u32>,
    /// KiB a second taken from one neighbour [default: 8192]
    #[arg(long, env = "ANTIPHON_KIB_PER_SECOND")]
    pub kib_per_second: Option<u32>,
    /// What is kept of the past: `archive`, `blocks` (and 256 states), or a number of states [default: blocks]
    #[arg(long, env = "ANTIPHON_KEEP")]
    pub keep: Option<Keep>,
    /// How an empty data folder begins: with `blocks` from genesis, or with the `state` of a final checkpoint [default: blocks]
    #[arg(long, env = "ANTIPHON_SYNC")]
    pub sync: Option<Beginning>,
    /// The file with the state that the chain begins with, where its chain file names a snapshot. Read at the first start.
    #[arg(long, env = "ANTIPHON_SNAPSHOT")]
    pub snapshot: Option<PathBuf>,
    /// Id of a final checkpoint to trust, younger than the chain's trusting period; else the chain file's sets are trusted.
    #[arg(long, env = "ANTIPHON_TRUST")]
    pub trust: Option<BlockName>,
    /// KiB of state asked of one neighbour at once [default: 1024]
    #[arg(long, env = "ANTIPHON_SYNC_RANGE_KIB")]
    pub sync_range_kib: Option<u32>,
    /// What is logged, such as `info` or `warn,antiphon_node=debug` [default: info]
    #[arg(long, env = "RUST_LOG")]
    pub log: Option<String>,
    /// How a line of the log looks [default: text]
    #[arg(long, env = "ANTIPHON_LOG_FORMAT")]
    pub log_format: Option<Format>,
}

/// Why a configuration is refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{path}: {error}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// The file is no TOML, or has a key that nobody knows, or a value of the wrong kind. The text names the line.
    #[error("{path}: {error}")]
    Syntax {
        /// The file.
        path: PathBuf,
        /// What the parser said.
        error: Box<toml::de::Error>,
    },
    /// An address to dial is none.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// A number is out of its range.
    #[error("{name} is {value}, and must be from {least} to {most}")]
    OutOfRange {
        /// The setting.
        name: &'static str,
        /// What it is.
        value: u64,
        /// The least it may be.
        least: u64,
        /// The most.
        most: u64,
    },
}

impl ConfigError {
    /// Returns the stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "config/unreadable",
            Self::Syntax { .. } => "config/syntax",
            Self::Address(_) => "config/address",
            Self::OutOfRange { .. } => "config/out-of-range",
        }
    }
}

/// Where a value came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The command line.
    Flag,
    /// The environment.
    Environment,
    /// The file.
    File,
    /// Nobody said anything.
    Default,
}

/// What a node runs with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Folder of keys and database.
    pub data: PathBuf,
    /// The chain file.
    pub chain: PathBuf,
    /// Where it listens for nodes.
    pub listen: Vec<Multiaddr>,
    /// What it tells others of where it is.
    pub external: Vec<Multiaddr>,
    /// Whom it dials.
    pub dial: Vec<(PeerId, Multiaddr)>,
    /// Where it answers applications.
    pub rpc: SocketAddr,
    /// Where it answers its keeper.
    pub metrics: SocketAddr,
    /// Δ.
    pub delta: Duration,
    /// Key of the faucet.
    pub faucet: Option<PathBuf>,
    /// Whether it watches payment fields.
    pub tower: bool,
    /// How much it takes from others.
    pub limits: Limits,
    /// What it keeps.
    pub keep: Keep,
    /// How an empty folder begins.
    pub sync: Beginning,
    /// The state that it begins with.
    pub snapshot: Option<PathBuf>,
    /// The checkpoint that it trusts.
    pub trust: Option<BlockName>,
    /// KiB of state asked for at once.
    pub sync_range_kib: u32,
    /// What is logged.
    pub log: String,
    /// How.
    pub log_format: Format,
    /// Every setting as text, with its origin.
    pub origins: Vec<(&'static str, String, Origin)>,
}

/// Chooses between what was said where, and remembers it.
struct Chooser<'a> {
    matches: Option<&'a ArgMatches>,
    origins: Vec<(&'static str, String, Origin)>,
}

impl Chooser<'_> {
    fn choose<T>(
        &mut self,
        name: &'static str,
        (given, file, default): (Option<T>, Option<T>, T),
        show: impl Fn(&T) -> String,
    ) -> T {
        let id = name.replace('-', "_");
        let source = self.matches.and_then(|matches| matches.value_source(&id));
        let (value, origin) = match (given, file) {
            (Some(value), _) if source == Some(ValueSource::EnvVariable) => {
                (value, Origin::Environment)
            }
            (Some(value), _) => (value, Origin::Flag),
            (None, Some(value)) => (value, Origin::File),
            (None, None) => (default, Origin::Default),
        };
        self.origins.push((name, show(&value), origin));
        value
    }

    fn number(
        &mut self,
        name: &'static str,
        choice: (Option<u32>, Option<u32>, u32),
        range: RangeInclusive<u32>,
    ) -> Result<u32, ConfigError> {
        let value = self.choose(name, choice, u32::to_string);
        if range.contains(&value) {
            return Ok(value);
        }
        let (value, least) = (u64::from(value), u64::from(*range.start()));
        Err(ConfigError::OutOfRange { name, value, least, most: u64::from(*range.end()) })
    }
}

impl Settings {
    /// Settles what a node runs with. `matches` tell flags from environment.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn of(given: Options, matches: Option<&ArgMatches>) -> Result<Self, ConfigError> {
        let file = given.config.as_deref().map(File::read).transpose()?.unwrap_or_default();
        let folder = given.config.as_deref().and_then(Path::parent).map(Path::to_owned);
        let home = folder.unwrap_or_else(|| PathBuf::from("antiphon-node"));
        let mut choose = Chooser { matches, origins: Vec::new() };
        let limits = limits(&mut choose, &given, &file)?;
        let path = |path: &PathBuf| quoted(path.display());
        let place = |address: &SocketAddr| quoted(address);
        let places = |list: &Vec<Multiaddr>| listed(list);
        let data = choose.choose("data", (given.data, file.data, home), path);
        let chain = (given.chain, file.chain, data.join("chain.toml"));
        let chain = choose.choose("chain", chain, path);
        let listen = (given.listen, file.listen, default_listen());
        let listen = choose.choose("listen", listen, places);
        let external = (given.external, file.external, Vec::new());
        let external = choose.choose("external", external, places);
        let dial = (given.dial, file.dial, Vec::new());
        let dial = choose.choose("dial", dial, |list| listed(list));
        let dial = dial.iter().map(|text| parse_peer(text)).collect::<Result<_, _>>()?;
        let local = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let rpc = choose.choose("rpc", (given.rpc, file.rpc, local(4601)), place);
        let metrics = choose.choose("metrics", (given.metrics, file.metrics, local(4602)), place);
        let delta = (given.delta, file.delta, Duration::from_millis(500));
        let delta =
            choose.choose("delta", delta, |delta| quoted(format!("{}ms", delta.as_millis())));
        let faucet = (given.faucet.map(Some), file.faucet.map(Some), None);
        let faucet = choose.choose("faucet", faucet, |found: &Option<PathBuf>| {
            found.as_ref().map_or_else(|| quoted(""), path)
        });
        let tower = choose.choose("tower", (given.tower, file.tower, false), bool::to_string);
        let keep = choose.choose("keep", (given.keep, file.keep, Keep::default()), quoted_ref);
        let sync = choose.choose("sync", (given.sync, file.sync, Beginning::default()), quoted_ref);
        let snapshot = (given.snapshot.map(Some), file.snapshot.map(Some), None);
        let snapshot = choose.choose("snapshot", snapshot, |found: &Option<PathBuf>| {
            found.as_ref().map_or_else(|| quoted(""), path)
        });
        let trust = (given.trust.map(Some), file.trust.map(Some), None);
        let trust = choose.choose("trust", trust, |found: &Option<BlockName>| {
            found.as_ref().map_or_else(|| quoted(""), quoted_ref)
        });
        let range = (given.sync_range_kib, file.sync_range_kib, MAX_RANGE / 1024);
        let kib = MIN_RANGE / 1024..=MAX_RANGE / 1024;
        let sync_range_kib = choose.number("sync-range-kib", range, kib)?;
        let log = (given.log.filter(|text| !text.is_empty()), file.log, String::from("info"));
        let log = choose.choose("log", log, |log| quoted(log));
        let log_format = (given.log_format, file.log_format, Format::Text);
        let log_format = choose.choose("log-format", log_format, |format| quoted(format.name()));
        let origins = choose.origins;
        Ok(Self {
            data,
            chain,
            listen,
            external,
            dial,
            rpc,
            metrics,
            delta,
            faucet,
            tower,
            limits,
            keep,
            sync,
            snapshot,
            trust,
            sync_range_kib,
            log,
            log_format,
            origins,
        })
    }

    /// Returns the settings as TOML, each with its origin as a comment.
    pub fn describe(&self) -> String {
        let line = |(name, value, origin): &(&str, String, Origin)| {
            let origin = match origin {
                Origin::Flag => "flag",
                Origin::Environment => "environment",
                Origin::File => "file",
                Origin::Default => "default",
            };
            // TOML has no way to say that there is none.
            let comment = if value == "\"\"" { "# " } else { "" };
            format!("{comment}{name} = {value}  # {origin}\n")
        };
        self.origins.iter().map(line).collect()
    }
}

fn limits(choose: &mut Chooser<'_>, given: &Options, file: &File) -> Result<Limits, ConfigError> {
    let default = Limits::default();
    let incoming = (given.max_incoming, file.max_incoming, default.max_incoming);
    let outgoing = (given.max_outgoing, file.max_outgoing, default.max_outgoing);
    let enough = (given.enough_neighbours, file.enough_neighbours, default.enough);
    let messages =
        (given.messages_per_second, file.messages_per_second, default.messages_per_second);
    let kib = (given.kib_per_second, file.kib_per_second, default.kib_per_second);
    Ok(Limits {
        // Together below what can be numbered.
        max_incoming: choose.number("max-incoming", incoming, 1..=400)?,
        max_outgoing: choose.number("max-outgoing", outgoing, 1..=100)?,
        enough: choose.number("enough-neighbours", enough, 1..=100)?,
        messages_per_second: choose.number("messages-per-second", messages, 100..=1_000_000)?,
        // Five times the least is more than the longest message.
        kib_per_second: choose.number("kib-per-second", kib, 512..=1_000_000)?,
    })
}

fn default_listen() -> Vec<Multiaddr> {
    use libp2p::multiaddr::Protocol::{Ip4, QuicV1, Tcp, Udp};
    let any = || Multiaddr::empty().with(Ip4([0, 0, 0, 0].into()));
    vec![any().with(Udp(4600)).with(QuicV1), any().with(Tcp(4600))]
}

fn quoted_ref(text: &impl ToString) -> String {
    quoted(text.to_string())
}

fn quoted(text: impl ToString) -> String {
    toml::Value::String(text.to_string()).to_string()
}

fn listed(list: &[impl ToString]) -> String {
    let list: Vec<_> = list.iter().map(|item| quoted(item.to_string())).collect();
    format!("[{}]", list.join(", "))
}
