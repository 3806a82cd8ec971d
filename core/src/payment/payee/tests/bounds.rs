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
