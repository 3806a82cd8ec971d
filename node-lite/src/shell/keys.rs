//! A node's secret keys: one file each, 32 bytes, readable by their owner only, locked while a process uses them.
//!
//! ```text
//! DATA/keys/network.key      Ed25519: who the node is among nodes
//! DATA/keys/account.key      Ed25519: the account that owns what the node stakes, unless another owner was named
//! DATA/keys/falcon.key     the seed of a Falcon key: an account that a quantum computer does not break
//! DATA/keys/validator.key    Ed25519: settles
//! DATA/keys/guardian.key     BLS key material: finalises
//! ```

use super::dev::keys::write_atomically;
use antiphon_core::crypto::{
    SecretKey,
    bls::{BlsError, BlsSecretKey},
};
use std::{
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

/// Why a key cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// There is none.
    #[error("{0} is missing; make it with `antiphon init`, or put it back from where you keep it")]
    Missing(PathBuf),
    /// Others can read it.
    #[error(
        "{path} may be read by others (mode {mode:o}); if none has, `chmod 600 {path}`, else make a new key"
    )]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// It is not 32 bytes.
    #[error("{0} is not 32 bytes: cut, or no key of ours")]
    Length(PathBuf),
    /// Another process uses it.
    #[error("{0} is in use by another process; one key must never sign in two places")]
    InUse(PathBuf),
    /// The disk or the system refused.
    #[error("{path}: {error}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What it said.
        error: io::Error,
    },
    /// The bytes make no BLS key.
    #[error(transparent)]
    Bls(#[from] BlsError),
}

impl KeyError {
    /// Returns the stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Missing(_) => "keys/missing",
            Self::Exposed { .. } => "keys/exposed",
            Self::Length(_) => "keys/length",
            Self::InUse(_) => "keys/in-use",
            Self::Io { .. } => "keys/io",
            Self::Bls(error) => error.code(),
        }
    }
}

/// What a node's key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Names the node among nodes.
    Network,
    /// Owns what the node stakes.
    Account,
    /// Signs for an account by Falcon.
    Falcon,
    /// Settles.
    Validator,
    /// Finalises.
    Guardian,
}

impl Purpose {
    const fn file(self) -> &'static str {
        match self {
            Self::Network => "network.key",
            Self::Account => "account.key",
            Self::Falcon => "falcon.key",
            Self::Validator => "validator.key",
            Self::Guardian => "guardian.key",
        }
    }
}

/// Returns where a node keeps a key.
pub fn path(data: &Path, purpose: Purpose) -> PathBuf {
    data.join("keys").join(purpose.file())
}

/// Makes a key if there is none yet. Returns whether it did.
///
/// # Errors
/// [`KeyError::Io`].
pub fn make(data: &Path, purpose: Purpose) -> Result<bool, KeyError> {
    let mut secret = Zeroizing::new([0; 32]);
    let failed = |error| KeyError::Io { path: path(data, purpose), error: io::Error::other(error) };
    getrandom::fill(secret.as_mut()).map_err(failed)?;
    keep(data, purpose, &secret)
}

/// Keeps a secret if there is none yet. Returns whether it did.
///
/// # Errors
/// [`KeyError::Io`].
pub fn keep(data: &Path, purpose: Purpose, secret: &[u8; 32]) -> Result<bool, KeyError> {
    let path = path(data, purpose);
    if path.exists() {
        return Ok(false);
    }
    let failed = |error: io::Error| KeyError::Io { path: path.clone(), error };
    let mut folder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut folder, 0o700);
    folder.recursive(true).create(path.parent().unwrap_or(data)).map_err(failed)?;
    write_atomically(&path, secret).map_err(|error| failed(io::Error::other(error)))?;
    Ok(true)
}

/// Secret bytes, and the lock on their file that ends with this value.
pub struct SecretFile {
    /// The secret.
    pub bytes: Zeroizing<[u8; 32]>,
    _lock: File,
}

impl std::fmt::Debug for SecretFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretFile")
    }
}

impl SecretFile {
    /// Reads a secret and locks its file.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn open(path: &Path) -> Result<Self, KeyError> {
        let failed = |error: io::Error| {
            if error.kind() == io::ErrorKind::NotFound {
                KeyError::Missing(path.to_owned())
            } else {
                KeyError::Io { path: path.to_owned(), error }
            }
        };
        let mut file = File::open(path).map_err(failed)?;
        refuse_exposed(path, &file.metadata().map_err(failed)?)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => return Err(KeyError::InUse(path.to_owned())),
            Err(fs::TryLockError::Error(error)) => return Err(failed(error)),
        }
        let mut bytes = Zeroizing::new([0; 32]);
        let length = || KeyError::Length(path.to_owned());
        file.read_exact(bytes.as_mut()).map_err(|_| length())?;
        if file.read(&mut [0]).map_err(failed)? != 0 {
            return Err(length());
        }
        Ok(Self { bytes, _lock: file })
    }
}

#[cfg(unix)]
fn refuse_exposed(path: &Path, about: &fs::Metadata) -> Result<(), KeyError> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = about.permissions().mode() & 0o777;
    if mode & 0o077 == 0 {
        return Ok(());
    }
    Err(KeyError::Exposed { path: path.to_owned(), mode })
}

#[cfg(not(unix))]
fn refuse_exposed(_: &Path, _: &fs::Metadata) -> Result<(), KeyError> {
    Ok(())
}

/// A node's keys, locked.
#[derive(Debug)]
pub struct Keys {
    /// Who the node is.
    pub network: SecretFile,
    /// Its key if it may settle.
    pub validator: Option<SecretKey>,
    /// Its key if it may finalise.
    pub guardian: Option<BlsSecretKey>,
    /// The locks on the other keys' files.
    pub locks: Vec<SecretFile>,
}

impl Keys {
    /// Opens the keys under a data folder. Only the network key must be there.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn open(data: &Path) -> Result<Self, KeyError> {
        let network = SecretFile::open(&path(data, Purpose::Network))?;
        let maybe = |purpose| match SecretFile::open(&path(data, purpose)) {
            Err(KeyError::Missing(_)) => Ok(None),
            other => other.map(Some),
        };
        let validator = maybe(Purpose::Validator)?;
        let guardian = maybe(Purpose::Guardian)?;
        let (settles, finalises) = (
            validator.as_ref().map(|file| SecretKey::from_bytes(&file.bytes)),
            guardian.as_ref().map(|file| BlsSecretKey::from_seed(file.bytes.as_ref())),
        );
        Ok(Self {
            network,
            validator: settles,
            guardian: finalises.transpose()?,
            locks: validator.into_iter().chain(guardian).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn made(purpose: Purpose) -> (tempfile::TempDir, PathBuf) {
        let data = tempfile::tempdir().unwrap();
        assert!(make(data.path(), purpose).unwrap());
        let path = path(data.path(), purpose);
        (data, path)
    }

    #[test]
    fn a_key_is_made_once_and_only_its_owner_reads_it() {
        let (data, path) = made(Purpose::Network);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let before = fs::read(&path).unwrap();
        assert!(!make(data.path(), Purpose::Network).unwrap());
        assert_eq!(fs::read(&path).unwrap(), before);
        assert_eq!(SecretFile::open(&path).unwrap().bytes.to_vec(), before);
    }

    #[test]
    fn a_key_that_others_may_read_is_refused() {
        let (_data, path) = made(Purpose::Guardian);
        for mode in [0o640, 0o604, 0o620, 0o601] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let refused = SecretFile::open(&path);
            assert!(matches!(refused, Err(KeyError::Exposed { mode: found, .. }) if found == mode));
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
        assert!(SecretFile::open(&path).is_ok());
    }

    #[test]
    fn a_key_in_use_is_refused_until_it_is_let_go_even_under_another_name() {
        let (data, path) = made(Purpose::Validator);
        let other = data.path().join("copy.key");
        fs::hard_link(&path, &other).unwrap();
        let held = SecretFile::open(&path).unwrap();
        assert!(matches!(SecretFile::open(&other), Err(KeyError::InUse(_))));
        drop(held);
        assert!(SecretFile::open(&other).is_ok());
    }

    #[test]
    fn a_key_that_is_cut_or_too_long_or_missing_is_refused() {
        let (_data, path) = made(Purpose::Network);
        for length in [0, 31, 33] {
            fs::write(&path, vec![7; length]).unwrap();
            assert!(matches!(SecretFile::open(&path), Err(KeyError::Length(_))), "{length}");
        }
        fs::remove_file(&path).unwrap();
        assert!(matches!(SecretFile::open(&path), Err(KeyError::Missing(_))));
    }
}
