//! A transaction with the signatures of all who must sign it.

use super::{MAX_COSIGNERS, MAX_TRANSACTION, Transaction};
use crate::{
    codec::{self, Bounded, DecodeError},
    crypto::{AccountKey, AccountSignature, Hash, SignatureError, Signer, Tagged, merkle},
    id::ChainId,
};
use alloc::vec::Vec;
use borsh::{BorshDeserialize, BorshSerialize};

/// A transaction with its sender's signature, and those of its cosigners.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct SignedTransaction {
    /// What all sign.
    pub body: Transaction,
    /// The sender's.
    pub signature: AccountSignature,
    /// The cosigners', in the order of `body.cosigners`.
    pub cosignatures: Bounded<AccountSignature, MAX_COSIGNERS>,
}

impl SignedTransaction {
    /// Signs as the sender. Cosigners, if there are any, are still to sign.
    pub fn new(key: &impl Signer, chain: ChainId, body: Transaction) -> Self {
        let signature = key.sign_object(chain, &body);
        Self { body, signature, cosignatures: Bounded::new() }
    }

    /// Signs as the sender and as every cosigner whose key is among these, in any order. What is missing is noticed by
    /// [`verify`](Self::verify).
    pub fn with_cosigners(
        key: &impl Signer,
        cosigners: &[impl Signer],
        chain: ChainId,
        body: Transaction,
    ) -> Self {
        let find = |name: &AccountKey| cosigners.iter().find(|key| key.account_key() == *name);
        let keys = body.cosigners.iter().filter_map(find);
        let signatures: Vec<_> = keys.map(|key| key.sign_object(chain, &body)).collect();
        let cosignatures = Bounded::try_from(signatures).unwrap_or_default();
        Self { cosignatures, ..Self::new(key, chain, body) }
    }

    /// Checks that the sender and every cosigner signed the body on `chain`, and that each is named once.
    ///
    /// # Errors
    /// [`SignatureError`].
    pub fn verify(&self, chain: ChainId) -> Result<(), SignatureError> {
        let body = &self.body;
        let is_sorted = body.cosigners.is_sorted_by(|a, b| a < b);
        let is_whole = body.cosigners.len() == self.cosignatures.len();
        if !is_sorted || !is_whole || body.cosigners.contains(&body.sender) {
            return Err(SignatureError);
        }
        let digest = body.digest(chain);
        body.sender.verify(digest, &self.signature)?;
        let mut others = body.cosigners.iter().zip(self.cosignatures.iter());
        others.try_for_each(|(key, signature)| key.verify(digest, signature))
    }

    /// Returns the canonical bytes of body and signatures.
    pub fn to_bytes(&self) -> Vec<u8> {
        codec::encode(self)
    }
}

/// Decodes a transaction within its bound.
///
/// # Errors
/// [`DecodeError`].
pub fn decode_transaction(bytes: &[u8]) -> Result<SignedTransaction, DecodeError> {
    codec::decode(bytes, MAX_TRANSACTION)
}

/// Returns a header's `tx_root` over the canonical bytes of a block's transactions.
pub fn transaction_root<'a>(transactions: impl IntoIterator<Item = &'a SignedTransaction>) -> Hash {
    let leaves = transactions.into_iter().map(|tx| merkle::leaf_hash(&tx.to_bytes()));
    merkle::root(&leaves.collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        amount::Amount,
        codec::Text,
        crypto::SecretKey,
        id::{BlockId, Height},
    };
    use alloc::vec;

    const CHAIN: ChainId = ChainId(Hash([5; 32]));

    #[test]
    fn all_who_are_named_sign_and_nobody_else_counts() {
        let (sender, others) = (key(1), [key(2), key(3)]);
        let body = body(&sender, &others);
        let whole = SignedTransaction::with_cosigners(&sender, &others, CHAIN, body.clone());
        assert_eq!(whole.verify(CHAIN), Ok(()));
        let decoded = decode_transaction(&whole.to_bytes()).unwrap();
        assert_eq!(decoded, whole);

        let [second, _] = others;
        let one = SignedTransaction::with_cosigners(&sender, &[second], CHAIN, body.clone());
        assert_eq!(one.verify(CHAIN), Err(SignatureError), "one did not sign");
        let mut swapped = whole.clone();
        let reversed: Vec<_> = whole.cosignatures.iter().rev().cloned().collect();
        swapped.cosignatures = reversed.try_into().unwrap();
        assert_eq!(swapped.verify(CHAIN), Err(SignatureError), "in another order");
        let mut more = whole;
        more.cosignatures = vec![sender.sign_object(CHAIN, &body); 3].try_into().unwrap();
        assert_eq!(more.verify(CHAIN), Err(SignatureError), "more signatures than names");
    }

    #[test]
    fn each_signer_is_named_once_and_in_order() {
        let (sender, others) = (key(1), [key(2), key(3)]);
        let good = body(&sender, &others);
        let reversed: Vec<_> = good.cosigners.iter().rev().copied().collect();
        let doubled = vec![others[0].account_key(); 2];
        let itself = vec![sender.account_key()];
        for cosigners in [reversed, doubled, itself] {
            let body = Transaction { cosigners: cosigners.try_into().unwrap(), ..good.clone() };
            let keys = [key(1), key(2), key(3)];
            let tx = SignedTransaction::with_cosigners(&sender, &keys, CHAIN, body);
            assert_eq!(tx.body.cosigners.len(), tx.cosignatures.len());
            assert_eq!(tx.verify(CHAIN), Err(SignatureError));
        }
    }

    fn key(n: u8) -> SecretKey {
        SecretKey::from_bytes(&[n; 32])
    }

    fn body(sender: &SecretKey, others: &[SecretKey]) -> Transaction {
        let mut cosigners: Vec<_> = others.iter().map(Signer::account_key).collect();
        cosigners.sort_unstable();
        Transaction {
            sender: sender.account_key(),
            sequence: 1,
            reference_height: Height(10),
            reference_block: BlockId::default(),
            scope: Text::try_from("").unwrap(),
            max_fee: Amount::from_units(1),
            cosigners: cosigners.try_into().unwrap(),
            messages: Bounded::new(),
        }
    }
}
