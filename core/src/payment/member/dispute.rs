//! A field's affairs with the chain: what is proven of it, what must be done about that, and until when.
//!
//! ```text
//! proven                                 done here
//! closing below our newest state         post it, before the deadline
//! closing, the deadline has passed       enforce
//! asked for a round that we have         post our newest state; a leader posts whatever it has
//! signed, not sealed for too long        challenge the round
//! final state sealed                     close together; the leader first
//! we want it closed, others are silent   close alone with our newest state
//! ```
//!
//! Every act is repeated until the chain is proven to have moved: a transaction may be lost. All waits are blocks (A0.8).
//!
//! Source: PROTOCOL A6.11 to A6.13, A6.15.

use super::{Output, Proof, Seat, Threat, Turn, Warning, affairs::Act, seat::Step};
use crate::{
    id::Height,
    payment::field::{FieldAct, Seal, SealedState, escrow::FieldStatus},
};
use alloc::boxed::Box;

impl Seat {
    /// The chain has a new settled head.
    pub(super) fn tip_moved(&mut self, turn: &mut Turn<'_>) {
        if self.voting.as_ref().is_some_and(|voting| voting.step == Step::Spoken) {
            self.affairs.signed_at(turn.tip);
        }
        let is_over = self.is_closed();
        if self.is_stored && !is_over && self.affairs.asks(turn.tip, turn.policy.inclusion_margin) {
            turn.out.push(Output::Need(self.id));
        }
        self.pursue(turn);
    }

    /// The chain is proven to hold this of the field.
    pub(super) fn proven(&mut self, proof: Proof, turn: &mut Turn<'_>) {
        let before = self.affairs.state().cloned();
        self.affairs.prove(proof);
        if self.affairs.state() != before.as_ref() {
            (self.affairs.acted, self.affairs.amended) = (None, None);
            turn.changed();
        }
        self.drop_void();
        self.take_late(turn);
        self.decide(turn);
        self.amend_if_wished(turn);
        self.confirm(turn);
        self.sign_wanted(turn);
        self.pursue(turn);
        self.rearm(turn);
    }

    /// Returns whether everybody was paid.
    pub(super) fn is_closed(&self) -> bool {
        let state = self.affairs.state();
        state.is_some_and(|state| matches!(state.status, FieldStatus::Closed { .. }))
    }

    /// Does what the chain's state asks for.
    pub(super) fn pursue(&mut self, turn: &mut Turn<'_>) {
        if !self.is_stored {
            return;
        }
        let Some(state) = self.affairs.state() else {
            self.open(turn);
            return;
        };
        let (status, next) = (state.status, turn.tip.plus(1));
        if !self.is_current() {
            // Who joins waits for the chain; who has left has nothing to say.
            return;
        }
        if self.leads() && !self.is_closed() {
            self.submit_amendment(turn);
        }
        match status {
            FieldStatus::Closed { .. } => {}
            FieldStatus::Closing(closing) if next > closing.deadline.plus(self.me.into()) => {
                self.act(Act::Enforce, turn);
            }
            FieldStatus::Closing(closing) => {
                if self.has_better() && next <= closing.deadline {
                    self.warn(Threat::Close, closing.deadline, turn);
                    self.act(Act::Post(self.newest().round), turn);
                }
            }
            FieldStatus::Open => self.pursue_open(turn),
        }
    }

    fn pursue_open(&mut self, turn: &mut Turn<'_>) {
        let (tip, policy) = (turn.tip, *turn.policy);
        let Some(state) = self.affairs.state() else { return };
        let (challenge, best) = (state.challenge, state.best.round);
        if let Some(challenge) = challenge {
            let has_it = self.has_better() && self.newest().round >= challenge.round;
            let owes_word = self.leads() && challenge.leader.is_none();
            if tip.plus(1) > challenge.deadline {
                self.act(Act::Enforce, turn);
            } else if has_it || owes_word {
                self.warn(Threat::Challenge, challenge.deadline, turn);
                self.act(Act::Post(self.newest().round), turn);
            }
            return;
        }
        let is_late =
            |since: Option<Height>, wait: u64| since.is_some_and(|since| since.plus(wait) <= tip);
        if self.sealed.state.is_final {
            // One transaction is enough: the others wait whether the leader's is proven.
            self.affairs.leave(tip);
            if self.leads() || is_late(self.affairs.leaving, policy.close_after) {
                self.act(Act::Close, turn);
            }
        } else if is_late(self.affairs.leaving, policy.close_after) {
            self.act(Act::SoloClose, turn);
        } else if is_late(self.affairs.signed, policy.challenge_after)
            && self.voting.is_some()
            && self.late.is_none()
            && !self.leads()
        {
            // A leader has nobody to ask: it has what the others gave it.
            let round = self.running().round;
            if round > best {
                self.act(Act::Challenge(round), turn);
            }
        }
    }

    /// Returns whether the chain would take our newest state over its best.
    fn has_better(&self) -> bool {
        let ours = self.newest();
        self.affairs.state().is_some_and(|state| {
            let is_alive = self.affairs.annulled().is_none_or(|from| ours.round < from);
            ours.version == state.best.version && ours.round > state.best.round && is_alive
        })
    }

    /// The leader opens the field once all have signed its terms.
    fn open(&mut self, turn: &mut Turn<'_>) {
        let signatures: Option<alloc::vec::Vec<_>> = self.accepted.iter().copied().collect();
        let is_possible = turn.tip < self.terms.until;
        if self.leads() && is_possible && signatures.is_some() {
            self.act(Act::Open, turn);
        }
    }

    fn act(&mut self, act: Act, turn: &mut Turn<'_>) {
        let margin = turn.policy.inclusion_margin;
        let is_near = self.affairs.deadline().is_some_and(|until| is_near(until, turn));
        // What must not be late is said in every block; what is refused as known costs nothing.
        let wait = if is_near && matches!(act, Act::Post(_)) { 1 } else { margin };
        if !self.affairs.acts(act, turn.tip, wait) {
            return;
        }
        if let Some(act) = self.field_act(act) {
            turn.out.push(Output::Submit(Box::new(act)));
        }
    }

    fn field_act(&self, act: Act) -> Option<FieldAct> {
        let field = self.id;
        Some(match act {
            Act::Open => {
                let signatures: Option<alloc::vec::Vec<_>> =
                    self.accepted.iter().copied().collect();
                let signatures = super::record::bounded(signatures?);
                FieldAct::Open { terms: self.terms.clone(), signatures }
            }
            Act::Close => {
                let SealedState { state, signatures } = self.sealed_state()?;
                FieldAct::Close { state, seal: Seal::Each(signatures) }
            }
            Act::SoloClose => {
                let state = self.has_better().then(|| Box::new(self.shown()));
                FieldAct::SoloClose { field, state }
            }
            Act::Post(_) => FieldAct::Post(Box::new(self.shown())),
            Act::Challenge(round) => FieldAct::Challenge { field, round },
            Act::Enforce => FieldAct::Enforce(field),
        })
    }

    /// Submits the amendment that all have signed. What it ends must be answered as long as no block has included it.
    fn submit_amendment(&mut self, turn: &mut Turn<'_>) {
        let act = self.amend_act(turn.tip);
        if let Some(act) =
            act.filter(|_| self.affairs.amends(turn.tip, turn.policy.inclusion_margin))
        {
            turn.out.push(Output::Submit(Box::new(act)));
        }
    }

    /// Warns the application of a deadline: when it is known, and again when it is near (A6.13).
    fn warn(&mut self, threat: Threat, deadline: Height, turn: &mut Turn<'_>) {
        let is_near = is_near(deadline, turn);
        if self.affairs.warned != Some((deadline, true))
            && self.affairs.warned != Some((deadline, is_near))
        {
            self.affairs.warned = Some((deadline, is_near));
            turn.out.push(Output::Warn(self.id, Warning { threat, deadline, is_near }));
        }
    }
}

/// Returns whether a transaction may not be included before this height, or only just.
fn is_near(deadline: Height, turn: &Turn<'_>) -> bool {
    turn.tip.plus(turn.policy.inclusion_margin.saturating_mul(2)) >= deadline
}
