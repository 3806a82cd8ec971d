//! One set of guardians hands over to the next: by a certificate on the checkpoint that elects it, and by nothing else.
//!
//! A light client trusts the set that a checkpoint certified by the set before commits (A7.2). If the new set finalised
//! what comes after before the old set has finalised its election, finality would go on for nodes, which know the chain,
//! and no client could follow, ever: the old guardians sign nothing below what they signed. So nobody signs above a
//! change that has no certificate, and a node that was away when it was made asks for it.
//!
//! Deviation: A2.13 lets a later certificate stand in for a missed one. Not for a change.

use super::{GuardianMachine, Message, Output, RESEND};
use antiphon_core::{
    crypto::Hash,
    id::{BlockId, Height},
    time::Moment,
};

/// Certificates asked for at once. Chosen here: who slept for long asks for the next when it has these.
const MAX_ASKED: usize = 8;

impl GuardianMachine {
    /// Returns whether every change of guardians below this height has its certificate.
    pub(super) fn is_handed_over(&self, height: Height) -> bool {
        self.open_changes.range(..height).next().is_none()
    }

    /// Signs what waited for a change below it.
    pub(super) fn sign_waiting(&mut self, out: &mut Vec<Output>) {
        let waiting: Vec<(Height, BlockId, Hash)> = self
            .checkpoints
            .range(self.height().plus(1)..)
            .map(|(height, known)| (*height, known.block, known.guardians))
            .collect();
        for (height, block, guardians) in waiting {
            self.sign(height, block, guardians, out);
            self.build(height, out);
        }
    }

    /// Returns whether a later checkpoint became final while a change below it has no certificate here.
    pub(super) fn has_missed(&self) -> bool {
        self.open_changes.range(..=self.height()).next().is_some()
    }

    pub(super) fn ask_missed(&mut self, now: Moment, out: &mut Vec<Output>) {
        if !self.has_missed() || self.ask.is_some_and(|at| now < at) {
            return;
        }
        self.ask = Some(now.after(RESEND));
        let missed = self.open_changes.range(..=self.height()).take(MAX_ASKED);
        out.extend(missed.map(|(height, _)| Output::Broadcast(Message::Ask(*height))));
    }
}
