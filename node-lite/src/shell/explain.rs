//! `antiphon explain`: what a stable code means; and which code ended the process.

use super::{chain_file::SpecError, config::ConfigError, keys::KeyError};
use crate::{
    evidence::CheckError,
    publisher::{
        RenditionError, SegmentError, fragment::FragmentError, intake::IntakeError,
        keyring::KeyringError, repeat::RepeatError,
    },
    storage::StorageError,
    sync::{SnapshotError, SyncError},
};
use antiphon_core::{
    code::{self, Code, Retry},
    wallet::{address::AddressError, mnemonic::MnemonicError, safety::SafetyError},
};
use antiphon_host::clerk::ClerkError;
use anyhow::bail;
use clap::Args;
use std::{error::Error, fmt::Write as _, io::Write as _};

/// Which code.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// The code, such as `pool/closed`; `pool` alone lists all that begin so.
    pub code: String,
}

/// Prints what a code means, or the codes of a family.
///
/// # Errors
/// A code that this version does not know.
pub fn run(options: &Options) -> anyhow::Result<()> {
    let wanted = options.code.as_str();
    let mut text = String::new();
    if let Some(code) = code::find(wanted) {
        describe(code, &mut text)?;
    } else {
        let family = wanted.split('/').next().unwrap_or_default();
        for Code { name, what, .. } in code::all() {
            if name.split('/').next() == Some(family) {
                writeln!(text, "{name:<32} {what}")?;
            }
        }
        if text.is_empty() || wanted.contains('/') {
            bail!(
                "this version knows no code {wanted:?}; `antiphon explain {family}` lists those like it"
            );
        }
    }
    // Whoever reads it may have gone.
    let _ = std::io::stdout().write_all(text.as_bytes());
    Ok(())
}

fn describe(Code { name, retry, what, help }: &Code, text: &mut String) -> std::fmt::Result {
    let again = match retry {
        Retry::Later => "yes, the same call may succeed later",
        Retry::Never => "no, not before something else has changed",
    };
    writeln!(text, "{name}\n\n{what}\n\nWhat to do: {help}\nTry again:  {again}")
}

/// Returns the stable code of what ended the process, if it has one.
pub fn code(error: &anyhow::Error) -> Option<&'static str> {
    error.chain().find_map(code_of)
}

fn code_of(error: &(dyn Error + 'static)) -> Option<&'static str> {
    let configured = error.downcast_ref().map(ConfigError::code);
    let started = configured
        .or_else(|| error.downcast_ref().map(SpecError::code))
        .or_else(|| error.downcast_ref().map(KeyError::code))
        .or_else(|| error.downcast_ref().map(StorageError::code));
    let synced = started
        .or_else(|| error.downcast_ref().map(SnapshotError::code))
        .or_else(|| error.downcast_ref().map(SyncError::code))
        .or_else(|| error.downcast_ref().map(CheckError::code));
    synced
        .or_else(|| error.downcast_ref().map(FragmentError::code))
        .or_else(|| error.downcast_ref().map(IntakeError::code))
        .or_else(|| error.downcast_ref().map(KeyringError::code))
        .or_else(|| error.downcast_ref().map(RenditionError::code))
        .or_else(|| error.downcast_ref().map(RepeatError::code))
        .or_else(|| error.downcast_ref().map(SafetyError::code))
        .or_else(|| error.downcast_ref().map(AddressError::code))
        .or_else(|| error.downcast_ref().map(MnemonicError::code))
        .or_else(|| error.downcast_ref().map(ClerkError::code))
        .or_else(|| error.downcast_ref().map(SegmentError::code))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explain(code: &str) -> anyhow::Result<()> {
        run(&Options { code: code.into() })
    }

    #[test]
    fn a_code_or_a_family_is_explained_and_another_is_not() {
        assert!(explain("pool/closed").is_ok() && explain("pool").is_ok());
        for code in ["pool/no-such", "no-such", "", "/"] {
            assert!(explain(code).is_err(), "{code}");
        }
    }

    #[test]
    fn the_code_of_an_error_is_found_below_what_was_said_of_it() {
        let error = anyhow::Error::from(ConfigError::OutOfRange {
            name: "peers",
            value: 0,
            least: 1,
            most: 2,
        });
        assert_eq!(code(&error.context("--config")), Some("config/out-of-range"));
        assert_eq!(code(&anyhow::anyhow!("something else")), None);
    }
}
