//! A list and a text with a bound that is checked before memory is taken. Source: PROTOCOL A0.7.

use super::DecodeError;
use alloc::{string::String, vec::Vec};
use borsh::{BorshDeserialize, BorshSerialize, io};
use core::{fmt, ops::Deref};

/// A list of at most `MAX` items. Reads as a slice.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bounded<T, const MAX: usize>(Vec<T>);

impl<T, const MAX: usize> Bounded<T, MAX> {
    /// Returns the empty list.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Returns the items.
    pub fn into_vec(self) -> Vec<T> {
        self.0
    }
}

impl<T, const MAX: usize> Default for Bounded<T, MAX> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T, const MAX: usize> TryFrom<Vec<T>> for Bounded<T, MAX> {
    type Error = DecodeError;

    fn try_from(items: Vec<T>) -> Result<Self, DecodeError> {
        if items.len() > MAX { Err(DecodeError::OverLimit) } else { Ok(Self(items)) }
    }
}

impl<T, const MAX: usize> Deref for Bounded<T, MAX> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T: BorshSerialize, const MAX: usize> BorshSerialize for Bounded<T, MAX> {
    fn serialize<W: io::Write>(&self, writer: &mut W) -> io::Result<()> {
        self.0.serialize(writer)
    }
}

impl<T: BorshDeserialize, const MAX: usize> BorshDeserialize for Bounded<T, MAX> {
    fn deserialize_reader<R: io::Read>(reader: &mut R) -> io::Result<Self> {
        let length = read_length(reader, MAX)?;
        // Bytes are read as a whole; borsh has no such way for anything else.
        if let Some(items) = T::vec_from_reader(length, reader)? {
            return Ok(Self(items));
        }
        let mut items = Vec::new();
        for _ in 0..length {
            items.push(T::deserialize_reader(reader)?);
        }
        Ok(Self(items))
    }
}

/// A UTF-8 text of at most `MAX` bytes.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Text<const MAX: usize>(String);

impl<const MAX: usize> Text<MAX> {
    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const MAX: usize> TryFrom<&str> for Text<MAX> {
    type Error = DecodeError;

    fn try_from(text: &str) -> Result<Self, DecodeError> {
        if text.len() > MAX { Err(DecodeError::OverLimit) } else { Ok(Self(String::from(text))) }
    }
}

impl<const MAX: usize> fmt::Debug for Text<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<const MAX: usize> BorshSerialize for Text<MAX> {
    fn serialize<W: io::Write>(&self, writer: &mut W) -> io::Result<()> {
        self.0.serialize(writer)
    }
}

impl<const MAX: usize> BorshDeserialize for Text<MAX> {
    fn deserialize_reader<R: io::Read>(reader: &mut R) -> io::Result<Self> {
        let bytes = Bounded::<u8, MAX>::deserialize_reader(reader)?;
        String::from_utf8(bytes.into_vec()).map(Self).map_err(|_| io::ErrorKind::InvalidData.into())
    }
}

fn read_length<R: io::Read>(reader: &mut R, max: usize) -> io::Result<u32> {
    let length = u32::deserialize_reader(reader)?;
    match usize::try_from(length) {
        Ok(within) if within <= max => Ok(length),
        Ok(_) | Err(_) => Err(super::over_limit()),
    }
}
