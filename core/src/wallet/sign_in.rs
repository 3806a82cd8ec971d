//! Signing in at a web site with the key of an account: nothing secret leaves the device, and nothing at the site can be stolen.
//!
//! ```text
//! site -- nonce, expiry --> host -- origin, as the host sees it --> key signs --> site checks: origin, nonce, time, signature
//! ```
//!
//! The host names the origin, not the site: what is signed for one site is worth nothing at another. The site draws the
//! nonce and forgets it once it was used, so that no signature counts twice.
//!
//! Source: ALLA-25, challenge and response; the fields are those of EIP-4361 that a site needs.

use crate::{
    codec::Bounded,
    crypto::{PublicKey, SecretKey, SignatureError, Signed, Tagged},
    id::{Address, ChainId},
    time::UnixMillis,
};
use borsh::{BorshDeserialize, BorshSerialize};

/// Longest origin, in bytes: `https://`, a host name of 253 (RFC 1035), and a port.
pub const MAX_ORIGIN: usize = 267;

/// How far ahead a sign-in may expire at most, in milliseconds. Chosen here: a person reads, decides, and presses a button.
pub const MAX_LIFETIME_MS: u64 = 600_000;

/// What a site draws by chance for each sign-in.
pub type Nonce = [u8; 32];

/// Why nobody is signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignInError {
    /// The origin is none that a browser writes.
    #[error("an origin is https://HOST or http://HOST, with a port if it has one, in lower case")]
    BadOrigin,
    /// It expired, or expires later than [`MAX_LIFETIME_MS`] from now.
    #[error("a sign-in expires within ten minutes, and this one has or does not")]
    BadExpiry,
    /// It was signed for another site.
    #[error("it was signed for another site")]
    OtherOrigin,
    /// It answers another challenge.
    #[error("it answers another challenge")]
    OtherNonce,
    /// The signature does not verify.
    #[error(transparent)]
    Signature(#[from] SignatureError),
}

impl SignInError {
    /// Returns the stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::BadOrigin => "sign-in/bad-origin",
            Self::BadExpiry => "sign-in/bad-expiry",
            Self::OtherOrigin => "sign-in/other-origin",
            Self::OtherNonce => "sign-in/other-nonce",
            Self::Signature(error) => error.code(),
        }
    }
}

/// What is signed.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct SignIn {
    /// The site, as browsers write origins: `https://example.org`.
    pub origin: Bounded<u8, MAX_ORIGIN>,
    /// The site's.
    pub nonce: Nonce,
    /// When it ends.
    pub expires: UnixMillis,
}

impl Tagged for SignIn {
    const TAG: &'static str = "wallet/v1/sign-in";
}

impl SignIn {
    /// Makes what signs somebody in at `origin` until `expires`.
    ///
    /// # Errors
    /// [`SignInError::BadOrigin`], [`SignInError::BadExpiry`].
    pub fn new(
        origin: &str,
        nonce: Nonce,
        expires: UnixMillis,
        now: UnixMillis,
    ) -> Result<Self, SignInError> {
        if !is_origin(origin) {
            return Err(SignInError::BadOrigin);
        }
        let origin = origin.as_bytes().to_vec().try_into().map_err(|_| SignInError::BadOrigin)?;
        let sign_in = Self { origin, nonce, expires };
        sign_in.check_time(now)?;
        Ok(sign_in)
    }

    /// Signs it for an account on `chain`.
    pub fn sign(self, key: &SecretKey, chain: ChainId) -> SignedIn {
        SignedIn { key: key.public(), signed: Signed::new(key, chain, self) }
    }

    fn check_time(&self, now: UnixMillis) -> Result<(), SignInError> {
        let is_over = self.expires <= now;
        let is_far = self.expires.since(now) > MAX_LIFETIME_MS;
        if is_over || is_far { Err(SignInError::BadExpiry) } else { Ok(()) }
    }
}

/// What a site is given.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct SignedIn {
    /// The account's key.
    pub key: PublicKey,
    /// What it signed.
    pub signed: Signed<SignIn>,
}

/// What a site knows of a sign-in that it waits for.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// The chain on which it knows accounts.
    pub chain: ChainId,
    /// Itself.
    pub origin: &'a str,
    /// What it drew. To be forgotten whatever comes of it.
    pub nonce: Nonce,
}

impl Expected<'_> {
    /// Returns the account that is signed in.
    ///
    /// # Errors
    /// [`SignInError`], all but [`SignInError::BadOrigin`].
    pub fn check(&self, given: &SignedIn, now: UnixMillis) -> Result<Address, SignInError> {
        let body = &given.signed.body;
        if *body.origin != *self.origin.as_bytes() {
            return Err(SignInError::OtherOrigin);
        }
        if body.nonce != self.nonce {
            return Err(SignInError::OtherNonce);
        }
        body.check_time(now)?;
        given.signed.verify(self.chain, &given.key)?;
        Ok(Address::of(&given.key))
    }
}

/// Returns whether a text is an origin of the web as browsers write them (RFC 6454 §6.2). Names beyond ASCII are written in
/// Punycode there.
fn is_origin(text: &str) -> bool {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    host.is_some_and(|host| {
        let is_part = |byte: u8| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-._:[]".contains(&byte)
        };
        !host.is_empty() && host.bytes().all(is_part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::Hash;

    const NOW: UnixMillis = UnixMillis(1_800_000_000_000);
    const SITE: &str = "https://example.org";
    const CHAIN: ChainId = ChainId(Hash([7; 32]));

    fn key() -> SecretKey {
        SecretKey::from_bytes(&[1; 32])
    }

    fn given() -> SignedIn {
        SignIn::new(SITE, [9; 32], NOW.plus(60_000), NOW).unwrap().sign(&key(), CHAIN)
    }

    const fn expected() -> Expected<'static> {
        Expected { chain: CHAIN, origin: SITE, nonce: [9; 32] }
    }

    #[test]
    fn who_signed_the_challenge_of_this_site_in_time_is_signed_in() {
        assert_eq!(expected().check(&given(), NOW), Ok(Address::of(&key().public())));
        assert_eq!(expected().check(&given(), NOW.plus(59_999)), Ok(Address::of(&key().public())));
    }

    #[test]
    fn a_signature_is_worth_nothing_elsewhere_later_for_another_challenge_or_on_another_chain() {
        let other_site = Expected { origin: "https://example.com", ..expected() };
        assert_eq!(other_site.check(&given(), NOW), Err(SignInError::OtherOrigin));
        let other_nonce = Expected { nonce: [8; 32], ..expected() };
        assert_eq!(other_nonce.check(&given(), NOW), Err(SignInError::OtherNonce));
        assert_eq!(expected().check(&given(), NOW.plus(60_000)), Err(SignInError::BadExpiry));
        let other_chain = Expected { chain: ChainId(Hash([6; 32])), ..expected() };
        let refused = Err(SignInError::Signature(SignatureError));
        assert_eq!(other_chain.check(&given(), NOW), refused);
    }

    #[test]
    fn what_was_altered_or_is_of_another_key_does_not_verify() {
        let refused = Err(SignInError::Signature(SignatureError));
        let mut other = given();
        other.key = SecretKey::from_bytes(&[2; 32]).public();
        assert_eq!(expected().check(&other, NOW), refused);
        let mut later = given();
        later.signed.body.expires = NOW.plus(90_000);
        assert_eq!(expected().check(&later, NOW), refused);
        // Whose lifetime nobody would sign is refused before that.
        later.signed.body.expires = NOW.plus(MAX_LIFETIME_MS + 1);
        assert_eq!(expected().check(&later, NOW), Err(SignInError::BadExpiry));
    }

    #[test]
    fn nothing_is_signed_for_what_is_no_origin_or_for_long() {
        let make = |origin: &str, expires| SignIn::new(origin, [9; 32], expires, NOW);
        let soon = NOW.plus(1000);
        for origin in ["http://localhost:8080", "https://xn--bcher-kva.example", "http://[::1]:80"]
        {
            assert!(make(origin, soon).is_ok(), "{origin}");
        }
        let long = alloc::format!("https://{}", "a".repeat(MAX_ORIGIN));
        let names = ["", "null", "https://", "https://a/", "https://a b", "https://A", "ftp://a"];
        for origin in names.into_iter().chain(["https://me@a", "https://bücher.example", &long]) {
            assert_eq!(make(origin, soon), Err(SignInError::BadOrigin), "{origin}");
        }
        for expires in [NOW, UnixMillis(0), NOW.plus(MAX_LIFETIME_MS + 1)] {
            assert_eq!(make(SITE, expires), Err(SignInError::BadExpiry));
        }
        assert!(make(SITE, NOW.plus(MAX_LIFETIME_MS)).is_ok());
    }

    /// The digest that a site computes by itself, in whatever language: `examples/sign-in/server.mjs` does.
    #[test]
    fn the_signed_bytes_stay_as_they_are() {
        let digest = given().signed.body.digest(CHAIN);
        assert_eq!(
            digest.to_hex(),
            "21c1c9f5547a7c53cfe4c2e381a67fe8886ff2a66de049deea0a9aa46862f7b1"
        );
    }
}
