//! Checking a Falcon signature.

use super::{DOMAIN, FalconSignature, KEY_BYTES};
use crate::crypto::{Hash, SignatureError};
use fn_dsa::{HASH_ID_RAW, VerifyingKey as _, VerifyingKey1024};

impl FalconSignature {
    /// Returns key and signature.
    fn parts(&self) -> (&[u8], &[u8]) {
        self.0.split_at_checked(KEY_BYTES).unwrap_or_default()
    }

    /// Checks that it brings the key of this name, and that this key signed the digest.
    ///
    /// # Errors
    /// [`SignatureError`] for another key, a wrong signature, or one that is not its only encoding.
    pub fn verify(&self, name: Hash, digest: Hash) -> Result<(), SignatureError> {
        let (key, signature) = self.parts();
        if Hash::of(&[key]) != name {
            return Err(SignatureError);
        }
        let key = VerifyingKey1024::decode(key).ok_or(SignatureError)?;
        let holds = key.verify(signature, &DOMAIN, &HASH_ID_RAW, &digest.0);
        if holds { Ok(()) } else { Err(SignatureError) }
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        codec::{self, DecodeError},
        crypto::{
            AccountKey, AccountSignature, FalconSecret, Hash, PublicKey, SecretKey, Signer as _,
            falcon::{FalconSignature, KEY_BYTES, SIGNATURE_BYTES},
        },
    };
    use alloc::vec::Vec;

    const DIGEST: Hash = Hash([7; 32]);

    fn shown(signature: AccountSignature) -> FalconSignature {
        match signature {
            AccountSignature::Falcon(shown) => shown,
            AccountSignature::Ed25519(_) => panic!("a signature of Falcon"),
        }
    }

    #[test]
    fn only_the_key_that_is_named_signs_and_only_what_it_signed() {
        let (key, other) =
            (FalconSecret::new(&[1; 32], [9; 32]), FalconSecret::new(&[2; 32], [9; 32]));
        let (name, signature) = (key.account_key(), key.sign_account(DIGEST));
        assert!(name.verify(DIGEST, &signature).is_ok());
        assert!(name.verify(Hash([8; 32]), &signature).is_err(), "another digest");
        assert!(other.account_key().verify(DIGEST, &signature).is_err(), "another name");
        assert!(name.verify(DIGEST, &other.sign_account(DIGEST)).is_err(), "another key");
        // Its own key before the signature of another.
        let mut mixed = shown(other.sign_account(DIGEST));
        mixed.0[..KEY_BYTES].copy_from_slice(&shown(signature).0[..KEY_BYTES]);
        assert!(name.verify(DIGEST, &AccountSignature::Falcon(mixed)).is_err());
    }

    /// A Falcon key's digest may be a point of Ed25519's curve, and whoever breaks that curve could sign under it.
    #[test]
    fn what_is_named_under_one_scheme_is_never_shown_by_the_other() {
        let (falcon, ed25519) =
            (FalconSecret::new(&[1; 32], [9; 32]), SecretKey::from_bytes(&[1; 32]));
        let (of_falcon, of_ed25519) = (falcon.sign_account(DIGEST), ed25519.sign_account(DIGEST));
        let name = Hash(ed25519.public().0);
        assert!(ed25519.account_key().verify(DIGEST, &of_ed25519).is_ok());
        assert!(AccountKey::Falcon(name).verify(DIGEST, &of_ed25519).is_err(), "the same 32 bytes");
        assert!(falcon.account_key().verify(DIGEST, &of_ed25519).is_err());
        assert!(ed25519.account_key().verify(DIGEST, &of_falcon).is_err());
        let AccountKey::Falcon(digest) = falcon.account_key() else { panic!("a key of Falcon") };
        assert!(AccountKey::Ed25519(PublicKey(digest.0)).verify(DIGEST, &of_falcon).is_err());
        assert_ne!(AccountKey::Falcon(name).address(), ed25519.account_key().address());
    }

    #[test]
    fn every_altered_byte_is_noticed_and_nothing_is_filled_up_or_cut() {
        let key = FalconSecret::new(&[1; 32], [9; 32]);
        let (name, good) = (key.account_key(), shown(key.sign_account(DIGEST)));
        let whole = codec::encode(&good);
        assert_eq!(whole.len(), KEY_BYTES + SIGNATURE_BYTES);
        for place in (0..whole.len()).step_by(13).chain(whole.len() - 8..whole.len()) {
            for bit in [0x01, 0x80] {
                let mut altered = good.clone();
                altered.0[place] ^= bit;
                let altered = AccountSignature::Falcon(altered);
                assert!(name.verify(DIGEST, &altered).is_err(), "byte {place}, bit {bit}");
            }
        }
        let decode = |bytes: &[u8]| codec::decode::<FalconSignature>(bytes, 4096);
        assert_eq!(decode(&whole), Ok(good));
        for cut in [0, 1, KEY_BYTES, whole.len() - 1] {
            assert_eq!(decode(&whole[..cut]), Err(DecodeError::Truncated));
        }
        let longer: Vec<u8> = whole.iter().copied().chain([0]).collect();
        assert_eq!(decode(&longer), Err(DecodeError::Trailing));
        let scheme = [&[2][..], &whole].concat();
        let unknown = codec::decode::<AccountSignature>(&scheme, 4096);
        assert_eq!(unknown, Err(DecodeError::NonCanonical));
    }
}
