//! A chain with a final checkpoint over any number of rows, and a disk that takes what is synced from it.

use crate::{
    bft::Closing,
    storage::{SettledBlock, Storage, StorageError},
    sync::{Answer, Ask, Finish, Piece, Prefix, Start, SyncWrite},
};
use antiphon_core::{
    amount::Amount,
    chain::{
        beacon::ProposerOrder,
        certificate::{Certificate, FinalityCertificate, FinalityVote, Signers},
        header::Header,
        light::{File, Tip},
        set::{Guardian, GuardianSet, Validator, ValidatorSet},
        spec::ChainSpec,
        state::{Account, StateKey},
    },
    codec::{self, Bounded, Text},
    crypto::{
        Hash, SecretKey, Tagged as _,
        bls::{BlsPublicKey, BlsSecretKey, BlsSignature},
    },
    id::{Address, BlockId, Epoch, Height, TxId},
    payment::{field::FieldRules, reservation::PoolRules},
    time::UnixMillis,
};
use jmt::{
    KeyHash, Sha256Jmt,
    storage::{LeafNode, Node, NodeKey, TreeReader},
};
use std::collections::BTreeMap;

/// Blocks between checkpoints.
pub(crate) const INTERVAL: u64 = 8;
/// When genesis is dated.
pub(crate) const GENESIS: u64 = 1_000_000;

/// A chain whose checkpoints all have one state.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    pub(crate) spec: ChainSpec,
    pub(crate) nodes: BTreeMap<NodeKey, Node>,
    pub(crate) values: BTreeMap<StateKey, Vec<u8>>,
    pub(crate) headers: Vec<Header>,
    finals: BTreeMap<Height, FinalityCertificate>,
    ids: BTreeMap<BlockId, Height>,
    /// Nobody may read this state any more.
    pub(crate) gone: bool,
}

struct Empty;

impl TreeReader for Empty {
    fn get_node_option(&self, _: &NodeKey) -> anyhow::Result<Option<Node>> {
        Ok(None)
    }

    fn get_value_option(&self, _: u64, _: KeyHash) -> anyhow::Result<Option<Vec<u8>>> {
        Ok(None)
    }

    fn get_rightmost_leaf(&self) -> anyhow::Result<Option<(NodeKey, LeafNode)>> {
        Ok(None)
    }
}

pub(crate) fn spec() -> ChainSpec {
    let guardian = guardian().public();
    let validator = SecretKey::from_bytes(&[7; 32]).public();
    ChainSpec {
        name: Text::try_from("origin").unwrap(),
        genesis_time: UnixMillis(GENESIS),
        block_ms: 200,
        checkpoint_interval: INTERVAL,
        drift: 10_000,
        trusting_period: 100_000_000,
        fee: Amount::from_units(1),
        pool: PoolRules::for_chain(1, INTERVAL),
        field: FieldRules::for_chain(4, 1000),
        order: ProposerOrder::default(),
        upgrade: None,
        stake: None,
        validators: ValidatorSet {
            since: Height(0),
            members: Bounded::try_from(vec![Validator { key: validator, weight: 1 }]).unwrap(),
        },
        guardians: GuardianSet {
            since: Height(0),
            members: Bounded::try_from(vec![Guardian { key: guardian, weight: 1 }]).unwrap(),
            aggregate: BlsPublicKey::aggregate([&guardian]).unwrap(),
        },
        accounts: Bounded::new(),
        stakers: Bounded::new(),
        origin: None,
    }
}

/// The keys of the only validator and guardian.
#[cfg(feature = "shell")]
pub(crate) fn keys() -> (SecretKey, BlsSecretKey) {
    (SecretKey::from_bytes(&[7; 32]), guardian())
}

fn guardian() -> BlsSecretKey {
    BlsSecretKey::from_seed(&[5; 32]).unwrap()
}

impl Origin {
    /// A chain with so many accounts, whose first `checkpoints` are final. `salt` makes another state of it.
    pub(crate) fn new(accounts: u32, checkpoints: u64, salt: u64) -> Self {
        let spec = spec();
        let chain = spec.chain_id();
        let version = INTERVAL * checkpoints;
        let row = |n: u32| {
            let seed = Hash::of(&[&n.to_le_bytes()]);
            let mut address = Address([0; 20]);
            address.0.copy_from_slice(&seed.0[..20]);
            let balances =
                [Amount::from_units(u128::from(n)), Amount::from_units(u128::from(salt))];
            let account = codec::encode(&Account { sequence: salt, balances });
            (StateKey::account(chain, &address), account)
        };
        let values: BTreeMap<StateKey, Vec<u8>> = (0..accounts).map(row).collect();
        let rows = values.iter().map(|(key, value)| (KeyHash(key.0.0), Some(value.clone())));
        let (root, batch) = Sha256Jmt::new(&Empty).put_value_set(rows, version).unwrap();
        let nodes = batch.node_batch.nodes().clone();
        let mut headers = vec![Header::genesis(&spec, Hash(root.0))];
        let mut finals = BTreeMap::new();
        for height in 1..=version {
            let parent = headers.last().unwrap();
            let header = Header {
                height: Height(height),
                epoch: Epoch(height),
                parent: parent.id(),
                time: UnixMillis(GENESIS + height * 200),
                ..parent.clone()
            };
            if height % INTERVAL == 0 {
                finals.insert(header.height, finalise(&spec, &header));
            }
            headers.push(header);
        }
        let ids = headers.iter().map(|header| (header.id(), header.height)).collect();
        Self { spec, nodes, values, headers, finals, ids, gone: false }
    }

    /// Answers as a node does.
    pub(crate) fn answer(&self, ask: &Ask) -> Answer {
        if ask.as_file() == Some(File::Tip) {
            let tip = codec::encode(&self.tip());
            return Answer::File(Bounded::try_from(tip).unwrap());
        }
        ask.answer(self, &self.spec).unwrap().unwrap_or(Answer::Missing)
    }

    pub(crate) fn tip(&self) -> Tip {
        let newest = self.finals.last_key_value();
        Tip {
            final_height: newest.map_or(Height(0), |(height, _)| *height),
            final_block: newest.map(|(_, held)| held.block).unwrap_or_default(),
            chain: Bounded::new(),
            certificate: Certificate::genesis(),
        }
    }

    pub(crate) fn checkpoint(&self) -> &Header {
        self.headers.last().unwrap()
    }
}

fn finalise(spec: &ChainSpec, header: &Header) -> FinalityCertificate {
    let (height, block) = (header.height, header.id());
    let vote = FinalityVote { guardians_hash: header.guardians_hash, height, block };
    let share = guardian().sign(vote.digest(spec.chain_id()));
    let signature = BlsSignature::aggregate([&share]).unwrap();
    let signers = Signers::Bitmap(Bounded::try_from(vec![1]).unwrap());
    FinalityCertificate { height, block, signers, signature }
}

impl Storage for Origin {
    fn node(&self, key: &NodeKey) -> Result<Option<Node>, StorageError> {
        Ok(self.nodes.get(key).cloned())
    }

    fn value(&self, _: u64, key: &StateKey) -> Result<Option<Vec<u8>>, StorageError> {
        Ok(self.values.get(key).cloned())
    }

    fn settled(&self, _: Height) -> Result<Option<SettledBlock>, StorageError> {
        Ok(None)
    }

    fn header(&self, height: Height) -> Result<Option<Header>, StorageError> {
        Ok(self.headers.get(usize::try_from(height.0).unwrap()).cloned())
    }

    fn version_at(&self, height: Height) -> Result<Option<u64>, StorageError> {
        Ok((height == self.checkpoint().height).then_some(height.0))
    }

    fn oldest_version(&self) -> Result<u64, StorageError> {
        Ok(if self.gone { u64::MAX } else { 0 })
    }

    fn height_of(&self, id: &BlockId) -> Result<Option<Height>, StorageError> {
        Ok(self.ids.get(id).copied())
    }

    fn validators(&self, hash: &Hash) -> Result<Option<ValidatorSet>, StorageError> {
        let set = &self.spec.validators;
        Ok((set.hash(self.spec.chain_id()) == *hash).then(|| set.clone()))
    }

    fn guardians(&self, hash: &Hash) -> Result<Option<GuardianSet>, StorageError> {
        let set = &self.spec.guardians;
        Ok((set.hash(self.spec.chain_id()) == *hash).then(|| set.clone()))
    }

    fn certificate(&self, height: Height) -> Result<Option<FinalityCertificate>, StorageError> {
        Ok(self.finals.get(&height).cloned())
    }

    fn change_of(&self, _: &Hash) -> Result<Option<Height>, StorageError> {
        Ok(None)
    }

    fn closing(&self, _: Height) -> Result<Option<Closing>, StorageError> {
        Ok(None)
    }

    fn offences(&self) -> Result<Vec<crate::offence::Seen>, StorageError> {
        Ok(Vec::new())
    }

    fn transaction(&self, _: &TxId) -> Result<Option<Height>, StorageError> {
        Ok(None)
    }
}

/// A disk that takes what is synced.
#[derive(Clone, Debug, Default)]
pub(crate) struct Disk {
    pub(crate) start: Start,
    pub(crate) nodes: BTreeMap<NodeKey, Node>,
    pub(crate) values: BTreeMap<StateKey, Vec<u8>>,
    pub(crate) finish: Option<Finish>,
    /// Writes so far.
    pub(crate) writes: usize,
}

impl Disk {
    pub(crate) fn write(&mut self, part: SyncWrite) {
        self.writes += 1;
        match part {
            SyncWrite::Trust(bytes) => self.start.trust = Some(bytes),
            SyncWrite::Change(_) => {}
            SyncWrite::Target(target) => self.start.target = Some(*target),
            SyncWrite::Piece(at, piece) => self.start.pieces.push((at, piece)),
            SyncWrite::Range(range) => {
                assert!(!self.holds(&range.prefix), "a range is written once");
                self.start.pieces.push((range.prefix, Piece::Held(range.held)));
                self.nodes.extend(range.nodes);
                let rows = range.rows.into_iter().map(|row| (row.key, row.value.into_vec()));
                self.values.extend(rows);
            }
            SyncWrite::Restart => {
                let trust = self.start.trust.take();
                let writes = self.writes;
                *self =
                    Self { start: Start { trust, ..Start::default() }, writes, ..Self::default() };
            }
            SyncWrite::Finish(finish) => self.finish = Some(*finish),
        }
    }

    fn holds(&self, at: &Prefix) -> bool {
        self.start.pieces.iter().any(|(held, piece)| held == at && matches!(piece, Piece::Held(_)))
    }
}
