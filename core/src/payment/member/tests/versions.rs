//! What is signed of a next version, what is not, and what goes on into it. A6.14.

use super::{
    lies::{payment, state},
    refused::{faults_of, hears, nothing, proposal},
    *,
};
use crate::payment::field::{Amendment, Rounds};
use wire::{Invitation, Summons};

fn members(room: &Room, of: &[(usize, u128)]) -> Vec<Member> {
    let member = |(at, has): &(usize, u128)| {
        let (key, deposit) = (room.keys[*at].public(), units(*has));
        Member { key, deposit }
    };
    of.iter().map(member).collect()
}

/// What the leader asks of members, without doing so.
fn summons(room: &Room, of: &[(usize, u128)]) -> Summons {
    let seat = room.machines[0].seats.get(&room.field).unwrap();
    let members = Bounded::try_from(members(room, of)).unwrap();
    let (last, until) = (seat.sealed.state.clone(), Height(50));
    let amendment = Amendment { last, members, until, aggregate: None };
    let signature = room.keys[0].sign(CHAIN, &amendment);
    let (terms, rounds) = (seat.terms.clone(), seat.rounds.clone());
    Summons { amendment, terms, rounds, signature }
}

fn summon(summons: &Summons) -> Letter {
    Letter::Summon(Box::new(summons.clone()))
}

fn propose(room: &mut Room, of: &[(usize, u128)]) -> Result<(), AmendError> {
    let (field, of) = (room.field, members(room, of));
    room.command(0, |machine, now, out| machine.amend(now, field, (of, Height(50)), out))
}

fn accept(room: &mut Room, at: usize) -> Result<(), JoinError> {
    let field = room.field;
    room.command(at, |machine, now, out| machine.accept(now, field, out))
}

fn leave(room: &mut Room, at: usize) -> Result<(), AmendError> {
    let field = room.field;
    room.command(at, |machine, now, out| machine.leave(now, field, out))
}

fn is_asked(room: &Room, at: usize) -> bool {
    room.view(at).amendment.is_some_and(|amendment| !amendment.is_signed)
}

const MORE: [(usize, u128); 3] = [(0, 1001), (1, 1000), (2, 1500)];
const LESS: [(usize, u128); 3] = [(0, 1001), (1, 1000), (2, 500)];

/// One thing at a time: who checks a round signs no amendment, and who has signed one signs no other.
#[test]
fn an_amendment_is_looked_at_only_between_rounds_and_from_the_leader() {
    let mut room = Room::open(3);
    let (more, less) = (summons(&room, &MORE), summons(&room, &LESS));
    assert_eq!(faults_of(&mut room, 2, 1, summon(&more)), [Fault::NotLeader]);
    let mut other = more.clone();
    other.amendment.last.payments = 9;
    other.signature = room.keys[0].sign(CHAIN, &other.amendment);
    assert_eq!(hears(&mut room, 2, 0, summon(&other)), nothing());
    assert_eq!(room.view(2).amendment, None, "after another state");
    let items = [payment(&room, 1, 2, 5, 0)];
    let letter = proposal(&room, 0, &state(&room, &items));
    hears(&mut room, 2, 0, letter.clone());
    assert_eq!(room.view(2).step, RoundStep::Checking);
    assert_eq!(hears(&mut room, 2, 0, summon(&more)), nothing());
    assert_eq!(room.view(2).amendment, None, "in the middle of a round");
    let mut room = Room::open(3);
    assert_eq!(hears(&mut room, 2, 0, summon(&more)), nothing());
    assert!(is_asked(&room, 2));
    assert_eq!(hears(&mut room, 2, 0, summon(&less)), nothing());
    assert_eq!(room.view(2).amendment.unwrap().members[2].deposit, units(500), "the newer one");
    room.machines[2].seats.get_mut(&room.field).unwrap().freeze = Some(Freeze::RolledBack);
    assert_eq!(accept(&mut room, 2), Err(JoinError::NotNow));
    room.machines[2].seats.get_mut(&room.field).unwrap().freeze = None;
    hears(&mut room, 2, 0, letter);
    assert_eq!(room.view(2).step, RoundStep::Checking);
    assert_eq!(accept(&mut room, 2), Err(JoinError::NotNow));
    assert!(is_asked(&room, 2));
}

#[test]
fn who_has_signed_an_amendment_repeats_that_and_signs_no_other() {
    let mut room = Room::open(3);
    let less = summons(&room, &LESS);
    propose(&mut room, &MORE).unwrap();
    accept(&mut room, 2).unwrap();
    let (said, faults) = hears(&mut room, 2, 0, summon(&less));
    assert!(matches!(said[..], [Letter::Consent(_)]));
    assert_eq!(faults, []);
    assert_eq!(room.view(2).amendment.unwrap().members[2].deposit, units(1500));
}

/// What the application was asked is asked as long as it can still be: not after another round.
#[test]
fn an_amendment_that_a_round_overtook_is_not_asked_about_any_more() {
    let mut room = Room::open(3);
    let more = summons(&room, &MORE);
    hears(&mut room, 2, 0, summon(&more));
    room.block();
    assert!(is_asked(&room, 2), "it can still be signed");
    room.pay(1, 0, 5).unwrap();
    room.close_round().unwrap();
    assert_eq!(room.view(2).round, 1);
    room.block();
    assert_eq!(room.view(2).amendment, None);
}

#[test]
fn a_closed_field_has_no_next_version() {
    let mut room = Room::open(3);
    let field = room.field;
    room.execute(1, FieldAct::SoloClose { field, state: None });
    room.block();
    let wish = wire::Wish { field, version: 0, want: wire::Want::Leave };
    let letter = Letter::Leave(room.keys[2].sign(CHAIN, &wish));
    assert_eq!(hears(&mut room, 0, 2, letter), nothing());
    assert_eq!(room.view(0).amendment, None, "it is being closed");
    for _ in 0..40 {
        room.block();
    }
    assert_eq!(room.view(0).phase, Phase::Closed);
    assert_eq!(propose(&mut room, &MORE), Err(AmendError::NotNow));
    assert_eq!(leave(&mut room, 0), Err(AmendError::NotNow));
    let close = room.command(1, |machine, now, out| machine.close(now, field, out));
    assert_eq!(close, Err(CloseError::NotOpen));
}

/// A block applies an amendment up to the one below its `until`: nothing is submitted for a later one.
#[test]
fn an_amendment_is_submitted_while_a_block_may_apply_it() {
    for (tip, is_submitted) in [(49, true), (50, false)] {
        let mut room = Room::open(3);
        room.censored = |act| matches!(act, FieldAct::Amend { .. });
        propose(&mut room, &MORE).unwrap();
        accept(&mut room, 1).unwrap();
        room.input(0, Input::Tip(Height(tip)));
        accept(&mut room, 2).unwrap();
        let is_said = room.acts.iter().any(|act| matches!(act, FieldAct::Amend { .. }));
        assert_eq!(is_said, is_submitted, "{tip}");
    }
}

#[test]
fn the_row_of_an_amendment_that_never_came_is_removed() {
    let mut room = Room::open(3);
    propose(&mut room, &MORE).unwrap();
    accept(&mut room, 1).unwrap();
    let has_row = |room: &Room, at: usize| room.disks[at].keys().any(|it| it.contains("amend"));
    assert!(has_row(&room, 0) && has_row(&room, 1));
    while room.height <= Height(51) {
        room.block();
    }
    assert_eq!(
        (room.view(1).amendment, has_row(&room, 0), has_row(&room, 1)),
        (None, false, false)
    );
}

/// Who is to join says again that it has signed, and nothing of another amendment, nor once it is a member.
#[test]
fn who_joins_repeats_its_consent_until_the_version_begins() {
    let mut room = Room::open_beside(3, 1);
    let joined = [(0, 1001), (1, 1000), (2, 1000), (3, 500)];
    let (good, other) =
        (summons(&room, &joined), summons(&room, &[(0, 1001), (1, 1000), (3, 500)]));
    let mut unproven = good.clone();
    unproven.rounds = Rounds::default().with(1, &Hash([3; 32])).unwrap();
    assert_eq!(faults_of(&mut room, 3, 0, summon(&unproven)), [Fault::WrongState]);
    let (field, from) = (room.field, room.address(0));
    let asked = [0, 1].map(|_| {
        let bytes = Envelope { field, letter: summon(&good) }.to_bytes();
        let mut out = Vec::new();
        room.machines[3].handle(room.now, Input::Heard(from, bytes), &mut out);
        out.contains(&Output::Changed)
    });
    assert_eq!(asked, [true, false], "it is asked once");
    propose(&mut room, &joined).unwrap();
    accept(&mut room, 3).unwrap();
    let stranger = Letter::Consent(good.signature);
    assert!(matches!(hears(&mut room, 3, 0, summon(&good)).0[..], [Letter::Consent(_)]));
    assert_eq!(hears(&mut room, 3, 0, summon(&other)).0, []);
    room.restart(3);
    assert_eq!(room.view(3).phase, Phase::Joining, "the chain is below its version");
    assert!(matches!(hears(&mut room, 3, 0, summon(&good)).0[..], [Letter::Consent(_)]));
    for at in 1..3 {
        accept(&mut room, at).unwrap();
    }
    room.block();
    assert_eq!(room.view(3).phase, Phase::Open);
    assert_eq!(hears(&mut room, 3, 0, summon(&good)).0, []);
    let mut room = Room::open_beside(3, 1);
    assert_eq!(faults_of(&mut room, 0, 3, stranger), [Fault::NotMember]);
}

#[test]
fn who_has_left_still_knows_that_after_a_restart() {
    let mut room = Room::open(3);
    leave(&mut room, 2).unwrap();
    room.pass(1500);
    room.block();
    for _ in 0..2 {
        assert_eq!(room.view(2).phase, Phase::Left);
        room.restart(2);
    }
}

/// What was signed for the version before and never ordered is signed again in the next, and said when that is durable.
#[test]
fn a_payment_that_no_round_took_is_made_in_the_next_version() {
    for is_stuck in [false, true] {
        let mut room = Room::open(4);
        room.cut = vec![(2, 0)];
        room.pay(2, 3, 5).unwrap();
        assert_eq!(room.standings(2), [Standing::Pending]);
        room.cut.clear();
        propose(&mut room, &[(0, 1001), (2, 1000), (3, 1000)]).unwrap();
        for at in 1..4 {
            // A departure is signed unasked by who stays as it is.
            let _known = accept(&mut room, at);
        }
        if is_stuck {
            room.stuck = vec![(2, "log")];
        }
        room.block();
        room.pass(1200);
        assert_eq!(room.view(2).version, 1);
        let ordered = room.machines[0].seats.get(&room.field).unwrap().round.items().len();
        let expected = if is_stuck { Standing::Pending } else { Standing::Sequenced };
        assert_eq!((room.standings(2), ordered), (vec![expected], usize::from(!is_stuck)));
        if !is_stuck {
            room.close_round().unwrap();
            assert_eq!(room.balances(3), [1001, 995, 1005]);
        }
    }
}

#[test]
fn a_wish_to_leave_goes_on_into_the_next_version() {
    let mut room = Room::open(4);
    room.lost = |from, letter| from == 3 && matches!(letter, Letter::Leave(_));
    leave(&mut room, 3).unwrap();
    leave(&mut room, 1).unwrap();
    room.pass(1500);
    room.block();
    assert_eq!((room.view(1).phase, room.view(3).version), (Phase::Left, 1));
    room.lost = |_, _| false;
    room.pass(20_000);
    room.block();
    assert_eq!(room.view(3).phase, Phase::Left);
}

/// What was sealed is there to be shown after a restart, whatever is asked about the next version.
#[test]
fn a_member_that_signed_an_amendment_still_has_its_sealed_state_after_a_restart() {
    let mut room = Room::open(3);
    room.pay(1, 2, 5).unwrap();
    room.close_round().unwrap();
    propose(&mut room, &[(0, 1001), (1, 995), (2, 1500)]).unwrap();
    accept(&mut room, 1).unwrap();
    room.restart(1);
    let sealed = room.machines[1].sealed(room.field).unwrap();
    assert_eq!((sealed.state.round, room.view(1).freeze), (1, None));
}

/// A field that is known is joined by its leader's word and its own terms alone; the answer is repeated.
#[test]
fn an_invitation_to_a_field_that_is_known_is_answered_again() {
    let mut room = Room::open(3);
    let terms = terms(&room.keys);
    let invite = |by: usize, room: &Room| {
        let signature = terms.sign(CHAIN, &room.keys[by]);
        Letter::Invite(Box::new(Invitation { terms: terms.clone(), signature }))
    };
    let letter = invite(2, &room);
    assert_eq!(faults_of(&mut room, 1, 2, letter), [Fault::NotLeader]);
    let letter = invite(0, &room);
    let (said, faults) = hears(&mut room, 1, 0, letter);
    assert!(matches!(said[..], [Letter::Accept(_)]));
    assert_eq!(faults, []);
}

/// A second payment with one sequence would be signed if the first were forgotten.
#[test]
fn rows_of_what_was_signed_are_read_back() {
    let mut room = Room::open(3);
    room.cut = vec![(1, 0)];
    room.pay(1, 2, 5).unwrap();
    room.restart(1);
    assert_eq!(room.standings(1), [Standing::Pending]);
    room.cut.clear();
    room.pass(1000);
    assert_eq!(room.standings(1), [Standing::Sequenced]);
    // A final state is recomputed as a final one.
    let mut room = Room::open(2);
    room.censored = |act| matches!(act, FieldAct::Close { .. });
    let field = room.field;
    room.pay(1, 0, 5).unwrap();
    room.close_round().unwrap();
    room.command(1, |machine, now, out| machine.close(now, field, out).unwrap());
    room.restart(1);
    assert_eq!((room.view(1).round, room.view(1).freeze), (2, None));
    // Terms of which the signature was not spoken yet are signed again.
    let mut room = Room::new(2);
    let (terms, field) = (terms(&room.keys), room.field);
    room.command(0, |machine, now, out| machine.propose(now, terms, out).unwrap());
    room.machines[0] = restart(&room.keys[0], &room.disks[0]);
    room.command(1, |machine, now, out| machine.accept(now, field, out).unwrap());
    assert!(room.escrow.is_some());
}
