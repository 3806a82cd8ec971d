//! What a header says of the fields that its block closed, and fields of the chain before. A6.11, A10.1; AELF-33.

use super::*;
use antiphon_core::{
    codec::Bounded,
    crypto::merkle,
    id::FieldId,
    payment::field::{
        FieldAct, FieldTerms, Member, RoundState, Seal,
        escrow::{FieldState, field_root},
    },
};
use chain::key;

const BOND: u128 = FEE * 101;

/// Members 1 and 2, in the order of their addresses.
fn members() -> Vec<u8> {
    let mut members = vec![1, 2];
    members.sort_by_key(|n| address(*n));
    members
}

fn terms(nonce: u64) -> FieldTerms {
    let deposit = Amount::from_units(1000);
    let members = members().into_iter().map(|n| Member { key: key(n).public(), deposit });
    FieldTerms {
        nonce,
        members: Bounded::try_from(members.collect::<Vec<_>>()).unwrap(),
        dispute: 8,
        response: 8,
        bond: Amount::from_units(BOND),
        until: Height(100),
        aggregate: None,
    }
}

fn open(terms: &FieldTerms, chain: ChainId) -> Message {
    let signatures: Vec<_> = members().iter().map(|n| terms.sign(chain, &key(*n))).collect();
    let signatures = Bounded::try_from(signatures).unwrap();
    Message::Field(Box::new(FieldAct::Open { terms: terms.clone(), signatures }))
}

/// A close that gives the first member all but one unit.
fn close(terms: &FieldTerms, chain: ChainId) -> Message {
    let balances = [1999, 1].map(Amount::from_units).to_vec();
    let balances = Bounded::try_from(balances).unwrap();
    let first = terms.first_state(chain).unwrap();
    let state = RoundState { round: 3, balances, is_final: true, ..first };
    let signatures: Vec<_> = members().iter().map(|n| key(*n).sign(chain, &state)).collect();
    let seal = Seal::Each(Bounded::try_from(signatures).unwrap());
    Message::Field(Box::new(FieldAct::Close { state, seal }))
}

fn field_tx(chain: &Chain, n: u8, sequence: u64, messages: Vec<Message>) -> SignedTransaction {
    chain.changed(n, messages, |tx| {
        tx.sequence = sequence;
        tx.max_fee = tx.fee(Amount::from_units(FEE)).unwrap();
    })
}

fn field(chain: &Chain, id: FieldId) -> Option<FieldState> {
    chain.row(&StateKey::field(chain.ledger.state_chain(), &id))
}

#[test]
fn a_header_commits_the_closed_fields_in_the_order_of_their_ids() {
    let mut chain = Chain::new();
    let both = [terms(1), terms(2)];
    let tx = field_tx(&chain, 1, 1, both.iter().map(|terms| open(terms, chain.id)).collect());
    chain.settle(vec![tx]);
    let mut ids = both.clone().map(|terms| terms.id(chain.id).unwrap());
    ids.sort();
    let acts = |swapped: bool| -> Vec<Message> {
        let mut acts: Vec<_> = both.iter().map(|terms| close(terms, chain.id)).collect();
        if swapped {
            acts.reverse();
        }
        acts
    };
    let roots = [false, true].map(|swapped| {
        let tx = field_tx(&chain, 2, 1, acts(swapped));
        chain.built(vec![tx]).field_root
    });
    assert_eq!(roots[0], roots[1], "the order of transactions says nothing");
    let tx = field_tx(&chain, 2, 1, acts(true));
    let body = chain.built(vec![tx.clone()]);
    let mut block = chain.block(vec![tx.clone()], body.state_root);
    assert_eq!(
        chain.ledger.execute(block.id(), &block),
        Err(ExecuteError::WrongFields),
        "a header that hides them"
    );
    block.signed.header.field_root = Hash([1; 32]);
    assert_eq!(chain.ledger.execute(block.id(), &block), Err(ExecuteError::WrongFields));
    assert!(!chain.ledger.adopt(block.id(), &block.signed.header, body.prepared));
    chain.settle(vec![tx]);
    let at = chain.head.0;
    let closed: Vec<_> =
        ids.iter().map(|id| field(&chain, *id).unwrap().closed_at(at).unwrap()).collect();
    assert_eq!(field_root(&closed), roots[0]);
    assert_eq!(chain.built(vec![]).field_root, merkle::root(&[]), "only in its own block");
}

#[test]
fn a_block_that_closes_nothing_says_so() {
    let mut chain = Chain::new();
    let tx = chain.tx(1, 1, vec![pay(2, 1)]);
    let body = chain.built(vec![tx.clone()]);
    let mut block = chain.block(vec![tx], body.state_root);
    block.signed.header.field_root = Hash([1; 32]);
    assert_eq!(chain.ledger.execute(block.id(), &block), Err(ExecuteError::WrongFields));
}

#[test]
fn a_field_that_is_opened_and_closed_in_one_transaction_is_in_its_header() {
    let mut chain = Chain::new();
    let terms = terms(1);
    let messages = vec![open(&terms, chain.id), close(&terms, chain.id)];
    let tx = field_tx(&chain, 1, 1, messages);
    let root = chain.built(vec![tx.clone()]).field_root;
    chain.settle(vec![tx]);
    let closed = field(&chain, terms.id(chain.id).unwrap()).unwrap();
    assert_eq!(root, field_root(&[closed.closed_at(chain.head.0).unwrap()]));
}

/// AELF-33: everything of a field is signed for the chain on which it was opened.
#[test]
fn a_field_of_the_chain_before_is_closed_with_what_was_signed_there() {
    let mut old = Chain::new();
    let (first, second) = (terms(1), terms(2));
    let acts = vec![open(&first, old.id), open(&second, old.id)];
    let tx = field_tx(&old, 1, 1, acts);
    origin::until_checkpoint(&mut old, vec![tx]);
    let mut new = old.went_on(origin::successor(vec![old.id]));
    let id = first.id(old.id).unwrap();
    let mut other = close(&first, new.id);
    if let Message::Field(act) = &mut other
        && let FieldAct::Close { state, .. } = act.as_mut()
    {
        state.field = id;
    }
    let tx = field_tx(&new, 1, 2, vec![other]);
    assert_eq!(origin::refusals(&new, tx), ["field/bad-signature"], "signed for the new chain");
    let tx = field_tx(&new, 1, 2, vec![close(&first, old.id)]);
    new.settle(vec![tx]);
    assert!(field(&new, id).unwrap().closed_at(new.head.0).is_some());
    let tx = field_tx(&new, 1, 3, vec![open(&second, old.id)]);
    assert_eq!(origin::refusals(&new, tx), ["field/bad-signature"], "opened on one chain only");
}
