//! The keys of a publisher: the first one, its heirs, and the secret of the last; and what of them everybody may know.

use antiphon_core::{
    codec::{self, DecodeError},
    crypto::{PublicKey, SecretKey},
    delivery::heir::{self, Heir, Heirs, MAX_HEIRS},
};

/// Longest encoding of a keyring: first key, secret, heirs.
const MAX_BYTES: usize = 32 + 32 + 4 + (32 + 64) * MAX_HEIRS;

/// Longest encoding of what everybody may know of it.
pub const MAX_SUCCESSION_BYTES: usize = 32 + 4 + (32 + 64) * MAX_HEIRS;

/// Who took over from a publisher's first key, verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Succession {
    publisher: PublicKey,
    heirs: Heirs,
}

impl Succession {
    /// Returns the key that streams are named after.
    pub const fn publisher(&self) -> PublicKey {
        self.publisher
    }

    /// Returns who took over, the first one first.
    pub const fn heirs(&self) -> &Heirs {
        &self.heirs
    }

    /// Returns its bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        codec::encode(&(self.publisher, &self.heirs))
    }

    /// Reads it and checks that each key was named by the one before it.
    ///
    /// # Errors
    /// [`KeyringError::Decode`] and [`KeyringError::Broken`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KeyringError> {
        let (publisher, heirs): (PublicKey, Heirs) = codec::decode(bytes, MAX_SUCCESSION_BYTES)?;
        heir::signer(publisher, &heirs).ok_or(KeyringError::Broken)?;
        Ok(Self { publisher, heirs })
    }
}

/// The keys of a publisher.
#[derive(Clone, Debug)]
pub struct Keyring {
    publisher: PublicKey,
    heirs: Heirs,
    key: SecretKey,
}

/// Why keys are no keyring, or have no heir.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyringError {
    /// Not the bytes of one.
    #[error("the keyring does not decode: {0}")]
    Decode(#[from] DecodeError),
    /// Its secret is not that of the last heir, or an heir was not named by the key before it.
    #[error("the keys do not follow from each other")]
    Broken,
    /// No heir after the last.
    #[error("a publisher has at most {MAX_HEIRS} heirs; begin a new stream")]
    TooManyHeirs,
}

impl KeyringError {
    /// Returns the stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Decode(_) => "keyring/malformed",
            Self::Broken => "keyring/broken",
            Self::TooManyHeirs => "keyring/too-many-heirs",
        }
    }
}

impl Keyring {
    /// Makes the keyring of a publisher that never changed its key.
    pub fn new(key: SecretKey) -> Self {
        Self { publisher: key.public(), heirs: Heirs::new(), key }
    }

    /// Lets `fresh` take over: the key so far signs for it, and is gone.
    ///
    /// # Errors
    /// [`KeyringError::TooManyHeirs`].
    pub fn inherit(&self, fresh: SecretKey) -> Result<Self, KeyringError> {
        let mut heirs = self.heirs.clone().into_vec();
        let place = u8::try_from(heirs.len()).map_err(|_| KeyringError::TooManyHeirs)?;
        heirs.push(Heir::new(&self.key, self.publisher, place, fresh.public()));
        let heirs = heirs.try_into().map_err(|_| KeyringError::TooManyHeirs)?;
        Ok(Self { publisher: self.publisher, heirs, key: fresh })
    }

    /// Returns the key that streams are named after.
    pub const fn publisher(&self) -> PublicKey {
        self.publisher
    }

    /// Returns who took over, the first one first.
    pub const fn heirs(&self) -> &Heirs {
        &self.heirs
    }

    /// Returns what of it everybody may know.
    pub fn succession(&self) -> Succession {
        Succession { publisher: self.publisher, heirs: self.heirs.clone() }
    }

    /// Returns the key that signs now.
    pub const fn key(&self) -> &SecretKey {
        &self.key
    }

    /// Returns its bytes, with the secret.
    pub fn to_bytes(&self) -> Vec<u8> {
        codec::encode(&(self.publisher, *self.key.to_bytes(), &self.heirs))
    }

    /// Reads a keyring and checks that its keys follow from each other.
    ///
    /// # Errors
    /// [`KeyringError::Decode`] and [`KeyringError::Broken`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KeyringError> {
        let (publisher, secret, heirs): (PublicKey, [u8; 32], Heirs) =
            codec::decode(bytes, MAX_BYTES)?;
        let key = SecretKey::from_bytes(&secret);
        if heir::signer(publisher, &heirs) != Some(key.public()) {
            return Err(KeyringError::Broken);
        }
        Ok(Self { publisher, heirs, key })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: u8) -> SecretKey {
        SecretKey::from_bytes(&[n; 32])
    }

    #[test]
    fn each_key_signs_for_the_next_until_there_is_no_room() {
        let mut ring = Keyring::new(key(1));
        for n in 0..MAX_HEIRS {
            ring = ring.inherit(key(u8::try_from(n).unwrap() + 2)).unwrap();
            assert_eq!(heir::signer(key(1).public(), ring.heirs()), Some(ring.key().public()));
        }
        assert_eq!(ring.publisher(), key(1).public());
        assert_eq!(ring.inherit(key(99)).err(), Some(KeyringError::TooManyHeirs));
        let bytes = ring.to_bytes();
        assert_eq!(bytes.len(), MAX_BYTES);
        assert_eq!(Keyring::from_bytes(&bytes).unwrap().to_bytes(), bytes);
    }

    #[test]
    fn what_everybody_may_know_is_read_whole_and_verified_or_not_at_all() {
        let mut ring = Keyring::new(key(1));
        assert_eq!(ring.succession().to_bytes().len(), 32 + 4);
        for n in 0..MAX_HEIRS {
            ring = ring.inherit(key(u8::try_from(n).unwrap() + 2)).unwrap();
        }
        let bytes = ring.succession().to_bytes();
        assert_eq!(bytes.len(), MAX_SUCCESSION_BYTES);
        assert_eq!(Succession::from_bytes(&bytes), Ok(ring.succession()));
        let refused = |bytes: &[u8]| Succession::from_bytes(bytes).unwrap_err();
        for cut in 0..bytes.len() {
            assert_eq!(refused(&bytes[..cut]), KeyringError::Decode(DecodeError::Truncated));
        }
        let longer = [&bytes[..], &[0]].concat();
        assert_eq!(refused(&longer), KeyringError::Decode(DecodeError::OverLimit));
        let trailing = [Keyring::new(key(1)).succession().to_bytes(), vec![0]].concat();
        assert_eq!(refused(&trailing), KeyringError::Decode(DecodeError::Trailing));
        let mut many = bytes.clone();
        many[32] = 17;
        assert_eq!(refused(&many), KeyringError::Decode(DecodeError::OverLimit));
        for place in [0, 36, 36 + 32, bytes.len() - 1] {
            let mut forged = bytes.clone();
            forged[place] ^= 1;
            assert_eq!(refused(&forged), KeyringError::Broken, "byte {place}");
        }
    }

    #[test]
    fn keys_that_do_not_follow_are_no_keyring() {
        let ring = Keyring::new(key(1)).inherit(key(2)).unwrap();
        let other = Keyring { key: key(1), ..ring.clone() };
        let read = |bytes: &[u8]| Keyring::from_bytes(bytes).err();
        assert_eq!(read(&other.to_bytes()), Some(KeyringError::Broken));
        let bytes = ring.to_bytes();
        for cut in 0..bytes.len() {
            assert!(matches!(read(&bytes[..cut]), Some(KeyringError::Decode(_))), "{cut}");
        }
    }
}
