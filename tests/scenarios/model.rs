//! Every order of proposals and votes of a small committee: four validators, one of them Byzantine, one chain of up to four
//! heights. The voting rule is not modelled: it is the validator's own [`SafetyRecord`]. PROTOCOL A1.17 to A1.19.
//!
//! What stands for everything that an asynchronous network and a Byzantine validator can do:
//!
//! - Anybody's block may be proposed in any epoch, on any earlier block, with any certificate of an ancestor (V1, V3).
//! - The Byzantine validator votes for everything, so a block is certified with two of the three honest votes.
//! - Any of the honest whom their records allow may vote, or not: lost, late and partitioned messages.
//!
//! Epochs come one after another, although nodes run through them at different times: a vote depends on the voter's earlier
//! votes and on blocks of earlier epochs only, so sorting by epoch changes nobody's vote. Two blocks of one epoch are two
//! epochs here, which allows more. Blocks are kept as a tree without names, so that equal situations are one state.

use antiphon_core::{
    chain::{certificate::Certificate, header::Header},
    crypto::Hash,
    id::{BlockId, ChainId, Epoch, Height},
    time::UnixMillis,
};
use antiphon_node::bft::SafetyRecord;
use stateright::{Checker as _, Model, Property};

/// Highest block.
const HEIGHTS: u64 = 4;
/// Blocks that are proposed. Six are enough for a conflict once a rule is taken out.
const BLOCKS: usize = 6;
/// Honest validators, and how many of their votes certify together with the Byzantine one.
const HONEST: usize = 3;
const CERTIFIES: u32 = 2;

/// A proposed block; the root of the tree is genesis.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Node {
    certified: bool,
    /// Height of the certificate that it carries; of no use to anybody if the block itself is not certified.
    carries: u64,
    children: Vec<Self>,
}

/// What an honest validator remembers: the heights of its last vote and of its lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Voter {
    voted: u64,
    lock: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct State {
    genesis: Node,
    voters: [Voter; HONEST],
    left: usize,
}

/// A block is proposed on the one that the path leads to, and some vote for it.
#[derive(Clone, Debug, PartialEq)]
struct Proposed {
    path: Vec<usize>,
    carries: u64,
    /// A bit for each honest voter.
    votes: u8,
}

/// The protocol, and the same with a rule taken out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rules {
    Whole,
    /// V4: the lock is forgotten.
    NoLock,
    /// V2: the height of the last vote is forgotten.
    NoHeight,
    /// A1.18: a certified child settles, whatever certificate its header carries.
    AnyChild,
}

impl Rules {
    /// Asks the real record for a vote, and returns what it remembers afterwards.
    fn vote(self, voter: Voter, header: &Header) -> Option<Voter> {
        let lock = if self == Self::NoLock { 0 } else { voter.lock };
        let voted = if self == Self::NoHeight { 0 } else { voter.voted };
        let mut record = SafetyRecord::new(Hash::default(), certificate(lock));
        record.last_vote = (Height(voted), BlockId::default());
        record.epoch = header.epoch;
        if !record.may_vote(header, Height(0)) {
            return None;
        }
        record.vote(BlockId::default(), header);
        Some(Voter { voted: record.last_vote.0.0, lock: record.lock.height.0 })
    }
}

impl Model for Rules {
    type State = State;
    type Action = Proposed;

    fn init_states(&self) -> Vec<State> {
        let genesis = Node { certified: true, carries: 0, children: Vec::new() };
        vec![State { genesis, voters: [Voter { voted: 0, lock: 0 }; HONEST], left: BLOCKS }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Proposed>) {
        if state.left > 0 {
            propose(state, &state.genesis, &mut Vec::new(), &mut vec![0], actions);
        }
    }

    fn next_state(&self, state: &State, action: Proposed) -> Option<State> {
        let mut next = State { left: state.left - 1, ..state.clone() };
        let header = header(action.path.len() as u64 + 1, action.carries);
        for (place, voter) in next.voters.iter_mut().enumerate() {
            if action.votes >> place & 1 == 1 {
                *voter = self.vote(*voter, &header)?;
            }
        }
        let certified = action.votes.count_ones() >= CERTIFIES;
        let carries = if certified { action.carries } else { 0 };
        let mut parent = &mut next.genesis;
        for step in action.path {
            parent = &mut parent.children[step];
        }
        parent.children.push(Node { certified, carries, children: Vec::new() });
        next.voters.sort_unstable();
        tidy(&mut next.genesis, 0);
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("agreement", |rules: &Self, state: &State| {
                let mut settled = Vec::new();
                collect(*rules, &state.genesis, &mut Vec::new(), &mut settled);
                settled
                    .iter()
                    .all(|one| settled.iter().all(|two| one.iter().zip(two).all(|(a, b)| a == b)))
            }),
            Property::sometimes("three blocks settle", |rules: &Self, state: &State| {
                let mut settled = Vec::new();
                collect(*rules, &state.genesis, &mut Vec::new(), &mut settled);
                settled.iter().any(|path| path.len() >= 3)
            }),
        ]
    }
}

/// Adds every proposal on `node` and above it. `known` holds the heights of certified blocks on the way to it.
fn propose(
    state: &State,
    node: &Node,
    path: &mut Vec<usize>,
    known: &mut Vec<u64>,
    actions: &mut Vec<Proposed>,
) {
    if path.len() as u64 >= HEIGHTS {
        return;
    }
    for carries in known.iter().copied() {
        for votes in 0..1_u8 << HONEST {
            // Of equal voters the first ones vote. What nobody votes for may as well carry genesis.
            let orderly = (1..HONEST).all(|place| {
                let (one, two) = (votes >> (place - 1) & 1, votes >> place & 1);
                state.voters[place - 1] != state.voters[place] || one >= two
            });
            if orderly && (votes > 0 || carries == 0) {
                actions.push(Proposed { path: path.clone(), carries, votes });
            }
        }
    }
    for (step, child) in node.children.iter().enumerate() {
        path.push(step);
        if child.certified {
            known.push(path.len() as u64);
        }
        propose(state, child, path, known, actions);
        if child.certified {
            known.pop();
        }
        path.pop();
    }
}

/// Brings a tree into the one form that stands for all that are equal to it: children in order, and of uncertified leaves
/// one beside others like it, none where nothing can be built on it.
fn tidy(node: &mut Node, height: u64) {
    node.children.iter_mut().for_each(|child| tidy(child, height + 1));
    let top = height + 1 >= HEIGHTS;
    node.children.sort_unstable();
    let mut bare = node.children.iter().filter(|child| !child.certified).count();
    node.children.retain(|child| {
        let leaf = !child.certified && child.children.is_empty();
        let spare = leaf && (top || bare > 1);
        bare -= usize::from(spare);
        !spare
    });
}

/// A1.18: gathers the paths to all settled blocks: those with a certified child that carries their certificate.
fn collect(rules: Rules, node: &Node, path: &mut Vec<usize>, settled: &mut Vec<Vec<usize>>) {
    let height = path.len() as u64;
    let settles = |child: &Node| {
        let carried = child.carries == height || rules == Rules::AnyChild;
        node.certified && child.certified && carried
    };
    if height > 0 && node.children.iter().any(settles) {
        settled.push(path.clone());
    }
    for (step, child) in node.children.iter().enumerate() {
        path.push(step);
        collect(rules, child, path, settled);
        path.pop();
    }
}

fn certificate(height: u64) -> Certificate {
    Certificate { height: Height(height), ..Certificate::genesis() }
}

fn header(height: u64, carries: u64) -> Header {
    Header {
        chain_id: ChainId::default(),
        height: Height(height),
        epoch: Epoch(1),
        parent: BlockId::default(),
        hcc: certificate(carries),
        tx_root: Hash::default(),
        state_root: Hash::default(),
        field_root: Hash::default(),
        validators_hash: Hash::default(),
        next_validators_hash: Hash::default(),
        guardians_hash: Hash::default(),
        next_guardians_hash: Hash::default(),
        cp_link: BlockId::default(),
        time: UnixMillis(1),
        proposer_index: 0,
        carried: Hash::default(),
        next_order: Hash::default(),
    }
}

#[test]
fn no_order_of_votes_settles_two_branches() {
    let checker = Rules::Whole.checker().threads(2).spawn_bfs().join();
    checker.assert_properties();
    assert!(checker.unique_state_count() > 10_000, "the model is too small to show anything");
}

#[test]
fn without_the_lock_the_heights_or_the_carried_certificate_two_branches_settle() {
    for rules in [Rules::NoLock, Rules::NoHeight, Rules::AnyChild] {
        let checker = rules.checker().threads(2).spawn_bfs().join();
        let found = checker.discovery("agreement").is_some();
        assert!(found, "{rules:?}: no counterexample in {} states", checker.unique_state_count());
    }
}
