//! Large sets of guardians add their shares up between neighbours, and poisoners among them change nothing. PROTOCOL
//! A2.14–A2.16; ALLA-6; ADVERSARIAL 11 to 13.

use antiphon_core::id::Height;
use antiphon_node::{
    guardian::{self, Gossip},
    supernode::Fault,
};
use antiphon_tests::{
    foe::{Poison, Poisoner},
    sim::{
        Seed, gathering,
        genesis::{self, INTERVAL},
        network::Network,
    },
};
use std::time::Duration;

const BLOCK_MS: u64 = 200;

/// Case 13: all kinds together, and those whose sums verify alone.
#[test]
fn a_third_of_poisoners_keeps_no_honest_guardian_from_a_certificate() {
    let kinds: [&'static [Poison]; 3] = [&Poison::ALL, &[Poison::Multiples], &[Poison::Overflow]];
    for (number, poisons) in kinds.into_iter().enumerate() {
        let seed = Seed::or(130 + number as u64);
        let report = gathering::finalise(seed.number(), (4, 120), 30, poisons);
        let allowed = poisons == [Poison::Multiples];
        assert_eq!(report.blamed.is_empty(), allowed, "{poisons:?}: {:?}", report.blamed);
    }
}

/// Whole nodes, whose shares never go to everybody, with one poisoner of each kind and bad weather.
#[test]
fn seven_nodes_finalise_in_rounds_whatever_one_of_them_poisons() {
    const FOE: usize = 2;
    let poisons = Poison::ALL.into_iter().map(Some);
    for (number, poison) in [None].into_iter().chain(poisons).enumerate() {
        let seed = Seed::or(140 + number as u64);
        let gossip = Gossip { flooded: 0, round: Duration::from_millis(200) };
        let mut network = Network::sized(seed.number(), genesis::spec(BLOCK_MS, 1), 7, gossip);
        network.weather.loss_percent = 5;
        if let Some(poison) = poison {
            network.corrupt(FOE, Box::new(Poisoner::new(poison)));
        }
        network.run_for(8);
        network.crash(5, 0);
        network.run_for(1);
        network.start(5);
        network.run_for(12);
        let honest = (0..7).filter(|node| poison.is_none() || *node != FOE);
        for node in honest {
            let status = network.node(node).unwrap().status();
            assert!(status.settled >= Height(32), "{poison:?}: {status:?}");
            assert!(
                status.finalised.0 + 3 * INTERVAL >= status.settled.0,
                "{node} {poison:?}: {status:?}"
            );
        }
        for (node, fault) in &network.faults {
            let Fault::Guardian(guardian::Fault::Forged(peer) | guardian::Fault::BadMessage(peer)) =
                fault
            else {
                panic!("{node}: {fault}");
            };
            assert!(poison.is_some() && usize::from(*peer) == FOE, "{node}: {fault}");
        }
    }
}

#[test]
fn the_same_seed_gathers_in_the_same_way() {
    let run = |number| {
        gathering::finalise(Seed::or(number).number(), (4, 24), 20, &Poison::ALL).transcript
    };
    assert_eq!(run(1), run(1));
}
