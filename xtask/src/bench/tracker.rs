//! Our tracker beside a WebTorrent one: ten thousand peers, each tracker on one core, the load on another.

use std::fmt::Write as _;
use std::fs;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use serde_json::Value;

use super::{lines, number, sections, text};
use crate::process::{cargo, command, found, run, target_dir};
use crate::service::{self, Service};
use crate::setup;
use crate::step::step;

/// Where the section begins.
pub(super) const TITLE: &str = "## A tracker beside a WebTorrent one";
/// What is wanted of ours: issue 5 of the plan.
const WANTED_PEERS: u32 = 10_000;
const WANTED_MESSAGES: f64 = 50_000.0;
/// What is loaded, as the program calls it and as readers know it.
const KINDS: [(&str, &str); 2] = [
    ("antiphon", "`antiphon tracker`"),
    ("webtorrent", "`bittorrent-tracker` 11.2, its WebSocket server, in Node"),
];

/// Options of `cargo xtask bench tracker`.
#[derive(Args)]
pub(super) struct Options {
    /// Peers that are connected.
    #[arg(long, default_value_t = WANTED_PEERS)]
    peers: u32,
    /// How long each run is measured, in seconds.
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// How often both run.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
}

/// Measures, and writes the section anew.
///
/// # Errors
///
/// A build or a run fails, or there is nothing that pins a process to a core.
pub(super) fn measure(options: &Options) -> Result<()> {
    if !found("taskset") || std::thread::available_parallelism()?.get() < 2 {
        bail!(
            "two cores and `taskset` (util-linux) are needed: one for the tracker, one for the load"
        );
    }
    setup::npm_ci("tests/e2e/bench/delivery")?;
    step("building tracker and load", || {
        let packages = ["--package", "antiphon-node", "--package", "antiphon-signal"];
        run(cargo().args(["build", "--release"]).args(packages))
    })?;
    let mut all = Vec::new();
    for round in 1..=options.rounds {
        for (kind, _) in KINDS {
            let name = format!("round {round} of {}, {kind}", options.rounds);
            all.push(step(&name, || load(kind, options))?);
        }
    }
    let log = logs().join("runs.jsonl");
    let text: Vec<String> = all.iter().map(ToString::to_string).collect();
    fs::write(&log, text.join("\n") + "\n")?;
    println!("each run is in {}", log.display());
    sections::replace(TITLE, &section(options, &all)?)
}

fn logs() -> std::path::PathBuf {
    target_dir().join("xtask/tracker")
}

/// Starts one tracker on the first core, loads it from the second, and stops it.
fn load(kind: &'static str, options: &Options) -> Result<Value> {
    // Each connection is a file; the program takes the place of the shell, so its id is the service's.
    let on_core = |core: &str, program: &str| {
        let mut shell = command("sh");
        shell.args(["-c", "ulimit -n $(ulimit -Hn) && exec \"$@\"", "sh", "taskset", "-c", core]);
        shell.arg(program);
        shell
    };
    let ours = target_dir().join("release/antiphon").display().to_string();
    let tracker = match kind {
        "antiphon" => {
            let mut ours = on_core("0", &ours);
            ours.args(["tracker", "--max-per-network", "16"]);
            ours
        }
        _ => {
            let mut node = on_core("0", "node");
            node.arg("tests/e2e/bench/delivery/tracker.mjs");
            node
        }
    };
    let mut tracker = tracker;
    let (service, ready) = Service::start(kind, &mut tracker, &logs())?;
    let url = service::text(&ready, "url")?;
    let address = url.trim_start_matches("ws://").trim_end_matches('/').to_owned();
    let signal = target_dir().join("release/antiphon-signal").display().to_string();
    let mut load = on_core("1", &signal);
    load.args(["--kind", kind, "--address", &address, "--pid", &service.id().to_string()]);
    load.args(["--peers", &options.peers.to_string(), "--seconds", &options.seconds.to_string()]);
    let line = lines(&mut load)?.into_iter().next().context("no line from the load")?;
    let mut line = line;
    if let Some(fields) = line.as_object_mut() {
        fields.insert("kind".into(), kind.into());
    }
    Ok(line)
}

fn section(options: &Options, runs: &[Value]) -> Result<String> {
    let mut out = String::new();
    writeln!(
        out,
        "Written by `cargo xtask bench tracker`; {}. {} peers of one stream, each from an address and a prefix of its own;\n\
         each pair of them signals to and fro, one description of 800 bytes on its way, and all say every 20 s that they are\n\
         there. The tracker has one core, the load another; medians of {} run(s) of {} s in turn. A message counts when it goes\n\
         in and when it comes out. Ours signs everybody in, limits rates and chooses near ones; the other one does not.\n\
         Where other work kept the cores busy, the time that the tracker had of its core says more than the messages that it carried.\n\
         Wanted of ours: {WANTED_PEERS} peers and {WANTED_MESSAGES:.0} messages a second.\n",
        super::machine(),
        options.peers,
        options.rounds,
        options.seconds,
    )?;
    out.push_str(
        "| tracker | all had joined after | messages a second | of its core | core time a message | a whole core at that | memory a connection |\n\
         |---|---|---|---|---|---|---|\n",
    );
    for (kind, name) in KINDS {
        let of: Vec<&Value> =
            runs.iter().filter(|run| text(run, "kind").is_ok_and(|is| is == kind)).collect();
        let median = |figure: &dyn Fn(&Value) -> Result<f64>| -> Result<f64> {
            let mut values = of.iter().map(|run| figure(run)).collect::<Result<Vec<f64>>>()?;
            values.sort_by(f64::total_cmp);
            values.get(values.len() / 2).copied().context("no runs")
        };
        let per = |a: &'static str, b: &'static str| {
            move |run: &Value| -> Result<f64> { Ok(number(run, a)? / number(run, b)?) }
        };
        writeln!(
            out,
            "| {name} | {:.1} s | {:.0} | {:.0} % | {:.1} µs | {:.0}/s | {:.1} KiB |",
            median(&|run| number(run, "joinSeconds"))?,
            median(&per("messages", "seconds"))?,
            median(&per("cpuSeconds", "seconds"))? * 100.0,
            median(&per("cpuSeconds", "messages"))? * 1e6,
            median(&per("messages", "cpuSeconds"))?,
            median(&per("bytes", "peers"))? / 1024.0,
        )?;
    }
    Ok(out)
}
