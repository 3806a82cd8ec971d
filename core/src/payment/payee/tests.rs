mod bounds;
mod damage;
mod exact;
mod history;
mod insolvent;
mod taken_back;
mod ticks;

use super::*;
use crate::{
    codec::{self, DecodeError},
    crypto::{Hash, PublicKey, SecretKey, Signature, Signed},
    payment::{
        forged,
        reservation::{Only, PoolStatus, PoolTerms, Purpose},
        voucher::{MAX_PROMISE_BYTES, Voucher},
    },
};
use alloc::collections::BTreeMap;
use core::time::Duration;

const CHAIN: ChainId = ChainId(Hash([1; 32]));
const ME: Address = Address([4; 20]);
const PEER: PeerId = PeerId(PublicKey([8; 32]));
const STREAM: StreamId = StreamId(Hash([3; 32]));
const PRICE: Amount = Amount::from_units(2);
const NOW: Moment = Moment::ZERO;

type Rows = BTreeMap<String, Vec<u8>>;

fn units(units: u128) -> Amount {
    Amount::from_units(units)
}

fn rules() -> PoolRules {
    PoolRules::for_chain(4, 10)
}

fn policy() -> PayeePolicy {
    let defaults = PayeePolicy::for_price(PRICE, units(1));
    let (max_exposure, settle_at, final_above) = (units(60), units(40), units(50));
    PayeePolicy { max_exposure, settle_at, final_above, ..defaults }
}

fn key() -> SecretKey {
    SecretKey::from_bytes(&[7; 32])
}

fn terms() -> PoolTerms {
    let creator = key().public();
    let (deposit, collateral, end_height) = (units(200), units(240), Height(400));
    PoolTerms { creator, nonce: 0, resource: STREAM, deposit, collateral, end_height, only: None }
}

fn id() -> PoolId {
    terms().id(CHAIN)
}

fn state() -> PoolState {
    terms().open(&rules(), Height(0)).unwrap()
}

fn proof(height: u64) -> Proof {
    let (paid, height) = (PaidState::default(), Height(height));
    Proof { state: state(), paid, height, level: Level::Settled }
}

fn signed(seq: u64, cum: u128) -> Signed<Voucher> {
    let body =
        Voucher { pool: id(), resource: STREAM, target: ME, seq, cum: units(cum), ticks: None };
    Signed::new(&key(), CHAIN, body)
}

fn bytes(voucher: &Signed<Voucher>) -> Vec<u8> {
    codec::encode(&voucher.to_compact())
}

/// The row that keeps a voucher.
fn row_of(voucher: Signed<Voucher>) -> Vec<u8> {
    codec::encode(&Promise::from(voucher))
}

fn feed(payee: &mut Payee, input: Input) -> Vec<Output> {
    let mut out = Vec::new();
    payee.handle(NOW, input, &mut out);
    out
}

fn give(payee: &mut Payee, voucher: &Signed<Voucher>) -> Vec<Output> {
    feed(payee, Input::Voucher(PEER, bytes(voucher)))
}

/// Gives a voucher and makes its write durable; returns what follows the write.
fn pay(payee: &mut Payee, seq: u64, cum: u128) -> Vec<Output> {
    let out = give(payee, &signed(seq, cum));
    let [Output::Store(token, _, Some(_))] = out[..] else { panic!("{out:?}") };
    feed(payee, Input::Stored(token))
}

fn fresh(rows: &Rows) -> Payee {
    let rows = rows.clone().into_iter().map(|(name, bytes)| (name, Ok(bytes)));
    let mut payee = Payee::new(CHAIN, ME, rules(), policy(), rows);
    payee.set_terms(PEER, STREAM, PRICE).unwrap();
    payee
}

/// A payee that serves a peer whose pool is proven at height 10.
fn ready() -> Payee {
    let mut payee = fresh(&Rows::new());
    assert_eq!(feed(&mut payee, Input::Tip(Height(10))), []);
    assert_eq!(feed(&mut payee, Input::Offered(PEER, id())), [Output::NeedPool(id())]);
    assert_eq!(feed(&mut payee, Input::Proven(id(), Box::new(proof(10)))), []);
    payee
}

#[test]
fn a_voucher_is_credited_only_after_it_is_stored() {
    let mut payee = ready();
    let out = give(&mut payee, &signed(1, 2));
    let [Output::Store(token, _, Some(row))] = &out[..] else { panic!("{out:?}") };
    assert_eq!(row, &row_of(signed(1, 2)));
    assert_eq!(payee.balance(PEER).0, Amount::ZERO);
    assert_eq!(feed(&mut payee, Input::Stored(StoreToken(99))), []);
    assert_eq!(feed(&mut payee, Input::Stored(*token)), [Output::Credit(PEER, units(2))]);
    assert_eq!(payee.balance(PEER), (units(2), Amount::ZERO));
}

#[test]
fn vouchers_that_come_while_storing_are_stored_as_one() {
    let mut payee = ready();
    let out = give(&mut payee, &signed(1, 2));
    let [Output::Store(token, ..)] = out[..] else { panic!("{out:?}") };
    assert_eq!(give(&mut payee, &signed(2, 4)), []);
    assert_eq!(give(&mut payee, &signed(3, 8)), []);
    let out = feed(&mut payee, Input::Stored(token));
    let [Output::Credit(PEER, first), Output::Store(token, _, Some(row))] = &out[..] else {
        panic!("{out:?}")
    };
    assert_eq!((*first, row), (units(2), &row_of(signed(3, 8))));
    assert_eq!(feed(&mut payee, Input::Stored(*token)), [Output::Credit(PEER, units(6))]);
}

#[test]
fn a_peer_gets_a_few_chunks_on_credit_and_a_window_once_it_pays() {
    let mut payee = ready();
    for _ in 0..4 {
        assert_eq!(payee.serve(PEER), Ok(()));
    }
    assert_eq!(payee.serve(PEER), Err(ServeError::Unpaid { owed: units(8) }));
    assert_eq!(feed(&mut payee, Input::Left(PEER)), []);
    feed(&mut payee, Input::Offered(PEER, id()));
    assert_eq!(payee.serve(PEER), Err(ServeError::Unpaid { owed: units(8) }), "debts stay");
    pay(&mut payee, 1, 2);
    for _ in 0..5 {
        assert_eq!(payee.serve(PEER), Ok(()));
    }
    assert_eq!(payee.serve(PEER), Err(ServeError::Unpaid { owed: units(16) }));
    let stranger = PeerId(PublicKey([9; 32]));
    assert_eq!(payee.serve(stranger), Err(ServeError::NoTerms));
    payee.set_terms(stranger, STREAM, Amount::ZERO).unwrap();
    for _ in 0..100 {
        assert_eq!(payee.serve(stranger), Ok(()), "what costs nothing needs no credit");
    }
}

#[test]
fn a_voucher_waits_for_its_pools_proof() {
    let mut payee = fresh(&Rows::new());
    feed(&mut payee, Input::Offered(PEER, id()));
    assert_eq!(give(&mut payee, &signed(1, 2)), []);
    assert_eq!(give(&mut payee, &signed(2, 4)), []);
    let included = Proof { level: Level::Included, ..proof(10) };
    assert_eq!(
        feed(&mut payee, Input::Proven(id(), Box::new(included))),
        [],
        "included proves nothing"
    );
    assert_eq!(feed(&mut payee, Input::Proven(id(), Box::new(proof(10)))), [], "at which height?");
    let out = feed(&mut payee, Input::Tip(Height(10)));
    let [Output::Store(_, _, Some(row))] = &out[..] else { panic!("{out:?}") };
    assert_eq!(row, &row_of(signed(2, 4)), "the newest");
}

// ADVERSARIAL case 19.
#[test]
fn each_false_voucher_is_refused_by_its_name() {
    let mut payee = ready();
    pay(&mut payee, 5, 10);
    let body = signed(6, 20).body;
    for voucher in forged::all(&key(), CHAIN, body) {
        let refused = [Output::Fault(PEER, Fault::BadSignature)];
        assert_eq!(give(&mut payee, &voucher), refused, "{voucher:?}");
    }
    let cases = [
        (signed(5, 20), Fault::OldSequence),
        (signed(4, 20), Fault::OldSequence),
        (signed(u64::MAX, 20), Fault::OldSequence),
        (signed(5, 10), Fault::OldSequence),
        (signed(6, 10), Fault::TooLittle),
        (signed(6, 9), Fault::TooLittle),
        (signed(6, 11), Fault::TooLittle),
        (signed(6, 201), Fault::Overdrawn),
        (signed(6, u128::MAX), Fault::Overdrawn),
        (signed(6, 61), Fault::TooExposed),
        (signed(6, 51), Fault::NotFinal),
    ];
    for (voucher, fault) in cases {
        let out = give(&mut payee, &voucher);
        assert_eq!(out.last(), Some(&Output::Fault(PEER, fault)), "{voucher:?}");
    }
    let long = [&bytes(&signed(6, 20))[..], &[0]].concat();
    let malformed = |error| [Output::Fault(PEER, Fault::Malformed(error))];
    let input = |bytes| Input::Voucher(PEER, bytes);
    assert_eq!(feed(&mut payee, input(long)), malformed(DecodeError::Trailing));
    assert_eq!(feed(&mut payee, input(vec_of(142))), malformed(DecodeError::OverLimit));
    assert_eq!(feed(&mut payee, input(vec_of(87))), malformed(DecodeError::Truncated));
    assert_eq!(pay(&mut payee, 6, 20), [Output::Credit(PEER, units(10))], "the right one passes");
    assert_eq!(give(&mut payee, &signed(6, 20)), [Output::Fault(PEER, Fault::OldSequence)]);
}

#[test]
fn a_torsion_signature_is_refused() {
    let (creator, signature) = forged::torsion();
    let mut payee = ready();
    let weak = Proof { state: PoolState { creator, ..state() }, ..proof(11) };
    feed(&mut payee, Input::Proven(id(), Box::new(weak)));
    let torsion = Signed { signature, ..signed(1, 2) };
    assert_eq!(give(&mut payee, &torsion), [Output::Fault(PEER, Fault::BadSignature)]);
}

#[test]
fn a_pool_that_cannot_pay_is_refused_by_its_name() {
    let refusal = |proof: Proof, tip: u64| {
        let mut payee = ready();
        feed(&mut payee, Input::Proven(id(), Box::new(proof)));
        feed(&mut payee, Input::Tip(Height(tip)));
        give(&mut payee, &signed(1, 2)).last().cloned()
    };
    let fault = |fault| Some(Output::Fault(PEER, fault));
    let other = PoolState { resource: StreamId(Hash([9; 32])), ..state() };
    let wrong = Proof { state: other, ..proof(11) };
    assert_eq!(refusal(wrong, 11), fault(Fault::WrongResource));
    // It would pay for the first settlement and then no more.
    let purpose = Purpose::try_from("").unwrap();
    let only = PoolState { only: Some(Only { payee: ME, purpose }), ..state() };
    assert_eq!(refusal(Proof { state: only, ..proof(11) }, 11), fault(Fault::OnePayee));
    assert_eq!(refusal(proof(368), 369), fault(Fault::EndTooNear));
    assert!(matches!(refusal(proof(368), 368), Some(Output::Store(..))), "one block before");
    assert_eq!(refusal(proof(11), 44), fault(Fault::Stale));
    assert!(matches!(refusal(proof(11), 43), Some(Output::Store(..))), "one block before");
    let drained = PoolState { paid_total: units(199), ..state() };
    let drained = Proof { state: drained, ..proof(11) };
    assert_eq!(refusal(drained, 11), fault(Fault::Overdrawn));
    let closed = PoolState { status: PoolStatus::Closed, ..state() };
    let closed = Proof { state: closed, ..proof(11) };
    assert_eq!(refusal(closed, 11), fault(Fault::NoPool), "forgotten at once");
    let mut own = Payee::new(CHAIN, Address::of(&key().public()), rules(), policy(), []);
    own.set_terms(PEER, STREAM, PRICE).unwrap();
    feed(&mut own, Input::Tip(Height(10)));
    feed(&mut own, Input::Offered(PEER, id()));
    feed(&mut own, Input::Proven(id(), Box::new(proof(10))));
    assert_eq!(give(&mut own, &signed(1, 2)), [Output::Fault(PEER, Fault::OwnPool)]);
    let mut payee = fresh(&Rows::new());
    assert_eq!(give(&mut payee, &signed(1, 2)), [Output::Fault(PEER, Fault::NoPool)]);
}

#[test]
fn a_settlement_is_ordered_when_enough_is_at_risk_and_not_twice() {
    let mut payee = ready();
    assert_eq!(pay(&mut payee, 1, 39), [Output::Credit(PEER, units(39))]);
    let settle = Output::Settle(signed(2, 41).into());
    assert_eq!(pay(&mut payee, 2, 41), [Output::Credit(PEER, units(2)), settle]);
    assert_eq!(pay(&mut payee, 3, 43), [Output::Credit(PEER, units(2))], "one at a time");
    assert_eq!(feed(&mut payee, Input::Tip(Height(11))), [Output::NeedPool(id())]);
    assert_eq!(feed(&mut payee, Input::Tip(Height(12))), [], "asked already");
    let paid = PaidState { seq: 2, cum: units(41), claim: None };
    let after = PoolState { paid_total: units(41), ..state() };
    let proof = Proof { state: after, paid, ..proof(12) };
    let settled = [Output::Settled(id(), paid)];
    assert_eq!(feed(&mut payee, Input::Proven(id(), Box::new(proof.clone()))), settled);
    assert_eq!(feed(&mut payee, Input::Proven(id(), Box::new(proof))), [], "said once");
    let view = &payee.view()[0];
    assert_eq!((view.held, view.paid, view.exposure), (units(2), units(41), units(2)));
    assert_eq!(view.proven.map(|proven| proven.cover), Some(4), "240 / 60");
}

#[test]
fn what_is_proven_settled_is_not_held_any_more() {
    let mut payee = ready();
    pay(&mut payee, 1, 30);
    let mut out = Vec::new();
    payee.settle(&mut out);
    let shown = |payee: &Payee| (payee.view()[0].held, payee.view()[0].exposure);
    assert_eq!(shown(&payee), (units(30), units(30)), "ordered is not proven");
    let paid = PaidState { seq: 1, cum: units(30), claim: None };
    let after = PoolState { paid_total: units(30), ..state() };
    let proof = Proof { state: after, paid, ..proof(12) };
    let included = Proof { level: Level::Included, ..proof.clone() };
    assert_eq!(feed(&mut payee, Input::Proven(id(), Box::new(included))), []);
    assert_eq!(shown(&payee), (units(30), units(30)), "included is not settled");
    assert_eq!(
        feed(&mut payee, Input::Proven(id(), Box::new(proof))),
        [Output::Settled(id(), paid)]
    );
    assert_eq!(shown(&payee), (Amount::ZERO, Amount::ZERO));
}

#[test]
fn an_unanswered_settlement_is_ordered_again_after_the_margin() {
    let mut payee = ready();
    pay(&mut payee, 1, 40);
    let again = |out: &[Output]| out.contains(&Output::Settle(signed(1, 40).into()));
    assert!(!again(&feed(&mut payee, Input::Tip(Height(25)))));
    assert!(again(&feed(&mut payee, Input::Tip(Height(26)))));
}

#[test]
fn the_end_a_small_rest_and_silence_each_order_a_settlement() {
    let settle = [Output::Settle(signed(1, 4).into())];
    let mut payee = ready();
    pay(&mut payee, 1, 4);
    feed(&mut payee, Input::Proven(id(), Box::new(proof(360))));
    assert_eq!(feed(&mut payee, Input::Tip(Height(367))), []);
    assert_eq!(feed(&mut payee, Input::Tip(Height(368))), settle, "end - 2·M_incl");
    let mut payee = ready();
    pay(&mut payee, 1, 4);
    let rest =
        |paid| Proof { state: PoolState { paid_total: units(paid), ..state() }, ..proof(11) };
    assert_eq!(feed(&mut payee, Input::Proven(id(), Box::new(rest(192)))), []);
    assert_eq!(
        feed(&mut payee, Input::Proven(id(), Box::new(rest(193)))),
        settle,
        "7 left < 2 · 4"
    );
    let mut payee = ready();
    pay(&mut payee, 1, 4);
    let deadline = payee.deadline().unwrap();
    assert_eq!(deadline, NOW.after(Duration::from_secs(30)));
    let mut out = Vec::new();
    payee.handle(Moment::from_millis(29_999), Input::Tick, &mut out);
    assert_eq!(out, []);
    payee.handle(deadline, Input::Tick, &mut out);
    assert_eq!(out, settle, "blocks are withheld");
    assert_eq!((payee.deadline(), payee.serve(PEER)), (None, Err(ServeError::ChainStalled)));
    payee.handle(deadline, Input::Tip(Height(11)), &mut out);
    assert_eq!(payee.serve(PEER), Ok(()), "it moves again");
}

#[test]
fn what_is_not_worth_the_fee_is_settled_only_on_command() {
    let mut payee = ready();
    payee.policy.fee = units(4);
    pay(&mut payee, 1, 4);
    feed(&mut payee, Input::Proven(id(), Box::new(proof(360))));
    assert_eq!(feed(&mut payee, Input::Tip(Height(370))), []);
    let mut out = Vec::new();
    payee.settle(&mut out);
    assert_eq!(out, [Output::Settle(signed(1, 4).into())]);
}

#[test]
fn a_final_proof_opens_the_upper_part_of_the_exposure() {
    let mut payee = ready();
    let out = give(&mut payee, &signed(1, 52));
    assert_eq!(out, [Output::NeedPool(id()), Output::Fault(PEER, Fault::NotFinal)]);
    let older = Proof { level: Level::Final, ..proof(9) };
    feed(&mut payee, Input::Proven(id(), Box::new(older)));
    let out = pay(&mut payee, 1, 52);
    assert_eq!(out, [Output::Credit(PEER, units(52)), Output::Settle(signed(1, 52).into())]);
    assert_eq!(payee.view()[0].proven.unwrap().height, Height(10), "the newest stays");
}

#[test]
fn what_was_stored_is_settled_after_a_restart() {
    let rows = Rows::from([(name(&id()), row_of(signed(3, 44)))]);
    let mut payee = fresh(&rows);
    assert_eq!(feed(&mut payee, Input::Tip(Height(20))), [Output::NeedPool(id())]);
    let out = feed(&mut payee, Input::Proven(id(), Box::new(proof(20))));
    assert_eq!(out, [Output::Settle(signed(3, 44).into())]);
    feed(&mut payee, Input::Offered(PEER, id()));
    assert_eq!(give(&mut payee, &signed(3, 46)), [Output::Fault(PEER, Fault::OldSequence)]);
    let forged = Signed { signature: Signature([1; 64]), ..signed(3, 44) };
    let mut payee = fresh(&Rows::from([(name(&id()), forged.to_bytes())]));
    feed(&mut payee, Input::Tip(Height(20)));
    assert_eq!(feed(&mut payee, Input::Proven(id(), Box::new(proof(20)))), [], "not the creator's");
    assert_eq!(fresh(&Rows::from([(String::from("other"), vec_of(1))])).view(), []);
}

#[test]
fn an_ended_pool_is_forgotten_and_the_loss_is_named() {
    let mut payee = ready();
    pay(&mut payee, 1, 4);
    let last = state().end_height.0 + rules().freeze - 1;
    let out = feed(&mut payee, Input::Proven(id(), Box::new(proof(last))));
    assert_eq!(out, [], "somebody may still show that it is insolvent");
    let out = feed(&mut payee, Input::Proven(id(), Box::new(proof(last + 1))));
    let [Output::Lost(pool, lost), Output::Store(_, row, None)] = &out[..] else {
        panic!("{out:?}")
    };
    assert_eq!((*pool, *lost, row), (id(), units(4), &name(&id())));
    assert_eq!(payee.view(), []);
}

fn vec_of(length: usize) -> Vec<u8> {
    alloc::vec![0; length]
}
