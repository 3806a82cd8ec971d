//! Why a light file was refused.

use super::fork::ForkError;
use crate::{chain::certificate::CertificateError, codec::DecodeError};

/// Why a light file was refused. The client's state is as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LightError {
    /// The file is not an encoding of what its name says.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// The certificate does not vouch for its block.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// The spec does not hash to the chain id.
    #[error("the spec is of another chain")]
    WrongSpec,
    /// The file's content does not hash to its name.
    #[error("the content does not hash to its name")]
    WrongContent,
    /// A header of another chain.
    #[error("the header is of another chain")]
    WrongChain,
    /// The certificate names another block than the file.
    #[error("the certificate is of another block")]
    WrongBlock,
    /// Not a multiple of the checkpoint interval.
    #[error("not a checkpoint height")]
    NotCheckpoint,
    /// Not above what is trusted already, in height or time.
    #[error("not above the trusted checkpoint")]
    NotAhead,
    /// Dated beyond the allowed drift.
    #[error("dated in the future")]
    FromFuture,
    /// The trusted checkpoint is older than the trusting period (A7.1).
    #[error("the trusted checkpoint is older than the trusting period; pin a newer one")]
    TrustExpired,
    /// Finalised by another set than the trusted checkpoint announced (A7.2).
    #[error("the guardian set is not the one announced")]
    UnknownGuardians,
    /// Signers that are in the trusted set, too, weigh a third of it or less (A7.3).
    #[error("signers of the trusted set weigh {weight} of {total}, more than a third is needed")]
    NotEnoughTrust {
        /// What they weigh by the trusted weights.
        weight: u64,
        /// What the trusted set weighs.
        total: u64,
    },
    /// A change file whose checkpoint keeps its guardians.
    #[error("the guardians do not change at this checkpoint")]
    NoChange,
    /// A witness holds a valid certificate for another block: the chain has split (A7.5).
    #[error("two final checkpoints of one height: the chain has split")]
    Split,
    /// A witness's checkpoint differs from ours and is not validly certified.
    #[error("a witness shows another checkpoint: {0}")]
    Witness(ForkError),
    /// Headers do not link, or their heights, epochs or times do not rise.
    #[error("the headers do not link")]
    BrokenChain,
    /// Another block is settled at a height where one was settled before.
    #[error("two settled blocks conflict")]
    Conflict,
}

impl LightError {
    /// Returns the stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Decode(error) => error.code(),
            Self::Certificate(error) => error.code(),
            Self::WrongSpec => "light/wrong-spec",
            Self::WrongContent => "light/wrong-content",
            Self::WrongChain => "light/wrong-chain",
            Self::WrongBlock => "light/wrong-block",
            Self::NotCheckpoint => "light/not-checkpoint",
            Self::NotAhead => "light/not-ahead",
            Self::FromFuture => "light/from-future",
            Self::TrustExpired => "light/trust-expired",
            Self::UnknownGuardians => "light/unknown-guardians",
            Self::NotEnoughTrust { .. } => "light/not-enough-trust",
            Self::NoChange => "light/no-change",
            Self::Witness(_) => "light/bad-witness",
            Self::Split => "light/split",
            Self::BrokenChain => "light/broken-chain",
            Self::Conflict => "light/conflict",
        }
    }
}
