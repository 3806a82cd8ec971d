//! Backups: made by one device, taken by another, refused where they are none.

use super::*;
use antiphon_core::{
    amount::Amount,
    client::StoreToken,
    crypto::Hash,
    id::{Address, ChainId, Height, StreamId},
    payment::{
        payer::{DeviceId, Freeze, Output, Payer},
        reservation::{PoolRules, PoolTerms},
    },
    row,
    wallet::backup::{Backup, MAX_BACKUP, MAX_NOTES},
};

const CHAIN: ChainId = ChainId(Hash([7; 32]));

#[tokio::test]
async fn one_device_makes_a_backup_and_another_takes_it_and_signs_nothing_for_it() {
    let (old, new) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fill(old.path()).await;
    let first = awake(old.path()).await;
    let file = first.backup(b"names".to_vec()).await.unwrap();
    assert_eq!(first.ask(Request::Calls).await, Ok(Vec::new()), "it was not disturbed");
    assert_eq!(freezes(&rows(&first).await), [None], "where it was made nothing changes");
    let second = awake(new.path()).await;
    let device = device_of(&rows(&second).await);
    assert_eq!(second.restore(&file).await, Ok(b"names".to_vec()));
    let taken = rows(&second).await;
    assert_ne!(device_of(&taken), device, "it is another device from now on");
    assert_eq!(freezes(&taken), [Some(Freeze::OtherDevice)]);
    // Again it brings nothing new, and nobody is woken for it.
    assert_eq!(second.restore(&file).await, Ok(b"names".to_vec()));
    assert_eq!(rows(&second).await, taken);
    // What was taken is in the next backup.
    let third = tempfile::tempdir().unwrap();
    let next = second.backup(Vec::new()).await.unwrap();
    let third = awake(third.path()).await;
    assert_eq!(third.restore(&next).await, Ok(Vec::new()));
    assert_eq!(freezes(&rows(&third).await), [Some(Freeze::OtherDevice)]);
    for session in [first, second, third] {
        session.sleep(true).await;
    }
}

#[tokio::test]
async fn what_is_no_backup_of_this_account_changes_nothing() {
    let (old, new) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fill(old.path()).await;
    let first = awake(old.path()).await;
    let file = first.backup(Vec::new()).await.unwrap();
    first.sleep(true).await;
    let session = awake(new.path()).await;
    let before = rows(&session).await;
    let mut flipped = file.clone();
    flipped[40] ^= 1;
    let mut newer = file.clone();
    newer[15] = 2;
    let read = Backup::from_bytes(CHAIN, &file).unwrap();
    let other_chain = read.clone().to_bytes(ChainId(Hash([8; 32]))).unwrap();
    let other = Backup { address: Address([3; 20]), ..read }.to_bytes(CHAIN).unwrap();
    let mut large = file.clone();
    large.resize(MAX_BACKUP + 1, 0);
    for (file, code) in [
        (&b"nothing"[..], "backup/not-backup"),
        (&file[..file.len() - 1], "backup/damaged"),
        (&flipped, "backup/damaged"),
        (&other_chain, "backup/damaged"),
        (&newer, "backup/newer"),
        (&large, "backup/too-large"),
        (&other, "backup/other-account"),
    ] {
        let refused = session.restore(file).await;
        assert_eq!(refused.map_err(|error| error.code()), Err(code.to_owned()));
    }
    assert_eq!(rows(&session).await, before);
    let notes = session.backup(vec![0; MAX_NOTES + 1]).await;
    assert_eq!(notes, Err(AntiphonError::refused("backup/too-large")));
    session.sleep(false).await;
    assert_eq!(session.restore(&file).await, Err(AntiphonError::unavailable("client/suspended")));
    assert_eq!(session.backup(vec![]).await, Err(AntiphonError::unavailable("client/suspended")));
    session.sleep(true).await;
    assert_eq!(session.restore(&file).await, Err(AntiphonError::unavailable("client/closed")));
}

/// Gives a folder what a device with one pool has stored.
async fn fill(folder: &Path) {
    let rules = PoolRules::for_chain(4, 10);
    let key = SecretKey::from_bytes(&[1; 32]);
    let deposit = Amount::from_units(1000);
    let terms = PoolTerms {
        creator: key.public(),
        nonce: 7,
        resource: StreamId(Hash([2; 32])),
        deposit,
        collateral: rules.min_collateral(deposit).unwrap(),
        end_height: rules.end_of(Height(0), 3600),
        only: None,
    };
    let (device, mut out) = (DeviceId([5; 16]), Vec::new());
    Payer::new(CHAIN, key, device, rules, Vec::new()).open(terms, &mut out).unwrap();
    let [Output::Store(_, name, Some(bytes))] = &out[..] else { panic!("{out:?}") };
    let seal =
        |name: &str, bytes| (StoreToken(1), name.to_owned(), Some(row::seal(CHAIN, name, bytes)));
    let (done, mut written) = mpsc::channel(8);
    let (disk, _) = Disk::open(&folder.join(ROWS), CHAIN, done).unwrap();
    let both = vec![seal("device", vec![5; 16]), seal(name, bytes.clone())];
    disk.write_together(both).unwrap();
    written.recv().await.unwrap().unwrap();
    drop(disk);
    assert!(written.recv().await.is_none(), "the file is let go");
}

async fn rows(session: &Session) -> Vec<Row> {
    session.ask(Request::Rows).await.unwrap()
}

fn device_of(rows: &[Row]) -> DeviceId {
    let (name, sealed) = rows.iter().find(|(name, _)| name == "device").unwrap();
    DeviceId(row::unseal(CHAIN, name, sealed.clone()).unwrap().try_into().unwrap())
}

/// What stands in the way of each pool of these rows, on the device that has them.
fn freezes(rows: &[Row]) -> Vec<Option<Freeze>> {
    let (device, rules) = (device_of(rows), PoolRules::for_chain(4, 10));
    let rows = row::unseal_all(CHAIN, rows.to_vec());
    let key = SecretKey::from_bytes(&[1; 32]);
    Payer::new(CHAIN, key, device, rules, rows).pools().map(|(_, freeze)| freeze).collect()
}
