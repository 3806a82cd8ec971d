//! The nodes of a development network, each with its own store and thread, and the server in front of the first.

use super::keys::{Network, NodeKeys};
use crate::{
    guardian::Gossip,
    shell::{
        driver::{Clock, Driver, Handle, Mailbox, Watch, channel::Channels},
        rpc::{self, Context, Published, Running},
        store::{Begin, Keep, Store},
        tower::Watchtower,
    },
    storage::StorageError,
    supernode::{Config, Fault, Supernode},
};
use antiphon_core::{chain::spec::ChainSpec, crypto::SecretKey, wallet::address};
use anyhow::Context as _;
use serde_json::json;
use std::{
    net::SocketAddr,
    path::Path,
    thread::{self, JoinHandle},
    time::Duration,
};
use tokio::sync::{mpsc, watch};

/// Δ is a quarter of the block time within these bounds: threads of one process are near, but may be many on few cores.
const LEAST_DELTA: Duration = Duration::from_millis(50);
const MOST_DELTA: Duration = Duration::from_millis(250);

/// A running network.
#[derive(Debug)]
pub struct Devnet {
    spec: ChainSpec,
    faucet: SecretKey,
    handles: Vec<Handle>,
    threads: Vec<JoinHandle<()>>,
    failures: mpsc::UnboundedReceiver<StorageError>,
    server: Running,
}

/// Starts every node, then the server.
///
/// # Errors
/// A store that cannot be opened, an address that is taken.
pub async fn start(
    data: &Path,
    network: Network,
    (rpc, keep): (SocketAddr, Keep),
) -> anyhow::Result<Devnet> {
    let Network { spec, nodes, faucet } = network;
    let clock = Clock::start();
    let mailboxes: Vec<Mailbox> = nodes.iter().map(|_| Mailbox::default()).collect();
    let handles: Vec<Handle> = mailboxes.iter().map(Mailbox::handle).collect();
    let mut drivers = Vec::new();
    for (index, (keys, mailbox)) in (0_u16..).zip(nodes.into_iter().zip(mailboxes)) {
        let how = (keep, Begin::default());
        let store = Store::open_with(&data.join(format!("node-{index}")), &spec, how)
            .with_context(|| format!("node {index}"))?;
        drivers.push(prepare(&spec, keys, store, mailbox, (index, &handles, clock))?);
    }
    let (report, failures) = mpsc::unbounded_channel();
    let (show, published, front) = match drivers.first() {
        Some((driver, _)) => {
            let (show, published) = watch::channel(Published::of(&driver.node));
            (show, published, driver.store.clone())
        }
        None => anyhow::bail!("a network has a node"),
    };
    // The faucet has enough to watch over everybody's fields.
    let node = handles.first().context("a network has a node")?.clone();
    let tower = Watchtower::open(data, &spec, front.clone(), faucet.clone())?;
    tokio::spawn(tower.clone().run(node.clone(), published.clone()));
    // The port is taken before the first block is made.
    let context = Context {
        chain: spec.chain_id(),
        spec: spec.clone(),
        node,
        store: front,
        published,
        faucet: Some(faucet.clone()),
        tower: Some(tower),
    };
    let server = rpc::serve(rpc, context).await?;
    for (index, handle) in (0_u16..).zip(&handles) {
        let all = 0..u16::try_from(handles.len()).unwrap_or(u16::MAX);
        handle.set_neighbours(all.filter(|other| *other != index).collect());
    }
    let mut threads = Vec::new();
    for (driver, first) in drivers {
        let (show, report) = (show.clone(), report.clone());
        let is_front = driver.index == 0;
        let name = format!("node-{}", driver.index);
        let thread = thread::Builder::new().name(name).spawn(move || {
            let mut watch = Show { front: is_front.then_some(show) };
            if let Err(error) = driver.run(first, &mut watch) {
                // Nobody listens any more when all are being stopped.
                let _ = report.send(error);
            }
        });
        threads.push(thread?);
    }
    Ok(Devnet { spec, faucet, handles, threads, failures, server })
}

fn prepare(
    spec: &ChainSpec,
    keys: NodeKeys,
    store: Store,
    mailbox: Mailbox,
    (index, all, clock): (u16, &[Handle], Clock),
) -> anyhow::Result<(Driver<Channels>, Vec<crate::supernode::Output>)> {
    let start = store.start(spec.checkpoint_interval)?;
    let config = Config {
        spec: spec.clone(),
        validator: keys.validator,
        guardian: Some(keys.guardian),
        delta: Duration::from_millis(spec.block_ms / 4).clamp(LEAST_DELTA, MOST_DELTA),
        origin_ms: clock.origin_ms,
        gossip: Gossip::default(),
    };
    let mut first = Vec::new();
    let node = Supernode::new(clock.now(), config, store.clone(), start, &mut first)?;
    let carrier = Channels { index, all: all.to_vec() };
    Ok((Driver { index, node, store, mailbox, carrier, clock }, first))
}

/// Shows the front node to the server, and the others to nobody.
struct Show {
    front: Option<watch::Sender<Published>>,
}

impl Watch for Show {
    fn after(&mut self, node: &Supernode<Store>) {
        if let Some(show) = &self.front {
            Published::show(show, node);
        }
    }

    fn stored(&mut self, _took: Duration) {}

    fn fault(&mut self, _fault: &Fault) {}
}

impl Devnet {
    /// Returns what a program needs to use the network.
    pub fn ready(&self) -> serde_json::Value {
        json!({
            "chain": self.spec.chain_id().0.to_hex(),
            "rpc": format!("http://{}/rpc", self.server.address),
            "ws": format!("ws://{}/rpc", self.server.address),
            "light": format!("http://{}/light", self.server.address),
            "base": format!("http://{}", self.server.address),
            "blockMs": self.spec.block_ms,
            "validators": self.spec.validators.members.len(),
            "guardians": self.spec.guardians.members.len(),
            "faucet": address::to_text(&antiphon_core::id::Address::of(&self.faucet.public())),
            "pid": std::process::id(),
        })
    }

    /// Returns when a node has failed, with why.
    pub async fn failed(&mut self) -> anyhow::Error {
        match self.failures.recv().await {
            Some(error) => error.into(),
            None => anyhow::anyhow!("every node has ended"),
        }
    }

    /// Stops the server and every node, and waits for them.
    pub async fn stop(self) {
        self.server.stop().await;
        for handle in &self.handles {
            handle.stop();
        }
        for thread in self.threads {
            if thread.join().is_err() {
                tracing::error!("a node's thread panicked");
            }
        }
    }
}
