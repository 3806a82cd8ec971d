//! More is watched than one question asks.

use super::*;
use crate::{
    crypto::hash_tagged,
    payment::member::MAX_FIELDS,
    wallet::book::proofs::{FIELDS_A_TURN, NAMED_A_TURN, POOLS_A_TURN},
};
use alloc::collections::BTreeSet;

fn name(kind: &str, n: u64) -> Hash {
    hash_tagged(kind, ChainId::default(), &n.to_le_bytes())
}

fn pool(kind: &str, n: u64) -> PoolId {
    PoolId(name(kind, n))
}

/// A book that watches so many pools of ours and so many that were only named.
fn watching(ours: u64, named: u64) -> (Node, Book) {
    let (node, mut book) = funded();
    let mut out = Vec::new();
    (0..named).for_each(|n| book.watch(pool("named", n), Interest::Named, &mut out));
    (0..ours).for_each(|n| book.watch(pool("ours", n), Interest::Ours, &mut out));
    answer(&mut book, &node, out);
    (node, book)
}

/// What the next head proves.
fn proven(book: &mut Book, node: &Node, height: u64) -> (BTreeSet<PoolId>, BTreeSet<FieldId>) {
    let out = show(book, node, height, Level::Settled);
    let pools = out.iter().filter_map(|output| match output {
        Output::Pool(proof) => Some(proof.pool),
        Output::Ask(..)
        | Output::Field(_)
        | Output::Trouble(_)
        | Output::PoolRefused(..)
        | Output::Changed => None,
    });
    let fields = out.iter().filter_map(|output| match output {
        Output::Field(shown) => Some(shown.field),
        Output::Ask(..)
        | Output::Pool(_)
        | Output::Trouble(_)
        | Output::PoolRefused(..)
        | Output::Changed => None,
    });
    (pools.collect(), fields.collect())
}

/// Everything that so many heads prove.
fn in_heads(book: &mut Book, node: &Node, heads: core::ops::Range<u64>) -> BTreeSet<PoolId> {
    heads.flat_map(|height| proven(book, node, height).0).collect()
}

fn all(kind: &str, count: u64) -> BTreeSet<PoolId> {
    (0..count).map(|n| pool(kind, n)).collect()
}

#[test]
fn whatever_is_watched_is_proven_within_as_many_heads_as_it_fills_questions() {
    let (node, mut book) = watching(100, 0);
    let heads = 100_u64.div_ceil(POOLS_A_TURN as u64);
    for from in [11, 11 + heads, 11 + 2 * heads] {
        assert_eq!(in_heads(&mut book, &node, from..from + heads), all("ours", 100));
    }
    let mut out = Vec::new();
    (0..40).for_each(|n| book.watch_field(FieldId(name("field", n)), &mut out));
    answer(&mut book, &node, out);
    let heads = MAX_FIELDS.div_ceil(FIELDS_A_TURN) as u64;
    let seen: BTreeSet<_> =
        (50..50 + heads).flat_map(|height| proven(&mut book, &node, height).1).collect();
    assert_eq!(seen, (0..MAX_FIELDS as u64).map(|n| FieldId(name("field", n))).collect());
}

#[test]
fn few_pools_are_asked_of_together_and_only_every_inclusion_margin() {
    let (mut node, mut book) = funded();
    let mut out = Vec::new();
    for n in 0..24 {
        let terms = PoolTerms {
            creator: key().public(),
            nonce: n,
            resource: StreamId::default(),
            deposit: Amount::from_units(10),
            collateral: Amount::from_units(20),
            end_height: Height(900),
            only: None,
        };
        let state = terms.open(&node.spec.pool, Height(0)).unwrap();
        node.entries.insert(StateKey::pool(node.chain(), &pool("ours", n)), encode(&state));
        book.watch(pool("ours", n), Interest::Ours, &mut out);
    }
    feed(&mut book, 0, Input::Head(Box::new(node.head(11, Level::Settled))));
    let (node, mut book) = (node, rebuilt(book, &all("ours", 24)));
    assert_eq!(proven(&mut book, &node, 12).0, all("ours", 24));
    let margin = node.spec.pool.inclusion_margin;
    assert_eq!(in_heads(&mut book, &node, 13..12 + margin), BTreeSet::new());
    assert_eq!(proven(&mut book, &node, 12 + margin).0, all("ours", 24));
}

/// A book of the same key that watches these.
fn rebuilt(book: Book, pools: &BTreeSet<PoolId>) -> Book {
    drop(book);
    let mut book = Book::new(key(), &Node::new().spec);
    pools.iter().for_each(|pool| book.watch(*pool, Interest::Ours, &mut Vec::new()));
    book
}

#[test]
fn pools_that_others_name_keep_neither_ours_nor_each_other_from_being_proven() {
    let (node, mut book) = watching(40, 300);
    let heads = 40_u64.div_ceil((POOLS_A_TURN - NAMED_A_TURN) as u64);
    assert!(in_heads(&mut book, &node, 11..11 + heads).is_superset(&all("ours", 40)));
    // Somebody goes on naming pools that do not exist, a question's share with every head.
    let heads = 300_u64.div_ceil(NAMED_A_TURN as u64);
    let mut seen = BTreeSet::new();
    for height in 20..20 + heads {
        let mut out = Vec::new();
        for n in 0..NAMED_A_TURN as u64 {
            book.watch(pool("fresh", height * 100 + n), Interest::Named, &mut out);
        }
        assert_eq!(out, [], "a name more is no question more");
        seen.extend(proven(&mut book, &node, height).0);
    }
    assert!(seen.is_superset(&all("named", 300)), "who came first is not overtaken for ever");
    assert!(seen.is_superset(&all("ours", 40)));
}

#[test]
fn a_full_watch_takes_no_more_names_and_gives_their_places_to_ours() {
    let (node, mut book) = watching(0, MAX_WATCHED as u64 + 10);
    assert_eq!(book.watched(), MAX_WATCHED);
    let ours = MAX_WATCHED as u64 + 10;
    let mut out = Vec::new();
    (0..ours).for_each(|n| book.watch(pool("ours", n), Interest::Ours, &mut out));
    answer(&mut book, &node, out);
    assert_eq!(book.watched(), MAX_WATCHED);
    let heads = (MAX_WATCHED as u64).div_ceil(POOLS_A_TURN as u64);
    let seen = in_heads(&mut book, &node, 11..11 + heads);
    assert!(seen == all("ours", MAX_WATCHED as u64), "no name is left");
}

#[test]
fn what_is_nothing_to_us_any_more_is_not_watched_but_until_its_payment_is_final() {
    let (mut node, mut book) = watching(3, 3);
    let (cum, pool) = (Amount::from_units(30), pool("ours", 0));
    let voucher =
        Voucher { pool, resource: StreamId::default(), target: owner(), seq: 1, cum, ticks: None };
    let voucher = Signed::new(&SecretKey::from_bytes(&[9; 32]), node.chain(), voucher);
    let mut out = Vec::new();
    book.settle(at(0), voucher.into(), &mut out).unwrap();
    answer(&mut book, &node, out);
    let paid = StateKey::paid(node.chain(), &pool, &owner());
    node.entries.insert(paid, encode(&PaidState { seq: 1, cum, claim: None }));
    show(&mut book, &node, 11, Level::Settled);
    book.review(|_| None);
    assert_eq!(book.watched(), 1, "the payment is not final");
    show(&mut book, &node, 12, Level::Final);
    book.review(|_| None);
    assert_eq!(book.watched(), 0);
    assert_eq!(book.settlements()[0].level, Some(Level::Final));
}
