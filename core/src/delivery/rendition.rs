//! Renditions: the same sound at several bit rates, as one stream.
//!
//! ```text
//! sequence (u64) = rendition (4 bits) << 40 | number within it (40 bits)
//! ```
//!
//! All renditions share stream, swarm, price and pool: a listener that switches keeps its neighbours and pays on. What
//! tells their chunks apart is the sequence number, which is signed in each record, so a chunk of one rendition can never
//! stand for a chunk of another. RFC 8216 §6.2.4 lets numbers differ between renditions; players match them by date.

/// Bits of a sequence number that count segments. Chosen here: at ten a second they last three thousand years.
const NUMBER_BITS: u32 = 40;

/// Renditions that a stream may have. Chosen here: numbers stay below 2^44, and every JavaScript player counts to 2^53.
pub const MAX_RENDITIONS: u8 = 16;

/// The first sequence number that no rendition has.
pub const END: u64 = (MAX_RENDITIONS as u64) << NUMBER_BITS;

/// The first number within a rendition that no segment has.
pub const MAX_NUMBER: u64 = 1 << NUMBER_BITS;

/// Returns which rendition a segment belongs to.
pub const fn of(sequence: u64) -> u64 {
    sequence >> NUMBER_BITS
}

/// Returns a segment's number within its rendition.
pub const fn number(sequence: u64) -> u64 {
    sequence % MAX_NUMBER
}

/// Returns whether a segment comes after `end` within its rendition.
pub const fn is_past(sequence: u64, end: u64) -> bool {
    of(sequence) == of(end) && sequence > end
}

/// Returns the sequence number of a segment, or `None` past the last number of the rendition or past the last rendition.
pub const fn sequence(rendition: u8, number: u64) -> Option<u64> {
    if rendition >= MAX_RENDITIONS || number >= MAX_NUMBER {
        return None;
    }
    Some(((rendition as u64) << NUMBER_BITS) | number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sequence_number_tells_rendition_and_number() {
        for (rendition, inside) in [(0, 0), (0, MAX_NUMBER - 1), (3, 41), (15, MAX_NUMBER - 1)] {
            let whole = sequence(rendition, inside).unwrap();
            assert_eq!((of(whole), number(whole)), (u64::from(rendition), inside));
            assert!(whole < END);
        }
        const { assert!(END < 1 << 53, "JavaScript counts them") };
        assert_eq!(sequence(MAX_RENDITIONS, 0), None);
        assert_eq!(sequence(0, MAX_NUMBER), None);
        assert_eq!(sequence(15, MAX_NUMBER - 1), Some(END - 1));
    }
}
