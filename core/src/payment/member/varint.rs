//! Numbers in as many bytes as they need: seven bits a byte, the lowest first, the top bit set on all but the last.
//!
//! One encoding a number: the last byte of several is not zero. [`crate::codec::decode`] would refuse another one, too, but
//! then a whole message for it. Source: unsigned LEB128, as in DWARF 5 §7.6.

use borsh::{BorshDeserialize, BorshSerialize, io};

/// Bits of a number in each byte.
const BITS: u32 = 7;
/// Set where another byte follows.
const MORE: u8 = 0x80;

/// Writes a number in one to nineteen bytes.
pub(super) fn write<W: io::Write>(mut value: u128, writer: &mut W) -> io::Result<()> {
    loop {
        let low = u8::try_from(value & u128::from(MORE - 1)).unwrap_or(0);
        value >>= BITS;
        if value == 0 {
            return low.serialize(writer);
        }
        (low | MORE).serialize(writer)?;
    }
}

/// Reads a number of at most `bits` bits.
pub(super) fn read<R: io::Read>(bits: u32, reader: &mut R) -> io::Result<u128> {
    let (mut value, mut shift) = (0_u128, 0_u32);
    loop {
        let byte = u8::deserialize_reader(reader)?;
        let low = u128::from(byte & !MORE);
        let room = bits.saturating_sub(shift).min(BITS);
        if low >> room != 0 || (byte == 0 && shift > 0) {
            return Err(io::ErrorKind::InvalidData.into());
        }
        value |= low.checked_shl(shift).unwrap_or(0);
        if byte & MORE == 0 {
            return Ok(value);
        }
        shift = shift.saturating_add(BITS);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    fn bytes(value: u128) -> Vec<u8> {
        let mut bytes = Vec::new();
        write(value, &mut bytes).unwrap();
        bytes
    }

    #[test]
    fn a_small_number_takes_one_byte_and_the_largest_nineteen() {
        assert_eq!(bytes(0), [0]);
        assert_eq!(bytes(127), [127]);
        assert_eq!(bytes(128), [0x80, 1]);
        assert_eq!(bytes(u128::MAX).len(), 19);
        assert_eq!(read(128, &mut &bytes(u128::MAX)[..]).unwrap(), u128::MAX);
    }

    #[test]
    fn a_number_has_one_form_and_its_bound() {
        assert!(read(64, &mut &[0x80, 0][..]).is_err(), "a zero at the end");
        assert!(read(64, &mut &bytes(1 << 64)[..]).is_err(), "65 bits");
        assert_eq!(read(64, &mut &bytes(u128::from(u64::MAX))[..]).unwrap(), u128::from(u64::MAX));
        assert!(read(128, &mut &[0xff; 40][..]).is_err(), "no end");
        assert!(read(128, &mut &[0x80][..]).is_err(), "cut");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(value: u128, few in 0_u32..128) {
            let value = value >> few;
            prop_assert_eq!(read(128, &mut &bytes(value)[..]).unwrap(), value);
        }
    }
}
