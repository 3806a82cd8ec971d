//! The log: one line an event on standard error, as text for people or JSON for machines.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use std::io::IsTerminal as _;
use tracing_subscriber::{EnvFilter, filter::ParseError};

/// What is not worth a line unless the filter says otherwise: gossipsub warns of every message that two nodes have said, and
/// WebRTC of every packet that comes before the description of who sent it.
const QUIET: &str = "libp2p_gossipsub=error,rtc=error";

/// How a line of the log looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

impl Format {
    /// Returns its name in a configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
        }
    }
}

/// Begins to log what `filter` lets through, such as `info` or `warn,antiphon_node=debug`.
///
/// # Errors
/// A filter that makes no sense.
pub fn start(filter: &str, format: Format) -> Result<(), ParseError> {
    let filter = EnvFilter::builder().parse(format!("{QUIET},{filter}"))?;
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    // A second start, as in tests, changes nothing.
    let _ = match format {
        Format::Text => lines.try_init().map_err(drop),
        Format::Json => lines.json().flatten_event(true).try_init().map_err(drop),
    };
    Ok(())
}

/// Begins to log as the environment's `RUST_LOG` says, for subcommands without a configuration.
pub fn start_default() {
    let filter = std::env::var("RUST_LOG").unwrap_or_default();
    if filter.is_empty() || start(&filter, Format::Text).is_err() {
        let _ = start("info", Format::Text);
    }
}
