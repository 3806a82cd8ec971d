//! Payment fields from the members' side: in bad weather, through crashes at every write, against foes.
//! PROTOCOL A6.9, A6.10, A6.15; ADVERSARIAL cases 23 to 25.

use antiphon_core::{
    amount::Amount,
    id::Address,
    payment::{
        field::{FieldAct, SealedState},
        member::{
            Freeze, PayError, Phase, Standing,
            wire::{Envelope, Letter},
        },
    },
};
use antiphon_tests::{
    foe::{Foe, Forger, Griefer, Hoarder, TwoFaced},
    sim::{
        Seed,
        dice::Dice,
        fields::{BOND, CHAIN, Crash, DEPOSIT, FieldNet, Weather},
    },
};
use std::{cell::RefCell, rc::Rc, time::Duration};

/// How long a field may take to be closed when nobody is missing, in virtual milliseconds.
const CLOSED: u64 = 120_000;

/// Pays around the table, some units each time, `count` payments in all. Returns how many machines have taken.
fn pay_around(net: &mut FieldNet, count: usize, pause_ms: u64) -> usize {
    let members = net.places.len();
    let mut made = 0;
    for turn in 0..count {
        let paid = net.pay(turn % members, (turn + 1) % members, 1 + turn as u128 % 5);
        made += usize::from(matches!(paid, Some(Ok(_))));
        net.run_for(pause_ms);
    }
    made
}

/// Closes the field and checks what the chain paid out against what each living member holds.
fn close_and_check(net: &mut FieldNet, by: usize) {
    let living: Vec<usize> = (0..net.places.len()).filter(|at| net.view(*at).is_some()).collect();
    let end = net.now.after(Duration::from_millis(CLOSED));
    while !living.iter().all(|at| net.phase(*at) == Some(Phase::Closed)) {
        assert!(net.now < end, "not closed: {net:?}");
        // A process that died has forgotten that it was asked.
        net.close(by);
        net.run_for(500);
    }
    let (best, enforced) = (net.chain.best(), net.chain.enforced.clone().unwrap());
    let rounds: Vec<u32> = living.iter().map(|at| net.view(*at).unwrap().round).collect();
    assert_eq!(rounds.iter().max(), Some(&best), "{rounds:?}: what was enforced is the newest");
    for at in living {
        assert!(net.view(at).unwrap().round < best || net.balances(at) == enforced);
    }
    check_accounts(net, &enforced);
}

/// Each account has what states say, to the unit, and whoever posted or asked was paid out of a bond.
fn check_accounts(net: &FieldNet, enforced: &[u128]) {
    let mut has = vec![(DEPOSIT + 10 * BOND) as i128; net.places.len()];
    let mut add = |balances: &mut dyn Iterator<Item = i128>| {
        has.iter_mut().zip(balances).for_each(|(has, units)| *has += units);
    };
    let units = |amount: &Amount| amount.units() as i128;
    let mut disputed = 0;
    for (_, _, act) in &net.chain.done {
        match act {
            FieldAct::Open { terms, .. } => {
                add(&mut terms.members.iter().map(|member| -units(&member.deposit)));
            }
            FieldAct::Amend { amendment, .. } => {
                add(&mut amendment.last.balances.iter().map(units));
                add(&mut amendment.members.iter().map(|member| -units(&member.deposit)));
            }
            FieldAct::Post(sealed) => disputed += 1 + sealed.signatures.len() as u128,
            FieldAct::Challenge { .. } => disputed += 1,
            FieldAct::Close { .. } | FieldAct::SoloClose { .. } | FieldAct::Enforce(_) => {}
        }
    }
    add(&mut enforced.iter().map(|units| *units as i128));
    let moved: Vec<i128> = (0..net.places.len())
        .map(|at| net.chain.account(&net.address(at)) as i128 - has[at])
        .collect();
    assert_eq!(moved.iter().sum::<i128>(), 0, "{moved:?}");
    let gained: u128 = moved.iter().filter(|it| **it > 0).map(|it| it.unsigned_abs()).sum();
    assert!(gained <= disputed, "{moved:?} for acts that cost {disputed}");
}

#[test]
fn a_field_lives_through_loss_disorder_and_slow_disks() {
    let seed = Seed::or(1);
    for round in 0..4 {
        let mut net = FieldNet::open(seed.number() + round, 4, Weather::STORM);
        assert_eq!(pay_around(&mut net, 60, 40), 60);
        net.run_until(CLOSED, |net| net.view(1).is_some_and(|view| view.committed == 60));
        close_and_check(&mut net, 2);
        for at in 0..4 {
            let view = net.view(at).unwrap();
            assert!(view.payments.iter().all(|payment| payment.standing == Standing::Committed));
            assert_eq!((view.committed, view.freeze), (60, None));
        }
    }
}

/// A0.6: a process that dies at any of its writes, before or after it is durable, says nothing that contradicts what it said
/// before, and loses nothing that was committed. What is looked for is in `watch`.
#[test]
fn a_member_or_leader_that_dies_at_any_write_signs_nothing_twice() {
    let seed = Seed::or(2).number();
    let weather = Weather { loss: 5, delay: (1, 30), write: (1, 5) };
    let story = |crash: Option<Crash>| {
        let mut net = FieldNet::new(seed, 3, weather);
        net.crashes.extend(crash);
        net.invite();
        let made = pay_around(&mut net, 12, 60);
        net.run_for(4000);
        // What was not signed yet is forgotten with the process; all else is committed, and seen so by all.
        let forgotten: usize = net.places.iter().map(|place| place.forgotten).sum();
        let whole = (made - forgotten) as u64;
        let is_whole = |net: &FieldNet, at| net.view(at).is_some_and(|it| it.committed == whole);
        net.run_until(CLOSED, |net| (0..3).all(|at| is_whole(net, at)));
        let writes = net.places.iter().map(|place| place.writes).collect();
        close_and_check(&mut net, 1);
        assert!((0..3).all(|at| is_whole(&net, at)), "no more, and no less: {net:?}");
        (made, forgotten, writes)
    };
    let (made, forgotten, writes): (usize, usize, Vec<u64>) = story(None);
    assert_eq!((made, forgotten), (12, 0));
    let mut all_forgotten = 0;
    for (member, writes) in writes.into_iter().enumerate() {
        assert!(writes > 8, "member {member} wrote {writes} times");
        for write in 0..writes {
            for is_durable in [false, true] {
                let (_, forgotten, _) = story(Some(Crash { member, write, is_durable }));
                all_forgotten += forgotten;
            }
        }
    }
    assert!(all_forgotten > 0, "some died with what they had not written");
}

/// A6.14: a next version, with a process that dies at any write of it: all go on in it, and nothing is signed twice.
#[test]
fn a_member_that_dies_at_any_write_of_a_next_version_goes_on_in_it() {
    let seed = Seed::or(13).number();
    let weather = Weather { loss: 5, delay: (1, 30), write: (1, 5) };
    let story = |crash: Option<Crash>| {
        let mut net = FieldNet::open(seed, 3, weather);
        pay_around(&mut net, 3, 60);
        net.run_for(3000);
        let before: Vec<u64> = net.places.iter().map(|place| place.writes).collect();
        let crash = crash.map(|it| Crash { write: before[it.member] + it.write, ..it });
        net.crashes.extend(crash);
        let end = net.now.after(Duration::from_secs(40));
        while !(0..3).all(|at| net.view(at).is_some_and(|view| view.version == 1)) {
            assert!(net.now < end, "no next version");
            net.amend(|members| {
                let more = Amount::from_units(500);
                members[1].deposit = members[1].deposit.checked_add(more).unwrap();
            });
            net.run_for(100);
        }
        let after = net.places.iter().zip(before).map(|(place, before)| place.writes - before);
        let writes: Vec<u64> = after.collect();
        pay_around(&mut net, 3, 60);
        net.run_for(3000);
        assert!(net.view(0).unwrap().round >= 2, "rounds count on");
        close_and_check(&mut net, 1);
        writes
    };
    for (member, writes) in story(None).into_iter().enumerate() {
        assert!(writes >= 2, "member {member} wrote {writes} times");
        for write in 0..writes {
            for is_durable in [false, true] {
                story(Some(Crash { member, write, is_durable }));
            }
        }
    }
}

#[test]
fn storms_with_many_crashes_end_in_agreement() {
    let seed = Seed::or(3).number();
    for run in 0..6 {
        let mut dice = Dice::new(seed + run);
        let members = 2 + run as usize % 4;
        let mut net = FieldNet::open(seed + run, members, Weather::STORM);
        for member in 0..members {
            let writes = net.places[member].writes;
            for _ in 0..3 {
                let write = writes + dice.below(40);
                net.crashes.push(Crash { member, write, is_durable: dice.chance(50) });
            }
        }
        pay_around(&mut net, 50, 60);
        net.run_for(20_000);
        for at in 0..members {
            assert_eq!(net.view(at).and_then(|view| view.freeze), None, "run {run}");
        }
        close_and_check(&mut net, run as usize % members);
    }
}

/// Case 23: two states of one round, each signed by some: neither is enforceable, and what was sequenced in it is void.
#[test]
fn a_leader_that_shows_two_states_and_stops_gets_neither_and_nobody_loses_what_was_committed() {
    let mut net = FieldNet::open(Seed::or(4).number(), 4, Weather::CALM);
    let leader = net.leader();
    let key = net.places[leader].key.clone();
    net.places[leader].foe = Some(Box::new(TwoFaced::new(key, CHAIN, 2, vec![3])));
    for _ in 0..5 {
        net.pay(1, 2, 10).unwrap().unwrap();
    }
    net.run_until(10_000, |net| (1..4).all(|at| net.view(at).unwrap().round == 1));
    for _ in 0..3 {
        net.pay(2, 1, 7).unwrap().unwrap();
    }
    net.run_for(3000);
    let signed = (1..4).filter(|at| net.view(*at).unwrap().members[*at].has_signed).count();
    assert_eq!(signed, 3, "each has signed one of the two");
    net.kill(leader);
    net.run_until(CLOSED, |net| (1..4).all(|at| net.phase(at) == Some(Phase::Closed)));
    let state = net.chain.state().unwrap();
    assert_eq!((state.annulled, state.best.round), (Some(2), 1), "the close pays r-1 exactly");
    let deposit = DEPOSIT;
    assert_eq!(net.balances(3), [deposit + 1, deposit - 50, deposit + 50, deposit]);
    let shown: Vec<Standing> =
        net.view(1).unwrap().payments.iter().map(|payment| payment.standing).collect();
    assert_eq!(shown[..5], [Standing::Committed; 5]);
    assert_eq!(shown[5..], [Standing::Void; 3]);
    assert!(
        net.chain.account(&net.address(leader)) < 10 * BOND + deposit + 1,
        "it pays for the asking"
    );
}

/// A6.10: a leader that leaves out a payment for which it gave a receipt gets no signature of those who hold it.
#[test]
fn a_round_without_a_payment_that_has_a_receipt_is_not_signed_by_who_holds_it() {
    let mut net = FieldNet::open(Seed::or(5).number(), 3, Weather::CALM);
    let leader = net.leader();
    let key = net.places[leader].key.clone();
    net.places[leader].foe = Some(Box::new(TwoFaced::new(key, CHAIN, 1, vec![1, 2])));
    net.pay(1, 2, 10).unwrap().unwrap();
    net.pay(1, 2, 10).unwrap().unwrap();
    net.run_for(3000);
    for at in 1..3 {
        let codes: Vec<_> = net.places[at].faults.iter().map(|fault| fault.code()).collect();
        assert!(codes.contains(&"member/missing-receipt"), "{codes:?}");
        assert!(!net.view(at).unwrap().members[at].has_signed);
    }
    close_and_check(&mut net, 1);
    assert_eq!(net.chain.best(), 0);
}

/// A6.15: what all have signed is everybody's: a leader cannot keep it to itself, nor take it along when it dies.
#[test]
fn a_leader_that_keeps_the_signatures_or_dies_in_mid_round_costs_nobody_a_committed_payment() {
    let mut net = FieldNet::open(Seed::or(6).number(), 3, Weather::CALM);
    let leader = net.leader();
    net.places[leader].foe = Some(Box::new(Hoarder { round: 2 }));
    net.pay(1, 2, 10).unwrap().unwrap();
    net.run_until(10_000, |net| (1..3).all(|at| net.view(at).unwrap().round == 1));
    net.pay(1, 2, 20).unwrap().unwrap();
    net.run_until(20_000, |net| (1..3).all(|at| net.view(at).unwrap().round == 2));
    net.pay(2, 1, 5).unwrap().unwrap();
    net.run_for(100);
    net.kill(leader);
    assert_eq!(net.view(1).unwrap().payments.last().unwrap().standing, Standing::Sequenced);
    close_and_check(&mut net, 1);
    assert_eq!(net.chain.best(), 2);
    let deposit = DEPOSIT;
    assert_eq!(net.balances(2), [deposit + 1, deposit - 30, deposit + 30]);
    assert_eq!(net.view(1).unwrap().payments.last().unwrap().standing, Standing::Void);
}

/// Case 24: a stale close, then states in between dribbled one by one: the newest is enforced, in bounded time.
#[test]
fn a_stale_close_and_dribbled_states_end_with_the_newest() {
    let mut net = FieldNet::open(Seed::or(7).number(), 3, Weather::CALM);
    let states: Rc<RefCell<Vec<SealedState>>> = Rc::default();
    net.places[0].foe = Some(Box::new(Tap(Rc::clone(&states))));
    for round in 1..=7 {
        net.pay(1, 2, 10).unwrap().unwrap();
        net.run_until(10_000, |net| (0..3).all(|at| net.view(at).unwrap().round == round));
    }
    let of = |round: u32| {
        let states = states.borrow();
        Box::new(states.iter().find(|sealed| sealed.state.round == round).unwrap().clone())
    };
    let (field, began) = (net.field, net.chain.height);
    // The honest are away, as long as the stale close stands.
    net.places[0].is_cut = true;
    net.chain.censored = |act| matches!(act, FieldAct::Post(sealed) if sealed.state.round == 7);
    net.submit(1, FieldAct::SoloClose { field, state: Some(of(3)) });
    net.run_for(2000);
    for round in 4..=6 {
        net.submit(1, FieldAct::Post(of(round)));
        net.run_for(2000);
        assert_eq!(net.chain.best(), round);
    }
    net.chain.censored = |_| false;
    net.run_until(CLOSED, |net| net.phase(2) == Some(Phase::Closed));
    assert_eq!(net.chain.best(), 7);
    let margin = net.chain.margin;
    let bound = net.chain.rules.min_dispute + 4 * margin + margin;
    assert!(net.chain.height.0 <= began.0 + bound + 4, "bounded");
    assert!(!net.places[2].warnings.is_empty(), "its user was warned");
    assert!(net.chain.account(&net.address(1)) < DEPOSIT + 10 * BOND - 70, "the closer pays");
}

/// Case 25: a member that signs nothing, asks the chain for what does not exist, and goes.
#[test]
fn a_member_that_grieves_pays_for_it_and_the_others_are_paid_in_time() {
    let mut net = FieldNet::open(Seed::or(8).number(), 4, Weather::CALM);
    net.pay(1, 2, 10).unwrap().unwrap();
    net.run_until(10_000, |net| (0..4).all(|at| net.view(at).unwrap().round == 1));
    net.places[3].foe = Some(Box::new(Griefer { round: 2 }));
    let field = net.field;
    net.submit(3, FieldAct::Challenge { field, round: 1 });
    net.run_for(3000);
    assert_eq!(net.chain.state().unwrap().challenge, None, "answered");
    let griefer = net.address(3);
    // Its bond pays for the answer with four signatures, to whoever brought it: perhaps its own machine.
    let answers = net.chain.done.iter().filter(|(_, _, act)| matches!(act, FieldAct::Post(_)));
    let by: Vec<Address> = answers.map(|(_, by, _)| *by).collect();
    let cost = if by == [griefer] { 0 } else { 5 };
    assert_eq!((by.len(), net.chain.account(&griefer)), (1, 10 * BOND - cost));
    net.pay(1, 2, 20).unwrap().unwrap();
    net.run_for(2500);
    net.kill(3);
    let began = net.chain.height;
    net.close(1);
    net.run_until(CLOSED, |net| (0..3).all(|at| net.phase(at) == Some(Phase::Closed)));
    let margin = net.chain.margin;
    let patience = 4 * margin + net.chain.rules.min_response;
    let bound = patience + net.chain.rules.min_dispute + 5 * margin;
    assert!(net.chain.height.0 <= began.0 + bound + 8, "within T_disp and the extensions");
    assert_eq!(net.chain.best(), 1);
    assert_eq!(net.balances(2)[2], DEPOSIT + 10);
    // The leader is not punished: it showed what it had, or nobody asked.
    let leader = net.address(net.leader());
    assert!(net.chain.account(&leader) >= 10 * BOND - BOND + DEPOSIT);
}

/// A6.9, A0.7: everything that a member must not say is refused by name, and the others go on.
#[test]
fn a_member_that_forges_everything_is_refused_by_name_and_changes_nothing() {
    let mut net = FieldNet::open(Seed::or(9).number(), 3, Weather::CALM);
    let key = net.places[2].key.clone();
    net.places[2].foe = Some(Box::new(Forger { key, place: 2, chain: CHAIN }));
    for _ in 0..6 {
        net.pay(2, 1, 10).unwrap().unwrap();
        net.pay(1, 0, 3).unwrap().unwrap();
        net.run_for(1500);
    }
    net.run_until(CLOSED, |net| net.view(1).unwrap().committed == 12);
    assert_eq!(net.balances(1)[1], DEPOSIT + 60 - 18);
    let mut codes: Vec<_> = net.places[0].faults.iter().map(|fault| fault.code()).collect();
    codes.sort_unstable();
    codes.dedup();
    for code in [
        "codec/truncated",
        "member/bad-signature",
        "member/conflict",
        "member/no-such-member",
        "member/not-leader",
        "member/nothing-paid",
        "member/overdrawn",
    ] {
        assert!(codes.contains(&code), "{code} is missing of {codes:?}");
    }
    close_and_check(&mut net, 1);
}

/// A0.7: a neighbour that only talks costs a bounded number of checks, and time gives it more.
#[test]
fn a_neighbour_that_spams_is_not_listened_to_until_time_has_passed() {
    let mut net = FieldNet::open(Seed::or(10).number(), 2, Weather::CALM);
    let (spammer, field) = (net.address(1), net.field);
    let letter = Letter::Accept(antiphon_core::crypto::Signature([3; 64]));
    let bytes = Envelope { field, letter }.to_bytes();
    for _ in 0..2000 {
        net.inject(0, spammer, bytes.clone());
        net.inject(0, Address([9; 20]), bytes.clone());
    }
    let count = |net: &FieldNet, code: &str| {
        net.places[0].faults.iter().filter(|fault| fault.code() == code).count()
    };
    assert!(count(&net, "member/bad-signature") <= 256);
    assert!(count(&net, "member/not-member") <= 256);
    assert!(count(&net, "member/too-much") >= 3400);
    net.run_for(10_000);
    net.pay(1, 0, 5).unwrap().unwrap();
    net.run_until(20_000, |net| net.view(1).unwrap().committed == 1);
}

/// A5.13 for fields: a restored backup of another device signs nothing, and its money comes back.
#[test]
fn a_restored_backup_freezes_and_is_paid_by_closing() {
    let mut net = FieldNet::open(Seed::or(11).number(), 2, Weather::CALM);
    let backup = net.places[1].disk.clone();
    net.pay(1, 0, 5).unwrap().unwrap();
    net.run_until(10_000, |net| net.view(1).unwrap().round == 1);
    net.kill(1);
    net.places[1].disk = backup;
    net.revive(1);
    net.run_for(1000);
    net.pay(0, 1, 9).unwrap().unwrap();
    net.run_for(20_000);
    let view = net.view(1).unwrap();
    assert_eq!((view.freeze, view.round), (Some(Freeze::RolledBack), 1));
    assert!(matches!(net.pay(1, 0, 1), Some(Err(PayError::Frozen(_) | PayError::NotOpen))));
    close_and_check(&mut net, 1);
    assert_eq!(net.chain.best(), 1);
}

/// Issue 4: three members, ten thousand payments, closed with balances that an independent sum verifies.
#[test]
fn three_members_make_ten_thousand_payments_and_close_with_verified_balances() {
    const PAYMENTS: usize = 10_000;
    let mut net = FieldNet::open(Seed::or(12).number(), 3, Weather::CALM);
    net.look_every = 256;
    let mut dice = Dice::new(12);
    let mut sums = [DEPOSIT as i128 + 1, DEPOSIT as i128, DEPOSIT as i128];
    let mut made = 0;
    while made < PAYMENTS {
        for _ in 0..60 {
            let (from, step, amount) =
                (dice.below(3) as usize, dice.between((1, 2)), dice.between((1, 9)));
            let to = (from + step as usize) % 3;
            net.pay(from, to, amount.into()).unwrap().unwrap();
            sums[from] -= i128::from(amount);
            sums[to] += i128::from(amount);
            made += 1;
        }
        net.run_for(60);
    }
    net.run_until(CLOSED, |net| net.view(1).unwrap().committed == made as u64);
    close_and_check(&mut net, 2);
    let sums: Vec<u128> = sums.iter().map(|sum| u128::try_from(*sum).unwrap()).collect();
    for at in 0..3 {
        assert_eq!(net.balances(at), sums);
    }
    let (bytes, _) = net.watch.traffic;
    assert!(
        bytes / (made as u64) < 500,
        "{} bytes a payment, all copies of it counted",
        bytes / made as u64
    );
}

/// Keeps every sealed state that its node says.
#[derive(Debug)]
struct Tap(Rc<RefCell<Vec<SealedState>>>);

impl Foe for Tap {
    fn says(&mut self, _: usize, bytes: Vec<u8>) -> Vec<Vec<u8>> {
        if let Ok(Envelope { letter: Letter::Sealed(sealed), .. }) = Envelope::from_bytes(&bytes) {
            self.0.borrow_mut().push(*sealed);
        }
        vec![bytes]
    }
}
