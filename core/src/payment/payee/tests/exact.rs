//! Bounds to the unit and the block, and what a view shows of each state.

use super::*;
use crate::{payment::reservation::Insolvency, row::Damaged};

/// A payee whose pool is proven as `state` at height 10, finally.
fn proven(state: PoolState) -> Payee {
    let mut payee = ready();
    let proof = Proof { state, level: Level::Final, ..proof(10) };
    feed(&mut payee, Input::Proven(id(), Box::new(proof)));
    payee
}

fn fault_of(out: &[Output]) -> Option<Fault> {
    out.iter().find_map(|output| {
        let Output::Fault(_, fault) = output else { return None };
        Some(*fault)
    })
}

#[test]
fn each_limit_may_be_reached_and_not_passed() {
    let at = |payee: &mut Payee, cum| fault_of(&give(payee, &signed(1, cum)));
    assert_eq!(at(&mut ready(), 50), None, "what needs no final proof");
    assert_eq!(at(&mut ready(), 51), Some(Fault::NotFinal));
    assert_eq!(at(&mut proven(state()), 60), None, "the exposure that was allowed");
    assert_eq!(at(&mut proven(state()), 61), Some(Fault::TooExposed));
    let rest = PoolState { paid_total: units(180), ..state() };
    assert_eq!(at(&mut proven(rest.clone()), 20), None, "all that is left");
    assert_eq!(at(&mut proven(rest), 21), Some(Fault::Overdrawn));
}

#[test]
fn the_last_block_that_includes_a_settlement_is_the_end() {
    let end = state().end_height.0;
    let settled_at = |tip| {
        let mut payee = ready();
        pay(&mut payee, 1, 2);
        feed(&mut payee, Input::Tip(Height(tip)));
        // Whatever was ordered before is taken as lost.
        let mut out = Vec::new();
        payee.settle(&mut out);
        out.len()
    };
    assert_eq!((settled_at(end), settled_at(end + 1)), (1, 0));
}

#[test]
fn what_is_paid_to_the_unit_is_not_settled_again() {
    let mut payee = ready();
    pay(&mut payee, 1, 30);
    let paid = |cum| {
        let paid = PaidState { seq: 1, cum: units(cum), claim: None };
        let state = PoolState { paid_total: units(cum), ..state() };
        Input::Proven(id(), Box::new(Proof { state, paid, ..proof(11) }))
    };
    let mut out = Vec::new();
    feed(&mut payee, paid(29));
    payee.settle(&mut out);
    assert_eq!(core::mem::take(&mut out), [Output::Settle(signed(1, 30).into())]);
    feed(&mut payee, paid(30));
    payee.settle(&mut out);
    assert_eq!(out, []);
}

#[test]
fn an_insolvent_pool_is_not_settled() {
    let mut payee = ready();
    pay(&mut payee, 1, 30);
    let (since, claimed, left) = (Height(11), Amount::ZERO, units(200));
    let insolvency = Insolvency { since, claimed, uncollected: 0, left };
    let broken = PoolState { status: PoolStatus::Insolvent(insolvency), ..state() };
    feed(&mut payee, Input::Proven(id(), Box::new(Proof { state: broken, ..proof(11) })));
    let mut out = Vec::new();
    payee.settle(&mut out);
    assert_eq!(out, [], "what an insolvent pool owes is claimed, not settled");
}

#[test]
fn a_settlement_is_on_its_way_until_the_chain_shows_as_much() {
    let mut payee = ready();
    let shown = |payee: &Payee| payee.view()[0].is_settling;
    pay(&mut payee, 1, 30);
    assert!(!shown(&payee));
    payee.settle(&mut Vec::new());
    assert!(shown(&payee));
    let paid = |cum, height| {
        let paid = PaidState { seq: 1, cum: units(cum), claim: None };
        let state = PoolState { paid_total: units(cum), ..state() };
        Input::Proven(id(), Box::new(Proof { state, paid, ..proof(height) }))
    };
    feed(&mut payee, paid(29, 11));
    assert!(shown(&payee), "29 of 30");
    assert_eq!(feed(&mut payee, Input::Tip(Height(11))), [], "the proof is of this very block");
    assert_eq!(feed(&mut payee, Input::Tip(Height(12))), [Output::NeedPool(id())]);
    feed(&mut payee, paid(30, 12));
    assert!(!shown(&payee));
}

#[test]
fn a_view_is_final_once_a_final_block_showed_the_pool() {
    let level = |payee: &Payee| payee.view()[0].proven.unwrap().level;
    let mut payee = ready();
    assert_eq!(level(&payee), Level::Settled);
    feed(&mut payee, Input::Proven(id(), Box::new(Proof { level: Level::Final, ..proof(11) })));
    feed(&mut payee, Input::Proven(id(), Box::new(proof(12))));
    assert_eq!(level(&payee), Level::Final, "it stays");
}

#[test]
fn silence_longer_than_a_proof_is_good_for_orders_a_settlement() {
    let mut payee = ready();
    pay(&mut payee, 1, 4);
    let settle = Output::Settle(signed(1, 4).into());
    let last = 10 + rules().settle_margin();
    assert!(!feed(&mut payee, Input::Tip(Height(last))).contains(&settle));
    assert!(feed(&mut payee, Input::Tip(Height(last + 1))).contains(&settle));
}

#[test]
fn a_row_of_another_pool_or_payee_is_not_ours() {
    let row = |body: Voucher| {
        let promise = row_of(Signed::new(&key(), CHAIN, body));
        fresh(&Rows::from([(name(&id()), promise)])).view().len()
    };
    let body = signed(1, 4).body;
    assert_eq!(row(body), 1);
    assert_eq!(row(Voucher { target: Address([5; 20]), ..body }), 0);
    assert_eq!(row(Voucher { pool: PoolId(Hash([5; 32])), ..body }), 0);
}

/// A pool that a peer names makes room for the next one that it names, and no pool does that holds a promise or that another
/// peer pays from.
#[test]
fn only_a_book_without_promise_and_payer_makes_room() {
    let mut payee = ready();
    pay(&mut payee, 1, 4);
    let pool = |number: usize| PoolId(Hash::of(&[&number.to_le_bytes()]));
    let other = PeerId(PublicKey([9; 32]));
    payee.set_terms(other, STREAM, PRICE).unwrap();
    for (peer, first, books) in [(PEER, 0, 2), (other, MAX_BOOKS, 3)] {
        for number in first..first + MAX_BOOKS {
            let out = feed(&mut payee, Input::Offered(peer, pool(number)));
            assert_eq!(out, [Output::NeedPool(pool(number))]);
            assert!(payee.books.contains_key(&id()), "a promise is money");
            assert_eq!(payee.books.len(), books, "what it named before makes room");
        }
    }
    assert!(payee.books.contains_key(&pool(MAX_BOOKS - 1)), "a peer that is here pays from it");
}

/// A damaged row hides a promise, and one that is being written is one already.
#[test]
fn a_frozen_or_unwritten_book_makes_no_room() {
    let pool = |number: usize| PoolId(Hash::of(&[&number.to_le_bytes()]));
    let damaged = [(name(&id()), Err(Damaged))];
    let mut frozen = Payee::new(CHAIN, ME, rules(), policy(), damaged);
    let mut writing = ready();
    give(&mut writing, &signed(1, 4));
    for payee in [&mut frozen, &mut writing] {
        payee.set_terms(PEER, STREAM, PRICE).unwrap();
        for number in 0..2 * MAX_BOOKS {
            feed(payee, Input::Offered(PEER, pool(number)));
        }
        assert!(payee.books.contains_key(&id()));
    }
}

#[test]
fn each_fault_says_its_code() {
    assert_eq!(Fault::Overdrawn.code(), "payee/overdrawn");
    assert_eq!(Fault::Malformed(DecodeError::Trailing).code(), DecodeError::Trailing.code());
    assert_eq!(ServeError::NoTerms.code(), "payee/no-terms");
    assert_eq!(ServeError::Pool(Fault::Stale).code(), Fault::Stale.code());
}
