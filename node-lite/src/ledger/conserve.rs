//! A10.1: what the touched rows held before a block, they hold after it.
//!
//! Rows that a block does not touch cannot change, so the sum over all rows stays what genesis made it. Nothing mints or
//! burns yet; when something does, its amount belongs on one side of this equation.

use super::apply::Row;
use antiphon_core::{amount::Amount, chain::spec::Token};

/// Returns whether each token's sum is the same before and after. An overflowing sum is never the same.
pub(super) fn holds<'a>(rows: impl Iterator<Item = &'a (Option<Row>, Row)> + Clone) -> bool {
    Token::ALL.iter().all(|token| {
        let held = |row: &Row| row.held().get(token.index()).copied().unwrap_or_default();
        let before = rows.clone().map(|(old, _)| old.as_ref().map(held).unwrap_or_default());
        let after = rows.clone().map(|(_, new)| held(new));
        let before = Amount::checked_sum(before);
        before.is_some() && before == Amount::checked_sum(after)
    })
}
