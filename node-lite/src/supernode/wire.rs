//! What one supernode sends another: one encoding for every machine's messages. Bounded by [`MAX_MESSAGE`].

use crate::{
    bft::{
        self,
        message::{MAX_MESSAGE, TxBytes},
    },
    guardian,
};
use antiphon_core::{
    codec::{self, DecodeError},
    id::{BlockId, Height},
};
use borsh::{BorshDeserialize, BorshSerialize};

/// Most blocks in the answer to one request. Chosen here: a few round trips close any usual gap.
pub const MAX_ANSWER: usize = 32;

/// A message between nodes.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Wire {
    /// Settlement.
    Bft(bft::message::Message),
    /// Finality.
    Guardian(guardian::Message),
    /// A transaction that waits for a block.
    Transaction(TxBytes),
    /// A request for a block and what lies between it and the asker's settled head.
    Ask(Ask),
}

/// A request for blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Ask {
    /// The block that was heard of.
    pub block: BlockId,
    /// The asker's settled height.
    pub above: Height,
}

impl Wire {
    /// Reads a message.
    ///
    /// # Errors
    /// [`DecodeError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        codec::decode(bytes, MAX_MESSAGE)
    }
}
