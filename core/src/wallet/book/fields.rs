//! Payment fields in the book: what is asked of the chain about them, and what is proven of them.

use super::{Book, BookError, Output, proofs::At};
use crate::{
    chain::{ByLevel, Level, spec::Token, transaction::Message},
    crypto::Hash,
    id::{FieldId, Height},
    payment::field::{FieldAct, escrow::FieldState},
    time::{Moment, UnixMillis},
};
use alloc::{boxed::Box, vec::Vec};

/// Fields watched at once: one key each, beside those of the account and the pools in one answer.
pub const MAX_WATCHED_FIELDS: usize = 15;

/// A watched field as one head's state shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldShown {
    /// Which field.
    pub field: FieldId,
    /// Its state, or `None` if it is proven absent.
    pub state: Option<FieldState>,
    /// How far the head is believed.
    pub level: Level,
    /// The head's height.
    pub height: Height,
    /// The head's state root.
    pub root: Hash,
    /// When the head was dated.
    pub time: UnixMillis,
}

impl Book {
    /// Starts to watch a field. Nothing happens if it is watched already, or if [`MAX_WATCHED_FIELDS`] are.
    pub fn watch_field(&mut self, field: FieldId, out: &mut Vec<Output>) {
        if self.fields.len() < MAX_WATCHED_FIELDS && !self.fields.contains_key(&field) {
            self.fields.insert(field, ByLevel::new());
        }
        self.is_urgent = true;
        self.ask_proofs(out);
    }

    /// Stops watching a field.
    pub fn unwatch_field(&mut self, field: &FieldId) {
        self.fields.remove(field);
    }

    /// Returns a watched field as shown by the newest head believed at least to `level`.
    pub fn field(&self, field: &FieldId, level: Level) -> Option<&FieldShown> {
        self.fields.get(field)?.at_least(level).max_by_key(|shown| shown.height)
    }

    /// Sends an act on a field. One that waits already is not sent twice.
    ///
    /// # Errors
    /// [`BookError`].
    pub fn act(
        &mut self,
        now: Moment,
        act: Box<FieldAct>,
        out: &mut Vec<Output>,
    ) -> Result<(), BookError> {
        // Whoever brings signatures of others pays for each of them.
        let signatures = u64::try_from(act.signatures()).unwrap_or(u64::MAX);
        let fee = self.fee.checked_mul(signatures.saturating_add(1));
        let message = Message::Field(act);
        if self.queue.contains(&message) || self.is_flying(&message) {
            return Ok(());
        }
        self.check_funds(Token::Operational, fee)?;
        self.enqueue(now, message, out)
    }

    /// Takes what one head proves of the fields that were asked for.
    pub(super) fn enter_fields(
        &mut self,
        level: Level,
        At { height, root, time }: At,
        rows: impl Iterator<Item = (FieldId, Option<FieldState>)>,
        out: &mut Vec<Output>,
    ) {
        for (field, state) in rows {
            let shown = FieldShown { field, state, level, height, root, time };
            if let Some(known) = self.fields.get_mut(&field) {
                known.set(level, shown.clone());
                out.push(Output::Field(Box::new(shown)));
            }
        }
    }
}
