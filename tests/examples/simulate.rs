//! Runs storms of one seed after another until the seeds or the time are used up, and names the seeds that break.
//!
//! `cargo run -p antiphon-tests --example simulate -- FIRST COUNT SECONDS`

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a program for a terminal, with a real clock for its own end"
)]

#[cfg(not(target_family = "wasm"))]
fn main() -> std::process::ExitCode {
    use antiphon_tests::sim::storm;
    use std::{panic, process::ExitCode, time::Instant};

    let numbers: Vec<u64> = std::env::args().skip(1).map(|text| text.parse().unwrap()).collect();
    let [first, count, seconds] = numbers[..] else {
        eprintln!("FIRST COUNT SECONDS");
        return ExitCode::FAILURE;
    };
    let start = Instant::now();
    let (mut runs, mut blocks, mut terms, mut broken) = (0_u64, 0, 0_u64, Vec::new());
    for seed in first..first.saturating_add(count) {
        if start.elapsed().as_secs() >= seconds {
            break;
        }
        runs += 1;
        match panic::catch_unwind(|| storm::run(seed)) {
            Ok(report) => {
                blocks += report.settled.0;
                terms += u64::from(report.since.0 > 0);
            }
            Err(_) => {
                println!("SEED={seed} breaks");
                broken.push(seed);
            }
        }
    }
    println!(
        "{runs} storms, {blocks} blocks settled, {terms} ended in a later term than the first; broken: {broken:?}"
    );
    if broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[cfg(target_family = "wasm")]
fn main() {}
