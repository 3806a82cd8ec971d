//! `antiphon init`: a node's keys, its public part and its configuration.

use super::{
    chain_file::{PublicGuardian, PublicPart, PublicValidator, possession_scope},
    config,
    dev::keys::write_atomically,
    keys::{self, Purpose, SecretFile},
};
use antiphon_core::{
    crypto::{SecretKey, bls::BlsSecretKey},
    id::Address,
    wallet::address,
};
use anyhow::Context as _;
use clap::Args;
use libp2p::identity::Keypair;
use std::{
    io::Write as _,
    path::{Path, PathBuf},
};

/// Makes a node's keys, readable by their owner only, and prints what may be shown of them.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// The node's data folder.
    #[arg(long)]
    pub data: PathBuf,
    /// What people call the node [default: the folder's name]
    #[arg(long)]
    pub name: Option<String>,
    /// The chain's name. A guardian's proof of possession is made for it.
    #[arg(long, default_value = "antiphon")]
    pub chain_name: String,
    /// Makes a validator's key.
    #[arg(long)]
    pub validator: bool,
    /// Makes a guardian's key.
    #[arg(long)]
    pub guardian: bool,
    /// The address that owns what the node stakes [default: that of a key made here]
    #[arg(long)]
    pub owner: Option<String>,
}

/// Makes what is missing and prints the public part, which is also in `DATA/public.toml`.
///
/// # Errors
/// Files that cannot be written or read, an owner that is no address.
pub fn run(options: &Options) -> anyhow::Result<()> {
    let part = make(options)?;
    let text = toml::to_string(&part)?;
    let mut out = std::io::stdout().lock();
    let shown = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    shown.context("standard output is closed")
}

/// Makes what is missing of a node and returns its public part. Keys that are there stay.
///
/// # Errors
/// As [`run`].
pub fn make(options: &Options) -> anyhow::Result<PublicPart> {
    let data = &options.data;
    keys::make(data, Purpose::Network)?;
    for (wanted, purpose) in
        [(options.validator, Purpose::Validator), (options.guardian, Purpose::Guardian)]
    {
        if wanted {
            keys::make(data, purpose)?;
        }
    }
    let part = show(options)?;
    write_atomically(&data.join("public.toml"), toml::to_string(&part)?.as_bytes())?;
    let path = data.join("node.toml");
    if !path.exists() {
        write_atomically(&path, config::template().as_bytes())?;
    }
    Ok(part)
}

/// Returns the network identity that a secret makes.
pub(super) fn identity(secret: &SecretFile) -> anyhow::Result<Keypair> {
    let bytes = *secret.bytes;
    Keypair::ed25519_from_bytes(bytes).context("the network key is no Ed25519 key")
}

fn show(options: &Options) -> anyhow::Result<PublicPart> {
    let data = &options.data;
    let open = |purpose| SecretFile::open(&keys::path(data, purpose));
    let owner = owner(options)?;
    let validator = if keys::path(data, Purpose::Validator).exists() {
        let key = SecretKey::from_bytes(&open(Purpose::Validator)?.bytes).public();
        Some(PublicValidator { key: key.to_string() })
    } else {
        None
    };
    let guardian = if keys::path(data, Purpose::Guardian).exists() {
        let key = BlsSecretKey::from_seed(open(Purpose::Guardian)?.bytes.as_ref())?;
        let possession = key.prove_possession(possession_scope(&options.chain_name), owner);
        let (key, possession) = (hex::encode(key.public().0), hex::encode(possession.0));
        Some(PublicGuardian { key, possession })
    } else {
        None
    };
    let identity = identity(&open(Purpose::Network)?)?;
    Ok(PublicPart {
        node: options.name.clone().unwrap_or_else(|| folder_name(data)),
        chain_name: options.chain_name.clone(),
        peer: identity.public().to_peer_id().to_string(),
        owner: address::to_text(&owner),
        validator,
        guardian,
    })
}

fn owner(options: &Options) -> anyhow::Result<Address> {
    if let Some(text) = &options.owner {
        return address::parse(text).with_context(|| format!("--owner {text}"));
    }
    keys::make(&options.data, Purpose::Account)?;
    let secret = SecretFile::open(&keys::path(&options.data, Purpose::Account))?;
    Ok(Address::of(&SecretKey::from_bytes(&secret.bytes).public()))
}

fn folder_name(data: &Path) -> String {
    let name = data.file_name().map(|name| name.to_string_lossy().into_owned());
    name.unwrap_or_else(|| String::from("node"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(data: &Path) -> Options {
        Options {
            data: data.to_owned(),
            name: None,
            chain_name: String::from("quay"),
            validator: true,
            guardian: true,
            owner: None,
        }
    }

    #[test]
    fn what_is_made_stays_the_same_and_nothing_secret_is_shown() {
        let data = tempfile::tempdir().unwrap();
        let first = make(&options(data.path())).unwrap();
        assert_eq!(make(&options(data.path())).unwrap(), first);
        let shown = std::fs::read_to_string(data.path().join("public.toml")).unwrap();
        assert_eq!(toml::from_str::<PublicPart>(&shown).unwrap(), first);
        for purpose in [Purpose::Network, Purpose::Account, Purpose::Validator, Purpose::Guardian] {
            let secret = std::fs::read(keys::path(data.path(), purpose)).unwrap();
            assert!(!shown.contains(&hex::encode(secret)), "{purpose:?}");
        }
    }

    #[test]
    fn a_proof_of_possession_is_made_for_one_chain_and_one_owner() {
        let data = tempfile::tempdir().unwrap();
        let ours = make(&options(data.path())).unwrap().guardian.unwrap();
        let other = Options { chain_name: String::from("pier"), ..options(data.path()) };
        assert_ne!(make(&other).unwrap().guardian.unwrap().possession, ours.possession);
        let owner = Some(address::to_text(&Address([7; 20])));
        let other = Options { owner, ..options(data.path()) };
        assert_ne!(make(&other).unwrap().guardian.unwrap().possession, ours.possession);
    }
}
