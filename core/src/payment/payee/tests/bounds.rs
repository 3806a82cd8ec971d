//! What strangers can fill, and how far.

use super::*;

#[test]
fn accounts_and_books_are_bounded() {
    let mut payee = fresh(&Rows::new());
    let peer = |number: usize| {
        let hash = Hash::of(&[&number.to_le_bytes()]);
        (PeerId(PublicKey(hash.0)), PoolId(hash))
    };
    let mut faults = 0;
    for number in 0..MAX_ACCOUNTS + 100 {
        let (peer, pool) = peer(number);
        if payee.set_terms(peer, STREAM, PRICE).is_ok() {
            let out = feed(&mut payee, Input::Offered(peer, pool));
            faults += usize::from(out.contains(&Output::Fault(peer, Fault::TooManyPools)));
        }
    }
    assert_eq!((payee.accounts.len(), payee.books.len()), (MAX_ACCOUNTS, MAX_BOOKS));
    assert_eq!(faults, MAX_ACCOUNTS - 1 - MAX_BOOKS);
    let late = PeerId(PublicKey([77; 32]));
    assert_eq!(payee.set_terms(late, STREAM, PRICE), Err(ServeError::TooManyPeers));
    feed(&mut payee, Input::Left(peer(0).0));
    assert_eq!(payee.set_terms(late, STREAM, PRICE), Ok(()), "the place of one that left");
}

#[test]
fn a_peer_has_one_pool_and_what_it_named_before_is_forgotten_unless_something_is_promised() {
    let mut payee = ready();
    let named = |n: u64| PoolId(Hash::of(&[&n.to_le_bytes()]));
    for n in 0..1000 {
        assert_eq!(feed(&mut payee, Input::Offered(PEER, named(n))), [Output::NeedPool(named(n))]);
        assert!(payee.is_offered(named(n)) && !payee.holds(named(n)));
    }
    assert_eq!(payee.books.len(), 1, "names cost nothing");
    let mut payee = ready();
    pay(&mut payee, 1, 2);
    feed(&mut payee, Input::Offered(PEER, named(1)));
    assert!(payee.holds(id()) && !payee.is_offered(id()));
    assert_eq!(payee.books.len(), 2, "what is promised is kept");
}

#[test]
fn whoever_leaves_keeps_no_place_among_the_pools() {
    let mut payee = fresh(&Rows::new());
    let peer = |n: usize| PeerId(PublicKey(Hash::of(&[&n.to_le_bytes()]).0));
    for n in 0..MAX_BOOKS {
        feed(&mut payee, Input::Offered(peer(n), PoolId(Hash::of(&[&n.to_le_bytes()]))));
    }
    let full = [Output::Fault(PEER, Fault::TooManyPools)];
    assert_eq!(feed(&mut payee, Input::Offered(PEER, id())), full);
    feed(&mut payee, Input::Left(peer(7)));
    assert_eq!(feed(&mut payee, Input::Offered(PEER, id())), [Output::NeedPool(id())]);
}
