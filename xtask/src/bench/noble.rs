//! The check of a checkpoint beside noble/curves, the library that web pages use for BLS12-381, in the same engine.

use std::fmt::Write as _;

use anyhow::Result;
use serde_json::Value;

use super::{Figures, lines, number};
use crate::process::{command, root};
use crate::step::step;

/// Sets that are compared; those of `antiphon-bench`.
const GUARDIANS: [u64; 4] = [7, 100, 1000, 5000];
/// Engines of both, with their names in our own rows.
const ENGINES: [(&str, &str, usize); 2] = [("node", "Node", 1), ("chromium", "Chromium", 2)];

/// Lines of each engine, in the order of [`ENGINES`].
pub(super) struct Measured(Vec<Vec<Value>>);

/// Times noble in both engines.
///
/// # Errors
///
/// A run fails.
pub(super) fn measure() -> Result<Measured> {
    let run = |(engine, name, _): (&str, &str, usize)| {
        step(&format!("noble/curves in {name}"), || {
            let mut noble = command("node");
            noble.args(["bench/noble.mjs", engine]).current_dir(root().join("tests/e2e"));
            lines(noble.args(GUARDIANS.map(|count| count.to_string())))
        })
    };
    Ok(Measured(ENGINES.into_iter().map(run).collect::<Result<_>>()?))
}

impl Measured {
    /// Writes the table; `ours` are the rows of `antiphon-bench`.
    ///
    /// # Errors
    ///
    /// A figure is missing.
    pub(super) fn write(&self, out: &mut String, ours: &Figures) -> Result<()> {
        out.push_str(
            "\n## Checkpoints beside noble/curves\n\n\
             A quorum signed; keys are at hand as points, for both.\n\n\
             | guardians | engine | ours | noble/curves | faster by |\n|---|---|---|---|---|\n",
        );
        for (lines, (_, engine, index)) in self.0.iter().zip(ENGINES) {
            for line in lines {
                let (guardians, theirs) = (number(line, "guardians")?, number(line, "nanos")?);
                let name = format!("checkpoint of {guardians:.0} guardians: check bits");
                let Some(nanos) = ours.nanos(&name, index) else { continue };
                writeln!(
                    out,
                    "| {guardians:.0} | {engine} | {} | {} | {:.2} |",
                    super::span(nanos),
                    super::span(theirs),
                    theirs / nanos,
                )?;
            }
        }
        Ok(())
    }
}
