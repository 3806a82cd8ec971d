//! An hour of live audio in three pages, as `tests/e2e/bench/soak.mjs` measures it.

use std::fmt::Write as _;

use anyhow::{Context as _, Result};
use clap::Args;
use serde_json::Value;

use super::{lines, number, sections, text};
use crate::process::{command, root};
use crate::setup;
use crate::step::step;

/// Where the section begins.
pub(super) const TITLE: &str = "## Pages that go on listening";

/// Options of `cargo xtask bench soak`.
#[derive(Args)]
pub(super) struct Options {
    /// How long they listen.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=1440))]
    minutes: u64,
}

/// Measures, and writes the section anew.
///
/// # Errors
///
/// A build or the run fails, the vouchers do not add up, the sound stopped, a chunk was bad, a page erred or memory grew: nothing is
/// written then.
pub(super) fn measure(options: &Options) -> Result<()> {
    super::build()?;
    setup::npm_ci("tests/e2e/bench/delivery")?;
    let lines = step(&format!("three pages listen for {} minutes", options.minutes), || {
        let mut node = command("node");
        node.arg("bench/soak.mjs").current_dir(root().join("tests/e2e"));
        lines(node.args(["--minutes", &options.minutes.to_string()]))
    })?;
    sections::replace(TITLE, &section(&lines)?)
}

fn section(lines: &[Value]) -> Result<String> {
    let (end, minutes) = lines.split_last().context("no lines from bench/soak.mjs")?;
    let last = minutes.last().context("less than a minute")?;
    let mut out = String::new();
    writeln!(
        out,
        "Written by `cargo xtask bench soak`; {}. Three pages of the site in one Chromium play the sample stream for {:.0}\n\
         minutes, carry it for each other and pay; nobody debugs them. They are off the record, so what they load is kept in the\n\
         memory of the browser, of which that of the processes of pages is a part.\n",
        super::machine(),
        number(last, "minute")?,
    )?;
    out.push_str("| minute | memory of the browser | of its pages | from peers | stalls so far | a page was kept from running |\n|---|---|---|---|---|---|\n");
    let every = minutes.len().div_ceil(12).max(1);
    let shown = minutes.iter().enumerate();
    for (_, line) in shown.filter(|(index, _)| *index == 0 || (index + 1) % every == 0) {
        writeln!(
            out,
            "| {:.0} | {:.0} MB | {:.0} MB | {:.1} % | {:.0} | {:.0} ms at most |",
            number(line, "minute")?,
            number(line, "megabytes")?,
            number(line, "pageMegabytes")?,
            number(line, "share")? * 100.0,
            number(line, "stalls")?,
            number(line, "gapMs")?,
        )?;
    }
    let errors = end.get("errors").and_then(Value::as_array).map_or(0, Vec::len);
    writeln!(
        out,
        "\n{:.0} chunks were served; vouchers of {} smallest units were held for them or paid by the chain ({} of these): just their price.\n\
         {:.0} bad chunks, {errors} uncaught errors.",
        number(end, "chunks")?,
        text(end, "vouchers")?,
        text(end, "settled")?,
        number(last, "bad")?,
    )?;
    Ok(out)
}
