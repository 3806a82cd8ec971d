//! A chain ends, and another one goes on with its state: by the commands that an operator uses.

use crate::node::{Node, antiphon, bytes, init, listens, run, until};
use antiphon_core::{
    amount::Amount,
    chain::{
        light::{Checkpoint, MAX_CHECKPOINT},
        proof::{MAX_PROOFS, StateProofs, verify_all},
        spec::Token,
        state::{Account, MAX_VALUE, StateKey},
        transaction::{Message, SignedTransaction, Transaction},
    },
    codec::{self, Bounded, Text},
    crypto::{Hash, PublicKey, SecretKey},
    id::{Address, ChainId},
    wallet::address,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// What each of two accounts owns at the start of the old chain, in whole tokens and in smallest units.
const TOKENS: &str = "50";
const UNITS: u128 = 5_000_000_000;
const FEE: u128 = 1000;

fn key(n: u8) -> SecretKey {
    SecretKey::from_bytes(&[n; 32])
}

fn owner(n: u8) -> Address {
    Address::of(&key(n).public())
}

/// Runs a command that must succeed, and returns what it printed.
fn output(command: &mut Command) -> Value {
    let output = command.stdin(Stdio::null()).stderr(Stdio::piped()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Runs a command that must be refused.
fn refused(command: &mut Command, code: i32, what: &str) {
    let output = command.stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert!(said.contains(what), "{said:?} lacks {what:?}");
}

fn call(node: &Node, method: &str, params: &Value) -> Value {
    let url = node.text("rpc");
    let (address, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string();
    let mut stream = TcpStream::connect(address).unwrap();
    let head = format!(
        "POST /{path} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all((head + &body).as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let value: Value = serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
    assert!(value["error"].is_null(), "{answer}");
    value["result"].clone()
}

fn newest_final(node: &Node) -> Checkpoint {
    until("a checkpoint is final", || {
        let height = node.status()?["final"].as_u64().filter(|height| *height > 0)?;
        let file = bytes(&format!("{}/final/{height}", node.text("light")))?;
        codec::decode(&file, MAX_CHECKPOINT).ok()
    })
}

/// Balances under a final root, in the operational token.
fn balances(node: &Node, state_chain: ChainId, owners: &[Address]) -> Vec<u128> {
    let header = newest_final(node).header;
    let keys: Vec<_> = owners.iter().map(|owner| StateKey::account(state_chain, owner)).collect();
    let list: Bounded<StateKey, 64> = Bounded::try_from(keys.clone()).unwrap();
    let params = json!([header.height.0, STANDARD.encode(codec::encode(&list))]);
    let answer = call(node, "antiphon_prove", &params);
    let answer = STANDARD.decode(answer.as_str().unwrap()).unwrap();
    let proofs: StateProofs = codec::decode(&answer, MAX_PROOFS).unwrap();
    let values = verify_all(&proofs, &header.state_root, &keys).unwrap();
    let account = |value: Option<&[u8]>| -> Account {
        value.map(|bytes| codec::decode(bytes, MAX_VALUE).unwrap()).unwrap_or_default()
    };
    values.into_iter().map(|value| account(value).balance(Token::Operational).units()).collect()
}

/// Sends units from one account to another, and waits until that is final.
fn pay(node: &Node, (from, to): (u8, u8), sequence: u64, units: u128) {
    let reference = newest_final(node).header;
    let amount = Amount::from_units(units);
    let transfer = Message::Transfer { token: Token::Operational, to: owner(to), amount };
    let body = Transaction {
        sender: key(from).public().into(),
        sequence,
        reference_height: reference.height,
        reference_block: reference.id(),
        scope: Text::try_from("").unwrap(),
        max_fee: Amount::from_units(FEE),
        cosigners: Bounded::new(),
        messages: Bounded::try_from(vec![transfer]).unwrap(),
    };
    let tx = SignedTransaction::new(&key(from), reference.chain_id, body);
    let id = call(node, "antiphon_submit", &json!([STANDARD.encode(tx.to_bytes())]));
    until("the payment is final", || {
        (call(node, "antiphon_tx", &json!([id]))["state"] == "final").then_some(())
    });
}

/// The address that a node's fees go to.
fn proposer(part: &Path) -> Address {
    let text = fs::read_to_string(part).unwrap();
    let rest = text.split_once("[validator]").unwrap().1;
    let line = rest.lines().find_map(|line| line.strip_prefix("key = ")).unwrap();
    Address::of(&PublicKey(Hash::from_hex(line.trim_matches('"')).unwrap().0))
}

fn copy_keys(from: &Path, to: &Path) {
    fs::create_dir_all(to.join("keys")).unwrap();
    for entry in fs::read_dir(from.join("keys")).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join("keys").join(entry.file_name())).unwrap();
    }
}

/// Nodes of one chain that know the first.
fn start(folders: &[PathBuf], chain: &Path, more: &[&str]) -> Vec<Node> {
    let mut nodes: Vec<Node> = Vec::new();
    for folder in folders {
        let first = nodes.first().map(|node| listens(&node.ready));
        let dial: Vec<&str> = first.iter().map(String::as_str).collect();
        nodes.push(Node::start(run(folder, chain, &dial).args(more)));
    }
    nodes
}

fn stop(nodes: Vec<Node>) {
    for node in nodes {
        assert_eq!(node.terminate().code(), Some(0));
    }
}

fn genesis(out: &Path, parts: &[PathBuf], more: &[&str]) -> ChainId {
    let mut command = antiphon();
    command.args(["genesis", "--block-time", "200ms", "--checkpoint-interval", "8"]);
    command.args(more).arg("--out").arg(out);
    for part in parts {
        command.arg("--node").arg(part);
    }
    for n in 1..=2 {
        command.arg("--endow").arg(format!("{}={TOKENS},{TOKENS}", address::to_text(&owner(n))));
    }
    let made = output(&mut command);
    ChainId(Hash::from_hex(made["chain"].as_str().unwrap()).unwrap())
}

/// A chain of two nodes that has settled a payment, its snapshot, and the file of the chain that goes on with that.
struct Ended {
    data: tempfile::TempDir,
    parts: Vec<PathBuf>,
    chain: ChainId,
    height: u64,
}

impl Ended {
    fn path(&self, name: &str) -> PathBuf {
        self.data.path().join(name)
    }

    fn with(more: &[&str]) -> Self {
        let data = tempfile::tempdir().unwrap();
        let path = |name: &str| data.path().join(name);
        let folders = [path("old-0"), path("old-1")];
        let parts: Vec<_> =
            folders.iter().map(|folder| init(folder, &["--validator", "--guardian"])).collect();
        let chain = genesis(&path("old.toml"), &parts, more);
        let nodes = start(&folders, &path("old.toml"), &[]);
        pay(&nodes[0], (1, 2), 1, 700);
        let in_use = export(&folders[0], &path("old.toml"), &path("early"));
        refused(&mut { in_use }, 6, "in use by another process");
        stop(nodes);
        let made = output(&mut export(&folders[0], &path("old.toml"), &path("state")));
        let height = made["height"].as_u64().unwrap();
        assert!(height >= 8 && height.is_multiple_of(8), "{made}");
        let mut check = antiphon();
        check.args(["snapshot", "check"]).arg(path("state")).arg("--chain").arg(path("old.toml"));
        assert_eq!(output(&mut check), made, "what was made is what is found");
        let mut command = antiphon();
        command.arg("genesis").arg("--from-snapshot").arg(path("state"));
        command.arg("--from-chain").arg(path("old.toml")).arg("--out").arg(path("new.toml"));
        assert_eq!(output(&mut command)["height"].as_u64(), Some(height));
        Self { data, parts, chain, height }
    }

    /// Folders with the keys of the old nodes and nothing else.
    fn folders(&self) -> Vec<PathBuf> {
        let make = |n: usize| {
            let folder = self.path(&format!("new-{n}"));
            copy_keys(&self.path(&format!("old-{n}")), &folder);
            folder
        };
        (0..2).map(make).collect()
    }

    fn go_on(&self) -> Vec<Node> {
        let state = self.path("state");
        let nodes = start(
            &self.folders(),
            &self.path("new.toml"),
            &["--snapshot", state.to_str().unwrap()],
        );
        for node in &nodes {
            until("the new chain finalises", || {
                node.status()?["final"].as_u64().filter(|height| *height > self.height)
            });
        }
        nodes
    }
}

fn export(data: &Path, chain: &Path, file: &Path) -> Command {
    let mut command = antiphon();
    command.args(["snapshot", "export"]).arg(file);
    command.arg("--data").arg(data).arg("--chain").arg(chain);
    command
}

#[test]
fn a_chain_goes_on_with_another_ones_state_and_all_its_money_is_there() {
    let ended = Ended::with(&[]);
    let new = ended.path("new.toml");
    let folders = ended.folders();
    // Without the state there is nothing to begin with.
    refused(&mut run(&folders[0], &new, &[]), 2, "--snapshot FILE");
    let mut damaged = fs::read(ended.path("state")).unwrap();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    fs::write(ended.path("damaged"), damaged).unwrap();
    let damaged = ended.path("damaged");
    let mut wrong = run(&folders[0], &new, &[]);
    refused(wrong.arg("--snapshot").arg(&damaged), 12, "damaged");
    let mut wrong = run(&folders[0], &ended.path("old.toml"), &[]);
    let (state, elsewhere) = (ended.path("state"), ended.path("elsewhere"));
    copy_keys(&folders[0], &elsewhere);
    refused(wrong.arg("--data").arg(&elsewhere).arg("--snapshot").arg(&state), 12, "chain file");
    // One of two settles nothing, so there is no state yet to take over from it.
    let joined = ended.path("joined");
    init(&joined, &[]);
    let alone = start(&folders[..1], &new, &["--snapshot", state.to_str().unwrap()]);
    let dial = listens(&alone[0].ready);
    refused(run(&joined, &new, &[&dial]).args(["--sync", "state"]), 2, "--snapshot FILE");
    stop(alone);
    let nodes = ended.go_on();
    let mut owners = vec![owner(1), owner(2)];
    owners.extend(ended.parts.iter().map(|part| proposer(part)));
    let before = balances(&nodes[0], ended.chain, &owners);
    assert_eq!(before[..2], [UNITS - 700 - FEE, UNITS + 700]);
    assert_eq!(before.iter().sum::<u128>(), 2 * UNITS, "the fee, too, is where it was");
    // The sequence goes on, and the money moves on the new chain.
    pay(&nodes[0], (1, 2), 2, 50);
    let after = balances(&nodes[1], ended.chain, &owners);
    assert_eq!(after[..2], [UNITS - 750 - 2 * FEE, UNITS + 750]);
    assert_eq!(after.iter().sum::<u128>(), 2 * UNITS);
    // Who comes later needs no snapshot where others have the state, and restarted nodes need none any more.
    let dial = listens(&nodes[0].ready);
    let third = Node::start(run(&joined, &new, &[&dial]).args(["--sync", "state"]));
    let height = nodes[0].status().unwrap()["settled"].as_u64().unwrap();
    until("it follows", || {
        third.status().filter(|status| status["settled"].as_u64() > Some(height + 8))
    });
    assert_eq!(balances(&third, ended.chain, &owners), after);
    stop(vec![third]);
    stop(nodes);
    let nodes = start(&folders, &new, &[]);
    until("they go on", || {
        nodes[0].status().filter(|status| status["settled"].as_u64() > Some(height + 16))
    });
    // A snapshot of a chain that began with one, for the next.
    stop(nodes);
    output(&mut export(&folders[0], &new, &ended.path("second")));
    let mut command = antiphon();
    command.arg("genesis").arg("--from-snapshot").arg(ended.path("second"));
    command.arg("--from-chain").arg(&new).arg("--out").arg(ended.path("third.toml"));
    output(&mut command);
    let text = fs::read_to_string(ended.path("third.toml")).unwrap();
    assert!(text.contains(&ended.chain.0.to_hex()), "keys still name the first chain");
}

#[test]
fn a_chain_with_stakers_goes_on_with_them_and_elects() {
    let ended = Ended::with(&["--stake", "2000"]);
    let nodes = ended.go_on();
    pay(&nodes[1], (2, 1), 1, 30);
    until("checkpoints elect and are final", || {
        nodes[1].status()?["final"].as_u64().filter(|height| *height > ended.height + 24)
    });
    stop(nodes);
}
