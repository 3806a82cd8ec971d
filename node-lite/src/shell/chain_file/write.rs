//! Writes a chain file with every parameter explained.

use super::{DECIMALS, PublicPart};
use antiphon_core::{
    amount::Amount,
    payment::{field::FieldRules, reservation::PoolRules},
    time::UnixMillis,
};
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
    /// How stake decides who settles and finalises; without it the nodes above do, for ever.
    pub staking: Option<Staking>,
    /// Who owns what: address, staking and operational tokens.
    pub accounts: Vec<(String, Amount, Amount)>,
}

/// How a chain begins with staking.
#[derive(Clone, Debug)]
pub struct Staking {
    /// Most validators of a term.
    pub committee: u16,
    /// What each node bonds, in their order.
    pub bonds: Vec<Amount>,
}

/// Milliseconds a header may be ahead of the clock.
const DRIFT_MS: u64 = 10_000;
/// Milliseconds after which a checkpoint is too old to start from: two weeks.
const TRUSTING_PERIOD_MS: u64 = 14 * 24 * 3_600_000;
/// Milliseconds of silence after which a validator is not elected again: 12 hours.
const INACTIVITY_MS: u64 = 12 * 3_600_000;
/// The fee of a transaction in smallest units: 0.00001.
const FEE: Amount = Amount::from_units(1000);

/// Returns the file's text.
pub fn write(draft: &Draft) -> String {
    let mut text = parameters(draft);
    match &draft.staking {
        Some(staking) => stakers(&mut text, draft, staking),
        None => appointed(&mut text, draft),
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

fn stakers(text: &mut String, draft: &Draft, staking: &Staking) {
    text.push_str(&stake_parameters(draft, staking));
    for (part, bond) in draft.nodes.iter().zip(&staking.bonds) {
        let Some(guardian) = &part.guardian else { continue };
        let (node, peer, owner) = (quote(&part.node), quote(&part.peer), quote(&part.owner));
        let (key, possession) = (quote(&guardian.key), quote(&guardian.possession));
        let bond = bond.to_decimal(DECIMALS);
        let _ = write!(
            text,
            "\n[[staker]]\nnode = {node}\npeer = {peer}\nowner = {owner}\nguardian = {key}\npossession = {possession}\nbond = \"{bond}\"\n"
        );
        if let Some(validator) = &part.validator {
            let _ = writeln!(text, "validator = {}", quote(&validator.key));
        }
    }
}

fn stake_parameters(draft: &Draft, staking: &Staking) -> String {
    let Staking { committee, .. } = staking;
    let blocks = |ms: u64| ms.checked_div(draft.block_ms).unwrap_or(1).max(1);
    let unbond = blocks(TRUSTING_PERIOD_MS.saturating_mul(2)).saturating_add(1);
    let (evidence, inactivity) = (blocks(TRUSTING_PERIOD_MS / 2), blocks(INACTIVITY_MS));
    format!(
        r#"
[stake]
# Most validators of a term: the heaviest stakers with a validator's key. Default: 23 (ALZA-10).
committee = {committee}
# Most guardians of a checkpoint: the heaviest stakers, at most 5120; above 128 they add shares up in rounds (A2.14, A2.17).
guardians = 128
# Least own bond of a validator, in the staking token. Default: chosen here.
min-validator = "1000"
# Least bond of a guardian, its own and delegated together. Default: chosen here.
min-guardian = "100"
# UNBOND: blocks for which a bond that leaves answers for offences, above twice the trusting period (A4.4, A7.1).
unbond = {unbond}
# Blocks after an offence in which it can be shown (A4.2). Default: half the trusting period.
evidence = {evidence}
# Blocks of silence after which a validator is not elected again. Default: 12 hours (ALZA-11).
inactivity = {inactivity}
# Per cent of the own bond that two proposals in one epoch cost; other offences cost all of it. Default: 5 (A4.3).
proposal-penalty = 5
# Most that a reporter gets, at most a hundredth of the penalty (A4.3). Default: chosen here.
bounty = "10"
# What a checkpoint mints for its validators, of the operational token, from a height on. Default: 6·150·23 (ALZA-14).
mint = [{{ since = 0, pot = "20700" }}]
# Guardians whose signatures made a checkpoint final win by their weight: so many are expected to, and are paid from what
# the checkpoint mints for them; showing all signatures brings the proposer so many per cent of it (A3). Default: chosen here.
lottery = {{ winners = 8, pot = "2000", proposer-percent = 5 }}

# Newer rules hold once so many per cent of the last blocks come from software that knows them, and so many blocks have
# passed since; older software stops then. Default: 80 per cent of 100 blocks, then 2000 (AELF-30).
[upgrade]
window = 100
percent = 80
grace = 2000

# Who stakes at the start. An election makes the first sets of them, and another at every checkpoint.
# A proof of possession is of the guardian's key, its owner and this chain's name; `antiphon init` makes it (A2.11).
"#
    )
}

/// Validators and guardians of a chain without staking.
fn appointed(text: &mut String, draft: &Draft) {
    text.push_str(
        r"
# Who settles and who finalises, for ever: this chain has no [stake]. The lines `node` and `peer` are for people.
# A guardian's proof of possession is of its key, its owner and this chain's name; `antiphon init` makes it (A2.11).
",
    );
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
}

fn parameters(draft: &Draft) -> String {
    let appointed = draft.nodes.iter().filter(|part| part.validator.is_some()).count();
    let appointed = u64::try_from(appointed).unwrap_or(u64::MAX);
    let count = draft.staking.as_ref().map_or(appointed, |s| u64::from(s.committee).max(appointed));
    let rules = PoolRules::for_chain(count, draft.checkpoint_interval);
    let Draft { block_ms, checkpoint_interval, .. } = draft;
    let (name, time) = (quote(&draft.name), quote(&time(draft.genesis_time)));
    let (fee, bounty) = (FEE.to_decimal(DECIMALS), rules.bounty.to_decimal(DECIMALS));
    let order = if draft.staking.is_some() { "commit-reveal" } else { "round-robin" };
    let PoolRules { inclusion_margin, min_duration, max_duration, freeze, .. } = rules;
    let field = FieldRules::for_chain(inclusion_margin, *block_ms);
    let FieldRules { min_dispute, max_dispute, min_response, max_response } = field;
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
# Fee of a transaction in the operational token, for each who signs it. Default: 0.00001, chosen here.
fee = "{fee}"
# Who proposes when: "round-robin" (ALLA-2), or "commit-reveal", drawn at each checkpoint (AELF-9 to 13), which needs [stake].
order = "{order}"

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

[field]
# T_disp: blocks in which a higher state may be posted after a member has closed alone, at least 2·M_incl (A6.13).
# Each field says how many it wants, from this least to this most. Default: that least, and a week.
min-dispute = {min_dispute}
max-dispute = {max_dispute}
# T_resp: blocks in which a challenge may be answered, at least 2·M_incl (A6.13). Default: as above.
min-response = {min_response}
max-response = {max_response}
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
