//! What a member can show to anybody, as a file: a state that all signed, or two words of one key that exclude each other.
//!
//! ```text
//! "antiphon-evidence" | version u8 = 1 | chain 32 | what it is of u8 = 2, a field | FieldEvidence (borsh)
//! ```
//!
//! It is a file that `antiphon evidence check` reads.
//!
//! Nothing of it depends on a node or on the chain's state: whoever has the file checks it. That the key was the leader's,
//! and the keys those of all members, the field's row says.
//!
//! Source: PROTOCOL A6.9, A6.10; ADVERSARIAL case 23.

use super::{
    MAX_SEALED, MIN_MEMBERS, Receipt, RoundState, SealError, SealedState, escrow::FieldKeys,
};
use crate::{
    codec::{self, DecodeError},
    crypto::{PublicKey, Signed},
    id::{ChainId, FieldId},
};
use alloc::{boxed::Box, vec::Vec};
use borsh::{BorshDeserialize, BorshSerialize};

/// Longest file that is read, in bytes: the largest sealed state with its keys.
pub const MAX_FIELD_FILE: usize = 2 * MAX_SEALED;

/// What every file of evidence begins with, whatever it is of.
pub const EVIDENCE_BEGINNING: &[u8] = b"antiphon-evidence\x01";
/// What such a file is of.
const OF_A_FIELD: u8 = 2;
const CHAIN_BYTES: usize = 32;

/// What a file holds.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum FieldEvidence {
    /// All of these keys signed one state: what the chain enforces if they are the members'.
    Sealed {
        /// In the order of places.
        keys: FieldKeys,
        /// What they signed.
        sealed: Box<SealedState>,
    },
    /// One key put two payments in one place of a round.
    Receipts {
        /// Whose.
        key: PublicKey,
        /// Both words.
        pair: Box<[Signed<Receipt>; 2]>,
    },
    /// One key signed two states of one round.
    States {
        /// Whose.
        key: PublicKey,
        /// Both words.
        pair: Box<[Signed<RoundState>; 2]>,
    },
}

/// A file about a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldFile {
    /// The chain on which the field was opened, for which everything of it is signed.
    pub chain: ChainId,
    /// What it shows.
    pub evidence: FieldEvidence,
}

/// What was shown, and of whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldShown {
    /// The field.
    pub field: FieldId,
    /// Its version.
    pub version: u32,
    /// The round.
    pub round: u32,
    /// Whose keys: all who signed, or the one that said two things.
    pub keys: Vec<PublicKey>,
}

/// Why a file shows nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FieldFileError {
    /// It does not begin like one, or is of something else.
    #[error("this is no evidence of a field, or of a newer version")]
    NotOfField,
    /// What follows is none.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// Not all have signed, or the one has not signed both.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// Both words are the same, or about different places: an honest key may sign both.
    #[error("both words can be true")]
    NoContradiction,
}

impl FieldFileError {
    /// Returns the stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotOfField => "field/no-evidence",
            Self::Decode(error) => error.code(),
            Self::Seal(error) => error.code(),
            Self::NoContradiction => "field/no-contradiction",
        }
    }
}

impl FieldFile {
    /// Reads a file.
    ///
    /// # Errors
    /// [`FieldFileError::NotOfField`], [`FieldFileError::Decode`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, FieldFileError> {
        let rest = bytes.strip_prefix(EVIDENCE_BEGINNING).ok_or(FieldFileError::NotOfField)?;
        // After the chain comes what it is of: another kind has another body.
        if rest.get(CHAIN_BYTES).is_some_and(|of| *of != OF_A_FIELD) {
            return Err(FieldFileError::NotOfField);
        }
        let (chain, _, evidence): (ChainId, u8, FieldEvidence) =
            codec::decode(rest, MAX_FIELD_FILE)?;
        Ok(Self { chain, evidence })
    }

    /// Returns the file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let body = codec::encode(&(self.chain, OF_A_FIELD, &self.evidence));
        [EVIDENCE_BEGINNING, &body].concat()
    }

    /// Checks the file, and returns what it shows.
    ///
    /// # Errors
    /// [`FieldFileError`].
    pub fn verify(&self) -> Result<FieldShown, FieldFileError> {
        self.evidence.verify(self.chain)
    }
}

impl FieldEvidence {
    /// Returns the stable name of its kind.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Sealed { .. } => "sealed-state",
            Self::Receipts { .. } => "two-receipts",
            Self::States { .. } => "two-states",
        }
    }

    /// Checks it on a chain, and returns what it shows.
    ///
    /// # Errors
    /// [`FieldFileError`].
    pub fn verify(&self, chain: ChainId) -> Result<FieldShown, FieldFileError> {
        match self {
            Self::Sealed { keys, sealed } => {
                if keys.len() < MIN_MEMBERS {
                    let signatures = sealed.signatures.len();
                    return Err(SealError::Count { keys: MIN_MEMBERS, signatures }.into());
                }
                sealed.verify(chain, keys.iter())?;
                let RoundState { field, version, round, .. } = sealed.state;
                Ok(FieldShown { field, version, round, keys: keys.to_vec() })
            }
            Self::Receipts { key, pair } => {
                let [one, other] = pair.each_ref().map(|word| &word.body);
                let place = |word: &Receipt| (word.field, word.version, word.round, word.index);
                if place(one) != place(other) || one.payment == other.payment {
                    return Err(FieldFileError::NoContradiction);
                }
                signed_both(chain, key, pair)?;
                let Receipt { field, version, round, .. } = *one;
                Ok(FieldShown { field, version, round, keys: [*key].to_vec() })
            }
            Self::States { key, pair } => {
                let [one, other] = pair.each_ref().map(|word| &word.body);
                if (one.field, one.rank()) != (other.field, other.rank()) || one == other {
                    return Err(FieldFileError::NoContradiction);
                }
                signed_both(chain, key, pair)?;
                let RoundState { field, version, round, .. } = *one;
                Ok(FieldShown { field, version, round, keys: [*key].to_vec() })
            }
        }
    }
}

fn signed_both<T: crate::crypto::Tagged>(
    chain: ChainId,
    key: &PublicKey,
    pair: &[Signed<T>; 2],
) -> Result<(), FieldFileError> {
    for (place, word) in pair.iter().enumerate() {
        word.verify(chain, key).map_err(|_| SealError::Signature { place })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        codec::Bounded,
        crypto::{Hash, SecretKey},
    };

    const CHAIN: ChainId = ChainId(Hash([1; 32]));

    fn receipt(index: u32, payment: u8) -> Receipt {
        let (field, payment) = (FieldId(Hash([2; 32])), Hash([payment; 32]));
        Receipt { field, version: 0, round: 5, index, payment }
    }

    fn state(round: u32, payments: u64) -> RoundState {
        RoundState {
            field: FieldId(Hash([2; 32])),
            version: 0,
            round,
            balances: Bounded::new(),
            tx_root: Hash([3; 32]),
            payments,
            prev: Hash::default(),
            is_final: false,
        }
    }

    fn key(seed: u8) -> SecretKey {
        SecretKey::from_bytes(&[seed; 32])
    }

    fn receipts(one: Receipt, other: Receipt) -> FieldFile {
        let pair = [one, other].map(|word| Signed::new(&key(1), CHAIN, word));
        let evidence = FieldEvidence::Receipts { key: key(1).public(), pair: Box::new(pair) };
        FieldFile { chain: CHAIN, evidence }
    }

    fn states(one: RoundState, other: RoundState) -> FieldFile {
        let pair = [one, other].map(|word| Signed::new(&key(1), CHAIN, word));
        let evidence = FieldEvidence::States { key: key(1).public(), pair: Box::new(pair) };
        FieldFile { chain: CHAIN, evidence }
    }

    #[test]
    fn two_words_that_exclude_each_other_are_shown_and_others_are_not() {
        let shown = receipts(receipt(3, 7), receipt(3, 8)).verify().unwrap();
        assert_eq!((shown.round, shown.keys), (5, [key(1).public()].to_vec()));
        assert!(states(state(5, 1), state(5, 2)).verify().is_ok());
        let honest = Err(FieldFileError::NoContradiction);
        assert_eq!(receipts(receipt(3, 7), receipt(4, 8)).verify(), honest);
        assert_eq!(receipts(receipt(3, 7), receipt(3, 7)).verify(), honest);
        assert_eq!(states(state(5, 1), state(6, 2)).verify(), honest);
        assert_eq!(states(state(5, 1), state(5, 1)).verify(), honest);
    }

    #[test]
    fn nobody_is_accused_of_what_it_did_not_sign() {
        let good = receipts(receipt(3, 7), receipt(3, 8));
        assert!(FieldFile { chain: ChainId::default(), ..good.clone() }.verify().is_err());
        let FieldEvidence::Receipts { pair, .. } = good.evidence else { panic!() };
        let innocent = FieldEvidence::Receipts { key: key(2).public(), pair: pair.clone() };
        let wrong = Err(FieldFileError::Seal(SealError::Signature { place: 0 }));
        assert_eq!(FieldFile { chain: CHAIN, evidence: innocent }.verify(), wrong);
        let half = [pair[0].clone(), Signed::new(&key(2), CHAIN, receipt(3, 8))];
        let half = FieldEvidence::Receipts { key: key(1).public(), pair: Box::new(half) };
        let wrong = Err(FieldFileError::Seal(SealError::Signature { place: 1 }));
        assert_eq!(FieldFile { chain: CHAIN, evidence: half }.verify(), wrong);
    }

    #[test]
    fn a_state_of_nobody_is_shown_of_nobody() {
        let sealed = SealedState { state: state(5, 1), signatures: Bounded::new() };
        let evidence = FieldEvidence::Sealed { keys: Bounded::new(), sealed: Box::new(sealed) };
        assert!(evidence.verify(CHAIN).is_err());
    }

    #[test]
    fn a_sealed_state_is_shown_with_all_who_signed() {
        let state = state(5, 1);
        let keys: Vec<_> = [1, 2].map(|seed| key(seed).public()).to_vec();
        let signatures = [1, 2].map(|seed| key(seed).sign(CHAIN, &state)).to_vec();
        let sealed = SealedState { state, signatures: Bounded::try_from(signatures).unwrap() };
        let file = |keys: Vec<PublicKey>| FieldFile {
            chain: CHAIN,
            evidence: FieldEvidence::Sealed {
                keys: Bounded::try_from(keys).unwrap(),
                sealed: Box::new(sealed.clone()),
            },
        };
        assert_eq!(file(keys.clone()).verify().unwrap().keys, keys);
        assert!(file(keys[..1].to_vec()).verify().is_err());
        assert!(file([keys[1], keys[0]].to_vec()).verify().is_err());
        let bytes = file(keys).to_bytes();
        assert!(FieldFile::from_bytes(&bytes).is_ok());
        for cut in 0..bytes.len() {
            let error = FieldFile::from_bytes(&bytes[..cut]).unwrap_err();
            let is_headless = cut < EVIDENCE_BEGINNING.len();
            assert_eq!(error.code() == "field/no-evidence", is_headless);
            assert_eq!(error.code() == "codec/truncated", !is_headless);
        }
        let mut other = bytes.clone();
        other[EVIDENCE_BEGINNING.len() + 32] = 0;
        assert_eq!(FieldFile::from_bytes(&other), Err(FieldFileError::NotOfField));
        let longer = [&bytes[..], &[0]].concat();
        assert_eq!(FieldFile::from_bytes(&longer).unwrap_err().code(), "codec/trailing");
    }
}
