//! A state that comes over: into a real store, from a real store, through a failing disk.

use super::{super::*, faulty::Faulty};
use crate::{
    storage::Storage,
    supernode::{Config, ProveError, Supernode, wire::Wire},
    sync::{self, Answer, Ask, Message, Output, Sync, tests::origin as world},
};
use antiphon_core::{
    chain::{light::Anchor, state::StateKey},
    codec::Bounded,
    time::Moment,
};
use std::{
    collections::{BTreeMap, VecDeque},
    time::{Duration, Instant},
};
use world::{GENESIS, INTERVAL, Origin};

/// What a sync cost.
#[derive(Debug, Default)]
struct Cost {
    questions: usize,
    bytes: usize,
}

/// Syncs from one neighbour until it is done, or a write fails.
fn sync_from(
    store: &Store,
    max_range: u32,
    answer: impl Fn(&Ask) -> Answer,
) -> Result<Cost, StorageError> {
    let config = sync::Config {
        spec: world::spec(),
        anchor: Anchor::Genesis,
        max_range,
        kib_per_second: 1_000_000,
        origin_ms: GENESIS + 60_000,
    };
    let (mut now, mut out, mut cost) = (Moment::ZERO, Vec::new(), Cost::default());
    let mut machine = Sync::new(now, config, store.sync_start()?, &mut out)?;
    let mut heard = VecDeque::new();
    loop {
        for output in std::mem::take(&mut out) {
            match output {
                Output::Store(part) => store.write(&[Write::Sync(part)])?,
                Output::Send(0, bytes) => {
                    let Ok(Wire::Sync(Message::Ask(id, ask))) = Wire::decode(&bytes) else {
                        panic!("a question")
                    };
                    let answer = Wire::Sync(Message::Answer(id, answer(&ask)));
                    let bytes = codec::encode(&answer);
                    assert_eq!(Wire::decode(&bytes), Ok(answer), "it fits a message");
                    (cost.questions, cost.bytes) = (cost.questions + 1, cost.bytes + bytes.len());
                    heard.push_back(bytes);
                }
                Output::Send(..) | Output::Progress(..) => {}
                Output::Done => return Ok(cost),
                Output::Blame(..) | Output::Nothing | Output::Failed(_) => {
                    panic!("an honest neighbour: {output:?}")
                }
            }
        }
        match heard.pop_front().map(|bytes| Wire::decode(&bytes)) {
            Some(Ok(Wire::Sync(message))) => {
                machine.handle(now, sync::Input::Message(0, message), &mut out);
            }
            Some(_) => panic!("an answer"),
            None => {
                now = now.after(Duration::from_millis(200)).max(machine.deadline().unwrap());
                machine.handle(now, sync::Input::Tick, &mut out);
            }
        }
    }
}

fn empty(folder: &Path) -> Store {
    let how = (Keep::Archive, Begin::Sync);
    Store::open_with(folder, &world::spec(), how).unwrap()
}

/// Answers as a node that runs over this store.
fn answers(store: &Store) -> impl Fn(&Ask) -> Answer {
    let (store, origin) = (store.clone(), Origin::new(1, 2, 0));
    move |ask| match ask.as_file() {
        Some(antiphon_core::chain::light::File::Tip) => {
            let certificate = store.newest_certificate().unwrap().unwrap();
            let (final_height, final_block) = (certificate.height, certificate.block);
            let tip =
                antiphon_core::chain::light::Tip { final_height, final_block, ..origin.tip() };
            Answer::File(Bounded::try_from(codec::encode(&tip)).unwrap())
        }
        _ => ask.answer(&store, &world::spec()).unwrap().unwrap_or(Answer::Missing),
    }
}

fn nodes(store: &Store) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let table = store.table(NODES).unwrap();
    let rows = redb::ReadableTable::iter(&table).unwrap().map(Result::unwrap);
    rows.map(|(key, node)| (key.value().to_vec(), node.value().to_vec())).collect()
}

fn expected(origin: &Origin) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let encoded = |(key, node)| (borsh::to_vec(key).unwrap(), borsh::to_vec(node).unwrap());
    origin.nodes.iter().map(encoded).collect()
}

#[test]
fn a_hundred_thousand_accounts_come_over_from_store_to_store_and_a_node_starts_from_them() {
    let origin = Origin::new(100_000, 2, 0);
    let folders = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let [first, second] = folders.each_ref().map(|folder| empty(folder.path()));
    let began = Instant::now();
    sync_from(&first, sync::MAX_RANGE, |ask| origin.answer(ask)).unwrap();
    let from_memory = began.elapsed();
    let began = Instant::now();
    let cost = sync_from(&second, sync::MAX_RANGE, answers(&first)).unwrap();
    // For BENCHMARKS.md and whoever looks: `cargo nextest run --no-capture`.
    #[allow(clippy::print_stderr, reason = "figures for people")]
    {
        eprintln!("100 000 accounts: {from_memory:?}, {:?} {cost:?}", began.elapsed());
    }
    assert_eq!(nodes(&second), expected(&origin));
    assert!(cost.bytes < 11 << 20 && cost.questions < 64, "{cost:?}");
    let store = Store::open(folders[0].path(), &world::spec());
    assert!(matches!(store, Err(OpenError::InUse)));
    let config = Config {
        spec: world::spec(),
        validator: None,
        guardian: None,
        delta: Duration::from_secs(1),
        origin_ms: GENESIS + 60_000,
        gossip: guardian::Gossip::default(),
    };
    let start = second.start(INTERVAL).unwrap();
    assert!(start.frozen_until.is_some() && start.recent.len() == 17);
    let node = Supernode::new(Moment::ZERO, config, second, start, &mut Vec::new()).unwrap();
    let (status, checkpoint) = (node.status(), origin.checkpoint());
    assert_eq!((status.settled, status.finalised), (checkpoint.height, checkpoint.height));
    let some: Vec<StateKey> = origin.values.keys().copied().step_by(9000).collect();
    let pruned = node.prove(Height(9), &some).unwrap_err();
    assert_eq!((pruned.code(), &pruned), ("rpc/state-pruned", &ProveError::Pruned));
    assert_eq!(node.prove(Height(999), &some), Err(ProveError::UnknownHeight));
    let proofs = node.prove(checkpoint.height, &some).unwrap();
    for (key, proof) in some.iter().zip(&proofs) {
        let value = proof.verify(&checkpoint.state_root, key).unwrap();
        assert_eq!(value, Some(&origin.values[key][..]));
    }
}

/// A0.6: the disk that knew what these keys signed is gone.
#[test]
fn keys_of_a_synced_node_sign_nothing_for_sets_that_they_may_have_signed_for() {
    let origin = Origin::new(40, 2, 0);
    let folder = tempfile::tempdir().unwrap();
    let store = empty(folder.path());
    sync_from(&store, sync::MAX_RANGE, |ask| origin.answer(ask)).unwrap();
    let starts = |frozen: bool| {
        let start = store.start(INTERVAL).unwrap();
        assert!(start.frozen_until.is_some());
        let frozen_until = start.frozen_until.filter(|_| frozen);
        let (validator, guardian) = world::keys();
        let config = Config {
            spec: world::spec(),
            validator: Some(validator),
            guardian: Some(guardian),
            delta: Duration::from_secs(1),
            origin_ms: GENESIS + 60_000,
            gossip: guardian::Gossip::default(),
        };
        let start = Start { frozen_until, ..start };
        let mut out = Vec::new();
        let mut node =
            Supernode::new(Moment::ZERO, config, store.clone(), start, &mut out).unwrap();
        let later = Moment::ZERO.after(Duration::from_secs(60));
        node.handle(later, crate::supernode::Input::Tick, &mut out);
        (node.deadline().is_some(), out.len())
    };
    assert_eq!(starts(true), (false, 0), "it follows, and has nothing to say");
    let (has_timer, said) = starts(false);
    assert!(has_timer && said > 0, "the keys are of the set");
}

#[test]
fn a_disk_that_fails_at_any_write_of_a_sync_leaves_what_it_goes_on_from() {
    let origin = Origin::new(250, 2, 0);
    let spec = world::spec();
    let how = (Keep::Archive, Begin::Sync);
    for torn in [false, true] {
        let mut refused = 0;
        for left in (0..).step_by(7) {
            let folder = tempfile::tempdir().unwrap();
            let disk = Faulty::default();
            let store = disk.open_with(folder.path(), &spec, how).unwrap();
            disk.fail_after(Some(left), torn);
            let ended = sync_from(&store, sync::MIN_RANGE, |ask| origin.answer(ask));
            drop(store);
            disk.fail_after(None, false);
            let store = disk.open_with(folder.path(), &spec, how).unwrap();
            if ended.is_ok() {
                assert!(!store.is_syncing().unwrap(), "what is done is done");
                assert_eq!(nodes(&store), expected(&origin));
                break;
            }
            refused += 1;
            if store.is_syncing().unwrap() {
                sync_from(&store, sync::MIN_RANGE, |ask| origin.answer(ask)).unwrap();
            }
            assert_eq!(nodes(&store), expected(&origin), "after {left} changes");
            assert_eq!(store.head().unwrap().id, origin.checkpoint().id());
            assert!(store.start(INTERVAL).is_ok());
        }
        assert!(refused > 8, "the disk failed in {refused} of the runs");
    }
}

#[test]
fn a_store_that_has_begun_stays_what_it_is_and_a_half_synced_one_may_begin_at_genesis() {
    let origin = Origin::new(250, 2, 0);
    let folder = tempfile::tempdir().unwrap();
    let store = empty(folder.path());
    assert!(store.is_syncing().unwrap() && store.head().is_err());
    sync_from(&store, sync::MIN_RANGE, |ask| origin.answer(ask)).unwrap();
    drop(store);
    let store = Store::open(folder.path(), &world::spec()).unwrap();
    assert_eq!(store.head().unwrap().block.height(), origin.checkpoint().height);
    assert_eq!(store.settled(origin.checkpoint().height), Ok(None), "its body is nowhere here");
    let other = tempfile::tempdir().unwrap();
    drop(empty(other.path()));
    let store = Store::open(other.path(), &world::spec()).unwrap();
    assert_eq!(store.head().unwrap().block.height(), Height(0));
    drop(store);
    assert!(!empty(other.path()).is_syncing().unwrap());
}
