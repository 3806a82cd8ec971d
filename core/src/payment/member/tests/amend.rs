//! The next version of a field: who joins, who leaves, who leads.

use super::*;
use crate::payment::field::{Climb, escrow};

/// Members with these places among the keys, and what each would have.
fn members(room: &Room, of: &[(usize, u128)]) -> Vec<Member> {
    of.iter()
        .map(|(at, deposit)| Member { key: room.keys[*at].public(), deposit: units(*deposit) })
        .collect()
}

fn propose(room: &mut Room, of: &[(usize, u128)], until: u64) -> Result<(), AmendError> {
    let (field, members) = (room.field, members(room, of));
    room.command(0, |machine, now, out| machine.amend(now, field, (members, Height(until)), out))
}

fn accept(room: &mut Room, at: usize) -> Result<(), JoinError> {
    let field = room.field;
    room.command(at, |machine, now, out| machine.accept(now, field, out))
}

/// Members 0 to 2, and 3 who joins for 1, which leaves: from then on 3 leads.
fn amended() -> Room {
    let mut room = Room::open_beside(3, 1);
    room.pay(1, 2, 5).unwrap();
    room.close_round().unwrap();
    propose(&mut room, &[(0, 1001), (2, 1005), (3, 5000)], 50).unwrap();
    assert_eq!(room.view(3).phase, Phase::Invited);
    for at in 1..4 {
        assert!(room.escrow.as_ref().is_some_and(|(state, _)| state.best.version == 0));
        accept(&mut room, at).unwrap();
        room.restart(at);
        room.pass(600);
    }
    assert!(room.escrow.as_ref().is_some_and(|(state, _)| state.best.version == 1));
    room.block();
    room
}

#[test]
fn one_joins_one_leaves_and_another_leads_and_the_rounds_count_on() {
    let mut room = amended();
    assert_eq!(room.view(1).phase, Phase::Left);
    assert_eq!(room.pay(1, 0, 1), Err(PayError::NotOpen));
    for at in [0, 2, 3] {
        room.restart(at);
        let view = room.view(at);
        assert_eq!((view.phase, view.version, view.round), (Phase::Open, 1, 1));
        assert_eq!(view.leader, room.address(3));
        assert_eq!(room.balances(at), [1001, 1005, 5000]);
        assert_eq!((view.freeze, view.amendment), (None, None));
    }
    room.pay(3, 0, 70).unwrap();
    room.pay(0, 2, 7).unwrap();
    assert_eq!(room.standings(0).last(), Some(&Standing::Sequenced));
    let field = room.field;
    room.command(3, |machine, now, out| machine.close_round(now, field, out).unwrap());
    for at in [0, 2, 3] {
        room.restart(at);
        assert_eq!(room.view(at).round, 2);
        assert_eq!(room.balances(at), [1064, 1012, 4930]);
    }
    room.command(2, |machine, now, out| machine.close(now, field, out).unwrap());
    room.block();
    assert_eq!(room.view(0).phase, Phase::Closed);
    assert_eq!(room.faults, []);
    let none = Climb { index: 0, size: 1, siblings: Bounded::new() };
    let proofs = [(1, 0), (2, 1)].map(|at| room.machines[0].prove(field, at, none.clone()));
    let (state, _) = room.escrow.clone().unwrap();
    let escrow::FieldStatus::Closed { at } = state.status else { panic!() };
    let root = escrow::field_root(&[state.closed_at(at).unwrap()]);
    for proof in proofs {
        assert_eq!(proof.unwrap().verify(&root), Ok(()), "across versions");
    }
    assert_eq!(room.machines[3].prove(field, (2, 1), none), None, "it does not know round 1");
    let forgotten = room.command(1, |machine, _, out| machine.forget(field, out));
    assert_eq!(forgotten, Ok(()));
    assert_eq!(room.disks[1].len(), 0);
}

/// A6.14: an amendment holds the last state of its version, so who has signed it signs no other until it is decided.
#[test]
fn nothing_else_is_signed_until_an_amendment_is_decided() {
    let mut room = Room::open(3);
    propose(&mut room, &[(0, 1001), (1, 1000), (2, 1500)], 16).unwrap();
    accept(&mut room, 1).unwrap();
    for at in [0, 1] {
        assert!(room.view(at).amendment.is_some_and(|amendment| amendment.is_signed));
        room.restart(at);
        assert!(room.view(at).amendment.is_some_and(|amendment| amendment.is_signed));
    }
    assert!(room.view(2).amendment.is_some_and(|amendment| !amendment.is_signed));
    room.pay(1, 2, 5).unwrap();
    room.pay(0, 2, 5).unwrap();
    room.pass(3000);
    assert_eq!(room.standings(1), [Standing::Pending]);
    assert_eq!(room.close_round(), Err(CloseError::NotOpen));
    assert!(room.machines.iter().all(|machine| {
        let seat = machine.seats.get(&room.field).unwrap();
        seat.own.iter().all(|own| own.signature.is_none()) && seat.round.items().is_empty()
    }));
    while room.height <= Height(16) {
        assert_eq!(room.standings(1), [Standing::Pending]);
        room.block();
    }
    room.pass(3000);
    assert_eq!(room.view(1).amendment, None, "no block can apply it any more");
    assert_eq!(room.view(1).version, 0);
    room.pass(3000);
    assert_eq!(room.balances(2), [996, 995, 1010]);
}

#[test]
fn an_amendment_is_proposed_and_signed_only_at_the_boundary_of_a_round() {
    let mut room = Room::open(3);
    let same = [(0, 1001), (1, 1000), (2, 1000)];
    let field = room.field;
    let (of, until) = (members(&room, &same), Height(50));
    let by = room.command(1, |machine, now, out| machine.amend(now, field, (of, until), out));
    assert_eq!(by, Err(AmendError::NotLeader));
    let unsorted = [(1, 1000), (0, 1001)];
    assert!(matches!(propose(&mut room, &unsorted, 50), Err(AmendError::Terms(_))));
    room.pay(1, 2, 5).unwrap();
    assert_eq!(propose(&mut room, &same, 50), Err(AmendError::NotNow), "a payment has its place");
    room.close_round().unwrap();
    propose(&mut room, &[(0, 1001), (1, 995), (2, 1005)], 50).unwrap();
    assert_eq!(propose(&mut room, &same, 50), Err(AmendError::NotNow));
    assert_eq!(accept(&mut room, 0), Err(JoinError::Exists), "it has signed");
    accept(&mut room, 1).unwrap();
    accept(&mut room, 2).unwrap();
    room.block();
    assert_eq!(room.view(1).version, 1);
    assert_eq!(room.balances(1), [1001, 995, 1005]);
}

/// A member whose rows do not know of a version that it must have signed: a restored backup.
#[test]
fn rows_from_before_a_version_freeze() {
    let mut room = Room::open(2);
    let backup = room.disks[1].clone();
    propose(&mut room, &[(0, 1001), (1, 1000)], 50).unwrap();
    accept(&mut room, 1).unwrap();
    room.block();
    assert_eq!(room.view(1).version, 1);
    room.disks[1] = backup;
    room.restart(1);
    assert_eq!(room.view(1).freeze, Some(Freeze::RolledBack));
}

/// A halted field goes on, with the state before the annulled round.
#[test]
fn work_goes_on_in_the_next_version_after_a_round_was_annulled() {
    let mut room = Room::open(3);
    room.pay(1, 2, 5).unwrap();
    let field = room.field;
    room.execute(1, FieldAct::Challenge { field, round: 1 });
    for _ in 0..20 {
        room.block();
    }
    assert_eq!(room.view(0).phase, Phase::Halted);
    assert_eq!(room.standings(1), [Standing::Void]);
    propose(&mut room, &[(0, 1001), (1, 1000), (2, 1000)], 60).unwrap();
    accept(&mut room, 1).unwrap();
    accept(&mut room, 2).unwrap();
    room.block();
    assert_eq!((room.view(2).phase, room.view(2).version), (Phase::Open, 1));
    assert_eq!(room.standings(1), [], "what was void is not paid unasked");
    room.pay(1, 2, 9).unwrap();
    room.close_round().unwrap();
    assert_eq!(room.balances(2), [1001, 991, 1009]);
}

/// What an amendment ends goes on as long as no block has included it: the leader answers meanwhile.
#[test]
fn a_leader_answers_a_close_and_a_challenge_while_its_amendment_is_censored() {
    for is_close in [false, true] {
        let mut room = Room::open(3);
        room.pay(1, 2, 5).unwrap();
        room.close_round().unwrap();
        room.censored = |act| matches!(act, FieldAct::Amend { .. });
        propose(&mut room, &[(0, 1001), (1, 995), (2, 1005)], 100).unwrap();
        accept(&mut room, 1).unwrap();
        accept(&mut room, 2).unwrap();
        for at in 1..3 {
            room.machines[at] = Membership::new(config(&room.keys[at]), []);
        }
        let field = room.field;
        let stale = FieldAct::SoloClose { field, state: None };
        room.execute(1, if is_close { stale } else { FieldAct::Challenge { field, round: 1 } });
        for _ in 0..=MARGIN {
            room.block();
        }
        let (state, _) = room.escrow.clone().unwrap();
        assert_eq!((state.best.round, state.challenge), (1, None));
        let amends = room.acts.iter().filter(|act| matches!(act, FieldAct::Amend { .. })).count();
        assert!(amends > 1, "what was censored is sent again");
        room.censored = |_| false;
        for _ in 0..MARGIN {
            room.block();
        }
        assert_eq!((room.view(0).version, room.view(0).phase), (1, Phase::Open));
    }
}

/// Who signed to join keeps its rows until the chain is proven to be above the last block that may begin the version.
#[test]
fn who_never_joined_forgets_once_no_block_can_begin_the_version() {
    let mut room = Room::open_beside(3, 1);
    propose(&mut room, &[(0, 1001), (1, 1000), (2, 1000), (3, 500)], 16).unwrap();
    accept(&mut room, 3).unwrap();
    let field = room.field;
    let forget = |room: &mut Room| room.command(3, |machine, _, out| machine.forget(field, out));
    while room.height < Height(17) {
        room.restart(3);
        assert_eq!(forget(&mut room), Err(CloseError::Nothing));
        room.block();
    }
    assert_eq!(forget(&mut room), Ok(()));
    assert_eq!(room.disks[3].len(), 0);
}
