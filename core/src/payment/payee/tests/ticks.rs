//! A payee that is paid by ticks: T6, T9 of `SPEC-MAP.md`.

use super::*;
use crate::payment::tick::{Ladder, TickError, Ticks};

const LENGTH: u32 = 300;
const BAD: Fault = Fault::Tick(TickError::BadPreimage);

/// A voucher whose ticks pay one price each, and the chain behind it.
fn committed(seq: u64, cum: u128) -> (Signed<Voucher>, Ladder) {
    let plain = signed(seq, cum).body;
    let ladder = Ladder::new(&key(), CHAIN, (&id(), &ME, seq), LENGTH);
    let ticks = Ticks { anchor: ladder.anchor(), price: PRICE, length: LENGTH };
    (Signed::new(&key(), CHAIN, Voucher { ticks: Some(ticks), ..plain }), ladder)
}

/// A payee that holds such a voucher.
fn ticking() -> (Payee, Ladder) {
    let mut payee = ready();
    let (voucher, ladder) = committed(1, 0);
    let out = give(&mut payee, &voucher);
    let [Output::Store(token, _, Some(_))] = out[..] else { panic!("{out:?}") };
    assert_eq!(feed(&mut payee, Input::Stored(token)), [Output::Credit(PEER, units(0))]);
    (payee, ladder)
}

fn reveal(payee: &mut Payee, ladder: &mut Ladder, count: u32) -> Vec<Output> {
    feed(payee, Input::Revealed(PEER, ladder.preimage(count).unwrap()))
}

#[test]
fn each_tick_is_credit_at_once_and_counted_once() {
    let (mut payee, mut ladder) = ticking();
    for count in 1..=10 {
        let out = reveal(&mut payee, &mut ladder, count);
        assert_eq!(out, [Output::Credit(PEER, PRICE)], "tick {count}");
    }
    for old in 1..=10 {
        let out = reveal(&mut payee, &mut ladder, old);
        assert_eq!(out, [Output::Fault(PEER, BAD)], "tick {old} again");
    }
    let skipped = reveal(&mut payee, &mut ladder, 14);
    assert_eq!(skipped, [Output::Credit(PEER, units(8))], "four at once");
    assert_eq!(payee.balance(PEER).0, units(28));
    assert_eq!(payee.view()[0].exposure, units(28));
}

#[test]
fn ticks_are_bounded_by_exposure_deposit_and_finality_like_vouchers() {
    let (mut payee, mut ladder) = ticking();
    payee.policy.settle_at = units(1000);
    let last = 25;
    assert!(reveal(&mut payee, &mut ladder, last).contains(&Output::Credit(PEER, units(50))));
    let out = reveal(&mut payee, &mut ladder, last + 1);
    assert_eq!(out.last(), Some(&Output::Fault(PEER, Fault::NotFinal)));
    let is_final = Proof { level: Level::Final, ..proof(21) };
    feed(&mut payee, Input::Proven(id(), Box::new(is_final)));
    assert!(reveal(&mut payee, &mut ladder, 30).contains(&Output::Credit(PEER, units(10))));
    let out = reveal(&mut payee, &mut ladder, 31);
    assert_eq!(out, [Output::Fault(PEER, Fault::TooExposed)]);
    assert_eq!(payee.view()[0].exposure, payee.policy.max_exposure);
    // The refused tick is not lost: what is paid makes room for it.
    let paid = PaidState { seq: 1, cum: units(60), claim: None };
    let state = PoolState { paid_total: units(60), ..state() };
    let proof = Proof { paid, state, level: Level::Final, ..proof(22) };
    feed(&mut payee, Input::Proven(id(), Box::new(proof)));
    assert!(reveal(&mut payee, &mut ladder, 31).contains(&Output::Credit(PEER, PRICE)));
}

#[test]
fn the_newest_tick_is_what_is_settled() {
    let (mut payee, mut ladder) = ticking();
    let out = reveal(&mut payee, &mut ladder, 20);
    let Some(Output::Settle(promise)) = out.iter().find(|out| matches!(out, Output::Settle(_)))
    else {
        panic!("40 is where a settlement is ordered: {out:?}")
    };
    assert_eq!((promise.steps(), promise.worth()), (20, Ok(units(40))));
    assert_eq!(promise.verify(&[CHAIN], &key().public()), Ok(()));
}

#[test]
fn ticks_are_written_by_many_at_once_and_a_crash_costs_no_more_than_that() {
    let (mut payee, mut ladder) = ticking();
    payee.policy.unsaved_ticks = 8;
    let mut rows = Rows::new();
    let mut writes = 0;
    for count in 1..=19 {
        for output in reveal(&mut payee, &mut ladder, count) {
            if let Output::Store(token, name, Some(bytes)) = output {
                rows.insert(name, bytes);
                writes += 1;
                feed(&mut payee, Input::Stored(token));
            }
        }
    }
    assert_eq!(writes, 2, "19 ticks");
    let restart = |rows: &Rows| {
        let mut payee = fresh(rows);
        feed(&mut payee, Input::Tip(Height(20)));
        feed(&mut payee, Input::Offered(PEER, id()));
        feed(&mut payee, Input::Proven(id(), Box::new(proof(20))));
        payee
    };
    let mut later = restart(&rows);
    assert_eq!(later.view()[0].held, units(32), "16 of 19");
    // The chain goes on from what was written, and the peer's next tick brings all.
    assert_eq!(reveal(&mut later, &mut ladder, 16), [Output::Fault(PEER, BAD)]);
    assert!(reveal(&mut later, &mut ladder, 20).contains(&Output::Credit(PEER, units(8))));
    // Who leaves, and each block, has the rest written.
    let out = feed(&mut payee, Input::Left(PEER));
    let [Output::Store(_, _, Some(row))] = &out[..] else { panic!("{out:?}") };
    let promise: Promise = codec::decode(row, MAX_PROMISE_BYTES).unwrap();
    assert_eq!(promise.steps(), 19);
    let out = feed(&mut later, Input::Tip(Height(21)));
    assert!(out.iter().any(|output| matches!(output, Output::Store(_, _, Some(_)))), "{out:?}");
}

#[test]
fn what_is_left_by_who_leaves_while_a_write_is_under_way_is_written_after_it() {
    let (mut payee, mut ladder) = ticking();
    payee.policy.unsaved_ticks = 8;
    let out = reveal(&mut payee, &mut ladder, 8);
    let Some(Output::Store(token, ..)) = out.last() else { panic!("{out:?}") };
    reveal(&mut payee, &mut ladder, 10);
    assert_eq!(feed(&mut payee, Input::Left(PEER)), [], "one at a time");
    let out = feed(&mut payee, Input::Stored(*token));
    let [Output::Store(_, _, Some(row))] = &out[..] else { panic!("{out:?}") };
    let promise: Promise = codec::decode(row, MAX_PROMISE_BYTES).unwrap();
    assert_eq!(promise.steps(), 10);
}

#[test]
fn a_row_with_a_forged_tick_is_worth_nothing() {
    let (voucher, mut ladder) = committed(1, 6);
    let preimage = ladder.preimage(5).unwrap();
    for (count, is_good) in [(5, true), (6, false), (300, false), (301, false), (0, false)] {
        let tick = Some(crate::payment::tick::Tick { count, preimage });
        let row = codec::encode(&Promise { voucher: voucher.clone(), tick });
        let mut payee = fresh(&Rows::from([(name(&id()), row)]));
        feed(&mut payee, Input::Tip(Height(20)));
        feed(&mut payee, Input::Proven(id(), Box::new(proof(20))));
        let held = payee.view()[0].held;
        assert_eq!(held, if is_good { units(16) } else { units(0) }, "{count}");
    }
}

#[test]
fn ticks_of_another_chain_sequence_or_payee_and_vouchers_with_bad_ticks_are_refused() {
    let (mut payee, _) = ticking();
    let (next, mut second) = committed(2, 0);
    assert_eq!(reveal(&mut payee, &mut second, 1), [Output::Fault(PEER, BAD)]);
    let name = (&id(), &Address([9; 20]), 1);
    let mut to_other = Ladder::new(&key(), CHAIN, name, LENGTH);
    assert_eq!(reveal(&mut payee, &mut to_other, 1), [Output::Fault(PEER, BAD)]);
    let good = next.body.ticks.unwrap();
    let refuse = |payee: &mut Payee, ticks| {
        let body = Voucher { ticks: Some(ticks), ..next.body };
        let out = give(payee, &Signed::new(&key(), CHAIN, body));
        let [Output::Fault(PEER, fault)] = out[..] else { panic!("{out:?}") };
        fault
    };
    let bad = Fault::Tick(TickError::BadTerms);
    assert_eq!(refuse(&mut payee, Ticks { price: units(0), ..good }), bad);
    assert_eq!(refuse(&mut payee, Ticks { length: u32::MAX, ..good }), bad);
    assert_eq!(refuse(&mut payee, Ticks { price: units(1), ..good }), Fault::TooLittle);
    let mut plain = ready();
    pay(&mut plain, 1, 2);
    assert_eq!(reveal(&mut plain, &mut second, 1), [Output::Fault(PEER, Fault::NoTicks)]);
}

#[test]
fn a_tick_that_comes_before_its_voucher_is_stored_counts_then() {
    let mut payee = ready();
    let (voucher, mut ladder) = committed(1, 4);
    let out = give(&mut payee, &voucher);
    let [Output::Store(token, _, Some(_))] = out[..] else { panic!("{out:?}") };
    assert_eq!(reveal(&mut payee, &mut ladder, 1), []);
    assert_eq!(reveal(&mut payee, &mut ladder, 2), []);
    let out = feed(&mut payee, Input::Stored(token));
    assert_eq!(out, [Output::Credit(PEER, units(4)), Output::Credit(PEER, units(4))]);
}

// T8.
#[test]
fn a_settlement_is_worth_what_its_ticks_cost_the_chain() {
    let rich = PoolState { deposit: units(1_000_000), collateral: units(2_000_000), ..state() };
    // Each tick brings two units, and each 1024 of them cost a fee more.
    let cases = [
        (1023, 2045, true),
        (1023, 2046, false),
        (1024, 1023, true),
        (1024, 1024, false),
        (4096, 1638, true),
        (4096, 1639, false),
    ];
    for (count, fee, is_due) in cases {
        let plain = signed(1, 0).body;
        let ladder = &mut Ladder::new(&key(), CHAIN, (&id(), &ME, 1), 4096);
        let ticks = Ticks { anchor: ladder.anchor(), price: PRICE, length: 4096 };
        let voucher = Signed::new(&key(), CHAIN, Voucher { ticks: Some(ticks), ..plain });
        let preimage = ladder.preimage(count).unwrap();
        let tick = Some(crate::payment::tick::Tick { count, preimage });
        let row = codec::encode(&Promise { voucher, tick });
        let mut payee = fresh(&Rows::from([(name(&id()), row)]));
        (payee.policy.fee, payee.policy.settle_at) = (units(fee), units(1));
        feed(&mut payee, Input::Tip(Height(20)));
        let is_final = Proof { state: rich.clone(), level: Level::Final, ..proof(20) };
        let out = feed(&mut payee, Input::Proven(id(), Box::new(is_final)));
        let settles = out.iter().any(|output| matches!(output, Output::Settle(_)));
        assert_eq!(settles, is_due, "{count} ticks, a fee of {fee}");
    }
}

#[test]
fn a_tick_that_comes_while_its_voucher_waits_for_the_pools_proof_counts_then() {
    let mut payee = fresh(&Rows::new());
    feed(&mut payee, Input::Tip(Height(10)));
    feed(&mut payee, Input::Offered(PEER, id()));
    let (voucher, mut ladder) = committed(1, 4);
    assert_eq!(give(&mut payee, &voucher), []);
    assert_eq!(reveal(&mut payee, &mut ladder, 1), []);
    assert_eq!(reveal(&mut payee, &mut ladder, 3), []);
    let out = feed(&mut payee, Input::Proven(id(), Box::new(proof(10))));
    let [Output::Store(token, _, Some(_))] = out[..] else { panic!("{out:?}") };
    let out = feed(&mut payee, Input::Stored(token));
    assert_eq!(out, [Output::Credit(PEER, units(4)), Output::Credit(PEER, units(6))]);
}

/// A page answers each fault with a closed link and says why: what is refused is one voucher, and its tick with it.
#[test]
fn a_voucher_that_waited_and_is_refused_is_one_fault_whatever_tick_came_with_it() {
    for is_pool_too_short in [false, true] {
        let mut payee = fresh(&Rows::new());
        feed(&mut payee, Input::Tip(Height(10)));
        feed(&mut payee, Input::Offered(PEER, id()));
        let (mut voucher, mut ladder) = committed(1, 4);
        if !is_pool_too_short {
            voucher.body.cum = units(6);
        }
        assert_eq!(give(&mut payee, &voucher), []);
        assert_eq!(reveal(&mut payee, &mut ladder, 1), []);
        let end_height = if is_pool_too_short { Height(20) } else { state().end_height };
        let state = PoolState { end_height, ..state() };
        let out = feed(&mut payee, Input::Proven(id(), Box::new(Proof { state, ..proof(10) })));
        let fault = if is_pool_too_short { Fault::EndTooNear } else { Fault::BadSignature };
        assert_eq!(out, [Output::Fault(PEER, fault)]);
    }
}
