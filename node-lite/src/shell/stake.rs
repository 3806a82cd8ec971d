//! `antiphon stake`: a keeper's stake, with the account key of the node's folder.
//!
//! The command is a light client of its own: balances, bonds and what became of its transaction are proven here, and the
//! node that is asked is believed in nothing. It ends when the transaction is settled.

use super::{
    account::{Asked, parse_address, parse_amount, show},
    keys::{self, Purpose, SecretFile},
};
use antiphon_core::{
    amount::Amount,
    chain::transaction::Registration,
    crypto::{AccountKey, SecretKey, bls::BlsSecretKey},
    id::{Address, ChainId},
};
use antiphon_host::clerk::{Act, Clerk};
use anyhow::Context as _;
use clap::{Args, Subcommand};
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
    /// Who is asked.
    #[command(flatten)]
    pub asked: Asked,
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
    let chain = common.asked.chain()?;
    let secret = SecretFile::open(&keys::path(&common.data, Purpose::Account))?;
    let key = SecretKey::from_bytes(&secret.bytes);
    let (own_key, own) = (AccountKey::from(key.public()), Address::of(&key.public()));
    let act = command.act(chain, own)?;
    let mut clerk = Clerk::new(common.asked.node()?, chain, key);
    clerk.open().await?;
    let least = match act {
        Some(act) => clerk.carry_out(act, None).await?,
        None => 0,
    };
    let account = clerk.settled_account(least).await?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", show(&own_key, &account)).context("standard output is closed")
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
