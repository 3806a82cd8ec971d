//! From the trusted checkpoint to the newest: at once while the guardians stay the same, else change by change.
//!
//! ```text
//! trusted --next guardians G--> newest is signed by G: trust it
//!                           '-> by another set: Change(G) is signed by G and elects G2, trust it, and so on (A7.2)
//!                           '-> skipping: enough of G has signed the newest in its own set, trust it (A7.3)
//! ```
//!
//! A walk costs one file for each change, whatever lies between; blocks are never replayed. Each step is trusted and kept
//! by itself, so a walk that breaks off goes on from there.

use super::{
    Anchor, Change, Checkpoint, File, Kept, KeptFork, Light, LightError, MAX_CHANGE,
    MAX_CHECKPOINT, MAX_SET, Output, Rules, Sets, Skipping, Source, Standing, Trusted,
};
use crate::{chain::set::GuardianSet, codec, crypto::Hash, id::BlockId, time::UnixMillis};
use alloc::vec::Vec;

impl Light {
    /// Goes on from what was stored, which is no more believed than what a stranger sends.
    pub(super) fn load(&mut self, rules: &Rules, clock: UnixMillis, out: &mut Vec<Output>) {
        let stored = core::mem::take(&mut self.stored);
        let kept = stored.trust.and_then(|bytes| Kept::from_bytes(&bytes).ok());
        if let Some(kept) = kept.filter(|kept| kept.anchor == self.config.anchor) {
            match Trusted::alone(rules, clock, &kept.checkpoint, &kept.guardians) {
                Ok(trusted) => {
                    self.alarm.settle(trusted.height, trusted.block);
                    self.trusted = Some(trusted);
                    self.guardians.insert(kept.guardians.hash(rules.chain), kept.guardians);
                    self.compare(kept.checkpoint, out);
                    out.push(Output::Advanced);
                }
                Err(error) => out.push(Output::Refused(error)),
            }
        }
        let fork = stored.fork.and_then(|bytes| KeptFork::from_bytes(&bytes).ok());
        if let Some(kept) = fork.filter(|kept| kept.anchor == self.config.anchor) {
            // The walk that knew the set is over; that its certificates conflict is seen again.
            let hash = kept.proof.guardians.hash(rules.chain);
            if kept.proof.verify(rules.chain, hash).is_ok() {
                self.stop(kept.proof, out);
            }
        }
    }

    pub(super) fn learn_checkpoint(
        &mut self,
        clock: UnixMillis,
        block: BlockId,
        bytes: &[u8],
        out: &mut Vec<Output>,
    ) -> Result<(), LightError> {
        let checkpoint: Checkpoint = codec::decode(bytes, MAX_CHECKPOINT)?;
        if checkpoint.header.chain_id != self.config.chain {
            return Err(LightError::WrongChain);
        }
        if checkpoint.header.id() != block {
            return Err(LightError::WrongContent);
        }
        self.target = Some(checkpoint);
        self.approach(clock, out)
    }

    pub(super) fn learn_change(
        &mut self,
        clock: UnixMillis,
        hash: Hash,
        bytes: &[u8],
        out: &mut Vec<Output>,
    ) -> Result<(), LightError> {
        let Change { checkpoint, elected } = codec::decode(bytes, MAX_CHANGE)?;
        let header = &checkpoint.header;
        if self.trusted.as_ref().is_none_or(|trusted| trusted.next_guardians != hash) {
            // Trust has moved on since it was asked for.
            return Ok(());
        }
        if header.guardians_hash != hash
            || elected.hash(self.config.chain) != header.next_guardians_hash
        {
            return Err(LightError::WrongContent);
        }
        if header.next_guardians_hash == hash {
            return Err(LightError::NoChange);
        }
        let next = header.next_guardians_hash;
        self.accept(clock, checkpoint, out)?;
        self.guardians.insert(next, elected);
        self.approach(clock, out)
    }

    pub(super) fn learn_guardians(
        &mut self,
        clock: UnixMillis,
        hash: Hash,
        bytes: &[u8],
        out: &mut Vec<Output>,
    ) -> Result<(), LightError> {
        let set: GuardianSet = codec::decode(bytes, MAX_SET)?;
        if set.hash(self.config.chain) != hash {
            return Err(LightError::WrongContent);
        }
        if self.wants_guardians(&hash) {
            self.guardians.insert(hash, set);
        }
        self.approach(clock, out)
    }

    /// Trusts the target if it can be trusted by now; otherwise what is missing is asked for.
    fn approach(&mut self, clock: UnixMillis, out: &mut Vec<Output>) -> Result<(), LightError> {
        if let Some(target) = self.target.take() {
            match self.accept(clock, target.clone(), out) {
                Ok(()) => {}
                Err(LightError::UnknownGuardians | LightError::NotEnoughTrust { .. }) => {
                    self.target = Some(target);
                }
                Err(error) => return Err(error),
            }
        }
        self.follow(clock, out)
    }

    /// Moves trust to a checkpoint, or says why not. Source: A7.1–A7.3.
    fn accept(
        &mut self,
        clock: UnixMillis,
        checkpoint: Checkpoint,
        out: &mut Vec<Output>,
    ) -> Result<(), LightError> {
        let rules = self.spec.as_ref().map(|spec| Rules::of(spec, self.config.skipping));
        let rules = rules.ok_or(LightError::WrongSpec)?;
        let header = &checkpoint.header;
        let signing = self.guardians.get(&header.guardians_hash);
        let trusted = match &self.trusted {
            Some(trusted) => {
                let next = self.guardians.get(&trusted.next_guardians);
                let sets = Sets { trusted: next, signing };
                trusted.advance(&rules, clock, &checkpoint, sets)?
            }
            None if self.config.anchor == Anchor::Checkpoint(header.id()) => {
                let signing = signing.ok_or(LightError::UnknownGuardians)?;
                Trusted::alone(&rules, clock, &checkpoint, signing)?
            }
            None => return Err(LightError::WrongBlock),
        };
        if self.settled.as_ref().is_some_and(|old| old.height == header.height && old != header) {
            return Err(LightError::Conflict);
        }
        if let Some(guardians) = signing.cloned() {
            let kept =
                Kept { anchor: self.config.anchor, checkpoint: checkpoint.clone(), guardians };
            out.push(Output::Keep(kept.to_bytes()));
        }
        self.alarm.settle(trusted.height, trusted.block);
        self.trusted = Some(trusted);
        out.push(Output::Advanced);
        self.compare(checkpoint, out);
        self.forget_guardians();
        Ok(())
    }

    /// Keeps the sets that can still sign something, and those by which witnesses are judged.
    fn forget_guardians(&mut self) {
        let mut guardians = core::mem::take(&mut self.guardians);
        let compared: Vec<Hash> = self.comparison.sets().collect();
        guardians.retain(|hash, _| self.wants_guardians(hash) || compared.contains(hash));
        self.guardians = guardians;
    }

    fn wants_guardians(&self, hash: &Hash) -> bool {
        let next = self.trusted.as_ref().map(|trusted| trusted.next_guardians);
        let signing = self.target.as_ref().map(|target| target.header.guardians_hash);
        next == Some(*hash) || signing == Some(*hash)
    }

    /// Returns what is needed before the checkpoint that the tip names can be trusted.
    pub(super) fn wanted_for_trust(&self) -> Option<File> {
        let has = |hash: &Hash| self.guardians.contains_key(hash);
        let Some(trusted) = &self.trusted else {
            let signing = self.target.as_ref()?.header.guardians_hash;
            return (!has(&signing)).then_some(File::Guardians(signing));
        };
        if !has(&trusted.next_guardians) {
            return Some(File::Guardians(trusted.next_guardians));
        }
        let tip = self.tip.as_ref().filter(|tip| tip.final_height > trusted.height)?;
        let target = self.target.as_ref().map(|target| &target.header);
        let Some(target) = target.filter(|header| header.id() == tip.final_block) else {
            return Some(File::Checkpoint(tip.final_block));
        };
        let skips = self.config.skipping == Skipping::On && !has(&target.guardians_hash);
        Some(if skips {
            File::Guardians(target.guardians_hash)
        } else {
            File::Change(trusted.next_guardians)
        })
    }

    /// Asks for whatever the tip names and we lack.
    pub(super) fn request_missing(&mut self, out: &mut Vec<Output>) {
        if self.standing != Standing::Good {
            return;
        }
        let mut wanted: Vec<File> = self.wanted_for_trust().into_iter().collect();
        if let (Some(tip), Some(trusted)) = (&self.tip, &self.trusted) {
            // What stands above the checkpoint is asked for beside it: it is judged once that is trusted.
            let unknown = tip.chain.iter().filter(|block| !self.headers.contains_key(block));
            wanted.extend(unknown.map(|block| File::Header(*block)));
            // Who acts above it is known only then.
            let acting = self.acting_validators().filter(|_| tip.final_height == trusted.height);
            let unknown = acting.filter(|hash| !self.validators.contains_key(hash));
            wanted.extend(unknown.map(File::Validators));
        }
        for file in wanted {
            self.ask(Source::NODE, file, out);
        }
    }
}
