//! One payment out of a closed field, proven to anybody who believes a header.
//!
//! A member keeps every round, so it can prove any payment, its own or another's; it shows one and hashes of the rest.
//!
//! Source: PROTOCOL A6.10, A0.9.

use super::{Seat, seat::Past, wire::Ordered};
use crate::{
    crypto::{Hash, PublicKey, Signed},
    id::ChainId,
    payment::field::{
        Climb, FieldEvidence, FieldFile, FieldPayment, FieldProof, MAX_MEMBERS,
        escrow::FieldStatus, round_leaf, round_root,
    },
};
use alloc::{boxed::Box, vec, vec::Vec};

impl Seat {
    /// Proves the payment at a place of a round. `in_block` is the closed field's way to the header's field root, which a
    /// node tells. `None` before the field is closed, and for a round that was not enforced.
    pub(super) fn prove(&self, round: u32, index: u32, in_block: Climb) -> Option<FieldProof> {
        let state = self.affairs.state()?;
        let FieldStatus::Closed { at } = state.status else { return None };
        let closed = state.closed_at(at)?;
        let enforced = usize::try_from(closed.round).ok()?;
        // Who joined later does not know the rounds before.
        let history = self.history.get(..enforced).filter(|_| self.first == 1)?;
        let place = usize::try_from(round.checked_sub(1)?).ok()?;
        let all: Vec<Vec<Signed<FieldPayment>>> =
            (1_u32..).zip(history).map(|(number, past)| self.payments(number, past)).collect();
        let leaves = |payments: &[Signed<FieldPayment>]| -> Vec<Hash> {
            payments.iter().map(Signed::leaf).collect()
        };
        let payments = all.get(place)?;
        let in_round = leaves(payments);
        let at = usize::try_from(index).ok()?;
        let of_rounds: Vec<Hash> = (all.iter())
            .map(|payments| {
                let count = u32::try_from(payments.len()).unwrap_or(u32::MAX);
                round_leaf(count, &round_root(&leaves(payments)))
            })
            .collect();
        Some(FieldProof {
            payment: payments.get(at)?.clone(),
            in_round: Climb::of(&in_round, at)?,
            round_root: round_root(&in_round),
            in_field: Climb::of(&of_rounds, place)?,
            closed,
            in_block,
        })
    }

    /// Returns what can be shown of the field as files: the newest state that all signed, and a contradiction of the leader.
    pub(super) fn files(&self, chain: ChainId) -> Vec<FieldFile> {
        let keys: Vec<PublicKey> = self.parties.iter().map(|party| party.key).collect();
        let sealed = self.sealed_state().map(|sealed| FieldEvidence::Sealed {
            keys: super::record::bounded(keys),
            sealed: Box::new(sealed),
        });
        let all = sealed.into_iter().chain(self.evidence.clone());
        all.map(|evidence| FieldFile { chain, evidence }).collect()
    }

    /// Returns the leaves of a round that is sealed.
    pub(super) fn leaves(&self, round: u32, past: &Past) -> Vec<Hash> {
        self.payments(round, past).iter().map(Signed::leaf).collect()
    }

    /// Returns the whole payments of a round that is sealed.
    fn payments(&self, round: u32, past: &Past) -> Vec<Signed<FieldPayment>> {
        let mut sequences = vec![0_u64; MAX_MEMBERS];
        let mut payments = Vec::new();
        for Ordered { payer, payee, amount, signature } in past.items.iter().copied() {
            let Some(next) = sequences.get_mut(usize::from(payer)) else { continue };
            let (field, version, sequence) = (self.id, past.version, *next);
            *next = next.saturating_add(1);
            let body = FieldPayment { field, version, round, payer, payee, amount, sequence };
            payments.push(Signed { body, signature });
        }
        payments
    }
}
