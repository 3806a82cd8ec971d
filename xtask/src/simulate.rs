//! Runs storms in the simulator, one seed after another, and names the seeds that break something; or lets a large set of
//! guardians finalise a checkpoint with poisoners among them, or a crowd listen to one stream.

use std::process::Command;

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
    /// Instead of storms: so many listeners of one stream, and it is said what came of it.
    #[arg(long, conflicts_with = "guardians")]
    listeners: Option<u64>,
    /// What is wrong with them; each by itself, several with commas between. A wrong name is answered with all of them.
    #[arg(long, value_delimiter = ',', default_values = ["calm", "hostile"], requires = "listeners")]
    foe: Vec<String>,
    /// Virtual seconds for which they listen.
    #[arg(long, default_value_t = 120)]
    listen: u64,
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
    if let Some(listeners) = options.listeners {
        let numbers = [listeners, options.listen, options.first];
        return listen(numbers.map(|number| number.to_string()), &options.foe);
    }
    let numbers = [options.first, options.seeds, options.seconds].map(|number| number.to_string());
    let mut storms = cargo();
    storms.args(["run", "--quiet", "--package", "antiphon-tests", "--example", "simulate", "--"]);
    run(storms.args(numbers))
}

/// Every check of thousands of machines takes milliseconds, so this is a release build.
fn gather(numbers: [String; 4]) -> Result<()> {
    run(example("gather").args(numbers))
}

/// Thousands of listeners do something every few milliseconds, so this is one, too.
fn listen(numbers: [String; 3], foes: &[String]) -> Result<()> {
    run(example("crowd").args(numbers).args(foes))
}

fn example(name: &str) -> Command {
    let mut example = cargo();
    example.args(["run", "--quiet", "--release", "--package", "antiphon-tests"]);
    example.args(["--example", name, "--"]);
    example
}
