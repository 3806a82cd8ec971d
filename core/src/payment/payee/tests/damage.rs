//! Rows that a disk damaged.

use super::*;
use crate::row;

// A5.13, for who is paid: of a pool that promised 44, the voucher over 44 must not be credited a second time.
#[test]
fn every_flipped_bit_of_a_row_freezes_its_pool_and_no_other() {
    let whole = row::seal(CHAIN, &name(&id()), row_of(signed(3, 44)));
    let other = PoolTerms { nonce: 1, ..terms() }.id(CHAIN);
    for bit in 0..whole.len() * 8 {
        let mut sealed = whole.clone();
        sealed[bit / 8] ^= 1 << (bit % 8);
        let damaged = (name(&id()), row::unseal(CHAIN, &name(&id()), sealed));
        let mut payee = Payee::new(CHAIN, ME, rules(), policy(), [damaged]);
        payee.set_terms(PEER, STREAM, PRICE).unwrap();
        assert_eq!(feed(&mut payee, Input::Tip(Height(10))), [Output::NeedPool(id())]);
        feed(&mut payee, Input::Offered(PEER, id()));
        assert_eq!(feed(&mut payee, Input::Proven(id(), Box::new(proof(10)))), [], "bit {bit}");
        let refused = [Output::Fault(PEER, Fault::Damaged)];
        assert_eq!(give(&mut payee, &signed(3, 44)), refused, "bit {bit}");
        assert_eq!(give(&mut payee, &signed(4, 46)), refused, "bit {bit}");
        assert_eq!(payee.view()[0].held, Amount::ZERO);
    }
    let torn = (name(&id()), Ok(vec_of(80)));
    let mut payee = Payee::new(CHAIN, ME, rules(), policy(), [torn]);
    payee.set_terms(PEER, STREAM, PRICE).unwrap();
    feed(&mut payee, Input::Tip(Height(10)));
    for pool in [id(), other] {
        feed(&mut payee, Input::Offered(PEER, pool));
        feed(&mut payee, Input::Proven(pool, Box::new(proof(10))));
    }
    let body = Voucher { pool: other, ..signed(1, 4).body };
    let out = give(&mut payee, &Signed::new(&key(), CHAIN, body));
    assert!(matches!(out[..], [Output::Store(..)]), "nothing else stops: {out:?}");
}

#[test]
fn a_peer_that_pays_from_a_frozen_pool_gets_no_credit_for_what_it_paid_elsewhere() {
    let torn = (name(&id()), Ok(vec_of(80)));
    let mut payee = Payee::new(CHAIN, ME, rules(), policy(), [torn]);
    payee.set_terms(PEER, STREAM, PRICE).unwrap();
    let other = PoolTerms { nonce: 1, ..terms() }.id(CHAIN);
    feed(&mut payee, Input::Tip(Height(10)));
    feed(&mut payee, Input::Offered(PEER, other));
    feed(&mut payee, Input::Proven(other, Box::new(proof(10))));
    feed(&mut payee, Input::Proven(id(), Box::new(proof(10))));
    let body = Voucher { pool: other, ..signed(1, 4).body };
    let out = give(&mut payee, &Signed::new(&key(), CHAIN, body));
    let [Output::Store(token, ..)] = out[..] else { panic!("{out:?}") };
    feed(&mut payee, Input::Stored(token));
    assert_eq!(payee.serve(PEER), Ok(()));
    feed(&mut payee, Input::Offered(PEER, id()));
    assert_eq!(payee.serve(PEER), Err(ServeError::Pool(Fault::Damaged)));
}
