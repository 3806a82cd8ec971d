//! Large sets: which checkpoint is gathered for in rounds, and what becomes of it.
//!
//! One at a time: the newest settled one, until it is final or the rounds are over. What a later one finalises, it
//! finalises for all below.

use super::{
    Fault, GuardianMachine, MAX_OPEN, Message, Output, RESEND, Share, Tally,
    rounds::{self, Begin},
};
use crate::bft::Peer;
use antiphon_core::{
    chain::certificate::{FinalityCertificate, FinalityVote},
    crypto::Tagged,
    time::Moment,
};

impl GuardianMachine {
    /// A share whose record is durable goes to everybody, or into the rounds.
    pub(super) fn speak(&mut self, now: Moment, share: Share, out: &mut Vec<Output>) {
        if self.floods(&share.vote.guardians_hash) {
            self.resend = Some(now.after(RESEND));
            out.push(Output::Broadcast(Message::Share(share.clone())));
            self.keep(share, out);
        } else if self.rounds.vote() == Some(&share.vote) {
            self.feed_rounds(now, rounds::Input::Own(share.index, share.signature), out);
        }
    }

    /// Begins to gather if nothing is gathered for and something could be.
    pub(super) fn gather(&mut self, now: Moment, out: &mut Vec<Output>) {
        if self.halted || self.rounds.vote().is_some() {
            return;
        }
        let Some(vote) = self.target() else { return };
        let digest = vote.digest(self.chain);
        let own = self.own_share(&vote);
        self.feed_rounds(now, rounds::Input::Begin(Box::new(Begin { vote, digest, own })), out);
    }

    /// Returns what to gather for next: the newest settled checkpoint that may be signed and is not final.
    pub(super) fn target(&self) -> Option<FinalityVote> {
        let mut open = self.checkpoints.range(self.height().plus(1)..).rev();
        let (height, known) = open.find(|(height, _)| self.is_handed_over(**height))?;
        let guardians_hash = known.guardians;
        let vote = FinalityVote { guardians_hash, height: *height, block: known.block };
        (self.sets.get(&guardians_hash).is_some() && !self.floods(&guardians_hash)).then_some(vote)
    }

    /// Returns the own share if it is what was signed last, and on the disk. The same vote gives the same bytes.
    fn own_share(&self, vote: &FinalityVote) -> Option<Share> {
        let is_last = (self.record.height, self.record.block) == (vote.height, vote.block);
        let index = self.sets.get(&vote.guardians_hash)?.index?;
        let key = self.key.as_ref().filter(|_| is_last && self.unsent.is_empty())?;
        let signature = key.sign(vote.digest(self.chain));
        Some(Share { vote: vote.clone(), index, signature })
    }

    /// A2.15: only what neighbours say, and only what may still be of use.
    pub(super) fn on_tally(
        &mut self,
        now: Moment,
        from: Peer,
        tally: Tally,
        out: &mut Vec<Output>,
    ) {
        if !self.rounds.circle.listens_to(now, from) {
            return;
        }
        let (height, gathered) = (tally.vote.height, self.rounds.vote());
        if height <= self.height() {
            return self.show(now, from, out);
        }
        if gathered == Some(&tally.vote) {
            return self.feed_rounds(now, rounds::Input::Heard(from, tally), out);
        }
        let highest = self.newest().plus(self.interval.saturating_mul(MAX_OPEN));
        let settled_other =
            self.checkpoints.get(&height).is_some_and(|known| known.block != tally.vote.block);
        let is_later = gathered.is_none_or(|vote| height > vote.height) && height <= highest;
        if is_later && !settled_other && height.0.checked_rem(self.interval) == Some(0) {
            self.rounds.wait(from, tally);
        }
    }

    /// A2.16: whoever still gathers for what is final gets the certificate, once a round.
    fn show(&mut self, now: Moment, to: Peer, out: &mut Vec<Output>) {
        if let Some(certificate) = self.certificate.clone()
            && self.rounds.may_show(now, to)
        {
            out.push(Output::Send(to, Message::Certificate(certificate)));
        }
    }

    /// A2.16: whoever holds a certificate tells its neighbours, and stops merging.
    pub(super) fn pass_on(&mut self, certificate: &FinalityCertificate, out: &mut Vec<Output>) {
        let height = certificate.height;
        if !self.floods(&self.set_at(height)) {
            let chosen = self.rounds.chosen();
            let message = || Message::Certificate(certificate.clone());
            out.extend(chosen.into_iter().map(|peer| Output::Send(peer, message())));
        }
        if self.rounds.vote().is_some_and(|vote| vote.height <= height) {
            self.rounds.stop();
        }
        self.rounds.forget(height);
    }

    /// Hands the rounds an input under the set of what is gathered for, and lifts what they ask.
    pub(super) fn feed_rounds(&mut self, now: Moment, input: rounds::Input, out: &mut Vec<Output>) {
        let vote = match &input {
            rounds::Input::Begin(begin) => Some(&begin.vote),
            rounds::Input::Own(..) | rounds::Input::Heard(..) | rounds::Input::Tick => {
                self.rounds.vote()
            }
        };
        let set = vote.map(|vote| vote.guardians_hash);
        let Some(electorate) = set.and_then(|set| self.sets.get(&set)) else { return };
        let mut outputs = Vec::new();
        self.rounds.handle(now, electorate, input, &mut outputs);
        for output in outputs {
            match output {
                rounds::Output::Send(peer, tally) => {
                    out.push(Output::Send(peer, Message::Tally(tally)));
                }
                rounds::Output::Blame(peer) => out.push(Output::Fault(Fault::Forged(peer))),
                rounds::Output::Quorum(certificate) => self.finalise(*certificate, out),
            }
        }
    }
}
