//! Lets crowds listen to one live stream, with what is named wrong in them, and says what came of it.
//!
//! `cargo run --release -p antiphon-tests --example crowd -- [--json] LISTENERS SECONDS SEED NAME…`; without words it says the names.

#![allow(
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a program for a terminal, that tells its own cost"
)]

#[cfg(not(target_family = "wasm"))]
use antiphon_tests::sim::crowd::{Crowd, Kind, Report, Setting};

#[cfg(not(target_family = "wasm"))]
fn main() -> std::process::ExitCode {
    use std::process::ExitCode;

    let mut words: Vec<String> = std::env::args().skip(1).collect();
    let is_json = words.first().is_some_and(|word| word == "--json");
    words.drain(..usize::from(is_json));
    let known = Setting::names().collect::<Vec<_>>().join(" ");
    let [listeners, seconds, seed, names @ ..] = &words[..] else {
        println!("{known}");
        return ExitCode::SUCCESS;
    };
    let [count, seconds, seed] = [listeners, seconds, seed].map(|text| text.parse().unwrap());
    for name in names {
        let Some(setting) = Setting::named(name, seed, usize::try_from(count).unwrap(), seconds)
        else {
            eprintln!("{name} is none of: {known}");
            return ExitCode::FAILURE;
        };
        let before = used();
        let report = Crowd::new(setting).run();
        let micros = (used() - before) as f64 / report.listened_ms as f64;
        if is_json {
            println!("{}", json(name, [count, seconds], &report, micros));
        } else {
            println!(
                "{name}: {report}; {micros:.1} µs of a processor for each second of a listener"
            );
        }
    }
    ExitCode::SUCCESS
}

#[cfg(not(target_family = "wasm"))]
fn json(name: &str, [listeners, seconds]: [u64; 2], report: &Report, micros: f64) -> String {
    let [bad, late, _] = report.wastes();
    let foe = Kind::FOES.into_iter().find_map(|kind| report.income(kind));
    serde_json::json!({
        "name": name,
        "listeners": listeners,
        "seconds": seconds,
        "offload": report.offload(),
        "laterOffload": report.later_offload(),
        "stallsPerHour": report.stalls_per_hour(),
        "orders": report.orders,
        "wasted": report.wasted(),
        "bad": bad,
        "late": late,
        "overhead": report.overhead(),
        "fairness": report.fairness(),
        "startMs": report.start_ms(),
        "income": report.income(Kind::Honest),
        "foeIncome": foe,
        "micros": micros,
        "bytes": most_memory() as f64 / listeners as f64,
    })
    .to_string()
}

/// Returns the nanoseconds of a processor that this process has used, or 0 where the system does not tell.
#[cfg(not(target_family = "wasm"))]
fn used() -> u64 {
    let running = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    running.split_whitespace().next().and_then(|nanos| nanos.parse().ok()).unwrap_or(0)
}

/// Returns the most bytes of memory that this process ever had, or 0 where the system does not tell.
#[cfg(not(target_family = "wasm"))]
fn most_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}

#[cfg(target_family = "wasm")]
fn main() {}
