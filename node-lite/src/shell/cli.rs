//! The command line: one variant a subcommand, each carried out in its own file.

use super::{
    account, config, cost, dev, evidence, explain, genesis, init, light, log, publish, run, safety,
    site, snapshot, stake, testnet, token, tracker,
};
use clap::{ArgMatches, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

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
    /// Makes an account, shows what is proven to be in it, and sends from it, by Ed25519 or by Falcon.
    #[command(subcommand)]
    Account(account::Command),
    /// Says what listening to a stream takes of a data plan, and costs.
    Cost(cost::Options),
    /// Runs a development network: 4 validators and 7 guardians in one process.
    Dev(dev::Options),
    /// Checks files of evidence.
    #[command(subcommand)]
    Evidence(evidence::Command),
    /// Says what a stable code means and what to do about it.
    Explain(explain::Options),
    /// Assembles a chain file from nodes' public parts.
    Genesis(genesis::Options),
    /// Makes a node's keys, readable by their owner only, and prints what may be shown of them.
    Init(init::Options),
    /// Writes light data as plain files that any HTTP server can serve.
    #[command(subcommand)]
    Light(LightCommand),
    /// Carries a live stream as one of its peers: fetches, verifies, caches, serves over WebRTC, and is paid.
    #[cfg(feature = "peer")]
    Peer(Box<super::peer::Options>),
    /// Publishes a live stream: signs its segments and serves them.
    Publish(publish::Options),
    /// Lets a fresh key sign for a publisher; the key so far signs for it, and listeners play on.
    Rotate(publish::keys::Options),
    /// Runs one node of a chain.
    Run(Box<config::Options>),
    /// Says the number by which two people compare their keys, or compares with a code.
    Safety(safety::Options),
    /// Serves the page that plays.
    Site(site::Options),
    /// Makes and verifies snapshots of a chain's state.
    Snapshot(snapshot::Options),
    /// Registers, bonds and unbonds a keeper's stake, and shows what is leaving and when.
    #[command(subcommand)]
    Stake(stake::Command),
    /// Runs a network of many processes on this machine.
    Testnet(testnet::Options),
    /// Signs a token by which a listener may join a stream at trackers that ask for one.
    Token(token::Options),
    /// Introduces the listeners of streams to each other.
    Tracker(tracker::Options),
}

/// What can be done with light data.
#[derive(Debug, Subcommand)]
pub enum LightCommand {
    /// Exports a chain's light data to a folder, of a running node or of a stopped node's store.
    Export(light::export::Options),
}

/// The command line, and how each value of it came to be.
#[derive(Debug)]
pub struct Parsed {
    cli: Cli,
    matches: ArgMatches,
}

impl Parsed {
    /// Reads the command line. Ends the process with code 2 and an explanation if it makes no sense.
    pub fn from_command_line() -> Self {
        let matches = Cli::command().get_matches();
        let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
        Self { cli, matches }
    }

    /// Carries out the subcommand and returns when it is done or interrupted.
    ///
    /// # Errors
    /// What the subcommand reports, in words for a person.
    pub async fn run(self) -> anyhow::Result<()> {
        if !matches!(self.cli.command, Command::Run(_)) {
            log::start_default();
        }
        match self.cli.command {
            Command::Account(command) => account::run(command).await,
            Command::Cost(options) => cost::run(&options),
            Command::Dev(options) => dev::run(options).await,
            Command::Evidence(command) => evidence::run(&command).await,
            Command::Explain(options) => explain::run(&options),
            Command::Genesis(options) => genesis::run(&options),
            Command::Init(options) => init::run(&options),
            Command::Light(LightCommand::Export(options)) => light::export::run(options).await,
            #[cfg(feature = "peer")]
            Command::Peer(options) => super::peer::run(*options).await,
            Command::Publish(options) => publish::run(options).await,
            Command::Rotate(options) => publish::keys::rotate(&options),
            Command::Run(options) => {
                run::run(*options, self.matches.subcommand_matches("run")).await
            }
            Command::Safety(options) => safety::run(&options),
            Command::Site(options) => site::run(options).await,
            Command::Snapshot(options) => snapshot::run(&options),
            Command::Stake(command) => stake::run(command).await,
            Command::Testnet(options) => testnet::run(options).await,
            Command::Token(options) => token::run(&options),
            Command::Tracker(options) => tracker::run(options).await,
        }
    }
}
