//! Invitations: who may make them, how many wait, and what they cost. A6.8, A0.7.

use super::*;
use crate::crypto::Signature;

/// Invites member 1, in the name of the leader.
fn invite(room: &mut Room, terms: FieldTerms, signature: Signature) -> Option<Fault> {
    let (field, leader) = (terms.id(CHAIN).unwrap(), room.address(0));
    let letter = Letter::Invite(Box::new(wire::Invitation { terms, signature }));
    room.faults.clear();
    room.input(1, Input::Heard(leader, Envelope { field, letter }.to_bytes()));
    room.faults.first().map(|(_, fault)| *fault)
}

#[test]
fn invitations_have_bounded_room_and_end_with_the_last_block_that_may_open_them() {
    let mut room = Room::new(2);
    let until = |nonce: u64| FieldTerms { nonce, until: Height(100 + nonce), ..terms(&room.keys) };
    let all: Vec<FieldTerms> = (0..10).map(until).collect();
    let sign = |room: &Room, terms: &FieldTerms| terms.sign(CHAIN, &room.keys[0]);
    for terms in &all[..MAX_INVITATIONS] {
        let signature = sign(&room, terms);
        assert_eq!(invite(&mut room, terms.clone(), signature), None);
    }
    let signature = sign(&room, &all[9]);
    assert_eq!(invite(&mut room, all[9].clone(), signature), Some(Fault::TooManyInvitations));
    room.input(1, Input::Tip(Height(99)));
    assert_eq!(room.machines[1].view().len(), MAX_INVITATIONS);
    room.input(1, Input::Tip(Height(100)));
    assert_eq!(room.machines[1].view().len(), MAX_INVITATIONS - 1);
    assert_eq!(invite(&mut room, all[9].clone(), signature), None);
    let signature = sign(&room, &all[0]);
    assert_eq!(invite(&mut room, all[0].clone(), signature), Some(Fault::Expired));
}

/// A0.7: whoever invites is known by one check, and pays for what the list of members costs.
#[test]
fn an_invitation_is_looked_at_only_if_its_leader_has_signed_it_and_costs_by_its_members() {
    let mut room = Room::new(2);
    let short = FieldTerms { dispute: 0, ..terms(&room.keys) };
    let signature = short.sign(CHAIN, &room.keys[1]);
    assert_eq!(invite(&mut room, short.clone(), signature), Some(Fault::BadSignature));
    let signature = short.sign(CHAIN, &room.keys[0]);
    assert!(matches!(invite(&mut room, short, signature), Some(Fault::Terms(_))));
    let others = (0..98).map(|seed| key(100 + seed));
    let keys: Vec<SecretKey> = room.keys.iter().cloned().chain(others).collect();
    let mut members: Vec<Member> = keys
        .iter()
        .map(|key| {
            let deposit = units(if key.public() == keys[0].public() { 2 } else { 1 });
            Member { key: key.public(), deposit }
        })
        .collect();
    members.sort_by_key(Member::address);
    let members = Bounded::try_from(members).unwrap();
    let large = FieldTerms { members, ..terms(&room.keys) };
    let mut taken = 0;
    for until in 500..600 {
        let terms = FieldTerms { until: Height(until), ..large.clone() };
        let signature = terms.sign(CHAIN, &room.keys[0]);
        match invite(&mut room, terms, signature) {
            None => taken += 1,
            Some(fault) => assert_eq!(fault, Fault::TooMuch),
        }
    }
    // 256 units, two of them spent; a hundred members cost 14.
    assert_eq!(taken, 19);
}
