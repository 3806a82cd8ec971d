//! Which message goes where, and what is repeated when nobody answers.

use super::{
    CloseError, Fault, Seat, Turn,
    allowance::Cost,
    record::{Entry, Row, Slot},
    wire::{Letter, Want, Wish},
};
use crate::{
    crypto::{Signature, Tagged},
    time::Moment,
};
use alloc::vec::Vec;

impl Seat {
    /// A member said something.
    pub(super) fn heard(
        &mut self,
        from: u8,
        letter: Letter,
        turn: &mut Turn<'_>,
    ) -> Result<Cost, Fault> {
        match letter {
            Letter::Invite(invitation) => self.invited(from, &invitation, turn),
            Letter::Accept(signature) => self.accepted(from, signature, turn),
            Letter::Pay(offers) => self.offers(from, &offers, turn),
            Letter::Receipts(receipts) => self.receipts(from, &receipts, turn),
            Letter::Credits(credits) => self.credits(from, &credits, turn),
            Letter::Propose(proposal) => self.proposed(from, *proposal, turn),
            Letter::Ask(ask) => self.asked(from, &ask, turn),
            Letter::Part(part) => self.part(from, &part, turn),
            Letter::Vote(vote) => self.voted(from, &vote, turn),
            Letter::Sealed(sealed) => self.sealed(*sealed, turn),
            Letter::Close(signature) => self.wished(from, &signature, turn),
            Letter::Summon(summons) => self.summoned(from, *summons, turn),
            Letter::Leave(signature) => self.wants_to_leave(from, &signature, turn),
            Letter::Consent(_) => Ok(Cost::Idle),
        }
    }

    /// Entries are durable: they may be spoken.
    pub(super) fn speak(&mut self, entries: Vec<Entry>, turn: &mut Turn<'_>) {
        let (mut first, mut places) = (None, Vec::new());
        let running = self.running();
        for entry in entries.into_iter().filter(|entry| entry.round() == running) {
            match entry {
                Entry::Paid(record) => {
                    self.paid_stored(&record);
                    first = first.or(usize::try_from(record.sequence).ok());
                }
                Entry::Ordered(_, item) => places.push(self.ordered_stored(&item)),
                Entry::Receipted(receipt) => self.receipt_stored(receipt),
                Entry::Signed(state) => self.state_stored(&state, turn),
            }
        }
        if let Some(first) = first.filter(|_| self.voting.is_none()) {
            self.offer_from(first, turn);
        }
        self.give_receipts(&places, turn);
        self.close_if_due(turn);
    }

    /// Repeats what is due.
    pub(super) fn tick(&mut self, turn: &mut Turn<'_>) {
        if self.due.is_some_and(|due| due <= turn.now) {
            self.close_if_due(turn);
        }
        if self.retry.is_due(turn.now) {
            self.repeat(turn);
        }
        self.rearm(turn);
    }

    /// Returns when the next tick is needed.
    pub(super) fn deadline(&self) -> Option<Moment> {
        self.retry.at().into_iter().chain(self.due).min()
    }

    /// Lets the clock run while something is waited for.
    pub(super) fn rearm(&mut self, turn: &mut Turn<'_>) {
        self.retry.arm(turn.now, turn.policy.patience, self.is_waiting());
    }

    fn is_waiting(&self) -> bool {
        let is_joining = self.affairs.state().is_none() && self.is_stored;
        let is_inviting = is_joining && self.leads() && self.accepted.iter().any(Option::is_none);
        let wants_final = self.wants_final && !self.leads() && self.is_open();
        let is_wishing = wants_final || self.wants_out();
        let gathers = self.gather.as_ref().is_some_and(|gather| !gather.is_refused);
        let waits_for_round = gathers || self.voting.is_some();
        let is_amending = self.is_amending() && self.leads() && self.is_current();
        is_inviting || is_wishing || waits_for_round || is_amending || self.has_offers()
    }

    /// Returns whether a payment waits for its receipt.
    fn has_offers(&self) -> bool {
        let mut own = self.own.iter();
        let waits = own.any(|own| own.is_durable && own.index.is_none());
        waits && !self.leads() && self.takes_payments()
    }

    fn repeat(&mut self, turn: &mut Turn<'_>) {
        if self.affairs.state().is_none() && self.leads() {
            self.invite(turn);
        }
        if self.voting.is_some() {
            self.vote_again(turn);
        } else if self.gather.is_some() {
            self.ask_again(turn);
        } else if self.has_offers() {
            self.offer_from(0, turn);
        }
        if self.wants_final && !self.leads() {
            self.wish(Want::Close, turn);
        } else if self.wants_out() {
            self.wish(Want::Leave, turn);
        }
        if self.is_amending() {
            self.amend_again(turn);
        }
    }

    /// A member can be reached again: what is open is said at once.
    pub(super) fn came(&mut self, place: u8, turn: &mut Turn<'_>) {
        if self.leads() || place == self.leader {
            self.retry.answered();
            self.repeat(turn);
            self.rearm(turn);
        }
    }

    /// Wants the field closed.
    pub(super) fn close(&mut self, turn: &mut Turn<'_>) -> Result<(), CloseError> {
        if self.affairs.state().is_none() || self.is_closed() {
            return Err(CloseError::NotOpen);
        }
        self.wants_final = true;
        self.affairs.leave(turn.tip);
        if self.leads() {
            self.close_if_due(turn);
        } else {
            self.wish(Want::Close, turn);
        }
        self.pursue(turn);
        self.rearm(turn);
        turn.changed();
        Ok(())
    }

    /// Asks the leader for something.
    pub(super) fn wish(&self, want: Want, turn: &mut Turn<'_>) {
        if self.freeze.is_none() && self.is_open() {
            let signature = turn.sign(self.wish_body(want).digest(turn.chain));
            let letter = match want {
                Want::Close => Letter::Close(signature),
                Want::Leave => Letter::Leave(signature),
            };
            self.tell(turn, self.leader, letter);
        }
    }

    pub(super) const fn wish_body(&self, want: Want) -> Wish {
        Wish { field: self.id, version: self.sealed.state.version, want }
    }

    /// A member wants the field closed.
    fn wished(
        &mut self,
        from: u8,
        signature: &Signature,
        turn: &mut Turn<'_>,
    ) -> Result<Cost, Fault> {
        if !self.leads() {
            return Err(Fault::NotToUs);
        }
        if self.wants_final {
            self.close_if_due(turn);
            return Ok(Cost::Idle);
        }
        let party = self.party(from).ok_or(Fault::NoSuchMember)?;
        let digest = self.wish_body(Want::Close).digest(turn.chain);
        party.key.verify(&digest.0, signature).map_err(|_| Fault::BadSignature)?;
        self.wants_final = true;
        self.close_if_due(turn);
        turn.changed();
        Ok(Cost::Free)
    }

    /// Removes every row of a field that is over.
    pub(super) fn forget(&self, turn: &mut Turn<'_>) -> Result<(), CloseError> {
        let never = self.affairs.is_never(self.sealed.state.version, self.terms.until);
        if !self.is_closed() && !never && !self.has_left() {
            return Err(CloseError::Nothing);
        }
        for number in self.journal.rows() {
            turn.remove(self.id, Row::Log(number));
        }
        let last = self.running().round;
        for number in 1..=last {
            turn.remove(self.id, Row::Round(number));
        }
        turn.remove(self.id, Row::Amendment);
        for slot in Slot::ALL {
            turn.remove(self.id, Row::Sealed(slot));
        }
        // The field's own row goes last: a crash between leaves it known.
        turn.remove(self.id, Row::Seat);
        Ok(())
    }
}
