mod faulty;
#[allow(clippy::cast_possible_truncation, reason = "heights of tests are small")]
mod prune;
mod sync;

use super::*;
use crate::{
    offence::{Offender, Seen},
    shell::dev::{Options, keys::Network},
    storage::{Role, Storage},
};
use antiphon_core::{
    chain::{
        certificate::{Counts, FinalityVote, MAX_ROUND, Signers, max_count},
        offence::{Branches, Evidence, SignedShare, Vouched},
        set::MAX_GUARDIANS,
    },
    codec::Bounded,
    crypto::{Hash, bls::BlsSignature},
    id::BlockId,
};
use std::{fs, time::Duration};

#[test]
fn a_new_store_holds_genesis_and_opens_again() {
    let (data, spec) = network();
    let store = Store::open(data.path(), &spec).unwrap();
    let head = store.head().unwrap();
    assert_eq!(head.block.height(), Height(0));
    assert_eq!(store.height_of(&head.id), Ok(Some(Height(0))));
    drop(store);
    assert_eq!(Store::open(data.path(), &spec).unwrap().head(), Ok(head));
}

#[test]
fn a_store_of_another_chain_is_refused() {
    let (data, spec) = network();
    drop(Store::open(data.path(), &spec).unwrap());
    let other = ChainSpec { block_ms: 77, ..spec };
    assert!(matches!(Store::open(data.path(), &other), Err(OpenError::Foreign)));
}

#[test]
fn a_store_in_use_is_refused() {
    let (data, spec) = network();
    let _held = Store::open(data.path(), &spec).unwrap();
    assert!(matches!(Store::open(data.path(), &spec), Err(OpenError::InUse)));
}

#[test]
fn a_store_put_back_to_an_older_state_must_not_sign_again() {
    let (data, spec) = network();
    let file = data.path().join("chain.redb");
    for role in [Role::Vote, Role::Proposal, Role::Share] {
        drop(Store::open(data.path(), &spec).unwrap());
        let backup = fs::read(&file).unwrap();
        let store = Store::open(data.path(), &spec).unwrap();
        store.write(&[Write::Signed(signature(role, 9))]).unwrap();
        drop(store);
        assert!(Store::open(data.path(), &spec).is_ok(), "what it knows is no accusation");
        let newest = fs::read(&file).unwrap();
        fs::write(&file, backup).unwrap();
        assert!(matches!(Store::open(data.path(), &spec), Err(OpenError::RolledBack)), "{role:?}");
        fs::write(&file, newest).unwrap();
    }
}

/// A2.18, A4.2: of the largest sets, too.
#[test]
fn what_stopped_finality_and_what_shows_an_offence_are_there_again_when_the_store_is_opened() {
    let (data, spec) = network();
    let store = Store::open(data.path(), &spec).unwrap();
    let counts = Counts::new(vec![max_count(MAX_ROUND); MAX_GUARDIANS]).unwrap();
    let block = BlockId(Hash([7; 32]));
    let (height, signature) = (Height(10), BlsSignature([0; 96]));
    let signers = Signers::Counts(counts);
    let certificate = FinalityCertificate { height, block, signers, signature };
    let vouched = [1, 2].map(|byte| {
        let vote = FinalityVote {
            guardians_hash: Hash([3; 32]),
            height,
            block: BlockId(Hash([byte; 32])),
        };
        Vouched::Share(SignedShare { vote, signature })
    });
    let evidence =
        Evidence::Checkpoints(Box::new(Branches { vouched, headers: Bounded::default() }));
    let offenders: Vec<_> =
        spec.guardians.members.iter().map(|m| Offender::Guardian(m.key)).collect();
    let seen = Seen { evidence, offenders: offenders.try_into().unwrap() };
    let kept = Box::new(certificate.clone());
    store.write(&[Write::Contradiction(kept.clone()), Write::Final(kept)]).unwrap();
    let offence = || Write::Offence(Box::new(seen.clone()));
    store.write(&[offence(), offence()]).unwrap();
    drop(store);
    let store = Store::open(data.path(), &spec).unwrap();
    let start = store.start(spec.checkpoint_interval).unwrap();
    assert_eq!(start.guardian.contradiction.as_ref(), Some(&certificate));
    assert_eq!(start.guardian.certificate.as_ref(), Some(&certificate));
    assert_eq!(store.offences(), Ok(vec![seen]));
}

#[test]
fn a_torn_store_is_never_taken_for_a_whole_one() {
    let (data, spec) = network();
    let file = data.path().join("chain.redb");
    let store = Store::open(data.path(), &spec).unwrap();
    store.write(&[Write::Signed(signature(Role::Vote, 3))]).unwrap();
    drop(store);
    let whole = fs::read(&file).unwrap();
    let wide = (1..whole.len()).step_by(whole.len() / 48);
    for cut in (1..=32).chain(wide).chain([4096, whole.len() - 100]) {
        fs::write(&file, &whole[..whole.len() - cut]).unwrap();
        // Refused, or repaired to all that was written; never silently less.
        if let Ok(store) = Store::open(data.path(), &spec) {
            assert_eq!(store.signatures().unwrap(), [signature(Role::Vote, 3)], "cut by {cut}");
        }
    }
}

#[test]
fn a_file_that_is_no_store_is_called_damaged() {
    let (data, spec) = network();
    let file = data.path().join("chain.redb");
    drop(Store::open(data.path(), &spec).unwrap());
    let whole = fs::read(&file).unwrap();
    for damaged in [&b"no store"[..], &whole[..whole.len() / 2]] {
        fs::write(&file, damaged).unwrap();
        assert!(matches!(Store::open(data.path(), &spec), Err(OpenError::Damaged(_))));
    }
}

#[test]
fn a_height_is_settled_once_and_only_on_its_parent() {
    let (data, spec) = network();
    let store = Store::open(data.path(), &spec).unwrap();
    let (_, again) = ledger::genesis(&spec).unwrap();
    assert!(store.write(&[Write::Settle(Box::new(again.clone()))]).is_err());
    let mut gap = again;
    gap.settled.block.signed.header.height = Height(2);
    let vote = Write::Signed(signature(Role::Vote, 2));
    assert!(store.write(&[vote, Write::Settle(Box::new(gap))]).is_err());
    assert_eq!(store.signatures(), Ok(vec![]), "nothing of a failed batch is written");
    assert_eq!(store.head().unwrap().block.height(), Height(0));
}

#[test]
fn records_and_the_log_come_back() {
    let (data, spec) = network();
    let store = Store::open(data.path(), &spec).unwrap();
    let record = GuardianRecord { height: Height(10), block: BlockId(Hash([4; 32])) };
    let signed = [signature(Role::Vote, 1), signature(Role::Vote, 2), signature(Role::Share, 10)];
    let mut batch: Vec<Write> = signed.iter().copied().map(Write::Signed).collect();
    batch.push(Write::Guardian(record));
    store.write(&batch).unwrap();
    drop(store);
    let store = Store::open(data.path(), &spec).unwrap();
    assert_eq!(store.signatures().unwrap(), signed);
    assert_eq!(store.meta::<GuardianRecord>("guardian"), Ok(Some(record)));
}

#[test]
fn a_header_is_read_without_its_block_and_is_the_same() {
    let (data, spec) = network();
    let store = Store::open(data.path(), &spec).unwrap();
    let whole = store.settled(Height(0)).unwrap().unwrap();
    assert_eq!(store.header(Height(0)), Ok(Some(whole.block.signed.header)));
    assert_eq!(store.header(Height(1)), Ok(None));
}

fn signature(role: Role, slot: u64) -> Signature {
    Signature { role, term: 0, slot, block: BlockId(Hash([8; 32])) }
}

/// A spec with real keys, and a folder for one store.
fn network() -> (tempfile::TempDir, ChainSpec) {
    let folder = tempfile::tempdir().unwrap();
    let options = Options {
        data: folder.path().join("keys"),
        reset: false,
        block_time: Duration::from_secs(1),
        rpc: "127.0.0.1:0".parse().unwrap(),
        stake: false,
        unbond: None,
        keep: Keep::default(),
    };
    let spec = Network::open(&options).unwrap().spec;
    (folder, spec)
}
