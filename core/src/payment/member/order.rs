//! The leader puts payments in order and gives receipts; it closes a round after so many of them, or so long.
//!
//! A payment's place is durable before anybody hears of it: a leader that crashes gives no place twice (A0.6).
//!
//! Source: PROTOCOL A6.9.

use super::{
    CloseError, Fault, Seat, Turn,
    allowance::Cost,
    record::{Entry, bounded},
    wire::{Credit, Credits, Letter, MAX_CREDITS, MAX_RECEIPTS, Offers, Ordered, Placed, Receipts},
};
use crate::{
    amount::Amount,
    crypto::{Signature, Signed, Tagged},
    table::Table,
};
use alloc::vec::Vec;

/// Entries that a leader may have that are not durable. Chosen here: two rows of the log.
const MAX_BACKLOG: usize = 2 * super::record::MAX_ENTRIES;

impl Seat {
    /// A payer offers payments.
    pub(super) fn offers(
        &mut self,
        from: u8,
        offers: &Offers,
        turn: &mut Turn<'_>,
    ) -> Result<Cost, Fault> {
        if !self.leads() {
            return Err(Fault::NotToUs);
        }
        if offers.round != self.running() || !self.takes_payments() {
            return Ok(Cost::Idle);
        }
        let expected = self.round.expected(from);
        let known = self.known(from, offers, expected)?;
        let skip = usize::try_from(expected.saturating_sub(offers.first)).unwrap_or(usize::MAX);
        // A message that overtook another one leaves a gap: the payer repeats what has no receipt.
        let is_gap = offers.first > expected;
        let new: Vec<Ordered> = (offers.items.iter().skip(skip).filter(|_| !is_gap))
            .map(|offer| offer.ordered(from))
            .collect();
        let new = self.fitting(&new);
        self.check_offers(from, expected, new, turn)?;
        for item in new {
            self.order(*item, turn)?;
        }
        let cost = if new.is_empty() { Cost::Idle } else { Cost::Free };
        self.give_receipts(&known, turn);
        self.write(turn);
        Ok(cost)
    }

    /// Returns the places of those that were ordered before. One that differs is a second payment with its sequence.
    fn known(&self, from: u8, offers: &Offers, expected: u64) -> Result<Vec<u32>, Fault> {
        let mut known = Vec::new();
        for (sequence, offer) in (offers.first..expected).zip(offers.items.iter()) {
            let (index, item) = self.round.find(from, sequence).ok_or(Fault::Gap)?;
            if *item != offer.ordered(from) {
                return Err(Fault::Conflict);
            }
            known.push(index);
        }
        known.retain(|index| *index < self.placed);
        Ok(known)
    }

    /// Returns as many as the round and the disk have room for.
    fn fitting<'a>(&self, new: &'a [Ordered]) -> &'a [Ordered] {
        let room = super::MAX_ROUND.saturating_sub(self.round.items().len());
        let backlog = MAX_BACKLOG.saturating_sub(self.journal.len());
        new.get(..new.len().min(room).min(backlog)).unwrap_or_default()
    }

    /// Checks one payer's consecutive payments before any of them is taken.
    fn check_offers(
        &self,
        from: u8,
        first: u64,
        new: &[Ordered],
        turn: &Turn<'_>,
    ) -> Result<(), Fault> {
        let sum = Amount::checked_sum(new.iter().map(|item| item.amount));
        if sum.is_none_or(|sum| sum > self.round.balance(from)) {
            return Err(Fault::Overdrawn);
        }
        for (sequence, item) in (first..).zip(new) {
            self.round.check(item)?;
            let body = self.round.payment(from, item.payee, item.amount, sequence);
            self.check_payment(&Signed { body, signature: item.signature }, turn)?;
        }
        Ok(())
    }

    /// Puts a payment whose signature was checked at the next place.
    pub(super) fn order(&mut self, item: Ordered, turn: &Turn<'_>) -> Result<u32, Fault> {
        let leaf = self.round.expand(&item).leaf();
        let index = self.round.push(item, leaf)?;
        self.journal.push(Entry::Ordered(self.running(), item));
        self.due.get_or_insert_with(|| turn.now.after(turn.policy.round_time));
        Ok(index)
    }

    /// The next place is durable: returns it.
    pub(super) fn ordered_stored(&mut self, item: &Ordered) -> u32 {
        let index = self.placed;
        self.placed = index.saturating_add(1);
        if item.payer == self.me {
            let sequence = self.round.sequence(self.me, index);
            let at = sequence.and_then(|sequence| usize::try_from(sequence).ok());
            if let Some(own) = at.and_then(|at| self.own.get_mut(at)) {
                (own.is_durable, own.index) = (true, Some(index));
            }
        }
        index
    }

    /// Says where payments stand whose places are durable: to who pays, and to who is paid.
    pub(super) fn give_receipts(&self, places: &[u32], turn: &mut Turn<'_>) {
        let mut placed: Table<u8, Vec<Placed>> = Table::new();
        let mut credits: Table<u8, Vec<Credit>> = Table::new();
        for index in places {
            let Some((item, receipt)) = self.placed(*index, turn) else { continue };
            placed.entry(item.payer).or_default().push(receipt);
            credits.entry(item.payee).or_default().push(Credit { payment: item, placed: receipt });
        }
        let round = self.running();
        for (payer, items) in &placed {
            for items in items.chunks(MAX_RECEIPTS).filter(|_| *payer != self.me) {
                let items = bounded(items.to_vec());
                self.tell(turn, *payer, Letter::Receipts(Receipts { round, items }));
            }
        }
        for (payee, items) in &credits {
            for items in items.chunks(MAX_CREDITS).filter(|_| *payee != self.me) {
                let items = bounded(items.to_vec());
                self.tell(turn, *payee, Letter::Credits(Credits { round, items }));
            }
        }
    }

    fn placed(&self, index: u32, turn: &Turn<'_>) -> Option<(Ordered, Placed)> {
        let at = usize::try_from(index).ok()?;
        let (item, leaf) = self.round.items().get(at).zip(self.round.leaves().get(at))?;
        let signature: Signature = turn.sign(self.receipt_body(index, *leaf).digest(turn.chain));
        let sequence = self.round.sequence(item.payer, index)?;
        Some((*item, Placed { sequence, index, signature }))
    }

    /// Closes the running round.
    pub(super) fn close_round(
        &mut self,
        is_final: bool,
        turn: &mut Turn<'_>,
    ) -> Result<(), CloseError> {
        if let Some(freeze) = self.freeze {
            return Err(CloseError::Frozen(freeze));
        }
        if !self.leads() {
            return Err(CloseError::NotLeader);
        }
        if !self.is_open() || self.sealed.state.is_final || self.is_amending() {
            return Err(CloseError::NotOpen);
        }
        if self.voting.is_some() || (self.round.items().is_empty() && !is_final) {
            return Err(CloseError::Nothing);
        }
        let state = self.round.state(turn.chain, &self.rounds, is_final);
        let state = state.ok_or(CloseError::Nothing)?;
        self.due = None;
        let round = self.round.clone();
        self.vote_for(state, round, turn);
        Ok(())
    }

    /// Closes the running round if it is full, old enough, or the last one.
    pub(super) fn close_if_due(&mut self, turn: &mut Turn<'_>) {
        let most = usize::try_from(turn.policy.round_payments).unwrap_or(usize::MAX);
        let is_full = self.round.items().len() >= most.min(super::MAX_ROUND);
        let is_old = self.due.is_some_and(|due| due <= turn.now);
        if is_old {
            // Refused while another round is being closed, or before the field is proven: it is tried again.
            self.due = Some(turn.now.after(turn.policy.round_time));
        }
        if is_full || is_old || self.wants_final {
            let _refused = self.close_round(self.wants_final, turn);
        }
    }
}
