//! Whole networks in one thread and in virtual time: the real machines of nodes and listeners, simulated machines and
//! wires around them.
//!
//! ```text
//! queue: (moment, event) --pop--> machine.handle(now, input) --outputs--> new events
//! ```
//!
//! Everything that could be chance is drawn from one seed, so a seed is a full bug report: the same seed gives the same
//! transcript hash. `SEED=n cargo test -p antiphon-tests NAME` runs another.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a simulator that fails is a failing test"
)]

pub mod crowd;
pub mod dice;
pub mod disk;
pub mod fields;
pub mod gateway;
pub mod gathering;
pub mod genesis;
pub mod listener;
pub mod network;
pub mod origin;
pub mod player;
pub mod queue;
pub mod storm;
pub mod till;
pub mod tracker;
pub mod transcript;
pub mod weather;
pub mod witness;
pub mod world;

/// The seed of a scenario: `SEED` of the environment, or the one given. A scenario that fails prints it.
#[derive(Debug)]
pub struct Seed(u64);

impl Seed {
    /// Reads the environment.
    pub fn or(default: u64) -> Self {
        let other = std::env::var("SEED").ok().and_then(|text| text.parse().ok());
        Self(other.unwrap_or(default))
    }

    /// Returns the number.
    pub const fn number(&self) -> u64 {
        self.0
    }
}

impl Drop for Seed {
    #[allow(clippy::print_stderr, reason = "the test runner shows it with the failure")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("run it again with SEED={}", self.0);
        }
    }
}
