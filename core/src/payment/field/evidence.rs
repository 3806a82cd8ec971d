//! What a member can show to anybody, as a file: a state that all signed, two words of one key that exclude each other, or
//! one payment of a field that a block closed.
//!
//! ```text
//! "antiphon-evidence" | version u8 = 1 | chain 32 | what it is of u8 = 2, a field | FieldEvidence (borsh)
//! ```
//!
//! It is a file that `antiphon evidence check` reads.
//!
//! Nothing of it depends on a node or on the chain's state: whoever has the file checks it. That the key was the leader's,
//! and the keys those of all members, the field's row says; that a payment's field root is the one of a block, whoever
//! follows the chain.
//!
//! Source: PROTOCOL A0.9, A6.9, A6.10; ADVERSARIAL case 23.

use super::{
    FieldProof, MIN_MEMBERS, Receipt, RoundState, SealError, SealedState,
    escrow::{FieldKeys, members_digest},
};
use crate::{
    amount::Amount,
    codec,
    crypto::{Hash, PublicKey, Signed, merkle::ProofError},
    id::{Address, ChainId, FieldId, Height},
};
use alloc::{boxed::Box, vec::Vec};
use borsh::{BorshDeserialize, BorshSerialize};

/// What every file of evidence begins with, whatever it is of.
pub const EVIDENCE_BEGINNING: &[u8] = b"antiphon-evidence\x01";
/// What such a file is of.
pub(super) const OF_A_FIELD: u8 = 2;
/// Which variant of [`FieldEvidence`] comes then: a page writes one kind alone, and carries no code for others.
const SEALED: u8 = 0;
pub(super) const PAYMENT: u8 = 3;

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
    /// One payment of a field, out of the header of the block that closed it.
    Payment(Box<PaymentEvidence>),
}

/// One payment, and what leads from it to a header's field root.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct PaymentEvidence {
    /// The height of the block that closed the field.
    pub height: Height,
    /// The field root of its header, which whoever follows the chain compares.
    pub field_root: Hash,
    /// From the payment to that root.
    pub proof: FieldProof,
    /// The members when the field was closed, in the order of places. The opening told them to everybody.
    pub keys: FieldKeys,
}

/// Who paid whom how much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paid {
    /// Who paid.
    pub payer: Address,
    /// Who was paid.
    pub payee: Address,
    /// How much.
    pub amount: Amount,
    /// The height of the block that closed the field, as whoever made the file says.
    pub height: Height,
    /// What its header must commit for that to be so.
    pub field_root: Hash,
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
    /// Whose keys: all who signed, or the one that said two things, or paid.
    pub keys: Vec<PublicKey>,
    /// The payment, if it is one that is shown.
    pub paid: Option<Paid>,
}

/// Why a file shows nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FieldFileError {
    /// Not all have signed, or the one has not signed both.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// Both words are the same, or about different places: an honest key may sign both.
    #[error("both words can be true")]
    NoContradiction,
    /// The payment is not under the field root of the header.
    #[error("the payment does not lead to the field root of the block")]
    NoPayment,
    /// The keys are not those that the header commits.
    #[error("the keys are not those of the members when the field was closed")]
    OtherMembers,
    /// Members have changed since the payment: who was at which place then, the header does not say.
    #[error("the members changed after the payment, so that nobody is named by it")]
    OtherVersion,
}

impl FieldFileError {
    /// Returns the stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Seal(error) => error.code(),
            Self::NoContradiction => "field/no-contradiction",
            Self::NoPayment => "field/no-payment",
            Self::OtherMembers => "field/other-members",
            Self::OtherVersion => "field/other-version",
        }
    }
}

impl FieldFile {
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
            Self::Payment(_) => "payment",
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
                Ok(FieldShown { field, version, round, keys: keys.to_vec(), paid: None })
            }
            Self::Receipts { key, pair } => {
                let [one, other] = pair.each_ref().map(|word| &word.body);
                let place = |word: &Receipt| (word.field, word.version, word.round, word.index);
                if place(one) != place(other) || one.payment == other.payment {
                    return Err(FieldFileError::NoContradiction);
                }
                signed_both(chain, key, pair)?;
                let Receipt { field, version, round, .. } = *one;
                Ok(FieldShown { field, version, round, keys: [*key].to_vec(), paid: None })
            }
            Self::States { key, pair } => {
                let [one, other] = pair.each_ref().map(|word| &word.body);
                if (one.field, one.rank()) != (other.field, other.rank()) || one == other {
                    return Err(FieldFileError::NoContradiction);
                }
                signed_both(chain, key, pair)?;
                let RoundState { field, version, round, .. } = *one;
                Ok(FieldShown { field, version, round, keys: [*key].to_vec(), paid: None })
            }
            Self::Payment(evidence) => evidence.verify(chain),
        }
    }
}

/// Returns the file of a state that all of these keys have signed, of its canonical bytes, as [`FieldEvidence::Sealed`] makes it.
pub fn sealed_file(chain: ChainId, keys: &FieldKeys, sealed: &[u8]) -> Vec<u8> {
    [EVIDENCE_BEGINNING, &codec::encode(&(chain, [OF_A_FIELD, SEALED], keys)), sealed].concat()
}

impl PaymentEvidence {
    /// Returns the file, as [`FieldEvidence::Payment`] makes it.
    pub fn to_file(&self, chain: ChainId) -> Vec<u8> {
        [EVIDENCE_BEGINNING, &codec::encode(&(chain, [OF_A_FIELD, PAYMENT], self))].concat()
    }

    /// Checks that under this field root is a field of these members in which one of them signed this payment to another.
    /// All of them had agreed on it: they signed the root that it leads to (A6.10).
    ///
    /// # Errors
    /// [`FieldFileError`].
    pub fn verify(&self, chain: ChainId) -> Result<FieldShown, FieldFileError> {
        let Self { keys, height, field_root, proof } = self;
        proof.verify(field_root)?;
        let payment = &proof.payment.body;
        if members_digest(keys) != proof.closed.members {
            return Err(FieldFileError::OtherMembers);
        }
        if payment.version != proof.closed.version {
            return Err(FieldFileError::OtherVersion);
        }
        let [payer, payee] = [payment.payer, payment.payee].map(|at| keys.get(usize::from(at)));
        let (Some(payer), Some(payee)) = (payer, payee) else {
            return Err(FieldFileError::OtherMembers);
        };
        // The tree holds what members agreed on; whose word it is, only its signature says.
        let place = usize::from(payment.payer);
        proof.payment.verify(chain, payer).map_err(|_| SealError::Signature { place })?;
        let [from, to] = [payer, payee].map(Address::of);
        Ok(FieldShown {
            field: payment.field,
            version: payment.version,
            round: payment.round,
            keys: [*payer].to_vec(),
            paid: Some(Paid {
                payer: from,
                payee: to,
                amount: payment.amount,
                height: *height,
                field_root: *field_root,
            }),
        })
    }
}

impl From<ProofError> for FieldFileError {
    fn from(_: ProofError) -> Self {
        Self::NoPayment
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
        assert_eq!(receipts(receipt(3, 7), receipt(3, 8)).evidence.kind(), "two-receipts");
        assert_eq!(states(state(1, 1), state(1, 2)).evidence.kind(), "two-states");
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
    }
}
