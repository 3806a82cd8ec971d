use super::*;
use crate::{
    codec,
    crypto::{Hash, SecretKey},
    id::StreamId,
    payment::reservation::{Only, PoolStatus, Purpose, SettleError, pool_id},
};
use alloc::vec;

const CHAIN: ChainId = ChainId(Hash([1; 32]));
const END: Height = Height(400);
const NONCE: u64 = 5;

fn giver() -> SecretKey {
    SecretKey::from_bytes(&[7; 32])
}

fn address(key: &SecretKey) -> Address {
    Address::of(&key.public())
}

fn me() -> Address {
    address(&SecretKey::from_bytes(&[8; 32]))
}

fn rules() -> PoolRules {
    PoolRules::for_chain(4, 10)
}

fn units(units: u128) -> Amount {
    Amount::from_units(units)
}

fn terms() -> PoolTerms {
    PoolTerms {
        creator: giver().public(),
        nonce: NONCE,
        resource: StreamId::default(),
        deposit: units(100),
        collateral: Amount::ZERO,
        end_height: END,
        only: Some(Only { payee: me(), purpose: Purpose::try_from("order 7").unwrap() }),
    }
}

fn pool() -> PoolId {
    terms().id(CHAIN)
}

fn state() -> PoolState {
    terms().open(&rules(), Height(0)).unwrap()
}

fn paid(total: u128) -> PoolState {
    PoolState { status: PoolStatus::Closed, paid_total: units(total), ..state() }
}

fn proof(state: PoolState, height: u64) -> Proof {
    Proof { state, height: Height(height), level: Level::Settled, is_fresh: true }
}

fn proven(proof: Proof) -> Input {
    Input::Proven(pool(), Box::new(proof))
}

fn signed(cum: u128) -> Signed<Voucher> {
    let body = Voucher {
        pool: pool(),
        resource: StreamId::default(),
        target: me(),
        seq: 1,
        cum: units(cum),
        ticks: None,
    };
    Signed::new(&giver(), CHAIN, body)
}

fn offer(voucher: &Signed<Voucher>) -> Vec<u8> {
    word::offer(NONCE, voucher.to_compact())
}

fn gifts_of(who: Address, rows: Vec<Row>) -> Gifts {
    let policy = GiftPolicy { fee: units(2), final_above: units(1000) };
    let mut gifts = Gifts::new(CHAIN, who, rules(), policy, rows);
    feed(&mut gifts, Input::Tip(Height(10)));
    gifts
}

fn feed(gifts: &mut Gifts, input: Input) -> Vec<Output> {
    let mut out = Vec::new();
    gifts.handle(input, &mut out);
    out
}

fn stage(gifts: &Gifts) -> Option<Stage> {
    gifts.view().first().map(|gift| gift.stage)
}

/// A payee that was offered this, before the pool is proven.
fn offered(voucher: &Signed<Voucher>) -> Gifts {
    let mut gifts = gifts_of(me(), vec![]);
    let out = feed(&mut gifts, Input::Heard(address(&giver()), offer(voucher)));
    assert_eq!(out, [Output::Need(pool()), Output::Changed]);
    gifts
}

/// A payee that holds the promise.
fn sure() -> (Gifts, Row) {
    let mut gifts = offered(&signed(100));
    let out = feed(&mut gifts, proven(proof(state(), 10)));
    let [Output::Store(token, name, Some(row))] = &out[..] else { panic!("{out:?}") };
    assert_eq!(stage(&gifts), Some(Stage::Offered), "not sure before it is stored");
    let out = feed(&mut gifts, Input::Stored(*token));
    let thanks = Output::Tell(address(&giver()), word::taken(NONCE));
    assert_eq!(out, [thanks, Output::Changed, Output::Settle(Box::new(signed(100).into()))]);
    (gifts, (name.clone(), Ok(row.clone())))
}

#[test]
fn a_payee_is_sure_when_the_promise_is_stored_and_not_before_and_settles_at_once() {
    let (mut gifts, _) = sure();
    let shown = gifts.view().remove(0);
    assert_eq!((shown.stage, shown.amount), (Stage::Sure, units(100)));
    assert_eq!((shown.purpose.as_str(), shown.is_given), ("order 7", false));
    let out = feed(&mut gifts, Input::Heard(address(&giver()), offer(&signed(100))));
    assert_eq!(out, [Output::Tell(address(&giver()), word::taken(NONCE))], "it asks again");
    assert_eq!(feed(&mut gifts, Input::Tip(Height(25))), []);
    let again = feed(&mut gifts, Input::Tip(Height(26)));
    assert_eq!(again, [Output::Settle(Box::new(signed(100).into()))], "the settlement was lost");
    assert_eq!(feed(&mut gifts, proven(proof(paid(100), 27))), [Output::Changed]);
    assert_eq!(stage(&gifts), Some(Stage::Settled));
    assert_eq!(feed(&mut gifts, proven(proof(paid(100), 28))), [], "settled once more");
    let lagging = Proof { level: Level::Final, ..proof(state(), 20) };
    assert_eq!(feed(&mut gifts, proven(lagging)), []);
    let last = Proof { level: Level::Final, ..proof(paid(100), 30) };
    let out = feed(&mut gifts, proven(last));
    assert!(matches!(&out[..], [Output::Changed, Output::Store(_, _, None), Output::Done(_)]));
    assert_eq!(stage(&gifts), Some(Stage::Final));
}

#[test]
fn a_payee_is_not_sure_of_what_the_chain_would_not_pay_to_it_alone() {
    let refused = |voucher: &Signed<Voucher>, proof: Proof| {
        let mut gifts = offered(voucher);
        let out = feed(&mut gifts, proven(proof));
        assert_eq!(gifts.view(), [], "nothing stays of it");
        let [Output::Refused(from, refusal), Output::Done(_), Output::Changed] = out[..] else {
            panic!("{out:?}")
        };
        assert_eq!(from, address(&giver()));
        refusal
    };
    let good = signed(100);
    let any = PoolState { only: None, collateral: units(102), ..state() };
    assert_eq!(refused(&good, proof(any, 10)), Refusal::NotAlone);
    let other = Only { payee: Address([9; 20]), purpose: Purpose::try_from("").unwrap() };
    let theirs = PoolState { only: Some(other), ..state() };
    let unpayable = Refusal::Unpayable;
    assert_eq!(refused(&good, proof(theirs, 10)), unpayable(SettleError::NotPayee));
    let (worth, deposit) = (units(101), units(100));
    let beyond = unpayable(SettleError::BeyondDeposit { worth, deposit });
    assert_eq!(refused(&signed(101), proof(state(), 10)), beyond);
    assert_eq!(refused(&good, proof(paid(3), 10)), unpayable(SettleError::Closed));
    assert_eq!(refused(&signed(2), proof(state(), 10)), Refusal::TooLittle);
    let soon = PoolState { end_height: Height(41), ..state() };
    let late = SettleError::TooLate { height: Height(42), end: Height(41) };
    assert_eq!(refused(&good, proof(soon, 10)), unpayable(late), "no time to settle");
    let forgery = unpayable(SettleError::BadSignature);
    let elsewhere = Signed::new(&giver(), ChainId(Hash([2; 32])), good.body);
    let stranger = Signed::new(&SecretKey::from_bytes(&[6; 32]), CHAIN, good.body);
    let of = |body| Signed::new(&giver(), CHAIN, body);
    let to_another = of(Voucher { target: Address([9; 20]), ..good.body });
    let of_another = of(Voucher { pool: PoolId(Hash([9; 32])), ..good.body });
    let for_another = of(Voucher { resource: StreamId(Hash([9; 32])), ..good.body });
    for forged in [elsewhere, stranger, to_another, of_another, for_another] {
        assert_eq!(refused(&forged, proof(state(), 10)), forgery, "{forged:?}");
    }
}

#[test]
fn a_payee_waits_for_a_fresh_chain_and_for_a_final_one_where_much_is_given() {
    let mut gifts = offered(&signed(100));
    let old = Proof { is_fresh: false, ..proof(state(), 10) };
    assert_eq!(feed(&mut gifts, proven(old)), []);
    assert_eq!(stage(&gifts), Some(Stage::Offered));
    let rich = PoolState { deposit: units(2000), ..state() };
    let mut gifts = offered(&signed(1001));
    assert_eq!(feed(&mut gifts, proven(proof(rich.clone(), 10))), []);
    let last = Proof { level: Level::Final, ..proof(rich.clone(), 10) };
    let out = feed(&mut gifts, proven(last));
    assert!(matches!(out[..], [Output::Store(..)]));
    let mut gifts = offered(&signed(1000));
    let out = feed(&mut gifts, proven(proof(rich, 10)));
    assert!(matches!(out[..], [Output::Store(..)]), "one unit less");
    let mut gifts = offered(&signed(100));
    let out = feed(&mut gifts, Input::Tip(Height(10 + 65)));
    assert_eq!(out, [Output::Done(pool()), Output::Changed], "the pool never came");
}

#[test]
fn nobody_takes_the_place_of_a_gift_and_many_offers_stay_bounded() {
    let stranger = Address([6; 20]);
    let mut gifts = gifts_of(me(), vec![]);
    for nonce in 0..200 {
        let word = word::offer(nonce, signed(100).to_compact());
        feed(&mut gifts, Input::Heard(stranger, word));
    }
    assert_eq!(gifts.view().len(), MAX_GIFTS);
    assert!(gifts.pools().all(|id| id != pool()), "a pool is its creator's");
    let out = feed(&mut gifts, Input::Heard(address(&giver()), offer(&signed(100))));
    assert!(out.contains(&Output::Need(pool())), "there is room for an honest one: {out:?}");
    let mut whole = offer(&signed(100));
    for cut in 0..whole.len() {
        let out = feed(&mut gifts, Input::Heard(stranger, whole[..cut].to_vec()));
        assert!(matches!(out[..], [Output::Refused(_, Refusal::Malformed(_))]), "cut at {cut}");
    }
    assert!(is_word(&whole) && whole.len() == MAX_WORD);
    whole.push(0);
    let out = feed(&mut gifts, Input::Heard(stranger, whole));
    assert!(matches!(out[..], [Output::Refused(_, Refusal::Malformed(_))]));
}

#[test]
fn what_is_stored_is_settled_after_a_restart_and_a_damaged_row_is_none() {
    let (_, row) = sure();
    assert!(Gifts::owns(&row.0) && !Gifts::owns("gift/12") && !Gifts::owns("payee/12"));
    let mut gifts = gifts_of(me(), vec![row.clone()]);
    assert_eq!(gifts.pools().collect::<Vec<_>>(), [pool()]);
    assert_eq!(stage(&gifts), Some(Stage::Offered), "the chain is asked first");
    let out = feed(&mut gifts, proven(proof(state(), 399)));
    assert_eq!(
        out,
        [Output::Changed, Output::Settle(Box::new(signed(100).into()))],
        "just in time"
    );
    let mut gifts = gifts_of(me(), vec![row.clone()]);
    let gone = PoolState { paid_total: Amount::ZERO, ..paid(0) };
    let out = feed(&mut gifts, proven(proof(gone, 500)));
    assert!(matches!(&out[..], [Output::Changed, Output::Store(_, _, None), Output::Done(_)]));
    assert_eq!(stage(&gifts), Some(Stage::Lapsed));
    let mut gifts = gifts_of(me(), vec![row.clone()]);
    feed(&mut gifts, proven(proof(paid(100), 500)));
    assert_eq!(stage(&gifts), Some(Stage::Settled), "it was paid while nobody looked");
    let other = PoolState { creator: SecretKey::from_bytes(&[6; 32]).public(), ..state() };
    let mut gifts = gifts_of(me(), vec![row.clone()]);
    feed(&mut gifts, proven(proof(other, 20)));
    assert_eq!(stage(&gifts), Some(Stage::Lapsed), "a row that the giver did not sign");
    let bytes = row.1.clone().unwrap();
    for cut in 0..bytes.len() {
        assert_eq!(gifts_of(me(), vec![(row.0.clone(), Ok(bytes[..cut].to_vec()))]).view(), []);
    }
    assert_eq!(gifts_of(Address([9; 20]), vec![row]).view(), [], "another key's row");
}

#[test]
fn a_giver_tells_what_it_promised_until_the_payee_has_it() {
    let mut gifts = gifts_of(address(&giver()), vec![]);
    gifts.give(&PoolTerms { only: None, ..terms() }).unwrap();
    assert_eq!(gifts.view(), [], "a pool for anybody is no gift");
    gifts.give(&terms()).unwrap();
    assert_eq!(stage(&gifts), Some(Stage::Asked));
    let out = feed(&mut gifts, proven(proof(state(), 11)));
    let promise = Output::Promise(pool(), me(), units(100));
    assert_eq!(out, [promise, Output::Changed], "only what is reserved is promised");
    assert_eq!(stage(&gifts), Some(Stage::Reserved));
    assert_eq!(feed(&mut gifts, proven(proof(state(), 12))), [], "and once");
    assert_eq!(feed(&mut gifts, Input::Came(me())), [], "nothing is promised yet");
    let mut out = Vec::new();
    assert!(gifts.promised(&signed(100), &mut out));
    let tell = [Output::Tell(me(), offer(&signed(100)))];
    assert_eq!(out, tell);
    assert_eq!(feed(&mut gifts, Input::Tip(Height(12))), tell);
    assert_eq!(feed(&mut gifts, Input::Tip(Height(12))), [], "once a block");
    assert_eq!(feed(&mut gifts, Input::Came(me())), tell);
    assert_eq!(feed(&mut gifts, Input::Came(Address([9; 20]))), []);
    feed(&mut gifts, Input::Heard(Address([9; 20]), word::taken(NONCE)));
    assert_eq!(stage(&gifts), Some(Stage::Reserved), "only the payee can say that it has it");
    assert_eq!(feed(&mut gifts, Input::Heard(me(), word::taken(NONCE))), [Output::Changed]);
    assert_eq!(stage(&gifts), Some(Stage::Sure));
    assert_eq!(feed(&mut gifts, Input::Tip(Height(13))), []);
    assert_eq!(feed(&mut gifts, proven(proof(paid(100), 14))), [Output::Changed]);
    assert_eq!(stage(&gifts), Some(Stage::Settled));
    let last = Proof { level: Level::Final, ..proof(paid(100), 14) };
    let out = feed(&mut gifts, proven(last));
    assert_eq!(out, [Output::Changed, Output::Done(pool())]);
    assert_eq!(stage(&gifts), Some(Stage::Final));
    feed(&mut gifts, proven(proof(paid(100), 20)));
    assert_eq!(stage(&gifts), Some(Stage::Final), "for ever");
}

/// A payee orders until the last block of the pool, and knows that it is lost when the giver may take it back.
#[test]
fn a_payee_orders_to_the_last_block_and_has_lost_when_the_freeze_is_over() {
    let settles = Output::Settle(Box::new(signed(100).into()));
    let (mut gifts, _) = sure();
    assert_eq!(feed(&mut gifts, Input::Tip(END)), [settles], "in the last block");
    let (mut gifts, _) = sure();
    assert_eq!(feed(&mut gifts, Input::Tip(END.plus(1))), []);
    let release = END.0 + rules().freeze;
    assert_eq!(feed(&mut gifts, proven(proof(state(), release - 1))), []);
    assert_eq!(stage(&gifts), Some(Stage::Sure));
    feed(&mut gifts, proven(proof(state(), release)));
    assert_eq!(stage(&gifts), Some(Stage::Lapsed));
}

/// What is proven at a lower height says nothing any more, unless it is final and says the same; at the same height it is
/// another proof of the same block.
#[test]
fn a_giver_goes_by_the_newest_block_and_by_a_final_one_that_says_the_same() {
    let given = || {
        let mut gifts = gifts_of(address(&giver()), vec![]);
        gifts.give(&terms()).unwrap();
        gifts
    };
    let mut gifts = given();
    feed(&mut gifts, proven(proof(paid(100), 20)));
    assert_eq!(stage(&gifts), Some(Stage::Settled));
    let last = |state, height| Proof { level: Level::Final, ..proof(state, height) };
    assert_eq!(feed(&mut gifts, proven(proof(state(), 19))), [], "older");
    assert_eq!(feed(&mut gifts, proven(last(state(), 19))), [], "final, of before it was paid");
    assert_eq!(stage(&gifts), Some(Stage::Settled));
    assert_eq!(feed(&mut gifts, proven(proof(paid(100), 19))), [], "not final");
    feed(&mut gifts, proven(last(paid(100), 18)));
    assert_eq!(stage(&gifts), Some(Stage::Final));
    let mut gifts = given();
    feed(&mut gifts, proven(proof(state(), 20)));
    feed(&mut gifts, proven(proof(paid(100), 20)));
    assert_eq!(stage(&gifts), Some(Stage::Settled), "of the same height");
}

/// A block that nobody has vouched for proves nothing: no promise is made and none is taken by it.
#[test]
fn what_is_only_included_says_nothing() {
    let included = |state, height| Proof { level: Level::Included, ..proof(state, height) };
    let mut gifts = gifts_of(address(&giver()), vec![]);
    gifts.give(&terms()).unwrap();
    assert_eq!(feed(&mut gifts, proven(included(state(), 11))), []);
    assert_eq!(stage(&gifts), Some(Stage::Asked));
    let mut gifts = offered(&signed(100));
    assert_eq!(feed(&mut gifts, proven(included(state(), 11))), []);
    assert_eq!(stage(&gifts), Some(Stage::Offered));
}

#[test]
fn a_payee_depends_on_what_it_has_stored_until_that_is_over() {
    let gifts = offered(&signed(100));
    assert_eq!((gifts.is_offered(pool()), gifts.holds(pool())), (true, false));
    let (mut gifts, _) = sure();
    assert_eq!((gifts.is_offered(pool()), gifts.holds(pool())), (false, true));
    feed(&mut gifts, proven(proof(paid(100), 27)));
    assert!(gifts.holds(pool()), "until it is final");
    feed(&mut gifts, proven(Proof { level: Level::Final, ..proof(paid(100), 28) }));
    assert!(!gifts.holds(pool()));
}

#[test]
fn a_word_begins_with_its_mark() {
    assert!(is_word(&offer(&signed(100))) && is_word(&word::taken(NONCE)));
    let mut other = offer(&signed(100));
    other[0] ^= 1;
    assert!(!is_word(&other) && !is_word(&[]));
}

#[test]
fn applications_know_each_stage_by_a_word_of_its_own() {
    let stages = [
        (Stage::Asked, "asked"),
        (Stage::Offered, "offered"),
        (Stage::Reserved, "reserved"),
        (Stage::Sure, "sure"),
        (Stage::Settled, "settled"),
        (Stage::Final, "final"),
        (Stage::Lapsed, "lapsed"),
        (Stage::Returned, "returned"),
        (Stage::Void, "void"),
    ];
    for (stage, name) in stages {
        assert_eq!(stage.name(), name);
    }
}

#[test]
fn what_nobody_took_is_taken_back_after_the_freeze() {
    let mut gifts = gifts_of(address(&giver()), vec![]);
    gifts.give(&terms()).unwrap();
    feed(&mut gifts, proven(proof(state(), 11)));
    let release = END.0 + rules().freeze;
    for height in [END.0, END.0 + 1, release - 1] {
        feed(&mut gifts, Input::Tip(Height(height)));
        let out = feed(&mut gifts, proven(proof(state(), height)));
        assert!(!out.contains(&Output::Release(pool())), "at {height}");
        assert_eq!(stage(&gifts) == Some(Stage::Lapsed), height > END.0);
    }
    let at = |gifts: &mut Gifts, height| feed(gifts, proven(proof(state(), height)));
    assert_eq!(at(&mut gifts, release), [Output::Release(pool())]);
    assert_eq!(at(&mut gifts, release + 1), [], "it is on its way");
    let again = release + rules().inclusion_margin;
    assert_eq!(at(&mut gifts, again), [Output::Release(pool())], "it was lost");
    feed(&mut gifts, proven(proof(paid(0), again + 1)));
    assert_eq!(stage(&gifts), Some(Stage::Returned));
}

#[test]
fn what_was_never_reserved_is_void_once_its_end_is_past() {
    let mut gifts = gifts_of(address(&giver()), vec![]);
    gifts.give(&terms()).unwrap();
    let absent = |gifts: &mut Gifts, height| feed(gifts, Input::Absent(pool(), Height(height)));
    assert_eq!(absent(&mut gifts, END.0), [], "it may still be opened");
    assert!(gifts.holds(pool()));
    feed(&mut gifts, Input::Tip(END.plus(1)));
    assert_eq!(stage(&gifts), Some(Stage::Lapsed));
    assert_eq!(absent(&mut gifts, END.0 + 1), [Output::Changed, Output::Done(pool())]);
    assert_eq!((stage(&gifts), gifts.holds(pool())), (Some(Stage::Void), false));
    assert_eq!(absent(&mut gifts, END.0 + 2), []);
    let mut gifts = gifts_of(address(&giver()), vec![]);
    gifts.give(&terms()).unwrap();
    feed(&mut gifts, proven(proof(state(), 11)));
    assert_eq!(absent(&mut gifts, END.0 + 1), [], "what was seen is not void");
}

#[test]
fn a_full_table_takes_a_gift_only_in_the_place_of_one_that_is_over() {
    let mut gifts = gifts_of(address(&giver()), vec![]);
    let nth = |nonce| PoolTerms { nonce, ..terms() };
    let most = MAX_GIFTS as u64;
    (0..most).for_each(|nonce| gifts.give(&nth(nonce)).unwrap());
    assert_eq!(gifts.check_room(), Err(Refusal::TooMany));
    assert_eq!(gifts.give(&nth(most)), Err(Refusal::TooMany));
    assert_eq!(gifts.give(&nth(0)), Ok(()), "it is there already");
    assert_eq!(gifts.view().len(), MAX_GIFTS);
    let over = nth(9).id(CHAIN);
    let last = Proof { level: Level::Final, ..proof(paid(100), 14) };
    feed(&mut gifts, Input::Proven(over, Box::new(last)));
    assert_eq!(gifts.check_room(), Ok(()));
    assert_eq!(gifts.give(&nth(most)), Ok(()));
    let shown: Vec<_> = gifts.view().iter().map(|gift| gift.pool).collect();
    assert!(shown.len() == MAX_GIFTS && shown.contains(&nth(most).id(CHAIN)));
    assert!(!shown.contains(&over));
    assert_eq!(gifts.give(&nth(most + 1)), Err(Refusal::TooMany));
}

#[test]
fn a_second_promise_of_the_giver_changes_nothing() {
    let (mut gifts, _) = sure();
    for other in [signed(1), signed(99)] {
        let out = feed(&mut gifts, Input::Heard(address(&giver()), offer(&other)));
        assert_eq!(out, [Output::Tell(address(&giver()), word::taken(NONCE))]);
    }
    assert_eq!(gifts.view().remove(0).amount, units(100));
    let row = codec::encode(&signed(100));
    let row: Signed<Voucher> = codec::decode(&row, 256).unwrap();
    let bearer = crate::payment::reservation::Bearer {
        chains: &[CHAIN],
        pool: pool_id(CHAIN, &address(&giver()), NONCE),
        by: me(),
        height: END,
    };
    let settled = state().settle(&rules(), &Default::default(), &row.into(), &bearer).unwrap();
    assert_eq!(settled.gain, units(100), "the chain pays what the payee holds, until the end");
}
