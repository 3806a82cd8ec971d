//! The table `[snapshot]`: the state that a chain begins with, taken over from the chain before it (AELF-33).

use super::{Refusal, Rows, SpecError, parse, refuse};
use antiphon_core::{
    chain::spec::{ChainSpec, Origin},
    codec::Bounded,
    crypto::Hash,
    id::{BlockId, ChainId, Height},
};
use chrono::{DateTime, SecondsFormat};
use serde::Deserialize;
use toml::{Spanned, Table, Value};

/// The table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OriginRows {
    height: Spanned<u64>,
    block: Spanned<String>,
    root: Spanned<String>,
    chains: Spanned<Vec<Spanned<String>>>,
}

impl OriginRows {
    pub(super) fn height(&self) -> Height {
        Height(*self.height.get_ref())
    }
}

fn hash(text: &Spanned<String>) -> Result<Hash, Refusal> {
    Hash::from_hex(text.get_ref()).map_or_else(|| refuse(text, "not 64 hexadecimal digits"), Ok)
}

/// Reads the table, if the file has one. A chain that takes a state over endows nobody.
pub(super) fn origin(rows: &Rows, interval: u64) -> Result<Option<Origin>, Refusal> {
    let Some(table) = &rows.snapshot else { return Ok(None) };
    if let Some(account) = rows.account.first() {
        return refuse(account, "where there is [snapshot], accounts are in the snapshot");
    }
    if let Some(staker) = rows.staker.first() {
        return refuse(staker, "where there is [snapshot], stakers are in the snapshot");
    }
    let OriginRows { height, block, root, chains } = table.get_ref();
    if *height.get_ref() == 0 || height.get_ref().checked_rem(interval) != Some(0) {
        return refuse(height, "not the height of a checkpoint: a multiple of checkpoint-interval");
    }
    if chains.get_ref().is_empty() {
        return refuse(chains, "no chain before this one");
    }
    let lineage: Result<Vec<_>, _> =
        chains.get_ref().iter().map(|chain| hash(chain).map(ChainId)).collect();
    Ok(Some(Origin {
        height: Height(*height.get_ref()),
        block: BlockId(hash(block)?),
        state_root: hash(root)?,
        lineage: Bounded::try_from(lineage?).or_else(|error| refuse(chains, error))?,
    }))
}

/// Returns the text of the file of a chain that goes on with another one: every rule as the old file has it.
///
/// # Errors
/// [`SpecError`], for an old file that is none.
pub fn continue_chain(path: &str, old: &str, new: &ChainSpec) -> Result<String, SpecError> {
    let mut table: Table = toml::from_str(old)
        .map_err(|error| SpecError::Syntax { path: path.to_owned(), error: Box::new(error) })?;
    for name in ["account", "staker", "validator", "guardian", "snapshot"] {
        table.remove(name);
    }
    let time = i64::try_from(new.genesis_time.0).ok().and_then(DateTime::from_timestamp_millis);
    let time = time.unwrap_or_default().to_rfc3339_opts(SecondsFormat::Millis, true);
    table.insert(String::from("name"), Value::String(new.name.as_str().to_owned()));
    table.insert(String::from("genesis-time"), Value::String(time));
    let member = |key: String, weight: u64| {
        let weight = i64::try_from(weight).unwrap_or(i64::MAX);
        let row = [("key", Value::String(key)), ("weight", Value::Integer(weight))];
        Value::Table(row.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    };
    let validators = new.validators.members.iter().map(|m| member(hex::encode(m.key.0), m.weight));
    let guardians = new.guardians.members.iter().map(|m| member(hex::encode(m.key.0), m.weight));
    table.insert(String::from("validator"), Value::Array(validators.collect()));
    table.insert(String::from("guardian"), Value::Array(guardians.collect()));
    if let Some(origin) = &new.origin {
        table.insert(String::from("snapshot"), Value::Table(rows_of(origin)));
    }
    let text = format!(
        "# A chain of Antiphon that goes on with the state of another one: its hash is the chain's id.\n\
         # What the parameters mean is said in that chain's file.\n\n{table}"
    );
    parse(path, &text).map(|_| text)
}

fn rows_of(origin: &Origin) -> Table {
    let text = |hash: &Hash| Value::String(hash.to_hex());
    let height = i64::try_from(origin.height.0).unwrap_or(i64::MAX);
    let rows = [
        ("height", Value::Integer(height)),
        ("block", text(&origin.block.0)),
        ("root", text(&origin.state_root)),
        ("chains", Value::Array(origin.lineage.iter().map(|chain| text(&chain.0)).collect())),
    ];
    rows.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
