//! What a light client keeps for its next start: the checkpoint it trusts, or the proof that its chain has split.

use super::{Anchor, Checkpoint, ForkProof, MAX_CHECKPOINT, MAX_FORK_PROOF, MAX_SET};
use crate::{
    chain::set::GuardianSet,
    codec::{self, DecodeError},
};
use alloc::vec::Vec;
use borsh::{BorshDeserialize, BorshSerialize};

/// Longest kept trust, in bytes.
pub const MAX_KEPT: usize = 64 + MAX_CHECKPOINT + MAX_SET;

/// The trusted checkpoint with the set that signed it. Verified again at every start (A10.10).
///
/// Deviation: that this set follows from the anchor was checked when the checkpoint was accepted and is not proven
/// again, as the anchor's keys may have nothing to lose by then (A7.1). Another anchor voids what was kept.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Kept {
    /// From where trust came.
    pub anchor: Anchor,
    /// What is trusted.
    pub checkpoint: Checkpoint,
    /// Who signed it.
    pub guardians: GuardianSet,
}

impl Kept {
    /// Returns the bytes to store.
    pub fn to_bytes(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// Reads what was stored.
    ///
    /// # Errors
    /// [`DecodeError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        codec::decode(bytes, MAX_KEPT)
    }
}

/// Longest kept proof of a fork, in bytes.
pub const MAX_KEPT_FORK: usize = 64 + MAX_FORK_PROOF;

/// The proof that stopped a client that trusted this anchor. Another anchor, which is how people recover, voids it.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct KeptFork {
    /// From where trust came.
    pub anchor: Anchor,
    /// What stopped it.
    pub proof: ForkProof,
}

impl KeptFork {
    /// Returns the bytes to store.
    pub fn to_bytes(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// Reads what was stored.
    ///
    /// # Errors
    /// [`DecodeError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        codec::decode(bytes, MAX_KEPT_FORK)
    }
}
