//! Keys from words, addresses as text, and what the chain is proven to hold for them.
//!
//! | module | what it knows |
//! |---|---|
//! | [`mnemonic`] | 12 or 24 English words (BIP-39) |
//! | [`derivation`] | hardened Ed25519 derivation (SLIP-0010) |
//! | [`account`] | the key of an account of those words, and what a device keeps instead of them |
//! | [`address`] | base58check text of an address |
//! | [`sign_in`] | signing in at a web site with an account's key |
//! | [`safety`] | a number by which two people compare their keys |
//! | [`backup`] | what words do not bring back, as a file |
//! | [`book`] | the machine that proves balances and pools, and sends transactions |
//!
//! Fresh entropy is an argument: the host's generator makes it, core never does.

pub mod account;
pub mod address;
pub mod backup;
pub mod book;
pub mod derivation;
pub mod mnemonic;
pub mod safety;
pub mod sign_in;
