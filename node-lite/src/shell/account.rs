//! `antiphon account`: an account of one key, Ed25519 or Falcon, without a page.
//!
//! The command is a light client of its own: balances and what became of a transaction are proven here, and the node that is
//! asked is believed in nothing. It ends when the transaction is settled.
//!
//! Source: AME-67, AME-69 (`sendtoaddress`, `sendalltofalconaddr`).

use super::{
    chain_file::{self, DECIMALS},
    keys::{self, Purpose, SecretFile},
};
use antiphon_core::{
    amount::Amount,
    chain::{Level, lookup::AccountFound, spec::Token},
    crypto::{AccountKey, AccountSecret, FalconSecret, Hash, SecretKey, Signer as _},
    id::{Address, ChainId},
    wallet::{account::Branch, address, mnemonic::Words},
};
use antiphon_host::{
    clerk::{Act, Clerk},
    remote::RemoteNode,
};
use anyhow::{Context as _, ensure};
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};
use std::{
    io::{Read as _, Write as _},
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

/// Longest file of words that is read, in bytes. Chosen here: 24 words have less than 220.
const MAX_WORDS: u64 = 1024;

/// Who is asked about the chain.
#[derive(Clone, Debug, Args)]
pub struct Asked {
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

impl Asked {
    pub(super) fn node(&self) -> anyhow::Result<RemoteNode> {
        RemoteNode::new(&self.node)
    }

    pub(super) fn chain(&self) -> anyhow::Result<ChainId> {
        let id = self.chain.as_deref();
        let id = id.map(|id| Hash::from_hex(id).context("--chain is not 64 hexadecimal digits"));
        match (id.transpose()?, &self.chain_file) {
            (Some(id), _) => Ok(ChainId(id)),
            (None, Some(file)) => Ok(chain_file::read(file)?.chain_id()),
            (None, None) => anyhow::bail!("give --chain or --chain-file"),
        }
    }
}

/// Whose account.
#[derive(Clone, Debug, Args)]
pub struct Whose {
    /// The data folder with the key.
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
    /// The account of the Falcon key, instead of the Ed25519 key's.
    #[arg(long)]
    pub falcon: bool,
}

/// What can be done with an account.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Makes an account's key, if there is none, and prints its address.
    New {
        /// Whose account.
        #[command(flatten)]
        whose: Whose,
        /// Derives the key from twelve or twenty-four words in a file, `-` for the standard input [default: a key by chance]
        #[arg(long, value_name = "FILE")]
        words: Option<PathBuf>,
        /// Which account of these words.
        #[arg(long, default_value_t = 0, requires = "words")]
        index: u32,
    },
    /// Shows what is proven to be in the account.
    Show {
        /// Whose account.
        #[command(flatten)]
        whose: Whose,
        /// Who is asked.
        #[command(flatten)]
        asked: Asked,
    },
    /// Sends an amount.
    Send {
        /// To whom, by an address that begins with A or F.
        #[arg(value_parser = parse_address)]
        to: Address,
        /// How much, such as 100.5.
        #[arg(value_parser = parse_amount)]
        amount: Amount,
        /// Of which token.
        #[arg(long, value_enum, default_value_t = Kind::Operational)]
        token: Kind,
        /// Whose account.
        #[command(flatten)]
        whose: Whose,
        /// Who is asked.
        #[command(flatten)]
        asked: Asked,
    },
    /// Moves everything that the account holds to a Falcon key's address, in one transaction. Bonds, pools and fields stay.
    SendAllToFalcon {
        /// To whom, by an address that begins with F.
        #[arg(value_parser = parse_falcon)]
        to: Address,
        /// Whose account.
        #[command(flatten)]
        whose: Whose,
        /// Who is asked.
        #[command(flatten)]
        asked: Asked,
    },
}

/// The two tokens.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Kind {
    /// What pays for everything.
    Operational,
    /// What is staked.
    Staking,
}

impl From<Kind> for Token {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Operational => Self::Operational,
            Kind::Staking => Self::Staking,
        }
    }
}

pub(super) fn parse_amount(text: &str) -> Result<Amount, String> {
    let amount = Amount::parse(text, DECIMALS).map_err(|error| error.to_string())?;
    if amount.is_zero() { Err(String::from("nothing is no amount")) } else { Ok(amount) }
}

pub(super) fn parse_address(text: &str) -> Result<Address, String> {
    address::parse(text).map_err(|error| error.to_string())
}

fn parse_falcon(text: &str) -> Result<Address, String> {
    address::parse_falcon(text).map_err(|error| error.to_string())
}

/// Does it, prints one line of JSON, and returns when it is settled.
///
/// # Errors
/// A key that cannot be used, a balance that does not suffice, a node that does not answer or refuses, in words for a person.
pub async fn run(command: Command) -> anyhow::Result<()> {
    let line = match command {
        Command::New { whose, words, index } => new(&whose, words.as_deref(), index)?,
        Command::Show { whose, asked } => act(&whose, &asked, None).await?,
        Command::Send { to, amount, token, whose, asked } => {
            act(&whose, &asked, Some(Act::Transfer(token.into(), to, amount))).await?
        }
        Command::SendAllToFalcon { to, whose, asked } => {
            act(&whose, &asked, Some(Act::SendAll(to))).await?
        }
    };
    writeln!(std::io::stdout().lock(), "{line}").context("standard output is closed")
}

fn new(whose: &Whose, words: Option<&Path>, index: u32) -> anyhow::Result<Value> {
    let made = match words {
        None => keys::make(&whose.data, whose.purpose())?,
        Some(file) => {
            let branch = Branch::new(&read_words(file)?, "")?;
            let secret = if whose.falcon {
                branch.falcon_seed(index)?
            } else {
                branch.account(index)?.secret().to_bytes()
            };
            let kept = keys::keep(&whose.data, whose.purpose(), &secret)?;
            ensure!(kept, "there is a key in {} already", whose.data.display());
            kept
        }
    };
    let key = whose.open()?.0.account_key();
    Ok(json!({ "address": address::text_of(&key), "isNew": made }))
}

fn read_words(file: &Path) -> anyhow::Result<Words> {
    let mut text = Zeroizing::new(String::new());
    let read = if file == Path::new("-") {
        std::io::stdin().lock().take(MAX_WORDS).read_to_string(&mut text)
    } else {
        std::fs::File::open(file).and_then(|file| file.take(MAX_WORDS).read_to_string(&mut text))
    };
    read.with_context(|| format!("the words in {}", file.display()))?;
    Ok(Words::parse(&text)?)
}

async fn act(whose: &Whose, asked: &Asked, act: Option<Act>) -> anyhow::Result<Value> {
    let (secret, _lock) = whose.open()?;
    let key = secret.account_key();
    let mut clerk = Clerk::new(asked.node()?, asked.chain()?, secret);
    clerk.open().await?;
    let least = match act {
        Some(act) => clerk.carry_out(act, None).await?,
        None => 0,
    };
    Ok(show(&key, &clerk.settled_account(least).await?))
}

impl Whose {
    const fn purpose(&self) -> Purpose {
        if self.falcon { Purpose::Falcon } else { Purpose::Account }
    }

    /// Reads the key, and locks its file for as long as the second value lives.
    fn open(&self) -> anyhow::Result<(AccountSecret, SecretFile)> {
        let file = SecretFile::open(&keys::path(&self.data, self.purpose()))?;
        if !self.falcon {
            return Ok((SecretKey::from_bytes(&file.bytes).into(), file));
        }
        let mut entropy = [0; 32];
        getrandom::fill(&mut entropy).map_err(|error| anyhow::anyhow!("no randomness: {error}"))?;
        Ok((FalconSecret::new(&file.bytes, entropy).into(), file))
    }
}

/// Writes a proven account with everything that it rests on.
pub(super) fn show(key: &AccountKey, found: &AccountFound) -> Value {
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
        "address": address::text_of(key),
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
