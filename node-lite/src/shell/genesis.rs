//! `antiphon genesis`: a chain file from the public parts of the nodes that begin it, or from the state of another chain.

use super::{
    chain_file::{self, DECIMALS, Draft, PublicPart, Staking},
    dev::{keys::write_atomically, parse_duration},
    http, snapshot,
};
use antiphon_core::amount::Amount;
use anyhow::{Context as _, bail};
use clap::Args;
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

/// Assembles a chain file from nodes' public parts, or from a snapshot.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// Where the chain file is written. An existing one is never replaced: its hash may be somebody's chain.
    #[arg(long, default_value = "chain.toml")]
    pub out: PathBuf,
    /// The chain's name, as the nodes were told at `antiphon init`.
    #[arg(long, default_value = "antiphon")]
    pub chain_name: String,
    /// A node's `public.toml`. Once for each node.
    #[arg(long = "node", required_unless_present = "from_snapshot")]
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
    /// Goes on with the state in this file, which `antiphon snapshot export` made, instead of beginning anew: with all
    /// accounts, stakers, pools and delayed transfers, the validators and guardians elected last, and every rule of the
    /// old chain.
    #[arg(
        long,
        value_name = "FILE",
        requires = "from_chain",
        conflicts_with_all = ["nodes", "accounts", "stake", "committee", "chain_name", "block_time", "checkpoint_interval"]
    )]
    pub from_snapshot: Option<PathBuf>,
    /// The file of the chain that the snapshot is of.
    #[arg(long, value_name = "FILE", requires = "from_snapshot")]
    pub from_chain: Option<PathBuf>,
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
    if let (Some(snapshot), Some(chain)) = (&options.from_snapshot, &options.from_chain) {
        return go_on(&options.out, snapshot, chain);
    }
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

/// Writes the file of the chain that goes on with a snapshot. All of that is verified first.
fn go_on(out: &Path, snapshot: &Path, old: &Path) -> anyhow::Result<()> {
    refuse_existing(out)?;
    let spec = chain_file::read(old)?;
    let found = snapshot::check(snapshot, Some(spec.chain_id()));
    let (head, (rows, _)) = found.with_context(|| snapshot.display().to_string())?;
    let new = head.successor(spec.name, http::now());
    head.check_successor(&new)?;
    let text = chain_file::continue_chain(
        &out.display().to_string(),
        &std::fs::read_to_string(old)?,
        &new,
    )?;
    // What the file says must be what was meant, number by number.
    head.check_successor(&chain_file::parse(&out.display().to_string(), &text)?)?;
    write_atomically(out, text.as_bytes())?;
    let (height, root) = (new.genesis_height().0, head.checkpoint.header.state_root.to_hex());
    let chain = new.chain_id().0.to_hex();
    http::ready(&serde_json::json!({
        "chain": chain, "file": out, "height": height, "stateRoot": root, "rows": rows,
    }));
    Ok(())
}

fn refuse_existing(out: &Path) -> anyhow::Result<()> {
    if out.exists() {
        bail!("{} exists; a chain file is never replaced, choose another name", out.display());
    }
    Ok(())
}

/// Writes a chain file that is sure to be read again, and returns the chain's id.
///
/// # Errors
/// As [`run`].
pub(super) fn make(out: &Path, draft: &Draft) -> anyhow::Result<String> {
    refuse_existing(out)?;
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
