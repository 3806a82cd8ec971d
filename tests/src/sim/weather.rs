//! How messages travel between the nodes: how long, how surely, and between whom at all.
//!
//! Two messages of one sender may overtake each other, as each draws its own latency.

use super::dice::Dice;
use std::time::Duration;

/// The state of the network.
#[derive(Clone, Debug)]
pub struct Weather {
    /// Least and most milliseconds of a message's way.
    pub latency_ms: (u64, u64),
    /// Messages lost of a hundred.
    pub loss_percent: u64,
    /// The island of each node: messages travel only within one. Empty: all are on one.
    pub islands: Vec<u8>,
}

impl Default for Weather {
    fn default() -> Self {
        Self { latency_ms: (5, 40), loss_percent: 0, islands: Vec::new() }
    }
}

impl Weather {
    /// Returns how long a message is on its way, or `None` if it never arrives.
    pub fn travel(&self, dice: &mut Dice, from: usize, to: usize) -> Option<Duration> {
        let lost = dice.chance(self.loss_percent);
        let latency = Duration::from_millis(dice.between(self.latency_ms));
        (!lost && self.islands.get(from) == self.islands.get(to)).then_some(latency)
    }
}
