//! A payment field in virtual time: members on a network that loses and reorders, disks that are slow, processes that die
//! at any write, and a chain that is the ledger's own functions.
//!
//! ```text
//! machine --Store--> disk, one write after another --Stored--> machine        a crash forgets the writes under way
//! machine --Send---> foe, if it has one --> network --Heard--> machine
//! machine --Submit-> next block: the escrow's functions --Need--> proof
//! ```
//!
//! What must never happen is looked for after every step, see [`Watch`].

mod act;
mod chain;
pub mod many;

pub use chain::Chain;

use super::{dice::Dice, queue::Queue};
use crate::{foe::Foe, watch::Watch};
use antiphon_core::{
    chain::Level,
    crypto::{Hash, SecretKey},
    id::{Address, ChainId, FieldId},
    payment::{
        StoreToken,
        field::FieldTerms,
        member::{
            Fault, Input, MemberConfig, MemberPolicy, Membership, Output, Proof, Standing, Warning,
        },
        payer::DeviceId,
    },
    row,
    time::Moment,
};
use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
    time::Duration,
};

/// The chain of every field here.
pub const CHAIN: ChainId = ChainId(Hash([1; 32]));
/// What every member begins with; the leader has one more.
pub const DEPOSIT: u128 = 100_000;
/// Locked by who leads, closes alone or challenges.
pub const BOND: u128 = 1000;
/// A block a second.
const BLOCK_MS: u64 = 1000;
/// How long a process that died is away.
const AWAY_MS: u64 = 300;

/// How bad network and disks are.
#[derive(Clone, Copy, Debug)]
pub struct Weather {
    /// Messages that are lost, in percent.
    pub loss: u64,
    /// Least and most milliseconds on the way: messages overtake each other.
    pub delay: (u64, u64),
    /// Least and most milliseconds of a write.
    pub write: (u64, u64),
}

impl Weather {
    /// Nothing is lost or overtaken.
    pub const CALM: Self = Self { loss: 0, delay: (5, 5), write: (1, 1) };
    /// A fifth is lost, and order means nothing.
    pub const STORM: Self = Self { loss: 20, delay: (1, 200), write: (1, 20) };
}

/// When a process dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crash {
    /// Which member.
    pub member: usize,
    /// At its so-many-eth write, counted from 0 over its whole life.
    pub write: u64,
    /// Whether that write is durable.
    pub is_durable: bool,
}

/// One member: its machine while it lives, and its disk.
pub struct Place {
    /// Its account.
    pub key: SecretKey,
    /// Its machine; `None` while it is dead.
    pub machine: Option<Membership>,
    /// Its disk, with sealed rows.
    pub disk: BTreeMap<String, Vec<u8>>,
    /// Writes that were done in its whole life.
    pub writes: u64,
    /// Refused messages.
    pub faults: Vec<Fault>,
    /// Deadlines of which it was warned.
    pub warnings: Vec<Warning>,
    /// Who changes what it says.
    pub foe: Option<Box<dyn Foe>>,
    /// Whether nothing reaches it and nothing leaves it.
    pub is_cut: bool,
    /// Payments that it had accepted and that its disk did not know when it died.
    pub forgotten: usize,
    /// Payments that it knew of when it died.
    made: usize,
    pending: VecDeque<(StoreToken, String, Option<Vec<u8>>)>,
    life: u64,
    tick: Option<Moment>,
}

#[derive(Debug)]
enum Event {
    Heard(usize, Address, Vec<u8>),
    Written(usize, u64),
    Restart(usize, u64),
    Tick(usize),
    Prove(usize),
    Block,
}

/// A field, its members, and the chain.
pub struct FieldNet {
    /// The members, in the order of places.
    pub places: Vec<Place>,
    /// The chain.
    pub chain: Chain,
    /// The field.
    pub field: FieldId,
    /// Its terms.
    pub terms: FieldTerms,
    /// Now.
    pub now: Moment,
    /// What must never happen.
    pub watch: Watch,
    /// When processes die.
    pub crashes: Vec<Crash>,
    /// How bad things are.
    pub weather: Weather,
    /// After how many steps everything that is shown is looked at; 1 looks always.
    pub look_every: u64,
    policy: MemberPolicy,
    queue: Queue<Event>,
    dice: Dice,
    steps: u64,
}

impl fmt::Debug for FieldNet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FieldNet({:?}: {})", self.now, self.shown())
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Place({:?})", self.key)
    }
}

impl FieldNet {
    /// Seats `members`, who do not know of each other yet.
    pub fn new(seed: u64, members: usize, weather: Weather) -> Self {
        let mut dice = Dice::new(seed);
        let mut keys: Vec<SecretKey> =
            (0..members).map(|_| SecretKey::from_bytes(&dice.bytes())).collect();
        keys.sort_by_key(|key| Address::of(&key.public()));
        let chain = Chain::new(&keys);
        let terms = chain.terms(&keys);
        let field = terms.id(CHAIN).unwrap();
        let policy = MemberPolicy {
            round_payments: 64,
            round_time: Duration::from_millis(800),
            patience: Duration::from_millis(300),
            ..MemberPolicy::for_chain(chain.margin)
        };
        let mut net = Self {
            places: keys.into_iter().map(Place::new).collect(),
            watch: Watch::new(&terms),
            chain,
            field,
            terms,
            now: Moment::ZERO,
            crashes: Vec::new(),
            weather,
            look_every: 1,
            policy,
            queue: Queue::default(),
            dice,
            steps: 0,
        };
        for at in 0..members {
            net.revive(at);
        }
        net.queue.push(Moment::from_millis(BLOCK_MS), Event::Block);
        net
    }

    /// Kills a member for good, or until it is revived.
    pub fn kill(&mut self, at: usize) {
        if self.places[at].machine.is_some() {
            self.places[at].made = self.made(at);
        }
        let place = &mut self.places[at];
        (place.machine, place.tick, place.life) = (None, None, place.life + 1);
        place.pending.clear();
    }

    /// Starts a member from its disk.
    pub fn revive(&mut self, at: usize) {
        let device = DeviceId([u8::try_from(at).unwrap(); 16]);
        let (rules, fee, policy) = (self.chain.rules, self.chain.fee, self.policy);
        let place = &mut self.places[at];
        let key = place.key.clone();
        let rows = row::unseal_all(CHAIN, place.disk.clone());
        let config = MemberConfig { chain: CHAIN, key, device, rules, fee, policy };
        place.machine = Some(Membership::new(config, rows));
        let made = self.made(at);
        let place = &mut self.places[at];
        place.forgotten += std::mem::take(&mut place.made) - made;
        let height = self.chain.height;
        self.feed(at, Input::Tip(height));
        self.queue.push(self.now.after(Duration::from_millis(20)), Event::Prove(at));
    }

    /// Returns how many payments of its own a member knows of: of few that is all.
    fn made(&self, at: usize) -> usize {
        let payments = self.view(at).map(|view| view.payments).unwrap_or_default();
        payments.iter().filter(|payment| payment.payer == self.address(at)).count()
    }

    /// Lets time pass.
    pub fn run_for(&mut self, ms: u64) {
        let end = self.now.after(Duration::from_millis(ms));
        while self.queue.next_at().is_some_and(|at| at <= end) {
            self.step();
        }
        self.now = end;
    }

    /// Lets time pass until something holds.
    ///
    /// # Panics
    /// If it does not hold within so many milliseconds.
    pub fn run_until(&mut self, ms: u64, holds: impl Fn(&Self) -> bool) {
        let end = self.now.after(Duration::from_millis(ms));
        while !holds(self) {
            assert!(self.now < end, "not within {ms} ms of virtual time: {}", self.shown());
            self.step();
        }
    }

    /// Gives one member a message, as the network would.
    pub fn inject(&mut self, at: usize, from: Address, bytes: Vec<u8>) {
        self.feed(at, Input::Heard(from, bytes));
    }

    /// What every member shows, for a failure to be understood.
    fn shown(&self) -> String {
        let views = (0..self.places.len()).map(|at| {
            self.view(at).map(|view| {
                let pending = view.payments.iter().filter(|it| it.standing < Standing::Committed);
                (view.phase, view.step, view.round, view.committed, pending.count(), view.freeze)
            })
        });
        let faults = self.places.iter().map(|place| place.faults.last());
        format!("{:?} {:?}", views.collect::<Vec<_>>(), faults.collect::<Vec<_>>())
    }

    fn step(&mut self) {
        let Some((at, event)) = self.queue.pop() else { return };
        self.now = self.now.max(at);
        match event {
            Event::Heard(to, from, bytes) => self.hear(to, from, bytes),
            Event::Written(at, life) => self.written(at, life),
            Event::Restart(at, life) => {
                if self.places[at].life == life {
                    self.revive(at);
                }
            }
            Event::Tick(at) => {
                let place = &mut self.places[at];
                place.tick = place.tick.filter(|tick| *tick > self.now);
                self.feed(at, Input::Tick);
            }
            Event::Prove(at) => self.prove(at),
            Event::Block => {
                self.chain.block();
                for at in 0..self.places.len() {
                    self.feed(at, Input::Tip(self.chain.height));
                }
                self.queue.push(self.now.after(Duration::from_millis(BLOCK_MS)), Event::Block);
            }
        }
        self.steps += 1;
        if self.steps.is_multiple_of(self.look_every) {
            self.watch.look(self.field, self.places.iter().map(|place| place.machine.as_ref()));
        }
    }

    fn hear(&mut self, to: usize, from: Address, bytes: Vec<u8>) {
        let sender = (0..self.places.len()).find(|at| self.address(*at) == from);
        let hears = match (&mut self.places[to].foe, sender) {
            (Some(foe), Some(sender)) => foe.hears(sender, &bytes),
            (Some(_), None) | (None, _) => true,
        };
        if hears && !self.places[to].is_cut {
            self.feed(to, Input::Heard(from, bytes));
        }
    }

    fn prove(&mut self, at: usize) {
        let level = if self.dice.chance(50) { Level::Final } else { Level::Settled };
        let proof = Proof { state: self.chain.state(), level, height: self.chain.height };
        self.feed(at, Input::Proven(self.field, Box::new(proof)));
    }

    fn feed(&mut self, at: usize, input: Input) {
        let mut out = Vec::new();
        let Some(machine) = self.places[at].machine.as_mut() else { return };
        machine.handle(self.now, input, &mut out);
        self.take(at, out);
    }

    fn take(&mut self, at: usize, out: Vec<Output>) {
        for output in out {
            match output {
                Output::Send(to, bytes) => self.send(at, to, bytes),
                Output::Store(token, name, row) => {
                    let place = &mut self.places[at];
                    let sealed = row.map(|row| row::seal(CHAIN, &name, row));
                    place.pending.push_back((token, name, sealed));
                    if place.pending.len() == 1 {
                        self.write_next(at);
                    }
                }
                Output::Need(_) => {
                    let wait = self.dice.between((5, 50));
                    self.queue.push(self.now.after(Duration::from_millis(wait)), Event::Prove(at));
                }
                Output::Submit(act) => self.submit(at, *act),
                Output::Changed => {}
                Output::Fault(_, fault) => self.places[at].faults.push(fault),
                Output::Warn(_, warning) => self.places[at].warnings.push(warning),
            }
        }
        let deadline = self.places[at].machine.as_ref().and_then(Membership::deadline);
        let tick = self.places[at].tick;
        if let Some(due) = deadline.filter(|due| tick.is_none_or(|tick| *due < tick)) {
            let due = due.max(self.now);
            self.places[at].tick = Some(due);
            self.queue.push(due, Event::Tick(at));
        }
    }

    fn send(&mut self, at: usize, to: Address, bytes: Vec<u8>) {
        let Some(to) = (0..self.places.len()).find(|other| self.address(*other) == to) else {
            return;
        };
        if self.places[at].foe.is_none() {
            self.watch.said(at, to, &bytes);
        }
        let said = match &mut self.places[at].foe {
            Some(foe) => foe.says(to, bytes),
            None => vec![bytes],
        };
        let from = self.address(at);
        for bytes in said {
            if self.places[at].is_cut || self.dice.chance(self.weather.loss) {
                continue;
            }
            let wait = self.dice.between(self.weather.delay);
            let due = self.now.after(Duration::from_millis(wait));
            self.queue.push(due, Event::Heard(to, from, bytes));
        }
    }

    fn write_next(&mut self, at: usize) {
        if !self.places[at].pending.is_empty() {
            let wait = self.dice.between(self.weather.write);
            let (due, life) = (self.now.after(Duration::from_millis(wait)), self.places[at].life);
            self.queue.push(due, Event::Written(at, life));
        }
    }

    /// The oldest write under way is done, unless the process dies just now.
    fn written(&mut self, at: usize, life: u64) {
        let place = &mut self.places[at];
        if place.life != life {
            return;
        }
        let Some((token, name, row)) = place.pending.pop_front() else { return };
        let write = place.writes;
        place.writes += 1;
        let crash = self.crashes.iter().find(|it| it.member == at && it.write == write).copied();
        if crash.is_none_or(|crash| crash.is_durable) {
            match row {
                Some(row) => place.disk.insert(name, row),
                None => place.disk.remove(&name),
            };
        }
        if crash.is_some() {
            self.kill(at);
            let due = self.now.after(Duration::from_millis(AWAY_MS));
            self.queue.push(due, Event::Restart(at, self.places[at].life));
            return;
        }
        self.feed(at, Input::Stored(token));
        self.write_next(at);
    }
}

impl Place {
    fn new(key: SecretKey) -> Self {
        Self {
            key,
            machine: None,
            disk: BTreeMap::new(),
            writes: 0,
            faults: Vec::new(),
            warnings: Vec::new(),
            foe: None,
            is_cut: false,
            forgotten: 0,
            made: 0,
            pending: VecDeque::new(),
            life: 0,
            tick: None,
        }
    }
}
