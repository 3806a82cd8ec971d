//! A payer that pays by ticks: T7 of `SPEC-MAP.md`.

use super::*;
use crate::payment::{
    payer::line::RESERVE,
    tick::{Context, MAX_TICKS, Preimage, Tick, TickError},
};

/// A payer whose newest voucher to [`ANN`] has this many ticks of one unit, its rows and that voucher.
fn ticking(length: u32) -> (Payer, Rows, Signed<Voucher>) {
    let (mut payer, mut rows) = ready();
    let mut out = Vec::new();
    payer.commit(id(), ANN, (units(1), length), &mut out).unwrap();
    let spoken = settle_writes(&mut payer, &mut out, &mut rows);
    let [Output::Voucher(ANN, voucher)] = &spoken[..] else { panic!("{spoken:?}") };
    (payer, rows, voucher.clone())
}

fn tick(payer: &mut Payer) -> (Result<Preimage, PayError>, Vec<Output>) {
    let mut out = Vec::new();
    (payer.tick(id(), ANN, &mut out), out)
}

/// A payer whose pool holds ten thousand units.
fn rich() -> (Payer, Rows) {
    let (mut payer, rows) = ready();
    let deposit = PoolState { deposit: units(10_000), collateral: units(20_000), ..state() };
    payer.adopt(id(), deposit, Height(2), &mut Vec::new()).unwrap();
    (payer, rows)
}

/// Checks that a preimage is this tick of the voucher.
fn assert_is_tick(voucher: &Signed<Voucher>, count: u32, preimage: Preimage) {
    let context = Context::of(CHAIN, &voucher.body);
    let verdict = voucher.body.ticks.unwrap().verify(&context, &Tick { count, preimage });
    assert_eq!(verdict, Ok(()), "tick {count}");
}

#[test]
fn a_tick_needs_no_write_of_its_own_and_none_is_revealed_beyond_what_is_stored() {
    let (mut payer, _, voucher) = ticking(90);
    let mut stores = 0;
    let mut reserved = None;
    for count in 1..=RESERVE {
        let (preimage, out) = tick(&mut payer);
        assert_is_tick(&voucher, count, preimage.unwrap());
        for output in out {
            let Output::Store(token, ..) = output else { panic!("{output:?}") };
            stores += 1;
            reserved = Some(token);
        }
    }
    assert_eq!(stores, 1, "one write for many");
    // The write is not durable: the next tick is not revealed.
    assert_eq!(tick(&mut payer).0, Err(PayError::NotReserved));
    payer.handle(NOW, Input::Stored(reserved.unwrap()), &mut Vec::new());
    for count in RESERVE + 1..=90 {
        let (preimage, mut out) = tick(&mut payer);
        assert_is_tick(&voucher, count, preimage.unwrap());
        settle_writes(&mut payer, &mut out, &mut Rows::new());
    }
    assert_eq!(tick(&mut payer).0, Err(PayError::TicksExhausted));
    assert_eq!(payer.promised(id()), units(90));
}

#[test]
fn what_is_reserved_counts_as_promised_and_never_passes_the_deposit() {
    let (mut payer, _, _) = ticking(MAX_TICKS);
    let reserve = u128::from(RESERVE);
    assert_eq!(payer.promised(id()), units(reserve), "before the first tick");
    let rest = 100 - reserve;
    assert_eq!(
        pay(&mut payer, BOB, rest + 1).0,
        Err(PayError::DepositExhausted { deposit: units(100) })
    );
    assert!(pay(&mut payer, BOB, rest).0.is_ok());
    for _ in 0..RESERVE {
        let (revealed, out) = tick(&mut payer);
        assert!(revealed.is_ok() && out.is_empty(), "nothing is left to reserve");
    }
    assert_eq!(tick(&mut payer).0, Err(PayError::DepositExhausted { deposit: units(100) }));
    let mut out = Vec::new();
    let more = payer.commit(id(), BOB, (units(1), 5), &mut out);
    assert_eq!(more, Err(PayError::DepositExhausted { deposit: units(100) }));
}

#[test]
fn after_a_restart_the_whole_reserve_counts_and_the_next_tick_is_beyond_it() {
    let (mut payer, rows, voucher) = ticking(90);
    for _ in 0..3 {
        assert!(tick(&mut payer).0.is_ok());
    }
    let (mut payer, mut rows) = (restart(DEVICE, &rows), rows);
    payer.adopt(id(), state(), Height(1), &mut Vec::new()).unwrap();
    assert_eq!(payer.promised(id()), units(RESERVE.into()));
    assert_eq!(payer.latest(id(), ANN), Some(voucher.clone()), "the same bytes");
    assert_eq!(payer.latest_tick(id(), ANN), None, "it may not have been revealed");
    let (first, mut out) = tick(&mut payer);
    assert_eq!(first, Err(PayError::NotReserved));
    assert_eq!(settle_writes(&mut payer, &mut out, &mut rows), [], "no voucher for a reserve");
    assert_is_tick(&voucher, RESERVE + 1, tick(&mut payer).0.unwrap());
    // A voucher after it pays on from there.
    let (sum, mut out) = pay(&mut payer, ANN, 5);
    assert_eq!(sum, Ok(units(u128::from(RESERVE) + 6)));
    assert_eq!(tick(&mut payer).0, Err(PayError::NoTicks), "another voucher is on its way");
    let spoken = settle_writes(&mut payer, &mut out, &mut rows);
    let [Output::Voucher(ANN, next)] = &spoken[..] else { panic!("{spoken:?}") };
    assert_eq!((next.body.seq, next.body.cum, next.body.ticks), (2, sum.unwrap(), None));
}

#[test]
fn terms_that_no_payee_would_take_are_refused_and_a_frozen_pool_reveals_nothing() {
    let (mut payer, rows) = ready();
    let mut commit =
        |price, length| payer.commit(id(), ANN, (units(price), length), &mut Vec::new());
    let bad = Err(PayError::Ticks(TickError::BadTerms));
    assert_eq!(commit(0, 5), bad);
    assert_eq!(commit(1, 0), bad);
    assert_eq!(commit(1, MAX_TICKS + 1), bad);
    assert_eq!(commit(u128::MAX, 2), bad);
    assert_eq!(commit(101, 1), Err(PayError::DepositExhausted { deposit: units(100) }));
    assert_eq!(tick(&mut payer).0, Err(PayError::NoTicks));
    drop(rows);
    let (_, rows, _) = ticking(90);
    let mut other = restart(DeviceId([6; 16]), &rows);
    let adopted = other.adopt(id(), state(), Height(1), &mut Vec::new());
    assert_eq!(adopted, Err(AdoptError::Frozen(Freeze::OtherDevice)));
    assert_eq!(tick(&mut other).0, Err(PayError::Frozen(Freeze::OtherDevice)));
    assert_eq!(other.latest_tick(id(), ANN), None);
}

/// Pays this much for chunks of one unit, and makes every write durable.
fn pay_chunks(payer: &mut Payer, rows: &mut Rows, owed: u128) -> (Paid, Vec<Output>) {
    let mut out = Vec::new();
    let paid = payer.pay_chunks(id(), ANN, (units(1), units(owed)), &mut out).unwrap();
    (paid, settle_writes(payer, &mut out, rows))
}

#[test]
fn chunks_are_paid_by_a_voucher_then_by_one_with_ticks_and_then_by_a_hash_each() {
    let (mut payer, mut rows) = rich();
    let (paid, spoken) = pay_chunks(&mut payer, &mut rows, 1);
    assert_eq!(paid, Paid { amount: units(1), tick: None });
    assert!(matches!(&spoken[..], [Output::Voucher(ANN, first)] if first.body.ticks.is_none()));
    // The second payment opens a ladder; what is owed waits for its write.
    let (paid, spoken) = pay_chunks(&mut payer, &mut rows, 1);
    assert_eq!(paid, Paid::default());
    let [Output::Voucher(ANN, voucher)] = &spoken[..] else { panic!("{spoken:?}") };
    assert_eq!((voucher.body.cum, voucher.body.ticks.unwrap().length), (units(1), LADDER));
    for count in 1..=LADDER {
        let (paid, spoken) = pay_chunks(&mut payer, &mut rows, 1);
        assert_eq!((paid.amount, spoken), (units(1), Vec::new()), "tick {count}");
        assert_is_tick(voucher, count, paid.tick.unwrap());
    }
    assert_eq!(payer.agreed(id()), units(u128::from(LADDER) + 1));
    // All are revealed: another voucher, of another ladder, promises what was paid so far.
    let (paid, spoken) = pay_chunks(&mut payer, &mut rows, 3);
    assert_eq!(paid, Paid::default());
    let [Output::Voucher(ANN, next)] = &spoken[..] else { panic!("{spoken:?}") };
    assert_eq!(next.body.cum, units(u128::from(LADDER) + 1));
    assert_ne!(next.body.ticks.unwrap().anchor, voucher.body.ticks.unwrap().anchor);
    let (paid, _) = pay_chunks(&mut payer, &mut rows, 3);
    assert_eq!(paid.amount, units(3), "three at once, by the last");
    assert_is_tick(next, 3, paid.tick.unwrap());
}

#[test]
fn while_a_write_is_under_way_nothing_else_is_begun() {
    let (mut payer, _) = rich();
    let mut out = Vec::new();
    for _ in 0..5 {
        let _ = payer.pay_chunks(id(), ANN, (units(1), units(1)), &mut out);
    }
    assert_eq!(out.len(), 1, "{out:?}");
}

#[test]
fn a_pool_with_little_left_and_another_price_are_paid_by_vouchers() {
    let (mut payer, mut rows) = ready();
    for owed in [1, 1, 2] {
        let (paid, spoken) = pay_chunks(&mut payer, &mut rows, owed);
        assert_eq!(paid, Paid { amount: units(owed), tick: None });
        assert!(matches!(&spoken[..], [Output::Voucher(ANN, v)] if v.body.ticks.is_none()));
    }
    let (mut payer, mut rows) = rich();
    (0..3).for_each(|_| drop(pay_chunks(&mut payer, &mut rows, 1)));
    let mut out = Vec::new();
    let paid = payer.pay_chunks(id(), ANN, (units(3), units(2)), &mut out).unwrap();
    assert_eq!(
        paid,
        Paid { amount: units(2), tick: None },
        "less than the price that is asked now"
    );
    settle_writes(&mut payer, &mut out, &mut rows);
    let paid = payer.pay_chunks(id(), ANN, (units(3), units(6)), &mut out).unwrap();
    assert_eq!(paid, Paid::default(), "a ladder of the new price");
    let spoken = settle_writes(&mut payer, &mut out, &mut rows);
    let [Output::Voucher(ANN, voucher)] = &spoken[..] else { panic!("{spoken:?}") };
    assert_eq!(voucher.body.ticks.unwrap().price, units(3));
}

#[derive(Clone, Debug)]
enum Step {
    Pay(u8, u8),
    Commit(u8, u8, u8),
    Tick(u8),
    Write,
    Crash,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        1 => (0..2_u8, 1..9_u8).prop_map(|(who, price)| Step::Pay(who, price)),
        1 => (0..2_u8, 1..4_u8, 1..99_u8).prop_map(|(who, a, b)| Step::Commit(who, a, b)),
        8 => (0..2_u8).prop_map(Step::Tick),
        3 => Just(Step::Write),
        1 => Just(Step::Crash),
    ]
}

proptest! {
    // A10.7 with the reserve counted: across crash and restart at every persistence point, for vouchers and ticks.
    #[test]
    fn nothing_that_was_ever_spoken_passes_the_deposit_or_is_forgotten(
        steps in prop::collection::vec(step(), 1..150),
    ) {
        let (mut payer, mut rows) = ready();
        let mut writes: Vec<(StoreToken, String, Vec<u8>)> = Vec::new();
        let mut spoken: BTreeMap<Address, (Signed<Voucher>, u32)> = BTreeMap::new();
        for step in steps {
            let mut out = Vec::new();
            match step {
                Step::Pay(who, price) => {
                    let _ = payer.pay(id(), Address([who; 20]), units(price.into()), &mut out);
                }
                Step::Commit(who, price, length) => {
                    let ticks = (units(price.into()), length.into());
                    let _ = payer.commit(id(), Address([who; 20]), ticks, &mut out);
                }
                Step::Tick(who) => {
                    let target = Address([who; 20]);
                    if let Ok(preimage) = payer.tick(id(), target, &mut out) {
                        let (voucher, count) = spoken.get_mut(&target).unwrap();
                        let context = Context::of(CHAIN, &voucher.body);
                        let ticks = voucher.body.ticks.unwrap();
                        let above = (count.saturating_add(1)..=ticks.length).find(|count| {
                            let tick = Tick { count: *count, preimage };
                            ticks.verify(&context, &tick).is_ok()
                        });
                        *count = above.expect("a tick above all that were revealed");
                    }
                }
                Step::Write if !writes.is_empty() => {
                    let (token, name, bytes) = writes.remove(0);
                    rows.insert(name, bytes);
                    payer.handle(NOW, Input::Stored(token), &mut out);
                }
                Step::Write => {}
                Step::Crash => {
                    writes.clear();
                    payer = restart(DEVICE, &rows);
                    prop_assert_eq!(payer.adopt(id(), state(), Height(1), &mut out), Ok(()));
                }
            }
            for output in out {
                match output {
                    Output::Store(token, name, bytes) => writes.push((token, name, bytes.unwrap())),
                    Output::Voucher(target, voucher) => {
                        prop_assert_eq!(voucher.verify(CHAIN, &key().public()), Ok(()));
                        if let Some((last, count)) = spoken.get(&target) {
                            let was = worth(last, *count);
                            prop_assert!(voucher.body.seq > last.body.seq);
                            prop_assert!(voucher.body.cum >= was, "a voucher takes ticks back");
                        }
                        spoken.insert(target, (voucher, 0));
                    }
                    Output::Create(_) => prop_assert!(false, "created twice"),
                }
            }
            let all = spoken.values().map(|(voucher, count)| worth(voucher, *count));
            let total = Amount::checked_sum(all).unwrap();
            prop_assert!(total <= payer.promised(id()), "everything spoken is remembered");
            prop_assert!(payer.promised(id()) <= units(100));
            // And would be by whoever starts from what is stored now.
            let later = restart(DEVICE, &rows);
            prop_assert!(total <= later.promised(id()), "everything spoken is stored");
        }
    }
}

fn worth(voucher: &Signed<Voucher>, count: u32) -> Amount {
    let body = voucher.body;
    body.ticks.map_or(body.cum, |ticks| ticks.worth(body.cum, count).unwrap())
}
