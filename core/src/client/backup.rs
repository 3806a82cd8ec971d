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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        amount::Amount,
        chain::light::{Anchor, Skipping},
        client::{Config, UploadPolicy},
        crypto::{Hash, SecretKey},
        id::{ChainId, Height, StreamId},
        payment::{
            payer::{self, DeviceId, Freeze},
            reservation::{PoolRules, PoolTerms},
        },
        row,
    };
    use alloc::{string::ToString, vec};

    const CHAIN: ChainId = ChainId(Hash([1; 32]));

    fn key(byte: u8) -> SecretKey {
        SecretKey::from_bytes(&[byte; 32])
    }

    fn client(byte: u8) -> Client {
        let config = Config {
            key: key(byte),
            chain: CHAIN,
            anchor: Anchor::Genesis,
            node: String::new(),
            witnesses: Vec::new(),
            skipping: Skipping::Off,
            publisher: None,
            tracker: None,
            cache_limit: 0,
            max_links: 0,
            upload: UploadPolicy { is_enabled: true, rate: None, total: None },
            has_tower: false,
        };
        Client::new(config, [0; 32])
    }

    fn payer(device: u8, rows: Vec<SealedRow>) -> Payer {
        let rows = row::unseal_all(CHAIN, rows);
        Payer::new(CHAIN, key(1), DeviceId([device; 16]), PoolRules::for_chain(4, 10), rows)
    }

    /// What a device with one pool has stored.
    fn disk() -> Vec<SealedRow> {
        let rules = PoolRules::for_chain(4, 10);
        let deposit = Amount::from_units(1000);
        let terms = PoolTerms {
            creator: key(1).public(),
            nonce: 7,
            resource: StreamId(Hash([2; 32])),
            deposit,
            collateral: rules.min_collateral(deposit).unwrap(),
            end_height: rules.end_of(Height(0), 3600),
            only: None,
        };
        let mut out = Vec::new();
        payer(1, Vec::new()).open(terms, &mut out).unwrap();
        let [payer::Output::Store(_, name, Some(bytes))] = &out[..] else { panic!("{out:?}") };
        let seal = |name: &str, bytes| (name.to_string(), row::seal(CHAIN, name, bytes));
        vec![
            seal(DEVICE, vec![1; 16]),
            seal("light/trust", vec![9]),
            seal(name.as_str(), bytes.clone()),
        ]
    }

    #[test]
    fn a_backup_leaves_the_device_behind_and_freezes_the_pools_that_it_brings() {
        let file = client(1).backup(disk(), b"notes".to_vec()).unwrap();
        let Restored { notes, writes } = client(1).restore(&file, &[]).unwrap();
        assert_eq!(notes, b"notes");
        let names: Vec<_> = writes.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!((names[0], names.len()), (DEVICE, 2), "{names:?}");
        assert_eq!(writes[0].1, None, "before any row of it is there");
        let rows = writes.into_iter().filter_map(|(name, row)| Some((name, row?))).collect();
        let frozen: Vec<_> = payer(2, rows).pools().map(|(_, freeze)| freeze).collect();
        assert_eq!(frozen, [Some(Freeze::OtherDevice)]);
        let live: Vec<_> = payer(1, disk()).pools().map(|(_, freeze)| freeze).collect();
        assert_eq!(live, [None], "where it was made nothing changes");
    }

    #[test]
    fn what_is_here_already_stays_and_another_accounts_backup_is_refused() {
        let file = client(1).backup(disk(), Vec::new()).unwrap();
        let known: Vec<_> = disk().into_iter().map(|(name, _)| name).collect();
        assert_eq!(client(1).restore(&file, &known).map(|restored| restored.writes), Ok(vec![]));
        assert_eq!(client(2).restore(&file, &[]), Err(BackupError::OtherAccount));
    }
}
