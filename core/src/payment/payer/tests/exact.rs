//! Bounds to the unit and the block, and what is left of a pool that goes.

use super::{super::line::Line, *};

#[test]
fn a_proof_of_the_same_block_is_not_stale() {
    let (mut payer, _) = ready();
    let mut out = Vec::new();
    let paid = |total| PoolState { paid_total: units(total), ..state() };
    assert_eq!(payer.adopt(id(), state(), Height(1), &mut out), Ok(()));
    assert_eq!(pay(&mut payer, ANN, 3).0, Ok(units(3)));
    assert_eq!(payer.adopt(id(), paid(3), Height(2), &mut out), Ok(()), "as much as was promised");
    let frozen = Err(AdoptError::Frozen(Freeze::RolledBack));
    assert_eq!(payer.adopt(id(), paid(4), Height(3), &mut out), frozen);
}

#[test]
fn a_pool_is_shown_with_what_is_proven_of_it() {
    let (payer, _) = ready();
    assert_eq!(payer.pool(id()), Some((&terms(), Some(&(state(), Height(1))))));
    assert_eq!(payer.pool(PoolId(Hash([9; 32]))), None);
    let mut fresh = restart(DEVICE, &Rows::new());
    fresh.open(terms(), &mut Vec::new()).unwrap();
    assert_eq!(fresh.pool(id()), Some((&terms(), None)));
}

/// What waits for a write of a pool that goes is forgotten with it, and what waits for another pool's is not.
#[test]
fn forgetting_a_pool_keeps_the_writes_of_others() {
    let (mut payer, _) = ready();
    let other = PoolTerms { nonce: 1, ..terms() };
    let other_state = PoolState { ..other.open(&rules(), Height(0)).unwrap() };
    let mut out = Vec::new();
    payer.open(other.clone(), &mut out).unwrap();
    payer.adopt(other.id(CHAIN), other_state, Height(1), &mut out).unwrap();
    let token = |out: &[Output]| match out[..] {
        [Output::Store(token, ..)] => token,
        _ => panic!("{out:?}"),
    };
    let going = token(&pay(&mut payer, ANN, 3).1);
    let mut written = Vec::new();
    payer.pay(other.id(CHAIN), BOB, units(3), &mut written).unwrap();
    let staying = token(&written);
    let closed = PoolState { status: PoolStatus::Closed, ..state() };
    assert_eq!(payer.adopt(id(), closed, Height(2), &mut out), Err(AdoptError::Closed));
    let mut said = Vec::new();
    payer.handle(NOW, Input::Stored(going), &mut said);
    assert_eq!(said, [], "its money is gone back");
    payer.handle(NOW, Input::Stored(staying), &mut said);
    assert!(matches!(said[..], [Output::Voucher(BOB, _)]), "{said:?}");
}

/// A refused pool that is frozen, or that the chain would not open any more, is not asked for again.
#[test]
fn a_refused_pool_that_cannot_be_opened_is_not_asked_again() {
    let mut rows = Rows::new();
    let (mut payer, mut out) = (restart(DEVICE, &rows), Vec::new());
    payer.open(terms(), &mut out).unwrap();
    settle_writes(&mut payer, &mut out, &mut rows);
    let alike = PoolTerms { nonce: 1, end_height: Height(490), ..terms() };
    let again = |payer: &mut Payer| {
        payer.refuse(id(), "wallet/insufficient");
        payer.open(alike.clone(), &mut Vec::new())
    };
    let mut late = restart(DEVICE, &rows);
    late.handle(NOW, Input::Tip(Height(101)), &mut out);
    assert_eq!(again(&mut late), Ok(alike.id(CHAIN)), "too late for the first");
    let mut clone = restart(DeviceId([6; 16]), &rows);
    assert_eq!(again(&mut clone), Ok(alike.id(CHAIN)), "another device's");
    assert_eq!(again(&mut restart(DEVICE, &rows)), Ok(id()));
}

#[test]
fn the_last_sequences_are_kept_for_a_write_under_way() {
    let at = |seq| Line::restored(seq, Amount::ZERO, None).is_exhausted();
    assert!(!at(u64::MAX - 3));
    assert!(at(u64::MAX - 2) && at(u64::MAX));
}

#[test]
fn each_refusal_says_its_code() {
    assert_eq!(Freeze::RolledBack.code(), "payer/frozen-rolled-back");
    assert_eq!(AdoptError::Frozen(Freeze::Unknown).code(), "payer/frozen-unknown");
    assert_eq!(AdoptError::Stale.code(), "payer/stale-state");
    assert_eq!(PayError::NoPool.code(), "payer/no-pool");
    assert_eq!(PayError::Frozen(Freeze::Damaged).code(), Freeze::Damaged.code());
}
