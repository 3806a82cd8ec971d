//! The supernode of Antiphon: a pure half of machines, and a shell that touches the machine it runs on.
//!
//! | module | what it knows |
//! |---|---|
//! | [`bft`] | settlement: the two-chain rule with a lock |
//! | [`evidence`] | what shows an offence, as a file that anyone can check |
//! | [`guardian`] | finality: shares on settled checkpoints |
//! | [`ledger`] | what a block does to the state |
//! | [`light`] | what light clients fetch |
//! | [`mempool`] | transactions that wait |
//! | [`peer`] | what a native peer decides: when it opens a pool |
//! | [`publisher`] | live streams: numbers, records, playlists |
//! | [`storage`] | what is read from disk, and what is written in one batch |
//! | [`supernode`] | routes between these; decides nothing |
//! | [`sync`] | brings a new node to the newest final checkpoint |
//! | [`tower`] | fields whose newest sealed states this node shows where somebody closes with less |
//! | [`tracker`] | introduces the listeners of a stream |
//! | `shell` | disk, clock, sockets, command line |
//!
//! The pure half builds without the `shell` feature and without tokio, so a simulator runs whole networks of it.

#![forbid(unsafe_code)]

pub mod bft;
mod bucket;
pub mod evidence;
pub mod guardian;
pub mod ledger;
pub mod light;
pub mod mempool;
pub mod offence;
pub mod peer;
pub mod publisher;
#[cfg(feature = "shell")]
pub mod shell;
pub mod storage;
pub mod supernode;
pub mod sync;
pub mod tower;
pub mod tracker;
