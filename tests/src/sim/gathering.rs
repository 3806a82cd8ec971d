//! Guardians of one large set who gather for one checkpoint, with neighbours drawn by chance and foes among them.
//!
//! Real guardian machines and real bytes in virtual time; the chain below them is settled already. Foes are heard first:
//! their messages are on their way for a millisecond.

use super::{dice::Dice, genesis, network::Network, queue::Queue, transcript::Transcript};
use crate::foe::{Foe, Poison, Poisoner};
use antiphon_core::{
    chain::{
        certificate::{FinalityCertificate, MAX_ROUND},
        header::Header,
        set::GuardianSet,
    },
    codec,
    crypto::bls::BlsSecretKey,
    id::Height,
    time::Moment,
};
use antiphon_node::{
    guardian::{Config, Fault, Gossip, GuardianMachine, Input, Message, Output, Start},
    storage::Storage as _,
    supernode::wire::Wire,
};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// Neighbours that each guardian chooses; as many choose it.
const DEGREE: u64 = 8;
/// Milliseconds from the first node to the last that has settled the checkpoint.
const SPREAD_MS: u64 = 400;
/// Milliseconds between blocks of the validators.
const BLOCK_MS: u64 = 200;

/// What to gather, and among whom.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Chooses neighbours, foes and latencies.
    pub seed: u64,
    /// The guardians.
    pub set: Arc<GuardianSet>,
    /// The settled checkpoint.
    pub header: Header,
    /// Foes of a hundred guardians.
    pub foes_percent: u64,
    /// What they do, in turn.
    pub poisons: &'static [Poison],
    /// How shares come together.
    pub gossip: Gossip,
}

/// What became of it.
#[derive(Clone, Debug)]
pub struct Report {
    /// Honest guardians.
    pub honest: usize,
    /// Those of them that hold a certificate, with how long after the first had settled the checkpoint they did.
    pub finals: Vec<Duration>,
    /// A certificate.
    pub certificate: Option<FinalityCertificate>,
    /// How often each honest guardian accused each other one.
    pub blamed: BTreeMap<(usize, usize), u32>,
    /// Who is a foe.
    pub foes: Vec<bool>,
    /// Messages that each honest guardian said.
    pub messages: Vec<u64>,
    /// Bytes that each honest guardian said.
    pub bytes: Vec<u64>,
    /// What happened, as a hash.
    pub transcript: Transcript,
}

enum Event {
    Settled(usize),
    Bytes { from: usize, to: usize, bytes: Arc<[u8]> },
    Timer(usize),
}

struct Gathering {
    plan: Plan,
    now: Moment,
    dice: Dice,
    queue: Queue<Event>,
    machines: Vec<GuardianMachine>,
    foes: Vec<Option<Poisoner>>,
    report: Report,
}

/// Lets guardians gather until every honest one holds a certificate, or for `limit`.
pub fn run(plan: Plan, limit: Duration) -> Report {
    let mut gathering = Gathering::new(plan);
    let end = Moment::ZERO.after(limit);
    while gathering.report.finals.len() < gathering.report.honest {
        let Some((at, event)) = gathering.queue.pop() else { break };
        if at > end {
            break;
        }
        gathering.now = at;
        gathering.happen(event);
    }
    gathering.report
}

/// Lets validators settle the first checkpoint and guardians gather for it, then shows the validators' nodes what came of
/// it. Panics where a rule is broken or an honest guardian holds no certificate by the last round.
pub fn finalise(
    seed: u64,
    (validators, guardians): (usize, usize),
    foes_percent: u64,
    poisons: &'static [Poison],
) -> Report {
    let spec = genesis::sized(BLOCK_MS, 1, (validators, guardians));
    let gossip = in_rounds();
    let mut network = Network::sized(seed, spec.clone(), validators, gossip);
    let first = Height(genesis::INTERVAL);
    let settled = loop {
        network.step();
        let all = network.settled_by(0..validators) >= first;
        if let Some(settled) = network.disk(0).settled(first).unwrap().filter(|_| all) {
            break settled;
        }
    };
    let header = settled.block.signed.header;
    let plan = Plan { seed, set: Arc::new(spec.guardians), header, foes_percent, poisons, gossip };
    let report = run(plan.clone(), gossip.round * u32::from(MAX_ROUND));
    report.check(&plan);
    let certificate = Message::Certificate(report.certificate.clone().unwrap());
    let bytes = codec::encode(&Wire::Guardian(certificate));
    for node in 0..validators {
        network.tell(node, bytes.clone());
    }
    network.run_for(1);
    for node in 0..validators {
        let status = network.node(node).unwrap().status();
        assert_eq!(status.finalised, first, "validator {node}");
    }
    assert!(network.faults.is_empty(), "{:?}", network.faults);
    report
}

impl Gathering {
    fn new(plan: Plan) -> Self {
        let count = plan.set.members.len();
        let mut dice = Dice::new(plan.seed);
        let keys = keys(&plan.set);
        // Exactly so many of a hundred, wherever they are.
        let mut order: Vec<usize> = (0..count).collect();
        for at in (1..count).rev() {
            order.swap(at, dice.below(at as u64 + 1) as usize);
        }
        let bad = count as u64 * plan.foes_percent / 100;
        let mut foes: Vec<Option<Poisoner>> = (0..count).map(|_| None).collect();
        for (kind, place) in order.iter().take(bad as usize).enumerate() {
            foes[*place] = Some(Poisoner::new(plan.poisons[kind % plan.poisons.len()]));
        }
        let interval = genesis::INTERVAL;
        let config = Config { chain: plan.header.chain_id, interval, gossip: plan.gossip };
        let new = |key| {
            let start = Start::default();
            GuardianMachine::new(config, plan.set.clone(), Some(key), start).unwrap()
        };
        let report = Report {
            honest: count - bad as usize,
            finals: Vec::new(),
            certificate: None,
            blamed: BTreeMap::new(),
            foes: foes.iter().map(Option::is_some).collect(),
            messages: vec![0; count],
            bytes: vec![0; count],
            transcript: Transcript::default(),
        };
        let machines: Vec<_> = keys.into_iter().map(new).collect();
        let (now, queue) = (Moment::ZERO, Queue::default());
        let mut gathering = Self { plan, now, dice, queue, machines, foes, report };
        gathering.meet();
        gathering
    }

    /// Everybody chooses some neighbours, and is one of those that chose it.
    fn meet(&mut self) {
        let count = self.machines.len();
        let mut neighbours = vec![Vec::new(); count];
        for node in 0..count {
            for _ in 0..DEGREE {
                let other = self.dice.below(count as u64) as usize;
                if other != node {
                    neighbours[node].push(other as u16);
                    neighbours[other].push(node as u16);
                }
            }
        }
        for (node, list) in neighbours.into_iter().enumerate() {
            self.feed(node, Input::Neighbours(list));
            let wait = if self.foes[node].is_some() { 0 } else { self.dice.below(SPREAD_MS) };
            self.queue.push(Moment::from_millis(wait), Event::Settled(node));
        }
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Settled(node) => {
                self.feed(node, Input::Settled(Box::new(self.plan.header.clone()), None));
            }
            Event::Bytes { from, to, bytes } => {
                self.report.transcript.note(self.now, "message", &bytes);
                if let Ok(Wire::Guardian(message)) = Wire::decode(&bytes) {
                    self.feed(to, Input::Message(from as u16, message));
                }
            }
            Event::Timer(node) => {
                if self.machines[node].deadline().is_some_and(|due| due <= self.now) {
                    self.feed(node, Input::Tick);
                }
            }
        }
    }

    fn feed(&mut self, node: usize, input: Input) {
        let before = self.machines[node].deadline();
        let mut out = Vec::new();
        self.machines[node].handle(self.now, input, &mut out);
        for output in out {
            self.carry_out(node, output);
        }
        match self.machines[node].deadline() {
            Some(due) if before != Some(due) => {
                self.queue.push(due.max(self.now), Event::Timer(node));
            }
            Some(_) | None => {}
        }
    }

    fn carry_out(&mut self, node: usize, output: Output) {
        match output {
            // Its disk is quick: what it must not forget is on it now.
            Output::Store(token, _) => self.feed(node, Input::Stored(token)),
            Output::Send(to, message) => self.send(node, usize::from(to), message),
            Output::Broadcast(message) => panic!("{message:?} goes to everybody"),
            Output::Final(certificate) => {
                if self.foes[node].is_none() {
                    self.report.finals.push(self.now.since(Moment::ZERO));
                    self.report.certificate = Some(*certificate);
                }
            }
            Output::Fault(Fault::BadMessage(peer) | Fault::Forged(peer)) => {
                if self.foes[node].is_none() {
                    *self.report.blamed.entry((node, usize::from(peer))).or_default() += 1;
                }
            }
            Output::Fault(fault) => panic!("{fault:?}"),
        }
    }

    fn send(&mut self, from: usize, to: usize, message: Message) {
        let bytes = codec::encode(&Wire::Guardian(message));
        let said = match &mut self.foes[from] {
            Some(foe) => foe.says(to, bytes),
            None => {
                self.report.messages[from] += 1;
                self.report.bytes[from] += bytes.len() as u64;
                vec![bytes]
            }
        };
        for bytes in said {
            let is_foe = self.foes[from].is_some();
            let wait = if is_foe { 1 } else { self.dice.between((5, 40)) };
            let at = self.now.after(Duration::from_millis(wait));
            self.queue.push(at, Event::Bytes { from, to, bytes: bytes.into() });
        }
    }
}

/// The keys of the members, in the order of the set.
fn keys(set: &GuardianSet) -> Vec<BlsSecretKey> {
    let all = (0..set.members.len()).map(genesis::guardian);
    let mut by_key: BTreeMap<_, _> = all.map(|key| (key.public(), key)).collect();
    set.members.iter().map(|member| by_key.remove(&member.key).unwrap()).collect()
}

impl Report {
    /// Panics if an honest guardian holds no certificate after these rounds, or somebody honest was accused, or anybody was
    /// checked in vain more than once.
    pub fn check(&self, plan: &Plan) {
        let last = self.finals.iter().max().copied().unwrap_or_default();
        assert_eq!(
            self.finals.len(),
            self.honest,
            "{} hold none; {last:?}",
            self.honest - self.finals.len()
        );
        for ((node, peer), times) in &self.blamed {
            assert!(self.foes[*peer], "{node} accuses {peer}, who is honest");
            assert_eq!(*times, 1, "{node} checks {peer} again and again");
        }
        let certificate = self.certificate.as_ref().unwrap();
        assert_eq!(certificate.verify(plan.header.chain_id, &plan.set), Ok(()));
    }

    /// Returns the rounds after which the last honest guardian held a certificate.
    pub fn rounds(&self, gossip: Gossip) -> u64 {
        let last = self.finals.iter().max().copied().unwrap_or_default();
        (last.as_millis() as u64).div_ceil(gossip.round.as_millis() as u64)
    }

    /// Returns what it cost, for people.
    pub fn summary(&self, gossip: Gossip) -> String {
        let said = |counts: &[u64]| {
            let honest = counts.iter().zip(&self.foes).filter(|(_, foe)| !**foe);
            let counts: Vec<u64> = honest.map(|(count, _)| *count).collect();
            let sum: u64 = counts.iter().sum();
            (sum / counts.len().max(1) as u64, counts.into_iter().max().unwrap_or(0))
        };
        let ((messages, most), (bytes, most_bytes)) = (said(&self.messages), said(&self.bytes));
        let mut times = self.finals.clone();
        times.sort();
        let middle = times.get(times.len() / 2).copied().unwrap_or_default();
        let certificate = self.certificate.as_ref();
        let (signers, size) =
            certificate.map_or((0, 0), |held| (held.signers.number(), codec::encode(held).len()));
        format!(
            "{} guardians, {} of them poisoners: {} of {} honest ones hold a certificate after {} rounds (half of them after {} ms); \
             said by each: {messages} messages and {bytes} bytes (at most {most} and {most_bytes}); \
             a certificate of {signers} signers has {size} bytes; {} forgeries were checked, none twice",
            self.foes.len(),
            self.foes.iter().filter(|foe| **foe).count(),
            self.finals.len(),
            self.honest,
            self.rounds(gossip),
            middle.as_millis(),
            self.blamed.len(),
        )
    }
}

/// How the guardians of this simulation gather: always in rounds, as nodes do by themselves in large sets.
pub fn in_rounds() -> Gossip {
    Gossip { flooded: 0, ..Gossip::default() }
}
