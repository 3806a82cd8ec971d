//! What a process has used, as `/proc` says.

use anyhow::{Context as _, Result};
use std::fs;

/// Ticks of the clock in a second: the same on every Linux of these days (`getconf CLK_TCK`).
const TICKS: f64 = 100.0;

/// Returns the seconds of a core that the process has used.
pub(crate) fn cpu(pid: u32) -> Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name before may hold spaces. Fields 14 and 15 of proc(5) are user and system time; the third is the first here.
    let rest = stat.rsplit(')').next().context("no fields")?;
    let ticks: Vec<f64> =
        rest.split_whitespace().skip(11).take(2).filter_map(|field| field.parse().ok()).collect();
    Ok(ticks.iter().sum::<f64>() / TICKS)
}

/// Returns the bytes of memory that the process has in use.
pub(crate) fn memory(pid: u32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes: u64 =
        line.and_then(|line| line.split_whitespace().next()?.parse().ok()).context("no VmRSS")?;
    Ok(kilobytes * 1024)
}
