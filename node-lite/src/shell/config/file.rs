//! The configuration file. Every key may be left out; a key that nobody knows is refused, for it is a mistake.

use super::{Beginning, BlockName, ConfigError};
use crate::shell::{dev::parse_duration, log::Format, store::Keep};
use libp2p::Multiaddr;
use serde::{Deserialize, Deserializer};
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

/// What a file may say.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct File {
    pub(super) data: Option<PathBuf>,
    pub(super) chain: Option<PathBuf>,
    pub(super) listen: Option<Vec<Multiaddr>>,
    pub(super) external: Option<Vec<Multiaddr>>,
    pub(super) dial: Option<Vec<String>>,
    pub(super) rpc: Option<SocketAddr>,
    pub(super) metrics: Option<SocketAddr>,
    #[serde(deserialize_with = "duration")]
    pub(super) delta: Option<Duration>,
    pub(super) faucet: Option<PathBuf>,
    pub(super) tower: Option<bool>,
    pub(super) max_incoming: Option<u32>,
    pub(super) max_outgoing: Option<u32>,
    pub(super) enough_neighbours: Option<u32>,
    pub(super) messages_per_second: Option<u32>,
    pub(super) kib_per_second: Option<u32>,
    #[serde(deserialize_with = "text")]
    pub(super) keep: Option<Keep>,
    #[serde(deserialize_with = "text")]
    pub(super) sync: Option<Beginning>,
    pub(super) snapshot: Option<PathBuf>,
    #[serde(deserialize_with = "block")]
    pub(super) trust: Option<BlockName>,
    pub(super) sync_range_kib: Option<u32>,
    pub(super) log: Option<String>,
    pub(super) log_format: Option<Format>,
}

fn duration<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Duration>, D::Error> {
    let text = String::deserialize(from)?;
    parse_duration(&text).map(Some).map_err(serde::de::Error::custom)
}

fn text<'de, D: Deserializer<'de>, T: FromStr<Err: std::fmt::Display>>(
    from: D,
) -> Result<Option<T>, D::Error> {
    String::deserialize(from)?.parse().map(Some).map_err(serde::de::Error::custom)
}

/// An empty text names no block.
fn block<'de, D: Deserializer<'de>>(from: D) -> Result<Option<BlockName>, D::Error> {
    let text = String::deserialize(from)?;
    let name = (!text.is_empty()).then(|| text.parse());
    name.transpose().map_err(serde::de::Error::custom)
}

impl File {
    /// Reads a file. Paths in it are relative to its folder.
    pub(super) fn read(path: &Path) -> Result<Self, ConfigError> {
        let unreadable = |error| ConfigError::Unreadable { path: path.to_owned(), error };
        let text = std::fs::read_to_string(path).map_err(unreadable)?;
        let parsed: Result<Self, _> = toml::from_str(&text);
        let mut file = parsed.map_err(|error| ConfigError::Syntax {
            path: path.to_owned(),
            error: Box::new(error),
        })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let paths = [&mut file.data, &mut file.chain, &mut file.faucet, &mut file.snapshot];
        for path in paths.into_iter().flatten() {
            *path = folder.join(&*path);
        }
        Ok(file)
    }
}

/// Returns a file that says nothing and explains everything.
pub fn template() -> String {
    String::from(
        r#"# A node of Antiphon: `antiphon run --config` this file. What a line says is the default; take away the # to change it.
# Flags and environment variables of the same names go before this file. Paths are relative to this file's folder.

# Folder of keys and database. Default: this file's folder.
# data = "."
# The chain file, the same for all nodes of a chain. Default: chain.toml in the data folder.
# chain = "chain.toml"

# Where other nodes reach this one.
# listen = ["/ip4/0.0.0.0/udp/4600/quic-v1", "/ip4/0.0.0.0/tcp/4600"]
# Addresses to tell others, where those of the machine are not reachable, as behind NAT.
# external = []
# Nodes to dial, each with the id that `antiphon init` printed there. A few are enough: nodes tell each other of others.
# dial = ["/dns4/node.example/udp/4600/quic-v1/p2p/12D3KooW…"]

# Where JSON-RPC and light data are answered. They are public by nature: put a TLS proxy in front to open them to the world.
# rpc = "127.0.0.1:4601"
# Where /metrics, /health and /status are answered. For the keeper of the node.
# metrics = "127.0.0.1:4602"

# Δ: how long a message between nodes may take (A1.15). Chosen here: half a second goes round the world and through gossip.
# delta = "500ms"

# Whether to watch payment fields: members bring sealed states by antiphon_watch, and this node posts them where somebody
# closes with less. The account of keys/account.key pays, and gets its fees back from who closed; it needs some money.
# tower = false

# Connections that others opened, and that this node opened.
# max-incoming = 128
# max-outgoing = 32
# Connections that this node opened below which it looks for more. Those that others opened do not count.
# enough-neighbours = 8
# What is taken from one neighbour in a second; five times as much at once. What is beyond is let go.
# messages-per-second = 2000
# kib-per-second = 8192

# What is kept of the past: "archive" keeps all; "blocks" all blocks and 256 states; a number, such as "1000", so many
# states, and the blocks of the unbonding time.
# keep = "blocks"
# How an empty data folder begins: "blocks" executes every block since genesis; "state" fetches the state of the newest
# final checkpoint, and this node's keys sign nothing until a set that was elected after that has them.
# sync = "blocks"
# The file with the state that the chain begins with, where its chain file has [snapshot]; read at the first start.
# snapshot = "state.snapshot"
# A final checkpoint to trust, where the chain is older than its trusting period: its id, from somebody you trust.
# trust = ""
# KiB of state asked of one neighbour at once.
# sync-range-kib = 1024

# log = "info"
# log-format = "text"
"#,
    )
}
