//! What accounts do with fields, as the bytes say.

use super::{
    member,
    model::{HONEST, Model},
};
use crate::{fuzz::choice::Choices, watch::Watch};
use antiphon_core::{
    id::FieldId,
    payment::field::{FieldTerms, escrow::FieldStatus},
};

/// Fields that run at once.
const MAX_FIELDS: usize = 3;

impl Model {
    pub(super) fn propose(&mut self, who: usize, choices: &mut Choices<'_>) {
        let is_running = |field: &FieldId| {
            let state = self.till.field(*field);
            state.is_none_or(|state| !matches!(state.status, FieldStatus::Closed { .. }))
        };
        if self.fields.keys().filter(|field| is_running(field)).count() >= MAX_FIELDS {
            return;
        }
        self.nonce += 1;
        let others = (0..HONEST).filter(|at| *at != who).take(1 + choices.below(HONEST - 1));
        let party: Vec<_> = [who].into_iter().chain(others).map(|at| &self.actors[at]).collect();
        let bond = FieldTerms::least_bond(self.spec.fee).unwrap();
        let terms = member::terms(&party, self.nonce, bond, self.till.next_height().plus(60));
        if let Some(field) = self.actors[who].propose(terms.clone()) {
            let watch = Watch::new(&terms);
            self.fields.insert(field, (terms, watch));
        }
    }

    /// A field that the chain holds open.
    fn some_field(&self, choices: &mut Choices<'_>) -> Option<FieldId> {
        let is_open = |field: &FieldId| {
            self.till.field(*field).is_some_and(|state| state.status == FieldStatus::Open)
        };
        let fields: Vec<_> = self.fields.keys().copied().filter(is_open).collect();
        choices.of(&fields).copied()
    }

    pub(super) fn pay_member(&mut self, who: usize, other: usize, choices: &mut Choices<'_>) {
        let to = self.actors[other].address();
        for _ in 0..choices.below(4) {
            let Some(field) = self.some_field(choices) else { return };
            self.actors[who].pay_member(field, to, 1 + u128::from(choices.byte() % 64));
        }
    }

    /// Ends a round, a field, or goes to the chain with a state that is old or for one that others have.
    pub(super) fn close(&mut self, who: usize, choices: &mut Choices<'_>) {
        let Some(field) = self.some_field(choices) else { return };
        match choices.below(16) {
            0 => self.actors[who].close(field, false),
            1 if choices.below(4) == 0 => self.actors[who].close_stale(field),
            2..6 => self.actors[who].ask(field),
            _ => self.actors[who].close(field, true),
        }
    }
}
