//! Chunks served to one peer against what its vouchers brought.

use crate::{
    amount::Amount,
    id::{PoolId, StreamId},
};
use alloc::vec::Vec;

/// One peer's account. Both sums only grow; leaving and coming back changes neither.
#[derive(Clone, Debug, Default)]
pub(super) struct Account {
    terms: Option<(StreamId, Amount)>,
    pool: Option<PoolId>,
    served: Amount,
    credited: Amount,
    held: Option<Vec<u8>>,
    has_left: bool,
}

impl Account {
    /// The peer is here (again).
    pub(super) const fn come(&mut self) {
        self.has_left = false;
    }

    /// The peer is gone; its debt stays.
    pub(super) fn leave(&mut self) {
        self.has_left = true;
        self.held = None;
    }

    pub(super) const fn has_left(&self) -> bool {
        self.has_left
    }

    pub(super) const fn set_terms(&mut self, resource: StreamId, price: Amount) {
        self.terms = Some((resource, price));
    }

    /// Returns what the peer is served and the price a chunk.
    pub(super) const fn terms(&self) -> Option<(StreamId, Amount)> {
        self.terms
    }

    pub(super) const fn offer(&mut self, pool: PoolId) {
        self.pool = Some(pool);
    }

    pub(super) const fn pool(&self) -> Option<PoolId> {
        self.pool
    }

    /// Keeps the newest voucher until the pool is proven.
    pub(super) fn hold(&mut self, bytes: Vec<u8>) {
        self.held = Some(bytes);
    }

    pub(super) const fn take(&mut self) -> Option<Vec<u8>> {
        self.held.take()
    }

    pub(super) fn has_paid(&self) -> bool {
        !self.credited.is_zero()
    }

    pub(super) const fn credited(&self) -> Amount {
        self.credited
    }

    /// Returns what is served and not credited.
    pub(super) const fn owed(&self) -> Amount {
        self.served.saturating_sub(self.credited)
    }

    /// Returns what would be owed after one more chunk; `None` on overflow.
    pub(super) fn owed_with(&self, price: Amount) -> Option<Amount> {
        self.served.checked_add(price).map(|served| served.saturating_sub(self.credited))
    }

    pub(super) fn serve(&mut self, price: Amount) {
        self.served = self.served.checked_add(price).unwrap_or(self.served);
    }

    pub(super) fn credit(&mut self, amount: Amount) {
        self.credited = self.credited.checked_add(amount).unwrap_or(self.credited);
    }
}
