//! The client for phones and other languages: its generated code, its packages, and their tests.
//!
//! ```text
//! antiphon-mobile ──bindgen──► Kotlin, Swift, Python, compared with what is checked in
//! the tests of each language, and in it the scenario of all (`scenario`)
//! ```

mod bindings;
mod kotlin;
pub(crate) mod python;
mod swift;
mod targets;

use anyhow::{Context as _, Result, ensure};
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;
use std::process::Command;

use crate::process::{cargo, display, root, run, target_dir};
use crate::step::step;

/// Options of `cargo xtask mobile`.
#[derive(Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    what: What,
}

/// What is built and tested.
#[derive(Clone, Subcommand)]
enum What {
    /// Compare the generated code that is checked in with what the library gives.
    Bindings {
        /// Write it instead.
        #[arg(long)]
        write: bool,
    },
    /// Check the library for iOS and Android.
    Targets,
    /// Build the wheel, install it beside nothing else, and run the scenario with it.
    Python,
    /// Compile the Kotlin of the JVM and of Android, and run the scenario on the JVM.
    Kotlin,
    /// Compile the Swift package on Linux, and run its tests and the scenario.
    Swift,
    /// Print the proven balance of an address: the example of twenty lines in one of the languages, with what it needs.
    Balance {
        /// What the example is written in.
        language: Language,
        /// URL of a node.
        node: String,
        /// The chain's id.
        chain: String,
        /// Whose balance.
        address: String,
    },
}

/// A language that the library is for.
#[derive(Clone, Copy, ValueEnum)]
enum Language {
    Kotlin,
    Python,
    Swift,
}

/// Does one of them.
///
/// # Errors
///
/// A build or a test fails.
pub(crate) fn run_one(options: &Options) -> Result<()> {
    match &options.what {
        What::Bindings { write } => bindings::check(*write),
        What::Targets => targets::check(),
        What::Python => python::test(),
        What::Kotlin => kotlin::test(),
        What::Swift => swift::test(),
        What::Balance { language, node, chain, address } => {
            let words = [node.as_str(), chain, address];
            match language {
                Language::Kotlin => kotlin::balance(&words),
                Language::Python => python::balance(&words),
                Language::Swift => swift::balance(&words),
            }
        }
    }
}

/// What every change must pass: the generated code, both targets, and the tests of the language that needs no compiler.
///
/// # Errors
///
/// One of them fails.
pub(crate) fn check() -> Result<()> {
    bindings::check(false)?;
    targets::check()?;
    python::test_sources()
}

/// Builds the library, its generator and the wallet in Rust, and returns the folder that they are in. Together: alone, each would compile what
/// both need with features of its own.
pub(crate) fn library() -> Result<PathBuf> {
    step("building the library for other languages", || {
        let packages = ["antiphon-mobile", "antiphon-mobile-bindgen", "antiphon-node"];
        let packages = packages.iter().flat_map(|name| ["--package", name]);
        run(cargo().arg("build").args(packages).args(["--lib", "--bins", "--example", "wallet"]))
    })?;
    Ok(target_dir().join("debug"))
}

/// Runs an example, which says itself what is wrong.
fn show(line: &mut Command) -> Result<()> {
    let status = line.status().with_context(|| display(line))?;
    ensure!(status.success(), "the example ended with {status}");
    Ok(())
}

/// Returns a path below `mobile/`.
fn folder(path: &str) -> PathBuf {
    root().join("mobile").join(path)
}
