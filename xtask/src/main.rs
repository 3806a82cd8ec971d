//! Every step of building, testing and showing Antiphon, as one program: `cargo xtask --help`.
//!
//! ```text
//! setup  finds and installs what is missing
//! build  setup → the wasm module, the npm package, the site
//! demo   build → a network, a stream and the site on loopback
//! bench  build → measurements → BENCHMARKS.md
//! docs   guides checked, references made
//! mobile the client for Kotlin, Swift and Python, and its tests
//! scenario one story in every language: the same transcript
//! test   setup → every check, from formatting to real browsers
//! ```

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for a terminal")]

mod artifact;
mod bench;
mod demo;
mod disk;
mod docs;
mod files;
mod fuzz;
mod mobile;
mod mutants;
mod process;
mod sample;
mod scenario;
mod service;
mod setup;
mod simulate;
mod step;
mod suite;
mod vectors;
mod verdicts;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Builds, tests and shows Antiphon. Installs what is missing, and says what and why.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Start a network, a live stream and the site on loopback, and print the address to open.
    Demo(demo::Options),
    /// Run every check: format, lints, tests, sizes, browsers.
    Test(suite::Options),
    /// Measure, and write BENCHMARKS.md.
    Bench(bench::Options),
    /// Build the wasm module, the npm package and the site.
    Build,
    /// Make the references of each language, or check the guides.
    Docs(docs::Options),
    /// Feed every decoder and machine hostile bytes for a while; needs nightly and cargo-fuzz.
    Fuzz(fuzz::Options),
    /// Build and test the client for phones and other languages.
    Mobile(mobile::Options),
    /// Take one safety rule out at a time and demand that a test fails.
    Mutants(mutants::Options),
    /// Run the node network through random storms, one seed after another.
    Simulate(simulate::Options),
    /// Run the public vectors in every language and demand the verdicts of Rust.
    Vectors(vectors::Options),
    /// Demand that every build gives the same verdict on the same bytes.
    Verdicts(verdicts::Options),
    /// Run one scenario in every language and demand the same transcript.
    Scenario(scenario::Options),
    /// Render and encode the sample stream anew.
    Sample,
    /// Install what the other commands need, and nothing else.
    Setup,
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Demo(options) => demo::run_demo(&options),
        Command::Test(options) => suite::run_all(&options),
        Command::Bench(options) => bench::measure(&options),
        Command::Build => artifact::build_all(),
        Command::Docs(options) => docs::run_one(&options),
        Command::Fuzz(options) => fuzz::run_all(&options),
        Command::Mobile(options) => mobile::run_one(&options),
        Command::Mutants(options) => mutants::run(&options),
        Command::Simulate(options) => simulate::run_all(&options),
        Command::Vectors(options) => vectors::compare_some(&options),
        Command::Verdicts(options) => verdicts::compare(&options),
        Command::Scenario(options) => scenario::run_some(&options),
        Command::Sample => sample::make(),
        Command::Setup => setup::ensure(&setup::Need::ALL),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
