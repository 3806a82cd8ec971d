//! Feeds the same spoilt inputs to the decoders of several builds and demands the same verdicts (ADVERSARIAL case 30).

use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use clap::Args;

use crate::process::{cargo, root};
use crate::setup::{self, Need};
use crate::step::step;

/// Options of `cargo xtask verdicts`.
#[derive(Args)]
pub(crate) struct Options {
    /// How many inputs.
    #[arg(long, default_value_t = 1_000_000)]
    inputs: u32,
}

/// Compares native and wasm, each with and without optimisation.
///
/// # Errors
///
/// Two builds differ, or one breaks.
pub(crate) fn compare(options: &Options) -> Result<()> {
    setup::ensure(&[Need::Clang])?;
    agree(options.inputs, &[(false, false), (true, false), (false, true), (true, true)])
}

/// Compares only what is built for the tests anyway.
///
/// # Errors
///
/// Those of [`compare`].
pub(crate) fn compare_some() -> Result<()> {
    agree(20_000, &[(false, false), (false, true)])
}

fn agree(inputs: u32, builds: &[(bool, bool)]) -> Result<()> {
    let mut first: Option<String> = None;
    for (release, wasm) in builds {
        let profile = if *release { "release" } else { "debug" };
        let target = if *wasm { "wasm" } else { "native" };
        let line = step(&format!("{target}, {profile}"), || verdicts(inputs, *release, *wasm))?;
        println!("    {line}");
        let first = first.get_or_insert_with(|| line.clone());
        ensure!(*first == line, "{target}, {profile} says otherwise: {line}");
    }
    Ok(())
}

fn verdicts(inputs: u32, release: bool, wasm: bool) -> Result<String> {
    let mut run: Command = cargo();
    run.args(["run", "--quiet", "--package", "antiphon-tests", "--example", "verdicts"]);
    if release {
        run.arg("--release");
    }
    if wasm {
        run.args(["--target", "wasm32-wasip1"]);
        run.env("CARGO_TARGET_WASM32_WASIP1_RUNNER", wasi_runner());
    }
    let output = run.arg("--").arg(inputs.to_string()).output()?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "it ended with {}:\n{errors}", output.status);
    let text = String::from_utf8(output.stdout)?;
    Ok(text.lines().last().context("no verdicts")?.to_owned())
}

/// What runs a program of wasm32-wasip1: Node's engine.
pub(crate) fn wasi_runner() -> String {
    format!("node --no-warnings {}", root().join("xtask/js/wasi-test.mjs").display())
}
