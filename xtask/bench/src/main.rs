//! Times what core does beside the bare cryptography under it, and prints a line of JSON for each.
//!
//! ```text
//! {"name": "voucher: check", "nanos": 61234.0, "bare": "ed25519: verify_strict", "bareNanos": 60111.0, "ratio": 1.02}
//! ```
//!
//! Each pair is measured in turn, sample by sample, so that a busy moment of the machine hits both;
//! the ratio is the median of the samples' ratios.

#![allow(clippy::print_stdout, clippy::cast_precision_loss, reason = "a program that prints times")]

mod checkpoint;
mod chunk;
mod voucher;

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

/// Least time of one sample. Shorter ones are at the mercy of the clock.
const SAMPLE: Duration = Duration::from_millis(20);
/// Samples of each of a pair.
const SAMPLES: usize = 15;

fn main() -> Result<()> {
    voucher::measure()?;
    chunk::measure()?;
    // The largest set is the last.
    for guardians in [7, 100, 1000, 4096] {
        checkpoint::measure(guardians)?;
    }
    Ok(())
}

/// Something to time. Returns whether it did what it should: a benchmark of refusals is none.
pub(crate) type Work<'a> = &'a dyn Fn() -> bool;

/// Times `work` beside `bare`, and prints both.
///
/// # Errors
///
/// One of them does not do what it should.
pub(crate) fn pair(name: &str, work: Work<'_>, bare_name: &str, bare: Work<'_>) -> Result<()> {
    ensure!(work() && bare(), "{name} or {bare_name} does not work");
    let (work_count, bare_count) = (calls(work), calls(bare));
    let mut rows = Vec::new();
    for _ in 0..SAMPLES {
        let (ours, theirs) = (nanos(work, work_count), nanos(bare, bare_count));
        rows.push((ours, theirs, ours / theirs));
    }
    let line = serde_json::json!({
        "name": name,
        "nanos": median(rows.iter().map(|row| row.0)),
        "bare": bare_name,
        "bareNanos": median(rows.iter().map(|row| row.1)),
        "ratio": median(rows.iter().map(|row| row.2)),
    });
    println!("{line}");
    Ok(())
}

/// Returns how many calls fill a sample.
fn calls(work: Work<'_>) -> u32 {
    let start = Instant::now();
    let mut count = 0;
    while start.elapsed() < SAMPLE {
        work();
        count += 1;
    }
    count
}

fn nanos(work: Work<'_>, count: u32) -> f64 {
    let start = Instant::now();
    for _ in 0..count {
        std::hint::black_box(work());
    }
    start.elapsed().as_nanos() as f64 / f64::from(count)
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
