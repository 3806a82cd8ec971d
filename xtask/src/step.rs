//! Says what is being done and how long it took.

use std::io::Write as _;
use std::time::Instant;

use anyhow::Result;

/// Runs `work` under a heading and prints its time. The heading comes first, so that a long
/// silence has a name.
///
/// # Errors
///
/// Those of `work`.
pub(crate) fn step<T>(what: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    println!("==> {what}");
    let start = Instant::now();
    let result = work();
    let seconds = start.elapsed().as_secs_f64();
    let verdict = if result.is_ok() { "done" } else { "FAILED" };
    println!("    {verdict} in {seconds:.1} s: {what}");
    std::io::stdout().flush()?;
    result
}
