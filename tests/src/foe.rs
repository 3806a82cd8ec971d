//! Those who break rules, one file each. A foe holds a node's keys and stands between the node and the network.
//!
//! A twin needs no file: `Network::twin` starts two honest machines with one validator's key.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::wildcard_enum_match_arm,
    reason = "a foe that fails is a failing test, and changes a few messages out of all"
)]

mod censor;
mod equivocator;
mod flooder;
mod forger;
mod griefer;
mod hoarder;
mod liar;
mod poisoner;
mod replayer;
mod silent;
mod thief;
mod two_faced;

pub use censor::Censor;
pub use equivocator::Equivocator;
pub use flooder::Flooder;
pub use forger::Forger;
pub use griefer::Griefer;
pub use hoarder::Hoarder;
pub use liar::Liar;
pub use poisoner::{Poison, Poisoner};
pub use replayer::{Replayer, Tape};
pub use silent::Silent;
pub use thief::KeyThief;
pub use two_faced::TwoFaced;

use antiphon_node::{bft::message::Message, supernode::wire::Wire};
use std::fmt::Debug;

/// Changes what a node says to each other node, and what it hears.
pub trait Foe: Debug {
    /// Returns what `to` gets instead of `bytes`.
    fn says(&mut self, to: usize, bytes: Vec<u8>) -> Vec<Vec<u8>>;

    /// Returns whether the node hears what `from` sent it.
    fn hears(&mut self, _from: usize, _bytes: &[u8]) -> bool {
        true
    }
}

/// Returns the message of settlement in these bytes, if that is what they are.
fn settlement(bytes: &[u8]) -> Option<Message> {
    match Wire::decode(bytes) {
        Ok(Wire::Bft(message)) => Some(message),
        Ok(Wire::Guardian(_) | Wire::Transaction(_) | Wire::Ask(_) | Wire::Sync(_)) | Err(_) => {
            None
        }
    }
}
