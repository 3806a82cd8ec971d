//! Our package beside other light clients of npm, as `tests/packaging/scorecard/scorecard.mjs` judges them.

use std::fmt::Write as _;

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::{lines, sections, text};
use crate::artifact;
use crate::files::gzip_size;
use crate::process::{command, root};
use crate::setup::{self, Need};
use crate::step::step;

/// Where the section begins.
pub(super) const TITLE: &str = "## The package beside others";

/// Judges all, and writes the section anew.
///
/// # Errors
///
/// A build fails, or the script does.
pub(super) fn measure() -> Result<()> {
    setup::ensure(&[Need::Clang, Need::Browser, Need::Firefox])?;
    artifact::package()?;
    setup::npm_ci("tests/e2e")?;
    setup::npm_ci("tests/packaging")?;
    setup::npm_ci("tests/packaging/scorecard")?;
    let judged = step("packages beside each other", || {
        let mut node = command("node");
        node.arg("scorecard/scorecard.mjs").current_dir(root().join("tests/packaging"));
        if let Some(path) = setup::browser() {
            node.env("CHROMIUM", path);
        }
        if let Some(path) = setup::firefox() {
            node.env("FIREFOX", path);
        }
        lines(&mut node)
    })?;
    sections::replace(TITLE, &section(&judged)?)
}

fn section(judged: &[Value]) -> Result<String> {
    let mut out = String::new();
    let verifier = gzip_size(&root().join("wasm/js/dist/antiphon_verify_bg.wasm"))?
        + gzip_size(&root().join("wasm/js/dist/verify.js"))?;
    writeln!(
        out,
        "Written by `cargo xtask bench scorecard`; {}. Each package in a page that does nothing but start it, built by Vite without\n\
         a configuration, or by webpack where Vite cannot; what a page downloads is counted after gzip, and the start from the request for the page on, in Chromium, the median\n\
         of seven. Nobody reaches a network: what is started is the client, not its sync. *strict* is `default-src 'none'; script-src 'self'\n\
         'wasm-unsafe-eval'; worker-src 'self'`. In esbuild ours is built as its README says, for that copies no file by itself. Our verifier of\n\
         payment files by itself is {:.1} kB with its script.\n",
        super::machine(),
        kilobytes(verifier),
    )?;
    let mut heads = Vec::new();
    for one in judged {
        heads.push(format!("{} {}", text(one, "name")?, text(one, "version")?));
    }
    writeln!(out, "| | {} |", heads.join(" | "))?;
    writeln!(out, "|---|{}", "---|".repeat(judged.len()))?;
    row(&mut out, "downloaded, kB", judged, |one| figure(one, "bytes", 1000.0, 0))?;
    row(&mut out, "built by", judged, |one| one["by"].as_str().map_or_else(none, cell))?;
    row(&mut out, "started after, ms", judged, |one| figure(one, "bootMs", 1.0, 0))?;
    let cells = judged.first().and_then(|one| one["cells"].as_array());
    for (index, name) in cells.context("no package was judged")?.iter().enumerate() {
        let said = |one: &Value| {
            let told = one["cells"].get(index).and_then(|pair| pair.get(1));
            told.and_then(Value::as_str).map_or_else(none, cell)
        };
        row(&mut out, name[0].as_str().unwrap_or_default(), judged, said)?;
    }
    for (title, field) in [("errors of publint", "publint"), ("kinds of problem for attw", "attw")]
    {
        row(&mut out, title, judged, |one| {
            one[field].as_u64().map_or_else(none, |n| n.to_string())
        })?;
    }
    for (title, field) in [
        ("types name `AbortSignal`", "takesSignal"),
        ("types name `Symbol.asyncDispose` or `dispose`", "disposes"),
        ("types name a code of errors", "hasCodes"),
    ] {
        let says = |one: &Value| if one[field] == true { "yes" } else { "no" }.to_owned();
        row(&mut out, title, judged, says)?;
    }
    let boot = judged.first().context("no package was judged")?;
    wanted(&mut out, &figure(boot, "bootMs", 1.0, 0), kilobytes(verifier))?;
    Ok(out)
}

/// What was wanted, beside the best that others publish: where their networks would be needed it was not measured here.
fn wanted(out: &mut String, boot_ms: &str, verifier: f64) -> Result<()> {
    let size = |name: &str| gzip_size(&root().join("wasm/js/dist").join(name));
    let client = kilobytes(size("antiphon_bg.wasm")? + size("worker.js")? + size("antiphon.js")?);
    writeln!(
        out,
        "\nWhat was wanted, beside the best of others as they publish it (helios, matrix, smoldot with its issue 3233, alto and lumina, read in 2026).\n\n\
         | | best of others | wanted | ours |\n|---|---|---|---|\n\
         | verifier by itself, kB | 88, of signatures of a chain | 60 | {verifier:.1}, of files about payments; heads are verified by the client alone |\n\
         | client, kB | 1140, without its script | 365 | {client:.0} |\n\
         | started after, ms | 169 | 60 | {boot_ms} here: **missed**. Of the same run, so beside the row above |\n\
         | first proven head, nothing stored | 2.8 s at best, 5.1 s as a rule | 1 s | *Start of a listener* |\n\
         | first proven head, with what was stored | 0.8 s at best | 0.3 s | *Start of a listener* |\n\
         | after eight hours of sleep | two to three minutes | 2 s | as with what was stored: tip and newest checkpoint, and a file of at most 2 kB for each change of guardians, however many blocks passed; not timed over eight hours |\n\
         | browsers that tests drive | three | three | two, Chromium and Firefox: WebKit is not to be had on the machines that test |\n\
         | what was stored is verified again when it is loaded | not seen | always | always: `what_was_stored_is_verified_again`, `what_was_stored_is_void_if_one_bit_of_it_is_another` |"
    )?;
    Ok(())
}

fn row(
    out: &mut String,
    title: &str,
    judged: &[Value],
    show: impl Fn(&Value) -> String,
) -> Result<()> {
    let cells: Vec<String> = judged.iter().map(show).collect();
    writeln!(out, "| {title} | {} |", cells.join(" | "))?;
    Ok(())
}

fn figure(one: &Value, field: &str, unit: f64, digits: usize) -> String {
    one[field].as_f64().map_or_else(none, |value| format!("{:.digits$}", value / unit))
}

/// What a tool said, short enough for a table and without what would end its cell.
fn cell(said: &str) -> String {
    const LONGEST: usize = 90;
    let line = said.lines().next().unwrap_or_default().replace('|', "/");
    let mut short: String = line.chars().take(LONGEST).collect();
    if line.chars().count() > LONGEST {
        short.push('…');
    }
    short
}

fn none() -> String {
    "–".into()
}

#[expect(clippy::cast_precision_loss, reason = "a size in a table")]
fn kilobytes(bytes: usize) -> f64 {
    bytes as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_tool_says_stays_in_its_cell() {
        assert_eq!(cell("ok"), "ok");
        assert_eq!(cell("a | b\nand more"), "a / b");
        assert_eq!(cell(&"ü".repeat(91)), format!("{}…", "ü".repeat(90)));
    }
}
