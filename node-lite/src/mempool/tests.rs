use super::*;
use antiphon_core::{
    chain::{
        spec::Token,
        transaction::{Message, Transaction},
    },
    codec::{Bounded, Text},
    crypto::{Hash, SecretKey, Signer as _},
    id::{BlockId, PoolId},
};

const CHAIN: ChainId = ChainId(Hash([7; 32]));

#[test]
fn a_senders_transactions_come_out_in_order() {
    let mut pool = Mempool::default();
    for sequence in [3, 1, 2] {
        pool.admit(tx(1, sequence, |_| {}), &now(0)).unwrap();
    }
    let sequences: Vec<u64> = pool.candidates(&Spent::new()).map(|tx| tx.body.sequence).collect();
    assert_eq!(sequences, [1, 2, 3]);
    assert_eq!(pool.last_sequence(&address(1)), Some(3));
}

#[test]
fn what_blocks_below_have_spent_is_no_candidate_and_delays_nobody() {
    let mut pool = Mempool::default();
    for (n, sequence) in [(1, 1), (1, 2), (2, 1), (1, 3)] {
        pool.admit(tx(n, sequence, |_| {}), &now(0)).unwrap();
    }
    let spent = Spent::from([(address(1), 2), (address(9), 7)]);
    let left: Vec<_> =
        pool.candidates(&spent).map(|tx| (tx.body.sender, tx.body.sequence)).collect();
    assert_eq!(left, [(key(2).account_key(), 1), (key(1).account_key(), 3)]);
    assert_eq!(pool.len(), 4, "a branch may be left, and then they are wanted again");
}

#[test]
fn what_could_never_be_in_a_block_is_refused_by_name() {
    let mut forged = tx(1, 1, |_| {});
    forged.signature = tx(1, 1, |tx| tx.reference_height = Height(9)).signature;
    let wrong = [
        ("tx/empty", tx(1, 1, |tx| tx.messages = Bounded::new())),
        ("tx/fee-too-low", tx(1, 1, |tx| tx.max_fee = Amount::from_units(4))),
        ("tx/wrong-sequence", tx(1, 0, |_| {})),
        ("tx/wrong-sequence", tx(1, 65, |_| {})),
        ("tx/bad-signature", forged),
    ];
    for (code, tx) in wrong {
        let mut pool = Mempool::default();
        assert_eq!(pool.admit(tx, &now(0)).map_err(|error| error.code()), Err(code));
        assert!(pool.is_empty());
    }
    let late = Now { height: Height(75), ..now(0) };
    let expired = Mempool::default().admit(tx(1, 1, |_| {}), &late);
    assert_eq!(expired.map_err(|error| error.code()), Err("tx/expired"));
    let last = Now { height: Height(74), ..now(0) };
    assert!(Mempool::default().admit(tx(1, 1, |_| {}), &last).is_ok());
}

#[test]
fn a_sequence_waits_once() {
    let mut pool = Mempool::default();
    pool.admit(tx(1, 1, |_| {}), &now(0)).unwrap();
    let again = pool.admit(tx(1, 1, |_| {}), &now(0));
    assert_eq!(again, Err(AdmitError::Known));
    let other = pool.admit(tx(1, 1, |tx| tx.max_fee = Amount::from_units(99)), &now(0));
    assert_eq!(other, Err(AdmitError::Known), "the first one is not replaced");
}

#[test]
fn what_a_proposer_could_not_include_goes_and_what_came_too_early_stays() {
    let mut pool = Mempool::default();
    let admit =
        |pool: &mut Mempool, n, sequence| pool.admit(tx(n, sequence, |_| {}), &now(0)).unwrap();
    let poor = admit(&mut pool, 1, 1);
    let early = admit(&mut pool, 2, 2);
    let amount = Amount::ZERO;
    pool.refuse(&early, &TxError::WrongSequence { expected: 1, found: 2 });
    pool.refuse(&poor, &TxError::TooPoor { balance: amount, needed: amount });
    assert!(pool.has(&early) && !pool.has(&poor));
    assert_eq!(pool.len(), 1);
    assert_eq!(pool.bytes(), tx(2, 2, |_| {}).to_bytes().len());
    assert_eq!(pool.last_sequence(&address(1)), None);
}

#[test]
fn one_sender_cannot_take_all_the_room() {
    let mut pool = Mempool::default();
    for sequence in 1..=MAX_OF_SENDER as u64 {
        pool.admit(tx(1, sequence, |_| {}), &now(0)).unwrap();
    }
    // The account has moved on, but those that wait have not been cleared yet.
    let next = tx(1, MAX_OF_SENDER as u64 + 1, |_| {});
    assert_eq!(pool.admit(next, &now(1)), Err(AdmitError::Full));
    assert!(pool.admit(tx(2, 1, |_| {}), &now(0)).is_ok());
}

#[test]
fn spent_and_expired_transactions_are_forgotten() {
    let mut pool = Mempool::default();
    let spent = pool.admit(tx(1, 1, |_| {}), &now(0)).unwrap();
    let next = pool.admit(tx(1, 2, |_| {}), &now(0)).unwrap();
    pool.settle(Height(20), [(address(1), 1)]);
    assert_eq!((pool.has(&spent), pool.has(&next)), (false, true));
    pool.settle(Height(73), []);
    assert!(pool.has(&next), "block 74 may still hold it");
    pool.settle(Height(74), []);
    assert!(pool.is_empty() && !pool.has(&next));
    assert_eq!((pool.bytes(), pool.last_sequence(&address(1))), (0, None));
}

#[test]
fn a_reference_far_above_the_chain_does_not_wait_for_ever() {
    let mut pool = Mempool::default();
    let at = |height| tx(1, 1, |tx| tx.reference_height = Height(height));
    let refused = pool.admit(at(11 + 64), &now(0));
    assert_eq!(refused.map_err(|error| error.code()), Err("tx/expired"));
    assert!(pool.admit(at(11 + 63), &now(0)).is_ok());
}

/// A1.24.
#[test]
fn what_has_a_deadline_comes_before_every_transfer_and_after_what_its_sender_sent_before() {
    let mut pool = Mempool::default();
    for (n, sequence) in [(1, 1), (1, 2), (2, 1), (3, 1), (3, 2), (3, 3)] {
        let release = n == 3 && sequence == 2 || n == 2;
        let change = |tx: &mut Transaction| {
            if release {
                tx.messages = urgent()
            }
        };
        pool.admit(tx(n, sequence, change), &now(0)).unwrap();
    }
    let order: Vec<_> =
        pool.candidates(&Spent::new()).map(|tx| (tx.body.sender, tx.body.sequence)).collect();
    let expected = [(2, 1), (3, 1), (3, 2), (1, 1), (1, 2), (3, 3)];
    assert_eq!(order, expected.map(|(n, sequence)| (key(n).account_key(), sequence)));
}

/// A1.24: transfers fill three quarters of the room, in number and in bytes, and shut nothing out that has a deadline.
#[test]
fn a_pool_full_of_transfers_takes_in_a_release_and_gives_it_out_first() {
    let mut pool = Mempool::default();
    let mut refused = 0;
    for n in 0..=48 {
        for sequence in 1..=MAX_OF_SENDER as u64 {
            let admitted = pool.admit(tx(n, sequence, |_| {}), &now(0));
            refused += usize::from(admitted == Err(AdmitError::Full));
        }
    }
    assert_eq!((pool.len(), refused), (MAX_WAITING / 4 * 3, 64));
    let release = |n| tx(n, 1, |tx| tx.messages = urgent());
    let id = pool.admit(release(99), &now(0)).unwrap();
    assert_eq!(pool.candidates(&Spent::new()).next().map(|tx| tx.body.id(CHAIN)), Some(id));
}

/// A1.24, A6.11: what disputes or closes a field has a deadline, what opens or asks has none.
#[test]
fn a_post_comes_before_every_transfer_and_an_opening_does_not() {
    use antiphon_core::{
        id::FieldId,
        payment::field::{FieldAct, RoundState, SealedState},
    };
    let field = FieldId(Hash([1; 32]));
    let state = RoundState {
        field,
        version: 0,
        round: 1,
        balances: Bounded::new(),
        tx_root: Hash::default(),
        payments: 0,
        prev: Hash::default(),
        is_final: false,
    };
    let post = FieldAct::Post(Box::new(SealedState { state, signatures: Bounded::new() }));
    let first = |act: FieldAct| {
        let mut pool = Mempool::default();
        pool.admit(tx(1, 1, |_| {}), &now(0)).unwrap();
        let message = Message::Field(Box::new(act));
        let change = |tx: &mut Transaction| {
            tx.messages = Bounded::try_from(vec![message]).unwrap();
        };
        pool.admit(tx(2, 1, change), &now(0)).unwrap();
        pool.candidates(&BTreeMap::new()).next().map(|tx| tx.body.sender)
            == Some(key(2).account_key())
    };
    assert!(first(post));
    assert!(first(FieldAct::Enforce(field)));
    assert!(first(FieldAct::SoloClose { field, state: None }));
    assert!(!first(FieldAct::Challenge { field, round: 1 }));
}

#[test]
fn the_bytes_that_wait_are_bounded() {
    let mut pool = Mempool::default();
    let one = tx(1, 1, |_| {}).to_bytes().len();
    pool.bytes = MAX_WAITING_BYTES / 4 * 3 - one;
    assert!(pool.admit(tx(1, 1, |_| {}), &now(0)).is_ok());
    assert_eq!(pool.admit(tx(1, 2, |_| {}), &now(0)), Err(AdmitError::Full));
    assert!(pool.admit(tx(1, 2, |tx| tx.messages = urgent()), &now(0)).is_ok());
    pool.bytes = MAX_WAITING_BYTES;
    let last = pool.admit(tx(1, 3, |tx| tx.messages = urgent()), &now(0));
    assert_eq!(last, Err(AdmitError::Full));
}

fn urgent() -> Bounded<Message, { antiphon_core::chain::transaction::MAX_MESSAGES }> {
    Bounded::try_from(vec![Message::Release(PoolId(Hash([1; 32])))]).unwrap()
}

fn now(sequence: u64) -> Now {
    Now { chain: CHAIN, height: Height(11), fee: Amount::from_units(5), sequence }
}

fn key(n: u8) -> SecretKey {
    SecretKey::from_bytes(&[n; 32])
}

fn address(n: u8) -> Address {
    Address::of(&key(n).public())
}

fn tx(n: u8, sequence: u64, change: impl FnOnce(&mut Transaction)) -> SignedTransaction {
    let amount = Amount::from_units(1);
    let pay = Message::Transfer { token: Token::Operational, to: address(9), amount };
    let mut body = Transaction {
        sender: key(n).public().into(),
        sequence,
        reference_height: Height(10),
        reference_block: BlockId::default(),
        scope: Text::try_from("").unwrap(),
        max_fee: Amount::from_units(5),
        cosigners: Bounded::new(),
        messages: Bounded::try_from(vec![pay]).unwrap(),
    };
    change(&mut body);
    SignedTransaction::new(&key(n), CHAIN, body)
}
