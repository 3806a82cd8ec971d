//! Which epoch this node is in: one epoch change kept for each validator, the largest (A1.15).

use super::message::SignedEpochChange;
use antiphon_core::{chain::set::ValidatorSet, id::Epoch};
use std::collections::BTreeMap;

#[derive(Debug, Default)]
pub(super) struct Epochs {
    changes: BTreeMap<u16, SignedEpochChange>,
}

impl Epochs {
    pub(super) fn len(&self) -> usize {
        self.changes.len()
    }

    /// Returns whether a change of this validator to this epoch or a later one is known.
    pub(super) fn has(&self, index: u16, epoch: Epoch) -> bool {
        self.changes.get(&index).is_some_and(|held| held.change.epoch >= epoch)
    }

    /// Keeps a verified change if it is its sender's largest.
    pub(super) fn keep(&mut self, change: SignedEpochChange) {
        if !self.has(change.index, change.change.epoch) {
            self.changes.insert(change.index, change);
        }
    }

    /// Returns the weight of those who wish at least `epoch`.
    pub(super) fn weight(&self, set: &ValidatorSet, epoch: Epoch) -> u64 {
        let wishing = self.changes.values().filter(|held| held.change.epoch >= epoch);
        let weights = wishing
            .filter_map(|held| set.members.get(usize::from(held.index)))
            .map(|member| member.weight);
        weights.fold(0, u64::saturating_add)
    }

    /// Returns the greatest epoch that validators of at least `threshold` weight wish.
    pub(super) fn reached(&self, set: &ValidatorSet, threshold: u64) -> Option<Epoch> {
        let wished = self.changes.values().map(|held| held.change.epoch);
        wished.filter(|epoch| self.weight(set, *epoch) >= threshold).max()
    }
}
