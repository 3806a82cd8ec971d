//! Python: with the sources as they lie here, or with the wheel as others get it.

use anyhow::Result;
use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::fs;
use std::path::Path;
use std::process::Command;

use super::{folder, library, show};
use crate::process::{run, target_dir};
use crate::scenario;
use crate::step::step;

/// Runs the tests with the sources and the library of this build.
///
/// # Errors
///
/// A test fails.
pub(super) fn test_sources() -> Result<()> {
    tests(sources()?)
}

/// Runs the scenario with the same, and returns its transcript.
///
/// # Errors
///
/// The wallet answers something else.
pub(crate) fn scenario() -> Result<String> {
    play("python", sources()?)
}

/// Prints a proven balance.
///
/// # Errors
///
/// The library does not build, or the example fails.
pub(super) fn balance(words: &[&str]) -> Result<()> {
    let program = folder("python/example/balance.py").display().to_string();
    let words: Vec<&str> = [program.as_str()].into_iter().chain(words.iter().copied()).collect();
    show(&mut sources()?(&words))
}

/// Returns what starts Python with the package as it lies here.
fn sources() -> Result<impl Fn(&[&str]) -> Command> {
    let path = target_dir().join("xtask/python");
    let package = path.join("antiphon");
    fs::create_dir_all(&package)?;
    let library = library()?.join(format!("{DLL_PREFIX}antiphon_mobile{DLL_SUFFIX}"));
    fs::copy(&library, package.join(library.file_name().unwrap_or_default()))?;
    for name in ["__init__.py", "antiphon.py"] {
        fs::copy(folder("python/src/antiphon").join(name), package.join(name))?;
    }
    Ok(move |words: &[&str]| {
        let mut line = Command::new("python3");
        line.args(words).env("PYTHONPATH", &path);
        line
    })
}

/// Builds the wheel, installs it in an environment of its own, and runs the same with it.
///
/// # Errors
///
/// `python3` or its `venv` is missing, the wheel does not build, a test fails.
pub(super) fn test() -> Result<()> {
    let home = target_dir().join("xtask/venv");
    let python = home.join("bin/python");
    if !python.exists() {
        step("making an environment for Python", || {
            run(Command::new("python3").args(["-m", "venv"]).arg(&home))?;
            run(Command::new(&python).args(["-m", "pip", "install", "--quiet", "maturin>=1.9,<2"]))
        })?;
    }
    step("building the wheel", || wheel(&home))?;
    let installed = |words: &[&str]| {
        let mut line = Command::new(&python);
        line.args(words);
        line
    };
    tests(installed)?;
    play("wheel", installed).map(drop)
}

fn wheel(home: &Path) -> Result<()> {
    let out = target_dir().join("xtask/wheel");
    if out.exists() {
        fs::remove_dir_all(&out)?;
    }
    let mut build = Command::new(home.join("bin/maturin"));
    run(build.args(["build", "--out"]).arg(&out).current_dir(folder("python")))?;
    let mut install = Command::new(home.join("bin/python"));
    install.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--force-reinstall",
        "--no-index",
        "--find-links",
    ]);
    run(install.arg(&out).arg("antiphon"))
}

fn tests(python: impl Fn(&[&str]) -> Command) -> Result<()> {
    let tests = folder("python/tests").display().to_string();
    step("running the tests in Python", || {
        run(python(&["-m", "unittest", "discover", "-s", &tests]).current_dir(folder("python")))
    })
}

fn play(name: &str, python: impl Fn(&[&str]) -> Command) -> Result<String> {
    let program = folder("python/example/program.py").display().to_string();
    scenario::run(name, |words| {
        let words: Vec<&str> =
            [program.as_str()].into_iter().chain(words.iter().copied()).collect();
        python(&words)
    })
}
