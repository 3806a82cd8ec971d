//! A node's disk in memory. A batch is on it wholly or not at all; what was not written before a crash is gone. It may be
//! full, and it may be broken (ADVERSARIAL case 7).

use antiphon_core::{
    chain::{
        certificate::FinalityCertificate,
        set::{GuardianSet, ValidatorSet},
        spec::ChainSpec,
        state::StateKey,
    },
    crypto::Hash,
    id::{BlockId, ChainId, Height, TxId},
};
use antiphon_node::{
    bft::{Closing, SafetyRecord, message::Block},
    guardian::{self, GuardianRecord, Known},
    ledger,
    offence::Seen,
    storage::{SettledBlock, Settlement, Signature, Storage, StorageError, Write},
    supernode::Start,
};
use jmt::storage::{Node, NodeKey};
use std::{
    collections::BTreeMap,
    sync::{Arc, RwLock, RwLockReadGuard},
};

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
    validators: BTreeMap<Hash, ValidatorSet>,
    guardians: BTreeMap<Hash, GuardianSet>,
    /// Height at which the guardians of a hash elected others.
    changes: BTreeMap<Hash, Height>,
    closings: BTreeMap<Height, Closing>,
    certificates: BTreeMap<Height, FinalityCertificate>,
    signed: Vec<Signature>,
    offences: BTreeMap<Hash, Seen>,
    /// How many more batches find room; any number if there is no limit.
    room: Option<u64>,
    unreadable: bool,
}

/// A disk; clones are the same disk.
#[derive(Clone, Debug)]
pub struct Disk(Arc<RwLock<Content>>, ChainId);

impl Disk {
    /// Makes a disk that holds genesis.
    pub fn new(spec: &ChainSpec) -> Self {
        let disk = Self(Arc::default(), spec.chain_id());
        let (_, settlement) = ledger::genesis(spec).unwrap();
        disk.write(vec![Write::Settle(Box::new(settlement))]).unwrap();
        disk
    }

    /// Lets the disk be full once it has taken this many more batches; `None` lets it have room again.
    pub fn limit(&self, batches: Option<u64>) {
        self.0.write().unwrap().room = batches;
    }

    /// Lets every read fail from now on, or succeed again.
    pub fn break_reads(&self, broken: bool) {
        self.0.write().unwrap().unreadable = broken;
    }

    /// Writes a batch.
    ///
    /// # Errors
    /// [`StorageError`] if the disk is full: nothing of the batch is on it then.
    pub fn write(&self, batch: Vec<Write>) -> Result<(), StorageError> {
        let mut content = self.0.write().unwrap();
        match &mut content.room {
            Some(0) => return Err(StorageError(String::from("no space left on device"))),
            Some(left) => *left -= 1,
            None => {}
        }
        let chain = self.1;
        for write in batch {
            match write {
                Write::Safety(record) => content.safety = Some(*record),
                Write::Keep(block) => content.kept.push(*block),
                Write::Settle(settlement) => content.settle(chain, *settlement),
                Write::Closing(closing) => {
                    content.closings.insert(closing.height, *closing);
                }
                Write::Guardian(record) => content.guardian = record,
                Write::Final(certificate) => {
                    content.certificates.insert(certificate.height, *certificate);
                }
                Write::Signed(signature) => content.signed.push(signature),
                Write::Offence(seen) => {
                    content.offences.insert(seen.id(), *seen);
                }
            }
        }
        Ok(())
    }

    fn read(&self) -> Result<RwLockReadGuard<'_, Content>, StorageError> {
        let content = self.0.read().unwrap();
        if content.unreadable {
            return Err(StorageError(String::from("input/output error")));
        }
        Ok(content)
    }

    /// Returns what a node finds here when it starts.
    pub fn start(&self, interval: u64) -> Start {
        let content = self.0.read().unwrap();
        let settled = &content.settled;
        let is_checkpoint = |height: &Height| height.0 > 0 && height.0.is_multiple_of(interval);
        let checkpoints = settled.iter().filter(|(height, _)| is_checkpoint(height));
        let checkpoints: Vec<_> = checkpoints
            .map(|(height, settled)| {
                let guardians = settled.block.signed.header.guardians_hash;
                (*height, Known { block: settled.id, guardians })
            })
            .collect();
        let newest = checkpoints.last().map_or(Height(0), |(height, _)| *height);
        let next_of = |height: &Height| settled[height].block.signed.header.next();
        let head = settled.values().next_back().unwrap().clone();
        let is_open = |height: &&Height| !content.certificates.contains_key(height);
        let open_changes: Vec<_> = content
            .changes
            .iter()
            .filter(|(_, height)| is_open(height))
            .map(|(hash, at)| (*at, Known { block: settled[at].id, guardians: *hash }))
            .collect();
        let signers = checkpoints.iter().chain(&open_changes).map(|(_, known)| known.guardians);
        let recent = settled.iter().rev().take(RECENT).map(|(height, block)| (*height, block.id));
        let mut recent: Vec<_> = recent.collect();
        recent.reverse();
        Start {
            validators: content.validators[&next_of(&head.block.height()).validators].clone(),
            guardians: content.guardians[&next_of(&newest).guardians].clone(),
            head,
            recent,
            safety: content.safety.clone(),
            kept: content.kept.clone(),
            guardian: guardian::Start {
                record: content.guardian,
                certificate: content.certificates.values().next_back().cloned(),
                sets: signers.map(|hash| content.guardians[&hash].clone().into()).collect(),
                checkpoints,
                open_changes,
            },
        }
    }

    /// Returns the id settled at each height.
    pub fn chain(&self) -> BTreeMap<Height, BlockId> {
        self.0.read().unwrap().settled.iter().map(|(height, block)| (*height, block.id)).collect()
    }

    /// Returns the newest certificate.
    pub fn certificate(&self) -> Option<FinalityCertificate> {
        self.0.read().unwrap().certificates.values().next_back().cloned()
    }

    /// Returns the certificate of a checkpoint.
    pub fn certificate_of(&self, height: Height) -> Option<FinalityCertificate> {
        self.0.read().unwrap().certificates.get(&height).cloned()
    }

    /// Returns everything this node signed.
    pub fn signed(&self) -> Vec<Signature> {
        self.0.read().unwrap().signed.clone()
    }
}

impl Content {
    fn settle(&mut self, chain: ChainId, settlement: Settlement) {
        let Settlement { settled, batch, transactions, elected } = settlement;
        let height = settled.block.height();
        if height > Height(0) && elected.guardians.is_some() {
            self.changes.insert(settled.block.signed.header.guardians_hash, height);
        }
        self.validators.extend(elected.validators.map(|set| (set.hash(chain), set)));
        self.guardians.extend(elected.guardians.map(|set| (set.hash(chain), set)));
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
        Ok(self.read()?.nodes.get(key).cloned())
    }

    fn value(&self, version: u64, key: &StateKey) -> Result<Option<Vec<u8>>, StorageError> {
        let content = self.read()?;
        let newest = content.values.range((*key, 0)..=(*key, version)).next_back();
        Ok(newest.and_then(|(_, value)| value.clone()))
    }

    fn settled(&self, height: Height) -> Result<Option<SettledBlock>, StorageError> {
        Ok(self.read()?.settled.get(&height).cloned())
    }

    fn height_of(&self, id: &BlockId) -> Result<Option<Height>, StorageError> {
        Ok(self.read()?.heights.get(id).copied())
    }

    fn validators(&self, hash: &Hash) -> Result<Option<ValidatorSet>, StorageError> {
        Ok(self.read()?.validators.get(hash).cloned())
    }

    fn guardians(&self, hash: &Hash) -> Result<Option<GuardianSet>, StorageError> {
        Ok(self.read()?.guardians.get(hash).cloned())
    }

    fn offences(&self) -> Result<Vec<Seen>, StorageError> {
        Ok(self.read()?.offences.values().cloned().collect())
    }

    fn certificate(&self, height: Height) -> Result<Option<FinalityCertificate>, StorageError> {
        Ok(self.certificate_of(height))
    }

    fn change_of(&self, guardians: &Hash) -> Result<Option<Height>, StorageError> {
        Ok(self.0.read().unwrap().changes.get(guardians).copied())
    }

    fn closing(&self, height: Height) -> Result<Option<Closing>, StorageError> {
        Ok(self.read()?.closings.get(&height).cloned())
    }

    fn transaction(&self, id: &TxId) -> Result<Option<Height>, StorageError> {
        Ok(self.read()?.transactions.get(id).copied())
    }
}
