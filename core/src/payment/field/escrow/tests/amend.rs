//! The next version. A6.14.

use super::*;
use crate::{
    crypto::bls::{BlsPublicKey, BlsSecretKey},
    payment::field::Amendment,
};

/// A fourth key whose address may stand anywhere among the others.
fn joiner() -> SecretKey {
    SecretKey::from_bytes(&[44; 32])
}

fn amendment(desk: &Desk, last: RoundState, parts: &[(&SecretKey, u128)]) -> Amendment {
    let mut members: Vec<_> = parts
        .iter()
        .map(|(key, units)| Member { key: key.public(), deposit: Amount::from_units(*units) })
        .collect();
    members.sort_by_key(Member::address);
    let _ = desk;
    Amendment {
        last,
        members: Bounded::try_from(members).unwrap(),
        until: Height(50),
        aggregate: None,
    }
}

fn signed(desk: &Desk, amendment: &Amendment) -> Vec<Signature> {
    let find = |public: &PublicKey| {
        let mut keys = desk.keys.iter().cloned().chain([joiner()]);
        keys.find(|key| key.public() == *public).unwrap()
    };
    let signers = amendment.signers(&desk.members);
    signers.iter().map(|public| find(public).sign(CHAIN, amendment)).collect()
}

fn amend(
    desk: &mut Desk,
    height: u64,
    amendment: &Amendment,
    by: &[Signature],
) -> Result<Change, FieldError> {
    let rules = FieldRules::for_chain(MARGIN, 3000);
    let scene = scene(&rules, height, Address([9; 20]));
    desk.field.amend(&desk.members, amendment, by, &scene)
}

fn aggregate() -> BlsPublicKey {
    BlsSecretKey::from_seed(&[1; 32]).unwrap().public()
}

fn sum_of(list: &[(Address, Amount)], key: &SecretKey) -> u128 {
    let address = Address::of(&key.public());
    list.iter().filter(|(to, _)| *to == address).map(|(_, amount)| amount.units()).sum()
}

#[test]
fn one_leaves_one_joins_one_pays_in_and_another_leads() {
    let mut desk = Desk::open();
    let keys = desk.keys.clone();
    let last = desk.state(5, [90, 310, 200]);
    let amendment = amendment(&desk, last, &[(&keys[1], 100), (&keys[2], 250), (&joiner(), 50)]);
    let signatures = signed(&desk, &amendment);
    assert_eq!(signatures.len(), 4);
    let change = amend(&mut desk, 50, &amendment, &signatures).unwrap();
    assert_eq!(change.field.aggregate, None);
    let named = Amendment { aggregate: Some(aggregate()), ..amendment.clone() };
    let by_all = signed(&desk, &named);
    let of_named = amend(&mut desk, 50, &named, &by_all).unwrap();
    assert_eq!(of_named.field.aggregate, named.aggregate, "the new members' key closes");
    let net = |key| sum_of(&change.pays, key) as i128 - sum_of(&change.takes, key) as i128;
    assert_eq!(net(&keys[0]), 90, "left with all it had");
    assert_eq!(net(&keys[1]), 210 + BOND as i128, "takes out, and leads no more");
    assert_eq!(net(&keys[2]), -50 - BOND as i128, "pays in, and leads");
    assert_eq!(net(&joiner()), -50);
    assert_eq!(
        (change.field.best.rank(), change.field.held()),
        ((1, 5), Some(Amount::from_units(400 + BOND)))
    );
    assert_eq!(change.keys.unwrap()[usize::from(change.field.leader)], keys[2].public());
}

#[test]
fn nobody_joins_without_every_signature_or_too_late() {
    let mut desk = Desk::open();
    let keys = desk.keys.clone();
    let last = desk.state(5, [90, 310, 200]);
    let parts = [(&keys[0], 90), (&keys[1], 310), (&keys[2], 200), (&joiner(), 50)];
    let amendment = amendment(&desk, last, &parts);
    let whole = signed(&desk, &amendment);
    let late = FieldError::Expired { height: Height(51), until: Height(50) };
    assert_eq!(amend(&mut desk, 51, &amendment, &whole), Err(late));
    for missing in 0..4 {
        let mut few = whole.clone();
        few.remove(missing);
        let error = amend(&mut desk, 50, &amendment, &few).unwrap_err();
        assert_eq!(error.code(), "field/signature-count");
        let mut forged = whole.clone();
        forged[missing] = whole[(missing + 1) % 4];
        let error = amend(&mut desk, 50, &amendment, &forged).unwrap_err();
        assert_eq!(error.code(), "field/bad-signature");
    }
}

#[test]
fn the_boundary_is_a_state_that_could_be_enforced() {
    let mut desk = Desk::open();
    let keys = desk.keys.clone();
    let five = desk.sealed(5, [90, 310, 200]);
    desk.challenge(10, 2, 5).unwrap();
    desk.post(11, 1, &five).unwrap();
    let parts = [(&keys[0], 90), (&keys[1], 310)];
    let code = |desk: &mut Desk, last: RoundState| {
        let amendment = amendment(desk, last, &parts);
        let signatures = signed(desk, &amendment);
        amend(desk, 50, &amendment, &signatures).unwrap_err().code()
    };
    let four = desk.state(4, [90, 310, 200]);
    assert_eq!(code(&mut desk, four), "field/not-higher");
    let other = desk.state(5, [91, 309, 200]);
    assert_eq!(code(&mut desk, other), "field/not-higher");
    let more = desk.state(6, [91, 310, 200]);
    assert_eq!(code(&mut desk, more), "field/wrong-sum");
    let (last, _) = desk.final_seal(6, [90, 310, 200]);
    assert_eq!(code(&mut desk, last), "field/finality");
    let mut next = desk.state(6, [90, 310, 200]);
    next.version = 1;
    assert_eq!(code(&mut desk, next), "field/wrong-version");
}

#[test]
fn what_was_annulled_stays_so_and_the_next_version_goes_on_without_it() {
    let mut desk = Desk::open();
    let keys = desk.keys.clone();
    desk.challenge(10, 2, 5).unwrap();
    desk.enforce(10 + RESPONSE + 1).unwrap();
    let parts = [(&keys[0], 100), (&keys[1], 300), (&keys[2], 200)];
    let until = Height(1000);
    let five = Amendment { until, ..amendment(&desk, desk.state(5, [90, 310, 200]), &parts) };
    let signatures = signed(&desk, &five);
    assert_eq!(amend(&mut desk, 60, &five, &signatures).unwrap_err().code(), "field/annulled");
    let four = Amendment { until, ..amendment(&desk, desk.state(4, [90, 310, 200]), &parts) };
    let signatures = signed(&desk, &four);
    desk.act(60, STRANGER, |field, keys, scene| field.amend(keys, &four, &signatures, scene))
        .unwrap();
    assert_eq!((desk.field.status, desk.field.annulled), (FieldStatus::Open, None));
    assert_eq!(desk.gains[1], -300 - BOND as i128 + 10 - FEE as i128, "the bond is whole again");
    let next = desk.sealed(5, [0, 300, 300]);
    desk.solo_close(61, 2, Some(&next)).unwrap();
    desk.enforce(desk.deadline() + 1).unwrap();
    assert_eq!(desk.field.best.rank(), (1, 5));
}

#[test]
fn a_dispute_ends_where_all_go_on_and_nobodys_bond_is_lost() {
    let mut desk = Desk::open();
    let keys = desk.keys.clone();
    desk.challenge(10, 2, 9).unwrap();
    desk.solo_close(11, 0, None).unwrap();
    let parts = [(&keys[0], 100), (&keys[1], 300), (&keys[2], 200)];
    let on = amendment(&desk, desk.state(4, [100, 300, 200]), &parts);
    let signatures = signed(&desk, &on);
    desk.act(12, STRANGER, |field, keys, scene| field.amend(keys, &on, &signatures, scene))
        .unwrap();
    assert_eq!(desk.gains, [-100, -300 - BOND as i128, -200, 0]);
    assert_eq!((desk.field.status, desk.field.challenge), (FieldStatus::Open, None));
}
