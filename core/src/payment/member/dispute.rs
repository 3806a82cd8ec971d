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

use super::{MemberPolicy, Output, PayError, Proof, Seat, Threat, Turn, Warning};
use crate::{
    amount::Amount,
    chain::Level,
    id::Height,
    payment::field::{
        FieldAct, Seal, SealedState,
        escrow::{Closing, FieldState, FieldStatus},
    },
};
use alloc::boxed::Box;

/// What the chain knows of a field, and what we did about it.
#[derive(Debug, Default)]
pub(super) struct Affairs {
    proven: Option<(FieldState, Height)>,
    /// Whether some final header proved the field.
    is_final: bool,
    /// When the state that is voted on was signed here.
    signed: Option<Height>,
    /// Since when we want the field closed.
    leaving: Option<Height>,
    /// What was submitted last, and when.
    acted: Option<(Act, Height)>,
    /// When the chain was asked last.
    asked: Option<Height>,
    /// The deadline of which was warned, and whether it was near then.
    warned: Option<(Height, bool)>,
}

/// What was submitted, for its repetition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    Open,
    Close,
    SoloClose,
    Post(u32),
    Challenge(u32),
    Enforce,
    Amend,
}

impl Affairs {
    /// Takes what is proven. Older proofs and headers that nobody has settled say nothing.
    pub(super) fn prove(&mut self, proof: Proof) {
        let known = self.proven.as_ref().map_or(Height::default(), |(_, height)| *height);
        if proof.level < Level::Settled || proof.height < known {
            return;
        }
        // A field that is proven absent is not open yet: it never leaves the chain again.
        let Some(state) = proof.state else { return };
        self.is_final |= proof.level == Level::Final;
        self.proven = Some((state, proof.height));
    }

    /// Returns what is proven.
    pub(super) fn state(&self) -> Option<&FieldState> {
        self.proven.as_ref().map(|(state, _)| state)
    }

    /// Returns the version that is proven, and at which height.
    pub(super) fn version(&self) -> Option<(u32, Height)> {
        self.proven.as_ref().map(|(state, height)| (state.best.version, *height))
    }

    /// Returns whether members pay each other.
    pub(super) fn is_open(&self) -> bool {
        let state = self.state().filter(|state| state.status == FieldStatus::Open);
        state.is_some_and(|state| state.annulled.is_none())
    }

    /// Returns the round from which on nothing of this version is ever enforced.
    pub(super) fn annulled(&self) -> Option<u32> {
        let (state, height) = self.proven.as_ref()?;
        state.annulled_at(*height)
    }

    /// Checks that the chain holds the money, far enough for how much it is.
    pub(super) fn may_pay(&self, at_risk: Amount, policy: &MemberPolicy) -> Result<(), PayError> {
        if self.state().is_none() || (at_risk > policy.final_above && !self.is_final) {
            return Err(PayError::NotProven);
        }
        if self.is_open() { Ok(()) } else { Err(PayError::NotOpen) }
    }

    /// A state was signed, and is not sealed.
    pub(super) fn signed_at(&mut self, tip: Height) {
        self.signed.get_or_insert(tip);
    }

    /// The state that was signed is sealed.
    pub(super) const fn sealed(&mut self) {
        self.signed = None;
    }

    /// The field is to be closed, from now on.
    pub(super) fn leave(&mut self, tip: Height) {
        self.leaving.get_or_insert(tip);
    }

    /// Returns until when something must be done, if anything must.
    pub(super) fn deadline(&self) -> Option<Height> {
        let state = self.state()?;
        let challenge = state.challenge.map(|challenge| challenge.deadline);
        let closing = match state.status {
            FieldStatus::Closing(Closing { deadline, .. }) => Some(deadline),
            FieldStatus::Open | FieldStatus::Closed { .. } => None,
        };
        challenge.into_iter().chain(closing).min()
    }

    /// Returns whether the chain is to be asked now: often while something is under way.
    fn asks(&mut self, tip: Height, margin: u64) -> bool {
        let is_calm = self.is_open() && self.acted.is_none() && self.deadline().is_none();
        let wait = if is_calm { margin.div_euclid(2).max(1) } else { 1 };
        let is_due = self.asked.is_none_or(|asked| asked.plus(wait) <= tip);
        if is_due {
            self.asked = Some(tip);
        }
        is_due
    }

    /// Returns whether this may be submitted now: it was not, or so long ago that it must have been lost.
    fn acts(&mut self, act: Act, tip: Height, margin: u64) -> bool {
        let is_under_way =
            self.acted.is_some_and(|(last, at)| last == act && tip < at.plus(margin.max(1)));
        if !is_under_way {
            self.acted = Some((act, tip));
        }
        !is_under_way
    }
}

impl Seat {
    /// The chain has a new settled head.
    pub(super) fn tip_moved(&mut self, turn: &mut Turn<'_>) {
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
            self.affairs.acted = None;
            self.drop_annulled();
            turn.changed();
        }
        self.decide(turn);
        self.sign_wanted(turn);
        self.pursue(turn);
        self.rearm(turn);
    }

    /// Returns whether everybody was paid.
    pub(super) fn is_closed(&self) -> bool {
        let state = self.affairs.state();
        state.is_some_and(|state| matches!(state.status, FieldStatus::Closed { .. }))
    }

    /// An annulled round is never sealed, whoever has which signatures (A6.12).
    fn drop_annulled(&mut self) {
        if self.is_halted() {
            self.was_annulled = true;
            (self.gather, self.voting, self.due) = (None, None, None);
            self.affairs.sealed();
        }
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
        if self.leads() && !self.is_closed() && self.amend_act(turn.tip).is_some() {
            self.act(Act::Amend, turn);
            return;
        }
        match status {
            FieldStatus::Closed { .. } => {}
            FieldStatus::Closing(closing) if next > closing.deadline.plus(self.me.into()) => {
                self.act(Act::Enforce, turn);
            }
            FieldStatus::Closing(closing) => {
                if self.has_better() && next <= closing.deadline {
                    self.warn(Threat::Close, closing.deadline, turn);
                    self.act(Act::Post(self.sealed.state.round), turn);
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
            let has_it = self.has_better() && self.sealed.state.round >= challenge.round;
            let owes_word = self.leads() && challenge.leader.is_none();
            if tip.plus(1) > challenge.deadline {
                self.act(Act::Enforce, turn);
            } else if has_it || owes_word {
                self.warn(Threat::Challenge, challenge.deadline, turn);
                self.act(Act::Post(self.sealed.state.round), turn);
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
        let ours = &self.sealed.state;
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
        // A version's first state is known to the chain: it is shown without signatures.
        let shown = || {
            let signatures = self.sealed.signatures.clone().unwrap_or_default();
            SealedState { state: self.sealed.state.clone(), signatures }
        };
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
                let state = self.sealed_state().filter(|_| self.has_better()).map(Box::new);
                FieldAct::SoloClose { field, state }
            }
            Act::Post(_) => FieldAct::Post(Box::new(shown())),
            Act::Challenge(round) => FieldAct::Challenge { field, round },
            Act::Enforce => FieldAct::Enforce(field),
            Act::Amend => self.amend_act(Height::default())?,
        })
    }

    /// Returns whether a transaction may not be included before this height, or only just.
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
