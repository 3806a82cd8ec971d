//! Chooses what of a disk goes into a backup, and what of a backup onto a disk.

use super::{Client, DEVICE};
use crate::{
    id::Address,
    payment::{gift::Gifts, member::Membership, payee::Payee, payer::Payer},
    wallet::backup::{Backup, BackupError, SealedRow},
};
use alloc::{string::String, vec::Vec};

/// What a backup brings to a disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// What the application had added.
    pub notes: Vec<u8>,
    /// To be written durably in this order, `None` to be removed; then another client is made of all that is stored.
    pub writes: Vec<(String, Option<Vec<u8>>)>,
}

impl Client {
    /// Returns as a file what words do not bring back of this account: `stored` is everything that the host keeps for it.
    ///
    /// # Errors
    /// [`BackupError::TooLarge`].
    pub fn backup(&self, stored: Vec<SealedRow>, notes: Vec<u8>) -> Result<Vec<u8>, BackupError> {
        let rows = stored.into_iter().filter(|(name, _)| is_kept(name)).collect();
        Backup { address: self.own_address(), notes, rows }.to_bytes(self.config.chain)
    }

    /// Reads a backup of this account. Rows of which this device has something, by `known` names, are left as they are.
    ///
    /// # Errors
    /// [`BackupError`]; nothing is to be written then.
    pub fn restore(&self, file: &[u8], known: &[String]) -> Result<Restored, BackupError> {
        let backup = Backup::from_bytes(self.config.chain, file)?;
        if backup.address != self.own_address() {
            return Err(BackupError::OtherAccount);
        }
        let notes = backup.notes.clone();
        let rows = backup.missing(known).into_iter().filter(|(name, _)| is_kept(name));
        let mut writes: Vec<_> = rows.map(|(name, row)| (name, Some(row))).collect();
        if !writes.is_empty() {
            // A5.13: the client after this one is another device, and signs for nothing that was there before.
            writes.insert(0, (String::from(DEVICE), None));
        }
        Ok(Restored { notes, writes })
    }

    fn own_address(&self) -> Address {
        Address::of(&self.config.key.public())
    }
}

/// What of an account's rows is money, or leads to it. The rest is found again on the chain, or must be made anew.
fn is_kept(name: &str) -> bool {
    Payer::owns(name) || Payee::owns(name) || Membership::owns(name) || Gifts::owns(name)
}
