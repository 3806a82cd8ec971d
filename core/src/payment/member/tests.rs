//! Members on a table: messages are handed over in order, writes succeed at once, and the chain is the escrow's functions.

mod amend;
mod back;
mod bounds;
mod chain;
mod files;
mod heights;
mod join;
mod late;
mod letters;
mod lies;
mod log;
mod receipts;
mod refused;
mod rules;
mod turnover;
mod versions;
mod waits;

use super::{
    wire::{Envelope, Letter},
    *,
};
use crate::{
    codec::Bounded,
    crypto::{Hash, PublicKey},
    payment::field::{Member, escrow::Scene},
    row::Row,
};
use alloc::{
    collections::{BTreeMap, VecDeque},
    vec,
};
use core::time::Duration;

const CHAIN: ChainId = ChainId(Hash([1; 32]));
const MARGIN: u64 = 4;
const FEE: Amount = Amount::from_units(1);

/// A row of a disk, sealed by nobody here.
type Disk = BTreeMap<String, Vec<u8>>;

fn units(units: u128) -> Amount {
    Amount::from_units(units)
}

fn rules() -> FieldRules {
    FieldRules::for_chain(MARGIN, 1000)
}

fn key(seed: u8) -> SecretKey {
    SecretKey::from_bytes(&[seed; 32])
}

fn config(key: &SecretKey) -> MemberConfig {
    let policy = MemberPolicy { round_payments: 1000, ..MemberPolicy::for_chain(MARGIN) };
    let (device, rules) = (DeviceId([5; 16]), rules());
    MemberConfig { chain: CHAIN, key: key.clone(), device, rules, fee: FEE, policy }
}

fn restart(key: &SecretKey, disk: &Disk) -> Membership {
    let rows = disk.iter().map(|(name, bytes)| -> Row { (name.clone(), Ok(bytes.clone())) });
    Membership::new(config(key), rows)
}

/// Members, their disks, and a field's escrow.
struct Room {
    keys: Vec<SecretKey>,
    machines: Vec<Membership>,
    disks: Vec<Disk>,
    field: FieldId,
    escrow: Option<(FieldState, Vec<PublicKey>)>,
    now: Moment,
    height: Height,
    faults: Vec<(usize, Fault)>,
    warnings: Vec<(usize, Warning)>,
    acts: Vec<FieldAct>,
    /// Messages that are lost: from, to.
    cut: Vec<(usize, usize)>,
    /// Messages that are lost: from whom, and what.
    lost: fn(usize, &Letter) -> bool,
    /// Acts that no block includes.
    censored: fn(&FieldAct) -> bool,
    /// Members whose writes do not end, of rows whose name has this in it.
    stuck: Vec<(usize, &'static str)>,
}

impl Room {
    /// Seats `count` members with 1000 units each, one more for the first by address, who leads.
    fn new(count: u8) -> Self {
        let mut keys: Vec<SecretKey> = (1..=count).map(key).collect();
        keys.sort_by_key(|key| Address::of(&key.public()));
        let disks = vec![Disk::new(); keys.len()];
        let machines = keys.iter().map(|key| restart(key, &Disk::new())).collect();
        let field = terms(&keys).id(CHAIN).unwrap();
        Self {
            keys,
            machines,
            disks,
            field,
            escrow: None,
            now: Moment::ZERO,
            height: Height(10),
            faults: Vec::new(),
            warnings: Vec::new(),
            acts: Vec::new(),
            cut: Vec::new(),
            lost: |_, _| false,
            censored: |_| false,
            stuck: Vec::new(),
        }
    }

    /// A field that is open and proven to all.
    fn open(count: u8) -> Self {
        Self::open_beside(count, 0)
    }

    /// A field that is open and proven to all, and `others` who are no members, behind them.
    fn open_beside(count: u8, others: u8) -> Self {
        let mut table = Self::new(count + others);
        let members = usize::from(count);
        let terms = terms(&table.keys[..members]);
        table.field = terms.id(CHAIN).unwrap();
        table.command(0, |machine, now, out| machine.propose(now, terms, out).unwrap());
        let field = table.field;
        for at in 1..members {
            table.command(at, |machine, now, out| machine.accept(now, field, out).unwrap());
        }
        assert!(table.escrow.is_some(), "all have signed, so the chain has it");
        table.block();
        assert_eq!(table.view(0).phase, Phase::Open);
        table
    }

    fn address(&self, at: usize) -> Address {
        Address::of(&self.keys[at].public())
    }

    fn view(&self, at: usize) -> FieldView {
        self.machines[at].view().into_iter().find(|view| view.id == self.field).unwrap()
    }

    fn balances(&self, at: usize) -> Vec<u128> {
        self.view(at).members.iter().map(|member| member.balance.units()).collect()
    }

    fn standings(&self, at: usize) -> Vec<Standing> {
        self.view(at).payments.iter().map(|payment| payment.standing).collect()
    }

    fn command<T>(
        &mut self,
        at: usize,
        command: impl FnOnce(&mut Membership, Moment, &mut Vec<Output>) -> T,
    ) -> T {
        let mut out = Vec::new();
        let done = command(&mut self.machines[at], self.now, &mut out);
        self.run(at, out);
        done
    }

    fn pay(&mut self, at: usize, to: usize, amount: u128) -> Result<u64, PayError> {
        let (field, payee) = (self.field, self.address(to));
        self.command(at, |machine, now, out| machine.pay(now, field, (payee, units(amount)), out))
    }

    fn close_round(&mut self) -> Result<(), CloseError> {
        let field = self.field;
        self.command(0, |machine, now, out| machine.close_round(now, field, out))
    }

    fn input(&mut self, at: usize, input: Input) {
        self.command(at, |machine, now, out| machine.handle(now, input, out));
    }

    /// Does everything that was ordered, and what follows from it.
    fn run(&mut self, at: usize, out: Vec<Output>) {
        let mut todo: VecDeque<(usize, Output)> = out.into_iter().map(|o| (at, o)).collect();
        while let Some((at, output)) = todo.pop_front() {
            let Some((to, input)) = self.done(at, output) else { continue };
            let mut out = Vec::new();
            self.machines[to].handle(self.now, input, &mut out);
            todo.extend(out.into_iter().map(|output| (to, output)));
        }
    }

    fn done(&mut self, at: usize, output: Output) -> Option<(usize, Input)> {
        match output {
            Output::Send(to, bytes) => {
                assert!(bytes.len() <= wire::MAX_LETTER, "{} bytes", bytes.len());
                let from = self.address(at);
                let to = (0..self.keys.len()).find(|other| self.address(*other) == to)?;
                let letter = Envelope::from_bytes(&bytes).unwrap().letter;
                let is_lost = self.cut.contains(&(at, to)) || (self.lost)(at, &letter);
                (!is_lost).then_some((to, Input::Heard(from, bytes)))
            }
            Output::Store(_, name, _) if self.is_stuck(at, &name) => None,
            Output::Store(token, name, Some(bytes)) => {
                self.disks[at].insert(name, bytes);
                Some((at, Input::Stored(token)))
            }
            Output::Store(token, name, None) => {
                self.disks[at].remove(&name);
                Some((at, Input::Stored(token)))
            }
            Output::Submit(act) => {
                self.execute(at, *act);
                None
            }
            Output::Fault(_, fault) => {
                self.faults.push((at, fault));
                None
            }
            Output::Warn(_, warning) => {
                self.warnings.push((at, warning));
                None
            }
            Output::Need(_) | Output::Changed => None,
        }
    }

    fn is_stuck(&self, at: usize, name: &str) -> bool {
        self.stuck.iter().any(|(of, row)| *of == at && name.contains(row))
    }

    fn execute(&mut self, at: usize, act: FieldAct) {
        self.acts.push(act.clone());
        if (self.censored)(&act) {
            return;
        }
        let rules = rules();
        let (height, by) = (self.height.plus(1), self.address(at));
        let scene = Scene { rules: &rules, inclusion_margin: MARGIN, height, by, fee: FEE };
        let change = match (&self.escrow, act) {
            (None, FieldAct::Open { terms, signatures }) => terms.open(CHAIN, &signatures, &scene),
            (None, _) | (Some(_), FieldAct::Open { .. }) => return,
            (Some((state, keys)), act) => match act {
                FieldAct::Close { state: last, seal } => state.close(keys, &last, &seal, &scene),
                FieldAct::SoloClose { state: best, .. } => {
                    state.solo_close(keys, best.as_deref(), &scene)
                }
                FieldAct::Post(sealed) => state.post(keys, &sealed, &scene),
                FieldAct::Challenge { round, .. } => state.challenge(keys, round, &scene),
                FieldAct::Enforce(_) => state.enforce(keys, &scene),
                FieldAct::Amend { amendment, signatures } => {
                    state.amend(keys, &amendment, &signatures, &scene)
                }
                FieldAct::Open { .. } => return,
            },
        };
        if let Ok(change) = change {
            let keys = match (change.keys, &self.escrow) {
                (Some(keys), _) => keys.into_vec(),
                (None, Some((_, keys))) => keys.clone(),
                (None, None) => Vec::new(),
            };
            self.escrow = Some((change.field, keys));
        }
    }

    /// Makes one block and proves the field under it to all.
    fn block(&mut self) {
        self.height = self.height.plus(1);
        for at in 0..self.machines.len() {
            self.input(at, Input::Tip(self.height));
            let state = self.escrow.as_ref().map(|(state, _)| state.clone());
            let proof = Proof { state, level: Level::Final, height: self.height };
            self.input(at, Input::Proven(self.field, Box::new(proof)));
        }
    }

    /// Lets time pass, with every tick that is due.
    fn pass(&mut self, ms: u64) {
        let end = self.now.after(Duration::from_millis(ms));
        loop {
            let due = self.machines.iter().filter_map(Membership::deadline).min();
            let Some(due) = due.filter(|due| *due <= end) else { break };
            self.now = due.max(self.now.after(Duration::from_millis(1)));
            for at in 0..self.machines.len() {
                if self.machines[at].deadline().is_some_and(|due| due <= self.now) {
                    self.input(at, Input::Tick);
                }
            }
        }
        self.now = end;
    }

    /// Kills a member and starts it again from its disk.
    fn restart(&mut self, at: usize) {
        self.machines[at] = restart(&self.keys[at], &self.disks[at]);
        let tip = self.height;
        self.input(at, Input::Tip(tip));
        let state = self.escrow.as_ref().map(|(state, _)| state.clone());
        let proof = Proof { state, level: Level::Final, height: tip };
        self.input(at, Input::Proven(self.field, Box::new(proof)));
    }
}

fn terms(keys: &[SecretKey]) -> FieldTerms {
    let members: Vec<Member> = (0_u128..)
        .zip(keys)
        .map(|(at, key)| Member { key: key.public(), deposit: units(1000 + u128::from(at == 0)) })
        .collect();
    let rules = rules();
    FieldTerms {
        nonce: 7,
        members: Bounded::try_from(members).unwrap(),
        dispute: rules.min_dispute,
        response: rules.min_response,
        bond: units(200),
        until: Height(1000),
        aggregate: None,
    }
}
