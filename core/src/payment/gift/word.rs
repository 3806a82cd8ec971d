//! What giver and payee say to each other.
//!
//! ```text
//! mark 32 | 0 u8 | nonce u64 | voucher 89     giver to payee: this is yours                      130 bytes
//! mark 32 | 1 u8 | nonce u64                  payee to giver: I have it, say it no more           41 bytes
//! ```
//!
//! Words of fields start with a field's id on the same way; the mark is no such id. The pool's id follows from the giver's
//! address and the nonce, so that nobody can take the place of a gift by naming its pool.
//! Source: AELF-37, A5.7.

use crate::{
    codec::{self, DecodeError},
    crypto::Hash,
    id::{Address, ChainId, PoolId},
    payment::{reservation::pool_id, voucher::CompactVoucher},
};
use alloc::vec::Vec;
use borsh::{BorshDeserialize, BorshSerialize};

/// Longest word, in bytes.
pub const MAX_WORD: usize = 32 + 1 + 8 + crate::payment::voucher::COMPACT_BYTES;

/// What every word starts with.
const MARK: Hash = Hash(*b"antiphon: a gift, not of a field");

#[derive(BorshSerialize, BorshDeserialize)]
enum Body {
    Offer(u64, CompactVoucher),
    Taken(u64),
}

/// A word that was read.
pub(super) enum Word {
    /// The other gives this, from its pool of this nonce.
    Offer(PoolId, u64, CompactVoucher),
    /// The other has what we gave.
    Taken(PoolId),
}

/// Returns whether bytes are meant as a word of giver and payee.
pub fn is_word(bytes: &[u8]) -> bool {
    bytes.starts_with(&MARK.0)
}

pub(super) fn offer(nonce: u64, voucher: CompactVoucher) -> Vec<u8> {
    codec::encode(&(MARK, Body::Offer(nonce, voucher)))
}

pub(super) fn taken(nonce: u64) -> Vec<u8> {
    codec::encode(&(MARK, Body::Taken(nonce)))
}

/// Reads what `from` said to `me`.
pub(super) fn read(
    chain: ChainId,
    (me, from): (Address, Address),
    bytes: &[u8],
) -> Result<Word, DecodeError> {
    let (mark, body): (Hash, Body) = codec::decode(bytes, MAX_WORD)?;
    if mark != MARK {
        return Err(DecodeError::NonCanonical);
    }
    Ok(match body {
        Body::Offer(nonce, voucher) => Word::Offer(pool_id(chain, &from, nonce), nonce, voucher),
        Body::Taken(nonce) => Word::Taken(pool_id(chain, &me, nonce)),
    })
}
