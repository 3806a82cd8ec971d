//! What the chain is proven to hold of a field, what that allows, and what was done about it.
//!
//! Source: PROTOCOL A6.11 to A6.13.

use super::{MemberPolicy, PayError, Proof, Turn};
use crate::{
    amount::Amount,
    chain::Level,
    id::Height,
    payment::field::{
        RoundState,
        escrow::{Closing, FieldState, FieldStatus},
    },
};

/// What the chain knows of a field, and what we did about it.
#[derive(Debug, Default)]
pub(super) struct Affairs {
    proven: Option<(FieldState, Height)>,
    /// The highest header that proves that there is no such field.
    absent: Option<Height>,
    /// Whether some final header proved the field.
    is_final: bool,
    /// When the state that is voted on was signed here.
    pub(super) signed: Option<Height>,
    /// Since when we want the field closed.
    pub(super) leaving: Option<Height>,
    /// What was submitted last, and when.
    pub(super) acted: Option<(Act, Height)>,
    /// When an amendment was submitted last: beside whatever else must be done until it is included.
    pub(super) amended: Option<Height>,
    /// When the chain was asked last.
    asked: Option<Height>,
    /// The deadline of which was warned, and whether it was near then.
    pub(super) warned: Option<(Height, bool)>,
}

/// What was submitted, for its repetition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    Open,
    Close,
    SoloClose,
    Post(u32),
    Challenge(u32),
    Enforce,
}

impl Affairs {
    /// Takes what is proven. Older proofs and headers that nobody has settled say nothing.
    pub(super) fn prove(&mut self, proof: Proof) {
        let known = self.proven.as_ref().map_or(Height::default(), |(_, height)| *height);
        if proof.level < Level::Settled || proof.height < known {
            return;
        }
        // A field that is proven absent is not open yet: it never leaves the chain again.
        let Some(state) = proof.state else {
            self.absent = self.absent.max(Some(proof.height));
            return;
        };
        let is_new = self.version().is_some_and(|(version, _)| version < state.best.version);
        // What joins with a version, or is paid in, is there for certain once that version is final (A6.14).
        self.is_final = (self.is_final && !is_new) || proof.level == Level::Final;
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
        // A challenge that ran out has annulled its round, whether or not anybody has asked for that.
        state.is_some() && self.annulled().is_none()
    }

    /// Returns whether the chain is proven to hold no version from this one on, and none can begin after `until`.
    pub(super) fn is_never(&self, version: u32, until: Height) -> bool {
        let below = self.proven.as_ref().filter(|(state, _)| state.best.version < version);
        let absent = self.absent.filter(|_| self.proven.is_none());
        below.map(|(_, height)| *height).or(absent).is_some_and(|height| height > until)
    }

    /// Returns whether the chain is proven so lately that whatever was asked or begun since can be answered within a margin
    /// from now.
    fn is_fresh(&self, tip: Height, margin: u64) -> bool {
        self.proven.as_ref().is_some_and(|(state, height)| {
            height.plus(state.response.min(state.dispute)) > tip.plus(margin)
        })
    }

    /// Returns whether the chain has this state or a higher one, or can be shown it before it is too late: within a margin,
    /// as any transaction (A1.24), and before a round that is asked for is annulled or a close is enforced (A6.11, A6.12).
    pub(super) fn takes(&self, ours: &RoundState, turn: &Turn<'_>) -> bool {
        let Some(state) = self.state().filter(|state| state.best.version == ours.version) else {
            return false;
        };
        if ours.round <= state.best.round {
            return true;
        }
        let until = match state.status {
            FieldStatus::Open => None,
            FieldStatus::Closing(closing) => Some(closing.deadline),
            FieldStatus::Closed { .. } => return false,
        };
        let asked = state.challenge.filter(|challenge| challenge.round <= ours.round);
        let margin = turn.policy.inclusion_margin.max(1);
        let mut deadlines = until.into_iter().chain(asked.map(|challenge| challenge.deadline));
        self.is_fresh(turn.tip, margin)
            && self.annulled().is_none_or(|from| ours.round < from)
            && deadlines.all(|deadline| turn.tip.plus(margin) <= deadline)
    }

    /// Returns whether the chain is proven to let no challenge annul this state.
    pub(super) fn is_safe(&self, ours: &RoundState) -> bool {
        self.state().is_some_and(|state| state.is_safe(ours.round))
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
    pub(super) fn asks(&mut self, tip: Height, margin: u64) -> bool {
        let is_idle = self.acted.is_none() && self.amended.is_none() && self.deadline().is_none();
        let is_calm = is_idle && self.is_open() && self.is_fresh(tip, margin);
        let wait = if is_calm { margin.div_euclid(2).max(1) } else { 1 };
        let is_due = self.asked.is_none_or(|asked| asked.plus(wait) <= tip);
        if is_due {
            self.asked = Some(tip);
        }
        is_due
    }

    /// Returns whether this may be submitted now: it was not, or so long ago that it must have been lost.
    pub(super) fn acts(&mut self, act: Act, tip: Height, margin: u64) -> bool {
        let is_under_way =
            self.acted.is_some_and(|(last, at)| last == act && tip < at.plus(margin.max(1)));
        if !is_under_way {
            self.acted = Some((act, tip));
        }
        !is_under_way
    }

    /// Returns whether an amendment may be submitted now, as [`Affairs::acts`].
    pub(super) fn amends(&mut self, tip: Height, margin: u64) -> bool {
        let is_under_way = self.amended.is_some_and(|at| tip < at.plus(margin.max(1)));
        if !is_under_way {
            self.amended = Some(tip);
        }
        !is_under_way
    }
}
