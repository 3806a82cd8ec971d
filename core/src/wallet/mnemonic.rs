//! Twelve or twenty-four English words that stand for a wallet.
//!
//! ```text
//! entropy 16 or 32 bytes | first bits of SHA256(entropy), one for each four bytes  ->  words of 11 bits each
//! ```
//!
//! The crate `bip39` says the same, and the tests ask it; in a page its table of words and its own SHA-2 were 17 kB after gzip.
//! Source: BIP-39.

mod list;

use self::list::{List, letters};
use super::derivation::keyed;
use alloc::{string::String, vec::Vec};
use core::fmt;
use hmac::Mac;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// Bits that a word stands for.
const WORD_BITS: u32 = 11;

/// Rounds of PBKDF2.
const ROUNDS: usize = 2048;

/// Longest text that is parsed, in bytes: 24 words of 8 letters with generous spaces.
const MAX_TEXT: usize = 512;

/// Why there are no words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MnemonicError {
    /// Entropy is 16 or 32 bytes.
    #[error("entropy is 16 or 32 bytes, not {found}")]
    BadEntropyLength {
        /// Bytes given.
        found: usize,
    },
    /// A wallet has 12 or 24 words.
    #[error("a wallet has 12 or 24 words, not {found}")]
    BadWordCount {
        /// Words given.
        found: usize,
    },
    /// A word is not in the English list. The word itself is not repeated here.
    #[error("word {position} is not in the English list")]
    UnknownWord {
        /// Which word, from 1.
        position: usize,
    },
    /// The words are right, their order or choice is not.
    #[error("the words do not belong together")]
    BadChecksum,
    /// The text is far longer than 24 words.
    #[error("the text is longer than 24 words")]
    TooLong,
}

impl MnemonicError {
    /// Returns the stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::BadEntropyLength { .. } => "wallet/bad-entropy-length",
            Self::BadWordCount { .. } => "wallet/bad-word-count",
            Self::UnknownWord { .. } => "wallet/unknown-word",
            Self::BadChecksum => "wallet/bad-checksum",
            Self::TooLong => "wallet/text-too-long",
        }
    }
}

/// The words of a wallet. Never printed by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Words {
    entropy: Zeroizing<Vec<u8>>,
}

impl Words {
    /// Makes 12 words of 16 bytes of fresh entropy, or 24 of 32.
    ///
    /// # Errors
    /// [`MnemonicError::BadEntropyLength`].
    pub fn from_entropy(entropy: &[u8]) -> Result<Self, MnemonicError> {
        if !matches!(entropy.len(), 16 | 32) {
            return Err(MnemonicError::BadEntropyLength { found: entropy.len() });
        }
        Ok(Self { entropy: Zeroizing::new(entropy.to_vec()) })
    }

    /// Reads words that a person wrote down; case and spaces do not matter.
    ///
    /// # Errors
    /// [`MnemonicError`] names the first thing that is wrong.
    pub fn parse(text: &str) -> Result<Self, MnemonicError> {
        if text.len() > MAX_TEXT {
            return Err(MnemonicError::TooLong);
        }
        let found = pieces(text).count();
        if !matches!(found, 12 | 24) {
            return Err(MnemonicError::BadWordCount { found });
        }
        let lower = Zeroizing::new(text.to_ascii_lowercase());
        let mut places = Zeroizing::new(Vec::with_capacity(found));
        for (at, word) in pieces(&lower).enumerate() {
            let unknown = MnemonicError::UnknownWord { position: at.saturating_add(1) };
            let place = List::new().position(|known| letters(&known) == word).ok_or(unknown)?;
            places.push(u32::try_from(place).map_err(|_| unknown)?);
        }
        let mut entropy = bytes_of(&places);
        // Twelve words are 16 bytes and four bits, twenty-four are 32 bytes and eight.
        entropy.truncate(if found == 12 { 16 } else { 32 });
        let words = Self { entropy };
        if *words.places() == *places { Ok(words) } else { Err(MnemonicError::BadChecksum) }
    }

    /// Returns the place of each word in the list.
    fn places(&self) -> Zeroizing<Vec<u32>> {
        let check = Sha256::digest(&*self.entropy);
        let mut places = Zeroizing::new(Vec::with_capacity(24));
        let (mut bits, mut held) = (0, 0_u32);
        for byte in self.entropy.iter().chain(check.first()) {
            (bits, held) = ((bits << 8) | u32::from(*byte), held.saturating_add(8));
            if let Some(rest) = held.checked_sub(WORD_BITS) {
                places.push((bits >> rest) & 0x7ff);
                held = rest;
            }
        }
        places
    }

    /// Returns the words with single spaces, to be written down by the user. Wiped when dropped.
    pub fn to_text(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(MAX_TEXT));
        for place in self.places().iter() {
            if !text.is_empty() {
                text.push(' ');
            }
            let word = usize::try_from(*place).ok().and_then(|place| List::new().nth(place));
            text.push_str(letters(&word.unwrap_or_default()));
        }
        text
    }

    /// Returns the 64-byte seed of these words under a passphrase, usually empty, in Unicode's form NFKD, as ASCII is. Takes
    /// 2048 rounds of HMAC.
    pub fn to_seed(&self, passphrase: &str) -> Zeroizing<[u8; 64]> {
        let mac = keyed(self.to_text().as_bytes());
        let mut salted = mac.clone();
        for part in [b"mnemonic", passphrase.as_bytes(), &1_u32.to_be_bytes()] {
            salted.update(part);
        }
        let mut round = Zeroizing::new(<[u8; 64]>::from(salted.finalize().into_bytes()));
        let mut seed = round.clone();
        for _ in 1..ROUNDS {
            let mut next = mac.clone();
            next.update(&*round);
            *round = next.finalize().into_bytes().into();
            seed.iter_mut().zip(round.iter()).for_each(|(to, from)| *to ^= from);
        }
        seed
    }
}

/// Returns what stands between spaces, of whichever kind: no word of the list has anything but ASCII.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| !letter.is_ascii_graphic()).filter(|piece| !piece.is_empty())
}

/// Puts words of 11 bits together to bytes; bits that fill no byte come last, from its upper end.
fn bytes_of(places: &[u32]) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(33));
    let (mut bits, mut held) = (0_u32, 0_u32);
    for place in places {
        (bits, held) = ((bits << WORD_BITS) | place, held.saturating_add(WORD_BITS));
        while let Some(rest) = held.checked_sub(8) {
            bytes.extend((bits >> rest).to_le_bytes().first());
            held = rest;
        }
    }
    bytes
}

impl fmt::Debug for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Words({})", self.places().len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    /// Entropy, words, seed under "TREZOR". Source: trezor/python-mnemonic `vectors.json`; the seed of the first also
    /// by Python's `hashlib.pbkdf2_hmac`.
    const FIRST: &str = "abandon abandon abandon abandon abandon abandon \
        abandon abandon abandon abandon abandon about";
    const FIRST_SEED: &str = "c55257c360c07c72029aebc1b53c05ed0362ada38ead3e3e9efa3708e5349553\
        1f09a6987599d18264c1e1c92f2cf141630c7a3c4ab7c81b2f001698e7463b04";

    #[test]
    fn entropy_gives_the_words_and_seed_of_the_standard() {
        let words = Words::from_entropy(&[0; 16]).unwrap();
        assert_eq!(words.to_text().as_str(), FIRST);
        assert_eq!(hex::encode(*words.to_seed("TREZOR")), FIRST_SEED);
        let vectors = [
            (
                "7dce4ed2284c9134d026608ab684c05c",
                "lava include region explain simple omit dog slot melt reflect copy reward",
            ),
            (
                "5baf069620eff15c71dd97c9a6ee328f",
                "forum join pitch dove yellow purchase shuffle real situate danger million bunker",
            ),
            (
                "00ac97c48106f0aeb8ba061e0250a559b3251dc35854e694780ba51d53a50120",
                "absent gorilla van acoustic humor firm title dolphin bulk barely citizen recall crane moment aspect appear track phrase actual enforce steel spoon afraid benefit",
            ),
            (
                "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
                "zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo vote",
            ),
        ];
        for (entropy, text) in vectors {
            let words = Words::from_entropy(&hex::decode(entropy).unwrap()).unwrap();
            assert_eq!(words.to_text().as_str(), text);
            assert_eq!(Words::parse(text), Ok(words));
        }
    }

    #[test]
    fn a_second_implementation_says_the_same_of_every_word_and_of_what_is_wrong() {
        use bip39::{Language, Mnemonic};
        let list: Vec<_> = List::new().map(|word| String::from(letters(&word))).collect();
        assert!(list.iter().eq(Language::English.word_list()));
        for number in 0..64_u8 {
            let entropy = [Sha256::digest([number]).as_slice(), &[]].concat();
            let entropy = &entropy[..if number % 2 == 0 { 16 } else { 32 }];
            let (ours, theirs) =
                (Words::from_entropy(entropy).unwrap(), Mnemonic::from_entropy(entropy).unwrap());
            let text = theirs.to_string();
            assert_eq!(*ours.to_text(), text);
            assert_eq!(Words::parse(&text), Ok(ours.clone()));
            // Any other last word of the list is right for both or wrong for both.
            let (rest, _) = text.rsplit_once(' ').unwrap();
            let other = alloc::format!("{rest} {}", list[usize::from(number)]);
            assert_eq!(Words::parse(&other).is_ok(), Mnemonic::parse(&other).is_ok(), "{other}");
            if number < 4 {
                assert_eq!(*ours.to_seed("pass"), theirs.to_seed("pass"));
            }
        }
    }

    #[test]
    fn case_and_spaces_do_not_matter() {
        let untidy = FIRST.to_uppercase().replace(' ', " \n\u{a0}\u{3000}");
        assert_eq!(Words::parse(&untidy), Words::parse(FIRST));
    }

    #[test]
    fn each_mistake_has_its_name() {
        let found = 20;
        let short = Words::from_entropy(&[0; 20]);
        assert_eq!(short, Err(MnemonicError::BadEntropyLength { found }));
        assert_eq!(Words::parse("abandon"), Err(MnemonicError::BadWordCount { found: 1 }));
        assert_eq!(Words::parse(""), Err(MnemonicError::BadWordCount { found: 0 }));
        let typo = FIRST.replacen("abandon abandon", "abandon abandom", 1);
        assert_eq!(Words::parse(&typo), Err(MnemonicError::UnknownWord { position: 2 }));
        let swapped = FIRST.replace("about", "abandon");
        assert_eq!(Words::parse(&swapped), Err(MnemonicError::BadChecksum));
        assert_eq!(Words::parse(&"a ".repeat(10_000)), Err(MnemonicError::TooLong));
    }

    #[test]
    fn debug_output_keeps_the_secret() {
        assert_eq!(alloc::format!("{:?}", Words::parse(FIRST).unwrap()), "Words(12)");
    }
}
