//! The payments of one round in the leader's order, checked one after another.
//!
//! The leader's machine and every member's run the same code over the same payments, so a state that a member signs is one
//! that it has computed itself (A6.10).

use super::{Fault, wire::Ordered};
use crate::{
    amount::Amount,
    codec::Bounded,
    crypto::{Hash, Signature, Signed, Tagged},
    id::ChainId,
    payment::field::{FieldPayment, RoundState, Rounds, round_root},
};
use alloc::{vec, vec::Vec};

/// Most payments in a round. Chosen here: a row of 280 kB, checked by one core in a fifth of a second.
pub const MAX_ROUND: usize = 4096;

/// A round that grows on the state before it.
#[derive(Clone, Debug)]
pub(super) struct Round {
    /// Where it begins: field, version and the number of the round before.
    before: RoundState,
    balances: Vec<Amount>,
    /// Where the payments of each member stand, by sequence.
    places: Vec<Vec<u32>>,
    items: Vec<Ordered>,
    leaves: Vec<Hash>,
}

impl Round {
    /// Begins the round after this state.
    pub(super) fn after(state: &RoundState) -> Self {
        let balances = state.balances.to_vec();
        let places = vec![Vec::new(); balances.len()];
        let (items, leaves) = (Vec::new(), Vec::new());
        Self { before: state.clone(), balances, places, items, leaves }
    }

    /// Returns its number.
    pub(super) const fn number(&self) -> u32 {
        self.before.round.saturating_add(1)
    }

    /// Returns the payments in order.
    pub(super) fn items(&self) -> &[Ordered] {
        &self.items
    }

    /// Returns how many payments there are.
    pub(super) fn len(&self) -> u32 {
        u32::try_from(self.items.len()).unwrap_or(u32::MAX)
    }

    /// Returns the leaves in order.
    pub(super) fn leaves(&self) -> &[Hash] {
        &self.leaves
    }

    /// Returns the sequence that a member's next payment must have.
    pub(super) fn expected(&self, payer: u8) -> u64 {
        let places = self.places.get(usize::from(payer));
        places.and_then(|places| u64::try_from(places.len()).ok()).unwrap_or(u64::MAX)
    }

    /// Returns what a member would have if the round ended here.
    pub(super) fn balance(&self, place: u8) -> Amount {
        self.balances.get(usize::from(place)).copied().unwrap_or_default()
    }

    /// Returns the payment of this member with this sequence, and its place in the round.
    pub(super) fn find(&self, payer: u8, sequence: u64) -> Option<(u32, &Ordered)> {
        let places = self.places.get(usize::from(payer))?;
        let index = *places.get(usize::try_from(sequence).ok()?)?;
        Some((index, self.items.get(usize::try_from(index).ok()?)?))
    }

    /// Returns the sequence of this member's payment at a place of the round.
    pub(super) fn sequence(&self, payer: u8, index: u32) -> Option<u64> {
        let places = self.places.get(usize::from(payer))?;
        u64::try_from(places.binary_search(&index).ok()?).ok()
    }

    /// Returns the whole payment that the next item stands for.
    pub(super) fn expand(&self, item: &Ordered) -> Signed<FieldPayment> {
        let sequence = self.expected(item.payer);
        let (payer, payee, amount) = (item.payer, item.payee, item.amount);
        Signed { body: self.payment(payer, payee, amount, sequence), signature: item.signature }
    }

    /// Returns what a payer signs in this round.
    pub(super) fn payment(
        &self,
        payer: u8,
        payee: u8,
        amount: Amount,
        sequence: u64,
    ) -> FieldPayment {
        let RoundState { field, version, .. } = self.before;
        FieldPayment { field, version, round: self.number(), payer, payee, amount, sequence }
    }

    /// Checks the next payment, apart from its signature: the rules of the ledger (A6.10).
    pub(super) fn check(&self, item: &Ordered) -> Result<(), Fault> {
        let from = self.balances.get(usize::from(item.payer)).ok_or(Fault::NoSuchMember)?;
        let to = self.balances.get(usize::from(item.payee)).ok_or(Fault::NoSuchMember)?;
        if item.payer == item.payee || item.amount.is_zero() {
            return Err(Fault::NothingPaid);
        }
        if self.items.len() >= MAX_ROUND {
            return Err(Fault::RoundFull);
        }
        from.checked_sub(item.amount).ok_or(Fault::Overdrawn)?;
        to.checked_add(item.amount).ok_or(Fault::Overdrawn)?;
        Ok(())
    }

    /// Adds a payment that was checked, with its leaf.
    ///
    /// # Errors
    /// As [`Round::check`]; nothing is added then.
    pub(super) fn push(&mut self, item: Ordered, leaf: Hash) -> Result<u32, Fault> {
        self.check(&item)?;
        let (payer, payee) = (usize::from(item.payer), usize::from(item.payee));
        let from = self.balances.get(payer).and_then(|have| have.checked_sub(item.amount));
        let to = self.balances.get(payee).and_then(|have| have.checked_add(item.amount));
        let (from, to) = from.zip(to).ok_or(Fault::Overdrawn)?;
        if let Some(balance) = self.balances.get_mut(payer) {
            *balance = from;
        }
        if let Some(balance) = self.balances.get_mut(payee) {
            *balance = to;
        }
        let index = self.len();
        if let Some(places) = self.places.get_mut(payer) {
            places.push(index);
        }
        self.items.push(item);
        self.leaves.push(leaf);
        Ok(index)
    }

    /// Returns the rounds so far with this one.
    pub(super) fn extend(&self, rounds: &Rounds) -> Option<Rounds> {
        rounds.with(self.len(), &round_root(&self.leaves))
    }

    /// Returns the state after this round, recomputed from its payments. `None` when a number has run out.
    pub(super) fn state(
        &self,
        chain: ChainId,
        rounds: &Rounds,
        is_final: bool,
    ) -> Option<RoundState> {
        Some(RoundState {
            field: self.before.field,
            version: self.before.version,
            round: self.before.round.checked_add(1)?,
            balances: Bounded::try_from(self.balances.clone()).ok()?,
            tx_root: self.extend(rounds)?.root(),
            payments: self.before.payments.checked_add(u64::from(self.len()))?,
            prev: self.before.digest(chain),
            is_final,
        })
    }
}

/// Returns the item that a payment is in the leader's order.
pub(super) const fn ordered(payment: &FieldPayment, signature: Signature) -> Ordered {
    let FieldPayment { payer, payee, amount, .. } = *payment;
    Ordered { payer, payee, amount, signature }
}
