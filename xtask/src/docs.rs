//! What people read: snippets of guides, the commands that they name, and the references of each language.
//!
//! ```text
//! examples, mobile ──lines──► docs/*.md ──www/docs.mjs──► the site
//! core/src/code/ ──example `codes`──► docs/codes.md
//! sources ──rustdoc, typedoc, pdoc──► target/reference/ ──► the site
//! ```

mod commands;
mod examples;
mod reference;
mod snippets;

use anyhow::{Context as _, Result};
use clap::{Args, Subcommand};
use std::fs;
use std::path::PathBuf;

use crate::process::root;

/// Options of `cargo xtask docs`.
#[derive(Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    what: Option<What>,
}

/// What is made or checked; without one, all references, and they are put into the site.
#[derive(Clone, Copy, Subcommand)]
enum What {
    /// Compare the guides' snippets with the programs that they are from, and their commands with the programs' help; examples are short.
    Guides {
        /// Write the snippets instead.
        #[arg(long)]
        write: bool,
    },
    /// Make the Rust reference.
    Rust,
    /// Make the reference of the npm package.
    Typescript,
    /// Make the reference of the Python package.
    Python,
}

/// Does one of them, or makes all references.
///
/// # Errors
///
/// A guide says what is not so, or a reference does not build.
pub(crate) fn run_one(options: &Options) -> Result<()> {
    match options.what {
        Some(What::Guides { write: true }) => snippets::write(&guides()?),
        Some(What::Guides { write: false }) => check(),
        Some(What::Rust) => reference::rust(),
        Some(What::Typescript) => reference::typescript(),
        Some(What::Python) => reference::python(),
        None => reference::all(),
    }
}

/// What every change must pass.
///
/// # Errors
///
/// An example is long, a snippet is not what its program says, or a command that a guide names is none.
pub(crate) fn check() -> Result<()> {
    examples::check()?;
    let guides = guides()?;
    snippets::compare(&guides)?;
    commands::check(&guides)
}

/// A text for people: its name below the workspace, where it is, and what it says.
struct Guide {
    name: String,
    path: PathBuf,
    text: String,
}

/// Reads all that tell people what to type.
fn guides() -> Result<Vec<Guide>> {
    let others = ["README.md", "CONTRIBUTING.md", "examples/README.md", "mobile/README.md"];
    let mut names: Vec<String> = others.map(str::to_owned).into();
    names.push(String::from("wasm/js/README.md"));
    for entry in fs::read_dir(root().join("docs")).context("docs")? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.ends_with(".md") {
            names.push(format!("docs/{name}"));
        }
    }
    names.sort();
    let read = |name: String| {
        let path = root().join(&name);
        let text = fs::read_to_string(&path).with_context(|| name.clone())?;
        Ok(Guide { name, path, text })
    };
    names.into_iter().map(read).collect()
}
