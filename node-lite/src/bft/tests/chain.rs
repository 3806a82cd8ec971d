//! Blocks, votes and certificates made by hand.

use crate::bft::{
    Config, Start,
    message::{Block, EpochChange, SignedEpochChange, SignedVote, tx_root},
};
use antiphon_core::{
    chain::{
        beacon::ProposerOrder,
        carried::Carried,
        certificate::{Certificate, IndexedSignature, Vote},
        header::{Header, SignedHeader},
        set::{Validator, ValidatorSet},
    },
    codec::Bounded,
    crypto::{Hash, SecretKey, merkle},
    id::{BlockId, ChainId, Epoch, Height},
    time::UnixMillis,
};
use std::time::Duration;

pub(super) const CHAIN: ChainId = ChainId(Hash([7; 32]));

/// The keys of a committee in the order of its set.
#[derive(Clone)]
pub(super) struct Keys {
    pub(super) keys: Vec<SecretKey>,
    pub(super) set: ValidatorSet,
}

impl Keys {
    pub(super) fn new(count: u8) -> Self {
        let mut keys: Vec<_> = (1..=count).map(|n| SecretKey::from_bytes(&[n; 32])).collect();
        keys.sort_by_key(SecretKey::public);
        let members: Vec<_> =
            keys.iter().map(|key| Validator { key: key.public(), weight: 1 }).collect();
        Self {
            keys,
            set: ValidatorSet { since: Height(0), members: Bounded::try_from(members).unwrap() },
        }
    }

    pub(super) fn config(&self) -> Config {
        Config {
            chain: CHAIN,
            validators: self.set.clone(),
            order: ProposerOrder::RoundRobin,
            checkpoint_interval: 10,
            block_time: Duration::from_millis(1000),
            delta: Duration::from_millis(100),
            drift: 10_000,
            origin_ms: 1_000_000,
        }
    }

    pub(super) fn genesis(&self) -> Header {
        let hash = self.set.hash(CHAIN);
        Header {
            chain_id: CHAIN,
            height: Height(0),
            epoch: Epoch(0),
            parent: BlockId::default(),
            hcc: Certificate::genesis(),
            tx_root: merkle::root(&[]),
            state_root: Hash::default(),
            field_root: merkle::root(&[]),
            validators_hash: hash,
            next_validators_hash: hash,
            guardians_hash: Hash::default(),
            next_guardians_hash: Hash::default(),
            cp_link: BlockId::default(),
            time: UnixMillis(1_000_000),
            proposer_index: 0,
            carried: Carried::default().hash(CHAIN),
            next_order: Hash::default(),
        }
    }

    pub(super) fn genesis_certificate(&self) -> Certificate {
        Certificate { block: self.genesis().id(), ..Certificate::genesis() }
    }

    pub(super) fn start(&self) -> Start {
        let root = self.genesis();
        Start {
            recent: vec![(Height(0), root.id())],
            certificate: self.genesis_certificate(),
            record: None,
            kept: Vec::new(),
            root,
        }
    }

    /// A block on `parent` in `epoch` by its right proposer.
    pub(super) fn block(&self, parent: &Header, epoch: u64, hcc: &Certificate) -> Block {
        let proposer = usize::try_from(epoch).unwrap() % self.keys.len();
        let header = Header {
            height: parent.height.plus(1),
            epoch: Epoch(epoch),
            parent: parent.id(),
            hcc: hcc.clone(),
            tx_root: tx_root(&[]),
            time: parent.time.plus(1),
            proposer_index: u16::try_from(proposer).unwrap(),
            ..parent.clone()
        };
        self.sign(header)
    }

    /// Signs a header as its proposer.
    pub(super) fn sign(&self, header: Header) -> Block {
        let key = &self.keys[usize::from(header.proposer_index)];
        let signature = key.sign(CHAIN, &header.proposal(header.id()));
        Block {
            signed: SignedHeader { header, signature },
            carried: Carried::default(),
            body: Bounded::new(),
        }
    }

    pub(super) fn vote(&self, voter: usize, block: &Block) -> SignedVote {
        let vote = Vote {
            validators_hash: self.set.hash(CHAIN),
            height: block.height(),
            block: block.id(),
        };
        SignedVote::new(&self.keys[voter], CHAIN, u16::try_from(voter).unwrap(), vote)
    }

    pub(super) fn certificate(&self, voters: &[usize], block: &Block) -> Certificate {
        let signatures = voters.iter().map(|voter| IndexedSignature {
            index: u16::try_from(*voter).unwrap(),
            signature: self.vote(*voter, block).signature,
        });
        let signatures = Bounded::try_from(signatures.collect::<Vec<_>>()).unwrap();
        Certificate { block: block.id(), height: block.height(), signatures }
    }

    pub(super) fn epoch_change(
        &self,
        sender: usize,
        epoch: u64,
        high_cc: &Certificate,
    ) -> SignedEpochChange {
        let change = EpochChange {
            validators_hash: self.set.hash(CHAIN),
            epoch: Epoch(epoch),
            high_cc: high_cc.clone(),
        };
        let signature = self.keys[sender].sign(CHAIN, &change);
        let index = u16::try_from(sender).unwrap();
        SignedEpochChange { change, index, signature, last_vote: None }
    }
}
