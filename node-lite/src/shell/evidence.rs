//! `antiphon evidence`: checks what somebody says that another one did, without a node.

use super::{chain_file, http};
use crate::{
    evidence::{CheckError, Exhibit, File, Finding, MAX_FILE},
    offence::{MAX_OFFENCES, Offender, Seen},
};
use antiphon_core::{
    chain::{
        offence::{Evidence, MAX_EVIDENCE, Offence},
        spec::ChainSpec,
    },
    codec::{self, Bounded},
    crypto::{Hash, PublicKey, bls::BlsPublicKey},
    id::ChainId,
    wallet::address,
};
use antiphon_host::remote::{Answer, RemoteNode};
use anyhow::{Context as _, bail};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::{
    io::{Read as _, Write as _},
    path::{Path, PathBuf},
};

/// Checks evidence of offences and of promises beyond a deposit.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Verifies a file of evidence and says what it shows. Ends with code 13 if that is nothing.
    Check(Check),
    /// Asks a node for the offences that it has seen and writes a file for each. Existing files are never replaced.
    Export(Export),
}

/// What to check.
#[derive(Clone, Debug, Args)]
pub struct Check {
    /// The file.
    file: PathBuf,
    /// The file of the chain that it must be of. Evidence of two checkpoints cannot be checked without it.
    #[arg(long, env = "ANTIPHON_CHAIN")]
    chain: Option<PathBuf>,
    /// Prints one line of JSON instead of a sentence.
    #[arg(long)]
    json: bool,
}

/// Where from, and where to.
#[derive(Clone, Debug, Args)]
pub struct Export {
    /// The folder that gets the files.
    folder: PathBuf,
    /// The node's RPC address.
    #[arg(long, default_value = "http://127.0.0.1:4601")]
    node: String,
}

/// Carries out what was asked.
///
/// # Errors
/// A file that cannot be read, a node that does not answer, [`CheckError`].
pub async fn run(command: &Command) -> anyhow::Result<()> {
    match command {
        Command::Check(options) => report(options),
        Command::Export(options) => export(options).await,
    }
}

fn report(Check { file, chain, json }: &Check) -> anyhow::Result<()> {
    let spec = chain.as_deref().map(chain_file::read).transpose()?;
    match check(file, spec.as_ref()) {
        Ok((found, finding)) if *json => http::ready(&describe(&found, &finding)),
        Ok((found, finding)) => say(&sentence(&found, &finding)),
        Err(error) => {
            if let Some(refused) = error.downcast_ref::<CheckError>().filter(|_| *json) {
                let reason = refused.to_string();
                http::ready(&json!({ "holds": false, "code": refused.code(), "reason": reason }));
            }
            return Err(error.context(format!("{} shows nothing", file.display())));
        }
    }
    Ok(())
}

fn check(path: &Path, spec: Option<&ChainSpec>) -> anyhow::Result<(File, Finding)> {
    let file = std::fs::File::open(path).with_context(|| path.display().to_string())?;
    let mut bytes = Vec::new();
    // One byte more than the bound shows that there is more.
    let most = u64::try_from(MAX_FILE)?.saturating_add(1);
    file.take(most).read_to_end(&mut bytes).with_context(|| path.display().to_string())?;
    let file = File::from_bytes(&bytes)?;
    let finding = file.check(spec)?;
    Ok((file, finding))
}

/// Asks page by page; the node says as much as fits into an answer.
async fn export(Export { folder, node }: &Export) -> anyhow::Result<()> {
    let node = RemoteNode::new(node)?;
    let status = ask(&node, "antiphon_status", json!([])).await?;
    let chain = status.get("chain").and_then(Value::as_str).and_then(Hash::from_hex);
    let chain = ChainId(chain.context("the node does not say of which chain it is")?);
    std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    let mut count = 0_usize;
    loop {
        let page = ask(&node, "antiphon_evidence", json!([count])).await?;
        let page = page.as_array().context("the node's answer is no list")?;
        // A node keeps no more than so many.
        if page.is_empty() || count >= MAX_OFFENCES {
            break;
        }
        for entry in page {
            let seen = read_entry(entry).context("the node's answer is no evidence")?;
            let name = format!("{}.evidence", seen.id().to_hex());
            let file = File { chain, exhibit: Exhibit::Offence(Box::new(seen)) };
            let path = folder.join(name);
            write_new(&path, &file.to_bytes()).with_context(|| path.display().to_string())?;
            count = count.saturating_add(1);
        }
    }
    http::ready(&json!({ "folder": folder, "files": count }));
    Ok(())
}

async fn ask(node: &RemoteNode, method: &str, params: Value) -> anyhow::Result<Value> {
    match node.call(method, params).await? {
        Answer::Result(value) => Ok(value),
        Answer::Refused(code, why) => bail!("the node refuses: {why} ({code})"),
    }
}

fn read_entry(entry: &Value) -> Option<Seen> {
    let evidence = STANDARD.decode(entry.get("evidence")?.as_str()?).ok()?;
    let evidence: Evidence = codec::decode(&evidence, MAX_EVIDENCE).ok()?;
    let is_validators = match evidence.claim().offence {
        Offence::TwoProposals | Offence::TwoVotes | Offence::Unlocked => true,
        Offence::TwoShares | Offence::OtherBranch => false,
    };
    let offender = |value: &Value| {
        let key = hex::decode(value.get("key")?.as_str()?).ok()?;
        Some(if is_validators {
            Offender::Validator(PublicKey(key.try_into().ok()?))
        } else {
            Offender::Guardian(BlsPublicKey(key.try_into().ok()?))
        })
    };
    let offenders = entry.get("offenders")?.as_array()?.iter().map(offender);
    let offenders = Bounded::try_from(offenders.collect::<Option<Vec<_>>>()?).ok()?;
    Some(Seen { evidence, offenders })
}

/// Writes a file; one that is there already has this content, for it is named after it.
fn write_new(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    match std::fs::File::create_new(path) {
        Ok(mut file) => file.write_all(bytes),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

/// What the finding means, for a person.
fn sentence(file: &File, finding: &Finding) -> String {
    match finding {
        Finding::Offence(shown, offenders) => {
            let names: Vec<String> = offenders.iter().map(key).collect();
            let (code, height) = (shown.offence.code(), shown.height.0);
            format!(
                "HOLDS: {code} at height {height}, signed by {}.\n\
                 Whoever has a funded account may send it to the chain as an accusation.",
                names.join(", ")
            )
        }
        Finding::Field(kind, shown) => {
            let (field, round, version) = (shown.field.0, shown.round, shown.version);
            let names: Vec<String> = shown.keys.iter().map(ToString::to_string).collect();
            let about = format!("of round {round}, version {version}, of field {field}");
            let (what, then) = match *kind {
                "two-receipts" => ("two receipts for one place", "No leader may do that."),
                "two-states" => ("two states", "No member may do that."),
                _ => ("one state", "If they are all members, the chain enforces it."),
            };
            format!("HOLDS: {what} {about} signed by {}.\n{then}", names.join(", "))
        }
        Finding::Payment(shown, paid) => format!(
            "HOLDS: {} paid {} {} units in round {} of field {}, and all its members agreed.\n\
             It is so if block {} of chain {} has the field root {}: whoever follows the chain can look that up.",
            address::to_text(&paid.payer),
            address::to_text(&paid.payee),
            paid.amount.units(),
            shown.round,
            shown.field.0,
            paid.height.0,
            file.chain.0,
            paid.field_root,
        ),
        Finding::Overdraft { pool, creator, targets, promised, deposit } => format!(
            "HOLDS: {} signed promises to {targets} targets of pool {}; with what was paid they are {promised} units, and \
             the deposit is {deposit}.\n\
             Deposit and payments are what the file states; the chain compares the promises with its own.",
            address::to_text(creator),
            pool.0,
        ),
    }
}

fn describe(file: &File, finding: &Finding) -> Value {
    let chain = file.chain.0.to_hex();
    match finding {
        Finding::Offence(shown, offenders) => json!({
            "holds": true,
            "kind": shown.offence.code(),
            "chain": chain,
            "height": shown.height.0,
            "offenders": offenders.iter().map(key).collect::<Vec<_>>(),
        }),
        Finding::Field(kind, shown) => json!({
            "holds": true,
            "kind": kind,
            "chain": chain,
            "field": shown.field.0.to_hex(),
            "version": shown.version,
            "round": shown.round,
            "keys": shown.keys.iter().map(ToString::to_string).collect::<Vec<_>>(),
        }),
        Finding::Payment(shown, paid) => json!({
            "holds": true,
            "kind": "payment",
            "chain": chain,
            "field": shown.field.0.to_hex(),
            "round": shown.round,
            "payer": address::to_text(&paid.payer),
            "payee": address::to_text(&paid.payee),
            "units": paid.amount.units().to_string(),
            "height": paid.height.0,
            "fieldRoot": paid.field_root.to_hex(),
        }),
        Finding::Overdraft { pool, creator, targets, promised, deposit } => json!({
            "holds": true,
            "kind": "overdraft",
            "chain": chain,
            "pool": pool.0.to_hex(),
            "creator": address::to_text(creator),
            "targets": targets,
            "promised": promised.to_string(),
            "deposit": deposit.to_string(),
            "stated": ["deposit", "paid"],
        }),
    }
}

fn key(offender: &Offender) -> String {
    match offender {
        Offender::Validator(key) => format!("validator {}", hex::encode(key.0)),
        Offender::Guardian(key) => format!("guardian {}", hex::encode(key.0)),
    }
}

fn say(text: &str) {
    let mut stdout = std::io::stdout().lock();
    // A parent that closed the pipe does not wait for the sentence.
    let _ = writeln!(stdout, "{text}").and_then(|()| stdout.flush());
}
