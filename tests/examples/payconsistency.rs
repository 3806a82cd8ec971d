//! Lets accounts pay each other over a real ledger for so many steps, one seed after another, and names the seed that breaks.
//!
//! `cargo run --release -p antiphon-tests --example payconsistency -- FIRST STEPS`

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for a terminal"
)]

#[cfg(not(target_family = "wasm"))]
fn main() -> std::process::ExitCode {
    use antiphon_tests::payconsistency::{Report, run_seed};
    use std::{panic, process::ExitCode};

    /// Bytes of one run: a longer one only adds blocks that all have forgotten.
    const LENGTH: usize = 4_000;
    /// Runs between two lines of progress.
    const PATIENCE: u64 = 50;

    let numbers: Vec<u64> = std::env::args().skip(1).map(|text| text.parse().unwrap()).collect();
    let [first, steps] = numbers[..] else {
        eprintln!("FIRST STEPS");
        return ExitCode::FAILURE;
    };
    let mut total = Report::default();
    for seed in first.. {
        match panic::catch_unwind(|| run_seed(seed, LENGTH)) {
            Ok(report) => total = total.and(report),
            Err(_) => {
                println!("SEED={seed} breaks");
                return ExitCode::FAILURE;
            }
        }
        if total.steps >= steps {
            println!("seeds {first} to {seed}, clean: {total:?}");
            break;
        }
        if (seed - first) % PATIENCE == PATIENCE - 1 {
            eprintln!("{} of {steps} steps", total.steps);
        }
    }
    ExitCode::SUCCESS
}

#[cfg(target_family = "wasm")]
fn main() {}
