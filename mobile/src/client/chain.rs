//! What the chain says, and what is signed for others.

use super::Antiphon;
use crate::{
    error::AntiphonError,
    found::AccountFound,
    secretary::Request,
    sign_in::{Challenge, SignedIn},
    snapshot::Level,
    text::{Address, hex_32},
};
use antiphon_core::client::{Found, Question};

#[uniffi::export]
impl Antiphon {
    /// Returns an account, proven under the newest block believed at least to a level.
    ///
    /// # Errors
    /// `lookup/…`.
    pub async fn find_account(
        &self,
        address: Address,
        level: Level,
    ) -> Result<AccountFound, AntiphonError> {
        let question = Question::Account(address.0, level.into());
        match self.ask(move |reply| Request::LookUp(question, reply)).await? {
            Found::Account(found) => Ok((&*found).into()),
            // The client answers each question with its own kind of answer.
            Found::Block(_)
            | Found::Blocks(_)
            | Found::Checkpoint(_)
            | Found::Pool(_)
            | Found::Field(_)
            | Found::Stakers(_)
            | Found::Pools(_) => Err(AntiphonError::refused("lookup/missing")),
        }
    }

    /// Signs the account in at the web site `origin`, such as `https://example.org`, which the application names, not the site: what is
    /// signed counts there alone. The site draws `nonce`, 64 hexadecimal digits, and says when it `expires`, in milliseconds since 1970.
    ///
    /// # Errors
    /// `sign-in/bad-origin`, `sign-in/bad-expiry`: nothing is signed then.
    pub async fn sign_in(
        &self,
        origin: String,
        nonce: String,
        expires: u64,
    ) -> Result<SignedIn, AntiphonError> {
        let challenge = Challenge { origin, nonce: hex_32(&nonce, "nonce")?, expires };
        self.ask(move |reply| Request::SignIn(challenge, reply)).await
    }

    /// Returns the file that proves that the chain has split and who split it, once a witness has shown it.
    ///
    /// # Errors
    /// `client/suspended`, `client/closed`.
    pub async fn fork_proof(&self) -> Result<Option<Vec<u8>>, AntiphonError> {
        self.ask(Request::ForkProof).await
    }
}
