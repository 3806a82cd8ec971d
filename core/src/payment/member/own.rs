//! The payments of this member, from its wish to the leader's receipt; and those that others make to it.
//!
//! ```text
//! pay --> wanted --signed--> Store --Stored--> Pay (to the leader) --> receipt --Store--> sequenced --sealed--> committed
//! ```
//!
//! Of the payments that are signed, the n-th has sequence n: a round counts from 0. What a sealed round did not take is
//! signed again for the next one, and can be in no other, for a signature names its round.

use super::{
    Fault, PayError, Seat, Turn,
    allowance::Cost,
    record::{Entry, OwnRecord, ReceiptRecord, bounded},
    round::ordered,
    wire::{Credit, Credits, Letter, MAX_OFFERED, Offer, Offers, Ordered, Placed, Receipts},
};
use crate::{
    amount::Amount,
    crypto::{Hash, Signature, Signed, Tagged},
    payment::field::{FieldEvidence, FieldPayment, Receipt},
};
use alloc::{boxed::Box, vec::Vec};

/// Payments of one member that are not committed. Chosen here: a whole round.
pub(super) const MAX_OWN: usize = super::MAX_ROUND;
/// Messages in which payments are repeated at once. Chosen here.
const MAX_REPEATED: usize = 4;

/// A payment of this member that is not committed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Own {
    /// Names it for the application.
    pub(super) id: u64,
    pub(super) payee: u8,
    pub(super) amount: Amount,
    /// Ours, for the running round.
    pub(super) signature: Option<Signature>,
    /// Whether the signature is stored, so that it may be spoken.
    pub(super) is_durable: bool,
    /// Where the leader has put it.
    pub(super) index: Option<u32>,
}

impl Seat {
    /// Pays another member. Returns the payment's name.
    pub(super) fn pay(
        &mut self,
        payee: u8,
        amount: Amount,
        turn: &mut Turn<'_>,
    ) -> Result<u64, PayError> {
        self.may_pay(payee, amount, turn)?;
        let id = self.next_own;
        self.next_own = self.next_own.saturating_add(1);
        let (signature, is_durable, index) = (None, false, None);
        self.own.push(Own { id, payee, amount, signature, is_durable, index });
        self.sign_wanted(turn);
        self.rearm(turn);
        turn.changed();
        Ok(id)
    }

    fn may_pay(&self, payee: u8, amount: Amount, turn: &Turn<'_>) -> Result<(), PayError> {
        if let Some(freeze) = self.freeze {
            return Err(PayError::Frozen(freeze));
        }
        self.affairs.may_pay(self.balance(), turn.policy)?;
        if self.sealed.state.is_final || self.wants_final || !self.is_current() {
            return Err(PayError::NotOpen);
        }
        if payee == self.me || self.party(payee).is_none() {
            return Err(PayError::NoPayee);
        }
        if amount.is_zero() {
            return Err(PayError::NothingToPay);
        }
        if self.own.len() >= MAX_OWN {
            return Err(PayError::TooMuchInFlight);
        }
        let sum = |of: Option<u8>| {
            let others = self.own.iter().filter(|own| of.is_none_or(|payee| own.payee == payee));
            Amount::checked_sum(others.map(|own| own.amount).chain([amount]))
        };
        // Only what is committed can be spent: neither what others pay in this round, nor what is on its way.
        let all = sum(None).filter(|all| *all <= self.balance()).ok_or(PayError::TooLittle)?;
        let each = sum(Some(payee)).ok_or(PayError::TooLittle)?;
        if all > turn.policy.in_flight || each > turn.policy.in_flight_each {
            return Err(PayError::TooMuchInFlight);
        }
        Ok(())
    }

    /// Signs what waits for its round, and starts to store it.
    pub(super) fn sign_wanted(&mut self, turn: &mut Turn<'_>) {
        if !self.takes_payments() {
            return;
        }
        let first = self.own.iter().take_while(|own| own.signature.is_some()).count();
        for at in first..self.own.len() {
            let Some(own) = self.own.get(at).copied() else { break };
            let sequence = u64::try_from(at).unwrap_or(u64::MAX);
            let payment = self.round.payment(self.me, own.payee, own.amount, sequence);
            let signature = turn.sign(payment.digest(turn.chain));
            if self.leads() {
                // A leader's payment is ordered at once; a full round leaves it for the next.
                if self.order(ordered(&payment, signature), turn).is_err() {
                    break;
                }
            } else {
                let (round, payee, amount) = (self.running(), own.payee, own.amount);
                let record = OwnRecord { round, sequence, payee, amount, signature };
                self.journal.push(Entry::Paid(record));
            }
            if let Some(own) = self.own.get_mut(at) {
                own.signature = Some(signature);
            }
        }
        self.write(turn);
    }

    /// Marks a signed payment as durable.
    pub(super) fn paid_stored(&mut self, record: &OwnRecord) {
        let at = usize::try_from(record.sequence).unwrap_or(usize::MAX);
        if let Some(own) = self.own.get_mut(at) {
            own.is_durable |= own.signature == Some(record.signature);
        }
    }

    /// Offers the leader what is durable and has no receipt, from this sequence on: a bounded part of it.
    pub(super) fn offer_from(&self, least: usize, turn: &mut Turn<'_>) {
        let receipted = self.own.iter().take_while(|own| own.index.is_some()).count();
        let from = receipted.max(least);
        let most = MAX_OFFERED.saturating_mul(MAX_REPEATED);
        let durable = self.own.iter().skip(from).take(most).take_while(|own| own.is_durable);
        let offers: Vec<Offer> = durable
            .filter_map(|own| {
                let Own { payee, amount, .. } = *own;
                Some(Offer { payee, amount, signature: own.signature? })
            })
            .collect();
        self.offer(from, &offers, turn);
    }

    fn offer(&self, first: usize, offers: &[Offer], turn: &mut Turn<'_>) {
        let mut sequence = u64::try_from(first).unwrap_or(u64::MAX);
        for items in offers.chunks(MAX_OFFERED) {
            let (round, first) = (self.running(), sequence);
            let offers = Offers { round, first, items: bounded(items.to_vec()) };
            self.tell(turn, self.leader, Letter::Pay(offers));
            sequence = sequence.saturating_add(u64::try_from(items.len()).unwrap_or(u64::MAX));
        }
    }

    /// The leader says where payments of ours stand.
    pub(super) fn receipts(
        &mut self,
        from: u8,
        receipts: &Receipts,
        turn: &mut Turn<'_>,
    ) -> Result<Cost, Fault> {
        if from != self.leader || self.leads() {
            return Err(Fault::NotLeader);
        }
        if receipts.round != self.running() || !self.takes_payments() {
            return Ok(Cost::Idle);
        }
        let mut new = Vec::new();
        for placed in receipts.items.iter() {
            let at = usize::try_from(placed.sequence).unwrap_or(usize::MAX);
            let own = self.own.get(at).filter(|own| own.is_durable).ok_or(Fault::Gap)?;
            let signature = own.signature.ok_or(Fault::Gap)?;
            match own.index {
                Some(index) if index == placed.index => continue,
                Some(_) => return Err(Fault::Conflict),
                None => {}
            }
            let payment = self.round.payment(self.me, own.payee, own.amount, placed.sequence);
            let item = ordered(&payment, signature);
            if self.receipt_at(placed.index).is_some_and(|known| known.item == item) {
                continue;
            }
            let payment = Signed { body: payment, signature };
            self.keep_receipts(&payment, placed, turn)?;
            self.check_receipt(&payment, placed, turn)?;
            new.push(self.receipt(item, placed));
        }
        self.take_receipts(new, turn)
    }

    /// The leader says that others paid us.
    pub(super) fn credits(
        &mut self,
        from: u8,
        credits: &Credits,
        turn: &mut Turn<'_>,
    ) -> Result<Cost, Fault> {
        if from != self.leader || self.leads() {
            return Err(Fault::NotLeader);
        }
        if credits.round != self.running() || !self.takes_payments() {
            return Ok(Cost::Idle);
        }
        let mut new = Vec::new();
        for Credit { payment: item, placed } in credits.items.iter() {
            if item.payee != self.me || item.payer == self.me || item.amount.is_zero() {
                return Err(Fault::NothingPaid);
            }
            if self.receipt_at(placed.index).is_some_and(|known| known.item == *item) {
                continue;
            }
            let Ordered { payer, payee, amount, signature } = *item;
            let body = self.round.payment(payer, payee, amount, placed.sequence);
            let payment = Signed { body, signature };
            self.check_payment(&payment, turn)?;
            self.keep_receipts(&payment, placed, turn)?;
            self.check_receipt(&payment, placed, turn)?;
            new.push(self.receipt(*item, placed));
        }
        self.take_receipts(new, turn)
    }

    /// Checks a payer's signature.
    pub(super) fn check_payment(
        &self,
        payment: &Signed<FieldPayment>,
        turn: &Turn<'_>,
    ) -> Result<(), Fault> {
        let payer = self.party(payment.body.payer).ok_or(Fault::NoSuchMember)?;
        payer.check(turn.chain, &payment.body, &payment.signature)
    }

    fn check_receipt(
        &self,
        payment: &Signed<FieldPayment>,
        placed: &Placed,
        turn: &Turn<'_>,
    ) -> Result<(), Fault> {
        if usize::try_from(placed.index).is_ok_and(|index| index >= super::MAX_ROUND) {
            return Err(Fault::RoundFull);
        }
        let leader = self.party(self.leader).ok_or(Fault::NoSuchMember)?;
        let receipt = self.receipt_body(placed.index, payment.leaf());
        leader.check(turn.chain, &receipt, &placed.signature)
    }

    /// Keeps two receipts of the leader for one place, for anybody to see.
    fn keep_receipts(
        &mut self,
        payment: &Signed<FieldPayment>,
        placed: &Placed,
        turn: &Turn<'_>,
    ) -> Result<(), Fault> {
        let Some(known) = self.receipt_at(placed.index) else { return Ok(()) };
        self.check_receipt(payment, placed, turn)?;
        let Ordered { payer, payee, amount, signature } = known.item;
        let body = self.round.payment(payer, payee, amount, known.sequence);
        let before = Signed { body, signature };
        let key = self.party(self.leader).ok_or(Fault::NoSuchMember)?.key;
        let receipt = |payment: &Signed<FieldPayment>, signature| {
            let body = self.receipt_body(placed.index, payment.leaf());
            Signed { body, signature }
        };
        let pair =
            Box::new([receipt(&before, known.signature), receipt(payment, placed.signature)]);
        self.evidence = Some(FieldEvidence::Receipts { key, pair });
        Err(Fault::Conflict)
    }

    /// Returns the receipts of the running round that are still being written.
    pub(super) fn unwritten(&self) -> impl Iterator<Item = &ReceiptRecord> {
        let running = self.running();
        self.journal.entries().filter_map(move |entry| match entry {
            Entry::Receipted(receipt) => Some(receipt).filter(|receipt| receipt.round == running),
            Entry::Paid(_) | Entry::Ordered(..) | Entry::Signed(_) => None,
        })
    }

    /// Returns the receipt of a place of the running round, written or not.
    fn receipt_at(&self, index: u32) -> Option<ReceiptRecord> {
        let mut unwritten = self.unwritten().filter(|receipt| receipt.index == index);
        self.receipts.get(&index).or_else(|| unwritten.next()).copied()
    }

    /// Returns what a leader signs for a payment at a place of the running round.
    pub(super) const fn receipt_body(&self, index: u32, payment: Hash) -> Receipt {
        let running = self.running();
        Receipt { field: self.id, version: running.version, round: running.round, index, payment }
    }

    const fn receipt(&self, item: Ordered, placed: &Placed) -> ReceiptRecord {
        let Placed { sequence, index, signature } = *placed;
        ReceiptRecord { round: self.running(), index, sequence, item, signature }
    }

    /// Stores receipts before the application hears of them: without them a leader could leave the payments out.
    fn take_receipts(
        &mut self,
        new: Vec<ReceiptRecord>,
        turn: &mut Turn<'_>,
    ) -> Result<Cost, Fault> {
        let backlog = self.journal.len().saturating_add(new.len());
        if new.is_empty() || backlog > super::MAX_ROUND {
            return Ok(Cost::Idle);
        }
        for receipt in new {
            self.journal.push(Entry::Receipted(receipt));
        }
        self.retry.answered();
        self.write(turn);
        Ok(Cost::Free)
    }

    /// Enters a receipt that is durable.
    pub(super) fn receipt_stored(&mut self, receipt: ReceiptRecord) {
        if receipt.item.payer == self.me {
            let at = usize::try_from(receipt.sequence).unwrap_or(usize::MAX);
            if let Some(own) = self.own.get_mut(at) {
                own.index = Some(receipt.index);
            }
        }
        self.receipts.insert(receipt.index, receipt);
    }
}
