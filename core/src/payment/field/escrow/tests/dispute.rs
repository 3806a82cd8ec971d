//! A state that a member was not given. A6.12.

use super::*;

/// What a watch-tower asks before it speaks.
#[test]
fn a_state_is_worth_posting_if_all_have_signed_it_and_the_chain_has_no_better() {
    let mut desk = Desk::open();
    let [old, new] = [3, 4].map(|round| desk.sealed(round, [50, 350, 200]));
    let check =
        |desk: &Desk, sealed: &SealedState| desk.field.check(&desk.members, sealed, Height(3));
    assert_eq!(check(&desk, &old), Ok(()));
    desk.solo_close(2, 0, Some(&old)).unwrap();
    let (round, best) = (3, 3);
    assert_eq!(check(&desk, &old), Err(FieldError::NotHigher { round, best }));
    assert_eq!(check(&desk, &new), Ok(()));
    let forged = SealedState { signatures: old.signatures, ..new };
    assert!(matches!(check(&desk, &forged), Err(FieldError::Seal(_))));
}

#[test]
fn a_challenge_that_is_answered_in_its_last_block_costs_who_asked() {
    let mut desk = Desk::open();
    let state = desk.sealed(5, [90, 310, 200]);
    assert_eq!(desk.post(10, STRANGER, &state), Err(FieldError::NotAsked));
    desk.challenge(10, 2, 5).unwrap();
    let below = desk.sealed(4, [100, 300, 200]);
    assert_eq!(desk.post(11, STRANGER, &below), Err(FieldError::NotAsked));
    desk.post(10 + RESPONSE, STRANGER, &state).unwrap();
    assert_eq!((desk.field.status, desk.field.challenge), (FieldStatus::Open, None));
    assert_eq!(desk.gains[2..], [-200 - POST, POST]);
    assert_eq!(desk.field.best, state.state);
    let again = FieldError::NotHigher { round: 5, best: 5 };
    assert_eq!(desk.challenge(60, 2, 5), Err(again), "the chain knows it");
}

#[test]
fn a_higher_state_answers_too() {
    let mut desk = Desk::open();
    desk.challenge(10, 2, 5).unwrap();
    let six = desk.sealed(6, [90, 310, 200]);
    desk.post(11, 1, &six).unwrap();
    assert_eq!(desk.field.challenge, None);
}

#[test]
fn a_leader_that_shows_nothing_pays_and_the_field_closes_without_the_round() {
    let mut desk = Desk::open();
    let (four, five) = (desk.sealed(4, [90, 310, 200]), desk.sealed(5, [0, 400, 200]));
    desk.challenge(10, 2, 5).unwrap();
    let last = 10 + RESPONSE;
    assert_eq!(desk.enforce(last), Err(FieldError::NotDue { height: Height(last) }));
    desk.enforce(last + 1).unwrap();
    assert_eq!(desk.field.annulled, Some(5));
    assert_eq!(desk.deadline(), last + 1 + DISPUTE);
    assert_eq!(desk.gains[2], -200 + FEE as i128, "bond and fee are back");
    let annulled = FieldError::Annulled { round: 5, from: 5 };
    assert_eq!(desk.post(last + 2, 1, &five), Err(annulled));
    desk.post(last + 2, STRANGER, &four).unwrap();
    desk.enforce(desk.deadline() + 1).unwrap();
    desk.assert_paid([90, 310 - FEE as i128 - POST, 200 + FEE as i128]);
    assert_eq!(desk.gains[STRANGER], POST, "the silent leader pays who showed the best state");
}

#[test]
fn an_answer_a_block_too_late_is_annulled_whether_or_not_somebody_has_asked_for_that() {
    let mut desk = Desk::open();
    let five = desk.sealed(5, [0, 400, 200]);
    desk.challenge(10, 2, 5).unwrap();
    let late = 10 + RESPONSE + 1;
    let annulled = FieldError::Annulled { round: 5, from: 5 };
    assert_eq!(desk.clone().post(late, 1, &five), Err(annulled));
    let last = desk.final_seal(5, [0, 400, 200]);
    assert_eq!(desk.clone().close(late, &last), Err(annulled));
    assert_eq!(desk.solo_close(late, 0, Some(&five)), Err(FieldError::Closing));
}

#[test]
fn a_leader_that_shows_the_round_before_is_not_at_fault() {
    let mut desk = Desk::open();
    let (four, five) = (desk.sealed(4, [90, 310, 200]), desk.sealed(5, [0, 400, 200]));
    desk.challenge(10, 2, 5).unwrap();
    desk.post(11, 1, &four).unwrap();
    assert!(desk.field.challenge.is_some(), "the round asked for can still be shown");
    desk.enforce(10 + RESPONSE + 1).unwrap();
    assert_eq!((desk.field.status, desk.field.annulled), (FieldStatus::Open, Some(5)));
    assert_eq!(desk.gains[1..3], [-300 - BOND as i128 + POST, -200 - POST]);
    let annulled = FieldError::Annulled { round: 5, from: 5 };
    assert_eq!(desk.challenge(60, 0, 6), Err(FieldError::Annulled { round: 6, from: 5 }));
    assert_eq!(desk.solo_close(60, 1, Some(&five)), Err(annulled));
    desk.solo_close(60, 0, None).unwrap();
    desk.enforce(desk.deadline() + 1).unwrap();
    desk.assert_paid([90, 310 + POST, 200 - POST]);
}

#[test]
fn a_leader_before_the_first_round_shows_the_deposits_which_need_no_signature() {
    let mut desk = Desk::open();
    desk.challenge(10, 2, 1).unwrap();
    let deposits = SealedState { state: desk.field.best.clone(), signatures: Bounded::new() };
    assert_eq!(desk.post(11, STRANGER, &deposits), Err(FieldError::NotAsked), "not the leader");
    let mut padded = deposits.clone();
    padded.signatures = desk.sealed(0, [100, 300, 200]).signatures;
    desk.post(11, 1, &padded).unwrap();
    desk.enforce(10 + RESPONSE + 1).unwrap();
    assert_eq!((desk.field.status, desk.field.annulled), (FieldStatus::Open, Some(1)));
    let fee = FEE as i128;
    let gains = [-300 - BOND as i128 + fee, -200 - fee];
    assert_eq!(desk.gains[1..3], gains, "signatures that nobody checked are not paid for");
}

#[test]
fn only_members_ask_one_at_a_time_for_rounds_that_the_chain_does_not_know() {
    let mut desk = Desk::open();
    assert_eq!(desk.challenge(10, STRANGER, 1), Err(FieldError::NotMember));
    assert_eq!(desk.challenge(10, 0, 0), Err(FieldError::NotHigher { round: 0, best: 0 }));
    desk.challenge(10, 0, 1).unwrap();
    assert_eq!(desk.challenge(11, 2, 1), Err(FieldError::Challenged));
}

#[test]
fn a_round_that_is_asked_for_out_of_nowhere_is_answered_with_the_last_one() {
    let mut desk = Desk::open();
    let four = desk.sealed(4, [90, 310, 200]);
    desk.challenge(10, 2, 1000).unwrap();
    desk.post(11, 1, &four).unwrap();
    desk.enforce(10 + RESPONSE + 1).unwrap();
    assert_eq!((desk.field.status, desk.field.annulled), (FieldStatus::Open, Some(1000)));
    assert_eq!(desk.gains[2], -200 - POST, "who asked pays");
}

#[test]
fn who_closes_with_the_state_that_is_asked_for_answers() {
    let mut desk = Desk::open();
    desk.challenge(10, 2, 5).unwrap();
    let five = desk.sealed(5, [90, 310, 200]);
    desk.solo_close(11, 0, Some(&five)).unwrap();
    assert_eq!(desk.field.challenge, None);
    desk.enforce(desk.deadline() + 1).unwrap();
    desk.assert_paid([90 + POST, 310, 200 - POST]);
}

#[test]
fn a_challenge_goes_on_while_the_field_is_closing_and_its_bond_is_never_lost() {
    let mut desk = Desk::open();
    desk.challenge(10, 2, 5).unwrap();
    desk.solo_close(11, 0, None).unwrap();
    let five = desk.sealed(5, [90, 310, 200]);
    let mut closed = desk.clone();
    closed.close(12, &closed.final_seal(6, [100, 300, 200])).unwrap();
    closed.assert_paid([100, 300, 200]);

    desk.post(12, STRANGER, &five).unwrap();
    assert_eq!(desk.field.challenge, None);
    desk.enforce(desk.deadline() + 1).unwrap();
    desk.assert_paid([90, 310, 200 - POST]);
    assert_eq!(desk.gains[STRANGER], POST, "who asked has paid for it, the closer not once more");
}

#[test]
fn a_leader_that_shows_what_it_has_to_a_closing_field_is_paid_once_for_each_post() {
    let mut desk = Desk::open();
    let (three, four) = (desk.sealed(3, [95, 305, 200]), desk.sealed(4, [90, 310, 200]));
    desk.challenge(10, 2, 5).unwrap();
    desk.solo_close(11, 0, None).unwrap();
    let mut word = desk.clone();
    word.post(12, 1, &four).unwrap();
    word.enforce(word.deadline() + 1).unwrap();
    word.assert_paid([90, 310 + POST, 200 - POST]);
    // The first is its word, which who asked pays for; the second nobody asked for.
    desk.post(12, 1, &three).unwrap();
    desk.post(13, 1, &four).unwrap();
    desk.enforce(desk.deadline() + 1).unwrap();
    desk.assert_paid([90 - POST, 310 + 2 * POST, 200 - POST]);
}

/// Who shows a state below the round that is asked for says nothing in the leader's name; and a leader that said its word is
/// paid for the answer by who asked, not by the closer once more.
#[test]
fn only_the_leaders_state_below_the_round_is_its_word_and_an_answer_is_paid_for_once() {
    let mut desk = Desk::open();
    desk.challenge(10, 2, 5).unwrap();
    desk.solo_close(11, 0, None).unwrap();
    let (four, five) = (desk.sealed(4, [90, 310, 200]), desk.sealed(5, [80, 320, 200]));
    let mut strangers = desk.clone();
    strangers.post(12, STRANGER, &four).unwrap();
    assert!(strangers.field.challenge.is_some_and(|challenge| challenge.leader.is_none()));
    strangers.enforce(strangers.deadline() + 1).unwrap();
    strangers.assert_paid([90 - POST, 310 - FEE as i128, 200 + FEE as i128]);

    desk.post(12, 1, &four).unwrap();
    desk.post(13, 1, &five).unwrap();
    desk.enforce(desk.deadline() + 1).unwrap();
    desk.assert_paid([80, 320 + POST, 200 - POST]);
}
