//! What arrives: blocks, votes, epoch changes and the certificates inside them. Bounds and the cheap checks come first.

use super::{
    Asked, Bft, Config, Fault, Input, MAX_ASKS, MAX_SOURCES, Output, Peer, USEFUL_ANSWER,
    message::{Block, Message, SignedEpochChange, SignedVote, tx_root},
    tree::{Admitted, Status},
    votes::{Counted, MAX_AHEAD},
};
use antiphon_core::{
    chain::{
        beacon::ProposerOrder,
        certificate::Certificate,
        header::{Header, SignedHeader},
        offence::VoteOnHeader,
    },
    crypto::{Signed, Tagged},
    id::{BlockId, Epoch},
    time::{Moment, UnixMillis},
};

impl Bft {
    pub(super) fn on_message(
        &mut self,
        now: Moment,
        from: Peer,
        message: Message,
        out: &mut Vec<Output>,
    ) {
        match message {
            Message::Block(block) => self.on_block(now, from, *block, out),
            Message::Vote(vote) => self.on_vote(now, from, vote, out),
            Message::EpochChange(change) => self.on_epoch_change(now, from, *change, out),
            Message::Certificate(certificate) => self.on_certificate(now, from, certificate, out),
        }
    }

    /// Puts back blocks that were kept with votes, and says again what may not have been heard.
    pub(super) fn restore(&mut self, now: Moment, mut kept: Vec<Block>, out: &mut Vec<Output>) {
        kept.retain(|block| block.signed.header.validators_hash == self.set_hash);
        kept.sort_by_key(|block| block.height());
        self.kept = kept.iter().map(Block::id).collect();
        for block in kept {
            let again = (self.record.epoch, block.id()) == self.record.last_proposal;
            if again && self.me.is_some() {
                // A1.16: in the same epoch only the same bytes are sent.
                out.push(Output::Broadcast(Message::Block(Box::new(block.clone()))));
            }
            let from = self.me.as_ref().map_or(0, |me| me.index);
            self.handle(now, Input::Message(from, Message::Block(Box::new(block))), out);
        }
        let from = self.me.as_ref().map_or(0, |me| me.index);
        self.learn(now, from, self.record.lock.clone(), out);
    }

    fn on_block(&mut self, now: Moment, from: Peer, block: Block, out: &mut Vec<Output>) {
        let header = &block.signed.header;
        let id = block.id();
        if header.validators_hash != self.set_hash {
            // Of another term: no fault. If it is a later one, its sender knows how ours ended.
            if header.height > self.tree.root().height.plus(1) {
                self.ask(now, from, id, out);
            }
            return;
        }
        let certified = self.tree.certificate(&id).is_some();
        // A1.23: old blocks and far epochs are not kept, unless validators have certified them. Epochs rise along a chain,
        // so a block of an epoch that is over at the root never builds on it: kept, such blocks would fill the tree.
        let root = self.tree.root();
        let rotations = (self.config.validators.members.len() as u64).saturating_mul(2);
        let far = header.epoch.0 > self.record.epoch.0.saturating_add(rotations);
        let old = header.height <= root.height || header.epoch <= root.epoch;
        if old || (far && !certified) || self.tree.entry(&id).is_some() {
            return;
        }
        // A1.11: dated ahead of an honest clock; it may come again later.
        if header.time > self.wall(now).plus(self.config.drift) {
            return;
        }
        if !self.is_well_formed(&block, &id) {
            out.push(Output::Fault(Fault::BadMessage(from)));
            return;
        }
        let height = header.height;
        let (hcc, parent, signed) = (header.hcc.clone(), header.parent, block.signed.clone());
        match self.tree.admit(now, id, block) {
            Admitted::New => {
                for vote in self.votes.of_block(height, id) {
                    self.check_lock(&vote, out);
                }
            }
            Admitted::Double(other) => self.report_double(&other, signed, out),
            Admitted::Refused => return,
        }
        self.learn(now, from, hcc, out);
        if self.tree.header(&parent).is_none() {
            self.ask(now, from, parent, out);
        }
        self.promote(out);
        self.settle(now, out);
    }

    fn report_double(&self, other: &BlockId, signed: SignedHeader, out: &mut Vec<Output>) {
        if let Some(entry) = self.tree.entry(other) {
            let pair = [entry.block.signed.clone(), signed];
            out.push(Output::Fault(Fault::TwoProposals(Box::new(pair))));
        }
    }

    /// Everything that can be checked without the parent.
    fn is_well_formed(&self, block: &Block, id: &BlockId) -> bool {
        let header = &block.signed.header;
        let set = &self.config.validators;
        let Some(proposer) = set.members.get(usize::from(header.proposer_index)) else {
            return false;
        };
        header.chain_id == self.config.chain
            && self.may_propose(header)
            && header.carried == block.carried.hash(self.config.chain)
            && header.hcc.height < header.height
            && header.tx_root == tx_root(&block.body)
            && {
                let digest = header.proposal(*id).digest(self.config.chain);
                proposer.key.verify(&digest.0, &block.signed.signature).is_ok()
            }
            && self.is_certificate(&header.hcc)
    }

    /// Returns the place of the proposer of an epoch above a block (A1.16).
    pub(super) fn proposer_above(&self, parent: &Header, epoch: Epoch) -> Option<u16> {
        self.config.order.proposer(parent.next_order, &self.config.validators, epoch)
    }

    /// Returns whether a header can be its proposer's, as far as that is known without its parent. A drawn order depends on
    /// the parent; until that is known, each validator has its two places of the epoch (A1.23).
    fn may_propose(&self, header: &Header) -> bool {
        let Config { order, validators, .. } = &self.config;
        match order {
            ProposerOrder::RoundRobin => {
                let turn = order.proposer(header.next_order, validators, header.epoch);
                turn == Some(header.proposer_index)
            }
            ProposerOrder::CommitReveal => true,
        }
    }

    /// Checks a certificate, unless exactly these bytes are known.
    fn is_certificate(&self, certificate: &Certificate) -> bool {
        if self.tree.certificate(&certificate.block) == Some(certificate)
            || self.record.lock == *certificate
        {
            return true;
        }
        let since = self.config.validators.since;
        if certificate.height <= since {
            // A1.13: what the term began from is certified by definition, by nobody.
            let mut remembered = self.recent.iter().filter(|(height, _)| *height == since);
            return certificate.height == since
                && certificate.signatures.is_empty()
                && remembered.all(|(_, id)| *id == certificate.block);
        }
        certificate.verify(self.config.chain, &self.config.validators).is_ok()
    }

    /// The last certificate of a term, sent to one who was away. Nobody can be blamed for one of another term.
    fn on_certificate(
        &mut self,
        now: Moment,
        from: Peer,
        certificate: Certificate,
        out: &mut Vec<Output>,
    ) {
        let known = self.tree.entry(&certificate.block).is_some();
        if known && self.is_certificate(&certificate) {
            self.learn(now, from, certificate, out);
            self.settle(now, out);
        }
    }

    /// Keeps a certificate that was checked, asks for its block, and follows it into its epoch.
    pub(super) fn learn(
        &mut self,
        now: Moment,
        from: Peer,
        certificate: Certificate,
        out: &mut Vec<Output>,
    ) {
        let (block, height) = (certificate.block, certificate.height);
        if let Err(other) = self.tree.certify(certificate) {
            return self.halt(block, other, out);
        }
        if height <= self.tree.root().height {
            return;
        }
        if let Some(missing) = self.tree.missing(&block) {
            // Asked for again and again: an answer holds only so many blocks, and may be lost.
            self.ask(now, from, missing, out);
        }
        match self.tree.entry(&block) {
            None => {}
            Some(entry) if entry.status == Status::Invalid => self.halt(block, block, out),
            Some(entry) => {
                // A quorum voted in this epoch, so a quorum has entered it.
                let epoch = entry.block.signed.header.epoch;
                if epoch > self.record.epoch {
                    self.enter(now, epoch, out);
                }
            }
        }
    }

    /// Asks a neighbour for a block, unless it was asked, or another was within Δ: who names blocks and does not send them
    /// keeps nobody else from being asked for long.
    pub(super) fn ask(&mut self, now: Moment, from: Peer, id: BlockId, out: &mut Vec<Output>) {
        let delta = self.config.delta;
        let root = self.tree.root().height;
        let waits = |asked: &Asked| {
            now.since(asked.at) < delta.saturating_mul(2) && root < asked.above.plus(USEFUL_ANSWER)
        };
        self.asked.retain(|_, asked| waits(asked));
        let of_peer = self.asked.values().filter(|asked| asked.of.contains(&from)).count();
        if of_peer >= MAX_ASKS {
            return;
        }
        let asked =
            self.asked.entry(id).or_insert_with(|| Asked { at: now, above: root, of: Vec::new() });
        let elsewhere = now.since(asked.at) >= delta && asked.of.len() < MAX_SOURCES;
        if asked.of.is_empty() || (elsewhere && !asked.of.contains(&from)) {
            asked.at = now;
            asked.of.push(from);
            out.push(Output::Ask(from, id));
        }
    }

    /// Asks for the next part of a long way as soon as the last one is of use, not only when the block is named again.
    pub(super) fn ask_on(&mut self, now: Moment, out: &mut Vec<Output>) {
        let root = self.tree.root().height;
        let is_next = |(id, asked): &(&BlockId, &Asked)| {
            root >= asked.above.plus(USEFUL_ANSWER) && self.tree.entry(id).is_none()
        };
        let newest = self.asked.iter().filter(is_next).max_by_key(|(_, asked)| asked.at);
        let next = newest.and_then(|(id, asked)| Some((*asked.of.last()?, *id)));
        if let Some((of, id)) = next {
            self.ask(now, of, id, out);
        }
    }

    /// Sends every block whose parent is executed to the ledger, if it fits its parent.
    pub(super) fn promote(&mut self, out: &mut Vec<Output>) {
        for id in self.tree.ready() {
            let fits = self.fits_parent(&id);
            if let Some(entry) = self.tree.entry_mut(&id) {
                entry.status = if fits { Status::Checking } else { Status::Invalid };
                if fits {
                    out.push(Output::Execute(id));
                }
            }
        }
    }

    /// A1.11 and V3 of A1.17: the relations of a header to its parent. Whether the sets above it are those that were
    /// elected is the ledger's to say.
    fn fits_parent(&self, id: &BlockId) -> bool {
        let Some(entry) = self.tree.entry(id) else { return false };
        let header = &entry.block.signed.header;
        let Some(parent) = self.tree.header(&header.parent) else { return false };
        header.height == parent.height.plus(1)
            && header.guardians_hash == parent.next_guardians_hash
            && (!self.is_closed_by(parent) || Self::may_close(&entry.block, parent))
            && header.epoch > parent.epoch
            && self.proposer_above(parent, header.epoch) == Some(header.proposer_index)
            && header.time > parent.time
            && header.cp_link == self.link_above(&header.parent, parent)
            && self.is_ancestor(&header.hcc, &header.parent)
    }

    /// Returns the newest checkpoint at or below `parent`: what its child links to.
    pub(super) fn link_above(&self, id: &BlockId, parent: &Header) -> BlockId {
        let height = parent.height.0;
        let is_checkpoint =
            height > 0 && height.checked_rem(self.config.checkpoint_interval) == Some(0);
        if is_checkpoint { *id } else { parent.cp_link }
    }

    fn is_ancestor(&self, hcc: &Certificate, of: &BlockId) -> bool {
        if hcc.height < self.tree.root().height {
            return self.recent.iter().any(|settled| *settled == (hcc.height, hcc.block));
        }
        let named = self.tree.header(&hcc.block).is_some_and(|h| h.height == hcc.height);
        named && self.tree.descends(of, &hcc.block)
    }

    fn on_vote(&mut self, now: Moment, from: Peer, vote: SignedVote, out: &mut Vec<Output>) {
        let height = vote.vote.height;
        let root = self.tree.root().height;
        let of_term = vote.vote.validators_hash == self.set_hash;
        let near = height > root && height <= root.plus(MAX_AHEAD);
        if !of_term || !near || self.votes.knows(&vote) {
            return;
        }
        let member = self.config.validators.members.get(usize::from(vote.index));
        let valid = member.is_some_and(|m| vote.verify(self.config.chain, &m.key).is_ok());
        if valid {
            self.count(now, from, vote, out);
        } else {
            out.push(Output::Fault(Fault::BadMessage(from)));
        }
    }

    /// A4-O3: of two votes of one validator, the higher is for a block that carries no lower certificate (A1.17 V4). It is
    /// enough to look at neighbours: where certificates fall, they fall between two of them.
    fn check_lock(&self, vote: &SignedVote, out: &mut Vec<Output>) {
        let on_header = |vote: &SignedVote| {
            let header = self.tree.header(&vote.vote.block)?.clone();
            let vote = Signed { body: vote.vote.clone(), signature: vote.signature };
            Some(VoteOnHeader { vote, header })
        };
        let Some(this) = on_header(vote) else { return };
        let below = self.votes.below(vote).find_map(on_header).map(|lower| [lower, this.clone()]);
        let above = self.votes.above(vote).find_map(on_header).map(|higher| [this, higher]);
        for pair in below.into_iter().chain(above) {
            let [lower, higher] = &pair;
            if higher.header.hcc.height < lower.header.hcc.height {
                out.push(Output::Fault(Fault::Unlocked(vote.index, Box::new(pair))));
            }
        }
    }

    /// Counts a vote that is verified or our own.
    pub(super) fn count(
        &mut self,
        now: Moment,
        from: Peer,
        vote: SignedVote,
        out: &mut Vec<Output>,
    ) {
        let counted = self.votes.count(vote.clone(), &self.config.validators, self.quorum);
        if !matches!(counted, Counted::Double(_)) {
            self.check_lock(&vote, out);
        }
        match counted {
            Counted::Kept => {}
            Counted::Double(first) => {
                out.push(Output::Fault(Fault::TwoVotes(Box::new([*first, vote]))));
            }
            Counted::Certificate(certificate) => {
                if self.tree.certificate(&certificate.block).is_none() {
                    self.learn(now, from, certificate, out);
                    self.settle(now, out);
                }
            }
        }
    }

    fn on_epoch_change(
        &mut self,
        now: Moment,
        from: Peer,
        signed: SignedEpochChange,
        out: &mut Vec<Output>,
    ) {
        let SignedEpochChange { change, index, signature, last_vote } = &signed;
        if change.validators_hash != self.set_hash {
            // Of another term. If ours ended without us, others may wait for our vote and have no block to show.
            if change.high_cc.height > self.tree.root().height {
                self.ask(now, from, change.high_cc.block, out);
            }
            return;
        }
        let member = self.config.validators.members.get(usize::from(*index));
        let digest = change.digest(self.config.chain);
        let valid = member.is_some_and(|m| m.key.verify(&digest.0, signature).is_ok())
            && self.is_certificate(&change.high_cc);
        if !valid {
            out.push(Output::Fault(Fault::BadMessage(from)));
            return;
        }
        self.learn(now, from, change.high_cc.clone(), out);
        if let Some(vote) = last_vote {
            // A vote for a block we lack: its sender has it.
            if vote.vote.height > self.tree.root().height
                && self.tree.header(&vote.vote.block).is_none()
            {
                self.ask(now, from, vote.vote.block, out);
            }
            self.on_vote(now, from, vote.clone(), out);
        }
        self.epochs.keep(signed);
        self.settle(now, out);
        self.advance(now, out);
    }

    /// Returns wall-clock time at `now`.
    pub(super) const fn wall(&self, now: Moment) -> UnixMillis {
        UnixMillis(self.config.origin_ms.saturating_add(now.as_millis()))
    }
}
