//! Receipts and credits that come twice, too late, for a place that is taken, or for no payment. A6.9, A6.10.

use super::{
    lies::payment,
    refused::{NEXT, ROUND, faults_of, hears, nothing},
    *,
};
use crate::crypto::Signed;
use wire::*;

/// What the leader signs for a payment at a place of round 1.
fn placed(room: &Room, item: &Ordered, sequence: u64, index: u32) -> Placed {
    let seat = room.machines[1].seats.get(&room.field).unwrap();
    let body = seat.round.payment(item.payer, item.payee, item.amount, sequence);
    let leaf = Signed { body, signature: item.signature }.leaf();
    let signature = room.keys[0].sign(CHAIN, &seat.receipt_body(index, leaf));
    Placed { sequence, index, signature }
}

fn receipts(round: RoundId, items: &[Placed]) -> Letter {
    Letter::Receipts(Receipts { round, items: Bounded::try_from(items.to_vec()).unwrap() })
}

fn credits(room: &Room, round: RoundId, item: Ordered, index: u32) -> Letter {
    let credit = Credit { payment: item, placed: placed(room, &item, 0, index) };
    Letter::Credits(Credits { round, items: Bounded::try_from(vec![credit]).unwrap() })
}

/// A member that has paid, and heard of no receipt.
fn one_paid() -> (Room, Ordered) {
    let mut room = Room::open(3);
    room.cut = vec![(0, 1), (0, 2)];
    room.pay(1, 2, 5).unwrap();
    assert_eq!(room.standings(1), [Standing::Pending]);
    let item = payment(&room, 1, 2, 5, 0);
    (room, item)
}

/// A leader that is asked twice answers twice: the same place is no second place, another one is.
#[test]
fn a_receipt_may_come_twice_and_never_for_two_places() {
    for is_written in [true, false] {
        let (mut room, item) = one_paid();
        if !is_written {
            room.stuck = vec![(1, "log")];
        }
        let (one, other) = (placed(&room, &item, 0, 3), placed(&room, &item, 0, 4));
        let (field, leader) = (room.field, room.address(0));
        let letter = receipts(ROUND, &[one]);
        let bytes = Envelope { field, letter: letter.clone() }.to_bytes();
        room.input(1, Input::Heard(leader, bytes));
        let standing = if is_written { Standing::Sequenced } else { Standing::Pending };
        assert_eq!(room.standings(1), [standing]);
        let before = room.view(1);
        assert_eq!(hears(&mut room, 1, 0, letter), nothing());
        assert_eq!(room.view(1), before);
        if is_written {
            assert_eq!(faults_of(&mut room, 1, 0, receipts(ROUND, &[other])), [Fault::Conflict]);
        }
        // Nor does another payment get this place, written or not.
        let taken = credits(&room, ROUND, payment(&room, 2, 1, 8, 0), 3);
        assert_eq!(faults_of(&mut room, 1, 0, taken), [Fault::Conflict]);
        assert_eq!(room.view(1), before);
    }
}

/// A receipt that says nothing new is no answer: what is still missing is asked for when it is due.
#[test]
fn receipts_that_are_known_do_not_delay_what_is_missing() {
    let (mut room, item) = one_paid();
    let (field, leader) = (room.field, room.address(0));
    let letter = receipts(ROUND, &[placed(&room, &item, 0, 0)]);
    let bytes = Envelope { field, letter: letter.clone() }.to_bytes();
    room.input(1, Input::Heard(leader, bytes));
    room.pay(1, 2, 6).unwrap();
    assert_eq!(room.standings(1), [Standing::Sequenced, Standing::Pending]);
    let due = room.machines[1].deadline();
    room.now = room.now.after(Duration::from_millis(100));
    assert_eq!(hears(&mut room, 1, 0, letter), nothing());
    assert_eq!(room.machines[1].deadline(), due);
}

/// What is not of the running round, or comes while one is voted on, says nothing.
#[test]
fn receipts_and_credits_of_another_round_or_while_one_is_voted_on_are_passed_over() {
    let (mut room, item) = one_paid();
    let gap = placed(&room, &item, 9, 0);
    let unpaid = payment(&room, 2, 1, 0, 0);
    assert_eq!(hears(&mut room, 1, 0, receipts(NEXT, &[gap])), nothing());
    let letter = credits(&room, NEXT, unpaid, 0);
    assert_eq!(hears(&mut room, 1, 0, letter), nothing());
    assert_eq!(faults_of(&mut room, 1, 0, receipts(ROUND, &[gap])), [Fault::Gap]);
    let letter = credits(&room, ROUND, unpaid, 0);
    assert_eq!(faults_of(&mut room, 1, 0, letter.clone()), [Fault::NothingPaid]);
    room.cut = vec![(2, 0)];
    room.close_round().unwrap();
    assert_eq!(room.view(1).step, RoundStep::Signed);
    assert_eq!(hears(&mut room, 1, 0, receipts(ROUND, &[gap])), nothing());
    assert_eq!(hears(&mut room, 1, 0, letter), nothing());
}

/// What pays nothing, or somebody else, is no income, however well it is signed.
#[test]
fn a_credit_that_pays_this_member_nothing_is_refused() {
    let mut room = Room::open(3);
    for item in [payment(&room, 2, 1, 0, 0), payment(&room, 2, 0, 5, 0), payment(&room, 1, 1, 5, 0)]
    {
        let letter = credits(&room, ROUND, item, 0);
        assert_eq!(faults_of(&mut room, 1, 0, letter), [Fault::NothingPaid]);
        assert_eq!(room.view(1).payments, []);
    }
    let letter = credits(&room, ROUND, payment(&room, 2, 1, 5, 0), 0);
    assert_eq!(faults_of(&mut room, 1, 0, letter), []);
}

/// Nobody but the leader says where payments stand.
#[test]
fn receipts_and_credits_of_another_member_are_refused() {
    let (mut room, item) = one_paid();
    let letter = receipts(ROUND, &[placed(&room, &item, 0, 0)]);
    assert_eq!(faults_of(&mut room, 1, 2, letter), [Fault::NotLeader]);
    let letter = credits(&room, ROUND, payment(&room, 2, 1, 5, 0), 0);
    assert_eq!(faults_of(&mut room, 1, 2, letter), [Fault::NotLeader]);
    assert_eq!(room.standings(1), [Standing::Pending]);
}

/// What a member wants closed takes no payments of it any more.
#[test]
fn who_wants_the_field_closed_pays_no_more() {
    let mut room = Room::open(3);
    room.cut = vec![(1, 0)];
    let field = room.field;
    room.command(1, |machine, now, out| machine.close(now, field, out).unwrap());
    assert_eq!(room.pay(1, 2, 5), Err(PayError::NotOpen));
}
