//! Those who break rules, one file each. A foe holds a node's keys and stands between the node and the network.

mod equivocator;
mod silent;

pub use equivocator::Equivocator;
pub use silent::Silent;

use std::fmt::Debug;

/// Changes what a node says to each other node.
pub trait Foe: Debug {
    /// Returns what `to` gets instead of `bytes`.
    fn says(&mut self, to: usize, bytes: Vec<u8>) -> Vec<Vec<u8>>;
}
