//! Many settlements in one transaction, and what becomes of those of an insolvent pool. AME-24; PROTOCOL A5.11.

use super::*;
use crate::{
    chain::transaction::MAX_MESSAGES,
    payment::{
        reservation::{Claim, Insolvency, PoolStatus},
        tick::{Preimage, Tick, Ticks},
        voucher::Promise,
    },
};

const REFUSED: i32 = -32000;

fn pool(n: u8) -> PoolId {
    PoolId(Hash([n; 32]))
}

fn promise(n: u8, cum: u128) -> Promise {
    let (resource, cum) = (StreamId(Hash([4; 32])), Amount::from_units(cum));
    let body = Voucher { pool: pool(n), resource, target: owner(), seq: 1, cum, ticks: None };
    Signed::new(&SecretKey::from_bytes(&[9; 32]), ChainId::default(), body).into()
}

/// The pools that a transaction settles.
fn settled(tx: &SignedTx) -> Vec<PoolId> {
    let pool = |message: &Message| {
        let Message::Settle(promise) = message else { panic!("{message:?}") };
        promise.voucher.body.pool
    };
    tx.body.messages.iter().map(pool).collect()
}

fn order(book: &mut Book, node: &Node, promises: Vec<Promise>) -> Vec<Output> {
    let mut out = Vec::new();
    book.settle_all(at(0), promises, &mut out).unwrap();
    answer(book, node, out)
}

#[test]
fn settlements_that_wait_go_together_and_apart_when_one_is_refused() {
    let (mut node, mut book) = funded();
    let out = order(&mut book, &node, (1..=3).map(|n| promise(n, 30)).collect());
    let (id, tx) = submitted(&out).unwrap();
    assert_eq!(settled(&tx), [pool(1), pool(2), pool(3)]);
    // One of them cannot be settled, so the node refuses all: each goes by itself then, and the bad one alone is lost.
    let out = feed(&mut book, 0, Input::Refused(id, REFUSED));
    let (id, tx) = submitted(&out).unwrap();
    assert_eq!(settled(&tx), [pool(1)]);
    assert!(!out.contains(&Output::Trouble(TRANSACTION_REFUSED)), "not lost yet");
    let out = feed(&mut book, 0, Input::Refused(id, REFUSED));
    assert!(out.contains(&Output::Trouble(TRANSACTION_REFUSED)));
    let (id, tx) = submitted(&out).unwrap();
    assert_eq!((settled(&tx), tx.body.sequence), (vec![pool(2)], 1));
    feed(&mut book, 0, Input::Answered(id, Vec::new()));
    node.set_account(1, 1000);
    let out = show(&mut book, &node, 11, Level::Included);
    assert_eq!(settled(&submitted(&out).unwrap().1), [pool(3)]);
}

#[test]
fn a_transaction_takes_as_many_settlements_as_it_holds_and_pays_for_their_ticks() {
    let (node, mut book) = funded();
    let mut all: Vec<_> = (1..=20).map(|n| promise(n, 30)).collect();
    let (anchor, price) = (Preimage([1; 32]), Amount::from_units(1));
    all[0].voucher.body.ticks = Some(Ticks { anchor, price, length: 4096 });
    all[0].tick = Some(Tick { count: 2048, preimage: anchor });
    let out = order(&mut book, &node, all);
    let (_, tx) = submitted(&out).unwrap();
    assert_eq!(tx.body.messages.len(), MAX_MESSAGES);
    assert_eq!(Some(tx.body.max_fee), node.spec.fee.checked_mul(3), "2048 steps cost two more");
}

#[test]
fn a_settlement_whose_ticks_cost_more_than_there_is_is_not_sent() {
    let mut node = Node::new();
    let fee = node.spec.fee.units();
    node.set_account(0, fee);
    let mut book = Book::new(key(), &node.spec);
    show(&mut book, &node, 10, Level::Settled);
    let ticking = |n, cum, count| {
        let mut promise = promise(n, cum);
        let (anchor, price) = (Preimage([1; 32]), Amount::from_units(1));
        promise.voucher.body.ticks = Some(Ticks { anchor, price, length: 4096 });
        promise.tick = Some(Tick { count, preimage: anchor });
        promise
    };
    // What it brings may pay for it: 1024 with a unit each cost two fees, 4096 cost five.
    let mut out = Vec::new();
    let all_pays = ticking(1, 4 * fee, 1024);
    assert_eq!(book.settle(at(0), all_pays, &mut out), Ok(()));
    let mut poor = Book::new(key(), &node.spec);
    node.spec.fee = Amount::from_units(10_000);
    poor.fee = node.spec.fee;
    show(&mut poor, &node, 10, Level::Settled);
    let (needed, balance) = (Amount::from_units(20_000), Amount::from_units(fee + 19_000));
    let refused = Err(BookError::Insufficient { needed, balance });
    assert_eq!(poor.settle(at(0), ticking(1, 17_976, 1024), &mut out), refused);
    assert_eq!(poor.settle(at(0), ticking(1, 17_976, 1023), &mut out), Ok(()), "one fee");
}

#[test]
fn an_insolvent_pool_settles_nothing_and_its_claim_is_no_settlement() {
    let (mut node, mut book) = funded();
    order(&mut book, &node, vec![promise(1, 30)]);
    assert_eq!(book.settlements().len(), 1);
    let insolvency = Insolvency {
        since: Height(9),
        claimed: Amount::from_units(30),
        uncollected: 1,
        left: Amount::from_units(9),
    };
    let state = PoolState {
        only: None,
        creator: SecretKey::from_bytes(&[9; 32]).public(),
        resource: StreamId(Hash([4; 32])),
        deposit: Amount::from_units(90),
        collateral: Amount::from_units(100),
        paid_total: Amount::ZERO,
        end_height: Height(99),
        status: PoolStatus::Insolvent(insolvency),
    };
    let claim = Some(Claim { weight: Amount::from_units(30), collected: None });
    let paid = PaidState { claim, ..PaidState::default() };
    let chain = node.chain();
    node.entries.insert(StateKey::pool(chain, &pool(1)), encode(&state));
    node.entries.insert(StateKey::paid(chain, &pool(1), &owner()), encode(&paid));
    show(&mut book, &node, 11, Level::Settled);
    assert_eq!(book.settlements(), [], "it was not paid, and will not be");
    // What is brought now is a claim. It is sent, and is none either.
    let out = order(&mut book, &node, vec![promise(1, 40)]);
    assert_eq!(submitted(&out), None, "one at a time");
    assert!(book.is_busy() && book.settlements().is_empty());
    let mut out = Vec::new();
    book.collect(at(0), pool(1), &mut out).unwrap();
    book.collect(at(0), pool(1), &mut out).unwrap();
    let shares = book.queue.iter().filter(|m| matches!(m, Message::Collect { .. })).count();
    assert_eq!(shares, 1, "once is enough");
}
