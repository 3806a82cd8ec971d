//! What must be durable before it is spoken: entries in order, one write at a time, collected while the disk works.
//!
//! ```text
//! push --> waiting --start--> writing --Stored--> spoken
//! ```
//!
//! Once a round is sealed, its rows say nothing any more. They are removed when everything after them is durable, so that
//! a crash between loses neither.

use super::record::{Entry, MAX_ENTRIES};
use alloc::vec::Vec;
use core::ops::Range;

/// The log of one field.
#[derive(Debug, Default)]
pub(super) struct Journal {
    waiting: Vec<Entry>,
    writing: Vec<Entry>,
    is_writing: bool,
    /// Rows that exist or are being written.
    rows: Range<u64>,
    /// Rows below this one are of rounds that are sealed.
    needed: u64,
}

impl Journal {
    /// Makes the journal of rows that were read back.
    pub(super) const fn restored(rows: Range<u64>) -> Self {
        let needed = rows.start;
        Self { waiting: Vec::new(), writing: Vec::new(), is_writing: false, rows, needed }
    }

    /// Adds an entry for the next write.
    pub(super) fn push(&mut self, entry: Entry) {
        self.waiting.push(entry);
    }

    /// Returns whether nothing waits and nothing is being written.
    pub(super) fn is_idle(&self) -> bool {
        self.waiting.is_empty() && !self.is_writing
    }

    /// Returns how many entries are not durable.
    pub(super) fn len(&self) -> usize {
        self.waiting.len().saturating_add(self.writing.len())
    }

    /// Returns the entries that are not durable, in order.
    pub(super) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.writing.iter().chain(&self.waiting)
    }

    /// Starts the next write, unless one is under way: its number, and what it holds.
    pub(super) fn start(&mut self) -> Option<(u64, &[Entry])> {
        if self.is_writing || self.waiting.is_empty() {
            return None;
        }
        let rest = self.waiting.split_off(self.waiting.len().min(MAX_ENTRIES));
        self.writing = core::mem::replace(&mut self.waiting, rest);
        self.is_writing = true;
        let number = self.rows.end;
        self.rows.end = number.saturating_add(1);
        Some((number, &self.writing))
    }

    /// The write under way is durable: returns what may be spoken.
    pub(super) fn stored(&mut self) -> Vec<Entry> {
        self.is_writing = false;
        core::mem::take(&mut self.writing)
    }

    /// Everything so far is of rounds that are sealed: what waits is dropped, and the rows can go.
    pub(super) fn retire(&mut self) {
        self.waiting.clear();
        self.needed = self.rows.end;
    }

    /// Returns the rows to remove now, oldest first: none while anything is not durable.
    pub(super) fn sweep(&mut self) -> Range<u64> {
        if !self.is_idle() {
            return self.rows.start..self.rows.start;
        }
        let gone = self.rows.start..self.needed;
        self.rows.start = self.needed;
        gone
    }

    /// Returns all rows, for a field that is forgotten.
    pub(super) const fn rows(&self) -> Range<u64> {
        self.rows.start..self.rows.end
    }
}
