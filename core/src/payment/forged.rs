//! Vouchers as a forger would make them; the chain and the payee must both refuse each. ADVERSARIAL case 19.

use super::voucher::Voucher;
use crate::{
    codec,
    crypto::{Hash, PublicKey, SecretKey, Signature, Signed, hash_tagged},
    id::{Address, ChainId, PoolId, StreamId},
};
use alloc::vec::Vec;

/// The order of the group of Ed25519, little-endian.
const ORDER: &str = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";

/// Returns the body signed by its right key, but for something else: another chain, pool, target, resource or type, or
/// signed by another key, or not at all.
pub(super) fn all(key: &SecretKey, chain: ChainId, body: Voucher) -> Vec<Signed<Voucher>> {
    let elsewhere = |body| Signed::new(key, chain, body).signature;
    let typed = |tag| key.sign_digest(hash_tagged(tag, chain, &codec::encode(&body)));
    let right = Signed::new(key, chain, body).signature;
    let signatures = [
        Signed::new(key, ChainId(Hash([2; 32])), body).signature,
        elsewhere(Voucher { pool: PoolId(Hash([9; 32])), ..body }),
        elsewhere(Voucher { target: Address([9; 20]), ..body }),
        elsewhere(Voucher { resource: StreamId(Hash([9; 32])), ..body }),
        elsewhere(Voucher { seq: body.seq.wrapping_add(1), ..body }),
        elsewhere(Voucher { cum: Default::default(), ..body }),
        typed("pool/v1/claim"),
        typed("pool/v1/vouche"),
        Signed::new(&SecretKey::from_bytes(&[8; 32]), chain, body).signature,
        malleated(&right),
        Signature([0; 64]),
    ];
    signatures.map(|signature| Signed { body, signature }).to_vec()
}

/// Returns `S + L`: the same scalar, written a second way.
fn malleated(right: &Signature) -> Signature {
    let (mut bytes, mut carry) = (right.0, 0_u16);
    for (byte, add) in bytes[32..].iter_mut().zip(hex::decode(ORDER).unwrap()) {
        let sum = u16::from(*byte) + u16::from(add) + carry;
        (*byte, carry) = (sum.to_le_bytes()[0], sum >> 8);
    }
    Signature(bytes)
}

/// Returns a key and a signature of small order; lax verifiers accept them for any message.
pub(super) fn torsion() -> (PublicKey, Signature) {
    let mut identity = [0; 64];
    identity[0] = 1;
    (PublicKey(*identity.first_chunk().unwrap()), Signature(identity))
}
