//! Epochs, timers and votes: when a node moves on, and when it may speak.
//!
//! Source: PROTOCOL A1.15, A1.17.

use super::{
    Announced, Bft, Output,
    message::{EpochChange, Message, SignedEpochChange, SignedVote},
    tree::Status,
};
use antiphon_core::{
    chain::certificate::Vote,
    id::{BlockId, Epoch, Height},
    time::Moment,
};
use std::time::Duration;

/// The timer of an epoch is at least this many Δ: 2 skew, 2 wait, 1 proposal, 1 vote (A1.15).
const TIMER_DELTAS: u32 = 6;
/// The timer doubles at most this often. Chosen here: 64 times the shortest.
const MAX_BACKOFF: u64 = 6;
/// Epochs between a block and its settlement when all is well: backing off starts after them.
const USUAL_LAG: u64 = 4;

impl Bft {
    /// Returns when patience with the present epoch ends.
    pub(super) fn timer_end(&self) -> Moment {
        let shortest = self.config.delta.saturating_mul(TIMER_DELTAS);
        if self.fresh {
            return self.timer_from.after(self.config.delta.saturating_mul(2));
        }
        let since = self.record.epoch.0.saturating_sub(self.settled_epoch.0);
        let doublings = since.saturating_sub(USUAL_LAG).min(MAX_BACKOFF);
        let factor = 1_u32.checked_shl(u32::try_from(doublings).unwrap_or(0)).unwrap_or(1);
        let wait: Duration = shortest.saturating_mul(factor);
        self.timer_from.after(wait.saturating_add(self.config.block_time))
    }

    pub(super) fn on_timer(&mut self, now: Moment, out: &mut Vec<Output>) {
        if self.me.is_some() && now >= self.timer_end() {
            self.timer_from = now;
            self.fresh = false;
            // Sent again even if sent before: it may have been lost.
            self.announce(None, Vec::new(), out);
        }
    }

    /// Follows the epoch changes of others: amplify at blocking weight, enter at a quorum.
    pub(super) fn advance(&mut self, now: Moment, out: &mut Vec<Output>) {
        let set = &self.config.validators;
        if let Some(epoch) = self.epochs.reached(set, self.quorum)
            && epoch > self.record.epoch
        {
            self.enter(now, epoch, out);
        }
        let next = Epoch(self.record.epoch.0.saturating_add(1));
        let pressed = self.epochs.weight(&self.config.validators, next) >= self.blocking;
        if pressed && self.announced.iter().all(|own| own.epoch < next) {
            self.announce(None, Vec::new(), out);
        }
    }

    pub(super) fn enter(&mut self, now: Moment, epoch: Epoch, out: &mut Vec<Output>) {
        self.record.epoch = epoch;
        self.entered = now;
        self.timer_from = now;
        self.building = None;
        let [_, newest] = self.announced;
        let held = if newest.epoch == epoch { newest } else { Announced::default() };
        self.announced = [held, newest];
        self.vote_in_epoch(out);
    }

    /// Votes for a valid block of the present epoch, if there is one that may be voted for.
    pub(super) fn vote_in_epoch(&mut self, out: &mut Vec<Output>) {
        let epoch = self.record.epoch;
        let found = self.tree.executed().find(|(_, entry)| {
            entry.status == Status::Valid && entry.block.signed.header.epoch == epoch
        });
        if let Some(id) = found.map(|(id, _)| *id) {
            self.try_vote(&id, out);
        }
    }

    /// A1.17: persists, then sends the vote and with it the wish for the next epoch.
    pub(super) fn try_vote(&mut self, id: &BlockId, out: &mut Vec<Output>) {
        let Some(me) = &self.me else { return };
        let Some(entry) = self.tree.entry(id) else { return };
        let header = &entry.block.signed.header;
        let [present, _] = self.announced;
        let announced = if present.epoch == self.record.epoch { present.height } else { Height(0) };
        if entry.status != Status::Valid || !self.record.may_vote(header, announced) {
            return;
        }
        let header = header.clone();
        let vote = Vote { validators_hash: self.set_hash, height: header.height, block: *id };
        let signed = SignedVote::new(&me.key, self.config.chain, me.index, vote);
        self.record.vote(*id, &header);
        self.announce(Some(*id), vec![Message::Vote(signed)], out);
    }

    /// Persists, then sends `messages` and an epoch change to the next epoch with the last vote.
    pub(super) fn announce(
        &mut self,
        tip: Option<BlockId>,
        mut messages: Vec<Message>,
        out: &mut Vec<Output>,
    ) {
        let Some(me) = &self.me else { return };
        let Some(high_cc) = self.tree.highest().cloned() else { return };
        let epoch = Epoch(self.record.epoch.0.saturating_add(1));
        let [present, _] = self.announced;
        self.announced = [present, Announced { epoch, height: high_cc.height }];
        let change = EpochChange { validators_hash: self.set_hash, epoch, high_cc };
        let signature = me.key.sign(self.config.chain, &change);
        let (height, voted) = self.record.last_vote;
        let last_vote = (height > Height(0)).then(|| {
            let vote = Vote { validators_hash: self.set_hash, height, block: voted };
            SignedVote::new(&me.key, self.config.chain, me.index, vote)
        });
        let signed = SignedEpochChange { change, index: me.index, signature, last_vote };
        messages.push(Message::EpochChange(Box::new(signed)));
        self.persist(tip, messages, out);
    }
}
