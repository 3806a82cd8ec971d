//! `antiphon stake`: a keeper's stake, with the account key of the node's folder.
//!
//! The command is a light client of its own: balances, bonds and what became of its transaction are proven here, and the
//! node that is asked is believed in nothing. It ends when the transaction is settled.

mod host;

use super::{
    chain_file::{self, DECIMALS},
    keys::{self, Purpose, SecretFile},
};
use antiphon_core::{
    amount::Amount,
    chain::{Level, lookup::AccountFound, spec::Token, transaction::Registration},
    crypto::{Hash, SecretKey, bls::BlsSecretKey},
    id::{Address, ChainId},
    wallet::address,
};
use antiphon_host::remote::RemoteNode;
use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use host::{Act, Host};
use serde_json::{Value, json};
use std::{
    io::Write as _,
    path::{Path, PathBuf},
};

/// What every act needs.
#[derive(Clone, Debug, Args)]
pub struct Common {
    /// The node's data folder: its account key signs, and its other keys are registered.
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
    /// Base URL of a node that is asked, such as `http://127.0.0.1:4601`.
    #[arg(long, value_name = "URL")]
    pub node: String,
    /// The chain's id, 64 hexadecimal digits: the one thing that is trusted.
    #[arg(long, value_name = "ID", required_unless_present = "chain_file")]
    pub chain: Option<String>,
    /// The chain file, instead of the id.
    #[arg(long, value_name = "FILE", conflicts_with = "chain")]
    pub chain_file: Option<PathBuf>,
}

/// What can be done with stake.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Registers the node's keys with a first bond. The node must not run meanwhile: its keys are locked then.
    Register {
        /// What every act needs.
        #[command(flatten)]
        common: Common,
        /// The first bond, in staking tokens, such as 100.5.
        #[arg(long, value_parser = parse_amount)]
        bond: Amount,
    },
    /// Bonds staking tokens with a staker.
    Bond(With),
    /// Lets a part of a bond leave; it can be withdrawn after the unbonding time.
    Unbond(With),
    /// Takes what has left a bond, and the rewards that wait.
    Withdraw {
        /// What every act needs.
        #[command(flatten)]
        common: Common,
        /// With whom it was bonded [default: the account itself]
        #[arg(long, value_parser = parse_address)]
        staker: Option<Address>,
    },
    /// Says that the validator is back after it was silent for too long.
    Rejoin(Common),
    /// Shows the account, its bonds, what is leaving and when, and what reward waits.
    Show(Common),
}

/// An amount, and with whom.
#[derive(Clone, Debug, Args)]
pub struct With {
    /// What every act needs.
    #[command(flatten)]
    pub common: Common,
    /// How much, in staking tokens, such as 100.5.
    #[arg(long, value_parser = parse_amount)]
    pub amount: Amount,
    /// With whom [default: the account itself]
    #[arg(long, value_parser = parse_address)]
    pub staker: Option<Address>,
}

fn parse_amount(text: &str) -> Result<Amount, String> {
    let amount = Amount::parse(text, DECIMALS).map_err(|error| error.to_string())?;
    if amount.is_zero() { Err(String::from("nothing is no amount")) } else { Ok(amount) }
}

fn parse_address(text: &str) -> Result<Address, String> {
    address::parse(text).map_err(|error| error.to_string())
}

impl Command {
    const fn common(&self) -> &Common {
        match self {
            Self::Register { common, .. }
            | Self::Withdraw { common, .. }
            | Self::Rejoin(common)
            | Self::Show(common) => common,
            Self::Bond(with) | Self::Unbond(with) => &with.common,
        }
    }

    /// Returns what is asked of the chain; nothing where one only looks.
    fn act(&self, chain: ChainId, own: Address) -> anyhow::Result<Option<Act>> {
        Ok(Some(match self {
            Self::Register { common, bond } => {
                Act::Register(Box::new(registration(&common.data, chain, own, *bond)?))
            }
            Self::Bond(with) => Act::Bond(with.staker.unwrap_or(own), with.amount),
            Self::Unbond(with) => Act::Unbond(with.staker.unwrap_or(own), with.amount),
            Self::Withdraw { staker, .. } => Act::Withdraw(staker.unwrap_or(own)),
            Self::Rejoin(_) => Act::Rejoin,
            Self::Show(_) => return Ok(None),
        }))
    }
}

/// Does it, prints one line of JSON, and returns when it is settled.
///
/// # Errors
/// Keys that cannot be used, a balance that does not suffice, a node that does not answer or refuses, in words for a person.
pub async fn run(command: Command) -> anyhow::Result<()> {
    let common = command.common();
    let chain = match (&common.chain, &common.chain_file) {
        (Some(id), _) => {
            ChainId(Hash::from_hex(id).context("--chain is not 64 hexadecimal digits")?)
        }
        (None, Some(file)) => chain_file::read(file)?.chain_id(),
        (None, None) => bail!("give --chain or --chain-file"),
    };
    let secret = SecretFile::open(&keys::path(&common.data, Purpose::Account))?;
    let key = SecretKey::from_bytes(&secret.bytes);
    let own = Address::of(&key.public());
    let act = command.act(chain, own)?;
    let mut host = Host::new(RemoteNode::new(&common.node)?, chain, key);
    host.open().await?;
    let least = match act {
        Some(act) => host.carry_out(act).await?,
        None => 0,
    };
    let account = host.settled_account(least).await?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", show(&account)).context("standard output is closed")
}

/// Returns what registers a node's keys: the guardian's with the proof that it is held, for this chain and owner (A2.11).
fn registration(
    data: &Path,
    chain: ChainId,
    owner: Address,
    bond: Amount,
) -> anyhow::Result<Registration> {
    let guardian = SecretFile::open(&keys::path(data, Purpose::Guardian))?;
    let guardian = BlsSecretKey::from_seed(guardian.bytes.as_ref())?;
    let path = keys::path(data, Purpose::Validator);
    let validator = if path.exists() {
        Some(SecretKey::from_bytes(&SecretFile::open(&path)?.bytes).public())
    } else {
        None
    };
    let possession = guardian.prove_possession(chain, owner);
    Ok(Registration { guardian: guardian.public(), possession, validator, bond })
}

/// Writes a proven account with everything that it rests on.
fn show(found: &AccountFound) -> Value {
    let text = |amount: Amount| amount.to_decimal(DECIMALS);
    let bonds = found.bonds.iter().map(|bond| {
        let leaving = bond.bond.leaving.iter();
        let leaving =
            leaving.map(|part| json!({ "amount": text(part.amount), "until": part.until.0 }));
        json!({
            "staker": address::to_text(&bond.staker),
            "amount": text(bond.bond.amount),
            "leaving": leaving.collect::<Vec<_>>(),
            "due": text(bond.due),
        })
    });
    json!({
        "address": address::to_text(&found.address),
        "staking": text(found.account.balance(Token::Staking)),
        "operational": text(found.account.balance(Token::Operational)),
        "isStaker": found.staker.is_some(),
        "bonds": bonds.collect::<Vec<_>>(),
        "level": if found.proven.level == Level::Final { "final" } else { "settled" },
        "height": found.proven.height.0,
        "root": found.proven.root.to_hex(),
        "how": "state-proof",
    })
}
