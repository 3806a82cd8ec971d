//! Carries out what each machine asks of the others, and gathers what is to be written into one batch.

use super::{
    Fault, MAX_SETTLED, Output, Supernode, Token, Waiting,
    wire::{Ask, Wire},
};
use crate::{
    bft, guardian,
    ledger::{Body, ExecuteError},
    storage::{Role, Signature, Storage, StorageError, Write},
};
use antiphon_core::{
    chain::{beacon::Reveal, carried::Carried, light::MAX_NEWS_HEADERS, upgrade::KNOWN_RULES},
    codec,
    crypto::Tagged,
    id::{BlockId, Height},
    time::Moment,
};
use std::collections::VecDeque;

impl<S: Storage> Supernode<S> {
    pub(super) fn feed_bft(&mut self, now: Moment, input: bft::Input, out: &mut Vec<Output>) {
        let mut outputs = Vec::new();
        self.bft.handle(now, input, &mut outputs);
        self.lift_bft(now, outputs, out);
    }

    /// Carries out what settlement asks of ledger and guardian, until it asks no more.
    pub(super) fn lift_bft(
        &mut self,
        now: Moment,
        outputs: Vec<bft::Output>,
        out: &mut Vec<Output>,
    ) {
        let mut queue: VecDeque<bft::Output> = outputs.into();
        let mut scratch = Vec::new();
        while let Some(output) = queue.pop_front() {
            match output {
                bft::Output::Store(token, record) => self.record(token, *record),
                bft::Output::Broadcast(message) => {
                    out.push(Output::Broadcast(codec::encode(&Wire::Bft(message))));
                }
                bft::Output::Ask(peer, block) => {
                    let ask = Ask { block, above: self.bft.root().height };
                    out.push(Output::Send(peer, codec::encode(&Wire::Ask(ask))));
                }
                bft::Output::Execute(id) => {
                    let valid = self.execute(&id, out);
                    self.bft.handle(now, bft::Input::Executed(id, valid), &mut scratch);
                }
                bft::Output::Build(request) => {
                    if let Some(built) = self.build(request, out) {
                        let built = bft::Input::Built(Box::new(built));
                        self.bft.handle(now, built, &mut scratch);
                    }
                }
                bft::Output::Settled(settled) => self.settle(now, *settled, out),
                bft::Output::Ended(closing) => {
                    self.batch.push(Write::Closing(closing));
                    self.begin_term(now, &mut scratch, out);
                    // What the machine of the old term still asked for is of no use to anybody.
                    queue.clear();
                }
                bft::Output::Fault(fault) => self.fault(Fault::Bft(fault), out),
            }
            queue.extend(scratch.drain(..));
        }
    }

    pub(super) fn record(&mut self, token: bft::Token, record: bft::Record) {
        let bft::Record { safety, blocks } = record;
        let ((height, voted), (epoch, proposed)) = (safety.last_vote, safety.last_proposal);
        let term = self.pace.validators.since.0;
        if height > self.logged.0 {
            let signed = Signature { role: Role::Vote, term, slot: height.0, block: voted };
            self.batch.push(Write::Signed(signed));
        }
        if epoch.0 > self.logged.1 {
            let signed = Signature { role: Role::Proposal, term, slot: epoch.0, block: proposed };
            self.batch.push(Write::Signed(signed));
        }
        self.logged = (height, epoch.0);
        self.batch.extend(blocks.into_iter().map(|block| Write::Keep(Box::new(block))));
        self.batch.push(Write::Safety(Box::new(safety)));
        self.waiting.push(Waiting::Bft(token));
    }

    pub(super) fn execute(&mut self, id: &BlockId, out: &mut Vec<Output>) -> bool {
        let Some(block) = self.bft.block(id) else { return false };
        if let Some(prepared) = self.prepared.take()
            && self.ledger.adopt(*id, &block.signed.header, prepared)
        {
            return true;
        }
        match self.ledger.execute(*id, block) {
            Ok(()) => true,
            Err(error) => {
                self.report(*id, error, out);
                false
            }
        }
    }

    pub(super) fn report(&mut self, id: BlockId, error: ExecuteError, out: &mut Vec<Output>) {
        let ours = matches!(
            error,
            ExecuteError::Storage(_) | ExecuteError::NotConserved | ExecuteError::Outdated { .. }
        );
        if ours {
            // A10.1, A0.6, AELF-30: neither a block's fault nor anything to go on from.
            self.stopped = true;
            out.push(Output::Fault(Fault::Stopped(error)));
        } else {
            out.push(Output::Fault(Fault::Block(id, error)));
        }
    }

    pub(super) fn build(
        &mut self,
        request: bft::Build,
        out: &mut Vec<Output>,
    ) -> Option<bft::Built> {
        let chain = self.ledger.chain();
        let reveal = Reveal { epoch: request.epoch }.digest(chain);
        let offered = Carried {
            reveal: self.beacon.as_ref().map(|key| key.sign(reveal)),
            finality: self.guardian.certificate().cloned(),
            rules: KNOWN_RULES,
        };
        let candidates = self.mempool.candidates(&self.ledger.spent(&request.parent));
        match self.ledger.build(&request, offered, candidates) {
            Ok(body) => {
                let Body { transactions, carried, state_root, field_root, next, refused, prepared } =
                    body;
                for (id, error) in &refused {
                    self.mempool.refuse(id, error);
                }
                self.prepared = Some(prepared);
                let body = transactions;
                Some(bft::Built { request, body, carried, state_root, field_root, next })
            }
            Err(error) => {
                self.report(request.parent, error, out);
                None
            }
        }
    }

    pub(super) fn settle(&mut self, now: Moment, settled: bft::Settled, out: &mut Vec<Output>) {
        let bft::Settled { blocks, certificate } = settled;
        for (id, block) in blocks {
            let header = block.signed.header.clone();
            let Some(write) = self.ledger.settlement(id, block, certificate.clone()) else {
                let lost = StorageError(format!("settled block {} has no state", id.0));
                self.report(id, lost.into(), out);
                return;
            };
            let elected = write.elected.clone();
            self.batch.push(Write::Settle(Box::new(write)));
            self.waiting.push(Waiting::Ledger(id));
            if let Some(validators) = elected.validators {
                self.pace.validators = validators;
            }
            self.settled.push_back((header.height, id));
            while self.settled.len() > MAX_SETTLED {
                self.settled.pop_front();
            }
            self.settled_headers.push_back(header.clone());
            while self.settled_headers.len() > MAX_NEWS_HEADERS {
                self.settled_headers.pop_front();
            }
            let guardians = elected.guardians.map(Box::new);
            if guardians.is_some()
                && self.frozen_until.is_none_or(|until| header.time > until)
                && let Some(key) = self.frozen_guardian.take()
            {
                self.guardian.thaw(key);
            }
            self.feed_guardian(now, guardian::Input::Settled(Box::new(header), guardians), out);
        }
    }

    /// A1.22: the settled head has elected other validators, and their settlement begins at it.
    fn begin_term(&mut self, now: Moment, scratch: &mut Vec<bft::Output>, out: &mut Vec<Output>) {
        let begin = bft::Start {
            root: self.bft.root().clone(),
            certificate: bft::term_start(self.bft.root()),
            recent: self.settled.iter().copied().collect(),
            record: None,
            kept: Vec::new(),
        };
        // Votes of the old term that wait for the disk will not be sent.
        let is_old = |waiting: &Waiting| matches!(waiting, Waiting::Bft(_));
        self.waiting.retain(|waiting| !is_old(waiting));
        self.in_flight.values_mut().for_each(|batch| batch.retain(|waiting| !is_old(waiting)));
        self.logged = (Height(0), 0);
        scratch.clear();
        let thawed = self.frozen_until.is_none_or(|until| begin.root.time > until);
        let key = self.key.clone().filter(|_| thawed);
        match bft::Bft::new(now, self.pace.clone(), begin, key, scratch) {
            Some(bft) => self.bft = bft,
            None => {
                let lost = StorageError(String::from("a set was elected that no chain may have"));
                self.report(self.bft.root_id(), lost.into(), out);
            }
        }
    }

    pub(super) fn feed_guardian(
        &mut self,
        now: Moment,
        input: guardian::Input,
        out: &mut Vec<Output>,
    ) {
        let mut outputs = Vec::new();
        self.guardian.handle(now, input, &mut outputs);
        for output in outputs {
            match output {
                guardian::Output::Store(token, record) => {
                    let slot = record.height.0;
                    let signed =
                        Signature { role: Role::Share, term: 0, slot, block: record.block };
                    self.batch.extend([Write::Guardian(record), Write::Signed(signed)]);
                    self.waiting.push(Waiting::Guardian(token));
                }
                guardian::Output::Broadcast(message) => {
                    out.push(Output::Broadcast(codec::encode(&Wire::Guardian(message))));
                }
                guardian::Output::Send(to, message) => {
                    out.push(Output::Send(to, codec::encode(&Wire::Guardian(message))));
                }
                guardian::Output::Final(certificate) => self.batch.push(Write::Final(certificate)),
                guardian::Output::Fault(fault) => self.fault(Fault::Guardian(fault), out),
            }
        }
    }

    fn fault(&mut self, fault: Fault, out: &mut Vec<Output>) {
        self.note_offence(&fault);
        out.push(Output::Fault(fault));
    }

    /// Turns everything that was asked to be written into one batch.
    pub(super) fn flush(&mut self, out: &mut Vec<Output>) {
        if self.batch.is_empty() || self.stopped {
            return;
        }
        let token = Token(self.next_token);
        self.next_token = self.next_token.saturating_add(1);
        self.in_flight.insert(token, std::mem::take(&mut self.waiting));
        out.push(Output::Store(token, std::mem::take(&mut self.batch)));
    }
}
