//! Snapshot files that were damaged on the way, and stores that take none of them.

use super::*;
use crate::{
    storage::Storage as _,
    sync::tests::origin::{GENESIS, Origin as World},
};
use antiphon_core::{codec::Text, id::Height, time::UnixMillis};
use std::fs;

fn written(world: &World, path: &Path) -> SnapshotHead {
    let mut file = Writer::create(path).unwrap();
    let at = world.checkpoint().height;
    let (head, _) = export_snapshot(world, &world.spec, at, |record| file.put(record)).unwrap();
    file.finish().unwrap();
    head
}

fn successor(head: &SnapshotHead) -> ChainSpec {
    head.successor(Text::try_from("harbour").unwrap(), UnixMillis(GENESIS * 2))
}

fn empty(folder: &Path, spec: &ChainSpec) -> Store {
    Store::open_with(folder, spec, (Keep::Archive, Begin::Sync)).unwrap()
}

#[test]
fn a_store_begins_with_a_snapshot_and_has_every_row_at_its_height() {
    let data = tempfile::tempdir().unwrap();
    let (world, path) = (World::new(30_000, 2, 0), data.path().join("state"));
    let spec = successor(&written(&world, &path));
    let store = empty(data.path(), &spec);
    begin(&store, &spec, &path).unwrap();
    assert!(!store.is_syncing().unwrap());
    let head = store.head().unwrap();
    assert_eq!(head.block.height(), world.checkpoint().height);
    assert_eq!(head.block.signed.header.state_root, world.checkpoint().state_root);
    for (key, value) in &world.values {
        assert_eq!(store.value(head.version, key).unwrap().as_ref(), Some(value));
    }
    let start = store.start(spec.checkpoint_interval).unwrap();
    assert_eq!(start.frozen_until, None, "keys have signed nothing of this chain");
    assert!(start.guardian.checkpoints.is_empty(), "nobody signs a genesis");
}

#[test]
fn a_file_that_is_cut_or_has_another_byte_anywhere_is_refused_and_nothing_of_it_is_written() {
    let data = tempfile::tempdir().unwrap();
    let (world, path) = (World::new(20, 2, 0), data.path().join("state"));
    let spec = successor(&written(&world, &path));
    let store = empty(data.path(), &spec);
    let (whole, bad) = (fs::read(&path).unwrap(), data.path().join("bad"));
    let refuse = |bytes: &[u8], what: &str| {
        fs::write(&bad, bytes).unwrap();
        let why = begin(&store, &spec, &bad).expect_err(what);
        assert!(!why.code().starts_with("storage"), "{what}: {why}");
        assert!(store.is_syncing().unwrap(), "{what}");
    };
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 0xff;
        refuse(&bytes, &format!("byte {at}"));
    }
    for length in (0..whole.len()).step_by(7).chain(whole.len() - 12..whole.len()) {
        refuse(&whole[..length], &format!("cut to {length}"));
    }
    refuse(&[whole.as_slice(), b"\n"].concat(), "something behind it");
    let nothing = store.value(u64::MAX, world.values.keys().next().unwrap()).unwrap();
    assert_eq!(nothing, None);
    begin(&store, &spec, &path).unwrap();
    assert!(!store.is_syncing().unwrap());
}

#[test]
fn the_snapshot_of_another_height_or_chain_is_refused_and_nothing_is_written() {
    let data = tempfile::tempdir().unwrap();
    let path = |name: &str| data.path().join(name);
    let head = written(&World::new(20, 2, 0), &path("state"));
    written(&World::new(20, 1, 0), &path("earlier"));
    let spec = successor(&head);
    let store = empty(data.path(), &spec);
    assert_eq!(begin(&store, &spec, &path("earlier")), Err(SnapshotError::NotSuccessor));
    let stranger = ChainSpec { block_ms: 77, ..spec };
    assert_eq!(begin(&store, &stranger, &path("state")), Err(SnapshotError::NotSuccessor));
    assert!(store.is_syncing().unwrap());
    let other = check(&path("state"), Some(stranger.chain_id())).map(|_| ());
    assert_eq!(other, Err(SnapshotError::OtherChain));
    assert_eq!(check(&path("state"), None).unwrap().1.0, 20);
}

#[test]
fn a_range_that_fails_at_the_end_takes_back_those_before_it() {
    let data = tempfile::tempdir().unwrap();
    let world = World::new(30_000, 2, 0);
    let mut records = Vec::new();
    let at = world.checkpoint().height;
    let (head, _) = export_snapshot(&world, &world.spec, at, |record| {
        records.push(record.clone());
        Ok(())
    })
    .unwrap();
    records.pop();
    let spec = successor(&head);
    let store = empty(data.path(), &spec);
    let mut records = records.into_iter();
    assert_eq!(store.begin_with(&spec, || Ok(records.next())), Err(SnapshotError::Missing));
    assert!(store.is_syncing().unwrap());
    let rows = world.values.keys().filter(|key| store.value(u64::MAX, key).unwrap().is_some());
    assert_eq!(rows.count(), 0);
    assert_eq!(store.height_of(&head.checkpoint.header.id()).unwrap(), None::<Height>);
}

#[test]
fn an_existing_file_is_never_replaced() {
    let data = tempfile::tempdir().unwrap();
    let path = data.path().join("state");
    written(&World::new(1, 2, 0), &path);
    assert_eq!(Writer::create(&path).unwrap_err().code(), "snapshot/unreadable");
}

#[test]
fn a_chain_without_its_snapshot_does_not_begin() {
    let data = tempfile::tempdir().unwrap();
    let head = written(&World::new(1, 2, 0), &data.path().join("state"));
    let spec = successor(&head);
    let refused = Store::open(data.path(), &spec).unwrap_err();
    assert!(matches!(refused, super::super::store::OpenError::NeedsSnapshot), "{refused}");
    drop(empty(data.path(), &spec));
    let refused = Store::open(data.path(), &spec).unwrap_err();
    assert!(matches!(refused, super::super::store::OpenError::NeedsSnapshot), "{refused}");
}
