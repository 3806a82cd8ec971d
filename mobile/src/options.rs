//! What to connect to, and what a device agrees to give away.

use crate::{error::AntiphonError, sharing::UploadTerms, text::hex_32, ways::Ways};
use antiphon_core::{
    chain::light::{Anchor, Skipping},
    client::{Config, UploadPolicy},
    crypto::{PublicKey, SecretKey},
    id::{BlockId, ChainId},
    peer::swarm::MAX_LINKS,
};
use antiphon_host::{remote::RemoteNode, web};
use std::path::PathBuf;

/// What to connect to.
#[derive(Clone, Debug, uniffi::Record)]
pub struct ConnectOptions {
    /// Base URL of a node. It is asked, never believed.
    pub node: String,
    /// The chain's id, 64 hexadecimal digits: the one thing that is trusted.
    pub chain: String,
    /// A folder of the application alone, for what must outlive it; made if there is none. One account a folder.
    pub folder: String,
    /// Base URL of a node of another operator. Every final checkpoint is compared with what it has.
    #[uniffi(default = None)]
    pub witness: Option<String>,
    /// Id of a final checkpoint to start from, 64 hexadecimal digits. Genesis by default.
    #[uniffi(default = None)]
    pub checkpoint: Option<String>,
    /// The publisher's key, 64 hexadecimal digits. Without it, the key that comes with the playlist is used.
    #[uniffi(default = None)]
    pub publisher: Option<String>,
    /// WebSocket URL of the tracker, or those of several with spaces between. Without it, the one that the signed stream names.
    #[uniffi(default = None)]
    pub tracker: Option<String>,
    /// The publisher's join token, where its tracker asks for one.
    #[uniffi(default = None)]
    pub token: Option<String>,
    /// Base URL of a node that is a watch-tower: it is told each newest state of a payment field.
    #[uniffi(default = None)]
    pub tower: Option<String>,
    /// Verified audio kept for neighbours, in bytes. Four minutes at 256 kbit/s by default.
    #[uniffi(default = 8388608)]
    pub cache_bytes: u64,
    /// Peers to keep links to, 1 to 100.
    #[uniffi(default = 16)]
    pub max_peers: u32,
    /// What this device gives away.
    #[uniffi(default = None)]
    pub upload: Option<UploadTerms>,
    /// STUN and TURN servers for connections between listeners.
    #[uniffi(default = [])]
    pub ice_servers: Vec<IceServer>,
    /// Connects through the TURN servers of `ice_servers` alone, so that no listener learns this one's address.
    #[uniffi(default = false)]
    pub relay_only: bool,
    /// Addresses to bind for peers, such as `192.0.2.7:0`. All of this device by default.
    #[uniffi(default = [])]
    pub listen: Vec<String>,
}

impl ConnectOptions {
    /// Returns those that name what must be named, and leave the rest as it is by default.
    pub const fn new(node: String, chain: String, folder: String) -> Self {
        Self {
            node,
            chain,
            folder,
            witness: None,
            checkpoint: None,
            publisher: None,
            tracker: None,
            token: None,
            tower: None,
            cache_bytes: 8 << 20,
            max_peers: 16,
            upload: None,
            ice_servers: Vec::new(),
            relay_only: false,
            listen: Vec::new(),
        }
    }
}

/// A STUN or TURN server.
#[derive(Clone, Debug, uniffi::Record)]
pub struct IceServer {
    /// Its URL, such as `stun:stun.example:3478`.
    pub url: String,
    /// User name, at a TURN server.
    #[uniffi(default = "")]
    pub username: String,
    /// Password, at a TURN server.
    #[uniffi(default = "")]
    pub credential: String,
}

/// What a client is started with, and started again with.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) chain: ChainId,
    pub(crate) folder: PathBuf,
    pub(crate) node: RemoteNode,
    pub(crate) tower: Option<RemoteNode>,
    pub(crate) token: Option<String>,
    pub(crate) ways: Ways,
    pub(crate) terms: UploadTerms,
    config: Config,
}

impl Plan {
    /// Reads options.
    ///
    /// # Errors
    /// `options/invalid` with the name of the first that cannot be read.
    pub(crate) fn read(options: ConnectOptions, key: SecretKey) -> Result<Self, AntiphonError> {
        let chain = ChainId(hex_32(&options.chain, "chain")?);
        let node = url(&options.node, "node")?;
        let witness = options.witness.as_deref().map(|text| url(text, "witness")).transpose()?;
        let tower = options.tower.as_deref().map(|text| url(text, "tower")).transpose()?;
        let hex = |text: &Option<String>, field| {
            text.as_deref().map(|text| hex_32(text, field)).transpose()
        };
        let checkpoint = hex(&options.checkpoint, "checkpoint")?;
        let publisher = hex(&options.publisher, "publisher")?;
        let terms = options.upload.unwrap_or_default();
        let remote =
            |base: &str, field| RemoteNode::new(base).map_err(|_| AntiphonError::invalid(field));
        let config = Config {
            key,
            chain,
            anchor: checkpoint.map_or(Anchor::Genesis, |block| Anchor::Checkpoint(BlockId(block))),
            node: node.clone(),
            witnesses: witness.into_iter().collect(),
            skipping: Skipping::Off,
            publisher: publisher.map(|key| PublicKey(key.0)),
            tracker: options.tracker,
            cache_limit: usize::try_from(options.cache_bytes)
                .map_err(|_| AntiphonError::invalid("cache_bytes"))?,
            max_links: max_links(options.max_peers)?,
            // Who starts a client says what it may give.
            upload: UploadPolicy { is_enabled: false, rate: None, total: None },
            has_tower: tower.is_some(),
        };
        Ok(Self {
            chain,
            folder: options.folder.into(),
            node: remote(&node, "node")?,
            tower: tower.map(|tower| remote(&tower, "tower")).transpose()?,
            token: options.token,
            ways: ways(options.ice_servers, &options.listen, options.relay_only)?,
            terms,
            config,
        })
    }

    /// Returns the client's configuration, with what it may give from the first.
    pub(crate) fn config(&self, upload: UploadPolicy) -> Config {
        Config { upload, ..self.config.clone() }
    }

    /// Returns the configuration of a client that gives nothing.
    pub(crate) fn idle_config(&self) -> Config {
        self.config.clone()
    }
}

fn url(text: &str, field: &str) -> Result<String, AntiphonError> {
    web::parse(text, None).map_err(|_| AntiphonError::invalid(field))?;
    Ok(text.trim_end_matches('/').to_owned())
}

fn max_links(peers: u32) -> Result<usize, AntiphonError> {
    let links = usize::try_from(peers).ok().filter(|links| (1..=MAX_LINKS).contains(links));
    links.ok_or_else(|| AntiphonError::invalid("max_peers"))
}

fn ways(
    servers: Vec<IceServer>,
    listen: &[String],
    is_relay_only: bool,
) -> Result<Ways, AntiphonError> {
    // The stack speaks with TURN servers by UDP alone.
    let is_relay = |url: &str| url.starts_with("turn:") && !url.ends_with("transport=tcp");
    if is_relay_only && !servers.iter().any(|server| is_relay(&server.url)) {
        return Err(AntiphonError::invalid("relay_only"));
    }
    let everywhere = [String::from("0.0.0.0:0")];
    let listen = if listen.is_empty() { &everywhere[..] } else { listen };
    let listen = listen.iter().map(|text| text.parse()).collect::<Result<_, _>>();
    let listen = listen.map_err(|_| AntiphonError::invalid("listen"))?;
    Ok(Ways { listen, servers, is_relay_only })
}

#[cfg(test)]
mod tests {
    use super::*;
    use antiphon_core::peer::swarm::DEFAULT_LINKS;

    #[test]
    fn each_option_that_cannot_be_read_is_named() {
        let good = || {
            ConnectOptions::new(String::from("http://127.0.0.1:1/"), "07".repeat(32), String::new())
        };
        let read = |options| Plan::read(options, SecretKey::from_bytes(&[1; 32]));
        let plan = read(good()).unwrap();
        let config = plan.idle_config();
        assert_eq!((config.node.as_str(), config.max_links), ("http://127.0.0.1:1", DEFAULT_LINKS));
        assert!(!config.upload.is_enabled);
        let wrong = || Some(String::from("ftp://x"));
        let relayed = |url: &str| {
            let (username, credential) = (String::from("listener"), String::from("secret"));
            let server = IceServer { url: url.to_owned(), username, credential };
            ConnectOptions { ice_servers: vec![server], relay_only: true, ..good() }
        };
        for (field, options) in [
            ("chain", ConnectOptions { chain: String::from("07"), ..good() }),
            ("node", ConnectOptions { node: String::from("node"), ..good() }),
            ("witness", ConnectOptions { witness: wrong(), ..good() }),
            ("tower", ConnectOptions { tower: wrong(), ..good() }),
            ("checkpoint", ConnectOptions { checkpoint: wrong(), ..good() }),
            ("publisher", ConnectOptions { publisher: wrong(), ..good() }),
            ("listen", ConnectOptions { listen: vec![String::from("here")], ..good() }),
            ("max_peers", ConnectOptions { max_peers: 0, ..good() }),
            ("max_peers", ConnectOptions { max_peers: 101, ..good() }),
            ("relay_only", ConnectOptions { relay_only: true, ..good() }),
            ("relay_only", relayed("stun:stun.example")),
            ("relay_only", relayed("turns:turn.example")),
            ("relay_only", relayed("turn:turn.example?transport=tcp")),
        ] {
            assert_eq!(read(options).unwrap_err(), AntiphonError::invalid(field));
        }
        for peers in [1, 100] {
            let plan = read(ConnectOptions { max_peers: peers, ..good() }).unwrap();
            assert_eq!(plan.idle_config().max_links, usize::try_from(peers).unwrap());
        }
        assert!(read(relayed("turn:turn.example:3478?transport=udp")).unwrap().ways.is_relay_only);
    }
}
