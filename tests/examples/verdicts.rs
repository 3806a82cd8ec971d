//! Prints the hash of what all decoders say of so many spoilt inputs: `cargo xtask verdicts` compares builds by it.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for a terminal")]

use std::process::ExitCode;

fn main() -> ExitCode {
    let Some(blobs) = std::env::args().nth(1).and_then(|text| text.parse().ok()) else {
        eprintln!("how many?");
        return ExitCode::FAILURE;
    };
    let (accepted, log) = antiphon_tests::fuzz::verdict_log(blobs);
    println!("{log} {blobs} inputs, {accepted} accepted");
    ExitCode::SUCCESS
}
