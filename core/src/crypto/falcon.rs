//! Falcon-1024, which a quantum computer does not break, for accounts that want it (FN-DSA, level 5).
//!
//! The standard is a draft: the crate is pinned to a version, and what it signs stands under a domain of ours. Without the
//! feature `falcon`, as in pages, signatures are read and written, and none is made or verified.
//!
//! Source: AME-66. Deviation: degree 1024, for the seed's 768 left Falcon after its first round.

#[cfg(feature = "falcon")]
mod secret;
#[cfg(feature = "falcon")]
mod verify;

#[cfg(feature = "falcon")]
pub use secret::FalconSecret;

use alloc::{vec, vec::Vec};
use borsh::{BorshDeserialize, BorshSerialize, io};
use core::fmt;

/// Bytes of a public key.
pub const KEY_BYTES: usize = 1793;
/// Bytes of a signature; a shorter one is filled up with zeros.
pub const SIGNATURE_BYTES: usize = 1280;

/// Bytes of both.
const SHOWN_BYTES: usize = KEY_BYTES + SIGNATURE_BYTES;

/// A Falcon key with its signature, exactly as long as they are.
#[derive(Clone, PartialEq, Eq)]
pub struct FalconSignature(Vec<u8>);

impl fmt::Debug for FalconSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(&self.0))
    }
}

impl BorshSerialize for FalconSignature {
    fn serialize<W: io::Write>(&self, writer: &mut W) -> io::Result<()> {
        writer.write_all(&self.0)
    }
}

impl BorshDeserialize for FalconSignature {
    fn deserialize_reader<R: io::Read>(reader: &mut R) -> io::Result<Self> {
        let mut bytes = vec![0; SHOWN_BYTES];
        reader.read_exact(&mut bytes)?;
        Ok(Self(bytes))
    }
}

/// The domain of all that a Falcon key of ours signs.
#[cfg(feature = "falcon")]
const DOMAIN: fn_dsa::DomainContext<'_> = fn_dsa::DomainContext(b"antiphon/v1");
