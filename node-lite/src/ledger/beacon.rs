//! What a block carries beside its transactions: the proposer's reveal, the certificate of the newest checkpoint, and a word
//! for newer rules. What follows from it: the mix, the order of proposers, the lottery, a change of rules.
//!
//! Source: PROTOCOL A3; AELF-9 to AELF-14, AELF-30.

#[cfg(test)]
mod tests;

use super::{ExecuteError, Ledger, apply::Session, elect::internal};
use crate::{
    bft::Build,
    storage::{Storage, StorageError},
};
use antiphon_core::{
    chain::{
        beacon::{ProposerOrder, Reveal, mixed},
        carried::Carried,
        certificate::{CertificateError, FinalityCertificate},
        lottery::LotteryRules,
        set::GuardianSet,
        upgrade::KNOWN_RULES,
    },
    crypto::{Hash, Tagged},
    id::{BlockId, Height},
};

/// Why a block carries not what it must.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CarryError {
    /// The rules of the chain have no use for it.
    #[error("something that the chain has no use for")]
    Unwanted,
    /// The reveal is missing, or its proposer has no guardian's key to make it with.
    #[error("no reveal of the proposer")]
    NoReveal,
    /// The reveal is not the one that the proposer's key makes for this epoch.
    #[error("the reveal is not the proposer's for this epoch")]
    BadReveal,
    /// The certificate is not of the newest checkpoint, or a block below carried one.
    #[error("the certificate is not of the newest checkpoint, or not the first of it")]
    WrongCheckpoint,
    /// The certificate does not hold.
    #[error("the certificate: {0}")]
    BadFinality(CertificateError),
}

impl CarryError {
    /// Returns the stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unwanted => "carried/unwanted",
            Self::NoReveal => "carried/no-reveal",
            Self::BadReveal => "carried/bad-reveal",
            Self::WrongCheckpoint => "carried/wrong-checkpoint",
            Self::BadFinality(error) => error.code(),
        }
    }
}

impl<S: Storage> Ledger<S> {
    /// Returns what of an offer the chain wants in this block.
    pub(super) fn wanted(
        &self,
        session: &mut Session<'_, S>,
        request: &Build,
        offered: Carried,
    ) -> Result<Carried, ExecuteError> {
        let reveal = offered.reveal.filter(|_| self.spec.has_beacon());
        let rules = if self.spec.upgrade.is_some() { offered.rules } else { 0 };
        let finality = match (offered.finality, self.lottery()) {
            (Some(certificate), Some(_)) => {
                let fits = self.is_newest(session, request, &certificate)?;
                Some(certificate).filter(|_| fits)
            }
            (Some(_), None) | (None, _) => None,
        };
        Ok(Carried { reveal, finality, rules })
    }

    /// Does what follows from what a block carries, and returns the mix after it.
    pub(super) fn carry(
        &self,
        session: &mut Session<'_, S>,
        request: &Build,
        carried: &Carried,
    ) -> Result<Hash, ExecuteError> {
        let mix = self.reveal(session, request, carried)?;
        match (&carried.finality, self.lottery()) {
            (None, _) => {}
            (Some(_), None) => return Err(CarryError::Unwanted.into()),
            (Some(certificate), Some(rules)) => {
                self.take_part(session, request, rules, certificate)?;
            }
        }
        if let Some(rules) = self.lottery()
            && self.spec.is_checkpoint(request.height)
        {
            self.draw(session, request, rules, mix)?;
        }
        self.change_rules(session, request.height, carried.rules)?;
        Ok(mix)
    }

    /// AELF-12: what is drawn at a checkpoint holds above it.
    pub(super) fn order_after(&self, height: Height, before: Hash, mix: Hash) -> Hash {
        match self.spec.order {
            ProposerOrder::CommitReveal if self.spec.is_checkpoint(height) => mix,
            ProposerOrder::CommitReveal | ProposerOrder::RoundRobin => before,
        }
    }

    fn lottery(&self) -> Option<LotteryRules> {
        self.spec.stake.as_ref()?.lottery
    }

    /// A3.2: there is one reveal of a proposer and epoch, and without it the block is none.
    fn reveal(
        &self,
        session: &mut Session<'_, S>,
        request: &Build,
        carried: &Carried,
    ) -> Result<Hash, ExecuteError> {
        let Some(reveal) = &carried.reveal else {
            let wanted = self.spec.has_beacon();
            return if wanted { Err(CarryError::NoReveal.into()) } else { Ok(Hash::default()) };
        };
        if !self.spec.has_beacon() {
            return Err(CarryError::Unwanted.into());
        }
        let key = session.beacon_key().map_err(internal)?.ok_or(CarryError::NoReveal)?;
        let digest = Reveal { epoch: request.epoch }.digest(self.chain);
        key.verify(digest, reveal).map_err(|_| CarryError::BadReveal)?;
        let mix = mixed(self.chain, session.mix().map_err(internal)?, reveal);
        session.put_mix(mix).map_err(internal)?;
        Ok(mix)
    }

    /// Returns whether a certificate is of the newest checkpoint below this block, and the first of it on this branch.
    fn is_newest(
        &self,
        session: &mut Session<'_, S>,
        request: &Build,
        certificate: &FinalityCertificate,
    ) -> Result<bool, ExecuteError> {
        let newest = self.checkpoint_below(request.height);
        let taken = session.lottery_draw().map_err(internal)?.checkpoint;
        let named = (certificate.height, certificate.block) == (newest, request.checkpoint);
        Ok(named && newest > taken)
    }

    fn checkpoint_below(&self, height: Height) -> Height {
        let below = height.0.saturating_sub(1);
        let over = below.checked_rem(self.spec.checkpoint_interval).unwrap_or(0);
        Height(below.saturating_sub(over))
    }

    /// A3.1: the first certificate of a checkpoint on the chain says who takes part.
    fn take_part(
        &self,
        session: &mut Session<'_, S>,
        request: &Build,
        rules: LotteryRules,
        certificate: &FinalityCertificate,
    ) -> Result<(), ExecuteError> {
        if !self.is_newest(session, request, certificate)? {
            return Err(CarryError::WrongCheckpoint.into());
        }
        let hash = self.guardians_of(&request.checkpoint)?.ok_or(CarryError::WrongCheckpoint)?;
        let set = self.guardians_named(&request.parent, &hash)?;
        let set = set.ok_or(CarryError::WrongCheckpoint)?;
        certificate.verify(self.chain, &set).map_err(CarryError::BadFinality)?;
        session.enter_lottery(rules, certificate, hash, &set).map_err(internal)
    }

    /// A3.3: at the next checkpoint the mix draws.
    fn draw(
        &self,
        session: &mut Session<'_, S>,
        request: &Build,
        rules: LotteryRules,
        mix: Hash,
    ) -> Result<(), ExecuteError> {
        let draw = session.lottery_draw().map_err(internal)?;
        let before = self.checkpoint_below(request.height);
        if before == Height(0) {
            return Ok(());
        }
        if draw.checkpoint != before {
            return session.roll_over(rules, draw).map_err(internal);
        }
        let set = self.guardians_named(&request.parent, &draw.guardians)?;
        let set = set.ok_or_else(|| StorageError(String::from("no set of guardians")))?;
        let outcome = rules.outcome(self.chain, mix, &draw, &set, draw.rolled);
        session.pay_winners(draw, &outcome).map_err(internal)
    }

    /// Returns the hash of the set that finalises a known checkpoint.
    fn guardians_of(&self, checkpoint: &BlockId) -> Result<Option<Hash>, StorageError> {
        if let Some(executed) = self.blocks.get(checkpoint) {
            return Ok(Some(executed.guardians));
        }
        let Some(height) = self.store.height_of(checkpoint)? else { return Ok(None) };
        let settled = self.store.settled(height)?;
        Ok(settled.map(|settled| settled.block.signed.header.guardians_hash))
    }

    /// Returns a set that some block at or below `id` has elected.
    fn guardians_named(
        &self,
        id: &BlockId,
        hash: &Hash,
    ) -> Result<Option<GuardianSet>, StorageError> {
        let mut at = *id;
        while let Some(executed) = self.blocks.get(&at) {
            let elected = executed.elected.guardians.as_ref();
            if let Some(set) = elected.filter(|set| set.hash(self.chain) == *hash) {
                return Ok(Some(set.clone()));
            }
            at = executed.parent;
        }
        self.store.guardians(hash)
    }

    /// AELF-30.
    fn change_rules(
        &self,
        session: &mut Session<'_, S>,
        height: Height,
        known: u32,
    ) -> Result<(), ExecuteError> {
        let Some(rules) = &self.spec.upgrade else {
            return if known == 0 { Ok(()) } else { Err(CarryError::Unwanted.into()) };
        };
        let after = rules.after(&session.upgrade().map_err(internal)?, height, known);
        if after.rules > KNOWN_RULES {
            return Err(ExecuteError::Outdated { rules: after.rules, known: KNOWN_RULES });
        }
        session.put_upgrade(after).map_err(internal)
    }
}
