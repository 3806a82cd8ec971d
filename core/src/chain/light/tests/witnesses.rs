//! A second operator sees the same chain, or another. PROTOCOL A7.5, A2.18; AELF-28; ADVERSARIAL case 27.

use super::{
    super::*,
    config,
    line::{Host, Line, T},
};
use crate::{chain::certificate::CertificateError, codec::encode, id::Height};

const WITNESS: Source = Source(1);

fn witnessed(line: &Line) -> Config {
    Config { witnesses: 1, ..config(line.chain()) }
}

/// One checkpoint that both have, then one of which the guardians signed two, `signers` of them the second.
fn fork(signers: &[usize]) -> (Line, Line) {
    let mut ours = Line::new();
    ours.grow(None);
    let mut theirs = ours.clone();
    ours.grow(None);
    let mut header = theirs.header();
    header.state_root = Hash([66; 32]);
    theirs.grow(None);
    theirs.checkpoints[1] = theirs.next.finalise(&header, signers);
    (ours, theirs)
}

fn serve<'a>(ours: &'a Line, theirs: &'a Line) -> impl Fn(Source, &File) -> Option<Vec<u8>> + 'a {
    |source, file| if source == WITNESS { theirs.file(file) } else { ours.file(file) }
}

#[test]
fn without_a_witness_all_is_unwitnessed() {
    let mut line = Line::new();
    line.grow(None);
    let mut host = Host::of(&line);
    host.run(|_, file| line.file(file));
    assert_eq!((host.light.witnessed(), host.light.is_witnessed(Height(1))), (None, false));
}

#[test]
fn a_witness_that_has_the_checkpoint_witnesses_all_below_it() {
    let mut line = Line::new();
    for members in [None, Some(&[(101, 1)][..]), None] {
        line.grow(members);
    }
    let mut behind = line.clone();
    behind.checkpoints.truncate(1);
    let mut host = Host::new(witnessed(&line), Stored::default());
    host.run(serve(&line, &behind));
    assert_eq!((host.final_height(), host.light.witnessed()), (Some(3 * T), None));
    host.tick(serve(&line, &line)).tick(serve(&line, &line));
    assert_eq!(host.light.witnessed(), Some(Height(3 * T)));
    assert!(host.light.is_witnessed(Height(7)) && host.light.is_witnessed(Height(3 * T + 4)));
    line.grow(None);
    host.tick(serve(&line, &behind));
    assert_eq!(host.final_height(), Some(4 * T));
    assert!(!host.light.is_witnessed(Height(4 * T)), "the witness has not seen the newest");
    assert!(host.light.is_witnessed(Height(3 * T)));
    assert_eq!(host.refused, []);
}

#[test]
fn two_valid_conflicting_certificates_stop_the_client_for_good() {
    let (ours, theirs) = fork(&[0, 1, 2]);
    let mut host = Host::new(witnessed(&ours), Stored::default());
    host.run(serve(&ours, &theirs));
    assert_eq!(host.refused, [LightError::Split]);
    assert_eq!(host.light.standing(), Standing::Split);
    assert_eq!(host.light.deadline(), None);
    let mut grown = ours.clone();
    grown.grow(None);
    host.tick(|_, _| unreachable!("nothing is asked for"));
    // After a restart, too; only another anchor lets it go on.
    let mut again = Host::new(witnessed(&ours), host.stored.clone());
    again.run(serve(&grown, &grown));
    assert_eq!(again.light.standing(), Standing::Split);
    let anchor = Anchor::Checkpoint(grown.checkpoints[2].header.id());
    let mut saved = Host::new(Config { anchor, ..witnessed(&ours) }, host.stored.clone());
    saved.run(serve(&grown, &grown));
    assert_eq!((saved.light.standing(), saved.final_height()), (Standing::Good, Some(3 * T)));
}

#[test]
fn the_proof_of_a_split_names_who_signed_both_and_nobody_else() {
    let (ours, theirs) = fork(&[0, 1, 2]);
    let (chain, set) = (ours.chain(), ours.next.set.clone());
    let hash = set.hash(chain);
    let mut host = Host::new(witnessed(&ours), Stored::default());
    host.run(serve(&ours, &theirs));
    let file = host.light.fork().unwrap().to_bytes();
    let proof = ForkProof::from_bytes(&file).unwrap();
    assert_eq!(proof.verify(chain, hash).unwrap(), set.members.clone().into_vec());
    assert_eq!(proof.verify(chain, Hash([9; 32])), Err(ForkError::WrongSet));
    assert_eq!(proof.verify(ChainId(Hash([9; 32])), hash), Err(ForkError::WrongSet));
    let [one, other] = *proof.checkpoints;
    let forge = |pair: [Checkpoint; 2]| {
        ForkProof { checkpoints: pair.into(), guardians: set.clone() }.verify(chain, hash)
    };
    assert_eq!(forge([other.clone(), one.clone()]), Err(ForkError::NoConflict), "one order");
    assert_eq!(forge([one.clone(), one.clone()]), Err(ForkError::NoConflict), "one block");
    let mut first = ours.checkpoints[0].clone();
    let pair = [one.clone(), first.clone()];
    assert_eq!(forge(pair), Err(ForkError::NoConflict), "two heights");
    first.certificate = one.certificate.clone();
    assert_eq!(forge([one.clone(), first]), Err(ForkError::WrongBlock));
    let mut foreign = other.clone();
    foreign.header.chain_id = ChainId(Hash([9; 32]));
    assert_eq!(forge([one.clone(), foreign]), Err(ForkError::WrongChain));
    // An innocent whose bit is added: the certificate is void, and nobody is guilty.
    let weak = ours.next.finalise(&other.header, &[0, 1]);
    let below = CertificateError::BelowQuorum { weight: 4, quorum: 5 };
    assert_eq!(forge([one.clone(), weak.clone()]), Err(below.into()));
    let mut padded = weak;
    padded.certificate.signers = other.certificate.signers;
    assert_eq!(forge([one, padded]), Err(CertificateError::BadSignature.into()));
}

#[test]
fn the_file_of_a_split_has_one_encoding_and_a_bound() {
    let (ours, theirs) = fork(&[0, 1, 2]);
    let proof = ForkProof::new(
        ours.checkpoints[1].clone(),
        theirs.checkpoints[1].clone(),
        ours.next.set.clone(),
    );
    let file = proof.to_bytes();
    assert_eq!(ForkProof::from_bytes(&file), Ok(proof));
    for cut in 0..file.len() {
        assert_eq!(ForkProof::from_bytes(&file[..cut]), Err(codec::DecodeError::Truncated.into()));
    }
    let longer = [&file[..], &[0]].concat();
    assert_eq!(ForkProof::from_bytes(&longer), Err(codec::DecodeError::Trailing.into()));
    let huge = alloc::vec![0; MAX_FORK_PROOF + 1];
    assert_eq!(ForkProof::from_bytes(&huge), Err(codec::DecodeError::OverLimit.into()));
}

#[test]
fn a_witness_that_lies_splits_nothing_and_witnesses_nothing() {
    let (ours, weak) = fork(&[0, 1]);
    let mut host = Host::new(witnessed(&ours), Stored::default());
    host.run(serve(&ours, &weak));
    let below = CertificateError::BelowQuorum { weight: 4, quorum: 5 };
    assert_eq!(host.refused, [LightError::Witness(below.into())]);
    // A set of its own.
    let mut own = ours.clone();
    own.next = super::line::Keys::new(0, &[(66, 1)]);
    own.checkpoints.pop();
    own.grow(None);
    host.tick(serve(&ours, &own)).tick(serve(&ours, &own));
    assert!(host.refused.contains(&LightError::UnknownGuardians));
    assert_eq!((host.final_height(), host.light.standing()), (Some(2 * T), Standing::Good));
    assert_eq!(host.light.witnessed(), None);
    // It is asked again, ever more slowly, and believed when it is honest.
    host.tick(serve(&ours, &ours)).tick(serve(&ours, &ours)).tick(serve(&ours, &ours));
    assert_eq!(host.light.witnessed(), Some(Height(2 * T)));
}

#[test]
fn tips_that_name_other_blocks_where_ours_are_settled_raise_the_alarm() {
    let (ours, theirs) = fork(&[0, 1]);
    let mut host = Host::of(&ours);
    host.run(serve(&ours, &theirs));
    let strange = encode(&theirs.tip());
    for _ in 0..40 {
        host.tick(
            |_, file| {
                if *file == File::Tip { Some(strange.clone()) } else { ours.file(file) }
            },
        );
    }
    assert!(host.light.is_alarmed());
    assert_eq!(host.light.standing(), Standing::Good, "a hint stops nobody");
}
