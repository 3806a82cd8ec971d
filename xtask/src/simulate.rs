//! Runs storms in the simulator, one seed after another, and names the seeds that break something; or lets a large set of
//! guardians finalise a checkpoint with poisoners among them.

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
    /// Instead of storms: so many guardians gather for a checkpoint, and it is said what that took.
    #[arg(long)]
    guardians: Option<u64>,
    /// Validators that settle it.
    #[arg(long, default_value_t = 10)]
    validators: u64,
    /// Poisoners of a hundred guardians.
    #[arg(long, default_value_t = 30)]
    poisoners: u64,
}

/// Runs them.
///
/// # Errors
///
/// A seed broke something; it was printed, and `--first SEED --seeds 1` runs it again.
pub(crate) fn run_all(options: &Options) -> Result<()> {
    if let Some(guardians) = options.guardians {
        let numbers = [options.validators, guardians, options.poisoners, options.first];
        return gather(numbers.map(|number| number.to_string()));
    }
    let numbers = [options.first, options.seeds, options.seconds].map(|number| number.to_string());
    let mut storms = cargo();
    storms.args(["run", "--quiet", "--package", "antiphon-tests", "--example", "simulate", "--"]);
    run(storms.args(numbers))
}

/// Every check of thousands of machines takes milliseconds, so this is a release build.
fn gather(numbers: [String; 4]) -> Result<()> {
    let mut gather = cargo();
    gather.args(["run", "--quiet", "--release", "--package", "antiphon-tests"]);
    gather.args(["--example", "gather", "--"]);
    run(gather.args(numbers))
}
