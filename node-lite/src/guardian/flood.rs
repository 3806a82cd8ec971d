//! Small sets: every guardian's share goes to everybody, and a quorum of them makes a certificate with a bitmap (A2.17).

use super::{
    Fault, GuardianMachine, GuardianRecord, Known, MAX_OPEN, Message, Output, RESEND, Share,
};
use crate::bft::Peer;
use antiphon_core::{
    chain::certificate::{FinalityCertificate, FinalityVote, Signers},
    crypto::{Hash, Tagged, bls::BlsSignature},
    id::Height,
    time::Moment,
};

impl GuardianMachine {
    /// Returns whether the set of this hash is known and small.
    pub(super) fn floods(&self, set: &Hash) -> bool {
        self.sets.get(set).is_some_and(|held| held.set.members.len() <= self.flooded)
    }

    pub(super) fn on_share(&mut self, from: Peer, share: Share, out: &mut Vec<Output>) {
        let height = share.vote.height;
        let highest = self.newest().plus(self.interval.saturating_mul(MAX_OPEN));
        let wanted = height > self.height()
            && height <= highest
            && height.0.checked_rem(self.interval) == Some(0);
        let known = self.shares.get(&height).and_then(|shares| shares.get(&share.index));
        let set = share.vote.guardians_hash;
        let of_set = set == self.set_at(height) && self.floods(&set);
        if !wanted || known == Some(&share) || !of_set {
            return;
        }
        let Some(electorate) = self.sets.get(&share.vote.guardians_hash) else { return };
        let valid = electorate.member(share.index).is_some_and(|member| {
            member.key.verify(share.vote.digest(self.chain), &share.signature).is_ok()
        });
        if valid {
            self.keep(share, out);
        } else {
            out.push(Output::Fault(Fault::BadMessage(from)));
        }
    }

    /// Keeps a verified share; a second one of another block at this height is evidence.
    pub(super) fn keep(&mut self, share: Share, out: &mut Vec<Output>) {
        let height = share.vote.height;
        let shares = self.shares.entry(height).or_default();
        let held = shares.entry(share.index).or_insert_with(|| share.clone());
        if held.vote != share.vote {
            let pair = [held.clone(), share];
            out.push(Output::Fault(Fault::TwoShares(Box::new(pair))));
            return;
        }
        self.build(height, out);
    }

    /// A2.17: at a quorum of shares for what is settled here, adds them up and says so.
    pub(super) fn build(&mut self, height: Height, out: &mut Vec<Output>) {
        let Some(Known { block, guardians }) = self.checkpoints.get(&height).copied() else {
            return;
        };
        let Some(electorate) = self.sets.get(&guardians) else { return };
        if height <= self.height() {
            return;
        }
        let Some(shares) = self.shares.get(&height) else { return };
        let vote = FinalityVote { guardians_hash: guardians, height, block };
        let agreeing = || shares.values().filter(|share| share.vote == vote);
        let weights = agreeing().filter_map(|share| electorate.member(share.index));
        if weights.fold(0_u64, |sum, m| sum.saturating_add(m.weight)) < electorate.quorum {
            return;
        }
        let places = agreeing().map(|share| usize::from(share.index));
        let signers = Signers::bitmap(electorate.set.members.len(), places);
        let sum = BlsSignature::aggregate(agreeing().map(|share| &share.signature));
        let (Ok(signature), Some(signers)) = (sum, signers) else { return };
        let certificate = FinalityCertificate { height, block, signers, signature };
        out.push(Output::Broadcast(Message::Certificate(certificate.clone())));
        self.finalise(certificate, out);
    }

    pub(super) fn on_tick(&mut self, now: Moment, out: &mut Vec<Output>) {
        if self.resend.is_none_or(|at| now < at) {
            return;
        }
        if !self.unsent.is_empty() {
            // A0.6: the record names a share that is not on the disk yet. Once it is, the share is sent.
            self.resend = Some(now.after(RESEND));
            return;
        }
        let GuardianRecord { height, block } = self.record;
        let guardians = self.set_at(height);
        let index = self.sets.get(&guardians).and_then(|electorate| electorate.index);
        let is_open = height > self.height() && self.floods(&guardians);
        let Some((key, index)) = self.key.as_ref().zip(index).filter(|_| is_open) else {
            self.resend = None;
            return;
        };
        // The same vote gives the same bytes, so this is no second share.
        self.resend = Some(now.after(RESEND));
        let vote = FinalityVote { guardians_hash: guardians, height, block };
        let signature = key.sign(vote.digest(self.chain));
        let share = Share { vote, index, signature };
        out.push(Output::Broadcast(Message::Share(share.clone())));
        self.keep(share, out);
    }
}
