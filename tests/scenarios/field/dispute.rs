//! Stale closes, withheld states, silence and griefing. ADVERSARIAL 23, 24, 25; boundary heights of A6.11 and A6.12.

use super::case::{Case, DISPUTE, MARGIN, RESPONSE, TOWER};
use antiphon_core::{
    codec::Bounded,
    payment::field::{FieldAct, SealedState, escrow::FieldStatus},
};
use antiphon_tests::sim::genesis::FEE;

/// A post that three have signed, and any other act, as its sender pays for it.
const POST: i128 = 4 * FEE as i128;
const ACT: i128 = FEE as i128;
/// What the tower paid to open the field.
const OPENED: i128 = -POST;

#[test]
fn a_stale_close_that_nobody_watches_is_enforced() {
    let mut case = Case::open();
    let three = case.sealed(3, [250, 150, 200]);
    assert_eq!(case.solo_close(0, &three), None);
    case.wait(case.next() + DISPUTE);
    assert_eq!(case.enforce(), None);
    assert_eq!([case.gain(0), case.gain(1), case.gain(2)], [150 - POST, -150, 0], "result 3");
}

#[test]
fn a_tower_supersedes_in_the_last_block_and_who_dribbles_gains_a_bounded_time() {
    let mut case = Case::open();
    let states: Vec<_> = (3..=7).map(|round| case.sealed(round, [250, 150, 200])).collect();
    let seven = case.sealed(7, [20, 380, 200]);
    assert_eq!(case.solo_close(0, &states[0]), None);
    let first = case.next() - 1 + DISPUTE;
    let mut deadline = first;
    for state in &states[1..4] {
        case.wait(deadline);
        assert_eq!(case.post(0, state), None, "in the last block");
        deadline += MARGIN;
        assert_eq!(case.enforce(), Some("field/not-due"));
    }
    assert!(deadline <= first + 4 * MARGIN);
    case.wait(deadline);
    assert_eq!(case.post(TOWER, &seven), None);
    let limit = first + 4 * MARGIN;
    case.wait(limit);
    assert_eq!(case.enforce(), Some("field/not-due"));
    assert_eq!(case.enforce(), None, "no post can move it further");
    let tower = OPENED - POST + POST - ACT;
    assert_eq!(case.gain(TOWER), tower, "the closer's bond pays for the post");
    assert_eq!([case.gain(1), case.gain(2)], [80, 0], "result 7");
    assert_eq!(case.gain(0), -80 - 4 * POST - POST, "its acts, and the tower's");
    assert_eq!(case.post(TOWER, &seven), Some("field/closed"));
}

#[test]
fn a_forged_or_annulled_state_supersedes_nothing() {
    let mut case = Case::open();
    let (four, five) = (case.sealed(4, [90, 310, 200]), case.sealed(5, [0, 400, 200]));
    assert_eq!(case.challenge(2, 5), None);
    assert_eq!(case.post(1, &four), None, "the leader shows what it has");
    case.wait(case.next() + RESPONSE);
    assert_eq!(case.enforce(), None);
    assert_eq!(case.solo_close(0, &four), None);
    assert_eq!(case.post(1, &five), Some("field/annulled"));
    let mut forged = case.sealed(5, [0, 400, 200]);
    forged.state.round = 4;
    forged.signatures = four.signatures.clone();
    assert_eq!(case.post(1, &forged), Some("field/not-higher"));
    case.wait(case.next() + DISPUTE);
    assert_eq!(case.enforce(), None);
    assert_eq!(case.till.field(case.field).unwrap().best.round, 4, "exactly r-1");
}

/// Case 23, the chain's half: two states of one round, each signed by a part, are states of nobody.
#[test]
fn a_round_that_a_leader_told_two_ways_is_never_enforced() {
    let mut case = Case::open();
    let (one, other) = (case.sealed(5, [90, 310, 200]), case.sealed(5, [190, 210, 200]));
    let mut mixed = one.clone();
    let mut signatures = one.signatures.clone().into_vec();
    signatures[2] = other.signatures[2];
    mixed.signatures = signatures.try_into().unwrap();
    let four = case.sealed(4, [100, 300, 200]);
    assert_eq!(case.challenge(2, 5), None);
    assert_eq!(case.post(1, &mixed), Some("field/bad-signature"));
    case.wait(case.next() + RESPONSE);
    assert_eq!(case.enforce(), None, "it stopped: the field closes without it");
    assert_eq!(case.post(0, &one), Some("field/annulled"));
    assert_eq!(case.post(0, &four), None);
    let FieldStatus::Closing(closing) = case.till.field(case.field).unwrap().status else {
        panic!("not closing")
    };
    case.wait(closing.deadline.0 + 1);
    assert_eq!(case.enforce(), None);
    assert_eq!(case.till.field(case.field).unwrap().best.round, 4);
    assert_eq!(case.gain(0), 0, "the leader paid for the post");
    assert_eq!(case.gain(2), 0, "and for the challenge");
    assert_eq!(case.gain(1), -POST - ACT);
}

#[test]
fn who_goes_silent_or_grieves_delays_the_others_for_a_bounded_time_and_pays() {
    let mut case = Case::open();
    let begun = case.next();
    let state = case.sealed(6, [120, 330, 150]);
    // It asks for a round that nobody has begun, is answered, and asks again.
    assert_eq!(case.challenge(2, 7), None);
    assert_eq!(case.challenge(2, 8), Some("field/challenged"));
    assert_eq!(case.solo_close(0, &state), None);
    let closed = case.next() - 1 + DISPUTE;
    assert_eq!(case.challenge(2, 8), Some("field/closing"));
    let known = SealedState { signatures: Bounded::new(), ..state };
    assert_eq!(case.post(1, &known), None, "the leader shows that it has no more");
    case.wait(closed + 1);
    assert_eq!(case.enforce(), None);
    assert!(case.next() - begun <= DISPUTE + 4 * MARGIN + 4, "all are paid");
    assert_eq!(case.gain(0), 20 - POST);
    assert_eq!(case.gain(1), 30, "not punished, and its post is paid for");
    assert_eq!(case.gain(2), -50 - ACT - ACT, "who asked pays");
}

/// The answer of the last block and the annulment of the next never share a height, whatever the order in the block.
#[test]
fn boundary_heights_are_sharp_in_every_order() {
    for at in [RESPONSE, RESPONSE + 1] {
        for answer_first in [true, false] {
            let mut case = Case::open();
            let state = case.sealed(5, [90, 310, 200]);
            assert_eq!(case.challenge(2, 5), None);
            case.wait(case.next() - 1 + at);
            let post = case.sign(0, FieldAct::Post(Box::new(state)));
            let enforce = case.sign(TOWER, FieldAct::Enforce(case.field));
            let both = if answer_first { vec![post, enforce] } else { vec![enforce, post] };
            let refused = case.settle(both);
            assert_eq!(refused.len(), 1, "exactly one of the pair is valid");
            let is_annulled = case.till.field(case.field).unwrap().annulled.is_some();
            assert_eq!(is_annulled, at > RESPONSE);
        }
    }
    for at in [DISPUTE, DISPUTE + 1] {
        for post_first in [true, false] {
            let mut case = Case::open();
            let (three, seven) = (case.sealed(3, [250, 150, 200]), case.sealed(7, [20, 380, 200]));
            assert_eq!(case.solo_close(0, &three), None);
            case.wait(case.next() - 1 + at);
            let post = case.sign(1, FieldAct::Post(Box::new(seven)));
            let enforce = case.sign(TOWER, FieldAct::Enforce(case.field));
            let both = if post_first { vec![post, enforce] } else { vec![enforce, post] };
            assert_eq!(case.settle(both).len(), 1, "exactly one of the pair is valid");
            let best = case.till.field(case.field).unwrap().best.round;
            assert_eq!(best, if at > DISPUTE { 3 } else { 7 });
        }
    }
}
