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
    Fault, Seat, Turn,
    allowance::Cost,
    record::{Entry, RoundRecord, Row, bounded},
    round::Round,
    seat::{Step, Voting},
    wire::{Ask, Letter, MAX_PART, Part, Proposal, RoundId, Vote},
};
use crate::{
    crypto::{Signature, Tagged},
    payment::field::RoundState,
};
use alloc::{boxed::Box, vec};

/// Messages with payments in one answer. Chosen here: 60 kB, what a data channel takes without waiting.
const PARTS: usize = 4;
/// Payments in one answer.
pub(super) const ANSWER: u32 = 720;
const _: () = assert!(ANSWER as usize == PARTS * MAX_PART, "an answer is so many parts");
/// Repetitions after which a member tells its signature to all, not to the leader alone. Chosen here.
pub(super) const TELL_ALL: u32 = 2;

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
}

impl Voting {
    /// Returns whether this is the round, and its signature may be spoken.
    fn is_spoken(&self, round: RoundId) -> bool {
        RoundId::of(&self.state) == round && self.step == Step::Spoken
    }
}
