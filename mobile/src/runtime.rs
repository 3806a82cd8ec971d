//! Where everything runs: two threads of our own, whatever thread an application calls from.

use crate::error::AntiphonError;
use std::sync::OnceLock;
use tokio::runtime::{Builder, Runtime};

/// Threads. Chosen here: one for the client, one for what it waits for.
const THREADS: usize = 2;

static RUNTIME: OnceLock<Option<Runtime>> = OnceLock::new();

/// Returns the runtime of the whole library.
///
/// # Errors
/// `client/gave-up` on a device that gives no threads.
pub(crate) fn runtime() -> Result<&'static Runtime, AntiphonError> {
    let make = || {
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(THREADS).thread_name("antiphon").enable_all().build().ok()
    };
    let runtime = RUNTIME.get_or_init(make).as_ref();
    runtime.ok_or_else(|| AntiphonError::unavailable("client/gave-up"))
}

/// Does something to its end, even if whoever waits for it gives up: Kotlin and Python drop a call that is cancelled,
/// Swift does not, and what moves money must not depend on that. A panic is an error of the call, and nothing else.
///
/// # Errors
/// Those of the future; `client/panicked`.
pub(crate) async fn on_runtime<T: Send + 'static>(
    future: impl Future<Output = Result<T, AntiphonError>> + Send + 'static,
) -> Result<T, AntiphonError> {
    let done = runtime()?.spawn(future).await;
    done.unwrap_or_else(|_| Err(AntiphonError::unavailable("client/panicked")))
}
