//! The proposer's part: on what it builds, when, and what it signs. Source: PROTOCOL A1.16.

use super::{
    Bft, Build, Built, Output,
    message::{Block, Message, tx_root},
};
use antiphon_core::{
    chain::{
        carried::Carried,
        header::{Header, SignedHeader},
    },
    codec::Bounded,
    crypto::merkle,
    id::BlockId,
    time::Moment,
};

impl Bft {
    /// Returns when this node, if it is the proposer and has not proposed, should ask for a body.
    pub(super) fn propose_at(&self) -> Option<Moment> {
        let me = self.me.as_ref()?;
        let epoch = self.record.epoch;
        let spent = self.record.last_proposal.0 >= epoch || self.building == Some(epoch);
        if spent {
            return None;
        }
        let parent = self.parent()?;
        if self.proposer_above(self.tree.header(&parent)?, epoch) != Some(me.index) {
            return None;
        }
        let seen = self.tree.entry(&parent).map_or(self.root_seen, |entry| entry.seen);
        let paced = seen.after(self.config.block_time);
        let wait = if self.knows_highest() {
            self.entered
        } else {
            self.entered.after(self.config.delta.saturating_mul(2))
        };
        Some(paced.max(wait))
    }

    /// A certificate of the epoch before is provably the highest; so is what all validators reported.
    fn knows_highest(&self) -> bool {
        let high = self.tree.highest().and_then(|high| self.tree.header(&high.block));
        let fresh = high.is_some_and(|h| h.epoch.0.saturating_add(1) == self.record.epoch.0);
        fresh || self.epochs.weight(&self.config.validators, self.record.epoch) >= self.total
    }

    /// The highest valid block above the highest certificate; `None` while the certified block is not executed here.
    fn parent(&self) -> Option<BlockId> {
        let high = self.tree.highest()?;
        if self.tree.is_valid(&high.block) { self.tree.tip_above(&high.block) } else { None }
    }

    pub(super) fn try_propose(&mut self, now: Moment, out: &mut Vec<Output>) {
        if self.halted || self.ended || self.propose_at().is_none_or(|at| at > now) {
            return;
        }
        let epoch = self.record.epoch;
        let Some(parent) = self.parent() else { return };
        let Some(header) = self.tree.header(&parent) else { return };
        let Some(me) = &self.me else { return };
        let (height, proposer_index) = (header.height.plus(1), me.index);
        let checkpoint = self.link_above(&parent, header);
        let request = Build { epoch, parent, height, proposer_index, checkpoint };
        self.building = Some(epoch);
        if self.is_closed_by(header) {
            let (state_root, next) = (header.state_root, header.next());
            let (body, carried, field_root) = (Vec::new(), Carried::default(), merkle::root(&[]));
            let built = Built { request, body, carried, state_root, field_root, next };
            return self.on_built(now, built, out);
        }
        out.push(Output::Build(request));
    }

    pub(super) fn on_built(&mut self, now: Moment, built: Built, out: &mut Vec<Output>) {
        let Build { epoch, parent, .. } = built.request;
        if self.building != Some(epoch) || epoch != self.record.epoch {
            return;
        }
        // `building` stays: a body that does not fit is not asked for again in this epoch.
        let Some((id, block)) = self.assemble(now, built) else { return };
        // Persist, then send; after a crash in this epoch only these bytes are sent again.
        self.record.last_proposal = (epoch, id);
        debug_assert!(self.tree.is_valid(&parent), "a proposal builds on an executed block");
        let message = Message::Block(Box::new(block.clone()));
        self.tree.admit(now, id, block);
        self.persist(Some(id), vec![message], out);
        self.promote(out);
    }

    fn assemble(&self, now: Moment, built: Built) -> Option<(BlockId, Block)> {
        let Build { epoch, parent, height, proposer_index, checkpoint } = built.request;
        let hcc = self.tree.highest()?.clone();
        let below = self.tree.header(&parent)?;
        let time = self.wall(now).max(below.time.plus(1));
        if !self.tree.descends(&parent, &hcc.block) || time > self.wall(now).plus(self.config.drift)
        {
            return None;
        }
        let body = Bounded::try_from(built.body).ok()?;
        let header = Header {
            chain_id: self.config.chain,
            height,
            epoch,
            parent,
            hcc,
            tx_root: tx_root(&body),
            state_root: built.state_root,
            field_root: built.field_root,
            validators_hash: self.set_hash,
            next_validators_hash: built.next.validators,
            guardians_hash: below.next_guardians_hash,
            next_guardians_hash: built.next.guardians,
            cp_link: checkpoint,
            time,
            proposer_index,
            carried: built.carried.hash(self.config.chain),
            next_order: built.next.order,
        };
        let id = header.id();
        let key = &self.me.as_ref()?.key;
        let signature = key.sign(self.config.chain, &header.proposal(id));
        Some((
            id,
            Block { signed: SignedHeader { header, signature }, carried: built.carried, body },
        ))
    }
}
