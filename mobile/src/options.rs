//! What to connect to, and what a device agrees to give away.

use crate::{error::AntiphonError, text::hex_32, ways::Ways};
use antiphon_core::{
    chain::light::{Anchor, Skipping},
    client::{Config, UploadPolicy},
    crypto::{PublicKey, SecretKey},
    id::{BlockId, ChainId},
    peer::swarm::DEFAULT_LINKS,
};
use antiphon_host::{remote::RemoteNode, web};
use std::path::PathBuf;

/// What to connect to; as in a page.
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
    /// What this device gives away.
    #[uniffi(default = None)]
    pub upload: Option<UploadTerms>,
    /// STUN and TURN servers for connections between listeners.
    #[uniffi(default = [])]
    pub ice_servers: Vec<IceServer>,
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
            upload: None,
            ice_servers: Vec::new(),
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

/// What a device gives away. By default all that peers ask for, but not where the network counts bytes or power is short.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Record)]
pub struct UploadTerms {
    /// Whether anything is given.
    #[uniffi(default = true)]
    pub is_enabled: bool,
    /// Bytes a second at most.
    #[uniffi(default = None)]
    pub rate: Option<u64>,
    /// Bytes at most until the client is closed.
    #[uniffi(default = None)]
    pub total: Option<u64>,
    /// Whether to give where the network counts bytes.
    #[uniffi(default = false)]
    pub on_metered: bool,
    /// Whether to give while the device saves power.
    #[uniffi(default = false)]
    pub while_saving_power: bool,
}

/// How the device is at the moment; its own languages know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, uniffi::Record)]
pub struct Surroundings {
    /// The network counts bytes.
    #[uniffi(default = false)]
    pub is_metered: bool,
    /// The device saves power.
    #[uniffi(default = false)]
    pub is_saving_power: bool,
}

impl Default for UploadTerms {
    fn default() -> Self {
        let (on_metered, while_saving_power) = (false, false);
        Self { is_enabled: true, rate: None, total: None, on_metered, while_saving_power }
    }
}

impl UploadTerms {
    /// Returns what the client is told under these surroundings.
    pub(crate) const fn policy(&self, around: Surroundings) -> UploadPolicy {
        let is_dear = around.is_metered && !self.on_metered;
        let is_short = around.is_saving_power && !self.while_saving_power;
        let is_enabled = self.is_enabled && !is_dear && !is_short;
        UploadPolicy { is_enabled, rate: self.rate, total: self.total }
    }
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
            max_links: DEFAULT_LINKS,
            upload: terms.policy(Surroundings::default()),
            has_tower: tower.is_some(),
        };
        Ok(Self {
            chain,
            folder: options.folder.into(),
            node: remote(&node, "node")?,
            tower: tower.map(|tower| remote(&tower, "tower")).transpose()?,
            token: options.token,
            ways: ways(options.ice_servers, &options.listen)?,
            terms,
            config,
        })
    }

    /// Returns the client's configuration under these surroundings.
    pub(crate) fn config(&self, around: Surroundings) -> Config {
        Config { upload: self.terms.policy(around), ..self.config.clone() }
    }
}

fn url(text: &str, field: &str) -> Result<String, AntiphonError> {
    web::parse(text, None).map_err(|_| AntiphonError::invalid(field))?;
    Ok(text.trim_end_matches('/').to_owned())
}

fn ways(servers: Vec<IceServer>, listen: &[String]) -> Result<Ways, AntiphonError> {
    let everywhere = [String::from("0.0.0.0:0")];
    let listen = if listen.is_empty() { &everywhere[..] } else { listen };
    let listen = listen.iter().map(|text| text.parse()).collect::<Result<_, _>>();
    Ok(Ways { listen: listen.map_err(|_| AntiphonError::invalid("listen"))?, servers })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_given_where_bytes_are_counted_or_power_is_short_unless_agreed() {
        let metered = Surroundings { is_metered: true, is_saving_power: false };
        let saving = Surroundings { is_metered: false, is_saving_power: true };
        let terms = UploadTerms::default();
        assert!(terms.policy(Surroundings::default()).is_enabled);
        assert!(!terms.policy(metered).is_enabled && !terms.policy(saving).is_enabled);
        let all = UploadTerms { on_metered: true, while_saving_power: true, ..terms };
        assert!(all.policy(metered).is_enabled && all.policy(saving).is_enabled);
        let none = UploadTerms { is_enabled: false, ..all };
        assert!(!none.policy(Surroundings::default()).is_enabled);
    }

    #[test]
    fn each_option_that_cannot_be_read_is_named() {
        let good = || {
            ConnectOptions::new(String::from("http://127.0.0.1:1/"), "07".repeat(32), String::new())
        };
        let read = |options| Plan::read(options, SecretKey::from_bytes(&[1; 32]));
        let plan = read(good()).unwrap();
        assert_eq!(plan.config(Surroundings::default()).node, "http://127.0.0.1:1");
        let wrong = || Some(String::from("ftp://x"));
        for (field, options) in [
            ("chain", ConnectOptions { chain: String::from("07"), ..good() }),
            ("node", ConnectOptions { node: String::from("node"), ..good() }),
            ("witness", ConnectOptions { witness: wrong(), ..good() }),
            ("tower", ConnectOptions { tower: wrong(), ..good() }),
            ("checkpoint", ConnectOptions { checkpoint: wrong(), ..good() }),
            ("publisher", ConnectOptions { publisher: wrong(), ..good() }),
            ("listen", ConnectOptions { listen: vec![String::from("here")], ..good() }),
        ] {
            assert_eq!(read(options).unwrap_err(), AntiphonError::invalid(field));
        }
    }
}
