//! Proposers in an order that nobody chooses, and guardians who win by their weight. PROTOCOL A3; AELF-9 to AELF-13, AELF-30;
//! ADVERSARIAL case 16.

use antiphon_core::{
    amount::Amount,
    chain::{
        beacon::ProposerOrder,
        header::Header,
        lottery::{Draw, LotteryRules},
        spec::ChainSpec,
        stake::{StakeRules, Staker},
        state::{StateKey, Supply},
        upgrade::{Upgrade, UpgradeRules},
    },
    codec,
    id::{Address, Height},
};
use antiphon_node::storage::Storage as _;
use antiphon_tests::sim::{
    Seed,
    genesis::{self, GUARDIANS, INTERVAL, owner},
    network::Network,
};
use std::collections::BTreeSet;

const BLOCK_MS: u64 = 200;
/// What a checkpoint may mint for winners.
const POT: u128 = 4_000;

fn network(seed: &Seed) -> Network {
    let base = genesis::staking_spec(BLOCK_MS);
    let pot = Amount::from_units(POT);
    let lottery = Some(LotteryRules { winners: 4, pot, proposer_percent: 10 });
    let stake = base.stake.clone().map(|rules| StakeRules { lottery, ..rules });
    let upgrade = Some(UpgradeRules { window: 10, percent: 80, grace: 20 });
    let order = ProposerOrder::CommitReveal;
    Network::new(seed.number(), ChainSpec { stake, upgrade, order, ..base })
}

#[test]
fn validators_propose_in_drawn_orders_and_everybody_follows() {
    let mut network = network(&Seed::or(61));
    network.run_for(16);
    let settled = network.settled_by(0..7);
    assert!(settled >= Height(40), "{settled:?}");
    assert!(network.faults.is_empty(), "{:?}", network.faults);
    let headers = headers(&network, 0, settled);
    let (order, set) = (network.spec.order, &network.spec.validators);
    let (mut drawn, mut elsewhere) = (BTreeSet::new(), 0);
    for pair in headers.windows(2) {
        let [parent, child] = pair else { continue };
        let turn = order.proposer(parent.next_order, set, child.epoch);
        assert_eq!(turn, Some(child.proposer_index), "at {:?}", child.height);
        let round_robin = ProposerOrder::RoundRobin.proposer(parent.next_order, set, child.epoch);
        elsewhere += usize::from(turn != round_robin);
        drawn.insert(child.next_order);
    }
    assert!(drawn.len() >= 5, "{} orders", drawn.len());
    assert!(elsewhere > 10, "only {elsewhere} turns differ from one after the other");
}

#[test]
fn a_drawn_order_survives_loss_and_crashes() {
    let seed = Seed::or(62);
    let mut network = network(&seed);
    network.weather.loss_percent = 10;
    for round in 0..8 {
        let node = round % 7;
        network.crash(node, round % 2);
        network.run_for(3);
        network.start(node);
        network.run_for(2);
    }
    network.weather.loss_percent = 0;
    let before = network.settled_by(0..7);
    network.run_for(15);
    let after = network.settled_by(0..7);
    assert!(after.0 >= before.0 + 20, "from {before:?} to {after:?}");
}

#[test]
fn guardians_win_and_no_more_is_minted_than_the_pots() {
    let mut network = network(&Seed::or(63));
    network.run_for(24);
    let settled = network.settled_by(0..7);
    let draws = settled.0 / INTERVAL - 1;
    assert!(draws >= 5, "{settled:?}");
    let chain = network.spec.chain_id();
    let draw: Draw = row(&network, StateKey::draw(chain));
    assert!(draw.checkpoint >= Height(INTERVAL * (draws - 1)), "{draw:?} at {settled:?}");
    let supply: Supply = row(&network, StateKey::supply(chain));
    let [staking, operational] = supply.minted;
    assert_eq!(staking, Amount::ZERO, "A3.4");
    let most = (settled.0 / INTERVAL + 1) as u128 * (POT + genesis::POT);
    assert!(operational.units() <= most, "{operational:?} of {most}");
    let won = (0..GUARDIANS).filter(|n| {
        let key = StateKey::staker(chain, &Address::of(&owner(*n).public()));
        !row::<Staker>(&network, key).unclaimed.is_zero()
    });
    // Who is no validator has no other way to a reward.
    assert!(won.filter(|n| *n >= genesis::VALIDATORS).count() > 0, "no guardian won anything");
    // What was not paid is still in the pot: with the bonus and what was won, it is all pots together.
    assert!(draw.rolled.units() <= u128::from(draws + 1) * POT);
    let upgrade: Upgrade = row(&network, StateKey::upgrade(chain));
    assert_eq!((upgrade.rules, upgrade.decided), (1, None), "nobody knows newer rules");
}

fn headers(network: &Network, node: usize, to: Height) -> Vec<Header> {
    let disk = network.disk(node);
    let header = |height| disk.settled(Height(height)).unwrap().unwrap().block.signed.header;
    (0..=to.0).map(header).collect()
}

fn row<T: borsh::BorshSerialize + borsh::BorshDeserialize>(network: &Network, key: StateKey) -> T {
    let bytes = network.disk(0).value(u64::MAX, &key).unwrap().unwrap();
    codec::decode(&bytes, bytes.len()).unwrap()
}
