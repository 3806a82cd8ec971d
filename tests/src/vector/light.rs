//! The model-based tests of tendermint-rs, through `chain::light::Trusted`: one step of a light client each.
//!
//! | there | here |
//! |---|---|
//! | validator, voting power | guardian, weight; its key is derived from its id |
//! | every height is verified | `T` = 1, skipping on |
//! | the trusted header with its next validators | a checkpoint that the application ships, signed by those it commits |
//! | a commit's votes | one certificate; who is not in the set has no bit, so its vote only spoils the aggregate |
//! | `SUCCESS` | accepted, and trusted at the next step |
//! | `NOT_ENOUGH_TRUST` | [`LightError::NotEnoughTrust`] |
//! | `INVALID` | any other [`LightError`] |

use super::{Log, Verdict};
use antiphon_core::{
    amount::Amount,
    chain::{
        beacon::ProposerOrder,
        certificate::{Certificate, FinalityCertificate, FinalityVote, Signers},
        header::Header,
        light::{Checkpoint, LightError, Rules, Sets, Skipping, Trusted},
        set::{Guardian, GuardianSet, Validator, ValidatorSet},
        spec::ChainSpec,
    },
    codec::{Bounded, Text},
    crypto::{
        Hash, PublicKey, Tagged,
        bls::{BlsPublicKey, BlsSecretKey, BlsSignature},
    },
    id::Height,
    payment::{field::FieldRules, reservation::PoolRules},
    time::UnixMillis,
};
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct File {
    file: String,
    initial: Initial,
    trusting_period: u64,
    steps: Vec<Step>,
}

#[derive(Deserialize)]
struct Initial {
    height: u64,
    time: u64,
    next: Powers,
}

#[derive(Deserialize)]
struct Step {
    height: u64,
    time: u64,
    validators: Powers,
    next: Powers,
    votes: Vec<String>,
    now: u64,
    verdict: String,
}

/// Weights by id.
type Powers = BTreeMap<String, u64>;

/// Runs `light-client.json`: one verdict a step, each file's steps in order. The case names file, step and our own word.
///
/// # Errors
/// A text that is not that file.
pub fn light_client(text: &str) -> serde_json::Result<Log> {
    let files: Vec<File> = serde_json::from_str(text)?;
    let mut keys = Keys::default();
    let mut verdicts = Vec::new();
    for file in &files {
        let run = run(file, &mut keys).ok_or_else(|| {
            serde::de::Error::custom(format!("{} has no initial checkpoint", file.file))
        })?;
        verdicts.extend(run);
    }
    Ok(Log(verdicts))
}

fn run(file: &File, keys: &mut Keys) -> Option<Vec<Verdict>> {
    let spec = spec(file.trusting_period)?;
    let rules = Rules::of(&spec, Skipping::On);
    let mut next = keys.set(&file.initial.next);
    let Initial { height, time, .. } = file.initial;
    let header = header(&spec, (height, time), &next, &next);
    let all: Vec<&str> = file.initial.next.keys().map(String::as_str).collect();
    let first = keys.checkpoint(header, &next, &all);
    let clock = UnixMillis(time.saturating_mul(1000));
    let mut trusted = Trusted::alone(&rules, clock, &first, &next).ok()?;
    let mut verdicts = Vec::new();
    for (number, step) in file.steps.iter().enumerate() {
        let (signing, committed) = (keys.set(&step.validators), keys.set(&step.next));
        let header = self::header(&spec, (step.height, step.time), &signing, &committed);
        let votes: Vec<&str> = step.votes.iter().map(String::as_str).collect();
        let checkpoint = keys.checkpoint(header, &signing, &votes);
        let clock = UnixMillis(step.now.saturating_mul(1000));
        let sets = Sets { trusted: Some(&next), signing: Some(&signing) };
        let outcome = trusted.advance(&rules, clock, &checkpoint, sets);
        let (word, code) = match &outcome {
            Ok(_) => ("SUCCESS", "ok"),
            Err(error @ LightError::NotEnoughTrust { .. }) => ("NOT_ENOUGH_TRUST", error.code()),
            Err(error) => ("INVALID", error.code()),
        };
        // A verdict of three words: `is_accepted` says whether ours is the file's.
        verdicts.push(Verdict {
            case: format!("{} {number} {}: {word} {code}", file.file, step.verdict),
            is_valid: true,
            is_accepted: word == step.verdict,
        });
        if let Ok(accepted) = outcome {
            (trusted, next) = (accepted, committed);
        }
    }
    Some(verdicts)
}

/// Keys by id, each derived once.
#[derive(Default)]
struct Keys(BTreeMap<String, (BlsSecretKey, BlsPublicKey)>);

impl Keys {
    fn of(&mut self, id: &str) -> Option<(BlsSecretKey, BlsPublicKey)> {
        if !self.0.contains_key(id) {
            let secret = BlsSecretKey::from_seed(&Hash::of(&[id.as_bytes()]).0).ok()?;
            let public = secret.public();
            self.0.insert(id.to_owned(), (secret, public));
        }
        self.0.get(id).cloned()
    }

    fn set(&mut self, powers: &Powers) -> GuardianSet {
        let member = |(id, weight): (&String, &u64)| {
            self.of(id).map(|(_, key)| Guardian { key, weight: *weight })
        };
        let mut members: Vec<Guardian> = powers.iter().filter_map(member).collect();
        members.sort_by_key(|member| member.key);
        let sum = BlsPublicKey::aggregate(members.iter().map(|member| &member.key));
        // Some files have empty sets; their sum is no point, and nothing verifies under them.
        let aggregate = sum.unwrap_or(BlsPublicKey([0; 96]));
        let members = Bounded::try_from(members).unwrap_or_default();
        GuardianSet { since: Height(0), members, aggregate }
    }

    fn checkpoint(&mut self, header: Header, set: &GuardianSet, votes: &[&str]) -> Checkpoint {
        let (guardians_hash, height, block) = (header.guardians_hash, header.height, header.id());
        let digest = FinalityVote { guardians_hash, height, block }.digest(header.chain_id);
        let mut places = Vec::new();
        let mut shares = Vec::new();
        for (secret, public) in votes.iter().filter_map(|id| self.of(id)) {
            shares.push(secret.sign(digest));
            places.extend(set.members.iter().position(|member| member.key == public));
        }
        let signature = BlsSignature::aggregate(&shares).unwrap_or(BlsSignature([0; 96]));
        let signers = Signers::bitmap(set.members.len(), places);
        let signers = signers.unwrap_or(Signers::Bitmap(Bounded::default()));
        let certificate = FinalityCertificate { height, block, signers, signature };
        Checkpoint { header, certificate }
    }
}

fn header(
    spec: &ChainSpec,
    (height, time): (u64, u64),
    signing: &GuardianSet,
    next: &GuardianSet,
) -> Header {
    Header {
        height: Height(height),
        time: UnixMillis(time.saturating_mul(1000)),
        guardians_hash: signing.hash(spec.chain_id()),
        next_guardians_hash: next.hash(spec.chain_id()),
        hcc: Certificate::genesis(),
        ..Header::genesis(spec, Hash([1; 32]))
    }
}

/// A chain on which every block is a checkpoint, no header is dated ahead, and trust lasts so many seconds.
fn spec(trusting_period: u64) -> Option<ChainSpec> {
    let member = Validator { key: PublicKey([1; 32]), weight: 1 };
    let members = Bounded::try_from(vec![member]).unwrap_or_default();
    Some(ChainSpec {
        name: Text::try_from("vectors").ok()?,
        genesis_time: UnixMillis(0),
        block_ms: 1000,
        checkpoint_interval: 1,
        drift: 0,
        trusting_period: trusting_period.saturating_mul(1000),
        fee: Amount::ZERO,
        pool: PoolRules {
            bounty: Amount::ZERO,
            inclusion_margin: 1,
            min_duration: 1,
            max_duration: 1,
            freeze: 1,
        },
        field: FieldRules::for_chain(1, 1000),
        order: ProposerOrder::default(),
        upgrade: None,
        stake: None,
        validators: ValidatorSet { since: Height(0), members },
        guardians: Keys::default().set(&Powers::from([(String::from("n1"), 1)])),
        accounts: Bounded::new(),
        stakers: Bounded::new(),
        origin: None,
    })
}
