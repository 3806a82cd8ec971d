//! One payment out of a closed field, proven to anybody who believes a header.
//!
//! A member keeps every round, so it can prove any payment, its own or another's; it shows one and hashes of the rest.
//!
//! Source: PROTOCOL A6.10, A0.9.

use super::{ProveError, Seat, seat::Past, wire::Ordered};
use crate::{
    codec,
    crypto::{Hash, PublicKey, Signed, merkle},
    id::{ChainId, Height},
    payment::field::{
        Climb, FieldEvidence, FieldFile, FieldPayment, FieldProof, MAX_MEMBERS, PaymentEvidence,
        escrow::{FieldKeys, FieldStatus},
        round_leaf, round_root, sealed_file,
    },
};
use alloc::{boxed::Box, vec, vec::Vec};

/// Longest list of closed fields that is read, in bytes: as many as a node tells of one block, and their count.
const MAX_TOLD: usize = 4 + 4096 * 112;

impl Seat {
    /// Returns the block that closed the field, if it is proven closed.
    pub(super) fn closed_at(&self) -> Option<Height> {
        match self.affairs.state()?.status {
            FieldStatus::Closed { at } => Some(at),
            FieldStatus::Open | FieldStatus::Closing(_) => None,
        }
    }

    /// Proves the payment at a place of a round out of the header of the block that closed the field and what a
    /// node tells of all fields that this block closed.
    pub(super) fn payment_evidence(
        &self,
        (round, index): (u32, u32),
        header: (Height, Hash),
        closed: &[u8],
    ) -> Result<PaymentEvidence, ProveError> {
        let in_block = self.in_block(closed).ok_or(ProveError::NotTold)?;
        let proof = self.prove(round, index, in_block).ok_or(ProveError::NoPayment)?;
        let keys = FieldKeys::try_from(self.keys()).map_err(|_| ProveError::NoPayment)?;
        let (height, field_root) = header;
        Ok(PaymentEvidence { keys, height, field_root, proof })
    }

    /// Returns this field's way among the fields that a block closed, of the bytes in which a node told them: after their
    /// count all are equally long. Nothing of it is believed, so nothing else is read.
    fn in_block(&self, closed: &[u8]) -> Option<Climb> {
        let ours = codec::encode(&self.affairs.state()?.closed_at(self.closed_at()?)?);
        let told = closed.get(4..).filter(|_| closed.len() <= MAX_TOLD)?;
        let all = told.chunks_exact(ours.len());
        let at = all.clone().position(|one| one == ours.as_slice())?;
        let leaves: Vec<Hash> = all.map(merkle::leaf_hash).collect();
        Climb::of(&leaves, at)
    }

    /// Returns the canonical bytes of the newest [`SealedState`](crate::payment::field::SealedState).
    #[inline(never)]
    pub(super) fn sealed_bytes(&self) -> Option<Vec<u8>> {
        let signatures = self.sealed.signatures.as_ref()?;
        Some(codec::encode(&(&self.sealed.state, signatures)))
    }

    /// Returns the newest state that all signed as a file.
    pub(super) fn sealed_file(&self, chain: ChainId) -> Option<Vec<u8>> {
        let keys = super::record::bounded(self.keys());
        Some(sealed_file(chain, &keys, &self.sealed_bytes()?))
    }

    fn keys(&self) -> Vec<PublicKey> {
        self.parties.iter().map(|party| party.key).collect()
    }

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
        let payments = self.payments(round, history.get(place)?);
        let in_round: Vec<Hash> = payments.iter().map(Signed::leaf).collect();
        let at = usize::try_from(index).ok()?;
        let of_rounds: Vec<Hash> = (1_u32..)
            .zip(history)
            .map(|(number, past)| {
                let leaves = self.leaves(number, past);
                let count = u32::try_from(leaves.len()).unwrap_or(u32::MAX);
                round_leaf(count, &round_root(&leaves))
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
        let keys = self.keys();
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
