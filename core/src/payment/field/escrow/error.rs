//! Why the chain does not do what is asked of a field.

use crate::{
    id::Height,
    payment::field::{SealError, TermsError},
};

/// Why the chain does not do what is asked of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FieldError {
    /// The terms, or the members of the next version, break the rules.
    #[error(transparent)]
    Terms(#[from] TermsError),
    /// Not everybody who must has signed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// What was signed was to be applied earlier.
    #[error("height {height} is after {until}, the last block that was agreed on")]
    Expired {
        /// Now.
        height: Height,
        /// The last block.
        until: Height,
    },
    /// The field is closed.
    #[error("the field is closed")]
    Closed,
    /// The field is being closed already.
    #[error("the field is being closed already")]
    Closing,
    /// Only a member may do this.
    #[error("only a member may do this")]
    NotMember,
    /// The state is of another field.
    #[error("the state is of another field")]
    WrongField,
    /// The state is of another version.
    #[error("the state is of version {found}, the field has version {expected}")]
    WrongVersion {
        /// The state's.
        found: u32,
        /// The field's.
        expected: u32,
    },
    /// The round was asked for and not answered in time.
    #[error("round {round} is annulled, as are all from {from} on")]
    Annulled {
        /// The state's.
        round: u32,
        /// The first that is annulled.
        from: u32,
    },
    /// The chain knows a state that is as high.
    #[error("round {round} is not above {best}, which the chain knows")]
    NotHigher {
        /// The state's.
        round: u32,
        /// The chain's.
        best: u32,
    },
    /// The balances are too many or too few, or sum to something else than what is locked.
    #[error("the balances are not those of all members, or not what is locked")]
    WrongSum,
    /// The state is not final where it must be, or is where it must not be.
    #[error("the state is final where none is wanted, or not where one is")]
    Finality,
    /// The deadline has passed.
    #[error("height {height} is after the deadline {deadline}")]
    TooLate {
        /// Now.
        height: Height,
        /// The last block.
        deadline: Height,
    },
    /// Nobody asked for this state.
    #[error("nobody asked for this state")]
    NotAsked,
    /// A challenge is open already.
    #[error("a challenge is open already")]
    Challenged,
    /// Nothing is due yet.
    #[error("nothing is due at height {height}")]
    NotDue {
        /// Now.
        height: Height,
    },
    /// Versions have run out, a sum does not fit, or the members are more than any field has.
    #[error("a number is out of range")]
    OutOfRange,
}

impl FieldError {
    /// Returns the stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Terms(error) => error.code(),
            Self::Seal(error) => error.code(),
            Self::Expired { .. } => "field/expired",
            Self::Closed => "field/closed",
            Self::Closing => "field/closing",
            Self::NotMember => "field/not-member",
            Self::WrongField => "field/wrong-field",
            Self::WrongVersion { .. } => "field/wrong-version",
            Self::Annulled { .. } => "field/annulled",
            Self::NotHigher { .. } => "field/not-higher",
            Self::WrongSum => "field/wrong-sum",
            Self::Finality => "field/finality",
            Self::TooLate { .. } => "field/too-late",
            Self::NotAsked => "field/not-asked",
            Self::Challenged => "field/challenged",
            Self::NotDue { .. } => "field/not-due",
            Self::OutOfRange => "field/out-of-range",
        }
    }
}
