//! How an empty data folder begins.

use antiphon_core::{crypto::Hash, id::BlockId};
use std::{fmt, str::FromStr};

/// How an empty data folder begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Beginning {
    /// At genesis; every block is executed.
    #[default]
    Blocks,
    /// At the newest final checkpoint, whose state is fetched.
    State,
}

/// A text that names no way to begin, or no block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {0}")]
pub struct TextError(&'static str);

impl FromStr for Beginning {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Self, TextError> {
        match text {
            "blocks" => Ok(Self::Blocks),
            "state" => Ok(Self::State),
            _ => Err(TextError("\"blocks\" or \"state\"")),
        }
    }
}

impl fmt::Display for Beginning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Blocks => "blocks",
            Self::State => "state",
        })
    }
}

/// A block's id as text: 64 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockName(pub BlockId);

impl FromStr for BlockName {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Self, TextError> {
        let hash = Hash::from_hex(text).ok_or(TextError("64 hexadecimal digits"))?;
        Ok(Self(BlockId(hash)))
    }
}

impl fmt::Display for BlockName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.0.fmt(f)
    }
}
