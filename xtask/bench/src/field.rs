//! A payment inside a field, with the work of all its members on one core, beside the bare signatures in it.
//!
//! A round is made, ordered, receipted, checked by every member, signed and sealed; its time is divided by its payments.
//! Messages and writes are handed over in memory at once. Members pay in bursts, each the next one by place.
//!
//! The bare operations are those that the rules demand, each signature checked once by whoever must trust it: a payment's
//! by its payer, its receipt by the leader; the payment checked by everybody else, the receipt by payer and payee; of each
//! state a signature a member, checked by all others.

#![allow(clippy::indexing_slicing, reason = "places are below the number of members")]

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use antiphon_core::amount::Amount;
use antiphon_core::chain::Level;
use antiphon_core::codec::Bounded;
use antiphon_core::crypto::{Hash, SecretKey};
use antiphon_core::id::{Address, ChainId, FieldId, Height};
use antiphon_core::payment::field::escrow::Scene;
use antiphon_core::payment::field::{FieldRules, FieldTerms, Member};
use antiphon_core::payment::member::{
    Input, MemberConfig, MemberPolicy, Membership, Output, Proof,
};
use antiphon_core::payment::payer::DeviceId;
use antiphon_core::time::Moment;
use anyhow::{Context as _, Result, ensure};
use ed25519_dalek::{Signer as _, SigningKey};

use crate::{median, print};

const CHAIN: ChainId = ChainId(Hash([1; 32]));
const FEE: Amount = Amount::from_units(1);
/// Payments that a member makes at once.
const BURST: usize = 16;

/// Times rounds of so many payments among so many members.
///
/// # Errors
///
/// A round is not sealed.
pub(crate) fn measure(members: usize, payments: usize, rounds: usize) -> Result<()> {
    let mut room = Room::new(members, 3)?;
    room.round(payments)?;
    let bytes = room.bytes;
    let mut rows = Vec::new();
    for _ in 0..rounds {
        let start = Instant::now();
        room.round(payments)?;
        let ours = start.elapsed();
        let bare = bare(members, payments)?;
        rows.push((each(ours, payments), each(bare, payments)));
    }
    let ours = median(rows.iter().map(|row| row.0));
    let theirs = median(rows.iter().map(|row| row.1));
    let ratio = median(rows.iter().map(|row| row.0 / row.1));
    let sent = (room.bytes - bytes) as f64 / (payments * rounds) as f64;
    print(
        &format!("field of {members}: a payment, all members' work, {sent:.0} bytes sent"),
        ours,
        "its share of ed25519 signatures and verify_strict",
        theirs,
        ratio,
    );
    Ok(())
}

fn each(time: Duration, payments: usize) -> f64 {
    time.as_nanos() as f64 / payments as f64
}

/// Times the signatures and checks of a round, and nothing else.
///
/// # Errors
///
/// A signature does not verify.
pub(crate) fn bare(members: usize, payments: usize) -> Result<Duration> {
    let key = SigningKey::from_bytes(&[7; 32]);
    let (public, message) = (key.verifying_key(), [9; 32]);
    let signature = key.sign(&message);
    // Payment and receipt; a payer's own payment is the one check that nobody needs. The leader's own are in the average.
    let (mut signs, mut checks) = (0, 0);
    for number in 0..payments {
        let (payer, payee) = pair_of(number, members);
        signs += 2;
        checks += members - 1;
        checks += usize::from(payer != 0) + usize::from(payee != 0);
    }
    signs += members;
    checks += members * (members - 1);
    let start = Instant::now();
    for _ in 0..signs {
        std::hint::black_box(key.sign(std::hint::black_box(&message)));
    }
    for _ in 0..checks {
        public.verify_strict(std::hint::black_box(&message), &signature)?;
    }
    Ok(start.elapsed())
}

/// Who pays whom: each member a burst, to those after it in turn.
const fn pair_of(number: usize, members: usize) -> (usize, usize) {
    let (burst, within) = (number / BURST, number % BURST);
    let payer = burst % members;
    let step = 1 + within % (members - 1);
    (payer, (payer + step) % members)
}

/// The machines of one field, with nothing between them.
pub(crate) struct Room {
    machines: Vec<Membership>,
    addresses: Vec<Address>,
    field: FieldId,
    now: Moment,
    bytes: usize,
}

impl Room {
    /// Opens a field of so many members; `number` tells its keys from those of other fields.
    ///
    /// # Errors
    ///
    /// It does not open.
    pub(crate) fn new(members: usize, number: u8) -> Result<Self> {
        let seeds = (1..=members).map(|seed| {
            let mut bytes = [number; 32];
            bytes[..8].copy_from_slice(&(seed as u64).to_le_bytes());
            SecretKey::from_bytes(&bytes)
        });
        let mut keys: Vec<SecretKey> = seeds.collect();
        keys.sort_by_key(|key| Address::of(&key.public()));
        let terms = terms(&keys)?;
        let field = terms.id(CHAIN).context("terms without members")?;
        let machines = keys.iter().map(|key| Membership::new(config(key), []));
        let addresses = keys.iter().map(|key| Address::of(&key.public()));
        let (machines, addresses) = (machines.collect(), addresses.collect());
        let mut room = Self { machines, addresses, field, now: Moment::ZERO, bytes: 0 };
        room.join(&keys, terms)?;
        Ok(room)
    }

    fn join(&mut self, keys: &[SecretKey], terms: FieldTerms) -> Result<()> {
        let signatures: Vec<_> = keys.iter().map(|key| terms.sign(CHAIN, key)).collect();
        let (rules, by, height) = (rules(), self.addresses[0], Height(5));
        let scene = Scene { rules: &rules, inclusion_margin: 4, height, by, fee: FEE };
        let state = terms.open(CHAIN, &signatures, &scene)?.field;
        let (field, mut out) = (self.field, Vec::new());
        self.machines[0].propose(self.now, terms, &mut out)?;
        self.run(0, out);
        for at in 1..self.machines.len() {
            let mut out = Vec::new();
            self.machines[at].accept(self.now, field, &mut out)?;
            self.run(at, out);
        }
        for at in 0..self.machines.len() {
            let proof = Proof { state: Some(state.clone()), level: Level::Final, height };
            let mut out = Vec::new();
            let input = Input::Proven(field, Box::new(proof));
            self.machines[at].handle(self.now, input, &mut out);
            self.run(at, out);
        }
        Ok(())
    }

    /// Makes a round's payments, and closes it.
    ///
    /// # Errors
    ///
    /// A payment is not sealed.
    pub(crate) fn round(&mut self, payments: usize) -> Result<()> {
        let mut number = 0;
        while number < payments {
            let (payer, _) = pair_of(number, self.machines.len());
            let mut out = Vec::new();
            for _ in 0..BURST.min(payments - number) {
                let (_, payee) = pair_of(number, self.machines.len());
                let to = (self.addresses[payee], Amount::from_units(5));
                self.machines[payer].pay(self.now, self.field, to, &mut out)?;
                number += 1;
            }
            self.run(payer, out);
        }
        let before = self.sealed(1);
        let mut out = Vec::new();
        self.machines[0].close_round(self.now, self.field, &mut out)?;
        self.run(0, out);
        ensure!(self.sealed(1) == before + payments as u64, "a payment was lost");
        Ok(())
    }

    fn sealed(&self, at: usize) -> u64 {
        self.machines[at].view().first().map_or(0, |view| view.committed)
    }

    /// Does everything that was ordered, and what follows from it.
    fn run(&mut self, at: usize, out: Vec<Output>) {
        let mut todo: VecDeque<(usize, Output)> = out.into_iter().map(|it| (at, it)).collect();
        let mut out = Vec::new();
        while let Some((at, output)) = todo.pop_front() {
            let (to, input) = match output {
                Output::Send(to, bytes) => {
                    self.bytes += bytes.len();
                    let Ok(to) = self.addresses.binary_search(&to) else { continue };
                    (to, Input::Heard(self.addresses[at], bytes))
                }
                Output::Store(token, ..) => (at, Input::Stored(token)),
                Output::Need(_)
                | Output::Submit(_)
                | Output::Changed
                | Output::Fault(..)
                | Output::Warn(..) => continue,
            };
            self.machines[to].handle(self.now, input, &mut out);
            todo.extend(out.drain(..).map(|output| (to, output)));
        }
    }
}

fn rules() -> FieldRules {
    FieldRules::for_chain(4, 1000)
}

fn config(key: &SecretKey) -> MemberConfig {
    let policy = MemberPolicy { round_payments: 4096, ..MemberPolicy::for_chain(4) };
    let (device, key) = (DeviceId([1; 16]), key.clone());
    MemberConfig { chain: CHAIN, key, device, rules: rules(), fee: FEE, policy }
}

fn terms(keys: &[SecretKey]) -> Result<FieldTerms> {
    let members: Vec<Member> = (0..)
        .zip(keys)
        .map(|(at, key)| {
            let deposit = Amount::from_units(if at == 0 { 1_000_001 } else { 1_000_000 });
            Member { key: key.public(), deposit }
        })
        .collect();
    Ok(FieldTerms {
        nonce: 1,
        members: Bounded::try_from(members)?,
        dispute: rules().min_dispute,
        response: rules().min_response,
        bond: Amount::from_units(200),
        until: Height(100),
        aggregate: None,
    })
}
