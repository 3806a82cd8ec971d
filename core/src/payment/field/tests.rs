//! What members sign, and what of it is refused.

use super::*;
use crate::{
    amount::Amount,
    codec::Bounded,
    crypto::{Hash, SecretKey, Tagged},
    id::{Address, Height},
};
use alloc::vec::Vec;

const CHAIN: ChainId = ChainId(Hash([1; 32]));
const FEE: Amount = Amount::from_units(10);
const BOND: Amount = Amount::from_units(1010);

#[test]
fn the_richest_leads_and_the_lowest_address_among_equals() {
    assert_eq!(terms(&[5, 9, 7]).leader(), Some(1));
    assert_eq!(terms(&[5, 9, 9]).leader(), Some(1));
    assert_eq!(terms(&[0, 0, 1]).leader(), Some(2));
    assert_eq!(terms(&[]).leader(), None);
}

#[test]
fn the_id_is_the_leaders_and_its_nonces_and_nothing_elses() {
    let one = terms(&[5, 9]);
    let id = one.id(CHAIN).unwrap();
    let longer = FieldTerms { dispute: 999, ..one.clone() };
    assert_eq!(longer.id(CHAIN), Some(id));
    assert_ne!(FieldTerms { nonce: 2, ..one.clone() }.id(CHAIN), Some(id));
    assert_ne!(one.id(ChainId::default()), Some(id));
    assert_ne!(terms(&[9, 5]).id(CHAIN), Some(id), "another leads");
    assert_eq!(terms(&[]).id(CHAIN), None);
}

#[test]
fn terms_outside_the_rules_are_refused_by_name() {
    let (rules, good) = (FieldRules::for_chain(16, 3000), terms(&[5, 9]));
    let check = |terms: &FieldTerms| terms.check(&rules, FEE);
    assert_eq!(check(&good), Ok(()));
    assert_eq!(check(&terms(&[5])), Err(TermsError::TooFewMembers));
    assert_eq!(check(&terms(&[0, 0])), Err(TermsError::BadDeposits));
    assert_eq!(check(&terms(&[u128::MAX, 1])), Err(TermsError::BadDeposits));
    assert_eq!(check(&terms(&[u128::MAX - 3 * 1010, 1])), Err(TermsError::BadDeposits), "bonds");
    assert_eq!(check(&terms(&[u128::MAX - 3 * 1010 - 1, 1])), Ok(()));
    let mut members = good.members.clone().into_vec();
    members.reverse();
    let unsorted = FieldTerms { members: Bounded::try_from(members).unwrap(), ..good };
    assert_eq!(check(&unsorted), Err(TermsError::Unsorted));
    let twice = FieldTerms {
        members: Bounded::try_from(alloc::vec![good.members[0], good.members[0]]).unwrap(),
        ..good.clone()
    };
    assert_eq!(check(&twice), Err(TermsError::Unsorted));
    for (blocks, good_one) in [(31, false), (32, true), (201_600, true), (201_601, false)] {
        let dispute = FieldTerms { dispute: blocks, ..good.clone() };
        let response = FieldTerms { response: blocks, ..good.clone() };
        assert_eq!(check(&dispute).is_ok(), good_one, "{blocks}");
        assert_eq!(check(&response).is_ok(), good_one, "{blocks}");
    }
    let cheap = FieldTerms { bond: Amount::from_units(1009), ..good.clone() };
    assert_eq!(check(&cheap), Err(TermsError::BondTooSmall { bond: cheap.bond, minimum: BOND }));
    let infinity = core::array::from_fn(|i| if i == 0 { 0x40 } else { 0 });
    let aggregate = Some(crate::crypto::bls::BlsPublicKey(infinity));
    assert_eq!(check(&FieldTerms { aggregate, ..good }), Err(TermsError::BadAggregate));
}

#[test]
fn terms_are_signed_by_every_member_in_order() {
    let terms = terms(&[5, 9, 7]);
    let good: Vec<_> = keys(3).iter().map(|key| terms.sign(CHAIN, key)).collect();
    assert_eq!(terms.verify(CHAIN, &good), Ok(()));
    assert_eq!(terms.verify(ChainId::default(), &good), Err(SealError::Signature { place: 0 }));
    assert_eq!(terms.verify(CHAIN, &good[..2]), Err(SealError::Count { keys: 3, signatures: 2 }));
    let permuted = [good[0], good[2], good[1]];
    assert_eq!(terms.verify(CHAIN, &permuted), Err(SealError::Signature { place: 1 }));
    let twice = [good[0], good[1], good[1]];
    assert_eq!(terms.verify(CHAIN, &twice), Err(SealError::Signature { place: 2 }));
}

#[test]
fn an_amendment_is_signed_by_those_before_and_those_who_are_new() {
    let (all, before) = (keys(4), terms(&[5, 9, 7]));
    let old: Vec<_> = before.members.iter().map(|member| member.key).collect();
    let member = |key: &SecretKey| Member { key: key.public(), deposit: Amount::from_units(8) };
    // The first of those before leaves, the fourth key joins.
    let members = all.iter().filter(|key| key.public() != old[0]).map(member);
    let amendment = Amendment {
        last: before.first_state(CHAIN).unwrap(),
        members: Bounded::try_from(members.collect::<Vec<_>>()).unwrap(),
        until: Height(10),
        aggregate: None,
    };
    assert_eq!(amendment.check(BOND), Ok(()));
    let signers = amendment.signers(&old);
    assert_eq!((signers.len(), &signers[..3]), (4, &old[..]));
    let signed_by = |public| all.iter().find(|key| key.public() == public).unwrap();
    let signatures: Vec<_> =
        signers.iter().map(|public| signed_by(*public).sign(CHAIN, &amendment)).collect();
    assert_eq!(amendment.verify(CHAIN, &old, &signatures), Ok(()));
    let count = SealError::Count { keys: 4, signatures: 3 };
    assert_eq!(amendment.verify(CHAIN, &old, &signatures[..3]), Err(count));
    let first = amendment.first_state(CHAIN).unwrap();
    assert_eq!((first.rank(), first.prev), ((1, 0), amendment.digest(CHAIN)));
    assert_eq!(first.sum(), Some(Amount::from_units(24)));
}

#[test]
fn an_amendment_begins_the_next_version_until_versions_have_run_out() {
    let terms = terms(&[5, 9]);
    let of = |version| {
        let last = RoundState { version, ..terms.first_state(CHAIN).unwrap() };
        let (members, until) = (terms.members.clone(), Height(1));
        Amendment { last, members, until, aggregate: None }.version()
    };
    assert_eq!([of(0), of(6), of(u32::MAX)], [Some(1), Some(7), None]);
    let last = RoundState { is_final: true, ..terms.first_state(CHAIN).unwrap() };
    let (members, until) = (terms.members.clone(), Height(1));
    let first = Amendment { last, members, until, aggregate: None }.first_state(CHAIN).unwrap();
    assert!(!first.is_final, "a version does not begin closed");
}

#[test]
fn the_sum_of_the_deposits_is_locked() {
    assert_eq!(terms(&[5, 9, 7]).locked(), Some(Amount::from_units(21)));
    assert_eq!(terms(&[u128::MAX, 1]).locked(), None);
}

/// Keys in the order of their addresses.
fn keys(count: u8) -> Vec<SecretKey> {
    let mut keys: Vec<_> = (1..=count).map(|seed| SecretKey::from_bytes(&[seed; 32])).collect();
    keys.sort_by_key(|key| Address::of(&key.public()));
    keys
}

fn terms(deposits: &[u128]) -> FieldTerms {
    let keys = keys(u8::try_from(deposits.len()).unwrap());
    let member = |(key, deposit): (&SecretKey, &u128)| Member {
        key: key.public(),
        deposit: Amount::from_units(*deposit),
    };
    let members: Vec<_> = keys.iter().zip(deposits).map(member).collect();
    FieldTerms {
        nonce: 1,
        members: Bounded::try_from(members).unwrap(),
        dispute: 100,
        response: 50,
        bond: BOND,
        until: Height(100),
        aggregate: None,
    }
}
