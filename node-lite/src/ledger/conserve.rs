//! A10.1: what the touched rows held before a block, and what it minted, they hold after it.
//!
//! Rows that a block does not touch cannot change, so the sum over all rows, burned money among them, stays what genesis
//! made it and what was minted since.

use super::row::{Cell, Row};
use antiphon_core::{amount::Amount, chain::spec::Token};

/// Returns whether each token's sum is the same before and after. An overflowing sum is never the same.
pub(super) fn holds<'a>(cells: impl Iterator<Item = &'a Cell> + Clone) -> bool {
    Token::ALL.iter().all(|token| {
        let of = |amounts: [Amount; 2]| amounts.get(token.index()).copied().unwrap_or_default();
        let add = |(held, minted): (Amount, Amount), row: &Row| {
            Some((held.checked_add(of(row.held()?))?, minted.checked_add(of(row.minted()))?))
        };
        let nothing = (Amount::ZERO, Amount::ZERO);
        let before = cells.clone().filter_map(|cell| cell.before.as_ref()).try_fold(nothing, add);
        let after = cells.clone().filter_map(|cell| cell.now.as_ref()).try_fold(nothing, add);
        before.zip(after).is_some_and(|((held, minted), (holds, mints))| {
            let made = held.checked_add(mints);
            made.is_some() && made == holds.checked_add(minted)
        })
    })
}
