//! States that are sealed when the chain will not take them any more: the one before them stays enforceable. A6.12, A6.15.

use super::{lies::*, *};
use crate::{
    crypto::Signature,
    payment::field::{RoundState, SealedState},
};
use wire::Ordered;

/// A member and its leader, or two: a hundred units are paid in round 1, which is sealed and which the chain does not know.
fn one_round(count: u8) -> Room {
    let mut room = Room::open(count);
    room.pay(0, 1, 100).unwrap();
    room.close_round().unwrap();
    assert_eq!((room.view(1).round, best(&room)), (1, 0));
    room
}

/// The next round: one unit goes on to the member. Its leader is gone from now on, and asks the chain for that round.
fn withheld(room: &mut Room) -> (RoundState, [Ordered; 1]) {
    let items = [payment(room, 0, 1, 1, 0)];
    let state = state(room, &items);
    room.machines[0] = Membership::new(config(&room.keys[0]), []);
    let field = room.field;
    room.execute(0, FieldAct::Challenge { field, round: 2 });
    room.block();
    (state, items)
}

fn best(room: &Room) -> u32 {
    room.escrow.as_ref().unwrap().0.best.round
}

/// Makes blocks up to the last one that may answer, which include nothing that could, nor what the next block may do.
fn until_deadline(room: &mut Room) {
    room.censored =
        |act| matches!(act, FieldAct::Post(_) | FieldAct::Close { .. } | FieldAct::Enforce(_));
    let challenge = room.escrow.as_ref().and_then(|(state, _)| state.challenge).unwrap();
    while room.height < challenge.deadline {
        room.block();
    }
}

fn hear(room: &mut Room, at: usize, state: &RoundState) {
    let signatures: Vec<Signature> = room.keys.iter().map(|key| key.sign(CHAIN, state)).collect();
    let signatures = Bounded::try_from(signatures).unwrap();
    let letter = Letter::Sealed(Box::new(SealedState { state: state.clone(), signatures }));
    let (field, from) = (room.field, room.address(0));
    room.input(at, Input::Heard(from, Envelope { field, letter }.to_bytes()));
}

/// The member is paid what the round before the withheld one says, and shows it so.
fn ends_with_round_1(room: &mut Room) {
    room.censored = |_| false;
    for _ in 0..40 {
        room.block();
    }
    let (field, _) = room.escrow.clone().unwrap();
    assert_eq!((field.annulled, field.best.round), (Some(2), 1), "round 1 was lost");
    let view = room.view(1);
    assert_eq!((view.phase, view.round, view.freeze), (Phase::Closed, 1, None));
    assert_eq!(view.members[1].balance, units(1100));
}

/// With two members the leader's proposal is the last signature that is missing: it comes with the block that ends the time
/// to show it.
#[test]
fn a_round_that_is_proposed_when_it_can_no_longer_be_shown_takes_nothing_away() {
    let mut room = one_round(2);
    let (state, items) = withheld(&mut room);
    until_deadline(&mut room);
    show(&mut room, 1, &state, &items);
    ends_with_round_1(&mut room);
}

/// With more, others keep their votes to themselves until then.
#[test]
fn a_sealed_state_that_comes_when_it_can_no_longer_be_shown_takes_nothing_away() {
    for is_vote in [false, true] {
        let mut room = one_round(3);
        let (state, items) = withheld(&mut room);
        show(&mut room, 1, &state, &items);
        assert_eq!(signed(&room, 1), Some(state.clone()));
        until_deadline(&mut room);
        if is_vote {
            let signature = room.keys[2].sign(CHAIN, &state);
            let letter = Letter::Vote(wire::Vote { round: wire::RoundId::of(&state), signature });
            let (field, from) = (room.field, room.address(2));
            room.input(1, Input::Heard(from, Envelope { field, letter }.to_bytes()));
        } else {
            hear(&mut room, 1, &state);
        }
        assert_eq!(room.view(1).round, 1, "the chain would not take it any more");
        ends_with_round_1(&mut room);
    }
}

/// What comes in time may still not get to the chain in time: all posts are censored, and the process dies in between.
#[test]
fn a_round_that_is_annulled_after_it_was_sealed_leaves_the_one_before() {
    for restarts in [false, true] {
        let mut room = one_round(2);
        let (state, items) = withheld(&mut room);
        room.censored = |act| matches!(act, FieldAct::Post(_));
        show(&mut room, 1, &state, &items);
        assert_eq!(room.view(1).round, 2, "there was time to show it");
        until_deadline(&mut room);
        room.block();
        if restarts {
            room.restart(1);
        }
        assert_eq!(room.view(1).round, 1);
        room.censored = |_| false;
        assert_eq!(room.standings(1), [Standing::Committed, Standing::Void]);
        assert_eq!(room.view(1).members[1].balance, units(1100));
        if restarts {
            room.restart(1);
            assert_eq!(room.standings(1), [Standing::Committed, Standing::Void]);
        }
        ends_with_round_1(&mut room);
    }
}

/// What was stored and only then found late is money neither before a restart nor after it, whatever has been proven by then.
#[test]
fn a_state_that_was_stored_too_late_is_not_shown_as_money_after_a_restart() {
    let mut room = one_round(2);
    let (state, items) = withheld(&mut room);
    room.stuck = vec![(1, "sealed")];
    show(&mut room, 1, &state, &items);
    until_deadline(&mut room);
    let seat = room.machines[1].seats.get(&room.field).unwrap();
    let (sealed, row) = seat.voting.as_ref().unwrap().sealing.clone().unwrap();
    let record =
        record::SealedRecord { device: DeviceId([5; 16]), terms: seat.terms.clone(), sealed };
    let name = record::Row::Sealed(row).name(&room.field);
    room.disks[1].insert(name, crate::codec::encode(&record));
    room.stuck = Vec::new();
    let shows_round_1 = |room: &Room| {
        let view = room.view(1);
        assert_eq!((view.round, view.members[1].balance, view.committed), (1, units(1100), 1));
        assert_eq!(room.standings(1), [Standing::Committed, Standing::Sequenced]);
    };
    room.machines[1] = restart(&room.keys[1], &room.disks[1]);
    shows_round_1(&room);
    room.restart(1);
    shows_round_1(&room);
    assert_eq!(room.pay(1, 0, 1101), Err(PayError::TooLittle), "a unit of it came too late");
    ends_with_round_1(&mut room);
}

/// What was read back and can be shown, or is known to the chain, is money again with the first proof, and payments go on.
#[test]
fn a_state_that_was_stored_in_time_is_money_again_with_the_first_proof() {
    let mut room = one_round(3);
    room.pay(0, 1, 1).unwrap();
    room.close_round().unwrap();
    for at in 0..3 {
        room.machines[at] = restart(&room.keys[at], &room.disks[at]);
        assert_eq!((room.view(at).round, room.view(at).phase), (1, Phase::Joining));
    }
    for at in 0..3 {
        room.restart(at);
        assert_eq!((room.view(at).round, room.view(at).freeze), (2, None));
    }
    assert_eq!(room.standings(1), [Standing::Committed; 2]);
    room.pay(1, 2, 1101).unwrap();
    room.close_round().unwrap();
    assert_eq!(room.balances(2), [900, 0, 2101]);
}

/// What is sealed on top of a round that may be annulled is annulled with it: neither takes the place of the one before both.
#[test]
fn two_rounds_that_are_annulled_together_leave_the_one_before_both() {
    let mut room = one_round(3);
    let field = room.field;
    room.execute(2, FieldAct::Challenge { field, round: 2 });
    room.censored = |act| matches!(act, FieldAct::Post(_));
    room.block();
    for round in 2..=3 {
        room.pay(0, 1, 1).unwrap();
        room.close_round().unwrap();
        assert_eq!(room.view(1).round, round);
    }
    until_deadline(&mut room);
    room.block();
    for _ in 0..2 {
        assert_eq!(room.standings(1), [Standing::Committed, Standing::Void, Standing::Void]);
        assert_eq!((room.view(1).round, room.view(1).members[1].balance), (1, units(1100)));
        room.restart(1);
    }
    room.censored = |_| false;
    ends_with_round_1(&mut room);
}

/// Nothing is known of the chain after a start: a state that comes before the first proof waits for it.
#[test]
fn a_sealed_state_that_comes_before_the_first_proof_after_a_start_takes_nothing_away() {
    let mut room = one_round(3);
    let (state, items) = withheld(&mut room);
    show(&mut room, 1, &state, &items);
    until_deadline(&mut room);
    for _ in 0..2 {
        room.height = room.height.plus(1);
    }
    room.machines[1] = restart(&room.keys[1], &room.disks[1]);
    let tip = room.height;
    for _ in 0..2 {
        hear(&mut room, 1, &state);
        room.input(1, Input::Tip(tip));
    }
    ends_with_round_1(&mut room);
}

/// Where the first proof shows that nothing was annulled, what came before it is taken then.
#[test]
fn a_sealed_state_that_comes_before_the_first_proof_is_committed_with_it() {
    let mut room = one_round(3);
    let items = [payment(&room, 0, 1, 1, 0)];
    let state = state(&room, &items);
    show(&mut room, 1, &state, &items);
    room.machines[1] = restart(&room.keys[1], &room.disks[1]);
    hear(&mut room, 1, &state);
    assert_eq!(room.view(1).round, 0, "nothing is proven since the start");
    room.block();
    assert_eq!((room.view(1).round, room.view(1).freeze), (2, None));
    room.restart(1);
    assert_eq!(room.balances(1), [900, 1101, 1000]);
}

/// A chain of which nothing was heard for as long as an answer may take may have annulled anything.
#[test]
fn nothing_is_committed_on_proofs_that_are_too_old() {
    let mut room = one_round(2);
    let items = [payment(&room, 0, 1, 1, 0)];
    let state = state(&room, &items);
    let tip = room.height.plus(rules().min_response);
    room.input(1, Input::Tip(tip));
    show(&mut room, 1, &state, &items);
    assert_eq!(room.view(1).round, 1);
    room.height = tip;
    room.block();
    assert_eq!(room.view(1).round, 2);
}

/// A final state that came too late ends nothing: the field is closed with the one before.
#[test]
fn a_final_state_that_is_annulled_leaves_the_one_before() {
    let mut room = one_round(2);
    let (mut state, items) = withheld(&mut room);
    state.is_final = true;
    room.censored = |act| matches!(act, FieldAct::Post(_) | FieldAct::Close { .. });
    show(&mut room, 1, &state, &items);
    assert_eq!(room.view(1).round, 2);
    until_deadline(&mut room);
    room.block();
    room.censored = |_| false;
    ends_with_round_1(&mut room);
}

/// The leader said what it had, so the field goes on with the state before, in the next version: also after restarts.
#[test]
fn an_amendment_goes_on_from_the_state_before_one_that_was_annulled() {
    let mut room = one_round(3);
    let (before, disks) = (room.escrow.clone(), room.disks.clone());
    room.pay(0, 1, 1).unwrap();
    room.close_round().unwrap();
    for at in 0..3 {
        assert_eq!(room.view(at).round, 2);
    }
    let field = room.field;
    room.escrow = before;
    room.execute(2, FieldAct::Challenge { field, round: 2 });
    // The leader shows round 1, and everybody's round 2 is censored.
    let one = restart(&room.keys[0], &disks[0]).sealed(field).unwrap();
    room.execute(0, FieldAct::Post(Box::new(one)));
    room.censored = |act| matches!(act, FieldAct::Post(_));
    until_deadline(&mut room);
    room.block();
    room.censored = |_| false;
    for at in 0..3 {
        assert_eq!((room.view(at).round, room.view(at).phase), (1, Phase::Halted), "{at}");
        // Member 2 was paid nothing, and paid nothing.
        let shown = (at < 2).then_some(&Standing::Void);
        assert_eq!(room.standings(at).last(), shown, "{at}");
    }
    let members = [(0, 901), (1, 1100), (2, 1000)].map(|(at, deposit): (usize, u128)| Member {
        key: room.keys[at].public(),
        deposit: units(deposit),
    });
    let until = room.height.plus(40);
    room.command(0, |machine, now, out| {
        machine.amend(now, field, (members.to_vec(), until), out).unwrap();
    });
    for at in 1..3 {
        room.restart(at);
        // The leader has repeated its question before, so it waits longer each time.
        room.pass(5000);
        room.command(at, |machine, now, out| machine.accept(now, field, out).unwrap());
        room.restart(at);
        assert_eq!((room.view(at).round, room.view(at).freeze), (1, None));
        // It can still be shown: its row has all signatures. Once all have accepted, the chain begins the next version.
        let shown = room.machines[at].sealed(field).map(|sealed| sealed.state.round);
        assert_eq!(shown, (at == 1).then_some(1));
        room.pass(600);
    }
    room.block();
    for at in 0..3 {
        room.restart(at);
        assert_eq!((room.view(at).version, room.view(at).freeze), (1, None));
    }
    room.pay(1, 2, 9).unwrap();
    // Who has most leads from now on.
    room.command(1, |machine, now, out| machine.close_round(now, field, out).unwrap());
    for at in 0..3 {
        room.restart(at);
        assert_eq!(room.balances(at), [901, 1091, 1009]);
        assert_eq!(room.view(at).round, 2);
    }
    room.command(0, |machine, now, out| machine.close(now, field, out).unwrap());
    room.block();
    assert_eq!(room.view(1).phase, Phase::Closed);
    room.command(1, |machine, _, out| machine.forget(field, out).unwrap());
    assert_eq!(room.disks[1].len(), 0);
}

/// How long a round has been waited for is not known after a start: the wait begins anew.
#[test]
fn a_member_that_starts_again_waits_before_it_challenges() {
    let mut room = Room::open(3);
    let items = [payment(&room, 0, 1, 1, 0)];
    let state = state(&room, &items);
    show(&mut room, 1, &state, &items);
    let patience = room.machines[1].policy.challenge_after;
    for _ in 1..patience {
        room.block();
    }
    room.restart(1);
    let is_asked =
        |room: &Room| room.acts.iter().any(|act| matches!(act, FieldAct::Challenge { .. }));
    for _ in 1..patience {
        room.block();
        assert!(!is_asked(&room), "the others may answer at once");
    }
    room.block();
    assert!(is_asked(&room));
}
