//! When a state that all have signed becomes money, and which one counts when the chain annuls it.
//!
//! ```text
//! every signature --the chain can still be shown it--> Store --Stored--> committed: the newest
//!      '--unproven, or perhaps too late--> late --the next proof--> Store, or void
//! newest --the chain annuls it--> the one before counts again
//!      '--read back after a start--> recalled --the next proof--> committed, or void
//! ```
//!
//! All signatures are not enough. Whoever keeps one back until a challenge of its round has run out would have the others
//! take a state that the chain never enforces for the one that it does, and lose that. So nothing becomes money before the
//! chain is proven to take it, and the state before is kept until its successor is safe: two rows hold the two, and the
//! next state overwrites the one that cannot be needed any more.
//!
//! Source: PROTOCOL A6.10, A6.12, A6.15.

use super::{
    Fault, Freeze, Seat, Turn,
    allowance::Cost,
    record::{Row, SealedRecord, Slot, bounded},
    round::Round,
    seat::{Past, Sealed},
    wire::Letter,
};
use crate::{
    crypto::Signature,
    payment::field::{RoundState, Rounds, SealedState, round_root},
};
use alloc::{boxed::Box, vec::Vec};

impl Seat {
    /// Seals the state that is voted on, if all have signed it.
    pub(super) fn seal_if_whole(&mut self, turn: &mut Turn<'_>) {
        let Some(voting) = self.voting.as_ref().filter(|voting| voting.sealing.is_none()) else {
            return;
        };
        let signatures: Vec<Signature> = voting.votes.iter().copied().flatten().collect();
        if signatures.len() == self.parties.len() {
            let state = voting.state.clone();
            self.seal(SealedState { state, signatures: bounded(signatures) }, turn);
        }
    }

    /// A state with all signatures comes.
    pub(super) fn sealed(
        &mut self,
        sealed: SealedState,
        turn: &mut Turn<'_>,
    ) -> Result<Cost, Fault> {
        if sealed.state.field != self.id {
            return Err(Fault::WrongState);
        }
        let is_annulled = self.affairs.annulled().is_some_and(|from| sealed.state.round >= from);
        let is_old = sealed.state.rank() <= self.newest().rank();
        if is_old || is_annulled || self.is_sealing() {
            return Ok(Cost::Idle);
        }
        let keys = self.parties.iter().map(|party| &party.key);
        sealed.verify(turn.chain, keys).map_err(Fault::NotSealed)?;
        if self.voting.as_ref().is_none_or(|voting| voting.state != sealed.state) {
            // Our own signature is under a state that we do not know to have signed: these rows are old.
            self.freeze.get_or_insert(Freeze::RolledBack);
            self.gather = None;
        }
        self.seal(sealed, turn);
        Ok(Cost::Free)
    }

    fn is_sealing(&self) -> bool {
        self.voting.as_ref().is_some_and(|voting| voting.sealing.is_some())
    }

    /// Stores a state that all signed, if the chain can still be shown it; it is money once it is durable.
    fn seal(&mut self, sealed: SealedState, turn: &mut Turn<'_>) {
        if !self.affairs.takes(&sealed.state, turn) {
            self.late = Some(sealed);
            return;
        }
        self.late = None;
        let (device, terms, slot) = (turn.device, self.terms.clone(), self.free_slot());
        let record = SealedRecord { device, terms, sealed: sealed.clone() };
        turn.store(self.id, Row::Sealed(slot), &record);
        match self.voting.as_mut().filter(|voting| voting.state == sealed.state) {
            Some(voting) => voting.sealing = Some((sealed, slot)),
            None => self.adopt(sealed, slot),
        }
        self.retry.answered();
    }

    /// Returns the row whose state cannot be needed any more: that of the one before, or of the newest, if the chain may
    /// still annul that.
    fn free_slot(&self) -> Slot {
        let Sealed { state, slot, .. } = &self.sealed;
        let is_safe = self.affairs.is_safe(state);
        slot.map_or(Slot::First, |slot| if is_safe { slot.other() } else { slot })
    }

    /// Takes a state whose payments are not known here. Good for closing the field, not for going on.
    fn adopt(&mut self, sealed: SealedState, slot: Slot) {
        self.voting = None;
        (self.round, self.placed) = (Round::after(&sealed.state), 0);
        self.replace(sealed, slot);
    }

    /// Makes a state the newest. What it does not overwrite is the one before.
    fn replace(&mut self, sealed: SealedState, slot: Slot) {
        let SealedState { state, signatures } = sealed;
        let sealed = Sealed { state, signatures: Some(signatures), slot: Some(slot) };
        let last = core::mem::replace(&mut self.sealed, sealed);
        self.is_recalled = false;
        if last.slot != Some(slot) {
            self.before = last;
        }
    }

    /// The sealed state is durable: its payments are committed, and the next round begins.
    pub(super) fn sealed_stored(&mut self, turn: &mut Turn<'_>) {
        let Some(voting) = self.voting.as_mut() else { return };
        let Some((sealing, slot)) = voting.sealing.take() else { return };
        if !self.affairs.takes(&sealing.state, turn) {
            // The disk was slow.
            self.late = Some(sealing);
            return;
        }
        let Some(voting) = self.voting.take() else { return };
        if self.leads() || self.retry.tries() > super::agree::TELL_ALL {
            self.tell_all(turn, &Letter::Sealed(Box::new(sealing.clone())));
        }
        self.commit(sealing, slot, voting.round);
        self.amend_if_wished(turn);
        self.sign_wanted(turn);
        self.affairs.sealed();
        self.close_if_due(turn);
        self.pursue(turn);
    }

    /// Enters a round that is sealed.
    fn commit(&mut self, sealed: SealedState, slot: Slot, round: Round) {
        if let Some(rounds) = round.extend(&self.rounds) {
            self.rounds = rounds;
        }
        let taken = usize::try_from(round.expected(self.me)).unwrap_or(usize::MAX);
        self.own.drain(..taken.min(self.own.len()));
        for own in &mut self.own {
            // Its signature was for a round that is over without it.
            (own.signature, own.is_durable, own.index) = (None, false, None);
        }
        let version = sealed.state.version;
        self.history.push(Past { version, items: round.items().to_vec() });
        self.receipts.clear();
        self.journal.retire();
        (self.gather, self.voting, self.due) = (None, None, None);
        (self.round, self.placed) = (Round::after(&sealed.state), 0);
        self.replace(sealed, slot);
    }

    /// The chain is proven anew: what came late is taken, if there is still time to show it.
    pub(super) fn take_late(&mut self, turn: &mut Turn<'_>) {
        if let Some(sealed) = self.late.take() {
            self.seal(sealed, turn);
        }
    }

    /// The chain is proven anew: what was read back is money, if the chain has it, goes on from it, or has time to be shown it.
    pub(super) fn confirm(&mut self, turn: &Turn<'_>) {
        let is_taken = self.is_applied() || self.affairs.takes(&self.sealed.state, turn);
        self.is_recalled &= !is_taken;
    }

    /// Returns the newest state that all have signed, money or not.
    pub(super) fn newest(&self) -> &RoundState {
        self.late.as_ref().map_or(&self.sealed.state, |late| &late.state)
    }

    /// Returns it with what shows it to the chain: no signatures of one that the chain knows.
    pub(super) fn shown(&self) -> SealedState {
        self.late.clone().unwrap_or_else(|| {
            let Sealed { state, signatures, .. } = self.sealed.clone();
            SealedState { state, signatures: signatures.unwrap_or_default() }
        })
    }

    /// A void round is never sealed, whoever has which signatures; if it was, the state before it counts (A6.12).
    pub(super) fn drop_void(&mut self) {
        let Some(from) = self.void_from().filter(|from| self.running().round >= *from) else {
            return;
        };
        self.was_annulled |= self.is_halted();
        (self.gather, self.voting, self.late, self.due) = (None, None, None, None);
        self.affairs.sealed();
        if self.sealed.state.round >= from
            && let Some(sealed) = self.left_before(from)
        {
            self.go_back(sealed);
        }
    }

    /// Returns the highest state known below a void round: the one before the newest, or the chain's best.
    fn left_before(&self, from: u32) -> Option<Sealed> {
        let best = &self.affairs.state()?.best;
        if self.before.state.round < from && self.before.state.rank() >= best.rank() {
            return Some(self.before.clone());
        }
        // A closed field's state has no balances any more.
        let state = Some(best).filter(|_| !self.is_closed())?.clone();
        Some(Sealed { state, signatures: None, slot: None })
    }

    /// Returns the round from which on none of this version is ever enforced.
    pub(super) fn void_from(&self) -> Option<u32> {
        let state = self.affairs.state().filter(|_| self.is_current())?;
        let after = self.is_closed().then(|| state.best.round.saturating_add(1));
        self.affairs.annulled().into_iter().chain(after).min()
    }

    /// Takes a state below the newest for the one that counts. Its successors stay in the history, as void.
    pub(super) fn go_back(&mut self, sealed: Sealed) {
        let rounds = self.rounds_at(sealed.state.round);
        match rounds.filter(|rounds| rounds.is_under(&sealed.state)) {
            Some(rounds) => self.rounds = rounds,
            // Who cannot recompute a state may still close the field with it.
            None if self.freeze.is_some() => {}
            None => return,
        }
        for own in &mut self.own {
            own.index = None;
        }
        self.receipts.clear();
        (self.gather, self.voting, self.due) = (None, None, None);
        (self.round, self.placed) = (Round::after(&sealed.state), 0);
        (self.sealed, self.is_recalled) = (sealed, false);
    }

    /// Returns the rounds up to this one of this version.
    fn rounds_at(&self, round: u32) -> Option<Rounds> {
        let mut rounds = self.start.rounds.clone();
        for number in self.start.round.saturating_add(1)..=round {
            let at = usize::try_from(number.checked_sub(self.first)?).ok()?;
            rounds = self.extended(&rounds, number, self.history.get(at)?)?;
        }
        Some(rounds)
    }

    /// Returns the rounds so far with one more that was sealed.
    pub(super) fn extended(&self, rounds: &Rounds, number: u32, past: &Past) -> Option<Rounds> {
        let leaves = self.leaves(number, past);
        rounds.with(u32::try_from(leaves.len()).ok()?, &round_root(&leaves))
    }
}
