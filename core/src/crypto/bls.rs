//! BLS12-381 guardian keys and aggregates: keys in G1, signatures in G2, POP ciphersuite.
//!
//! Keys travel and are committed as 96 uncompressed bytes that were checked once, at registration; a verifier
//! only checks that they are points of the curve. Signatures are always checked for their subgroup.
//! Source: PROTOCOL A0.4, A2.11.

use super::{Hash, hash_tagged};
use crate::{
    codec,
    id::{Address, ChainId},
};
use alloc::vec::Vec;
use blst::{
    BLST_ERROR, MultiPoint as _,
    min_pk::{AggregatePublicKey, AggregateSignature, PublicKey, SecretKey, Signature},
};
use borsh::{BorshDeserialize, BorshSerialize, io};
use core::fmt;

const SIGN_DST: &[u8] = b"BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_";
const POP_DST: &[u8] = b"BLS_POP_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_";
const POP_TAG: &str = "guardian/v1/pop";

/// Why a key or signature is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BlsError {
    /// Not a point of the curve in the expected form.
    #[error("not a point of the curve")]
    NotOnCurve,
    /// The point is outside the prime-order subgroup or is the identity.
    #[error("the point is the identity or outside the subgroup")]
    BadPoint,
    /// The signature does not verify.
    #[error("the signature does not verify under this key")]
    BadSignature,
    /// Nobody signed.
    #[error("the signer set is empty")]
    NoSigners,
}

impl BlsError {
    /// Returns the stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotOnCurve => "bls/not-on-curve",
            Self::BadPoint => "bls/bad-point",
            Self::BadSignature => "bls/bad-signature",
            Self::NoSigners => "bls/no-signers",
        }
    }
}

/// A guardian's secret key.
#[derive(Clone)]
pub struct BlsSecretKey(SecretKey);

impl BlsSecretKey {
    /// Derives a key from at least 32 secret bytes (`KeyGen` of the IETF draft).
    ///
    /// # Errors
    /// [`BlsError::BadPoint`] for fewer bytes.
    pub fn from_seed(seed: &[u8]) -> Result<Self, BlsError> {
        SecretKey::key_gen(seed, &[]).map(Self).map_err(|_| BlsError::BadPoint)
    }

    /// Returns the public half.
    pub fn public(&self) -> BlsPublicKey {
        BlsPublicKey(self.0.sk_to_pk().serialize())
    }

    /// Signs a digest under the POP ciphersuite.
    pub fn sign(&self, digest: Hash) -> BlsSignature {
        BlsSignature(self.0.sign(&digest.0, SIGN_DST, &[]).compress())
    }

    /// Proves possession of the key for one owner on one chain (A2.11).
    pub fn prove_possession(&self, chain: ChainId, owner: Address) -> BlsSignature {
        let message = possession_message(chain, owner, &self.public());
        BlsSignature(self.0.sign(&message.0, POP_DST, &[]).compress())
    }
}

impl fmt::Debug for BlsSecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BlsSecretKey(of {:?})", self.public())
    }
}

/// A guardian's public key: 96 bytes, uncompressed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct BlsPublicKey(pub [u8; 96]);

impl BlsPublicKey {
    /// Checks a key fully, as registration must: curve, subgroup, not the identity, and its proof of possession.
    ///
    /// # Errors
    /// [`BlsError`].
    pub fn check_registration(
        &self,
        chain: ChainId,
        owner: Address,
        proof: &BlsSignature,
    ) -> Result<(), BlsError> {
        let key = self.point()?;
        key.validate().map_err(|_| BlsError::BadPoint)?;
        verify_under(&key, &possession_message(chain, owner, self).0, POP_DST, proof)
    }

    /// Checks that this is a key at all: on the curve, in its subgroup, not the identity. Proves nobody's possession.
    ///
    /// # Errors
    /// [`BlsError`].
    pub fn check(&self) -> Result<(), BlsError> {
        self.point()?.validate().map_err(|_| BlsError::BadPoint)
    }

    /// Adds up keys that a committed set vouches for. No subgroup check: registration made it.
    ///
    /// # Errors
    /// [`BlsError::NoSigners`] for none, [`BlsError::NotOnCurve`] for bytes that are no point.
    pub fn aggregate<'a>(keys: impl IntoIterator<Item = &'a Self>) -> Result<Self, BlsError> {
        Self::weighted(keys.into_iter().map(|key| (key, 1)))
    }

    /// Adds up keys of a committed set, each as often as its count says: `Σ c_k pk_k`.
    ///
    /// Costs one addition of points for each key and four bits of the greatest count. A sum that is the identity has bytes
    /// under which nothing verifies.
    ///
    /// # Errors
    /// [`BlsError::NoSigners`] if every count is zero, [`BlsError::NotOnCurve`] for bytes that are no point.
    pub fn weighted<'a>(keys: impl IntoIterator<Item = (&'a Self, u32)>) -> Result<Self, BlsError> {
        let mut pairs = Vec::new();
        for (key, count) in keys.into_iter().filter(|(_, count)| *count > 0) {
            pairs.push((key.point()?, count));
        }
        let greatest = pairs.iter().map(|(_, count)| *count).max().ok_or(BlsError::NoSigners)?;
        let digits = u32::BITS.saturating_sub(greatest.leading_zeros()).div_ceil(DIGIT);
        let mut sum = None;
        for shift in (0..digits).rev().map(|digit| digit.saturating_mul(DIGIT)) {
            for _ in 0..DIGIT {
                sum = plus(sum, sum);
            }
            // `Σ d·S_d` as the sum of the sums from the top: each S_d is added once more with every smaller digit.
            let mut above = None;
            for digit in (1..1_u32 << DIGIT).rev() {
                let alike = pairs.iter().filter(|(_, count)| count >> shift & MASK == digit);
                let points: Vec<PublicKey> = alike.map(|(point, _)| *point).collect();
                // Adding many at once is almost twice as fast as one by one.
                let same = (!points.is_empty()).then(|| points.as_slice().add());
                above = plus(above, same);
                sum = plus(sum, above);
            }
        }
        let sum = sum.ok_or(BlsError::NoSigners)?;
        Ok(Self(sum.to_public_key().serialize()))
    }

    /// Takes keys out of a sum that has them. Without any it is the sum itself.
    ///
    /// # Errors
    /// [`BlsError::NotOnCurve`] for bytes that are no point.
    pub fn without<'a>(&self, keys: impl IntoIterator<Item = &'a Self>) -> Result<Self, BlsError> {
        let points = keys.into_iter().map(Self::point).collect::<Result<Vec<_>, _>>()?;
        if points.is_empty() {
            return Ok(*self);
        }
        let mut sum = AggregatePublicKey::from_public_key(&self.point()?);
        sum.sub_aggregate(&points.as_slice().add());
        Ok(Self(sum.to_public_key().serialize()))
    }

    /// Checks an aggregate or single signature over a digest.
    ///
    /// # Errors
    /// [`BlsError`]; the identity is refused both as key and as signature.
    pub fn verify(&self, digest: Hash, signature: &BlsSignature) -> Result<(), BlsError> {
        self.verify_message(&digest.0, signature)
    }

    /// Checks a signature over raw message bytes under the POP ciphersuite. For objects of ours use a digest.
    ///
    /// # Errors
    /// [`BlsError`]; the identity is refused both as key and as signature.
    pub fn verify_message(&self, message: &[u8], signature: &BlsSignature) -> Result<(), BlsError> {
        verify_under(&self.point()?, message, SIGN_DST, signature)
    }

    fn point(&self) -> Result<PublicKey, BlsError> {
        // The infinity flag is refused here: an all-absent aggregate must never verify.
        if self.0.first().is_some_and(|first| first & 0xE0 != 0) {
            return Err(BlsError::BadPoint);
        }
        PublicKey::deserialize(&self.0).map_err(|_| BlsError::NotOnCurve)
    }
}

impl fmt::Debug for BlsPublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

/// A signature or an aggregate of signatures: 96 bytes, compressed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct BlsSignature(pub [u8; 96]);

impl BlsSignature {
    /// Adds up signatures over one digest, checking each point.
    ///
    /// # Errors
    /// [`BlsError`].
    pub fn aggregate<'a>(signatures: impl IntoIterator<Item = &'a Self>) -> Result<Self, BlsError> {
        let points = signatures.into_iter().map(Self::point).collect::<Result<Vec<_>, _>>()?;
        let references: Vec<_> = points.iter().collect();
        let sum = AggregateSignature::aggregate(&references, true);
        sum.map(|sum| Self(sum.to_signature().compress())).map_err(|_| BlsError::NoSigners)
    }

    fn point(&self) -> Result<Signature, BlsError> {
        Signature::uncompress(&self.0).map_err(|_| BlsError::NotOnCurve)
    }
}

impl fmt::Debug for BlsSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

/// Bits of a count that are looked at together. Chosen here: as few additions as for one bit, if counts are of a few
/// rounds, and `blst`'s own multiplication of many points would make a page larger by 7 kB.
const DIGIT: u32 = 4;
const MASK: u32 = (1 << DIGIT) - 1;

fn plus(
    one: Option<AggregatePublicKey>,
    other: Option<AggregatePublicKey>,
) -> Option<AggregatePublicKey> {
    match (one, other) {
        (Some(mut sum), Some(other)) => {
            sum.add_aggregate(&other);
            Some(sum)
        }
        (one, other) => one.or(other),
    }
}

fn verify_under(
    key: &PublicKey,
    message: &[u8],
    dst: &[u8],
    signature: &BlsSignature,
) -> Result<(), BlsError> {
    let point = signature.point()?;
    point.validate(true).map_err(|_| BlsError::BadPoint)?;
    let verdict = point.verify(false, message, dst, &[], key, false);
    if verdict == BLST_ERROR::BLST_SUCCESS { Ok(()) } else { Err(BlsError::BadSignature) }
}

fn possession_message(chain: ChainId, owner: Address, key: &BlsPublicKey) -> Hash {
    hash_tagged(POP_TAG, chain, &codec::encode(&(owner, key)))
}

macro_rules! raw_bytes {
    ($type:ty) => {
        impl BorshSerialize for $type {
            fn serialize<W: io::Write>(&self, writer: &mut W) -> io::Result<()> {
                writer.write_all(&self.0)
            }
        }

        impl BorshDeserialize for $type {
            fn deserialize_reader<R: io::Read>(reader: &mut R) -> io::Result<Self> {
                let mut bytes = [0; 96];
                reader.read_exact(&mut bytes)?;
                Ok(Self(bytes))
            }
        }
    };
}

raw_bytes!(BlsPublicKey);
raw_bytes!(BlsSignature);

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(count: u8) -> Vec<BlsSecretKey> {
        (0..count).map(|i| BlsSecretKey::from_seed(&[i; 32]).unwrap()).collect()
    }

    #[test]
    fn an_aggregate_verifies_under_exactly_its_signers() {
        let (keys, digest) = (keys(4), Hash([7; 32]));
        let shares: Vec<_> = keys.iter().map(|key| key.sign(digest)).collect();
        let public: Vec<_> = keys.iter().map(BlsSecretKey::public).collect();
        let three = BlsSignature::aggregate(&shares[..3]).unwrap();
        let sum = |keys: &[BlsPublicKey]| BlsPublicKey::aggregate(keys).unwrap();
        assert_eq!(sum(&public[..3]).verify(digest, &three), Ok(()));
        assert_eq!(sum(&public).verify(digest, &three), Err(BlsError::BadSignature));
        assert_eq!(sum(&public[..3]).verify(Hash([8; 32]), &three), Err(BlsError::BadSignature));
    }

    #[test]
    fn possession_is_bound_to_chain_and_owner() {
        let key = &keys(1)[0];
        let (chain, owner) = (ChainId(Hash([1; 32])), Address([2; 20]));
        let proof = key.prove_possession(chain, owner);
        let public = key.public();
        assert_eq!(public.check_registration(chain, owner, &proof), Ok(()));
        let other_chain = ChainId(Hash([9; 32]));
        assert!(public.check_registration(other_chain, owner, &proof).is_err());
        assert!(public.check_registration(chain, Address([3; 20]), &proof).is_err());
        assert!(public.check_registration(chain, owner, &key.sign(Hash([0; 32]))).is_err());
    }

    #[test]
    fn identity_and_emptiness_are_refused() {
        let mut infinity = [0_u8; 96];
        infinity[0] = 0x40;
        let mut no_signature = [0_u8; 96];
        no_signature[0] = 0xC0;
        let digest = Hash([7; 32]);
        let share = keys(1)[0].sign(digest);
        assert_eq!(BlsPublicKey(infinity).verify(digest, &share), Err(BlsError::BadPoint));
        let empty = BlsSignature(no_signature);
        assert_eq!(keys(1)[0].public().verify(digest, &empty), Err(BlsError::BadPoint));
        assert_eq!(BlsPublicKey::aggregate([]), Err(BlsError::NoSigners));
        assert_eq!(BlsSignature::aggregate([]), Err(BlsError::NoSigners));
    }
}
