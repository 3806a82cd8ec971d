//! Everything at once: random weather, crashes, full disks, stake that moves, and at most one foe among the validators.
//! What must never happen the network's witness sees; at the end the weather is calm, and the chain must go on.

use super::{
    dice::Dice,
    genesis::{self, BOND, owner},
    network::Network,
    transcript::Transcript,
    weather::Weather,
};
use crate::foe::{Censor, Equivocator, Flooder, Foe, Liar, Replayer, Silent, Tape};
use antiphon_core::{
    amount::Amount,
    chain::{
        spec::{ChainSpec, Token},
        stake::StakeRules,
        transaction::Message,
    },
    crypto::{Hash, PublicKey},
    id::{Address, Height},
};
use antiphon_node::{bft, storage::Storage as _, supernode::Fault};
use std::time::Duration;

/// Nodes of the network.
const NODES: u64 = genesis::GUARDIANS as u64;
/// Seconds of calm after which the chain must have gone on. The timers of a long storm are long.
const PATIENCE: u64 = 3600;
/// Blocks that make a chain that goes on.
const GOES_ON: u64 = 10;

/// What a storm left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    /// Everything that happened.
    pub transcript: Transcript,
    /// What every honest node has settled.
    pub settled: Height,
    /// Height of the checkpoint that elected the validators.
    pub since: Height,
}

/// Runs the storm of a seed.
///
/// Panics where a rule of agreement or money is broken, an honest validator is accused, or the chain does not go on.
pub fn run(seed: u64) -> Report {
    let mut dice = Dice::new(seed.wrapping_mul(2) | 1);
    let mut network = Network::new(seed, spec());
    let foe = choose_foe(&mut network, &mut dice);
    let honest: Vec<usize> = (0..genesis::GUARDIANS).filter(|node| Some(*node) != foe).collect();
    for _ in 0..dice.between((4, 10)) {
        blow(&mut network, &mut dice);
        for _ in 0..dice.below(3) {
            harm(&mut network, &mut dice);
        }
        for _ in 0..dice.below(4) {
            pay(&mut network, &mut dice, foe);
        }
        let wait = Duration::from_millis(dice.between((200, 6000)));
        network.run_until(network.now().after(wait));
    }
    calm(&mut network);
    goes_on(&mut network, &honest);
    for (_, fault) in &network.faults {
        judge(&network, fault, foe);
    }
    let settled = network.settled_by(honest.iter().copied());
    Report { transcript: network.transcript, settled, since: since(&network, honest[0]) }
}

/// Who is silent for long stays elected, or a storm could leave a committee in which one foe is too many.
fn spec() -> ChainSpec {
    let spec = genesis::staking_spec(200);
    let rules = spec.stake.clone().map(|rules| StakeRules { inactivity: 1 << 40, ..rules });
    ChainSpec { stake: rules, ..spec }
}

fn choose_foe(network: &mut Network, dice: &mut Dice) -> Option<usize> {
    let node = dice.below(genesis::VALIDATORS as u64) as usize;
    let (key, chain) = (genesis::validator(node), network.spec.chain_id());
    let index = network.spec.validators.index_of(&key.public()).unwrap() as u16;
    let foe: Box<dyn Foe> = match dice.below(7) {
        0 => Box::new(Silent),
        1 => Box::new(Equivocator::new(key, chain, index)),
        2 => Box::new(Liar::new(key, genesis::guardian(node), chain, index)),
        3 => Box::new(Replayer::new(Tape::default())),
        4 => Box::new(Flooder::new(key, chain, (index, genesis::VALIDATORS as u16), 8)),
        5 => Box::new(Censor),
        _ => return None,
    };
    network.corrupt(node, foe);
    Some(node)
}

fn blow(network: &mut Network, dice: &mut Dice) {
    let worst = dice.between((10, 400));
    network.weather = Weather {
        latency_ms: (dice.between((1, 10)), worst),
        loss_percent: if dice.chance(50) { dice.below(30) } else { 0 },
        islands: match dice.below(4) {
            0 => (0..NODES).map(|_| dice.below(2) as u8).collect(),
            _ => Vec::new(),
        },
    };
}

fn harm(network: &mut Network, dice: &mut Dice) {
    let node = dice.below(NODES) as usize;
    match (network.node(node).is_some(), dice.below(3)) {
        (false, _) => {
            network.disk(node).limit(None);
            network.start(node);
        }
        (true, 0) => network.crash_in(node, dice.between((1, 12))),
        (true, 1) => network.disk(node).limit(Some(dice.below(20))),
        (true, _) => network.crash(node, dice.below(3) as usize),
    }
}

/// Moves stake or money. The foe's stake never grows, so its share of the weight only falls.
fn pay(network: &mut Network, dice: &mut Dice, foe: Option<usize>) {
    let from = dice.below(NODES) as usize;
    let Some(to) = (0..genesis::GUARDIANS).find(|node| network.node(*node).is_some()) else {
        return;
    };
    let staker = Address::of(&owner(from).public());
    let message = match dice.below(3) {
        0 if Some(from) != foe => {
            let amount = Amount::from_units(u128::from(dice.between((1, 3))) * BOND);
            Message::Bond { staker, amount }
        }
        1 => Message::Withdraw { staker },
        _ => Message::Transfer {
            token: Token::Operational,
            to: Address::of(&owner(dice.below(NODES) as usize).public()),
            amount: Amount::from_units(u128::from(dice.between((1, 1000)))),
        },
    };
    let tx = network.sign(&owner(from), message);
    let _ = network.submit(to, tx);
}

fn calm(network: &mut Network) {
    network.weather = Weather::default();
    for node in 0..genesis::GUARDIANS {
        network.disk(node).limit(None);
        // A crash that was ordered may still come.
        network.crash_in(node, u64::MAX);
        if network.node(node).is_none() {
            network.start(node);
        }
    }
}

fn goes_on(network: &mut Network, honest: &[usize]) {
    let best = honest.iter().map(|node| network.settled(*node)).max().unwrap();
    let end = network.now().after(Duration::from_secs(PATIENCE));
    let least = |network: &Network| network.settled_by(honest.iter().copied());
    while least(network).0 < best.0 + GOES_ON && network.now() < end {
        network.step();
    }
    let reached = least(network);
    assert!(reached.0 >= best.0 + GOES_ON, "stuck at {reached:?}, best {best:?}");
}

/// Only the foe may be shown to be one, and nobody halts.
fn judge(network: &Network, fault: &Fault, foe: Option<usize>) {
    let (set, index) = match fault {
        Fault::Bft(bft::Fault::TwoProposals(pair)) => {
            (pair[0].header.validators_hash, pair[0].header.proposer_index)
        }
        Fault::Bft(bft::Fault::TwoVotes(pair)) => (pair[0].vote.validators_hash, pair[0].index),
        Fault::Bft(bft::Fault::Unlocked(index, pair)) => {
            (pair[0].vote.body.validators_hash, *index)
        }
        Fault::Bft(bft::Fault::Halted(..)) | Fault::Stopped(_) => panic!("{fault}"),
        Fault::Bft(bft::Fault::BadMessage(peer)) | Fault::Malformed(peer) => {
            assert_eq!(Some(usize::from(*peer)), foe, "{fault}");
            return;
        }
        Fault::Guardian(_) | Fault::Block(..) => {
            assert!(foe.is_some(), "{fault}");
            return;
        }
    };
    let named = member(network, &set, index);
    assert_eq!(named, foe.map(|node| genesis::validator(node).public()), "{fault}");
}

fn member(network: &Network, set: &Hash, index: u16) -> Option<PublicKey> {
    let mut sets = (0..genesis::GUARDIANS).filter_map(|n| network.disk(n).validators(set).ok()?);
    sets.next().and_then(|set| Some(set.members.get(usize::from(index))?.key))
}

fn since(network: &Network, node: usize) -> Height {
    let disk = network.disk(node);
    let (height, _) = disk.chain().pop_last().unwrap();
    let head = disk.settled(height).unwrap().unwrap();
    let hash = head.block.signed.header.next_validators_hash;
    disk.validators(&hash).unwrap().unwrap().since
}
