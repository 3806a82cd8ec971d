//! A Falcon key that signs.
//!
//! ```text
//! key        = keygen of SHAKE256( "falcon/v1/key" | seed )
//! signature  = sign with SHAKE256( "falcon/v1/sign" | seed | entropy of this process | digest )
//! ```
//!
//! The same seed is the same key everywhere: making one uses no floating point. Signing does, and two machines may round
//! differently; two signatures of one digest under one nonce that differ would betray the key. So the nonce depends on
//! entropy that the host draws for each process, and within one the same digest has the same signature.

use super::{DOMAIN, FalconSignature, KEY_BYTES, SHOWN_BYTES};
use crate::crypto::{AccountKey, AccountSignature, Hash, Signer};
use alloc::{boxed::Box, vec, vec::Vec};
use core::fmt;
use fn_dsa::{
    CryptoRng, FN_DSA_LOGN_1024, HASH_ID_RAW, KeyPairGenerator as _, KeyPairGenerator1024, RngCore,
    RngError, SHAKE256, SigningKey as _, SigningKey1024, sign_key_size,
};
use zeroize::Zeroizing;

const KEY_TAG: &[u8] = b"falcon/v1/key";
const SIGN_TAG: &[u8] = b"falcon/v1/sign";

/// A Falcon secret key. Wiped from memory when dropped; never printed.
#[derive(Clone)]
pub struct FalconSecret {
    seed: Zeroizing<[u8; 32]>,
    entropy: Zeroizing<[u8; 32]>,
    signing: Zeroizing<Vec<u8>>,
    public: Box<[u8; KEY_BYTES]>,
    name: Hash,
}

impl FalconSecret {
    /// Makes the key of a seed. `entropy` is fresh in each process, and is never the same on two machines. Takes some
    /// milliseconds.
    pub fn new(seed: &[u8; 32], entropy: [u8; 32]) -> Self {
        let mut signing = Zeroizing::new(vec![0; sign_key_size(FN_DSA_LOGN_1024)]);
        let mut public = Box::new([0; KEY_BYTES]);
        let mut maker = Box::<KeyPairGenerator1024>::default();
        let mut stream = Stream::new(&[KEY_TAG, seed]);
        maker.keygen(FN_DSA_LOGN_1024, &mut stream, &mut signing, &mut public[..]);
        let name = Hash::of(&[&public[..]]);
        let (seed, entropy) = (Zeroizing::new(*seed), Zeroizing::new(entropy));
        Self { seed, entropy, signing, public, name }
    }

    fn sign(&self, digest: Hash) -> Option<FalconSignature> {
        let mut shown = vec![0; SHOWN_BYTES];
        let (key, signature) = shown.split_at_mut(KEY_BYTES);
        key.copy_from_slice(&self.public[..]);
        let mut signing = SigningKey1024::decode(&self.signing)?;
        let mut stream = Stream::new(&[SIGN_TAG, &*self.seed, &*self.entropy, &digest.0]);
        signing.sign(&mut stream, &DOMAIN, &HASH_ID_RAW, &digest.0, signature)?;
        Some(FalconSignature(shown))
    }
}

impl Signer for FalconSecret {
    fn account_key(&self) -> AccountKey {
        AccountKey::Falcon(self.name)
    }

    fn sign_account(&self, digest: Hash) -> AccountSignature {
        let signature = self.sign(digest);
        debug_assert!(signature.is_some(), "a key of our own making signs");
        let none = || FalconSignature(vec![0; SHOWN_BYTES]);
        AccountSignature::Falcon(signature.unwrap_or_else(none))
    }
}

impl fmt::Debug for FalconSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FalconSecret(of {})", self.name)
    }
}

/// Bytes that follow from others.
struct Stream(SHAKE256);

impl Stream {
    fn new(parts: &[&[u8]]) -> Self {
        let mut shake = SHAKE256::new();
        parts.iter().for_each(|part| shake.inject(part));
        shake.flip();
        Self(shake)
    }
}

impl CryptoRng for Stream {}

impl RngCore for Stream {
    fn next_u32(&mut self) -> u32 {
        let mut bytes = [0; 4];
        self.0.extract(&mut bytes);
        u32::from_le_bytes(bytes)
    }

    fn next_u64(&mut self) -> u64 {
        let mut bytes = [0; 8];
        self.0.extract(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    fn fill_bytes(&mut self, to: &mut [u8]) {
        self.0.extract(to);
    }

    fn try_fill_bytes(&mut self, to: &mut [u8]) -> Result<(), RngError> {
        self.0.extract(to);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_a_key_for_ever_and_another_seed_another() {
        let name = |seed| FalconSecret::new(&[seed; 32], [0; 32]).name.to_hex();
        assert_eq!(name(0), "6a3adedbb761e7346a5db8d4b95fd3b219e7de9a5f2bf65e1503aab20107cbe5");
        assert_ne!(name(1), name(0));
    }

    #[test]
    fn the_same_digest_has_one_signature_in_a_process_and_another_in_the_next() {
        let sign =
            |entropy, digest| FalconSecret::new(&[1; 32], [entropy; 32]).sign(Hash([digest; 32]));
        assert_eq!(sign(1, 1), sign(1, 1));
        assert_ne!(sign(1, 1), sign(2, 1));
        assert_ne!(sign(1, 1), sign(1, 2));
    }
}
