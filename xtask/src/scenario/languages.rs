//! Who runs the scenario without a compiler of its own: `cargo xtask scenario`.

use anyhow::{Result, ensure};
use clap::{Args, ValueEnum};
use std::path::Path;
use std::process::Command;

use super::{part, play, run};
use crate::artifact;
use crate::mobile::{self, python};
use crate::process::command;
use crate::setup::{self, Need};

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
    /// What of the scenario it cannot do.
    const fn lacks(self) -> &'static [&'static str] {
        match self {
            Self::Rust | Self::Python | Self::Chromium => &[],
            Self::Node => &["disk", "links", "quota"],
            // Nobody can fill the disk of a Firefox that is driven from outside.
            Self::Firefox => &["quota"],
        }
    }

    fn run(self) -> Result<String> {
        match self {
            Self::Rust => rust(),
            Self::Python => python::scenario(),
            Self::Node => page("node", self.lacks()),
            Self::Chromium => page("chromium", self.lacks()),
            Self::Firefox => page("firefox", self.lacks()),
        }
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
    // Who can do all of it comes first.
    for one in languages.iter().filter(|one| one.lacks().is_empty()) {
        let transcript = one.run()?;
        let whole = whole.get_or_insert_with(|| transcript.clone());
        ensure!(*whole == transcript, "two languages wrote other transcripts");
    }
    for one in languages.iter().filter(|one| !one.lacks().is_empty()) {
        let transcript = one.run()?;
        if let Some(whole) = &whole {
            ensure!(
                part(whole, one.lacks())? == transcript,
                "a part of the transcript is another one"
            );
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
    run("rust", |words| native(&wallet, words))
}

fn native(wallet: &Path, words: &[&str]) -> Command {
    let mut line = Command::new(wallet);
    line.args(words);
    line
}

/// The npm package, in a browser or on a server.
fn page(place: &str, lacks: &[&str]) -> Result<String> {
    setup::ensure(&[Need::Clang, Need::Browser, Need::Firefox])?;
    artifact::package()?;
    let phone = mobile::library()?.join("examples/wallet");
    setup::npm_ci("tests/e2e")?;
    let page = |words: &[&str]| {
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
    };
    play(place, lacks, &page, Some(&|words| native(&phone, words)))
}
