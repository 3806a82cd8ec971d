//! A number that two people compare by voice or by camera: it is the same on both sides only if each has the other's key.
//!
//! ```text
//! half(person) = h = 0 0 | key type | key | user id;  5200 times h = SHA512(h | key type | key);  30 bytes, 5 at a time mod 100000
//! number       = the lesser half, then the greater: 60 digits
//! code         = version 1 | own user id | other's user id | own key 32 | other's key 32
//! ```
//!
//! User ids are texts of at most 64 bytes. Of an account it is the address, so the number stands for both. A camera compares
//! more than a voice: who shows the code says of both keys what that device holds them to be.
//!
//! Source: AME-63 and its vector, which are Signal's numeric fingerprints, version 0. The order of the halves is Signal's.
//! Deviation: the code is borsh, behind a scheme of its own; Signal's is protobuf.

use super::address;
use crate::{
    codec::{self, Text},
    crypto::{Hash, PublicKey},
    id::Address,
};
use alloc::{format, string::String};
use base64ct::{Base64UrlUnpadded, Encoding};
use borsh::{BorshDeserialize, BorshSerialize};
use sha2::{Digest, Sha512};

/// Longest user id, in bytes. Chosen here: addresses have 34, names of people rarely more.
pub const MAX_USER_ID: usize = 64;
/// Digits of a number.
pub const DIGITS: usize = 60;

/// How often a half is hashed. Source: AME-63.
const ROUNDS: usize = 5200;
/// Version of the halves. Source: AME-63's vector.
const VERSION: [u8; 2] = [0, 0];
/// What stands before a key of 32 bytes of an elliptic curve. Source: AME-63's vector.
const KEY_TYPE: u8 = 5;
/// Bytes of a digest of which digits are made, and how many make five digits.
const TAKEN: usize = 30;
const GROUP: usize = 5;

/// What a code begins with as text.
const SCHEME: &str = "antiphon-safety:";
/// Version of the code.
const CODE_VERSION: u8 = 1;
/// Longest code, in bytes: a version, two user ids with their lengths, two keys.
const MAX_CODE: usize = 1 + 2 * (4 + MAX_USER_ID) + 2 * 32;

/// Why nothing is safe to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SafetyError {
    /// A key is not 64 hexadecimal digits.
    #[error("a key has 64 hexadecimal digits")]
    BadKey,
    /// A user id is longer than [`MAX_USER_ID`] bytes.
    #[error("a user id has at most {MAX_USER_ID} bytes")]
    IdTooLong,
    /// The text is no code of a safety number.
    #[error("the text is no code of a safety number")]
    NotCode,
    /// A later version made the code.
    #[error("the code has version {version}")]
    OtherVersion {
        /// The version found.
        version: u8,
    },
    /// The code is about two others.
    #[error("the code is about other people")]
    OtherPeople,
    /// The device that shows the code holds another key for one of the two: somebody may stand between them.
    #[error("the other device holds another key for one of the two")]
    Mismatch,
}

impl SafetyError {
    /// Returns the stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::BadKey => "safety/bad-key",
            Self::IdTooLong => "safety/id-too-long",
            Self::NotCode => "safety/not-code",
            Self::OtherVersion { .. } => "safety/other-version",
            Self::OtherPeople => "safety/other-people",
            Self::Mismatch => "safety/mismatch",
        }
    }
}

/// Somebody, and the key that is held to be theirs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    id: Text<MAX_USER_ID>,
    key: PublicKey,
}

impl Person {
    /// Names somebody.
    ///
    /// # Errors
    /// [`SafetyError::IdTooLong`].
    pub fn new(id: &str, key: PublicKey) -> Result<Self, SafetyError> {
        let id = Text::try_from(id).map_err(|_| SafetyError::IdTooLong)?;
        Ok(Self { id, key })
    }

    /// Names whose account a key is: the user id is its address.
    pub fn of(key: PublicKey) -> Self {
        let id = Text::try_from(&*address::to_text(&Address::of(&key))).unwrap_or_default();
        Self { id, key }
    }

    /// Returns the thirty digits of one person.
    fn half(&self) -> String {
        let key = [&[KEY_TYPE][..], &self.key.0].concat();
        let first = [&VERSION[..], &key, self.id.as_str().as_bytes()].concat();
        let again = |hash: [u8; 64], _| {
            Sha512::new().chain_update(hash).chain_update(&key).finalize().into()
        };
        let start = Sha512::new().chain_update(first).chain_update(&key).finalize().into();
        let hash = (1..ROUNDS).fold(start, again);
        let groups = hash.chunks_exact(GROUP).take(TAKEN / GROUP);
        groups.map(|group| format!("{:05}", number(group) % 100_000)).collect()
    }
}

/// Two people who compare their keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// Who asks.
    pub own: Person,
    /// Who is asked about.
    pub other: Person,
}

impl Pair {
    /// Names the accounts of two keys.
    pub fn of(own: PublicKey, other: PublicKey) -> Self {
        Self { own: Person::of(own), other: Person::of(other) }
    }

    /// Names the accounts of two keys in hexadecimal, as people are shown them.
    ///
    /// # Errors
    /// [`SafetyError::BadKey`].
    pub fn parse(own: &str, other: &str) -> Result<Self, SafetyError> {
        let key = |text| Hash::from_hex(text).map(|bytes| PublicKey(bytes.0));
        let keys = key(own).zip(key(other)).ok_or(SafetyError::BadKey)?;
        Ok(Self::of(keys.0, keys.1))
    }

    /// Returns the sixty digits, the same on both sides.
    pub fn number(&self) -> String {
        let (own, other) = (self.own.half(), self.other.half());
        if own < other { own + &other } else { other + &own }
    }

    /// Returns the text of the code that one shows and the other scans.
    pub fn to_code(&self) -> String {
        let code = Code {
            version: CODE_VERSION,
            own_id: self.own.id.clone(),
            other_id: self.other.id.clone(),
            own_key: self.own.key,
            other_key: self.other.key,
        };
        format!("{SCHEME}{}", Base64UrlUnpadded::encode_string(&codec::encode(&code)))
    }

    /// Compares with the code that the other one shows.
    ///
    /// # Errors
    /// [`SafetyError`]: the text is no such code, is about others, or the keys differ.
    pub fn check(&self, code: &str) -> Result<(), SafetyError> {
        let code = Code::read(code)?;
        if (&code.own_id, &code.other_id) != (&self.other.id, &self.own.id) {
            return Err(SafetyError::OtherPeople);
        }
        if (code.own_key, code.other_key) == (self.other.key, self.own.key) {
            Ok(())
        } else {
            Err(SafetyError::Mismatch)
        }
    }
}

/// What a camera reads: the pair as the device sees it that shows the code.
#[derive(BorshSerialize, BorshDeserialize)]
struct Code {
    version: u8,
    own_id: Text<MAX_USER_ID>,
    other_id: Text<MAX_USER_ID>,
    own_key: PublicKey,
    other_key: PublicKey,
}

impl Code {
    fn read(text: &str) -> Result<Self, SafetyError> {
        let text = text.strip_prefix(SCHEME).ok_or(SafetyError::NotCode)?;
        let mut room = [0; MAX_CODE];
        // Longer text does not fit the room, and is refused.
        let bytes = Base64UrlUnpadded::decode(text, &mut room).map_err(|_| SafetyError::NotCode)?;
        match *bytes.first().ok_or(SafetyError::NotCode)? {
            CODE_VERSION => codec::decode(bytes, MAX_CODE).map_err(|_| SafetyError::NotCode),
            version => Err(SafetyError::OtherVersion { version }),
        }
    }
}

/// The number of some bytes, the first the most significant.
fn number(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |sum, byte| (sum << 8) | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    fn key(hex: &str) -> PublicKey {
        PublicKey(hex::decode(hex).unwrap().try_into().unwrap())
    }

    fn alice() -> Person {
        let key = key("06863bc66d02b40d27b8d49ca7c09e9239236f9d7d25d6fcca5ce13c7064d868");
        Person::new("+14152222222", key).unwrap()
    }

    fn bob() -> Person {
        let key = key("f781b6fb32fed9ba1cf2de978d4d5da28dc34046ae814402b5c0dbd96fda907b");
        Person::new("+14153333333", key).unwrap()
    }

    fn pair(own: Person, other: Person) -> Pair {
        Pair { own, other }
    }

    #[test]
    fn both_sides_have_the_number_of_the_seeds_vector() {
        let number = "300354477692869396892869876765458257569162576843440918079131";
        assert_eq!(pair(alice(), bob()).number(), number);
        assert_eq!(pair(bob(), alice()).number(), number);
        assert_eq!(number.len(), DIGITS);
    }

    #[test]
    fn another_key_or_another_name_is_another_number() {
        let number = pair(alice(), bob()).number();
        let mallory = Person { key: PublicKey([7; 32]), ..bob() };
        let renamed = Person::new("+14153333334", bob().key).unwrap();
        assert_ne!(pair(alice(), mallory).number(), number);
        assert_ne!(pair(alice(), renamed).number(), number);
        assert_eq!(Person::new(&"x".repeat(65), bob().key), Err(SafetyError::IdTooLong));
        assert!(Person::new(&"x".repeat(64), bob().key).is_ok());
    }

    #[test]
    fn who_scans_the_code_of_the_other_side_is_told_what_differs() {
        let (own, shown) = (pair(alice(), bob()), pair(bob(), alice()));
        assert_eq!(own.check(&shown.to_code()), Ok(()));
        assert_eq!(own.check(&own.to_code()), Err(SafetyError::OtherPeople), "one's own code");
        let mallory = |person| Person { key: PublicKey([7; 32]), ..person };
        for between in [pair(mallory(bob()), alice()), pair(bob(), mallory(alice()))] {
            assert_eq!(own.check(&between.to_code()), Err(SafetyError::Mismatch));
        }
        let accounts = Pair::of(alice().key, bob().key);
        assert_eq!(accounts.check(&Pair::of(bob().key, alice().key).to_code()), Ok(()));
        let [alice, bob] = [alice(), bob()].map(|person| hex::encode(person.key.0));
        assert_eq!(Pair::parse(&alice, &bob), Ok(accounts));
        assert_eq!(Pair::parse(&alice, &bob[1..]), Err(SafetyError::BadKey));
    }

    #[test]
    fn what_is_no_code_is_refused_and_every_altered_byte_is_noticed() {
        let (own, code) = (pair(alice(), bob()), pair(bob(), alice()).to_code());
        let body = code.strip_prefix(SCHEME).unwrap();
        let bytes = Base64UrlUnpadded::decode_vec(body).unwrap();
        let check = |bytes: &[u8]| {
            own.check(&format!("{SCHEME}{}", Base64UrlUnpadded::encode_string(bytes)))
        };
        for place in 0..bytes.len() {
            let mut altered = bytes.clone();
            altered[place] ^= 1;
            assert!(check(&altered).is_err(), "byte {place}");
            assert_eq!(check(&bytes[..place]), Err(SafetyError::NotCode), "cut at {place}");
        }
        let longer: Vec<u8> = bytes.iter().copied().chain([0]).collect();
        assert_eq!(check(&longer), Err(SafetyError::NotCode));
        let newer: Vec<u8> = core::iter::once(2).chain(bytes[1..].iter().copied()).collect();
        assert_eq!(check(&newer), Err(SafetyError::OtherVersion { version: 2 }));
        for text in ["", body, SCHEME, "antiphon-safety:é", &format!("{code}="), &"A".repeat(9999)]
        {
            assert_eq!(own.check(text), Err(SafetyError::NotCode), "{text}");
        }
        let huge = format!("{SCHEME}{}", "A".repeat(1 << 20));
        assert_eq!(own.check(&huge), Err(SafetyError::NotCode));
    }

    #[test]
    fn the_longest_ids_fit_a_code() {
        let person = |byte| Person::new(&"é".repeat(32), PublicKey([byte; 32])).unwrap();
        let (own, other) = (pair(person(1), person(2)), pair(person(2), person(1)));
        assert_eq!(own.check(&other.to_code()), Ok(()));
    }
}
