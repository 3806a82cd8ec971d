//! A chain that goes on with another one's state (AELF-33): what it owes, it still owes; what was signed for the old chain
//! does nothing twice.

use super::*;
use antiphon_core::{
    chain::{
        delayed::Delayed,
        spec::{MAX_LINEAGE, Origin},
        transaction::Delay,
    },
    codec::Bounded,
    crypto::{Signed, Tagged as _},
    payment::voucher::Voucher,
};
use chain::spec;

/// Height of the checkpoint with whose state the new chain begins.
const HEIGHT: Height = Height(10);

pub(super) fn successor(lineage: Vec<ChainId>) -> ChainSpec {
    let old = spec();
    let origin = Origin {
        height: HEIGHT,
        block: BlockId(Hash([1; 32])),
        state_root: Hash([2; 32]),
        lineage: Bounded::<_, MAX_LINEAGE>::try_from(lineage).unwrap(),
    };
    let mut validators = old.validators.clone();
    validators.since = HEIGHT;
    let (accounts, origin) = (Bounded::new(), Some(origin));
    ChainSpec { validators, accounts, origin, ..old }
}

/// Settles these transactions, and empty blocks up to the checkpoint.
pub(super) fn until_checkpoint(chain: &mut Chain, txs: Vec<SignedTransaction>) {
    chain.settle(txs);
    while chain.head.0 < HEIGHT {
        chain.settle(vec![]);
    }
}

pub(super) fn refusals(chain: &Chain, tx: SignedTransaction) -> Vec<&'static str> {
    chain.built(vec![tx]).refused.iter().map(|(_, error)| error.code()).collect()
}

#[test]
fn accounts_go_on_with_balances_and_sequences_and_old_transactions_do_nothing() {
    let mut old = Chain::new();
    let replayed = old.tx(1, 2, vec![pay(2, 40)]);
    let first = old.tx(1, 1, vec![pay(2, 300)]);
    until_checkpoint(&mut old, vec![first]);
    let of_now = old.tx(1, 2, vec![pay(2, 40)]);
    let mut new = old.went_on(successor(vec![old.id]));
    assert_ne!(new.id, old.id);
    assert_eq!(new.account(1), old.account(1));
    assert_eq!(new.balance(2), START + 300);
    new.assert_conserved();
    assert_eq!(
        refusals(&new, replayed),
        ["tx/expired"],
        "its reference is a block of the old chain"
    );
    assert_eq!(refusals(&new, of_now), ["tx/expired"]);
    let mut forged = new.tx(1, 2, vec![pay(2, 40)]);
    forged.signature =
        SignedTransaction::new(&chain::key(1), old.id, forged.body.clone()).signature;
    assert_eq!(refusals(&new, forged), ["tx/bad-signature"], "signed for the old chain");
    let again = new.tx(1, 1, vec![pay(2, 1)]);
    assert_eq!(refusals(&new, again), ["tx/wrong-sequence"]);
    let next = new.tx(1, 2, vec![pay(2, 1)]);
    new.settle(vec![next]);
    assert_eq!(new.balance(2), START + 301);
    new.assert_conserved();
}

#[test]
fn a_pool_pays_vouchers_of_the_old_chain_once_and_is_released_at_its_old_height() {
    let mut old = Chain::new();
    let terms = old.terms(500, 700);
    let pool = terms.id(old.id);
    let open = old.tx(1, 1, vec![Message::CreatePool(terms.clone())]);
    let before = old.voucher(&terms, 2, 1, 120);
    until_checkpoint(&mut old, vec![open]);
    let mut new = old.went_on(successor(vec![old.id]));
    let stranger = ChainId(Hash([9; 32]));
    let of_stranger = Signed::new(&chain::key(1), stranger, before.body);
    let tx = new.tx(2, 1, vec![Message::Settle(Box::new(of_stranger.into()))]);
    assert_eq!(refusals(&new, tx), ["pool/bad-signature"]);
    let tx = new.tx(2, 1, vec![Message::Settle(Box::new(before.clone().into()))]);
    new.settle(vec![tx]);
    assert_eq!(new.balance(2), START + 120 - FEE);
    let tx = new.tx(2, 2, vec![Message::Settle(Box::new(before.clone().into()))]);
    assert_eq!(refusals(&new, tx), ["pool/old-sequence"]);
    // The pool goes on, too: its creator signs in the name of the chain that it sees now.
    let after = Voucher { seq: 2, cum: Amount::from_units(150), ..before.body };
    let after = Signed::new(&chain::key(1), new.id, after);
    assert_ne!(after.body.digest(new.id), after.body.digest(old.id));
    let tx = new.tx(2, 2, vec![Message::Settle(Box::new(after.into()))]);
    new.settle(vec![tx]);
    assert_eq!(new.balance(2), START + 150 - 2 * FEE);
    let release = terms.end_height.0 + new.ledger.spec().pool.freeze;
    let early = new.tx(2, 3, vec![Message::Release(pool)]);
    assert_eq!(refusals(&new, early), ["pool/release-too-early"]);
    while new.head.0.0 < release - 1 {
        new.settle(vec![]);
    }
    let tx = new.tx(2, 3, vec![Message::Release(pool)]);
    new.settle(vec![tx]);
    assert_eq!(new.balance(1), START - 150 - FEE);
    new.assert_conserved();
}

#[test]
fn vouchers_of_every_chain_of_the_lineage_are_paid_and_keys_name_the_first() {
    let mut old = Chain::new();
    let terms = old.terms(500, 700);
    let open = old.tx(1, 1, vec![Message::CreatePool(terms.clone())]);
    let of_first = old.voucher(&terms, 2, 1, 120);
    until_checkpoint(&mut old, vec![open]);
    let between = ChainId(Hash([7; 32]));
    let mut new = old.went_on(successor(vec![old.id, between]));
    let of_between = Voucher { seq: 2, cum: Amount::from_units(130), ..of_first.body };
    let of_between = Signed::new(&chain::key(1), between, of_between);
    let tx = new.tx(
        2,
        1,
        vec![
            Message::Settle(Box::new(of_first.into())),
            Message::Settle(Box::new(of_between.into())),
        ],
    );
    new.settle(vec![tx]);
    assert_eq!(new.balance(2), START + 130 - FEE);
    assert_eq!(new.ledger.state_chain(), old.id);
    new.assert_conserved();
}

#[test]
fn a_delayed_transfer_comes_due_at_the_height_that_was_promised() {
    let mut old = Chain::new();
    let due = Height(HEIGHT.0 + 4);
    let delay = Delay {
        token: antiphon_core::chain::spec::Token::Operational,
        to: address(2),
        amount: Amount::from_units(250),
        blocks: due.0 - 1,
        guard: None,
    };
    let tx = old.tx(1, 1, vec![Message::Delay(delay)]);
    let id = tx.body.delay_id(old.id, 0);
    until_checkpoint(&mut old, vec![tx]);
    let mut new = old.went_on(successor(vec![old.id]));
    let row = StateKey::delayed(old.id, &id);
    assert!(new.row::<Delayed>(&row).is_some());
    while new.head.0.0 < due.0 - 1 {
        new.settle(vec![]);
    }
    assert_eq!(new.balance(2), START);
    new.settle(vec![]);
    assert_eq!(new.balance(2), START + 250);
}

#[test]
fn a_spec_that_takes_a_state_over_has_none_of_its_own() {
    let spec = successor(vec![chain_id()]);
    assert_eq!(genesis(&spec).err(), Some(GenesisError::NeedsSnapshot));
}
