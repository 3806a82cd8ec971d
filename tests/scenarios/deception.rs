//! Who pays from a pool that cannot pay: what an honest payee can lose, with the real ledger and the real payee.
//! PROTOCOL A5.14, A5.15; ADVERSARIAL case 22.
//!
//! Case 22 begins with state, not with proofs of inclusion: a payee takes no other proof. That bad bytes are not paid,
//! relayed or forgiven is shown in `listeners`.

use crate::market::{DEPOSIT, E_MAX, FREEZE, Market, NOW, PRICE, Stall, accomplice};
use antiphon_core::{
    amount::Amount,
    chain::{Level, transaction::Message},
    id::Height,
    payment::payee::{Fault, Input, Proof, ServeError},
};

// Case 22.
#[test]
fn a_pool_that_cannot_pay_gets_no_more_than_the_first_chunks() {
    let free = 4 * PRICE;
    let tried = |market: &Market, level| {
        let mut stall = Stall::new(market, 3);
        stall.show(market, level);
        while stall.serve().is_ok() {}
        assert_eq!(stall.served, free, "e_max is {E_MAX}");
        let fault = stall.give(&market.voucher(&stall.key, PRICE));
        assert!(stall.serve().is_err(), "a worthless voucher buys nothing");
        fault
    };
    // A header that is not settled proves nothing: the voucher waits, and nothing more is served.
    assert_eq!(tried(&Market::open(), Level::Included), None);
    // What remains is below the price.
    let mut drained = Market::open();
    let most = drained.voucher(&accomplice(), DEPOSIT - 1);
    assert_eq!(drained.settle(vec![(accomplice(), most.into())]), [""; 0]);
    assert_eq!(tried(&drained, Level::Settled), Some(Fault::Overdrawn));
    // The end is too near to settle before it.
    let mut ending = Market::open();
    ending.pass_to(Height(ending.end.0 - 1));
    assert_eq!(tried(&ending, Level::Settled), Some(Fault::EndTooNear));
    // The pool was created, and released since.
    let mut released = Market::open();
    released.pass_to(Height(released.end.0 + FREEZE - 1));
    let release = released.till.sign(&accomplice(), Message::Release(released.pool));
    assert_eq!(released.till.settle(vec![release]), []);
    assert_eq!(tried(&released, Level::Settled), Some(Fault::NoPool));
}

// Case 22.
#[test]
fn a_proof_from_before_the_release_does_not_revive_a_pool() {
    let mut market = Market::open();
    let mut stall = Stall::new(&market, 3);
    let (state, paid, height) =
        (market.till.pool(market.pool).unwrap(), Default::default(), market.height());
    let old = Proof { state, paid, height, level: Level::Final };
    market.pass_to(Height(market.end.0 + FREEZE - 1));
    let release = market.till.sign(&accomplice(), Message::Release(market.pool));
    assert_eq!(market.till.settle(vec![release]), []);
    stall.feed(NOW, Input::Tip(market.height()));
    stall.feed(NOW, Input::Proven(market.pool, Box::new(old)));
    let fault = stall.give(&market.voucher(&stall.key, PRICE));
    assert_eq!(fault, Some(Fault::EndTooNear), "it was true once");
}

// Case 22.
#[test]
fn a_payee_from_whom_blocks_are_withheld_stops_and_settles_what_it_has() {
    let mut market = Market::open();
    let mut stall = Stall::new(&market, 3);
    stall.show(&market, Level::Final);
    for chunk in 1..=3 {
        stall.serve().unwrap();
        assert_eq!(stall.give(&market.voucher(&stall.key, chunk * PRICE)), None);
    }
    assert_eq!(stall.ordered, None, "not worth a settlement yet");
    let silence = stall.payee.deadline().unwrap();
    stall.feed(silence, Input::Tick);
    assert_eq!(stall.serve(), Err(ServeError::ChainStalled));
    let order = stall.ordered.take().expect("what is held is settled early");
    assert_eq!(market.settle(vec![(stall.key.clone(), order)]), [""; 0]);
    stall.show(&market, Level::Final);
    let view = &stall.payee.view()[0];
    assert_eq!(
        (view.paid.units(), view.exposure, view.held),
        (3 * PRICE, Amount::ZERO, Amount::ZERO)
    );
    market.assert_conserved();
}
