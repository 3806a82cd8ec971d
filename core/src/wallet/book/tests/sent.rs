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
