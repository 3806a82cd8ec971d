//! Snapshots of a chain, and what foes make of them.

use super::*;
use crate::sync::{
    Content, RangeError,
    tests::origin::{Disk, GENESIS, INTERVAL, Origin as World},
    write::SyncWrite,
};
use antiphon_core::{
    chain::{
        certificate::{CertificateError, FinalityCertificate, FinalityVote, Signers},
        header::Header,
        set::Guardian,
    },
    crypto::{
        Tagged as _,
        bls::{BlsPublicKey, BlsSecretKey, BlsSignature},
    },
    id::BlockId,
};

/// More rows than one range has.
const ACCOUNTS: u32 = 40_000;

fn records(world: &World) -> Vec<Record> {
    let mut records = Vec::new();
    let at = world.checkpoint().height;
    let keep = |record: &Record| {
        records.push(record.clone());
        Ok(())
    };
    export(world, &world.spec, at, keep).unwrap();
    records
}

fn take(records: impl IntoIterator<Item = Record>) -> Result<Disk, SnapshotError> {
    let mut records = records.into_iter();
    let mut intake = Intake::new(records.next().unwrap(), None)?;
    let mut disk = Disk::default();
    for record in records {
        if let Some(range) = intake.take(record)? {
            disk.write(SyncWrite::Range(Box::new(range)));
        }
    }
    intake.finish().map(|_| disk)
}

/// The head with one thing changed.
fn spoilt(records: &[Record], change: impl FnOnce(&mut Head)) -> Vec<Record> {
    let mut records = records.to_vec();
    let Some(Record::Head(head)) = records.first_mut() else { panic!("a head") };
    change(head);
    records
}

fn refusal(records: Vec<Record>) -> SnapshotError {
    take(records).unwrap_err()
}

#[test]
fn a_state_of_many_ranges_comes_back_row_for_row_and_node_for_node() {
    let world = World::new(ACCOUNTS, 2, 0);
    let records = records(&world);
    assert!(records.len() > 3, "more than one range: {}", records.len());
    let disk = take(records).unwrap();
    assert_eq!(disk.values, world.values);
    assert_eq!(disk.nodes, world.nodes);
}

#[test]
fn ranges_that_are_missing_doubled_altered_or_of_another_state_are_refused() {
    let honest = records(&World::new(ACCOUNTS, 2, 0));
    for left_out in 1..honest.len() {
        let mut cut = honest.clone();
        cut.remove(left_out);
        let why = refusal(cut);
        // Below a branch that did not come, a range stands where it may not.
        assert!(
            matches!(why, SnapshotError::Missing | SnapshotError::Doubled),
            "{left_out}: {why}"
        );
    }
    let mut doubled = honest.clone();
    doubled.push(honest.last().unwrap().clone());
    assert_eq!(refusal(doubled), SnapshotError::Doubled);
    let last = |change: &dyn Fn(&mut Range)| {
        let mut records = honest.clone();
        let Some(Record::Range(_, range)) = records.last_mut() else { panic!("a range") };
        change(range);
        refusal(records)
    };
    let richer = last(&|range| {
        let Content::Rows(rows) = &mut range.content else { panic!("rows") };
        let mut all = rows.clone().into_vec();
        let mut value = all[0].value.clone().into_vec();
        value[8] ^= 1;
        all[0].value = Bounded::try_from(value).unwrap();
        *rows = Bounded::try_from(all).unwrap();
    });
    assert_eq!(richer, SnapshotError::Range(RangeError::WrongRoot));
    let fewer = last(&|range| {
        let Content::Rows(rows) = &mut range.content else { panic!("rows") };
        let all = rows.clone().into_vec();
        *rows = Bounded::try_from(all[1..].to_vec()).unwrap();
    });
    assert_eq!(fewer, SnapshotError::Range(RangeError::WrongRoot));
    let mut other = records(&World::new(ACCOUNTS, 2, 1));
    other[0] = honest[0].clone();
    assert_eq!(refusal(other), SnapshotError::Range(RangeError::WrongRoot));
}

#[test]
fn a_head_that_nobody_made_final_or_of_other_sets_is_refused() {
    let world = World::new(10, 2, 0);
    let honest = records(&world);
    let why = |change: fn(&mut Head)| refusal(spoilt(&honest, change));
    let of_other_height = why(|head| {
        head.checkpoint.header.height = Height(INTERVAL);
        head.checkpoint.certificate.height = Height(INTERVAL);
        head.checkpoint.certificate.block = head.checkpoint.header.id();
    });
    let unsigned = SnapshotError::Certificate(CertificateError::BadSignature);
    assert_eq!(of_other_height, unsigned);
    let of_other_state = why(|head| {
        head.checkpoint.header.state_root = Hash([9; 32]);
        head.checkpoint.certificate.block = head.checkpoint.header.id();
    });
    assert_eq!(of_other_state, unsigned);
    let of_other_block = why(|head| head.checkpoint.certificate.block = BlockId(Hash([9; 32])));
    assert_eq!(of_other_block, SnapshotError::WrongCheckpoint);
    let no_checkpoint = why(|head| {
        head.checkpoint.header.height = Height(INTERVAL + 1);
        head.checkpoint.certificate.height = Height(INTERVAL + 1);
        head.checkpoint.certificate.block = head.checkpoint.header.id();
    });
    assert_eq!(no_checkpoint, SnapshotError::WrongCheckpoint);
    assert_eq!(why(|head| head.spec.block_ms += 1), SnapshotError::WrongChain);
    assert_eq!(why(|head| head.validators.since = Height(1)), SnapshotError::WrongSets);
    assert_eq!(why(|head| head.guardians.since = Height(1)), SnapshotError::WrongSets);
    let other_guardians = why(|head| {
        head.checkpoint.header.guardians_hash = Hash([9; 32]);
        head.checkpoint.certificate.block = head.checkpoint.header.id();
    });
    assert_eq!(other_guardians, SnapshotError::Unvouched);
    let stranger = Some(ChainId(Hash([1; 32])));
    assert_eq!(
        Intake::new(honest[0].clone(), stranger).err(),
        Some(SnapshotError::OtherChain),
        "the snapshot of another chain than the one asked for"
    );
    assert_eq!(Intake::new(honest[1].clone(), None).err(), Some(SnapshotError::OutOfPlace));
    let mut twice = honest.clone();
    twice.insert(1, honest[0].clone());
    assert_eq!(refusal(twice), SnapshotError::OutOfPlace);
}

#[test]
fn only_the_chain_with_every_rule_of_the_old_one_goes_on_with_its_state() {
    let world = World::new(10, 2, 0);
    let Record::Head(head) = &records(&world)[0] else { panic!("a head") };
    let later = UnixMillis(GENESIS * 2);
    let new = head.successor(Text::try_from("harbour").unwrap(), later);
    assert_eq!(head.check_successor(&new), Ok(()));
    assert_ne!(new.chain_id(), world.spec.chain_id());
    assert_eq!(new.state_chain(), world.spec.chain_id(), "keys of the state stay what they are");
    assert_eq!(new.genesis_height(), world.checkpoint().height, "deadlines stay right");
    let changed: [fn(&mut ChainSpec); 5] = [
        |spec| spec.fee = antiphon_core::amount::Amount::ZERO,
        |spec| spec.validators.since = Height(0),
        |spec| spec.origin.as_mut().unwrap().state_root = Hash([9; 32]),
        |spec| spec.origin.as_mut().unwrap().height = Height(INTERVAL),
        |spec| spec.origin.as_mut().unwrap().lineage = Bounded::new(),
    ];
    for change in changed {
        let mut other = new.clone();
        change(&mut other);
        assert_eq!(head.check_successor(&other), Err(SnapshotError::NotSuccessor));
    }
    let early = ChainSpec { genesis_time: world.checkpoint().time, ..new };
    assert_eq!(head.check_successor(&early), Err(SnapshotError::TooEarly));
}

#[test]
fn a_long_lineage_keeps_the_first_chain_and_the_last() {
    let world = World::new(10, 2, 0);
    let Record::Head(head) = &records(&world)[0] else { panic!("a head") };
    let mut head = head.as_ref().clone();
    let name = head.spec.name.clone();
    let first = world.spec.chain_id();
    for _ in 0..MAX_LINEAGE + 2 {
        let before = head.spec.chain_id();
        head.checkpoint.header.chain_id = before;
        head.spec = head.successor(name.clone(), UnixMillis(GENESIS * 2));
        let lineage = &head.spec.origin.as_ref().unwrap().lineage;
        assert_eq!((lineage.first(), lineage.last()), (Some(&first), Some(&before)));
        assert!(lineage.len() <= MAX_LINEAGE);
        assert_eq!(head.spec.state_chain(), first);
    }
}

#[test]
fn a_state_that_was_pruned_is_not_exported() {
    let mut world = World::new(10, 2, 0);
    world.gone = true;
    let at = world.checkpoint().height;
    let none = export(&world, &world.spec, at, |_| Ok(())).unwrap_err();
    assert_eq!(none, SnapshotError::NoCheckpoint);
    world.gone = false;
    let below = export(&world, &world.spec, Height(INTERVAL - 1), |_| Ok(())).unwrap_err();
    assert_eq!(below, SnapshotError::NoCheckpoint, "no final checkpoint");
}

/// A guardian of its own set, elected at a height.
fn guardian(seed: u8, since: u64) -> (BlsSecretKey, GuardianSet) {
    let key = BlsSecretKey::from_seed(&[seed; 32]).unwrap();
    let members = vec![Guardian { key: key.public(), weight: 1 }];
    let aggregate = BlsPublicKey::aggregate([&key.public()]).unwrap();
    let members = Bounded::try_from(members).unwrap();
    (key, GuardianSet { since: Height(since), members, aggregate })
}

fn signed(chain: ChainId, header: Header, key: &BlsSecretKey) -> Checkpoint {
    let (height, block) = (header.height, header.id());
    let vote = FinalityVote { guardians_hash: header.guardians_hash, height, block };
    let signature = BlsSignature::aggregate([&key.sign(vote.digest(chain))]).unwrap();
    let signers = Signers::bitmap(1, [0]).unwrap();
    Checkpoint { header, certificate: FinalityCertificate { height, block, signers, signature } }
}

/// The records of a state that guardians made final who were elected on the way.
fn handed_over(by: &BlsSecretKey) -> Vec<Record> {
    let world = World::new(10, 2, 0);
    let chain = world.spec.chain_id();
    let (second, elected) = guardian(6, INTERVAL);
    let (guardians_hash, next) = (elected.hash(chain), world.headers[8].guardians_hash);
    assert_ne!(guardians_hash, next);
    let turn = Header { next_guardians_hash: guardians_hash, ..world.headers[8].clone() };
    let checkpoint = signed(chain, turn, by);
    let change = Record::Change(Box::new(Change { checkpoint, elected: elected.clone() }));
    let last = world.checkpoint().clone();
    let last = Header { guardians_hash, next_guardians_hash: guardians_hash, ..last };
    let mut records = spoilt(&records(&world), |head| {
        head.checkpoint = signed(chain, last, &second);
        head.guardians = elected;
    });
    records.insert(1, change);
    records
}

#[test]
fn the_way_leads_over_every_change_of_guardians_and_each_is_signed_by_those_before() {
    let (first, _) = guardian(5, 0);
    let honest = handed_over(&first);
    take(honest.clone()).unwrap();
    let mut skipped = honest.clone();
    skipped.remove(1);
    assert_eq!(refusal(skipped), SnapshotError::Unvouched);
    let mut twice = honest.clone();
    twice.insert(1, honest[1].clone());
    assert_eq!(refusal(twice), SnapshotError::OutOfPlace, "heights rise");
    let mut late = honest.clone();
    late.push(honest[1].clone());
    assert_eq!(refusal(late), SnapshotError::OutOfPlace, "after the state");
    let (second, _) = guardian(6, 0);
    let usurped = refusal(handed_over(&second));
    assert_eq!(usurped, SnapshotError::Certificate(CertificateError::BadSignature));
    let mut other = honest;
    let Record::Change(change) = &mut other[1] else { panic!("a change") };
    change.elected.since = Height(1);
    assert_eq!(
        refusal(other),
        SnapshotError::Unvouched,
        "a set that the checkpoint does not commit"
    );
}
