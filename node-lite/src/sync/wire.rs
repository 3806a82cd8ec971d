//! What a node that syncs its state asks its neighbours, and what they answer.
//!
//! Light files travel under the names that they have over HTTP ([`File::path`]), so a node needs no server of anybody.

use super::{
    branch::Prefix,
    range::{MAX_RANGE, MIN_RANGE, Range, read},
};
use crate::{
    bft::MAX_RECENT,
    light,
    storage::{Storage, StorageError},
};
use antiphon_core::{
    chain::{
        header::Header,
        light::{File, MAX_CHANGE},
        spec::{ChainSpec, MAX_SPEC},
    },
    codec::{self, Bounded},
    id::BlockId,
};
use borsh::{BorshDeserialize, BorshSerialize};

/// Longest name of a light file.
const MAX_NAME: usize = 96;
/// Longest light file, in bytes.
const MAX_FILE: usize = if MAX_SPEC > MAX_CHANGE { MAX_SPEC } else { MAX_CHANGE };
/// Most bytes of headers in one answer. Chosen here: as many as of rows.
const MAX_HEADERS: usize = MAX_RANGE as usize;

/// A question or an answer.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Message {
    /// A question, with a number that the answer repeats.
    Ask(u32, Ask),
    /// The answer to the question of this number.
    Answer(u32, Answer),
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Ask {
    /// A light file, by its path.
    File(Bounded<u8, MAX_NAME>),
    /// The headers below this block, the newest first.
    Ancestors(BlockId),
    /// A range of the state after a settled checkpoint.
    Range(RangeAsk),
}

/// A question for a range.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct RangeAsk {
    /// The block after which the state is meant.
    pub block: BlockId,
    /// The range.
    pub prefix: Prefix,
    /// The most bytes of rows.
    pub max: u32,
}

/// What is answered.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Answer {
    /// A light file.
    File(Bounded<u8, MAX_FILE>),
    /// Headers.
    Ancestors(Bounded<Header, MAX_RECENT>),
    /// A range.
    Range(Box<Range>),
    /// It is not here, or not any more.
    Missing,
}

impl Ask {
    /// Makes the question for a light file.
    pub fn file(file: &File) -> Self {
        Self::File(Bounded::try_from(file.path().into_bytes()).unwrap_or_default())
    }

    /// Answers from what is settled on a disk; `None` for the tip and for headers that are not settled, which the node tells.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn answer(
        &self,
        store: &impl Storage,
        spec: &ChainSpec,
    ) -> Result<Option<Answer>, StorageError> {
        Ok(match self {
            Self::File(path) => {
                let Some(file) = named(path) else { return Ok(Some(Answer::Missing)) };
                let found = light::find(store, spec, &file)?;
                found.and_then(|bytes| Bounded::try_from(bytes).ok()).map(Answer::File)
            }
            Self::Ancestors(block) => Some(Answer::Ancestors(ancestors(store, block)?)),
            Self::Range(ask) => {
                let height = store.height_of(&ask.block)?;
                let version = height.map(|at| store.version_at(at)).transpose()?.flatten();
                let oldest = store.oldest_version()?;
                let version = version.filter(|version| *version >= oldest);
                let found = version.map(|version| read(store, version, &ask.prefix, ask.max));
                let found = found.transpose()?.flatten();
                Some(found.map_or(Answer::Missing, |range| Answer::Range(Box::new(range))))
            }
        })
    }

    /// Returns how many KiB of rows or headers the answer may have.
    pub fn most_kib(&self) -> u32 {
        match self {
            Self::File(_) => 0,
            Self::Ancestors(_) => MAX_RANGE / 1024,
            Self::Range(ask) => ask.max.clamp(MIN_RANGE, MAX_RANGE) / 1024,
        }
    }

    /// Returns the light file that is asked for.
    pub fn as_file(&self) -> Option<File> {
        match self {
            Self::File(path) => named(path),
            Self::Ancestors(_) | Self::Range(_) => None,
        }
    }
}

fn named(path: &[u8]) -> Option<File> {
    let path = std::str::from_utf8(path).ok()?.strip_prefix("/light/")?;
    if path == "tip" {
        return Some(File::Tip);
    }
    let (kind, name) = path.split_once('/')?;
    light::named(kind, name)
}

fn ancestors(
    store: &impl Storage,
    block: &BlockId,
) -> Result<Bounded<Header, MAX_RECENT>, StorageError> {
    let (mut headers, mut bytes) = (Vec::new(), 0_usize);
    let mut at = store.height_of(block)?;
    while let Some(below) = at.and_then(|at| at.0.checked_sub(1)).map(antiphon_core::id::Height) {
        let Some(header) = store.header(below)? else { break };
        bytes = bytes.saturating_add(codec::encode(&header).len());
        if bytes > MAX_HEADERS || headers.len() >= MAX_RECENT {
            break;
        }
        headers.push(header);
        at = Some(below);
    }
    Ok(Bounded::try_from(headers).unwrap_or_default())
}
