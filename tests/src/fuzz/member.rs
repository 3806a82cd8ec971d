//! Members of a payment field: what they say to each other, and three of them driven by bytes through every order of
//! messages, writes, crashes and time.

use super::choice::Choices;
use crate::watch::Watch;
use antiphon_core::{
    amount::Amount,
    chain::Level,
    codec::{Bounded, DecodeError},
    crypto::{Hash, PublicKey, SecretKey},
    id::{Address, ChainId, FieldId, Height},
    payment::{
        StoreToken,
        field::{
            FieldAct, FieldRules, FieldTerms, Member,
            escrow::{FieldState, Scene},
        },
        member::{
            Input, MAX_ROUND, MemberConfig, MemberPolicy, Membership, Output, Proof,
            wire::{Envelope, MAX_LETTER},
        },
        payer::DeviceId,
    },
    row,
    time::Moment,
};
use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

/// Inputs in one run.
const MAX_STEPS: usize = 160;
/// Members.
const MEMBERS: usize = 3;
/// Messages on the way; more are lost.
const MAX_ON_WAY: usize = 64;
const CHAIN: ChainId = ChainId(Hash([9; 32]));
const MARGIN: u64 = 2;
const FEE: Amount = Amount::from_units(1);

/// What one member sends another.
pub fn member_messages(data: &[u8]) -> &'static str {
    match Envelope::from_bytes(data) {
        Ok(envelope) => {
            assert!(data.len() <= MAX_LETTER, "longer than its bound");
            assert!(envelope.to_bytes() == data, "a second encoding");
            assert_eq!(Envelope::from_bytes(&data[..data.len() - 1]), Err(DecodeError::Truncated));
            "ok"
        }
        Err(error) => error.code(),
    }
}

/// Drives three members of a field; the bytes say what is delivered, written, forgotten and paid.
pub fn member_machine(data: &[u8]) -> &'static str {
    let mut choices = Choices::new(data);
    let mut run = Run::new();
    let mut steps = 0;
    while !choices.is_empty() && steps < MAX_STEPS {
        run.step(&mut choices);
        run.watch.look(run.field, run.seats.iter().map(|seat| Some(&seat.machine)));
        steps += 1;
    }
    "ok"
}

/// Honest messages of a short life of a field, to begin with.
pub(super) fn letters() -> Vec<Vec<u8>> {
    let mut run = Run::new();
    run.keeps = Some(Vec::new());
    run.pay(1, 2, 5);
    run.pay(0, 1, 300);
    run.flow();
    run.close_round();
    run.flow();
    let field = run.field;
    run.amend();
    run.flow();
    for at in 1..MEMBERS {
        run.command(at, |machine, now, out| machine.accept(now, field, out));
    }
    run.flow();
    for at in 0..MEMBERS {
        run.prove(at);
    }
    run.flow();
    // The first member has been paid so much that it leads now.
    run.command(2, |machine, now, out| machine.leave(now, field, out));
    run.command(2, |machine, now, out| machine.close(now, field, out));
    run.flow();
    run.keeps.unwrap_or_default()
}

struct Seat {
    key: SecretKey,
    machine: Membership,
    disk: BTreeMap<String, Vec<u8>>,
    writes: VecDeque<(StoreToken, String, Option<Vec<u8>>)>,
}

struct Run {
    seats: Vec<Seat>,
    field: FieldId,
    escrow: (FieldState, Vec<PublicKey>),
    on_way: Vec<(usize, usize, Vec<u8>)>,
    now: Moment,
    height: Height,
    watch: Watch,
    keeps: Option<Vec<Vec<u8>>>,
}

impl Run {
    fn new() -> Self {
        let mut keys: Vec<SecretKey> =
            [1, 2, 3].map(|seed| SecretKey::from_bytes(&[seed; 32])).into();
        keys.sort_by_key(|key| Address::of(&key.public()));
        let terms = terms(&keys);
        let signatures: Vec<_> = keys.iter().map(|key| terms.sign(CHAIN, key)).collect();
        let publics: Vec<_> = keys.iter().map(SecretKey::public).collect();
        let rules = rules();
        let by = Address::of(&publics[0]);
        let height = Height(5);
        let scene = Scene { rules: &rules, inclusion_margin: MARGIN, height, by, fee: FEE };
        let opened = terms.open(CHAIN, &signatures, &scene).unwrap().field;
        let seats = keys.into_iter().map(Seat::new).collect();
        let field = terms.id(CHAIN).unwrap();
        let mut run = Self {
            seats,
            field,
            escrow: (opened, publics),
            on_way: Vec::new(),
            now: Moment::ZERO,
            height,
            watch: Watch::new(&terms),
            keeps: None,
        };
        run.command(0, |machine, now, out| machine.propose(now, terms, out));
        run.flow();
        for at in 1..MEMBERS {
            run.command(at, |machine, now, out| machine.accept(now, field, out));
        }
        run.flow();
        for at in 0..MEMBERS {
            run.prove(at);
        }
        run.flow();
        run
    }

    fn step(&mut self, choices: &mut Choices<'_>) {
        let at = choices.below(MEMBERS);
        match choices.below(14) {
            0 | 1 => self.pay(at, choices.below(MEMBERS), choices.byte().into()),
            2..6 => {
                if let Some((_, to, from, bytes)) = self.pick(choices) {
                    self.deliver(to, from, bytes);
                }
            }
            6 => {
                // Twice, or later once more.
                if let Some((from, to, sender, bytes)) = self.pick(choices) {
                    self.on_way.push((from, to, bytes.clone()));
                    self.deliver(to, sender, bytes);
                }
            }
            7 => drop(self.pick(choices)),
            8 => {
                if let Some((_, to, from, bytes)) = self.pick(choices) {
                    let spoilt = choices.spoil(bytes);
                    self.deliver(to, from, spoilt);
                }
            }
            9 | 10 => self.write(at),
            11 => self.seats[at].restart(),
            12 => {
                self.now = self.now.after(Duration::from_millis(u64::from(choices.byte()) * 40));
                self.tick(at);
            }
            _ => match choices.below(6) {
                0 => self.close_round(),
                4 => self.amend(),
                5 => {
                    let field = self.field;
                    self.command(at, |machine, now, out| machine.accept(now, field, out));
                }
                1 => {
                    self.height = self.height.plus(1);
                    self.prove(at);
                }
                2 => self.prove(at),
                _ => {
                    let field = self.field;
                    self.command(at, |machine, now, out| machine.close(now, field, out));
                }
            },
        }
    }

    fn pick(&mut self, choices: &mut Choices<'_>) -> Option<(usize, usize, Address, Vec<u8>)> {
        let at = choices.below(self.on_way.len());
        if at >= self.on_way.len() {
            return None;
        }
        let (from, to, bytes) = self.on_way.remove(at);
        Some((from, to, self.seats[from].machine.address(), bytes))
    }

    /// Whatever is refused has changed nothing.
    fn deliver(&mut self, to: usize, from: Address, bytes: Vec<u8>) {
        let before = self.seats[to].machine.view();
        let mut out = Vec::new();
        self.seats[to].machine.handle(self.now, Input::Heard(from, bytes), &mut out);
        if let [Output::Fault(_, fault)] = &out[..] {
            assert!(self.seats[to].machine.view() == before, "refused by {fault}, and changed");
        }
        self.take(to, out);
    }

    fn pay(&mut self, at: usize, to: usize, amount: u128) {
        let (field, to) = (self.field, self.seats[to].machine.address());
        let amount = (to, Amount::from_units(amount));
        self.command(at, |machine, now, out| {
            let before = machine.view();
            if machine.pay(now, field, amount, out).is_err() {
                assert!(machine.view() == before && out.is_empty(), "refused, and changed");
            }
        });
    }

    fn close_round(&mut self) {
        let field = self.field;
        self.command(0, |machine, now, out| machine.close_round(now, field, out));
    }

    /// Everybody would have two more, if there is time for that.
    fn amend(&mut self) {
        let (field, until) = (self.field, self.height.plus(6));
        let views = self.seats[0].machine.view();
        let Some(view) = views.into_iter().find(|view| view.id == field) else { return };
        let keys: BTreeMap<Address, PublicKey> =
            self.seats.iter().map(|seat| (seat.machine.address(), seat.key.public())).collect();
        let more = Amount::from_units(2);
        let members: Vec<Member> = (view.members.iter())
            .map(|member| Member {
                key: keys[&member.address],
                deposit: member.balance.checked_add(more).unwrap(),
            })
            .collect();
        self.command(0, |machine, now, out| machine.amend(now, field, (members, until), out));
    }

    fn prove(&mut self, at: usize) {
        let (state, height) = (Some(self.escrow.0.clone()), self.height);
        let proof = Proof { state, level: Level::Final, height };
        let field = self.field;
        self.command(at, |machine, now, out| {
            machine.handle(now, Input::Tip(height), out);
            machine.handle(now, Input::Proven(field, Box::new(proof)), out);
        });
    }

    fn tick(&mut self, at: usize) {
        let now = self.now;
        let is_due = self.seats[at].machine.deadline().is_some_and(|due| due <= now);
        self.command(at, |machine, now, out| machine.handle(now, Input::Tick, out));
        let next = self.seats[at].machine.deadline();
        assert!(!is_due || next.is_none_or(|due| due > now), "the deadline stands still");
    }

    /// Asks a machine for something, whatever it answers.
    fn command<T>(
        &mut self,
        at: usize,
        command: impl FnOnce(&mut Membership, Moment, &mut Vec<Output>) -> T,
    ) {
        let mut out = Vec::new();
        command(&mut self.seats[at].machine, self.now, &mut out);
        self.take(at, out);
    }

    /// The oldest write is durable.
    fn write(&mut self, at: usize) {
        let Some((token, name, row)) = self.seats[at].writes.pop_front() else { return };
        match row {
            Some(row) => self.seats[at].disk.insert(name, row),
            None => self.seats[at].disk.remove(&name),
        };
        self.command(at, |machine, now, out| machine.handle(now, Input::Stored(token), out));
    }

    /// Everything is written and delivered, in order.
    fn flow(&mut self) {
        loop {
            for at in 0..MEMBERS {
                while !self.seats[at].writes.is_empty() {
                    self.write(at);
                }
            }
            if self.on_way.is_empty() {
                break;
            }
            let (from, to, bytes) = self.on_way.remove(0);
            let from = self.seats[from].machine.address();
            self.deliver(to, from, bytes);
        }
    }

    fn take(&mut self, at: usize, out: Vec<Output>) {
        for output in out {
            match output {
                Output::Send(to, bytes) => {
                    let to = self.seats.iter().position(|seat| seat.machine.address() == to);
                    let to = to.unwrap();
                    self.watch.said(at, to, &bytes);
                    if let Some(kept) = &mut self.keeps {
                        kept.push(bytes.clone());
                    }
                    if self.on_way.len() < MAX_ON_WAY {
                        self.on_way.push((at, to, bytes));
                    }
                }
                Output::Store(token, name, row) => {
                    let row = row.map(|row| row::seal(CHAIN, &name, row));
                    self.seats[at].writes.push_back((token, name, row));
                }
                Output::Submit(act) => self.execute(at, &act),
                Output::Need(_) | Output::Changed | Output::Fault(..) | Output::Warn(..) => {}
            }
        }
        assert!(self.seats[at].writes.len() < MAX_ROUND, "writes pile up");
    }

    fn execute(&mut self, at: usize, act: &FieldAct) {
        let (rules, by) = (rules(), self.seats[at].machine.address());
        let height = self.height.plus(1);
        let scene = Scene { rules: &rules, inclusion_margin: MARGIN, height, by, fee: FEE };
        let (state, keys) = &self.escrow;
        let change = match act {
            FieldAct::Close { state: last, seal } => state.close(keys, last, seal, &scene),
            FieldAct::SoloClose { state: best, .. } => {
                state.solo_close(keys, best.as_deref(), &scene)
            }
            FieldAct::Post(sealed) => state.post(keys, sealed, &scene),
            FieldAct::Challenge { round, .. } => state.challenge(keys, *round, &scene),
            FieldAct::Enforce(_) => state.enforce(keys, &scene),
            FieldAct::Amend { amendment, signatures } => {
                state.amend(keys, amendment, signatures, &scene)
            }
            FieldAct::Open { .. } => return,
        };
        if let Ok(change) = change {
            self.escrow.0 = change.field;
            self.height = height;
        }
    }
}

impl Seat {
    fn new(key: SecretKey) -> Self {
        let machine = machine(&key, BTreeMap::new());
        Self { key, machine, disk: BTreeMap::new(), writes: VecDeque::new() }
    }

    /// The process dies, with the writes under way, and starts again.
    fn restart(&mut self) {
        self.writes.clear();
        self.machine = machine(&self.key, self.disk.clone());
        let views = self.machine.view();
        assert!(views.iter().all(|view| view.freeze.is_none()), "a crash alone froze the field");
    }
}

fn machine(key: &SecretKey, disk: BTreeMap<String, Vec<u8>>) -> Membership {
    let policy = MemberPolicy { round_payments: 6, ..MemberPolicy::for_chain(MARGIN) };
    let (device, key) = (DeviceId([3; 16]), key.clone());
    let config = MemberConfig { chain: CHAIN, key, device, rules: rules(), fee: FEE, policy };
    Membership::new(config, row::unseal_all(CHAIN, disk))
}

fn rules() -> FieldRules {
    FieldRules::for_chain(MARGIN, 1000)
}

fn terms(keys: &[SecretKey]) -> FieldTerms {
    let members: Vec<Member> = (0..)
        .zip(keys)
        .map(|(at, key)| {
            let deposit = Amount::from_units(if at == 0 { 401 } else { 400 });
            Member { key: key.public(), deposit }
        })
        .collect();
    FieldTerms {
        nonce: 1,
        members: Bounded::try_from(members).unwrap(),
        dispute: rules().min_dispute,
        response: rules().min_response,
        bond: Amount::from_units(200),
        until: Height(100),
        aggregate: None,
    }
}
