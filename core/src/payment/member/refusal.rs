//! Why a member's machine refuses what its application asks.

use crate::payment::field::{FieldFileError, TermsError};

/// Why a field's rows are never signed for again. Its money comes back when the field is closed, by anyone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Freeze {
    /// Its rows were written by another device: a restored backup or a clone.
    #[error("the field's rows are another device's")]
    OtherDevice,
    /// A row cannot be read, or one is missing.
    #[error("the field's rows are damaged")]
    Damaged,
    /// The others hold a later state with our signature: the rows are old.
    #[error("the field's rows are older than what was signed")]
    RolledBack,
}

impl Freeze {
    /// Returns the stable code of this cause.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::OtherDevice => "member/frozen-other-device",
            Self::Damaged => "member/frozen-damaged",
            Self::RolledBack => "member/frozen-rolled-back",
        }
    }
}

/// Why terms are not proposed or accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JoinError {
    /// Terms that the chain would refuse.
    #[error("the chain would refuse the terms: {0}")]
    Terms(TermsError),
    /// This key is not the one that must propose: the member with the highest deposit (A6.8).
    #[error("another member leads")]
    NotLeader,
    /// The field is known already.
    #[error("the field exists")]
    Exists,
    /// Nobody invited to this field.
    #[error("no invitation to this field")]
    NotInvited,
    /// Too many fields are open.
    #[error("too many fields")]
    TooManyFields,
    /// A round is being closed, or was since the amendment was proposed, or the field is frozen.
    #[error("the amendment cannot be signed now")]
    NotNow,
}

impl JoinError {
    /// Returns the stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Terms(error) => error.code(),
            Self::NotLeader => "member/not-leader",
            Self::Exists => "member/field-exists",
            Self::NotInvited => "member/not-invited",
            Self::TooManyFields => "member/too-many-fields",
            Self::NotNow => "member/not-now",
        }
    }
}

/// Why no next version is proposed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AmendError {
    /// No such field.
    #[error("no such field")]
    NoField,
    /// The field is never signed for.
    #[error("the field is frozen: {0}")]
    Frozen(Freeze),
    /// Only the leader proposes it.
    #[error("only the leader proposes a version")]
    NotLeader,
    /// Payments are in the running round, or an amendment is on its way, or the field is not open.
    #[error("not at the boundary of a round")]
    NotNow,
    /// More than a field can have.
    #[error("too many members")]
    TooManyMembers,
    /// Members that the chain would refuse.
    #[error("the chain would refuse the members: {0}")]
    Terms(TermsError),
}

impl AmendError {
    /// Returns the stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoField => "member/no-such-field",
            Self::Frozen(freeze) => freeze.code(),
            Self::NotLeader => "member/not-leader",
            Self::NotNow => "member/not-now",
            Self::TooManyMembers => "member/too-many-members",
            Self::Terms(error) => error.code(),
        }
    }
}

/// Why nothing is paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PayError {
    /// No such field.
    #[error("no such field")]
    NoField,
    /// The field is never signed for.
    #[error("the field is frozen: {0}")]
    Frozen(Freeze),
    /// The chain has not shown the field yet, or not far enough for the money in it.
    #[error("the field is not proven yet")]
    NotProven,
    /// The field is closing, halted or closed.
    #[error("the field takes no more payments")]
    NotOpen,
    /// The payee is not a member, or is the payer.
    #[error("the payee is no other member")]
    NoPayee,
    /// The amount is zero.
    #[error("the amount is zero")]
    NothingToPay,
    /// Only committed money can be spent, and what is on its way is spent.
    #[error("the balance does not cover it")]
    TooLittle,
    /// As much is on its way as the policy allows.
    #[error("too much is on its way")]
    TooMuchInFlight,
}

impl PayError {
    /// Returns the stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoField => "member/no-such-field",
            Self::Frozen(freeze) => freeze.code(),
            Self::NotProven => "member/not-proven",
            Self::NotOpen => "member/not-open",
            Self::NoPayee => "member/no-payee",
            Self::NothingToPay => "member/nothing-to-pay",
            Self::TooLittle => "member/too-little",
            Self::TooMuchInFlight => "member/too-much-in-flight",
        }
    }
}

/// Why a round or a field is not closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CloseError {
    /// No such field.
    #[error("no such field")]
    NoField,
    /// The field is never signed for.
    #[error("the field is frozen: {0}")]
    Frozen(Freeze),
    /// Only the leader closes a round.
    #[error("only the leader closes a round")]
    NotLeader,
    /// The field is not open.
    #[error("the field is not open")]
    NotOpen,
    /// There is nothing to close, or a round is being closed.
    #[error("there is nothing to close now")]
    Nothing,
}

impl CloseError {
    /// Returns the stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoField => "member/no-such-field",
            Self::Frozen(freeze) => freeze.code(),
            Self::NotLeader => "member/not-leader",
            Self::NotOpen => "member/not-open",
            Self::Nothing => "member/nothing-to-close",
        }
    }
}

/// Why a payment is not proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProveError {
    /// No such field.
    #[error("no such field")]
    NoField,
    /// The chain has not shown the field closed: no header commits its payments yet.
    #[error("the field is not proven closed yet")]
    NotClosed,
    /// There is no such payment, it was not enforced, or this member joined after it.
    #[error("no such payment was enforced, as far as is known here")]
    NoPayment,
    /// The node does not tell of the field among those that the block closed.
    #[error("the node does not tell that the block closed the field")]
    NotTold,
    /// What was made proves nothing: the node told something else than the header commits, or members have changed.
    #[error(transparent)]
    File(FieldFileError),
}

impl ProveError {
    /// Returns the stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoField => "member/no-such-field",
            Self::NotClosed => "member/not-closed",
            Self::NoPayment => "member/no-such-payment",
            Self::NotTold => "member/close-not-told",
            Self::File(error) => error.code(),
        }
    }
}
