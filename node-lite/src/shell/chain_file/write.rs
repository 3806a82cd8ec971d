//! Writes a chain file with every parameter explained.

use super::{DECIMALS, PublicPart};
use antiphon_core::{amount::Amount, payment::reservation::PoolRules, time::UnixMillis};
use chrono::{DateTime, SecondsFormat};
use std::fmt::Write as _;

/// What a new chain is to be.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Its name.
    pub name: String,
    /// When it begins.
    pub genesis_time: UnixMillis,
    /// Milliseconds between blocks.
    pub block_ms: u64,
    /// Blocks between checkpoints.
    pub checkpoint_interval: u64,
    /// The nodes that begin it.
    pub nodes: Vec<PublicPart>,
    /// Who owns what: address, staking and operational tokens.
    pub accounts: Vec<(String, Amount, Amount)>,
}

/// Milliseconds a header may be ahead of the clock.
const DRIFT_MS: u64 = 10_000;
/// Milliseconds after which a checkpoint is too old to start from: two weeks.
const TRUSTING_PERIOD_MS: u64 = 14 * 24 * 3_600_000;
/// The fee of a transaction in smallest units: 0.00001.
const FEE: Amount = Amount::from_units(1000);

/// Returns the file's text.
pub fn write(draft: &Draft) -> String {
    let mut text = parameters(draft);
    for part in &draft.nodes {
        if let Some(validator) = &part.validator {
            let (node, peer, key) = (quote(&part.node), quote(&part.peer), quote(&validator.key));
            let _ = write!(
                text,
                "\n[[validator]]\nnode = {node}\npeer = {peer}\nkey = {key}\nweight = 1\n"
            );
        }
    }
    for part in &draft.nodes {
        if let Some(guardian) = &part.guardian {
            let (node, owner) = (quote(&part.node), quote(&part.owner));
            let (key, possession) = (quote(&guardian.key), quote(&guardian.possession));
            let _ = write!(
                text,
                "\n[[guardian]]\nnode = {node}\nowner = {owner}\nkey = {key}\npossession = {possession}\nweight = 1\n"
            );
        }
    }
    for (address, staking, operational) in &draft.accounts {
        let (staking, operational) =
            (staking.to_decimal(DECIMALS), operational.to_decimal(DECIMALS));
        let _ = write!(
            text,
            "\n[[account]]\naddress = {}\nstaking = \"{staking}\"\noperational = \"{operational}\"\n",
            quote(address)
        );
    }
    text
}

fn parameters(draft: &Draft) -> String {
    let count = draft.nodes.iter().filter(|part| part.validator.is_some()).count();
    let count = u64::try_from(count).unwrap_or(u64::MAX);
    let rules = PoolRules::for_chain(count, draft.checkpoint_interval);
    let Draft { block_ms, checkpoint_interval, .. } = draft;
    let (name, time) = (quote(&draft.name), quote(&time(draft.genesis_time)));
    let (fee, bounty) = (FEE.to_decimal(DECIMALS), rules.bounty.to_decimal(DECIMALS));
    let PoolRules { inclusion_margin, min_duration, max_duration, freeze, .. } = rules;
    format!(
        r#"# A chain of Antiphon. Every node needs this file with the same meaning: its hash is the chain's id.

# For people, and part of every guardian's proof of possession.
name = {name}
# When genesis is dated. Default: when the file was made.
genesis-time = {time}
# Milliseconds between blocks that validators aim for. Default: 1000, chosen here.
block-ms = {block_ms}
# T: every T-th header is a checkpoint that guardians sign, at least 8. Default: 100 (A2.10).
checkpoint-interval = {checkpoint_interval}
# Milliseconds by which a header may be ahead of an honest clock. Default: {DRIFT_MS} (A1.11).
drift-ms = {DRIFT_MS}
# Milliseconds after which a trusted checkpoint is too old to start from. Default: two weeks (A7.1).
trusting-period-ms = {TRUSTING_PERIOD_MS}
# Fee of a transaction in the operational token. Default: 0.00001, chosen here.
fee = "{fee}"

[pool]
# B_MAX: most that a reporter of overspending may receive, in the operational token (A5.11). Default: one smallest unit.
bounty = "{bounty}"
# M_incl: blocks within which an honest transaction is included, at least four for each validator (A1.24).
inclusion-margin = {inclusion_margin}
# D_MIN: shortest life of a pool in blocks, at least 4·M_incl (A5.8). Default: 300, as Theta has it.
min-duration = {min_duration}
# D_MAX: longest life of a pool in blocks (A5.8). Default: 43200, as Theta has it.
max-duration = {max_duration}
# F: blocks between end and release, at least 2·M_incl + T (A5.12). Default: that least.
freeze = {freeze}

# Who settles, who finalises, and who owns what at the start. Weights are stake. The lines `node` and `peer` are for people.
# A guardian's proof of possession is of its key, its owner and this chain's name; `antiphon init` makes it (A2.11).
"#
    )
}

fn time(at: UnixMillis) -> String {
    let at = i64::try_from(at.0).ok().and_then(DateTime::from_timestamp_millis);
    at.unwrap_or_default().to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// Writes a string as TOML does.
fn quote(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}
