//! What was taken of each month: the account that a cap is held against.

use crate::{
    codec::{decode, encode},
    time::UnixMillis,
};
use alloc::{collections::BTreeMap, vec::Vec};
use chrono::{DateTime, Datelike as _, Utc};

/// Months that are remembered. Chosen here: this one, and those that a clock which was wrong for a while goes back to.
const MAX_MONTHS: usize = 3;
/// Longest row: a length, and two numbers a month.
const MAX_ROW: usize = 4 + 16 * MAX_MONTHS;

/// A month of the calendar, in UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Month(u64);

impl Month {
    /// Returns the month of a moment; past the end of the calendar, the last one.
    pub(super) fn of(clock: UnixMillis) -> Self {
        let date = i64::try_from(clock.0).ok().and_then(DateTime::from_timestamp_millis);
        let count = |date: DateTime<Utc>| {
            u64::from(date.year().unsigned_abs()) * 12 + u64::from(date.month0())
        };
        Self(date.map_or(u64::MAX, count))
    }
}

/// Bytes by month.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Months(BTreeMap<u64, u64>);

impl Months {
    /// Reads what [`Months::to_bytes`] wrote; a row that is damaged is none.
    pub(super) fn from_bytes(row: &[u8]) -> Self {
        let read: Vec<(u64, u64)> = decode(row, MAX_ROW).unwrap_or_default();
        Self(read.into_iter().collect())
    }

    /// Returns what to write.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        encode(&self.0.iter().map(|(month, bytes)| (*month, *bytes)).collect::<Vec<_>>())
    }

    /// Returns the bytes that were taken of a month.
    pub(super) fn taken(&self, month: Month) -> u64 {
        self.0.get(&month.0).copied().unwrap_or_default()
    }

    /// Puts down the bytes that were taken of the month that runs; of the others the nearest are remembered.
    pub(super) fn set(&mut self, month: Month, bytes: u64) {
        self.0.insert(month.0, bytes);
        while self.0.len() > MAX_MONTHS
            && let Some(farthest) = self.0.keys().copied().max_by_key(|at| at.abs_diff(month.0))
        {
            self.0.remove(&farthest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Milliseconds since 1970 at the first moments of months.
    const FEBRUARY_2024: u64 = 1_706_745_600_000;
    const MARCH_2024: u64 = 1_709_251_200_000;
    const DECEMBER_2026: u64 = 1_796_083_200_000;
    const JANUARY_2027: u64 = 1_798_761_600_000;

    #[test]
    fn a_month_begins_at_its_first_midnight_in_leap_years_and_at_new_year_too() {
        let at = |ms| Month::of(UnixMillis(ms)).0;
        assert_eq!(at(MARCH_2024 - 1), at(FEBRUARY_2024), "the 29th of February");
        assert_eq!(at(MARCH_2024), at(FEBRUARY_2024) + 1);
        assert_eq!(at(JANUARY_2027 - 1), at(DECEMBER_2026));
        assert_eq!(at(JANUARY_2027), at(DECEMBER_2026) + 1);
        assert_eq!(at(DECEMBER_2026), at(FEBRUARY_2024) + 34);
        assert!(at(u64::MAX) > at(JANUARY_2027));
    }

    #[test]
    fn what_was_taken_is_read_back_and_the_months_that_are_far_away_are_forgotten() {
        let mut months = Months::default();
        for month in [7, 900, 8, 9] {
            months.set(Month(month), month * 10);
        }
        let read = Months::from_bytes(&months.to_bytes());
        assert_eq!(read, months);
        let taken = [7, 8, 9, 900].map(|month| read.taken(Month(month)));
        assert_eq!(taken, [70, 80, 90, 0]);
        assert_eq!(Months::from_bytes(b"damaged"), Months::default());
    }
}
