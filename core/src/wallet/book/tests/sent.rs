//! What becomes of a transfer, as its owner is shown it.

use super::*;

/// Id, level and refusal of each transfer.
type Seen = Vec<(Option<crate::id::TxId>, Option<Level>, Option<&'static str>)>;

fn seen(book: &Book) -> Seen {
    book.sent().map(|(sent, level)| (sent.id, level, sent.refusal)).collect()
}

fn send(book: &mut Book, amount: u128) -> Vec<Output> {
    let (mut out, to) = (Vec::new(), Address([1; 20]));
    book.transfer(at(0), Token::Operational, to, Amount::from_units(amount), &mut out).unwrap();
    out
}

#[test]
fn a_transfer_is_pending_then_rises_from_level_to_level_as_its_sequence_is_proven() {
    let mut node = Node::new();
    node.set_account(4, 100);
    let mut book = Book::new(key(), &node.spec);
    show(&mut book, &node, 10, Level::Settled);
    let (_, tx) = submitted(&send(&mut book, 9)).unwrap();
    send(&mut book, 9);
    let id = Some(tx.body.id(node.chain()));
    assert_eq!(seen(&book), [(id, None, None), (None, None, None)], "one goes, one waits");
    node.set_account(5, 80);
    for (height, level) in [(11, Level::Included), (12, Level::Settled), (13, Level::Final)] {
        show(&mut book, &node, height, level);
        let [first, second] = seen(&book)[..] else { panic!("two transfers") };
        assert_eq!(first, (id, Some(level), None));
        assert!(second.0.is_some_and(|other| Some(other) != id), "the second went after it");
        assert_eq!((second.1, second.2), (None, None));
    }
}

#[test]
fn a_transfer_that_is_refused_says_so_and_only_that_one() {
    let mut node = Node::new();
    node.set_account(4, 100);
    let mut book = Book::new(key(), &node.spec);
    show(&mut book, &node, 10, Level::Settled);
    let (ask, _) = submitted(&send(&mut book, 9)).unwrap();
    send(&mut book, 9);
    feed(&mut book, 0, Input::Refused(ask, -32_000));
    let refusals: Vec<_> = seen(&book).iter().map(|(.., refusal)| *refusal).collect();
    assert_eq!(refusals, [Some(TRANSACTION_REFUSED), None]);
}

#[test]
fn a_transfer_whose_transaction_outlived_its_life_gets_another_one() {
    let mut node = Node::new();
    node.set_account(4, 100);
    let mut book = Book::new(key(), &node.spec);
    show(&mut book, &node, 10, Level::Settled);
    submitted(&send(&mut book, 9)).unwrap();
    let before = seen(&book)[0].0;
    show(&mut book, &node, 10 + crate::chain::transaction::LIFETIME + 1, Level::Settled);
    let after = seen(&book)[0];
    assert!(after.0.is_some() && after.0 != before, "{after:?}");
    assert_eq!((after.1, after.2), (None, None));
}

#[test]
fn no_more_than_so_many_are_remembered() {
    let mut node = Node::new();
    node.set_account(4, 100_000);
    let mut book = Book::new(key(), &node.spec);
    show(&mut book, &node, 10, Level::Settled);
    for sequence in 5..100 {
        send(&mut book, u128::from(sequence));
        node.set_account(sequence, 100_000);
        show(&mut book, &node, 10 + sequence, Level::Settled);
    }
    assert_eq!(book.sent().count(), MAX_SENT);
    assert_eq!(book.sent().last().map(|(sent, _)| sent.amount), Some(Amount::from_units(99)));
}

/// Amounts and tokens of a transaction's transfers.
fn moved(tx: &SignedTx) -> Vec<(Token, u128)> {
    let transfer = |message: &Message| {
        let Message::Transfer { token, amount, .. } = message else { panic!("{message:?}") };
        (*token, amount.units())
    };
    tx.body.messages.iter().map(transfer).collect()
}

#[test]
fn everything_goes_in_one_transaction_and_is_not_sent_anew_when_its_life_is_over() {
    let (mut node, to) = (Node::new(), Address([1; 20]));
    let mut book = Book::new(key(), &node.spec);
    let all = |book: &mut Book| {
        let mut out = Vec::new();
        book.send_all(at(0), to, &mut out).map(|()| submitted(&out).unwrap().1)
    };
    assert_eq!(all(&mut book), Err(BookError::NotReady));
    node.set_account(4, 100);
    show(&mut book, &node, 10, Level::Settled);
    let tx = all(&mut book).unwrap();
    assert_eq!(moved(&tx), [(Token::Operational, 99)]);
    assert_eq!(tx.body.max_fee.units(), 1);
    assert_eq!(all(&mut book), Err(BookError::QueueFull), "one is on its way");
    let out = show(&mut book, &node, 10 + crate::chain::transaction::LIFETIME + 1, Level::Settled);
    assert!(!book.is_busy(), "{out:?}");
    node.set_account(5, 1);
    show(&mut book, &node, 100, Level::Settled);
    let (needed, balance) = (Amount::from_units(2), Amount::from_units(1));
    assert_eq!(all(&mut book), Err(BookError::Insufficient { needed, balance }), "the fee alone");
}

#[test]
fn everything_that_is_refused_is_not_sent_in_parts() {
    let (mut node, to, mut out) = (Node::new(), Address([1; 20]), Vec::new());
    let mut book = Book::new(key(), &node.spec);
    node.set_balances(&owner(), 4, [7, 100]);
    show(&mut book, &node, 10, Level::Settled);
    book.send_all(at(0), to, &mut out).unwrap();
    let (ask, tx) = submitted(&out).unwrap();
    assert_eq!(moved(&tx), [(Token::Staking, 7), (Token::Operational, 99)]);
    let out = feed(&mut book, 0, Input::Refused(ask, -32_000));
    assert_eq!(out, [Output::Trouble(TRANSACTION_REFUSED), Output::Changed]);
    assert!(!book.is_busy());
}

#[cfg(feature = "falcon")]
#[test]
fn a_falcon_key_keeps_a_book_and_pays_what_its_signature_costs() {
    use crate::crypto::{AccountSecret, FalconSecret};
    let secret = AccountSecret::Falcon(FalconSecret::new(&[1; 32], [2; 32]));
    let (mut node, name) = (Node::new(), secret.account_key());
    let mut book = Book::new(secret, &node.spec);
    assert_eq!(book.address(), name.address());
    node.set_balances(&name.address(), 0, [0, 100]);
    show(&mut book, &node, 10, Level::Settled);
    let (mut out, to) = (Vec::new(), Address([1; 20]));
    let mut send = |amount| {
        let amount = Amount::from_units(amount);
        book.transfer(at(0), Token::Operational, to, amount, &mut out)
    };
    assert!(matches!(send(97), Err(BookError::Insufficient { .. })), "the fee is four times one");
    assert_eq!(send(96), Ok(()));
    let (_, tx) = submitted(&out).unwrap();
    assert_eq!((tx.body.sender, tx.body.max_fee.units()), (name, 4));
    assert_eq!(tx.verify(node.chain()), Ok(()));
}
