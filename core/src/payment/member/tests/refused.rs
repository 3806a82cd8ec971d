//! Letters that say what is not so, come from who has nothing to say, or too early: each is refused by name or passed over,
//! and nothing is changed by it. A6.9, A6.10.

use super::{lies::*, *};
use crate::payment::field::RoundState;
use wire::*;

/// Hands a letter to a member. Returns what it says to that, and does none of it.
pub(super) fn hears(
    room: &mut Room,
    at: usize,
    from: usize,
    letter: Letter,
) -> (Vec<Letter>, Vec<Fault>) {
    let (field, from, now) = (room.field, room.address(from), room.now);
    let mut out = Vec::new();
    let bytes = Envelope { field, letter }.to_bytes();
    room.machines[at].handle(now, Input::Heard(from, bytes), &mut out);
    let (mut letters, mut faults) = (Vec::new(), Vec::new());
    for output in out {
        if let Output::Send(_, bytes) = output {
            letters.push(Envelope::from_bytes(&bytes).unwrap().letter);
        } else if let Output::Fault(_, fault) = output {
            faults.push(fault);
        }
    }
    (letters, faults)
}

pub(super) fn faults_of(room: &mut Room, at: usize, from: usize, letter: Letter) -> Vec<Fault> {
    hears(room, at, from, letter).1
}

pub(super) fn nothing() -> (Vec<Letter>, Vec<Fault>) {
    (Vec::new(), Vec::new())
}

pub(super) const ROUND: RoundId = RoundId { version: 0, round: 1 };
pub(super) const NEXT: RoundId = RoundId { version: 0, round: 2 };

fn pay(room: &Room, round: RoundId, first: u64, items: &[Ordered]) -> Letter {
    let offer = |item: &Ordered| {
        let Ordered { payee, amount, signature, .. } = *item;
        Offer { payee, amount, signature }
    };
    assert_eq!(room.machines.len(), 3);
    let items = Bounded::try_from(items.iter().map(offer).collect::<Vec<_>>()).unwrap();
    Letter::Pay(Offers { round, first, items })
}

fn ordered_by_leader(room: &Room) -> usize {
    room.machines[0].seats.get(&room.field).unwrap().round.items().len()
}

/// Nothing that its payer cannot pay, has not signed, or that pays nobody is put in the order.
#[test]
fn an_offer_that_is_no_payment_is_not_ordered() {
    let mut room = Room::open(3);
    let good = payment(&room, 1, 2, 5, 0);
    let beyond = [payment(&room, 1, 2, 600, 0), payment(&room, 1, 2, 401, 1)];
    for (items, fault) in [
        (&[Ordered { amount: units(6), ..good }][..], Fault::BadSignature),
        (&[Ordered { payee: 0, ..good }], Fault::BadSignature),
        (&[payment(&room, 1, 2, 5, 1)], Fault::BadSignature),
        (&[payment(&room, 1, 1, 5, 0)], Fault::NothingPaid),
        (&[payment(&room, 1, 2, 0, 0)], Fault::NothingPaid),
        (&[payment(&room, 1, 3, 5, 0)], Fault::NoSuchMember),
        (&[payment(&room, 1, 2, 1001, 0)], Fault::Overdrawn),
        (&beyond, Fault::Overdrawn),
        (&[good, Ordered { amount: units(6), ..payment(&room, 1, 2, 5, 1) }], Fault::BadSignature),
    ] {
        let letter = pay(&room, ROUND, 0, items);
        assert_eq!(faults_of(&mut room, 0, 1, letter), [fault]);
        assert_eq!(ordered_by_leader(&room), 0, "{fault:?}");
    }
    let letter = pay(&room, ROUND, 0, &[good]);
    assert_eq!(faults_of(&mut room, 0, 1, letter), []);
    assert_eq!(ordered_by_leader(&room), 1);
}

/// Messages overtake each other and come twice: what is new is taken, what was taken is told again, what leaves a gap waits.
#[test]
fn offers_that_overlap_or_leave_a_gap_are_taken_once_and_in_order() {
    let mut room = Room::open(3);
    room.cut = vec![(0, 1), (0, 2)];
    let [one, two, three] = [0, 1, 2].map(|at| payment(&room, 1, 2, 5, at));
    let letter = pay(&room, ROUND, 1, &[two]);
    assert_eq!(hears(&mut room, 0, 1, letter), nothing());
    assert_eq!(ordered_by_leader(&room), 0, "the first is missing");
    let letter = pay(&room, NEXT, 0, &[one]);
    assert_eq!(hears(&mut room, 0, 1, letter), nothing());
    assert_eq!(ordered_by_leader(&room), 0, "of another round");
    let letter = pay(&room, ROUND, 0, &[one]);
    assert_eq!(hears(&mut room, 0, 1, letter.clone()), nothing());
    assert_eq!(hears(&mut room, 0, 1, letter), nothing(), "its place is not durable yet");
    let letter = pay(&room, ROUND, 0, &[one, two]);
    assert_eq!(hears(&mut room, 0, 1, letter), nothing());
    assert_eq!(ordered_by_leader(&room), 2);
    let other = pay(&room, ROUND, 1, &[three]);
    assert_eq!(faults_of(&mut room, 0, 1, other), [Fault::Conflict]);
    assert_eq!(ordered_by_leader(&room), 2);
}

/// A receipt that was lost is given again, and says the same place.
#[test]
fn a_payment_that_was_ordered_is_receipted_again() {
    let mut room = Room::open(3);
    let items = [payment(&room, 1, 2, 5, 0), payment(&room, 1, 0, 6, 1)];
    let letter = pay(&room, ROUND, 0, &items);
    let (field, from) = (room.field, room.address(1));
    room.lost = |from, _| from == 0;
    room.input(0, Input::Heard(from, Envelope { field, letter: letter.clone() }.to_bytes()));
    let (said, faults) = hears(&mut room, 0, 1, letter);
    assert_eq!(faults, []);
    let places: Vec<u32> = said
        .iter()
        .filter_map(|it| if let Letter::Receipts(it) = it { Some(it) } else { None })
        .flat_map(|it| it.items.iter().map(|placed| placed.index))
        .collect();
    assert_eq!(places, [0, 1]);
    room.pay(0, 1, 7).unwrap();
    let own = room.view(0).payments.last().cloned().unwrap();
    assert_eq!((own.standing, own.index, own.id), (Standing::Sequenced, Some(2), Some(0)));
}

/// A round that is voted on takes nothing more.
#[test]
fn an_offer_that_comes_while_a_round_is_voted_on_is_passed_over() {
    let mut room = Room::open(3);
    room.pay(1, 2, 5).unwrap();
    room.cut = vec![(0, 1), (0, 2)];
    room.close_round().unwrap();
    let letter = pay(&room, ROUND, 1, &[payment(&room, 1, 2, 5, 1)]);
    assert_eq!(hears(&mut room, 0, 1, letter), nothing());
    assert_eq!(ordered_by_leader(&room), 1);
}

pub(super) fn proposal(room: &Room, by: usize, state: &RoundState) -> Letter {
    let signature = room.keys[by].sign(CHAIN, state);
    Letter::Propose(Box::new(Proposal { state: state.clone(), signature }))
}

pub(super) fn vote(room: &Room, by: usize, round: RoundId, state: &RoundState) -> Letter {
    Letter::Vote(Vote { round, signature: room.keys[by].sign(CHAIN, state) })
}

/// The leader's word is its signature: a message that only comes from it is nobody's proposal.
#[test]
fn a_proposal_that_the_leader_did_not_sign_is_refused() {
    let mut room = Room::open(3);
    let items = [payment(&room, 1, 2, 5, 0)];
    let other = state(&room, &[payment(&room, 1, 2, 6, 0)]);
    let state = state(&room, &items);
    let forged = proposal(&room, 1, &state);
    assert_eq!(hears(&mut room, 2, 0, forged), (vec![], vec![Fault::BadSignature]));
    assert_eq!(room.view(2).step, RoundStep::Running);
    // Nor is it the second of two words.
    show(&mut room, 2, &state, &items);
    assert_eq!(signed(&room, 2), Some(state.clone()));
    let forged = proposal(&room, 1, &other);
    assert_eq!(faults_of(&mut room, 2, 0, forged), [Fault::BadSignature]);
    assert_eq!(room.machines[2].files(room.field).len(), 0);
}

/// A vote is for one round, and of who sends it.
#[test]
fn a_vote_counts_for_its_own_round_with_its_own_signature() {
    let mut room = Room::open(3);
    room.pay(1, 2, 5).unwrap();
    room.cut = vec![(1, 0), (2, 0)];
    room.close_round().unwrap();
    let state = signed(&room, 0).unwrap();
    let later = vote(&room, 2, NEXT, &state);
    assert_eq!(hears(&mut room, 0, 2, later), nothing());
    let stolen = vote(&room, 1, ROUND, &state);
    assert_eq!(faults_of(&mut room, 0, 2, stolen), [Fault::BadSignature]);
    assert!(!room.view(0).members[2].has_signed);
    let good = vote(&room, 2, ROUND, &state);
    assert_eq!(faults_of(&mut room, 0, 2, good), []);
    assert!(room.view(0).members[2].has_signed);
}

/// A0.6: what is proposed is durable before its payments are shown.
#[test]
fn payments_of_a_round_are_shown_when_its_state_is_durable_and_of_no_other() {
    let mut room = Room::open(3);
    room.pay(1, 2, 5).unwrap();
    room.stuck = vec![(0, "log")];
    room.cut = vec![(1, 0), (2, 0)];
    room.close_round().unwrap();
    let ask = |round| Letter::Ask(Ask { round, from: 0 });
    assert_eq!(hears(&mut room, 0, 1, ask(ROUND)), nothing());
    let mut room = Room::open(3);
    room.pay(1, 2, 5).unwrap();
    room.cut = vec![(1, 0), (2, 0)];
    room.close_round().unwrap();
    assert!(matches!(hears(&mut room, 0, 1, ask(ROUND)).0[..], [Letter::Part(_)]));
    assert_eq!(hears(&mut room, 0, 1, ask(NEXT)), nothing());
    room.cut.clear();
    room.pass(2000);
    assert_eq!(room.view(0).round, 1);
    assert!(matches!(hears(&mut room, 0, 1, ask(ROUND)).0[..], [Letter::Sealed(_)]));
}

/// Who is behind is told what is sealed, and who is ahead what it may have missed.
#[test]
fn a_proposal_of_another_round_is_answered_with_what_it_misses() {
    let mut room = Room::open(3);
    let items = [payment(&room, 1, 2, 5, 0)];
    let first = state(&room, &items);
    show(&mut room, 2, &first, &items);
    let mut next = first.clone();
    next.round = 2;
    let letter = proposal(&room, 0, &next);
    let (said, faults) = hears(&mut room, 2, 0, letter);
    assert!(matches!(said[..], [Letter::Vote(_)]));
    assert_eq!(faults, []);
    let mut room = Room::open(3);
    room.pay(1, 2, 5).unwrap();
    room.close_round().unwrap();
    let letter = proposal(&room, 0, &first);
    let (said, faults) = hears(&mut room, 2, 0, letter);
    assert!(matches!(said[..], [Letter::Sealed(_)]));
    assert_eq!(faults, []);
}

/// A field that is being closed has no next round.
#[test]
pub(super) fn nothing_is_signed_of_a_field_that_is_not_open() {
    let mut room = Room::open(3);
    let items = [payment(&room, 1, 2, 5, 0)];
    let state = state(&room, &items);
    let field = room.field;
    room.execute(1, FieldAct::SoloClose { field, state: None });
    room.block();
    show(&mut room, 2, &state, &items);
    assert_eq!((signed(&room, 2), faults(&room, 2)), (None, vec![]));
}

/// Payments of a round come from the leader, from where they were asked.
#[test]
fn a_part_from_another_member_or_another_place_is_passed_over() {
    let mut room = Room::open(3);
    let items = [payment(&room, 1, 2, 5, 0)];
    let state = state(&room, &items);
    let letter = proposal(&room, 0, &state);
    assert!(matches!(hears(&mut room, 2, 0, letter).0[..], [Letter::Ask(_)]));
    assert_eq!(room.view(2).step, RoundStep::Checking);
    let forged = Ordered { amount: units(6), ..items[0] };
    let part = |round, from, item| {
        Letter::Part(Part { round, from, items: Bounded::try_from(vec![item]).unwrap() })
    };
    for (by, letter) in
        [(1, part(ROUND, 0, forged)), (0, part(ROUND, 1, forged)), (0, part(NEXT, 0, forged))]
    {
        assert_eq!(hears(&mut room, 2, by, letter), nothing());
    }
    let letter = part(ROUND, 0, forged);
    assert_eq!(faults_of(&mut room, 2, 0, letter), [Fault::BadSignature]);
}

/// A leader takes no more than two rows of its log hold while its disk does not answer; the payers repeat the rest.
#[test]
fn a_leader_takes_no_more_than_its_disk_keeps_up_with() {
    let mut room = Room::open(3);
    for payer in 1..3 {
        for first in (0..640).step_by(MAX_OFFERED) {
            let last = first + MAX_OFFERED as u64;
            let items: Vec<Ordered> =
                (first..last).map(|at| payment(&room, payer, 0, 1, at)).collect();
            let letter = pay(&room, ROUND, first, &items);
            assert_eq!(faults_of(&mut room, 0, usize::from(payer), letter), []);
        }
    }
    assert_eq!(ordered_by_leader(&room), 2 * record::MAX_ENTRIES);
}
