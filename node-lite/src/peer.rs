//! What a native peer decides beside the client's own machines: nobody sits in front of it who would open a pool.
//!
//! ```text
//! client (antiphon_core) <--Command-- steward <-- what the client shows
//! ```

pub mod steward;
