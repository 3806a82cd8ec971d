//! Signs the client's account in at web sites.

use super::Client;
use crate::{
    time::UnixMillis,
    wallet::sign_in::{Nonce, SignIn, SignInError, SignedIn},
};

impl Client {
    /// Signs in at the web site `origin`, which the host names, not the site.
    ///
    /// # Errors
    /// [`SignInError::BadOrigin`], [`SignInError::BadExpiry`]: nothing is signed then.
    pub fn sign_in(
        &self,
        origin: &str,
        nonce: Nonce,
        expires: UnixMillis,
        now: UnixMillis,
    ) -> Result<SignedIn, SignInError> {
        Ok(SignIn::new(origin, nonce, expires, now)?.sign(&self.config.key, self.config.chain))
    }
}
