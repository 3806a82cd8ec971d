//! The rows that a payer stores, and their names.
//!
//! ```text
//! payer/<pool hex>                device 16 | terms
//! payer/<pool hex>/<target hex>   device 16 | seq u64 | cum u128 | 0 u8, or 1 u8 | price u128 | length u32 | reserve u32
//! ```

use super::line::ChainRecord;
use crate::{
    amount::Amount,
    codec,
    crypto::Hash,
    id::{Address, PoolId},
    payment::reservation::PoolTerms,
    row::Damaged,
};
use alloc::{format, string::String, vec::Vec};
use borsh::{BorshDeserialize, BorshSerialize};

/// Longest row without its digest, in bytes; terms take 136.
const MAX_ROW: usize = 256;

/// Names one installation. The host makes it at random once and keeps it where neither a backup nor a clone of the
/// rows takes it along, so that restored rows are recognised (A5.13).
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct DeviceId(pub [u8; 16]);

/// The row of a pool.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct PoolRecord {
    /// Which device opened it.
    pub device: DeviceId,
    /// What was asked of the chain.
    pub terms: PoolTerms,
}

/// The row of a pool and a target.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(super) struct LineRecord {
    /// Which device promised.
    pub(super) device: DeviceId,
    /// The sequence promised last.
    pub(super) seq: u64,
    /// The sum promised last.
    pub(super) cum: Amount,
    /// The chain of ticks that it commits to, and how many may have been revealed.
    pub(super) chain: Option<ChainRecord>,
}

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Row {
    /// A pool's terms.
    Pool(PoolId),
    /// A target's line.
    Line(PoolId, Address),
}

impl Row {
    /// Returns whose row it is.
    pub(super) const fn pool(self) -> PoolId {
        match self {
            Self::Pool(id) | Self::Line(id, _) => id,
        }
    }

    fn name(self) -> String {
        match self {
            Self::Pool(id) => pool_name(&id),
            Self::Line(id, target) => line_name(&id, &target),
        }
    }
}

impl PoolRecord {
    /// Returns the stored bytes.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// Reads stored bytes.
    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self, Damaged> {
        codec::decode(bytes, MAX_ROW).map_err(|_| Damaged)
    }
}

impl LineRecord {
    /// Returns the stored bytes.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// Reads stored bytes.
    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self, Damaged> {
        codec::decode(bytes, MAX_ROW).map_err(|_| Damaged)
    }
}

/// Returns the name of a pool's row.
pub(super) fn pool_name(pool: &PoolId) -> String {
    format!("payer/{}", pool.0)
}

/// Returns the name of a line's row.
pub(super) fn line_name(pool: &PoolId, target: &Address) -> String {
    format!("payer/{}/{}", pool.0, hex::encode(target.0))
}

/// Reads a name; `None` for anybody else's.
pub(super) fn parse_name(name: &str) -> Option<Row> {
    let rest = name.strip_prefix("payer/")?;
    let row = match rest.split_once('/') {
        None => Row::Pool(PoolId(Hash::from_hex(rest)?)),
        Some((pool, target)) => {
            let mut address = [0; 20];
            hex::decode_to_slice(target, &mut address).ok()?;
            Row::Line(PoolId(Hash::from_hex(pool)?), Address(address))
        }
    };
    // One spelling a row, or two rows could claim to be the same.
    (row.name() == name).then_some(row)
}
