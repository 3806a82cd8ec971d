//! `antiphon genesis`: a chain file from the public parts of the nodes that begin it.

use super::{
    chain_file::{self, DECIMALS, Draft, PublicPart, Staking},
    dev::{keys::write_atomically, parse_duration},
    http,
};
use antiphon_core::amount::Amount;
use anyhow::{Context as _, bail};
use clap::Args;
use std::{path::PathBuf, time::Duration};

/// Assembles a chain file from nodes' public parts.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// Where the chain file is written. An existing one is never replaced: its hash may be somebody's chain.
    #[arg(long, default_value = "chain.toml")]
    pub out: PathBuf,
    /// The chain's name, as the nodes were told at `antiphon init`.
    #[arg(long, default_value = "antiphon")]
    pub chain_name: String,
    /// A node's `public.toml`. Once for each node.
    #[arg(long = "node", required = true)]
    pub nodes: Vec<PathBuf>,
    /// Time between blocks, such as `1s` or `50ms`.
    #[arg(long, default_value = "1s", value_parser = parse_duration)]
    pub block_time: Duration,
    /// Blocks between checkpoints.
    #[arg(long, default_value_t = 100)]
    pub checkpoint_interval: u64,
    /// Lets stake decide: every node bonds this many whole tokens, and elections choose who settles and finalises.
    /// Without it the nodes named here do, for ever.
    #[arg(long, value_name = "TOKENS", value_parser = parse_tokens)]
    pub stake: Option<Amount>,
    /// Most validators of a term, where stake decides.
    #[arg(long, default_value_t = 23, requires = "stake")]
    pub committee: u16,
    /// What an account owns at the start: ADDRESS=STAKING,OPERATIONAL in whole tokens. Once for each account.
    #[arg(long = "endow", value_parser = parse_endowment)]
    pub accounts: Vec<(String, Amount, Amount)>,
}

fn parse_tokens(text: &str) -> Result<Amount, String> {
    Amount::parse(text, DECIMALS).map_err(|error| error.to_string())
}

fn parse_endowment(text: &str) -> Result<(String, Amount, Amount), String> {
    let wrong = || format!("{text:?} is not ADDRESS=STAKING,OPERATIONAL");
    let (address, amounts) = text.split_once('=').ok_or_else(wrong)?;
    let (staking, operational) = amounts.split_once(',').ok_or_else(wrong)?;
    Ok((address.to_owned(), parse_tokens(staking)?, parse_tokens(operational)?))
}

/// Writes the file, and prints the chain's id.
///
/// # Errors
/// A public part that cannot be read or was made for another chain, a chain that may not be, a file that is there.
pub fn run(options: &Options) -> anyhow::Result<()> {
    let Options { out, chain_name, nodes, block_time, checkpoint_interval, accounts, .. } = options;
    let nodes: Vec<PublicPart> =
        nodes.iter().map(|path| read_part(path, chain_name)).collect::<Result<_, _>>()?;
    let staking = options
        .stake
        .map(|bond| Staking { committee: options.committee, bonds: vec![bond; nodes.len()] });
    let draft = Draft {
        name: chain_name.clone(),
        genesis_time: http::now(),
        block_ms: u64::try_from(block_time.as_millis())?,
        checkpoint_interval: *checkpoint_interval,
        nodes,
        staking,
        accounts: accounts.clone(),
    };
    let chain = make(out, &draft)?;
    http::ready(&serde_json::json!({ "chain": chain, "file": out }));
    Ok(())
}

/// Writes a chain file that is sure to be read again, and returns the chain's id.
///
/// # Errors
/// As [`run`].
pub(super) fn make(out: &std::path::Path, draft: &Draft) -> anyhow::Result<String> {
    if out.exists() {
        bail!("{} exists; a chain file is never replaced, choose another name", out.display());
    }
    let text = chain_file::write(draft);
    let spec = chain_file::parse(&out.display().to_string(), &text)?;
    write_atomically(out, text.as_bytes())?;
    Ok(spec.chain_id().0.to_hex())
}

fn read_part(path: &PathBuf, chain_name: &str) -> anyhow::Result<PublicPart> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("reading {}; `antiphon init` writes it", path.display()))?;
    let part: PublicPart =
        toml::from_str(&text).with_context(|| format!("{} is no public part", path.display()))?;
    if part.chain_name != chain_name {
        bail!(
            "{} was made for a chain named {:?}; run `antiphon init --chain-name {chain_name}` there again",
            path.display(),
            part.chain_name
        );
    }
    Ok(part)
}
