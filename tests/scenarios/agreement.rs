//! Four validators and seven guardians settle and finalise, whatever the weather. PROTOCOL A1, A2; ADVERSARIAL 5, 6, 7.

use antiphon_core::{
    chain::offence::{Accused, Known, Offence},
    id::Height,
};
use antiphon_node::{
    bft,
    offence::{Charge, Offender},
    supernode::Fault,
};
use antiphon_tests::{
    foe::{Equivocator, Silent},
    sim::{Seed, genesis, network::Network},
};

/// Milliseconds between blocks.
const BLOCK_MS: u64 = 200;

fn network(seed: &Seed) -> Network {
    Network::new(seed.number(), genesis::spec(BLOCK_MS, 1))
}

#[test]
fn seven_nodes_settle_and_finalise_one_chain() {
    let seed = Seed::or(1);
    let mut network = network(&seed);
    network.run_for(10);
    let settled = network.settled_by(0..7);
    assert!(settled >= Height(20), "settled {settled:?}");
    for node in 0..7 {
        let status = network.node(node).unwrap().status();
        assert!(status.finalised >= Height(16), "node {node}: {status:?}");
    }
    assert!(network.faults.is_empty(), "{:?}", network.faults);
}

#[test]
fn the_same_seed_gives_the_same_transcript_and_another_seed_another() {
    let run = |number| {
        let mut network = Network::new(number, genesis::spec(BLOCK_MS, 1));
        network.weather.loss_percent = 5;
        network.run_for(5);
        network.transcript
    };
    assert_eq!(run(7), run(7));
    assert_ne!(run(7), run(8));
}

#[test]
fn three_validators_settle_when_the_fourth_is_silent() {
    let seed = Seed::or(2);
    let mut network = network(&seed);
    network.corrupt(1, Box::new(Silent));
    network.run_for(30);
    let settled = network.settled_by([0, 2, 3, 4, 5, 6]);
    assert!(settled >= Height(16), "settled {settled:?}");
    let finalised = network.node(0).unwrap().status().finalised;
    assert!(finalised >= Height(8), "final {finalised:?}");
}

#[test]
fn a_parted_network_settles_nothing_and_all_of_it_within_twelve_epochs_of_healing() {
    let seed = Seed::or(3);
    let mut network = network(&seed);
    network.run_for(3);
    network.weather.islands = vec![0, 0, 1, 1, 0, 1, 1];
    network.run_for(2);
    let before = network.settled_by(0..7);
    network.run_for(20);
    let parted = network.settled_by(0..7);
    assert!(parted.0 <= before.0 + 2, "{before:?} grew to {parted:?} without a quorum");
    network.weather.islands.clear();
    let epoch = |network: &Network| {
        (0..4).map(|node| network.node(node).unwrap().status().epoch.0).max().unwrap()
    };
    let healed = epoch(&network);
    let end = network.now().after(std::time::Duration::from_secs(60));
    while network.settled_by(0..7) <= parted && network.now() < end {
        network.step();
    }
    assert!(network.settled_by(0..7) > parted, "nothing settles after healing");
    assert!(epoch(&network) <= healed + 12, "{} epochs", epoch(&network) - healed);
}

#[test]
fn loss_and_reorder_slow_the_chain_but_never_split_it() {
    let seed = Seed::or(4);
    let mut network = network(&seed);
    network.weather.loss_percent = 20;
    network.weather.latency_ms = (1, 300);
    network.run_for(20);
    network.weather = Default::default();
    let before = network.settled_by(0..7);
    network.run_for(10);
    assert!(network.settled_by(0..7) > before, "stuck at {before:?}");
}

#[test]
fn a_node_that_was_away_catches_up() {
    let seed = Seed::or(5);
    let mut network = network(&seed);
    network.run_for(2);
    network.crash(6, 0);
    network.crash(0, 0);
    network.run_for(15);
    network.start(6);
    network.start(0);
    network.run_for(8);
    let all = network.settled_by(0..7);
    let best = network.settled(1);
    assert!(all.0 + 3 >= best.0, "{all:?} of {best:?}");
    let finalised = network.node(6).unwrap().status().finalised;
    assert!(finalised.0 + 2 * genesis::INTERVAL >= best.0, "final {finalised:?} of {best:?}");
}

/// ADVERSARIAL case 7 with a disk that keeps what it acknowledged: whatever a crash leaves of the batches that were
/// being written, no key signs twice in a slot. The witness of the network checks every write and every message.
#[test]
fn a_validator_that_crashes_at_every_write_never_signs_twice() {
    let seed = Seed::or(6);
    let mut network = network(&seed);
    network.run_for(1);
    for round in 0..48_u64 {
        let node = (round % 4) as usize;
        network.crash_in(node, 1 + (round / 4) % 9);
        network.run_for(1);
        if network.node(node).is_some() {
            network.crash(node, 1);
        }
        network.start(node);
    }
    network.run_for(5);
    let settled = network.settled_by(0..7);
    assert!(settled >= Height(60), "settled {settled:?}");
    for node in 0..4 {
        let mut signed = network.disk(node).signed();
        let lines = signed.len();
        signed.sort();
        signed.dedup_by_key(|line| (line.role, line.slot));
        assert_eq!(signed.len(), lines, "node {node} logged a slot twice");
    }
    assert!(!network.faults.iter().any(|(_, fault)| double(fault).is_some()));
}

#[test]
fn a_proposer_with_two_faces_is_reported_and_splits_nobody() {
    let seed = Seed::or(7);
    let mut network = network(&seed);
    let key = genesis::validator(2);
    let index = network.spec.validators.index_of(&key.public()).unwrap() as u16;
    let foe = Equivocator::new(key, network.spec.chain_id(), index);
    network.corrupt(2, Box::new(foe));
    network.run_for(20);
    let settled = network.settled_by([0, 1, 3, 4, 5, 6]);
    assert!(settled >= Height(10), "settled {settled:?}");
    let named: Vec<u16> = network.faults.iter().filter_map(|(_, fault)| double(fault)).collect();
    assert!(!named.is_empty(), "nobody noticed");
    assert!(named.iter().all(|name| *name == index), "an honest validator is accused");
    // What was seen is kept: it is there after a restart, once, and shows that validator's offence to anybody.
    network.crash(0, 0);
    network.start(0);
    let kept = network.node(0).unwrap().offences().unwrap();
    let [Charge { seen, stakers }] = &kept[..] else { panic!("{kept:?}") };
    let public = genesis::validator(2).public();
    assert_eq!(seen.offenders[..], [Offender::Validator(public)]);
    assert_eq!(stakers[..], [None], "nobody stakes on this chain");
    let chain = network.spec.chain_id();
    let guardian = genesis::guardian(2).public();
    let known = Known { chain, interval: genesis::INTERVAL, guardians: None };
    let accused = |key| Accused { validator: Some(key), guardian: &guardian };
    let shown = seen.evidence.judge(known, accused(&public)).unwrap();
    assert_eq!(shown.offence, Offence::TwoProposals);
    let innocent = genesis::validator(1).public();
    assert!(seen.evidence.judge(known, accused(&innocent)).is_err());
}

/// Returns who is shown to have signed twice.
fn double(fault: &Fault) -> Option<u16> {
    let pair = match fault {
        Fault::Bft(bft::Fault::TwoProposals(pair)) => {
            pair.each_ref().map(|signed| signed.header.proposer_index)
        }
        Fault::Bft(bft::Fault::TwoVotes(pair)) => pair.each_ref().map(|vote| vote.index),
        Fault::Bft(_)
        | Fault::Guardian(_)
        | Fault::Block(..)
        | Fault::Malformed(_)
        | Fault::Stopped(_) => return None,
    };
    assert_eq!(pair[0], pair[1]);
    Some(pair[0])
}
