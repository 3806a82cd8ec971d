//! What a running node answers, asked as a stranger would: light files, JSON-RPC, and bad input to both.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of a test may panic"
)]

use antiphon_core::{
    chain::{
        Level,
        light::{Anchor, Config, File, Head, Input, Light, Output, Skipping, Stored},
        proof::{MAX_PROOFS, StateProofs, verify_all},
        spec::Token,
        state::{Account, StateKey},
    },
    codec::{self, Bounded},
    crypto::Hash,
    id::{Address, ChainId},
    time::{Moment, UnixMillis},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Output as Ended, Stdio},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

#[test]
fn a_light_client_verifies_the_faucets_payment_from_files_and_proofs_alone() {
    let data = tempfile::tempdir().unwrap();
    let node = Node::start(data.path());
    let mut client = Client::new(&node);
    let first = client.until(Level::Final, |head| head.header.height.0 >= 10);
    let address = Address([0xAB; 20]);
    let key = StateKey::account(client.chain, &address);
    assert_eq!(node.prove(&first, &[key]), [None], "proven to own nothing");
    let id = node.call("antiphon_faucet", &json!([hex(&address.0)])).unwrap();
    let height = node.until_final(id.as_str().unwrap());
    let head = client.until(Level::Final, |head| head.header.height.0 >= height);
    let values = node.prove(&head, &[key]);
    let account: Account = codec::decode(values[0].as_ref().unwrap(), 4096).unwrap();
    assert_eq!(account.balances[Token::Operational.index()].units(), 10_000_000_000);
    // The same under a block that is only included.
    let head = client.until(Level::Included, |included| included.level == Level::Included);
    assert!(node.prove(&head, &[key])[0].is_some());
    // And under the first head again, as it was then.
    assert_eq!(node.prove(&first, &[key]), [None]);
}

#[test]
fn bad_questions_get_typed_answers_and_the_node_lives_on() {
    let data = tempfile::tempdir().unwrap();
    let node = Node::start(data.path());
    let refused = |method: &str, params: Value| node.call(method, &params).unwrap_err();
    let keys = STANDARD.encode(codec::encode(&vec![[1_u8; 32]; 65]));
    let cases = [
        ("antiphon_nothing", json!([]), -32601, Value::Null),
        ("antiphon_prove", json!([]), -32602, Value::Null),
        ("antiphon_prove", json!([1, "%%%"]), -32602, json!("rpc/invalid-params")),
        ("antiphon_prove", json!([1, STANDARD.encode([1, 0])]), -32602, json!("codec/truncated")),
        ("antiphon_prove", json!([1, keys]), -32602, json!("rpc/invalid-params")),
        (
            "antiphon_prove",
            json!([1, STANDARD.encode([255; 4])]),
            -32602,
            json!("codec/over-limit"),
        ),
        (
            "antiphon_prove",
            json!([999_999, STANDARD.encode([0, 0, 0, 0])]),
            -32003,
            json!("rpc/unknown-height"),
        ),
        (
            "antiphon_submit",
            json!([STANDARD.encode([7; 40])]),
            -32602,
            json!("codec/non-canonical"),
        ),
        ("antiphon_submit", json!(["A".repeat(40_000)]), -32602, json!("rpc/invalid-params")),
        ("antiphon_faucet", json!(["nobody"]), -32602, json!("rpc/invalid-params")),
        ("antiphon_tx", json!(["12"]), -32602, json!("rpc/invalid-params")),
        ("antiphon_evidence", json!(["all"]), -32602, Value::Null),
        ("antiphon_evidence", json!([-1]), -32602, Value::Null),
    ];
    for (method, params, code, data) in cases {
        let error = refused(method, params);
        assert_eq!(error["code"], code, "{method}: {error}");
        if data != Value::Null {
            assert_eq!(error["data"], data, "{method}: {error}");
        }
    }
    let batch = vec![json!({"jsonrpc": "2.0", "id": 1, "method": "antiphon_version"}); 17];
    let answer = node.post(json!(batch).to_string().as_bytes());
    assert!(answer.contains("-32010"), "a batch over its limit: {answer}");
    let answer = node.post(&vec![b' '; 300 * 1024]);
    assert!(answer.starts_with("HTTP/1.1 413"), "a body over its limit: {answer}");
    let answer = node.post(b"{");
    assert!(answer.contains("-32700"), "no JSON: {answer}");
    let version = node.call("antiphon_version", &json!([])).unwrap();
    assert_eq!(version, json!({ "node": env!("CARGO_PKG_VERSION"), "api": 1 }));
    assert_eq!(node.call("antiphon_health", &json!([])).unwrap()["ok"], true);
    for skip in [json!([]), json!([7])] {
        assert_eq!(
            node.call("antiphon_evidence", &skip).unwrap(),
            json!([]),
            "nobody offends here"
        );
    }
    let unknown = node.call("antiphon_tx", &json!(["0".repeat(64)])).unwrap();
    assert_eq!(unknown["state"], "unknown");
}

#[test]
fn light_files_are_cached_by_what_they_are() {
    let data = tempfile::tempdir().unwrap();
    let node = Node::start(data.path());
    let chain = node.ready["chain"].as_str().unwrap();
    let immutable = node.get(&format!("/light/spec/{chain}"));
    assert!(immutable.contains("cache-control: public, max-age=31536000, immutable"));
    assert!(immutable.contains("access-control-allow-origin: *"));
    assert!(node.get("/light/tip").contains("cache-control: no-cache"));
    let missing = [
        format!("/light/header/{}", "0".repeat(64)),
        format!("/light/header/{}", "0".repeat(63)),
        format!("/light/spec/{}", chain.to_uppercase()),
        format!("/light/secret/{chain}"),
        String::from("/light/spec/..%2f..%2ffaucet.key"),
    ];
    for path in missing {
        let answer = node.get(&path);
        assert!(answer.starts_with("HTTP/1.1 404"), "{path}: {answer}");
        assert!(!answer.contains("immutable"), "{path}");
    }
}

#[test]
fn what_is_in_use_is_said_in_words_and_the_chain_survives_a_restart() {
    let data = tempfile::tempdir().unwrap();
    let node = Node::start(data.path());
    let chain = node.ready["chain"].clone();
    let twice = ended(data.path(), "127.0.0.1:0", &[]);
    let said = String::from_utf8_lossy(&twice.stderr).into_owned();
    assert!(!twice.status.success() && said.contains("in use by another process"), "{said}");
    let other = tempfile::tempdir().unwrap();
    let taken = ended(other.path(), &node.address, &[]);
    let said = String::from_utf8_lossy(&taken.stderr).into_owned();
    assert!(!taken.status.success() && said.contains("cannot listen on"), "{said}");
    drop(node);
    let again = Node::start(data.path());
    assert_eq!(again.ready["chain"], chain);
    drop(again);
    let unrelated = tempfile::tempdir().unwrap();
    std::fs::write(unrelated.path().join("letter.txt"), "mine").unwrap();
    let refused = ended(unrelated.path(), "127.0.0.1:0", &["--reset"]);
    assert!(!refused.status.success(), "--reset removes only what is ours");
    assert!(unrelated.path().join("letter.txt").exists());
}

#[test]
fn the_tip_is_told_over_a_websocket_as_it_moves() {
    let data = tempfile::tempdir().unwrap();
    let node = Node::start(data.path());
    let mut stream = TcpStream::connect(&node.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let upgrade = format!(
        "GET /rpc HTTP/1.1\r\nhost: {}\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        node.address
    );
    stream.write_all(upgrade.as_bytes()).unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    assert!(head.starts_with(b"HTTP/1.1 101"));
    let ask = json!({"jsonrpc": "2.0", "id": 1, "method": "antiphon_subscribeTip", "params": []});
    let ask = ask.to_string();
    // A masked text frame under 126 bytes; a mask of zeros leaves the text as it is.
    let length = 0x80 | u8::try_from(ask.len()).unwrap();
    stream.write_all(&[&[0x81, length, 0, 0, 0, 0], ask.as_bytes()].concat()).unwrap();
    assert_eq!(frame(&mut stream)["id"], 1);
    let mut settled: Vec<u64> = Vec::new();
    while settled.len() < 20 {
        let told = frame(&mut stream);
        assert_eq!(told["method"], "antiphon_tip", "{told}");
        settled.push(told["params"]["result"]["settled"].as_u64().unwrap());
    }
    assert!(settled.is_sorted() && settled.first() < settled.last(), "{settled:?}");
}

/// Reads one unmasked text frame.
fn frame(stream: &mut TcpStream) -> Value {
    let mut head = [0; 2];
    stream.read_exact(&mut head).unwrap();
    assert_eq!(head[0], 0x81, "a whole text frame");
    let mut length = usize::from(head[1]);
    if length == 126 {
        let mut long = [0; 2];
        stream.read_exact(&mut long).unwrap();
        length = usize::from(u16::from_be_bytes(long));
    }
    let mut text = vec![0; length];
    stream.read_exact(&mut text).unwrap();
    serde_json::from_slice(&text).unwrap()
}

/// A running development network.
struct Node {
    child: Child,
    ready: Value,
    address: String,
}

impl Drop for Node {
    fn drop(&mut self) {
        // It may have ended by itself, which the assertion that failed then says.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(data: &Path, rpc: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_antiphon"));
    command.args(["dev", "--block-time", "100ms", "--rpc", rpc, "--data"]).arg(data);
    command.env("RUST_LOG", "error");
    command
}

fn ended(data: &Path, rpc: &str, more: &[&str]) -> Ended {
    command(data, rpc).args(more).output().unwrap()
}

impl Node {
    fn start(data: &Path) -> Self {
        let mut child = command(data, "127.0.0.1:0").stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap();
        let address = ready["base"].as_str().unwrap().trim_start_matches("http://").to_owned();
        Self { child, ready, address }
    }

    fn raw(&self, request: &[u8]) -> Vec<u8> {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        // A server that refuses a long body may close before all of it is sent.
        let _ = stream.write_all(request);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        answer
    }

    fn get_bytes(&self, path: &str) -> Vec<u8> {
        let head = format!(
            "GET {path} HTTP/1.1\r\nhost: {}\r\norigin: http://page\r\nconnection: close\r\n\r\n",
            self.address
        );
        self.raw(head.as_bytes())
    }

    fn get(&self, path: &str) -> String {
        String::from_utf8_lossy(&self.get_bytes(path)).into_owned()
    }

    fn file(&self, file: &File) -> Option<Vec<u8>> {
        let answer = self.get_bytes(&file.path());
        let split = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
        answer.starts_with(b"HTTP/1.1 200").then(|| answer[split + 4..].to_vec())
    }

    fn post(&self, body: &[u8]) -> String {
        let head = format!(
            "POST /rpc HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            self.address,
            body.len()
        );
        let answer = self.raw(&[head.as_bytes(), body].concat());
        String::from_utf8_lossy(&answer).into_owned()
    }

    fn call(&self, method: &str, params: &Value) -> Result<Value, Value> {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let answer = self.post(body.to_string().as_bytes());
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        let mut value: Value = serde_json::from_str(body).unwrap_or_else(|_| panic!("{answer}"));
        let error = value["error"].take();
        if error.is_null() { Ok(value["result"].take()) } else { Err(error) }
    }

    /// Asks for values and believes only what is proven under the head.
    fn prove(&self, head: &Head, keys: &[StateKey]) -> Vec<Option<Vec<u8>>> {
        let list: Bounded<StateKey, 64> = Bounded::try_from(keys.to_vec()).unwrap();
        let params = json!([head.header.height.0, STANDARD.encode(codec::encode(&list))]);
        let answer = self.call("antiphon_prove", &params).unwrap();
        let bytes = STANDARD.decode(answer.as_str().unwrap()).unwrap();
        let proofs: StateProofs = codec::decode(&bytes, MAX_PROOFS).unwrap();
        let values = verify_all(&proofs, &head.header.state_root, keys).unwrap();
        values.into_iter().map(|value| value.map(<[u8]>::to_vec)).collect()
    }

    fn until_final(&self, id: &str) -> u64 {
        let began = Instant::now();
        loop {
            let found = self.call("antiphon_tx", &json!([id])).unwrap();
            if found["state"] == "final" {
                return found["height"].as_u64().unwrap();
            }
            assert!(began.elapsed() < Duration::from_secs(60), "not final: {found}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// The light client of core, with a host of a dozen lines.
struct Client<'a> {
    node: &'a Node,
    chain: ChainId,
    light: Light,
    began: Instant,
}

impl<'a> Client<'a> {
    fn new(node: &'a Node) -> Self {
        let chain = ChainId(Hash::from_hex(node.ready["chain"].as_str().unwrap()).unwrap());
        let config =
            Config { chain, anchor: Anchor::Genesis, skipping: Skipping::Off, witnesses: 0 };
        let light = Light::new(config);
        let mut client = Self { node, chain, light, began: Instant::now() };
        client.feed(Input::Loaded(Stored::default()));
        client
    }

    fn feed(&mut self, input: Input) {
        let now = Moment::ZERO.after(self.began.elapsed());
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
        let mut out = Vec::new();
        self.light.handle(now, UnixMillis(u64::try_from(wall).unwrap()), input, &mut out);
        for output in out {
            match output {
                Output::Fetch(source, file) => {
                    let bytes = self.node.file(&file);
                    self.feed(match bytes {
                        Some(bytes) => Input::Fetched(source, file, bytes),
                        None => Input::Missing(source, file),
                    });
                }
                Output::Refused(error) => panic!("an honest node is refused: {error}"),
                Output::Keep(_) | Output::KeepFork(_) | Output::Advanced | Output::Alarm => {}
            }
        }
    }

    fn until(&mut self, level: Level, enough: impl Fn(&Head) -> bool) -> Head {
        let began = Instant::now();
        loop {
            self.feed(Input::Tick);
            if let Some(head) = self.light.head(level).filter(&enough) {
                return head;
            }
            assert!(began.elapsed() < Duration::from_secs(60), "no such head: {level:?}");
            std::thread::sleep(Duration::from_millis(30));
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
