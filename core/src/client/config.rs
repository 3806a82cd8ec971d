//! What a client is told at the start, and why a command is refused.

use super::UploadPolicy;
use crate::{
    chain::light::{self, Anchor, MAX_WITNESSES, Skipping},
    crypto::{PublicKey, SecretKey},
    id::ChainId,
    payment::{
        gift,
        member::{AmendError, CloseError, JoinError, PayError},
        payer::AdoptError,
    },
    wallet::book::BookError,
};
use alloc::{string::String, vec::Vec};

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
    /// Base URLs of other operators' light files, against which every checkpoint is compared (A7.5); at most
    /// [`MAX_WITNESSES`]. Without one, all that is proven is marked unwitnessed.
    pub witnesses: Vec<String>,
    /// Whether changes of guardians may be skipped (A7.3).
    pub skipping: Skipping,
    /// Whose streams to accept; anyone's if `None`, and the application is told so.
    pub publisher: Option<PublicKey>,
    /// URL of the tracker, or those of several with spaces between; the stream's own if `None`.
    pub tracker: Option<String>,
    /// Most bytes of verified chunks to keep.
    pub cache_limit: usize,
    /// Links to keep, at most [`MAX_LINKS`](crate::peer::swarm::MAX_LINKS).
    pub max_links: usize,
    /// What the listener agrees to give away.
    pub upload: UploadPolicy,
    /// Whether the host can ask a watch-tower: each newest sealed state of a payment field is told to it.
    pub has_tower: bool,
}

impl Config {
    /// Returns what the light client is told.
    pub(super) fn light(&self) -> light::Config {
        let witnesses = u8::try_from(self.witnesses.len()).unwrap_or(u8::MAX).min(MAX_WITNESSES);
        light::Config { chain: self.chain, anchor: self.anchor, skipping: self.skipping, witnesses }
    }
}

/// Why a command is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CommandError {
    /// The chain is not known well enough yet.
    #[error("the chain is not known yet; wait for a settled block")]
    NotReady,
    /// What is known of the chain is too old to spend on, or the chain cannot be followed any more (A7.6).
    #[error("what is known of the chain is too old; wait for a newer block")]
    Stale,
    /// No stream plays.
    #[error("no stream plays")]
    NoStream,
    /// A stream plays: its listeners are the room.
    #[error("a stream plays; its listeners are already met")]
    Playing,
    /// No tracker is configured.
    #[error("no tracker is configured")]
    NoTracker,
    /// The sum exceeds what an amount can hold.
    #[error("amount out of range")]
    OutOfRange,
    /// The gift would bring its payee no more than the settlement costs.
    #[error("the gift brings no more than its settlement costs")]
    GiftTooSmall,
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
    /// The gift cannot be followed.
    #[error(transparent)]
    Gift(gift::Refusal),
    /// The field cannot be proposed or joined.
    #[error(transparent)]
    Join(JoinError),
    /// A member of the field cannot be paid.
    #[error(transparent)]
    Pay(PayError),
    /// The members of the field cannot be changed.
    #[error(transparent)]
    Amend(AmendError),
    /// The field cannot be closed or forgotten.
    #[error(transparent)]
    Close(CloseError),
}

impl CommandError {
    /// Returns the stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotReady => "client/not-ready",
            Self::Stale => "client/stale",
            Self::NoStream => "client/no-stream",
            Self::Playing => "client/playing",
            Self::NoTracker => "client/no-tracker",
            Self::OutOfRange => "client/out-of-range",
            Self::GiftTooSmall => "client/gift-too-small",
            Self::NothingToSettle => "client/nothing-to-settle",
            Self::NothingToRelease => "client/nothing-to-release",
            Self::Book(error) => error.code(),
            Self::Open(error) => error.code(),
            Self::Gift(refusal) => refusal.code(),
            Self::Join(error) => error.code(),
            Self::Pay(error) => error.code(),
            Self::Amend(error) => error.code(),
            Self::Close(error) => error.code(),
        }
    }
}
