//! What a native peer decides beside the client's own machines: it has no ears, so somebody must want the segments,
//! and nobody sits in front of it who would open a pool.
//!
//! ```text
//! playlist --> tuner --Want--> client (antiphon_core) <--Command-- steward <-- what the client shows
//! ```

pub mod steward;
pub mod tuner;
