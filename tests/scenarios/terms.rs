//! Stake moves, and the committee with it: terms end, others begin, and nobody is left behind. PROTOCOL A1.22, A2.10, A4;
//! ADVERSARIAL cases 6, 10, 17.

use antiphon_core::{
    amount::Amount,
    chain::{
        certificate::Vote,
        offence::Evidence,
        set::ValidatorSet,
        spec::Token,
        stake::{Bond, Staker, Standing},
        state::StateKey,
        transaction::{Message, SignedTransaction},
    },
    codec,
    crypto::{Hash, Signed},
    id::{Address, BlockId, Height},
};
use antiphon_node::{
    bft,
    storage::Storage as _,
    supernode::{Fault, Supernode, TxStatus},
};
use antiphon_tests::{
    foe::Equivocator,
    sim::{
        Seed,
        disk::Disk,
        genesis::{self, BOND, owner},
        network::Network,
    },
};

const BLOCK_MS: u64 = 200;

fn network(seed: &Seed) -> Network {
    Network::new(seed.number(), genesis::staking_spec(BLOCK_MS))
}

#[test]
fn without_a_change_no_term_ends() {
    let mut network = network(&Seed::or(11));
    network.run_for(12);
    assert!(network.settled_by(0..7) >= Height(24));
    assert_eq!(set_of(&network, 0).since, Height(0));
    assert!(network.faults.is_empty(), "{:?}", network.faults);
}

#[test]
fn who_bonds_most_is_elected_at_the_next_checkpoint_and_settles() {
    let mut network = network(&Seed::or(12));
    network.run_for(1);
    bond(&mut network, 4, BOND * 3);
    bond(&mut network, 5, BOND * 3);
    run_to(&mut network, 0..7, 40);
    let elected = with_four_and_five();
    for node in 0..7 {
        let set = set_of(&network, node);
        assert_eq!(names(&set), elected, "node {node}, by weight and then by address");
        assert!(set.since > Height(0) && set.since.0.is_multiple_of(genesis::INTERVAL));
        let status = network.node(node).unwrap().status();
        assert!(status.finalised.0 + 24 >= status.settled.0, "node {node}: {status:?}");
    }
    assert!(network.faults.is_empty(), "{:?}", network.faults);
    // ADVERSARIAL case 10: what the old set signs above its term is no use to anybody.
    let signed = network.disk(2).signed();
    let last = signed.iter().filter(|line| line.role == antiphon_node::storage::Role::Vote).max();
    let since = set_of(&network, 0).since;
    assert!(
        last.unwrap().slot <= since.0 + 3,
        "{last:?}: the ex-validator has stopped after {since:?}"
    );
}

#[test]
fn terms_that_end_again_and_again_under_loss_and_crashes_never_split() {
    let seed = Seed::or(13);
    let mut network = network(&seed);
    network.weather.loss_percent = 10;
    network.run_for(2);
    for round in 0..12_usize {
        let up = 4 + round % 3;
        bond(&mut network, up, BOND * 2);
        let node = round % 7;
        network.crash_in(node, 2 + round as u64 % 5);
        network.run_for(2);
        if network.node(node).is_some() {
            network.crash(node, 1);
        }
        network.run_for(1);
        network.start(node);
        network.run_for(2);
    }
    network.weather.loss_percent = 0;
    let before = network.settled_by(0..7);
    network.run_for(20);
    let after = network.settled_by(0..7);
    assert!(after.0 >= before.0 + 16, "from {before:?} to {after:?}");
    let since: Vec<u64> = (0..7).map(|node| set_of(&network, node).since.0).collect();
    assert!(since.iter().all(|since| *since > 0), "{since:?}");
    assert!(!network.faults.iter().any(|(_, fault)| is_grave(fault)), "{:?}", network.faults);
}

#[test]
fn a_node_that_slept_over_three_terms_catches_up() {
    let mut network = network(&Seed::or(14));
    network.run_for(1);
    network.crash(6, 0);
    for node in [4, 5, 4] {
        bond(&mut network, node, BOND * 3);
        let settled = network.settled_by(0..6).0;
        run_to(&mut network, 0..6, settled + 24);
    }
    network.start(6);
    network.run_for(15);
    let (late, best) = (network.settled(6), network.settled(0));
    assert!(late.0 + 3 >= best.0, "{late:?} of {best:?}");
    assert_eq!(set_of(&network, 6), set_of(&network, 0));
}

#[test]
fn a_network_that_parts_while_a_term_ends_goes_on_when_it_heals() {
    let seed = Seed::or(15);
    let mut network = network(&seed);
    network.run_for(1);
    bond(&mut network, 4, BOND * 3);
    bond(&mut network, 5, BOND * 3);
    // Part them in the middle of the interval, so that the checkpoint may be missed by half of the old set.
    network.weather.islands = vec![0, 1, 0, 1, 0, 1, 0];
    network.run_for(15);
    network.weather.islands.clear();
    network.run_for(30);
    assert_eq!(names(&set_of(&network, 0)), with_four_and_five());
    let (least, best) = (network.settled_by(0..7), network.settled(0));
    assert!(least.0 + 3 >= best.0 && least > Height(16), "{least:?} of {best:?}");
}

/// ADVERSARIAL case 17, and the end of case 6: who proposes and votes twice loses all it has bonded, and its seat.
#[test]
fn an_equivocator_loses_its_stake_and_its_seat() {
    let mut network = network(&Seed::or(16));
    let key = genesis::validator(2);
    let index = network.spec.validators.index_of(&key.public()).unwrap() as u16;
    let chain = network.spec.chain_id();
    network.corrupt(2, Box::new(Equivocator::new(key, chain, index)));
    network.run_for(10);
    // Of two votes, which cost everything. The newest: what is shown must not be older than `evidence` blocks.
    let evidence = network.faults.iter().rev().find_map(|(_, fault)| match fault {
        Fault::Bft(fault) => fault.evidence().filter(|held| matches!(held, Evidence::Votes(_))),
        Fault::Guardian(_) | Fault::Block(..) | Fault::Malformed(_) | Fault::Stopped(_) => None,
    });
    let evidence = evidence.expect("somebody saw both");
    let offender = Address::of(&owner(2).public());
    let reporter = Address::of(&owner(0).public());
    let before = network.node(0).unwrap().account(&reporter).unwrap().balance(Token::Staking);
    let accuse = Message::Accuse { staker: offender, evidence };
    settle(&mut network, 0, accuse.clone());
    let now = network.node(0).unwrap().account(&reporter).unwrap().balance(Token::Staking);
    assert!(now > before && now.units() - before.units() <= 7, "the bounty is small");
    let staker: Staker = row(&network, StateKey::staker(chain, &offender));
    assert_eq!(staker.standing, Standing::Tombstoned);
    // The same again is refused by every node.
    let again = sign(&network, 0, accuse);
    assert!(network.submit(0, again).is_err());
    let settled = network.settled_by([0, 1, 3]).0;
    run_to(&mut network, [0, 1, 3, 4, 5, 6], settled + 16);
    let set = set_of(&network, 0);
    assert!(!names(&set).contains(&2), "{set:?}");
}

/// An innocent is not touched by evidence that names it: case 17's padding with a bogus signature.
#[test]
fn forged_evidence_is_refused() {
    let mut network = network(&Seed::or(17));
    network.run_for(4);
    let (chain, set) =
        (network.spec.chain_id(), network.spec.validators.hash(network.spec.chain_id()));
    let vote = |block: u8| Vote {
        validators_hash: set,
        height: Height(3),
        block: BlockId(Hash([block; 32])),
    };
    let (victim, foe) = (genesis::validator(1), genesis::validator(3));
    let pair = [Signed::new(&victim, chain, vote(1)), Signed::new(&foe, chain, vote(2))];
    let same = [Signed::new(&foe, chain, vote(1)), Signed::new(&foe, chain, vote(1))];
    for (staker, pair) in [(1, pair), (3, same)] {
        let staker = Address::of(&owner(staker).public());
        let evidence = Evidence::Votes(Box::new(pair));
        let tx = sign(&network, 3, Message::Accuse { staker, evidence });
        assert!(network.submit(0, tx).is_err());
    }
}

#[test]
fn a_silent_validator_is_not_elected_again_until_it_says_that_it_is_back() {
    let mut network = network(&Seed::or(18));
    network.run_for(1);
    network.crash(3, 0);
    run_to(&mut network, [0, 1, 2, 4, 5, 6], 60);
    assert!(!names(&set_of(&network, 0)).contains(&3), "40 blocks of silence");
    network.start(3);
    settle(&mut network, 3, Message::Rejoin);
    let settled = network.settled_by([0, 1, 2]).0;
    run_to(&mut network, 0..7, settled + 16);
    assert!(names(&set_of(&network, 0)).contains(&3));
}

#[test]
fn rewards_are_minted_for_validators_and_shared_with_who_delegates() {
    let mut network = network(&Seed::or(19));
    network.run_for(1);
    let (chain, staker) = (network.spec.chain_id(), Address::of(&owner(0).public()));
    settle(&mut network, 6, Message::Bond { staker, amount: Amount::from_units(BOND) });
    let settled = network.settled_by(0..7).0;
    run_to(&mut network, 0..7, settled + 17);
    let delegator = Address::of(&owner(6).public());
    let before = network.node(0).unwrap().account(&delegator).unwrap().balance(Token::Operational);
    settle(&mut network, 6, Message::Withdraw { staker });
    let now = network.node(0).unwrap().account(&delegator).unwrap().balance(Token::Operational);
    // Two checkpoints at least, each 900 of which 2000/6500 are for the staker and half of that for the delegator.
    let gained = now.units() + genesis::FEE - before.units();
    assert!(gained >= 2 * 138 - 2, "gained {gained}");
    let held: Bond = row(&network, StateKey::bond(chain, &delegator, &staker));
    assert_eq!(held.amount, Amount::from_units(BOND));
}

/// Returns who is elected when nodes 4 and 5 have bonded most: of the first four, which weigh the same, the two of the
/// smallest addresses.
fn with_four_and_five() -> Vec<usize> {
    let mut others: Vec<usize> = (0..4).collect();
    others.sort_by_key(|node| Address::of(&owner(*node).public()));
    let mut elected = vec![others[0], others[1], 4, 5];
    elected.sort_unstable();
    elected
}

/// Returns the places of the stakers that are in a set.
fn names(set: &ValidatorSet) -> Vec<usize> {
    (0..7).filter(|n| set.index_of(&genesis::validator(*n).public()).is_some()).collect()
}

fn set_of(network: &Network, node: usize) -> ValidatorSet {
    let disk = network.disk(node);
    let (height, _) = disk.chain().pop_last().unwrap();
    let head = disk.settled(height).unwrap().unwrap();
    disk.validators(&head.block.signed.header.next_validators_hash).unwrap().unwrap()
}

fn row<T: borsh::BorshSerialize + borsh::BorshDeserialize>(network: &Network, key: StateKey) -> T {
    let bytes = network.disk(0).value(u64::MAX, &key).unwrap().unwrap();
    codec::decode(&bytes, bytes.len()).unwrap()
}

fn is_grave(fault: &Fault) -> bool {
    matches!(fault, Fault::Stopped(_) | Fault::Bft(bft::Fault::Halted(..)))
}

fn bond(network: &mut Network, node: usize, units: u128) {
    let staker = Address::of(&owner(node).public());
    settle(network, node, Message::Bond { staker, amount: Amount::from_units(units) });
}

fn sign(network: &Network, by: usize, message: Message) -> SignedTransaction {
    network.sign(&owner(by), message)
}

/// Sends a message of a node's owner and waits until it is settled; with loss, it is sent again and to others.
fn settle(network: &mut Network, by: usize, message: Message) {
    let mut sent = Vec::new();
    for round in 0..60 {
        let tx = sign(network, by, message.clone());
        sent.push(tx.body.id(network.spec.chain_id()));
        let to = (0..7).cycle().skip(round).find(|node| network.node(*node).is_some()).unwrap();
        // Refused, perhaps, because an earlier one is on its way.
        let _ = network.submit(to, tx);
        network.run_for(3);
        let is_settled = |id, node: &Supernode<Disk>| {
            let settled = node.status().settled;
            matches!(node.transaction(id), Ok(TxStatus::In(height, _)) if height <= settled)
        };
        let mut running = (0..7).filter_map(|node| network.node(node));
        if running.any(|node| sent.iter().any(|id| is_settled(id, node))) {
            return;
        }
    }
    panic!("{message:?} is not settled (seed {})", network.seed());
}

fn run_to(network: &mut Network, nodes: impl IntoIterator<Item = usize> + Clone, height: u64) {
    let end = network.now().after(std::time::Duration::from_secs(120));
    while network.settled_by(nodes.clone()).0 < height && network.now() < end {
        network.step();
    }
    let settled = network.settled_by(nodes);
    assert!(settled.0 >= height, "stuck at {settled:?} (seed {})", network.seed());
}
