//! The public API: `connect` gives an `Antiphon`, which proves, pays, and carries a stream. What a page has, too, is named as there.
//!
//! | file | what it asks for |
//! |---|---|
//! | `money` | what moves money, once by its key |
//! | `told` | what becomes of it |
//! | `room` | who else is there, and payment fields |
//! | `chain` | what the chain says, and what is signed for others |
//! | `media` | verified audio for a player |
//! | `keeping` | backups, and pools of a device that is lost |

mod chain;
mod keeping;
mod media;
mod money;
mod room;
mod told;
mod waiting;

pub use media::Media;
pub use money::Token;
pub use told::MoneyStream;

use crate::{
    error::AntiphonError,
    event::EventStream,
    options::{ConnectOptions, Plan},
    runtime::{on_runtime, runtime},
    secretary::{Ears, Reply, Request},
    session::Session,
    sharing::{Surroundings, UploadTerms},
    snapshot::Snapshot,
    wallet::Account,
};
use antiphon_core::client::Command;
use std::sync::Arc;

/// A running client of one account on one chain.
///
/// What moves money takes a key: any text of at most 64 bytes that stands for one thing wanted once. Called again with it, the
/// client says how far that is and pays nothing. It is written down before anything leaves, and goes on whatever becomes
/// of whoever called.
#[derive(Debug, uniffi::Object)]
pub struct Antiphon {
    session: Arc<Session>,
    ears: Ears,
}

/// Starts a client, and returns when it has read what it knew before; nothing is waited for on the network.
///
/// # Errors
/// `options/invalid`; `storage/…` where the folder cannot be used.
#[uniffi::export]
pub async fn connect(
    options: ConnectOptions,
    account: Arc<Account>,
) -> Result<Arc<Antiphon>, AntiphonError> {
    let plan = Plan::read(options, account.0.secret().clone())?;
    on_runtime(async move {
        let ears = Ears::new(plan.terms);
        let session = Session::new(plan, ears.clone());
        session.wake().await?;
        Ok(Arc::new(Antiphon { session, ears }))
    })
    .await
}

#[uniffi::export]
impl Antiphon {
    /// Returns everything there is to show, as of the last change.
    pub fn snapshot(&self) -> Snapshot {
        (&**self.ears.shown.borrow()).into()
    }

    /// Returns a stream of every event from now on.
    pub fn events(&self) -> Arc<EventStream> {
        self.ears.events.stream()
    }

    /// Listens to the stream of a media playlist as one of its peers: fetches, verifies, keeps, serves, and is paid.
    ///
    /// # Errors
    /// `options/invalid` for what is no URL; `client/suspended`, after which it is listened to once the client is resumed.
    pub async fn listen(&self, playlist: String) -> Result<(), AntiphonError> {
        let url = antiphon_host::web::parse(&playlist, None);
        let url = url.map_err(|_| AntiphonError::invalid("playlist"))?.to_string();
        let session = self.session.clone();
        on_runtime(async move { session.listen(Some(url)).await }).await
    }

    /// Wants no more of the stream. What is here is still served.
    ///
    /// # Errors
    /// `client/suspended`, `client/closed`.
    pub async fn stop_listening(&self) -> Result<(), AntiphonError> {
        let session = self.session.clone();
        on_runtime(async move { session.listen(None).await }).await
    }

    /// Agrees to give something else away, in place of the terms before; what was given until then counts against the caps.
    ///
    /// # Errors
    /// `client/suspended`, after which it counts once the client is resumed.
    pub async fn set_upload(&self, terms: UploadTerms) -> Result<(), AntiphonError> {
        let session = self.session.clone();
        on_runtime(async move { session.agree(terms).await }).await
    }

    /// Tells how the device is: what it gives away depends on that, and on the terms.
    ///
    /// # Errors
    /// `client/suspended`, after which it counts once the client is resumed.
    pub async fn set_surroundings(&self, around: Surroundings) -> Result<(), AntiphonError> {
        let session = self.session.clone();
        on_runtime(async move { session.surround(around).await }).await
    }

    /// Puts the client to sleep: pays what it owes, says goodbye, and lets go of sockets and file, as iOS demands of an
    /// application in the background. Calls fail with `client/suspended` until `resume`. Returns when all is let go.
    ///
    /// # Errors
    /// None but `client/panicked`.
    pub async fn suspend(&self) -> Result<(), AntiphonError> {
        let session = self.session.clone();
        on_runtime(async move {
            session.sleep(false).await;
            Ok(())
        })
        .await
    }

    /// Wakes the client: stream and room are those of before, and what was on its way is waited for.
    ///
    /// # Errors
    /// `client/closed`; `storage/…` where the folder cannot be used.
    pub async fn resume(&self) -> Result<(), AntiphonError> {
        let session = self.session.clone();
        on_runtime(async move { session.wake().await }).await
    }

    /// Ends the client for good, as `suspend` does; streams of events end, too.
    ///
    /// # Errors
    /// None but `client/panicked`.
    pub async fn shut_down(&self) -> Result<(), AntiphonError> {
        let session = self.session.clone();
        on_runtime(async move {
            session.sleep(true).await;
            Ok(())
        })
        .await
    }
}

impl Antiphon {
    async fn ask<T: Send + 'static>(
        &self,
        request: impl FnOnce(Reply<T>) -> Request + Send + 'static,
    ) -> Result<T, AntiphonError> {
        let session = self.session.clone();
        on_runtime(async move { session.ask(request).await }).await
    }

    async fn command(&self, command: Command) -> Result<(), AntiphonError> {
        self.ask(move |reply| Request::Command(command, reply)).await
    }
}

impl Drop for Antiphon {
    fn drop(&mut self) {
        let session = self.session.clone();
        if let Ok(runtime) = runtime() {
            // Whoever forgets to shut down has it done, but does not wait for it.
            runtime.spawn(async move { session.sleep(true).await });
        }
    }
}
