//! Runs storms in the simulator, one seed after another, and names the seeds that break something.

use anyhow::Result;
use clap::Args;

use crate::process::{cargo, run};

/// Options of `cargo xtask simulate`.
#[derive(Args)]
pub(crate) struct Options {
    /// How many seeds.
    #[arg(long, default_value_t = 100)]
    seeds: u64,
    /// The first of them.
    #[arg(long, default_value_t = 0)]
    first: u64,
    /// Stop after so many seconds.
    #[arg(long, default_value_t = 3600)]
    seconds: u64,
}

/// Runs them.
///
/// # Errors
///
/// A seed broke something; it was printed, and `--first SEED --seeds 1` runs it again.
pub(crate) fn run_all(options: &Options) -> Result<()> {
    let numbers = [options.first, options.seeds, options.seconds].map(|number| number.to_string());
    let mut storms = cargo();
    storms.args(["run", "--quiet", "--package", "antiphon-tests", "--example", "simulate", "--"]);
    run(storms.args(numbers))
}
