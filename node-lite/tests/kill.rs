//! The node is killed with SIGKILL at random moments, 50 times, and must never lose, double or contradict anything.
//!
//! Source: issue 2, test 6; ADVERSARIAL case 7. The moments come from a seed that a failure prints.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "helpers of a test may panic, and its figures are for people"
)]

use antiphon_core::{
    chain::{
        light::{MAX_TIP, Tip},
        spec::{ChainSpec, MAX_SPEC},
    },
    codec,
    id::{BlockId, Height},
};
use antiphon_node::{
    shell::store::Store,
    storage::{Role, Storage},
};
use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

const KILLS: u64 = 50;
const NODES: usize = 7;

#[test]
fn killed_fifty_times_the_network_loses_nothing_and_no_key_signs_twice() {
    let seed = std::env::var("SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(2026_u64);
    println!("SEED={seed}");
    let data = tempfile::tempdir().unwrap();
    let mut random = seed | 1;
    let mut seen: BTreeMap<Height, BlockId> = BTreeMap::new();
    for round in 0..KILLS {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        // From before the first store is open to well into the chain.
        let life = Duration::from_millis(50 + (random >> 33) % 1500);
        let mut node = start(data.path());
        observe(&mut node, life, &mut seen);
        node.kill().unwrap();
        let status = node.wait().unwrap();
        assert!(status.code().is_none(), "round {round}: ended by itself with {status}");
    }
    // One more life, long enough for the nodes to agree on what each had.
    let mut node = start(data.path());
    let before = seen.last_key_value().map_or(Height(0), |(height, _)| *height);
    let patience = Instant::now();
    while seen.last_key_value().is_none_or(|(height, _)| *height < before.plus(20)) {
        assert!(patience.elapsed() < Duration::from_secs(60), "the chain goes on after {before}");
        observe(&mut node, Duration::from_millis(500), &mut seen);
    }
    node.kill().unwrap();
    node.wait().unwrap();
    check(data.path(), &seen);
}

/// Opens every store and compares what it holds with what was seen and with the other stores.
fn check(data: &Path, seen: &BTreeMap<Height, BlockId>) {
    let bytes = std::fs::read(data.join("spec.borsh")).unwrap();
    let spec: ChainSpec = codec::decode(&bytes, MAX_SPEC).unwrap();
    let mut chain: BTreeMap<Height, BlockId> = BTreeMap::new();
    let (mut votes, mut heads) = (0, Vec::new());
    for index in 0..NODES {
        let store = Store::open(&data.join(format!("node-{index}")), &spec).unwrap();
        let head = store.head().unwrap().block.height();
        heads.push(head.0);
        let mut parent = None;
        for height in (0..=head.0).map(Height) {
            let settled = store.settled(height).unwrap().expect("heights are contiguous");
            let header = &settled.block.signed.header;
            assert_eq!((header.height, header.id()), (height, settled.id), "node {index}");
            assert!(parent.is_none_or(|parent| parent == header.parent), "node {index}");
            let agreed = *chain.entry(height).or_insert(settled.id);
            assert_eq!(agreed, settled.id, "node {index} settled another block at {height}");
            parent = Some(settled.id);
        }
        let mut slots: BTreeMap<(Role, u64), BlockId> = BTreeMap::new();
        for signed in store.signatures().unwrap() {
            let first = slots.insert((signed.role, signed.slot), signed.block);
            assert_eq!(first, None, "node {index} signed twice: {signed:?}");
            votes += 1;
        }
        let last = store.newest_certificate().unwrap().expect("checkpoints became final");
        assert!(chain.get(&last.height) == Some(&last.block) || last.height > head);
    }
    for (height, id) in seen {
        assert_eq!(chain.get(height), Some(id), "what was shown as settled at {height} is kept");
    }
    println!("heads {heads:?}, {votes} signatures, {} settled heads seen", seen.len());
    assert!(votes > 100, "the run was long enough to mean something: {votes}");
}

struct Node {
    child: Child,
    address: Option<String>,
    lines: std::sync::mpsc::Receiver<String>,
}

impl Node {
    fn kill(&mut self) -> std::io::Result<()> {
        self.child.kill()
    }

    fn wait(&mut self) -> std::io::Result<std::process::ExitStatus> {
        self.child.wait()
    }
}

fn start(data: &Path) -> Node {
    let mut child = Command::new(env!("CARGO_BIN_EXE_antiphon"))
        .args(["dev", "--block-time", "50ms", "--data"])
        .arg(data.join(""))
        .env("RUST_LOG", "error")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let out = BufReader::new(child.stdout.take().unwrap());
    let (send, lines) = std::sync::mpsc::channel();
    // The pipe ends with the process, and the thread with it.
    std::thread::spawn(move || {
        for line in out.lines().map_while(Result::ok) {
            if send.send(line).is_err() {
                return;
            }
        }
    });
    Node { child, address: None, lines }
}

/// Lets the node live, and notes what it shows as settled.
fn observe(node: &mut Node, life: Duration, seen: &mut BTreeMap<Height, BlockId>) {
    let end = Instant::now() + life;
    while Instant::now() < end {
        if node.address.is_none() {
            let line = node.lines.recv_timeout(end.saturating_duration_since(Instant::now()));
            let Ok(line) = line else { return };
            let ready: serde_json::Value = serde_json::from_str(&line).unwrap();
            let base = ready["base"].as_str().unwrap();
            node.address = Some(base.trim_start_matches("http://").to_owned());
        }
        if let Some(address) = &node.address {
            note_settled(address, seen);
        }
        std::thread::sleep(
            Duration::from_millis(25).min(end.saturating_duration_since(Instant::now())),
        );
    }
}

/// The settled head, by the light files alone: the parent of the certified block that carries its certificate.
fn note_settled(address: &str, seen: &mut BTreeMap<Height, BlockId>) {
    let get = |path: &str| http(address, path);
    let Some(tip) = get("/light/tip").and_then(|b| codec::decode::<Tip>(&b, MAX_TIP).ok()) else {
        return;
    };
    let Some(place) = tip.chain.iter().position(|id| *id == tip.certificate.block) else { return };
    let Some(parent) = place.checked_sub(1).and_then(|place| tip.chain.get(place)) else { return };
    let path = format!("/light/header/{}", tip.certificate.block.0);
    let header = get(&path).and_then(|bytes| {
        codec::decode::<antiphon_core::chain::header::Header>(&bytes, 1 << 20).ok()
    });
    if header.is_some_and(|header| header.hcc.block == *parent && header.parent == *parent) {
        let height = tip.certificate.height.0 - 1;
        let first = *seen.entry(Height(height)).or_insert(*parent);
        assert_eq!(first, *parent, "two blocks were shown as settled at {height}");
    }
}

fn http(address: &str, path: &str) -> Option<Vec<u8>> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(2))).ok()?;
    write!(stream, "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n").ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    let split = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    answer.starts_with(b"HTTP/1.1 200").then(|| answer.split_off(split + 4))
}
