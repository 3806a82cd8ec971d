//! A file of one payment that somebody brought, judged by whoever follows the chain.
//!
//! ```text
//! bytes --read: bounded, decoded, verified alone--> Brought --the header at its height is proven elsewhere--> under --> shown
//! ```
//!
//! The file names its height itself, so it says nothing before the header of that height is believed and commits its field
//! root. On which chain the field was opened it says, too; that this is the chain which is followed, or one that it went on
//! from, follows from the header.
//!
//! Source: PROTOCOL A0.9, A6.10.

use super::{
    EVIDENCE_BEGINNING, FieldFileError, FieldShown, MAX_FIELD_PROOF, MAX_MEMBERS, PaymentEvidence,
    evidence::{OF_A_FIELD, PAYMENT},
};
use crate::{
    codec::{self, DecodeError},
    crypto::Hash,
    id::{ChainId, Height},
};

/// Longest file of one payment, in bytes.
pub const MAX_PAYMENT_FILE: usize =
    EVIDENCE_BEGINNING.len() + 256 + MAX_FIELD_PROOF + MAX_MEMBERS * 32;

/// A file that holds together. It shows nothing before a header bears it out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Brought {
    shown: FieldShown,
    index: u32,
    height: Height,
    field_root: Hash,
}

/// Why a file that was brought shows nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BroughtError {
    /// It does not begin like a file of evidence.
    #[error("this is no file of evidence, or one of a newer version")]
    NotEvidence,
    /// It shows something else.
    #[error("this file is not about one payment of a field")]
    NotPayment,
    /// What follows its beginning is damaged.
    #[error("the file is damaged: {0}")]
    Malformed(DecodeError),
    /// It does not hold together.
    #[error(transparent)]
    File(#[from] FieldFileError),
    /// The block's header commits other fields.
    #[error("the header of that block commits other fields")]
    OtherBlock,
}

impl BroughtError {
    /// Returns the stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotEvidence => "field/not-evidence",
            Self::NotPayment => "field/not-payment",
            Self::Malformed(error) => error.code(),
            Self::File(error) => error.code(),
            Self::OtherBlock => "field/other-block",
        }
    }
}

impl Brought {
    /// Reads a file of at most [`MAX_PAYMENT_FILE`] bytes and checks that it holds together: one signature, and the way from
    /// the payment to the field root that it names.
    ///
    /// # Errors
    /// [`BroughtError`], all but [`BroughtError::OtherBlock`].
    pub fn read(file: &[u8]) -> Result<Self, BroughtError> {
        let body = file.strip_prefix(EVIDENCE_BEGINNING).ok_or(BroughtError::NotEvidence)?;
        let kind = body.get(32..34).ok_or(BroughtError::Malformed(DecodeError::Truncated))?;
        if kind != [OF_A_FIELD, PAYMENT] {
            return Err(BroughtError::NotPayment);
        }
        let read = codec::decode(body, MAX_PAYMENT_FILE).map_err(BroughtError::Malformed)?;
        let (chain, _, evidence): (ChainId, [u8; 2], PaymentEvidence) = read;
        let shown = evidence.verify(chain)?;
        let PaymentEvidence { height, field_root, proof, .. } = evidence;
        Ok(Self { shown, index: proof.in_round.index, height, field_root })
    }

    /// Returns the height of the block that must have closed the field.
    pub const fn height(&self) -> Height {
        self.height
    }

    /// Returns what the file shows, and the payment's place in its round, if the header of that height, which the caller
    /// believes, has this field root.
    ///
    /// # Errors
    /// [`BroughtError::OtherBlock`].
    pub fn under(&self, field_root: &Hash) -> Result<(&FieldShown, u32), BroughtError> {
        if self.field_root != *field_root {
            return Err(BroughtError::OtherBlock);
        }
        Ok((&self.shown, self.index))
    }
}
