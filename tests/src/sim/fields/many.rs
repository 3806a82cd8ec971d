//! Many fields beside each other, each with members, network and disks of its own: what they pay, say and cost the chain
//! together.
//!
//! Fields share nothing but the chain, so what one of them does is added to what the others do. Every field runs its real
//! machines through several rounds, is closed by all its members, and every account is then held against a count that no
//! machine of the field has made.

use super::{BOND, DEPOSIT, FieldNet, Weather};
use crate::sim::dice::Dice;
use antiphon_core::payment::{
    field::escrow::FieldStatus,
    member::{Phase, Standing},
};

/// Fewest and most members of a field.
const MEMBERS: (u64, u64) = (2, 10);
/// Payments that a member makes before the next one does.
const BURST: usize = 16;
/// Between two bursts, in virtual milliseconds: longer than a round trip and a write.
const PAUSE_MS: u64 = 25;
/// How long a round or a close may take, in virtual milliseconds.
const PATIENCE_MS: u64 = 60_000;
/// After how many steps everything that members show is looked at: it costs what all payments so far cost.
const LOOK_EVERY: u64 = 512;

/// What fields did together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Many {
    /// Fields, all of them closed.
    pub fields: u64,
    /// Members of all fields.
    pub members: u64,
    /// Payments in states that all members signed.
    pub payments: u64,
    /// Rounds that were enforced.
    pub rounds: u64,
    /// Bytes in which payers told leaders their payments, and the payments in them: a leader need not tell its own.
    pub told: (u64, u64),
    /// Signatures that the rules demand: of payments, receipts and states.
    pub signatures: u64,
    /// Checks that the rules demand, each signature once by whoever must trust it and has not made it.
    pub checks: u64,
    /// Bytes that members said to each other from the invitation to the close.
    pub bytes: u64,
    /// Transactions that the chain included.
    pub transactions: u64,
    /// Units that changed hands, each payment's once.
    pub moved: u128,
}

impl Many {
    /// Adds what others did.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self {
            fields: self.fields + other.fields,
            members: self.members + other.members,
            payments: self.payments + other.payments,
            rounds: self.rounds + other.rounds,
            told: (self.told.0 + other.told.0, self.told.1 + other.told.1),
            signatures: self.signatures + other.signatures,
            checks: self.checks + other.checks,
            bytes: self.bytes + other.bytes,
            transactions: self.transactions + other.transactions,
            moved: self.moved + other.moved,
        }
    }
}

/// Runs so many fields, each through so many payments, and adds them up.
///
/// # Panics
/// If a payment is lost, money is made or lost, or a field does not close.
pub fn run(seed: u64, fields: u64, payments: usize) -> Many {
    let mut dice = Dice::new(seed);
    let each = (0..fields).map(|_| {
        let members = usize::try_from(dice.between(MEMBERS)).unwrap();
        one(dice.roll(), members, payments)
    });
    each.fold(Many::default(), Many::and)
}

/// One field from its invitation to its close.
fn one(seed: u64, members: usize, payments: usize) -> Many {
    let mut net = FieldNet::open(seed, members, Weather::CALM);
    net.look_every = LOOK_EVERY;
    let mut dice = Dice::new(seed);
    // What each account must have at the end, by what this function paid and nothing else.
    let mut expected = endowments(&net);
    let (mut moved, mut checks) = (0, 0);
    for number in 0..payments {
        let payer = number / BURST % members;
        let payee = (payer + 1 + dice.below(members as u64 - 1) as usize) % members;
        let amount = u128::from(1 + dice.below(9));
        assert_eq!(net.pay(payer, payee, amount).unwrap().err(), None, "payment {number}");
        expected[payer] -= amount;
        expected[payee] += amount;
        moved += amount;
        // Everybody else checks the payment; payer and payee check the leader's receipt, unless they lead.
        checks += members as u64 - 1;
        checks += [payer, payee].into_iter().filter(|at| *at != net.leader()).count() as u64;
        if number % BURST == BURST - 1 {
            net.run_for(PAUSE_MS);
        }
    }
    let all = payments as u64;
    net.run_until(PATIENCE_MS, |net| {
        (0..members).all(|at| net.view(at).is_some_and(|view| view.committed == all))
    });
    net.close(members - 1);
    net.run_until(PATIENCE_MS, |net| (0..members).all(|at| net.phase(at) == Some(Phase::Closed)));
    check(&mut net, &expected, all);
    let (of_all, rounds) = (members as u64, u64::from(net.chain.best()));
    Many {
        fields: 1,
        members: of_all,
        payments: all,
        rounds,
        signatures: 2 * all + rounds * of_all,
        checks: checks + rounds * of_all * (of_all - 1),
        told: net.watch.told,
        bytes: net.watch.traffic.0,
        transactions: net.chain.done.len() as u64,
        moved,
    }
}

/// What each account had before the field was opened.
fn endowments(net: &FieldNet) -> Vec<u128> {
    vec![DEPOSIT + 10 * BOND; net.places.len()]
}

/// Every account has what it was paid to the unit, every member shows every payment as committed, nothing is left in the
/// escrow, and nobody went to the chain in between.
fn check(net: &mut FieldNet, expected: &[u128], payments: u64) {
    let machines = net.places.iter().map(|place| place.machine.as_ref());
    net.watch.look(net.field, machines);
    for (at, expected) in expected.iter().enumerate() {
        assert_eq!(net.chain.account(&net.address(at)), *expected, "member {at}: {net:?}");
        let view = net.view(at).unwrap();
        assert_eq!((view.committed, view.freeze), (payments, None));
        assert!(view.payments.iter().all(|it| it.standing == Standing::Committed));
        assert_eq!(net.places[at].faults, [], "nobody here misbehaves");
    }
    let state = net.chain.state().unwrap();
    assert!(matches!(state.status, FieldStatus::Closed { .. }), "{:?}", state.status);
    assert_eq!(state.held().unwrap().units(), 0, "the escrow is empty");
    let kinds: Vec<&str> = net.chain.done.iter().map(|(_, _, act)| act.kind()).collect();
    assert_eq!(kinds, ["openField", "closeField"]);
}
