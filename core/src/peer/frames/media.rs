//! Asking for chunks and answering.

use super::Voucher;
use crate::{
    codec::Bounded,
    delivery::{
        chunk::{CHUNK, ChunkId},
        serve::Refusal,
    },
};
use borsh::{BorshDeserialize, BorshSerialize};

/// Asks for one chunk.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Request {
    /// Which.
    pub id: ChunkId,
    /// The newest voucher, if there is a newer one than the last that was sent.
    pub voucher: Option<Voucher>,
}

/// Answers with the bytes. Unverified until the record says otherwise.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct ChunkBytes {
    /// Which.
    pub id: ChunkId,
    /// The bytes.
    pub bytes: Bounded<u8, CHUNK>,
}

/// Answers that no bytes will come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Refuse {
    /// Which.
    pub id: ChunkId,
    /// Why.
    pub reason: Refusal,
}
