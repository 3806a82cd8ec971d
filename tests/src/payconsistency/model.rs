//! The chain, the letters, and what each step does.

use super::{
    Report,
    actor::{Actor, Letter, PRICE, STREAM},
    check,
    member::DISPUTE,
};
use crate::{
    fuzz::choice::Choices,
    sim::{genesis, till::Till},
    watch::Watch,
};
use antiphon_core::{
    amount::Amount,
    chain::{spec::ChainSpec, transaction::Message},
    codec,
    crypto::{SecretKey, Signed},
    id::{Address, FieldId, Height, PeerId, PoolId},
    payment::{
        field::{FieldRules, FieldTerms, escrow::FieldStatus},
        member::wire::Envelope,
        reservation::{PoolRules, PoolStatus, PoolTerms},
        voucher::Voucher,
    },
};
use std::{collections::BTreeMap, time::Duration};

/// Accounts that keep the rules.
pub(super) const HONEST: usize = 3;
/// Letters that wait; more are lost.
const MAX_LETTERS: usize = 256;
/// Orders of one account that wait; more are lost.
const MAX_ORDERS: usize = 16;

/// Blocks for which all stay awake at most: disputes that begin one after the other.
const LONGEST_WAKE: u64 = 16 * DISPUTE;

/// Something on its way.
#[derive(Clone, Debug)]
enum Mail {
    Voucher(Letter),
    Parcel { from: Address, to: Address, bytes: Vec<u8> },
}

/// The world of one run. The last account is the cheat's: it signs whatever pays.
#[derive(Debug)]
pub(super) struct Model {
    pub(super) spec: ChainSpec,
    pub(super) till: Till,
    pub(super) actors: Vec<Actor>,
    letters: Vec<Mail>,
    cheat: SecretKey,
    /// Every field that was proposed, with what must never happen in it.
    pub(super) fields: BTreeMap<FieldId, (FieldTerms, Watch)>,
    /// Pools of the cheat, with what it has signed to each payee.
    pub(super) overdrawn: BTreeMap<PoolId, BTreeMap<Address, (u64, u128)>>,
    pub(super) nonce: u64,
    report: Report,
}

/// A chain whose pools live only some blocks.
fn spec() -> ChainSpec {
    let pool = PoolRules {
        bounty: Amount::from_units(1),
        inclusion_margin: 1,
        min_duration: 4,
        max_duration: 64,
        freeze: 10,
    };
    let field =
        FieldRules { min_dispute: 2, max_dispute: DISPUTE, min_response: 2, max_response: DISPUTE };
    ChainSpec { pool, field, ..genesis::spec(1000, HONEST + 2) }
}

impl Model {
    pub(super) fn new() -> Self {
        let spec = spec();
        let keys = (1..=HONEST).map(genesis::account);
        let actors = keys.map(|key| Actor::new(key, &spec)).collect();
        Self {
            till: Till::new(spec.clone()),
            spec,
            actors,
            letters: Vec::new(),
            cheat: genesis::account(HONEST + 1),
            fields: BTreeMap::new(),
            overdrawn: BTreeMap::new(),
            nonce: 0,
            report: Report::default(),
        }
    }

    pub(super) fn run(&mut self, bytes: &[u8]) {
        let mut choices = Choices::new(bytes);
        while !choices.is_empty() {
            self.step(&mut choices);
            self.report.steps += 1;
            check::all(self);
        }
    }

    fn step(&mut self, choices: &mut Choices<'_>) {
        let who = choices.below(HONEST);
        let other = choices.below(HONEST);
        match choices.below(24) {
            0 => self.open(who, choices),
            1..=4 => self.pay(who, other, choices),
            5 | 6 => {
                let peer = self.actors[other].peer();
                self.actors[who].serve(peer);
            }
            7 | 8 => self.actors[who].write_one(),
            9 => self.actors[who].write_all(),
            10 if choices.below(4) == 0 => {
                self.crash(who, choices);
            }
            10 => self.actors[who].write_all(),
            11 | 12 => self.deliver(choices),
            13 => self.cheat(who, choices),
            14 => self.actors[who].settle(),
            15 => self.propose(who, choices),
            16 => self.actors[who].accept(),
            17 | 18 => self.pay_member(who, other, choices),
            19 => self.close(who, choices),
            20 | 21 => self.pass(choices),
            _ => self.block(choices),
        }
        self.collect();
    }

    /// Who starts again hears others, the newest height, or what that proves first, as it happens.
    fn crash(&mut self, who: usize, choices: &mut Choices<'_>) {
        self.actors[who].crash(choices.below(3));
        self.report.crashes += 1;
        let height = self.height();
        match choices.below(3) {
            0 => self.actors[who].see(&self.till, height),
            1 => self.actors[who].hear_tip(height),
            _ => {}
        }
    }

    /// The newest settled block's.
    fn height(&self) -> Height {
        Height(self.till.next_height().0 - 1)
    }

    fn open(&mut self, who: usize, choices: &mut Choices<'_>) {
        self.nonce += 1;
        let end = Height(self.till.next_height().0 + 4 + choices.below(40) as u64);
        let deposit = 20 + u128::from(choices.byte()) * 2;
        self.actors[who].open(self.nonce, deposit, end);
    }

    fn pay(&mut self, who: usize, other: usize, choices: &mut Choices<'_>) {
        let to = self.actors[other].address();
        let pools: Vec<PoolId> = self.actors[who].pools.iter().copied().collect();
        // Mostly the newest: the older ones have ended.
        let back = choices.below(4).min(pools.len().saturating_sub(1));
        if let Some(pool) = pools.iter().rev().nth(back) {
            self.actors[who].pay(*pool, to, PRICE * (1 + choices.below(2) as u128));
        }
    }

    /// Some letters arrive, in any order.
    fn deliver(&mut self, choices: &mut Choices<'_>) {
        for _ in 0..8 {
            self.deliver_one(choices);
        }
    }

    /// One letter arrives, perhaps twice, or never.
    fn deliver_one(&mut self, choices: &mut Choices<'_>) {
        if self.letters.is_empty() {
            return;
        }
        let at = choices.below(self.letters.len());
        let fate = choices.below(16);
        let mail = if fate == 0 { self.letters[at].clone() } else { self.letters.swap_remove(at) };
        if fate == 1 {
            return;
        }
        let to = match &mail {
            Mail::Voucher(letter) => letter.to,
            Mail::Parcel { to, .. } => *to,
        };
        let Some(actor) = self.actors.iter_mut().find(|actor| actor.address() == to) else {
            return;
        };
        match mail {
            Mail::Voucher(letter) => actor.hear(&letter),
            Mail::Parcel { from, bytes, .. } => actor.hear_parcel(from, bytes),
        }
    }

    /// The cheat opens a pool, or promises one of its pools to one more.
    fn cheat(&mut self, who: usize, choices: &mut Choices<'_>) {
        let chain = self.spec.chain_id();
        let to = self.actors[who].address();
        let pools: Vec<PoolId> = self.overdrawn.keys().copied().collect();
        if pools.is_empty() || choices.below(6) == 0 {
            self.nonce += 1;
            let terms = PoolTerms {
                creator: self.cheat.public(),
                nonce: self.nonce,
                resource: STREAM,
                deposit: Amount::from_units(40),
                collateral: Amount::from_units(42),
                end_height: self.till.next_height().plus(30),
                only: None,
            };
            let pool = terms.id(chain);
            let create = self.till.sign(&self.cheat.clone(), Message::CreatePool(terms));
            if self.till.settle(vec![create]).is_empty() {
                self.overdrawn.insert(pool, BTreeMap::new());
                self.report.included += 1;
            }
            self.moved();
            return;
        }
        let pool = pools[choices.below(pools.len())];
        let line = self.overdrawn.entry(pool).or_default().entry(to).or_default();
        *line = (line.0 + 1, line.1 + PRICE);
        let (seq, cum) = (line.0, Amount::from_units(line.1));
        let body = Voucher { pool, resource: STREAM, target: to, seq, cum, ticks: None };
        let voucher = Signed::new(&self.cheat, chain, body);
        let from = PeerId(self.cheat.public());
        let bytes = codec::encode(&voucher.to_compact());
        self.letters.push(Mail::Voucher(Letter { from, pool, to, bytes }));
    }

    /// A block with an order of each account, if it arrives; then some accounts hear of it, and some of them what it proves.
    fn block(&mut self, choices: &mut Choices<'_>) {
        let arriving = choices.byte();
        let mut candidates = Vec::new();
        for (at, actor) in self.actors.iter_mut().enumerate() {
            let Some(order) = actor.take_order() else { continue };
            if arriving & (1 << at) != 0 {
                candidates.push((actor.key.clone(), order));
            }
        }
        self.settle(candidates);
        let (hearing, seeing) = (choices.byte(), choices.byte());
        let height = self.height();
        for (at, actor) in self.actors.iter_mut().enumerate() {
            if seeing & (1 << at) != 0 {
                actor.see(&self.till, height);
            } else if hearing & (1 << at) != 0 {
                actor.hear_tip(height);
            }
        }
        if self.is_disputed() {
            self.be_awake(choices);
            // What was said before reaches some that have forgotten what the chain decided meanwhile.
            if choices.below(2) == 0 {
                self.crash(choices.below(HONEST), choices);
            }
        }
    }

    /// Whether the chain waits for what members have to show of some field.
    fn is_disputed(&self) -> bool {
        self.fields.keys().filter_map(|field| self.till.field(*field)).any(|state| {
            state.challenge.is_some() || matches!(state.status, FieldStatus::Closing(_))
        })
    }

    pub(super) fn settle(&mut self, orders: Vec<(SecretKey, Message)>) {
        let count = orders.len();
        let refused = self.till.settle_orders(orders);
        self.report.included += (count - refused) as u64;
        self.moved();
    }

    fn moved(&mut self) {
        self.report.blocks += 1;
        check::money(self);
    }

    /// Time passes.
    fn pass(&mut self, choices: &mut Choices<'_>) {
        let wait = Duration::from_millis(u64::from(choices.byte()) * 16);
        for actor in &mut self.actors {
            actor.now = actor.now.after(wait);
            actor.feed_member(antiphon_core::payment::member::Input::Tick);
        }
    }

    /// For the time of a dispute all are as awake as the rules ask: what they write is durable, they see each block, and what
    /// they send is included (A6.13), though disks are slow, letters come late, and some start again. Nobody is then paid less
    /// than the newest state that it was shown as money.
    fn be_awake(&mut self, choices: &mut Choices<'_>) {
        // Another dispute may begin meanwhile: who has fallen asleep before it ends has no claim to anything.
        let kept_until = choices.below(DISPUTE as usize + 2) as u64;
        for turn in 0..LONGEST_WAKE {
            if turn >= 2 * DISPUTE && !self.is_disputed() {
                break;
            }
            self.awake_once();
            check::show(self);
            if !choices.is_empty() {
                // Whoever keeps something back gives it away in any block of the dispute, its last ones among them.
                if turn >= kept_until {
                    for _ in 0..MAX_LETTERS / 8 {
                        self.deliver_one(choices);
                    }
                }
                if choices.below(3) == 0 {
                    self.crash(choices.below(HONEST), choices);
                }
                check::show(self);
                self.collect();
            }
        }
        for field in self.fields.keys() {
            check::enforced(self, *field);
        }
    }

    fn awake_once(&mut self) {
        let height = self.height();
        let mut orders = Vec::new();
        for actor in &mut self.actors {
            actor.now = actor.now.after(Duration::from_secs(1));
            actor.feed_member(antiphon_core::payment::member::Input::Tick);
            actor.see(&self.till, height);
            actor.write_all();
            let taken = actor.take_due().into_iter();
            orders.extend(taken.map(|order| (actor.key.clone(), order)));
        }
        self.collect();
        self.settle(orders);
    }

    /// Notes what a member says to another.
    fn overhear(&mut self, from: &Address, to: &Address, bytes: &[u8]) {
        let field = Envelope::from_bytes(bytes).unwrap().field;
        let Some((terms, watch)) = self.fields.get_mut(&field) else { return };
        let place = |address: &Address| {
            terms.members.iter().position(|member| member.address() == *address).unwrap()
        };
        watch.said(place(from), place(to), bytes);
    }

    /// Takes up what the accounts said.
    fn collect(&mut self) {
        for at in 0..self.actors.len() {
            let actor = &mut self.actors[at];
            self.letters.extend(actor.letters.drain(..).map(Mail::Voucher));
            actor.orders.truncate(MAX_ORDERS);
            let from = actor.address();
            for (to, bytes) in std::mem::take(&mut actor.parcels) {
                self.overhear(&from, &to, &bytes);
                self.letters.push(Mail::Parcel { from, to, bytes });
            }
        }
        self.letters.truncate(MAX_LETTERS);
    }

    /// Lets everybody write and see, and every pool end; returns what happened.
    pub(super) fn end(mut self) -> Report {
        for turn in 0..150 {
            for actor in &mut self.actors {
                actor.settle();
                if turn == 100 {
                    self.fields.keys().for_each(|field| actor.close(*field, false));
                }
            }
            self.awake_once();
            check::all(&mut self);
        }
        let pools: Vec<PoolId> = self.till.pools().collect();
        for pool in pools {
            self.settle(vec![(self.cheat.clone(), Message::Release(pool))]);
        }
        let is_overdrawn = |pool: &PoolId| {
            let status = self.till.pool(*pool).map(|state| state.status);
            matches!(status, Some(PoolStatus::Insolvent(_)))
        };
        self.report.overdrawn = self.till.pools().filter(is_overdrawn).count() as u64;
        let committed = |field: &FieldId| {
            let views = self.actors.iter().filter_map(|actor| actor.field(*field));
            views.map(|view| view.committed).max().unwrap_or_default()
        };
        self.report.committed = self.fields.keys().map(committed).sum();
        self.report.vouchers = self.actors.iter().map(|actor| actor.taken).sum();
        check::ended(&self);
        self.report
    }
}
