//! The wire between members: one encoding, bounds before memory, and what a payment costs.

use super::*;
use crate::{
    codec::DecodeError,
    crypto::{Hash, Signature},
    payment::field::{Amendment, RoundState, Rounds, SealedState},
};
use wire::*;

const SIGNATURE: Signature = Signature([7; 64]);

fn list<T, const MAX: usize>(items: Vec<T>) -> Bounded<T, MAX> {
    Bounded::try_from(items).unwrap()
}

fn round() -> RoundId {
    RoundId { version: 1, round: 2 }
}

fn ordered(amount: u128) -> Ordered {
    Ordered { payer: 1, payee: 2, amount: units(amount), signature: SIGNATURE }
}

fn placed() -> Placed {
    Placed { sequence: 300, index: 4, signature: SIGNATURE }
}

/// One of each kind, in the order of kinds.
fn letters() -> Vec<Letter> {
    let keys: Vec<SecretKey> = (1..=3).map(key).collect();
    let state: RoundState = terms(&keys).first_state(CHAIN).unwrap();
    let offer = Offer { payee: 2, amount: units(9), signature: SIGNATURE };
    let credit = Credit { payment: ordered(1 << 70), placed: placed() };
    let sealed = SealedState { state: state.clone(), signatures: list(vec![SIGNATURE; 3]) };
    vec![
        Letter::Invite(Box::new(Invitation { terms: terms(&keys), signature: SIGNATURE })),
        Letter::Accept(SIGNATURE),
        Letter::Pay(Offers { round: round(), first: 8, items: list(vec![offer; 2]) }),
        Letter::Receipts(Receipts { round: round(), items: list(vec![placed()]) }),
        Letter::Credits(Credits { round: round(), items: list(vec![credit]) }),
        Letter::Propose(Box::new(Proposal { state, signature: SIGNATURE })),
        Letter::Ask(Ask { round: round(), from: 3 }),
        Letter::Part(Part { round: round(), from: 3, items: list(vec![ordered(5); 2]) }),
        Letter::Vote(Vote { round: round(), signature: SIGNATURE }),
        Letter::Sealed(Box::new(sealed)),
        Letter::Close(SIGNATURE),
        Letter::Summon(Box::new(summons(terms(&keys)))),
        Letter::Consent(SIGNATURE),
        Letter::Leave(SIGNATURE),
    ]
}

fn summons(terms: FieldTerms) -> Summons {
    let (last, members) = (terms.first_state(CHAIN).unwrap(), terms.members.clone());
    let amendment = Amendment { last, members, until: Height(9), aggregate: None };
    let mut rounds = Rounds::default();
    for _ in 0..15 {
        rounds = rounds.with(1, &Hash([1; 32])).unwrap();
    }
    Summons { amendment, terms, rounds, signature: SIGNATURE }
}

fn envelope(letter: Letter) -> Vec<u8> {
    Envelope { field: FieldId(Hash([5; 32])), letter }.to_bytes()
}

#[test]
fn every_message_has_one_encoding_and_no_prefix_of_it_is_one() {
    for (kind, letter) in letters().into_iter().enumerate() {
        let bytes = envelope(letter.clone());
        assert_eq!(usize::from(bytes[32]), kind);
        assert_eq!(Envelope::from_bytes(&bytes).map(|it| it.letter), Ok(letter));
        for cut in 0..bytes.len() {
            assert_eq!(Envelope::from_bytes(&bytes[..cut]), Err(DecodeError::Truncated));
        }
        let longer = [&bytes[..], &[0]].concat();
        assert_eq!(Envelope::from_bytes(&longer), Err(DecodeError::Trailing));
    }
    let unknown = [&[5; 32][..], &[14]].concat();
    assert_eq!(Envelope::from_bytes(&unknown), Err(DecodeError::NonCanonical));
}

#[test]
fn the_wire_is_what_it_always_was() {
    let all: Vec<u8> = letters().into_iter().flat_map(envelope).collect();
    // Made here: a changed encoding must be meant.
    let golden = "1acedfa54dc7ddf0123c91fea4655a0addc955e8de499a0efdc01c159f3a86ce";
    assert_eq!(Hash::of(&[&all]).to_hex(), golden);
}

#[test]
fn lists_over_their_bound_are_refused_before_memory_is_taken() {
    for (letter, at) in letters().into_iter().zip([0, 0, 49, 41, 41, 0, 0, 45, 0, 0, 0, 0, 0, 0]) {
        if at == 0 {
            continue;
        }
        let mut bytes = envelope(letter);
        bytes[at..at + 4].copy_from_slice(&u32::MAX.to_le_bytes());
        assert_eq!(Envelope::from_bytes(&bytes), Err(DecodeError::OverLimit));
    }
    assert_eq!(Envelope::from_bytes(&vec![0; MAX_LETTER + 1]), Err(DecodeError::OverLimit));
}

#[test]
fn the_fullest_message_of_each_kind_fits_the_wire() {
    let most = Ordered { amount: units(u128::MAX), ..ordered(0) };
    let placed = Placed { sequence: u64::MAX, index: u32::MAX, signature: SIGNATURE };
    let offer = Offer { payee: 1, amount: units(u128::MAX), signature: SIGNATURE };
    let credit = Credit { payment: most, placed };
    let (round, first, from) = (round(), u64::MAX, u32::MAX);
    let members: Vec<Member> =
        (0..100).map(|_| Member { key: key(1).public(), deposit: units(1) }).collect();
    let keys: Vec<SecretKey> = (1..=3).map(key).collect();
    let terms = FieldTerms { members: list(members), ..terms(&keys) };
    let balances = list(vec![units(1); 100]);
    let state = RoundState { balances, ..terms.first_state(CHAIN).unwrap() };
    let sealed = SealedState { state: state.clone(), signatures: list(vec![SIGNATURE; 100]) };
    for letter in [
        Letter::Summon(Box::new(summons(terms.clone()))),
        Letter::Invite(Box::new(Invitation { terms, signature: SIGNATURE })),
        Letter::Pay(Offers { round, first, items: list(vec![offer; MAX_OFFERED]) }),
        Letter::Receipts(Receipts { round, items: list(vec![placed; MAX_RECEIPTS]) }),
        Letter::Credits(Credits { round, items: list(vec![credit; MAX_CREDITS]) }),
        Letter::Propose(Box::new(Proposal { state, signature: SIGNATURE })),
        Letter::Part(Part { round, from, items: list(vec![most; MAX_PART]) }),
        Letter::Sealed(Box::new(sealed)),
    ] {
        let bytes = envelope(letter);
        assert!(bytes.len() <= MAX_LETTER, "{} bytes of kind {}", bytes.len(), bytes[32]);
    }
}

/// Beside Theta's about 144 bytes and µRaiden's about 113 for a payment (FIELD-NOTES, headline numbers).
#[test]
fn a_payment_takes_66_bytes_to_the_leader_and_67_to_each_other_member() {
    let pay = |count: usize| {
        let offer = Offer { payee: 2, amount: units(99), signature: SIGNATURE };
        envelope(Letter::Pay(Offers { round: round(), first: 0, items: list(vec![offer; count]) }))
    };
    assert_eq!(pay(101).len() - pay(1).len(), 100 * 66);
    let part = |count: usize| {
        envelope(Letter::Part(Part {
            round: round(),
            from: 0,
            items: list(vec![ordered(99); count]),
        }))
    };
    assert_eq!(part(101).len() - part(1).len(), 100 * 67);
}
