//! Crowds in the simulator: each foe by itself, and how every figure grows with the crowd.

use std::fmt::Write as _;

use anyhow::{Context as _, Result};
use clap::Args;
use serde_json::Value;

use super::{lines, number, sections, text};
use crate::process::{cargo, command, run, target_dir};
use crate::step::step;

/// Where the section begins.
pub(super) const TITLE: &str = "## Crowds in the simulator";
/// What the seeds ask for. Source: ALLA-24.
const FLOOR: f64 = 80.0;
/// What issue 5 asks for where there is enough uplink.
const GOAL: f64 = 95.0;
/// Sizes of a crowd that grows.
const SIZES: [u64; 5] = [1_000, 3_000, 10_000, 30_000, 100_000];

/// Options of `cargo xtask bench crowd`.
#[derive(Args)]
pub(super) struct Options {
    /// Listeners of the crowds with one foe each.
    #[arg(long, default_value_t = 1000)]
    listeners: u64,
    /// Virtual seconds for which these listen.
    #[arg(long, default_value_t = 300)]
    listen: u64,
    /// Virtual seconds for which the crowds listen that grow.
    #[arg(long, default_value_t = 120)]
    grow: u64,
    /// The largest of these. A hundred thousand take about an hour and some gigabytes.
    #[arg(long, default_value_t = 10_000)]
    most: u64,
}

/// Measures, and writes the section anew.
///
/// # Errors
///
/// A build or a run fails, or a listener was handed a byte that nobody signed.
pub(super) fn measure(options: &Options) -> Result<()> {
    step("building the crowd", || {
        let mut build = cargo();
        run(build.args(["build", "--release", "--package", "antiphon-tests", "--example", "crowd"]))
    })?;
    let names = command(target_dir().join("release/examples/crowd")).output()?;
    let names = String::from_utf8(names.stdout)?;
    let mut foes = Vec::new();
    for name in names.split_whitespace() {
        foes.push(crowd(name, options.listeners, options.listen)?);
    }
    let mut grown = Vec::new();
    for name in ["calm", "hostile"] {
        for size in SIZES.into_iter().filter(|size| *size <= options.most) {
            grown.push(crowd(name, size, options.grow)?);
        }
    }
    sections::replace(TITLE, &section(&foes, &grown)?)
}

/// Each crowd has a process of its own, so that the most memory is its own, too.
fn crowd(name: &str, listeners: u64, seconds: u64) -> Result<Value> {
    step(&format!("{listeners} listeners, {name}, {seconds} virtual seconds"), || {
        let mut crowd = command(target_dir().join("release/examples/crowd"));
        crowd.args(["--json", &listeners.to_string(), &seconds.to_string(), "0", name]);
        lines(&mut crowd)?.into_iter().next().context("no line from crowd")
    })
}

fn section(foes: &[Value], grown: &[Value]) -> Result<String> {
    let first = foes.first().context("no crowd")?;
    let mut out = String::new();
    writeln!(
        out,
        "Written by `cargo xtask bench crowd`; {}. Fetchers, servers and swarms of core and the tracker of the node in virtual\n\
         time, one stream of 192 kbit/s in segments of two seconds, played six seconds behind; seed 0. {:.0} listeners for {:.0} s,\n\
         then crowds that grow. Lines, latencies and foes are in `tests/src/sim/crowd/{{setting,place,kind}}.rs`; `cargo xtask simulate\n\
         --listeners N --foe NAME` runs any of them. Wanted are {GOAL} % from peers where there is enough uplink, {FLOOR} % at least, and\n\
         no stall. In the *second half* of the time most have begun: who joins live begins with what the origin brings at once. *Bad* and *late* are the wasted bytes of chunks that nobody signed and of those that were there already, *overhead* all words\n\
         to peers and trackers, each of what was played. *Fairness* is Jain's index of what honest listeners gave. *Income* is\n\
         what a listener is paid for in an hour, in segments, of 1800 that one plays.\n",
        super::machine(),
        number(first, "listeners")?,
        number(first, "seconds")?,
    )?;
    out.push_str(
        "| crowd | from peers | in the second half | stalls an hour | orders to the origin | wasted | bad | late | overhead | fairness | start | income | of a foe |\n\
         |---|---|---|---|---|---|---|---|---|---|---|---|---|\n",
    );
    for line in foes {
        let foe = line.get("foeIncome").and_then(Value::as_f64);
        let foe = foe.map_or_else(|| "–".to_owned(), |income| format!("{income:.0}"));
        let income = number(line, "income")?;
        writeln!(out, "| {} |{} {income:.0} | {foe} |", text(line, "name")?, figures(line)?)?;
    }
    out.push_str(
        "\nHow it grows. *Cost* is processor time for each second of a listener, *memory* the most that the process had, for each.\n\n\
         | crowd | listeners | from peers | in the second half | stalls an hour | orders to the origin | wasted | bad | late | overhead | fairness | start | cost | memory |\n\
         |---|---|---|---|---|---|---|---|---|---|---|---|---|---|\n",
    );
    for line in grown {
        writeln!(
            out,
            "| {} | {:.0} |{} {:.0} µs | {:.0} KiB |",
            text(line, "name")?,
            number(line, "listeners")?,
            figures(line)?,
            number(line, "micros")?,
            number(line, "bytes")? / 1024.0,
        )?;
    }
    Ok(out)
}

/// The columns that both tables have.
fn figures(line: &Value) -> Result<String> {
    let percent = |field| Ok::<_, anyhow::Error>(number(line, field)? * 100.0);
    Ok(format!(
        " {:.2} % | {:.2} % | {:.2} | {:.0} | {:.1} % | {:.1} % | {:.1} % | {:.1} % | {:.2} | {:.0} ms |",
        percent("offload")?,
        percent("laterOffload")?,
        number(line, "stallsPerHour")?,
        number(line, "orders")?,
        percent("wasted")?,
        percent("bad")?,
        percent("late")?,
        percent("overhead")?,
        number(line, "fairness")?,
        number(line, "startMs")?,
    ))
}
