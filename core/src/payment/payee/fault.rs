//! Why a voucher is refused and why a peer is not served.

use crate::{amount::Amount, codec::DecodeError, payment::tick::TickError};

/// Why a voucher is refused, or its pool not served for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The peer never said which pool it pays from.
    #[error("the peer offered no pool")]
    NoPool,
    /// The peer is not served anything.
    #[error("the peer is not served anything")]
    NoTerms,
    /// Too many pools are followed.
    #[error("too many pools are followed")]
    TooManyPools,
    /// Not the bytes of a voucher.
    #[error("not a voucher: {0}")]
    Malformed(DecodeError),
    /// The pool was released.
    #[error("the pool is closed")]
    Closed,
    /// The pool's creator promised more than the deposit holds.
    #[error("the pool is insolvent")]
    Insolvent,
    /// The pool is for another stream.
    #[error("the pool pays for another stream")]
    WrongResource,
    /// The pool is our own.
    #[error("the pool's creator is its target")]
    OwnPool,
    /// The pool ends before we could settle safely.
    #[error("the pool ends too soon")]
    EndTooNear,
    /// The last proof is too old.
    #[error("the last proof of the pool is too old")]
    Stale,
    /// So much at risk needs a final proof.
    #[error("the pool is not proven final yet")]
    NotFinal,
    /// The sequence is not above the last, or is the last of all.
    #[error("the sequence is not above the last, or exhausted")]
    OldSequence,
    /// No voucher with ticks is held.
    #[error("no voucher with ticks is held")]
    NoTicks,
    /// The voucher that the tick is of is not durable yet; the tick is not lost.
    #[error("the tick came before its voucher was stored")]
    Early,
    /// The ticks of a voucher are none, or a preimage is none of them.
    #[error(transparent)]
    Tick(TickError),
    /// The sum is not a price above the last.
    #[error("the sum is not a price above the last")]
    TooLittle,
    /// The deposit does not cover it.
    #[error("the deposit does not cover the sum")]
    Overdrawn,
    /// More than we dare to be owed.
    #[error("the sum is beyond the exposure allowed")]
    TooExposed,
    /// What the pool promised before cannot be read any more, so an old voucher would pass for a new one.
    #[error("the pool is frozen: its row is damaged")]
    Damaged,
    /// The pool's creator did not sign it, for this chain, pool, stream and target.
    #[error("the pool's creator did not sign this")]
    BadSignature,
}

impl Fault {
    /// Returns the stable code of this fault.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoPool => "payee/no-pool",
            Self::NoTerms => "payee/no-terms",
            Self::TooManyPools => "payee/too-many-pools",
            Self::Malformed(error) => error.code(),
            Self::Closed => "payee/pool-closed",
            Self::Insolvent => "payee/pool-insolvent",
            Self::WrongResource => "payee/wrong-resource",
            Self::OwnPool => "payee/own-pool",
            Self::EndTooNear => "payee/end-too-near",
            Self::Stale => "payee/stale-proof",
            Self::NotFinal => "payee/not-final",
            Self::OldSequence => "payee/old-sequence",
            Self::NoTicks => "payee/no-ticks",
            Self::Early => "payee/early-tick",
            Self::Tick(error) => error.code(),
            Self::TooLittle => "payee/too-little",
            Self::Overdrawn => "payee/overdrawn",
            Self::TooExposed => "payee/too-exposed",
            Self::Damaged => "payee/frozen-damaged",
            Self::BadSignature => "payee/bad-signature",
        }
    }
}

/// Why a peer gets no chunk now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// Nobody said what the peer is served.
    #[error("nobody said what the peer is served")]
    NoTerms,
    /// Too many peers have an account.
    #[error("too many peers have an account")]
    TooManyPeers,
    /// The peer must pay first.
    #[error("{owed} is owed")]
    Unpaid {
        /// What it owes.
        owed: Amount,
    },
    /// The pool it pays from is not proven.
    #[error("the pool is not proven")]
    Unproven,
    /// The chain shows us nothing new.
    #[error("the chain stands still")]
    ChainStalled,
    /// The pool could not pay for one more.
    #[error("the pool could not pay for one more: {0}")]
    Pool(Fault),
}

impl ServeError {
    /// Returns the stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoTerms => "payee/no-terms",
            Self::TooManyPeers => "payee/too-many-peers",
            Self::Unpaid { .. } => "payee/unpaid",
            Self::Unproven => "payee/unproven",
            Self::ChainStalled => "payee/chain-stalled",
            Self::Pool(fault) => fault.code(),
        }
    }
}
