//! Who waits for answers, and may be let go: a task that Swift has cancelled waits on.

use crate::{
    error::AntiphonError,
    runtime::on_runtime,
    secretary::{Reply, Request},
    session::Session,
};
use std::sync::Arc;
use tokio::sync::watch;

/// Asks a session for as long as nobody cancels it.
#[derive(Debug)]
pub(super) struct Waiting {
    session: Arc<Session>,
    is_cancelled: watch::Sender<bool>,
}

impl Waiting {
    pub(super) fn new(session: Arc<Session>) -> Self {
        Self { session, is_cancelled: watch::Sender::new(false) }
    }

    /// Waits for the answer; returns none once this is cancelled.
    ///
    /// # Errors
    /// Those of the answer; `client/suspended`, `client/closed`.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        request: impl FnOnce(Reply<T>) -> Request + Send + 'static,
    ) -> Result<Option<T>, AntiphonError> {
        let (session, mut cancelled) = (self.session.clone(), self.is_cancelled.subscribe());
        on_runtime(async move {
            tokio::select! {
                biased;
                _ = cancelled.wait_for(|is_cancelled| *is_cancelled) => Ok(None),
                answer = session.ask(request) => answer.map(Some),
            }
        })
        .await
    }

    /// Whoever waits, now or later, gets none.
    pub(super) fn cancel(&self) {
        self.is_cancelled.send_replace(true);
    }
}
