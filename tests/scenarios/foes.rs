//! One foe at a time among the validators: it may slow the chain down, but splits nobody, and nobody else is blamed.
//! PROTOCOL A1, A2; ADVERSARIAL 3, 5, 7 to 11.

use antiphon_core::{
    amount::Amount,
    chain::{spec::Token, transaction::Message},
    crypto::Signed,
    id::{Address, BlockId, Height, StreamId},
    payment::{reservation::PoolTerms, voucher::Voucher},
};
use antiphon_node::{
    bft,
    mempool::MAX_OF_SENDER,
    supernode::{Fault, TxStatus},
};
use antiphon_tests::{
    foe::{Censor, Flooder, KeyThief, Liar, Replayer, Tape},
    sim::{
        Seed,
        genesis::{self, BOND, VALIDATORS, owner},
        network::Network,
        storm,
    },
};
use std::collections::BTreeMap;

const BLOCK_MS: u64 = 200;
/// The node that the foe holds.
const FOE: usize = 2;
const HONEST: [usize; 6] = [0, 1, 3, 4, 5, 6];

fn network(seed: &Seed) -> Network {
    Network::new(seed.number(), genesis::spec(BLOCK_MS, 1))
}

fn index(network: &Network, node: usize) -> u16 {
    network.spec.validators.index_of(&genesis::validator(node).public()).unwrap() as u16
}

/// Every blame that names somebody names the foe, and nobody stops.
fn assert_only_the_foe_is_blamed(network: &Network) {
    for (node, fault) in &network.faults {
        match fault {
            Fault::Bft(bft::Fault::BadMessage(peer)) | Fault::Malformed(peer) => {
                assert_eq!(usize::from(*peer), FOE, "node {node}: {fault}");
            }
            Fault::Bft(bft::Fault::TwoProposals(pair)) => {
                assert_eq!(pair[0].header.proposer_index, index(network, FOE), "{fault}");
            }
            Fault::Bft(bft::Fault::TwoVotes(pair)) => {
                assert_eq!(pair[0].index, index(network, FOE), "{fault}");
            }
            Fault::Bft(bft::Fault::Unlocked(place, _)) => {
                assert_eq!(*place, index(network, FOE), "{fault}");
            }
            Fault::Guardian(_) | Fault::Block(..) => {}
            Fault::Bft(bft::Fault::Halted(..)) | Fault::Stopped(_) => {
                panic!("node {node}: {fault}")
            }
        }
    }
}

/// Cases 3 and 11.
#[test]
fn a_liar_moves_nobody_with_forged_certificates_shares_and_states() {
    let mut network = network(&Seed::or(41));
    let (key, chain) = (genesis::validator(FOE), network.spec.chain_id());
    let liar = Liar::new(key, genesis::guardian(FOE), chain, index(&network, FOE));
    network.corrupt(FOE, Box::new(liar));
    network.run_for(30);
    let settled = network.settled_by(HONEST);
    assert!(settled >= Height(16), "settled {settled:?}");
    let finalised = network.node(0).unwrap().status().finalised;
    assert!(finalised >= Height(8), "final {finalised:?}");
    assert_only_the_foe_is_blamed(&network);
    let refused = |what: fn(&Fault) -> bool| network.faults.iter().any(|(_, f)| what(f));
    assert!(refused(|f| matches!(f, Fault::Bft(bft::Fault::BadMessage(_)))), "forged votes");
    assert!(refused(|f| matches!(f, Fault::Guardian(_))), "forged shares");
    assert!(refused(|f| matches!(f, Fault::Block(..))), "a forged state");
}

/// Old messages of this chain, of its terms that ended, and of another chain.
#[test]
fn a_replayer_changes_nothing() {
    let seed = Seed::or(42);
    let tape = Tape::default();
    let mut other = Network::new(seed.number(), genesis::staking_spec(BLOCK_MS + 1));
    other.corrupt(FOE, Box::new(Replayer::new(tape.clone())));
    other.run_for(3);
    assert!(tape.borrow().len() > 200, "there is something to replay");
    let mut network = Network::new(seed.number(), genesis::staking_spec(BLOCK_MS));
    network.corrupt(FOE, Box::new(Replayer::new(tape)));
    network.run_for(2);
    for node in [4, 5] {
        bond(&mut network, node);
    }
    network.run_for(30);
    let settled = network.settled_by(HONEST);
    assert!(settled >= Height(32), "settled {settled:?}");
    assert_only_the_foe_is_blamed(&network);
}

/// Case 9. What is kept is counted, which is what memory grows by.
#[test]
fn a_flood_of_epochs_votes_headers_and_names_leaves_no_trace_and_stops_nobody() {
    let most_kept = |network: &mut Network| {
        let mut most = 0;
        for _ in 0..8 {
            network.run_for(1);
            let kept = HONEST.map(|node| network.node(node).unwrap().kept_entries());
            most = most.max(kept.into_iter().max().unwrap());
        }
        (most, network.settled_by(HONEST))
    };
    let seed = Seed::or(43);
    let (usual, _) = most_kept(&mut network(&seed));
    let mut network = network(&seed);
    let (key, chain) = (genesis::validator(FOE), network.spec.chain_id());
    let place = (index(&network, FOE), VALIDATORS as u16);
    network.corrupt(FOE, Box::new(Flooder::new(key, chain, place, 12)));
    let (most, settled) = most_kept(&mut network);
    assert!(settled >= Height(8), "settled {settled:?}");
    assert!(most <= 3 * usual + 64, "{most} entries kept, without a flood {usual}");
    let epoch = network.node(0).unwrap().status().epoch.0;
    assert!(epoch < 1000, "nobody follows into epoch {epoch}");
    assert_only_the_foe_is_blamed(&network);
}

/// Case 10. The nodes have seen the term end; a majority of its keys is sold afterwards.
#[test]
fn who_holds_every_key_of_an_ended_term_forks_nobody() {
    let mut network = Network::new(Seed::or(44).number(), genesis::staking_spec(BLOCK_MS));
    let set = network.spec.validators.clone();
    let named = set.members.iter().map(|member| {
        let mut nodes = (0..7).map(genesis::validator);
        nodes.find(|key| key.public() == member.key).unwrap()
    });
    let chain = network.spec.chain_id();
    let thief = KeyThief::new(named.collect(), chain, set.hash(chain));
    // A guardian that is no validator of either term.
    network.corrupt(6, Box::new(thief));
    network.run_for(1);
    for node in [4, 5] {
        bond(&mut network, node);
    }
    network.run_for(30);
    let honest = [0, 1, 2, 3, 4, 5];
    let before = network.settled_by(honest);
    let chain_before: BTreeMap<Height, BlockId> = network.disk(0).chain();
    network.run_for(10);
    let after = network.settled_by(honest);
    assert!(after.0 >= before.0 + 16, "from {before:?} to {after:?}");
    let now = network.disk(0).chain();
    assert!(chain_before.iter().all(|(height, id)| now.get(height) == Some(id)));
    let halted = |fault: &Fault| matches!(fault, Fault::Bft(bft::Fault::Halted(..)));
    assert!(!network.faults.iter().any(|(_, fault)| halted(fault)), "{:?}", network.faults);
    let blamed = network
        .faults
        .iter()
        .filter(|(_, fault)| matches!(fault, Fault::Bft(bft::Fault::BadMessage(6))));
    assert!(blamed.count() > 0, "who votes for the next term with keys of the last is noticed");
}

/// Case 8, over whole nodes: one validator's key on two machines, for many partitions of the network.
#[test]
fn twins_of_a_validator_split_nobody_and_only_they_are_blamed() {
    for number in 0..2 {
        let seed = Seed::or(53 + number);
        let mut network = network(&seed);
        network.twin(6, FOE);
        for round in 0..4_u64 {
            let bits = seed.number().wrapping_mul(0x9e37_79b9) >> (7 * round);
            network.weather.islands = (0..7).map(|node| (bits >> node & 1) as u8).collect();
            network.run_for(1);
        }
        network.weather.islands.clear();
        let before = network.settled_by([0, 1, 3, 4, 5]);
        let end = network.now().after(std::time::Duration::from_secs(120));
        while network.settled_by([0, 1, 3, 4, 5]).0 < before.0 + 16 && network.now() < end {
            network.step();
        }
        let after = network.settled_by([0, 1, 3, 4, 5]);
        assert!(after.0 >= before.0 + 16, "seed {}: stuck at {after:?}", seed.number());
        assert_only_the_foe_is_blamed(&network);
    }
}

/// A1.24: more transfers wait than a block takes, every one of them sent before the settlement.
#[test]
fn a_settlement_waits_for_no_more_than_one_honest_proposer_however_many_transfers_wait() {
    let senders = 18;
    let spec = genesis::spec(1000, senders + 2);
    let mut network = Network::new(Seed::or(45).number(), spec);
    network.corrupt(FOE, Box::new(Censor));
    let (payer, payee) = (genesis::account(senders), genesis::account(senders + 1));
    let pool = open_pool(&mut network, &payer);
    for sender in 0..senders {
        let key = genesis::account(sender);
        for sequence in 1..=MAX_OF_SENDER as u64 {
            let (token, to) = (Token::Operational, Address([9; 20]));
            let amount = Amount::from_units(1);
            let tx = network.sign_as(&key, sequence, Message::Transfer { token, to, amount });
            network.submit(0, tx).unwrap();
        }
    }
    let voucher = Voucher {
        pool,
        resource: StreamId::default(),
        target: Address::of(&payee.public()),
        seq: 1,
        cum: Amount::from_units(10),
        ticks: None,
    };
    let settle =
        Message::Settle(Box::new(Signed::new(&payer, network.spec.chain_id(), voucher).into()));
    let tx = network.sign(&payee, settle);
    let (id, sent_at) = (tx.body.id(network.spec.chain_id()), network.node(0).unwrap().status());
    network.submit(0, tx).unwrap();
    let height = loop {
        network.step();
        match network.node(0).unwrap().transaction(&id).unwrap() {
            TxStatus::In(height, _) => break height,
            TxStatus::Unknown | TxStatus::Waiting => {}
        }
    };
    // The block on its way when it was sent, the censor's, and the next honest proposer's.
    assert!(height.0 <= sent_at.included.0 + 3, "{height:?}, sent at {sent_at:?}");
    let waiting = network.node(0).unwrap().status().waiting;
    assert!(waiting > 0, "the flood was over before the settlement");
}

/// Case 7: a disk that is full at any write. Nothing that depends on the write is said, which the witness sees, and the
/// node goes on when there is room again.
#[test]
fn a_node_whose_disk_is_full_at_any_write_stops_and_says_nothing_of_it() {
    let mut network = network(&Seed::or(46));
    network.run_for(1);
    for round in 0..24_u64 {
        let node = (round % 4) as usize;
        network.disk(node).limit(Some(round / 4));
        network.run_for(2);
        assert!(network.node(node).is_none(), "round {round}: it goes on without a disk");
        network.disk(node).limit(None);
        network.start(node);
        network.run_for(1);
    }
    let before = network.settled_by(0..7);
    network.run_for(5);
    assert!(network.settled_by(0..7) > before);
    assert!(network.faults.is_empty(), "{:?}", network.faults);
}

#[test]
fn a_node_whose_disk_cannot_be_read_stops_and_accuses_nobody() {
    let mut network = network(&Seed::or(47));
    network.run_for(2);
    network.disk(0).break_reads(true);
    network.run_for(10);
    assert!(network.node(0).is_none(), "it goes on without its state");
    let before = network.settled_by([1, 2, 3]);
    assert!(before >= Height(8), "three others settle: {before:?}");
    for (node, fault) in &network.faults {
        assert!(matches!(fault, Fault::Stopped(_)) && *node == 0, "node {node}: {fault}");
    }
    network.disk(0).break_reads(false);
    network.start(0);
    network.run_for(10);
    assert!(network.settled(0) > before);
}

/// A few of what `cargo xtask simulate` runs by the thousand.
#[test]
fn a_storm_of_loss_crashes_full_disks_moving_stake_and_one_foe_breaks_nothing() {
    for number in 0..4 {
        let seed = Seed::or(1000 + number);
        storm::run(seed.number());
    }
}

#[test]
fn the_same_storm_gives_the_same_transcript() {
    assert_eq!(storm::run(3), storm::run(3));
}

fn bond(network: &mut Network, node: usize) {
    let (staker, amount) = (Address::of(&owner(node).public()), Amount::from_units(BOND * 3));
    let tx = network.sign(&owner(node), Message::Bond { staker, amount });
    network.submit(0, tx).unwrap();
}

fn open_pool(
    network: &mut Network,
    payer: &antiphon_core::crypto::SecretKey,
) -> antiphon_core::id::PoolId {
    network.run_for(3);
    let (now, rules) = (network.settled(0).0, network.spec.pool);
    let terms = PoolTerms {
        creator: payer.public(),
        nonce: 1,
        resource: StreamId::default(),
        deposit: Amount::from_units(100),
        collateral: Amount::from_units(200),
        end_height: Height(now + rules.min_duration + 20),
    };
    let pool = terms.id(network.spec.chain_id());
    let tx = network.sign(payer, Message::CreatePool(terms));
    network.submit(0, tx).unwrap();
    network.run_for(8);
    pool
}
