//! A payment field on a running chain, and a watch-tower that was killed in between: it enforces what it was told.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of a test may panic"
)]

use antiphon_core::{
    amount::Amount,
    chain::{
        proof::{MAX_PROOFS, StateProofs},
        spec::{ChainSpec, MAX_SPEC},
        state::{Account, StateKey},
        transaction::{Message, SignedTransaction, Transaction},
    },
    codec::{self, Bounded, Text},
    crypto::SecretKey,
    id::{Address, BlockId, FieldId, Height},
    payment::field::{
        FieldAct, FieldTerms, Member, RoundState, SealedState,
        escrow::{ClosedField, FieldState, FieldStatus},
    },
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use borsh::{BorshDeserialize, BorshSerialize};
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

const PATIENCE: Duration = Duration::from_secs(90);

#[test]
fn a_tower_that_was_killed_still_supersedes_a_stale_close_and_the_header_names_the_field() {
    let data = tempfile::tempdir().unwrap();
    let node = Node::start(data.path());
    let members = members();
    for key in &members {
        let address = Address::of(&key.public());
        node.call("antiphon_faucet", &json!([hex(&address.0)])).unwrap();
    }
    node.until("the members have money", || {
        members.iter().all(|key| node.account(key).balances[1] >= Amount::from_units(1_000_000))
    });
    let terms = terms(&node.spec, &members);
    let field = terms.id(node.spec.chain_id()).unwrap();
    let signatures: Vec<_> =
        members.iter().map(|key| terms.sign(node.spec.chain_id(), key)).collect();
    let signatures = Bounded::try_from(signatures).unwrap();
    let open = FieldAct::Open { terms: terms.clone(), signatures };
    let early = node.watch(&sealed(&node.spec, &terms, 7)).unwrap_err();
    assert_eq!(early["data"], "tower/no-field");
    node.submit(&members[0], open).unwrap();
    node.until("the field is open", || node.field(field).is_some());

    let seven = sealed(&node.spec, &terms, 7);
    let mut forged = seven.clone();
    forged.state.round = 8;
    assert_eq!(node.watch(&forged).unwrap_err()["data"], "field/bad-signature");
    let told = node.watch(&seven).unwrap();
    assert_eq!((&told["round"], &told["field"]), (&json!(7), &json!(field.0.to_hex())));
    for known in [&seven, &sealed(&node.spec, &terms, 6)] {
        assert_eq!(node.watch(known).unwrap()["round"], 7, "it says what it holds");
    }
    let long = node.call("antiphon_watch", &json!(["A".repeat(40_000)])).unwrap_err();
    assert_eq!(long["data"], "rpc/invalid-params");
    let cut = node.call("antiphon_watch", &json!([STANDARD.encode([7; 40])])).unwrap_err();
    assert_eq!(cut["data"], "codec/truncated");
    drop(node);

    let node = Node::start(data.path());
    let stale = Some(Box::new(sealed(&node.spec, &terms, 3)));
    node.submit(&members[0], FieldAct::SoloClose { field, state: stale }).unwrap();
    node.until("the tower has superseded", || {
        node.field(field).is_some_and(|field| field.best.round == 7)
    });
    let FieldStatus::Closing(closing) = node.field(field).unwrap().status else {
        panic!("not closing")
    };
    node.until("the deadline is over", || node.height() > closing.deadline.0);
    node.submit(&members[1], FieldAct::Enforce(field)).unwrap();
    node.until("everybody is paid", || {
        node.field(field).is_some_and(|f| matches!(f.status, FieldStatus::Closed { .. }))
    });
    let closed = node.field(field).unwrap();
    let FieldStatus::Closed { at } = closed.status else { panic!("not closed") };
    let listed = node.call("antiphon_closedFields", &json!([at.0])).unwrap();
    let listed: Bounded<ClosedField, 4096> = decode(&listed);
    assert_eq!(listed.to_vec(), [closed.closed_at(at).unwrap()]);
    let none = node.call("antiphon_closedFields", &json!([at.0 - 1])).unwrap();
    assert!(decode::<Bounded<ClosedField, 4096>>(&none).is_empty());
    let ahead = node.call("antiphon_closedFields", &json!([999_999])).unwrap_err();
    assert_eq!(ahead["data"], "rpc/unknown-height");
}

/// Keys in the order of their addresses.
fn members() -> Vec<SecretKey> {
    let mut keys: Vec<_> = (1..=2).map(|seed| SecretKey::from_bytes(&[seed; 32])).collect();
    keys.sort_by_key(|key| Address::of(&key.public()));
    keys
}

fn terms(spec: &ChainSpec, keys: &[SecretKey]) -> FieldTerms {
    let deposit = Amount::from_units(500_000);
    let members: Vec<_> = keys.iter().map(|key| Member { key: key.public(), deposit }).collect();
    FieldTerms {
        nonce: 1,
        members: Bounded::try_from(members).unwrap(),
        dispute: spec.field.min_dispute,
        response: spec.field.min_response,
        bond: Amount::from_units(spec.fee.units() * 101),
        until: Height(1_000_000),
        aggregate: None,
    }
}

/// A state in which the first has paid the other a unit a round, signed by both.
fn sealed(spec: &ChainSpec, terms: &FieldTerms, round: u32) -> SealedState {
    let chain = spec.chain_id();
    let paid = u128::from(round);
    let balances = [500_000 - paid, 500_000 + paid].map(Amount::from_units);
    let balances = Bounded::try_from(balances.to_vec()).unwrap();
    let state = RoundState { round, balances, ..terms.first_state(chain).unwrap() };
    let signatures: Vec<_> = members().iter().map(|key| key.sign(chain, &state)).collect();
    SealedState { state, signatures: Bounded::try_from(signatures).unwrap() }
}

/// A running development network.
struct Node {
    child: Child,
    address: String,
    spec: ChainSpec,
}

impl Drop for Node {
    fn drop(&mut self) {
        // It may have ended by itself, which the assertion that failed then says.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Node {
    fn start(data: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_antiphon"));
        command.args(["dev", "--block-time", "100ms", "--rpc", "127.0.0.1:0", "--data"]).arg(data);
        command.env("RUST_LOG", "error");
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap();
        let address = ready["base"].as_str().unwrap().trim_start_matches("http://").to_owned();
        let spec = decode(&call(&address, "antiphon_spec", &json!([])).unwrap());
        Self { child, address, spec }
    }

    fn call(&self, method: &str, params: &Value) -> Result<Value, Value> {
        call(&self.address, method, params)
    }

    fn until(&self, what: &str, is_so: impl Fn() -> bool) {
        let began = Instant::now();
        while !is_so() {
            assert!(began.elapsed() < PATIENCE, "not yet: {what}, at {}", self.height());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn height(&self) -> u64 {
        self.call("antiphon_status", &json!([])).unwrap()["settled"].as_u64().unwrap()
    }

    fn value<T: BorshDeserialize + BorshSerialize>(&self, key: StateKey) -> Option<T> {
        let keys: Bounded<StateKey, 64> = Bounded::try_from(vec![key]).unwrap();
        let keys = STANDARD.encode(codec::encode(&keys));
        let answer = self.call("antiphon_prove", &json!([self.height(), keys])).unwrap();
        let bytes = STANDARD.decode(answer.as_str().unwrap()).unwrap();
        let proofs: StateProofs = codec::decode(&bytes, MAX_PROOFS).unwrap();
        let value = proofs[0].value.as_ref()?;
        Some(codec::decode(value, value.len()).unwrap())
    }

    fn account(&self, key: &SecretKey) -> Account {
        let address = Address::of(&key.public());
        self.value(StateKey::account(self.spec.state_chain(), &address)).unwrap_or_default()
    }

    fn field(&self, field: FieldId) -> Option<FieldState> {
        self.value(StateKey::field(self.spec.state_chain(), &field))
    }

    fn watch(&self, sealed: &SealedState) -> Result<Value, Value> {
        self.call("antiphon_watch", &json!([STANDARD.encode(codec::encode(sealed))]))
    }

    /// Sends a transaction on the settled head, whose id the tip's certificate names.
    fn submit(&self, key: &SecretKey, act: FieldAct) -> Result<Value, Value> {
        let (reference_height, reference_block) = self.reference();
        let mut body = Transaction {
            sender: key.public().into(),
            sequence: self.account(key).sequence + 1,
            reference_height,
            reference_block,
            scope: Text::try_from("").unwrap(),
            max_fee: Amount::ZERO,
            cosigners: Bounded::new(),
            messages: Bounded::try_from(vec![Message::Field(Box::new(act))]).unwrap(),
        };
        body.max_fee = body.fee(self.spec.fee).unwrap();
        let tx = SignedTransaction::new(key, self.spec.chain_id(), body);
        self.call("antiphon_submit", &json!([STANDARD.encode(tx.to_bytes())]))
    }

    fn reference(&self) -> (Height, BlockId) {
        let tip = get(&self.address, "/light/tip");
        let tip: antiphon_core::chain::light::Tip = codec::decode(&tip, 64 * 1024).unwrap();
        (tip.certificate.height, tip.certificate.block)
    }
}

fn raw(address: &str, request: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream.write_all(request).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    answer
}

fn body_of(answer: &[u8]) -> &[u8] {
    let split = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    &answer[split + 4..]
}

fn get(address: &str, path: &str) -> Vec<u8> {
    let head = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    body_of(&raw(address, head.as_bytes())).to_vec()
}

fn call(address: &str, method: &str, params: &Value) -> Result<Value, Value> {
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string();
    let head = format!(
        "POST /rpc HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    let answer = raw(address, head.as_bytes());
    let mut value: Value = serde_json::from_slice(body_of(&answer)).unwrap();
    let error = value["error"].take();
    if error.is_null() { Ok(value["result"].take()) } else { Err(error) }
}

fn decode<T: BorshDeserialize + BorshSerialize>(answer: &Value) -> T {
    codec::decode(&STANDARD.decode(answer.as_str().unwrap()).unwrap(), MAX_SPEC).unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
