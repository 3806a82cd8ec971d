//! What a client hears of blocks that its node has let go (`--keep`): at once, by a code of its own, and no wrong balance.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by a panic"
)]

use antiphon_core::{
    chain::{
        Level,
        lookup::{BlockFound, Found, LookupError, Question},
        spec::Token,
    },
    crypto::{Hash, SecretKey},
    id::{ChainId, Height},
};
use antiphon_host::{
    clerk::{Clerk, ClerkError},
    remote::{Answer, RemoteNode},
};
use serde_json::{Value, json};
use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// States that the node keeps. Blocks are kept for longer: 256 below the last final checkpoints.
const KEPT: &str = "64";
const PATIENCE: Duration = Duration::from_secs(240);
/// Far enough apart that a busy machine looks at a block while the node still has it: 256 of them.
const BLOCK_TIME: &str = "150ms";

#[tokio::test]
async fn a_block_that_the_node_has_let_go_is_missing_and_what_it_brought_is_in_the_balance() {
    let data = tempfile::tempdir().unwrap();
    let node = Node::start(data.path());
    let remote = || RemoteNode::new(node.ready["base"].as_str().unwrap()).unwrap();
    let chain = ChainId(Hash::from_hex(node.ready["chain"].as_str().unwrap()).unwrap());
    let mut clerk = Clerk::new(remote(), chain, SecretKey::from_bytes(&[7; 32]));
    clerk.open().await.unwrap();
    let address = clerk.address();
    let text: String = address.0.iter().map(|byte| format!("{byte:02x}")).collect();
    let paid = paid(&remote(), &text).await;
    // While the node has the block, the payment is read from it.
    let began = Instant::now();
    let found = loop {
        clerk.settled_account(0).await.unwrap();
        match block(&mut clerk, paid).await {
            Ok(found) => break found,
            Err(LookupError::Ahead) => assert!(began.elapsed() < PATIENCE, "never seen"),
            Err(error) => panic!("{error}"),
        }
    };
    assert!(found.transactions.unwrap().iter().any(|one| one.body.sender.address() != address));

    let began = Instant::now();
    let error = loop {
        match block(&mut clerk, paid).await {
            Ok(_) => assert!(began.elapsed() < PATIENCE, "the node keeps everything"),
            Err(error) => break error,
        }
        clerk.settled_account(0).await.unwrap();
    };
    assert_eq!(error, LookupError::Missing);
    for height in [1, paid / 2, paid] {
        let began = Instant::now();
        let error = block(&mut clerk, height).await.unwrap_err();
        assert!(matches!(error, LookupError::Missing | LookupError::TooFar), "{height}: {error}");
        assert!(began.elapsed() < Duration::from_secs(20), "nobody waits for what is gone");
    }
    let account = clerk.settled_account(0).await.unwrap();
    assert_eq!(account.account.balances[Token::Operational.index()].units(), 10_000_000_000);
    let head = account.proven.height.0;
    let kept = block(&mut clerk, head - 200).await.unwrap();
    assert!(kept.transactions.is_some() && kept.proven.level >= Level::Settled);

    // Who does not answer has let nothing go.
    drop(node);
    assert_eq!(block(&mut clerk, head - 200).await.err(), Some(LookupError::Unreachable));
}

async fn block(clerk: &mut Clerk, height: u64) -> Result<BlockFound, LookupError> {
    match clerk.find(Question::Block(Height(height))).await {
        Ok(Found::Block(found)) => Ok(*found),
        Ok(other) => panic!("{other:?}"),
        Err(ClerkError::Lookup(error)) => Err(error),
        Err(error) => panic!("{error}"),
    }
}

/// Has the faucet pay, and returns the height of the block that has it.
async fn paid(node: &RemoteNode, address: &str) -> u64 {
    let call = async |method: &str, params| match node.call(method, params).await.unwrap() {
        Answer::Result(value) => value,
        Answer::Refused(code, why) => panic!("{code}: {why}"),
    };
    let id = call("antiphon_faucet", json!([address])).await;
    let began = Instant::now();
    loop {
        let found = call("antiphon_tx", json!([id])).await;
        if found["state"] == "settled" || found["state"] == "final" {
            return found["height"].as_u64().unwrap();
        }
        assert!(began.elapsed() < PATIENCE, "not settled: {found}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// A development network that keeps little.
struct Node {
    child: Child,
    ready: Value,
}

impl Node {
    fn start(data: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_antiphon"));
        command.args(["dev", "--block-time", BLOCK_TIME, "--keep", KEPT, "--data"]).arg(data);
        let mut child = command.env("RUST_LOG", "error").stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { child, ready: serde_json::from_str(&line).unwrap() }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // It may have ended by itself, which the assertion that failed then says.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
