//! `antiphon run`: one node of a chain, one process.
//!
//! ```text
//! configuration, chain file, keys (locked) --> store --> sockets --> node's thread --> one line of JSON: ready
//! SIGTERM or SIGINT --> last batch durable --> sockets closed --> 0
//! ```

use super::{
    chain_file,
    config::{Beginning, BlockName, Options, Settings},
    dev::interrupted,
    driver::{self, Clock, Driver, Handle, Mailbox, sync::End},
    http, init,
    keys::{self, Keys, Purpose, SecretFile},
    log,
    metrics::{self, Metrics, Observer, View},
    net::{self, Net, NetCarrier},
    rpc::{self, Context, Published, Running},
    snapshot,
    store::{Begin, OpenError, Store},
    tower::Watchtower,
};
use crate::{
    guardian,
    storage::StorageError,
    supernode::{Config, Output, Supernode},
    sync,
};
use antiphon_core::{
    chain::{light::Anchor, spec::ChainSpec},
    crypto::SecretKey,
    id::ChainId,
};
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
    let stop = interrupted()?;
    tokio::pin!(stop);
    let mut node = tokio::select! {
        started = Node::start(settings) => started?,
        asked = &mut stop => return asked,
    };
    http::ready(&node.ready);
    let ended = tokio::select! {
        failed = node.failed() => failed,
        asked = &mut stop => asked,
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
    let begin = match (settings.sync, &settings.snapshot) {
        (Beginning::Blocks, None) => Begin::Genesis,
        (Beginning::State, _) | (Beginning::Blocks, Some(_)) => Begin::Sync,
    };
    let how = (settings.keep, begin);
    let store = Store::open_with(&settings.data, &spec, how).with_context(folder)?;
    if let Some(file) = &settings.snapshot
        && store.is_syncing()?
    {
        snapshot::begin(&store, &spec, file).with_context(|| file.display().to_string())?;
        tracing::info!(height = spec.genesis_height().0, "begun with the state of the snapshot");
    }
    let clock = Clock::start();
    if !store.is_syncing()? {
        check_clock(&store, &spec, clock)?;
    }
    Ok(Prepared { spec, keys, store, clock })
}

fn check_clock(store: &Store, spec: &ChainSpec, clock: Clock) -> anyhow::Result<()> {
    let newest = store.head()?.block.signed.header.time;
    let wall = clock.origin_ms.saturating_add(clock.now().as_millis());
    if newest.0 > wall.saturating_add(spec.drift) {
        return Err(ClockError(newest.0.saturating_sub(wall) / 1000).into());
    }
    Ok(())
}

/// Brings an empty store to the newest final checkpoint, on a thread like the node's.
async fn sync_state(
    mut mailbox: Mailbox,
    mut carrier: NetCarrier,
    (store, clock): (Store, Clock),
    (spec, settings): (ChainSpec, &Settings),
) -> anyhow::Result<Mailbox> {
    let trust = settings.trust.map(|BlockName(block)| block);
    let config = sync::Config {
        spec: spec.clone(),
        anchor: trust.map_or(Anchor::Genesis, Anchor::Checkpoint),
        max_range: settings.sync_range_kib.saturating_mul(1024),
        kib_per_second: settings.limits.kib_per_second,
        origin_ms: clock.origin_ms,
    };
    tracing::info!("syncing the state of the newest final checkpoint");
    let work = move || {
        let end = driver::sync::run(&mut mailbox, &mut carrier, (&store, clock), config)?;
        if end == End::Nothing && spec.origin.is_some() {
            return Err(OpenError::NeedsSnapshot.into());
        }
        if end == End::Nothing {
            tracing::info!("the chain has no final checkpoint yet: beginning at genesis");
            store.begin_at_genesis(&spec)?;
        }
        if end == End::Stopped {
            anyhow::bail!("stopped while syncing");
        }
        check_clock(&store, &spec, clock)?;
        Ok(mailbox)
    };
    // A thread that the process need not wait for when it is asked to stop: what was verified is on the disk.
    let (report, ended) = oneshot::channel();
    thread::Builder::new().name(String::from("sync")).spawn(move || {
        // Nobody listens any more when the process is being stopped.
        let _ = report.send(work());
    })?;
    ended.await.context("the sync's thread panicked")?
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
        let account = settings.tower.then(|| keys::path(&settings.data, Purpose::Account));
        let account = account.as_deref().map(SecretFile::open).transpose().context("--tower")?;
        let alone = validator.is_some() && spec.validators.members.len() == 1;
        let (delta, origin_ms) = (settings.delta, clock.origin_ms);
        let (metrics, mut mailbox) = (Arc::new(Metrics::default()), Mailbox::default());
        let handle = mailbox.handle();
        let options = net::Options {
            key: init::identity(&network)?,
            chain: spec.chain_id(),
            listen: settings.listen.clone(),
            external: settings.external.clone(),
            dial: settings.dial.clone(),
            limits: settings.limits,
        };
        let mut early = None;
        if store.is_syncing()? {
            let net = Net::start(options.clone(), handle.clone(), metrics.clone()).await?;
            let at = (store.clone(), clock);
            mailbox = sync_state(mailbox, net.carrier(), at, (spec.clone(), &settings)).await?;
            early = Some(net);
        }
        let gossip = guardian::Gossip::default();
        let config = Config { spec: spec.clone(), validator, guardian, delta, origin_ms, gossip };
        let begin = store.start(spec.checkpoint_interval)?;
        let mut first = Vec::new();
        let mut node = Supernode::new(clock.now(), config, store.clone(), begin, &mut first)?;
        node.use_workers(thread::available_parallelism().unwrap_or(NonZeroUsize::MIN));
        let (show, published) = watch::channel(Published::of(&node));
        // All ports are taken before the first word is said.
        let view = View { metrics: metrics.clone(), published: published.clone(), alone };
        let keeper = Keeper::start(settings.metrics, view).await?;
        let key = account.as_ref().map(|file| SecretKey::from_bytes(&file.bytes));
        let open = |key| Watchtower::open(&settings.data, &spec, store.clone(), key);
        let tower = key.map(open).transpose()?;
        if let Some(tower) = &tower {
            tokio::spawn(tower.clone().run(handle.clone(), published.clone()));
        }
        let context = Context {
            chain: spec.chain_id(),
            spec,
            node: handle.clone(),
            store: store.clone(),
            published,
            faucet: faucet.as_ref().map(|file| SecretKey::from_bytes(&file.bytes)),
            tower,
        };
        let (chain, block_ms) = (context.chain, context.spec.block_ms);
        let rpc = rpc::serve(settings.rpc, context).await?;
        let net = match early {
            Some(net) => net,
            None => Net::start(options, handle.clone(), metrics.clone()).await?,
        };
        let driver = Driver { index: 0, node, store, mailbox, carrier: net.carrier(), clock };
        let (thread, ended) = spawn(driver, first, Observer::new(show, metrics))?;
        let ready = ready((chain, block_ms), rpc.address, keeper.address, &net);
        let held = locks.into_iter().chain([network]).chain(faucet).chain(account).collect();
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
