//! The public vectors in every language: each runner brings the files, and must write the verdicts that Rust writes.
//!
//! ```text
//! tests/vectors/*.json ──► antiphon-vectors behind uniffi ──► Python, Kotlin, Swift    the same lines
//!                          antiphon-vectors as wasm ──► Node, Chromium, Firefox        in each
//! ```

use anyhow::{Context as _, Result, ensure};
use clap::{Args, ValueEnum};
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::mobile;
use crate::process::{cargo, command, display, root, run, target_dir};
use crate::setup::{self, Need};
use crate::step::step;

/// What is judged, below `tests/vectors`.
const FILES: [&str; 7] = [
    "wycheproof/wycheproof_ed25519_test.json",
    "wycheproof/bls_sig_g2_pop_verify.json",
    "wycheproof/bls_sig_g2_basic_verify.json",
    "wycheproof/bls_sig_g2_aggregate_verify.json",
    "wycheproof/bls_hash_to_g2.json",
    "light-client.json",
    "rfc6962.json",
];

/// Options of `cargo xtask vectors`.
#[derive(Args)]
pub(crate) struct Options {
    /// In these languages; in all of them without any.
    languages: Vec<Language>,
}

/// Where a runner runs.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Language {
    Python,
    Node,
    Chromium,
    Firefox,
}

/// Compares the verdicts in some languages with those of Rust.
///
/// # Errors
///
/// One does not build, or says something else.
pub(crate) fn compare_some(options: &Options) -> Result<()> {
    let all = Language::value_variants();
    let languages = if options.languages.is_empty() { all } else { &options.languages };
    let expected = rust()?;
    for one in languages {
        match one {
            Language::Python => compare(&expected, "python", &mut python()?)?,
            Language::Node => compare(&expected, "node", &mut wasm("node")?)?,
            Language::Chromium => compare(&expected, "chromium", &mut wasm("chromium")?)?,
            Language::Firefox => compare(&expected, "firefox", &mut wasm("firefox")?)?,
        }
    }
    Ok(())
}

/// The same in every language that is here anyway.
///
/// # Errors
///
/// Those of [`compare_some`].
pub(crate) fn check() -> Result<()> {
    compare_some(&Options { languages: Vec::new() })
}

/// Returns what Rust says.
///
/// # Errors
///
/// It does not build.
pub(crate) fn rust() -> Result<String> {
    step("judging the public vectors in Rust", || {
        let mut line = cargo();
        line.args(["run", "--quiet", "--package", "antiphon-tests", "--example", "vectors", "--"]);
        said(line.args(files()))
    })
}

/// Demands that a runner says what Rust says.
///
/// # Errors
///
/// It fails, or says something else.
pub(crate) fn compare(expected: &str, language: &str, runner: &mut Command) -> Result<()> {
    step(&format!("judging them in {language}"), || {
        let found = said(runner)?;
        let mut lines = expected.lines().zip(found.lines());
        if let Some((ours, other)) = lines.find(|(ours, other)| ours != other) {
            ensure!(ours == other, "Rust says `{ours}`, {language} says `{other}`");
        }
        ensure!(found == expected, "{language} says more, or less");
        println!(
            "    {} verdicts, the same",
            found.lines().filter(|line| !line.starts_with('#')).count()
        );
        Ok(())
    })
}

/// Returns the files.
pub(crate) fn files() -> Vec<PathBuf> {
    FILES.iter().map(|file| root().join("tests/vectors").join(file)).collect()
}

/// Builds the library, and writes its code in a language. Returns the folder that both are in.
///
/// # Errors
///
/// It does not build.
pub(crate) fn library(language: &str) -> Result<PathBuf> {
    let out = target_dir().join("xtask/vectors").join(language);
    fs::create_dir_all(&out)?;
    mobile::library()?;
    step("building the vectors for other languages", || {
        run(cargo().args(["build", "--package", "antiphon-vectors"]))?;
        let library = target_dir().join("debug/libantiphon_vectors.so");
        let mut bindgen = command(target_dir().join("debug/uniffi-bindgen"));
        bindgen.arg("generate").arg(&library).args(["-l", language, "--no-format", "-o"]);
        run(bindgen.arg(&out))?;
        fs::copy(&library, out.join("libantiphon_vectors.so"))?;
        Ok(())
    })?;
    Ok(out)
}

fn python() -> Result<Command> {
    let mut line = command("python3");
    line.env("PYTHONPATH", library("python")?);
    line.arg("tests/languages/judge.py").args(files());
    Ok(line)
}

fn wasm(place: &str) -> Result<Command> {
    setup::ensure(&[Need::Clang, Need::Browser, Need::Firefox])?;
    setup::npm_ci("tests/e2e")?;
    let out = target_dir().join("xtask/vectors/wasm");
    step("building the vectors as wasm", || {
        const TARGET: &str = "wasm32-unknown-unknown";
        let words = ["build", "--package", "antiphon-vectors", "--target", TARGET];
        run(cargo().args(words).args(["--profile", "wasm"]))?;
        let raw = target_dir().join(TARGET).join("wasm/antiphon_vectors.wasm");
        let mut bindgen = cargo();
        bindgen.args(["run", "--package", "antiphon-bindgen", "--", "web"]);
        run(bindgen.arg(raw).arg(&out).arg("vectors"))
    })?;
    let mut line = command("node");
    line.args(["tests/e2e/lab/vectors.mjs", place]).arg(out).args(files());
    if let Some(path) = setup::browser() {
        line.env("CHROMIUM", path);
    }
    if let Some(path) = setup::firefox() {
        line.env("FIREFOX", path);
    }
    Ok(line)
}

/// Returns what a program prints; what it complains of goes to the terminal.
fn said(command: &mut Command) -> Result<String> {
    let line = display(command);
    let output = command.stderr(std::process::Stdio::inherit()).output();
    let output = output.with_context(|| format!("could not start `{line}`"))?;
    ensure!(output.status.success(), "`{line}` ended with {}", output.status);
    Ok(String::from_utf8(output.stdout)?)
}
