//! The supernode of Antiphon: a pure half of machines, and a shell that touches the machine it runs on.
//!
//! The pure half builds without the `shell` feature and without tokio, so a simulator runs whole networks of it.

#![forbid(unsafe_code)]

pub mod bft;
#[cfg(feature = "shell")]
pub mod shell;
