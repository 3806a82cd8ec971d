//! `antiphon testnet`: a network of many processes on this machine, one a node, over loopback.
//!
//! ```text
//! DATA/chain.toml, faucet.key        made at the first start
//! DATA/node-N/keys, node.toml        as `antiphon init` makes them; `antiphon run --config` runs one by hand
//! DATA/node-N/node.log               what the node said since its last start
//! ```
//!
//! The first guardians share a node with a validator: with 4 validators and 16 guardians there are 16 nodes, of which
//! 4 settle and finalise and 12 only finalise. (ALLA-1 makes guardians a superset of validators.)

mod child;
mod layout;
mod table;

use super::{
    dev::{interrupted, keys::write_atomically, parse_duration},
    http,
};
use anyhow::bail;
use child::Child;
use clap::Args;
use futures::future::join_all;
use layout::Layout;
use libp2p::futures;
use serde_json::{Value, json};
use std::{path::PathBuf, time::Duration};
use table::Table;
use tokio::time::{MissedTickBehavior, interval};

/// Between two looks at the nodes.
const LOOK: Duration = Duration::from_secs(1);
/// Most nodes of one network on one machine. Chosen here: each is a process.
const MAX_NODES: usize = 128;

/// Runs a network of many processes on this machine.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// How many nodes settle.
    #[arg(long, default_value_t = 4)]
    pub validators: usize,
    /// How many nodes finalise. The first of them share a node with a validator.
    #[arg(long, default_value_t = 16)]
    pub guardians: usize,
    /// Where keys, chain file, databases and logs are kept.
    #[arg(long, default_value = "antiphon-testnet")]
    pub data: PathBuf,
    /// First of three ports a node: nodes, RPC, metrics. 0 takes free ones.
    #[arg(long, default_value_t = 4700)]
    pub base_port: u16,
    /// Lets stake decide who settles and finalises: every node stakes, the first ones most. Only read when the chain is
    /// made. Without it the nodes named here settle and finalise for ever.
    #[arg(long)]
    pub stake: bool,
    /// Endows an account from which node 0 pays whoever asks. Only read when the chain is made.
    #[arg(long)]
    pub faucet: bool,
    /// Time between blocks, such as `1s` or `100ms`. Only read when the chain is made.
    #[arg(long, default_value = "1s", value_parser = parse_duration)]
    pub block_time: Duration,
    /// Blocks between checkpoints. Only read when the chain is made.
    #[arg(long, default_value_t = 10)]
    pub checkpoint_interval: u64,
}

/// Runs the network until interrupted, or until no node is left.
///
/// # Errors
/// A data folder of another network, ports that are taken, a node that does not start, with the end of its log.
pub async fn run(options: Options) -> anyhow::Result<()> {
    let nodes = options.validators.max(options.guardians);
    if options.validators == 0 || options.guardians == 0 || nodes > MAX_NODES {
        bail!("a network has from 1 to {MAX_NODES} validators and guardians");
    }
    let layout = Layout::open(&options)?;
    let stop = interrupted()?;
    tokio::pin!(stop);
    let mut children = tokio::select! {
        started = start(&layout) => started?,
        asked = &mut stop => return asked,
    };
    let ready = ready(&layout, &children);
    write_atomically(&options.data.join("ready.json"), ready.to_string().as_bytes())?;
    http::ready(&ready);
    let ended = tokio::select! {
        ended = watch(&mut children) => ended,
        asked = stop => asked,
    };
    tracing::info!("stopping {} nodes", children.len());
    join_all(children.into_iter().map(Child::stop)).await;
    ended
}

/// Starts the first node alone, then the others, which dial it.
async fn start(layout: &Layout) -> anyhow::Result<Vec<Child>> {
    let mut children = Vec::new();
    let mut dial = Vec::new();
    for index in 0..layout.nodes.len() {
        let mut child = layout.spawn(index, &dial)?;
        if index == 0 {
            child.ready().await?;
            dial = child.listens();
        }
        children.push(child);
    }
    for child in &mut children {
        child.ready().await?;
    }
    Ok(children)
}

fn ready(layout: &Layout, children: &[Child]) -> Value {
    let front = |name: &str| children.first().map(|child| child.said(name));
    let nodes = children.iter().zip(&layout.nodes).map(|(child, node)| {
        json!({
            "name": child.name,
            "validator": node.validator.is_some(),
            "guardian": node.guardian.is_some(),
            "peer": node.peer,
            "pid": child.said("pid"),
            "base": child.said("base"),
            "status": child.said("status"),
            "metrics": child.said("metrics"),
            "listen": child.said("listen"),
        })
    });
    let nodes: Vec<_> = nodes.collect();
    json!({
        "chain": front("chain"),
        "rpc": front("rpc"),
        "ws": front("ws"),
        "light": front("light"),
        "base": front("base"),
        "blockMs": front("blockMs"),
        "validators": layout.validators(),
        "guardians": layout.guardians(),
        "faucet": layout.faucet,
        "pid": std::process::id(),
        "nodes": nodes,
    })
}

/// Shows the nodes, and says when one ended. Returns when none is left.
async fn watch(children: &mut [Child]) -> anyhow::Result<()> {
    let mut table = Table::default();
    let mut look = interval(LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        look.tick().await;
        for child in children.iter_mut() {
            if let Some(obituary) = child.obituary()? {
                table.say(&obituary);
            }
        }
        if children.iter().all(|child| child.ended.is_some()) {
            bail!("every node has ended");
        }
        let rows = join_all(children.iter().map(table::row)).await;
        table.draw(&rows);
    }
}
