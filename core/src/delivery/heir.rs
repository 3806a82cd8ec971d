//! Who signs for a publisher after its key was changed.
//!
//! ```text
//! publisher --signs--> heir 1 --signs--> heir 2 --signs--> stream, records
//! ```
//!
//! A stream keeps its id, which binds the first key. Each key signs the next; the last one signs everything else. A
//! listener that has seen an heir follows no list that lacks it, so a key that was given up, or stolen later, cannot take
//! a stream back from those who listen. Who has never seen the heir cannot know: a publisher that loses a key shows its
//! listeners the list before a thief does, or begins a new stream.
//!
//! Deviation: the signature names no chain (PROTOCOL A0.1). Who follows whom is a fact about keys; it moves nothing on
//! any chain.

use crate::{
    codec::Bounded,
    crypto::{PublicKey, SecretKey, Signature, Signed, Tagged},
    id::ChainId,
};
use borsh::{BorshDeserialize, BorshSerialize};

/// Heirs that a publisher may have had. Chosen here: a change each month for a year, and some in need.
pub const MAX_HEIRS: usize = 16;

/// All heirs of a publisher, the first one first.
pub type Heirs = Bounded<Heir, MAX_HEIRS>;

/// A key that took over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Heir {
    /// The key that signs from now on.
    pub key: PublicKey,
    /// Of the key before it, over the succession.
    pub signature: Signature,
}

/// What a key signs about its heir.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
struct Succession {
    /// The publisher's first key, which its streams are named after.
    publisher: PublicKey,
    /// How many heirs there were before.
    place: u8,
    /// The heir.
    key: PublicKey,
}

impl Tagged for Succession {
    const TAG: &'static str = "publisher/v1/heir";
}

impl Heir {
    /// Signs with `old`, the key in force after `before` heirs of `publisher`, that `key` takes over.
    pub fn new(old: &SecretKey, publisher: PublicKey, before: u8, key: PublicKey) -> Self {
        let signed =
            Signed::new(old, ChainId::default(), Succession { publisher, place: before, key });
        Self { key, signature: signed.signature }
    }
}

/// Returns the key that signs for `publisher`, or `None` if one of `heirs` was not named by the key before it. Costs one
/// verification for each.
pub fn signer(publisher: PublicKey, heirs: &[Heir]) -> Option<PublicKey> {
    let mut signer = publisher;
    for (heir, place) in heirs.iter().zip(0..) {
        let body = Succession { publisher, place, key: heir.key };
        let signed = Signed { body, signature: heir.signature };
        signed.verify(ChainId::default(), &signer).ok()?;
        signer = heir.key;
    }
    Some(signer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{vec, vec::Vec};

    #[test]
    fn the_last_of_a_chain_of_keys_signs() {
        assert_eq!(signer(key(0).public(), &[]), Some(key(0).public()));
        assert_eq!(signer(key(0).public(), &heirs()[..1]), Some(key(1).public()));
        assert_eq!(signer(key(0).public(), &heirs()), Some(key(3).public()));
    }

    #[test]
    fn an_heir_that_the_key_before_it_did_not_name_is_none() {
        let good = heirs();
        let publisher = key(0).public();
        let thief = key(9);
        let named_by = |old: &SecretKey, of: PublicKey, before| {
            vec![good[0], Heir::new(old, of, before, thief.public())]
        };
        let cases: [(&str, Vec<Heir>); 7] = [
            ("by itself", vec![Heir::new(&thief, publisher, 0, thief.public())]),
            ("by a key that was given up", named_by(&key(0), publisher, 1)),
            ("by a key to come", named_by(&key(2), publisher, 1)),
            ("at another place", named_by(&key(1), publisher, 0)),
            ("of another publisher", named_by(&key(1), thief.public(), 1)),
            ("with a gap", vec![good[0], good[2]]),
            ("another key under the same signature", vec![Heir { key: thief.public(), ..good[0] }]),
        ];
        for (case, heirs) in cases {
            assert_eq!(signer(publisher, &heirs), None, "{case}");
        }
        assert_eq!(signer(thief.public(), &good), None, "heirs of another");
    }

    fn key(n: u8) -> SecretKey {
        SecretKey::from_bytes(&[n + 1; 32])
    }

    fn heirs() -> Vec<Heir> {
        let publisher = key(0).public();
        (0..3).map(|n| Heir::new(&key(n), publisher, n, key(n + 1).public())).collect()
    }
}
