//! What one target is promised from one pool: stored, being stored, wanted.

use crate::amount::Amount;

/// One row of the durable table (pool, target) → (sequence, sum).
///
/// ```text
/// durable ≤ pending ≤ wanted       only `durable` is ever signed
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Line {
    seq: u64,
    cum: Amount,
    pending: Option<Amount>,
    wanted: Amount,
}

impl Line {
    /// Makes the line that a stored row describes.
    pub(super) const fn restored(seq: u64, cum: Amount) -> Self {
        Self { seq, cum, pending: None, wanted: cum }
    }

    /// Returns all that the application agreed to pay.
    pub(super) const fn wanted(&self) -> Amount {
        self.wanted
    }

    /// Returns what is stored and may be signed.
    pub(super) const fn durable(&self) -> (u64, Amount) {
        (self.seq, self.cum)
    }

    /// Returns whether anything was ever stored.
    pub(super) const fn has_voucher(&self) -> bool {
        self.seq > 0
    }

    /// Returns whether no sequence is left for a write after the one that may be under way.
    pub(super) const fn is_exhausted(&self) -> bool {
        self.seq >= u64::MAX - 2
    }

    /// Raises what the application agreed to pay.
    pub(super) fn want(&mut self, wanted: Amount) {
        self.wanted = self.wanted.max(wanted);
    }

    /// Returns the sequence and sum to store now, or `None` if nothing is new or a write is under way.
    pub(super) fn start(&mut self) -> Option<(u64, Amount)> {
        if self.pending.is_some() || self.wanted <= self.cum {
            return None;
        }
        let seq = self.seq.checked_add(1)?;
        self.pending = Some(self.wanted);
        Some((seq, self.wanted))
    }

    /// The write under way is durable.
    pub(super) fn stored(&mut self) {
        if let (Some(cum), Some(seq)) = (self.pending.take(), self.seq.checked_add(1)) {
            (self.seq, self.cum) = (seq, cum);
        }
    }
}
