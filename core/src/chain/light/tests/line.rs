//! A line of checkpoints over which the guardians change, and a host that answers a client until it asks no more.

use super::{super::*, config, spec, test_keys};
use crate::{
    chain::{
        Level,
        certificate::{Certificate, FinalityCertificate, FinalityVote, Signers},
        set::Guardian,
    },
    codec::{Bounded, encode},
    crypto::{
        Tagged,
        bls::{BlsPublicKey, BlsSecretKey, BlsSignature},
    },
    id::{Epoch, Height},
};

/// Blocks between checkpoints.
pub(crate) const T: u64 = 10;

/// A set with its keys, in its order.
#[derive(Clone)]
pub(crate) struct Keys {
    pub(crate) set: GuardianSet,
    keys: Vec<BlsSecretKey>,
}

impl Keys {
    /// A set of members given by seed and weight, elected at `since`.
    pub(crate) fn new(since: u64, members: &[(u8, u64)]) -> Self {
        let mut all: Vec<_> = members
            .iter()
            .map(|(seed, weight)| (BlsSecretKey::from_seed(&[*seed; 32]).unwrap(), *weight))
            .collect();
        all.sort_by_key(|(key, _)| key.public());
        let members: Vec<_> = all
            .iter()
            .map(|(key, weight)| Guardian { key: key.public(), weight: *weight })
            .collect();
        let aggregate = BlsPublicKey::aggregate(members.iter().map(|m| &m.key)).unwrap();
        let members = Bounded::try_from(members).unwrap();
        let set = GuardianSet { since: Height(since), members, aggregate };
        Self { set, keys: all.into_iter().map(|(key, _)| key).collect() }
    }

    /// Finalises a header by the members at these places.
    pub(crate) fn finalise(&self, header: &Header, places: &[usize]) -> Checkpoint {
        let (guardians_hash, height, block) = (header.guardians_hash, header.height, header.id());
        let digest = FinalityVote { guardians_hash, height, block }.digest(header.chain_id);
        let shares: Vec<_> = places.iter().map(|place| self.keys[*place].sign(digest)).collect();
        let certificate = FinalityCertificate {
            height,
            block,
            signers: Signers::bitmap(self.keys.len(), places.iter().copied()).unwrap(),
            signature: BlsSignature::aggregate(&shares).unwrap(),
        };
        Checkpoint { header: header.clone(), certificate }
    }

    fn all(&self) -> Vec<usize> {
        (0..self.keys.len()).collect()
    }
}

/// Checkpoints at every `T`, the set that signed each, and the set that each commits.
#[derive(Clone)]
pub(crate) struct Line {
    pub(crate) spec: ChainSpec,
    pub(crate) checkpoints: Vec<Checkpoint>,
    pub(crate) signed_by: Vec<Keys>,
    pub(crate) next: Keys,
}

impl Line {
    /// A chain of three guardians that weigh two each, and no checkpoint yet.
    pub(crate) fn new() -> Self {
        let (validators, guardians) = test_keys();
        let next = Keys::new(0, &[(101, 2), (102, 2), (103, 2)]);
        let spec = ChainSpec { guardians: next.set.clone(), ..spec(&validators, &guardians) };
        Self { spec, checkpoints: Vec::new(), signed_by: Vec::new(), next }
    }

    pub(crate) fn chain(&self) -> ChainId {
        self.spec.chain_id()
    }

    /// The header of the next checkpoint, which keeps its guardians.
    pub(crate) fn header(&self) -> Header {
        let number = self.checkpoints.len() as u64 + 1;
        let mut header = Header::genesis(&self.spec, Hash([1; 32]));
        header.height = Height(number * T);
        header.epoch = Epoch(number * T);
        header.time = UnixMillis(self.spec.genesis_time.0 + number);
        header.guardians_hash = self.next.set.hash(self.chain());
        header.next_guardians_hash = header.guardians_hash;
        header.cp_link = self.checkpoints.last().map(|c| c.header.id()).unwrap_or_default();
        header
    }

    /// Adds a checkpoint; with members, it elects another set of them.
    pub(crate) fn grow(&mut self, elects: Option<&[(u8, u64)]>) {
        let mut header = self.header();
        let signing = self.next.clone();
        if let Some(members) = elects {
            self.next = Keys::new(header.height.0, members);
            header.next_guardians_hash = self.next.set.hash(self.chain());
        }
        self.checkpoints.push(signing.finalise(&header, &signing.all()));
        self.signed_by.push(signing);
    }

    pub(crate) fn tip(&self) -> Tip {
        let last = self.checkpoints.last().map(|checkpoint| &checkpoint.header);
        Tip {
            final_height: last.map_or(Height(0), |header| header.height),
            final_block: last.map(Header::id).unwrap_or_default(),
            chain: Bounded::new(),
            certificate: Certificate::genesis(),
        }
    }

    /// What an honest source serves.
    pub(crate) fn file(&self, file: &File) -> Option<Vec<u8>> {
        let chain = self.chain();
        let sets = || self.signed_by.iter().chain([&self.next]);
        let set = |hash: &Hash| sets().find(|keys| keys.set.hash(chain) == *hash);
        let mut all = self.checkpoints.iter();
        Some(match file {
            File::Spec(_) => encode(&self.spec),
            File::Tip => encode(&self.tip()),
            File::Checkpoint(block) => encode(all.find(|held| held.header.id() == *block)?),
            File::Final(height) => encode(all.find(|held| held.header.height == *height)?),
            File::Guardians(hash) => encode(&set(hash)?.set),
            File::Change(hash) => {
                let ends = |h: &Header| h.guardians_hash == *hash && h.next_guardians_hash != *hash;
                let checkpoint = all.find(|held| ends(&held.header))?.clone();
                let elected = set(&checkpoint.header.next_guardians_hash)?.set.clone();
                encode(&Change { checkpoint, elected })
            }
            File::News => encode(&News { tip: self.tip(), headers: Bounded::new() }),
            File::Header(_) | File::Validators(_) | File::Span(_) | File::Body(_) => return None,
        })
    }
}

/// A client with what it was told and what it said.
pub(crate) struct Host {
    pub(crate) light: Light,
    pub(crate) now: Moment,
    pub(crate) clock: UnixMillis,
    pub(crate) refused: Vec<LightError>,
    pub(crate) stored: Stored,
    /// Files served, and their bytes.
    pub(crate) files: usize,
    pub(crate) bytes: usize,
}

impl Host {
    pub(crate) fn new(config: Config, stored: Stored) -> Self {
        let mut host = Self {
            light: Light::new(config),
            now: Moment::ZERO,
            clock: UnixMillis(1_000_000),
            refused: Vec::new(),
            stored: stored.clone(),
            files: 0,
            bytes: 0,
        };
        let mut out = Vec::new();
        host.light.handle(host.now, host.clock, Input::Loaded(stored), &mut out);
        let first = [File::Spec(config.chain), File::Tip];
        assert_eq!(out, first.map(|file| Output::Fetch(Source::NODE, file)));
        host
    }

    /// A client of `line` that starts at genesis.
    pub(crate) fn of(line: &Line) -> Self {
        Self::new(config(line.chain()), Stored::default())
    }

    /// Answers everything, beginning with what is in flight, until the client asks no more.
    pub(crate) fn run(&mut self, serve: impl Fn(Source, &File) -> Option<Vec<u8>>) -> &mut Self {
        let mut out: Vec<_> =
            self.light.in_flight.iter().map(|(s, f)| Output::Fetch(*s, f.clone())).collect();
        let mut served = 0;
        while let Some(output) = (!out.is_empty()).then(|| out.remove(0)) {
            match output {
                Output::Fetch(source, file) => {
                    served += 1;
                    assert!(served < 100_000, "asks for ever");
                    let input = match serve(source, &file) {
                        Some(bytes) => {
                            self.files += 1;
                            self.bytes += bytes.len();
                            Input::Fetched(source, file, bytes)
                        }
                        None => Input::Missing(source, file),
                    };
                    self.light.handle(self.now, self.clock, input, &mut out);
                }
                Output::Refused(error) => self.refused.push(error),
                Output::Keep(bytes) => self.stored.trust = Some(bytes),
                Output::KeepFork(bytes) => self.stored.fork = Some(bytes),
                Output::Advanced | Output::Alarm => {}
            }
        }
        self
    }

    /// Lets the next deadline pass, then answers everything.
    pub(crate) fn tick(&mut self, serve: impl Fn(Source, &File) -> Option<Vec<u8>>) -> &mut Self {
        self.now = self.light.deadline().unwrap_or(self.now).max(self.now);
        let mut out = Vec::new();
        self.light.handle(self.now, self.clock, Input::Tick, &mut out);
        self.refused.extend(out.into_iter().filter_map(|output| match output {
            Output::Refused(error) => Some(error),
            _ => None,
        }));
        self.run(serve)
    }

    pub(crate) fn final_height(&self) -> Option<u64> {
        self.light.head(Level::Final).map(|head| head.header.height.0)
    }
}
