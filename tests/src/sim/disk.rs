//! A node's disk in memory. A batch is on it wholly or not at all; what was not written before a crash is gone.

use antiphon_core::{
    chain::{certificate::FinalityCertificate, spec::ChainSpec, state::StateKey},
    crypto::Hash,
    id::{BlockId, Height, TxId},
};
use antiphon_node::{
    bft::{SafetyRecord, message::Block},
    guardian::{self, GuardianRecord},
    ledger,
    storage::{SettledBlock, Settlement, Signature, Storage, StorageError, Write},
    supernode::Start,
};
use jmt::storage::{Node, NodeKey};
use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

/// Settled ids handed to a node that starts.
const RECENT: usize = antiphon_node::bft::MAX_RECENT;

#[derive(Debug, Default)]
struct Content {
    nodes: BTreeMap<NodeKey, Node>,
    values: BTreeMap<(StateKey, u64), Option<Vec<u8>>>,
    settled: BTreeMap<Height, SettledBlock>,
    heights: BTreeMap<BlockId, Height>,
    transactions: BTreeMap<TxId, Height>,
    safety: Option<SafetyRecord>,
    kept: Vec<Block>,
    guardian: GuardianRecord,
    certificates: BTreeMap<Height, FinalityCertificate>,
    signed: Vec<Signature>,
}

/// A disk; clones are the same disk.
#[derive(Clone, Debug)]
pub struct Disk(Rc<RefCell<Content>>);

impl Disk {
    /// Makes a disk that holds genesis.
    pub fn new(spec: &ChainSpec) -> Self {
        let disk = Self(Rc::default());
        let (_, settlement) = ledger::genesis(spec).unwrap();
        disk.write(vec![Write::Settle(Box::new(settlement))]);
        disk
    }

    /// Writes a batch.
    pub fn write(&self, batch: Vec<Write>) {
        let mut content = self.0.borrow_mut();
        for write in batch {
            match write {
                Write::Safety(record) => content.safety = Some(*record),
                Write::Keep(block) => content.kept.push(*block),
                Write::Settle(settlement) => content.settle(*settlement),
                Write::Guardian(record) => content.guardian = record,
                Write::Final(certificate) => {
                    content.certificates.insert(certificate.height, *certificate);
                }
                Write::Signed(signature) => content.signed.push(signature),
            }
        }
    }

    /// Returns what a node finds here when it starts.
    pub fn start(&self, interval: u64) -> Start {
        let content = self.0.borrow();
        let settled = &content.settled;
        let is_checkpoint = |height: &Height| height.0 > 0 && height.0.is_multiple_of(interval);
        let checkpoints = settled.iter().filter(|(height, _)| is_checkpoint(height));
        let recent = settled.iter().rev().take(RECENT).map(|(height, block)| (*height, block.id));
        let mut recent: Vec<_> = recent.collect();
        recent.reverse();
        Start {
            head: settled.values().next_back().unwrap().clone(),
            recent,
            safety: content.safety.clone(),
            kept: content.kept.clone(),
            guardian: guardian::Start {
                record: content.guardian,
                certificate: content.certificates.values().next_back().cloned(),
                checkpoints: checkpoints.map(|(height, block)| (*height, block.id)).collect(),
            },
        }
    }

    /// Returns the id settled at each height.
    pub fn chain(&self) -> BTreeMap<Height, BlockId> {
        self.0.borrow().settled.iter().map(|(height, block)| (*height, block.id)).collect()
    }

    /// Returns the newest certificate.
    pub fn certificate(&self) -> Option<FinalityCertificate> {
        self.0.borrow().certificates.values().next_back().cloned()
    }

    /// Returns the certificate of a checkpoint.
    pub fn certificate_of(&self, height: Height) -> Option<FinalityCertificate> {
        self.0.borrow().certificates.get(&height).cloned()
    }

    /// Returns everything this node signed.
    pub fn signed(&self) -> Vec<Signature> {
        self.0.borrow().signed.clone()
    }
}

impl Content {
    fn settle(&mut self, settlement: Settlement) {
        let Settlement { settled, batch, transactions } = settlement;
        let height = settled.block.height();
        self.nodes.extend(batch.node_batch.nodes().clone());
        for ((version, key), value) in batch.node_batch.values() {
            self.values.insert((StateKey(Hash(key.0)), *version), value.clone());
        }
        self.transactions.extend(transactions.into_iter().map(|id| (id, height)));
        self.heights.insert(settled.id, height);
        self.settled.insert(height, settled);
        self.kept.retain(|block| block.height() > height);
    }
}

impl Storage for Disk {
    fn node(&self, key: &NodeKey) -> Result<Option<Node>, StorageError> {
        Ok(self.0.borrow().nodes.get(key).cloned())
    }

    fn value(&self, version: u64, key: &StateKey) -> Result<Option<Vec<u8>>, StorageError> {
        let content = self.0.borrow();
        let newest = content.values.range((*key, 0)..=(*key, version)).next_back();
        Ok(newest.and_then(|(_, value)| value.clone()))
    }

    fn settled(&self, height: Height) -> Result<Option<SettledBlock>, StorageError> {
        Ok(self.0.borrow().settled.get(&height).cloned())
    }

    fn height_of(&self, id: &BlockId) -> Result<Option<Height>, StorageError> {
        Ok(self.0.borrow().heights.get(id).copied())
    }

    fn transaction(&self, id: &TxId) -> Result<Option<Height>, StorageError> {
        Ok(self.0.borrow().transactions.get(id).copied())
    }
}
