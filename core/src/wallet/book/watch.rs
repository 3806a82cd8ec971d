//! What a book watches, which may be more than one question asks: rows take turns.
//!
//! Who has waited longest is asked first, so a row is asked again after as many heads as all rows fill questions. What
//! others name costs them nothing: such rows have a share of each question and cannot keep our own from being asked,
//! nor can new names keep older ones waiting.

use crate::{
    chain::{ByLevel, Level},
    table::Table,
};
use alloc::vec::Vec;

/// What a watched row is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Interest {
    /// Somebody said that it concerns us.
    Named,
    /// Money of ours depends on it.
    Ours,
}

/// Rows that are watched, with what heads show of each.
#[derive(Debug)]
pub(super) struct Watch<K, T> {
    rows: Table<K, Watched<T>>,
    /// Counts what came and what was asked.
    clock: u64,
}

#[derive(Debug)]
struct Watched<T> {
    interest: Interest,
    shown: ByLevel<T>,
    /// When it came.
    came: u64,
    /// When it was last asked about.
    asked: ByLevel<u64>,
}

impl<T> Watched<T> {
    fn since(&self, level: Level) -> u64 {
        self.asked.get(level).copied().unwrap_or(self.came)
    }
}

impl<K: Ord + Copy, T> Watch<K, T> {
    pub(super) const fn new() -> Self {
        Self { rows: Table::new(), clock: 0 }
    }

    pub(super) const fn len(&self) -> usize {
        self.rows.len()
    }

    pub(super) fn get(&self, key: &K) -> Option<&ByLevel<T>> {
        self.rows.get(key).map(|row| &row.shown)
    }

    pub(super) fn get_mut(&mut self, key: &K) -> Option<&mut ByLevel<T>> {
        self.rows.get_mut(key).map(|row| &mut row.shown)
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &ByLevel<T>> {
        self.rows.values().map(|row| &row.shown)
    }

    /// Watches one more row, or learns that a row is ours. Returns whether it is new here. Where there are `most` already, a
    /// row that was only named gives its place to one of ours.
    pub(super) fn add(&mut self, key: K, interest: Interest, most: usize) -> bool {
        if let Some(row) = self.rows.get_mut(&key) {
            row.interest = row.interest.max(interest);
            return false;
        }
        if self.rows.len() >= most {
            let named = self.rows.iter().find(|(_, row)| row.interest < interest);
            let Some(named) = named.map(|(key, _)| *key) else { return false };
            self.rows.remove(&named);
        }
        let came = self.tick();
        let row = Watched { interest, shown: ByLevel::new(), came, asked: ByLevel::new() };
        self.rows.insert(key, row);
        true
    }

    pub(super) fn remove(&mut self, key: &K) {
        self.rows.remove(key);
    }

    /// Says anew what each row is to us; `None` is nothing, and it is watched no more.
    pub(super) fn review(&mut self, interest: impl Fn(&K) -> Option<Interest>) {
        self.rows.retain(|key, row| {
            let now = interest(key);
            row.interest = now.unwrap_or(row.interest);
            now.is_some()
        });
    }

    /// Returns whose turn it is: `most` rows, of which those that were only named get `share`, or what ours leave.
    pub(super) fn turn(&mut self, level: Level, (most, share): (usize, usize)) -> Vec<K> {
        let start = self.clock;
        let named = self.rows.values().filter(|row| row.interest == Interest::Named).count();
        let mut chosen = Vec::new();
        self.take(
            level,
            Interest::Ours,
            (most.saturating_sub(named.min(share)), start),
            &mut chosen,
        );
        self.take(level, Interest::Named, (most, start), &mut chosen);
        chosen
    }

    /// Chooses those that have waited longest, until there are `most`; none twice.
    fn take(
        &mut self,
        level: Level,
        interest: Interest,
        (most, start): (usize, u64),
        chosen: &mut Vec<K>,
    ) {
        while chosen.len() < most {
            let now = self.tick();
            let rows = self.rows.iter_mut().filter(|(_, row)| row.interest == interest);
            let next = rows.min_by_key(|(_, row)| row.since(level));
            let Some((key, row)) = next.filter(|(_, row)| row.since(level) <= start) else {
                return;
            };
            row.asked.set(level, now);
            chosen.push(*key);
        }
    }

    const fn tick(&mut self) -> u64 {
        self.clock = self.clock.saturating_add(1);
        self.clock
    }
}
