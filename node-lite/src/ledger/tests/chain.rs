//! A ledger over memory, with a chain that grows block by block.

use super::super::{row::Value, *};
use crate::{
    bft::{
        Closing,
        message::{TxBytes, tx_root},
    },
    storage::Write,
};
use antiphon_core::{
    amount::Amount,
    chain::{
        beacon::ProposerOrder,
        carried::Carried,
        header::Header,
        set::{Guardian, GuardianSet, Validator},
        spec::{GenesisAccount, Token},
        state::{Account, Supply},
        transaction::{Message, Transaction},
    },
    codec::{self, Bounded, Text},
    crypto::{
        SecretKey, Signature, Signed,
        bls::{BlsPublicKey, BlsSecretKey},
    },
    id::{Address, Epoch, StreamId},
    payment::{
        field::FieldRules,
        reservation::{PoolRules, PoolTerms, pool_id},
        voucher::Voucher,
    },
    time::UnixMillis,
};
use jmt::storage::{Node, NodeKey};
use std::sync::{Arc, RwLock};

pub(in crate::ledger) const START: u128 = 1_000_000;
pub(in crate::ledger) const FEE: u128 = 10;

/// A ledger over memory, with a chain that grows block by block.
pub(in crate::ledger) struct Chain {
    pub(in crate::ledger) id: ChainId,
    pub(in crate::ledger) ledger: Ledger<Memory>,
    memory: Memory,
    pub(in crate::ledger) head: (Height, BlockId),
}

#[derive(Clone, Debug, Default)]
pub(in crate::ledger) struct Memory(Arc<RwLock<Tables>>);

#[derive(Debug, Default)]
pub(in crate::ledger) struct Tables {
    nodes: BTreeMap<NodeKey, Node>,
    values: BTreeMap<(StateKey, u64), Vec<u8>>,
    blocks: BTreeMap<Height, SettledBlock>,
    validators: BTreeMap<Hash, ValidatorSet>,
    guardians: BTreeMap<Hash, GuardianSet>,
}

impl Memory {
    fn write(&self, part: &Write) {
        let Write::Settle(settlement) = part else { return };
        let mut tables = self.0.write().unwrap();
        let batch = &settlement.batch.node_batch;
        tables.nodes.extend(batch.nodes().iter().map(|(k, n)| (k.clone(), n.clone())));
        for ((version, key), value) in batch.values() {
            let key = StateKey(Hash(key.0));
            tables.values.insert((key, *version), value.clone().unwrap());
        }
        let Elected { validators, guardians } = settlement.elected.clone();
        let chain = settlement.settled.block.signed.header.chain_id;
        tables.validators.extend(validators.map(|set| (set.hash(chain), set)));
        tables.guardians.extend(guardians.map(|set| (set.hash(chain), set)));
        let settled = settlement.settled.clone();
        tables.blocks.insert(settled.block.height(), settled);
    }
}

impl Storage for Memory {
    fn certificate(
        &self,
        _: Height,
    ) -> Result<Option<antiphon_core::chain::certificate::FinalityCertificate>, StorageError> {
        Ok(None)
    }

    fn offences(&self) -> Result<Vec<crate::offence::Seen>, StorageError> {
        Ok(Vec::new())
    }

    fn change_of(&self, _: &Hash) -> Result<Option<Height>, StorageError> {
        Ok(None)
    }

    fn node(&self, key: &NodeKey) -> Result<Option<Node>, StorageError> {
        Ok(self.0.read().unwrap().nodes.get(key).cloned())
    }

    fn value(&self, version: u64, key: &StateKey) -> Result<Option<Vec<u8>>, StorageError> {
        let tables = self.0.read().unwrap();
        let newest = tables.values.range((*key, 0)..=(*key, version)).next_back();
        Ok(newest.map(|(_, value)| value.clone()))
    }

    fn settled(&self, height: Height) -> Result<Option<SettledBlock>, StorageError> {
        Ok(self.0.read().unwrap().blocks.get(&height).cloned())
    }

    fn height_of(&self, id: &BlockId) -> Result<Option<Height>, StorageError> {
        let tables = self.0.read().unwrap();
        Ok(tables.blocks.iter().find(|(_, block)| block.id == *id).map(|(height, _)| *height))
    }

    fn validators(&self, hash: &Hash) -> Result<Option<ValidatorSet>, StorageError> {
        Ok(self.0.read().unwrap().validators.get(hash).cloned())
    }

    fn guardians(&self, hash: &Hash) -> Result<Option<GuardianSet>, StorageError> {
        Ok(self.0.read().unwrap().guardians.get(hash).cloned())
    }

    fn closing(&self, _: Height) -> Result<Option<Closing>, StorageError> {
        Ok(None)
    }

    fn transaction(&self, _: &TxId) -> Result<Option<Height>, StorageError> {
        Ok(None)
    }
}

impl Chain {
    pub(in crate::ledger) fn new() -> Self {
        Self::of(spec())
    }

    pub(in crate::ledger) fn of(spec: ChainSpec) -> Self {
        let memory = Memory::default();
        let (header, settlement) = genesis(&spec).unwrap();
        let settled = settlement.settled.clone();
        memory.write(&Write::Settle(Box::new(settlement)));
        let id = spec.chain_id();
        let ledger = Ledger::open(spec, memory.clone(), &settled).unwrap();
        Self { id, ledger, memory, head: (Height(0), header.id()) }
    }

    /// A chain of this spec over the state that this one has settled, as a store begins with a snapshot.
    pub(in crate::ledger) fn went_on(&self, spec: ChainSpec) -> Self {
        let memory = Memory::default();
        {
            let (from, mut to) = (self.memory.0.read().unwrap(), memory.0.write().unwrap());
            (to.nodes, to.values) = (from.nodes.clone(), from.values.clone());
        }
        let root = self.ledger.view(&self.head.1).unwrap().root().unwrap();
        let (id, header) = (spec.chain_id(), Header::genesis(&spec, root));
        let (height, block) = (header.height, header.id());
        let signed =
            antiphon_core::chain::header::SignedHeader { header, signature: Signature([0; 64]) };
        let settled = SettledBlock {
            id: block,
            version: self.ledger.head_version,
            block: Block { signed, carried: Carried::default(), body: Bounded::new() },
            certificate: Certificate::genesis(),
        };
        let (validators, guardians) = (spec.validators.clone(), spec.guardians.clone());
        let elected = Elected { validators: Some(validators), guardians: Some(guardians) };
        let (batch, transactions) = (Arc::default(), Vec::new());
        let settlement = Settlement { settled: settled.clone(), batch, transactions, elected };
        memory.write(&Write::Settle(Box::new(settlement)));
        let ledger = Ledger::open(spec, memory.clone(), &settled).unwrap();
        Self { id, ledger, memory, head: (height, block) }
    }

    pub(in crate::ledger) fn request(&self) -> Build {
        let (height, parent) = (self.head.0.plus(1), self.head.1);
        let over = self.head.0.0 % self.ledger.spec().checkpoint_interval;
        let newest = Height(self.head.0.0 - over);
        let settled = self.memory.settled(newest).unwrap().filter(|_| newest > Height(0));
        let epoch = Epoch(height.0);
        let checkpoint = settled.map(|settled| settled.id).unwrap_or_default();
        Build { epoch, parent, height, proposer_index: 0, checkpoint }
    }

    pub(in crate::ledger) fn built(&self, txs: Vec<SignedTransaction>) -> Body {
        let request = self.request();
        self.ledger.build(&request, Carried::default(), txs).unwrap()
    }

    pub(in crate::ledger) fn block(&self, txs: Vec<SignedTransaction>, state_root: Hash) -> Block {
        let genesis = Header::genesis(self.ledger.spec(), Hash::default());
        let body: Vec<TxBytes> =
            txs.iter().map(|tx| TxBytes::try_from(tx.to_bytes()).unwrap()).collect();
        let header = Header {
            height: self.head.0.plus(1),
            parent: self.head.1,
            epoch: Epoch(self.head.0.0 + 1),
            tx_root: tx_root(&body),
            state_root,
            ..genesis
        };
        let signature = Signature([0; 64]);
        let signed = antiphon_core::chain::header::SignedHeader { header, signature };
        Block { signed, carried: Carried::default(), body: Bounded::try_from(body).unwrap() }
    }

    /// Executes a block on the head and makes it the head.
    pub(in crate::ledger) fn include(&mut self, txs: Vec<SignedTransaction>) -> Block {
        let body = self.built(txs.clone());
        assert_eq!(body.refused, []);
        let mut block = self.block(txs, body.state_root);
        block.signed.header.field_root = body.field_root;
        block.signed.header.next_validators_hash = body.next.validators;
        block.signed.header.next_guardians_hash = body.next.guardians;
        self.ledger.execute(block.id(), &block).unwrap();
        self.head = (block.height(), block.id());
        block
    }

    pub(in crate::ledger) fn store(&mut self, block: &Block) {
        let id = block.id();
        let certificate = Certificate::genesis();
        let settlement = self.ledger.settlement(id, block.clone(), certificate).unwrap();
        self.memory.write(&Write::Settle(Box::new(settlement)));
        self.ledger.stored(&id);
    }

    pub(in crate::ledger) fn settle(&mut self, txs: Vec<SignedTransaction>) {
        let block = self.include(txs);
        self.store(&block);
    }

    pub(in crate::ledger) fn row<T: Value>(&self, key: &StateKey) -> Option<T> {
        let bytes = self.ledger.view(&self.head.1).unwrap().value(key).unwrap()?;
        Some(codec::decode(&bytes, bytes.len()).unwrap())
    }

    pub(in crate::ledger) fn account(&self, n: u8) -> Account {
        self.ledger.account(&self.head.1, &address(n)).unwrap()
    }

    pub(in crate::ledger) fn balance(&self, n: u8) -> u128 {
        self.account(n).balances[Token::Operational.index()].units()
    }

    pub(in crate::ledger) fn tx(
        &self,
        n: u8,
        sequence: u64,
        messages: Vec<Message>,
    ) -> SignedTransaction {
        self.changed(n, messages, |tx| tx.sequence = sequence)
    }

    pub(in crate::ledger) fn changed(
        &self,
        n: u8,
        messages: Vec<Message>,
        change: impl FnOnce(&mut Transaction),
    ) -> SignedTransaction {
        let mut body = Transaction {
            sender: key(n).public().into(),
            sequence: 1,
            reference_height: self.head.0,
            reference_block: self.head.1,
            scope: Text::try_from("").unwrap(),
            max_fee: Amount::from_units(FEE),
            cosigners: Bounded::new(),
            messages: Bounded::try_from(messages).unwrap(),
        };
        change(&mut body);
        SignedTransaction::new(&key(n), self.id, body)
    }

    pub(in crate::ledger) fn terms(&self, deposit: u128, collateral: u128) -> PoolTerms {
        PoolTerms {
            creator: key(1).public(),
            nonce: 4,
            resource: StreamId(Hash([5; 32])),
            deposit: Amount::from_units(deposit),
            collateral: Amount::from_units(collateral),
            end_height: self.head.0.plus(1 + self.ledger.spec().pool.min_duration),
            only: None,
        }
    }

    pub(in crate::ledger) fn voucher(
        &self,
        terms: &PoolTerms,
        target: u8,
        seq: u64,
        cum: u128,
    ) -> Signed<Voucher> {
        let body = Voucher {
            pool: terms.id(self.id),
            resource: terms.resource,
            target: address(target),
            seq,
            cum: Amount::from_units(cum),
            ticks: None,
        };
        Signed::new(&key(1), self.id, body)
    }

    /// A10.1 over the whole state, read from the store row by row.
    pub(in crate::ledger) fn assert_conserved(&self) {
        let tables = self.memory.0.read().unwrap();
        let mut newest: BTreeMap<StateKey, &Vec<u8>> = BTreeMap::new();
        for ((key, _), value) in &tables.values {
            newest.insert(*key, value);
        }
        let mut total = 0;
        for (key, value) in newest {
            let keys = self.ledger.state_chain();
            let is_account = (0..=3).any(|n| StateKey::account(keys, &address(n)) == key);
            let is_pool = StateKey::pool(keys, &pool_id(keys, &address(1), 4)) == key;
            if is_account {
                let account: Account = codec::decode(value, 4096).unwrap();
                total += account.balances[Token::Operational.index()].units();
            } else if is_pool {
                let pool: antiphon_core::payment::reservation::PoolState =
                    codec::decode(value, 4096).unwrap();
                total += pool.held().units();
            } else if key == StateKey::supply(keys) {
                let supply: Supply = codec::decode(value, 4096).unwrap();
                assert_eq!(supply, Supply::default());
            }
        }
        assert_eq!(total, 2 * START, "as at genesis");
    }
}

pub(in crate::ledger) fn key(n: u8) -> SecretKey {
    SecretKey::from_bytes(&[n.wrapping_add(100); 32])
}

pub(in crate::ledger) fn address(n: u8) -> Address {
    Address::of(&key(n).public())
}

pub(in crate::ledger) fn chain_id() -> ChainId {
    spec().chain_id()
}

pub(in crate::ledger) fn pay(to: u8, units: u128) -> Message {
    Message::Transfer {
        token: Token::Operational,
        to: address(to),
        amount: Amount::from_units(units),
    }
}

pub(crate) fn spec() -> ChainSpec {
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
        field: FieldRules::for_chain(4, 1000),
        order: ProposerOrder::default(),
        upgrade: None,
        stake: None,
        validators: ValidatorSet {
            since: Height(0),
            members: Bounded::try_from(vec![validator]).unwrap(),
        },
        guardians: GuardianSet {
            since: Height(0),
            members: Bounded::try_from(vec![Guardian { key: guardian, weight: 1 }]).unwrap(),
            aggregate: BlsPublicKey::aggregate([&guardian]).unwrap(),
        },
        accounts: Bounded::try_from(vec![endowed(1), endowed(2)]).unwrap(),
        stakers: Bounded::new(),
        origin: None,
    }
}
