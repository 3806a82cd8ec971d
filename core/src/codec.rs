//! One encoding per value: borsh, with bounded lists and refusal of everything non-canonical.
//!
//! [`decode`] tells four failures apart: truncated, trailing, over a limit, non-canonical.
//! Source: PROTOCOL A0.2, A0.7.

mod bounded;
pub use bounded::{Bounded, Text};

use alloc::vec::Vec;
use borsh::{BorshDeserialize, BorshSerialize, io};

/// Why bytes are not a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The bytes end inside the value.
    #[error("the bytes end inside the value")]
    Truncated,
    /// Bytes follow the value.
    #[error("bytes follow the value")]
    Trailing,
    /// The input, a list or a text is longer than its bound.
    #[error("input, list or text over its bound")]
    OverLimit,
    /// The bytes are not the one encoding of any value.
    #[error("the bytes are not the canonical encoding of a value")]
    NonCanonical,
}

impl DecodeError {
    /// Returns the stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Truncated => "codec/truncated",
            Self::Trailing => "codec/trailing",
            Self::OverLimit => "codec/over-limit",
            Self::NonCanonical => "codec/non-canonical",
        }
    }
}

/// Returns the error by which a bounded type reports its bound through borsh, which says so of nothing that it reads.
pub(crate) fn over_limit() -> io::Error {
    io::ErrorKind::OutOfMemory.into()
}

/// What stopped the reading of a value.
fn refusal(error: &io::Error, source: &Source<'_>) -> DecodeError {
    if source.ran_out {
        DecodeError::Truncated
    } else if error.kind() == io::ErrorKind::OutOfMemory {
        DecodeError::OverLimit
    } else {
        DecodeError::NonCanonical
    }
}

/// Encodes `value`. Cannot fail: writing to memory does not, and every list of ours is bounded.
pub fn encode<T: BorshSerialize + ?Sized>(value: &T) -> Vec<u8> {
    encode_within(value, 0)
}

/// Encodes `value` into memory for so many bytes, which are taken at once.
fn encode_within<T: BorshSerialize + ?Sized>(value: &T, bytes: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(bytes);
    let written = value.serialize(&mut bytes);
    debug_assert!(written.is_ok(), "a value over its own bound was built");
    bytes
}

/// Decodes `bytes`, at most `max` of them, as exactly one value.
///
/// # Errors
/// [`DecodeError`], one variant a cause.
pub fn decode<T: BorshDeserialize + BorshSerialize>(
    bytes: &[u8],
    max: usize,
) -> Result<T, DecodeError> {
    if bytes.len() > max {
        return Err(DecodeError::OverLimit);
    }
    let mut source = Source { rest: bytes, ran_out: false };
    let value = T::deserialize_reader(&mut source).map_err(|error| refusal(&error, &source))?;
    if !source.rest.is_empty() {
        return Err(DecodeError::Trailing);
    }
    // A0.2: `encode(decode(b)) == b`, checked on every object.
    if encode_within(&value, bytes.len()) == bytes {
        Ok(value)
    } else {
        Err(DecodeError::NonCanonical)
    }
}

/// A byte slice that remembers whether more was asked of it than it had.
struct Source<'a> {
    rest: &'a [u8],
    ran_out: bool,
}

impl io::Read for Source<'_> {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        let count = target.len().min(self.rest.len());
        if let (Some(target), Some((head, tail))) =
            (target.get_mut(..count), self.rest.split_at_checked(count))
        {
            target.copy_from_slice(head);
            self.rest = tail;
        }
        self.ran_out |= count < target.len();
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_has_its_own_name() {
        type Pair = (u16, Bounded<u8, 2>);
        let good = encode(&(7_u16, vec_of(&[1, 2])));
        assert_eq!(decode::<Pair>(&good, 64).map(|p| p.0), Ok(7));
        for cut in 0..good.len() {
            assert_eq!(decode::<Pair>(&good[..cut], 64).err(), Some(DecodeError::Truncated));
        }
        let mut long = good.clone();
        long.push(0);
        assert_eq!(decode::<Pair>(&long, 64).err(), Some(DecodeError::Trailing));
        assert_eq!(decode::<Pair>(&good, 3).err(), Some(DecodeError::OverLimit));
        let three = encode(&(7_u16, alloc::vec![1_u8, 2, 3]));
        assert_eq!(decode::<Pair>(&three, 64).err(), Some(DecodeError::OverLimit));
        assert_eq!(decode::<bool>(&[2], 64).err(), Some(DecodeError::NonCanonical));
    }

    /// A0.2. A type may be read from more than it is written as; the codec is where that ends.
    #[test]
    fn a_second_encoding_of_a_value_is_refused() {
        #[derive(Debug, PartialEq, BorshSerialize)]
        struct Parity(u8);
        impl BorshDeserialize for Parity {
            fn deserialize_reader<R: io::Read>(reader: &mut R) -> io::Result<Self> {
                Ok(Self(u8::deserialize_reader(reader)? % 2))
            }
        }
        assert_eq!(decode::<Parity>(&[1], 64), Ok(Parity(1)));
        assert_eq!(decode::<Parity>(&[3], 64), Err(DecodeError::NonCanonical));
    }

    #[test]
    fn a_huge_length_is_refused_before_memory_is_taken() {
        let bytes = u32::MAX.to_le_bytes();
        assert_eq!(decode::<Bounded<u64, 1000>>(&bytes, 64).err(), Some(DecodeError::OverLimit));
    }

    fn vec_of(items: &[u8]) -> Bounded<u8, 2> {
        Bounded::try_from(items.to_vec()).unwrap()
    }
}
