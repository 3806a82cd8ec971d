//! Why a payer refuses.

use crate::{
    amount::Amount,
    payment::{reservation::OpenError, tick::TickError},
};

/// Why a pool is never signed for again. Its money comes back by release after its end and freeze.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Freeze {
    /// Its rows were written by another device: a restored backup or a clone.
    #[error("the pool's rows are another device's")]
    OtherDevice,
    /// A row cannot be read, or the pool's own row is missing.
    #[error("the pool's rows are damaged")]
    Damaged,
    /// The chain paid more than the rows promise: they are old.
    #[error("the pool's rows are older than what the chain paid")]
    RolledBack,
    /// The chain knows this pool of ours, the storage does not.
    #[error("the storage does not know the pool")]
    Unknown,
    /// More was promised than the deposit holds: the collateral is gone and nothing comes back (A5.11).
    #[error("the pool is insolvent")]
    Insolvent,
}

impl Freeze {
    /// Returns the stable code of this cause.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::OtherDevice => "payer/frozen-other-device",
            Self::Damaged => "payer/frozen-damaged",
            Self::RolledBack => "payer/frozen-rolled-back",
            Self::Unknown => "payer/frozen-unknown",
            Self::Insolvent => "payer/frozen-insolvent",
        }
    }
}

/// Why a pool cannot be opened or adopted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AdoptError {
    /// The creator is another key.
    #[error("the pool is another key's")]
    NotOurs,
    /// The chain would refuse these terms.
    #[error("the chain would refuse the terms: {0}")]
    Terms(OpenError),
    /// The pool was opened before.
    #[error("the pool exists")]
    Exists,
    /// Too many pools are not released yet.
    #[error("too many pools are not released yet")]
    TooManyPools,
    /// A newer state was adopted before.
    #[error("a newer state is known")]
    Stale,
    /// The pool was released; it is forgotten now.
    #[error("the pool is closed")]
    Closed,
    /// The pool is known, but never signed for.
    #[error("the pool is frozen: {0}")]
    Frozen(Freeze),
}

impl AdoptError {
    /// Returns the stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotOurs => "payer/not-ours",
            Self::Terms(error) => error.code(),
            Self::Exists => "payer/pool-exists",
            Self::TooManyPools => "payer/too-many-pools",
            Self::Stale => "payer/stale-state",
            Self::Closed => "payer/pool-closed",
            Self::Frozen(freeze) => freeze.code(),
        }
    }
}

/// Why nothing is promised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PayError {
    /// No such pool.
    #[error("no such pool")]
    NoPool,
    /// The chain has not shown the pool yet.
    #[error("the pool is not proven yet")]
    NotProven,
    /// The pool is never signed for.
    #[error("the pool is frozen: {0}")]
    Frozen(Freeze),
    /// The target is the creator itself (A5.9).
    #[error("the target is the creator")]
    OwnPool,
    /// The price is zero.
    #[error("the price is zero")]
    NothingToPay,
    /// No payee could settle before the end.
    #[error("the pool ends too soon")]
    EndTooNear,
    /// The deposit does not cover this price beside what is promised.
    #[error("the deposit {deposit} is promised")]
    DepositExhausted {
        /// The whole deposit.
        deposit: Amount,
    },
    /// Too many targets in one pool.
    #[error("too many targets in one pool")]
    TooManyTargets,
    /// A chain of ticks needs a price and a length within its bound.
    #[error(transparent)]
    Ticks(TickError),
    /// The newest voucher has no ticks, or another is on its way.
    #[error("the newest voucher has no ticks, or another is on its way")]
    NoTicks,
    /// Every tick of the newest voucher is revealed: it is time for another voucher.
    #[error("every tick of the newest voucher is revealed")]
    TicksExhausted,
    /// The next tick is not stored as promised yet; it is a matter of one write.
    #[error("the next tick is not stored as promised yet")]
    NotReserved,
    /// Sequence or sum is at the end of its range.
    #[error("sequence or sum is at the end of its range")]
    SequenceExhausted,
}

impl PayError {
    /// Returns the stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoPool => "payer/no-pool",
            Self::NotProven => "payer/not-proven",
            Self::Frozen(freeze) => freeze.code(),
            Self::OwnPool => "payer/own-pool",
            Self::NothingToPay => "payer/nothing-to-pay",
            Self::EndTooNear => "payer/end-too-near",
            Self::DepositExhausted { .. } => "payer/deposit-exhausted",
            Self::TooManyTargets => "payer/too-many-targets",
            Self::Ticks(error) => error.code(),
            Self::NoTicks => "payer/no-ticks",
            Self::TicksExhausted => "payer/ticks-exhausted",
            Self::NotReserved => "payer/not-reserved",
            Self::SequenceExhausted => "payer/sequence-exhausted",
        }
    }
}
