//! Words and the accounts of them, and where the application keeps them.

use crate::{error::AntiphonError, text::Address};
use antiphon_core::wallet::{account, mnemonic};
use std::{fmt, sync::Arc};
use zeroize::Zeroizing;

/// Where secrets are kept: the Keychain, the Keystore, or whatever a device has. Called from threads that may wait.
///
/// An implementation returns `Foreign` or `Unavailable` where it fails. What it throws beyond that is not repeated anywhere.
#[uniffi::export(foreign)]
pub trait SecretStore: Send + Sync {
    /// Returns what is kept under a name, if anything is.
    ///
    /// # Errors
    /// A store that does not answer.
    fn get(&self, name: String) -> Result<Option<Vec<u8>>, AntiphonError>;

    /// Keeps bytes under a name, durably, in place of those before.
    ///
    /// # Errors
    /// A store that does not answer.
    fn put(&self, name: String, secret: Vec<u8>) -> Result<(), AntiphonError>;

    /// Removes what is kept under a name.
    ///
    /// # Errors
    /// A store that does not answer.
    fn delete(&self, name: String) -> Result<(), AntiphonError>;
}

/// Twelve English words that stand for a wallet (BIP-39). Never printed, and wiped when dropped.
#[derive(uniffi::Object)]
pub struct Words(mnemonic::Words);

/// The key of one account of a wallet. Never printed.
#[derive(uniffi::Object)]
pub struct Account(pub(crate) account::Account);

#[uniffi::export]
impl Words {
    /// Makes twelve words of this device's randomness.
    ///
    /// # Errors
    /// `secret/failed` where it gives none.
    #[uniffi::constructor]
    pub fn generate() -> Result<Self, AntiphonError> {
        let mut entropy = Zeroizing::new([0; 16]);
        getrandom::fill(&mut *entropy).map_err(|_| AntiphonError::unavailable("secret/failed"))?;
        Self::of(mnemonic::Words::from_entropy(&*entropy))
    }

    /// Reads words that a person wrote down, as UTF-8; case and spaces do not matter.
    ///
    /// # Errors
    /// `wallet/…`: the first thing that is wrong.
    #[uniffi::constructor]
    pub fn restore(text: &[u8]) -> Result<Self, AntiphonError> {
        let text = std::str::from_utf8(text).map_err(|_| AntiphonError::invalid("words"))?;
        Self::of(mnemonic::Words::parse(text))
    }

    /// Reads the words that `store` keeps under a name.
    ///
    /// # Errors
    /// `secret/missing` where there are none, `secret/failed` where the store does not answer.
    #[uniffi::constructor]
    pub fn load(store: Arc<dyn SecretStore>, name: String) -> Result<Self, AntiphonError> {
        let kept = store.get(name)?.map(Zeroizing::new);
        Self::restore(&kept.ok_or_else(|| AntiphonError::refused("secret/missing"))?)
    }

    /// Keeps the words in `store` under a name that is free.
    ///
    /// # Errors
    /// `secret/taken` where something is kept there, `secret/failed` where the store does not answer.
    pub fn save(&self, store: Arc<dyn SecretStore>, name: String) -> Result<(), AntiphonError> {
        if store.get(name.clone())?.is_some() {
            return Err(AntiphonError::refused("secret/taken"));
        }
        store.put(name, self.0.to_text().as_bytes().to_vec())
    }

    /// Returns the words for a person to write down. Whoever has them has the money.
    pub fn reveal(&self) -> String {
        self.0.to_text().to_string()
    }

    /// Returns account `index`, from 0. Takes 2048 rounds of HMAC.
    ///
    /// # Errors
    /// `wallet/index-out-of-range` from 2³¹ on.
    pub fn account(&self, index: u32) -> Result<Account, AntiphonError> {
        let account = account::Account::new(&self.0, "", index);
        account.map(Account).map_err(|error| AntiphonError::refused(error.code()))
    }
}

impl Words {
    pub(crate) fn falcon_seed(&self, index: u32) -> Result<Zeroizing<[u8; 32]>, AntiphonError> {
        let branch = account::Branch::new(&self.0, "");
        let seed = branch.and_then(|branch| branch.falcon_seed(index));
        seed.map_err(|error| AntiphonError::refused(error.code()))
    }

    fn of(words: Result<mnemonic::Words, mnemonic::MnemonicError>) -> Result<Self, AntiphonError> {
        words.map(Self).map_err(|error| AntiphonError::refused(error.code()))
    }
}

#[uniffi::export]
impl Account {
    /// Returns the address: where money is sent to.
    pub fn address(&self) -> Address {
        self.0.address().into()
    }

    /// Returns the public key in hexadecimal: the name among peers.
    pub fn key(&self) -> String {
        self.0.public().to_string()
    }
}

impl fmt::Debug for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Words")
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Account").field(&self.0.index()).finish()
    }
}
