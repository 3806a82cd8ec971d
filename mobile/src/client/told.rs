//! What becomes of calls that move money: one change after another, each told until it is handled.

use super::{Antiphon, waiting::Waiting};
use crate::{call::MoneyEvent, error::AntiphonError, secretary::Request};
use std::sync::Arc;

#[uniffi::export]
impl Antiphon {
    /// Waits for the oldest change of a call that is not handled yet. It is told again, after a restart too, until
    /// `event_handled` has been called with its number; of a call that moves on meanwhile only the newest change is.
    /// In Swift a task that is cancelled waits on: `money` gives what can be cancelled.
    ///
    /// # Errors
    /// `client/suspended`, `client/closed`.
    pub async fn next_event(&self) -> Result<MoneyEvent, AntiphonError> {
        self.ask(Request::NextEvent).await
    }

    /// Says that a change was handled, durably.
    ///
    /// # Errors
    /// As `next_event`.
    pub async fn event_handled(&self, id: u64) -> Result<(), AntiphonError> {
        self.ask(move |reply| Request::Handled(id, reply)).await
    }

    /// Returns what waits for the same changes as `next_event`, and gives up when it is cancelled.
    pub fn money(&self) -> Arc<MoneyStream> {
        Arc::new(MoneyStream(Waiting::new(self.session.clone())))
    }
}

/// Changes of calls that are not handled yet. Ends when it is cancelled, and when nobody holds it.
#[derive(Debug, uniffi::Object)]
pub struct MoneyStream(Waiting);

#[uniffi::export]
impl MoneyStream {
    /// Waits for the oldest change that is not handled yet, as `next_event` does; returns none once this is cancelled.
    ///
    /// # Errors
    /// As `next_event`.
    pub async fn next(&self) -> Result<Option<MoneyEvent>, AntiphonError> {
        self.0.ask(Request::NextEvent).await
    }

    /// Ends it: whoever waits for a change gets none.
    pub fn cancel(&self) {
        self.0.cancel();
    }
}

#[cfg(test)]
mod tests {
    use crate::{ConnectOptions, Words, connect};
    use std::{sync::Arc, time::Duration};
    use tokio::time::timeout;

    const WORDS: &[u8] =
        b"legal winner thank year wave sausage worth useful legal winner thank yellow";

    #[tokio::test]
    async fn who_waits_for_money_is_let_go_when_it_is_cancelled_and_refused_where_nobody_is() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().to_str().unwrap().to_owned();
        let url = String::from("http://127.0.0.1:1");
        let options = ConnectOptions::new(url, "07".repeat(32), folder);
        let account = Words::restore(WORDS).unwrap().account(0).unwrap();
        let client = connect(options, Arc::new(account)).await.unwrap();
        let stream = client.money();
        let waits = |ms| timeout(Duration::from_millis(ms), stream.next());
        assert!(waits(100).await.is_err(), "nothing has moved");
        let cancel = async { stream.cancel() };
        let (told, ()) = tokio::join!(waits(30_000), cancel);
        assert_eq!(told, Ok(Ok(None)));
        assert_eq!(waits(30_000).await, Ok(Ok(None)), "and it stays so");
        client.suspend().await.unwrap();
        let refused = client.money().next().await.unwrap_err();
        assert_eq!(refused.code(), "client/suspended");
        client.shut_down().await.unwrap();
    }
}
