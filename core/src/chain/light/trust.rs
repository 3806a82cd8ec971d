//! When one checkpoint vouches for another: pure rules, no state of a machine.
//!
//! ```text
//! anchor or what was stored --A7.2: same set, or A7.3: enough of it--> checkpoint --> ...
//! ```
//!
//! Source: PROTOCOL A7.1–A7.3, A2.16. Skipping follows Tendermint: more than a third of the trusted weight must stand in
//! both sets and have signed, so that one of them at least is honest while no more than a third is faulty.

use super::{Checkpoint, LightError};
use crate::{
    chain::{
        certificate::CertificateError,
        header::Header,
        set::{GuardianSet, total_weight},
        spec::ChainSpec,
    },
    crypto::Hash,
    id::{BlockId, ChainId, Height},
    time::UnixMillis,
};

/// Whether sets may be skipped (A7.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Skipping {
    /// Every change of guardians is walked.
    #[default]
    Off,
    /// A later set is believed if more than a third of the trusted weight signed in it.
    On,
}

/// By which numbers a client trusts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// The chain.
    pub chain: ChainId,
    /// `T`: every T-th block is a checkpoint.
    pub interval: u64,
    /// Milliseconds by which a header may be ahead of the clock.
    pub drift: u64,
    /// `TP`: milliseconds after which a trusted checkpoint vouches for nothing any more.
    pub trusting_period: u64,
    /// Whether sets may be skipped.
    pub skipping: Skipping,
}

impl Rules {
    /// Returns the rules of a chain.
    pub fn of(spec: &ChainSpec, skipping: Skipping) -> Self {
        Self {
            chain: spec.chain_id(),
            interval: spec.checkpoint_interval,
            drift: spec.drift,
            trusting_period: spec.trusting_period,
            skipping,
        }
    }
}

/// A checkpoint that is believed: by anchor or by certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trusted {
    /// Its height; that of the spec for genesis.
    pub height: Height,
    /// Its id; all zero for genesis, whose header a client needs not know.
    pub block: BlockId,
    /// When it was dated.
    pub time: UnixMillis,
    /// The set that finalises what comes next.
    pub next_guardians: Hash,
    /// Its header; none for genesis.
    pub header: Option<Header>,
    /// How many guardians signed it, and how many there are.
    pub signers: (u32, u32),
}

/// The sets that a verdict needs, each checked against the hash that a header commits.
#[derive(Clone, Copy, Debug)]
pub struct Sets<'a> {
    /// What the trusted checkpoint commits as next.
    pub trusted: Option<&'a GuardianSet>,
    /// What the new checkpoint says has signed it, if that is another.
    pub signing: Option<&'a GuardianSet>,
}

impl Trusted {
    /// Trusts a chain's spec.
    pub fn genesis(spec: &ChainSpec) -> Self {
        Self {
            height: spec.genesis_height(),
            block: BlockId::default(),
            time: spec.genesis_time,
            next_guardians: spec.guardians.hash(spec.chain_id()),
            header: None,
            signers: (0, 0),
        }
    }

    /// Trusts a checkpoint by itself: one that the application ships, or that this client stored. Its certificate is
    /// verified under the set that its header commits (A10.10), and it must be younger than the trusting period (A7.1).
    ///
    /// # Errors
    /// [`LightError`].
    pub fn alone(
        rules: &Rules,
        clock: UnixMillis,
        checkpoint: &Checkpoint,
        signing: &GuardianSet,
    ) -> Result<Self, LightError> {
        check_form(rules, clock, checkpoint)?;
        if clock.since(checkpoint.header.time) >= rules.trusting_period {
            return Err(LightError::TrustExpired);
        }
        Self::signed(rules, checkpoint, signing)
    }

    /// Returns whether this is too old to vouch for anything (A7.1): its keys may have nothing to lose any more.
    pub const fn is_expired(&self, rules: &Rules, clock: UnixMillis) -> bool {
        clock.since(self.time) >= rules.trusting_period
    }

    /// Moves trust to a checkpoint, or says why not.
    ///
    /// # Errors
    /// [`LightError`]; [`LightError::UnknownGuardians`] where a set is missing or a change must be fetched first.
    pub fn advance(
        &self,
        rules: &Rules,
        clock: UnixMillis,
        checkpoint: &Checkpoint,
        sets: Sets<'_>,
    ) -> Result<Self, LightError> {
        check_form(rules, clock, checkpoint)?;
        let header = &checkpoint.header;
        if self.is_expired(rules, clock) {
            return Err(LightError::TrustExpired);
        }
        if header.height <= self.height || header.time <= self.time {
            return Err(LightError::NotAhead);
        }
        let trusted = of_hash(rules.chain, sets.trusted, self.next_guardians)?;
        // A7.2: every final header commits the next set, so a change cannot be left out.
        if header.guardians_hash == self.next_guardians {
            return Self::signed(rules, checkpoint, trusted);
        }
        // A2.10: the set of the very next checkpoint is known, there is nothing to skip.
        let is_next = header.height == self.height.plus(rules.interval);
        if rules.skipping == Skipping::Off || is_next {
            return Err(LightError::UnknownGuardians);
        }
        let signing = of_hash(rules.chain, sets.signing, header.guardians_hash)?;
        check_overlap(checkpoint, trusted, signing)?;
        Self::signed(rules, checkpoint, signing)
    }

    /// Checks the certificate under the set that the header commits.
    fn signed(
        rules: &Rules,
        checkpoint: &Checkpoint,
        signing: &GuardianSet,
    ) -> Result<Self, LightError> {
        let Checkpoint { header, certificate } = checkpoint;
        let signing = of_hash(rules.chain, Some(signing), header.guardians_hash)?;
        certificate.verify(rules.chain, signing)?;
        let signed = certificate.signers.number();
        Ok(Self {
            height: header.height,
            block: header.id(),
            time: header.time,
            next_guardians: header.next_guardians_hash,
            header: Some(header.clone()),
            signers: (signed, u32::try_from(signing.members.len()).unwrap_or(u32::MAX)),
        })
    }
}

/// What holds for a checkpoint whoever signed it.
fn check_form(rules: &Rules, clock: UnixMillis, checkpoint: &Checkpoint) -> Result<(), LightError> {
    let Checkpoint { header, certificate } = checkpoint;
    if header.chain_id != rules.chain {
        return Err(LightError::WrongChain);
    }
    if (certificate.block, certificate.height) != (header.id(), header.height) {
        return Err(LightError::WrongBlock);
    }
    if header.height.0 == 0 || header.height.0.checked_rem(rules.interval) != Some(0) {
        return Err(LightError::NotCheckpoint);
    }
    if header.time > clock.plus(rules.drift) {
        return Err(LightError::FromFuture);
    }
    Ok(())
}

fn of_hash(
    chain: ChainId,
    set: Option<&GuardianSet>,
    hash: Hash,
) -> Result<&GuardianSet, LightError> {
    set.filter(|set| set.hash(chain) == hash).ok_or(LightError::UnknownGuardians)
}

/// A7.3: signers that are in both sets weigh more than a third, by the trusted weights.
fn check_overlap(
    checkpoint: &Checkpoint,
    trusted: &GuardianSet,
    signing: &GuardianSet,
) -> Result<(), LightError> {
    let total = trusted.total().ok_or(CertificateError::BadSet)?;
    let signers = checkpoint.certificate.members(signing)?;
    let both =
        trusted.members.iter().filter(|member| signers.iter().any(|(key, _)| **key == member.key));
    let weight = total_weight(both.map(|member| member.weight)).ok_or(CertificateError::BadSet)?;
    if u128::from(weight).saturating_mul(3) > u128::from(total) {
        Ok(())
    } else {
        Err(LightError::NotEnoughTrust { weight, total })
    }
}
