//! `antiphon stake`: a keeper registers, bonds, lets a part leave and takes it back, each step proven and settled.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of a test may panic"
)]

#[path = "stake/account.rs"]
mod account;

use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

#[test]
fn a_keeper_registers_bonds_unbonds_and_withdraws() {
    let data = tempfile::tempdir().unwrap();
    let chain = Chain::start(&data.path().join("chain"));
    let keeper = data.path().join("keeper");
    let made = run(&["init", "--validator", "--guardian", "--data", keeper.to_str().unwrap()]);
    let public = made.unwrap();
    let owner = public.split("owner = \"").nth(1).unwrap().split('"').next().unwrap();
    let stake = |words: &[&str]| -> Result<Value, String> {
        let common =
            ["--data", keeper.to_str().unwrap(), "--node", &chain.base, "--chain", &chain.id];
        let said = run(&[&["stake"], words, &common].concat())?;
        Ok(serde_json::from_str(&said).unwrap())
    };
    let poor = stake(&["register", "--bond", "10"]).unwrap_err();
    assert!(poor.contains("is needed"), "what is missing is said before anything is sent: {poor}");
    chain.faucet(owner);
    let began = Instant::now();
    while stake(&["show"]).unwrap()["staking"] != "10" {
        assert!(began.elapsed() < Duration::from_secs(30), "the faucet pays nothing");
    }
    let registered = stake(&["register", "--bond", "10"]).unwrap();
    assert_eq!((&registered["isStaker"], &registered["staking"]), (&json!(true), &json!("0")));
    assert_eq!(registered["bonds"][0]["amount"], "10");
    assert!(
        registered["root"].as_str().unwrap().len() == 64,
        "says under which root: {registered}"
    );
    let twice = stake(&["register", "--bond", "10"]).unwrap_err();
    assert!(twice.contains("is needed"), "{twice}");
    let leaving = stake(&["unbond", "--amount", "2.5"]).unwrap();
    let part = &leaving["bonds"][0];
    assert_eq!((&part["amount"], &part["leaving"][0]["amount"]), (&json!("7.5"), &json!("2.5")));
    let until = part["leaving"][0]["until"].as_u64().unwrap();
    let began = Instant::now();
    while stake(&["show"]).unwrap()["height"].as_u64().unwrap() < until {
        assert!(began.elapsed() < Duration::from_secs(60), "the chain stands still");
        std::thread::sleep(Duration::from_millis(300));
    }
    let back = stake(&["withdraw"]).unwrap();
    assert_eq!((&back["staking"], &back["bonds"][0]["leaving"]), (&json!("2.5"), &json!([])));
    let other = stake(&["bond", "--amount", "0.5", "--staker", owner]).unwrap();
    assert_eq!(other["staking"], "2", "{other}");
    let refused = stake(&["unbond", "--amount", "9"]).unwrap_err();
    assert!(refused.contains("the node refused"), "{refused}");
}

/// Runs a subcommand to its end; what it printed, or its complaint.
fn run(words: &[&str]) -> Result<String, String> {
    let done = Command::new(env!("CARGO_BIN_EXE_antiphon")).args(words).output().unwrap();
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    if done.status.success() { Ok(text(&done.stdout)) } else { Err(text(&done.stderr)) }
}

/// A development chain that stakes, in a process of its own.
struct Chain {
    child: Child,
    base: String,
    id: String,
}

impl Chain {
    fn start(data: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_antiphon"));
        command.args(["dev", "--block-time", "100ms", "--stake", "--unbond", "60", "--data"]);
        let mut child =
            command.arg(data).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap();
        let text = |field: &str| ready[field].as_str().unwrap().to_owned();
        Self { child, base: text("base"), id: text("chain") }
    }

    fn faucet(&self, to: &str) {
        let call =
            json!({ "jsonrpc": "2.0", "id": 1, "method": "antiphon_faucet", "params": [to] });
        let (address, body) = (self.base.trim_start_matches("http://"), call.to_string());
        let mut stream = TcpStream::connect(address).unwrap();
        let length = body.len();
        write!(
            stream,
            "POST /rpc HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.contains("result"), "{answer}");
    }
}

impl Drop for Chain {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
