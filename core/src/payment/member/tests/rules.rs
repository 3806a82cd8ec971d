//! The life of a field, and each rule of it by itself.

use super::*;

#[test]
fn payments_are_pending_then_sequenced_then_committed() {
    let mut table = Room::open(3);
    table.stuck = vec![(0, "")];
    table.pay(1, 2, 10).unwrap();
    assert_eq!(table.standings(1), [Standing::Pending], "the leader's disk has not answered");
    table.stuck.clear();
    table.restart(0);
    table.pass(600);
    assert_eq!(table.standings(1), [Standing::Sequenced]);
    assert_eq!(table.standings(2), [Standing::Sequenced], "the payee has heard of it");
    table.close_round().unwrap();
    for at in 0..3 {
        assert_eq!(table.balances(at), [1001, 990, 1010]);
        assert_eq!(table.view(at).round, 1);
    }
    assert_eq!(table.standings(1), [Standing::Committed]);
    assert_eq!(table.standings(2), [Standing::Committed]);
    assert_eq!(table.faults, []);
}

#[test]
fn many_payments_over_many_rounds_close_with_the_balances_that_all_computed() {
    let mut table = Room::open(3);
    for turn in 0..60_usize {
        table.pay(turn % 3, (turn + 1) % 3, 1 + (turn as u128 % 7)).unwrap();
        if turn % 20 == 19 {
            table.close_round().unwrap();
        }
    }
    let field = table.field;
    table.command(2, |machine, now, out| machine.close(now, field, out).unwrap());
    table.block();
    for at in 0..3 {
        assert_eq!(table.view(at).phase, Phase::Closed);
        assert_eq!(table.view(at).committed, 60);
    }
    let sum: u128 = table.balances(0).iter().sum();
    assert_eq!(sum, 3001);
    assert_eq!(table.faults, []);
}

#[test]
fn nobody_pays_before_the_field_is_proven_far_enough_for_the_money_in_it() {
    let mut table = Room::new(2);
    let terms = terms(&table.keys);
    table.command(0, |machine, now, out| machine.propose(now, terms, out).unwrap());
    let field = table.field;
    table.command(1, |machine, now, out| machine.accept(now, field, out).unwrap());
    assert_eq!(table.pay(1, 0, 1), Err(PayError::NotProven));
    let state = table.escrow.as_ref().map(|(state, _)| state.clone());
    let proof = |level| Proof { state: state.clone(), level, height: Height(11) };
    table.input(1, Input::Proven(field, Box::new(proof(Level::Included))));
    assert_eq!(table.pay(1, 0, 1), Err(PayError::NotProven), "nobody has settled that block");
    table.machines[1].policy.final_above = units(999);
    table.input(1, Input::Proven(field, Box::new(proof(Level::Settled))));
    assert_eq!(table.pay(1, 0, 1), Err(PayError::NotProven), "a thousand units want a final one");
    table.input(1, Input::Proven(field, Box::new(proof(Level::Final))));
    assert!(table.pay(1, 0, 1).is_ok());
}

#[test]
fn a_payment_beyond_what_is_committed_or_allowed_is_refused_and_changes_nothing() {
    let mut table = Room::open(3);
    table.machines[1].policy.in_flight_each = units(300);
    table.machines[1].policy.in_flight = units(500);
    table.pay(0, 1, 900).unwrap();
    let before = table.view(1);
    assert_eq!(table.pay(1, 2, 1001), Err(PayError::TooLittle), "what is sequenced is not spent");
    assert_eq!(table.pay(1, 2, 301), Err(PayError::TooMuchInFlight));
    assert_eq!(table.pay(1, 1, 1), Err(PayError::NoPayee));
    assert_eq!(table.pay(1, 2, 0), Err(PayError::NothingToPay));
    let other = table.field;
    let stranger = Address([9; 20]);
    let paid =
        table.command(1, |machine, now, out| machine.pay(now, other, (stranger, units(1)), out));
    assert_eq!(paid, Err(PayError::NoPayee));
    assert_eq!(table.view(1), before);
    table.pay(1, 2, 300).unwrap();
    assert_eq!(table.pay(1, 2, 1), Err(PayError::TooMuchInFlight), "to one member");
    table.pay(1, 0, 200).unwrap();
    assert_eq!(table.pay(1, 0, 1), Err(PayError::TooMuchInFlight), "in the round");
}

/// A0.6: a payment, a place in the order and a signature of a state are stored before they are spoken.
#[test]
fn nothing_is_said_before_it_is_stored() {
    for silent in 0..2 {
        let mut table = Room::open(2);
        table.stuck = vec![(silent, "")];
        table.pay(1, 0, 5).unwrap();
        let seen_by_leader = table.machines[0].seats.get(&table.field).unwrap().round.len();
        assert_eq!(seen_by_leader == 0, silent == 1, "the payment has left before it was stored");
        assert_eq!(table.standings(1), [Standing::Pending], "a receipt has left");
    }
    // A state is two rows: the payments of its round, and what was signed.
    for row in ["round", "log"] {
        let mut table = Room::open(2);
        table.pay(1, 0, 5).unwrap();
        table.stuck = vec![(1, row)];
        table.close_round().unwrap();
        assert!(!table.view(0).members[1].has_signed, "the vote has left before {row} was stored");
        assert_eq!(table.view(0).round, 0, "the vote has left before {row} was stored");
        let mut table = Room::open(2);
        table.pay(1, 0, 5).unwrap();
        table.stuck = vec![(0, row)];
        table.close_round().unwrap();
        let view = table.view(1);
        assert_eq!((view.step, view.round), (RoundStep::Running, 0), "said before {row}");
    }
    let mut table = Room::open(2);
    table.pay(1, 0, 5).unwrap();
    table.stuck = vec![(1, "sealed")];
    table.close_round().unwrap();
    assert_eq!(table.standings(1), [Standing::Sequenced], "committed before it was stored");
}

#[test]
fn a_state_is_money_only_once_all_signatures_are_stored() {
    let mut table = Room::open(3);
    table.pay(1, 2, 5).unwrap();
    table.cut = vec![(2, 0)];
    table.close_round().unwrap();
    assert_eq!(table.view(1).step, RoundStep::Signed);
    assert_eq!(table.balances(1)[1], 1000);
    assert_eq!(table.pay(1, 2, 5).map(|_| ()), Ok(()), "it waits");
    assert_eq!(table.standings(1), [Standing::Sequenced, Standing::Pending]);
    let seat = table.machines[1].seats.get(&table.field).unwrap();
    assert_eq!(seat.own[1].signature, None, "A6.10: nothing is signed that depends on which");
    table.cut.clear();
    table.pass(600);
    assert_eq!(table.balances(1)[1], 995);
    assert_eq!(table.standings(1), [Standing::Committed, Standing::Sequenced]);
}

/// A leader that dies, or keeps the signatures to itself, cannot keep the members from what all have signed.
#[test]
fn members_seal_a_round_among_themselves_when_the_leader_is_gone() {
    let mut table = Room::open(3);
    table.pay(1, 2, 5).unwrap();
    table.lost = |from, letter| from == 0 && matches!(letter, Letter::Sealed(_));
    table.close_round().unwrap();
    assert_eq!((table.view(0).round, table.view(1).round, table.view(2).round), (1, 0, 0));
    table.cut = vec![(1, 0), (2, 0), (0, 1), (0, 2)];
    table.pass(10_000);
    assert_eq!((table.view(1).round, table.view(2).round), (1, 1));
    assert_eq!(table.balances(2), [1001, 995, 1005]);
}

#[test]
fn what_a_round_did_not_take_is_signed_again_for_the_next_with_its_sequence() {
    let mut table = Room::open(2);
    table.pay(1, 0, 5).unwrap();
    table.cut = vec![(1, 0)];
    table.pay(1, 0, 7).unwrap();
    table.cut.clear();
    table.close_round().unwrap();
    assert_eq!(table.balances(1), [1006, 995]);
    assert_eq!(table.standings(1), [Standing::Committed, Standing::Sequenced]);
    table.close_round().unwrap();
    assert_eq!(table.balances(0), [1013, 988]);
    assert_eq!(table.faults, []);
}

#[test]
fn a_member_that_missed_the_seal_learns_of_it_with_the_next_proposal() {
    let mut table = Room::open(2);
    table.pay(1, 0, 5).unwrap();
    table.cut = vec![(0, 1)];
    table.close_round().unwrap();
    table.cut.clear();
    table.pass(5000);
    assert_eq!(table.view(1).round, 1);
}

#[test]
fn a_member_restarted_at_any_time_goes_on_with_what_it_signed() {
    let mut table = Room::open(3);
    for turn in 0..24_usize {
        let (from, to) = (turn % 3, (turn + 1) % 3);
        table.pay(from, to, 3).unwrap();
        table.restart(turn % 3);
        if turn % 5 == 4 {
            table.restart((turn + 1) % 3);
            table.close_round().unwrap();
            table.restart((turn + 2) % 3);
        }
        table.pass(700);
    }
    table.close_round().unwrap();
    for at in 0..3 {
        assert_eq!(table.view(at).freeze, None);
        assert_eq!(table.view(at).committed, 24);
        assert_eq!(table.balances(at), [1001, 1000, 1000]);
    }
}

#[test]
fn rows_of_another_device_and_damaged_rows_freeze_the_field_and_can_still_close_it() {
    let mut table = Room::open(2);
    table.pay(1, 0, 5).unwrap();
    table.close_round().unwrap();
    table.pay(1, 0, 6).unwrap();
    let disk = table.disks[1].clone();
    for name in disk.keys() {
        let rows = disk.iter().map(|(row, bytes)| {
            let bytes = if row == name { Err(row::Damaged) } else { Ok(bytes.clone()) };
            (row.clone(), bytes)
        });
        let machine = Membership::new(config(&table.keys[1]), rows);
        let view = &machine.view()[0];
        assert_eq!(view.freeze, Some(Freeze::Damaged), "{name}");
        let known = machine.sealed(table.field).map(|sealed| sealed.state.round);
        assert!(known == Some(1) || name.ends_with("sealed"), "{name}");
    }
    let mut other = config(&table.keys[1]);
    other.device = DeviceId([6; 16]);
    let rows = disk.iter().map(|(row, bytes)| (row.clone(), Ok(bytes.clone())));
    table.machines[1] = Membership::new(other, rows);
    table.block();
    let frozen = Freeze::OtherDevice;
    assert_eq!(table.pay(1, 0, 1), Err(PayError::Frozen(frozen)));
    table.close_round().unwrap();
    assert_eq!(table.view(0).round, 1, "a frozen member signs no state");
    let field = table.field;
    table.command(1, |machine, now, out| machine.close(now, field, out).unwrap());
    for _ in 0..60 {
        table.block();
    }
    assert_eq!(table.view(1).phase, Phase::Closed);
    assert_eq!(table.escrow.as_ref().map(|(state, _)| state.best.round), Some(1));
}

/// A restored backup: the others hold a later state with our signature.
#[test]
fn rows_that_are_older_than_what_was_signed_freeze_the_field_once_that_is_heard() {
    let mut table = Room::open(2);
    let old = table.disks[1].clone();
    table.pay(1, 0, 5).unwrap();
    table.close_round().unwrap();
    table.disks[1] = old;
    table.restart(1);
    assert_eq!(table.view(1).round, 0);
    table.pay(0, 1, 2).unwrap();
    table.close_round().unwrap();
    table.pass(2000);
    let sealed = table.machines[0].seats.get(&table.field).unwrap().sealed_state().unwrap();
    let (field, letter) = (table.field, Letter::Sealed(Box::new(sealed)));
    let from = table.address(0);
    table.input(1, Input::Heard(from, Envelope { field, letter }.to_bytes()));
    assert_eq!(table.view(1).freeze, Some(Freeze::RolledBack));
    assert_eq!(table.view(1).round, 1, "it is still good for closing");
    assert_eq!(table.view(0).round, 1, "and nothing was signed twice");
}

#[test]
fn one_key_is_a_member_of_several_fields_and_each_has_its_own_money() {
    let mut table = Room::open(2);
    let second = FieldTerms { nonce: 8, ..terms(&table.keys) };
    let other = second.id(CHAIN).unwrap();
    table.escrow = None;
    table.command(0, |machine, now, out| machine.propose(now, second, out).unwrap());
    table.command(1, |machine, now, out| machine.accept(now, other, out).unwrap());
    let first = core::mem::replace(&mut table.field, other);
    table.block();
    table.pay(1, 0, 1000).unwrap();
    assert_eq!(table.pay(1, 0, 1), Err(PayError::TooLittle));
    table.field = first;
    table.pay(1, 0, 1000).unwrap();
    table.close_round().unwrap();
    table.field = other;
    table.close_round().unwrap();
    assert_eq!(table.balances(0), [2001, 0]);
    table.field = first;
    assert_eq!(table.balances(0), [2001, 0]);
}

#[test]
fn terms_that_are_not_ours_or_that_the_chain_would_refuse_are_not_signed() {
    let mut table = Room::new(3);
    let good = terms(&table.keys);
    let propose = |table: &mut Room, at: usize, terms: FieldTerms| {
        table.command(at, |machine, now, out| machine.propose(now, terms, out))
    };
    assert_eq!(propose(&mut table, 1, good.clone()), Err(JoinError::NotLeader));
    let short = FieldTerms { dispute: 1, ..good.clone() };
    assert!(matches!(propose(&mut table, 0, short), Err(JoinError::Terms(_))));
    propose(&mut table, 0, good.clone()).unwrap();
    assert_eq!(propose(&mut table, 0, good), Err(JoinError::Exists));
    let field = table.field;
    assert_eq!(table.view(1).phase, Phase::Invited);
    assert_eq!(table.disks[1].len(), 0, "an invitation is not stored");
    table.command(1, |machine, _, out| machine.decline(field, out));
    let accepted = table.command(1, |machine, now, out| machine.accept(now, field, out));
    assert_eq!(accepted, Err(JoinError::NotInvited));
    assert!(table.escrow.is_none());
    table.pass(600);
    assert_eq!(table.view(1).phase, Phase::Invited, "the leader repeats it");
}

#[test]
fn a_field_is_forgotten_only_when_its_money_is_free() {
    let mut table = Room::open(2);
    let field = table.field;
    let forget = |table: &mut Room| table.command(1, |machine, _, out| machine.forget(field, out));
    assert_eq!(forget(&mut table), Err(CloseError::Nothing));
    table.pay(0, 1, 3).unwrap();
    table.close_round().unwrap();
    table.command(1, |machine, now, out| machine.close(now, field, out).unwrap());
    table.block();
    assert_eq!(forget(&mut table), Ok(()));
    assert_eq!(table.disks[1].len(), 0, "every row is gone");
    assert!(table.machines[1].view().is_empty());
}

/// After a start nothing is known of the chain, and a tip alone proves nothing.
#[test]
fn rows_of_money_that_may_be_locked_are_not_removed_before_the_chain_proves_that_it_is_not() {
    let forget = |room: &mut Room| {
        let field = room.field;
        room.command(0, |machine, _, out| machine.forget(field, out))
    };
    let mut room = Room::open(2);
    let rows = room.disks[0].clone();
    room.machines[0] = restart(&room.keys[0], &rows);
    room.input(0, Input::Tip(Height(2000)));
    assert_eq!(forget(&mut room), Err(CloseError::Nothing));
    assert_eq!(room.disks[0], rows);
    // What no other has signed is locked nowhere once no block can open it.
    let mut room = Room::new(2);
    let terms = terms(&room.keys);
    room.command(0, |machine, now, out| machine.propose(now, terms, out).unwrap());
    room.input(0, Input::Tip(Height(2000)));
    for (level, height) in [(Level::Included, 1001), (Level::Settled, 1000), (Level::Settled, 1001)]
    {
        assert_eq!(forget(&mut room), Err(CloseError::Nothing));
        let proof = Proof { state: None, level, height: Height(height) };
        let field = room.field;
        room.input(0, Input::Proven(field, Box::new(proof)));
    }
    assert_eq!(forget(&mut room), Ok(()));
    assert_eq!(room.disks[0].len(), 0);
}

#[test]
fn any_payment_of_a_closed_field_is_proven_to_who_believes_the_header() {
    use crate::payment::field::{Climb, escrow};
    let mut table = Room::open(3);
    for round in 1..=3_usize {
        for turn in 0..round * 2 {
            table.pay(turn % 3, (turn + 1) % 3, 1).unwrap();
        }
        table.close_round().unwrap();
    }
    let field = table.field;
    let none = Climb { index: 0, size: 1, siblings: Bounded::new() };
    assert_eq!(table.machines[1].prove(field, (1, 0), none.clone()), None, "not closed yet");
    table.command(1, |machine, now, out| machine.close(now, field, out).unwrap());
    table.block();
    let (state, _) = table.escrow.clone().unwrap();
    let escrow::FieldStatus::Closed { at } = state.status else { panic!("not closed") };
    let root = escrow::field_root(&[state.closed_at(at).unwrap()]);
    for round in 1..=3 {
        for index in 0..round * 2 {
            let proof = table.machines[1].prove(field, (round, index), none.clone()).unwrap();
            assert_eq!(proof.verify(&root), Ok(()), "{round} {index}");
            assert_eq!((proof.payment.body.round, proof.in_round.index), (round, index));
        }
    }
    for nowhere in [(0, 0), (1, 2), (4, 0), (9, 0)] {
        assert_eq!(table.machines[1].prove(field, nowhere, none.clone()), None);
    }
}
