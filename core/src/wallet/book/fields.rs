//! Payment fields in the book: what is asked of the chain about them, and what is proven of them.

use super::{Book, BookError, Interest, Output, proofs::At};
use crate::{
    amount::Amount,
    chain::{Level, spec::Token, transaction::Message},
    crypto::Hash,
    id::{FieldId, Height},
    payment::{
        field::{FieldAct, FieldTerms, Member, escrow::FieldState},
        member::MAX_FIELDS,
    },
    time::{Moment, UnixMillis},
};
use alloc::{boxed::Box, vec::Vec};

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
    /// Starts to watch a field of ours, if it is not watched; at most [`MAX_FIELDS`] are.
    pub fn watch_field(&mut self, field: FieldId, out: &mut Vec<Output>) {
        self.fields.add(field, Interest::Ours, MAX_FIELDS);
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

    /// Checks that the proven balance covers what these terms lock of it beyond what the field holds for it already, and
    /// what opening costs if it leads.
    ///
    /// # Errors
    /// [`BookError`].
    pub fn check_terms(&self, terms: &FieldTerms, held: Amount) -> Result<(), BookError> {
        let mine = |member: &&Member| member.address() == self.address;
        let deposit = terms.members.iter().find(mine).map_or(Amount::ZERO, |own| own.deposit);
        let deposit = deposit.saturating_sub(held);
        let leader = terms.leader().and_then(|place| terms.members.get(usize::from(place)));
        let signatures = u64::try_from(terms.members.len()).unwrap_or(u64::MAX).saturating_add(1);
        let needed = match leader.filter(mine) {
            Some(_) => {
                let cost = self.fee.checked_mul(signatures);
                let bonded = deposit.checked_add(terms.bond);
                bonded.zip(cost).and_then(|(bonded, cost)| bonded.checked_add(cost))
            }
            None => Some(deposit),
        };
        self.check_funds(Token::Operational, needed)
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
        let signatures = act.signatures();
        let message = Message::Field(act);
        if self.is_known(&message) {
            return Ok(());
        }
        self.check_signatures(signatures)?;
        self.enqueue(now, message, out)
    }

    /// Checks that the proven balance covers a transaction with so many signatures of others: whoever brings them pays for
    /// each.
    ///
    /// # Errors
    /// [`BookError`].
    pub fn check_signatures(&self, count: usize) -> Result<(), BookError> {
        let signatures = u64::try_from(count).unwrap_or(u64::MAX).saturating_add(1);
        self.check_funds(Token::Operational, self.fee.checked_mul(signatures))
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
