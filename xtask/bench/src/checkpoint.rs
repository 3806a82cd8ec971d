//! A checkpoint's certificate in both forms, beside one bare BLS signature, beside keys that nobody has checked before, and
//! beside the scheme of the seed, whose message names the signer (ALLA-7, ALLA-8).

use antiphon_core::chain::certificate::{Counts, FinalityCertificate, FinalityVote, Signers};
use antiphon_core::chain::set::{Guardian, GuardianSet, quorum};
use antiphon_core::codec::Bounded;
use antiphon_core::crypto::bls::{BlsPublicKey, BlsSecretKey, BlsSignature};
use antiphon_core::crypto::{Hash, Tagged as _};
use antiphon_core::id::{BlockId, ChainId, Height};
use anyhow::{Context as _, Result, anyhow};
use blst::MultiPoint as _;
use blst::min_pk::{AggregateSignature, PublicKey, SecretKey, Signature};

use crate::pair;

const CHAIN: ChainId = ChainId(Hash([1; 32]));
/// The ciphersuite's name, as core signs.
const SUITE: &[u8] = b"BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_";
/// The per-signer scheme costs a pairing for each signer: beyond this it only takes time.
const MAX_AUGMENTED: u32 = 1000;
/// Counts of a few rounds: up to 15, as in the measurements of `PERFORMANCE.md`.
const GREATEST: u32 = 15;

/// Guardians and a checkpoint of which just a quorum signed: the dearest case.
struct Case {
    set: GuardianSet,
    /// Of the signers, in the order of the set.
    secrets: Vec<SecretKey>,
    digest: Hash,
    counts: Vec<u32>,
}

/// Checks the certificates of a set.
///
/// # Errors
///
/// A certificate is refused.
pub(crate) fn measure(guardians: u32) -> Result<()> {
    let case = Case::new(guardians)?;
    let bare = SecretKey::key_gen(&[5; 32], &[]).map_err(|error| anyhow!("{error:?}"))?;
    let (public, message) = (bare.sk_to_pk(), [9; 32]);
    let signature = bare.sign(&message, SUITE, &[]);
    let one = || {
        let verdict = signature.verify(true, &message, SUITE, &[], &public, false);
        verdict == blst::BLST_ERROR::BLST_SUCCESS
    };
    let (bitmap, counted) = (case.bitmap()?, case.counted()?);
    let check = |certificate: &FinalityCertificate| certificate.verify(CHAIN, &case.set).is_ok();
    let name = |form| format!("checkpoint of {guardians} guardians: check {form}");
    pair(&name("bits"), &|| check(&bitmap), "BLS: verify one signature", &one)?;
    pair(&name("counts"), &|| check(&counted), "BLS: verify one signature", &one)?;
    let cold = case.cold(&counted)?;
    pair(&name("counts"), &|| check(&counted), "the same with keys nobody checked", &|| cold())?;
    if guardians <= MAX_AUGMENTED {
        let augmented = case.augmented()?;
        let bare = "the seed's scheme: the signer in the message";
        pair(&name("bits"), &|| check(&bitmap), bare, &|| augmented())?;
    }
    Ok(())
}

impl Case {
    fn new(guardians: u32) -> Result<Self> {
        let seed = |index: u32| {
            let mut seed = [3; 32];
            for (byte, value) in seed.iter_mut().zip(index.to_le_bytes()) {
                *byte = value;
            }
            seed
        };
        let mut keys = Vec::new();
        for index in 0..guardians {
            let key = BlsSecretKey::from_seed(&seed(index))?.public();
            let secret = SecretKey::key_gen(&seed(index), &[]);
            keys.push((key, secret.map_err(|error| anyhow!("{error:?}"))?));
        }
        keys.sort_by_key(|(key, _)| *key);
        let public: Vec<BlsPublicKey> = keys.iter().map(|(key, _)| *key).collect();
        let members: Vec<_> = public.iter().map(|key| Guardian { key: *key, weight: 1 }).collect();
        let members = Bounded::try_from(members).ok().context("too many guardians")?;
        let aggregate = BlsPublicKey::aggregate(&public)?;
        let set = GuardianSet { since: Height(0), members, aggregate };
        let count = usize::try_from(quorum(u64::from(guardians)))?;
        let secrets = keys.into_iter().take(count).map(|(_, secret)| secret).collect();
        let counts = (0..guardians).map(|at| {
            let signed = usize::try_from(at).is_ok_and(|at| at < count);
            if signed { 1 + (at * 7) % GREATEST } else { 0 }
        });
        let (height, block) = (Height(10), BlockId(Hash([4; 32])));
        let vote = FinalityVote { guardians_hash: set.hash(CHAIN), height, block };
        Ok(Self { secrets, digest: vote.digest(CHAIN), counts: counts.collect(), set })
    }

    fn shares(&self) -> Vec<Signature> {
        self.secrets.iter().map(|secret| secret.sign(&self.digest.0, SUITE, &[])).collect()
    }

    fn certificate(signers: Signers, sum: AggregateSignature) -> FinalityCertificate {
        let signature = BlsSignature(sum.to_signature().compress());
        FinalityCertificate {
            height: Height(10),
            block: BlockId(Hash([4; 32])),
            signers,
            signature,
        }
    }

    fn bitmap(&self) -> Result<FinalityCertificate> {
        let signers = Signers::bitmap(self.set.members.len(), 0..self.secrets.len());
        let signers = signers.context("too many guardians")?;
        Ok(Self::certificate(signers, self.shares().as_slice().add()))
    }

    fn counted(&self) -> Result<FinalityCertificate> {
        let counts = Counts::new(self.counts.clone()).context("too many guardians")?;
        let scalars = self.counts.iter().take(self.secrets.len());
        let scalars: Vec<u8> = scalars.flat_map(|count| count.to_le_bytes()).collect();
        let sum = self.shares().as_slice().mult(&scalars, 32);
        Ok(Self::certificate(Signers::Counts(counts), sum))
    }

    /// A client that has 48-byte keys from a stranger: each is decompressed and its subgroup checked.
    fn cold<'a>(&'a self, certificate: &'a FinalityCertificate) -> Result<impl Fn() -> bool + 'a> {
        let mut compressed = Vec::new();
        for member in self.set.members.iter() {
            let key =
                PublicKey::deserialize(&member.key.0).map_err(|error| anyhow!("{error:?}"))?;
            compressed.push(key.compress());
        }
        Ok(move || {
            let checked = compressed.iter().all(|key| PublicKey::key_validate(key).is_ok());
            checked && certificate.verify(CHAIN, &self.set).is_ok()
        })
    }

    /// Formula 4 of the seed: each signer signs its key and the message, and each costs a pairing.
    fn augmented(&self) -> Result<impl Fn() -> bool + use<>> {
        let mut messages = Vec::new();
        let mut shares = Vec::new();
        let mut keys = Vec::new();
        for secret in &self.secrets {
            let key = secret.sk_to_pk();
            let message = [&key.compress()[..], &self.digest.0[..]].concat();
            shares.push(secret.sign(&message, SUITE, &[]));
            messages.push(message);
            keys.push(key);
        }
        let shares: Vec<&Signature> = shares.iter().collect();
        let sum = AggregateSignature::aggregate(&shares, false);
        let sum = sum.map_err(|error| anyhow!("{error:?}"))?.to_signature();
        Ok(move || {
            let messages: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
            let keys: Vec<&PublicKey> = keys.iter().collect();
            let verdict = sum.aggregate_verify(true, &messages, SUITE, &keys, false);
            verdict == blst::BLST_ERROR::BLST_SUCCESS
        })
    }
}
