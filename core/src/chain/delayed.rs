//! Transfers that wait for a height and can be cancelled until then.
//!
//! ```text
//! Delay --> Waiting --height is due--> Paid
//!             '-----Cancel by sender or guard, at the latest in the block that is due--> Cancelled
//! ```
//!
//! The chain carries them out by itself at the end of the block that is due, after that block's transactions.
//!
//! Source: ALZA-17 (a house is paid for after 72 hours, a coffee at once). Deviation: a delay is counted in blocks (A0.8);
//! who is to be notified watches the chain for it.

use super::spec::Token;
use crate::{
    amount::Amount,
    codec::Bounded,
    id::{Address, DelayId, Height},
};
use borsh::{BorshDeserialize, BorshSerialize};

/// Longest delay, in blocks: thirty days of blocks of a second. Source: ALZA §3.1.3.
pub const MAX_DELAY: u64 = 30 * 24 * 3600;
/// Most transfers that are due at one height. Chosen here: what they cost a block is little; who finds no place takes the
/// next height.
pub const MAX_DUE: usize = 64;

/// The transfers that are due at one height.
pub type DuePage = Bounded<DelayId, MAX_DUE>;

/// What became of a delayed transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Progress {
    /// It waits; the chain holds the amount.
    Waiting,
    /// The receiver has it.
    Paid,
    /// The sender has it back.
    Cancelled,
}

/// A delayed transfer, as the state tree holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Delayed {
    /// Who sent it, and gets it back.
    pub owner: Address,
    /// To whom.
    pub to: Address,
    /// Which token.
    pub token: Token,
    /// How much.
    pub amount: Amount,
    /// The block that carries it out.
    pub due: Height,
    /// Who may cancel it beside its owner.
    pub guard: Option<Address>,
    /// What became of it.
    pub progress: Progress,
}

/// Why a transfer is not delayed, or not cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DelayError {
    /// Not between one block and the longest delay.
    #[error("a delay of {0} blocks, allowed are 1 to {MAX_DELAY}")]
    BadDelay(u64),
    /// As many as a height can have are due there.
    #[error("no more transfers can be due at height {0}; take the next")]
    HeightFull(Height),
    /// No such transfer.
    #[error("no such delayed transfer")]
    Unknown,
    /// It was paid or cancelled.
    #[error("the transfer waits no more")]
    Over,
    /// Neither its sender nor its guard.
    #[error("only the sender or the guard of a delayed transfer can cancel it")]
    NotYours,
}

impl DelayError {
    /// Returns the stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::BadDelay(_) => "delay/bad-delay",
            Self::HeightFull(_) => "delay/height-full",
            Self::Unknown => "delay/unknown",
            Self::Over => "delay/over",
            Self::NotYours => "delay/not-yours",
        }
    }
}

impl Delayed {
    /// Returns what the chain holds of it.
    pub const fn held(&self) -> Amount {
        match self.progress {
            Progress::Waiting => self.amount,
            Progress::Paid | Progress::Cancelled => Amount::ZERO,
        }
    }

    /// Takes it back.
    ///
    /// # Errors
    /// [`DelayError::Over`], [`DelayError::NotYours`].
    pub fn cancelled(self, by: &Address) -> Result<Self, DelayError> {
        if self.progress != Progress::Waiting {
            return Err(DelayError::Over);
        }
        if self.owner != *by && self.guard != Some(*by) {
            return Err(DelayError::NotYours);
        }
        Ok(Self { progress: Progress::Cancelled, ..self })
    }
}
