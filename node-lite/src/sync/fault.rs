//! What a neighbour did, and why a node cannot sync.

use super::range::RangeError;
use crate::storage::StorageError;
use antiphon_core::chain::light::LightError;

/// What a neighbour did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// It did not answer in time. No proof of malice.
    #[error("it did not answer")]
    Stalled,
    /// It answered another question.
    #[error("it answered what was not asked")]
    Unasked,
    /// Its range is not the one that was asked for.
    #[error(transparent)]
    Range(#[from] RangeError),
    /// It split a range that would have fitted, which makes work for others.
    #[error("it split a range that fits")]
    Wasteful,
    /// Its light file proves less than it must.
    #[error(transparent)]
    File(#[from] LightError),
    /// Its set does not hash to its name, or its headers are not the ancestors.
    #[error("its set or headers are not those that were asked for")]
    WrongContent,
}

impl Fault {
    /// Returns whether no honest node does it. Of a light file only what contradicts its own name is held against who
    /// brought it: a tip may lie about files that others bring, and what was asked for may be old news by now.
    #[must_use]
    pub const fn is_foul(&self) -> bool {
        match self {
            Self::Stalled => false,
            Self::File(error) => matches!(
                error,
                LightError::Decode(_) | LightError::WrongContent | LightError::WrongChain
            ),
            Self::Unasked | Self::Range(_) | Self::Wasteful | Self::WrongContent => true,
        }
    }

    /// Returns the stable code of this fault.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Stalled => "sync/stalled",
            Self::Unasked => "sync/unasked",
            Self::Range(error) => error.code(),
            Self::Wasteful => "sync/wasteful",
            Self::File(error) => error.code(),
            Self::WrongContent => "sync/wrong-content",
        }
    }
}

/// Why a node cannot sync its state.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SyncError {
    /// What is trusted is older than the trusting period (A7.1).
    #[error(
        "what this node trusts is older than the chain's trusting period; name a final checkpoint of these days with --trust"
    )]
    TrustExpired,
    /// What is on the disk is not what was written there.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl SyncError {
    /// Returns the stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TrustExpired => "sync/trust-expired",
            Self::Storage(error) => error.code(),
        }
    }
}
