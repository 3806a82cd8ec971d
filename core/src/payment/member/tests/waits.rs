//! When a member wants to be woken, and what it says then. A0.8.

use super::{
    lies::{payment, show, state},
    refused::proposal,
    *,
};

/// Lets a member tick when it wants to. Returns what it says, and to whom, and does none of it.
fn ticks(room: &mut Room, at: usize) -> Vec<(Address, Letter)> {
    let due = room.machines[at].deadline().unwrap();
    room.now = due.max(room.now);
    does(room, at, Input::Tick)
}

fn does(room: &mut Room, at: usize, input: Input) -> Vec<(Address, Letter)> {
    let mut out = Vec::new();
    room.machines[at].handle(room.now, input, &mut out);
    let mut said = Vec::new();
    for output in out {
        if let Output::Send(to, bytes) = output {
            said.push((to, Envelope::from_bytes(&bytes).unwrap().letter));
        }
    }
    said
}

fn wakes(room: &Room) -> Vec<bool> {
    room.machines.iter().map(|machine| machine.deadline().is_some()).collect()
}

fn close(room: &mut Room, at: usize) {
    let field = room.field;
    room.command(at, |machine, now, out| machine.close(now, field, out).unwrap());
}

/// A phone sleeps while nothing is missing.
#[test]
fn nobody_is_woken_while_nothing_is_waited_for() {
    let mut room = Room::open(3);
    assert_eq!(wakes(&room), [false; 3]);
    for at in 0..3 {
        room.restart(at);
    }
    assert_eq!(wakes(&room), [false; 3], "nor after a start");
    room.pay(1, 2, 5).unwrap();
    assert_eq!(wakes(&room), [true, false, false], "only the leader's round ends some time");
    room.close_round().unwrap();
    assert_eq!(wakes(&room), [false; 3]);
    room.cut = vec![(1, 0)];
    room.pay(1, 2, 5).unwrap();
    assert_eq!(wakes(&room), [false, true, false], "its receipt is missing");
    let mut room = Room::open(3);
    room.cut = vec![(1, 0)];
    close(&mut room, 1);
    assert_eq!(wakes(&room), [false, true, false], "its wish is not answered");
}

/// What a member waits for is said again to the leader, and from the third time on a vote to all.
#[test]
fn a_vote_is_repeated_to_the_leader_and_later_to_all() {
    let mut room = Room::open(3);
    let items = [payment(&room, 0, 1, 5, 0)];
    let state = state(&room, &items);
    show(&mut room, 2, &state, &items);
    let leader = room.address(0);
    for number in 0..4 {
        let said = ticks(&mut room, 2);
        assert!(said.iter().all(|(_, letter)| matches!(letter, Letter::Vote(_))));
        let to: Vec<Address> = said.iter().map(|(to, _)| *to).collect();
        if number < 2 {
            assert_eq!(to, [leader]);
        } else {
            assert_eq!(to.len(), 2, "{number}");
        }
    }
}

#[test]
fn a_wish_to_close_is_repeated_and_said_at_once_when_the_leader_can_be_reached_again() {
    let mut room = Room::open(3);
    room.cut = vec![(1, 0)];
    close(&mut room, 1);
    let is_wish = |said: &[(Address, Letter)]| matches!(said, [(_, Letter::Close(_))]);
    assert!(is_wish(&ticks(&mut room, 1)));
    let (leader, other) = (room.address(0), room.address(2));
    assert_eq!(does(&mut room, 1, Input::Came(other)), []);
    assert!(is_wish(&does(&mut room, 1, Input::Came(leader))));
    room.machines[1].seats.get_mut(&room.field).unwrap().freeze = Some(Freeze::RolledBack);
    assert_eq!(does(&mut room, 1, Input::Came(leader)), [], "what is frozen says nothing");
}

/// A leader that leads an open field invites nobody, and wishes nothing of itself.
#[test]
fn a_leader_repeats_its_proposal_and_nothing_else() {
    let mut room = Room::open(3);
    room.pay(1, 2, 5).unwrap();
    room.cut = vec![(0, 1), (0, 2)];
    close(&mut room, 0);
    let said = ticks(&mut room, 0);
    assert_eq!(said.len(), 2);
    assert!(said.iter().all(|(_, letter)| matches!(letter, Letter::Propose(_))));
    let member = room.address(2);
    let said = does(&mut room, 0, Input::Came(member));
    assert!(said.iter().all(|(_, letter)| matches!(letter, Letter::Propose(_))));
    assert_eq!(said.len(), 2);
    // After a start it does not know who has signed the terms, and need not.
    room.restart(0);
    let said = ticks(&mut room, 0);
    assert!(said.iter().all(|(_, letter)| matches!(letter, Letter::Propose(_))));
}

/// A seal that comes twice while it is being written is written once.
#[test]
fn a_sealed_state_is_stored_once() {
    let mut room = Room::open(3);
    room.stuck = vec![(1, "sealed")];
    room.pay(1, 2, 5).unwrap();
    room.close_round().unwrap();
    assert_eq!((room.view(0).round, room.view(1).round), (1, 0));
    let sealed = room.machines[0].sealed(room.field).unwrap();
    let (field, from, letter) = (room.field, room.address(0), Letter::Sealed(Box::new(sealed)));
    let mut out = Vec::new();
    let heard = Input::Heard(from, Envelope { field, letter }.to_bytes());
    room.machines[1].handle(room.now, heard, &mut out);
    assert!(!out.iter().any(|it| matches!(it, Output::Store(..))));
}

/// A payment is shown with the name that the application got, and a change of what is shown is told once.
#[test]
fn a_change_is_told() {
    let mut room = Room::open(3);
    let (field, payee) = (room.field, room.address(2));
    let mut out = Vec::new();
    let paid = (payee, units(5));
    let id = room.machines[1].pay(room.now, field, paid, &mut out).unwrap();
    assert_eq!(out.iter().filter(|it| **it == Output::Changed).count(), 1);
    assert_eq!(room.view(1).payments[0].id, Some(id));
    let letter = proposal(&room, 0, &state(&room, &[payment(&room, 0, 1, 5, 0)]));
    let heard = Input::Heard(room.address(0), Envelope { field, letter }.to_bytes());
    does(&mut room, 2, heard);
    assert_eq!(room.view(2).step, RoundStep::Checking);
}

/// Only a field's own writes are forgotten with it.
#[test]
fn what_another_field_writes_goes_on_when_one_is_forgotten() {
    let mut room = Room::open(2);
    let second = FieldTerms { nonce: 8, ..terms(&room.keys) };
    let other = second.id(CHAIN).unwrap();
    let first = room.field;
    room.command(1, |machine, now, out| machine.close(now, first, out).unwrap());
    room.block();
    assert_eq!(room.view(1).phase, Phase::Closed);
    (room.escrow, room.field) = (None, other);
    room.command(0, |machine, now, out| machine.propose(now, second, out).unwrap());
    room.command(1, |machine, now, out| machine.accept(now, other, out).unwrap());
    let (state, _) = room.escrow.clone().unwrap();
    let tip = room.height.plus(1);
    let proof = Proof { state: Some(state), level: Level::Final, height: tip };
    room.input(1, Input::Proven(other, Box::new(proof)));
    let (now, payee) = (room.now, room.address(0));
    let mut out = Vec::new();
    room.machines[1].pay(now, other, (payee, units(5)), &mut out).unwrap();
    let written = out.iter().find_map(|it| match it {
        Output::Store(token, ..) => Some(*token),
        Output::Send(..) | Output::Need(_) | Output::Submit(_) | Output::Changed => None,
        Output::Warn(..) | Output::Fault(..) => None,
    });
    room.machines[1].forget(first, &mut Vec::new()).unwrap();
    let said = does(&mut room, 1, Input::Stored(written.unwrap()));
    assert!(matches!(said[..], [(_, Letter::Pay(_))]));
}

/// What hosts ask of all fields.
#[test]
fn a_membership_knows_its_rows_its_members_and_what_is_newest() {
    let mut room = Room::open(2);
    let field = room.field;
    assert_eq!(room.machines[1].newest(), [], "the chain knows a version's first");
    room.pay(1, 0, 5).unwrap();
    room.close_round().unwrap();
    assert_eq!(room.machines[1].newest(), [(field, (0, 1))]);
    assert!(room.disks[1].keys().all(|name| Membership::owns(name)));
    assert!(!Membership::owns("wallet"));
    assert_eq!(room.machines[1].terms(field), Some(&terms(&room.keys)));
    assert_eq!(room.machines[1].terms(FieldId::default()), None);
    assert_eq!(room.machines[1].key_of(&room.address(0)), Some(room.keys[0].public()));
    assert_eq!(room.machines[1].key_of(&Address([9; 20])), None);
    let rows = room.disks[1].keys().filter(|name| !name.contains("sealed"));
    let damaged: Vec<Row> = rows.map(|name| (name.clone(), Err(row::Damaged))).collect();
    let machine = Membership::new(config(&room.keys[1]), damaged);
    assert_eq!((machine.lost(), machine.view().len()), (&[field][..], 0));
    assert_eq!(room.machines[1].lost(), []);
    room.command(1, |machine, now, out| machine.close(now, field, out).unwrap());
    room.block();
    assert_eq!((room.view(1).phase, room.machines[1].newest()), (Phase::Closed, vec![]));
}
