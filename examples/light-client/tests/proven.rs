//! The example against a network of its own: a balance that the faucet paid, another chain's id, and a node that is none.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use antiphon_core::{id::Address, wallet::address};
use antiphon_host::remote::{Answer, RemoteNode};
use antiphon_node::shell::{
    dev::{Options, keys::Network, network},
    store::Keep,
};
use serde_json::json;
use std::{process::Output, time::Duration};
use tokio::process::Command;

async fn run(words: [&str; 3]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_light-client")).args(words).output().await.unwrap()
}

#[tokio::test]
async fn a_balance_is_proven_from_the_chains_id_alone() {
    let data = tempfile::tempdir().unwrap();
    let options = Options {
        data: data.path().join("chain"),
        reset: false,
        block_time: Duration::from_millis(100),
        stake: false,
        unbond: None,
        keep: Keep::default(),
        rpc: "127.0.0.1:0".parse().unwrap(),
    };
    let network = Network::open(&options).unwrap();
    let running =
        network::start(&options.data, network, (options.rpc, options.keep)).await.unwrap();
    let ready = running.ready();
    let [base, chain, faucet] =
        ["base", "chain", "faucet"].map(|name| ready[name].as_str().unwrap().to_owned());

    // Any address will do, and nobody needs its key.
    let payee = address::to_text(&Address([7; 20]));
    let node = RemoteNode::new(&base).unwrap();
    let paid = node.call("antiphon_faucet", json!([payee])).await.unwrap();
    assert!(matches!(paid, Answer::Result(_)), "{paid:?}");
    let mut said = String::new();
    for _ in 0..100 {
        let done = run([&base, &chain, &payee]).await;
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        said = String::from_utf8(done.stdout).unwrap();
        if said.starts_with("100 at block ") {
            break;
        }
        // Before the payment the address is proven to own nothing.
        assert!(said.starts_with("0 at block "), "{said}");
    }
    assert!(said.starts_with("100 at block ") && said.ends_with(", final\n"), "{said}");
    let rich = run([&base, &chain, &faucet]).await;
    assert!(!String::from_utf8(rich.stdout).unwrap().starts_with("0 "));

    let mistyped = run([&base, &chain, &payee.replacen('A', "B", 1)]).await;
    assert!(String::from_utf8_lossy(&mistyped.stderr).contains("checksum"));
    running.stop().await;
}
