//! What a tower keeps, shows and forgets.

#![allow(clippy::arithmetic_side_effects, reason = "a test that overflows fails")]

use super::*;
use antiphon_core::{
    codec::Bounded,
    crypto::{Hash, SecretKey},
    payment::field::{FieldTerms, Member, RoundState, escrow::Change},
};

const CHAIN: ChainId = ChainId(Hash([1; 32]));
const MARGIN: u64 = 4;

/// A field of two with this nonce, as the settled chain has it.
fn open(nonce: u64) -> Row {
    let keys = keys();
    let members = keys
        .iter()
        .map(|key| Member { key: key.public(), deposit: Amount::from_units(100) })
        .collect::<Vec<_>>();
    let terms = FieldTerms {
        nonce,
        members: Bounded::try_from(members).unwrap(),
        dispute: 20,
        response: 10,
        bond: Amount::from_units(1010),
        until: Height(100),
        aggregate: None,
    };
    let signatures: Vec<_> = keys.iter().map(|key| terms.sign(CHAIN, key)).collect();
    let change = with_scene(1, stranger(), |scene| terms.open(CHAIN, &signatures, scene));
    (change.field, change.keys.unwrap())
}

fn keys() -> Vec<SecretKey> {
    let mut keys: Vec<_> = (1..=2).map(|seed| SecretKey::from_bytes(&[seed; 32])).collect();
    keys.sort_by_key(|key| Address::of(&key.public()));
    keys
}

fn stranger() -> Address {
    Address([9; 20])
}

fn member(place: usize) -> Address {
    Address::of(&keys()[place].public())
}

fn with_scene(
    height: u64,
    by: Address,
    act: impl FnOnce(&Scene<'_>) -> Result<Change, FieldError>,
) -> Change {
    let rules = FieldRules::for_chain(MARGIN, 60_000);
    let (height, fee) = (Height(height), Amount::from_units(10));
    act(&Scene { rules: &rules, inclusion_margin: MARGIN, height, by, fee }).unwrap()
}

fn sealed((field, _): &Row, round: u32) -> SealedState {
    let state = RoundState { round, ..field.best.clone() };
    let signatures: Vec<_> = keys().iter().map(|key| key.sign(CHAIN, &state)).collect();
    SealedState { state, signatures: Bounded::try_from(signatures).unwrap() }
}

fn tower() -> Tower {
    Tower {
        rules: FieldRules::for_chain(MARGIN, 60_000),
        inclusion_margin: MARGIN,
        fee: Amount::from_units(10),
        account: stranger(),
        fields: BTreeMap::new(),
    }
}

fn kept(newest: SealedState) -> Kept {
    Kept { newest, before: None }
}

fn rows(row: &Row) -> BTreeMap<FieldId, Row> {
    BTreeMap::from([(row.0.best.field, row.clone())])
}

#[test]
fn only_what_all_signed_and_is_above_what_is_held_is_kept() {
    let (mut tower, row) = (tower(), open(1));
    let check = |tower: &Tower, sealed: &SealedState| {
        tower.check(sealed, Some(&row), Height(5)).map(drop).map_err(|error| error.code())
    };
    let five = sealed(&row, 5);
    assert_eq!(tower.check(&five, None, Height(5)), Err(WatchError::NoField));
    assert_eq!(check(&tower, &sealed(&row, 0)), Err("field/not-higher"), "the chain knows it");
    let mut forged = five.clone();
    forged.state.payments = 9;
    assert_eq!(check(&tower, &forged), Err("field/bad-signature"));
    assert_eq!(check(&tower, &five), Ok(()));
    tower.keep(kept(five.clone()));
    assert_eq!(check(&tower, &five), Err("tower/known"));
    assert_eq!(check(&tower, &sealed(&row, 4)), Err("tower/known"));
    assert_eq!(check(&tower, &sealed(&row, 6)), Ok(()));
}

#[test]
fn there_is_room_for_so_many_fields_and_always_for_a_later_state_of_one() {
    let (mut tower, row) = (tower(), open(1));
    tower.keep(kept(sealed(&row, 5)));
    for n in 1..MAX_WATCHED {
        let mut other = sealed(&row, 5);
        let bytes = u64::try_from(n).unwrap().to_le_bytes();
        other.state.field = FieldId(Hash::of(&[&bytes]));
        tower.keep(kept(other));
    }
    let new = open(2);
    let full = tower.check(&sealed(&new, 5), Some(&new), Height(5));
    assert_eq!(full, Err(WatchError::Full));
    assert!(tower.check(&sealed(&row, 6), Some(&row), Height(5)).is_ok());
}

#[test]
fn a_stale_close_is_superseded_and_said_again_only_after_a_margin() {
    let (mut tower, row) = (tower(), open(1));
    let seven = sealed(&row, 7);
    tower.keep(kept(seven.clone()));
    assert_eq!(tower.look(Height(5), &rows(&row)), [], "nobody closes");
    let (field, keys) = &row;
    let stale = sealed(&row, 3);
    let closing =
        with_scene(5, member(0), |scene| field.solo_close(keys, Some(&stale), scene)).field;
    let row = (closing, keys.clone());
    let post = Order::Post(Box::new(seven.clone()));
    assert_eq!(tower.look(Height(6), &rows(&row)), std::slice::from_ref(&post));
    for next in 7..6 + MARGIN {
        assert_eq!(tower.look(Height(next), &rows(&row)), []);
    }
    assert_eq!(tower.look(Height(6 + MARGIN), &rows(&row)), [post]);
    let posted = with_scene(12, stranger(), |scene| row.0.post(&row.1, &seven, scene)).field;
    let row = (posted, row.1);
    assert_eq!(tower.look(Height(20), &rows(&row)), [], "the chain knows it");
}

#[test]
fn nothing_is_sent_when_it_would_come_too_late() {
    let (mut tower, row) = (tower(), open(1));
    tower.keep(kept(sealed(&row, 7)));
    let (field, keys) = &row;
    let closing = with_scene(5, member(0), |scene| field.solo_close(keys, None, scene)).field;
    let FieldStatus::Closing(until) = closing.status else { panic!("not closing") };
    let row = (closing, keys.clone());
    assert_eq!(tower.look(until.deadline.plus(1), &rows(&row)), []);
    assert_eq!(tower.look(until.deadline, &rows(&row)).len(), 1, "the last block");
}

#[test]
fn a_question_is_answered_with_the_state_that_was_asked_for_or_a_higher_one() {
    let (mut tower, row) = (tower(), open(1));
    tower.keep(kept(sealed(&row, 7)));
    let (field, keys) = &row;
    let asked = |round| {
        let change = with_scene(5, member(1), |scene| field.challenge(keys, round, scene));
        (change.field, keys.clone())
    };
    assert_eq!(tower.look(Height(6), &rows(&asked(8))), [], "it does not have it");
    assert_eq!(tower.look(Height(16), &rows(&asked(7))), [], "too late");
    assert_eq!(tower.look(Height(15), &rows(&asked(7))).len(), 1, "the last block");
}

#[test]
fn a_closed_field_and_one_of_another_version_are_forgotten() {
    let (mut tower, row) = (tower(), open(1));
    tower.keep(kept(sealed(&row, 7)));
    let id = row.0.best.field;
    let (mut closed, keys) = row.clone();
    closed.status = FieldStatus::Closed { at: Height(5) };
    assert_eq!(tower.look(Height(6), &rows(&(closed, keys))), [Order::Forget(id)]);
    assert_eq!(tower.watched().count(), 0);
    tower.keep(kept(sealed(&row, 7)));
    let (mut next, keys) = row;
    next.best.version = 1;
    assert_eq!(tower.look(Height(6), &rows(&(next, keys))), [Order::Forget(id)]);
    assert_eq!(tower.look(Height(7), &BTreeMap::new()), []);
}

/// The state before the newest is kept for the case that the newest is annulled, and what may be annulled replaces nothing.
#[test]
fn a_state_that_may_be_annulled_does_not_take_the_place_of_the_one_before() {
    let (mut tower, row) = (tower(), open(1));
    let bring = |tower: &mut Tower, row: &Row, round: u32, next: u64| {
        let kept = tower.check(&sealed(&row.clone(), round), Some(row), Height(next)).unwrap();
        tower.keep(kept.clone());
        (kept.newest.state.round, kept.before.map(|before| before.state.round))
    };
    assert_eq!(bring(&mut tower, &row, 5, 5), (5, None));
    assert_eq!(bring(&mut tower, &row, 6, 5), (6, Some(5)));
    let (field, keys) = row;
    let asked = with_scene(5, member(1), |scene| field.challenge(&keys, 7, scene)).field;
    let until = asked.challenge.unwrap().deadline;
    let row = (asked, keys);
    assert_eq!(bring(&mut tower, &row, 7, 6), (7, Some(6)), "nobody has asked for round 6");
    assert_eq!(bring(&mut tower, &row, 8, 6), (8, Some(6)), "round 7 may be annulled");
    let after = until.plus(1);
    assert_eq!(
        tower.check(&sealed(&row, 9), Some(&row), after).unwrap_err().code(),
        "field/annulled"
    );
    // Nothing was included in time: the field is closed with what is known, and round 6 is shown.
    let due = with_scene(after.0, stranger(), |scene| row.0.enforce(&row.1, scene)).field;
    let row = (due, row.1);
    let post = Order::Post(Box::new(sealed(&row, 6)));
    assert_eq!(tower.look(after.plus(1), &rows(&row)), [post]);
}

/// A6.12: what was annulled is held by nobody. The state before it is taken if it is not known, and what is sealed next
/// replaces the annulled one, not it.
#[test]
fn a_state_that_was_annulled_keeps_out_neither_the_one_before_nor_the_next() {
    let row = open(1);
    let (field, keys) = row.clone();
    let asked = with_scene(5, member(1), |scene| field.challenge(&keys, 7, scene)).field;
    let after = asked.challenge.unwrap().deadline.plus(1);
    let asked = (asked, keys);
    let rounds = |kept: Result<Kept, WatchError>| {
        let Kept { newest, before } = kept.map_err(|error| error.code())?;
        Ok((newest.state.round, before.map(|before| before.state.round)))
    };
    let holding = |before: Option<u32>| {
        let mut tower = tower();
        let before = before.map(|round| sealed(&row, round));
        tower.keep(Kept { newest: sealed(&row, 7), before });
        tower
    };
    let bring =
        |tower: &Tower, round| rounds(tower.check(&sealed(&row, round), Some(&asked), after));
    assert_eq!(bring(&holding(None), 6), Ok((6, None)), "the only one it has is annulled");
    assert_eq!(bring(&holding(Some(5)), 6), Ok((6, Some(5))));
    assert_eq!(bring(&holding(Some(6)), 6), Err("tower/known"), "it has that");
    assert_eq!(bring(&holding(Some(6)), 7), Err("field/annulled"));
    let early = holding(None).check(&sealed(&row, 6), Some(&asked), Height(after.0 - 1));
    assert_eq!(rounds(early), Err("tower/known"), "round 7 may still be shown");
}
