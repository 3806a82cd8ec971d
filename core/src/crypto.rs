//! Thin, typed wrappers around the cryptography we use: SHA-256, BLAKE3, Ed25519, Falcon, BLS12-381.
//!
//! What is signed or hashed is always `H(tag ‖ chain id ‖ canonical bytes)`, see [`Tagged`]. Source: PROTOCOL A0.1.

mod account;
pub mod bls;
pub mod falcon;
mod hash;
mod key;
pub mod merkle;

pub use account::{AccountKey, AccountSecret, AccountSignature, Signer};
#[cfg(feature = "falcon")]
pub use falcon::FalconSecret;
pub use hash::{Hash, Tagged, hash_tagged};
pub use key::{PublicKey, ReadyKey, SecretKey, Signature, SignatureError, Signed};
