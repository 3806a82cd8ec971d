//! Votes that are not a certificate yet: one for each (height, validator), verified before they are kept.
//!
//! Bound: heights from the settled one up to [`MAX_AHEAD`] above it, times the validators (A1.23, A0.7).

use super::message::SignedVote;
use antiphon_core::{
    chain::{
        certificate::{Certificate, IndexedSignature},
        set::ValidatorSet,
    },
    codec::Bounded,
    id::{BlockId, Height},
};
use std::collections::BTreeMap;

/// How far above the settled height a vote may be. Chosen here: as many as unsettled blocks are kept.
pub(super) const MAX_AHEAD: u64 = 1024;

/// Votes looked through for the one next to another. Chosen here: some heights of the largest committee.
const MAX_LOOKED: usize = 512;

/// What became of a vote.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Counted {
    /// Kept, and together with others a certificate.
    Certificate(Certificate),
    /// Kept or known.
    Kept,
    /// The same validator voted for another block at this height before: offence A4-O2.
    Double(Box<SignedVote>),
}

#[derive(Debug, Default)]
pub(super) struct Votes {
    votes: BTreeMap<(Height, u16), SignedVote>,
}

impl Votes {
    /// Returns whether exactly this vote is known, so that it need not be verified again.
    pub(super) fn knows(&self, vote: &SignedVote) -> bool {
        self.votes.get(&(vote.vote.height, vote.index)) == Some(vote)
    }

    pub(super) fn len(&self) -> usize {
        self.votes.len()
    }

    /// Returns votes of the same validator below this one, the nearest first.
    pub(super) fn below(&self, vote: &SignedVote) -> impl Iterator<Item = &SignedVote> {
        let (height, index) = (vote.vote.height, vote.index);
        let near = self.votes.range(..(height, 0)).rev().take(MAX_LOOKED);
        near.filter(move |((_, at), _)| *at == index).map(|(_, held)| held)
    }

    /// Returns votes of the same validator above this one, the nearest first.
    pub(super) fn above(&self, vote: &SignedVote) -> impl Iterator<Item = &SignedVote> {
        let (height, index) = (vote.vote.height, vote.index);
        let near = self.votes.range((height, u16::MAX)..).take(MAX_LOOKED);
        near.filter(move |((_, at), _)| *at == index).map(|(_, held)| held)
    }

    /// Returns the votes for a block.
    pub(super) fn of_block(&self, height: Height, block: BlockId) -> Vec<SignedVote> {
        let at_height = self.votes.range((height, 0)..=(height, u16::MAX));
        at_height
            .filter(|(_, held)| held.vote.block == block)
            .map(|(_, held)| held.clone())
            .collect()
    }

    /// Counts a verified vote.
    pub(super) fn count(&mut self, vote: SignedVote, set: &ValidatorSet, quorum: u64) -> Counted {
        let (height, block) = (vote.vote.height, vote.vote.block);
        let held = self.votes.entry((height, vote.index)).or_insert_with(|| vote);
        if held.vote.block != block {
            return Counted::Double(Box::new(held.clone()));
        }
        self.certificate(height, block, set, quorum).map_or(Counted::Kept, Counted::Certificate)
    }

    fn certificate(
        &self,
        height: Height,
        block: BlockId,
        set: &ValidatorSet,
        quorum: u64,
    ) -> Option<Certificate> {
        let at_height = self.votes.range((height, 0)..=(height, u16::MAX));
        let mut weight = 0_u64;
        let mut signatures = Vec::new();
        for (_, vote) in at_height.filter(|(_, vote)| vote.vote.block == block) {
            let member = set.members.get(usize::from(vote.index))?;
            weight = weight.saturating_add(member.weight);
            signatures.push(IndexedSignature { index: vote.index, signature: vote.signature });
        }
        if weight < quorum {
            return None;
        }
        // The map is ordered by index, so the signatures strictly increase (A1.13).
        Some(Certificate { block, height, signatures: Bounded::try_from(signatures).ok()? })
    }

    /// Forgets votes at and below the settled height.
    pub(super) fn settle(&mut self, height: Height) {
        self.votes.retain(|(at, _), _| *at > height);
    }
}
