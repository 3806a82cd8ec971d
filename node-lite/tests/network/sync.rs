//! A node joins a chain with many accounts without a block of its past, and is killed on the way.

use crate::node::{Node, PATIENCE, bytes, genesis, hear, init, listens, run, until};
use antiphon_core::{id::Address, wallet::address};
use std::{
    fmt::Write as _,
    fs::OpenOptions,
    io::Write as _,
    path::Path,
    process::{Child, Command, Stdio},
};

/// Accounts at genesis: of the smallest ranges, hundreds.
const ACCOUNTS: u32 = 3000;
/// Ranges after which the node is killed.
const ENOUGH: usize = 20;

/// Gives many addresses something to own from the start.
fn endow(chain: &Path) {
    let mut rows = String::new();
    for n in 0..ACCOUNTS {
        let mut raw = [7; 20];
        raw[..4].copy_from_slice(&n.to_le_bytes());
        let to = address::to_text(&Address(raw));
        write!(rows, "\n[[account]]\naddress = \"{to}\"\nstaking = \"0\"\noperational = \"{n}\"\n")
            .unwrap();
    }
    let mut file = OpenOptions::new().append(true).open(chain).unwrap();
    file.write_all(rows.as_bytes()).unwrap();
}

/// A process that is killed when it goes out of scope.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Lets a node sync until so many ranges are on its disk, and kills it.
fn kill_in_the_middle(command: &mut Command) {
    command.env("RUST_LOG", "antiphon_node=debug").stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = Killed(command.stdin(Stdio::null()).spawn().unwrap());
    let heard = hear(child.0.stderr.take().unwrap());
    let mut said = Vec::new();
    let is_range = |line: &String| line.contains("range rows=");
    while said.iter().filter(|line| is_range(line)).count() < ENOUGH {
        let line = heard.recv_timeout(PATIENCE);
        said.push(line.unwrap_or_else(|_| panic!("it says no more: {said:?}")));
    }
}

#[test]
fn a_node_that_has_only_the_chain_file_takes_the_state_over_killed_in_the_middle_or_not() {
    let data = tempfile::tempdir().unwrap();
    let folder = |name: &str| data.path().join(name);
    let part = init(&folder("first"), &["--validator", "--guardian"]);
    let chain = genesis(data.path().join("chain.toml"), &[part]);
    endow(&chain);
    let first = Node::start(&mut run(&folder("first"), &chain, &[]));
    let dial = listens(&first.ready);
    init(&folder("second"), &[]);
    let second = Node::start(&mut run(&folder("second"), &chain, &[&dial]));
    let other = listens(&second.ready);
    until("the chain is old enough", || {
        second.status().filter(|status| status["final"].as_u64() >= Some(24))
    });
    init(&folder("third"), &[]);
    let joining = || {
        let mut command = run(&folder("third"), &chain, &[&dial, &other]);
        command.args(["--sync", "state", "--sync-range-kib", "8", "--keep", "64"]);
        command
    };
    kill_in_the_middle(&mut joining());
    let mut again = joining();
    again.env("RUST_LOG", "antiphon_node=info").stderr(Stdio::piped());
    let (third, said) = Node::start_and_hear(&mut again);
    let resumed = said.iter().find(|line| line.contains("goes on with the ranges")).unwrap();
    let held: usize = resumed.rsplit("held=").next().unwrap().trim().parse().unwrap();
    assert!(held >= ENOUGH, "{resumed}");
    assert!(said.iter().any(|line| line.contains("state synced")), "{said:?}");
    // It goes on from the checkpoint, and has nothing below it.
    let height = first.status().unwrap()["settled"].as_u64().unwrap();
    until("it follows", || {
        third.status().filter(|status| {
            status["settled"].as_u64() > Some(height + 8) && status["final"].as_u64() > Some(height)
        })
    });
    let early = |node: &Node| bytes(&format!("{}/final/8", node.text("light")));
    assert!(early(&second).is_some_and(|file| !file.is_empty()));
    assert_eq!(early(&third).unwrap_or_default(), b"", "no block was replayed");
    for node in [third, second, first] {
        assert_eq!(node.terminate().code(), Some(0));
    }
}
