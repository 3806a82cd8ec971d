//! What a block of transfers costs a node as the number of accounts grows, and what two threads bring.

use std::num::NonZeroUsize;
use std::time::Duration;

use anyhow::Result;
use clap::Args;
use serde_json::json;

use crate::chain::{Chain, Cost, stranger};
use crate::limit;
use crate::network;

/// Transfers of a block.
const TRANSFERS: usize = 512;
/// Blocks that are measured of each kind.
const BLOCKS: usize = 9;

/// Measures blocks beside the bare signatures in them.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Options {
    /// The largest number of accounts; measured are a thousand and every tenfold up to this.
    #[arg(long, default_value_t = 1_000_000)]
    accounts: usize,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let verify = 1e6 / limit::one_core()?;
    let mut chain = Chain::new(network::alone(2 * TRANSFERS)?)?;
    let (mut from, mut accounts) = (0, 1_000);
    while accounts <= options.accounts {
        chain.fill(from, accounts)?;
        eprintln!("{accounts} accounts at height {}", chain.height().0);
        let costs = (0..BLOCKS).map(|block| {
            // Each account sends to a stranger somewhere in the tree.
            let to = |n: usize| stranger((block * TRANSFERS + n).wrapping_mul(7919) % accounts);
            let txs = (0..TRANSFERS).map(|n| chain.transfer(n + 1, to(n)));
            let txs = txs.collect::<Result<Vec<_>>>()?;
            chain.settle(&txs, true)
        });
        let costs = costs.collect::<Result<Vec<_>>>()?;
        let each = |part: fn(&Cost) -> Duration| median(&costs, part) * 1e6 / TRANSFERS as f64;
        let line = json!({
            "name": "block",
            "accounts": accounts,
            "executeMicros": each(|cost| cost.execute),
            "writeMicros": each(|cost| cost.write),
            "verifyMicros": verify,
        });
        println!("{line}");
        (from, accounts) = (accounts, accounts * 10);
    }
    for (name, meets, known) in [
        ("disjoint, signatures to be checked", false, false),
        ("disjoint, signatures known", false, true),
        ("all to one, signatures to be checked", true, false),
    ] {
        compare(&mut chain, name, meets, known)?;
    }
    Ok(())
}

/// Executes blocks on one thread and on all in turn.
fn compare(chain: &mut Chain, name: &str, meets: bool, known: bool) -> Result<()> {
    let cores = std::thread::available_parallelism()?;
    let mut costs = [Vec::new(), Vec::new()];
    for block in 0..2 * BLOCKS {
        let which = block % 2;
        chain.use_workers(if which == 0 { NonZeroUsize::MIN } else { cores });
        let to = |n: usize| stranger(if meets { 0 } else { block * TRANSFERS + n });
        let txs = (0..TRANSFERS).map(|n| chain.transfer(n + 1, to(n)));
        let txs = txs.collect::<Result<Vec<_>>>()?;
        let cost = chain.settle(&txs, known)?;
        costs.get_mut(which).into_iter().for_each(|costs| costs.push(cost));
    }
    let [one, all] = costs.map(|costs| median(&costs, |cost| cost.execute));
    let line = json!({
        "name": "parallel",
        "load": name,
        "threads": cores,
        "oneMillis": one * 1e3,
        "allMillis": all * 1e3,
        "ratio": one / all,
    });
    println!("{line}");
    Ok(())
}

/// Returns the median in seconds.
fn median(costs: &[Cost], part: fn(&Cost) -> Duration) -> f64 {
    let mut times: Vec<_> = costs.iter().map(part).collect();
    times.sort_unstable();
    times.get(times.len() / 2).map_or(f64::NAN, Duration::as_secs_f64)
}
