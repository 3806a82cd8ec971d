mod exact;
mod rows;
mod ticks;

use super::*;
use crate::{
    crypto::Hash,
    id::StreamId,
    payment::reservation::{Bearer, Only, OpenError, PaidState, Purpose},
};
use alloc::collections::BTreeMap;
use proptest::prelude::*;

const CHAIN: ChainId = ChainId(Hash([1; 32]));
const DEVICE: DeviceId = DeviceId([5; 16]);
const ANN: Address = Address([10; 20]);
const BOB: Address = Address([11; 20]);
const NOW: Moment = Moment::ZERO;

type Rows = BTreeMap<String, Vec<u8>>;

fn units(units: u128) -> Amount {
    Amount::from_units(units)
}

fn rules() -> PoolRules {
    PoolRules::for_chain(4, 10)
}

fn key() -> SecretKey {
    SecretKey::from_bytes(&[7; 32])
}

fn terms() -> PoolTerms {
    let creator = key().public();
    let (deposit, collateral, end_height) = (units(100), units(200), Height(400));
    PoolTerms {
        creator,
        nonce: 0,
        resource: StreamId(Hash([3; 32])),
        deposit,
        collateral,
        end_height,
        only: None,
    }
}

fn state() -> PoolState {
    terms().open(&rules(), Height(0)).unwrap()
}

fn id() -> PoolId {
    terms().id(CHAIN)
}

fn restart(device: DeviceId, rows: &Rows) -> Payer {
    let rows = rows.clone().into_iter().map(|(name, bytes)| (name, Ok(bytes)));
    Payer::new(CHAIN, key(), device, rules(), rows)
}

/// Makes every ordered write durable, as long as writes lead to writes; returns what was spoken.
fn settle_writes(payer: &mut Payer, out: &mut Vec<Output>, rows: &mut Rows) -> Vec<Output> {
    let mut spoken = Vec::new();
    while !out.is_empty() {
        for output in core::mem::take(out) {
            let Output::Store(token, name, bytes) = output else {
                spoken.push(output);
                continue;
            };
            match bytes {
                Some(bytes) => rows.insert(name, bytes),
                None => rows.remove(&name),
            };
            payer.handle(NOW, Input::Stored(token), out);
        }
    }
    spoken
}

/// A payer with the pool of [`terms`] proven, and the rows it stored.
fn ready() -> (Payer, Rows) {
    let (mut payer, mut rows, mut out) = (restart(DEVICE, &Rows::new()), Rows::new(), Vec::new());
    payer.open(terms(), &mut out).unwrap();
    assert_eq!(settle_writes(&mut payer, &mut out, &mut rows), [Output::Create(terms())]);
    payer.adopt(id(), state(), Height(1), &mut out).unwrap();
    (payer, rows)
}

fn pay(payer: &mut Payer, target: Address, price: u128) -> (Result<Amount, PayError>, Vec<Output>) {
    let mut out = Vec::new();
    (payer.pay(id(), target, units(price), &mut out), out)
}

#[test]
fn a_pool_is_stored_before_it_is_created() {
    let (mut payer, mut out) = (restart(DEVICE, &Rows::new()), Vec::new());
    payer.open(terms(), &mut out).unwrap();
    assert!(matches!(out[..], [Output::Store(StoreToken(0), _, Some(_))]));
    assert_eq!(payer.open(terms(), &mut out), Err(AdoptError::Exists));
    out.clear();
    payer.absent(id(), &mut out);
    assert_eq!(out, [], "not before it is stored");
    payer.handle(NOW, Input::Stored(StoreToken(0)), &mut out);
    assert_eq!(out, [Output::Create(terms())]);
    assert_eq!(payer.deadline(), None);
}

#[test]
fn a_lost_creation_is_repeated_until_it_is_too_late() {
    let (mut payer, mut rows, mut out) = (restart(DEVICE, &Rows::new()), Rows::new(), Vec::new());
    payer.open(terms(), &mut out).unwrap();
    settle_writes(&mut payer, &mut out, &mut rows);
    let mut payer = restart(DEVICE, &rows);
    payer.absent(id(), &mut out);
    assert_eq!(core::mem::take(&mut out), [Output::Create(terms())]);
    payer.handle(NOW, Input::Tip(Height(101)), &mut out);
    payer.absent(id(), &mut out);
    settle_writes(&mut payer, &mut out, &mut rows);
    assert!(rows.is_empty());
    assert_eq!(payer.pools().count(), 0);
}

#[test]
fn a_refused_pool_is_ordered_again_only_when_one_like_it_is_opened() {
    let (mut payer, mut rows, mut out) = (restart(DEVICE, &Rows::new()), Rows::new(), Vec::new());
    payer.open(terms(), &mut out).unwrap();
    settle_writes(&mut payer, &mut out, &mut rows);
    payer.refuse(id(), "wallet/insufficient");
    payer.absent(id(), &mut out);
    assert_eq!((payer.refusal(id()), &out[..]), (Some("wallet/insufficient"), &[][..]));
    let later = PoolTerms { nonce: 1, end_height: Height(390), ..terms() };
    assert_eq!(payer.open(later.clone(), &mut out), Ok(id()), "the same pool, not a second one");
    assert_eq!(core::mem::take(&mut out), [Output::Create(terms())]);
    assert_eq!(payer.refusal(id()), None);
    payer.absent(id(), &mut out);
    assert_eq!(core::mem::take(&mut out), [Output::Create(terms())], "lost, not refused");
    payer.refuse(id(), "node/transaction-refused");
    let larger = PoolTerms { deposit: units(101), ..later };
    assert_eq!(payer.open(larger.clone(), &mut out), Ok(larger.id(CHAIN)), "another pool");
    out.clear();
    payer.adopt(id(), state(), Height(1), &mut out).unwrap();
    assert_eq!(payer.refusal(id()), None, "it came through after all");
    payer.refuse(id(), "node/transaction-refused");
    assert_eq!(payer.refusal(id()), None, "what is proven cannot be refused");
    let mut payer = restart(DEVICE, &rows);
    payer.refuse(id(), "node/transaction-refused");
    payer.handle(NOW, Input::Tip(Height(101)), &mut out);
    payer.absent(id(), &mut out);
    assert!(matches!(out[..], [Output::Store(_, _, None)]), "forgotten once it is too late");
}

#[test]
fn a_voucher_leaves_only_after_it_is_stored() {
    let (mut payer, _) = ready();
    let (answer, out) = pay(&mut payer, ANN, 3);
    assert_eq!(answer, Ok(units(3)));
    let [Output::Store(token, _, Some(_))] = out[..] else { panic!("{out:?}") };
    assert_eq!(payer.latest(id(), ANN), None, "not stored, not spoken");
    let mut out = Vec::new();
    payer.handle(NOW, Input::Tick, &mut out);
    payer.handle(NOW, Input::Stored(StoreToken(999)), &mut out);
    assert_eq!(out, []);
    payer.handle(NOW, Input::Stored(token), &mut out);
    let [Output::Voucher(ANN, voucher)] = &out[..] else { panic!("{out:?}") };
    assert_eq!((voucher.body.seq, voucher.body.cum), (1, units(3)));
    assert_eq!(payer.latest(id(), ANN).as_ref(), Some(voucher));
    let bearer = Bearer { chains: &[CHAIN], pool: id(), by: ANN, height: Height(2) };
    let settled =
        state().settle(&rules(), &PaidState::default(), &voucher.clone().into(), &bearer).unwrap();
    assert_eq!(settled.gain, units(3), "the chain honours it");
    let mut again = Vec::new();
    payer.handle(NOW, Input::Stored(token), &mut again);
    assert_eq!(again, [], "a token is spent once");
}

#[test]
fn payments_made_while_storing_are_collected_into_one_voucher() {
    let (mut payer, mut rows) = ready();
    let (_, mut out) = pay(&mut payer, ANN, 3);
    for _ in 0..5 {
        assert_eq!(pay(&mut payer, ANN, 2).1, [], "one write at a time");
    }
    let spoken = settle_writes(&mut payer, &mut out, &mut rows);
    let sums = spoken.iter().map(|output| match output {
        Output::Voucher(_, voucher) => (voucher.body.seq, voucher.body.cum),
        Output::Store(..) | Output::Create(_) => panic!("{output:?}"),
    });
    assert_eq!(sums.collect::<Vec<_>>(), [(1, units(3)), (2, units(13))]);
}

#[test]
fn a_pool_for_one_payee_promises_to_no_other_nor_more_than_the_deposit() {
    let only = Some(Only { payee: ANN, purpose: Purpose::try_from("order 7").unwrap() });
    let gift = PoolTerms { only, collateral: Amount::ZERO, ..terms() };
    let mut payer = restart(DEVICE, &Rows::new());
    let mut out = Vec::new();
    payer.open(gift.clone(), &mut out).unwrap();
    let state = gift.open(&rules(), Height(0)).unwrap();
    payer.adopt(id(), state, Height(10), &mut out).unwrap();
    assert_eq!(pay(&mut payer, BOB, 1).0, Err(PayError::NotPayee));
    assert_eq!(pay(&mut payer, ANN, 100).0, Ok(units(100)));
    let exhausted = PayError::DepositExhausted { deposit: units(100) };
    assert_eq!(pay(&mut payer, ANN, 1).0, Err(exhausted), "and not twice");
}

#[test]
fn each_reason_not_to_pay_has_its_name() {
    let (mut payer, _) = ready();
    let elsewhere = PoolId(Hash([9; 32]));
    assert_eq!(payer.pay(elsewhere, ANN, units(1), &mut Vec::new()), Err(PayError::NoPool));
    assert_eq!(pay(&mut payer, ANN, 0).0, Err(PayError::NothingToPay));
    let own = payer.address();
    assert_eq!(pay(&mut payer, own, 1).0, Err(PayError::OwnPool));
    let exhausted = PayError::DepositExhausted { deposit: units(100) };
    assert_eq!(pay(&mut payer, ANN, 60).0, Ok(units(60)));
    assert_eq!(pay(&mut payer, BOB, 41).0, Err(exhausted));
    assert_eq!(pay(&mut payer, BOB, u128::MAX).0, Err(exhausted));
    assert_eq!(pay(&mut payer, ANN, u128::MAX).0, Err(PayError::SequenceExhausted));
    assert_eq!(pay(&mut payer, BOB, 40).0, Ok(units(40)));
    assert_eq!(payer.promised(id()), units(100));
    let (mut payer, mut out) = ready_at(Height(368));
    assert_eq!(pay(&mut payer, ANN, 1).0, Ok(units(1)), "end - 2·M_incl is the last height");
    payer.handle(NOW, Input::Tip(Height(369)), &mut out);
    assert_eq!(pay(&mut payer, ANN, 1).0, Err(PayError::EndTooNear));
    let mut fresh = restart(DEVICE, &Rows::new());
    fresh.open(terms(), &mut out).unwrap();
    assert_eq!(pay(&mut fresh, ANN, 1).0, Err(PayError::NotProven));
}

#[test]
fn each_reason_not_to_open_or_adopt_has_its_name() {
    let (mut payer, _) = ready();
    let out = &mut Vec::new();
    let theirs = SecretKey::from_bytes(&[8; 32]).public();
    let open = payer.open(PoolTerms { creator: theirs, ..terms() }, out);
    assert_eq!(open, Err(AdoptError::NotOurs));
    let none = PoolTerms { deposit: Amount::ZERO, ..terms() };
    assert_eq!(payer.open(none, out), Err(AdoptError::Terms(OpenError::NoDeposit)));
    let foreign = PoolState { creator: theirs, ..state() };
    assert_eq!(payer.adopt(id(), foreign, Height(2), out), Err(AdoptError::NotOurs));
    assert_eq!(payer.adopt(id(), state(), Height(0), out), Err(AdoptError::Stale));
    for nonce in 1..u64::try_from(MAX_POOLS).unwrap() {
        payer.open(PoolTerms { nonce, ..terms() }, out).unwrap();
    }
    let more = PoolTerms { nonce: 1000, ..terms() };
    assert_eq!(payer.open(more.clone(), out), Err(AdoptError::TooManyPools));
    let answer = payer.adopt(more.id(CHAIN), state(), Height(2), out);
    assert_eq!(answer, Err(AdoptError::TooManyPools));
}

#[test]
fn a_closed_pool_leaves_no_row_behind() {
    let (mut payer, mut rows) = ready();
    let (_, mut out) = pay(&mut payer, ANN, 3);
    settle_writes(&mut payer, &mut out, &mut rows);
    assert_eq!(rows.len(), 2);
    let closed = PoolState { status: PoolStatus::Closed, ..state() };
    assert_eq!(payer.adopt(id(), closed, Height(500), &mut out), Err(AdoptError::Closed));
    settle_writes(&mut payer, &mut out, &mut rows);
    assert!(rows.is_empty());
    assert_eq!(pay(&mut payer, ANN, 1).0, Err(PayError::NoPool));
}

// ADVERSARIAL case 21.
#[test]
fn a_restored_or_cloned_storage_freezes_its_pools() {
    let (mut payer, mut rows) = ready();
    let yesterday = rows.clone();
    let (_, mut out) = pay(&mut payer, ANN, 3);
    settle_writes(&mut payer, &mut out, &mut rows);
    let frozen = |payer: &mut Payer, state: PoolState| {
        let answer = payer.adopt(id(), state, Height(9), &mut Vec::new());
        let Err(AdoptError::Frozen(freeze)) = answer else { panic!("{answer:?}") };
        let (answer, out) = pay(payer, ANN, 1);
        assert_eq!((answer, out), (Err(PayError::Frozen(freeze)), Vec::new()));
        assert_eq!(payer.latest(id(), ANN), None);
        freeze
    };
    let mut clone = restart(DeviceId([6; 16]), &rows);
    assert_eq!(frozen(&mut clone, state()), Freeze::OtherDevice);
    let paid = PoolState { paid_total: units(3), ..state() };
    assert_eq!(frozen(&mut restart(DEVICE, &yesterday), paid), Freeze::RolledBack);
    assert_eq!(frozen(&mut restart(DEVICE, &Rows::new()), state()), Freeze::Unknown);
    let mut torn = rows.clone();
    torn.values_mut().for_each(|bytes| bytes.truncate(20));
    assert_eq!(frozen(&mut restart(DEVICE, &torn), state()), Freeze::Damaged);
    rows.remove(&record::pool_name(&id()));
    assert_eq!(frozen(&mut restart(DEVICE, &rows), state()), Freeze::Damaged);
}

// A5.13: what the disk gives back is believed whole or not at all.
#[test]
fn every_flipped_bit_of_a_row_freezes_its_pool_and_no_other() {
    let (mut payer, mut rows) = ready();
    let (_, mut out) = pay(&mut payer, ANN, 3);
    settle_writes(&mut payer, &mut out, &mut rows);
    let other = PoolTerms { nonce: 1, ..terms() };
    payer.open(other.clone(), &mut out).unwrap();
    settle_writes(&mut payer, &mut out, &mut rows);
    let seal = |(name, bytes): (String, Vec<u8>)| {
        let sealed = row::seal(CHAIN, &name, bytes);
        (name, sealed)
    };
    let disk: Rows = rows.into_iter().map(seal).collect();
    let other = other.id(CHAIN);
    for name in [record::pool_name(&id()), record::line_name(&id(), &ANN)] {
        for bit in 0..disk[&name].len() * 8 {
            let mut damaged = disk.clone();
            damaged.get_mut(&name).unwrap()[bit / 8] ^= 1 << (bit % 8);
            let rows = row::unseal_all(CHAIN, damaged);
            let mut payer = Payer::new(CHAIN, key(), DEVICE, rules(), rows);
            let frozen = AdoptError::Frozen(Freeze::Damaged);
            assert_eq!(payer.adopt(id(), state(), Height(9), &mut out), Err(frozen), "bit {bit}");
            let answer = payer.pay(id(), ANN, units(1), &mut out);
            assert_eq!(answer, Err(PayError::Frozen(Freeze::Damaged)), "bit {bit} of {name}");
            assert_eq!((payer.latest(id(), ANN), &out[..]), (None, &[][..]));
            assert_eq!(payer.adopt(other, state(), Height(9), &mut out), Ok(()));
            assert_eq!(
                payer.pay(other, ANN, units(1), &mut out),
                Ok(units(1)),
                "nothing else stops"
            );
            out.clear();
        }
    }
}

fn ready_at(height: Height) -> (Payer, Vec<Output>) {
    let (mut payer, mut out) = (ready().0, Vec::new());
    payer.handle(NOW, Input::Tip(height), &mut out);
    (payer, out)
}

/// What happens in a random history.
#[derive(Clone, Debug)]
enum Step {
    Pay(u8, u8),
    Write,
    Crash,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..3_u8, 1..20_u8).prop_map(|(who, price)| Step::Pay(who, price)),
        3 => Just(Step::Write),
        1 => Just(Step::Crash),
    ]
}

proptest! {
    // A10.7: across crash and restart at every persistence point.
    #[test]
    fn vouchers_never_decrease_nor_exceed_the_deposit(
        steps in prop::collection::vec(step(), 1..80),
    ) {
        let (mut payer, mut rows) = ready();
        let (mut writes, mut spoken) = (Vec::new(), BTreeMap::new());
        for step in steps {
            let mut out = Vec::new();
            match step {
                Step::Pay(who, price) => {
                    let target = Address([who; 20]);
                    let _ = payer.pay(id(), target, units(price.into()), &mut out);
                }
                Step::Write if !writes.is_empty() => {
                    let (token, name, bytes) = writes.remove(0);
                    rows.insert(name, bytes);
                    payer.handle(NOW, Input::Stored(token), &mut out);
                }
                Step::Write => {}
                Step::Crash => {
                    // Writes under way are lost; what was spoken stays spoken.
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
                        let (seq, cum) = (voucher.body.seq, voucher.body.cum);
                        let last = spoken.insert(target, (seq, cum)).unwrap_or_default();
                        prop_assert!(seq > last.0 && cum > last.1, "{:?} after {:?}", (seq, cum), last);
                    }
                    Output::Create(_) => prop_assert!(false, "created twice"),
                }
            }
            let total = Amount::checked_sum(spoken.values().map(|(_, cum)| *cum)).unwrap();
            prop_assert!(total <= payer.promised(id()), "everything spoken is remembered");
            prop_assert!(payer.promised(id()) <= units(100));
        }
    }
}
