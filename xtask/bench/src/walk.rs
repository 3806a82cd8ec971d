//! A light client that has slept over changes of guardians: from genesis to the newest checkpoint, beside the bare signatures
//! that it cannot do without.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use antiphon_core::amount::Amount;
use antiphon_core::chain::Level;
use antiphon_core::chain::beacon::ProposerOrder;
use antiphon_core::chain::certificate::{Certificate, FinalityCertificate, FinalityVote, Signers};
use antiphon_core::chain::header::Header;
use antiphon_core::chain::light::{
    Anchor, Change, Checkpoint, Config, File, Input, Light, Output, Skipping, Source, Stored, Tip,
};
use antiphon_core::chain::set::{Guardian, GuardianSet, Validator, ValidatorSet};
use antiphon_core::chain::spec::ChainSpec;
use antiphon_core::codec::{self, Bounded, Text};
use antiphon_core::crypto::bls::{BlsPublicKey, BlsSecretKey, BlsSignature};
use antiphon_core::crypto::{Hash, SecretKey, Tagged as _};
use antiphon_core::id::Height;
use antiphon_core::payment::{field::FieldRules, reservation::PoolRules};
use antiphon_core::time::{Moment, UnixMillis};
use anyhow::{Context as _, Result, ensure};

use crate::{pair, print};

const GUARDIANS: u8 = 7;
const INTERVAL: u64 = 16;
const BEGIN: UnixMillis = UnixMillis(1_800_000_000_000);
/// More changes than these are walked over once, natively: that takes long enough to be no accident.
const MANY: u64 = 1000;

/// Walks over so many changes.
///
/// # Errors
///
/// The client does not arrive.
pub(crate) fn measure(changes: u64) -> Result<()> {
    let world = World::new(changes)?;
    let began = Instant::now();
    let bytes = world.walk()?;
    let walked = began.elapsed();
    let name = format!("light client: genesis to head over {changes} changes, {bytes} bytes");
    let bare_name = format!("BLS: verify {changes} signatures");
    let (key, digest) = (world.keys.first().context("a key")?, Hash([9; 32]));
    let (public, signature) = (key.public(), key.sign(digest));
    let bare = || (0..changes).all(|_| public.verify(digest, &signature).is_ok());
    if changes < MANY {
        return pair(&name, &|| world.walk().is_ok(), &bare_name, &bare);
    }
    let began = Instant::now();
    ensure!(bare(), "a signature does not verify");
    let (ours, theirs) = (nanos(walked), nanos(began.elapsed()));
    print(&name, ours, &bare_name, theirs, ours / theirs);
    Ok(())
}

fn nanos(time: Duration) -> f64 {
    time.as_secs_f64() * 1e9
}

/// A chain whose guardians change at every checkpoint, as light files.
struct World {
    spec: ChainSpec,
    keys: Vec<BlsSecretKey>,
    files: BTreeMap<File, Vec<u8>>,
    last: Height,
}

impl World {
    fn new(changes: u64) -> Result<Self> {
        let keys = (0..GUARDIANS).map(|n| BlsSecretKey::from_seed(&[n + 1; 32]));
        let keys = keys.collect::<Result<Vec<_>, _>>()?;
        let spec = spec(&set(&keys, Height(0))?)?;
        let chain = spec.chain_id();
        let mut files = BTreeMap::new();
        files.insert(File::Spec(chain), codec::encode(&spec));
        let mut signing = spec.guardians.clone();
        let mut newest = None;
        for number in 1..=changes {
            let height = Height(number * INTERVAL);
            let elected = set(&keys, height)?;
            let header = Header {
                height,
                time: UnixMillis(BEGIN.0 + number),
                guardians_hash: signing.hash(chain),
                next_guardians_hash: elected.hash(chain),
                ..Header::genesis(&spec, Hash([1; 32]))
            };
            let certificate = certificate(&keys, &signing, &header)?;
            let checkpoint = Checkpoint { header, certificate };
            newest = Some((checkpoint.header.id(), codec::encode(&checkpoint)));
            let change = codec::encode(&Change { checkpoint, elected: elected.clone() });
            files.insert(File::Change(signing.hash(chain)), change);
            signing = elected;
        }
        let (block, bytes) = newest.context("at least one change")?;
        files.insert(File::Checkpoint(block), bytes);
        let last = Height(changes * INTERVAL);
        let (chain, certificate) = (Bounded::new(), Certificate::genesis());
        let tip = Tip { final_height: last, final_block: block, chain, certificate };
        files.insert(File::Tip, codec::encode(&tip));
        Ok(Self { spec, keys, files, last })
    }

    /// Starts a client that knows nothing but the chain's id, and returns how many bytes it fetched until it is there.
    fn walk(&self) -> Result<usize> {
        let config = Config {
            chain: self.spec.chain_id(),
            anchor: Anchor::Genesis,
            skipping: Skipping::Off,
            witnesses: 0,
        };
        let mut light = Light::new(config);
        let (mut inputs, mut bytes) = (vec![Input::Loaded(Stored::default())], 0);
        let clock = UnixMillis(BEGIN.0 + self.last.0);
        while let Some(input) = inputs.pop() {
            let mut out = Vec::new();
            light.handle(Moment::ZERO, clock, input, &mut out);
            for output in out {
                match output {
                    Output::Fetch(Source::NODE, file) => inputs.push(match self.files.get(&file) {
                        Some(body) => {
                            bytes += body.len();
                            Input::Fetched(Source::NODE, file, body.clone())
                        }
                        None => Input::Missing(Source::NODE, file),
                    }),
                    Output::Refused(error) => return Err(error.into()),
                    Output::Fetch(..)
                    | Output::Keep(_)
                    | Output::KeepFork(_)
                    | Output::Advanced
                    | Output::Alarm => {}
                }
            }
        }
        let head = light.head(Level::Final).map(|head| head.header.height);
        ensure!(head == Some(self.last), "the client is at {head:?} of {:?}", self.last);
        Ok(bytes)
    }
}

fn set(keys: &[BlsSecretKey], since: Height) -> Result<GuardianSet> {
    let mut public: Vec<_> = keys.iter().map(BlsSecretKey::public).collect();
    public.sort_unstable();
    let aggregate = BlsPublicKey::aggregate(&public)?;
    let members: Vec<_> = public.into_iter().map(|key| Guardian { key, weight: 1 }).collect();
    Ok(GuardianSet { since, members: Bounded::try_from(members)?, aggregate })
}

fn certificate(
    keys: &[BlsSecretKey],
    set: &GuardianSet,
    header: &Header,
) -> Result<FinalityCertificate> {
    let (height, block) = (header.height, header.id());
    let guardians_hash = set.hash(header.chain_id);
    let digest = FinalityVote { guardians_hash, height, block }.digest(header.chain_id);
    let shares: Vec<_> = keys.iter().map(|key| key.sign(digest)).collect();
    let signers = Signers::bitmap(keys.len(), 0..keys.len()).context("too many guardians")?;
    Ok(FinalityCertificate { height, block, signers, signature: BlsSignature::aggregate(&shares)? })
}

fn spec(guardians: &GuardianSet) -> Result<ChainSpec> {
    let validator = Validator { key: SecretKey::from_bytes(&[1; 32]).public(), weight: 1 };
    Ok(ChainSpec {
        name: Text::try_from("walk")?,
        genesis_time: BEGIN,
        block_ms: 1000,
        checkpoint_interval: INTERVAL,
        drift: 10_000,
        trusting_period: 14 * 24 * 3_600_000,
        fee: Amount::ZERO,
        pool: PoolRules::for_chain(1, INTERVAL),
        field: FieldRules::for_chain(4, 1000),
        order: ProposerOrder::RoundRobin,
        upgrade: None,
        stake: None,
        validators: ValidatorSet { since: Height(0), members: Bounded::try_from(vec![validator])? },
        guardians: guardians.clone(),
        accounts: Bounded::new(),
        stakers: Bounded::new(),
        origin: None,
    })
}
