//! Runs the fuzz targets, one after another, each for a while. Needs cargo-fuzz and a nightly toolchain, and says so.

use std::path::Path;

use anyhow::{Context as _, Result, anyhow, bail};
use clap::Args;

use crate::process::{command, found, output, root, run, target_dir};

/// Options of `cargo xtask fuzz`.
#[derive(Args)]
pub(crate) struct Options {
    /// How long each target runs.
    #[arg(long, default_value_t = 60)]
    seconds: u32,
    /// The targets; all if none is named.
    targets: Vec<String>,
}

/// Fuzzes, and stops at the first target that breaks.
///
/// # Errors
///
/// A tool is missing, a name is unknown, or a target broke; cargo-fuzz then prints where the input lies.
pub(crate) fn run_all(options: &Options) -> Result<()> {
    tools()?;
    let folder = root().join("tests/fuzz");
    let all = targets(&folder.join("fuzz_targets"))?;
    for name in &options.targets {
        if !all.contains(name) {
            bail!("no target is called `{name}`; there are: {}", all.join(", "));
        }
    }
    let wanted = if options.targets.is_empty() { &all } else { &options.targets };
    for name in wanted {
        fuzz(&folder, name, options.seconds)?;
    }
    println!("{} targets ran for {} s each; nothing broke", wanted.len(), options.seconds);
    Ok(())
}

/// Says each tool that is missing. Installs nothing: a second toolchain is a lot to put on a machine unasked.
fn tools() -> Result<()> {
    // `cargo +nightly` would download it.
    let toolchains = output("rustup", &["toolchain", "list"]).unwrap_or_default();
    let mut missing = Vec::new();
    if !toolchains.lines().any(|line| line.starts_with("nightly")) {
        missing.push("a nightly toolchain: rustup toolchain install nightly --profile minimal");
    }
    if !found("cargo-fuzz") {
        missing.push("cargo-fuzz:          cargo install cargo-fuzz --locked");
    }
    if missing.is_empty() {
        return Ok(());
    }
    bail!(
        "fuzzing needs tools that are not here and that are not installed unasked:\n    {}\n\
         Without them `cargo test -p antiphon-tests corpus` runs the same bodies over the corpus.",
        missing.join("\n    ")
    )
}

/// Returns the names of all targets, sorted.
fn targets(folder: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for file in std::fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = file?.path();
        names.extend(path.file_stem().map(|name| name.to_string_lossy().into_owned()));
    }
    names.sort();
    Ok(names)
}

/// What a run finds goes under the target folder, so that the committed corpus stays small.
fn fuzz(folder: &Path, name: &str, seconds: u32) -> Result<()> {
    println!("==> fuzz {name} for {seconds} s");
    let grown = target_dir().join("fuzz-corpus").join(name);
    std::fs::create_dir_all(&grown)?;
    let mut fuzz = command("cargo");
    fuzz.args(["+nightly", "fuzz", "run", "--fuzz-dir"]).arg(folder);
    // The toolchain that started us must not speak for the nightly one.
    fuzz.env_remove("RUSTUP_TOOLCHAIN").env_remove("CARGO").env_remove("RUSTC");
    fuzz.env("CARGO_TARGET_DIR", target_dir().join("fuzz"));
    fuzz.arg(name).arg(&grown).arg(folder.join("corpus").join(name)).arg("--");
    fuzz.arg(format!("-max_total_time={seconds}"));
    // No input may take 10 s, 64 MB at once, or half a gigabyte in all.
    run(fuzz.args(["-timeout=10", "-malloc_limit_mb=64", "-rss_limit_mb=512", "-max_len=20000"]))
        .map_err(|error| {
            anyhow!(
                "{error:#}\n\
                 If it names an input: keep that as tests/fuzz/corpus/{name}/WHAT-IT-BROKE, and \
                 `cargo test -p antiphon-tests corpus` breaks on it, too, until it is mended."
            )
        })
}
