use super::*;
use crate::ledger::genesis;
use antiphon_core::{
    chain::{
        certificate::{FinalityVote, Vote},
        offence::{Branches, Offence, SignedShare, Vouched},
    },
    crypto::{Hash, SecretKey, Signed, Tagged, bls::BlsSecretKey},
    id::{BlockId, Height, StreamId},
    payment::{
        reservation::PoolTerms,
        tick::{Ladder, Tick, Ticks},
        voucher::{Promise, Voucher},
    },
};

const CHAIN: ChainId = ChainId(Hash([1; 32]));
const STREAM: StreamId = StreamId(Hash([3; 32]));

fn units(units: u128) -> Amount {
    Amount::from_units(units)
}

fn key(n: u8) -> SecretKey {
    SecretKey::from_bytes(&[n; 32])
}

fn terms() -> PoolTerms {
    PoolTerms {
        creator: key(7).public(),
        nonce: 9,
        resource: STREAM,
        deposit: units(100),
        collateral: units(102),
        end_height: Height(400),
    }
}

fn promise(target: u8, cum: u128) -> Promise {
    let pool = terms().id(CHAIN);
    let (target, cum) = (Address([target; 20]), units(cum));
    let body = Voucher { pool, resource: STREAM, target, seq: 1, cum, ticks: None };
    Signed::new(&key(7), CHAIN, body).into()
}

fn stated(promises: Vec<Promise>) -> Stated {
    let state = terms().open(&PoolRules::for_chain(4, 8), Height(1)).unwrap();
    let rows = vec![PaidState::default(); promises.len()].try_into().unwrap();
    let promises = promises.try_into().unwrap();
    let overdraft = Overdraft { pool: terms().id(CHAIN), promises };
    Stated { nonce: 9, state, rows, overdraft }
}

fn check(stated: Stated) -> Result<Finding, CheckError> {
    let file = File { chain: CHAIN, exhibit: Exhibit::Overdraft(Box::new(stated)) };
    let read = File::from_bytes(&file.to_bytes()).unwrap();
    assert_eq!(read, file);
    read.check(None)
}

fn two_votes(n: u8) -> Evidence {
    let vote = |block: u8| Vote {
        validators_hash: Hash([1; 32]),
        height: Height(5),
        block: BlockId(Hash([block; 32])),
    };
    Evidence::Votes(Box::new([1, 2].map(|block| Signed::new(&key(n), CHAIN, vote(block)))))
}

fn accused(chain: ChainId, evidence: Evidence, offenders: Vec<Offender>) -> File {
    let seen = Seen { evidence, offenders: offenders.try_into().unwrap() };
    File { chain, exhibit: Exhibit::Offence(Box::new(seen)) }
}

#[test]
fn an_overdraft_is_found_with_what_it_comes_to() {
    let ladder = &mut Ladder::new(&key(7), CHAIN, (&terms().id(CHAIN), &Address([5; 20]), 1), 8);
    let mut ticked = promise(5, 20);
    let ticks = Ticks { anchor: ladder.anchor(), price: units(10), length: 8 };
    let body = Voucher { ticks: Some(ticks), ..ticked.voucher.body };
    ticked.voucher = Signed::new(&key(7), CHAIN, body);
    ticked.tick = Some(Tick { count: 3, preimage: ladder.preimage(3).unwrap() });
    let expected = Finding::Overdraft {
        pool: terms().id(CHAIN),
        creator: Address::of(&key(7).public()),
        targets: 2,
        promised: units(110),
        deposit: units(100),
    };
    assert_eq!(check(stated(vec![promise(4, 60), ticked.clone()])), Ok(expected));
    ticked.tick = ticked.tick.map(|tick| Tick { count: 4, ..tick });
    let forged = check(stated(vec![promise(4, 60), ticked])).unwrap_err();
    assert_eq!(forged.code(), "overdraft/unproven");
}

#[test]
fn what_is_no_overdraft_is_refused_by_name() {
    let pair = || vec![promise(4, 60), promise(5, 60)];
    assert!(check(stated(pair())).is_ok());
    let code = |stated| check(stated).unwrap_err().code();
    assert_eq!(code(stated(vec![promise(4, 60), promise(5, 40)])), "overdraft/covered");
    assert_eq!(code(stated(vec![promise(5, 60), promise(4, 60)])), "overdraft/bad-promises");
    assert_eq!(code(Stated { nonce: 8, ..stated(pair()) }), "evidence/wrong-pool");
    let mut closed = stated(pair());
    closed.state.status = PoolStatus::Closed;
    assert_eq!(code(closed), "evidence/wrong-pool");
    let mut framed = stated(pair());
    framed.state.creator = key(8).public();
    assert_eq!(code(framed), "evidence/wrong-pool", "another pool has another creator");
    let mut forged = pair();
    forged[1].voucher.body.cum = units(70);
    assert_eq!(code(stated(forged)), "overdraft/unproven");
    let file = File {
        chain: ChainId(Hash([2; 32])),
        exhibit: Exhibit::Overdraft(Box::new(stated(pair()))),
    };
    assert_eq!(file.check(None).unwrap_err().code(), "evidence/wrong-pool", "of another chain");
}

#[test]
fn offences_are_found_and_nobody_innocent_is_accused() {
    let guilty = Offender::Validator(key(1).public());
    let innocent = Offender::Validator(key(2).public());
    let found = accused(CHAIN, two_votes(1), vec![guilty]).check(None).unwrap();
    let shown = Shown { offence: Offence::TwoVotes, height: Height(5) };
    assert_eq!(found, Finding::Offence(shown, vec![guilty]));
    let code = |offenders| accused(CHAIN, two_votes(1), offenders).check(None).unwrap_err().code();
    assert_eq!(code(vec![innocent]), "offence/bad-signature");
    assert_eq!(code(vec![guilty, innocent]), "offence/bad-signature");
    assert_eq!(code(vec![]), "evidence/no-offender");
    let guardian = BlsSecretKey::from_seed(&[7; 32]).unwrap().public();
    assert_eq!(code(vec![Offender::Guardian(guardian)]), "offence/no-validator");
    let elsewhere = accused(ChainId(Hash([2; 32])), two_votes(1), vec![guilty]);
    assert_eq!(elsewhere.check(None).unwrap_err().code(), "offence/bad-signature");
}

#[test]
fn checkpoints_are_compared_with_the_chain_file_only() {
    let spec = crate::ledger::tests::chain::spec();
    assert!(genesis(&spec).is_ok());
    let (chain, guardian) = (spec.chain_id(), BlsSecretKey::from_seed(&[7; 32]).unwrap());
    let share = |block: u8| {
        let (guardians_hash, height) = (Hash([1; 32]), Height(spec.checkpoint_interval));
        let vote = FinalityVote { guardians_hash, height, block: BlockId(Hash([block; 32])) };
        let signature = guardian.sign(vote.digest(chain));
        Vouched::Share(SignedShare { vote, signature })
    };
    let branches = Branches { vouched: [share(1), share(2)], headers: Bounded::default() };
    let evidence = Evidence::Checkpoints(Box::new(branches));
    let file = accused(chain, evidence, vec![Offender::Guardian(guardian.public())]);
    assert_eq!(file.check(None), Err(CheckError::NeedsChain));
    let Ok(Finding::Offence(shown, _)) = file.check(Some(&spec)) else { panic!() };
    assert_eq!(shown.offence, Offence::TwoShares);
    let other = File { chain: CHAIN, ..file };
    assert_eq!(other.check(Some(&spec)).unwrap_err().code(), "evidence/other-chain");
}

#[test]
fn files_that_are_cut_longer_or_something_else_are_refused() {
    let file = accused(CHAIN, two_votes(1), vec![Offender::Validator(key(1).public())]);
    let bytes = file.to_bytes();
    for cut in 0..bytes.len() {
        let error = File::from_bytes(&bytes[..cut]).unwrap_err();
        let expected =
            if cut < BEGINNING.len() { "evidence/not-evidence" } else { "codec/truncated" };
        assert_eq!(error.code(), expected);
    }
    let long = [&bytes[..], &[0]].concat();
    assert_eq!(File::from_bytes(&long).unwrap_err().code(), "codec/trailing");
    let huge = [&bytes[..], &vec![0; MAX_FILE]].concat();
    assert_eq!(File::from_bytes(&huge).unwrap_err().code(), "codec/over-limit");
    for at in 0..bytes.len() {
        let mut spoilt = bytes.clone();
        spoilt[at] ^= 1;
        if let Ok(read) = File::from_bytes(&spoilt) {
            assert!(read.check(None).is_err(), "byte {at} may be another");
        }
    }
}

/// What a page writes by `antiphon_core` is what the command reads.
#[test]
fn two_words_of_a_field_are_found_and_the_file_is_the_one_that_a_member_writes() {
    use antiphon_core::{
        crypto::{Hash, Signed},
        id::FieldId,
        payment::field::{FieldEvidence, FieldFile, Receipt},
    };
    let chain = ChainId(Hash([7; 32]));
    let file = |index: [u32; 2]| {
        let word = |at: usize| {
            let payment = Hash([u8::try_from(at).unwrap(); 32]);
            let field = FieldId(Hash([2; 32]));
            let body = Receipt { field, version: 1, round: 5, index: index[at], payment };
            Signed::new(&key(1), chain, body)
        };
        let pair = Box::new([word(0), word(1)]);
        FieldFile { chain, evidence: FieldEvidence::Receipts { key: key(1).public(), pair } }
    };
    let bytes = file([3, 3]).to_bytes();
    let read = File::from_bytes(&bytes).unwrap();
    assert_eq!(read.to_bytes(), bytes);
    let Finding::Field(kind, shown) = read.check(None).unwrap() else { panic!("another finding") };
    assert_eq!((kind, shown.round, shown.keys), ("two-receipts", 5, vec![key(1).public()]));
    let honest = File::from_bytes(&file([3, 4]).to_bytes()).unwrap();
    assert_eq!(honest.check(None).map_err(|error| error.code()), Err("field/no-contradiction"));
}
