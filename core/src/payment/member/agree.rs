//! How a round becomes money: every member signs its state; all signatures seal it.
//!
//! ```text
//! leader   close --> Store(payments) --> Store(state) --> Propose --votes--> Store(sealed) --> Sealed
//! member   Propose --> Ask, Part ... --> recompute --> Store(payments) --> Store(state) --> Vote --> Sealed --> Store(sealed)
//! ```
//!
//! A member signs one state of a round and never another, whatever it hears or forgets: the state is durable before the
//! signature is spoken, and what is durable is what is signed again after a restart (A6.10, A0.6). A member that waits too
//! long tells its signature to all, so that a leader that is silent, or gone, cannot keep to itself what all have signed.
//!
//! Source: PROTOCOL A6.10, A6.15, A10.8.

use super::{
    Fault, Freeze, Seat, Turn,
    allowance::Cost,
    record::{Entry, RoundRecord, Row, SealedRecord, bounded},
    round::Round,
    seat::{Past, Sealed, Step, Voting},
    wire::{Ask, Letter, MAX_PART, Part, Proposal, RoundId, Vote},
};
use crate::{
    crypto::{Signature, Tagged},
    payment::field::{RoundState, SealedState},
};
use alloc::{boxed::Box, vec, vec::Vec};

/// Messages with payments in one answer. Chosen here: 60 kB, what a data channel takes without waiting.
const PARTS: usize = 4;
/// Payments in one answer.
pub(super) const ANSWER: u32 = 720;
const _: () = assert!(ANSWER as usize == PARTS * MAX_PART, "an answer is so many parts");
/// Repetitions after which a member tells its signature to all, not to the leader alone. Chosen here.
const TELL_ALL: u32 = 2;

impl Seat {
    /// Checks a member's signature of a state.
    pub(super) fn check_state(
        &self,
        place: u8,
        state: &RoundState,
        signature: &Signature,
        turn: &Turn<'_>,
    ) -> Result<(), Fault> {
        let party = self.party(place).ok_or(Fault::NoSuchMember)?;
        party.check(turn.chain, state, signature)
    }

    /// A member asks for payments of the round that is voted on.
    pub(super) fn asked(
        &mut self,
        from: u8,
        ask: &Ask,
        turn: &mut Turn<'_>,
    ) -> Result<Cost, Fault> {
        if ask.round < self.running() {
            return Ok(self.tell_sealed(from, turn));
        }
        let Some(voting) = self.voting.as_ref().filter(|voting| voting.is_spoken(ask.round)) else {
            return Ok(Cost::Idle);
        };
        let start = usize::try_from(ask.from).unwrap_or(usize::MAX);
        let items = voting.round.items().get(start..).unwrap_or_default();
        let mut at = ask.from;
        for items in items.chunks(MAX_PART).take(PARTS) {
            let part = Part { round: ask.round, from: at, items: bounded(items.to_vec()) };
            at = at.saturating_add(u32::try_from(items.len()).unwrap_or(u32::MAX));
            self.tell(turn, from, Letter::Part(part));
        }
        Ok(Cost::Answer)
    }

    /// Takes a state as the one of its round, for ever. Nothing is spoken before it is durable.
    pub(super) fn vote_for(&mut self, state: RoundState, round: Round, turn: &mut Turn<'_>) {
        let (device, version) = (turn.device, state.version);
        let record = RoundRecord { device, version, items: bounded(round.items().to_vec()) };
        turn.store(self.id, Row::Round(state.round), &record);
        let votes = vec![None; self.parties.len()];
        self.voting = Some(Voting { state, round, step: Step::Round, votes, sealing: None });
        turn.changed();
    }

    /// The payments of a round are durable: next is the state.
    pub(super) fn round_stored(&mut self, number: u32, turn: &mut Turn<'_>) {
        let Some(voting) = self.voting.as_mut() else { return };
        if voting.state.round == number && voting.step == Step::Round {
            voting.step = Step::State;
            let entry = Entry::Signed(Box::new(voting.state.clone()));
            self.journal.push(entry);
            self.write(turn);
        }
    }

    /// The state is durable: the signature may be spoken.
    pub(super) fn state_stored(&mut self, state: &RoundState, turn: &mut Turn<'_>) {
        let Some(voting) = self.voting.as_mut().filter(|voting| voting.state == *state) else {
            return;
        };
        voting.step = Step::Spoken;
        if let Some(vote) = voting.votes.get_mut(usize::from(self.me)) {
            *vote = Some(turn.sign(state.digest(turn.chain)));
        }
        self.affairs.signed_at(turn.tip);
        if self.leads() {
            self.propose_again(turn);
        } else {
            self.tell_vote(Some(self.leader), turn);
        }
        self.seal_if_whole(turn);
    }

    /// Tells members that have not voted what the leader proposes.
    pub(super) fn propose_again(&self, turn: &mut Turn<'_>) {
        let Some(voting) = self.voting.as_ref().filter(|voting| voting.step == Step::Spoken) else {
            return;
        };
        let Some(Some(signature)) = voting.votes.get(usize::from(self.me)).copied() else { return };
        for (place, _) in (0_u8..).zip(&voting.votes).filter(|(_, vote)| vote.is_none()) {
            let proposal = Proposal { state: voting.state.clone(), signature };
            self.tell(turn, place, Letter::Propose(Box::new(proposal)));
        }
    }

    /// Tells our signature to one member, or to all. Nothing is told that is not durable.
    pub(super) fn tell_vote(&self, to: Option<u8>, turn: &mut Turn<'_>) {
        let Some(voting) = self.voting.as_ref().filter(|voting| voting.step == Step::Spoken) else {
            return;
        };
        let Some(Some(signature)) = voting.votes.get(usize::from(self.me)).copied() else { return };
        let letter = Letter::Vote(Vote { round: RoundId::of(&voting.state), signature });
        match to {
            Some(place) => self.tell(turn, place, letter),
            None => self.tell_all(turn, &letter),
        }
    }

    /// Repeats what the round waits for.
    pub(super) fn vote_again(&self, turn: &mut Turn<'_>) {
        if self.leads() {
            self.propose_again(turn);
        } else {
            let is_patient = self.retry.tries() <= TELL_ALL;
            self.tell_vote(is_patient.then_some(self.leader), turn);
        }
    }

    /// Tells a member what is sealed.
    pub(super) fn tell_sealed(&self, to: u8, turn: &mut Turn<'_>) -> Cost {
        let Some(sealed) = self.sealed_state() else { return Cost::Idle };
        self.tell(turn, to, Letter::Sealed(Box::new(sealed)));
        Cost::Answer
    }

    /// A member signed a round's state.
    pub(super) fn voted(
        &mut self,
        from: u8,
        vote: &Vote,
        turn: &mut Turn<'_>,
    ) -> Result<Cost, Fault> {
        if vote.round < self.running() {
            return Ok(self.tell_sealed(from, turn));
        }
        let Some(voting) = self.voting.as_ref().filter(|voting| voting.is_spoken(vote.round))
        else {
            return Ok(Cost::Idle);
        };
        if voting.votes.get(usize::from(from)) == Some(&Some(vote.signature)) {
            return Ok(Cost::Idle);
        }
        self.check_state(from, &voting.state, &vote.signature, turn)?;
        let votes = self.voting.as_mut().map(|voting| &mut voting.votes);
        if let Some(place) = votes.and_then(|votes| votes.get_mut(usize::from(from))) {
            *place = Some(vote.signature);
        }
        self.seal_if_whole(turn);
        Ok(Cost::Free)
    }

    fn seal_if_whole(&mut self, turn: &mut Turn<'_>) {
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
        let is_old = sealed.state.rank() <= self.sealed.state.rank();
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

    /// Stores a state that all signed; it is money once it is durable.
    fn seal(&mut self, sealed: SealedState, turn: &mut Turn<'_>) {
        let (device, terms) = (turn.device, self.terms.clone());
        let record = SealedRecord { device, terms, sealed: sealed.clone() };
        turn.store(self.id, Row::Sealed, &record);
        match self.voting.as_mut().filter(|voting| voting.state == sealed.state) {
            Some(voting) => voting.sealing = Some(sealed),
            None => self.adopt(sealed),
        }
        self.retry.answered();
    }

    /// Takes a state whose payments are not known here. Good for closing the field, not for going on.
    fn adopt(&mut self, sealed: SealedState) {
        let SealedState { state, signatures } = sealed;
        self.voting = None;
        (self.round, self.placed) = (Round::after(&state), 0);
        self.sealed = Sealed { state, signatures: Some(signatures) };
    }

    /// The sealed state is durable: its payments are committed, and the next round begins.
    pub(super) fn sealed_stored(&mut self, turn: &mut Turn<'_>) {
        let Some(sealing) = self.voting.as_mut().and_then(|voting| voting.sealing.take()) else {
            return;
        };
        let Some(voting) = self.voting.take() else { return };
        if self.leads() || self.retry.tries() > TELL_ALL {
            self.tell_all(turn, &Letter::Sealed(Box::new(sealing.clone())));
        }
        self.commit(sealing, voting.round);
        self.sign_wanted(turn);
        self.affairs.sealed();
        self.close_if_due(turn);
        self.pursue(turn);
    }

    /// Enters a round that is sealed.
    pub(super) fn commit(&mut self, sealed: SealedState, round: Round) {
        let SealedState { state, signatures } = sealed;
        if let Some(rounds) = round.extend(&self.rounds) {
            self.rounds = rounds;
        }
        let taken = usize::try_from(round.expected(self.me)).unwrap_or(usize::MAX);
        self.own.drain(..taken.min(self.own.len()));
        for own in &mut self.own {
            // Its signature was for a round that is over without it.
            (own.signature, own.is_durable, own.index) = (None, false, None);
        }
        self.history.push(Past { version: state.version, items: round.items().to_vec() });
        self.receipts.clear();
        self.journal.retire();
        (self.gather, self.voting, self.due) = (None, None, None);
        (self.round, self.placed) = (Round::after(&state), 0);
        self.sealed = Sealed { state, signatures: Some(signatures) };
    }
}

impl Voting {
    /// Returns whether this is the round, and its signature may be spoken.
    fn is_spoken(&self, round: RoundId) -> bool {
        RoundId::of(&self.state) == round && self.step == Step::Spoken
    }
}
