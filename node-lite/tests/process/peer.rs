//! Native peers over real data channels on loopback: they carry, pay and are paid, keep their limits, and drop who lies.

use crate::host::{Process, get, output, refusal};
use antiphon_core::{
    chain::light::{Anchor, Skipping},
    client::{Client, Config, UploadPolicy},
    crypto::{Hash, SecretKey},
    delivery::sharing::{Sharing, Surroundings, Terms},
    id::ChainId,
    peer::{LinkId, swarm::DEFAULT_LINKS},
};
use antiphon_host::{
    desk::{Desk, Means},
    disk::Disk,
    errands::Errands,
    events,
    giving::Giving,
    links::{LinkEvent, Links, RtcLinks, RtcOptions},
    remote::RemoteNode,
    run::Host,
    socket::Socket,
    tuner::Tuner,
    web::Web,
};
use antiphon_node::{
    peer::steward::{Policy, Steward},
    shell::peer::{ROWS, keeper::Watchman},
};
use serde_json::Value;
use std::{
    path::Path,
    sync::Arc,
    thread::sleep,
    time::{Duration, Instant},
};
use tempfile::TempDir;
use tokio::{runtime::Runtime, sync::mpsc, task::JoinHandle};

/// How long anything may take here. Chosen here: several times what it takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(90);
/// A chain that does not exist: what costs nothing needs none.
const NOWHERE: &str = "0707070707070707070707070707070707070707070707070707070707070707";

#[test]
fn two_peers_carry_for_each_other_one_pays_and_what_it_paid_outlives_a_kill() {
    let stream = Stream::with_chain("0.0001");
    let earning = stream.folder();
    let first = stream.peer(earning.path(), &[]);
    until("the first has the stream", || shown(&first)["cached"].as_u64() > Some(50_000));
    let spending = stream.folder();
    let second = stream.peer(spending.path(), &["--deposit", "1", "--faucet"]);
    until("the second takes and pays", || {
        number(&shown(&second)["vouchersOut"]) > 0
            && shown(&second)["fromPeers"].as_u64() > Some(50_000)
    });
    assert_eq!(shown(&second)["bad"], 0);
    // The payer says goodbye and hands over its last voucher.
    assert!(second.stop(), "it ends with 0 when it is asked to");
    until("all that was served is paid", || {
        let shown = shown(&first);
        let served = u128::from(shown["chunksServed"].as_u64().unwrap());
        shown["peers"] == 0 && served > 0 && number(&shown["vouchersIn"]) == served * 10_000
    });
    let held = shown(&first)["vouchersIn"].clone();
    // Ticks are shown as soon as they count, and are durable when the disk has taken them.
    sleep(Duration::from_secs(2));
    first.kill();
    let first = stream.peer(earning.path(), &[]);
    until("the chain is known again", || number(&shown(&first)["vouchersIn"]) > 0);
    assert_eq!(shown(&first)["vouchersIn"], held, "what was held was on the disk");
    let in_use = stream.refused(earning.path());
    assert!(in_use.contains("in use by another process"), "{in_use}");
}

#[test]
fn caps_of_bytes_rate_cache_and_links_hold() {
    let stream = Stream::free();
    let folder = stream.folder();
    let cap = 200_000;
    let limits = ["--upload-total", "200000", "--cache", "400KiB", "--max-peers", "1"];
    let giver = stream.peer(folder.path(), &limits);
    until("the giver has the stream", || shown(&giver)["cached"].as_u64() > Some(50_000));
    let takers: Vec<_> = [(); 2].map(|()| stream.folder()).into_iter().collect();
    let takers: Vec<_> = takers.iter().map(|folder| stream.peer(folder.path(), &[])).collect();
    until("it has given all that it may, or nearly", || {
        let shown = shown(&giver);
        assert!(shown["toPeers"].as_u64() <= Some(cap), "{shown}");
        assert!(shown["cached"].as_u64() <= Some(400 << 10), "{shown}");
        assert!(shown["peers"].as_u64() <= Some(1), "{shown}");
        shown["toPeers"].as_u64() > Some(cap - 16_384) && shown["cached"].as_u64() > Some(250_000)
    });
    until("the others find each other, and go on", || {
        takers.iter().any(|taker| shown(taker)["fromPeers"].as_u64() > Some(cap))
    });
    assert!(shown(&giver)["toPeers"].as_u64() <= Some(cap));
}

#[test]
fn a_cap_by_month_holds_over_a_kill_and_who_is_stopped_leaves_what_it_did_not_give() {
    let stream = Stream::free();
    let folder = stream.folder();
    let cap = 200_000;
    let start = || {
        let giver = stream.peer(folder.path(), &["--upload-monthly", "200000"]);
        until("it has the stream", || shown(&giver)["cached"].as_u64() > Some(50_000));
        giver
    };
    let month = |giver: &Process| shown(giver)["toPeersThisMonth"].as_u64();
    assert!(start().stop(), "it ends with 0 when it is asked to");
    let giver = start();
    assert_eq!((month(&giver), &shown(&giver)["isGiving"]), (Some(0), &Value::Bool(true)));
    let taking = stream.folder();
    let taker = stream.peer(taking.path(), &[]);
    until("it has given all that it may, or nearly", || {
        assert!(month(&giver) <= Some(cap), "{}", shown(&giver));
        month(&giver) > Some(cap - 16_384)
    });
    giver.kill();
    // It would notice that its neighbour is gone, only later.
    taker.kill();
    let giver = start();
    let taker = stream.peer(taking.path(), &[]);
    until("they have met", || shown(&taker)["peers"] == 1);
    sleep(Duration::from_secs(4));
    assert_eq!((month(&giver), &shown(&giver)["isGiving"]), (Some(cap), &Value::Bool(false)));
    let nothing = &Value::from(0);
    assert_eq!((&shown(&giver)["toPeers"], &shown(&taker)["fromPeers"]), (nothing, nothing));
}

#[test]
fn an_upload_rate_holds() {
    let stream = Stream::free();
    let folder = stream.folder();
    let giver = stream.peer(folder.path(), &["--upload-rate", "4KiB"]);
    until("the giver has the stream", || shown(&giver)["cached"].as_u64() > Some(50_000));
    let taking = stream.folder();
    let began = Instant::now();
    let _taker = stream.peer(taking.path(), &[]);
    until("some went, little by little", || {
        let given = shown(&giver)["toPeers"].as_u64().unwrap();
        // What it saved up before counts once: two chunks' worth.
        let most = 4096 * (began.elapsed().as_secs() + 1) + 32_768;
        assert!(given <= most, "{given} bytes in {:?}", began.elapsed());
        given > 49_152
    });
}

/// What a foe says in place of a message.
type Lie = fn(Vec<u8>) -> Vec<u8>;

/// Who sends other things over its data channels than its client says.
struct Foul {
    inner: RtcLinks,
    lie: Lie,
}

impl Links for Foul {
    fn create(&mut self, link: LinkId, offer: Option<String>) {
        self.inner.create(link, offer);
    }

    fn accept(&mut self, link: LinkId, answer: String) {
        self.inner.accept(link, answer);
    }

    fn add(&mut self, link: LinkId, lines: String) {
        self.inner.add(link, lines);
    }

    fn send(&mut self, link: LinkId, message: Vec<u8>) {
        self.inner.send(link, (self.lie)(message));
    }

    fn close(&mut self, link: LinkId) {
        self.inner.close(link);
    }
}

/// No frame at all, in as many bytes.
fn garbage(message: Vec<u8>) -> Vec<u8> {
    vec![0xFF; message.len()]
}

/// More than a message may hold.
fn endless(_: Vec<u8>) -> Vec<u8> {
    vec![0; 60_000]
}

/// One bit of each chunk is another one.
fn altered(mut message: Vec<u8>) -> Vec<u8> {
    let middle = message.len() / 2;
    if message.len() > 4096 {
        message[middle] ^= 1;
    }
    message
}

#[test]
fn a_foe_that_sends_garbage_is_banned_for_it() {
    drops("frame/bad-length", garbage, |victim| {
        assert_eq!(victim["fromPeers"], 0);
        assert_eq!(victim["peers"], 0);
    });
}

#[test]
fn a_foe_that_sends_longer_messages_than_there_are_is_banned_for_it() {
    drops("frame/long-message", endless, |victim| assert_eq!(victim["peers"], 0));
}

#[test]
fn a_foe_that_alters_chunks_is_banned_for_the_first_and_nothing_of_it_is_kept() {
    drops("peer/bad-chunk", altered, |victim| {
        assert_eq!(victim["bad"], 1, "one is enough");
        assert_eq!(victim["fromPeers"], 0);
        assert_eq!(victim["peers"], 0);
    });
}

/// Lets a foe meet a native peer, which must ban it for this reason and go on with the stream.
fn drops(reason: &str, lie: Lie, check: impl Fn(&Value)) {
    let stream = Stream::free();
    let runtime = Runtime::new().unwrap();
    let foe = Foe::start(&runtime, &stream, lie);
    sleep(Duration::from_secs(3));
    let folder = stream.folder();
    let victim = stream.peer(folder.path(), &[]);
    let banned = format!("antiphon_peer_bans_total{{reason=\"{reason}\"}} 1");
    until(&banned, || {
        let metrics = fetched(&victim, "metrics");
        assert!(
            !metrics.contains("bans_total{reason=\"") || metrics.contains(&banned),
            "{metrics}"
        );
        metrics.contains(&banned)
    });
    let before = shown(&victim)["fromOrigin"].as_u64();
    until("the victim goes on", || shown(&victim)["fromOrigin"].as_u64() > before);
    check(&shown(&victim));
    foe.task.abort();
}

/// A peer in this process whose links lie.
struct Foe {
    task: JoinHandle<()>,
    _folder: TempDir,
}

impl Foe {
    fn start(runtime: &Runtime, stream: &Stream, lie: Lie) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (tellers, mut events) = events::events();
        let chain = ChainId(Hash::from_hex(&stream.chain).unwrap());
        let (disk, rows) =
            Disk::open(&folder.path().join(ROWS), chain, tellers.disk.clone()).unwrap();
        let options = RtcOptions {
            listen: vec!["127.0.0.1:0".parse().unwrap()],
            external: Vec::new(),
            servers: Vec::new(),
            is_relay_only: false,
        };
        let client = Client::new(stream.config(chain), [9; 32]);
        let tuner = Tuner::new(stream.url());
        let links: mpsc::Sender<LinkEvent> = tellers.links.clone();
        let means = Means {
            links: Foul { inner: RtcLinks::new(options, links), lie },
            socket: Socket::new(tellers.socket.clone(), None),
            disk,
            errands: Errands::new(
                RemoteNode::new(&stream.node).unwrap(),
                Web::new().unwrap(),
                &tellers,
            ),
        };
        let sharing = Sharing::new(Terms::default(), Surroundings::default(), 0);
        let giving = Giving::new(sharing, Arc::default());
        let keeper = Watchman::new(Steward::new(Policy::default()), giving, Arc::default());
        let mut host = Host::new(Desk::new(client, Some(tuner), means), keeper);
        let task = runtime.spawn(async move {
            let (_nobody, mut requests) = mpsc::channel(1);
            let never = core::future::pending();
            host.run(rows, &mut events, &mut requests, never).await.unwrap();
        });
        Self { task, _folder: folder }
    }
}

#[test]
fn options_that_make_no_sense_are_refused_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    for (option, value, words) in [
        ("--stream", "ftp://origin/live.m3u8", "http:// and https://"),
        ("--node", "node.example", "relative URL"),
        ("--tracker", "https://tracker.example", "ws:// or wss://"),
        ("--publisher", "07", "64 hexadecimal digits"),
        ("--cache", "much", "is not a size"),
        ("--upload-rate", "-1", "is not a size"),
        ("--max-peers", "101", "1..=100"),
        ("--deposit", "0", "nothing is no deposit"),
        ("--listen", "host", "invalid socket address"),
    ] {
        let option = format!("{option}={value}");
        let mut words_of = vec!["peer", "--data", data, "--chain", NOWHERE, &option];
        for given in ["--stream=http://127.0.0.1:1/x", "--node=http://127.0.0.1:1"] {
            if !option.starts_with(&given[..8]) {
                words_of.push(given);
            }
        }
        let said = refusal(&words_of);
        assert!(said.contains(words), "{option}: {said}");
    }
    let said = refusal(&[
        "peer",
        "--data",
        data,
        "--chain",
        NOWHERE,
        "--stream",
        "http://x/y",
        "--node",
        "http://x",
    ]);
    assert!(said.contains("antiphon init"), "{said}");
}

/// A live stream with its tracker, and a chain if it costs something.
struct Stream {
    chain: String,
    node: String,
    publish: Process,
    _tracker: Process,
    _dev: Option<Process>,
    _folder: TempDir,
}

impl Stream {
    fn with_chain(price: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("chain");
        let data = data.to_str().unwrap();
        let dev = Process::start(&["dev", "--block-time", "200ms", "--data", data]);
        let said = |name: &str| dev.ready[name].as_str().unwrap().to_owned();
        let (chain, node) = (said("chain"), said("base"));
        Self::start(folder, (chain, node), Some(dev), price)
    }

    fn free() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let nowhere = (NOWHERE.to_owned(), String::from("http://127.0.0.1:1"));
        Self::start(folder, nowhere, None, "0")
    }

    fn start(
        folder: TempDir,
        (chain, node): (String, String),
        dev: Option<Process>,
        price: &str,
    ) -> Self {
        let tracker = Process::start(&["tracker", "--listen", "127.0.0.1:0"]);
        let sample = format!("{}/../www/sample", env!("CARGO_MANIFEST_DIR"));
        let data = folder.path().join("publish");
        let publish = Process::start(&[
            "publish",
            "--source",
            &sample,
            "--loop",
            "--price",
            price,
            "--chain",
            &chain,
            "--data",
            data.to_str().unwrap(),
            "--tracker",
            tracker.ready["url"].as_str().unwrap(),
        ]);
        Self { chain, node, publish, _tracker: tracker, _dev: dev, _folder: folder }
    }

    fn url(&self) -> String {
        self.publish.ready["url"].as_str().unwrap().to_owned()
    }

    /// Returns a data folder with keys.
    fn folder(&self) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        output(&["init", "--data", folder.path().to_str().unwrap()]);
        folder
    }

    fn peer(&self, folder: &Path, more: &[&str]) -> Process {
        let words = self.words(folder);
        let words: Vec<&str> =
            words.iter().map(String::as_str).chain(more.iter().copied()).collect();
        Process::start(&words)
    }

    fn refused(&self, folder: &Path) -> String {
        let words = self.words(folder);
        refusal(&words.iter().map(String::as_str).collect::<Vec<_>>())
    }

    fn words(&self, folder: &Path) -> Vec<String> {
        let (url, data) = (self.url(), folder.to_str().unwrap().to_owned());
        let words = [
            "peer",
            "--stream",
            &url,
            "--data",
            &data,
            "--node",
            &self.node,
            "--chain",
            &self.chain,
        ];
        words.into_iter().chain(["--listen", "127.0.0.1:0"]).map(str::to_owned).collect()
    }

    fn config(&self, chain: ChainId) -> Config {
        Config {
            key: SecretKey::from_bytes(&[66; 32]),
            chain,
            anchor: Anchor::Genesis,
            node: self.node.clone(),
            witnesses: Vec::new(),
            skipping: Skipping::Off,
            publisher: None,
            tracker: None,
            cache_limit: 16 << 20,
            max_links: DEFAULT_LINKS,
            upload: UploadPolicy { is_enabled: true, rate: None, total: None },
            has_tower: false,
        }
    }
}

fn shown(peer: &Process) -> Value {
    serde_json::from_str(&fetched(peer, "status")).unwrap()
}

/// What a peer shows at the URL that it named so.
fn fetched(peer: &Process, name: &str) -> String {
    let url = peer.ready[name].as_str().unwrap();
    let (address, path) = url.trim_start_matches("http://").split_once('/').unwrap();
    get(address, &format!("/{path}"), "").text().to_owned()
}

/// Reads an amount.
fn number(value: &Value) -> u128 {
    value.as_str().map_or(0, |text| text.parse().unwrap())
}

fn until(what: &str, condition: impl Fn() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < end, "not in time: {what}");
        sleep(Duration::from_millis(100));
    }
}
