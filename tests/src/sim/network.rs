//! A network of real supernodes in virtual time: every message, write and timer is an event of one queue.

use super::{
    dice::Dice, disk::Disk, genesis, queue::Queue, transcript::Transcript, weather::Weather,
    witness::Witness,
};
use crate::foe::Foe;
use antiphon_core::{
    amount::Amount,
    chain::{
        spec::ChainSpec,
        transaction::{Message, SignedTransaction, Transaction},
    },
    codec::{Bounded, Text},
    crypto::{Hash, SecretKey},
    id::{Address, BlockId, Height, TxId},
    time::Moment,
};
use antiphon_node::{
    guardian::Gossip,
    mempool::AdmitError,
    storage::{Storage as _, StorageError, Write},
    supernode::{Config, Fault, Input, Output, Supernode, Token},
};
use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

/// Δ of the nodes: above the worst latency of default [`Weather`].
pub const DELTA: Duration = Duration::from_millis(100);

#[derive(Debug)]
enum Event {
    Message { from: usize, to: usize, bytes: Vec<u8> },
    Stored { node: usize, life: u64 },
}

#[derive(Debug)]
struct Slot {
    disk: Disk,
    machine: Option<Supernode<Disk>>,
    /// Whose validator key it has: its own, unless it is a twin.
    identity: usize,
    /// Counts starts, so that what an earlier life asked for is not done to a later one.
    life: u64,
    writing: VecDeque<(Token, Vec<Write>)>,
    /// Crash when this many more batches were asked for.
    crash_in: Option<u64>,
}

/// Real nodes on simulated machines.
#[derive(Debug)]
pub struct Network {
    /// The chain.
    pub spec: ChainSpec,
    /// The state of the network.
    pub weather: Weather,
    /// What must never happen.
    pub witness: Witness,
    /// What nodes complained about.
    pub faults: Vec<(usize, Fault)>,
    /// Transactions that a node refused to take in.
    pub refusals: Vec<AdmitError>,
    /// What happened, as a hash.
    pub transcript: Transcript,
    now: Moment,
    seed: u64,
    gossip: Gossip,
    slots: Vec<Slot>,
    queue: Queue<Event>,
    dice: Dice,
    foes: BTreeMap<usize, Box<dyn Foe>>,
}

impl Network {
    /// Starts seven nodes: all are guardians, the first four also validators; where stake decides, all may be elected.
    pub fn new(seed: u64, spec: ChainSpec) -> Self {
        Self::sized(seed, spec, genesis::GUARDIANS, Gossip::default())
    }

    /// Starts so many nodes, all guardians of a set that comes together in this way.
    pub fn sized(seed: u64, spec: ChainSpec, nodes: usize, gossip: Gossip) -> Self {
        let disk = |node| Slot {
            disk: Disk::new(&spec),
            machine: None,
            identity: node,
            life: 0,
            writing: VecDeque::new(),
            crash_in: None,
        };
        let mut network = Self {
            slots: (0..nodes).map(disk).collect(),
            gossip,
            spec,
            weather: Weather::default(),
            witness: Witness::default(),
            faults: Vec::new(),
            refusals: Vec::new(),
            transcript: Transcript::default(),
            now: Moment::ZERO,
            seed,
            queue: Queue::default(),
            dice: Dice::new(seed),
            foes: BTreeMap::new(),
        };
        for node in 0..nodes {
            network.start(node);
        }
        network
    }

    /// Lets a foe stand between a node and the network, with the node's keys.
    pub fn corrupt(&mut self, node: usize, foe: Box<dyn Foe>) {
        self.witness.foes.insert(node);
        self.foes.insert(node, foe);
    }

    /// Starts a node again with the validator's key of another: two honest machines that know nothing of each other and
    /// together equivocate (ADVERSARIAL case 8).
    pub fn twin(&mut self, node: usize, of: usize) {
        self.witness.foes.extend([node, of]);
        self.crash(node, 0);
        self.slots[node].identity = of;
        self.start(node);
    }

    /// Signs a transaction of one message, its sender's next as a running node sees it.
    pub fn sign(&self, key: &SecretKey, message: Message) -> SignedTransaction {
        let node = (0..self.slots.len()).find_map(|node| self.node(node)).unwrap();
        let sequence = node.next_sequence(&Address::of(&key.public())).unwrap();
        self.sign_as(key, sequence, message)
    }

    /// Signs a transaction of one message with a sequence of the caller's.
    pub fn sign_as(&self, key: &SecretKey, sequence: u64, message: Message) -> SignedTransaction {
        let node = (0..self.slots.len()).find_map(|node| self.node(node)).unwrap();
        let (reference_height, reference_block) = node.reference();
        let body = Transaction {
            sender: key.public().into(),
            sequence,
            reference_height,
            reference_block,
            scope: Text::try_from("").unwrap(),
            max_fee: Amount::from_units(genesis::FEE),
            cosigners: Bounded::new(),
            messages: Bounded::try_from(vec![message]).unwrap(),
        };
        SignedTransaction::new(key, self.spec.chain_id(), body)
    }

    /// Returns the time.
    pub const fn now(&self) -> Moment {
        self.now
    }

    /// Returns the seed, for the message of a failure.
    pub const fn seed(&self) -> u64 {
        self.seed
    }

    /// Returns the machine of a node that runs.
    pub fn node(&self, node: usize) -> Option<&Supernode<Disk>> {
        self.slots[node].machine.as_ref()
    }

    /// Returns a node's disk.
    pub fn disk(&self, node: usize) -> &Disk {
        &self.slots[node].disk
    }

    /// Returns the height that a running node has settled.
    pub fn settled(&self, node: usize) -> Height {
        self.node(node).map_or(Height(0), |machine| machine.status().settled)
    }

    /// Returns the least height that all of these nodes have settled.
    pub fn settled_by(&self, nodes: impl IntoIterator<Item = usize>) -> Height {
        nodes.into_iter().map(|node| self.settled(node)).min().unwrap_or_default()
    }

    /// Stops a node. Of the batches it was writing the first `written` are on its disk.
    pub fn crash(&mut self, node: usize, written: usize) {
        let slot = &mut self.slots[node];
        slot.machine = None;
        slot.life += 1;
        slot.crash_in = None;
        let batches: Vec<_> = slot.writing.drain(..).take(written).collect();
        for (_, batch) in batches {
            if self.write(node, batch).is_err() {
                break;
            }
        }
        self.transcript.note(self.now, "crash", &[node as u8]);
    }

    fn write(&mut self, node: usize, batch: Vec<Write>) -> Result<(), StorageError> {
        let seen = batch.clone();
        self.slots[node].disk.write(batch)?;
        self.witness.wrote(node, &seen);
        Ok(())
    }

    /// Lets a node crash as soon as it has asked for `batches` more batches; whether the last is on disk is drawn.
    pub fn crash_in(&mut self, node: usize, batches: u64) {
        self.slots[node].crash_in = Some(batches);
    }

    /// Starts a node from its disk.
    pub fn start(&mut self, node: usize) {
        let identity = self.slots[node].identity;
        let config = Config {
            spec: self.spec.clone(),
            validator: (identity < self.spec.validators.members.len() || self.spec.stake.is_some())
                .then(|| genesis::validator(identity)),
            guardian: Some(genesis::guardian(node)),
            delta: DELTA,
            origin_ms: genesis::ORIGIN_MS,
            gossip: self.gossip,
        };
        let disk = self.slots[node].disk.clone();
        let begin = disk.start(self.spec.checkpoint_interval);
        let mut outputs = Vec::new();
        let machine = Supernode::new(self.now, config, disk, begin, &mut outputs).unwrap();
        self.slots[node].machine = Some(machine);
        self.carry_out(node, outputs);
        let others = (0..self.slots.len()).filter(|other| *other != node);
        self.feed(node, Input::Neighbours(others.map(|other| other as u16).collect()));
    }

    /// Gives a node a transaction.
    ///
    /// # Errors
    /// [`AdmitError`].
    pub fn submit(&mut self, node: usize, tx: SignedTransaction) -> Result<TxId, AdmitError> {
        let mut outputs = Vec::new();
        let machine = self.slots[node].machine.as_mut().unwrap();
        let admitted = machine.submit(tx, &mut outputs);
        self.carry_out(node, outputs);
        admitted
    }

    /// Returns when something happens next.
    pub fn next_at(&self) -> Option<Moment> {
        let timers = self.slots.iter().filter_map(|slot| slot.machine.as_ref()?.deadline());
        timers.chain(self.queue.next_at()).min().map(|at| at.max(self.now))
    }

    /// Lets the next thing happen.
    pub fn step(&mut self) {
        let Some(at) = self.next_at() else { return };
        self.now = at;
        if self.queue.next_at().is_some_and(|due| due <= at) {
            if let Some((_, event)) = self.queue.pop() {
                self.happen(event);
            }
            return;
        }
        let due = |slot: &Slot| {
            slot.machine.as_ref().and_then(Supernode::deadline).is_some_and(|due| due <= at)
        };
        if let Some(node) = self.slots.iter().position(due) {
            self.feed(node, Input::Tick);
        }
    }

    /// Lets everything happen up to `end`.
    pub fn run_until(&mut self, end: Moment) {
        while self.next_at().is_some_and(|at| at <= end) {
            self.step();
        }
        self.now = self.now.max(end);
    }

    /// Brings a node a message from outside the network.
    pub fn tell(&mut self, node: usize, bytes: Vec<u8>) {
        self.feed(node, Input::Message(u16::MAX, bytes));
    }

    /// Lets everything happen for a while.
    pub fn run_for(&mut self, seconds: u64) {
        self.run_until(self.now.after(Duration::from_secs(seconds)));
    }

    /// Moves the clock to `at`, before which nothing happens here.
    pub fn wait_until(&mut self, at: Moment) {
        self.now = self.now.max(at);
    }

    /// Returns the block settled at a height by anybody.
    pub fn block_at(&self, height: u64) -> Option<BlockId> {
        self.witness.settled.get(&Height(height)).copied()
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Message { from, to, bytes } => {
                self.transcript.note(self.now, "message", &bytes);
                if self.foes.get_mut(&to).is_some_and(|foe| !foe.hears(from, &bytes)) {
                    return;
                }
                self.feed(to, Input::Message(from as u16, bytes));
            }
            Event::Stored { node, life } => {
                let slot = &mut self.slots[node];
                if slot.life != life {
                    return;
                }
                let Some((token, batch)) = slot.writing.pop_front() else { return };
                match self.write(node, batch) {
                    Ok(()) => self.feed(node, Input::Stored(token)),
                    // As the host does: a node that cannot write stops, and never speaks of it.
                    Err(_) => self.crash(node, 0),
                }
            }
        }
    }

    fn feed(&mut self, node: usize, input: Input) {
        let mut outputs = Vec::new();
        if let Some(machine) = &mut self.slots[node].machine {
            machine.handle(self.now, input, &mut outputs);
        }
        self.carry_out(node, outputs);
    }

    fn carry_out(&mut self, node: usize, outputs: Vec<Output>) {
        for output in outputs {
            match output {
                Output::Store(token, batch) => {
                    let wait = Duration::from_millis(self.dice.between((1, 8)));
                    let slot = &mut self.slots[node];
                    slot.writing.push_back((token, batch));
                    // A disk writes in order, so a later batch is never done sooner; `happen` takes the oldest.
                    self.queue.push(self.now.after(wait), Event::Stored { node, life: slot.life });
                    slot.crash_in = slot.crash_in.map(|left| left.saturating_sub(1));
                    if slot.crash_in == Some(0) {
                        let written = self.dice.below(slot.writing.len() as u64 + 1);
                        self.crash(node, written as usize);
                        return;
                    }
                }
                Output::Broadcast(bytes) => {
                    for to in (0..self.slots.len()).filter(|to| *to != node) {
                        self.send(node, to, bytes.clone());
                    }
                }
                Output::Send(to, bytes) => self.send(node, usize::from(to), bytes),
                Output::Fault(fault) => {
                    let stopped = matches!(fault, Fault::Stopped(_));
                    self.faults.push((node, fault));
                    if stopped {
                        // As the host does.
                        self.crash(node, 0);
                        return;
                    }
                }
            }
        }
    }

    fn send(&mut self, from: usize, to: usize, bytes: Vec<u8>) {
        let slot = &self.slots[from];
        let (key, disk) = (genesis::validator(slot.identity).public(), &slot.disk);
        let place = |set: &Hash| {
            let set = disk.validators(set).ok().flatten()?;
            set.index_of(&key).map(|index| index as u16)
        };
        self.witness.said(from, place, &bytes);
        let sent = match self.foes.get_mut(&from) {
            Some(foe) => foe.says(to, bytes),
            None => vec![bytes],
        };
        for bytes in sent {
            if let Some(wait) = self.weather.travel(&mut self.dice, from, to) {
                self.queue.push(self.now.after(wait), Event::Message { from, to, bytes });
            }
        }
    }
}
