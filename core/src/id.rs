//! Distinct types for what is counted and named.

use crate::{
    codec,
    crypto::{Hash, PublicKey, hash_tagged},
};
use borsh::{BorshDeserialize, BorshSerialize};
use core::fmt;
use ripemd::{Digest as _, Ripemd160};

/// Names a chain: the hash of its spec. In every signature and every id.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize,
)]
pub struct ChainId(pub Hash);

/// Names a block: the tagged hash of its header.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize,
)]
pub struct BlockId(pub Hash);

/// Names a transaction: the tagged hash of its body, without signature.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize,
)]
pub struct TxId(pub Hash);

/// Names a pool: `H("pool", chain, creator, nonce)` (A5.8).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize,
)]
pub struct PoolId(pub Hash);

/// Names a payment field: `H("field", chain, first leader, nonce)` (A6.8).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize,
)]
pub struct FieldId(pub Hash);

/// Names a delayed transfer: `H("delay", chain, sender, sequence, place among the messages)` (ALZA-17).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize,
)]
pub struct DelayId(pub Hash);

impl DelayId {
    /// Returns the name of what the message at `place` of this transaction delays.
    pub fn new(chain: ChainId, sender: &Address, sequence: u64, place: u8) -> Self {
        let name = codec::encode(&(sender, sequence, place));
        Self(hash_tagged("delay/v1/id", chain, &name))
    }
}

/// Names a stream: `H("stream", publisher, name)`. It is also the resource of a pool that pays for it.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize,
)]
pub struct StreamId(pub Hash);

/// Names a peer: its public key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub struct PeerId(pub PublicKey);

impl fmt::Debug for PeerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The raw 20 bytes of an account's address; its text form is in `wallet::address`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub struct Address(pub [u8; 20]);

impl Address {
    /// Returns `RIPEMD160(SHA256(public key))`. Source: seed AME-68.
    pub fn of(key: &PublicKey) -> Self {
        Self::of_digest(&Hash::of(&[&key.0]))
    }

    /// Returns `RIPEMD160` of a key's SHA-256.
    pub fn of_digest(digest: &Hash) -> Self {
        Self(Ripemd160::digest(digest.0).into())
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

/// The height of a block; genesis is 0.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize,
)]
pub struct Height(pub u64);

impl Height {
    /// Returns the height `blocks` later, saturating.
    pub const fn plus(self, blocks: u64) -> Self {
        Self(self.0.saturating_add(blocks))
    }
}

impl fmt::Display for Height {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The epoch of a proposal; genesis is 0.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize,
)]
pub struct Epoch(pub u64);
