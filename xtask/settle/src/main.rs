//! Runs what settles on real stores, and prints a line of JSON for each figure.
//!
//! ```text
//! settle  a network of validators under a load of transfers     beside the bare rate of signatures
//! cost    blocks on a tree of more and more accounts            beside the bare cost of a signature
//! ```

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program that prints figures")]
#![allow(clippy::cast_precision_loss, reason = "figures for people")]

mod chain;
mod cost;
mod count;
mod limit;
mod load;
mod network;
mod settle;
mod transfer;

use anyhow::Result;
use clap::Parser;

/// Measures what settles on this machine.
#[derive(Clone, Copy, Debug, Parser)]
enum Command {
    /// A network of validators under a load of transfers.
    Settle(settle::Options),
    /// Blocks on a tree of more and more accounts, and on one thread and more.
    Cost(cost::Options),
}

fn main() -> Result<()> {
    match Command::parse() {
        Command::Settle(options) => settle::run(&options),
        Command::Cost(options) => cost::run(&options),
    }
}
