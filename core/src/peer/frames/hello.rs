//! The first and the last words on a link.

use crate::{
    amount::Amount,
    chain::spec::Token,
    id::{Address, StreamId},
};
use borsh::{BorshDeserialize, BorshSerialize};

/// Bit of [`Hello::features`]: whoever sends it takes ticks as payment.
pub const TICKS: u32 = 1;

/// Opens a link. The peer's key is known already: it signed the description that made the link.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Hello {
    /// The stream that this link carries.
    pub stream: StreamId,
    /// Bits of what the sender can do beyond this version; unknown ones are ignored.
    pub features: u32,
    /// What the sender asks for its chunks; `None` if it serves for nothing.
    pub terms: Option<Terms>,
}

/// What a payee asks.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Terms {
    /// Whom vouchers name as target.
    pub payee: Address,
    /// Price of a chunk.
    pub price: Amount,
    /// The token of the price.
    pub token: Token,
}

/// Why a peer closes a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum ByeReason {
    /// The listener stopped.
    Leaving,
    /// The sender has better links.
    Crowded,
    /// The receiver broke the rules.
    Banned,
}
