//! Who joins a running field and who leaves it, and what a member signs without a word of its application.

use super::*;

fn leave(room: &mut Room, at: usize) -> Result<(), AmendError> {
    let field = room.field;
    room.command(at, |machine, now, out| machine.leave(now, field, out))
}

fn admit(room: &mut Room, at: usize, who: usize, deposit: u128) -> Result<(), AmendError> {
    let (field, key) = (room.field, room.keys[who].public());
    let member = Member { key, deposit: units(deposit) };
    room.command(at, |machine, now, out| machine.admit(now, field, member, out))
}

fn accept(room: &mut Room, at: usize) -> Result<(), JoinError> {
    let field = room.field;
    room.command(at, |machine, now, out| machine.accept(now, field, out))
}

/// What a leader that is no honest machine proposes: these members, until this block.
fn propose(room: &mut Room, of: &[(usize, u128)], until: u64) {
    let member =
        |(at, has): &(usize, u128)| Member { key: room.keys[*at].public(), deposit: units(*has) };
    let (field, members) = (room.field, of.iter().map(member).collect());
    room.command(0, |machine, now, out| machine.amend(now, field, (members, Height(until)), out))
        .unwrap();
    room.pass(1500);
}

fn has_signed(room: &Room, at: usize) -> bool {
    room.view(at).amendment.is_some_and(|amendment| amendment.is_signed)
}

fn version(room: &Room) -> u32 {
    room.escrow.as_ref().unwrap().0.best.version
}

#[test]
fn a_member_leaves_in_the_middle_of_a_round_and_nobody_is_asked() {
    let mut room = Room::open(4);
    room.pay(1, 3, 7).unwrap();
    room.pay(3, 0, 2).unwrap();
    leave(&mut room, 3).unwrap();
    room.pass(1500);
    assert_eq!(version(&room), 1, "the round was closed, and all have signed");
    room.block();
    assert_eq!(room.view(3).phase, Phase::Left);
    for at in 0..3 {
        let view = room.view(at);
        assert_eq!((view.phase, view.version, view.round), (Phase::Open, 1, 1));
        assert_eq!(room.balances(at), [1003, 993, 1000]);
    }
    room.pay(1, 2, 3).unwrap();
    room.close_round().unwrap();
    assert_eq!(room.balances(0), [1003, 990, 1003]);
    assert_eq!(room.faults, []);
}

/// The next leader locks a bond, so it is asked.
#[test]
fn a_leader_leaves_and_only_who_leads_next_is_asked() {
    let mut room = Room::open(3);
    room.pay(0, 2, 5).unwrap();
    leave(&mut room, 0).unwrap();
    room.pass(1500);
    assert_eq!((has_signed(&room, 1), has_signed(&room, 2)), (true, false));
    assert_eq!(version(&room), 0);
    accept(&mut room, 2).unwrap();
    room.block();
    assert_eq!((version(&room), room.view(0).phase), (1, Phase::Left));
    assert_eq!(room.view(1).leader, room.address(2));
}

#[test]
fn a_later_one_joins_in_the_middle_of_a_round_once_all_agree() {
    let mut room = Room::open_beside(3, 1);
    room.pay(2, 0, 5).unwrap();
    assert_eq!(admit(&mut room, 1, 3, 500), Err(AmendError::NotLeader));
    assert!(matches!(admit(&mut room, 0, 2, 500), Err(AmendError::Terms(_))), "it is a member");
    admit(&mut room, 0, 3, 500).unwrap();
    assert_eq!(admit(&mut room, 0, 3, 500), Err(AmendError::NotNow));
    room.pass(1500);
    assert_eq!(room.balances(3), [1006, 1000, 995, 500]);
    let (terms, has) = room.machines[3].asked(room.field).unwrap();
    assert_eq!((terms.members[3].deposit, has), (units(500), Amount::ZERO));
    let (terms, has) = room.machines[2].asked(room.field).unwrap();
    assert_eq!((terms.members[2].deposit, has), (units(995), units(995)));
    for at in 1..4 {
        assert!(!has_signed(&room, at), "{at} is asked");
        accept(&mut room, at).unwrap();
        assert_eq!(room.machines[1].asked(room.field), None, "it is signed");
    }
    room.block();
    room.pay(3, 1, 9).unwrap();
    room.close_round().unwrap();
    assert_eq!(room.balances(3), [1006, 1009, 995, 491]);
}

/// A6.14: only what leaves a member as it is, is signed unasked.
#[test]
fn what_changes_anything_for_a_member_is_not_signed_without_its_word() {
    type Case = (&'static [(usize, u128)], u64, [bool; 2]);
    // What the leader proposes while 3 leaves, until when, and who of 1 and 2 signs it unasked.
    let cases: [Case; 8] = [
        (&[(0, 1001), (1, 1000), (2, 1000)], 16, [true, true]),
        (&[(0, 1002), (1, 999), (2, 1000)], 16, [false, false]),
        (&[(0, 1001), (1, 1000), (2, 1000), (4, 5)], 16, [false, false]),
        (&[(1, 1000), (2, 1000)], 16, [false, true]),
        (&[(0, 1001), (1, 1000), (2, 1000), (3, 1000)], 16, [false, false]),
        (&[(0, 1001), (1, 1000), (2, 1000)], 1_000_000, [false, false]),
        // As long as this member would bind others, and a margin.
        (&[(0, 1001), (1, 1000), (2, 1000)], 11 + 9 * MARGIN, [true, true]),
        (&[(0, 1001), (1, 1000), (2, 1000)], 12 + 9 * MARGIN, [false, false]),
    ];
    for (of, until, expected) in cases {
        let mut room = Room::open_beside(4, 1);
        room.censored = |act| matches!(act, FieldAct::Amend { .. });
        propose(&mut room, of, until);
        assert_eq!([1, 2].map(|at| has_signed(&room, at)), expected, "{of:?} until {until}");
        assert!(!has_signed(&room, 3), "it never wanted to leave: {of:?}");
    }
}

#[test]
fn nobody_leaves_by_anothers_word_or_twice_or_from_a_field_of_two() {
    let mut room = Room::open(3);
    let said = |room: &mut Room, from: usize, to: usize, signature| {
        let letter = Letter::Leave(signature);
        let bytes = Envelope { field: room.field, letter }.to_bytes();
        let before = room.faults.len();
        let from = room.address(from);
        room.input(to, Input::Heard(from, bytes));
        room.faults.get(before).map(|(_, fault)| *fault)
    };
    let sign = |room: &Room, by: usize, version, want| {
        let wish = wire::Wish { field: room.field, version, want };
        room.keys[by].sign(CHAIN, &wish)
    };
    let own = sign(&room, 2, 0, wire::Want::Leave);
    assert_eq!(said(&mut room, 2, 1, own), Some(Fault::NotToUs));
    for (by, version, want) in
        [(1, 0, wire::Want::Leave), (2, 1, wire::Want::Leave), (2, 0, wire::Want::Close)]
    {
        let forged = sign(&room, by, version, want);
        assert_eq!(said(&mut room, 2, 0, forged), Some(Fault::BadSignature));
        assert_eq!(room.view(0).amendment, None);
    }
    leave(&mut room, 2).unwrap();
    room.pass(1500);
    room.block();
    assert_eq!(version(&room), 1);
    let wrong = AmendError::Terms(crate::payment::field::TermsError::TooFewMembers);
    assert_eq!(leave(&mut room, 1), Err(wrong));
    let last = sign(&room, 1, 1, wire::Want::Leave);
    assert_eq!(said(&mut room, 1, 0, last), None);
    assert_eq!(room.view(0).amendment, None, "nothing is proposed that no chain would take");
}

/// Payments wait for all that must sign: not again and again for one that never does.
#[test]
fn what_was_not_agreed_on_in_time_is_not_proposed_again_unasked() {
    let mut room = Room::open_beside(3, 1);
    admit(&mut room, 0, 3, 500).unwrap();
    for at in 1..3 {
        accept(&mut room, at).unwrap();
    }
    let until = room.view(0).amendment.unwrap().until;
    assert_eq!(until, room.height.plus(MARGIN * 8));
    room.pay(1, 2, 5).unwrap();
    while room.height <= until {
        assert_eq!(room.standings(1), [Standing::Pending]);
        room.block();
    }
    room.pass(6000);
    assert_eq!((room.view(0).amendment, room.view(1).version), (None, 0));
    assert_eq!(room.balances(2), [1001, 995, 1005], "what waited is paid");
}

/// A wish is lost with a message, not with the second one; a leader that knows nothing of it is told again.
#[test]
fn a_wish_is_repeated_until_the_leader_has_heard_it() {
    let mut room = Room::open(3);
    room.cut = vec![(2, 0)];
    leave(&mut room, 2).unwrap();
    room.pass(1000);
    assert_eq!(version(&room), 0);
    room.cut.clear();
    room.restart(0);
    room.pass(10_000);
    assert_eq!(version(&room), 1);
}

/// A6.14: what a version brought in is there for certain once that version is final.
#[test]
fn what_joined_or_was_paid_in_is_used_once_its_version_is_final() {
    let mut room = Room::open_beside(2, 1);
    propose(&mut room, &[(0, 1001), (1, 5_000_000), (2, 4_000_000)], 100);
    accept(&mut room, 1).unwrap();
    accept(&mut room, 2).unwrap();
    room.height = room.height.plus(1);
    for level in [Level::Settled, Level::Final] {
        for at in 0..3 {
            let state = room.escrow.as_ref().map(|(state, _)| state.clone());
            let proof = Proof { state, level, height: room.height };
            room.input(at, Input::Proven(room.field, Box::new(proof)));
        }
        for (from, to) in [(1, 2), (2, 1)] {
            let paid = room.pay(from, to, 1);
            assert_eq!(paid.is_ok(), level == Level::Final, "{from}: {paid:?}");
        }
    }
}
