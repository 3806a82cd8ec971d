//! An address as text: base58check of a kind byte and the 20 bytes.
//!
//! ```text
//! Base58( kind 1 | RIPEMD160(SHA256(public key)) 20 | first 4 bytes of SHA256(SHA256(kind | hash)) )
//! ```
//!
//! Kind 0x17 makes every text begin with `A` (Ed25519), 0x23 with `F` (Falcon); all have 34 characters. The chain knows the
//! hash alone: only the key of this hash can spend what lies there, and the key says its scheme when it signs.
//!
//! Deviation from AME-68: the seed's checksum leaves out the kind, so that `A` and `F` could be mistaken for one
//! another; ours covers it, as Bitcoin's does (SEEDS.md, cautions).

use crate::{
    crypto::{AccountKey, Hash},
    id::Address,
};
use alloc::string::String;

/// Kind byte of addresses of Ed25519 keys. Source: AME-68's `A`.
const ED25519: u8 = 0x17;

/// Kind byte of addresses of Falcon keys. Source: AME-68's `F`.
const FALCON: u8 = 0x23;

/// Longest text that is decoded, in bytes; a right one has 34.
const MAX_TEXT: usize = 64;

/// Bytes of the checksum.
const CHECK_BYTES: usize = 4;

/// Why a text is not an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddressError {
    /// A character is not one of base58.
    #[error("a character is not one of base58")]
    NotBase58,
    /// The text is too long or too short.
    #[error("an address has 34 characters")]
    WrongLength,
    /// The checksum is another's: a typing mistake.
    #[error("the checksum is wrong: mistyped?")]
    BadChecksum,
    /// An address of an Ed25519 key, where one of a Falcon key is wanted.
    #[error("the address is not one of a Falcon key, which begins with F")]
    NotFalcon,
    /// An address of another system.
    #[error("kind {kind} is another system's")]
    UnknownKind {
        /// The kind byte found.
        kind: u8,
    },
}

impl AddressError {
    /// Returns the stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotBase58 => "address/not-base58",
            Self::WrongLength => "address/wrong-length",
            Self::BadChecksum => "address/bad-checksum",
            Self::NotFalcon => "address/not-falcon",
            Self::UnknownKind { .. } => "address/unknown-kind",
        }
    }
}

/// Returns the text of an address, which begins with `A`.
pub fn to_text(address: &Address) -> String {
    write(ED25519, address)
}

/// Returns the text of an address that is known to be a Falcon key's, which begins with `F`.
pub fn to_falcon_text(address: &Address) -> String {
    write(FALCON, address)
}

/// Returns the text of a key's address, which begins with `A` or `F`.
pub fn text_of(key: &AccountKey) -> String {
    let kind = if matches!(key, AccountKey::Falcon(_)) { FALCON } else { ED25519 };
    write(kind, &key.address())
}

fn write(kind: u8, address: &Address) -> String {
    let check = checksum(&[&[kind], &address.0]);
    let text = bs58::encode([&[kind][..], &address.0, &check].concat()).into_vec();
    // Base58 is ASCII; `into_string` would bring the code that prints why it is not.
    String::from_utf8(text).unwrap_or_default()
}

/// Reads the text of an address, of whichever scheme.
///
/// # Errors
/// [`AddressError`] names what is wrong.
pub fn parse(text: &str) -> Result<Address, AddressError> {
    read(text).map(|(_, address)| address)
}

/// Reads the text of a Falcon key's address.
///
/// # Errors
/// [`AddressError`]; [`AddressError::NotFalcon`] for what begins with `A`.
pub fn parse_falcon(text: &str) -> Result<Address, AddressError> {
    let (kind, address) = read(text)?;
    if kind == FALCON { Ok(address) } else { Err(AddressError::NotFalcon) }
}

/// Reads kind and address.
fn read(text: &str) -> Result<(u8, Address), AddressError> {
    if text.len() > MAX_TEXT {
        return Err(AddressError::WrongLength);
    }
    let bytes = bs58::decode(text).into_vec().map_err(|_| AddressError::NotBase58)?;
    let (named, check) = bytes.split_last_chunk().ok_or(AddressError::WrongLength)?;
    if checksum(&[named]) != *check {
        return Err(AddressError::BadChecksum);
    }
    let (kind, hash) = named.split_first().ok_or(AddressError::WrongLength)?;
    let hash = hash.try_into().map_err(|_| AddressError::WrongLength)?;
    match *kind {
        ED25519 | FALCON => Ok((*kind, Address(hash))),
        kind => Err(AddressError::UnknownKind { kind }),
    }
}

/// The first bytes of the digest of the digest.
fn checksum(parts: &[&[u8]]) -> [u8; CHECK_BYTES] {
    let digest = Hash::of(&[&Hash::of(parts).0]).0;
    digest.first_chunk().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The hash of AME-68's own vector.
    const HASH: &str = "751e76e8199196d454941c45d1b3a323f1433bd6";

    fn address() -> Address {
        Address(hex::decode(HASH).unwrap().try_into().unwrap())
    }

    #[test]
    fn every_address_begins_with_a_and_has_34_characters() {
        for byte in 0..=255 {
            let text = to_text(&Address([byte; 20]));
            assert!(text.starts_with('A') && text.len() == 34, "{text}");
            assert_eq!(parse(&text), Ok(Address([byte; 20])));
        }
    }

    #[test]
    fn the_seeds_own_vector_fails_by_its_checksum_alone() {
        // AME-68 leaves the kind out of the checksum: same 21 bytes, other last characters.
        assert_eq!(parse("AST9CekEhDWuxHPynRmeyjg5biNFN8Vxko"), Err(AddressError::BadChecksum));
        assert_eq!(&to_text(&address())[..28], &"AST9CekEhDWuxHPynRmeyjg5biNFN8Vxko"[..28]);
    }

    #[test]
    fn the_scheme_shows_in_the_first_character_and_no_kind_is_taken_for_another() {
        let text = |kind| bs58::encode(&address().0).with_check_version(kind).into_string();
        for byte in 0..=255 {
            let key = AccountKey::Falcon(Hash([byte; 32]));
            let text = text_of(&key);
            assert!(text.starts_with('F') && text.len() == 34, "{text}");
            assert_eq!((parse(&text), parse_falcon(&text)), (Ok(key.address()), Ok(key.address())));
            assert!(parse(&text.replacen('F', "A", 1)).is_err());
        }
        // The seed's own vector, but for the checksum.
        assert_eq!(&text(FALCON)[..28], &"FGWP1xKhDP5RmV525TmUoEwX9mTZtwVxYw"[..28]);
        assert_eq!(parse(&text(FALCON)), Ok(address()));
        assert_eq!(parse_falcon(&text(ED25519)), Err(AddressError::NotFalcon));
        assert_eq!(parse(&text(0)), Err(AddressError::UnknownKind { kind: 0 }));
    }

    #[test]
    fn every_single_mistyped_character_is_noticed() {
        let good = to_text(&address());
        for place in 1..good.len() {
            for other in ['1', '9', 'z'] {
                let mut typed: alloc::vec::Vec<char> = good.chars().collect();
                typed[place] = other;
                let typed: String = typed.into_iter().collect();
                assert!(typed == good || parse(&typed).is_err(), "{typed}");
            }
        }
    }

    #[test]
    fn other_texts_are_refused_by_kind() {
        assert_eq!(parse(""), Err(AddressError::WrongLength));
        assert_eq!(parse("A0"), Err(AddressError::NotBase58));
        assert_eq!(parse("Aé"), Err(AddressError::NotBase58));
        assert_eq!(parse(&"A".repeat(65)), Err(AddressError::WrongLength));
        let short = bs58::encode(&[1; 19]).with_check_version(ED25519).into_string();
        assert_eq!(parse(&short), Err(AddressError::WrongLength));
    }
}
