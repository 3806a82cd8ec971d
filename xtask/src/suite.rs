//! Every check that a change must pass, in one list.

use std::process::Command;
use std::time::Instant;

use anyhow::{Result, bail};
use clap::Args;

use crate::artifact;
use crate::disk;
use crate::docs as documents;
use crate::files::gzip_size;
use crate::mobile;
use crate::mutants;
use crate::process::{cargo, command, found, output, root, run};
use crate::scenario;
use crate::setup::{self, Need};
use crate::vectors;
use crate::verdicts;

/// Options of `cargo xtask test`.
#[derive(Args)]
pub(crate) struct Options {
    /// Run only these checks.
    #[arg(value_name = "CHECK")]
    checks: Vec<String>,
    /// The same, one at a time; may be given more than once.
    #[arg(long, value_name = "CHECK")]
    only: Vec<String>,
    /// Print the checks and stop.
    #[arg(long)]
    list: bool,
}

/// One check. A check that cannot run on this machine fails; none is skipped in silence.
struct Check {
    name: &'static str,
    about: &'static str,
    needs: &'static [Need],
    run: fn() -> Result<()>,
}

/// core compiled to another target: its C needs clang.
const CLANG: &[Need] = &[Need::Clang];

/// What opens pages that reach no other page.
const PAGES: &[Need] = &[Need::Clang, Need::Browser, Need::Firefox];

const CHECKS: &[Check] = &[
    check("format", "rustfmt leaves every file as it is", &[], format),
    check("lint", "clippy is silent, native", &[], lint),
    check("lint-wasm", "clippy is silent, wasm32", CLANG, lint_wasm),
    check("bare", "core compiles without std, for thumbv7em", CLANG, bare),
    check("pure", "the node's rules compile without its shell, and that without WebRTC", &[], pure),
    check("docs", "rustdoc is silent", &[], docs),
    check("rust", "every Rust test", &[Need::Redis], rust),
    check(
        "mutants",
        "some safety rules, taken out one at a time, are missed by a test",
        &[],
        mutants::run_some,
    ),
    check("rust-docs", "every example in the documentation", &[], rust_docs),
    check(
        "guides",
        "snippets of the guides are those of short programs that run, and their commands exist",
        &[],
        documents::check,
    ),
    check("wasm", "core's tests and the public vectors as wasm, in Node's engine", CLANG, wasm),
    check("npm", "the npm package and the site: sizes, types, tests", CLANG, npm),
    check(
        "packaging",
        "the packed package in every bundler, in Node and in both browsers",
        PAGES,
        packaging,
    ),
    check(
        "mobile",
        "the client for phones: generated code, iOS and Android, tests in Python",
        &[],
        mobile::check,
    ),
    check("scenario", "one story in every language: the same transcript", PAGES, scenario::check),
    check(
        "vectors",
        "the public vectors in every language: Rust's verdicts",
        PAGES,
        vectors::check,
    ),
    check("browser", "end to end, in real Chromium and Firefox", &Need::ALL, browser),
    check("deny", "licences and advisories, where cargo-deny is", &[], deny),
];

const fn check(
    name: &'static str,
    about: &'static str,
    needs: &'static [Need],
    run: fn() -> Result<()>,
) -> Check {
    Check { name, about, needs, run }
}

/// Runs the checks, all of them even if one fails, and sums up.
///
/// # Errors
///
/// A check failed, or a name is unknown.
pub(crate) fn run_all(options: &Options) -> Result<()> {
    if options.list {
        for check in CHECKS {
            println!("{:<10} {}", check.name, check.about);
        }
        return Ok(());
    }
    let named = || options.checks.iter().chain(&options.only);
    for name in named() {
        if !CHECKS.iter().any(|check| check.name == name) {
            bail!("no check is called `{name}`; `cargo xtask test --list` prints them");
        }
    }
    let wanted =
        |check: &&Check| named().next().is_none() || named().any(|name| check.name == name);
    disk::check()?;
    // All at the start: nobody wants to be asked for a password after ten minutes.
    let needed = |need: &Need| CHECKS.iter().filter(wanted).any(|check| check.needs.contains(need));
    setup::ensure(&Need::ALL.into_iter().filter(needed).collect::<Vec<_>>())?;
    let mut rows = Vec::new();
    for check in CHECKS.iter().filter(wanted) {
        println!("==> {}: {}", check.name, check.about);
        if check.name == "deny" && output("cargo", &["deny", "--version"]).is_none() {
            println!(
                "    left out: cargo-deny is not here, licences and advisories were NOT checked"
            );
            continue;
        }
        let start = Instant::now();
        let result = (check.run)();
        let seconds = start.elapsed().as_secs_f64();
        match &result {
            Ok(()) => println!("    passed in {seconds:.1} s: {}", check.name),
            Err(error) => {
                println!("    FAILED in {seconds:.1} s: {}: {error:#}", check.name);
                println!("    to repeat: cargo xtask test --only {}", check.name);
            }
        }
        rows.push((check.name, result, seconds));
    }
    println!();
    for (name, result, seconds) in &rows {
        let verdict = if result.is_ok() { "passed" } else { "FAILED" };
        println!("{verdict} {seconds:>7.1} s  {name}");
    }
    let failed = rows.iter().filter(|(_, result, _)| result.is_err()).count();
    println!("{} passed, {failed} failed", rows.len() - failed);
    if failed > 0 {
        bail!("{failed} of {} checks failed", rows.len());
    }
    Ok(())
}

fn format() -> Result<()> {
    run(cargo().args(["fmt", "--all", "--", "--check"]))
}

fn lint() -> Result<()> {
    run(cargo().args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))
}

fn lint_wasm() -> Result<()> {
    let mut clippy = cargo();
    clippy.args(["clippy", "--package", "antiphon-core", "--package", "antiphon-wasm"]);
    clippy.args(["--package", "antiphon-verify", "--package", "antiphon-words"]);
    run(clippy.args(["--target", "wasm32-unknown-unknown", "--", "-D", "warnings"]))
}

fn bare() -> Result<()> {
    let mut check = cargo();
    run(check.args([
        "check",
        "--package",
        "antiphon-core",
        "--features",
        "falcon",
        "--target",
        "thumbv7em-none-eabihf",
    ]))
}

fn pure() -> Result<()> {
    let mut clippy = cargo();
    clippy.args(["clippy", "--package", "antiphon-node", "--no-default-features"]);
    run(clippy.args(["--all-targets", "--", "-D", "warnings"]))?;
    let mut check = cargo();
    check.args(["check", "--package", "antiphon-node", "--no-default-features"]);
    run(check.args(["--features", "shell"]))
}

fn docs() -> Result<()> {
    let mut doc = cargo();
    run(doc.args(["doc", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings"))
}

fn rust() -> Result<()> {
    // nextest runs the same tests side by side; it is faster, not needed.
    if found("cargo-nextest") || output("cargo", &["nextest", "--version"]).is_some() {
        run(cargo().args(["nextest", "run", "--workspace", "--no-fail-fast"]))
    } else {
        run(cargo().args(["test", "--workspace", "--all-targets", "--no-fail-fast"]))
    }
}

fn rust_docs() -> Result<()> {
    run(cargo().args(["test", "--workspace", "--doc"]))
}

/// wasm32-wasip1 rather than wasm32-unknown-unknown: the same machine code generator and the same
/// engine, but a test program can print and read its vectors.
fn wasm() -> Result<()> {
    let mut test: Command = cargo();
    test.args(["test", "--package", "antiphon-core", "--package", "antiphon-tests", "--tests"]);
    test.args(["--target", "wasm32-wasip1"]);
    run(test.env("CARGO_TARGET_WASM32_WASIP1_RUNNER", verdicts::wasi_runner()))?;
    verdicts::compare_some()
}

/// The facade's size is checked by its own build.
fn npm() -> Result<()> {
    artifact::build_all()?;
    for module in &artifact::MODULES {
        let (path, limit) = (module.path(), module.budget);
        let bytes = gzip_size(&path)?;
        if bytes > limit {
            bail!("{} has {bytes} bytes after gzip, the limit is {limit}", path.display());
        }
    }
    let npm = |folder: &str, script: &str| {
        run(command("npm").args(["run", "--silent", script]).current_dir(root().join(folder)))
    };
    npm("wasm/js", "check")?;
    npm("wasm/js", "test")?;
    npm("www", "check")
}

/// The drivers of the browsers are those of the end-to-end tests.
fn packaging() -> Result<()> {
    setup::npm_ci("tests/e2e")?;
    in_browsers("tests/packaging")
}

fn browser() -> Result<()> {
    setup::npm_ci("examples/react")?;
    in_browsers("tests/e2e")
}

/// Checks and runs the tests of a folder, with all that they open and start.
fn in_browsers(folder: &str) -> Result<()> {
    artifact::build_all()?;
    artifact::node()?;
    setup::npm_ci(folder)?;
    run(command("npm").args(["run", "--silent", "check"]).current_dir(root().join(folder)))?;
    let mut tests = command("npm");
    tests.args(["run", "--silent", "test"]).current_dir(root().join(folder));
    if let Some(path) = setup::browser() {
        tests.env("CHROMIUM", path);
    }
    if let Some(path) = setup::firefox() {
        tests.env("FIREFOX", path);
    }
    run(&mut tests)
}

fn deny() -> Result<()> {
    run(cargo().args(["deny", "check"]))
}
