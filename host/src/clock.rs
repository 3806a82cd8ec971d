//! The wall clock.

use antiphon_core::time::UnixMillis;
use std::time::{SystemTime, UNIX_EPOCH};

/// Returns the wall clock.
pub fn now() -> UnixMillis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixMillis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
