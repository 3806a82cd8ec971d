//! `antiphon run`: one node of a chain, one process.
//!
//! ```text
//! configuration, chain file, keys (locked) --> store --> sockets --> node's thread --> one line of JSON: ready
//! SIGTERM or SIGINT --> last batch durable --> sockets closed --> 0
//! ```

use super::{
    chain_file,
    config::{Options, Settings},
    dev::interrupted,
    driver::{Clock, Driver, Handle, Mailbox},
    http, init,
    keys::{Keys, SecretFile},
    log,
    metrics::{self, Metrics, Observer, View},
    net::{self, Net, NetCarrier},
    rpc::{self, Context, Published, Running},
    store::Store,
};
use crate::{
    guardian,
    storage::StorageError,
    supernode::{Config, Output, Supernode},
};
use antiphon_core::{chain::spec::ChainSpec, crypto::SecretKey, id::ChainId};
use anyhow::Context as _;
use clap::ArgMatches;
use serde_json::json;
use std::{
    io::Write as _,
    net::SocketAddr,
    num::NonZeroUsize,
    sync::Arc,
    thread::{self, JoinHandle},
};
use tokio::{
    sync::{oneshot, watch},
    task::JoinHandle as JoinTask,
};

/// The clock of this machine cannot be right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the clock is {0} s behind the newest block of this chain; set it, and start again")]
pub struct ClockError(u64);

/// Runs the node until asked to stop.
///
/// # Errors
/// Whatever keeps it from starting, in words for a person, or a disk that failed. The numbers are in [`super::exit`].
pub async fn run(options: Options, matches: Option<&ArgMatches>) -> anyhow::Result<()> {
    let (only_print, with_parent) = (options.print_config, options.with_parent);
    let settings = Settings::of(options, matches)?;
    if only_print {
        return Ok(std::io::stdout().write_all(settings.describe().as_bytes())?);
    }
    log::start(&settings.log, settings.log_format).context("the setting `log`")?;
    let mut node = Node::start(settings).await?;
    let stop = interrupted()?;
    http::ready(&node.ready);
    let ended = tokio::select! {
        failed = node.failed() => failed,
        asked = stop => asked,
        () = orphaned(), if with_parent => Ok(()),
    };
    tracing::info!("stopping");
    node.stop().await;
    ended
}

/// Returns when standard input has ended.
async fn orphaned() {
    let (tell, ended) = oneshot::channel();
    // A thread of its own: a read that never ends must not keep the process.
    thread::spawn(move || {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        // Nobody listens if the node ended first.
        let _ = tell.send(());
    });
    let _ = ended.await;
}

/// How the node's thread ends.
type Ending = oneshot::Receiver<Result<(), StorageError>>;

/// A running node.
struct Node {
    ready: serde_json::Value,
    handle: Handle,
    thread: JoinHandle<()>,
    ended: Ending,
    net: Net,
    rpc: Running,
    keeper: Keeper,
    /// Locks on the keys.
    _keys: Vec<SecretFile>,
}

/// A node with everything but the way to others.
struct Prepared {
    spec: ChainSpec,
    keys: Keys,
    store: Store,
    clock: Clock,
}

fn prepare(settings: &Settings) -> anyhow::Result<Prepared> {
    let spec = chain_file::read(&settings.chain)?;
    let keys = Keys::open(&settings.data)?;
    warn_of_strangers(&spec, &keys);
    let folder = || format!("the data folder {}", settings.data.display());
    let store = Store::open(&settings.data, &spec).with_context(folder)?;
    let clock = Clock::start();
    let newest = store.head()?.block.signed.header.time;
    if newest.0 > clock.origin_ms.saturating_add(spec.drift) {
        return Err(ClockError(newest.0.saturating_sub(clock.origin_ms) / 1000).into());
    }
    Ok(Prepared { spec, keys, store, clock })
}

/// A key without a seat only follows; its keeper should know.
fn warn_of_strangers(spec: &ChainSpec, keys: &Keys) {
    let settles = keys.validator.as_ref().map(SecretKey::public);
    if settles.is_some_and(|key| spec.validators.index_of(&key).is_none()) {
        tracing::warn!("the validator's key is not in the chain file's set");
    }
    let finalises = keys.guardian.as_ref().map(antiphon_core::crypto::bls::BlsSecretKey::public);
    if finalises.is_some_and(|key| spec.guardians.members.iter().all(|m| m.key != key)) {
        tracing::warn!("the guardian's key is not in the chain file's set");
    }
}

impl Node {
    async fn start(settings: Settings) -> anyhow::Result<Self> {
        let Prepared { spec, keys, store, clock } = prepare(&settings)?;
        let Keys { network, validator, guardian, locks } = keys;
        let faucet = settings.faucet.as_deref().map(SecretFile::open).transpose()?;
        let alone = validator.is_some() && spec.validators.members.len() == 1;
        let (delta, origin_ms) = (settings.delta, clock.origin_ms);
        let gossip = guardian::Gossip::default();
        let config = Config { spec: spec.clone(), validator, guardian, delta, origin_ms, gossip };
        let begin = store.start(spec.checkpoint_interval)?;
        let mut first = Vec::new();
        let mut node = Supernode::new(clock.now(), config, store.clone(), begin, &mut first)?;
        node.use_workers(thread::available_parallelism().unwrap_or(NonZeroUsize::MIN));
        let (show, published) = watch::channel(Published::of(&node));
        let (metrics, mailbox) = (Arc::new(Metrics::default()), Mailbox::default());
        let handle = mailbox.handle();
        // All ports are taken before the first word is said.
        let view = View { metrics: metrics.clone(), published: published.clone(), alone };
        let keeper = Keeper::start(settings.metrics, view).await?;
        let context = Context {
            chain: spec.chain_id(),
            spec,
            node: handle.clone(),
            store: store.clone(),
            published,
            faucet: faucet.as_ref().map(|file| SecretKey::from_bytes(&file.bytes)),
        };
        let (chain, block_ms) = (context.chain, context.spec.block_ms);
        let rpc = rpc::serve(settings.rpc, context).await?;
        let options = net::Options {
            key: init::identity(&network)?,
            chain,
            listen: settings.listen,
            external: settings.external,
            dial: settings.dial,
            limits: settings.limits,
        };
        let net = Net::start(options, handle.clone(), metrics.clone()).await?;
        let driver = Driver { index: 0, node, store, mailbox, carrier: net.carrier(), clock };
        let (thread, ended) = spawn(driver, first, Observer::new(show, metrics))?;
        let ready = ready((chain, block_ms), rpc.address, keeper.address, &net);
        let held = locks.into_iter().chain([network]).chain(faucet).collect();
        Ok(Self { ready, handle, thread, ended, net, rpc, keeper, _keys: held })
    }

    /// Returns when the node has ended by itself, with why.
    async fn failed(&mut self) -> anyhow::Result<()> {
        match (&mut self.ended).await {
            Ok(Err(error)) => Err(error).context("the node has stopped without having spoken"),
            Ok(Ok(())) | Err(_) => anyhow::bail!("the node's thread has ended"),
        }
    }

    /// Lets the last batch become durable, then closes every socket.
    async fn stop(self) {
        self.rpc.stop().await;
        self.handle.stop();
        // The thread is in a write of milliseconds, or awake within a second.
        let joined = tokio::task::spawn_blocking(|| self.thread.join()).await;
        if !matches!(joined, Ok(Ok(()))) {
            tracing::error!("the node's thread panicked");
        }
        self.net.stop().await;
        self.keeper.task.abort();
    }
}

/// The server for whoever keeps the node.
struct Keeper {
    address: SocketAddr,
    task: JoinTask<()>,
}

impl Keeper {
    async fn start(address: SocketAddr, view: View) -> anyhow::Result<Self> {
        let (address, server) = http::serve(address, metrics::routes(view)).await?;
        let task = tokio::spawn(async move {
            if let Err(error) = server.await {
                tracing::error!(%error, "the metrics server ended");
            }
        });
        Ok(Self { address, task })
    }
}

/// Says where everything is.
fn ready(
    (chain, block_ms): (ChainId, u64),
    rpc: SocketAddr,
    keeper: SocketAddr,
    net: &Net,
) -> serde_json::Value {
    json!({
        "chain": chain.0.to_hex(),
        "rpc": format!("http://{rpc}/rpc"),
        "ws": format!("ws://{rpc}/rpc"),
        "light": format!("http://{rpc}/light"),
        "base": format!("http://{rpc}"),
        "metrics": format!("http://{keeper}/metrics"),
        "status": format!("http://{keeper}/status"),
        "listen": net.addresses,
        "blockMs": block_ms,
        "pid": std::process::id(),
    })
}

/// Starts the node's thread.
fn spawn(
    driver: Driver<NetCarrier>,
    first: Vec<Output>,
    mut observer: Observer,
) -> anyhow::Result<(JoinHandle<()>, Ending)> {
    let (report, ended) = oneshot::channel();
    let thread = thread::Builder::new().name(String::from("node")).spawn(move || {
        // Nobody listens any more when the process is being stopped.
        let _ = report.send(driver.run(first, &mut observer));
    })?;
    Ok((thread, ended))
}
