//! A book against a node that is a real state tree, honest or not.

mod batches;
mod sent;
mod turns;

use super::{
    flight::{TRANSACTION_REFUSED, UNAVAILABLE},
    *,
};
use crate::{
    chain::{
        header::Header,
        light::tests::{spec, test_keys},
        proof::{MAX_KEYS, MAX_PROOFS, Path, StateProof, StateProofs},
        spec::Token,
        state::StateKey,
        transaction::decode_transaction,
    },
    codec::{self, Bounded, encode},
    crypto::{SecretKey, Signed},
    id::StreamId,
    payment::{reservation::PoolTerms, voucher::Voucher},
};
use alloc::collections::BTreeMap;
use alloc::vec;
use jmt::{KeyHash, Sha256Jmt, mock::MockTreeStore};

struct Node {
    spec: ChainSpec,
    entries: BTreeMap<StateKey, Vec<u8>>,
}

impl Node {
    fn new() -> Self {
        let (validators, guardians) = test_keys();
        Self { spec: spec(&validators, &guardians), entries: BTreeMap::new() }
    }

    fn chain(&self) -> ChainId {
        self.spec.chain_id()
    }

    fn set_account(&mut self, sequence: u64, balance: u128) {
        self.set_balances(&owner(), sequence, [0, balance]);
    }

    /// Of both tokens, the staking token first.
    fn set_balances(&mut self, owner: &Address, sequence: u64, balances: [u128; 2]) {
        let balances = balances.map(Amount::from_units);
        let key = StateKey::account(self.chain(), owner);
        self.entries.insert(key, encode(&Account { sequence, balances }));
    }

    fn with_tree<T>(&self, act: impl FnOnce(Hash, &Sha256Jmt<'_, MockTreeStore>) -> T) -> T {
        let store = MockTreeStore::default();
        let tree = Sha256Jmt::new(&store);
        let filler = (KeyHash([7; 32]), Some(vec![1]));
        let entries = self.entries.iter().map(|(k, v)| (KeyHash(k.0.0), Some(v.clone())));
        let (root, batch) = tree.put_value_set(entries.chain([filler]), 0).unwrap();
        store.write_tree_update_batch(batch).unwrap();
        act(Hash(root.0), &tree)
    }

    fn head(&self, height: u64, level: Level) -> Head {
        let mut header = Header::genesis(&self.spec, self.with_tree(|root, _| root));
        header.height = Height(height);
        Head { block: header.id(), header, level }
    }

    fn prove(&self, keys: &[u8]) -> Vec<u8> {
        let keys: Bounded<StateKey, MAX_KEYS> = codec::decode(keys, MAX_PROOFS).unwrap();
        self.with_tree(|_, tree| {
            let prove = |key: &StateKey| {
                let (value, proof) = tree.get_with_proof(KeyHash(key.0.0), 0).unwrap();
                let path = Path::from_jmt(&borsh::to_vec(&proof).unwrap()).unwrap();
                StateProof { value: value.map(|v| Bounded::try_from(v).unwrap()), path }
            };
            let proofs: Vec<_> = keys.iter().map(prove).collect();
            encode(&StateProofs::try_from(proofs).unwrap())
        })
    }
}

fn key() -> SecretKey {
    SecretKey::from_bytes(&[42; 32])
}

fn owner() -> Address {
    Address::of(&key().public())
}

fn at(ms: u64) -> Moment {
    Moment::from_millis(ms)
}

fn feed(book: &mut Book, ms: u64, input: Input) -> Vec<Output> {
    let mut out = Vec::new();
    book.handle(at(ms), input, &mut out);
    out
}

/// Answers every proof asked for in `out` honestly; returns everything else.
fn answer(book: &mut Book, node: &Node, mut out: Vec<Output>) -> Vec<Output> {
    let mut rest = Vec::new();
    while let Some(output) = (!out.is_empty()).then(|| out.remove(0)) {
        match output {
            Output::Ask(id, Query::Prove { keys, .. }) => {
                out.extend(feed(book, 0, Input::Answered(id, node.prove(&keys))));
            }
            other @ (Output::Ask(..)
            | Output::Pool(_)
            | Output::Field(_)
            | Output::Trouble(_)
            | Output::PoolRefused(..)
            | Output::Changed) => rest.push(other),
        }
    }
    rest
}

fn show(book: &mut Book, node: &Node, height: u64, level: Level) -> Vec<Output> {
    let out = feed(book, 0, Input::Head(Box::new(node.head(height, level))));
    answer(book, node, out)
}

fn submitted(out: &[Output]) -> Option<(AskId, SignedTx)> {
    out.iter().find_map(|output| match output {
        Output::Ask(id, Query::Submit(bytes)) => Some((*id, decode_transaction(bytes).unwrap())),
        Output::Ask(..)
        | Output::Pool(_)
        | Output::Field(_)
        | Output::Trouble(_)
        | Output::PoolRefused(..)
        | Output::Changed => None,
    })
}

/// A book that knows of 100 tokens, and its node.
fn funded() -> (Node, Book) {
    let mut node = Node::new();
    node.set_account(0, 100);
    let mut book = Book::new(key(), &node.spec);
    show(&mut book, &node, 10, Level::Settled);
    (node, book)
}

/// A book that sends one of its tokens, and its node.
fn sending() -> (Node, Book, AskId, SignedTx) {
    let (node, mut book) = funded();
    let mut out = Vec::new();
    let (to, amount) = (Address([1; 20]), Amount::from_units(1));
    book.transfer(at(0), Token::Operational, to, amount, &mut out).unwrap();
    let (id, tx) = submitted(&out).unwrap();
    (node, book, id, tx)
}

type SignedTx = crate::chain::transaction::SignedTransaction;

#[test]
fn a_balance_is_known_level_by_level() {
    let mut node = Node::new();
    let mut book = Book::new(key(), &node.spec);
    show(&mut book, &node, 10, Level::Final);
    let empty = book.account(Level::Final).unwrap();
    assert_eq!((empty.value.clone(), empty.height), (Account::default(), Height(10)));
    node.set_account(0, 500);
    show(&mut book, &node, 12, Level::Settled);
    assert_eq!(book.account(Level::Final).unwrap().value, Account::default());
    let settled = book.account(Level::Included).unwrap();
    assert_eq!((settled.value.balances[1].units(), settled.level), (500, Level::Settled));
}

#[test]
fn a_forged_balance_is_refused_by_code_and_changes_nothing() {
    let mut node = Node::new();
    node.set_account(0, 5);
    let mut book = Book::new(key(), &node.spec);
    let mut liar = Node::new();
    liar.set_account(0, 5_000_000);
    let out = feed(&mut book, 0, Input::Head(Box::new(node.head(10, Level::Final))));
    let refused = answer(&mut book, &liar, out);
    assert_eq!(refused, [Output::Trouble("state-proof/wrong-root")]);
    assert_eq!(book.account(Level::Included), None);
    let out = feed(&mut book, 0, Input::Head(Box::new(node.head(11, Level::Final))));
    let Output::Ask(id, _) = &out[0] else { panic!("{out:?}") };
    let short = encode(&StateProofs::new());
    assert_eq!(
        feed(&mut book, 0, Input::Answered(*id, short)),
        [Output::Trouble("state-proof/wrong-count")]
    );
}

#[test]
fn an_included_block_whose_branch_is_gone_is_no_lie() {
    let mut node = Node::new();
    node.set_account(0, 5);
    let mut book = Book::new(key(), &node.spec);
    let mut other_branch = Node::new();
    other_branch.set_account(0, 6);
    let out = feed(&mut book, 0, Input::Head(Box::new(node.head(10, Level::Included))));
    assert_eq!(answer(&mut book, &other_branch, out), []);
    assert_eq!(book.account(Level::Included), None, "nothing is entered either");
}

#[test]
fn a_transfer_waits_for_proof_is_sent_once_and_lands_with_its_sequence() {
    let mut node = Node::new();
    node.set_account(4, 100);
    let mut book = Book::new(key(), &node.spec);
    let send = |book: &mut Book, amount| {
        let mut out = Vec::new();
        let amount = Amount::from_units(amount);
        let to = Address([1; 20]);
        book.transfer(at(0), Token::Operational, to, amount, &mut out).map(|()| out)
    };
    assert_eq!(send(&mut book, 5), Err(BookError::NotReady));
    show(&mut book, &node, 10, Level::Settled);
    let (needed, balance) = (Amount::from_units(101), Amount::from_units(100));
    assert_eq!(send(&mut book, 100), Err(BookError::Insufficient { needed, balance }));
    let (id, tx) = submitted(&send(&mut book, 99).unwrap()).unwrap();
    assert_eq!((tx.body.sequence, tx.body.reference_height), (5, Height(10)));
    assert_eq!(tx.verify(node.chain()), Ok(()));
    assert_eq!(submitted(&send(&mut book, 1).unwrap()), None, "one at a time");
    feed(&mut book, 0, Input::Answered(id, Vec::new()));
    node.set_account(5, 0);
    let out = show(&mut book, &node, 11, Level::Included);
    assert_eq!(submitted(&out).unwrap().1.body.sequence, 6, "the next one follows");
}

#[test]
fn a_submission_without_answer_is_the_same_bytes_again_after_patience() {
    let (_, mut book, id, first) = sending();
    feed(&mut book, 100, Input::Unreachable(id));
    assert_eq!(book.deadline(), Some(at(3100)));
    assert_eq!(submitted(&feed(&mut book, 3099, Input::Tick)), None);
    let (_, again) = submitted(&feed(&mut book, 3100, Input::Tick)).unwrap();
    assert_eq!((again, book.deadline()), (first, None));
}

#[test]
fn a_faucet_that_did_not_answer_is_asked_again_at_the_next_head_unless_it_gave() {
    let asked = |out: &[Output]| match out {
        [Output::Ask(id, Query::Faucet(to)), ..] if *to == owner() => Some(*id),
        _ => None,
    };
    let (mut node, mut book) = funded();
    let mut out = Vec::new();
    book.ask_faucet(&mut out);
    for (height, silence) in
        [(11, Input::Unreachable as fn(_) -> _), (12, |id| Input::Refused(id, UNAVAILABLE))]
    {
        feed(&mut book, 0, silence(asked(&out).unwrap()));
        out = show(&mut book, &node, height, Level::Settled);
    }
    let lost = asked(&out).unwrap();
    node.set_account(0, 1100);
    show(&mut book, &node, 13, Level::Settled);
    feed(&mut book, 0, Input::Unreachable(lost));
    assert_eq!(asked(&show(&mut book, &node, 14, Level::Settled)), None, "the money came");
}

#[test]
fn a_node_that_stays_away_is_asked_ever_less_often() {
    let (_, mut book, mut id, first) = sending();
    let mut now = 0;
    for wait in [3000, 6000, 12_000, 24_000, 48_000, 48_000] {
        // An overwhelmed node and one out of reach are the same.
        let silence = [Input::Unreachable(id), Input::Refused(id, UNAVAILABLE)];
        assert_eq!(feed(&mut book, now, silence[usize::from(wait == 6000)].clone()), []);
        assert_eq!(book.deadline(), Some(at(now + wait)));
        now += wait;
        let (next, again) = submitted(&feed(&mut book, now, Input::Tick)).unwrap();
        assert_eq!(again, first);
        id = next;
    }
}

#[test]
fn a_pool_that_the_node_refuses_is_named_once_and_not_sent_again() {
    let (node, mut book) = funded();
    let terms = PoolTerms {
        creator: key().public(),
        nonce: 0,
        resource: StreamId::default(),
        deposit: Amount::from_units(10),
        collateral: Amount::from_units(20),
        end_height: Height(100),
        only: None,
    };
    let pool = terms.id(node.chain());
    let mut out = Vec::new();
    book.create_pool(at(0), terms, &mut out).unwrap();
    let (id, _) = submitted(&answer(&mut book, &node, out)).unwrap();
    let out = feed(&mut book, 0, Input::Refused(id, -32002));
    assert_eq!(out[..2], [Output::PoolRefused(pool, TRANSACTION_REFUSED), Output::Changed]);
    assert!(!book.is_busy());
    assert_eq!(submitted(&show(&mut book, &node, 11, Level::Settled)), None);
}

/// A proof under an older head comes after the one that showed the transaction done: it must not order it again.
#[test]
fn what_is_absent_below_the_head_that_showed_a_flight_landed_is_undecided() {
    let (mut node, mut book, id, _) = sending();
    assert!(book.is_undecided(Height(99)), "on its way");
    feed(&mut book, 0, Input::Answered(id, Vec::new()));
    node.set_account(1, 99);
    show(&mut book, &node, 13, Level::Included);
    assert!(!book.is_busy());
    assert!(book.is_undecided(Height(12)) && !book.is_undecided(Height(13)));
}

#[test]
fn a_transaction_that_outlived_its_reference_is_made_anew() {
    let (node, mut book, id, _) = sending();
    feed(&mut book, 0, Input::Answered(id, Vec::new()));
    assert_eq!(submitted(&show(&mut book, &node, 74, Level::Settled)), None);
    let out = show(&mut book, &node, 75, Level::Settled);
    assert!(out.contains(&Output::Trouble("wallet/transaction-expired")));
    let (_, anew) = submitted(&out).unwrap();
    assert_eq!((anew.body.reference_height, anew.body.sequence), (Height(75), 1));
}

#[test]
fn a_settlement_rises_from_sent_to_final_only_by_proof() {
    let (mut node, mut book) = funded();
    let pool = PoolId(Hash([3; 32]));
    let cum = Amount::from_units(30);
    let resource = StreamId(Hash([4; 32]));
    let voucher = Voucher { pool, resource, target: owner(), seq: 1, cum, ticks: None };
    let payer = SecretKey::from_bytes(&[9; 32]);
    let first = Signed::new(&payer, node.chain(), voucher);
    let mut out = Vec::new();
    book.settle(at(0), first.clone().into(), &mut out).unwrap();
    answer(&mut book, &node, out);
    assert_eq!(
        book.settlements(),
        [Settlement { pool, cum, gain: cum, level: None, height: None, root: None }]
    );
    let mut again = Vec::new();
    book.settle(at(0), first.into(), &mut again).unwrap();
    assert_eq!(again, [], "the same voucher is not sent twice");
    let paid_key = StateKey::paid(node.chain(), &pool, &owner());
    node.entries.insert(paid_key, encode(&PaidState { seq: 1, cum, claim: None }));
    let shown = |book: &Book| book.settlements().first().map(|s| (s.level, s.height)).unwrap();
    for (height, level) in [(11, Level::Included), (11, Level::Settled), (20, Level::Final)] {
        show(&mut book, &node, height, level);
        assert_eq!(shown(&book), (Some(level), Some(Height(height))));
    }
    show(&mut book, &node, 30, Level::Settled);
    assert_eq!(shown(&book), (Some(Level::Final), Some(Height(20))), "never back");
    let more = Voucher { seq: 2, cum: Amount::from_units(50), ..voucher };
    let more = Signed::new(&payer, node.chain(), more);
    book.settle(at(0), more.into(), &mut Vec::new()).unwrap();
    let gains: Vec<u128> = book.settlements().iter().map(|one| one.gain.units()).collect();
    assert_eq!(gains, [30, 20], "a voucher promises all, and brings what is new");
}

/// A phone was put away between the sending and the block.
#[test]
fn what_was_on_its_way_before_a_restart_is_waited_for_and_not_sent_again() {
    let (mut node, mut before, _, sent) = sending();
    let mut after = Book::new(key(), &node.spec);
    after.resume(sent.clone());
    assert_eq!(submitted(&show(&mut after, &node, 11, Level::Settled)), None);
    let to = Address([8; 20]);
    let mut out = Vec::new();
    after.transfer(at(0), Token::Operational, to, Amount::from_units(1), &mut out).unwrap();
    assert_eq!(submitted(&out), None, "one is on its way at a time");
    node.set_account(sent.body.sequence, 90);
    let (_, next) = submitted(&show(&mut after, &node, 12, Level::Included)).unwrap();
    assert_eq!(next.body.sequence, sent.body.sequence + 1);
    before.resume(next);
    assert!(before.is_busy(), "what is its own goes on");
}

#[test]
fn a_transaction_of_somebody_else_is_not_taken_over() {
    let node = Node::new();
    let (_, _, _, sent) = sending();
    let mut book = Book::new(SecretKey::from_bytes(&[1; 32]), &node.spec);
    book.resume(sent);
    assert!(!book.is_busy());
}
