//! Measures, and writes `BENCHMARKS.md`.
//!
//! ```text
//! antiphon-bench ── native, release ─────────────┐
//!        '── wasm, as shipped ── Node, Chromium ─┼──► medians and ratios ──► BENCHMARKS.md
//! a fresh page on a running network ─────────────┘
//! ```
//!
//! The engines run in turn, round by round, so that a busy moment of the machine hits all of them.

mod crowd;
mod delivery;
mod fields;
mod noble;
mod payments;
mod scorecard;
mod sections;
mod settle;
mod soak;
mod tracker;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use clap::{Args, Subcommand};
use serde_json::Value;

use crate::artifact;
use crate::files::gzip_size;
use crate::process::{cargo, command, output, root, run, target_dir};
use crate::setup::{self, Need};
use crate::step::step;

const ENGINES: [&str; 3] = ["native", "Node", "Chromium"];
/// What is the same in every run of the program: the name of a row, then what it is compared with.
type Row = (String, String);

/// Options of `cargo xtask bench`.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Options {
    #[command(subcommand)]
    part: Option<Part>,
    /// How often every engine runs everything.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
}

/// What is measured by itself, for it takes long.
#[derive(Subcommand)]
enum Part {
    /// Only listeners of one live stream beside those of p2p-media-loader, in Chromium.
    Delivery(delivery::Options),
    /// Only pages that go on listening for an hour.
    Soak(soak::Options),
    /// Only our tracker beside a WebTorrent one, with ten thousand peers.
    Tracker(tracker::Options),
    /// Only crowds in the simulator: each foe by itself, and how every figure grows.
    Crowd(crowd::Options),
    /// Only what a network settles, for ten minutes, and what a block costs a node.
    Settle(settle::Options),
    /// Only how payment fields add up: beside each other on all cores, and a thousand in the simulator.
    Fields,
    /// Only the package beside other light clients of npm: bytes, starts, tools.
    Scorecard,
}

/// Measures everything, or one part, and writes the file.
///
/// # Errors
///
/// A build or a run fails.
pub(crate) fn measure(options: &Options) -> Result<()> {
    match &options.part {
        Some(Part::Delivery(options)) => delivery::measure(options),
        Some(Part::Soak(options)) => soak::measure(options),
        Some(Part::Tracker(options)) => tracker::measure(options),
        Some(Part::Crowd(options)) => crowd::measure(options),
        Some(Part::Settle(options)) => settle::measure(options),
        Some(Part::Scorecard) => scorecard::measure(),
        Some(Part::Fields) => sections::replace(fields::TITLE, &fields::measure()?),
        None => measure_all(options),
    }
}

/// Builds what pages need.
fn build() -> Result<()> {
    setup::ensure(&Need::ALL)?;
    artifact::build_all()?;
    artifact::node()?;
    setup::npm_ci("tests/e2e")
}

fn measure_all(options: &Options) -> Result<()> {
    build()?;
    step("building the benchmark, native and wasm", || {
        run(cargo().args(["build", "--release", "--package", "antiphon-bench"]))?;
        let mut wasm = cargo();
        wasm.args(["build", "--profile", "wasm", "--package", "antiphon-bench"]);
        run(wasm.args(["--target", "wasm32-wasip1"]))
    })?;
    let mut figures = Figures::default();
    for round in 1..=options.rounds {
        for (index, engine) in ENGINES.into_iter().enumerate() {
            let name = format!("round {round} of {}, {engine}", options.rounds);
            let lines = step(&name, || lines(&mut program(engine)))?;
            for line in lines {
                let row = (text(&line, "name")?, text(&line, "bare")?);
                figures.add(row, index, Times::read(&line)?);
            }
        }
    }
    let start = step("opening fresh pages", || {
        lines(command("node").arg("bench/start.mjs").current_dir(root().join("tests/e2e")))
    })?;
    let start = start.first().context("no line from bench/start.mjs")?;
    let noble = noble::measure()?;
    let fields = fields::measure()?;
    let mut document = document(&figures, start)?;
    payments::write(&mut document, &figures)?;
    write!(document, "\n{}\n\n{fields}", fields::TITLE)?;
    noble.write(&mut document, &figures)?;
    document.push_str(&sections::kept());
    fs::write(sections::path(), document)?;
    println!("wrote {}", sections::path().display());
    Ok(())
}

fn program(engine: &str) -> Command {
    let wasm = target_dir().join("wasm32-wasip1/wasm/antiphon-bench.wasm");
    match engine {
        "native" => command(target_dir().join("release/antiphon-bench")),
        "Node" => {
            let mut node = command("node");
            node.args(["--no-warnings", "xtask/js/wasi-test.mjs"]).arg(wasm);
            node
        }
        _ => {
            let mut node = command("node");
            node.arg("bench/wasm.mjs").arg(wasm).current_dir(root().join("tests/e2e"));
            node
        }
    }
}

fn lines(command: &mut Command) -> Result<Vec<Value>> {
    let mut child = command.stdout(Stdio::piped()).spawn()?;
    let stdout = child.stdout.take().context("no standard output")?;
    let mut lines = Vec::new();
    for line in BufReader::new(stdout).lines() {
        let line = line?;
        // What takes an hour says how it goes, and what it said is there if it fails.
        println!("    {line}");
        lines.push(serde_json::from_str(&line)?);
    }
    let status = child.wait()?;
    if !status.success() {
        bail!("`{}` ended with {status}", crate::process::display(command));
    }
    Ok(lines)
}

/// The rows of all rounds, in the order in which they came first.
#[derive(Default)]
struct Figures {
    order: Vec<Row>,
    times: BTreeMap<(Row, usize), Vec<Times>>,
}

impl Figures {
    fn add(&mut self, row: Row, engine: usize, times: Times) {
        if !self.order.contains(&row) {
            self.order.push(row.clone());
        }
        self.times.entry((row, engine)).or_default().push(times);
    }

    fn median(&self, row: &Row, engine: usize) -> Option<Times> {
        self.times.get(&(row.clone(), engine)).map(|rounds| Times::median(rounds))
    }

    /// Returns the time of the first row of this name.
    fn nanos(&self, name: &str, engine: usize) -> Option<f64> {
        let row = self.order.iter().find(|(of, _)| of == name)?;
        self.median(row, engine).map(|median| median.nanos)
    }

    /// Returns the time of the bare operation beside the first row of this name.
    fn bare_nanos(&self, name: &str, engine: usize) -> Option<f64> {
        let row = self.order.iter().find(|(of, _)| of == name)?;
        self.median(row, engine).map(|median| median.bare_nanos)
    }
}

/// One measurement of a pair.
#[derive(Clone, Copy)]
struct Times {
    nanos: f64,
    bare_nanos: f64,
    ratio: f64,
}

impl Times {
    fn read(line: &Value) -> Result<Self> {
        Ok(Self {
            nanos: number(line, "nanos")?,
            bare_nanos: number(line, "bareNanos")?,
            ratio: number(line, "ratio")?,
        })
    }

    /// Returns the median of each figure.
    fn median(rounds: &[Self]) -> Self {
        let of = |figure: fn(&Self) -> f64| {
            let mut values: Vec<f64> = rounds.iter().map(figure).collect();
            values.sort_by(f64::total_cmp);
            values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
        };
        Self { nanos: of(|t| t.nanos), bare_nanos: of(|t| t.bare_nanos), ratio: of(|t| t.ratio) }
    }
}

fn text(line: &Value, field: &str) -> Result<String> {
    let value = line.get(field).and_then(Value::as_str);
    Ok(value.with_context(|| format!("no `{field}` in {line}"))?.to_owned())
}

fn number(line: &Value, field: &str) -> Result<f64> {
    line.get(field).and_then(Value::as_f64).with_context(|| format!("no `{field}` in {line}"))
}

fn document(figures: &Figures, start: &Value) -> Result<String> {
    let mut out = String::from(
        "# Benchmarks\n\n\
         Written by `cargo xtask bench`. Medians; trust the ratios more than the times.\n\n",
    );
    writeln!(out, "Machine: {}.\n", machine())?;
    out.push_str(
        "## Start of a listener\n\n\
         Loopback, from opening the page. *Cold*: empty cache, nothing stored. *Warm*: the same browser opens the page again;\n\
         what was trusted before is verified anew from what was stored.\n\n\
         | what | cold | goal | warm | goal |\n|---|---|---|---|---|\n",
    );
    for (what, cold, warm, goals) in [
        ("first sound", "audioMs", "warmAudioMs", ("< 1500 ms", "")),
        ("first head proven settled", "settledMs", "warmSettledMs", ("< 1000 ms", "< 300 ms")),
        ("first head proven final", "finalMs", "warmFinalMs", ("< 1000 ms", "< 300 ms")),
    ] {
        let (cold, warm) = (number(start, cold)?, number(start, warm)?);
        writeln!(out, "| {what} | {cold:.0} ms | {} | {warm:.0} ms | {} |", goals.0, goals.1)?;
    }
    out.push_str("\n## Sizes\n\n| what | bytes after gzip | limit |\n|---|---|---|\n");
    for (what, path, limit) in [
        ("wasm of the worker", "wasm/js/dist/antiphon_bg.wasm", "350000"),
        ("script of the worker", "wasm/js/dist/worker.js", ""),
    ] {
        writeln!(out, "| {what} | {} | {limit} |", gzip_size(&root().join(path))?)?;
    }
    out.push_str(
        "\n## What core costs beside the bare cryptography\n\n\
         *ratio* is core's time over that of the bare operation beside it in the same run; *wasm / native* is over core's\n\
         own native time. Native is `--release`, wasm is the profile that browsers download.\n\
         Of each set of guardians just a quorum signed: the dearest case.\n\n\
         | what | engine | time | per second | bare operation | its time | ratio | wasm / native |\n\
         |---|---|---|---|---|---|---|---|\n",
    );
    for row in &figures.order {
        let native = figures.median(row, 0).map(|median| median.nanos);
        for (index, engine) in ENGINES.into_iter().enumerate() {
            let Some(median) = figures.median(row, index) else { continue };
            let slower = match native {
                Some(native) if index > 0 => format!("{:.1}", median.nanos / native),
                _ => String::new(),
            };
            writeln!(
                out,
                "| {} | {engine} | {} | {:.0} | {} | {} | {:.2} | {slower} |",
                row.0,
                span(median.nanos),
                1e9 / median.nanos,
                row.1,
                span(median.bare_nanos),
                median.ratio,
            )?;
        }
    }
    Ok(out)
}

fn span(nanos: f64) -> String {
    if nanos < 1e6 { format!("{:.1} µs", nanos / 1e3) } else { format!("{:.2} ms", nanos / 1e6) }
}

fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let node = output("node", &["--version"]).unwrap_or_default();
    let browser = setup::browser().and_then(|path| output(&path, &["--version"]));
    let rustc = output("rustc", &["--version"]).unwrap_or_default();
    let load = fs::read_to_string(Path::new("/proc/loadavg")).unwrap_or_default();
    format!(
        "{cores} cores, {}, Node {}, {}, load {} at the end",
        rustc.trim(),
        node.trim(),
        browser.unwrap_or_default().trim(),
        load.split(' ').next().unwrap_or("unknown"),
    )
}
