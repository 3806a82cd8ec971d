//! More is promised than the deposit holds: PROTOCOL A5.10, A5.11; ADVERSARIAL 18, 20.

use super::*;
use crate::{codec::Bounded, payment::voucher::PromiseError};
use proptest::prelude::*;

/// The bounty of the defaults is one unit, so the collateral of 102 is burned but for that.
const BURNED: Amount = Amount::from_units(101);

fn promise(target: u8, cum: u128) -> Promise {
    signed(Voucher { target: Address([target; 20]), ..voucher(1, cum) }).into()
}

fn overdraft(promises: Vec<Promise>) -> Overdraft {
    Overdraft { pool: terms().id(CHAIN), promises: Bounded::try_from(promises).unwrap() }
}

fn report(pool: &PoolState, evidence: &Overdraft, height: u64) -> Result<Reported, ReportError> {
    let rows = alloc::vec![PaidState::default(); evidence.promises.len()];
    pool.report(&rules(), &rows, evidence, (&[CHAIN], Height(height)))
}

/// Settles or claims for a target that has this row.
fn bring(
    pool: &PoolState,
    row: &PaidState,
    promise: &Promise,
    height: u64,
) -> Result<Settlement, SettleError> {
    let bearer = Bearer { by: promise.voucher.body.target, ..bearer(height) };
    pool.settle(&rules(), row, promise, &bearer)
}

fn insolvency(pool: &PoolState) -> Insolvency {
    let PoolStatus::Insolvent(insolvency) = pool.status else { panic!("{:?}", pool.status) };
    insolvency
}

#[test]
fn a_settlement_beyond_the_deposit_pays_nothing_and_costs_the_collateral() {
    let exact = bring(&pool(), &PaidState::default(), &promise(4, 100), 10).unwrap();
    assert_eq!((exact.gain, exact.pool.status), (units(100), PoolStatus::Open));
    for cum in [101, 5000, u128::MAX] {
        let done = bring(&pool(), &PaidState::default(), &promise(4, cum), 10).unwrap();
        assert_eq!((done.gain, done.burned), (units(1), BURNED), "the bounty, and no more");
        let weight = units(cum.min(100));
        let expected =
            Insolvency { since: Height(10), claimed: weight, uncollected: 1, left: units(100) };
        assert_eq!(insolvency(&done.pool), expected);
        let claim = Some(Claim { weight, collected: None });
        assert_eq!(done.paid, PaidState { claim, ..PaidState::default() });
        assert_eq!(done.pool.held(), units(100));
    }
}

#[test]
fn an_insolvent_pool_is_so_for_ever() {
    let first = bring(&pool(), &PaidState::default(), &promise(4, 101), 10).unwrap();
    let since = insolvency(&first.pool).since;
    for height in 10..END.0 + 100 {
        let small = bring(&first.pool, &PaidState::default(), &promise(5, 1), height);
        match small {
            Ok(done) => {
                assert!(height < since.0 + rules().freeze, "claimed at {height}");
                assert_eq!((done.gain, done.burned), (units(0), units(0)), "nothing twice");
                assert_eq!(insolvency(&done.pool).since, since);
            }
            Err(error) => assert_eq!(
                error,
                SettleError::ClaimTooLate {
                    height: Height(height),
                    last: Height(9 + rules().freeze)
                }
            ),
        }
        assert_eq!(first.pool.release(&rules(), Height(height)), Err(ReleaseError::Insolvent));
        let evidence = overdraft(alloc::vec![promise(4, 60), promise(5, 60)]);
        assert_eq!(report(&first.pool, &evidence, height), Err(ReportError::Insolvent));
    }
}

// ADVERSARIAL case 20.
#[test]
fn evidence_is_taken_until_the_block_before_the_release_and_no_window_shares_a_block() {
    let evidence = overdraft(alloc::vec![promise(4, 60), promise(5, 60)]);
    let release_from = END.0 + rules().freeze;
    for height in [1, END.0, END.0 + 1, release_from - 1, release_from, release_from + 9] {
        let reported = report(&pool(), &evidence, height);
        let released = pool().release(&rules(), Height(height));
        assert_ne!(reported.is_ok(), released.is_ok(), "at {height}");
        assert_eq!(reported.is_ok(), height < release_from, "at {height}");
    }
    let broken = report(&pool(), &evidence, 50).unwrap();
    let collect_from = 50 + rules().freeze;
    for height in 50..collect_from + 5 {
        let claims = bring(&broken.pool, &broken.rows[0], &promise(4, 70), height);
        let collects = broken.pool.collect(&rules(), &broken.rows[0], Height(height));
        assert_eq!(claims.is_ok(), height < collect_from, "claim at {height}");
        assert_eq!(collects.is_ok(), height >= collect_from, "collect at {height}");
    }
}

// ADVERSARIAL case 20: with the evidence first or the settlement first, the same is accepted.
#[test]
fn in_the_block_of_the_evidence_nothing_is_claimed_that_could_not_have_been_settled() {
    let evidence = overdraft(alloc::vec![promise(4, 60), promise(5, 60)]);
    for height in [END.0, END.0 + 1] {
        let before = bring(&pool(), &PaidState::default(), &promise(6, 10), height).is_ok();
        let broken = report(&pool(), &evidence, height).unwrap().pool;
        let after = bring(&broken, &PaidState::default(), &promise(6, 10), height).is_ok();
        assert_eq!((before, after), (height <= END.0, height <= END.0));
        assert!(bring(&broken, &PaidState::default(), &promise(6, 10), height + 1).is_ok());
    }
}

#[test]
fn evidence_counts_what_was_paid_once_and_each_target_once() {
    let paid = bring(&pool(), &PaidState::default(), &promise(4, 50), 10).unwrap();
    let row = paid.paid;
    let judge = |rows: &[PaidState], promises| {
        paid.pool.report(&rules(), rows, &overdraft(promises), (&[CHAIN], Height(20)))
    };
    let none = PaidState::default();
    // The 50 that were paid are part of the 60: 60 and 40 are the whole deposit, 41 is more.
    let covered = judge(&[row, none], alloc::vec![promise(4, 60), promise(5, 40)]);
    let all = units(100);
    assert_eq!(covered, Err(ReportError::Covered { promised: all, deposit: all }));
    let done = judge(&[row, none], alloc::vec![promise(4, 60), promise(5, 41)]).unwrap();
    assert_eq!((done.bounty, done.burned), (units(1), BURNED));
    let weights = done.rows.iter().map(|row| row.claim.unwrap().weight);
    assert_eq!(weights.collect::<Vec<_>>(), [units(10), units(41)]);
    assert_eq!(insolvency(&done.pool).claimed, units(51));
    // One promise suffices, where the rest was paid.
    assert!(judge(&[none], alloc::vec![promise(5, 51)]).is_ok());
    let doubled = judge(&[none, none], alloc::vec![promise(5, 51), promise(5, 51)]);
    assert_eq!(doubled, Err(ReportError::BadPromises));
    let reversed = judge(&[none, row], alloc::vec![promise(5, 51), promise(4, 60)]);
    assert_eq!(reversed, Err(ReportError::BadPromises));
    // A settlement on its way cannot make evidence void: what was paid meanwhile counts as paid.
    let raced = judge(&[row, none], alloc::vec![promise(4, 50), promise(5, 51)]).unwrap();
    assert_eq!((raced.rows[0], insolvency(&raced.pool).uncollected), (row, 1));
    assert_eq!(
        judge(&[], alloc::vec![]),
        Err(ReportError::Covered { promised: units(50), deposit: all })
    );
}

#[test]
fn forged_evidence_is_refused() {
    let good = promise(5, 60);
    let body = good.voucher.body;
    let judge = |bad: Promise| report(&pool(), &overdraft(alloc::vec![promise(4, 60), bad]), 10);
    assert!(judge(good).is_ok());
    for voucher in forged::all(&key(), CHAIN, body) {
        let error = judge(voucher.into()).unwrap_err();
        assert!(matches!(error, ReportError::Unproven(PromiseError::Signature(_))), "{error}");
    }
    let own = Address::of(&key().public());
    let others = [
        Voucher { pool: PoolId(Hash([9; 32])), ..body },
        Voucher { resource: StreamId(Hash([9; 32])), ..body },
        Voucher { seq: u64::MAX, ..body },
    ];
    for other in others {
        assert_eq!(judge(signed(other).into()), Err(ReportError::BadPromises), "{other:?}");
    }
    let to_self = signed(Voucher { target: own, ..body }).into();
    let mut promises = alloc::vec![promise(4, 60), to_self];
    promises.sort_by_key(|promise: &Promise| promise.voucher.body.target);
    assert_eq!(report(&pool(), &overdraft(promises), 10), Err(ReportError::BadPromises));
}

#[test]
fn evidence_is_made_of_the_largest_promises_that_are_needed() {
    let all = [(9, 30), (7, 50), (7, 40), (3, 20), (5, 31)].map(|(to, cum)| promise(to, cum));
    let make = |paid: u128| {
        let state = PoolState { paid_total: units(paid), ..pool() };
        Overdraft::find(terms().id(CHAIN), &state, all.clone(), |to| {
            if *to == Address([7; 20]) { units(paid) } else { Amount::ZERO }
        })
    };
    let evidence = make(0).unwrap();
    assert_eq!(evidence.promises.to_vec(), [promise(5, 31), promise(7, 50), promise(9, 30)]);
    assert!(report(&pool(), &evidence, 10).is_ok());
    let paid = make(45).unwrap();
    assert_eq!(
        paid.promises.to_vec(),
        [promise(5, 31), promise(9, 30)],
        "7 has nearly all of its 50"
    );
    let find = |promises: &[Promise]| {
        Overdraft::find(terms().id(CHAIN), &pool(), promises.to_vec(), |_| Amount::ZERO)
    };
    assert_eq!(find(&[promise(9, 30), promise(7, 70)]), None);
    let grown = find(&[promise(9, 40), promise(7, 40), promise(7, 70)]).unwrap();
    assert_eq!(grown.promises.to_vec(), [promise(7, 70), promise(9, 40)], "the newer is better");
    let elsewhere = Voucher { pool: PoolId(Hash([9; 32])), ..promise(5, 90).voucher.body };
    assert_eq!(find(&[promise(9, 30), signed(elsewhere).into()]), None, "of another pool");
}

// ADVERSARIAL case 18: a voucher for more than all money must not shut honest claims out.
#[test]
fn no_claim_weighs_more_than_the_deposit_and_a_target_claims_by_its_best_promise() {
    let broken = bring(&pool(), &PaidState::default(), &promise(4, u128::MAX), 10).unwrap();
    let sybil = bring(&broken.pool, &PaidState::default(), &promise(6, u128::MAX), 11).unwrap();
    let honest = bring(&sybil.pool, &PaidState::default(), &promise(5, 10), 12).unwrap();
    assert_eq!(insolvency(&honest.pool).claimed, units(210));
    let better = bring(&honest.pool, &honest.paid, &promise(5, 25), 13).unwrap();
    let now = insolvency(&better.pool);
    assert_eq!((now.claimed, now.uncollected), (units(225), 3), "in place of the smaller one");
    for worse in [25, 24, 1] {
        let due = units(worse);
        let error = SettleError::ClaimedBefore { due, claimed: units(25) };
        assert_eq!(bring(&better.pool, &better.paid, &promise(5, worse), 14), Err(error));
    }
    let at = Height(10 + rules().freeze);
    let share = better.pool.collect(&rules(), &better.paid, at).unwrap();
    assert_eq!(share.share, units(100 * 25 / 225));
    let again = share.pool.collect(&rules(), &share.paid, at);
    assert_eq!(again, Err(CollectError::Collected));
    let stranger = share.pool.collect(&rules(), &PaidState::default(), at);
    assert_eq!(stranger, Err(CollectError::NoClaim));
    let solvent = pool().collect(&rules(), &PaidState::default(), at);
    assert_eq!(solvent, Err(CollectError::Solvent));
}

#[test]
fn the_last_to_collect_burns_what_the_divisions_left_over() {
    let evidence = overdraft([4, 5, 6].map(|to| promise(to, 34)).to_vec());
    let broken = report(&pool(), &evidence, 10).unwrap();
    let at = Height(10 + rules().freeze);
    let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    for order in orders {
        let mut pool = broken.pool.clone();
        let burned = order.map(|who| {
            let done = pool.collect(&rules(), &broken.rows[who], at).unwrap();
            assert_eq!(done.share, units(33));
            pool = done.pool;
            done.burned
        });
        assert_eq!(burned, [units(0), units(0), units(1)]);
        assert_eq!(pool.held(), Amount::ZERO);
    }
}

proptest! {
    // A10.1, A10.6 over random histories: settlements, evidence, claims, releases and shares of four targets.
    #[test]
    fn money_is_conserved_and_rows_only_grow(
        steps in prop::collection::vec((0..4_usize, 0..12_u64, 0..140_u128, 0..40_u64, 0..4_u8), 1..60),
    ) {
        let targets = [4, 5, 6, 7].map(|n| Address([n; 20]));
        let mut pool = pool();
        let (mut rows, mut out, mut height) = ([PaidState::default(); 4], Vec::new(), 1);
        for (who, seq, cum, later, kind) in steps {
            height = later.saturating_add(height);
            let before = (pool.clone(), rows);
            let body = Voucher { target: targets[who], ..voucher(seq, cum) };
            let brought: Promise = signed(body).into();
            match kind {
                0 | 1 => if let Ok(done) = bring(&pool, &rows[who], &brought, height) {
                    (pool, rows[who]) = (done.pool, done.paid);
                    out.extend([done.gain, done.burned]);
                },
                2 => {
                    let other = [1, 2, 3, 0][who];
                    let (low, high) = (who.min(other), who.max(other));
                    let two = [low, high].map(|who| {
                        signed(Voucher { target: targets[who], ..voucher(seq, cum) }).into()
                    });
                    let now = (&[CHAIN][..], Height(height));
                    let known = [rows[low], rows[high]];
                    if let Ok(done) = pool.report(&rules(), &known, &overdraft(two.to_vec()), now) {
                        pool = done.pool;
                        (rows[low], rows[high]) = (done.rows[0], done.rows[1]);
                        out.extend([done.bounty, done.burned]);
                    }
                }
                _ => if let Ok(done) = pool.collect(&rules(), &rows[who], Height(height)) {
                    (pool, rows[who]) = (done.pool, done.paid);
                    out.extend([done.share, done.burned]);
                } else if let Ok(done) = pool.release(&rules(), Height(height)) {
                    pool = done.pool;
                    out.push(done.refund);
                },
            }
            for (old, new) in before.1.iter().zip(&rows) {
                prop_assert!(new.seq >= old.seq && new.cum >= old.cum);
                let weight = |row: &PaidState| row.claim.map_or(Amount::ZERO, |claim| claim.weight);
                prop_assert!(weight(new) >= weight(old));
            }
            match before.0.status {
                PoolStatus::Open => {}
                PoolStatus::Closed => prop_assert_eq!(pool.status, PoolStatus::Closed),
                PoolStatus::Insolvent(_) => {
                    prop_assert!(matches!(pool.status, PoolStatus::Insolvent(_)));
                    prop_assert_eq!(pool.paid_total, before.0.paid_total);
                }
            }
            let paid = Amount::checked_sum(rows.map(|row| row.cum)).unwrap();
            prop_assert_eq!(paid, pool.paid_total);
            prop_assert!(pool.paid_total <= pool.deposit);
            let total = Amount::checked_sum(out.iter().copied().chain([pool.held()])).unwrap();
            prop_assert_eq!(total, units(202));
            if let PoolStatus::Insolvent(now) = pool.status {
                let claims = rows.iter().filter_map(|row| row.claim);
                let open = claims.clone().filter(|claim| claim.collected.is_none()).count();
                prop_assert_eq!(open as u64, now.uncollected);
                prop_assert_eq!(Amount::checked_sum(claims.map(|c| c.weight)), Some(now.claimed));
            }
        }
    }
}
