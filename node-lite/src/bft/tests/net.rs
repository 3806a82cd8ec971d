//! A network in memory: latency, loss, partitions, crashes at every write, and a proposer that equivocates.

use super::chain::{CHAIN, Keys};
use crate::{
    bft::{
        Bft, Built, Fault, Input, MAX_RECENT, Output, Peer, Record, Start,
        message::{Block, Message, SignedVote},
        safety::SafetyRecord,
    },
    supernode::wire::MAX_ANSWER,
};
use antiphon_core::{
    chain::{carried::Carried, certificate::Certificate, header::Header},
    crypto::{Hash, merkle},
    id::{BlockId, Height},
    time::Moment,
};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::Duration,
};

/// What a node has written.
#[derive(Clone)]
struct Disk {
    record: Option<SafetyRecord>,
    kept: BTreeMap<BlockId, Block>,
    settled: Vec<(BlockId, Option<Block>)>,
    root: Header,
    certificate: Certificate,
}

struct Node {
    bft: Option<Bft>,
    disk: Disk,
    /// Whose key it has. Two nodes with one key are twins.
    key: Option<usize>,
    writes: u64,
    sent: u64,
}

/// Where a node dies: before or after its write with this number.
#[derive(Clone, Copy)]
pub(super) struct Crash {
    pub(super) node: usize,
    pub(super) write: u64,
    pub(super) written: bool,
}

enum Delivery {
    Say(Peer, Message),
    Ask(Peer, BlockId),
    Restart,
}

pub(super) struct Net {
    keys: Keys,
    now: Moment,
    nodes: Vec<Node>,
    queue: BTreeMap<(Moment, u64), (usize, Delivery)>,
    order: u64,
    random: u64,
    pub(super) latency_ms: u64,
    pub(super) loss_percent: u64,
    pub(super) partition: Option<Vec<u8>>,
    /// The only node that hears anything.
    pub(super) listener: Option<usize>,
    /// The key that two nodes have: it may sign twice.
    twin: Option<usize>,
    pub(super) equivocator: Option<usize>,
    pub(super) crash: Option<Crash>,
    pub(super) double_proposals: u64,
    pub(super) crashed: bool,
    votes: BTreeMap<(u16, Height), BTreeSet<BlockId>>,
    proposals: BTreeMap<(u16, u64), BTreeSet<BlockId>>,
}

impl Net {
    pub(super) fn new(seed: u64, keys: Keys) -> Self {
        let mut net = Self {
            now: Moment::ZERO,
            nodes: Vec::new(),
            queue: BTreeMap::new(),
            order: 0,
            random: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1,
            latency_ms: 50,
            loss_percent: 0,
            partition: None,
            listener: None,
            twin: None,
            equivocator: None,
            crash: None,
            double_proposals: 0,
            crashed: false,
            votes: BTreeMap::new(),
            proposals: BTreeMap::new(),
            keys,
        };
        for key in 0..net.keys.keys.len() {
            net.add(Some(key));
        }
        net
    }

    pub(super) fn add_follower(&mut self) {
        self.add(None);
    }

    /// Adds a second machine with a validator's key.
    pub(super) fn add_twin(&mut self, of: usize) {
        self.twin = Some(of);
        self.add(Some(of));
    }

    fn add(&mut self, key: Option<usize>) {
        let start = self.keys.start();
        let disk = Disk {
            record: start.record,
            kept: BTreeMap::new(),
            settled: vec![(start.root.id(), None)],
            root: start.root,
            certificate: start.certificate,
        };
        self.nodes.push(Node { bft: None, disk, key, writes: 0, sent: 0 });
        self.restart(self.nodes.len() - 1);
    }

    fn restart(&mut self, index: usize) {
        let node = &self.nodes[index];
        let disk = node.disk.clone();
        let ids = (0..).map(Height).zip(disk.settled.iter().map(|(id, _)| *id));
        let recent: Vec<_> = ids.collect();
        let start = Start {
            recent: recent[recent.len().saturating_sub(MAX_RECENT)..].to_vec(),
            root: disk.root,
            certificate: disk.certificate,
            record: disk.record,
            kept: disk.kept.into_values().collect(),
        };
        let key = node.key.map(|key| self.keys.keys[key].clone());
        let mut out = Vec::new();
        let bft = Bft::new(self.now, self.keys.config(), start, key, &mut out);
        self.nodes[index].bft = bft;
        self.carry_out(index, out);
    }

    pub(super) fn crash(&mut self, index: usize) {
        self.nodes[index].bft = None;
    }

    pub(super) fn run_for(&mut self, ms: u64) {
        let end = self.now.after(Duration::from_millis(ms));
        loop {
            let due = self
                .nodes
                .iter()
                .enumerate()
                .filter_map(|(i, node)| Some((node.bft.as_ref()?.deadline()?, i)));
            let timer = due.min();
            let message = self.queue.first_key_value().map(|((at, _), _)| *at);
            match (timer, message) {
                (Some((at, index)), other) if at <= end && other.is_none_or(|m| at <= m) => {
                    self.now = self.now.max(at);
                    self.feed(index, Input::Tick);
                    let next = self.nodes[index].bft.as_ref().and_then(Bft::deadline);
                    assert!(next.is_none_or(|next| next > self.now), "a tick moves the deadline");
                }
                (_, Some(at)) if at <= end => {
                    self.now = self.now.max(at);
                    if let Some((_, (to, delivery))) = self.queue.pop_first() {
                        self.deliver(to, delivery);
                    }
                }
                _ => break,
            }
        }
        self.now = end;
    }

    fn deliver(&mut self, to: usize, delivery: Delivery) {
        match delivery {
            Delivery::Say(from, message) => self.feed(to, Input::Message(from, message)),
            Delivery::Ask(from, id) => self.answer(to, usize::from(from), id),
            Delivery::Restart => self.restart(to),
        }
    }

    /// Sends what leads from the asker's head to the block, as a supernode would.
    fn answer(&mut self, from: usize, to: usize, id: BlockId) {
        let Some(bft) = &self.nodes[from].bft else { return };
        let above = self.nodes[to].disk.settled.len();
        let settled = self.nodes[from].disk.settled.iter().skip(above);
        let mut blocks: Vec<Block> = settled.filter_map(|(_, block)| block.clone()).collect();
        let path = bft.path(&id).unwrap_or_default();
        blocks.extend(path.iter().rev().filter_map(|id| bft.block(id).cloned()));
        for block in blocks.into_iter().take(MAX_ANSWER) {
            self.send(from, to, Message::Block(Box::new(block)));
        }
    }

    fn feed(&mut self, index: usize, input: Input) {
        let Some(bft) = &mut self.nodes[index].bft else { return };
        let mut out = Vec::new();
        bft.handle(self.now, input, &mut out);
        self.carry_out(index, out);
    }

    fn carry_out(&mut self, index: usize, outputs: Vec<Output>) {
        let mut queue: VecDeque<Output> = outputs.into();
        while let Some(output) = queue.pop_front() {
            let input = match output {
                Output::Store(token, record) => {
                    if self.write(index, *record) {
                        return;
                    }
                    Input::Stored(token)
                }
                Output::Broadcast(message) => {
                    self.broadcast(index, message);
                    continue;
                }
                Output::Ask(peer, id) => {
                    let peer = usize::from(peer);
                    let peer = if peer == index { (peer + 1) % self.nodes.len() } else { peer };
                    self.schedule(index, peer, |from| Delivery::Ask(from, id));
                    continue;
                }
                Output::Execute(id) => Input::Executed(id, true),
                Output::Build(request) => {
                    let (state_root, next) = (Hash::default(), self.keys.genesis().next());
                    Input::Built(Box::new(Built {
                        request,
                        body: Vec::new(),
                        carried: Carried::default(),
                        state_root,
                        field_root: merkle::root(&[]),
                        next,
                    }))
                }
                Output::Settled(settled) => {
                    let disk = &mut self.nodes[index].disk;
                    for (id, block) in settled.blocks {
                        assert_eq!(block.height().0, disk.settled.len() as u64, "contiguous");
                        disk.root = block.signed.header.clone();
                        disk.settled.push((id, Some(block)));
                    }
                    disk.certificate = settled.certificate;
                    let height = disk.root.height;
                    disk.kept.retain(|_, block| block.height() > height);
                    continue;
                }
                Output::Ended(_) => panic!("the set never changes here"),
                Output::Fault(Fault::TwoProposals(pair)) => {
                    self.double_proposals += 1;
                    self.accuse(usize::from(pair[0].header.proposer_index));
                    continue;
                }
                Output::Fault(Fault::TwoVotes(pair)) => {
                    self.accuse(usize::from(pair[0].index));
                    continue;
                }
                Output::Fault(Fault::Unlocked(voter, _)) => {
                    self.accuse(usize::from(voter));
                    continue;
                }
                Output::Fault(fault) => panic!("node {index}: {fault:?}"),
            };
            let Some(bft) = &mut self.nodes[index].bft else { return };
            let mut out = Vec::new();
            bft.handle(self.now, input, &mut out);
            queue.extend(out);
        }
    }

    /// Returns whether the node died at this write.
    fn write(&mut self, index: usize, record: Record) -> bool {
        let node = &mut self.nodes[index];
        node.writes += 1;
        let dies = self.crash.filter(|c| (c.node, c.write) == (index, node.writes));
        if dies.is_none_or(|crash| crash.written) {
            node.disk.record = Some(record.safety);
            node.disk.kept.extend(record.blocks.into_iter().map(|block| (block.id(), block)));
        }
        if dies.is_some() {
            node.bft = None;
            self.crashed = true;
            let at = self.now.after(Duration::from_millis(300));
            self.order += 1;
            self.queue.insert((at, self.order), (index, Delivery::Restart));
        }
        dies.is_some()
    }

    fn broadcast(&mut self, index: usize, message: Message) {
        self.nodes[index].sent += 1;
        if self.nodes[index].key != self.twin || self.twin.is_none() {
            self.witness(&message);
        }
        for to in (0..self.nodes.len()).filter(|to| *to != index) {
            if self.equivocator == Some(index)
                && to % 2 == 1
                && let Message::Block(block) = &message
            {
                // The odd half gets another block of the same slot, with a vote for it.
                let mut header = block.signed.header.clone();
                header.time = header.time.plus(1);
                let twin = self.keys.sign(header);
                let vote = self.keys.vote(index, &twin);
                self.send(index, to, Message::Block(Box::new(twin)));
                self.send(index, to, Message::Vote(vote));
            } else {
                self.send(index, to, message.clone());
            }
        }
    }

    /// Only who has two faces or two machines may be shown to sign twice.
    fn accuse(&self, key: usize) {
        assert!([self.twin, self.equivocator].contains(&Some(key)), "{key} is accused");
    }

    /// Remembers what left an honest node: one block a slot, one vote a height.
    fn witness(&mut self, message: &Message) {
        let mut vote = |vote: &SignedVote| {
            let slot = self.votes.entry((vote.index, vote.vote.height)).or_default();
            slot.insert(vote.vote.block);
            assert_eq!(slot.len(), 1, "two votes at {:?}", vote.vote.height);
        };
        match message {
            Message::Vote(signed) => vote(signed),
            Message::EpochChange(change) => change.last_vote.iter().for_each(&mut vote),
            Message::Certificate(_) => {}
            Message::Block(block) => {
                let header = &block.signed.header;
                let slot = self.proposals.entry((header.proposer_index, header.epoch.0));
                let slot = slot.or_default();
                slot.insert(block.id());
                assert_eq!(slot.len(), 1, "two proposals in {:?}", header.epoch);
            }
        }
    }

    fn send(&mut self, from: usize, to: usize, message: Message) {
        self.schedule(from, to, |from| Delivery::Say(from, message));
    }

    fn schedule(&mut self, from: usize, to: usize, delivery: impl FnOnce(Peer) -> Delivery) {
        let cut = self.partition.as_ref().is_some_and(|side| side.get(from) != side.get(to))
            || self.listener.is_some_and(|listener| listener != to);
        if cut || self.roll(100) < self.loss_percent {
            return;
        }
        let at = self.now.after(Duration::from_millis(1 + self.roll(self.latency_ms)));
        self.order += 1;
        let from = Peer::try_from(from).unwrap();
        self.queue.insert((at, self.order), (to, delivery(from)));
    }

    fn roll(&mut self, below: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random % below
    }

    pub(super) fn assert_agreement(&self) {
        let longest = self.nodes.iter().max_by_key(|node| node.disk.settled.len()).unwrap();
        for (index, node) in self.nodes.iter().enumerate() {
            let pairs = node.disk.settled.iter().zip(&longest.disk.settled);
            for (height, (mine, theirs)) in pairs.enumerate() {
                assert_eq!(mine.0, theirs.0, "node {index} at height {height}");
            }
        }
        assert_eq!(longest.disk.root.chain_id, CHAIN);
    }

    pub(super) fn settled_by(&self, which: &[bool]) -> u64 {
        let chosen = self.nodes.iter().zip(which).filter(|(_, chosen)| **chosen);
        chosen.map(|(node, _)| node.disk.root.height.0).min().unwrap()
    }

    pub(super) fn least_settled(&self) -> u64 {
        self.nodes.iter().map(|node| node.disk.root.height.0).min().unwrap()
    }

    pub(super) fn most_settled(&self) -> u64 {
        self.nodes.iter().map(|node| node.disk.root.height.0).max().unwrap()
    }

    pub(super) fn highest_epoch(&self) -> u64 {
        self.nodes.iter().filter_map(|n| n.bft.as_ref()).map(|b| b.epoch().0).max().unwrap()
    }

    pub(super) fn highest_certified(&self, index: usize) -> Height {
        let bft = self.nodes[index].bft.as_ref().unwrap();
        bft.highest().map_or(Height(0), |certificate| certificate.height)
    }

    /// Returns for how many heights honest validators have said votes, summed over them.
    pub(super) fn votes_said(&self) -> usize {
        self.votes.len()
    }

    pub(super) fn settled_ids(&self, index: usize) -> Vec<BlockId> {
        self.nodes[index].disk.settled.iter().map(|(id, _)| *id).collect()
    }

    pub(super) fn sent_by(&self, index: usize) -> u64 {
        self.nodes[index].sent
    }
}
