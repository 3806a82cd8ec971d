//! Rows that are older than what the chain paid, and rows of others.

use super::*;

#[test]
fn more_paid_than_was_promised_freezes_the_pool() {
    let (mut payer, mut rows) = ready();
    let (_, mut out) = pay(&mut payer, ANN, 3);
    settle_writes(&mut payer, &mut out, &mut rows);
    assert_eq!(payer.owed(id()), units(3));
    let paid = PoolState { paid_total: units(2), ..state() };
    payer.adopt(id(), paid, Height(3), &mut out).unwrap();
    assert_eq!((payer.promised(id()), payer.owed(id())), (units(3), units(1)));
    let paid = PoolState { paid_total: units(3), ..state() };
    payer.adopt(id(), paid, Height(4), &mut out).unwrap();
    assert_eq!(pay(&mut payer, BOB, 1).0, Ok(units(1)), "just what was promised");
    let paid = PoolState { paid_total: units(5), ..state() };
    assert!(payer.adopt(id(), paid, Height(5), &mut out).is_err());
    assert_eq!(pay(&mut payer, BOB, 1).0, Err(PayError::Frozen(Freeze::RolledBack)));
}

#[test]
fn names_of_others_are_left_alone() {
    assert!(Payer::owns(&record::pool_name(&id())));
    assert!(Payer::owns(&record::line_name(&id(), &ANN)));
    for name in ["", "payer/", "payer/00", "payer/00/00", "payee/00", "peer"] {
        assert!(!Payer::owns(name), "{name}");
    }
    let shouted = record::pool_name(&id()).replace(['a', 'b', 'c'], "A");
    assert!(!Payer::owns(&shouted), "one spelling a row");
}
