use super::*;
use antiphon_core::crypto::Hash;
use std::fs;

const CHAIN: ChainId = ChainId(Hash([1; 32]));

#[test]
fn what_is_told_as_written_is_on_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let (disk, rows, mut done) = opened(folder.path(), CHAIN);
    assert_eq!(rows, []);
    assert_eq!(write(&disk, &mut done, 1, "payee/a", Some(&[1, 2])), [StoreToken(1)]);
    write(&disk, &mut done, 2, "payee/b", Some(&[3]));
    write(&disk, &mut done, 3, "payee/a", Some(&[4]));
    write(&disk, &mut done, 4, "payee/b", None);
    // As after a crash at this moment: nothing is closed, nothing flushed.
    let crashed = tempfile::tempdir().unwrap();
    fs::copy(folder.path().join("rows.redb"), crashed.path().join("rows.redb")).unwrap();
    let (_, rows, _) = opened(crashed.path(), CHAIN);
    assert_eq!(rows, [(String::from("payee/a"), vec![4])]);
}

#[test]
fn many_writes_are_told_each_and_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let (disk, _, mut done) = opened(folder.path(), CHAIN);
    for n in 0..500 {
        disk.write((StoreToken(n), format!("row/{n}"), Some(vec![0; 100]))).unwrap();
    }
    let mut told = Vec::new();
    while told.len() < 500 {
        told.extend(done.blocking_recv().unwrap().unwrap());
    }
    assert_eq!(told, (0..500).map(StoreToken).collect::<Vec<_>>());
}

#[test]
fn who_reads_sees_all_that_was_given_before() {
    let folder = tempfile::tempdir().unwrap();
    let (disk, _, mut done) = opened(folder.path(), CHAIN);
    let rows = |disk: &Disk| {
        let (tell, told) = std_mpsc::channel();
        disk.read(move |rows| tell.send(rows).unwrap()).unwrap();
        told.recv().unwrap().unwrap()
    };
    assert_eq!(rows(&disk), []);
    let row = |n: u64| (StoreToken(n), format!("row/{n}"), Some(vec![7]));
    disk.write(row(1)).unwrap();
    disk.write_together(vec![row(2), row(3), (StoreToken(4), String::from("row/1"), None)])
        .unwrap();
    assert_eq!(rows(&disk), [(String::from("row/2"), vec![7]), (String::from("row/3"), vec![7])]);
    let mut told = done.blocking_recv().unwrap().unwrap();
    while told.len() < 4 {
        told.extend(done.blocking_recv().unwrap().unwrap());
    }
    assert_eq!(told, [1, 2, 3, 4].map(StoreToken));
}

#[test]
fn rows_of_one_chain_are_none_of_another() {
    let folder = tempfile::tempdir().unwrap();
    let (disk, _, mut done) = opened(folder.path(), CHAIN);
    write(&disk, &mut done, 1, "device", Some(&[7]));
    drop(disk);
    // The thread ends after its last write, and with it the lock.
    assert!(done.blocking_recv().is_none());
    let (_, rows, _) = opened(folder.path(), ChainId(Hash([2; 32])));
    assert_eq!(rows, []);
}

#[test]
fn a_file_that_is_in_use_or_damaged_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (_disk, ..) = opened(folder.path(), CHAIN);
    let (tell, _done) = mpsc::channel(8);
    let in_use = Disk::open(&folder.path().join("rows.redb"), CHAIN, tell.clone()).unwrap_err();
    assert!(is_in_use(&in_use));
    let damaged = tempfile::tempdir().unwrap();
    fs::write(damaged.path().join("rows.redb"), b"rows").unwrap();
    let error = Disk::open(&damaged.path().join("rows.redb"), CHAIN, tell).unwrap_err();
    assert!(!is_in_use(&error));
}

fn opened(folder: &Path, chain: ChainId) -> (Disk, Vec<Row>, mpsc::Receiver<Written>) {
    let (tell, done) = mpsc::channel(8);
    let (disk, rows) = Disk::open(&folder.join("rows.redb"), chain, tell).unwrap();
    (disk, rows, done)
}

fn write(
    disk: &Disk,
    done: &mut mpsc::Receiver<Written>,
    token: u64,
    name: &str,
    row: Option<&[u8]>,
) -> Vec<StoreToken> {
    disk.write((StoreToken(token), name.to_owned(), row.map(<[u8]>::to_vec))).unwrap();
    done.blocking_recv().unwrap().unwrap()
}
