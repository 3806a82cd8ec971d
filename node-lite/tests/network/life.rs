//! A network lives, loses a node, gets it back, and takes in a latecomer.

use crate::node::{Node, Testnet, bytes, get, init, listens, run, signal, until};
use antiphon_core::{
    chain::spec::{ChainSpec, MAX_SPEC},
    codec,
};

#[test]
fn processes_settle_and_finalise_and_one_that_was_killed_catches_up() {
    let network = Testnet::start(4, 6);
    assert_eq!(
        (&network.node.ready["validators"], &network.node.ready["guardians"]),
        (&4.into(), &6.into())
    );
    network.until(&[0, 1, 2, 3, 4, 5], "final", 8);
    let killed = network.ready(2).clone();
    signal("KILL", &killed);
    let before = network.status(0).unwrap()["settled"].as_u64().unwrap();
    // Three of four validators go on, slower where the fourth would have proposed.
    network.until(&[0, 1, 3, 5], "settled", before + 8);
    let after = network.status(0).unwrap()["settled"].as_u64().unwrap();
    let dial = [listens(network.ready(0)), listens(network.ready(1))];
    let dial = [dial[0].as_str(), dial[1].as_str()];
    let again = Node::start(&mut run(&network.folder(2), &network.chain(), &dial));
    until("the killed node catches up", || {
        again.status().filter(|status| status["settled"].as_u64() > Some(after))
    });
    until("and sees what is final", || {
        again.status().filter(|status| status["final"].as_u64() > Some(after))
    });
    assert!(again.terminate().success());
    assert!(network.node.terminate().success(), "a network stops, though one of it was killed");
}

/// Elections, a drawn order of proposers and the lottery, in processes of their own.
#[test]
fn where_stake_decides_processes_settle_and_finalise_too() {
    let network = Testnet::with(4, 6, &["--stake"]);
    let chain = std::fs::read_to_string(network.chain()).unwrap();
    for line in ["[stake]", "order = \"commit-reveal\"", "lottery = {", "[upgrade]"] {
        assert!(chain.contains(line), "{line}");
    }
    network.until(&[0, 1, 2, 3, 4, 5], "final", 24);
    assert!(network.node.terminate().success());
}

#[test]
fn a_latecomer_without_keys_syncs_blocks_and_light_files_and_stops_in_order() {
    let network = Testnet::start(1, 2);
    // More than one answer to a request for blocks holds.
    network.until(&[0, 1], "settled", 40);
    let data = tempfile::tempdir().unwrap();
    init(data.path(), &[]);
    let dial = listens(network.ready(1));
    let late = Node::start(&mut run(data.path(), &network.chain(), &[&dial]));
    until("the latecomer has synced", || {
        late.status()
            .filter(|s| s["settled"].as_u64() >= Some(40) && s["final"].as_u64() >= Some(40))
    });
    let light = format!("{}/spec/{}", late.text("light"), late.text("chain"));
    let spec: ChainSpec = codec::decode(&bytes(&light).unwrap(), MAX_SPEC).unwrap();
    assert_eq!(spec.chain_id().0.to_hex(), network.node.text("chain"));
    let health = late.text("status").replace("/status", "/health");
    assert!(get(&health).unwrap().contains("\"ok\":true"));
    let metrics = get(&late.text("metrics")).unwrap();
    for name in [
        "antiphon_height{level=\"final\"}",
        "antiphon_peers",
        "antiphon_store_seconds_bucket",
        "antiphon_messages_total{direction=\"In\",kind=\"Block\"}",
    ] {
        assert!(metrics.contains(name), "{name} in {metrics}");
    }
    assert_eq!(late.terminate().code(), Some(0));
}
