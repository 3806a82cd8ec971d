//! What words do not bring back, as a file: pools and what was promised from them, vouchers and gifts held, fields.
//!
//! ```text
//! "antiphon backup" 15 | 1 u8 | address 20 | notes: length u32 | bytes
//! | rows: count u32 | (name: length u32 | bytes | sealed: length u32 | bytes) ... | H("backup/v1/seal", chain, all before) 32
//! ```
//!
//! No key is in it, so it brings nobody money but whom it is of. Rows are those of [`crate::row`], sealed one by one.
//! The id of the device stays behind, and a client that takes a backup becomes another device: whatever was promised
//! since the backup was made, nothing is signed for its pools and fields any more (A5.13). They are watched, what is
//! owed is claimed, and what is left is released in time.
//!
//! Source: PROTOCOL A5.13, A0.7.

use crate::{
    codec::{self, Bounded, DecodeError, Text},
    crypto::hash_tagged,
    id::{Address, ChainId},
    table::Table,
};
use alloc::{string::String, vec::Vec};
use borsh::{BorshDeserialize, BorshSerialize};

/// Longest file, in bytes. Chosen here: a year of payments in fields of a busy member.
pub const MAX_BACKUP: usize = 32 << 20;
/// Longest notes of the application, in bytes. Chosen here: an address book of a thousand names.
pub const MAX_NOTES: usize = 128 << 10;
/// Most rows. Chosen here: every pool with every target.
const MAX_ROWS: usize = 1 << 17;
/// Longest name of a row: `payer/`, a pool and a target.
const MAX_NAME: usize = 160;
/// Longest row: a whole round of a field, sealed.
const MAX_ROW: usize = 512 << 10;
/// What a file begins with.
const MAGIC: [u8; 15] = *b"antiphon backup";
/// The one form that there is.
const VERSION: u8 = 1;
/// Domain of the digest.
const TAG: &str = "backup/v1/seal";
/// Bytes of the digest.
const DIGEST_BYTES: usize = 32;

/// A row as it lies on a disk: its name, and its bytes with their seal.
pub type SealedRow = (String, Vec<u8>);

/// Why a backup cannot be made or taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BackupError {
    /// The file is something else.
    #[error("this is no backup")]
    NotBackup,
    /// A later version of this program wrote it.
    #[error("the backup has form {found}, which is newer")]
    Newer {
        /// The form found.
        found: u8,
    },
    /// It was cut or altered, or is of another chain.
    #[error("the backup is damaged, or another chain's")]
    Damaged,
    /// It is of another account.
    #[error("the backup is another account's")]
    OtherAccount,
    /// There is more than a file may hold.
    #[error("there is more than a backup may hold")]
    TooLarge,
}

impl BackupError {
    /// Returns the stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotBackup => "backup/not-backup",
            Self::Newer { .. } => "backup/newer",
            Self::Damaged => "backup/damaged",
            Self::OtherAccount => "backup/other-account",
            Self::TooLarge => "backup/too-large",
        }
    }
}

#[derive(BorshSerialize, BorshDeserialize)]
struct Form {
    magic: [u8; 15],
    version: u8,
    address: Address,
    notes: Bounded<u8, MAX_NOTES>,
    rows: Bounded<(Text<MAX_NAME>, Bounded<u8, MAX_ROW>), MAX_ROWS>,
}

/// What a file brings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backup {
    /// Whose it is.
    pub address: Address,
    /// What the application added; nobody has looked at it.
    pub notes: Vec<u8>,
    /// Everything that was stored.
    pub rows: Vec<SealedRow>,
}

impl Backup {
    /// Returns the bytes of the file.
    ///
    /// # Errors
    /// [`BackupError::TooLarge`].
    pub fn to_bytes(self, chain: ChainId) -> Result<Vec<u8>, BackupError> {
        let too_large = |_: DecodeError| BackupError::TooLarge;
        let mut rows = Vec::with_capacity(self.rows.len());
        for (name, sealed) in self.rows {
            let name = Text::try_from(name.as_str()).map_err(too_large)?;
            rows.push((name, Bounded::try_from(sealed).map_err(too_large)?));
        }
        let mut bytes = codec::encode(&Form {
            magic: MAGIC,
            version: VERSION,
            address: self.address,
            notes: Bounded::try_from(self.notes).map_err(too_large)?,
            rows: Bounded::try_from(rows).map_err(too_large)?,
        });
        let digest = hash_tagged(TAG, chain, &bytes);
        bytes.extend_from_slice(&digest.0);
        if bytes.len() > MAX_BACKUP { Err(BackupError::TooLarge) } else { Ok(bytes) }
    }

    /// Reads the bytes of a file. Rows are as whole as they were when it was made.
    ///
    /// # Errors
    /// [`BackupError`].
    pub fn from_bytes(chain: ChainId, bytes: &[u8]) -> Result<Self, BackupError> {
        let (magic, rest) = bytes.split_first_chunk().ok_or(BackupError::NotBackup)?;
        if *magic != MAGIC {
            return Err(BackupError::NotBackup);
        }
        if let Some(found) = rest.first().copied().filter(|found| *found != VERSION) {
            return Err(BackupError::Newer { found });
        }
        if bytes.len() > MAX_BACKUP {
            return Err(BackupError::TooLarge);
        }
        let end = bytes.len().checked_sub(DIGEST_BYTES).ok_or(BackupError::Damaged)?;
        let (body, digest) = bytes.split_at_checked(end).ok_or(BackupError::Damaged)?;
        if digest != hash_tagged(TAG, chain, body).0 {
            return Err(BackupError::Damaged);
        }
        let form: Form = codec::decode(body, MAX_BACKUP).map_err(|_| BackupError::Damaged)?;
        let rows = form.rows.into_vec().into_iter();
        let rows = rows.map(|(name, sealed)| (String::from(name.as_str()), sealed.into_vec()));
        Ok(Self { address: form.address, notes: form.notes.into_vec(), rows: rows.collect() })
    }

    /// Returns the rows to be written where rows of these names are already: all of a pool, gift or field, or none where
    /// this device has something of it, for that is newer.
    pub fn missing(self, known: &[String]) -> Vec<SealedRow> {
        let known: Table<&str, ()> = known.iter().map(|name| (subject(name), ())).collect();
        let is_new = |(name, _): &SealedRow| !known.contains_key(subject(name));
        self.rows.into_iter().filter(is_new).collect()
    }
}

/// What a row is about: its machine, and the pool or field.
fn subject(name: &str) -> &str {
    let mut slashes = name.match_indices('/').map(|(at, _)| at);
    let end = slashes.nth(1).unwrap_or(name.len());
    name.get(..end).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{crypto::Hash, row};
    use alloc::{string::ToString, vec};

    const CHAIN: ChainId = ChainId(Hash([1; 32]));

    fn row(name: &str) -> SealedRow {
        (name.to_string(), row::seal(CHAIN, name, name.as_bytes().to_vec()))
    }

    fn backup() -> Backup {
        let rows = vec![row("payer/aa"), row("payer/aa/01"), row("payee/bb"), row("field/cc/1/2")];
        Backup { address: Address([3; 20]), notes: b"ann".to_vec(), rows }
    }

    #[test]
    fn a_file_brings_back_what_was_put_into_it_and_every_altered_bit_is_noticed() {
        let file = backup().to_bytes(CHAIN).unwrap();
        assert_eq!(Backup::from_bytes(CHAIN, &file), Ok(backup()));
        for bit in 0..file.len() * 8 {
            let mut flipped = file.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(Backup::from_bytes(CHAIN, &flipped).is_err(), "bit {bit}");
        }
        for cut in 0..file.len() {
            assert!(Backup::from_bytes(CHAIN, &file[..cut]).is_err(), "cut at {cut}");
        }
        let longer = [&file[..], &[0]].concat();
        assert_eq!(Backup::from_bytes(CHAIN, &longer), Err(BackupError::Damaged));
    }

    #[test]
    fn each_wrong_file_has_its_name() {
        let file = backup().to_bytes(CHAIN).unwrap();
        assert_eq!(Backup::from_bytes(CHAIN, b""), Err(BackupError::NotBackup));
        assert_eq!(Backup::from_bytes(CHAIN, b"legal winner thank"), Err(BackupError::NotBackup));
        let other = ChainId(Hash([2; 32]));
        assert_eq!(Backup::from_bytes(other, &file), Err(BackupError::Damaged));
        let mut newer = file;
        newer[MAGIC.len()] = 2;
        assert_eq!(Backup::from_bytes(CHAIN, &newer), Err(BackupError::Newer { found: 2 }));
        let large = Backup { notes: vec![0; MAX_NOTES + 1], ..backup() };
        assert_eq!(large.to_bytes(CHAIN), Err(BackupError::TooLarge));
    }

    #[test]
    fn what_a_device_has_something_of_is_left_as_it_is() {
        let names = |known: &[&str]| {
            let known: Vec<_> = known.iter().map(ToString::to_string).collect();
            let rows = backup().missing(&known).into_iter();
            rows.map(|(name, _)| name).collect::<Vec<_>>()
        };
        assert_eq!(names(&[]), ["payer/aa", "payer/aa/01", "payee/bb", "field/cc/1/2"]);
        assert_eq!(names(&["payer/aa"]), ["payee/bb", "field/cc/1/2"]);
        assert_eq!(names(&["payer/aa/09", "field/cc/0/1"]), ["payee/bb"]);
        assert_eq!(names(&["light/trust", "payee/b"]).len(), 4);
    }
}
