//! What an application may show of a gift.

use crate::{
    amount::Amount,
    id::{Address, Height, PoolId},
};
use alloc::string::String;

/// How far a gift is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Given, and not proven reserved yet.
    Asked,
    /// Received, and not proven reserved yet.
    Offered,
    /// Given and proven reserved; the payee has not said that it has it.
    Reserved,
    /// The payee holds a promise that can only be paid. The giver has the payee's word for that.
    Sure,
    /// Paid, by a settled block.
    Settled,
    /// Paid, by a final one.
    Final,
    /// Given, not taken until the end; comes back when the freeze is over. Received: too late, nothing was paid.
    Lapsed,
    /// It came back to the giver.
    Returned,
    /// Given, and proven never to have been reserved: nothing was locked.
    Void,
}

impl Stage {
    /// Returns the word by which an application knows it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Offered => "offered",
            Self::Reserved => "reserved",
            Self::Sure => "sure",
            Self::Settled => "settled",
            Self::Final => "final",
            Self::Lapsed => "lapsed",
            Self::Returned => "returned",
            Self::Void => "void",
        }
    }
}

/// A gift.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GiftView {
    /// The pool that holds it.
    pub pool: PoolId,
    /// Whether this key gives it; otherwise it receives it.
    pub is_given: bool,
    /// The other one.
    pub other: Address,
    /// What is given.
    pub amount: Amount,
    /// What for, as the giver says; empty until the pool is proven.
    pub purpose: String,
    /// How far it is.
    pub stage: Stage,
    /// Last block in which it can be taken; `None` until the pool is proven.
    pub end: Option<Height>,
    /// Why it was not reserved, in one stable code.
    pub refusal: Option<&'static str>,
}
