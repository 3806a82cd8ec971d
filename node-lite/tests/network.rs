//! Nodes as processes that find each other over libp2p: what one machine can show of a network.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by a panic"
)]

#[path = "network/foes.rs"]
mod foes;
#[path = "network/hosts.rs"]
mod hosts;
#[path = "network/life.rs"]
mod life;
#[path = "network/node.rs"]
mod node;
#[path = "network/refusals.rs"]
mod refusals;
#[path = "network/snapshot.rs"]
mod snapshot;
#[path = "network/sync.rs"]
mod sync;
