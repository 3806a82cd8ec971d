//! The chain pays ticks like vouchers: T3 to T5 of `SPEC-MAP.md`.

use super::*;
use crate::payment::tick::{Ladder, MAX_TICKS, Preimage, Tick, TickError, Ticks};

const LENGTH: u32 = 20;

/// A voucher of 10 with ticks of 3, and the chain behind it.
fn committed(seq: u64) -> (Voucher, Ladder) {
    let plain = voucher(seq, 10);
    let ladder = Ladder::new(&key(), CHAIN, (&plain.pool, &plain.target, seq), LENGTH);
    let ticks = Ticks { anchor: ladder.anchor(), price: units(3), length: LENGTH };
    (Voucher { ticks: Some(ticks), ..plain }, ladder)
}

fn tick(ladder: &mut Ladder, count: u32) -> Option<Tick> {
    Some(Tick { count, preimage: ladder.preimage(count).unwrap() })
}

fn bring(
    pool: &PoolState,
    row: &PaidState,
    (body, tick): (Voucher, Option<Tick>),
) -> Result<Settlement, SettleError> {
    pool.settle(&rules(), row, &Promise { voucher: signed(body), tick }, &bearer(10))
}

#[test]
fn each_tick_is_paid_once_however_often_and_in_whatever_steps_it_is_brought() {
    let (body, mut ladder) = committed(1);
    let (mut pool, mut row) = (pool(), PaidState::default());
    let mut gained = Vec::new();
    for count in [3, 3, 2, 9, 9, 20, 1] {
        match bring(&pool, &row, (body, tick(&mut ladder, count))) {
            Ok(done) => {
                gained.push(done.gain.units());
                (pool, row) = (done.pool, done.paid);
            }
            Err(error) => {
                let cum = units(10 + 3 * u128::from(count));
                assert_eq!(error, SettleError::NothingNew { cum, paid: row.cum });
            }
        }
    }
    assert_eq!(gained, [19, 18, 33], "10 + 3 * 3, 3 * 6, 3 * 11");
    assert_eq!((row.seq, row.cum), (1, units(70)));
    let nothing = SettleError::NothingNew { cum: units(10), paid: units(70) };
    assert_eq!(bring(&pool, &row, (body, None)), Err(nothing), "the voucher by itself");
    let plain = bring(&pool, &row, (voucher(1, 90), None));
    assert_eq!(
        plain,
        Err(SettleError::OldSequence { seq: 1, settled: 1 }),
        "ticks may, it may not"
    );
    assert_eq!(bring(&pool, &row, (voucher(2, 90), None)).unwrap().gain, units(20));
}

#[test]
fn what_is_no_tick_of_this_voucher_pays_nothing() {
    let (body, mut ladder) = committed(1);
    let row = PaidState::default();
    let pay = |body, tick| bring(&pool(), &row, (body, tick)).unwrap_err();
    let bad = SettleError::Tick(TickError::BadPreimage);
    let fifth = ladder.preimage(5).unwrap();
    for count in (1..=LENGTH).filter(|count| *count != 5) {
        assert_eq!(pay(body, Some(Tick { count, preimage: fifth })), bad, "5 as {count}");
    }
    let range = |count| SettleError::Tick(TickError::OutOfRange { count, length: LENGTH });
    let anchor = ladder.anchor();
    assert_eq!(pay(body, Some(Tick { count: 0, preimage: anchor })), range(0));
    let beyond = Tick { count: LENGTH + 1, preimage: Preimage([1; 32]) };
    assert_eq!(pay(body, Some(beyond)), range(LENGTH + 1));
    let none = SettleError::Tick(TickError::NoTicks);
    assert_eq!(pay(voucher(1, 10), tick(&mut ladder, 1)), none);
    // The same chain under another sequence, and to another target.
    let (_, mut second) = committed(2);
    assert_eq!(pay(body, tick(&mut second, 5)), bad, "of another sequence");
    let reused = Voucher { seq: 2, ..body };
    assert_eq!(pay(reused, tick(&mut ladder, 5)), bad, "one chain for two sequences");
    let other = Voucher { target: Address([5; 20]), ..body };
    let by_other = Bearer { by: other.target, ..bearer(10) };
    let promise = Promise { voucher: signed(other), tick: tick(&mut ladder, 5) };
    assert_eq!(pool().settle(&rules(), &row, &promise, &by_other), Err(bad), "to two payees");
}

#[test]
fn a_chain_without_price_or_bound_is_refused_before_anything_is_hashed() {
    let (body, mut ladder) = committed(1);
    let good = body.ticks.unwrap();
    let bad = SettleError::Tick(TickError::BadTerms);
    let all = [
        Ticks { price: units(0), ..good },
        Ticks { length: 0, ..good },
        Ticks { length: MAX_TICKS + 1, ..good },
        Ticks { length: u32::MAX, ..good },
        Ticks { price: units(u128::MAX), ..good },
    ];
    for ticks in all {
        let body = Voucher { ticks: Some(ticks), ..body };
        for tick in [None, tick(&mut ladder, 1)] {
            assert_eq!(bring(&pool(), &PaidState::default(), (body, tick)), Err(bad), "{ticks:?}");
        }
    }
}

#[test]
fn ticks_beyond_the_deposit_make_a_pool_insolvent_and_are_evidence() {
    let (body, mut ladder) = committed(1);
    let dear = Ticks { price: units(6), ..body.ticks.unwrap() };
    let body = Voucher { ticks: Some(dear), ..body };
    let exact = bring(&pool(), &PaidState::default(), (body, tick(&mut ladder, 15))).unwrap();
    assert_eq!(exact.pool.status, PoolStatus::Open);
    let over = bring(&pool(), &PaidState::default(), (body, tick(&mut ladder, 16))).unwrap();
    assert_eq!((over.gain, over.pool.remaining()), (units(1), units(100)));
    assert!(matches!(over.pool.status, PoolStatus::Insolvent(_)));
    let judge = |count| {
        let promise = Promise { voucher: signed(body), tick: tick(&mut ladder.clone(), count) };
        let promises = alloc::vec![promise].try_into().unwrap();
        let evidence = Overdraft { pool: body.pool, promises };
        pool().report(&rules(), &[PaidState::default()], &evidence, (&[CHAIN], Height(10)))
    };
    assert!(judge(16).is_ok());
    assert!(matches!(judge(15), Err(ReportError::Covered { .. })));
}
