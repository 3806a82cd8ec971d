//! How a field ends. A6.11.

use super::*;
use crate::{
    crypto::{
        Tagged,
        bls::{BlsPublicKey, BlsSecretKey, BlsSignature},
    },
    payment::field::SealError,
};

#[test]
fn a_final_state_closes_at_once_and_pays_everybody() {
    let mut desk = Desk::open();
    let last = desk.final_seal(7, [50, 350, 200]);
    desk.close(2, &last).unwrap();
    desk.assert_paid([50, 350, 200]);
    let closed = desk.field.closed_at(Height(2)).unwrap();
    assert_eq!((closed.version, closed.round, closed.payments), (0, 7, 70));
    assert_eq!(closed.tx_root, last.0.tx_root);
    assert_eq!(desk.field.closed_at(Height(3)), None);
    assert_eq!(desk.close(3, &last), Err(FieldError::Closed));
    assert_eq!(desk.enforce(3), Err(FieldError::Closed));
    assert_eq!(desk.solo_close(3, 0, None), Err(FieldError::NotMember), "nobody is one any more");
}

#[test]
fn a_state_that_is_not_final_or_not_whole_closes_nothing() {
    let mut desk = Desk::open();
    let sealed = desk.sealed(7, [50, 350, 200]);
    let open = (sealed.state, Seal::Each(sealed.signatures));
    assert_eq!(desk.close(2, &open), Err(FieldError::Finality));
    let (state, Seal::Each(signatures)) = desk.final_seal(7, [50, 350, 200]) else { panic!() };
    let whole = signatures.into_vec();
    for (wrong, code) in [
        (whole[..2].to_vec(), "field/signature-count"),
        ([&whole[..], &whole[..1]].concat(), "field/signature-count"),
        (alloc::vec![whole[0], whole[0], whole[2]], "field/bad-signature"),
        (alloc::vec![whole[1], whole[0], whole[2]], "field/bad-signature"),
    ] {
        let seal = Seal::Each(Bounded::try_from(wrong).unwrap());
        assert_eq!(desk.close(2, &(state.clone(), seal)).unwrap_err().code(), code);
    }
    let richer = RoundState { balances: desk.state(1, [51, 350, 200]).balances, ..state };
    let sealed = desk.seal(richer);
    let wrong = (sealed.state, Seal::Each(sealed.signatures));
    assert_eq!(desk.close(2, &wrong), Err(FieldError::WrongSum));
    let few = RoundState {
        balances: Bounded::try_from(alloc::vec![Amount::from_units(600)]).unwrap(),
        ..wrong.0
    };
    let sealed = desk.seal(few);
    let wrong = (sealed.state, Seal::Each(sealed.signatures));
    assert_eq!(desk.close(2, &wrong), Err(FieldError::WrongSum));
}

#[test]
fn one_aggregated_signature_closes_where_the_terms_name_its_key() {
    let mut desk = Desk::open();
    let keys = [1, 2, 3].map(|seed| BlsSecretKey::from_seed(&[seed; 32]).unwrap());
    let (state, _) = desk.final_seal(7, [50, 350, 200]);
    let sign = |keys: &[BlsSecretKey]| {
        let shares: Vec<_> = keys.iter().map(|key| key.sign(state.digest(CHAIN))).collect();
        let seal = Seal::Aggregate(BlsSignature::aggregate(&shares).unwrap().into());
        (state.clone(), seal)
    };
    assert_eq!(desk.close(2, &sign(&keys)), Err(FieldError::Seal(SealError::Aggregate)));
    let public = keys.each_ref().map(BlsSecretKey::public);
    desk.field.aggregate = Some(BlsPublicKey::aggregate(&public).unwrap());
    assert_eq!(desk.close(2, &sign(&keys[..2])), Err(FieldError::Seal(SealError::Aggregate)));
    desk.close(2, &sign(&keys)).unwrap();
    desk.assert_paid([50, 350, 200]);
}

#[test]
fn who_closes_alone_waits_for_the_dispute_and_gets_its_bond_back() {
    let mut desk = Desk::open();
    assert_eq!(desk.solo_close(10, STRANGER, None), Err(FieldError::NotMember));
    let state = desk.sealed(3, [90, 310, 200]);
    desk.solo_close(10, 0, Some(&state)).unwrap();
    assert_eq!(desk.deadline(), 10 + DISPUTE);
    assert_eq!(desk.solo_close(11, 1, None), Err(FieldError::Closing));
    assert_eq!(desk.challenge(11, 1, 9), Err(FieldError::Closing));
    let early = Height(10 + DISPUTE);
    assert_eq!(desk.enforce(early.0), Err(FieldError::NotDue { height: early }));
    desk.enforce(early.0 + 1).unwrap();
    desk.assert_paid([90, 310, 200]);
}

#[test]
fn deposits_are_a_state_that_needs_no_signature() {
    let mut desk = Desk::open();
    desk.solo_close(10, 2, None).unwrap();
    desk.enforce(10 + DISPUTE + 1).unwrap();
    desk.assert_paid([100, 300, 200]);
}

#[test]
fn a_higher_state_supersedes_up_to_the_last_block_and_its_poster_is_paid_by_the_closer() {
    let mut desk = Desk::open();
    let (stale, newest) = (desk.sealed(3, [190, 210, 200]), desk.sealed(7, [50, 350, 200]));
    desk.solo_close(10, 0, Some(&stale)).unwrap();
    let last = desk.deadline();
    let mut late = desk.clone();
    let deadline = Height(last);
    let error = FieldError::TooLate { height: Height(last + 1), deadline };
    assert_eq!(late.post(last + 1, STRANGER, &newest), Err(error));
    late.enforce(last + 1).unwrap();
    late.assert_paid([190, 210, 200]);

    desk.post(last, STRANGER, &newest).unwrap();
    assert_eq!(desk.deadline(), last + MARGIN, "time for who knows still better");
    assert!(desk.enforce(last + 1).is_err());
    desk.enforce(last + MARGIN + 1).unwrap();
    desk.assert_paid([50 - POST, 350, 200]);
    assert_eq!(desk.gains[STRANGER], POST);
}

#[test]
fn what_is_not_higher_or_not_of_this_field_supersedes_nothing() {
    let mut desk = Desk::open();
    let seven = desk.sealed(7, [50, 350, 200]);
    desk.solo_close(10, 0, Some(&seven)).unwrap();
    let not_higher = |round| Err(FieldError::NotHigher { round, best: 7 });
    assert_eq!(desk.post(11, 1, &seven), not_higher(7));
    let other = desk.sealed(7, [0, 400, 200]);
    assert_eq!(desk.post(11, 1, &other), not_higher(7));
    let six = desk.sealed(6, [0, 400, 200]);
    assert_eq!(desk.post(11, 1, &six), not_higher(6));
    let mut forged = desk.sealed(8, [0, 400, 200]);
    forged.signatures = seven.signatures;
    assert_eq!(desk.post(11, 1, &forged).unwrap_err().code(), "field/bad-signature");
    let mut version = desk.state(8, [0, 400, 200]);
    version.version = 1;
    let version = desk.seal(version);
    assert_eq!(desk.post(11, 1, &version).unwrap_err().code(), "field/wrong-version");
    let mut field = desk.state(8, [0, 400, 200]);
    field.field = FieldId(Hash([9; 32]));
    let field = desk.seal(field);
    assert_eq!(desk.post(11, 1, &field), Err(FieldError::WrongField));
}

#[test]
fn states_in_between_move_the_deadline_only_to_its_limit() {
    let mut desk = Desk::open();
    desk.solo_close(10, 0, None).unwrap();
    let first = desk.deadline();
    let limit = first + 4 * MARGIN;
    for round in 1..20 {
        let state = desk.sealed(round, [100, 300, 200]);
        let last = desk.deadline();
        desk.post(last, 0, &state).unwrap();
        assert_eq!(desk.deadline(), (last + MARGIN).min(limit));
    }
    assert_eq!(desk.deadline(), limit);
    desk.enforce(limit + 1).unwrap();
    assert_eq!(desk.field.best.round, 19);
}

#[test]
fn a_post_long_before_the_deadline_does_not_move_it() {
    let mut desk = Desk::open();
    desk.solo_close(10, 0, None).unwrap();
    let (first, state) = (desk.deadline(), desk.sealed(1, [100, 300, 200]));
    desk.post(11, STRANGER, &state).unwrap();
    assert_eq!(desk.deadline(), first);
}

#[test]
fn only_who_showed_what_is_enforced_is_paid() {
    let mut desk = Desk::open();
    desk.solo_close(10, 0, None).unwrap();
    for (round, who) in [(1, 0), (2, 0), (3, STRANGER)] {
        let state = desk.sealed(round, [100, 300, 200]);
        desk.post(11, who, &state).unwrap();
    }
    desk.enforce(desk.deadline() + 1).unwrap();
    desk.assert_paid([100 - POST, 300, 200]);
    assert_eq!(desk.gains[STRANGER], POST);
}

#[test]
fn all_together_end_a_close_that_one_began() {
    let mut desk = Desk::open();
    desk.solo_close(10, 0, None).unwrap();
    let last = desk.final_seal(4, [10, 390, 200]);
    desk.close(11, &last).unwrap();
    desk.assert_paid([10, 390, 200]);
}

/// Who the members were is what a closed field keeps of them: no digest of nobody takes its place.
#[test]
fn members_that_no_field_can_have_close_nothing() {
    let mut desk = Desk::open();
    desk.solo_close(10, 0, None).unwrap();
    let strangers = alloc::vec![desk.members[0]; MAX_MEMBERS];
    let many = [desk.members.to_vec(), strangers].concat();
    let after = desk.deadline() + 1;
    let enforced = desk.act(after, STRANGER, |field, _, scene| field.enforce(&many, scene));
    assert_eq!(enforced, Err(FieldError::OutOfRange));
    desk.enforce(after).unwrap();
}
