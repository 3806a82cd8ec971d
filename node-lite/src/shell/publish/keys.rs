//! Where a publisher's keys are, and `antiphon rotate`: another key takes over.
//!
//! ```text
//! publisher.key    the first key alone, 32 bytes, as long as there was no other
//! publisher.ring   the first key's public half, the heirs, the secret of the last
//! ```
//!
//! The ring is replaced whole, so there is a key that signs at any moment, and the one before it is gone from the disk. A
//! publisher that runs looks at it with every segment.

use crate::{
    publisher::keyring::{Keyring, MAX_SUCCESSION_BYTES, Succession},
    shell::dev::keys,
};
use antiphon_core::crypto::SecretKey;
use anyhow::{Context, bail};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use clap::Args;
use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

const FIRST: &str = "publisher.key";
const RING: &str = "publisher.ring";

/// Whose key is changed.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// Where the publisher's keys are: --data of `antiphon publish`, which may be running.
    #[arg(long, default_value = "antiphon-publish")]
    pub data: PathBuf,
    /// Changes nothing and prints the keys as they are.
    #[arg(long)]
    pub show: bool,
}

/// Lets a fresh key take over, and prints who has: public keys alone, and `--heirs` for trackers.
///
/// # Errors
/// No publisher there, no room for another heir, a disk that does not write.
pub fn rotate(options: &Options) -> anyhow::Result<()> {
    let lock = fs::File::create(options.data.join("publisher.lock"))
        .with_context(|| format!("opening {}", options.data.display()))?;
    lock.lock()?;
    let mut ring = load(&options.data)?;
    if !options.show {
        ring = inherit(&options.data, &ring)?;
    }
    let said = serde_json::json!({
        "publisher": ring.publisher().to_string(),
        "signer": ring.key().public().to_string(),
        "heirs": ring.heirs().len(),
        "succession": URL_SAFE_NO_PAD.encode(ring.succession().to_bytes()),
    });
    // Whoever reads it may have gone.
    let _ = writeln!(std::io::stdout(), "{said}");
    Ok(())
}

fn inherit(data: &Path, old: &Keyring) -> anyhow::Result<Keyring> {
    let mut secret = zeroize::Zeroizing::new([0; 32]);
    getrandom::fill(&mut *secret)?;
    let new = old.inherit(SecretKey::from_bytes(&secret))?;
    keys::write_atomically(&data.join(RING), &new.to_bytes())?;
    let first = data.join(FIRST);
    if first.exists() {
        fs::remove_file(&first)?;
    }
    Ok(new)
}

/// Reads what `rotate` prints as `succession`.
///
/// # Errors
/// In words for a person.
pub(in crate::shell) fn parse_succession(text: &str) -> Result<Succession, String> {
    if text.len() > MAX_SUCCESSION_BYTES * 4 / 3 + 1 {
        return Err("longer than any that antiphon rotate prints".into());
    }
    let bytes = URL_SAFE_NO_PAD.decode(text);
    let bytes = bytes.map_err(|_| "what antiphon rotate prints as succession is expected")?;
    Succession::from_bytes(&bytes).map_err(|error| format!("{}: {error}", error.code()))
}

/// Reads the keys of a publisher.
///
/// # Errors
/// None there, or what is there is damaged.
pub(in crate::shell) fn load(data: &Path) -> anyhow::Result<Keyring> {
    if let Some(ring) = ring(data)? {
        return Ok(ring);
    }
    let path = data.join(FIRST);
    let secret = fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
    let Ok(secret) = secret.try_into() else { bail!("{} is not 32 bytes", path.display()) };
    Ok(Keyring::new(SecretKey::from_bytes(&secret)))
}

/// Reads the keys of a publisher; makes the first one if there is none.
pub(super) fn load_or_make(data: &Path) -> anyhow::Result<Keyring> {
    match ring(data)? {
        Some(ring) => Ok(ring),
        None => Ok(Keyring::new(SecretKey::from_bytes(&keys::secret_file(&data.join(FIRST))?))),
    }
}

/// Reads the ring, or `None` while the first key is the only one.
pub(super) fn ring(data: &Path) -> anyhow::Result<Option<Keyring>> {
    let path = data.join(RING);
    if !path.exists() {
        return Ok(None);
    }
    let bytes = zeroize::Zeroizing::new(fs::read(&path)?);
    let ring = Keyring::from_bytes(&bytes);
    Ok(Some(ring.with_context(|| format!("{} is damaged", path.display()))?))
}
