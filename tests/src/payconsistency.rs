//! Accounts that pay each other over a real ledger, driven by bytes: disks that crash, letters that are lost, doubled and
//! overtaken, transactions that never arrive, and one who signs whatever pays.
//!
//! ```text
//! bytes --> step: pay, serve, write done, crash, letter, block, ...  --> after each: every rule of money
//! ```
//!
//! | file | what it knows |
//! |---|---|
//! | `actor`, `member` | one account: payer, payee, member of fields, and their disk |
//! | `model`, `fields` | the chain, the letters between accounts, what each step does |
//! | `check` | what must hold after every step |
//!
//! A run ends with every pool's release, so that who lost what is known. Source: PROTOCOL A10.1, A10.6, A10.7; ADVERSARIAL
//! cases 18, 21.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::arithmetic_side_effects,
    reason = "what fails here is a failing test"
)]

mod actor;
mod check;
mod fields;
mod member;
mod model;

use crate::sim::dice::Dice;
use model::Model;

/// What a run did, so that a test can see that it did something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Steps taken.
    pub steps: u64,
    /// Blocks settled.
    pub blocks: u64,
    /// Transactions that were included.
    pub included: u64,
    /// Vouchers that a payee took.
    pub vouchers: u64,
    /// Disks that lost what was not written.
    pub crashes: u64,
    /// Payments in fields that all members have signed.
    pub committed: u64,
    /// Pools that were promised more than they hold.
    pub overdrawn: u64,
}

impl Report {
    /// Adds another run's counts.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self {
            steps: self.steps + other.steps,
            blocks: self.blocks + other.blocks,
            included: self.included + other.included,
            vouchers: self.vouchers + other.vouchers,
            crashes: self.crashes + other.crashes,
            committed: self.committed + other.committed,
            overdrawn: self.overdrawn + other.overdrawn,
        }
    }
}

/// Runs the steps that the bytes name, then ends every pool.
///
/// # Panics
/// When a rule of money is broken.
pub fn run(bytes: &[u8]) -> Report {
    let mut model = Model::new();
    model.run(bytes);
    model.end()
}

/// Runs as many steps as `seed` draws bytes for.
///
/// # Panics
/// As [`run`].
pub fn run_seed(seed: u64, length: usize) -> Report {
    let mut dice = Dice::new(seed);
    let bytes: Vec<u8> = std::iter::repeat_with(|| dice.roll() as u8).take(length).collect();
    run(&bytes)
}
