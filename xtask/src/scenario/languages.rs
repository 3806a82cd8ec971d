//! Who runs the scenario without a compiler of its own: `cargo xtask scenario`.

use anyhow::{Result, ensure};
use clap::{Args, ValueEnum};
use std::process::Command;

use super::{play, run};
use crate::artifact;
use crate::mobile::{self, python};
use crate::process::command;
use crate::setup::{self, Need};

/// What the scenario asks for and Node has not.
const LACKING_IN_NODE: &[&str] = &["disk", "links", "quota"];
/// What nobody can do to a Firefox that is driven from outside.
const LACKING_IN_FIREFOX: &[&str] = &["quota"];

/// Options of `cargo xtask scenario`.
#[derive(Args)]
pub(crate) struct Options {
    /// In these languages; in all of them without any.
    languages: Vec<Language>,
}

/// What a wallet is written in, and where it runs.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Language {
    Rust,
    Python,
    /// TypeScript on a server: no data channels, and nothing is stored.
    Node,
    /// TypeScript in a page.
    Chromium,
    Firefox,
}

impl Language {
    fn run(self) -> Result<(&'static str, String)> {
        Ok(match self {
            Self::Rust => ("rust", rust()?),
            Self::Python => ("python", python::scenario()?),
            Self::Node => ("node", page("node", LACKING_IN_NODE)?),
            Self::Chromium => ("chromium", page("chromium", &[])?),
            Self::Firefox => ("firefox", page("firefox", LACKING_IN_FIREFOX)?),
        })
    }
}

/// Runs the scenario in some languages, and compares what they wrote.
///
/// # Errors
///
/// One does not build, answers something else, or wrote another transcript.
pub(crate) fn run_some(options: &Options) -> Result<()> {
    let all = Language::value_variants();
    let languages = if options.languages.is_empty() { all } else { &options.languages };
    let mut whole: Option<String> = None;
    for one in languages {
        let (language, transcript) = one.run()?;
        if !matches!(one, Language::Node | Language::Firefox) {
            let whole = whole.get_or_insert_with(|| transcript.clone());
            ensure!(*whole == transcript, "the transcript of {language} is another one");
        }
    }
    Ok(())
}

/// The same in every language that is here anyway.
///
/// # Errors
///
/// Those of [`run_some`].
pub(crate) fn check() -> Result<()> {
    run_some(&Options { languages: Vec::new() })
}

/// Rust without a border: the library that other languages are given.
fn rust() -> Result<String> {
    let wallet = mobile::library()?.join("examples/wallet");
    run("rust", |words| {
        let mut line = Command::new(&wallet);
        line.args(words);
        line
    })
}

/// The npm package, in a browser or on a server.
fn page(place: &str, lacks: &[&str]) -> Result<String> {
    setup::ensure(&[Need::Clang, Need::Browser, Need::Firefox])?;
    artifact::package()?;
    mobile::library()?;
    setup::npm_ci("tests/e2e")?;
    play(place, lacks, true, |words| {
        let mut line = command("node");
        line.args(["--no-warnings", "--experimental-websocket", "tests/e2e/lab/wallet.mjs", place]);
        line.args(words);
        if let Some(path) = setup::browser() {
            line.env("CHROMIUM", path);
        }
        if let Some(path) = setup::firefox() {
            line.env("FIREFOX", path);
        }
        line
    })
}
