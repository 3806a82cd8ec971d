//! The subcommands as processes on loopback: wiring only, the rules are tested in the modules.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by a panic"
)]

#[path = "process/cluster.rs"]
mod cluster;
#[cfg(feature = "shell")]
#[path = "process/hang_up.rs"]
mod hang_up;
#[path = "process/host.rs"]
mod host;
#[cfg(feature = "peer")]
#[path = "process/peer.rs"]
mod peer;
#[path = "process/publish.rs"]
mod publish;
#[path = "process/republish.rs"]
mod republish;
#[path = "process/site.rs"]
mod site;
#[path = "process/tracker.rs"]
mod tracker;
