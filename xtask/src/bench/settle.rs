//! What a network settles and what a block costs, as `antiphon-settle` measures it.

use std::fmt::Write as _;

use anyhow::{Context as _, Result};
use clap::Args;
use serde_json::Value;

use super::{lines, number, sections, text};
use crate::process::{cargo, command, run, target_dir};
use crate::step::step;

/// The section's title.
pub(super) const TITLE: &str = "## What a network settles";
/// What the whitepaper promises. Source: seed Allaudio, "1000+ TPS".
const PROMISED: f64 = 1000.0;
/// The share of the bare signatures' rate that we want. Source: issue 3 of the plan.
const WANTED: f64 = 0.4;

/// Options of `cargo xtask bench settle`.
#[derive(Args)]
pub(super) struct Options {
    /// How long the network settles transfers.
    #[arg(long, default_value_t = 600)]
    seconds: u64,
}

/// The lines of one run.
struct Measured {
    network: Value,
    blocks: Vec<Value>,
}

/// Loads a network for so many seconds, then lets a tree grow.
///
/// # Errors
///
/// A build or a run fails.
pub(super) fn measure(options: &Options) -> Result<()> {
    let seconds = options.seconds;
    step("building the nodes that settle", || {
        run(cargo().args(["build", "--release", "--package", "antiphon-settle"]))
    })?;
    let program = || command(target_dir().join("release/antiphon-settle"));
    let network = step(&format!("settling transfers for {seconds} s"), || {
        let mut settle = program();
        settle.args(["settle", "--block-ms", "150", "--outstanding", "3000"]);
        lines(settle.args(["--seconds", &seconds.to_string()]))
    })?;
    let network = network.into_iter().next().context("no line from settle")?;
    let blocks = step("growing a tree to a million accounts", || lines(program().arg("cost")))?;
    let mut text = String::new();
    Measured { network, blocks }.write(&mut text)?;
    sections::replace(TITLE, &text)
}

impl Measured {
    /// Writes both tables.
    ///
    /// # Errors
    ///
    /// A figure is missing.
    fn write(&self, out: &mut String) -> Result<()> {
        self.write_network(out)?;
        out.push_str(
            "\n### What a block costs a node\n\n\
             512 transfers among that many accounts, on a store on disk; signatures were checked when the transactions came.\n\n\
             | accounts | execute, a transfer | write, a transfer | bare signature | both over it |\n|---|---|---|---|---|\n",
        );
        for line in self.named("block")? {
            let of = |field| number(line, field);
            let (execute, write) = (of("executeMicros")?, of("writeMicros")?);
            let verify = of("verifyMicros")?;
            writeln!(
                out,
                "| {:.0} | {execute:.1} µs | {write:.1} µs | {verify:.1} µs | {:.2} |",
                of("accounts")?,
                (execute + write) / verify,
            )?;
        }
        out.push_str(
            "\n### One thread and more\n\n\
             Executing 512 transfers, in turn on one thread and on all cores. Where all pay one account, all is done again in order.\n\n\
             | load | one thread | threads | all threads | faster by |\n|---|---|---|---|---|\n",
        );
        for line in self.named("parallel")? {
            writeln!(
                out,
                "| {} | {:.1} ms | {:.0} | {:.1} ms | {:.2} |",
                text(line, "load")?,
                number(line, "oneMillis")?,
                number(line, "threads")?,
                number(line, "allMillis")?,
                number(line, "ratio")?,
            )?;
        }
        Ok(())
    }

    fn write_network(&self, out: &mut String) -> Result<()> {
        let of = |field| number(&self.network, field);
        let (rate, share) = (of("perSecond")?, of("share")?);
        let time = |field: &str, part: &str| {
            let value = self.network.get(field).context("no times in the line from settle")?;
            number(value, part)
        };
        let resident: Vec<String> = self
            .network
            .get("residentMiB")
            .and_then(Value::as_array)
            .context("no memory in the line from settle")?
            .iter()
            .map(ToString::to_string)
            .collect();
        writeln!(
            out,
            "{:.0} validators, each with a thread, a store on disk and every check, on this one machine, for {:.0} s; messages go\n\
             from thread to thread. The limit is the machine's bare rate of `verify_strict`, {:.0}/s in the same run, over the\n\
             number of validators: each checks each signature once.\n",
            of("validators")?,
            of("seconds")?,
            of("verifyPerSecond")?,
        )?;
        out.push_str("| what | measured | beside |\n|---|---|---|\n");
        writeln!(
            out,
            "| transfers settled | {rate:.0}/s | {PROMISED:.0}/s promised by the whitepaper |"
        )?;
        writeln!(
            out,
            "| share of the limit | {:.0} % | {:.0}/s; wanted are {:.0} % |",
            share * 100.0,
            of("limit")?,
            WANTED * 100.0
        )?;
        writeln!(
            out,
            "| time of a processor that a node takes for a transfer | {:.1} µs | {:.1} µs for signing and watching it |",
            of("nodeMicros")?,
            of("loadMicros")?,
        )?;
        writeln!(
            out,
            "| bytes that a node writes to its disk for a transfer | {:.0} | {:.0} of the transfer as it is sent |",
            of("nodeBytes")?,
            of("transferBytes")?,
        )?;
        for (what, field) in [("settled", "settledMs"), ("final", "finalMs")] {
            let (half, most) = (time(field, "p50")?, time(field, "p99")?);
            writeln!(out, "| from sent to {what} | p50 {half:.0} ms | p99 {most:.0} ms |")?;
        }
        writeln!(
            out,
            "| memory of the process, every ten seconds | {} MiB | wanted: flat |",
            spread(&resident)
        )?;
        Ok(())
    }

    fn named(&self, name: &'static str) -> Result<Vec<&Value>> {
        let lines = self.blocks.iter().map(|line| Ok((text(line, "name")?, line)));
        let lines = lines.collect::<Result<Vec<_>>>()?;
        Ok(lines.into_iter().filter(|(of, _)| of == name).map(|(_, line)| line).collect())
    }
}

/// Returns at most a dozen of some values, the last among them.
fn spread(values: &[String]) -> String {
    let every = values.len().div_ceil(12).max(1);
    let shown: Vec<&str> = values.iter().rev().step_by(every).map(String::as_str).collect();
    shown.into_iter().rev().collect::<Vec<_>>().join(", ")
}
