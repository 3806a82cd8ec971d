//! What the chain is proven to hold, at its limits: what counts, until when, and when something is said to it again.

use super::{lies::*, *};
use crate::payment::field::{
    RoundState,
    escrow::{Challenge, Closing, FieldStatus},
};
use affairs::Affairs;

/// An open field as the chain has it.
fn opened() -> FieldState {
    Room::open(2).escrow.unwrap().0
}

fn proof(state: &FieldState, level: Level, height: u64) -> Proof {
    Proof { state: Some(state.clone()), level, height: Height(height) }
}

fn proven(state: &FieldState) -> Affairs {
    let mut affairs = Affairs::default();
    affairs.prove(proof(state, Level::Final, 10));
    affairs
}

fn asked_for(round: u32, deadline: Height) -> Option<Challenge> {
    let (bond, fee) = (units(200), FEE);
    Some(Challenge { by: 2, bond, fee, round, deadline, leader: None })
}

fn closing(deadline: u64) -> FieldStatus {
    let (deadline, limit) = (Height(deadline), Height(deadline + 40));
    FieldStatus::Closing(Closing {
        deadline,
        limit,
        closer: Some(0),
        bond: units(200),
        poster: None,
    })
}

/// A6.14: what a version holds is there for certain once that version is final, and stays so while blocks above it are not.
#[test]
fn what_was_final_stays_so_within_its_version_and_the_limit_itself_needs_none() {
    let policy = MemberPolicy { final_above: units(5), ..MemberPolicy::for_chain(MARGIN) };
    let mut state = opened();
    let mut affairs = Affairs::default();
    affairs.prove(proof(&state, Level::Settled, 10));
    assert_eq!(affairs.may_pay(units(5), &policy), Ok(()));
    assert_eq!(affairs.may_pay(units(6), &policy), Err(PayError::NotProven));
    affairs.prove(proof(&state, Level::Final, 11));
    affairs.prove(proof(&state, Level::Settled, 12));
    assert_eq!(affairs.may_pay(units(6), &policy), Ok(()));
    state.best.version = 1;
    affairs.prove(proof(&state, Level::Settled, 13));
    assert_eq!(affairs.may_pay(units(6), &policy), Err(PayError::NotProven));
}

#[test]
fn a_version_can_never_begin_once_the_one_before_is_proven_above_its_last_block() {
    let affairs = proven(&opened());
    assert!(affairs.is_never(1, Height(9)));
    assert!(!affairs.is_never(1, Height(10)), "its block may be this one");
    assert!(!affairs.is_never(0, Height(9)), "it is there");
}

#[test]
fn something_must_be_done_until_the_first_of_both_deadlines() {
    let mut state = opened();
    assert_eq!(proven(&state).deadline(), None);
    state.challenge = asked_for(1, Height(30));
    assert_eq!(proven(&state).deadline(), Some(Height(30)));
    state.status = closing(20);
    assert_eq!(proven(&state).deadline(), Some(Height(20)));
    state.challenge = None;
    assert_eq!(proven(&state).deadline(), Some(Height(20)));
}

/// The chain is asked twice within a margin when nothing is under way, and in every block otherwise.
#[test]
fn the_chain_is_asked_in_every_block_while_something_is_under_way() {
    let calm = opened();
    let mut affairs = proven(&calm);
    let asked: Vec<u64> = (10..17).filter(|at| affairs.asks(Height(*at), MARGIN)).collect();
    assert_eq!(asked, [10, 12, 14, 15, 16], "what is proven is old from the 14th on");
    let in_every_block = |mut affairs: Affairs| {
        assert!(affairs.asks(Height(10), MARGIN));
        assert!(!affairs.asks(Height(10), MARGIN), "once a block");
        affairs.asks(Height(11), MARGIN)
    };
    assert!(!in_every_block(proven(&calm)));
    let mut acted = proven(&calm);
    acted.acts(affairs::Act::Enforce, Height(10), MARGIN);
    assert!(in_every_block(acted));
    let mut amended = proven(&calm);
    amended.amends(Height(10), MARGIN);
    assert!(in_every_block(amended));
    assert!(in_every_block(proven(&FieldState {
        challenge: asked_for(1, Height(30)),
        ..calm.clone()
    })));
    assert!(in_every_block(proven(&FieldState { annulled: Some(1), ..calm.clone() })));
    assert!(in_every_block(proven(&FieldState { status: closing(30), ..calm.clone() })));
    // What is proven says enough for as long as an answer may take, less a margin.
    let last = 10 + calm.response.min(calm.dispute) - MARGIN - 1;
    let mut affairs = proven(&calm);
    assert!(affairs.asks(Height(last), MARGIN));
    assert!(affairs.asks(Height(last + 1), MARGIN));
}

/// A1.24, as any other act.
#[test]
fn an_amendment_is_repeated_after_a_margin() {
    let mut affairs = Affairs::default();
    let said: Vec<u64> = (10..20).filter(|at| affairs.amends(Height(*at), MARGIN)).collect();
    assert_eq!(said, [10, 14, 18]);
    assert!(!affairs.amends(Height(18), 0), "once a block at most");
    assert!(affairs.amends(Height(19), 0));
}

/// A6.12: from the annulled round on nothing is taken.
#[test]
fn no_state_from_the_annulled_round_on_is_one_that_the_chain_takes() {
    let mut room = Room::open(2);
    let (mut state, _) = room.escrow.clone().unwrap();
    state.annulled = Some(3);
    let best = state.best.clone();
    let affairs = proven(&state);
    let mut out = Vec::new();
    let (_, turn) = room.machines[0].turn(Moment::ZERO, &mut out);
    let taken = |round| affairs.takes(&RoundState { round, ..best.clone() }, &turn);
    assert_eq!([2, 3, 4].map(taken), [true, false, false]);
}

/// Proves this state to a member under the next block. Returns what it submits, and how near the deadlines are of which it
/// warns.
fn proves(room: &mut Room, at: usize, state: &FieldState) -> (Vec<FieldAct>, Vec<bool>) {
    room.height = room.height.plus(1);
    let mut out = Vec::new();
    let (tip, now, field) = (room.height, room.now, room.field);
    let machine = &mut room.machines[at];
    machine.handle(now, Input::Tip(tip), &mut out);
    machine.handle(
        now,
        Input::Proven(field, Box::new(proof(state, Level::Final, tip.0))),
        &mut out,
    );
    let (mut acts, mut warnings) = (Vec::new(), Vec::new());
    for output in out {
        if let Output::Submit(act) = output {
            acts.push(*act);
        } else if let Output::Warn(_, warning) = output {
            warnings.push(warning.is_near);
        }
    }
    (acts, warnings)
}

/// Three members with a sealed round that the chain does not know, and what it knows.
fn unknown_round() -> (Room, FieldState) {
    let mut room = Room::open(3);
    room.pay(1, 2, 5).unwrap();
    room.close_round().unwrap();
    assert_eq!(room.view(1).round, 1);
    let (state, _) = room.escrow.clone().unwrap();
    (room, state)
}

fn is_post(acts: &[FieldAct]) -> bool {
    matches!(acts, [FieldAct::Post(sealed)] if sealed.state.round == 1)
}

/// A6.12: who has what is asked for shows it; a leader shows what it has, once; nobody else says anything.
#[test]
fn a_challenge_is_answered_by_who_has_the_round_and_by_the_leader_once() {
    let (mut room, mut state) = unknown_round();
    let far = room.height.plus(60);
    state.challenge = asked_for(2, far);
    assert_eq!(proves(&mut room, 1, &state), (vec![], vec![]), "round 2 is not there");
    assert!(is_post(&proves(&mut room, 0, &state).0));
    let answered = state.challenge.unwrap();
    state.challenge = Some(Challenge { leader: Some(FEE), ..answered });
    assert_eq!(proves(&mut room, 0, &state).0, vec![], "it has said its word");
    state.challenge = asked_for(1, far);
    assert!(is_post(&proves(&mut room, 1, &state).0));
    state.best.round = 1;
    assert_eq!(proves(&mut room, 2, &state).0, vec![], "the chain has it");
}

/// A6.13: what must not be late is said in every block once that is near, and what has time after a margin.
#[test]
fn an_answer_is_repeated_in_every_block_near_the_deadline_and_given_in_the_last() {
    let (mut room, mut state) = unknown_round();
    let deadline = room.height.plus(60);
    state.challenge = asked_for(1, deadline);
    let (acts, warnings) = proves(&mut room, 1, &state);
    assert!(is_post(&acts));
    assert_eq!(warnings, [false], "there is time");
    assert_eq!(proves(&mut room, 1, &state), (vec![], vec![]));
    room.height = Height(deadline.0 - 2 * MARGIN - 1);
    let (acts, warnings) = proves(&mut room, 1, &state);
    assert!(is_post(&acts));
    assert_eq!(warnings, [true]);
    while room.height.plus(2) <= deadline {
        let (acts, warnings) = proves(&mut room, 1, &state);
        assert!(is_post(&acts), "block {} may answer", room.height.0 + 1);
        assert!(warnings.is_empty(), "it was warned");
    }
    assert!(matches!(proves(&mut room, 1, &state).0[..], [FieldAct::Enforce(_)]));
    assert_eq!(proves(&mut room, 1, &state).0, vec![], "others may enforce it, too");
}

/// A member waits as many blocks as its place has, so that one transaction is enough; a lost one is repeated.
#[test]
fn a_close_is_enforced_above_its_deadline_by_one_after_another() {
    for at in 0..3 {
        let (mut room, mut state) = unknown_round();
        state.best.round = 1;
        let deadline = room.height.0 + 20;
        state.status = closing(deadline);
        let mut said = Vec::new();
        while room.height.0 < deadline + 8 {
            let (acts, _) = proves(&mut room, at, &state);
            if matches!(acts[..], [FieldAct::Enforce(_)]) {
                said.push(room.height.0 + 1 - deadline);
            }
        }
        let first = at as u64 + 1;
        assert_eq!(said[..2], [first, first + MARGIN]);
    }
}

/// A6.12: a round that the chain knows already is not asked for.
#[test]
fn a_round_that_the_chain_has_is_not_challenged() {
    for best in 0..2 {
        let mut room = Room::open(3);
        let items = [payment(&room, 0, 1, 1, 0)];
        let proposed = state(&room, &items);
        show(&mut room, 1, &proposed, &items);
        let (mut state, _) = room.escrow.clone().unwrap();
        state.best.round = best;
        let patience = room.machines[1].policy.challenge_after;
        let asks: Vec<FieldAct> =
            (0..patience + 2).flat_map(|_| proves(&mut room, 1, &state).0).collect();
        let is_asked = asks.iter().any(|act| matches!(act, FieldAct::Challenge { round: 1, .. }));
        assert_eq!(is_asked, best == 0);
    }
}

/// The last block that may open a field is the one of its `until`.
#[test]
fn a_field_is_not_opened_when_no_block_may_open_it() {
    for (tip, is_opened) in [(999, true), (1000, false)] {
        let mut room = Room::new(2);
        let terms = terms(&room.keys);
        room.command(0, |machine, now, out| machine.propose(now, terms, out).unwrap());
        room.input(0, Input::Tip(Height(tip)));
        let field = room.field;
        room.command(1, |machine, now, out| machine.accept(now, field, out).unwrap());
        assert_eq!(room.acts.len(), usize::from(is_opened), "{tip}");
    }
}

/// What is proven is asked for by who has a stake in it, as long as it has.
#[test]
fn the_chain_is_asked_about_fields_that_are_not_over() {
    let (mut room, state) = unknown_round();
    let asked = |room: &mut Room, tip: Height| {
        let mut out = Vec::new();
        room.machines[1].handle(room.now, Input::Tip(tip), &mut out);
        out.iter().filter(|it| matches!(it, Output::Need(_))).count()
    };
    let tip = room.height.plus(MARGIN);
    assert_eq!((asked(&mut room, tip), asked(&mut room, tip)), (1, 0));
    let field = room.field;
    let closed = FieldState { status: FieldStatus::Closed { at: tip }, ..state };
    let proof = proof(&closed, Level::Final, tip.0);
    room.input(1, Input::Proven(field, Box::new(proof)));
    let later = tip.plus(MARGIN);
    assert_eq!(asked(&mut room, later), 0);
}

/// A header that nobody has settled may be gone again.
#[test]
fn a_proof_moves_the_tip_once_its_header_is_settled() {
    let (mut room, state) = unknown_round();
    let (field, tip) = (room.field, room.machines[1].tip);
    for (level, after) in [(Level::Included, tip), (Level::Settled, tip.plus(9))] {
        let proof = proof(&state, level, tip.0 + 9);
        room.input(1, Input::Proven(field, Box::new(proof)));
        assert_eq!(room.machines[1].tip, after);
    }
}
