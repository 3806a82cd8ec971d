//! Asking for chunks and answering.

use super::Voucher;
use crate::{
    codec::Bounded,
    delivery::chunk::{CHUNK, ChunkId},
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

/// Why a chunk is not served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Refusal {
    /// The peer does not have it (any more).
    NotHere,
    /// Too many requests wait already, or this one waited too long.
    Busy,
    /// Chunks served and not paid for have reached the credit.
    NoCredit,
    /// The listener does not serve.
    Off,
    /// The listener has given what it agreed to give.
    Spent,
}

impl Refusal {
    /// Returns the stable code of this reason.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotHere => "refusal/not-here",
            Self::Busy => "refusal/busy",
            Self::NoCredit => "refusal/no-credit",
            Self::Off => "refusal/off",
            Self::Spent => "refusal/spent",
        }
    }
}
