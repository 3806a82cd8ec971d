mod insolvency;
mod only;
mod ticks;

use super::*;
use crate::{
    codec::DecodeError,
    crypto::{Hash, SecretKey, Signed},
    payment::forged,
    payment::voucher::{Promise, Voucher},
};
use alloc::vec::Vec;

const CHAIN: ChainId = ChainId(Hash([1; 32]));
const TARGET: Address = Address([4; 20]);
const END: Height = Height(400);

fn rules() -> PoolRules {
    PoolRules::for_chain(4, 10)
}

fn key() -> SecretKey {
    SecretKey::from_bytes(&[7; 32])
}

fn units(units: u128) -> Amount {
    Amount::from_units(units)
}

fn terms() -> PoolTerms {
    PoolTerms {
        creator: key().public(),
        nonce: 0,
        resource: StreamId(Hash([3; 32])),
        deposit: units(100),
        collateral: units(102),
        end_height: END,
        only: None,
    }
}

fn pool() -> PoolState {
    terms().open(&rules(), Height(0)).unwrap()
}

fn voucher(seq: u64, cum: u128) -> Voucher {
    let resource = terms().resource;
    Voucher { pool: terms().id(CHAIN), resource, target: TARGET, seq, cum: units(cum), ticks: None }
}

fn signed(body: Voucher) -> Signed<Voucher> {
    Signed::new(&key(), CHAIN, body)
}

fn bearer(height: u64) -> Bearer<'static> {
    Bearer { chains: &[CHAIN], pool: terms().id(CHAIN), by: TARGET, height: Height(height) }
}

fn settle(voucher: &Signed<Voucher>, height: u64) -> Result<Settlement, SettleError> {
    settle_on(&pool(), &PaidState::default(), voucher, &bearer(height))
}

fn settle_on(
    pool: &PoolState,
    paid: &PaidState,
    voucher: &Signed<Voucher>,
    bearer: &Bearer<'_>,
) -> Result<Settlement, SettleError> {
    pool.settle(&rules(), paid, &voucher.clone().into(), bearer)
}

#[test]
fn the_defaults_obey_the_rules_for_every_committee() {
    for validators in 1..200 {
        for interval in [8, 10, 100, 1000] {
            let rules = PoolRules::for_chain(validators, interval);
            assert_eq!(rules.check(validators, interval), Ok(()));
        }
    }
}

#[test]
fn each_inequality_of_the_rules_is_checked() {
    let good = rules();
    let margin = PoolRules { inclusion_margin: 15, ..good };
    assert_eq!(margin.check(4, 10), Err(RulesError::MarginTooShort));
    assert_eq!(good.check(0, 10), Err(RulesError::MarginTooShort));
    let short = PoolRules { min_duration: 63, ..good };
    assert_eq!(short.check(4, 10), Err(RulesError::DurationTooShort));
    let none = PoolRules { max_duration: good.min_duration - 1, ..good };
    assert_eq!(none.check(4, 10), Err(RulesError::NoDuration));
    let one = PoolRules { max_duration: good.min_duration, ..good };
    assert_eq!(one.check(4, 10), Ok(()), "one duration is one");
    let freeze = PoolRules { freeze: 41, ..good };
    assert_eq!(freeze.check(4, 10), Err(RulesError::FreezeTooShort));
    assert_eq!(good.freeze, 42);
}

#[test]
fn a_pool_opens_only_within_its_rules() {
    let open = |terms: PoolTerms| terms.open(&rules(), Height(0)).map(|pool| pool.held());
    assert_eq!(open(terms()), Ok(units(202)));
    let free = PoolTerms { deposit: Amount::ZERO, ..terms() };
    assert_eq!(open(free), Err(OpenError::NoDeposit));
    let (collateral, minimum) = (units(101), units(102));
    let small = PoolTerms { collateral, ..terms() };
    assert_eq!(open(small), Err(OpenError::CollateralTooSmall { collateral, minimum }));
    let (end, earliest) = (Height(299), Height(300));
    let soon = PoolTerms { end_height: end, ..terms() };
    assert_eq!(open(soon), Err(OpenError::EndTooSoon { end, earliest }));
    assert!(open(PoolTerms { end_height: earliest, ..terms() }).is_ok());
    let (end, latest) = (Height(43_201), Height(43_200));
    let late = PoolTerms { end_height: end, ..terms() };
    assert_eq!(open(late), Err(OpenError::EndTooLate { end, latest }));
    assert!(open(PoolTerms { end_height: latest, ..terms() }).is_ok());
    let huge = PoolTerms { deposit: units(u128::MAX - 2), ..terms() };
    let none = PoolTerms { collateral: units(u128::MAX), ..huge };
    assert_eq!(open(none), Err(OpenError::OutOfRange));
    let over = PoolTerms { deposit: units(u128::MAX), ..terms() };
    assert_eq!(open(over), Err(OpenError::OutOfRange));
}

#[test]
fn a_wanted_life_ends_where_payees_and_chain_allow() {
    let tight = PoolRules { max_duration: rules().min_duration, ..rules() };
    let trusted = rules().min_duration + rules().settle_margin();
    for (rules, blocks, life) in [
        (rules(), 0, trusted),
        (rules(), trusted + 1, trusted + 1),
        (rules(), u64::MAX, rules().max_duration),
        (tight, 0, tight.max_duration),
    ] {
        let end_height = rules.end_of(Height(7), blocks);
        assert_eq!(end_height, Height(7 + life));
        assert!(PoolTerms { end_height, ..terms() }.open(&rules, Height(7)).is_ok());
    }
}

#[test]
fn an_id_is_bound_to_chain_creator_and_nonce() {
    let id = terms().id(CHAIN);
    assert_ne!(id, PoolTerms { nonce: 1, ..terms() }.id(CHAIN));
    assert_ne!(id, terms().id(ChainId(Hash([2; 32]))));
    let creator = SecretKey::from_bytes(&[8; 32]).public();
    assert_ne!(id, PoolTerms { creator, ..terms() }.id(CHAIN));
    assert_eq!(id, PoolTerms { deposit: units(5), ..terms() }.id(CHAIN), "terms do not matter");
}

#[test]
fn a_settlement_pays_the_difference_once() {
    let first = settle(&signed(voucher(1, 30)), 10).unwrap();
    assert_eq!(
        (first.gain, first.paid),
        (units(30), PaidState { seq: 1, cum: units(30), claim: None })
    );
    let second = settle_on(&first.pool, &first.paid, &signed(voucher(9, 70)), &bearer(11)).unwrap();
    assert_eq!((second.gain, second.pool.remaining()), (units(40), units(30)));
    let again = settle_on(&second.pool, &second.paid, &signed(voucher(9, 70)), &bearer(12));
    assert_eq!(again, Err(SettleError::OldSequence { seq: 9, settled: 9 }), "double submit");
}

// ADVERSARIAL case 19.
#[test]
fn a_voucher_is_worth_nothing_anywhere_else() {
    let good = voucher(5, 30);
    let wrong = |body: Voucher| settle(&signed(body), 10).unwrap_err();
    let elsewhere = PoolId(Hash([9; 32]));
    assert_eq!(wrong(Voucher { pool: elsewhere, ..good }), SettleError::WrongPool);
    let resource = StreamId(Hash([9; 32]));
    assert_eq!(wrong(Voucher { resource, ..good }), SettleError::WrongResource);
    let target = Address([9; 20]);
    assert_eq!(wrong(Voucher { target, ..good }), SettleError::NotTarget);
    let own = Address::of(&key().public());
    let to_self = signed(Voucher { target: own, ..good });
    let by_self = Bearer { by: own, ..bearer(10) };
    let answer = settle_on(&pool(), &PaidState::default(), &to_self, &by_self);
    assert_eq!(answer, Err(SettleError::OwnPool));
    for forged in forged::all(&key(), CHAIN, good) {
        assert_eq!(settle(&forged, 10), Err(SettleError::BadSignature), "{forged:?}");
    }
    let paid = PaidState { seq: 5, cum: units(30), claim: None };
    let after = |body| settle_on(&pool(), &paid, &signed(body), &bearer(10)).unwrap_err();
    assert_eq!(after(voucher(4, 50)), SettleError::OldSequence { seq: 4, settled: 5 });
    let nothing = |cum| SettleError::NothingNew { cum: units(cum), paid: units(30) };
    assert_eq!(after(voucher(6, 30)), nothing(30));
    assert_eq!(after(voucher(6, 29)), nothing(29));
    let last = SettleError::OldSequence { seq: u64::MAX, settled: 5 };
    assert_eq!(after(voucher(u64::MAX, 50)), last);
    assert!(settle_on(&pool(), &paid, &signed(voucher(u64::MAX - 1, 50)), &bearer(10)).is_ok());
}

#[test]
fn a_torsion_signature_is_refused() {
    let (creator, signature) = forged::torsion();
    let weak = PoolState { creator, ..pool() };
    let torsion = Signed { body: voucher(1, 30), signature };
    let answer = settle_on(&weak, &PaidState::default(), &torsion, &bearer(10));
    assert_eq!(answer, Err(SettleError::BadSignature));
}

// ADVERSARIAL case 20.
#[test]
fn the_windows_never_share_a_block() {
    let freeze = rules().freeze;
    let good = signed(voucher(1, 30));
    for height in 0..END.0 + freeze + 5 {
        let settles = settle(&good, height).is_ok();
        let releases = pool().release(&rules(), Height(height)).is_ok();
        assert_eq!(settles, height <= END.0, "settle at {height}");
        assert_eq!(releases, height >= END.0 + freeze, "release at {height}");
        let window = match (settles, releases) {
            (true, false) => Window::Settle,
            (false, false) => Window::Frozen,
            (false, true) => Window::Release,
            (true, true) => unreachable!("one block, two windows"),
        };
        assert_eq!(pool().window(&rules(), Height(height)), window);
    }
}

#[test]
fn a_release_closes_for_ever_and_returns_the_rest() {
    let paid = settle(&signed(voucher(1, 30)), 10).unwrap().pool;
    let at = Height(END.0 + rules().freeze);
    let release = paid.release(&rules(), at).unwrap();
    assert_eq!((release.refund, release.pool.held()), (units(172), Amount::ZERO));
    assert_eq!(release.pool.release(&rules(), at), Err(ReleaseError::Closed));
    let late =
        settle_on(&release.pool, &PaidState::default(), &signed(voucher(2, 40)), &bearer(10));
    assert_eq!(late, Err(SettleError::Closed));
}

#[test]
fn states_and_terms_have_one_encoding() {
    let bytes = codec::encode(&pool());
    assert_eq!(codec::decode(&bytes, 256), Ok(pool()));
    for cut in 0..bytes.len() {
        let error = codec::decode::<PoolState>(&bytes[..cut], 256).err();
        assert_eq!(error, Some(DecodeError::Truncated));
    }
    let long = [&bytes[..], &[0]].concat();
    assert_eq!(codec::decode::<PoolState>(&long, 256).err(), Some(DecodeError::Trailing));
    assert_eq!(codec::decode(&codec::encode(&terms()), 256), Ok(terms()));
    let since = Height(7);
    let insolvency = Insolvency { since, claimed: units(9), uncollected: 2, left: units(5) };
    let broken = PoolState { status: PoolStatus::Insolvent(insolvency), ..pool() };
    assert_eq!(codec::decode(&codec::encode(&broken), 256), Ok(broken));
    let mut odd = bytes;
    *odd.last_mut().unwrap() = 3;
    assert_eq!(codec::decode::<PoolState>(&odd, 256).err(), Some(DecodeError::NonCanonical));
}
