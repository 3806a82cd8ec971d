//! The chain spec as people read and write it: TOML, every parameter named, nothing left to defaults.
//!
//! What is written here decides the chain's id, so every node needs the same file in meaning, though not in layout.
//! Keys, weights and balances are checked as a chain must have them; whoever registers a guardian key proves that it
//! has it (A2.11). Comments are for people and do not count.

mod members;
mod origin;
mod stake;
#[cfg(test)]
mod tests;
mod write;

pub use members::{PublicGuardian, PublicPart, PublicValidator, possession_scope};
pub use origin::continue_chain;
pub use write::{Draft, Staking, write};

use antiphon_core::{
    amount::Amount,
    chain::{
        beacon::ProposerOrder,
        spec::{ChainSpec, GenesisAccount},
        upgrade::{MAX_WINDOW, UpgradeRules},
    },
    codec::{Bounded, Text},
    payment::{field::FieldRules, reservation::PoolRules},
    time::UnixMillis,
    wallet::address,
};
use chrono::DateTime;
use members::{AccountRow, GuardianRow, ValidatorRow};
use origin::OriginRows;
use serde::Deserialize;
use stake::{StakeRows, StakerRows};
use std::path::Path;
use toml::Spanned;

/// Digits after the point of both tokens.
pub const DECIMALS: u8 = 8;
/// Longest file, in bytes. Chosen here: four thousand guardians with their proofs fit in.
const MAX_FILE: u64 = 4 << 20;

/// Why a chain file is refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SpecError {
    /// It cannot be read.
    #[error("{path}: {reason}")]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        reason: String,
    },
    /// It is no TOML, or lacks a key, or has one that nobody knows. The text names the line.
    #[error("{path}: {error}")]
    Syntax {
        /// The file.
        path: String,
        /// What the parser said.
        error: Box<toml::de::Error>,
    },
    /// A value that no chain may have.
    #[error("{path}, line {line}: {what}")]
    Refused {
        /// The file.
        path: String,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong with it.
        what: String,
    },
}

impl SpecError {
    /// Returns the stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "chain-file/unreadable",
            Self::Syntax { .. } => "chain-file/syntax",
            Self::Refused { .. } => "chain-file/refused",
        }
    }
}

/// The file, as it stands.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Rows {
    name: Spanned<String>,
    genesis_time: Spanned<String>,
    block_ms: Spanned<u64>,
    checkpoint_interval: Spanned<u64>,
    drift_ms: Spanned<u64>,
    trusting_period_ms: Spanned<u64>,
    fee: Spanned<String>,
    pool: Spanned<PoolRows>,
    field: Spanned<FieldRows>,
    #[serde(default)]
    order: OrderRow,
    upgrade: Option<Spanned<UpgradeRows>>,
    stake: Option<Spanned<StakeRows>>,
    snapshot: Option<Spanned<OriginRows>>,
    validator: Option<Spanned<Vec<Spanned<ValidatorRow>>>>,
    guardian: Option<Spanned<Vec<Spanned<GuardianRow>>>>,
    #[serde(default)]
    staker: StakerRows,
    #[serde(default)]
    account: Vec<Spanned<AccountRow>>,
}

/// Who proposes when.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum OrderRow {
    #[default]
    RoundRobin,
    CommitReveal,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct UpgradeRows {
    window: u16,
    percent: u8,
    grace: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct PoolRows {
    bounty: Spanned<String>,
    inclusion_margin: u64,
    min_duration: u64,
    max_duration: u64,
    freeze: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct FieldRows {
    min_dispute: u64,
    max_dispute: u64,
    min_response: u64,
    max_response: u64,
}

/// Says no to a value: where in the file it stands, and why.
type Refusal = (usize, String);

fn refuse<T>(at: &Spanned<impl Sized>, what: impl ToString) -> Result<T, Refusal> {
    Err((at.span().start, what.to_string()))
}

/// Reads a chain file.
///
/// # Errors
/// [`SpecError`], with the line.
pub fn read(path: &Path) -> Result<ChainSpec, SpecError> {
    let name = path.display().to_string();
    let unreadable = |reason: String| SpecError::Unreadable { path: name.clone(), reason };
    let about = std::fs::metadata(path).map_err(|error| unreadable(error.to_string()))?;
    if about.len() > MAX_FILE {
        return Err(unreadable(format!("longer than {MAX_FILE} bytes")));
    }
    let text = std::fs::read_to_string(path).map_err(|error| unreadable(error.to_string()))?;
    parse(&name, &text)
}

/// Reads the text of a chain file; `path` is for messages.
///
/// # Errors
/// [`SpecError`], with the line.
pub fn parse(path: &str, text: &str) -> Result<ChainSpec, SpecError> {
    let rows: Rows = toml::from_str(text)
        .map_err(|error| SpecError::Syntax { path: path.to_owned(), error: Box::new(error) })?;
    spec(&rows).map_err(|(at, what)| {
        let line = text.bytes().take(at).filter(|byte| *byte == b'\n').count().saturating_add(1);
        SpecError::Refused { path: path.to_owned(), line, what }
    })
}

/// The one place where the rows become the core's spec.
fn spec(rows: &Rows) -> Result<ChainSpec, Refusal> {
    let sets = stake::sets(rows)?;
    let interval = within(&rows.checkpoint_interval, 8, 1 << 20, "checkpoint-interval")?;
    Ok(ChainSpec {
        name: Text::try_from(rows.name.get_ref().as_str()).or_else(|e| refuse(&rows.name, e))?,
        genesis_time: time(&rows.genesis_time)?,
        block_ms: within(&rows.block_ms, 10, 600_000, "block-ms")?,
        checkpoint_interval: interval,
        drift: within(&rows.drift_ms, 100, 600_000, "drift-ms")?,
        trusting_period: within(&rows.trusting_period_ms, 60_000, 1 << 40, "trusting-period-ms")?,
        fee: amount(&rows.fee)?,
        pool: pool(&rows.pool, sets.committee(), interval)?,
        field: field(&rows.field, rows.pool.get_ref().inclusion_margin)?,
        order: order(rows)?,
        upgrade: rows.upgrade.as_ref().map(upgrade).transpose()?,
        stake: sets.rules,
        validators: sets.validators,
        guardians: sets.guardians,
        origin: origin::origin(rows, interval)?,
        accounts: accounts(&rows.account)?,
        stakers: Bounded::try_from(sets.stakers).or_else(|e| refuse(&rows.name, e))?,
    })
}

fn within(value: &Spanned<u64>, least: u64, most: u64, name: &str) -> Result<u64, Refusal> {
    let number = *value.get_ref();
    if (least..=most).contains(&number) {
        return Ok(number);
    }
    refuse(value, format!("{name} is {number}, and must be from {least} to {most}"))
}

fn amount(text: &Spanned<String>) -> Result<Amount, Refusal> {
    Amount::parse(text.get_ref(), DECIMALS).or_else(|error| refuse(text, error))
}

fn time(text: &Spanned<String>) -> Result<UnixMillis, Refusal> {
    let wrong = "not a time such as 2026-11-28T12:00:00Z";
    let Ok(time) = DateTime::parse_from_rfc3339(text.get_ref()) else {
        return refuse(text, wrong);
    };
    u64::try_from(time.timestamp_millis()).map(UnixMillis).or_else(|_| refuse(text, wrong))
}

fn pool(rows: &Spanned<PoolRows>, validators: u64, interval: u64) -> Result<PoolRules, Refusal> {
    let PoolRows { bounty, inclusion_margin, min_duration, max_duration, freeze } = rows.get_ref();
    let rules = PoolRules {
        bounty: amount(bounty)?,
        inclusion_margin: *inclusion_margin,
        min_duration: *min_duration,
        max_duration: *max_duration,
        freeze: *freeze,
    };
    match rules.check(validators, interval) {
        Ok(()) => Ok(rules),
        Err(error) => refuse(rows, error),
    }
}

fn field(rows: &Spanned<FieldRows>, inclusion_margin: u64) -> Result<FieldRules, Refusal> {
    let FieldRows { min_dispute, max_dispute, min_response, max_response } = *rows.get_ref();
    let rules = FieldRules { min_dispute, max_dispute, min_response, max_response };
    match rules.check(inclusion_margin) {
        Ok(()) => Ok(rules),
        Err(error) => refuse(rows, error),
    }
}

fn order(rows: &Rows) -> Result<ProposerOrder, Refusal> {
    match (rows.order, &rows.stake) {
        (OrderRow::RoundRobin, _) => Ok(ProposerOrder::RoundRobin),
        (OrderRow::CommitReveal, Some(_)) => Ok(ProposerOrder::CommitReveal),
        (OrderRow::CommitReveal, None) => Err((
            0,
            String::from(
                "order = \"commit-reveal\" needs [stake]: validators reveal with guardians' keys",
            ),
        )),
    }
}

fn upgrade(rows: &Spanned<UpgradeRows>) -> Result<UpgradeRules, Refusal> {
    let UpgradeRows { window, percent, grace } = *rows.get_ref();
    let rules = UpgradeRules { window, percent, grace };
    if rules.is_sound() {
        return Ok(rules);
    }
    refuse(rows, format!("window is 1 to {MAX_WINDOW}, percent 51 to 100, grace above 0"))
}

fn accounts<const MAX: usize>(
    rows: &[Spanned<AccountRow>],
) -> Result<Bounded<GenesisAccount, MAX>, Refusal> {
    let mut accounts: Vec<GenesisAccount> = Vec::new();
    for row in rows {
        let AccountRow { address: owner, staking, operational } = row.get_ref();
        let address = address::parse(owner.get_ref()).or_else(|error| refuse(owner, error))?;
        if accounts.iter().any(|account| account.address == address) {
            return refuse(owner, "this address has an account already");
        }
        accounts
            .push(GenesisAccount { address, balances: [amount(staking)?, amount(operational)?] });
    }
    let too_many = |_| (rows.last().map_or(0, |row| row.span().start), too_many(MAX));
    Bounded::try_from(accounts).map_err(too_many)
}

fn too_many(most: usize) -> String {
    format!("more than {most} of them")
}
