//! The fork alarm: many blocks are referred to, at heights that are settled here, which this client's chain does not have.
//!
//! A hint, never a proof: whoever serves tips can raise it. Source: seed AELF 5.2.4 (AELF-28). The seed counts marks in
//! transactions; a light client sees no foreign transactions, so it counts the blocks that tips name. The seed leaves
//! ratio and threshold open.

use crate::id::{BlockId, Height};
use crate::table::Table;
use alloc::collections::VecDeque;

/// Settled blocks remembered. Chosen here: as many as a tip may name.
const MAX_KNOWN: usize = super::MAX_TIP_BLOCKS;
/// Marks over which the ratio is taken. Source: seed AELF takes marks from the last 64 blocks.
const WINDOW: usize = 64;
/// Least marks that say anything. Chosen here: two tips of a short-lived branch are fewer.
const MIN_MARKS: usize = 16;

/// Counts marks.
#[derive(Debug, Default)]
pub(super) struct Alarm {
    known: Table<Height, BlockId>,
    /// Whether each mark was known, oldest first.
    marks: VecDeque<bool>,
}

impl Alarm {
    /// Remembers a settled block.
    pub(super) fn settle(&mut self, height: Height, block: BlockId) {
        self.known.insert(height, block);
        while self.known.len() > MAX_KNOWN {
            self.known.pop_first();
        }
    }

    /// Counts a block that somebody refers to. Heights that are not settled here say nothing.
    pub(super) fn mark(&mut self, height: Height, block: BlockId) {
        let Some(known) = self.known.get(&height) else { return };
        self.marks.push_back(*known == block);
        while self.marks.len() > WINDOW {
            self.marks.pop_front();
        }
    }

    /// Returns whether most of the newest marks are unknown here.
    pub(super) fn is_raised(&self) -> bool {
        let unknown = self.marks.iter().filter(|known| !**known).count();
        self.marks.len() >= MIN_MARKS && unknown.saturating_mul(2) > self.marks.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::Hash;

    fn block(branch: u8, height: u64) -> BlockId {
        BlockId(Hash([branch ^ height.to_le_bytes()[0]; 32]))
    }

    #[test]
    fn the_alarm_rises_when_most_marks_are_unknown_and_falls_when_they_are_known() {
        let mut alarm = Alarm::default();
        (1..=40).for_each(|height| alarm.settle(Height(height), block(0, height)));
        (1..=15).for_each(|height| alarm.mark(Height(height), block(128, height)));
        assert!(!alarm.is_raised(), "too few to tell");
        alarm.mark(Height(16), block(128, 16));
        assert!(alarm.is_raised());
        (1..=16).for_each(|height| alarm.mark(Height(height), block(0, height)));
        assert!(!alarm.is_raised(), "half is not most");
    }

    #[test]
    fn what_is_not_settled_here_raises_nothing_and_memory_is_bounded() {
        let mut alarm = Alarm::default();
        (1..=1000).for_each(|height| alarm.mark(Height(height), block(128, height)));
        assert!(!alarm.is_raised());
        (1..=1000).for_each(|height| alarm.settle(Height(height), block(0, height)));
        (1..=1000).for_each(|height| alarm.mark(Height(height), block(128, height)));
        assert!(alarm.is_raised());
        assert_eq!((alarm.known.len(), alarm.marks.len()), (MAX_KNOWN, WINDOW));
    }
}
