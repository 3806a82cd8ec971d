//! To which state a member goes back when the chain has annulled more than the newest. A6.12.

use super::*;
use crate::payment::field::SealedState;

/// Makes blocks until the challenge has run out; nothing of what could answer it is included.
fn runs_out(room: &mut Room) {
    room.censored =
        |act| matches!(act, FieldAct::Post(_) | FieldAct::Close { .. } | FieldAct::Enforce(_));
    let challenge = room.escrow.as_ref().and_then(|(state, _)| state.challenge).unwrap();
    while room.height <= challenge.deadline {
        room.block();
    }
}

fn seal_two(room: &mut Room) -> [SealedState; 2] {
    [5, 6].map(|amount| {
        room.pay(0, 1, amount).unwrap();
        room.close_round().unwrap();
        room.machines[0].sealed(room.field).unwrap()
    })
}

/// Both sealed rounds are void, the one before the newest, too: what is left is the one that the chain has.
#[test]
fn two_sealed_rounds_that_are_both_annulled_leave_what_the_chain_has() {
    let mut room = Room::open(3);
    seal_two(&mut room);
    let field = room.field;
    room.execute(2, FieldAct::Challenge { field, round: 1 });
    runs_out(&mut room);
    for at in 0..2 {
        assert_eq!((room.view(at).round, room.view(at).freeze), (0, None));
        assert_eq!(room.standings(at), [Standing::Void; 2]);
        assert_eq!(room.view(at).members[1].balance, units(1000));
    }
}

/// Rows of before both rounds cannot tell what led to the first; it is the one to close with all the same.
#[test]
fn a_member_that_cannot_recompute_the_state_that_is_left_still_takes_it() {
    let mut room = Room::open(3);
    let backup = room.disks[1].clone();
    let [one, two] = seal_two(&mut room);
    let (field, from) = (room.field, room.address(0));
    room.execute(2, FieldAct::Challenge { field, round: 2 });
    room.execute(0, FieldAct::Post(Box::new(one)));
    room.disks[1] = backup;
    room.restart(1);
    let letter = Letter::Sealed(Box::new(two));
    room.input(1, Input::Heard(from, Envelope { field, letter }.to_bytes()));
    assert_eq!((room.view(1).round, room.view(1).freeze), (2, Some(Freeze::RolledBack)));
    runs_out(&mut room);
    assert_eq!(room.view(1).round, 1);
    assert_eq!(room.view(1).members[1].balance, units(1005));
}
