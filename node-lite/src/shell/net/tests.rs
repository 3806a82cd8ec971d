//! Whole nodes in one process, with sockets between them.

use super::{kind::Kind, *};
use crate::{
    guardian::Gossip,
    shell::{
        dev::{Options as DevOptions, keys::Network},
        driver::{Clock, Driver, Mailbox, Watch},
        store::{Keep, Store},
    },
    supernode::{Config, Fault, Supernode},
};
use std::{
    path::Path,
    sync::Mutex,
    thread,
    time::{Duration, Instant},
};

/// What a node's thread shows.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<(u64, Vec<String>)>>);

impl Watch for Seen {
    fn after(&mut self, node: &Supernode<Store>) {
        self.0.lock().unwrap().0 = node.status().finalised.0;
    }

    fn stored(&mut self, _: Duration) {}

    fn fault(&mut self, fault: &Fault) {
        self.0.lock().unwrap().1.push(fault.to_string());
    }
}

/// A2.15 over libp2p: sums go to neighbours that the network has told of, and a checkpoint becomes final by them alone.
#[test]
fn nodes_whose_shares_never_go_to_everybody_finalise_in_rounds() {
    let data = tempfile::tempdir().unwrap();
    let options = DevOptions {
        data: data.path().to_owned(),
        reset: false,
        block_time: Duration::from_millis(200),
        rpc: ([127, 0, 0, 1], 0).into(),
        stake: false,
        unbond: None,
        keep: Keep::default(),
    };
    let network = Network::open(&options).unwrap();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let mut nodes: Vec<Running> = Vec::new();
    for (index, keys) in network.nodes.into_iter().enumerate() {
        let folder = data.path().join(format!("node-{index}"));
        let dial: Vec<_> = nodes
            .iter()
            .map(|node| parse_peer(&node.net.addresses[0].to_string()).unwrap())
            .collect();
        let (validator, guardian) = (keys.validator, Some(keys.guardian));
        let config = |origin_ms| Config {
            spec: network.spec.clone(),
            validator,
            guardian,
            delta: Duration::from_millis(250),
            origin_ms,
            gossip: Gossip { flooded: 0, round: Duration::from_millis(300) },
        };
        nodes.push(runtime.block_on(start(&folder, &network.spec, config, dial)));
    }
    let end = Instant::now() + Duration::from_secs(60);
    while nodes.iter().any(|node| node.seen.0.lock().unwrap().0 < 20) {
        assert!(
            Instant::now() < end,
            "not final: {:?}",
            nodes.iter().map(|n| &n.seen.0).collect::<Vec<_>>()
        );
        thread::sleep(Duration::from_millis(50));
    }
    for node in &nodes {
        assert_eq!(node.metrics.sent(Kind::Share), 0, "a share went to everybody");
        assert!(node.metrics.sent(Kind::Tally) > 0);
        assert_eq!(node.metrics.bans.get(), 0);
    }
    for node in nodes {
        node.handle.stop();
        node.thread.join().unwrap();
        runtime.block_on(node.net.stop());
        let faults = &node.seen.0.lock().unwrap().1;
        assert!(faults.is_empty(), "{faults:?}");
    }
}

struct Running {
    handle: Handle,
    net: Net,
    metrics: Arc<Metrics>,
    thread: thread::JoinHandle<()>,
    seen: Seen,
}

async fn start(
    folder: &Path,
    spec: &antiphon_core::chain::spec::ChainSpec,
    config: impl FnOnce(u64) -> Config,
    dial: Vec<(PeerId, Multiaddr)>,
) -> Running {
    let (clock, mailbox, metrics) =
        (Clock::start(), Mailbox::default(), Arc::new(Metrics::default()));
    let (handle, seen) = (mailbox.handle(), Seen::default());
    let store = Store::open(folder, spec).unwrap();
    let begin = store.start(spec.checkpoint_interval).unwrap();
    let mut first = Vec::new();
    let config = config(clock.origin_ms);
    let node = Supernode::new(clock.now(), config, store.clone(), begin, &mut first).unwrap();
    let options = Options {
        key: Keypair::generate_ed25519(),
        chain: spec.chain_id(),
        listen: vec!["/ip4/127.0.0.1/udp/0/quic-v1".parse().unwrap()],
        external: Vec::new(),
        dial,
        limits: Limits::default(),
    };
    let net = Net::start(options, handle.clone(), metrics.clone()).await.unwrap();
    let driver = Driver { index: 0, node, store, mailbox, carrier: net.carrier(), clock };
    let mut watch = seen.clone();
    let thread = thread::spawn(move || driver.run(first, &mut watch).unwrap());
    Running { handle, net, metrics, thread, seen }
}
