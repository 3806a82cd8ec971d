//! What is stored: a name, bytes, and a digest by which damage is noticed.
//!
//! ```text
//! bytes | H("row/v1/seal", chain, name length u32 | name | bytes) 32
//! ```
//!
//! [`crate::client`] seals each row that a machine stores and unseals what comes back, once for all machines.
//! Damage is noticed, not prevented: the digest needs no key, because whoever can write here can also remove.
//! What a damaged row means is for its machine to say; one that guards money freezes (A5.13).
//!
//! Source: PROTOCOL A0.1, A5.13.

use crate::{
    codec,
    crypto::{Hash, hash_tagged},
    id::ChainId,
};
use alloc::{string::String, vec::Vec};

/// Domain of the digest.
const TAG: &str = "row/v1/seal";
/// Bytes of the digest.
const DIGEST_BYTES: usize = 32;

/// A row that was read back: its name, and its bytes unless they are damaged.
pub type Row = (String, Result<Vec<u8>, Damaged>);

/// The row is not what was written under its name on this chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a stored row is damaged")]
pub struct Damaged;

impl Damaged {
    /// Returns the stable code of this error.
    pub const fn code(self) -> &'static str {
        "storage/row-damaged"
    }
}

/// Returns what to store under `name`.
pub fn seal(chain: ChainId, name: &str, mut bytes: Vec<u8>) -> Vec<u8> {
    let digest = digest(chain, name, &bytes);
    bytes.extend_from_slice(&digest.0);
    bytes
}

/// Returns the bytes that were stored under `name`.
///
/// # Errors
/// [`Damaged`]: cut, altered, another name's or another chain's.
pub fn unseal(chain: ChainId, name: &str, mut sealed: Vec<u8>) -> Result<Vec<u8>, Damaged> {
    let end = sealed.len().checked_sub(DIGEST_BYTES).ok_or(Damaged)?;
    let found = sealed.split_off(end);
    if found == digest(chain, name, &sealed).0 { Ok(sealed) } else { Err(Damaged) }
}

/// Returns everything that a disk gave back as machines take it.
pub fn unseal_all(chain: ChainId, sealed: impl IntoIterator<Item = (String, Vec<u8>)>) -> Vec<Row> {
    let rows = sealed.into_iter().map(|(name, sealed)| {
        let bytes = unseal(chain, &name, sealed);
        (name, bytes)
    });
    rows.collect()
}

fn digest(chain: ChainId, name: &str, bytes: &[u8]) -> Hash {
    let mut named = codec::encode(name);
    named.extend_from_slice(bytes);
    hash_tagged(TAG, chain, &named)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHAIN: ChainId = ChainId(Hash([1; 32]));

    #[test]
    fn only_the_whole_row_of_this_name_and_chain_is_read_back() {
        let sealed = seal(CHAIN, "payer/ab", alloc::vec![1, 2, 3]);
        assert_eq!(unseal(CHAIN, "payer/ab", sealed.clone()), Ok(alloc::vec![1, 2, 3]));
        assert_eq!(unseal(CHAIN, "payer/ac", sealed.clone()), Err(Damaged));
        assert_eq!(unseal(ChainId(Hash([2; 32])), "payer/ab", sealed.clone()), Err(Damaged));
        for bit in 0..sealed.len() * 8 {
            let mut flipped = sealed.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(unseal(CHAIN, "payer/ab", flipped), Err(Damaged), "bit {bit}");
        }
        for cut in 0..sealed.len() {
            assert_eq!(unseal(CHAIN, "payer/ab", sealed[..cut].to_vec()), Err(Damaged));
        }
        assert_eq!(unseal(CHAIN, "payer/ab", [&sealed[..], &[0]].concat()), Err(Damaged));
    }

    #[test]
    fn no_byte_can_move_between_name_and_bytes() {
        let sealed = seal(CHAIN, "payer/a", b"bc".to_vec());
        let mut moved = b"c".to_vec();
        moved.extend_from_slice(&sealed[2..]);
        assert_eq!(unseal(CHAIN, "payer/ab", moved), Err(Damaged));
    }

    #[test]
    fn the_stored_form_is_what_it_always_was() {
        // Made here, and by a second implementation (Python hashlib): pins tag, order and widths.
        let golden = "01020326603497020816e1b4dc97d41a653436fbc89d1141e6783910803d542ce887bc";
        assert_eq!(hex::encode(seal(CHAIN, "payer/ab", alloc::vec![1, 2, 3])), golden);
    }
}
