#![allow(clippy::arithmetic_side_effects, reason = "a test that overflows fails")]

use super::*;
use crate::storage::Write;
use antiphon_core::{
    amount::Amount,
    chain::{
        set::{Guardian, GuardianSet, Validator, ValidatorSet},
        spec::{GenesisAccount, Token},
        state::Supply,
        transaction::{Message, Transaction},
    },
    codec::Text,
    crypto::{
        SecretKey, Signature, Signed,
        bls::{BlsPublicKey, BlsSecretKey},
    },
    id::{Epoch, StreamId},
    payment::{
        reservation::{PoolRules, PoolTerms, pool_id},
        voucher::Voucher,
    },
    time::UnixMillis,
};
use jmt::storage::{Node, NodeKey};
use std::{cell::RefCell, rc::Rc};

const START: u128 = 1_000_000;
const FEE: u128 = 10;

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
    let settle = Message::Settle(chain.voucher(&terms, 2, 1, 120));
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
    use super::{apply::Row, conserve::holds};
    let row = |units| {
        let balances = [Amount::ZERO, Amount::from_units(units)];
        Row::Account(Account { sequence: 0, balances })
    };
    assert!(holds([(Some(row(5)), row(2)), (None, row(3))].iter()));
    assert!(!holds([(Some(row(5)), row(2)), (None, row(4))].iter()));
    assert!(!holds([(Some(row(5)), row(4))].iter()));
    assert!(!holds([(Some(row(1)), row(u128::MAX)), (None, row(2))].iter()));
}

/// A ledger over memory, with a chain that grows block by block.
struct Chain {
    id: ChainId,
    ledger: Ledger<Memory>,
    memory: Memory,
    head: (Height, BlockId),
}

#[derive(Clone, Debug, Default)]
struct Memory(Rc<RefCell<Tables>>);

#[derive(Debug, Default)]
struct Tables {
    nodes: BTreeMap<NodeKey, Node>,
    values: BTreeMap<(StateKey, u64), Vec<u8>>,
    blocks: BTreeMap<Height, SettledBlock>,
}

impl Memory {
    fn write(&self, part: &Write) {
        let Write::Settle(settlement) = part else { return };
        let mut tables = self.0.borrow_mut();
        let batch = &settlement.batch.node_batch;
        tables.nodes.extend(batch.nodes().iter().map(|(k, n)| (k.clone(), n.clone())));
        for ((version, key), value) in batch.values() {
            let key = StateKey(Hash(key.0));
            tables.values.insert((key, *version), value.clone().unwrap());
        }
        let settled = settlement.settled.clone();
        tables.blocks.insert(settled.block.height(), settled);
    }
}

impl Storage for Memory {
    fn node(&self, key: &NodeKey) -> Result<Option<Node>, StorageError> {
        Ok(self.0.borrow().nodes.get(key).cloned())
    }

    fn value(&self, version: u64, key: &StateKey) -> Result<Option<Vec<u8>>, StorageError> {
        let tables = self.0.borrow();
        let newest = tables.values.range((*key, 0)..=(*key, version)).next_back();
        Ok(newest.map(|(_, value)| value.clone()))
    }

    fn settled(&self, height: Height) -> Result<Option<SettledBlock>, StorageError> {
        Ok(self.0.borrow().blocks.get(&height).cloned())
    }

    fn height_of(&self, _: &BlockId) -> Result<Option<Height>, StorageError> {
        Ok(None)
    }

    fn transaction(&self, _: &TxId) -> Result<Option<Height>, StorageError> {
        Ok(None)
    }
}

impl Chain {
    fn new() -> Self {
        let spec = spec();
        let memory = Memory::default();
        let (header, settlement) = genesis(&spec).unwrap();
        let settled = settlement.settled.clone();
        memory.write(&Write::Settle(Box::new(settlement)));
        let id = spec.chain_id();
        let ledger = Ledger::open(spec, memory.clone(), &settled).unwrap();
        Self { id, ledger, memory, head: (Height(0), header.id()) }
    }

    fn built(&self, txs: Vec<SignedTransaction>) -> Body {
        self.ledger.build(&self.head.1, self.head.0.plus(1), 0, txs).unwrap()
    }

    fn block(&self, txs: Vec<SignedTransaction>, state_root: Hash) -> Block {
        let (genesis, _) = genesis(self.ledger.spec()).unwrap();
        let body: Vec<TxBytes> =
            txs.iter().map(|tx| TxBytes::try_from(tx.to_bytes()).unwrap()).collect();
        let header = Header {
            height: self.head.0.plus(1),
            parent: self.head.1,
            epoch: Epoch(self.head.0.0 + 1),
            tx_root: crate::bft::message::tx_root(&body),
            state_root,
            ..genesis
        };
        let signature = Signature([0; 64]);
        let signed = antiphon_core::chain::header::SignedHeader { header, signature };
        Block { signed, body: Bounded::try_from(body).unwrap() }
    }

    /// Executes a block on the head and makes it the head.
    fn include(&mut self, txs: Vec<SignedTransaction>) -> Block {
        let body = self.built(txs.clone());
        assert_eq!(body.refused, []);
        let block = self.block(txs, body.state_root);
        self.ledger.execute(block.id(), &block).unwrap();
        self.head = (block.height(), block.id());
        block
    }

    fn store(&mut self, block: &Block) {
        let id = block.id();
        let certificate = Certificate::genesis();
        let settlement = self.ledger.settlement(id, block.clone(), certificate).unwrap();
        self.memory.write(&Write::Settle(Box::new(settlement)));
        self.ledger.stored(&id);
    }

    fn settle(&mut self, txs: Vec<SignedTransaction>) {
        let block = self.include(txs);
        self.store(&block);
    }

    fn account(&self, n: u8) -> Account {
        self.ledger.account(&self.head.1, &address(n)).unwrap()
    }

    fn balance(&self, n: u8) -> u128 {
        self.account(n).balances[Token::Operational.index()].units()
    }

    fn tx(&self, n: u8, sequence: u64, messages: Vec<Message>) -> SignedTransaction {
        self.changed(n, messages, |tx| tx.sequence = sequence)
    }

    fn changed(
        &self,
        n: u8,
        messages: Vec<Message>,
        change: impl FnOnce(&mut Transaction),
    ) -> SignedTransaction {
        let mut body = Transaction {
            sender: key(n).public(),
            sequence: 1,
            reference_height: self.head.0,
            reference_block: self.head.1,
            scope: Text::try_from("").unwrap(),
            max_fee: Amount::from_units(FEE),
            messages: Bounded::try_from(messages).unwrap(),
        };
        change(&mut body);
        Signed::new(&key(n), self.id, body)
    }

    fn terms(&self, deposit: u128, collateral: u128) -> PoolTerms {
        PoolTerms {
            creator: key(1).public(),
            nonce: 4,
            resource: StreamId(Hash([5; 32])),
            deposit: Amount::from_units(deposit),
            collateral: Amount::from_units(collateral),
            end_height: self.head.0.plus(1 + self.ledger.spec().pool.min_duration),
        }
    }

    fn voucher(&self, terms: &PoolTerms, target: u8, seq: u64, cum: u128) -> Signed<Voucher> {
        let body = Voucher {
            pool: terms.id(self.id),
            resource: terms.resource,
            target: address(target),
            seq,
            cum: Amount::from_units(cum),
        };
        Signed::new(&key(1), self.id, body)
    }

    /// A10.1 over the whole state, read from the store row by row.
    fn assert_conserved(&self) {
        let tables = self.memory.0.borrow();
        let mut newest: BTreeMap<StateKey, &Vec<u8>> = BTreeMap::new();
        for ((key, _), value) in &tables.values {
            newest.insert(*key, value);
        }
        let mut total = 0;
        for (key, value) in newest {
            let is_account = (0..=3).any(|n| StateKey::account(self.id, &address(n)) == key);
            let is_pool = StateKey::pool(self.id, &pool_id(self.id, &address(1), 4)) == key;
            if is_account {
                let account: Account = codec::decode(value, 4096).unwrap();
                total += account.balances[Token::Operational.index()].units();
            } else if is_pool {
                let pool: antiphon_core::payment::reservation::PoolState =
                    codec::decode(value, 4096).unwrap();
                total += pool.held().units();
            } else if key == StateKey::supply(self.id) {
                let supply: Supply = codec::decode(value, 4096).unwrap();
                assert_eq!(supply, Supply::default());
            }
        }
        assert_eq!(total, 2 * START, "as at genesis");
    }
}

fn key(n: u8) -> SecretKey {
    SecretKey::from_bytes(&[n.wrapping_add(100); 32])
}

fn address(n: u8) -> Address {
    Address::of(&key(n).public())
}

fn chain_id() -> ChainId {
    spec().chain_id()
}

fn pay(to: u8, units: u128) -> Message {
    Message::Transfer {
        token: Token::Operational,
        to: address(to),
        amount: Amount::from_units(units),
    }
}

fn spec() -> ChainSpec {
    let guardian = BlsSecretKey::from_seed(&[1; 32]).unwrap().public();
    let endowed = |n| GenesisAccount {
        address: address(n),
        balances: [Amount::ZERO, Amount::from_units(START)],
    };
    let validator = Validator { key: key(0).public(), weight: 1 };
    let rules = PoolRules::for_chain(1, 10);
    ChainSpec {
        name: Text::try_from("test").unwrap(),
        genesis_time: UnixMillis(1),
        block_ms: 1000,
        checkpoint_interval: 10,
        drift: 10_000,
        trusting_period: 1_000_000,
        fee: Amount::from_units(FEE),
        pool: rules,
        validators: ValidatorSet { members: Bounded::try_from(vec![validator]).unwrap() },
        guardians: GuardianSet {
            members: Bounded::try_from(vec![Guardian { key: guardian, weight: 1 }]).unwrap(),
            aggregate: BlsPublicKey::aggregate([&guardian]).unwrap(),
        },
        accounts: Bounded::try_from(vec![endowed(1), endowed(2)]).unwrap(),
    }
}
