//! Lets a large set of guardians finalise a checkpoint with poisoners among them, and says what that took.
//!
//! `cargo run --release -p antiphon-tests --example gather -- VALIDATORS GUARDIANS POISONERS-PERCENT SEED`

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a program for a terminal, with a real clock for its own end"
)]

#[cfg(not(target_family = "wasm"))]
fn main() -> std::process::ExitCode {
    use antiphon_tests::{foe::Poison, sim::gathering};
    use std::{process::ExitCode, time::Instant};

    let numbers: Vec<u64> = std::env::args().skip(1).map(|text| text.parse().unwrap()).collect();
    let [validators, guardians, percent, seed] = numbers[..] else {
        eprintln!("VALIDATORS GUARDIANS POISONERS-PERCENT SEED");
        return ExitCode::FAILURE;
    };
    let sizes = (usize::try_from(validators).unwrap(), usize::try_from(guardians).unwrap());
    let start = Instant::now();
    let report = gathering::finalise(seed, sizes, percent, &Poison::ALL);
    println!("{} validators; {}", validators, report.summary(gathering::in_rounds()));
    println!("simulated in {} s", start.elapsed().as_secs());
    ExitCode::SUCCESS
}

#[cfg(target_family = "wasm")]
fn main() {}
