//! What goes wrong, in a stable code, a sentence, and whether the same may work later. The sentences are core's.

use antiphon_core::{
    client::CommandError,
    code::{help, is_retryable},
    wallet::book::BookError,
};
use antiphon_host::clerk::ClerkError;
use std::fmt;

use crate::text::Amount;

/// What went wrong. `code()` is for programs, `text()` for people.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, uniffi::Error)]
#[uniffi::export(Debug, Display)]
#[non_exhaustive]
pub enum AntiphonError {
    /// What was given cannot be read.
    Invalid {
        /// Which part of it.
        field: String,
    },
    /// The client refuses, and has done nothing.
    Refused {
        /// A stable code.
        why: String,
    },
    /// The proven balance does not cover it with its fee.
    Insufficient {
        /// What is needed, with the fee.
        needed: Amount,
        /// What is there.
        balance: Amount,
    },
    /// The client sleeps, is closed, crashed, or lost its disk.
    Unavailable {
        /// A stable code.
        why: String,
    },
    /// Code of the application failed where the client called it. Its text is not repeated: it may hold secrets.
    Foreign,
}

impl AntiphonError {
    pub(crate) fn invalid(field: &str) -> Self {
        Self::Invalid { field: field.to_owned() }
    }

    pub(crate) fn refused(code: &str) -> Self {
        Self::Refused { why: code.to_owned() }
    }

    pub(crate) fn unavailable(code: &str) -> Self {
        Self::Unavailable { why: code.to_owned() }
    }
}

#[uniffi::export]
impl AntiphonError {
    /// Returns the stable code, such as `wallet/insufficient`.
    pub fn code(&self) -> String {
        match self {
            Self::Invalid { .. } => String::from("options/invalid"),
            Self::Refused { why } | Self::Unavailable { why } => why.clone(),
            Self::Insufficient { .. } => String::from("wallet/insufficient"),
            Self::Foreign => String::from("secret/failed"),
        }
    }

    /// Returns what to do about it, in one sentence.
    pub fn text(&self) -> String {
        match self {
            Self::Invalid { field } => format!("{field} cannot be read."),
            Self::Refused { .. }
            | Self::Insufficient { .. }
            | Self::Unavailable { .. }
            | Self::Foreign => help(&self.code()).to_owned(),
        }
    }

    /// Returns whether the same call may succeed later without a change by the caller.
    pub fn is_retryable(&self) -> bool {
        is_retryable(&self.code())
    }
}

impl fmt::Display for AntiphonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code(), self.text())
    }
}

impl From<CommandError> for AntiphonError {
    fn from(error: CommandError) -> Self {
        if let CommandError::Book(BookError::Insufficient { needed, balance }) = error {
            return Self::Insufficient { needed: needed.into(), balance: balance.into() };
        }
        Self::refused(error.code())
    }
}

impl From<ClerkError> for AntiphonError {
    fn from(error: ClerkError) -> Self {
        let code = error.code();
        if let ClerkError::Book(error) = error {
            return CommandError::Book(error).into();
        }
        let is_late = matches!(error, ClerkError::Late { .. });
        if is_late { Self::unavailable(code) } else { Self::refused(code) }
    }
}

impl From<uniffi::UnexpectedUniFFICallbackError> for AntiphonError {
    fn from(_: uniffi::UnexpectedUniFFICallbackError) -> Self {
        Self::Foreign
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_its_code_what_to_do_and_whether_to_try_again() {
        let stale = AntiphonError::from(CommandError::Stale);
        assert_eq!(stale.code(), "client/stale");
        assert!(stale.is_retryable());
        assert_eq!(
            stale.to_string(),
            "client/stale: What is known of the chain is too old to spend on; wait for a newer block."
        );
        let poor = BookError::Insufficient {
            needed: antiphon_core::amount::Amount::from_units(2),
            balance: antiphon_core::amount::Amount::from_units(1),
        };
        let poor = AntiphonError::from(CommandError::Book(poor));
        assert!(matches!(poor, AntiphonError::Insufficient { .. }) && !poor.is_retryable());
        assert_eq!(
            AntiphonError::invalid("chain").to_string(),
            "options/invalid: chain cannot be read."
        );
    }
}
