//! Ed25519 account and peer keys. Verification is `verify_strict` everywhere. Source: PROTOCOL A0.3.

use super::{Hash, Tagged};
use crate::{codec, id::ChainId};
use borsh::{BorshDeserialize, BorshSerialize, io};
use core::fmt;
use ed25519_dalek::{Signer, SigningKey, VerifyingKey};

/// The signature does not verify under strict rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the signature does not verify under this key")]
pub struct SignatureError;

impl SignatureError {
    /// Returns the stable code of this error.
    pub const fn code(&self) -> &'static str {
        "crypto/bad-signature"
    }
}

/// An Ed25519 public key: 32 bytes, checked when a signature is verified.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
pub struct PublicKey(pub [u8; 32]);

impl PublicKey {
    /// Checks `signature` over raw `message` bytes under strict rules.
    ///
    /// # Errors
    /// [`SignatureError`] for a wrong signature, a non-canonical one, or a weak key.
    pub fn verify(&self, message: &[u8], signature: &Signature) -> Result<(), SignatureError> {
        self.ready()?.verify(message, signature)
    }

    /// Reads the key's point, which takes a tenth of a check, once for many checks.
    ///
    /// # Errors
    /// [`SignatureError`] for bytes that are no point.
    pub fn ready(&self) -> Result<ReadyKey, SignatureError> {
        VerifyingKey::from_bytes(&self.0).map(ReadyKey).map_err(|_| SignatureError)
    }
}

/// A public key whose point is read.
#[derive(Clone, Copy, Debug)]
pub struct ReadyKey(VerifyingKey);

impl ReadyKey {
    /// Checks `signature` over raw `message` bytes under strict rules, as [`PublicKey::verify`] does.
    ///
    /// # Errors
    /// [`SignatureError`] for a wrong signature, a non-canonical one, or a weak key.
    pub fn verify(&self, message: &[u8], signature: &Signature) -> Result<(), SignatureError> {
        let signature = ed25519_dalek::Signature::from_bytes(&signature.0);
        self.0.verify_strict(message, &signature).map_err(|_| SignatureError)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

/// An Ed25519 signature: 64 bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Signature(pub [u8; 64]);

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl BorshSerialize for Signature {
    fn serialize<W: io::Write>(&self, writer: &mut W) -> io::Result<()> {
        writer.write_all(&self.0)
    }
}

impl BorshDeserialize for Signature {
    fn deserialize_reader<R: io::Read>(reader: &mut R) -> io::Result<Self> {
        let mut bytes = [0; 64];
        reader.read_exact(&mut bytes)?;
        Ok(Self(bytes))
    }
}

/// An Ed25519 secret key. Wiped from memory when dropped; never printed.
#[derive(Clone)]
pub struct SecretKey(SigningKey);

impl SecretKey {
    /// Makes the key from 32 secret bytes (RFC 8032 seed).
    pub fn from_bytes(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// Returns the 32 secret bytes. For storage by the host only.
    pub fn to_bytes(&self) -> zeroize::Zeroizing<[u8; 32]> {
        zeroize::Zeroizing::new(self.0.to_bytes())
    }

    /// Returns the public half.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key().to_bytes())
    }

    /// Signs an object of ours under its domain.
    pub fn sign<T: Tagged>(&self, chain: ChainId, object: &T) -> Signature {
        self.sign_digest(object.digest(chain))
    }

    /// Signs a digest that [`Tagged::digest`] made.
    pub fn sign_digest(&self, digest: Hash) -> Signature {
        Signature(self.0.sign(&digest.0).to_bytes())
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey(of {})", self.public())
    }
}

/// An object with the signature of one key over its digest.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Signed<T> {
    /// What was signed.
    pub body: T,
    /// Over `body.digest(chain)`.
    pub signature: Signature,
}

impl<T: Tagged> Signed<T> {
    /// Signs `body` with `key`.
    pub fn new(key: &SecretKey, chain: ChainId, body: T) -> Self {
        let signature = key.sign(chain, &body);
        Self { body, signature }
    }

    /// Checks that `signer` signed the body on `chain`.
    ///
    /// # Errors
    /// [`SignatureError`].
    pub fn verify(&self, chain: ChainId, signer: &PublicKey) -> Result<(), SignatureError> {
        signer.verify(&self.body.digest(chain).0, &self.signature)
    }
}

impl<T: BorshSerialize> Signed<T> {
    /// Returns the canonical bytes of body and signature.
    pub fn to_bytes(&self) -> alloc::vec::Vec<u8> {
        codec::encode(self)
    }
}
