//! Who does not belong here: a node of another chain, and a peer that sends junk.

use crate::node::{Node, Testnet, counter, genesis, init, listens, run, until};
use antiphon_core::{
    chain::certificate::{Counts, FinalityVote},
    codec,
    crypto::{Hash, bls::BlsSignature},
    id::{BlockId, Height},
};
use antiphon_node::{
    guardian::{Message, Tally},
    supernode::wire::Wire,
};
use libp2p::{
    Multiaddr, Swarm, SwarmBuilder,
    futures::StreamExt as _,
    gossipsub::{
        Behaviour, ConfigBuilder, IdentTopic, MessageAuthenticity, MessageId, ValidationMode,
    },
    identify, ping,
    swarm::{NetworkBehaviour, SwarmEvent},
};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

#[test]
fn a_node_of_another_chain_is_refused() {
    let network = Testnet::start(1, 2);
    let data = tempfile::tempdir().unwrap();
    let part = init(data.path(), &["--validator", "--guardian"]);
    let chain = genesis(data.path().join("chain.toml"), &[part]);
    let dial = listens(network.ready(0));
    let stranger = Node::start(&mut run(data.path(), &chain, &[&dial]));
    // Whoever hears first of which chain the other is hangs up; the other may never hear it.
    until("one refuses the other", || {
        let refused = |ready| counter(ready, "antiphon_refused_peers_total ");
        let mut sides = [network.ready(0), &stranger.ready].into_iter().filter_map(refused);
        sides.find(|count| *count > 0)
    });
    assert_eq!(stranger.status().unwrap()["peers"], 0);
    let settled = network.status(0).unwrap()["settled"].as_u64().unwrap();
    network.until(&[0, 1], "settled", settled + 4);
}

#[test]
fn a_peer_that_sends_junk_is_banned_and_the_others_go_on() {
    banned(|count| [&[99; 60][..], &count.to_le_bytes()].concat());
}

/// A2.15: a sum of shares is said to one neighbour. By gossip, whoever passes it on would answer for it.
#[test]
fn a_peer_that_makes_a_sum_of_shares_public_is_banned_though_nothing_else_is_wrong_with_it() {
    banned(|count| {
        let block = BlockId(Hash([9; 32]));
        let vote = FinalityVote { guardians_hash: Hash([3; 32]), height: Height(80), block };
        let counts = Counts::new(vec![1, count]).unwrap();
        let signature = BlsSignature([0; 96]);
        let tally = Tally { round: 10, vote, counts, signature };
        codec::encode(&Wire::Guardian(Message::Tally(Box::new(tally))))
    });
}

/// Lets a peer publish what `junk` makes of a count.
fn banned(junk: impl Fn(u32) -> Vec<u8>) {
    let network = Testnet::start(1, 2);
    let address = listens(network.ready(0));
    let chain = network.node.text("chain");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let patience = Duration::from_secs(60);
        let cut_off = tokio::time::timeout(patience, send_junk(&chain, &address, junk));
        cut_off.await.unwrap();
    });
    until("the ban is counted", || {
        counter(network.ready(0), "antiphon_bans_total ").filter(|bans| *bans == 1)
    });
    assert_eq!(counter(network.ready(1), "antiphon_bans_total "), Some(0), "junk is not passed on");
    let settled = network.status(0).unwrap()["settled"].as_u64().unwrap();
    network.until(&[0, 1], "settled", settled + 4);
}

#[derive(NetworkBehaviour)]
struct Foe {
    gossip: Behaviour,
    identify: identify::Behaviour,
    ping: ping::Behaviour,
}

/// Speaks the chain's protocols and sends what no honest node sends, until the connection is closed for good.
async fn send_junk(chain: &str, address: &str, junk: impl Fn(u32) -> Vec<u8>) {
    let version = format!("/antiphon/{chain}/1");
    let topic = IdentTopic::new(format!("{version}/node"));
    let mut swarm = foe(&version, &topic);
    swarm.dial(address.parse::<Multiaddr>().unwrap()).unwrap();
    let mut often = tokio::time::interval(Duration::from_millis(20));
    let mut count = 0_u32;
    loop {
        tokio::select! {
            event = swarm.select_next_some() => {
                if matches!(event, SwarmEvent::ConnectionClosed { num_established: 0, .. }) {
                    assert!(count >= 5, "cut off after {count} messages");
                    return;
                }
            }
            _ = often.tick() => {
                let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() / 2;
                let slot = u32::try_from(now).unwrap().to_le_bytes();
                let junk = [&slot[..], &junk(count)].concat();
                // Nobody is subscribed until the handshakes are done.
                if swarm.behaviour_mut().gossip.publish(topic.clone(), junk).is_ok() {
                    count += 1;
                }
            }
        }
    }
}

fn foe(version: &str, topic: &IdentTopic) -> Swarm<Foe> {
    let config = ConfigBuilder::default()
        .protocol_id_prefix(format!("{version}/gossip"))
        .validation_mode(ValidationMode::Anonymous)
        .message_id_fn(|message| MessageId::new(&message.data))
        .build()
        .unwrap();
    let mut gossip = Behaviour::new(MessageAuthenticity::Anonymous, config).unwrap();
    gossip.subscribe(topic).unwrap();
    SwarmBuilder::with_new_identity()
        .with_tokio()
        .with_quic()
        .with_behaviour(|key| {
            let version = identify::Config::new(version.to_owned(), key.public());
            Foe {
                gossip,
                identify: identify::Behaviour::new(version),
                ping: ping::Behaviour::default(),
            }
        })
        .unwrap()
        .with_swarm_config(|config| config.with_idle_connection_timeout(Duration::from_secs(600)))
        .build()
}
