//! The key of an account: words, passphrase and a number.
//!
//! ```text
//! m / 44' / 1' / account'         an Ed25519 key
//! m / 44' / 1' / account' / 1'    the seed of a Falcon key
//! ```
//!
//! Coin type 1 is SLIP-0044's "testnet, all coins": Antiphon has no registered type, and takes none that is another's.
//! A device that has seen the words need not keep them: the [`Branch`] above the accounts gives every one of them, and tells
//! nothing of the words, for each step is hardened.
//!
//! Source: BIP-44 cut after the account, as is usual for Ed25519, which has no public derivation.

use super::{
    derivation::{ExtendedKey, IndexError},
    mnemonic::Words,
};
use crate::{
    crypto::{PublicKey, SecretKey},
    id::Address,
};
use zeroize::Zeroizing;

/// The step below an account to the seed of its Falcon key. Who has the Ed25519 key alone cannot take it: it needs the chain code.
const FALCON: u32 = 1;
/// The path up to the account.
const PATH: [u32; 2] = [44, 1];

/// What all accounts of a wallet are derived from: `m / 44' / 1'`. Whoever has it has their money.
#[derive(Clone, Debug)]
pub struct Branch(ExtendedKey);

impl Branch {
    /// Derives it from words under a passphrase, usually empty. Takes 2048 rounds of HMAC.
    ///
    /// # Errors
    /// [`IndexError`]: never, for every step of the path is below 2³¹.
    pub fn new(words: &Words, passphrase: &str) -> Result<Self, IndexError> {
        Self::of_seed(&words.to_seed(passphrase))
    }

    /// Derives it from the seed of words, where something faster than [`Words::to_seed`] has made it.
    ///
    /// # Errors
    /// [`IndexError`]: never, for every step of the path is below 2³¹.
    pub fn of_seed(seed: &[u8; 64]) -> Result<Self, IndexError> {
        ExtendedKey::master(seed).derive(&PATH).map(Self)
    }

    /// Returns what a device keeps instead of the words.
    pub fn to_bytes(&self) -> Zeroizing<[u8; 64]> {
        self.0.to_bytes()
    }

    /// Takes back what a device kept.
    pub fn from_bytes(bytes: &[u8; 64]) -> Self {
        Self(ExtendedKey::from_bytes(bytes))
    }

    /// Derives account `index`, from 0.
    ///
    /// # Errors
    /// [`IndexError`] for an index at or above 2³¹.
    pub fn account(&self, index: u32) -> Result<Account, IndexError> {
        Ok(Account { index, key: self.0.child(index)?.secret() })
    }

    /// Derives the seed of account `index`'s Falcon key, from 0: what [`FalconSecret`](crate::crypto::falcon) is made of.
    ///
    /// # Errors
    /// [`IndexError`] for an index at or above 2³¹.
    pub fn falcon_seed(&self, index: u32) -> Result<Zeroizing<[u8; 32]>, IndexError> {
        Ok(self.0.derive(&[index, FALCON])?.secret().to_bytes())
    }
}

/// An account of a wallet.
#[derive(Clone, Debug)]
pub struct Account {
    index: u32,
    key: SecretKey,
}

impl Account {
    /// Derives account `index`, from 0, of these words under a passphrase in NFKD, usually empty.
    ///
    /// # Errors
    /// [`IndexError`] for an index at or above 2³¹.
    pub fn new(words: &Words, passphrase: &str, index: u32) -> Result<Self, IndexError> {
        Branch::new(words, passphrase)?.account(index)
    }

    /// Returns the number of the account.
    pub const fn index(&self) -> u32 {
        self.index
    }

    /// Returns the key that signs for the account.
    pub const fn secret(&self) -> &SecretKey {
        &self.key
    }

    /// Returns the public half of the key.
    pub fn public(&self) -> PublicKey {
        self.key.public()
    }

    /// Returns the address of the account.
    pub fn address(&self) -> Address {
        Address::of(&self.public())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wallet::address;

    #[test]
    fn the_same_words_give_the_same_account_for_ever() {
        // Made here; the same by a second implementation in Python.
        let words = Words::from_entropy(&[0; 16]).unwrap();
        let account = Account::new(&words, "", 0).unwrap();
        assert_eq!(address::to_text(&account.address()), "AcvxeUY82zoa74X4nwaf8y1YntQKmrTh42");
    }

    #[test]
    fn words_passphrase_and_number_each_make_another_account() {
        let words = Words::from_entropy(&[0; 16]).unwrap();
        let others = Words::from_entropy(&[0; 32]).unwrap();
        let first = Account::new(&words, "", 0).unwrap().address();
        for other in [(&words, "", 1), (&words, "x", 0), (&others, "", 0)] {
            let (words, passphrase, index) = other;
            assert_ne!(Account::new(words, passphrase, index).unwrap().address(), first);
        }
        assert!(Account::new(&words, "", u32::MAX).is_err());
    }

    #[cfg(feature = "falcon")]
    #[test]
    fn the_same_words_give_the_same_falcon_account_for_ever() {
        use crate::crypto::{FalconSecret, Signer as _};
        let branch = Branch::new(&Words::from_entropy(&[0; 16]).unwrap(), "").unwrap();
        let text = |index, entropy| {
            let seed = branch.falcon_seed(index).unwrap();
            address::text_of(&FalconSecret::new(&seed, [entropy; 32]).account_key())
        };
        // Made here, on a machine with AVX2 and on one without.
        assert_eq!(text(0, 1), "F7p2zR4aJmX33Lu9297446Wz3uRmQ6Z2c5");
        assert_eq!(text(0, 2), text(0, 1));
        assert_ne!(text(1, 1), text(0, 1));
        assert_ne!(branch.falcon_seed(0).unwrap(), branch.account(0).unwrap().secret().to_bytes());
        assert!(branch.falcon_seed(u32::MAX).is_err());
    }

    #[test]
    fn a_device_that_keeps_the_branch_has_every_account_and_not_the_words() {
        let words = Words::from_entropy(&[7; 16]).unwrap();
        let kept = Branch::new(&words, "").unwrap().to_bytes();
        for index in [0, 1, 31] {
            let account = Account::new(&words, "", index).unwrap();
            let again = Branch::from_bytes(&kept).account(index).unwrap();
            assert_eq!((again.index(), again.address()), (index, account.address()));
        }
        assert!(Branch::from_bytes(&kept).account(u32::MAX).is_err());
        let seed = words.to_seed("");
        assert!(kept.chunks(16).all(|part| !seed.windows(16).any(|other| other == part)));
    }
}
