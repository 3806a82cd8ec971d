//! Who signs for an account, by which scheme, and what shows it.
//!
//! ```text
//! scheme    named in what is signed     shown beside it              address           begins with
//! Ed25519   0 | key 32                  0 | signature 64             of SHA256(key)    A
//! Falcon    1 | SHA256(key) 32          1 | key 1793 | signature 1280  of SHA256(key)    F
//! ```
//!
//! The name is in what is signed and hashed, so a transaction's id says the scheme and depends on no signature. A key is
//! never taken for one of the other scheme, though a Falcon key's digest may well be a point of Ed25519's curve.
//!
//! Source: AME-66, AME-67. Deviation: the first scheme is Ed25519 (PROTOCOL A0.3), where the seed has ECDSA.

use super::{
    Hash, PublicKey, SecretKey, Signature, SignatureError, Tagged, falcon::FalconSignature,
};
use crate::id::{Address, ChainId};
use borsh::{BorshDeserialize, BorshSerialize, io};
use core::fmt;

/// What a Falcon signature costs the chain, in signatures of Ed25519. It is checked in less time, but 3073 bytes are carried,
/// hashed and kept for it instead of 64. Chosen here: between the two (`BENCHMARKS.md`).
const CHECKS_OF_FALCON: u64 = 4;

/// Names the key of an account.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, BorshSerialize)]
pub enum AccountKey {
    /// An Ed25519 key.
    Ed25519(PublicKey),
    /// The SHA-256 of a Falcon key, which comes with each signature.
    Falcon(Hash),
}

impl AccountKey {
    /// Returns the address of the account.
    pub fn address(&self) -> Address {
        match self {
            Self::Ed25519(key) => Address::of(key),
            Self::Falcon(digest) => Address::of_digest(digest),
        }
    }

    /// Returns how many signatures of Ed25519 cost the chain what one of this key does.
    pub const fn checks(&self) -> u64 {
        match self {
            Self::Ed25519(_) => 1,
            Self::Falcon(_) => CHECKS_OF_FALCON,
        }
    }

    /// Checks a signature over a digest, under strict rules. Without the feature `falcon` no Falcon signature verifies.
    ///
    /// # Errors
    /// [`SignatureError`] for a wrong signature, one of the other scheme, or one that brings another key.
    pub fn verify(&self, digest: Hash, shown: &AccountSignature) -> Result<(), SignatureError> {
        match (self, shown) {
            (Self::Ed25519(key), AccountSignature::Ed25519(signature)) => {
                key.verify(&digest.0, signature)
            }
            #[cfg(feature = "falcon")]
            (Self::Falcon(name), AccountSignature::Falcon(shown)) => shown.verify(*name, digest),
            _ => Err(SignatureError),
        }
    }
}

impl BorshDeserialize for AccountKey {
    fn deserialize_reader<R: io::Read>(reader: &mut R) -> io::Result<Self> {
        let (scheme, name) = <(u8, Hash)>::deserialize_reader(reader)?;
        match scheme {
            0 => Ok(Self::Ed25519(PublicKey(name.0))),
            1 => Ok(Self::Falcon(name)),
            _ => Err(unknown_scheme()),
        }
    }
}

impl BorshDeserialize for AccountSignature {
    fn deserialize_reader<R: io::Read>(reader: &mut R) -> io::Result<Self> {
        match u8::deserialize_reader(reader)? {
            0 => Signature::deserialize_reader(reader).map(Self::Ed25519),
            1 => FalconSignature::deserialize_reader(reader).map(Self::Falcon),
            _ => Err(unknown_scheme()),
        }
    }
}

/// Not derived: an error that tells the byte is more code in a page than all of this.
fn unknown_scheme() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "unknown scheme")
}

impl From<PublicKey> for AccountKey {
    fn from(key: PublicKey) -> Self {
        Self::Ed25519(key)
    }
}

impl fmt::Debug for AccountKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ed25519(key) => key.fmt(f),
            Self::Falcon(digest) => write!(f, "Falcon({digest})"),
        }
    }
}

/// What shows that an account's key signed.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize)]
pub enum AccountSignature {
    /// An Ed25519 signature.
    Ed25519(Signature),
    /// A Falcon key with its signature.
    Falcon(FalconSignature),
}

/// Signs for an account.
pub trait Signer {
    /// Returns the name of the key.
    fn account_key(&self) -> AccountKey;

    /// Signs a digest that [`Tagged::digest`] made.
    fn sign_account(&self, digest: Hash) -> AccountSignature;

    /// Signs an object of ours under its domain.
    fn sign_object<T: Tagged>(&self, chain: ChainId, object: &T) -> AccountSignature {
        self.sign_account(object.digest(chain))
    }
}

impl Signer for SecretKey {
    fn account_key(&self) -> AccountKey {
        AccountKey::Ed25519(self.public())
    }

    fn sign_account(&self, digest: Hash) -> AccountSignature {
        AccountSignature::Ed25519(self.sign_digest(digest))
    }
}

/// The secret key of an account.
#[derive(Clone, Debug)]
pub enum AccountSecret {
    /// An Ed25519 key.
    Ed25519(SecretKey),
    /// A Falcon key.
    #[cfg(feature = "falcon")]
    Falcon(super::falcon::FalconSecret),
}

impl Signer for AccountSecret {
    fn account_key(&self) -> AccountKey {
        match self {
            Self::Ed25519(key) => key.account_key(),
            #[cfg(feature = "falcon")]
            Self::Falcon(key) => key.account_key(),
        }
    }

    fn sign_account(&self, digest: Hash) -> AccountSignature {
        match self {
            Self::Ed25519(key) => key.sign_account(digest),
            #[cfg(feature = "falcon")]
            Self::Falcon(key) => key.sign_account(digest),
        }
    }
}

#[cfg(feature = "falcon")]
impl From<super::FalconSecret> for AccountSecret {
    fn from(key: super::FalconSecret) -> Self {
        Self::Falcon(key)
    }
}

impl From<SecretKey> for AccountSecret {
    fn from(key: SecretKey) -> Self {
        Self::Ed25519(key)
    }
}
