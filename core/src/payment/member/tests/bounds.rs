//! Small rules at their limits: what is repeated when, what a version can begin with, what a proposal can be at all.

use super::{lies::*, *};
use crate::{
    crypto::bls::BlsSecretKey,
    payment::field::{Amendment, RoundState, Rounds},
};
use affairs::{Act, Affairs};
use record::Base;

/// A1.24: what was submitted may be lost. It is said again after a margin, and something else at once.
#[test]
fn an_act_is_repeated_after_a_margin_and_another_at_once() {
    let mut affairs = Affairs::default();
    assert!(affairs.acts(Act::Post(3), Height(10), MARGIN));
    assert!(!affairs.acts(Act::Post(3), Height(10), MARGIN));
    assert!(!affairs.acts(Act::Post(3), Height(13), MARGIN));
    assert!(affairs.acts(Act::Post(3), Height(14), MARGIN), "it must have been lost");
    assert!(!affairs.acts(Act::Post(3), Height(17), MARGIN), "since then");
    assert!(affairs.acts(Act::Post(4), Height(17), MARGIN));
    assert!(affairs.acts(Act::Enforce, Height(17), 0));
    assert!(!affairs.acts(Act::Enforce, Height(17), 0), "once a block at most");
    assert!(affairs.acts(Act::Enforce, Height(18), 0));
}

/// The patience with a round begins with its own signature, and with each round anew.
#[test]
fn a_round_is_waited_for_since_it_was_signed_and_not_after_it_is_sealed() {
    let mut affairs = Affairs::default();
    affairs.signed_at(Height(5));
    affairs.signed_at(Height(6));
    assert_eq!(affairs.signed, Some(Height(5)));
    affairs.sealed();
    assert_eq!(affairs.signed, None);
    affairs.signed_at(Height(9));
    assert_eq!(affairs.signed, Some(Height(9)));
}

/// A row that says another beginning than its terms would have its reader sign what nobody opened.
#[test]
fn a_version_begins_with_the_deposits_or_on_the_rounds_of_its_last_state() {
    let room = Room::new(2);
    let opened = Base::opened(CHAIN, terms(&room.keys)).unwrap();
    assert!(opened.is_sound(CHAIN));
    assert!(!opened.is_sound(ChainId(Hash([2; 32]))), "another chain's field");
    let mut richer = opened.clone();
    richer.state.payments = 1;
    assert!(!richer.is_sound(CHAIN));
    let rounds = Rounds::default().with(1, &Hash([3; 32])).unwrap();
    let state = RoundState { version: 1, round: 1, tx_root: rounds.root(), ..opened.state.clone() };
    let later = Base { state, rounds, ..opened.clone() };
    assert!(later.is_sound(CHAIN));
    let before = RoundState { version: 0, ..later.state.clone() };
    assert!(!Base { state: before, ..later.clone() }.is_sound(CHAIN), "no first version");
    assert!(!Base { rounds: Rounds::default(), ..later }.is_sound(CHAIN));
    let none = Rounds::default().with(1, &Hash([3; 32])).unwrap();
    assert!(!Base { rounds: none, ..opened }.is_sound(CHAIN));
}

/// A version has the members, the time and the key that its amendment says, and else what the field was opened with.
#[test]
fn a_version_is_what_its_amendment_says() {
    let room = Room::new(3);
    let opened = Base::opened(CHAIN, terms(&room.keys)).unwrap();
    let (mut members, last) = (opened.terms.members.to_vec(), opened.state.clone());
    members.truncate(2);
    let members: Bounded<Member, _> = Bounded::try_from(members).unwrap();
    let aggregate = Some(BlsSecretKey::from_seed(&[7; 32]).unwrap().public());
    let amendment = Amendment { last, members: members.clone(), until: Height(50), aggregate };
    let next = opened.amended(CHAIN, &amendment).unwrap();
    let terms = FieldTerms { members, until: Height(50), aggregate, ..opened.terms };
    assert_eq!((next.terms, next.state.version), (terms, 1));
}

/// A6.10, A10.8: what no payments can lead to is refused before any is asked for.
#[test]
fn a_proposal_is_of_this_field_on_this_state_with_this_money_and_as_many_payments_as_a_round_has() {
    let mut room = one_sealed();
    let good = state(&room, &[payment(&room, 1, 0, 5, 0)]);
    let field = room.field;
    let mut check = |state: &RoundState| {
        let mut out = Vec::new();
        let (seats, turn) = room.machines[1].turn(Moment::ZERO, &mut out);
        seats.get(&field).unwrap().check_proposal(state, &turn)
    };
    assert_eq!(check(&good), Ok(()));
    let most = good.payments - 1 + MAX_ROUND as u64;
    assert_eq!(check(&RoundState { payments: most, ..good.clone() }), Ok(()));
    assert_eq!(
        check(&RoundState { payments: 1, ..good.clone() }),
        Ok(()),
        "the final round may be empty"
    );
    let balances = |of: &[u128]| {
        let balances: Vec<Amount> = of.iter().copied().map(units).collect();
        RoundState { balances: Bounded::try_from(balances).unwrap(), ..good.clone() }
    };
    assert_eq!(check(&balances(&[0, 2001])), Ok(()), "whose it is, the payments tell");
    for (number, wrong) in [
        RoundState { field: FieldId(Hash([9; 32])), ..good.clone() },
        RoundState { prev: Hash([9; 32]), ..good.clone() },
        RoundState { payments: most + 1, ..good.clone() },
        RoundState { payments: 0, ..good.clone() },
        balances(&[2001]),
        balances(&[0, 0, 2001]),
        balances(&[1, 2001]),
        balances(&[0, 2000]),
        balances(&[u128::MAX, 2002]),
    ]
    .iter()
    .enumerate()
    {
        assert_eq!(check(wrong), Err(Fault::WrongState), "{number}");
    }
}

/// A final state is the last one of its version, whatever the leader proposes on top of it.
#[test]
fn nothing_is_proposed_on_a_final_state() {
    let mut room = one_sealed();
    let field = room.field;
    for is_final in [false, true] {
        let seat = room.machines[0].seats.get_mut(&field).unwrap();
        seat.sealed.state.is_final = is_final;
        let next = state(&room, &[payment(&room, 1, 0, 5, 0)]);
        let mut out = Vec::new();
        let (seats, turn) = room.machines[0].turn(Moment::ZERO, &mut out);
        let checked = seats.get(&field).unwrap().check_proposal(&next, &turn);
        assert_eq!(checked.is_err(), is_final);
    }
}

/// A version in which the second of three has taken half of its money out, and what was asked of it meanwhile.
fn amended(meanwhile: impl FnOnce(&mut Room)) -> Room {
    let mut room = Room::open(3);
    let field = room.field;
    let deposits = [1001, 500, 1000].map(units);
    let member = |(key, deposit): (&SecretKey, Amount)| Member { key: key.public(), deposit };
    let members: Vec<Member> = room.keys.iter().zip(deposits).map(member).collect();
    let amend = (members, Height(50));
    room.command(0, |machine, now, out| machine.amend(now, field, amend, out).unwrap());
    room.command(1, |machine, now, out| machine.accept(now, field, out).unwrap());
    meanwhile(&mut room);
    room.command(2, |machine, now, out| machine.accept(now, field, out).unwrap());
    room.block();
    assert_eq!(room.view(1).version, 1);
    room
}

/// A6.14: what waits for the next version is signed in it as far as its deposit goes, to the unit.
#[test]
fn payments_that_waited_are_made_in_the_next_version_as_far_as_its_deposit_goes() {
    let room = amended(|room| {
        for (to, amount) in [(2, 450), (0, 51), (2, 50), (0, 1)] {
            room.pay(1, to, amount).unwrap();
        }
        assert_eq!(room.standings(1), [Standing::Pending; 4], "nothing is signed now");
    });
    let made: Vec<u128> = room.view(1).payments.iter().map(|it| it.amount.units()).collect();
    assert_eq!((made, room.standings(1)), (vec![450, 50], vec![Standing::Sequenced; 2]));
}

/// A6.11: who wants a field closed wants that of its next version, too.
#[test]
fn a_field_that_is_to_be_closed_is_closed_in_its_next_version() {
    let mut room = amended(|room| {
        let field = room.field;
        room.command(1, |machine, now, out| machine.close(now, field, out).unwrap());
    });
    // The leader has begun the version before the others, and says again what it proposed.
    room.pass(3000);
    room.block();
    assert!(room.acts.iter().any(|act| matches!(act, FieldAct::Close { .. })));
    assert_eq!(room.view(1).phase, Phase::Closed);
}

/// Two members, a payment of whom is sealed.
fn one_sealed() -> Room {
    let mut room = Room::open(2);
    room.pay(1, 0, 5).unwrap();
    room.close_round().unwrap();
    room
}

/// A6.9: a signature is for one sequence. What is known from a receipt is known with it, and is checked anew without.
#[test]
fn a_payment_that_is_known_is_not_taken_with_another_sequence_or_at_another_place() {
    let mut room = Room::open(3);
    room.pay(1, 2, 5).unwrap();
    room.pay(1, 2, 6).unwrap();
    assert_eq!(room.standings(2), [Standing::Sequenced; 2]);
    let seat = room.machines[0].seats.get(&room.field).unwrap();
    let [first, second] = seat.round.items()[..] else { panic!("two are ordered") };
    // The second stands where its receipt says, after a payment of somebody else: so it counts as its payer's first.
    let items = [payment(&room, 0, 1, 1, 0), second];
    let one = state(&room, &items);
    show(&mut room, 2, &one, &items);
    assert_eq!((signed(&room, 2), faults(&room, 2)), (None, vec![Fault::BadSignature]));
    // The first is known, but not what stands in its place.
    let forged = wire::Ordered { amount: units(7), ..first };
    let items = [forged, second];
    let other = state(&room, &items);
    show(&mut room, 2, &other, &items);
    assert_eq!(signed(&room, 2), None);
    let whole = [first, second];
    let good = state(&room, &whole);
    room.machines[2] = restart(&room.keys[2], &room.disks[2]);
    room.restart(2);
    show(&mut room, 2, &good, &whole);
    assert_eq!(signed(&room, 2), Some(good));
}
