//! What another member did wrong.

use crate::{
    codec::DecodeError,
    payment::field::{SealError, TermsError},
};

/// Why a message of a member is refused. Nothing changes then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// Not a message.
    #[error("not a message: {0}")]
    Malformed(DecodeError),
    /// It costs more than it brings.
    #[error("too many messages that say nothing new")]
    TooMuch,
    /// The field is not known here.
    #[error("no such field")]
    NoSuchField,
    /// The sender is not a member of the field.
    #[error("not a member")]
    NotMember,
    /// Only the leader may say this.
    #[error("only the leader says this")]
    NotLeader,
    /// Only the leader is told this.
    #[error("only the leader is told this")]
    NotToUs,
    /// Too many invitations wait for an answer.
    #[error("too many invitations")]
    TooManyInvitations,
    /// No block can carry out what it invites to any more.
    #[error("the invitation has expired")]
    Expired,
    /// Terms that the chain would refuse, or that do not name us.
    #[error("terms that the chain would refuse: {0}")]
    Terms(TermsError),
    /// The terms name others, not us.
    #[error("the terms do not name this member")]
    NotInvited,
    /// Other terms of the same field were signed here.
    #[error("other terms of this field are known")]
    OtherTerms,
    /// A signature does not verify.
    #[error("a signature does not verify")]
    BadSignature,
    /// Not all signatures of a state verify.
    #[error("a state is not signed by all: {0}")]
    NotSealed(SealError),
    /// A place that is no member's.
    #[error("no member at this place")]
    NoSuchMember,
    /// Payer and payee are one, or the amount is zero.
    #[error("nothing is paid")]
    NothingPaid,
    /// The payer does not have so much.
    #[error("the payer does not have so much")]
    Overdrawn,
    /// The round has as many payments as it may have.
    #[error("the round is full")]
    RoundFull,
    /// Payments before this one are missing.
    #[error("the sequence is not consecutive")]
    Gap,
    /// Another payment with this sequence was signed, or another one stands at this place.
    #[error("two payments in one place")]
    Conflict,
    /// The leader signed two states of one round (ADVERSARIAL case 23).
    #[error("two states of one round")]
    TwoStates,
    /// The state does not follow from the one before and the payments (A6.10).
    #[error("the state does not follow from the payments")]
    WrongState,
    /// A payment for which the leader gave a receipt is missing (A6.10).
    #[error("a payment with a receipt is missing")]
    MissingReceipt,
}

impl Fault {
    /// Returns the stable code of this fault.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed(error) => error.code(),
            Self::TooMuch => "member/too-much",
            Self::NoSuchField => "member/no-such-field",
            Self::NotMember => "member/not-member",
            Self::NotLeader => "member/not-leader",
            Self::NotToUs => "member/not-to-us",
            Self::TooManyInvitations => "member/too-many-invitations",
            Self::Expired => "member/expired",
            Self::Terms(error) => error.code(),
            Self::NotInvited => "member/not-invited",
            Self::OtherTerms => "member/other-terms",
            Self::BadSignature => "member/bad-signature",
            Self::NotSealed(error) => error.code(),
            Self::NoSuchMember => "member/no-such-member",
            Self::NothingPaid => "member/nothing-paid",
            Self::Overdrawn => "member/overdrawn",
            Self::RoundFull => "member/round-full",
            Self::Gap => "member/sequence-gap",
            Self::Conflict => "member/conflict",
            Self::TwoStates => "member/two-states",
            Self::WrongState => "member/wrong-state",
            Self::MissingReceipt => "member/missing-receipt",
        }
    }
}
