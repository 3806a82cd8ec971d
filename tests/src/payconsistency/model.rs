//! The chain, the letters, and what each step does.

use super::{
    Report,
    actor::{Actor, Letter, PRICE, STREAM},
    check,
};
use crate::{
    fuzz::choice::Choices,
    sim::{genesis, till::Till},
};
use antiphon_core::{
    amount::Amount,
    chain::{spec::ChainSpec, transaction::Message},
    codec,
    crypto::Signed,
    id::{Address, Height, PoolId},
    payment::{
        reservation::{PoolRules, PoolStatus, PoolTerms},
        voucher::Voucher,
    },
};
use std::collections::BTreeMap;

/// Accounts that keep the rules.
pub(super) const HONEST: usize = 3;
/// Letters that wait; more are lost.
const MAX_LETTERS: usize = 64;
/// Orders of one account that wait; more are lost.
const MAX_ORDERS: usize = 16;

/// The world of one run. The last account is the cheat's: it signs whatever pays.
#[derive(Debug)]
pub(super) struct Model {
    pub(super) spec: ChainSpec,
    pub(super) till: Till,
    pub(super) actors: Vec<Actor>,
    letters: Vec<Letter>,
    cheat: antiphon_core::crypto::SecretKey,
    /// Pools of the cheat, with what it has signed to each payee.
    pub(super) overdrawn: BTreeMap<PoolId, BTreeMap<Address, (u64, u128)>>,
    nonce: u64,
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
    ChainSpec { pool, ..genesis::spec(1000, HONEST + 2) }
}

impl Model {
    pub(super) fn new() -> Self {
        let spec = spec();
        let (chain, rules) = (spec.chain_id(), spec.pool);
        let keys = (1..=HONEST).map(genesis::account);
        let actors = keys.map(|key| Actor::new(key, chain, rules)).collect();
        Self {
            till: Till::new(spec.clone()),
            spec,
            actors,
            letters: Vec::new(),
            cheat: genesis::account(HONEST + 1),
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
        match choices.below(16) {
            0 => self.open(who, choices),
            1..=4 => self.pay(who, other, choices),
            5 | 6 => {
                let peer = self.actors[other].peer();
                self.actors[who].serve(peer);
            }
            7 | 8 => self.actors[who].write_one(),
            9 => self.actors[who].write_all(),
            10 if choices.below(4) == 0 => {
                self.actors[who].crash(choices.below(3));
                self.report.crashes += 1;
            }
            10 => self.actors[who].write_all(),
            11 | 12 => self.deliver(choices),
            13 => self.cheat(who, choices),
            14 => self.actors[who].settle(),
            _ => self.block(choices),
        }
        self.collect();
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
        for _ in 0..4 {
            self.deliver_one(choices);
        }
    }

    /// One letter arrives, perhaps twice, or never.
    fn deliver_one(&mut self, choices: &mut Choices<'_>) {
        if self.letters.is_empty() {
            return;
        }
        let at = choices.below(self.letters.len());
        let fate = choices.below(8);
        let letter =
            if fate == 0 { self.letters[at].clone() } else { self.letters.swap_remove(at) };
        if fate == 1 {
            return;
        }
        let to = self.actors.iter_mut().find(|actor| actor.address() == letter.to);
        to.into_iter().for_each(|actor| actor.hear(&letter));
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
        let from = antiphon_core::id::PeerId(self.cheat.public());
        self.letters.push(Letter { from, pool, to, bytes: codec::encode(&voucher.to_compact()) });
    }

    /// A block with an order of each account, if it arrives; then some accounts see it.
    fn block(&mut self, choices: &mut Choices<'_>) {
        let arriving = choices.byte();
        let mut candidates = Vec::new();
        for (at, actor) in self.actors.iter_mut().enumerate() {
            let Some(order) = actor.orders.pop_front() else { continue };
            if arriving & (1 << at) != 0 {
                candidates.push((actor.key.clone(), order));
            }
        }
        self.settle(candidates);
        let seeing = choices.byte();
        let height = Height(self.till.next_height().0 - 1);
        for (at, actor) in self.actors.iter_mut().enumerate() {
            if seeing & (1 << at) != 0 {
                actor.see(&self.till, height);
            }
        }
    }

    fn settle(&mut self, orders: Vec<(antiphon_core::crypto::SecretKey, Message)>) {
        let till = &mut self.till;
        let signed: Vec<_> =
            orders.into_iter().map(|(key, order)| till.sign(&key, order)).collect();
        let count = signed.len() as u64;
        let refused = till.settle(signed).len() as u64;
        self.report.included += count - refused;
        self.moved();
    }

    fn moved(&mut self) {
        self.report.blocks += 1;
        check::money(self);
    }

    /// Takes up what the accounts said.
    fn collect(&mut self) {
        for actor in &mut self.actors {
            self.letters.append(&mut actor.letters);
            actor.orders.truncate(MAX_ORDERS);
        }
        self.letters.truncate(MAX_LETTERS);
    }

    /// Lets everybody write and see, and every pool end; returns what happened.
    pub(super) fn end(mut self) -> Report {
        for _ in 0..100 {
            let height = Height(self.till.next_height().0 - 1);
            let mut orders = Vec::new();
            for actor in &mut self.actors {
                actor.write_all();
                actor.see(&self.till, height);
                actor.settle();
                orders.extend(actor.orders.pop_front().map(|order| (actor.key.clone(), order)));
            }
            self.settle(orders);
            check::all(&self);
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
        self.report.vouchers = self.actors.iter().map(|actor| actor.taken).sum();
        check::ended(&self);
        self.report
    }
}
