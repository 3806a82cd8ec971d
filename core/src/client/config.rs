//! What a client is told at the start, and why a command is refused.

use super::UploadPolicy;
use crate::{
    chain::light::Anchor,
    crypto::{PublicKey, SecretKey},
    id::ChainId,
    payment::payer::AdoptError,
    wallet::book::BookError,
};
use alloc::string::String;

/// What a client is told at the start.
#[derive(Clone, Debug)]
pub struct Config {
    /// The key that owns the account, signs vouchers and names the peer.
    pub key: SecretKey,
    /// The chain, pinned by the application.
    pub chain: ChainId,
    /// Where trust starts on it.
    pub anchor: Anchor,
    /// Base URL of a node's light files; `https://node.example`.
    pub node: String,
    /// Whose streams to accept; anyone's if `None`, and the application is told so.
    pub publisher: Option<PublicKey>,
    /// URL of the tracker; the stream's own if `None`.
    pub tracker: Option<String>,
    /// Most bytes of verified chunks to keep.
    pub cache_limit: usize,
    /// What the listener agrees to give away.
    pub upload: UploadPolicy,
}

/// Why a command is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CommandError {
    /// The chain is not known well enough yet.
    #[error("the chain is not known yet; wait for a settled block")]
    NotReady,
    /// No stream plays.
    #[error("no stream plays")]
    NoStream,
    /// The sum exceeds what an amount can hold.
    #[error("amount out of range")]
    OutOfRange,
    /// No voucher is worth a settlement.
    #[error("no voucher waits to be settled")]
    NothingToSettle,
    /// No pool is past its freeze.
    #[error("no pool can be released yet")]
    NothingToRelease,
    /// The account does not allow it.
    #[error(transparent)]
    Book(BookError),
    /// The pool cannot be opened.
    #[error(transparent)]
    Open(AdoptError),
}

impl CommandError {
    /// Returns the stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotReady => "client/not-ready",
            Self::NoStream => "client/no-stream",
            Self::OutOfRange => "client/out-of-range",
            Self::NothingToSettle => "client/nothing-to-settle",
            Self::NothingToRelease => "client/nothing-to-release",
            Self::Book(error) => error.code(),
            Self::Open(error) => error.code(),
        }
    }
}
