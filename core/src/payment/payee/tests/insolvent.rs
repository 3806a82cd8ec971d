//! A pool that promised too much, as its payee meets it; and pay days. PROTOCOL A5.11; AME-24.

use super::*;
use crate::payment::reservation::{Claim, Insolvency};

const SINCE: u64 = 30;

fn insolvent(height: u64, claim: Option<Claim>) -> Box<Proof> {
    let insolvency =
        Insolvency { since: Height(SINCE), claimed: units(100), uncollected: 2, left: units(90) };
    let state = PoolState { status: PoolStatus::Insolvent(insolvency), ..state() };
    let paid = PaidState { claim, ..PaidState::default() };
    Box::new(Proof { state, paid, height: Height(height), level: Level::Settled })
}

/// The chain shows the pool in this state, and goes on by a block.
fn see(payee: &mut Payee, height: u64, claim: Option<Claim>) -> Vec<Output> {
    let mut out = feed(payee, Input::Proven(id(), insolvent(height, claim)));
    out.extend(feed(payee, Input::Tip(Height(height).plus(1))));
    out.retain(|output| !matches!(output, Output::NeedPool(_)));
    out
}

#[test]
fn an_insolvent_pool_is_claimed_at_once_then_collected_and_what_is_lost_is_named() {
    let mut payee = ready();
    pay(&mut payee, 1, 8);
    feed(&mut payee, Input::Tip(Height(SINCE)));
    let claim = Output::Settle(signed(1, 8).into());
    let first = see(&mut payee, SINCE, None);
    assert_eq!(first, [Output::Insolvent(id(), units(8)), claim.clone()]);
    assert_eq!(give(&mut payee, &signed(2, 10)), [Output::Fault(PEER, Fault::Insolvent)]);
    assert!(payee.serve(PEER).is_err(), "nothing more on its credit");
    // Not again before an honest transaction would be in a block, then again.
    assert_eq!(see(&mut payee, SINCE + 2, None), []);
    let again = SINCE + 1 + rules().inclusion_margin;
    assert_eq!(see(&mut payee, again, None), [claim]);
    let weight = units(8);
    let claimed = Some(Claim { weight, collected: None });
    assert_eq!(see(&mut payee, again + 2, claimed), []);
    let collect_from = SINCE + rules().freeze;
    assert_eq!(see(&mut payee, collect_from - 2, claimed), [], "claims are still taken");
    assert_eq!(see(&mut payee, collect_from, claimed), [Output::Collect(id())]);
    let collected = Some(Claim { weight, collected: Some(units(5)) });
    let out = see(&mut payee, collect_from + 3, collected);
    assert!(
        matches!(&out[..], [Output::Lost(_, lost), Output::Store(_, _, None)] if *lost == units(3))
    );
    assert_eq!(payee.view(), []);
}

#[test]
fn a_smaller_claim_that_others_brought_is_made_better() {
    let mut payee = ready();
    pay(&mut payee, 1, 8);
    let by_others = Some(Claim { weight: units(6), collected: None });
    let claim = Output::Settle(signed(1, 8).into());
    assert!(see(&mut payee, SINCE, by_others).contains(&claim));
    let mut payee = ready();
    pay(&mut payee, 1, 8);
    let whole = Some(Claim { weight: units(8), collected: None });
    assert_eq!(see(&mut payee, SINCE, whole), [Output::Insolvent(id(), units(8))]);
}

#[test]
fn who_never_claimed_has_lost_everything_when_claims_end_and_who_is_owed_nothing_at_once() {
    let mut payee = ready();
    pay(&mut payee, 1, 8);
    let out = see(&mut payee, SINCE + rules().freeze, None);
    assert!(out.contains(&Output::Lost(id(), units(8))), "{out:?}");
    let mut payee = ready();
    let out = see(&mut payee, SINCE, None);
    assert!(!out.iter().any(|output| matches!(output, Output::Lost(..))));
    assert_eq!(payee.view(), []);
}

#[test]
fn on_a_pay_day_everything_is_settled_that_is_worth_its_fee() {
    let day = |height| {
        let mut payee = ready();
        payee.policy.settle_every = Some(50);
        feed(&mut payee, Input::Tip(Height(21)));
        pay(&mut payee, 1, 4);
        let mut out = feed(&mut payee, Input::Proven(id(), Box::new(proof(height))));
        out.extend(feed(&mut payee, Input::Tip(Height(height))));
        let mut orders = out.into_iter().filter(|output| matches!(output, Output::Settle(_)));
        (orders.next(), orders.next())
    };
    assert_eq!(day(49), (None, None));
    let order = Some(Output::Settle(signed(1, 4).into()));
    assert_eq!(day(50), (order.clone(), None));
    assert_eq!(day(137), (order, None), "the day itself was missed");
    let mut payee = ready();
    payee.policy.settle_every = Some(50);
    payee.policy.fee = units(4);
    pay(&mut payee, 1, 4);
    let out = feed(&mut payee, Input::Tip(Height(50)));
    assert!(!out.iter().any(|output| matches!(output, Output::Settle(_))), "not worth the fee");
}
