//! Twelve or twenty-four English words that stand for a wallet. Source: BIP-39.

use alloc::string::String;
use bip39::{Language, Mnemonic};
use core::fmt;
use zeroize::Zeroizing;

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
pub struct Words(Mnemonic);

impl Words {
    /// Makes 12 words of 16 bytes of fresh entropy, or 24 of 32.
    ///
    /// # Errors
    /// [`MnemonicError::BadEntropyLength`].
    pub fn from_entropy(entropy: &[u8]) -> Result<Self, MnemonicError> {
        let wrong = MnemonicError::BadEntropyLength { found: entropy.len() };
        if !matches!(entropy.len(), 16 | 32) {
            return Err(wrong);
        }
        Mnemonic::from_entropy_in(Language::English, entropy).map(Self).map_err(|_| wrong)
    }

    /// Reads words that a person wrote down; case and spaces do not matter.
    ///
    /// # Errors
    /// [`MnemonicError`] names the first thing that is wrong.
    pub fn parse(text: &str) -> Result<Self, MnemonicError> {
        if text.len() > MAX_TEXT {
            return Err(MnemonicError::TooLong);
        }
        let found = text.split_whitespace().count();
        if !matches!(found, 12 | 24) {
            return Err(MnemonicError::BadWordCount { found });
        }
        let lower = Zeroizing::new(text.to_lowercase());
        let words = Mnemonic::parse_in_normalized(Language::English, lower.as_str());
        words.map(Self).map_err(|error| match error {
            bip39::Error::UnknownWord(index) => {
                MnemonicError::UnknownWord { position: index.saturating_add(1) }
            }
            bip39::Error::InvalidChecksum => MnemonicError::BadChecksum,
            bip39::Error::BadWordCount(_)
            | bip39::Error::BadEntropyBitCount(_)
            | bip39::Error::AmbiguousLanguages(_) => MnemonicError::BadWordCount { found },
        })
    }

    /// Returns the words with single spaces, to be written down by the user. Wiped when dropped.
    pub fn to_text(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(MAX_TEXT));
        for word in self.0.words() {
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(word);
        }
        text
    }

    /// Returns the 64-byte seed of these words under a passphrase, usually empty, which is in NFKD already: whoever lets a person
    /// type one writes it so first. Takes 2048 rounds of HMAC.
    pub fn to_seed(&self, passphrase: &str) -> Zeroizing<[u8; 64]> {
        Zeroizing::new(self.0.to_seed_normalized(passphrase))
    }
}

impl fmt::Debug for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Words({})", self.0.word_count())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn case_and_spaces_do_not_matter() {
        let untidy = FIRST.to_uppercase().replace(' ', " \n ");
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
