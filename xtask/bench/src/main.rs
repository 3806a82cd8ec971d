//! Times what core does beside the bare cryptography under it, and prints a line of JSON for each.
//!
//! ```text
//! {"name": "voucher: check", "nanos": 61234.0, "bare": "ed25519: verify_strict", "bareNanos": 60111.0, "ratio": 1.02}
//! ```
//!
//! Each pair is measured in turn, sample by sample, so that a busy moment of the machine hits both;
//! the ratio is the median of the samples' ratios. With the argument `fields` it measures only how fields add up.

#![allow(clippy::print_stdout, clippy::cast_precision_loss, reason = "a program that prints times")]

mod checkpoint;
mod chunk;
mod falcon;
mod field;
// There are no threads in wasm.
#[cfg(not(target_family = "wasm"))]
mod fields;
mod tick;
mod voucher;
mod walk;

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

/// Least time of one sample. Shorter ones are at the mercy of the clock.
const SAMPLE: Duration = Duration::from_millis(20);
/// Samples of each of a pair.
const SAMPLES: usize = 15;

fn main() -> Result<()> {
    #[cfg(not(target_family = "wasm"))]
    if std::env::args().nth(1).as_deref() == Some("fields") {
        return fields::measure();
    }
    voucher::measure()?;
    falcon::measure()?;
    tick::measure()?;
    chunk::measure()?;
    // Rounds of a hundred members take seconds, in wasm minutes.
    let most = if cfg!(target_family = "wasm") { 10 } else { 100 };
    for members in [2, 10, 100].into_iter().filter(|members| *members <= most) {
        field::measure(members, 1024, if members == 100 { 3 } else { 7 })?;
    }
    // The largest set is the last.
    for guardians in [7, 100, 1000, 5000] {
        checkpoint::measure(guardians)?;
    }
    for changes in [1, 100] {
        walk::measure(changes)?;
    }
    // Minutes in wasm.
    #[cfg(not(target_family = "wasm"))]
    walk::measure(10_000)?;
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
    let one = |name, work| Many { name, count: 1, work };
    pair_of(&one(name, work), &one(bare_name, bare))
}

/// Something that is done many times in one call, for it is too small to be timed alone.
pub(crate) struct Many<'a> {
    pub(crate) name: &'a str,
    pub(crate) count: u32,
    pub(crate) work: Work<'a>,
}

/// Times each of many beside each of others, and prints both.
///
/// # Errors
///
/// One of them does not do what it should.
pub(crate) fn pair_of(ours: &Many<'_>, bare: &Many<'_>) -> Result<()> {
    ensure!((ours.work)() && (bare.work)(), "{} or {} does not work", ours.name, bare.name);
    let (work_calls, bare_calls) = (calls(ours.work), calls(bare.work));
    let mut rows = Vec::new();
    for _ in 0..SAMPLES {
        let ours = nanos(ours.work, work_calls) / f64::from(ours.count);
        let theirs = nanos(bare.work, bare_calls) / f64::from(bare.count);
        rows.push((ours, theirs, ours / theirs));
    }
    let nanos = median(rows.iter().map(|row| row.0));
    let bare_nanos = median(rows.iter().map(|row| row.1));
    print(ours.name, nanos, bare.name, bare_nanos, median(rows.iter().map(|row| row.2)));
    Ok(())
}

/// Prints one figure beside another.
pub(crate) fn print(name: &str, nanos: f64, bare: &str, bare_nanos: f64, ratio: f64) {
    let line = serde_json::json!({
        "name": name,
        "nanos": nanos,
        "bare": bare,
        "bareNanos": bare_nanos,
        "ratio": ratio,
    });
    println!("{line}");
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

/// Returns the value in the middle.
pub(crate) fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
