#![allow(clippy::arithmetic_side_effects, reason = "a test that overflows fails")]

pub(crate) mod chain;
mod field;
mod origin;
pub(super) mod stake;

use super::*;
use antiphon_core::{
    amount::Amount,
    chain::{header::Header, state::Account, transaction::Message},
    codec,
    payment::reservation::{PoolTerms, pool_id},
};
use chain::{Chain, FEE, START, address, chain_id, pay};

#[test]
fn a_transfer_moves_money_and_pays_the_proposer() {
    let mut chain = Chain::new();
    let tx = chain.tx(1, 1, vec![pay(2, 300)]);
    chain.settle(vec![tx]);
    assert_eq!(chain.balance(1), START - 300 - FEE);
    assert_eq!(chain.balance(2), START + 300);
    assert_eq!(chain.balance(0), FEE, "the validator's account");
    chain.assert_conserved();
}

#[test]
fn what_cannot_be_applied_makes_the_block_invalid_and_is_left_out_when_building() {
    type Make<'a> = &'a dyn Fn(&Chain) -> SignedTransaction;
    let wrong: [(&str, Make<'_>); 9] = [
        ("tx/wrong-sequence", &|c| c.tx(1, 2, vec![pay(2, 1)])),
        ("tx/wrong-sequence", &|c| c.tx(1, 0, vec![pay(2, 1)])),
        ("tx/too-poor", &|c| c.tx(1, 1, vec![pay(2, START)])),
        ("tx/bad-amount", &|c| c.tx(1, 1, vec![pay(2, 0)])),
        ("tx/empty", &|c| c.tx(1, 1, vec![])),
        ("tx/no-pool", &|c| c.tx(1, 1, vec![Message::Release(pool_id(c.id, &address(1), 9))])),
        ("tx/fee-too-low", &|c| {
            c.changed(1, vec![pay(2, 1)], |tx| tx.max_fee = Amount::from_units(FEE - 1))
        }),
        ("tx/expired", &|c| {
            c.changed(1, vec![pay(2, 1)], |tx| tx.reference_block = BlockId(Hash([9; 32])))
        }),
        ("tx/bad-signature", &|c| {
            let mut tx = c.tx(1, 1, vec![pay(2, 1)]);
            tx.signature = c.tx(1, 1, vec![pay(2, 2)]).signature;
            tx
        }),
    ];
    for (code, make) in wrong {
        let mut chain = Chain::new();
        let tx = make(&chain);
        let refused = chain.built(vec![tx.clone()]).refused;
        assert_eq!(refused.first().map(|(_, error)| error.code()), Some(code));
        let block = chain.block(vec![tx], Hash::default());
        match chain.ledger.execute(block.id(), &block) {
            Err(ExecuteError::Transaction { index: 0, error }) => assert_eq!(error.code(), code),
            other => panic!("{code}: {other:?}"),
        }
    }
}

#[test]
fn a_failing_message_undoes_the_messages_before_it() {
    let chain = Chain::new();
    let good = chain.tx(2, 1, vec![pay(1, 5)]);
    let bad = chain.tx(1, 1, vec![pay(2, 100), pay(2, START)]);
    let body = chain.built(vec![bad, good.clone()]);
    assert_eq!(body.transactions.len(), 1);
    assert_eq!(body.state_root, chain.built(vec![good]).state_root);
}

#[test]
fn another_state_root_is_refused() {
    let mut chain = Chain::new();
    let tx = chain.tx(1, 1, vec![pay(2, 1)]);
    let block = chain.block(vec![tx], Hash([1; 32]));
    assert_eq!(chain.ledger.execute(block.id(), &block), Err(ExecuteError::WrongRoot));
}

#[test]
fn a_transaction_is_executed_once() {
    let mut chain = Chain::new();
    let tx = chain.tx(1, 1, vec![pay(2, 1)]);
    chain.settle(vec![tx.clone()]);
    let refused = chain.built(vec![tx]).refused;
    assert!(matches!(refused[..], [(_, TxError::WrongSequence { expected: 2, found: 1 })]));
}

#[test]
fn a_transaction_dies_64_blocks_after_its_reference() {
    let mut chain = Chain::new();
    let tx = chain.tx(1, 1, vec![pay(2, 1)]);
    while chain.head.0.0 < 63 {
        chain.settle(vec![]);
    }
    assert!(chain.built(vec![tx.clone()]).refused.is_empty(), "in block 64");
    chain.settle(vec![]);
    let refused = chain.built(vec![tx]).refused;
    assert_eq!(refused.first().map(|(_, e)| e.code()), Some("tx/expired"), "in block 65");
}

#[test]
fn a_pool_pays_its_payees_and_gives_back_the_rest() {
    let mut chain = Chain::new();
    let terms = chain.terms(500, 700);
    let pool = terms.id(chain.id);
    let tx = chain.tx(1, 1, vec![Message::CreatePool(terms.clone())]);
    chain.settle(vec![tx]);
    assert_eq!(chain.balance(1), START - 1200 - FEE);
    let settle = Message::Settle(Box::new(chain.voucher(&terms, 2, 1, 120).into()));
    let tx = chain.tx(2, 1, vec![settle.clone()]);
    chain.settle(vec![tx]);
    assert_eq!(chain.balance(2), START + 120 - FEE);
    let again = chain.tx(2, 2, vec![settle]);
    let again = chain.built(vec![again]).refused;
    assert_eq!(again.first().map(|(_, e)| e.code()), Some("pool/old-sequence"));
    let early = chain.tx(2, 2, vec![Message::Release(pool)]);
    let early = chain.built(vec![early]).refused;
    assert_eq!(early.first().map(|(_, e)| e.code()), Some("pool/release-too-early"));
    let release = terms.end_height.0 + chain.ledger.spec().pool.freeze;
    while chain.head.0.0 < release - 1 {
        chain.settle(vec![]);
    }
    let tx = chain.tx(2, 2, vec![Message::Release(pool)]);
    chain.settle(vec![tx]);
    assert_eq!(chain.balance(1), START - 120 - FEE);
    chain.assert_conserved();
    // A closed pool stays: its id is never used again.
    let again = PoolTerms { end_height: chain.head.0.plus(400), ..terms };
    let again = chain.tx(1, 2, vec![Message::CreatePool(again)]);
    let again = chain.built(vec![again]).refused;
    assert_eq!(again.first().map(|(_, e)| e.code()), Some("tx/pool-exists"));
}

#[test]
fn nobody_opens_a_pool_for_somebody_else() {
    let chain = Chain::new();
    let tx = chain.tx(2, 1, vec![Message::CreatePool(chain.terms(5, 100))]);
    let refused = chain.built(vec![tx]).refused;
    assert_eq!(refused.first().map(|(_, e)| e.code()), Some("tx/not-creator"));
}

#[test]
fn forks_are_executed_side_by_side_and_the_settled_one_stays() {
    let mut chain = Chain::new();
    let base = chain.head;
    let left = chain.include(vec![chain.tx(1, 1, vec![pay(2, 7)])]);
    chain.head = base;
    let right = chain.include(vec![chain.tx(2, 1, vec![pay(1, 9)])]);
    let above = chain.include(vec![chain.tx(1, 1, vec![pay(2, 1)])]);
    assert_ne!(left.signed.header.state_root, right.signed.header.state_root);
    let at = |chain: &Chain, block: &Block| {
        let account = chain.ledger.account(&block.id(), &address(2)).unwrap();
        account.balances[1].units()
    };
    assert_eq!(at(&chain, &left), START + 7);
    assert_eq!(at(&chain, &right), START - 9 - FEE);
    assert_eq!(at(&chain, &above), START - 8 - FEE);
    chain.store(&right);
    assert_eq!(at(&chain, &above), START - 8 - FEE, "read through the store now");
    assert!(chain.ledger.view(&left.id()).is_none(), "the other fork is forgotten");
    chain.store(&above);
    chain.assert_conserved();
}

#[test]
fn values_and_absences_are_proven_under_the_header_settled_or_not() {
    let mut chain = Chain::new();
    let key = |n| StateKey::account(chain_id(), &address(n));
    let (rich, nobody) = (key(2), key(77));
    let tx = chain.tx(1, 1, vec![pay(2, 300)]);
    let block = chain.include(vec![tx]);
    let root = block.signed.header.state_root;
    let check = |chain: &Chain, at| {
        let proofs = chain.ledger.prove(&at, &[rich, nobody]).unwrap().unwrap();
        let bytes = proofs[0].verify(&root, &rich).unwrap().unwrap();
        let account: Account = codec::decode(bytes, 4096).unwrap();
        assert_eq!(account.balances[1].units(), START + 300);
        assert_eq!(proofs[1].verify(&root, &nobody), Ok(None));
    };
    check(&chain, At::Block(block.id()));
    chain.store(&block);
    check(&chain, At::Version(1));
    for _ in 0..5 {
        let sequence = chain.account(1).sequence + 1;
        let tx = chain.tx(1, sequence, vec![pay(3, 1)]);
        chain.settle(vec![tx]);
    }
    check(&chain, At::Version(1));
    assert_eq!(chain.ledger.prove(&At::Version(99), &[rich]), Ok(None));
    assert_eq!(chain.ledger.prove(&At::Block(BlockId(Hash([3; 32]))), &[rich]), Ok(None));
}

#[test]
fn a_block_that_changes_nothing_keeps_the_root() {
    let mut chain = Chain::new();
    let first = chain.include(vec![]).signed.header.state_root;
    assert_eq!(chain.include(vec![]).signed.header.state_root, first);
}

#[test]
fn made_or_lost_money_is_noticed() {
    use super::{
        conserve::holds,
        row::{Cell, Row},
    };
    let row = |units| {
        let balances = [Amount::ZERO, Amount::from_units(units)];
        Row::Account(Account { sequence: 0, balances })
    };
    let cell = |before: Option<u128>, now| Cell { before: before.map(row), now: Some(row(now)) };
    assert!(holds([cell(Some(5), 2), cell(None, 3)].iter()));
    assert!(!holds([cell(Some(5), 2), cell(None, 4)].iter()));
    assert!(!holds([cell(Some(5), 4)].iter()));
    assert!(!holds([cell(Some(1), u128::MAX), cell(None, 2)].iter()));
}

#[test]
fn a_verified_transaction_under_another_signature_is_checked_again() {
    let mut chain = Chain::new();
    let tx = chain.tx(1, 1, vec![pay(2, 1)]);
    chain.ledger.note_verified(&tx.to_bytes());
    assert!(chain.built(vec![tx.clone()]).refused.is_empty());
    let signature = chain.tx(1, 1, vec![pay(2, 2)]).signature;
    let refused = chain.built(vec![SignedTransaction { signature, ..tx }]).refused;
    assert_eq!(refused.first().map(|(_, error)| error.code()), Some("tx/bad-signature"));
}

#[test]
fn only_the_very_block_that_was_built_is_adopted() {
    type Change<'a> = &'a dyn Fn(&mut Header);
    let changes: [(bool, Change<'_>); 6] = [
        (true, &|_| {}),
        (false, &|header| header.tx_root = Hash([1; 32])),
        (false, &|header| header.state_root = Hash([1; 32])),
        (false, &|header| header.parent = BlockId(Hash([1; 32]))),
        (false, &|header| header.next_guardians_hash = Hash([1; 32])),
        (false, &|header| header.proposer_index = 1),
    ];
    for (same, change) in changes {
        let mut chain = Chain::new();
        let txs = vec![chain.tx(1, 1, vec![pay(2, 1)])];
        let body = chain.built(txs.clone());
        let block = chain.block(txs, body.state_root);
        let mut header = block.signed.header;
        change(&mut header);
        assert_eq!(chain.ledger.adopt(header.id(), &header, body.prepared), same);
        assert_eq!(chain.ledger.view(&header.id()).is_some(), same);
    }
}
