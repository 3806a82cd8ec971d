//! `antiphon evidence`: checks what somebody says that another one did, without a node.

use super::{chain_file, http};
use crate::{
    evidence::{CheckError, File, Finding, MAX_FILE},
    offence::Offender,
};
use antiphon_core::{chain::spec::ChainSpec, wallet::address};
use anyhow::Context as _;
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

/// Carries out what was asked.
///
/// # Errors
/// A file that cannot be read, [`CheckError`].
pub fn run(command: &Command) -> anyhow::Result<()> {
    let Command::Check(Check { file, chain, json }) = command;
    let spec = chain.as_deref().map(chain_file::read).transpose()?;
    match check(file, spec.as_ref()) {
        Ok((found, finding)) if *json => http::ready(&describe(&found, &finding)),
        Ok((_, finding)) => say(&sentence(&finding)),
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

/// What the finding means, for a person.
fn sentence(finding: &Finding) -> String {
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
