//! A chain that takes back what it had settled: too many validators signed twice.

use super::*;

#[test]
fn a_payment_that_is_taken_back_is_settled_again_and_nothing_more_is_accepted() {
    let mut payee = ready();
    pay(&mut payee, 1, 41);
    let paid = PaidState { seq: 1, cum: units(41), claim: None };
    let after = PoolState { paid_total: units(41), ..state() };
    let settled = Proof { state: after, paid, ..proof(12) };
    assert_eq!(
        feed(&mut payee, Input::Proven(id(), Box::new(settled))),
        [Output::Settled(id(), paid)]
    );
    assert_eq!(pay(&mut payee, 2, 79), [Output::Credit(PEER, units(38))]);

    let taken_back = Proof { level: Level::Final, ..proof(13) };
    let again = [Output::Settle(signed(2, 79).into())];
    assert_eq!(feed(&mut payee, Input::Proven(id(), Box::new(taken_back))), again);
    let view = &payee.view()[0];
    assert_eq!((view.paid, view.exposure), (Amount::ZERO, units(79)), "as it is, beyond the limit");
    let refused = [Output::Fault(PEER, Fault::TooExposed)];
    assert_eq!(give(&mut payee, &signed(3, 81)), refused);
    assert_eq!(payee.serve(PEER), Err(ServeError::Pool(Fault::TooExposed)));
}
