//! Who promises the same money twice: nobody gains by it, and an honest payee loses no more than it let itself be owed.
//! With the real ledger and the real payee. PROTOCOL A5.10, A5.11, A5.15; ADVERSARIAL cases 18 and 20.

use crate::market::{DEPOSIT, E_MAX, FREEZE, HONEST, Market, PRICE, Stall, accomplice, spec};
use antiphon_core::{
    amount::Amount,
    chain::{Level, spec::Token, transaction::Message},
    crypto::SecretKey,
    id::{Address, Height},
    payment::{
        payee::{Fault, ServeError},
        reservation::{Overdraft, PoolStatus},
        voucher::Promise,
    },
};
use antiphon_tests::sim::genesis;

/// What the chunks were worth that the five served.
const SERVED: i128 = 5 * E_MAX as i128;
/// `deposit + B_MAX + 1`.
const COLLATERAL: i128 = DEPOSIT as i128 + 2;

/// A key of the cheats: it owns nothing but what they get by it.
fn sybil() -> SecretKey {
    SecretKey::from_bytes(&[99; 32])
}

fn balance(market: &Market, key: &SecretKey) -> i128 {
    market.till.balance(&Address::of(&key.public()), Token::Operational) as i128
}

/// What somebody gained since genesis, not counting the fees of so many transactions.
fn gain(market: &Market, key: &SecretKey, transactions: i128) -> i128 {
    balance(market, key) - genesis::ENDOWMENT as i128 + transactions * genesis::FEE as i128
}

fn five(market: &Market) -> Vec<Stall> {
    HONEST
        .map(|account| {
            let mut stall = Stall::new(market, account);
            stall.show(market, Level::Final);
            assert_eq!(stall.serve_all(market), ServeError::Pool(Fault::TooExposed));
            assert_eq!(stall.served, E_MAX);
            stall
        })
        .collect()
}

/// Lets the payees see the newest block and brings what they order to the chain, until the insolvency is over.
fn play_out(market: &mut Market, stalls: &mut [Stall], sent: &mut [i128]) {
    for _ in 0..2 * FREEZE + 2 {
        let mut block = Vec::new();
        for (stall, sent) in stalls.iter_mut().zip(&mut *sent) {
            stall.show(market, Level::Final);
            let address = Address::of(&stall.key.public());
            let claim = stall.ordered.take().map(|promise| Message::Settle(Box::new(promise)));
            let share = std::mem::take(&mut stall.collects)
                .then_some(Message::Collect { pool: market.pool, target: address });
            for message in claim.into_iter().chain(share) {
                *sent += 1;
                block.push((stall.key.clone(), message));
            }
        }
        assert_eq!(market.send(block), [""; 0]);
        market.assert_conserved();
    }
}

// Case 18. The accomplice comes first, last or between the honest; in the end nobody has gained but who had served.
#[test]
fn a_pool_promised_twice_costs_the_cheats_more_than_they_get_and_the_honest_their_exposure_at_most()
{
    for place in 0..=5 {
        let mut market = Market::open();
        let mut stalls = five(&market);
        let mut sent = [1; 5];
        let mut block: Vec<(SecretKey, Promise)> = (stalls.iter_mut())
            .map(|stall| (stall.key.clone(), stall.ordered.take().expect("ordered at the limit")))
            .collect();
        let all = market.voucher(&accomplice(), DEPOSIT);
        block.insert(place, (accomplice(), all.into()));
        assert_eq!(market.settle(block), [""; 0], "all are included: they are paid, or claims");
        market.assert_conserved();
        let state = market.till.pool(market.pool).unwrap();
        assert!(matches!(state.status, PoolStatus::Insolvent(_)), "{state:?}");
        let burned = market.till.burned(Token::Operational) as i128;
        assert_eq!(burned, COLLATERAL - 1, "the collateral, without the bounty, at once");
        play_out(&mut market, &mut stalls, &mut sent);
        let last_share =
            Message::Collect { pool: market.pool, target: Address::of(&accomplice().public()) };
        let got = market.send(vec![(market.creator.clone(), last_share)]);
        // Who settled first has no claim.
        assert_eq!(got.is_empty(), place > 0, "{got:?}");
        market.assert_conserved();

        let mut losses = 0;
        for (stall, sent) in stalls.iter().zip(sent) {
            let bounty = i128::from(place == 0 && stall.key.public() == stalls[0].key.public());
            let lost = E_MAX as i128 - (gain(&market, &stall.key, sent) - bounty);
            assert!((0..=E_MAX as i128).contains(&lost), "lost {lost} at {place}");
            assert_eq!(stall.lost as i128, lost, "the payee names its loss");
            losses += lost;
        }
        let creator = gain(&market, &market.creator, 1 + i128::from(place > 0));
        let cheats = creator + gain(&market, &accomplice(), 1) + SERVED;
        const { assert!(SERVED + 1 - COLLATERAL < 0, "cheating costs") };
        assert!(cheats <= SERVED + 1 - COLLATERAL, "cheats net {cheats} at {place}");
        if place == 0 {
            assert_eq!(losses, SERVED, "the accomplice took all of the deposit");
        }
        let held = market.till.pool(market.pool).unwrap().held();
        assert!(held.is_zero(), "{held} left behind");
    }
}

// Case 18, with the cheats' own reporter: the bounty is theirs, too, and is all that comes back of the collateral.
#[test]
fn who_reports_itself_gets_the_bounty_and_nothing_else_of_the_collateral() {
    let mut market = Market::open();
    let mut stalls = five(&market);
    let mut orders: Vec<_> = (stalls.iter_mut())
        .map(|stall| (stall.key.clone(), stall.ordered.take().unwrap()))
        .collect();
    let all = market.voucher(&accomplice(), DEPOSIT);
    assert_eq!(market.settle(vec![(accomplice(), all.into())]), [""; 0]);
    // The creator promises a sybil one unit more than is there, and reports it before the honest settle.
    let pool = market.pool;
    let promise = Promise::from(market.voucher(&sybil(), 1));
    let state = market.till.pool(pool).unwrap();
    let evidence = Overdraft::find(pool, &state, [promise], |_| Amount::ZERO).unwrap();
    let reporter = genesis::account(0);
    let block = vec![(reporter.clone(), Message::Report(evidence))];
    assert_eq!(market.send(block), [""; 0]);
    assert_eq!(gain(&market, &reporter, 1), 1);
    assert_eq!(market.till.burned(Token::Operational) as i128, COLLATERAL - 1);
    // What the honest had ordered before they could know are claims now.
    assert_eq!(market.settle(std::mem::take(&mut orders)), [""; 0]);
    let mut sent = [1; 5];
    play_out(&mut market, &mut stalls, &mut sent);
    let gains = [(&market.creator, 1), (&accomplice(), 1), (&reporter, 1)]
        .map(|(key, transactions)| gain(&market, key, transactions));
    let cheats = gains.iter().sum::<i128>() + SERVED + balance(&market, &sybil());
    assert_eq!(cheats, SERVED + 1 - COLLATERAL);
    for (stall, sent) in stalls.iter().zip(sent) {
        assert_eq!(gain(&market, &stall.key, sent), 0);
        assert_eq!(stall.lost, E_MAX, "and no more");
        assert!(stall.payee.view().is_empty(), "the pool is forgotten");
    }
}

// Case 20, whole: what is accepted at each boundary, whatever stands beside it in the block and in whatever order.
#[test]
fn settlement_evidence_and_release_each_end_and_begin_at_exactly_their_heights_in_any_order() {
    let mut market = Market::open();
    let (end, pool) = (market.end.0, market.pool);
    let (payee, other) = (genesis::account(3), genesis::account(6));
    let owed = [market.voucher(&payee, 60), market.voucher(&accomplice(), 60)];
    let state = market.till.pool(pool).unwrap();
    let evidence =
        Overdraft::find(pool, &state, owed.map(Promise::from), |_| Amount::ZERO).unwrap();
    // Settle ≤ end < evidence alone < end + F ≤ release.
    let expected = |height: u64| [height <= end, height < end + FREEZE, height >= end + FREEZE];
    market.pass_to(Height(end - 2));
    while market.height().0 <= end + FREEZE {
        let height = market.till.next_height().0;
        let small = Promise::from(market.voucher(&other, PRICE));
        let all = [
            market.till.sign(&other, Message::Settle(Box::new(small))),
            market.till.sign(&genesis::account(4), Message::Report(evidence.clone())),
            market.till.sign(&genesis::account(5), Message::Release(pool)),
        ];
        let accepted = |order: &[usize]| {
            let body = market.till.build(order.iter().map(|at| all[*at].clone()).collect());
            let ids = all.each_ref().map(|tx| tx.body.id(market.chain));
            let is_in = ids.map(|id| body.refused.iter().all(|(refused, _)| *refused != id));
            (is_in, body.state_root)
        };
        let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
        let (first, root) = accepted(&orders[0]);
        assert_eq!(first, expected(height), "at {height}, end {end}");
        for order in &orders {
            let (verdict, other) = accepted(order);
            assert_eq!(verdict, first, "the order matters at {height}");
            // Up to the end a settlement is paid, or is a claim, whichever comes first: both may stand in a block.
            assert!(other == root || height <= end, "another state at {height}");
        }
        // Nothing of it happens, so that the next height finds the pool open.
        market.till.settle(Vec::new());
    }
}

// Case 20 for what follows: claims end where shares begin.
#[test]
fn claims_end_where_shares_begin_in_any_order() {
    let mut market = Market::open();
    let payees = [3, 4].map(genesis::account);
    let over = Promise::from(market.voucher(&payees[0], DEPOSIT + 1));
    assert_eq!(market.settle(vec![(payees[0].clone(), over)]), [""; 0]);
    let since = market.height().0;
    for _ in 0..FREEZE + 2 {
        let height = market.till.next_height().0;
        let target = Address::of(&payees[0].public());
        let claim = Promise::from(market.voucher(&payees[1], 10));
        let all = [
            market.till.sign(&payees[1], Message::Settle(Box::new(claim))),
            market.till.sign(&accomplice(), Message::Collect { pool: market.pool, target }),
            market.till.sign(&genesis::account(5), Message::Release(market.pool)),
        ];
        let accepted = |order: [usize; 3]| {
            let body = market.till.build(order.map(|at| all[at].clone()).to_vec());
            let ids = all.each_ref().map(|tx| tx.body.id(market.chain));
            let is_in = ids.map(|id| body.refused.iter().all(|(refused, _)| *refused != id));
            (is_in, body.state_root)
        };
        let first = accepted([0, 1, 2]);
        let is_over = height >= since + spec().pool.freeze;
        assert_eq!(first.0, [!is_over, is_over, false], "at {height}, insolvent since {since}");
        for order in [[0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            assert_eq!(accepted(order), first, "the order matters at {height}");
        }
        market.till.settle(Vec::new());
    }
}
