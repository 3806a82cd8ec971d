//! What an application shows of a field.

use super::{Freeze, Seat, own::Own, wire::Ordered};
use crate::{
    amount::Amount,
    id::{Address, FieldId, Height},
    payment::field::{Member, escrow::FieldStatus},
};
use alloc::vec::Vec;

/// Payments in a view. Chosen here: more than a page shows.
const MAX_SHOWN: usize = 256;

/// A field as an application may show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldView {
    /// The field.
    pub id: FieldId,
    /// Where it is in its life.
    pub phase: Phase,
    /// Who orders payments.
    pub leader: Address,
    /// The members, in the order of places.
    pub members: Vec<MemberView>,
    /// Version of the members.
    pub version: u32,
    /// The newest round that is sealed.
    pub round: u32,
    /// All committed payments of all members.
    pub committed: u64,
    /// What the running round is at.
    pub step: RoundStep,
    /// The newest payments of this member and to it, the oldest first.
    pub payments: Vec<PaymentView>,
    /// Last block in which something can be done about a close or a challenge.
    pub deadline: Option<Height>,
    /// Why nothing is signed here any more.
    pub freeze: Option<Freeze>,
    /// The next version, if the leader has proposed one.
    pub amendment: Option<AmendmentView>,
}

/// A proposed version as an application may show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AmendmentView {
    /// Its members, with what each of them would have.
    pub members: Vec<Member>,
    /// Last block that may begin it.
    pub until: Height,
    /// Whether this member has signed it, so that nothing else is signed until it is decided.
    pub is_signed: bool,
}

/// Where a field is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The leader invites to it; this member has not accepted.
    Invited,
    /// Signed here; the chain has not shown it yet.
    Joining,
    /// Members pay each other.
    Open,
    /// A round was annulled: the state before it is closed with, or goes on as the next version (A6.12, A6.14).
    Halted,
    /// The chain is about to enforce a state.
    Closing,
    /// Everybody was paid.
    Closed,
    /// The field goes on without this member, which was paid.
    Left,
}

/// What a running round is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoundStep {
    /// Payments are made.
    Running,
    /// The leader has closed it; its payments are being checked here.
    Checking,
    /// Refused here: it breaks a receipt of the leader. Closing the field is what is left.
    Refused,
    /// Signed here: until all have signed, it may count or not (A6.10).
    Signed,
}

/// A member as an application may show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemberView {
    /// Who.
    pub address: Address,
    /// What it has in the newest sealed state.
    pub balance: Amount,
    /// Whether it has signed the terms, or the running round, as far as is known here.
    pub has_signed: bool,
}

/// A payment as an application may show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PaymentView {
    /// The name under which it was made here; only of own payments that are not committed.
    pub id: Option<u64>,
    /// Who pays.
    pub payer: Address,
    /// Who is paid.
    pub payee: Address,
    /// How much.
    pub amount: Amount,
    /// How far it has come.
    pub standing: Standing,
    /// Its round; of one that waits, the running one.
    pub round: u32,
    /// Its place in the round, once the leader has given it one.
    pub index: Option<u32>,
}

/// How far a payment has come. Only what is committed is money (A6.9).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// Made here.
    Pending,
    /// The leader has given it a place.
    Sequenced,
    /// In a state that all have signed.
    Committed,
    /// In a round that the chain will never enforce.
    Void,
}

impl Seat {
    /// Returns the view of an application.
    pub(super) fn view(&self, phase: Phase) -> FieldView {
        let state = self.committed();
        let voted = self.voting.as_ref().map(|voting| &voting.votes);
        let signatures = if phase == Phase::Joining { Some(&self.accepted) } else { voted };
        let mut members = Vec::new();
        for (place, party) in self.parties.iter().enumerate() {
            let signed = signatures.and_then(|signatures| signatures.get(place));
            members.push(MemberView {
                address: party.address,
                balance: state.balances.get(place).copied().unwrap_or_default(),
                has_signed: signed.is_some_and(Option::is_some),
            });
        }
        let nobody = Address([0; 20]);
        FieldView {
            id: self.id,
            phase,
            leader: self.party(self.leader).map_or(nobody, |party| party.address),
            members,
            version: state.version,
            round: state.round,
            committed: state.payments,
            step: self.step(),
            payments: self.newest_payments(),
            deadline: self.affairs.deadline(),
            freeze: self.freeze,
            amendment: self.amending.as_ref().map(|amending| AmendmentView {
                members: amending.amendment.members.to_vec(),
                until: amending.amendment.until,
                is_signed: self.is_amending(),
            }),
        }
    }

    /// Returns where the field is in its life.
    pub(super) fn phase(&self) -> Phase {
        match self.affairs.state().map(|state| state.status) {
            None => Phase::Joining,
            Some(_) if self.has_left() => Phase::Left,
            Some(_) if !self.is_current() => Phase::Joining,
            Some(FieldStatus::Closed { .. }) => Phase::Closed,
            Some(FieldStatus::Closing(_)) => Phase::Closing,
            Some(FieldStatus::Open) if self.affairs.is_open() => Phase::Open,
            Some(FieldStatus::Open) => Phase::Halted,
        }
    }

    const fn step(&self) -> RoundStep {
        match (&self.voting, &self.gather) {
            (Some(_), _) => RoundStep::Signed,
            (None, Some(gather)) if gather.is_refused => RoundStep::Refused,
            (None, Some(_)) => RoundStep::Checking,
            (None, None) => RoundStep::Running,
        }
    }

    /// Returns whether the chain will never enforce this round.
    fn is_void(&self, round: u32) -> bool {
        self.void_from().is_some_and(|from| round >= from)
    }

    fn newest_payments(&self) -> Vec<PaymentView> {
        let mut newest = Vec::new();
        for own in self.own.iter().rev() {
            newest.push(self.own_view(own));
        }
        let running = self.running().round;
        let credits = self.receipts.iter().rev().map(|(index, receipt)| (*index, &receipt.item));
        let to_us = credits.chain(newest_first(self.round.items()));
        for (index, item) in to_us.filter(|(_, item)| item.payee == self.me).take(MAX_SHOWN) {
            newest.push(self.item_view(running, index, item, Standing::Sequenced));
        }
        for (at, past) in self.history.iter().enumerate().rev() {
            let round = self.first.saturating_add(u32::try_from(at).unwrap_or(u32::MAX));
            let room = MAX_SHOWN.saturating_sub(newest.len());
            let is_money = round <= self.committed().round;
            let standing = if is_money { Standing::Committed } else { Standing::Sequenced };
            let ours = newest_first(&past.items).filter(|(_, item)| self.concerns(item));
            for (index, item) in ours.take(room) {
                newest.push(self.item_view(round, index, item, standing));
            }
        }
        newest.truncate(MAX_SHOWN);
        newest.reverse();
        newest
    }

    const fn concerns(&self, item: &Ordered) -> bool {
        item.payer == self.me || item.payee == self.me
    }

    fn own_view(&self, own: &Own) -> PaymentView {
        let (round, signature) = (self.running().round, own.signature);
        let standing = if own.index.is_some() { Standing::Sequenced } else { Standing::Pending };
        let (payer, payee, amount) = (self.me, own.payee, own.amount);
        let signature = signature.unwrap_or(crate::crypto::Signature([0; 64]));
        let item = Ordered { payer, payee, amount, signature };
        let shown = self.item_view(round, 0, &item, standing);
        PaymentView { id: Some(own.id), index: own.index, ..shown }
    }

    fn item_view(&self, round: u32, index: u32, item: &Ordered, standing: Standing) -> PaymentView {
        let address = |place| self.party(place).map_or(Address([0; 20]), |party| party.address);
        let standing = if self.is_void(round) { Standing::Void } else { standing };
        PaymentView {
            id: None,
            payer: address(item.payer),
            payee: address(item.payee),
            amount: item.amount,
            standing,
            round,
            index: Some(index),
        }
    }
}

/// Returns payments of a round with their places, the last first.
fn newest_first(items: &[Ordered]) -> impl Iterator<Item = (u32, &Ordered)> {
    let items = items.iter().enumerate().rev();
    items.filter_map(|(index, item)| Some((u32::try_from(index).ok()?, item)))
}
