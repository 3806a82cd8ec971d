//! Answers about the chain: everything in them is proven.

use crate::{
    snapshot::Level,
    text::{Address, Amount},
};
use antiphon_core::{
    chain::{lookup, spec::Token},
    client as core,
};

/// Under which block something was proven.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Proven {
    /// How far the block is believed.
    pub level: Level,
    /// Its height.
    pub height: u64,
    /// Its id in hexadecimal.
    pub block: String,
    /// Its state root in hexadecimal.
    pub root: String,
    /// Unix milliseconds of its date.
    pub time: u64,
    /// Whether a witness has the checkpoint that it rests on.
    pub is_witnessed: bool,
}

/// An account, as a block's state shows it.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct AccountFound {
    /// The block.
    pub proven: Proven,
    /// Whose it is.
    pub address: Address,
    /// Whether the chain knows it; else all is zero.
    pub exists: bool,
    /// Transactions that it has sent.
    pub sequence: u64,
    /// Operational tokens.
    pub operational: Amount,
    /// Staking tokens that are not bonded.
    pub staking: Amount,
}

/// What was found of pools that this account has opened and this device did not know.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct OwnPools {
    /// The block from which blocks were read downwards.
    pub proven: Proven,
    /// Every block from this one up to that was read.
    pub from: u64,
    /// Whether nothing is left to be found: all that the account has sent was seen.
    pub is_whole: bool,
    /// Those that are new here and hold money, in hexadecimal.
    pub pools: Vec<String>,
}

/// What a file about a payment in a field shows.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Exhibit {
    /// The block that closed the field.
    pub proven: Proven,
    /// The field, in hexadecimal.
    pub field: String,
    /// The round that the payment was committed in.
    pub round: u32,
    /// The file: `antiphon evidence check` reads it.
    pub file: Vec<u8>,
}

impl From<&lookup::Proven> for Proven {
    fn from(proven: &lookup::Proven) -> Self {
        Self {
            level: proven.level.into(),
            height: proven.height.0,
            block: proven.block.0.to_hex(),
            root: proven.root.to_hex(),
            time: proven.time,
            is_witnessed: proven.is_witnessed,
        }
    }
}

impl From<&lookup::AccountFound> for AccountFound {
    fn from(found: &lookup::AccountFound) -> Self {
        Self {
            proven: (&found.proven).into(),
            address: found.address.into(),
            exists: found.exists,
            sequence: found.account.sequence,
            operational: found.account.balance(Token::Operational).into(),
            staking: found.account.balance(Token::Staking).into(),
        }
    }
}

impl From<&lookup::PoolsFound> for OwnPools {
    fn from(found: &lookup::PoolsFound) -> Self {
        Self {
            proven: (&found.proven).into(),
            from: found.from.0,
            is_whole: found.is_whole,
            pools: found.pools.iter().map(|(pool, _)| pool.0.to_hex()).collect(),
        }
    }
}

impl From<core::Exhibit> for Exhibit {
    fn from(exhibit: core::Exhibit) -> Self {
        Self {
            proven: (&exhibit.proven).into(),
            field: exhibit.shown.field.0.to_hex(),
            round: exhibit.shown.round,
            file: exhibit.file,
        }
    }
}
