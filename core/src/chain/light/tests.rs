//! A small real chain, signed by real keys, and every lie a source may tell about it.

#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "a liar lies about one file and is honest about the rest"
)]

mod changes;
pub(crate) mod line;
mod pace;
mod terms;
mod witnesses;

use super::*;
use crate::{
    amount::Amount,
    chain::{
        Level,
        beacon::ProposerOrder,
        certificate::{
            Certificate, CertificateError, Counts, FinalityCertificate, FinalityVote,
            IndexedSignature, Signers, Vote,
        },
        set::{Guardian, Validator},
    },
    codec::{Bounded, DecodeError, Text, encode},
    crypto::{
        SecretKey, Tagged,
        bls::{BlsPublicKey, BlsSecretKey, BlsSignature},
    },
    id::Height,
    payment::{field::FieldRules, reservation::PoolRules},
};

pub(crate) const NOW: UnixMillis = UnixMillis(1_000_000);

/// A client that starts at genesis and has no witness.
pub(crate) const fn config(chain: ChainId) -> Config {
    Config { chain, anchor: Anchor::Genesis, skipping: Skipping::Off, witnesses: 0 }
}

pub(crate) struct World {
    pub(crate) spec: ChainSpec,
    validators: Vec<SecretKey>,
    guardians: Vec<BlsSecretKey>,
    /// Headers from height 1 on.
    pub(crate) headers: Vec<Header>,
}

impl World {
    /// A chain of `height` blocks, each carrying its parent's certificate.
    pub(crate) fn new(height: u64) -> Self {
        let (validators, guardians) = test_keys();
        let spec = spec(&validators, &guardians);
        let mut world = Self { spec, validators, guardians, headers: Vec::new() };
        for _ in 0..height {
            world.push(|_| {});
        }
        world
    }

    /// Adds a block that differs from the usual one.
    pub(crate) fn push(&mut self, alter: impl FnOnce(&mut Header)) {
        let mut next = self.next_header();
        alter(&mut next);
        self.headers.push(next);
    }

    pub(crate) fn chain(&self) -> ChainId {
        self.spec.chain_id()
    }

    /// The same chain again, to be continued in another way.
    pub(crate) fn copy(&self) -> Self {
        let (validators, guardians) = test_keys();
        Self { spec: self.spec.clone(), validators, guardians, headers: self.headers.clone() }
    }

    pub(crate) fn next_header(&self) -> Header {
        let height = self.headers.len() as u64 + 1;
        let mut header = Header::genesis(&self.spec, Hash([1; 32]));
        if let Some(parent) = self.headers.last() {
            header.parent = parent.id();
            header.hcc = self.certify(parent, &[0, 1, 2]);
        }
        header.height = Height(height);
        header.epoch = crate::id::Epoch(height);
        header.time = UnixMillis(self.spec.genesis_time.0 + height);
        let checkpoints = self.headers.iter().rev().filter(|h| self.spec.is_checkpoint(h.height));
        header.cp_link = checkpoints.map(Header::id).next().unwrap_or_default();
        header
    }

    pub(crate) fn certify(&self, header: &Header, signers: &[u16]) -> Certificate {
        let vote = Vote {
            validators_hash: header.validators_hash,
            height: header.height,
            block: header.id(),
        };
        let sign = |i: &u16| IndexedSignature {
            index: *i,
            signature: self.validators[usize::from(*i)].sign(self.chain(), &vote),
        };
        let signatures = signers.iter().map(sign).collect::<Vec<_>>();
        Certificate {
            block: header.id(),
            height: header.height,
            signatures: Bounded::try_from(signatures).unwrap(),
        }
    }

    pub(crate) fn finalise(&self, header: &Header, signers: &[usize]) -> Checkpoint {
        let vote = FinalityVote {
            guardians_hash: header.guardians_hash,
            height: header.height,
            block: header.id(),
        };
        let digest = vote.digest(self.chain());
        let shares: Vec<_> = signers.iter().map(|i| self.guardians[*i].sign(digest)).collect();
        let certificate = FinalityCertificate {
            height: header.height,
            block: header.id(),
            signers: Signers::bitmap(self.guardians.len(), signers.iter().copied()).unwrap(),
            signature: BlsSignature::aggregate(&shares).unwrap(),
        };
        Checkpoint { header: header.clone(), certificate }
    }

    pub(crate) fn header(&self, height: usize) -> &Header {
        &self.headers[height - 1]
    }

    /// What an honest node serves when `final_height` is the newest final checkpoint.
    pub(crate) fn tip(&self, final_height: usize) -> Tip {
        let above: Vec<_> = self.headers[final_height..].iter().map(Header::id).collect();
        let certified = &self.headers[self.headers.len() - 2];
        Tip {
            final_height: Height(final_height as u64),
            final_block: final_height
                .checked_sub(1)
                .map(|i| self.headers[i].id())
                .unwrap_or_default(),
            chain: Bounded::try_from(above).unwrap(),
            certificate: self.certify(certified, &[1, 2, 3]),
        }
    }

    pub(crate) fn honest(&self, file: &File, final_height: usize) -> Vec<u8> {
        let named = |id: &BlockId| self.headers.iter().find(|h| h.id() == *id).unwrap();
        match file {
            File::Spec(_) => encode(&self.spec),
            File::Tip => encode(&self.tip(final_height)),
            File::Header(id) => encode(named(id)),
            File::Checkpoint(id) => encode(&self.finalise(named(id), &[0, 1, 2, 3, 4])),
            File::Guardians(_) => encode(&self.spec.guardians),
            File::Validators(_) => encode(&self.spec.validators),
            File::Final(height) => {
                let header = self.headers.iter().find(|h| h.height == *height).unwrap();
                encode(&self.finalise(header, &[0, 1, 2, 3, 4]))
            }
            File::Span(id) => {
                let top = named(id).height.0;
                let between = |h: &&Header| top - 10 < h.height.0 && h.height.0 < top;
                let span: Vec<_> = self.headers.iter().filter(between).cloned().collect();
                encode(&Span::try_from(span).unwrap())
            }
            File::News => encode(&News { tip: self.tip(final_height), headers: Bounded::new() }),
            File::Change(_) | File::Body(_) => Vec::new(),
        }
    }
}

/// Four validators and seven guardians, in the order of their sets.
pub(crate) fn test_keys() -> (Vec<SecretKey>, Vec<BlsSecretKey>) {
    let mut validators: Vec<_> = (1..=4).map(|i| SecretKey::from_bytes(&[i; 32])).collect();
    validators.sort_by_key(SecretKey::public);
    let mut guardians: Vec<_> =
        (1..=7).map(|i| BlsSecretKey::from_seed(&[i; 32]).unwrap()).collect();
    guardians.sort_by_key(BlsSecretKey::public);
    (validators, guardians)
}

pub(crate) fn spec(validators: &[SecretKey], guardians: &[BlsSecretKey]) -> ChainSpec {
    let validators: Vec<_> =
        validators.iter().map(|key| Validator { key: key.public(), weight: 1 }).collect();
    let guardians: Vec<_> =
        guardians.iter().map(|key| Guardian { key: key.public(), weight: 1 }).collect();
    let aggregate = BlsPublicKey::aggregate(guardians.iter().map(|g| &g.key)).unwrap();
    ChainSpec {
        name: Text::try_from("test").unwrap(),
        genesis_time: UnixMillis(900_000),
        block_ms: 1000,
        checkpoint_interval: 10,
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
        validators: ValidatorSet {
            since: Height(0),
            members: Bounded::try_from(validators).unwrap(),
        },
        guardians: GuardianSet {
            since: Height(0),
            members: Bounded::try_from(guardians).unwrap(),
            aggregate,
        },
        accounts: Bounded::new(),
        stakers: Bounded::new(),
        origin: None,
    }
}

/// Starts a client and answers everything it asks with `serve`, until it asks nothing.
pub(crate) fn run(world: &World, serve: impl Fn(&File) -> Vec<u8>) -> (Light, Vec<LightError>) {
    let mut light = Light::new(config(world.chain()));
    let mut refused = Vec::new();
    let mut out = Vec::new();
    light.handle(Moment::ZERO, NOW, Input::Loaded(Stored::default()), &mut out);
    drain(&mut light, &mut out, &mut refused, serve);
    (light, refused)
}

fn drain(
    light: &mut Light,
    out: &mut Vec<Output>,
    refused: &mut Vec<LightError>,
    serve: impl Fn(&File) -> Vec<u8>,
) {
    let mut served = 0;
    while let Some(output) = (!out.is_empty()).then(|| out.remove(0)) {
        match output {
            Output::Fetch(source, file) => {
                served += 1;
                assert!(served < 200, "asks for ever");
                let bytes = serve(&file);
                light.handle(Moment::ZERO, NOW, Input::Fetched(source, file, bytes), out);
            }
            Output::Refused(error) => refused.push(error),
            Output::Keep(_) | Output::KeepFork(_) | Output::Advanced | Output::Alarm => {}
        }
    }
}

fn heights(light: &Light) -> [Option<u64>; 3] {
    [Level::Included, Level::Settled, Level::Final]
        .map(|level| light.head(level).map(|head| head.header.height.0))
}

#[test]
fn an_honest_source_moves_all_three_heads() {
    let world = World::new(25);
    let (light, refused) = run(&world, |file| world.honest(file, 20));
    assert_eq!(refused, []);
    assert_eq!(heights(&light), [Some(25), Some(23), Some(20)]);
    assert_eq!(light.signers(), (5, 7));
}

#[test]
fn a_newcomer_has_its_heads_after_two_turns() {
    let world = World::new(25);
    let (mut light, mut out) = (Light::new(config(world.chain())), Vec::new());
    light.handle(Moment::ZERO, NOW, Input::Loaded(Stored::default()), &mut out);
    for _ in 0..2 {
        // What was asked for in one turn is answered before the next.
        for output in core::mem::take(&mut out) {
            if let Output::Fetch(source, file) = output {
                let bytes = world.honest(&file, 20);
                light.handle(Moment::ZERO, NOW, Input::Fetched(source, file, bytes), &mut out);
            }
        }
    }
    assert_eq!(heights(&light), [Some(25), Some(23), Some(20)]);
}

#[test]
fn before_the_first_checkpoint_blocks_settle_from_genesis() {
    let world = World::new(6);
    let (light, refused) = run(&world, |file| world.honest(file, 0));
    assert_eq!(refused, []);
    assert_eq!(heights(&light), [Some(6), Some(4), None]);
}

#[test]
fn a_certificate_below_quorum_finalises_nothing() {
    let world = World::new(25);
    let weak = encode(&world.finalise(world.header(20), &[0, 1, 2, 3]));
    let (light, refused) = run(&world, |file| match file {
        File::Checkpoint(_) => weak.clone(),
        other => world.honest(other, 20),
    });
    assert_eq!(refused, [CertificateError::BelowQuorum { weight: 4, quorum: 5 }.into()]);
    assert_eq!(light.head(Level::Final), None);
}

/// A2.17: a client takes both forms by one rule.
#[test]
fn a_certificate_with_counts_is_as_good_as_one_with_bits() {
    let world = World::new(25);
    let counts = |list: [u32; 7]| Signers::Counts(Counts::new(list.to_vec()).unwrap());
    let mut counted = world.finalise(world.header(20), &[0, 1, 2, 3, 4]);
    counted.certificate.signers = counts([1, 1, 1, 1, 1, 0, 0]);
    let mut lie = counted.clone();
    lie.certificate.signers = counts([1, 1, 1, 1, 2, 0, 0]);
    let serve = |checkpoint: &Checkpoint| {
        let bytes = encode(checkpoint);
        run(&world, |file| match file {
            File::Checkpoint(_) => bytes.clone(),
            other => world.honest(other, 20),
        })
    };
    let (light, refused) = serve(&counted);
    assert!(refused.is_empty(), "{refused:?}");
    assert_eq!(heights(&light)[2], Some(20));
    assert_eq!(light.signers(), (5, 7));
    let (light, refused) = serve(&lie);
    assert_eq!(refused, [CertificateError::BadSignature.into()]);
    assert_eq!(light.head(Level::Final), None);
}

#[test]
fn a_bitmap_that_claims_more_than_signed_is_refused() {
    let world = World::new(25);
    let bitmap = |byte| Signers::Bitmap(Bounded::try_from(alloc::vec![byte]).unwrap());
    let mut padded = world.finalise(world.header(20), &[0, 1, 2, 3, 4]);
    padded.certificate.signers = bitmap(0b0111_1111);
    let mut spare = world.finalise(world.header(20), &[0, 1, 2, 3, 4]);
    spare.certificate.signers = bitmap(0b1001_1111);
    for (lie, error) in
        [(padded, CertificateError::BadSignature), (spare, CertificateError::UnknownSigner)]
    {
        let bytes = encode(&lie);
        let (light, refused) = run(&world, |file| match file {
            File::Checkpoint(_) => bytes.clone(),
            other => world.honest(other, 20),
        });
        assert_eq!(refused, [error.into()]);
        assert_eq!(light.head(Level::Final), None);
    }
}

#[test]
fn another_chain_is_refused_at_its_spec_and_at_its_headers() {
    let world = World::new(25);
    let mut foreign = world.spec.clone();
    foreign.block_ms += 1;
    let foreign = encode(&foreign);
    let (light, refused) = run(&world, |file| match file {
        File::Spec(_) => foreign.clone(),
        other => world.honest(other, 20),
    });
    assert_eq!((refused, light.spec()), (alloc::vec![LightError::WrongSpec], None));
    let mut header = world.header(20).clone();
    header.chain_id = ChainId(Hash([9; 32]));
    let bytes = encode(&world.finalise(&header, &[0, 1, 2, 3, 4]));
    let (light, refused) = run(&world, |file| match file {
        File::Checkpoint(_) => bytes.clone(),
        other => world.honest(other, 20),
    });
    assert_eq!(refused, [LightError::WrongChain]);
    assert_eq!(light.head(Level::Final), None);
}

#[test]
fn a_child_that_does_not_carry_its_parents_certificate_settles_nothing() {
    let mut world = World::new(6);
    // Case 2: both blocks are certified, but the child's header carries an older certificate.
    world.headers[4].hcc = world.certify(&world.headers[2].clone(), &[0, 1, 2]);
    world.headers.truncate(5);
    let last = world.next_header();
    world.headers.push(last);
    let (light, refused) = run(&world, |file| world.honest(file, 0));
    assert_eq!((refused, heights(&light)), (Vec::new(), [Some(6), None, None]));
}

#[test]
fn a_double_counted_vote_certifies_nothing() {
    let world = World::new(6);
    for (signers, error) in [
        (&[1, 1, 1][..], CertificateError::Unsorted),
        (&[2, 1, 3], CertificateError::Unsorted),
        (&[0, 1], CertificateError::BelowQuorum { weight: 2, quorum: 3 }),
    ] {
        let mut tip = world.tip(0);
        tip.certificate = world.certify(world.header(5), signers);
        let bytes = encode(&tip);
        let (light, refused) = run(&world, |file| match file {
            File::Tip => bytes.clone(),
            other => world.honest(other, 0),
        });
        assert!(!refused.is_empty() && refused.iter().all(|e| *e == error.into()), "{refused:?}");
        assert_eq!(light.head(Level::Settled), None);
    }
}

#[test]
fn a_file_that_is_not_what_its_name_says_is_refused() {
    let world = World::new(25);
    let other = encode(world.header(3));
    let (light, refused) = run(&world, |file| match file {
        File::Header(_) => other.clone(),
        file => world.honest(file, 20),
    });
    assert_eq!(refused, [LightError::WrongContent; 5]);
    assert_eq!(heights(&light), [Some(20), Some(20), Some(20)], "final stands on its own");
    let (_, refused) = run(&world, |file| match file {
        File::Tip => alloc::vec![0; 7],
        file => world.honest(file, 20),
    });
    assert_eq!(refused, [DecodeError::Truncated.into()]);
}

#[test]
fn a_checkpoint_from_the_future_or_after_the_trusting_period_is_refused() {
    let world = World::new(25);
    let start = |clock: UnixMillis| {
        let mut light = Light::new(config(world.chain()));
        let (mut out, mut refused) = (Vec::new(), Vec::new());
        light.handle(Moment::ZERO, clock, Input::Loaded(Stored::default()), &mut out);
        while let Some(output) = (!out.is_empty()).then(|| out.remove(0)) {
            match output {
                Output::Fetch(source, file) => {
                    let bytes = world.honest(&file, 20);
                    let fetched = Input::Fetched(source, file, bytes);
                    light.handle(Moment::ZERO, clock, fetched, &mut out);
                }
                Output::Refused(error) => refused.push(error),
                Output::Keep(_) | Output::KeepFork(_) | Output::Advanced | Output::Alarm => {}
            }
        }
        refused
    };
    let dated = world.header(20).time.0;
    assert_eq!(start(UnixMillis(dated - 1001)), [LightError::FromFuture]);
    assert_eq!(start(UnixMillis(dated - 1000)), []);
    let expiry = world.spec.genesis_time.0 + world.spec.trusting_period;
    assert_eq!(start(UnixMillis(expiry)), [LightError::TrustExpired]);
    assert_eq!(start(UnixMillis(expiry - 1)), []);
}

#[test]
fn what_was_stored_is_verified_again() {
    let world = World::new(25);
    let good = world.finalise(world.header(10), &[0, 1, 2, 3, 4]);
    let bad = world.finalise(world.header(10), &[0, 1]);
    for (stored, height) in [(good, Some(10)), (bad, None)] {
        let mut light = Light::new(config(world.chain()));
        let mut out = Vec::new();
        let guardians = world.spec.guardians.clone();
        let kept = Kept { anchor: Anchor::Genesis, checkpoint: stored, guardians };
        let stored = Stored { trust: Some(kept.to_bytes()), fork: None };
        light.handle(Moment::ZERO, NOW, Input::Loaded(stored), &mut out);
        let name = File::Spec(world.chain());
        let spec = Input::Fetched(Source::NODE, name, encode(&world.spec));
        light.handle(Moment::ZERO, NOW, spec, &mut out);
        assert_eq!(heights(&light)[2], height);
    }
}

#[test]
fn a_lost_source_is_asked_again_ever_more_slowly_until_it_is_back() {
    let world = World::new(25);
    let mut light = Light::new(config(world.chain()));
    let mut out = Vec::new();
    let mut now = Moment::ZERO;
    light.handle(now, NOW, Input::Loaded(Stored::default()), &mut out);
    light.handle(now, NOW, Input::Missing(Source::NODE, File::Tip), &mut out);
    let mut waits = Vec::new();
    for _ in 0..6 {
        let asked = out.drain(..).find(|o| matches!(o, Output::Fetch(Source::NODE, File::Spec(_))));
        assert!(asked.is_some());
        light.handle(now, NOW, Input::Missing(Source::NODE, File::Spec(world.chain())), &mut out);
        let due = light.deadline().unwrap();
        light.handle(Moment::from_millis(due.as_millis() - 1), NOW, Input::Tick, &mut out);
        assert_eq!(out, [], "one millisecond early nothing happens");
        waits.push(due.since(now).as_millis());
        now = due;
        light.handle(now, NOW, Input::Tick, &mut out);
        assert!(light.deadline().unwrap() > due);
    }
    assert_eq!(waits, [1000, 2000, 4000, 5000, 5000, 5000]);
    let mut refused = Vec::new();
    drain(&mut light, &mut out, &mut refused, |file| world.honest(file, 20));
    assert_eq!((refused, heights(&light)[2]), (Vec::new(), Some(20)));
}
