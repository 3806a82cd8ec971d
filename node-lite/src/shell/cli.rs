//! The command line: one variant a subcommand, each carried out in its own file.

use super::{dev, publish, site, tracker};
use clap::{Parser, Subcommand};

/// The supernode of Antiphon.
#[derive(Debug, Parser)]
#[command(name = "antiphon", version, about)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What the binary can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Runs a development network: 4 validators and 7 guardians in one process.
    Dev(dev::Options),
    /// Publishes a live stream: signs its segments and serves them.
    Publish(publish::Options),
    /// Serves the page that plays.
    Site(site::Options),
    /// Introduces the listeners of streams to each other.
    Tracker(tracker::Options),
}

impl Cli {
    /// Carries out the subcommand and returns when it is done or interrupted.
    ///
    /// # Errors
    /// What the subcommand reports, in words for a person.
    pub async fn run(self) -> anyhow::Result<()> {
        match self.command {
            Command::Dev(options) => dev::run(options).await,
            Command::Publish(options) => publish::run(options).await,
            Command::Site(options) => site::run(options).await,
            Command::Tracker(options) => tracker::run(options).await,
        }
    }
}
