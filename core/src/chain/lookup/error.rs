//! Why a look-up has no answer.

use crate::{
    chain::{certificate::CertificateError, light::LightError, proof::StateProofError},
    codec::DecodeError,
};

/// Why a look-up has no answer. Nothing that came with it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LookupError {
    /// A file is not what its name says, or does not hang together.
    #[error(transparent)]
    Light(#[from] LightError),
    /// A proof of state shows nothing.
    #[error(transparent)]
    Proof(#[from] StateProofError),
    /// The chain is not known yet.
    #[error("the chain is not known yet; wait for a head")]
    NotReady,
    /// The chain has split; nothing of it is believed.
    #[error("the chain has split; nothing of it is believed")]
    Split,
    /// Too many look-ups are under way.
    #[error("too many look-ups are under way")]
    Busy,
    /// There is no block of this height yet.
    #[error("there is no block of this height yet")]
    Ahead,
    /// The node has no such file: it never was, or the node has let it go.
    #[error("the node does not have a file that is needed for the proof")]
    Missing,
    /// The node did not answer, or has this state no more.
    #[error("the node did not answer, or no longer has this state")]
    Unreachable,
    /// Too many steps lie between what is trusted and what is asked.
    #[error("too many steps lie between a trusted checkpoint and this")]
    TooFar,
    /// The transactions are not those of the block.
    #[error("the transactions are not those that the header commits")]
    WrongBody,
    /// Not a multiple of the checkpoint interval.
    #[error("not the height of a checkpoint")]
    NotCheckpoint,
    /// Nobody stakes on this chain.
    #[error("this chain has no staking")]
    NoStake,
}

impl LookupError {
    /// Returns the stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Light(error) => error.code(),
            Self::Proof(error) => error.code(),
            Self::NotReady => "lookup/not-ready",
            Self::Split => "light/split",
            Self::Busy => "lookup/busy",
            Self::Ahead => "lookup/ahead",
            Self::Missing => "lookup/missing",
            Self::Unreachable => "lookup/unreachable",
            Self::TooFar => "lookup/too-far",
            Self::WrongBody => "lookup/wrong-body",
            Self::NotCheckpoint => "lookup/not-checkpoint",
            Self::NoStake => "lookup/no-stake",
        }
    }

    /// Returns whether a source served something that proves less than it claims: more than a thing that is not there.
    pub const fn is_refusal(&self) -> bool {
        matches!(self, Self::Light(_) | Self::Proof(_) | Self::WrongBody)
    }
}

impl From<DecodeError> for LookupError {
    fn from(error: DecodeError) -> Self {
        Self::Light(LightError::Decode(error))
    }
}

impl From<CertificateError> for LookupError {
    fn from(error: CertificateError) -> Self {
        Self::Light(LightError::Certificate(error))
    }
}
