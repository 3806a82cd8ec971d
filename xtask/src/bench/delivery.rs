//! Listeners of one live stream, ours and p2p-media-loader's, as `tests/e2e/bench/delivery.mjs` measures them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::{Context as _, Result};
use clap::Args;
use serde_json::Value;

use super::{lines, number, sections, text};
use crate::process::{command, root, target_dir};
use crate::sample;
use crate::setup;
use crate::step::step;

/// Where the section begins.
pub(super) const TITLE: &str = "## Listeners beside p2p-media-loader";
/// What is wanted of the possible share: issue 5 of the plan.
const WANTED: f64 = 0.9;

/// Seconds of a segment where less than six seconds behind are played.
const SHORT_S: &str = "1.024";

/// Columns of the table: the title, the figure, and its digits after the point.
const COLUMNS: [(&str, &str, usize); 8] = [
    ("origin requests a segment", "requests", 2),
    ("start-up ms", "startMs", 0),
    ("stalls", "stalls", 0),
    ("behind the broadcast s", "delay", 1),
    ("MB a page", "megabytes", 0),
    ("cores a page", "cores", 3),
    ("chunks late", "late", 0),
    ("chunks hedged", "hedged", 0),
];

/// Options of `cargo xtask bench delivery`.
#[derive(Args)]
pub(super) struct Options {
    /// How long each run is measured, in seconds.
    #[arg(long, default_value_t = 40)]
    seconds: u64,
    /// How often everything runs.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Seconds behind the end of the playlist at which all play.
    #[arg(long, default_value = "3,6,12")]
    behind: String,
    /// Pages that listen.
    #[arg(long, default_value = "2,4,8")]
    pages: String,
}

/// Measures, and writes the section anew.
///
/// # Errors
///
/// A build or a run fails.
pub(super) fn measure(options: &Options) -> Result<()> {
    super::build()?;
    setup::npm_ci("tests/e2e/bench/delivery")?;
    let short = target_dir().join("xtask/sample-short");
    step("cutting the sample into shorter segments", || sample::cut(SHORT_S, &short))?;
    let lines = step("listeners of both", || {
        let mut node = command("node");
        node.arg("bench/delivery.mjs").current_dir(root().join("tests/e2e"));
        node.arg("--short").arg(&short).args(["--seconds", &options.seconds.to_string()]);
        node.args(["--rounds", &options.rounds.to_string()]);
        lines(node.args(["--behind", &options.behind, "--pages", &options.pages]))
    })?;
    sections::replace(TITLE, &section(options, &lines)?)
}

fn section(options: &Options, lines: &[Value]) -> Result<String> {
    let mut out = String::new();
    writeln!(
        out,
        "Written by `cargo xtask bench delivery`; {}. The sample stream in segments of two seconds (of one\n\
         second where three seconds behind are wanted), played in one Chromium on one machine by so many pages that come a second apart, held equally far behind the end of the playlist; medians of\n\
         {} run(s) of {} s in turn, each from three quarters of a minute after the last page came. *Default* and *tuned* are `p2p-media-loader` with its own tracker, as documented and with the\n\
         segments that it always takes from the origin cut to two seconds. The pages show nothing, and nobody debugs them. Ours verifies every chunk and pays for it; wanted\n\
         are {:.0} % of the possible (n-1)/n.\n",
        super::machine(),
        options.rounds,
        options.seconds,
        WANTED * 100.0,
    )?;
    let titles: Vec<&str> = COLUMNS.iter().map(|(title, ..)| *title).collect();
    writeln!(
        out,
        "| behind | pages | listeners | from peers | of the possible | {} |",
        titles.join(" | ")
    )?;
    writeln!(out, "|---|---|---|---|---|{}", "---|".repeat(COLUMNS.len()))?;
    for rows in runs(lines)?.into_values() {
        let row = rows.first().context("a group without a run")?;
        let share = median(&rows, "share")?;
        write!(
            out,
            "| {} s | {} | {} | {:.1} % | {:.1} % |",
            number(row, "behind")?,
            number(row, "pages")?,
            text(row, "who")?,
            share * 100.0,
            share / number(row, "possible")? * 100.0,
        )?;
        for (_, figure, digits) in COLUMNS {
            write!(out, " {:.digits$} |", median(&rows, figure)?)?;
        }
        out.push('\n');
    }
    Ok(out)
}

/// Groups the runs of one setting, in the order of the first of each.
fn runs(lines: &[Value]) -> Result<BTreeMap<usize, Vec<&Value>>> {
    let mut order: Vec<(String, String)> = Vec::new();
    let mut groups: BTreeMap<usize, Vec<&Value>> = BTreeMap::new();
    for line in lines {
        let setting =
            (text(line, "who")?, format!("{} {}", number(line, "behind")?, number(line, "pages")?));
        let place = order.iter().position(|of| *of == setting).unwrap_or_else(|| {
            order.push(setting);
            order.len() - 1
        });
        groups.entry(place).or_default().push(line);
    }
    Ok(groups)
}

fn median(rows: &[&Value], figure: &str) -> Result<f64> {
    let mut values: Vec<f64> = rows.iter().map(|row| number(row, figure)).collect::<Result<_>>()?;
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().context("no runs")
}
