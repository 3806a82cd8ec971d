//! Fields beside each other add up: issue 4 of the plan against the whitepaper's "millions of transactions in one second".
//! `cargo xtask bench` runs a thousand of them.

use antiphon_tests::sim::{Seed, fields::many};

/// The chain sees each field twice, whatever is paid in it, and every account ends with what it was paid to the unit.
#[test]
fn twenty_fields_pay_for_rounds_and_cost_the_chain_two_transactions_each() {
    let seed = Seed::or(1);
    let all = many::run(seed.number(), 20, 160);
    assert_eq!((all.fields, all.payments, all.transactions), (20, 20 * 160, 2 * 20));
    assert!(all.rounds >= 2 * all.fields, "each field goes through several rounds: {all:?}");
    assert!(all.members > 3 * all.fields, "fields of two alone show little: {all:?}");
    let (bytes, payments) = all.told;
    assert!(payments > all.payments / 2 && payments < all.payments, "leaders tell nobody: {all:?}");
    assert!(bytes / payments < 113, "below what µRaiden's voucher takes, FIELD-NOTES: {all:?}");
    assert!(all.moved > u128::from(all.payments), "{all:?}");
}

/// A figure that cannot be had again is none: the same seed gives the same counts, another seed others.
#[test]
fn one_seed_is_one_story() {
    let seed = Seed::or(2).number();
    let first = many::run(seed, 3, 80);
    assert_eq!(first, many::run(seed, 3, 80));
    assert_ne!(first.moved, many::run(seed + 1, 3, 80).moved);
}

/// What a field costs the chain does not grow with what is paid in it.
#[test]
fn ten_times_the_payments_cost_the_chain_no_more() {
    let seed = Seed::or(3).number();
    let (few, more) = (many::run(seed, 1, 64), many::run(seed, 1, 640));
    assert_eq!((few.transactions, more.transactions), (2, 2));
    assert!(more.rounds > few.rounds, "{few:?} {more:?}");
}
