//! One payee alone: AELF-35. What a creator may try against the payee, and the payee against the creator.

use super::*;
use crate::codec::Bounded;
use crate::crypto::SignatureError;
use crate::payment::voucher::PromiseError;
use proptest::prelude::*;

fn only() -> Option<Only> {
    Some(Only { payee: TARGET, purpose: Purpose::try_from("order 7").unwrap() })
}

fn gift() -> PoolTerms {
    PoolTerms { collateral: Amount::ZERO, only: only(), ..terms() }
}

fn gift_pool() -> PoolState {
    gift().open(&rules(), Height(0)).unwrap()
}

fn take(
    pool: &PoolState,
    voucher: &Signed<Voucher>,
    height: u64,
) -> Result<Settlement, SettleError> {
    settle_on(pool, &PaidState::default(), voucher, &bearer(height))
}

#[test]
fn a_pool_for_one_payee_has_a_deposit_no_collateral_and_a_payee_that_is_not_its_creator() {
    let open = |terms: PoolTerms| terms.open(&rules(), Height(0)).map(|pool| pool.held());
    assert_eq!(open(gift()), Ok(units(100)));
    assert_eq!(open(PoolTerms { deposit: units(1), ..gift() }), Ok(units(1)));
    let free = PoolTerms { deposit: Amount::ZERO, ..gift() };
    assert_eq!(open(free), Err(OpenError::NoDeposit));
    for collateral in [1, 102, u128::MAX] {
        let bound = PoolTerms { collateral: units(collateral), ..gift() };
        assert_eq!(open(bound), Err(OpenError::NeedlessCollateral), "{collateral}");
    }
    let payee = Address::of(&key().public());
    let own = Some(Only { payee, ..only().unwrap() });
    assert_eq!(open(PoolTerms { only: own, ..gift() }), Err(OpenError::OwnPool));
    let at = |end| open(PoolTerms { end_height: Height(end), ..gift() }).is_ok();
    assert_eq!([299, 300, 43_200, 43_201].map(at), [false, true, true, false]);
    let any = PoolTerms { only: None, ..gift() };
    assert!(matches!(open(any), Err(OpenError::CollateralTooSmall { .. })));
}

#[test]
fn the_payee_is_paid_once_and_the_rest_goes_back_in_the_same_act() {
    for cum in [1, 30, 99, 100] {
        let done = take(&gift_pool(), &signed(voucher(1, cum)), 10).unwrap();
        assert_eq!((done.gain, done.refund), (units(cum), units(100 - cum)));
        assert_eq!((done.pool.status, done.pool.held()), (PoolStatus::Closed, Amount::ZERO));
        assert_eq!((done.pool.paid_total, done.burned), (units(cum), Amount::ZERO));
        assert_eq!(done.paid, PaidState { seq: 1, cum: units(cum), claim: None });
        // Nothing more, in whatever way it is asked for.
        for (seq, more) in [(1, cum), (2, cum + 1), (9, 100)] {
            let again = settle_on(&done.pool, &done.paid, &signed(voucher(seq, more)), &bearer(11));
            assert_eq!(again, Err(SettleError::Closed));
        }
        let late = Height(END.0 + rules().freeze);
        assert_eq!(done.pool.release(&rules(), late), Err(ReleaseError::Closed));
    }
}

#[test]
fn more_than_the_deposit_is_refused_and_the_pool_stays_as_it_is() {
    for cum in [101, 5000, u128::MAX] {
        let answer = take(&gift_pool(), &signed(voucher(1, cum)), 10);
        let (worth, deposit) = (units(cum), units(100));
        assert_eq!(answer, Err(SettleError::BeyondDeposit { worth, deposit }));
    }
    assert!(
        take(&gift_pool(), &signed(voucher(2, 100)), 10).is_ok(),
        "the right one still is paid"
    );
}

// ADVERSARIAL case 19: the replay matrix.
#[test]
fn a_promise_is_worth_nothing_to_another_nor_of_another_pool_resource_chain_or_key() {
    let good = voucher(1, 30);
    let pool = gift_pool();
    let other = Address([9; 20]);
    let theirs = signed(Voucher { target: other, ..good });
    let by_them = Bearer { by: other, ..bearer(10) };
    let answer = settle_on(&pool, &PaidState::default(), &theirs, &by_them);
    assert_eq!(answer, Err(SettleError::NotPayee), "signed by the creator, too");
    assert_eq!(take(&pool, &theirs, 10), Err(SettleError::NotTarget), "nor brought by the payee");
    let answer = settle_on(&pool, &PaidState::default(), &signed(good), &by_them);
    assert_eq!(answer, Err(SettleError::NotTarget), "nor the payee's by another");
    let wrong = |body| take(&pool, &signed(body), 10).unwrap_err();
    let (elsewhere, resource) = (PoolId(Hash([9; 32])), StreamId(Hash([9; 32])));
    assert_eq!(wrong(Voucher { pool: elsewhere, ..good }), SettleError::WrongPool);
    assert_eq!(wrong(Voucher { resource, ..good }), SettleError::WrongResource);
    assert_eq!(
        wrong(voucher(u64::MAX, 30)),
        SettleError::OldSequence { seq: u64::MAX, settled: 0 }
    );
    for forged in forged::all(&key(), CHAIN, good) {
        assert_eq!(take(&pool, &forged, 10), Err(SettleError::BadSignature), "{forged:?}");
    }
}

// ADVERSARIAL case 20.
#[test]
fn it_is_paid_until_its_end_given_back_from_the_freeze_on_and_never_both() {
    let (promise, freeze) = (signed(voucher(1, 30)), rules().freeze);
    for height in [0, 1, END.0 - 1, END.0, END.0 + 1, END.0 + freeze - 1, END.0 + freeze, END.0 * 9]
    {
        let pays = take(&gift_pool(), &promise, height).is_ok();
        let released = gift_pool().release(&rules(), Height(height));
        assert_eq!(pays, height <= END.0, "paid at {height}");
        assert_eq!(released.is_ok(), height >= END.0 + freeze, "released at {height}");
        if let Ok(release) = released {
            assert_eq!(release.refund, units(100), "all of it comes back");
            assert_eq!(take(&release.pool, &promise, 10), Err(SettleError::Closed));
        }
    }
}

#[test]
fn a_creator_that_signs_to_a_second_takes_nothing_from_the_payee() {
    let to =
        |target: Address, cum| -> Promise { signed(Voucher { target, ..voucher(1, cum) }).into() };
    let promises = alloc::vec![to(TARGET, 100), to(Address([9; 20]), 100)];
    let evidence =
        Overdraft { pool: gift().id(CHAIN), promises: Bounded::try_from(promises).unwrap() };
    let rows = [PaidState::default(); 2];
    let judge = |pool: &PoolState| pool.report(&rules(), &rows, &evidence, (&[CHAIN], Height(10)));
    assert_eq!(judge(&gift_pool()), Err(ReportError::OnePayee));
    let any = PoolState { only: None, ..gift_pool() };
    assert!(judge(&any).is_ok(), "the same promises would break a pool for anybody");
    // To the payee itself, the best of two is what the payee brings.
    let first = take(&gift_pool(), &signed(voucher(1, 10)), 10).unwrap();
    let second = take(&gift_pool(), &signed(voucher(2, 90)), 10).unwrap();
    assert_eq!((first.gain, second.gain), (units(10), units(90)));
}

#[test]
fn a_longer_purpose_than_is_allowed_is_none() {
    let bytes = codec::encode(&gift());
    assert_eq!(codec::decode(&bytes, 256), Ok(gift()));
    assert_eq!(codec::decode(&codec::encode(&gift_pool()), 256), Ok(gift_pool()));
    assert!(Purpose::try_from("x".repeat(MAX_PURPOSE).as_str()).is_ok());
    assert!(Purpose::try_from("x".repeat(MAX_PURPOSE + 1).as_str()).is_err());
    let mut long = bytes;
    let at = long.len() - "order 7".len() - 4;
    long[at] = 33;
    assert_eq!(codec::decode::<PoolTerms>(&long, 256).err(), Some(DecodeError::OverLimit));
}

proptest! {
    /// A10.1: whatever is signed, to whomever, in whatever order and at whatever height: what was locked is what the
    /// payee, the creator and the pool have together; the payee gains at most once, and nobody else ever.
    #[test]
    fn what_is_locked_is_paid_once_or_given_back(
        acts in proptest::collection::vec((0_u8..4, 1_u64..5, 0_u128..140, 0_u64..600), 1..30),
    ) {
        let mut heights: Vec<_> = acts.iter().map(|act| act.3).collect();
        heights.sort_unstable();
        let (mut pool, mut paid) = (gift_pool(), PaidState::default());
        let (mut payee, mut creator, mut is_paid) = (Amount::ZERO, Amount::ZERO, false);
        for ((kind, seq, cum, _), height) in acts.into_iter().zip(heights) {
            let target = if kind == 1 { Address([9; 20]) } else { TARGET };
            let body = Voucher { target, ..voucher(seq, cum) };
            let by = Bearer { by: target, ..bearer(height) };
            match kind {
                0 | 1 => if let Ok(done) = settle_on(&pool, &paid, &signed(body), &by) {
                    prop_assert_eq!(target, TARGET);
                    prop_assert_eq!(done.burned, Amount::ZERO);
                    payee = payee.checked_add(done.gain).unwrap();
                    creator = creator.checked_add(done.refund).unwrap();
                    prop_assert!(!core::mem::replace(&mut is_paid, true), "paid twice");
                    (pool, paid) = (done.pool, done.paid);
                },
                2 => if let Ok(done) = pool.release(&rules(), Height(height)) {
                    creator = creator.checked_add(done.refund).unwrap();
                    pool = done.pool;
                },
                _ => {
                    let evidence = Overdraft {
                        pool: gift().id(CHAIN),
                        promises: Bounded::try_from(alloc::vec![Promise::from(signed(body))]).unwrap(),
                    };
                    let told = pool.report(&rules(), &[paid], &evidence, (&[CHAIN], Height(height)));
                    prop_assert!(told.is_err());
                }
            }
            let all = Amount::checked_sum([payee, creator, pool.held()]);
            prop_assert_eq!(all, Some(units(100)));
        }
    }
}

#[test]
fn evidence_is_refused_before_its_signatures_are_looked_at() {
    let unsigned =
        Promise::from(Signed::new(&SecretKey::from_bytes(&[8; 32]), CHAIN, voucher(1, 200)));
    let evidence = Overdraft {
        pool: gift().id(CHAIN),
        promises: Bounded::try_from(alloc::vec![unsigned]).unwrap(),
    };
    let judge = |pool: &PoolState| {
        pool.report(&rules(), &[PaidState::default()], &evidence, (&[CHAIN], Height(10)))
    };
    assert_eq!(judge(&gift_pool()), Err(ReportError::OnePayee));
    let any = PoolState { only: None, ..gift_pool() };
    assert_eq!(judge(&any), Err(ReportError::Unproven(PromiseError::Signature(SignatureError))));
}
