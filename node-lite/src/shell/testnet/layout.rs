//! What is on the disk of a test network, made where it is missing.

use super::{Child, Options};
use crate::shell::{
    chain_file::{self, DECIMALS, Draft, PublicPart, Staking},
    dev::keys::{secret_file, write_atomically},
    genesis, http, init,
};
use antiphon_core::{amount::Amount, crypto::SecretKey, id::Address, wallet::address};
use anyhow::{Context as _, bail};
use std::path::PathBuf;

/// The chain's name.
const NAME: &str = "antiphon-testnet";
/// What the faucet owns of each token, in whole tokens.
const ENDOWMENT: &str = "1000000000";
/// What each of the first nodes bonds, where stake decides, and what the others do.
const BOND: &str = "2000000";
const HALF_BOND: &str = "1000000";
/// Nodes that the configuration of each names.
const DIALLED: usize = 4;

/// A network as its folder describes it.
#[derive(Debug)]
pub(super) struct Layout {
    data: PathBuf,
    base_port: u16,
    /// The nodes in order.
    pub(super) nodes: Vec<PublicPart>,
    /// Validators and guardians that the chain begins with.
    sets: (usize, usize),
    /// The faucet's address, if there is one.
    pub(super) faucet: Option<String>,
}

impl Layout {
    /// Opens the network, or makes it.
    pub(super) fn open(options: &Options) -> anyhow::Result<Self> {
        if options.stake && options.validators > options.guardians {
            bail!(
                "where stake decides every validator is a guardian; give at least as many --guardians as --validators"
            );
        }
        let count = options.validators.max(options.guardians);
        let parts = (0..count).map(|index| init::make(&keys_of(options, index)));
        let nodes: Vec<PublicPart> = parts.collect::<Result<_, _>>()?;
        let key = options.data.join("faucet.key");
        let chain = options.data.join("chain.toml");
        let faucet = if key.exists() || (options.faucet && !chain.exists()) {
            let secret = SecretKey::from_bytes(&secret_file(&key)?);
            Some(address::to_text(&Address::of(&secret.public())))
        } else {
            None
        };
        if !chain.exists() {
            genesis::make(&chain, &draft(options, &nodes, faucet.as_ref())?)?;
        }
        let sets = check(options)?;
        let layout =
            Self { data: options.data.clone(), base_port: options.base_port, nodes, sets, faucet };
        for index in 0..count {
            layout.configure(index)?;
        }
        Ok(layout)
    }

    pub(super) const fn validators(&self) -> usize {
        self.sets.0
    }

    pub(super) const fn guardians(&self) -> usize {
        self.sets.1
    }

    fn port(&self, index: usize, which: usize) -> anyhow::Result<u16> {
        if self.base_port == 0 {
            return Ok(0);
        }
        let offset = index.saturating_mul(3).saturating_add(which);
        let port = usize::from(self.base_port).saturating_add(offset);
        u16::try_from(port).with_context(|| format!("--base-port: {port} is no port"))
    }

    /// Writes a node's configuration: ports may have changed since the last start.
    fn configure(&self, index: usize) -> anyhow::Result<()> {
        let (port, rpc, metrics) =
            (self.port(index, 0)?, self.port(index, 1)?, self.port(index, 2)?);
        let mut dial = Vec::new();
        for (other, node) in self.nodes.iter().enumerate().take(DIALLED) {
            if self.base_port > 0 && other != index {
                let port = self.port(other, 0)?;
                dial.push(format!("/ip4/127.0.0.1/udp/{port}/quic-v1/p2p/{}", node.peer));
            }
        }
        let listen =
            [format!("/ip4/127.0.0.1/udp/{port}/quic-v1"), format!("/ip4/127.0.0.1/tcp/{port}")];
        let mut text = format!(
            "# Written by `antiphon testnet` at every start.\nchain = \"../chain.toml\"\nlisten = {listen:?}\ndial = {dial:?}\nrpc = \"127.0.0.1:{rpc}\"\nmetrics = \"127.0.0.1:{metrics}\"\n"
        );
        if index == 0 && self.faucet.is_some() {
            text.push_str("faucet = \"../faucet.key\"\n");
        }
        write_atomically(&self.folder(index).join("node.toml"), text.as_bytes())
    }

    fn folder(&self, index: usize) -> PathBuf {
        self.data.join(format!("node-{index}"))
    }

    /// Starts a node's process. `dial` is what the configuration could not know.
    pub(super) fn spawn(&self, index: usize, dial: &[String]) -> anyhow::Result<Child> {
        let dial = if self.base_port == 0 { dial } else { &[] };
        Child::spawn(format!("node-{index}"), &self.folder(index), dial)
    }
}

/// Returns how many validators and guardians the chain begins with, if they are as many as was asked for.
fn check(options: &Options) -> anyhow::Result<(usize, usize)> {
    let spec = chain_file::read(&options.data.join("chain.toml"))?;
    let found = (spec.validators.members.len(), spec.guardians.members.len());
    if found != (options.validators, options.guardians) {
        let (validators, guardians) = found;
        bail!(
            "{} holds a network of {validators} validators and {guardians} guardians; say so with --validators and --guardians, or choose another --data",
            options.data.display()
        );
    }
    Ok(found)
}

fn keys_of(options: &Options, index: usize) -> init::Options {
    init::Options {
        data: options.data.join(format!("node-{index}")),
        name: None,
        chain_name: String::from(NAME),
        // Where stake decides, everybody may be elected.
        validator: options.stake || index < options.validators,
        guardian: index < options.guardians,
        owner: None,
    }
}

/// The first nodes bond twice what the others do, so that they are elected until somebody bonds more.
fn staking(options: &Options, nodes: usize) -> anyhow::Result<Staking> {
    let (more, less) = (Amount::parse(BOND, DECIMALS)?, Amount::parse(HALF_BOND, DECIMALS)?);
    let bond = |index| if index < options.validators { more } else { less };
    let committee = u16::try_from(options.validators)?;
    Ok(Staking { committee, bonds: (0..nodes).map(bond).collect() })
}

fn draft(
    options: &Options,
    nodes: &[PublicPart],
    faucet: Option<&String>,
) -> anyhow::Result<Draft> {
    let endowment = Amount::parse(ENDOWMENT, DECIMALS)?;
    Ok(Draft {
        name: String::from(NAME),
        genesis_time: http::now(),
        block_ms: u64::try_from(options.block_time.as_millis())?,
        checkpoint_interval: options.checkpoint_interval,
        nodes: nodes.to_vec(),
        staking: options.stake.then(|| staking(options, nodes.len())).transpose()?,
        accounts: faucet
            .map(|address| (address.clone(), endowment, endowment))
            .into_iter()
            .collect(),
    })
}
