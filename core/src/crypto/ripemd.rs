//! RIPEMD-160 of a digest, for addresses: two lines of eighty steps over one block.
//!
//! Rounds that are written out, as libraries have them, are 6 kB of every page; here they are tables. The tests ask the crate
//! `ripemd`. Source: H. Dobbertin, A. Bosselaers, B. Preneel, 1996.

use super::Hash;

/// A line of work: what is added in each round, and by which step which word is taken and turned by how much.
type Line = ([u32; 5], [[u8; 16]; 5], [[u8; 16]; 5]);

const START: [u32; 5] = [0x6745_2301, 0xEFCD_AB89, 0x98BA_DCFE, 0x1032_5476, 0xC3D2_E1F0];

#[rustfmt::skip] // Tables, a round a row.
const LEFT: Line = (
    [0, 0x5A82_7999, 0x6ED9_EBA1, 0x8F1B_BCDC, 0xA953_FD4E],
    [
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
        [7, 4, 13, 1, 10, 6, 15, 3, 12, 0, 9, 5, 2, 14, 11, 8],
        [3, 10, 14, 4, 9, 15, 8, 1, 2, 7, 0, 6, 13, 11, 5, 12],
        [1, 9, 11, 10, 0, 8, 12, 4, 13, 3, 7, 15, 14, 5, 6, 2],
        [4, 0, 5, 9, 7, 12, 2, 10, 14, 1, 3, 8, 11, 6, 15, 13],
    ],
    [
        [11, 14, 15, 12, 5, 8, 7, 9, 11, 13, 14, 15, 6, 7, 9, 8],
        [7, 6, 8, 13, 11, 9, 7, 15, 7, 12, 15, 9, 11, 7, 13, 12],
        [11, 13, 6, 7, 14, 9, 13, 15, 14, 8, 13, 6, 5, 12, 7, 5],
        [11, 12, 14, 15, 14, 15, 9, 8, 9, 14, 5, 6, 8, 6, 5, 12],
        [9, 15, 5, 11, 6, 8, 13, 12, 5, 12, 13, 14, 11, 8, 5, 6],
    ],
);

#[rustfmt::skip]
const RIGHT: Line = (
    [0x50A2_8BE6, 0x5C4D_D124, 0x6D70_3EF3, 0x7A6D_76E9, 0],
    [
        [5, 14, 7, 0, 9, 2, 11, 4, 13, 6, 15, 8, 1, 10, 3, 12],
        [6, 11, 3, 7, 0, 13, 5, 10, 14, 15, 8, 12, 4, 9, 1, 2],
        [15, 5, 1, 3, 7, 14, 6, 9, 11, 8, 12, 2, 10, 0, 4, 13],
        [8, 6, 4, 1, 3, 11, 15, 0, 5, 12, 2, 13, 9, 7, 10, 14],
        [12, 15, 10, 4, 1, 5, 8, 7, 6, 2, 13, 14, 0, 3, 9, 11],
    ],
    [
        [8, 9, 9, 11, 13, 15, 15, 5, 7, 7, 8, 11, 14, 14, 12, 6],
        [9, 13, 15, 7, 12, 8, 9, 11, 7, 7, 12, 7, 6, 15, 13, 11],
        [9, 7, 15, 11, 8, 6, 6, 14, 12, 13, 5, 14, 13, 13, 7, 5],
        [15, 5, 8, 11, 14, 14, 6, 14, 6, 9, 12, 9, 12, 5, 15, 8],
        [8, 5, 12, 9, 12, 5, 14, 6, 8, 13, 6, 5, 15, 13, 11, 11],
    ],
);

/// Returns RIPEMD-160 of the 32 bytes of a digest.
pub(crate) fn ripemd160(digest: &Hash) -> [u8; 20] {
    let mut block = [0_u32; 16];
    for (word, bytes) in block.iter_mut().zip(digest.0.as_chunks().0) {
        *word = u32::from_le_bytes(*bytes);
    }
    // The padding: one bit, and the length in bits.
    (block[8], block[14]) = (0x80, 256);
    let left = line(&block, &LEFT, |round| round);
    let right = line(&block, &RIGHT, |round| 4_usize.wrapping_sub(round));
    let mut out = [0; 20];
    for (place, bytes) in out.as_chunks_mut().0.iter_mut().enumerate() {
        let turned = |words: &[u32; 5], by: usize| {
            words.iter().cycle().nth(place.wrapping_add(by)).copied().unwrap_or_default()
        };
        let sum = turned(&START, 1).wrapping_add(turned(&left, 2)).wrapping_add(turned(&right, 3));
        *bytes = sum.to_le_bytes();
    }
    out
}

/// Works through a line; its rounds take the functions in this order.
fn line(block: &[u32; 16], (added, words, turns): &Line, function: fn(usize) -> usize) -> [u32; 5] {
    let [mut a, mut b, mut c, mut d, mut e] = START;
    for (round, ((added, words), turns)) in added.iter().zip(words).zip(turns).enumerate() {
        for (word, turn) in words.iter().zip(turns) {
            let mixed = match function(round) {
                0 => b ^ c ^ d,
                1 => (b & c) | (!b & d),
                2 => (b | !c) ^ d,
                3 => (b & d) | (c & !d),
                _ => b ^ (c | !d),
            };
            let taken = block.get(usize::from(*word)).copied().unwrap_or_default();
            let sum = a.wrapping_add(mixed).wrapping_add(taken).wrapping_add(*added);
            let next = sum.rotate_left(u32::from(*turn)).wrapping_add(e);
            (a, e, d, c, b) = (e, d, c.rotate_left(10), b, next);
        }
    }
    [a, b, c, d, e]
}

#[cfg(test)]
mod tests {
    use super::*;
    use ripemd::Digest as _;

    #[test]
    fn the_library_says_the_same_of_every_digest() {
        let mut digest = Hash([0; 32]);
        for _ in 0..1000 {
            let expected: [u8; 20] = ripemd::Ripemd160::digest(digest.0).into();
            assert_eq!(ripemd160(&digest), expected, "{digest}");
            digest = Hash::of(&[&digest.0]);
        }
        assert_eq!(
            ripemd160(&Hash([0xFF; 32])),
            <[u8; 20]>::from(ripemd::Ripemd160::digest([0xFF; 32]))
        );
    }
}
