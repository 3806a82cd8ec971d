//! Certificates: what they make final, and what contradicts what is settled here (A2.16, A2.18).

use super::{Fault, GuardianMachine, Known, Output};
use crate::bft::Peer;
use antiphon_core::{chain::certificate::FinalityCertificate, id::BlockId, time::Moment};

impl GuardianMachine {
    pub(super) fn on_certificate(
        &mut self,
        now: Moment,
        from: Peer,
        certificate: FinalityCertificate,
        out: &mut Vec<Output>,
    ) {
        let known = |held: &FinalityCertificate| {
            (held.height, held.block) == (certificate.height, certificate.block)
        };
        let is_checkpoint = certificate.height.0.checked_rem(self.interval) == Some(0);
        if self.certificate.iter().chain(&self.ahead).any(known) || !is_checkpoint {
            return;
        }
        let set = self.set_at(certificate.height);
        // A2.15: in rounds, whoever sent what does not verify costs no second check for a while.
        if !self.floods(&set) && self.rounds.circle.shuns(now, from) {
            return;
        }
        if certificate.height <= self.height() {
            return self.on_old(now, from, certificate, out);
        }
        let Some(electorate) = self.sets.get(&set) else { return };
        if certificate.verify(self.chain, &electorate.set).is_err() {
            // Further up another set may sign: then it is us who cannot tell.
            if certificate.height <= self.newest().plus(self.interval) {
                self.blame(now, from, out);
            }
            return;
        }
        // A2.18: at any height that is settled here, only the settled block may be final.
        match self.checkpoints.get(&certificate.height) {
            Some(settled) if settled.block != certificate.block => {
                let settled = settled.block;
                self.halt(certificate, settled, out);
            }
            Some(_) => self.finalise(certificate, out),
            None => {
                let above = self.ahead.as_ref().map_or(self.newest(), |held| held.height);
                if certificate.height > above {
                    self.ahead = Some(certificate);
                }
            }
        }
    }

    /// A certificate at or below what is final: of use for a change that lacks its own, or as evidence (A2.18).
    fn on_old(
        &mut self,
        now: Moment,
        from: Peer,
        certificate: FinalityCertificate,
        out: &mut Vec<Output>,
    ) {
        let height = certificate.height;
        let open = self.open_changes.get(&height).copied();
        let other = self.checkpoints.get(&height).copied();
        let other = other.filter(|known| known.block != certificate.block);
        let Some(Known { block, guardians }) = open.or(other) else { return };
        let Some(electorate) = self.sets.get(&guardians) else { return };
        if certificate.verify(self.chain, &electorate.set).is_err() {
            self.blame(now, from, out);
        } else if certificate.block != block {
            self.halt(certificate, block, out);
        } else {
            self.open_changes.remove(&height);
            out.push(Output::Final(Box::new(certificate)));
            self.sign_waiting(out);
        }
    }

    fn halt(&mut self, certificate: FinalityCertificate, settled: BlockId, out: &mut Vec<Output>) {
        self.halted = true;
        out.push(Output::Fault(Fault::Halted(Box::new(certificate), settled)));
    }

    pub(super) fn blame(&mut self, now: Moment, from: Peer, out: &mut Vec<Output>) {
        self.rounds.shun(now, from);
        out.push(Output::Fault(Fault::BadMessage(from)));
    }

    pub(super) fn finalise(&mut self, certificate: FinalityCertificate, out: &mut Vec<Output>) {
        let height = certificate.height;
        if let Some(settled) = self.checkpoints.get(&height)
            && settled.block != certificate.block
        {
            let settled = settled.block;
            return self.halt(certificate, settled, out);
        }
        if height <= self.height() || !self.checkpoints.contains_key(&height) {
            return;
        }
        self.shares.retain(|at, _| *at > height);
        self.open_changes.remove(&height);
        self.pass_on(&certificate, out);
        self.certificate = Some(certificate.clone());
        out.push(Output::Final(Box::new(certificate)));
        self.sign_waiting(out);
    }
}
