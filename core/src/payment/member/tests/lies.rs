//! A leader that lies by hand: what it proposes, and which payments it shows.

use super::*;
use crate::{
    crypto::Signature,
    payment::field::{FieldPayment, RoundState, SealedState},
};
use round::Round;
use wire::{Ordered, Part, Proposal, RoundId};

/// A payment of the next round with the right signature.
pub(super) fn payment(room: &Room, payer: u8, payee: u8, amount: u128, sequence: u64) -> Ordered {
    let seat = room.machines[0].seats.get(&room.field).unwrap();
    let RoundId { version, round } = seat.running();
    let (field, amount) = (room.field, units(amount));
    let body = FieldPayment { field, version, round, payer, payee, amount, sequence };
    let signature = room.keys[usize::from(payer)].sign(CHAIN, &body);
    Ordered { payer, payee, amount, signature }
}

/// Returns the state after these payments, checked or not.
pub(super) fn state(room: &Room, items: &[Ordered]) -> RoundState {
    let seat = room.machines[0].seats.get(&room.field).unwrap();
    let mut round = Round::after(&seat.sealed.state);
    for item in items {
        let leaf = round.expand(item).leaf();
        round.push(*item, leaf).unwrap();
    }
    round.state(CHAIN, &seat.rounds, false).unwrap()
}

/// The leader proposes this state to a member, and shows it these payments.
pub(super) fn show(room: &mut Room, to: usize, state: &RoundState, items: &[Ordered]) {
    let (field, leader) = (room.field, room.address(0));
    let signature = room.keys[0].sign(CHAIN, state);
    let letter = Letter::Propose(Box::new(Proposal { state: state.clone(), signature }));
    room.cut = vec![(to, 0)];
    room.input(to, Input::Heard(leader, Envelope { field, letter }.to_bytes()));
    let items = Bounded::try_from(items.to_vec()).unwrap();
    let letter = Letter::Part(Part { round: RoundId::of(state), from: 0, items });
    room.input(to, Input::Heard(leader, Envelope { field, letter }.to_bytes()));
}

pub(super) fn signed(room: &Room, at: usize) -> Option<RoundState> {
    let seat = room.machines[at].seats.get(&room.field).unwrap();
    seat.voting.as_ref().map(|voting| voting.state.clone())
}

pub(super) fn faults(room: &Room, at: usize) -> Vec<Fault> {
    room.faults.iter().filter(|(of, _)| *of == at).map(|(_, fault)| *fault).collect()
}

/// A6.10: at most one state of a (version, round), whatever else is proposed, and whatever is forgotten.
#[test]
fn a_second_state_of_a_round_is_never_signed_not_even_after_a_restart() {
    let mut room = Room::open(3);
    let items = [payment(&room, 1, 2, 5, 0), payment(&room, 1, 2, 6, 1)];
    let (one, other) = (state(&room, &items), state(&room, &items[..1]));
    show(&mut room, 2, &one, &items);
    assert_eq!(signed(&room, 2), Some(one.clone()));
    show(&mut room, 2, &other, &items[..1]);
    let files = room.machines[2].files(room.field);
    let shown = files.last().unwrap().verify().unwrap();
    assert_eq!((shown.round, shown.keys), (1, vec![room.keys[0].public()]));
    room.restart(2);
    show(&mut room, 2, &other, &items[..1]);
    assert_eq!(signed(&room, 2), Some(one));
    assert_eq!(faults(&room, 2), [Fault::TwoStates, Fault::TwoStates]);
}

/// A6.10: a member signs what it has computed, nothing else.
#[test]
fn a_state_that_does_not_follow_from_its_payments_is_not_signed() {
    let items = |room: &Room| [payment(room, 1, 2, 5, 0), payment(room, 2, 1, 6, 0)];
    let lies: [fn(&mut RoundState); 6] = [
        |state| {
            let balances = vec![units(1001), units(2000), units(0)];
            state.balances = Bounded::try_from(balances).unwrap();
        },
        |state| {
            let balances = vec![units(9001), units(1001), units(999)];
            state.balances = Bounded::try_from(balances).unwrap();
        },
        |state| state.tx_root = Hash([0; 32]),
        |state| state.prev = Hash([0; 32]),
        |state| state.payments = 1,
        |state| state.round = 2,
    ];
    for (number, lie) in lies.into_iter().enumerate() {
        let mut room = Room::open(3);
        let items = items(&room);
        let mut state = state(&room, &items);
        lie(&mut state);
        show(&mut room, 2, &state, &items);
        assert_eq!(signed(&room, 2), None, "lie {number}");
        assert!(number == 5 || faults(&room, 2).contains(&Fault::WrongState), "lie {number}");
    }
    let mut room = Room::open(3);
    let items = items(&room);
    let swapped = [items[1], items[0]];
    let good = state(&room, &items);
    show(&mut room, 2, &good, &swapped);
    assert_eq!(signed(&room, 2), None, "in another order");
    show(&mut room, 2, &good, &items);
    room.pass(600);
    show(&mut room, 2, &good, &items);
    assert_eq!(signed(&room, 2), Some(good), "payments that come wrong may come right");
}

/// A6.9: consecutive sequences. A payment that was signed once is taken once.
#[test]
fn a_payment_that_stands_in_a_round_twice_or_after_a_gap_is_not_signed() {
    let mut room = Room::open(3);
    let once = payment(&room, 1, 2, 5, 0);
    let later = payment(&room, 1, 2, 5, 2);
    for items in [[once, once], [once, later]] {
        let state = state(&room, &items);
        show(&mut room, 2, &state, &items);
        assert_eq!(signed(&room, 2), None);
        assert_eq!(faults(&room, 2).last(), Some(&Fault::BadSignature));
        room = Room::open(3);
    }
}

/// A6.10: nobody is taken below zero, and nobody's money without its signature.
#[test]
fn a_payment_that_its_payer_did_not_sign_or_cannot_make_is_not_signed() {
    let mut room = Room::open(3);
    let forged = Ordered { payer: 2, ..payment(&room, 1, 0, 5, 0) };
    let stolen = state(&room, &[forged]);
    show(&mut room, 2, &stolen, &[forged]);
    assert_eq!(signed(&room, 2), None);
    assert_eq!(faults(&room, 2), [Fault::BadSignature]);
    let mut room = Room::open(3);
    let (first, beyond) = (payment(&room, 1, 2, 600, 0), payment(&room, 1, 2, 600, 1));
    let mut overdrawn = state(&room, &[first]);
    overdrawn.payments = 2;
    show(&mut room, 2, &overdrawn, &[first, beyond]);
    assert_eq!(signed(&room, 2), None);
    assert_eq!(faults(&room, 2), [Fault::Overdrawn]);
}

/// A6.12: what the chain has annulled is never money, even if all have signed it.
#[test]
fn an_annulled_round_is_not_committed_when_its_signatures_come_late() {
    let mut room = Room::open(3);
    let items = [payment(&room, 1, 2, 5, 0)];
    let state = state(&room, &items);
    show(&mut room, 2, &state, &items);
    room.cut = vec![(0, 1), (0, 2), (1, 0), (2, 0), (1, 2), (2, 1)];
    room.lost = |_, _| true;
    for _ in 0..40 {
        room.block();
    }
    assert_eq!(room.escrow.as_ref().and_then(|(state, _)| state.annulled), Some(1));
    let signatures: Vec<Signature> = room.keys.iter().map(|key| key.sign(CHAIN, &state)).collect();
    let sealed = SealedState { state, signatures: Bounded::try_from(signatures).unwrap() };
    let (field, from) = (room.field, room.address(1));
    let letter = Letter::Sealed(Box::new(sealed));
    room.input(2, Input::Heard(from, Envelope { field, letter }.to_bytes()));
    assert_eq!(room.view(2).round, 0);
    assert_eq!(room.view(2).freeze, None);
}

#[test]
fn only_what_all_have_signed_is_sealed() {
    let mut room = Room::open(3);
    let items = [payment(&room, 1, 2, 5, 0)];
    let state = state(&room, &items);
    show(&mut room, 2, &state, &items);
    let mut signatures: Vec<Signature> =
        room.keys.iter().map(|key| key.sign(CHAIN, &state)).collect();
    signatures[1] = signatures[0];
    let (field, from) = (room.field, room.address(1));
    let heard = |room: &mut Room, signatures: &[Signature]| {
        let signatures = Bounded::try_from(signatures.to_vec()).unwrap();
        let letter = Letter::Sealed(Box::new(SealedState { state: state.clone(), signatures }));
        room.input(2, Input::Heard(from, Envelope { field, letter }.to_bytes()));
    };
    heard(&mut room, &signatures);
    heard(&mut room, &signatures[..2]);
    heard(&mut room, &[]);
    assert_eq!(room.view(2).round, 0);
    assert!(faults(&room, 2).iter().all(|fault| matches!(fault, Fault::NotSealed(_))));
    assert_eq!(faults(&room, 2).len(), 3);
}

/// A6.10: a receipt counts from when it is heard, not from when it is on the disk.
#[test]
fn a_round_without_a_payment_whose_receipt_is_still_being_written_is_not_signed() {
    let mut room = Room::open(3);
    room.stuck = vec![(2, "log")];
    room.pay(1, 2, 5).unwrap();
    let state = state(&room, &[]);
    show(&mut room, 2, &state, &[]);
    assert_eq!(signed(&room, 2), None);
    assert_eq!(faults(&room, 2), [Fault::MissingReceipt]);
    assert_eq!(room.view(2).step, RoundStep::Refused);
}

/// Nothing that only a leader says is taken from a member, and no payment that is not the next one by a leader.
#[test]
fn what_is_not_a_members_to_say_is_refused_by_name() {
    let mut room = Room::open(3);
    let (field, from) = (room.field, room.address(1));
    let state = state(&room, &[payment(&room, 1, 2, 5, 0)]);
    let signature = room.keys[1].sign(CHAIN, &state);
    let said = |room: &mut Room, to: usize, letter: Letter| {
        let before = room.view(to);
        room.faults.clear();
        room.input(to, Input::Heard(from, Envelope { field, letter }.to_bytes()));
        assert_eq!(room.view(to), before);
        faults(room, to).last().copied()
    };
    let round = RoundId::of(&state);
    let proposal = Letter::Propose(Box::new(Proposal { state, signature }));
    assert_eq!(said(&mut room, 2, proposal), Some(Fault::NotLeader));
    let receipts = Letter::Receipts(wire::Receipts { round, items: Bounded::new() });
    assert_eq!(said(&mut room, 2, receipts), Some(Fault::NotLeader));
    let pay = Letter::Pay(wire::Offers { round, first: 0, items: Bounded::new() });
    assert_eq!(said(&mut room, 2, pay), Some(Fault::NotToUs));
    assert_eq!(said(&mut room, 2, Letter::Close(signature)), Some(Fault::NotToUs));
    assert_eq!(said(&mut room, 0, Letter::Close(signature)), Some(Fault::BadSignature));
    let stranger = Address([9; 20]);
    let letter = Letter::Close(signature);
    room.input(0, Input::Heard(stranger, Envelope { field, letter: letter.clone() }.to_bytes()));
    assert_eq!(faults(&room, 0).last(), Some(&Fault::NotMember));
    let field = FieldId::default();
    room.input(0, Input::Heard(stranger, Envelope { field, letter }.to_bytes()));
    assert_eq!(faults(&room, 0).last(), Some(&Fault::NoSuchField));
}

/// Two receipts for one place are a file that anybody can check.
/// A payee counts on nothing whose place the leader has not signed, whoever says so. A6.9.
#[test]
fn a_place_that_the_leader_did_not_sign_is_refused() {
    let mut room = Room::open(3);
    let item = payment(&room, 1, 2, 8, 0);
    let (field, leader) = (room.field, room.address(0));
    let seat = room.machines[2].seats.get(&field).unwrap();
    let body = seat.round.payment(item.payer, item.payee, item.amount, 0);
    let leaf = crate::crypto::Signed { body, signature: item.signature }.leaf();
    let (round, receipt) = (seat.running(), seat.receipt_body(0, leaf));
    let before = room.view(2);
    for forger in [1, 2] {
        let signature = room.keys[forger].sign(CHAIN, &receipt);
        let placed = wire::Placed { sequence: 0, index: 0, signature };
        let items = Bounded::try_from(vec![wire::Credit { payment: item, placed }]).unwrap();
        let letter = Letter::Credits(wire::Credits { round, items });
        room.input(2, Input::Heard(leader, Envelope { field, letter }.to_bytes()));
        assert_eq!(faults(&room, 2).last(), Some(&Fault::BadSignature), "{forger}");
        assert_eq!(room.view(2), before);
    }
}

#[test]
fn two_receipts_for_one_place_are_refused_and_kept_as_evidence() {
    let mut room = Room::open(3);
    room.pay(1, 2, 5).unwrap();
    let item = payment(&room, 0, 2, 8, 0);
    let (field, leader) = (room.field, room.address(0));
    let seat = room.machines[2].seats.get(&field).unwrap();
    let body = seat.round.payment(item.payer, item.payee, item.amount, 0);
    let leaf = crate::crypto::Signed { body, signature: item.signature }.leaf();
    let receipt = seat.receipt_body(0, leaf);
    let (round, signature) = (seat.running(), room.keys[0].sign(CHAIN, &receipt));
    let placed = wire::Placed { sequence: 0, index: 0, signature };
    let credit = wire::Credit { payment: item, placed };
    let items = Bounded::try_from(vec![credit]).unwrap();
    let letter = Letter::Credits(wire::Credits { round, items });
    let before = room.view(2);
    room.input(2, Input::Heard(leader, Envelope { field, letter }.to_bytes()));
    assert_eq!(faults(&room, 2), [Fault::Conflict]);
    assert_eq!(room.view(2), before);
    let files = room.machines[2].files(field);
    let shown = files.last().unwrap().verify().unwrap();
    assert_eq!((shown.round, shown.keys), (1, vec![room.keys[0].public()]));
    room.close_round().unwrap();
    let sealed = room.machines[2].files(field);
    assert_eq!(sealed[0].verify().unwrap().keys.len(), 3);
}
