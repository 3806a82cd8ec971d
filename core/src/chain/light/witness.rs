//! Compares every checkpoint that becomes trusted with witnesses of other operators. PROTOCOL A7.5, A2.18.
//!
//! ```text
//! checkpoint trusted --Fetch(witness, Final(height))--> the same block: witnessed
//!                                                   '-> another, validly certified: the chain has split, stop for ever
//!                                                   '-> missing: unwitnessed, asked again
//! ```
//!
//! Deviation: a witness whose chain split off before a change of guardians signs by a set that is unknown here; it is
//! refused and nothing becomes witnessed, but no proof can be kept.

use super::{
    Checkpoint, FIRST_RETRY, File, KeptFork, LAST_RETRY, Light, LightError, MAX_CHECKPOINT,
    MAX_TIP, Output, Source, Standing, Tip, fork::ForkProof,
};
use crate::{codec, crypto::Hash, id::Height, time::Moment};
use alloc::vec::Vec;

/// Trusted checkpoints that still wait for a witness. Chosen here: the newest says most, as it covers those below.
const MAX_COMPARED: usize = 8;
/// Most witnesses. Chosen here: one honest one is enough.
pub const MAX_WITNESSES: u8 = 4;

/// What waits for witnesses, and what they have said.
#[derive(Debug, Default)]
pub(super) struct Comparison {
    /// From low to high.
    open: Vec<Checkpoint>,
    /// The highest checkpoint that a witness has, too.
    pub(super) witnessed: Option<Height>,
    retry: Option<Moment>,
    failures: u32,
}

impl Comparison {
    pub(super) const fn deadline(&self) -> Option<Moment> {
        self.retry
    }

    /// Returns the sets by which open comparisons are judged.
    pub(super) fn sets(&self) -> impl Iterator<Item = Hash> {
        self.open.iter().map(|checkpoint| checkpoint.header.guardians_hash)
    }
}

impl Light {
    /// Begins to compare a checkpoint that is trusted now.
    pub(super) fn compare(&mut self, checkpoint: Checkpoint, out: &mut Vec<Output>) {
        if self.config.witnesses == 0 {
            return;
        }
        let height = checkpoint.header.height;
        self.comparison.open.push(checkpoint);
        if self.comparison.open.len() > MAX_COMPARED {
            self.comparison.open.remove(0);
        }
        for source in self.witnesses() {
            self.ask(source, File::Final(height), out);
            self.ask(source, File::Tip, out);
        }
    }

    /// Asks again for what no witness had when it was asked.
    pub(super) fn look_at_witnesses(&mut self, now: Moment, out: &mut Vec<Output>) {
        if self.comparison.retry.is_none_or(|due| now < due) {
            return;
        }
        self.comparison.retry = None;
        let Some(newest) = self.comparison.open.last() else { return };
        let height = newest.header.height;
        for source in self.witnesses() {
            self.ask(source, File::Final(height), out);
        }
    }

    /// Takes in a file of a witness, or says why it shows nothing.
    pub(super) fn learn_witness(
        &mut self,
        now: Moment,
        file: &File,
        bytes: &[u8],
        out: &mut Vec<Output>,
    ) -> Result<(), LightError> {
        match file {
            File::Final(height) => {
                let compared = self.compare_with(*height, bytes, out);
                if self.is_open(*height) {
                    self.ask_witness_later(now);
                }
                compared
            }
            File::Tip => {
                let tip: Tip = codec::decode(bytes, MAX_TIP)?;
                self.note_marks(&tip, out);
                Ok(())
            }
            // They are asked for no news.
            File::News
            | File::Spec(_)
            | File::Header(_)
            | File::Checkpoint(_)
            | File::Guardians(_)
            | File::Validators(_)
            | File::Change(_)
            | File::Span(_)
            | File::Body(_) => Ok(()),
        }
    }

    pub(super) fn ask_witness_later(&mut self, now: Moment) {
        let wait = FIRST_RETRY.saturating_mul(1 << self.comparison.failures.min(5)).min(LAST_RETRY);
        self.comparison.failures = self.comparison.failures.saturating_add(1);
        self.comparison.retry = Some(now.after(wait));
    }

    pub(super) fn is_open(&self, height: Height) -> bool {
        self.comparison.open.iter().any(|ours| ours.header.height == height)
    }

    fn compare_with(
        &mut self,
        height: Height,
        bytes: &[u8],
        out: &mut Vec<Output>,
    ) -> Result<(), LightError> {
        let theirs: Checkpoint = codec::decode(bytes, MAX_CHECKPOINT)?;
        let mut open = self.comparison.open.iter();
        let Some(ours) = open.find(|ours| ours.header.height == height).cloned() else {
            return Ok(());
        };
        if theirs.header == ours.header {
            // One chain of hashes: what is below is witnessed with it.
            self.comparison.open.retain(|open| open.header.height > height);
            self.comparison.failures = 0;
            self.comparison.witnessed = self.comparison.witnessed.max(Some(height));
            out.push(Output::Advanced);
            return Ok(());
        }
        if theirs.header.guardians_hash != ours.header.guardians_hash {
            return Err(LightError::UnknownGuardians);
        }
        let set = self.guardians.get(&ours.header.guardians_hash);
        let set = set.ok_or(LightError::UnknownGuardians)?.clone();
        let hash = ours.header.guardians_hash;
        let proof = ForkProof::new(ours, theirs, set);
        match proof.verify(self.config.chain, hash) {
            Ok(_) => {
                let kept = KeptFork { anchor: self.config.anchor, proof: proof.clone() };
                out.push(Output::KeepFork(kept.to_bytes()));
                self.stop(proof, out);
                Ok(())
            }
            Err(error) => Err(LightError::Witness(error)),
        }
    }

    /// A2.18, A7.5: nothing moves any more; recovery is out of protocol and comes with another anchor or chain.
    pub(super) fn stop(&mut self, proof: ForkProof, out: &mut Vec<Output>) {
        self.fork = Some(proof);
        self.standing = Standing::Split;
        self.in_flight.clear();
        self.next_look = None;
        self.comparison.open.clear();
        self.comparison.retry = None;
        out.push(Output::Refused(LightError::Split));
        out.push(Output::Advanced);
    }

    /// Counts the blocks that a tip names, for the fork alarm (AELF-28).
    pub(super) fn note_marks(&mut self, tip: &Tip, out: &mut Vec<Output>) {
        let was_raised = self.alarm.is_raised();
        self.alarm.mark(tip.final_height, tip.final_block);
        for (above, block) in (1..).zip(tip.chain.iter()) {
            self.alarm.mark(tip.final_height.plus(above), *block);
        }
        if self.alarm.is_raised() && !was_raised {
            out.push(Output::Alarm);
        }
    }

    fn witnesses(&self) -> impl Iterator<Item = Source> + use<> {
        (1..=self.config.witnesses.min(MAX_WITNESSES)).map(Source)
    }
}
