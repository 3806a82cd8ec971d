//! SHA-256 digests and domain separation.
//!
//! ```text
//! H(type) = SHA-256( tag length u8 | tag ASCII | chain id 32 | canonical bytes )
//! ```
//!
//! Deviation from A0.1: the tag is preceded by its length, so that no tag can be the beginning of another.

use crate::{codec, id::ChainId};
use alloc::string::String;
use borsh::{BorshDeserialize, BorshSerialize};
use core::fmt;
use sha2::{Digest, Sha256};

/// A SHA-256 digest.
#[derive(
    Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize,
)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// Returns the SHA-256 of the parts in a row. Only for data that is not an object of ours.
    pub fn of(parts: &[&[u8]]) -> Self {
        let mut hasher = Sha256::new();
        for part in parts {
            hasher.update(part);
        }
        Self(hasher.finalize().into())
    }

    /// Returns the digest as 64 hexadecimal digits.
    pub fn to_hex(self) -> String {
        hex::encode(self.0)
    }

    /// Reads 64 hexadecimal digits; `None` for anything else.
    pub fn from_hex(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).ok().map(|()| Self(bytes))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_hex())
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_hex())
    }
}

/// An object that is hashed or signed under its own domain.
pub trait Tagged: BorshSerialize {
    /// `"<proto>/v1/<type>"`, unique in the whole system.
    const TAG: &'static str;

    /// Returns what is signed or used as an id: the digest under this type's tag on this chain.
    fn digest(&self, chain: ChainId) -> Hash {
        hash_tagged(Self::TAG, chain, &codec::encode(self))
    }
}

/// Hashes canonical bytes under a tag on a chain. Prefer [`Tagged::digest`].
pub fn hash_tagged(tag: &str, chain: ChainId, bytes: &[u8]) -> Hash {
    debug_assert!(tag.len() < 256 && tag.is_ascii(), "tags are short ASCII");
    let length = u8::try_from(tag.len()).unwrap_or(u8::MAX);
    Hash::of(&[&[length], tag.as_bytes(), &chain.0.0, bytes])
}
