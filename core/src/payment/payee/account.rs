//! Chunks served to each peer against what its vouchers brought.

use crate::{
    amount::Amount,
    id::{PeerId, PoolId, StreamId},
    payment::tick::Preimage,
    table::Table,
};
use alloc::vec::Vec;

/// Peers whose account is kept, those that left included. Chosen here: so that leaving does not clear a debt.
pub const MAX_ACCOUNTS: usize = 512;

/// The accounts of peers, at most [`MAX_ACCOUNTS`].
#[derive(Debug, Default)]
pub(super) struct Accounts(Table<PeerId, Account>);

impl Accounts {
    pub(super) fn get(&self, peer: &PeerId) -> Option<&Account> {
        self.0.get(peer)
    }

    pub(super) fn get_mut(&mut self, peer: &PeerId) -> Option<&mut Account> {
        self.0.get_mut(peer)
    }

    /// Returns the account of a peer that is here, made if there is room: the place of one that left, with the smallest
    /// debt first.
    pub(super) fn come(&mut self, peer: PeerId) -> Option<&mut Account> {
        if !self.0.contains_key(&peer) && self.0.len() >= MAX_ACCOUNTS {
            let gone = self.0.iter().filter(|(_, account)| account.has_left);
            let gone = gone.min_by_key(|(_, account)| account.owed()).map(|(peer, _)| *peer)?;
            self.0.remove(&gone);
        }
        let account = self.0.entry(peer).or_default();
        account.has_left = false;
        Some(account)
    }

    /// Returns whether any peer that is here pays from this pool.
    pub(super) fn pay_from(&self, pool: PoolId) -> bool {
        self.0.values().any(|account| account.pool == Some(pool) && !account.has_left)
    }

    /// Returns whether any peer but this one pays from this pool.
    pub(super) fn others_pay_from(&self, pool: PoolId, but: PeerId) -> bool {
        self.0.iter().any(|(peer, account)| account.pool == Some(pool) && *peer != but)
    }

    /// Takes every voucher that was kept for later, with its newest tick.
    pub(super) fn take_held(&mut self) -> Vec<(PeerId, Vec<u8>, Option<Preimage>)> {
        let held = self.0.iter_mut();
        held.filter_map(|(peer, account)| {
            Some((*peer, account.held.take()?, account.held_tick.take()))
        })
        .collect()
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

/// One peer's account. Both sums only grow; leaving and coming back changes neither.
#[derive(Clone, Debug, Default)]
pub(super) struct Account {
    terms: Option<(StreamId, Amount)>,
    pool: Option<PoolId>,
    served: Amount,
    credited: Amount,
    held: Option<Vec<u8>>,
    /// A tick of the voucher that is held.
    held_tick: Option<Preimage>,
    has_left: bool,
}

impl Account {
    /// The peer is gone; its debt stays.
    pub(super) fn leave(&mut self) {
        self.has_left = true;
        (self.held, self.held_tick) = (None, None);
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
        self.held_tick = None;
    }

    /// Keeps a tick of a voucher that is kept. Returns whether there is one.
    pub(super) const fn hold_tick(&mut self, preimage: Preimage) -> bool {
        if self.held.is_some() {
            self.held_tick = Some(preimage);
        }
        self.held.is_some()
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
