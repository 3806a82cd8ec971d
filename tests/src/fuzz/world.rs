//! The honest world that the targets lie about: one chain, one stream, one listener with a pool, and its neighbours.
//!
//! Everything in it is made once from fixed keys. What a machine believes, plays or pays can be held against it.

use super::tree::Tree;
use antiphon_core::{
    amount::Amount,
    chain::{
        beacon::ProposerOrder,
        certificate::{
            Certificate, FinalityCertificate, FinalityVote, IndexedSignature, Signers, Vote,
        },
        header::Header,
        light::{Body, Change, Checkpoint, File, News, Tip},
        set::{Guardian, GuardianSet, Validator, ValidatorSet},
        spec::{ChainSpec, Token},
        state::{Account, StateKey},
    },
    codec::{Bounded, Text, encode},
    crypto::{
        SecretKey, Signed, Tagged,
        bls::{BlsPublicKey, BlsSecretKey, BlsSignature},
    },
    delivery::{
        playlist::{record_tag, stream_tag},
        record::{Map, Record, StreamInfo},
    },
    id::{Address, ChainId, Epoch, Height, PeerId, PoolId, StreamId},
    payment::{
        field::FieldRules,
        reservation::{PoolRules, PoolTerms},
        voucher::Voucher,
    },
    time::UnixMillis,
};
use std::sync::LazyLock;

/// When the targets play.
pub(super) const CLOCK: UnixMillis = UnixMillis(1_000_000);
/// Height of the newest block.
const HEIGHT: u64 = 26;
/// Every so many blocks a checkpoint.
pub(super) const INTERVAL: u64 = 8;
/// First segment of the stream, and the first that does not exist yet.
pub(super) const SEGMENTS: std::ops::Range<u64> = 5..17;
/// Bytes of a segment: a whole chunk and a short one.
pub(super) const SEGMENT_BYTES: usize = 20_000;
/// The stream's one map.
pub(super) const MAP: &[u8] = b"how to decode what follows";
/// Price of a chunk.
pub(super) const PRICE: Amount = Amount::from_units(2);
/// Deposit of every pool here.
pub(super) const DEPOSIT: Amount = Amount::from_units(400);
/// Sequences and sums of the only vouchers that the seeds hold.
pub(super) const VOUCHERS: [(u64, u128); 3] = [(1, 2), (2, 4), (3, 44)];
/// Neighbours of the listener.
pub(super) const PEERS: usize = 3;

/// The honest world.
#[derive(Debug)]
pub(super) struct World {
    pub(super) spec: ChainSpec,
    pub(super) chain: ChainId,
    /// From height 1 on.
    pub(super) headers: Vec<Header>,
    pub(super) checkpoints: Vec<Checkpoint>,
    certificates: Vec<Certificate>,
    pub(super) tree: Tree,
    pub(super) key: SecretKey,
    pub(super) publisher: SecretKey,
    pub(super) peers: Vec<SecretKey>,
    pub(super) info: StreamInfo,
    pub(super) stream: StreamId,
    pub(super) segments: Vec<(Vec<u8>, Signed<Record>)>,
}

static WORLD: LazyLock<World> = LazyLock::new(World::new);

/// Returns the world.
pub(super) fn world() -> &'static World {
    &WORLD
}

impl World {
    fn new() -> Self {
        let mut validators: Vec<_> = (1..=4).map(|i| SecretKey::from_bytes(&[i; 32])).collect();
        validators.sort_by_key(SecretKey::public);
        let mut guardians: Vec<_> =
            (1..=4).map(|i| BlsSecretKey::from_seed(&[i; 32]).unwrap()).collect();
        guardians.sort_by_key(BlsSecretKey::public);
        let spec = spec(&validators, &guardians);
        let chain = spec.chain_id();
        let (key, publisher) = (SecretKey::from_bytes(&[50; 32]), SecretKey::from_bytes(&[60; 32]));
        let peers: Vec<_> = (70..).take(PEERS).map(|i| SecretKey::from_bytes(&[i; 32])).collect();
        let info = info(&publisher);
        let stream = info.id(chain);
        let tree = state(&spec, stream, &key, &peers);
        let (headers, certificates) = headers(&spec, &tree, &validators);
        let interval = usize::try_from(INTERVAL).unwrap();
        let checkpoints = headers.iter().skip(interval - 1).step_by(interval);
        let checkpoints = checkpoints.map(|header| finalise(chain, header, &guardians)).collect();
        let segments = SEGMENTS.map(|sequence| segment(chain, stream, &publisher, sequence));
        let segments = segments.collect();
        Self {
            spec,
            chain,
            headers,
            checkpoints,
            certificates,
            tree,
            key,
            publisher,
            peers,
            info,
            stream,
            segments,
        }
    }

    /// Returns what an honest node serves while `finalised` checkpoints are final; `None` for a file of another world.
    pub(super) fn file(&self, file: &File, finalised: usize) -> Option<Vec<u8>> {
        Some(match file {
            File::Spec(chain) if *chain == self.chain => encode(&self.spec),
            File::Tip => encode(&self.tip(finalised)),
            File::News => {
                encode(&News::new(self.tip(finalised), self.headers.iter().take(12).cloned()))
            }
            File::Header(id) => encode(self.headers.iter().find(|header| header.id() == *id)?),
            File::Checkpoint(id) => {
                encode(self.checkpoints.iter().find(|held| held.header.id() == *id)?)
            }
            File::Guardians(hash) if *hash == self.spec.guardians.hash(self.chain) => {
                encode(&self.spec.guardians)
            }
            File::Validators(hash) if *hash == self.spec.validators.hash(self.chain) => {
                encode(&self.spec.validators)
            }
            File::Final(height) => {
                let mut final_ones = self.checkpoints.iter().take(finalised);
                encode(final_ones.find(|held| held.header.height == *height)?)
            }
            File::Span(id) => {
                let at = self.headers.iter().position(|header| header.id() == *id)?;
                let first = (at + 1).checked_sub(usize::try_from(INTERVAL).unwrap())?;
                encode(&self.headers[first..at].to_vec())
            }
            File::Body(_) => encode(&Body::new()),
            File::Spec(_) | File::Guardians(_) | File::Validators(_) | File::Change(_) => {
                return None;
            }
        })
    }

    /// Returns a change of guardians as a file would show it; on this chain, none was ever elected.
    pub(super) fn change(&self) -> Change {
        let checkpoint = self.checkpoints[0].clone();
        Change { checkpoint, elected: self.spec.guardians.clone() }
    }

    /// Returns the tip while this many checkpoints are final: some blocks above the last of them.
    pub(super) fn tip(&self, finalised: usize) -> Tip {
        let interval = usize::try_from(INTERVAL).unwrap();
        let finalised = finalised.min(self.checkpoints.len());
        let below = finalised * interval;
        let top = (below + interval + 1).min(self.headers.len());
        let last = finalised.checked_sub(1).map(|at| self.checkpoints[at].header.id());
        let chain: Vec<_> = self.headers[below..top].iter().map(Header::id).collect();
        Tip {
            final_height: Height(u64::try_from(below).unwrap()),
            final_block: last.unwrap_or_default(),
            chain: chain.try_into().unwrap(),
            certificate: self.certificates[top - 2].clone(),
        }
    }

    /// Returns the honest answer to a request for proofs.
    pub(super) fn prove(&self, keys: &[StateKey]) -> Vec<u8> {
        let proofs: Vec<_> = keys.iter().map(|key| self.tree.prove(key).unwrap()).collect();
        encode(&proofs)
    }

    /// Returns the playlist that lists `count` segments from `first` on.
    pub(super) fn playlist(&self, first: u64, count: usize) -> String {
        use std::fmt::Write;
        let info = Signed::new(&self.publisher, self.chain, self.info.clone());
        let mut text = format!("#EXTM3U\n{}\n#EXT-X-MEDIA-SEQUENCE:{first}\n", stream_tag(&info));
        let at = usize::try_from(first - SEGMENTS.start).unwrap();
        for (_, record) in self.segments.iter().skip(at).take(count) {
            let number = record.body.sequence;
            writeln!(text, "{}\n#EXTINF:2.0,\nseg{number}.m4s", record_tag(record)).unwrap();
        }
        text
    }

    /// Returns the bytes and the record of a segment.
    pub(super) fn segment(&self, sequence: u64) -> Option<&(Vec<u8>, Signed<Record>)> {
        let at = sequence.checked_sub(SEGMENTS.start)?;
        self.segments.get(usize::try_from(at).ok()?)
    }

    pub(super) fn peer(&self, at: usize) -> PeerId {
        PeerId(self.peers[at % PEERS].public())
    }

    /// Returns the pool from which a neighbour pays.
    pub(super) fn pool(&self, at: usize) -> PoolId {
        terms(&self.peers[at % PEERS], self.stream, 0).id(self.chain)
    }

    pub(super) fn address(&self) -> Address {
        Address::of(&self.key.public())
    }

    /// Returns a neighbour's promise to the listener.
    pub(super) fn voucher(&self, at: usize, seq: u64, cum: u128) -> Signed<Voucher> {
        let (pool, resource, target) = (self.pool(at), self.stream, self.address());
        let body =
            Voucher { pool, resource, target, seq, cum: Amount::from_units(cum), ticks: None };
        Signed::new(&self.peers[at % PEERS], self.chain, body)
    }
}

/// Returns the terms of a pool of this stream. A client makes the same ones at [`CLOCK`] from block 24 on.
pub(super) fn terms(creator: &SecretKey, resource: StreamId, nonce: u64) -> PoolTerms {
    PoolTerms {
        creator: creator.public(),
        nonce,
        resource,
        deposit: DEPOSIT,
        collateral: Amount::from_units(DEPOSIT.units() + 2),
        end_height: Height(1024),
        only: None,
    }
}

fn spec(validators: &[SecretKey], guardians: &[BlsSecretKey]) -> ChainSpec {
    let validators: Vec<_> =
        validators.iter().map(|key| Validator { key: key.public(), weight: 1 }).collect();
    let guardians: Vec<_> =
        guardians.iter().map(|key| Guardian { key: key.public(), weight: 1 }).collect();
    let aggregate = BlsPublicKey::aggregate(guardians.iter().map(|g| &g.key)).unwrap();
    ChainSpec {
        name: Text::try_from("fuzz").unwrap(),
        genesis_time: UnixMillis(CLOCK.0 - 100_000),
        block_ms: 1000,
        checkpoint_interval: INTERVAL,
        drift: 1000,
        trusting_period: 10_000_000,
        fee: Amount::from_units(1),
        pool: PoolRules {
            bounty: Amount::from_units(1),
            inclusion_margin: 16,
            min_duration: 64,
            max_duration: 1000,
            freeze: 42,
        },
        field: FieldRules::for_chain(16, 1000),
        order: ProposerOrder::default(),
        upgrade: None,
        stake: None,
        validators: ValidatorSet { since: Height(0), members: validators.try_into().unwrap() },
        guardians: GuardianSet {
            since: Height(0),
            members: guardians.try_into().unwrap(),
            aggregate,
        },
        accounts: Bounded::new(),
        stakers: Bounded::new(),
        origin: None,
    }
}

fn info(publisher: &SecretKey) -> StreamInfo {
    StreamInfo {
        publisher: publisher.public(),
        name: Text::try_from("song").unwrap(),
        price: PRICE,
        token: Token::Operational,
        target_ms: 2000,
        tracker: Text::try_from("ws://tracker").unwrap(),
        node: Text::try_from("").unwrap(),
        maps: vec![Map::of(MAP).unwrap()].try_into().unwrap(),
        heirs: Bounded::new(),
    }
}

/// The same state under every block: the listener's account, its pool, and its neighbours' pools.
fn state(spec: &ChainSpec, stream: StreamId, key: &SecretKey, peers: &[SecretKey]) -> Tree {
    let chain = spec.chain_id();
    let balances = [Amount::ZERO, Amount::from_units(1_000_000)];
    let account = Account { sequence: 0, balances };
    let owner = StateKey::account(chain, &Address::of(&key.public()));
    let own = terms(key, stream, CLOCK.0);
    let pools = peers.iter().map(|peer| terms(peer, stream, 0)).chain([own]).map(|terms| {
        let state = terms.open(&spec.pool, Height(HEIGHT)).unwrap();
        (StateKey::pool(chain, &terms.id(chain)), encode(&state))
    });
    Tree::new(pools.chain([(owner, encode(&account))]))
}

/// A chain of [`HEIGHT`] blocks, each carrying its parent's certificate, and the certificates of all.
fn headers(
    spec: &ChainSpec,
    tree: &Tree,
    validators: &[SecretKey],
) -> (Vec<Header>, Vec<Certificate>) {
    let (mut headers, mut certificates) = (Vec::<Header>::new(), Vec::<Certificate>::new());
    for height in 1..=HEIGHT {
        let mut header = Header::genesis(spec, tree.root());
        if let (Some(parent), Some(certificate)) = (headers.last(), certificates.last()) {
            header.parent = parent.id();
            header.hcc = certificate.clone();
        }
        header.height = Height(height);
        header.epoch = Epoch(height);
        header.time = UnixMillis(spec.genesis_time.0 + height);
        certificates.push(certify(spec.chain_id(), &header, validators));
        headers.push(header);
    }
    (headers, certificates)
}

fn certify(chain: ChainId, header: &Header, validators: &[SecretKey]) -> Certificate {
    let (validators_hash, height, block) = (header.validators_hash, header.height, header.id());
    let vote = Vote { validators_hash, height, block };
    let sign = |(index, key): (u16, &SecretKey)| IndexedSignature {
        index,
        signature: key.sign(chain, &vote),
    };
    let signatures: Vec<_> = (0..3).zip(validators).map(sign).collect();
    Certificate { block, height, signatures: signatures.try_into().unwrap() }
}

fn finalise(chain: ChainId, header: &Header, guardians: &[BlsSecretKey]) -> Checkpoint {
    let (guardians_hash, height, block) = (header.guardians_hash, header.height, header.id());
    let digest = FinalityVote { guardians_hash, height, block }.digest(chain);
    let shares: Vec<_> = guardians.iter().take(3).map(|key| key.sign(digest)).collect();
    let signers = Signers::bitmap(guardians.len(), 0..3).unwrap();
    let signature = BlsSignature::aggregate(&shares).unwrap();
    let certificate = FinalityCertificate { height, block, signers, signature };
    Checkpoint { header: header.clone(), certificate }
}

fn segment(
    chain: ChainId,
    stream: StreamId,
    publisher: &SecretKey,
    sequence: u64,
) -> (Vec<u8>, Signed<Record>) {
    let number = u8::try_from(sequence).unwrap();
    let bytes: Vec<u8> =
        (0..=u8::MAX).cycle().map(|byte| byte ^ number).take(SEGMENT_BYTES).collect();
    let record = Record::of(stream, sequence, &bytes).unwrap();
    (bytes, Signed::new(publisher, chain, record))
}
