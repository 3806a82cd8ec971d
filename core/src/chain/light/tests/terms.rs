//! The validators change at a checkpoint, and a client follows term by term. PROTOCOL A7.4, A1.18, A1.22; ADVERSARIAL
//! cases 2, 10.

use super::{super::*, World, drain, heights, run};
use crate::{
    chain::{
        Level,
        certificate::{Certificate, CertificateError},
        set::Validator,
    },
    codec::{Bounded, encode},
    crypto::SecretKey,
    id::Height,
};

/// A chain whose checkpoint at height 10 elects others.
struct Terms {
    /// Up to the checkpoint, then the blocks that close the term.
    old: World,
    /// The same up to the checkpoint, then blocks of the next term, signed by others.
    new: World,
    elected: ValidatorSet,
}

/// Returns the block that comes next, with the sets that it has and commits.
fn next(world: &World, acting: Hash, next: Hash, certificate: Certificate) -> Header {
    let mut header = world.next_header();
    (header.validators_hash, header.next_validators_hash) = (acting, next);
    header.hcc = certificate;
    header
}

fn certified(world: &World) -> Certificate {
    world.certify(world.headers.last().unwrap(), &[0, 1, 2])
}

impl Terms {
    fn new(closing: usize, above: usize) -> Self {
        let mut old = World::new(9);
        let mut keys: Vec<_> = (21..=24).map(|i| SecretKey::from_bytes(&[i; 32])).collect();
        keys.sort_by_key(SecretKey::public);
        let members = keys.iter().map(|key| Validator { key: key.public(), weight: 1 });
        let members = Bounded::try_from(members.collect::<Vec<_>>()).unwrap();
        let elected = ValidatorSet { since: Height(10), members };
        let (a, b) = (old.spec.validators.hash(old.chain()), elected.hash(old.chain()));
        old.headers.push(next(&old, a, b, certified(&old)));
        let mut new = old.copy();
        for _ in 0..closing {
            old.headers.push(next(&old, a, b, certified(&old)));
        }
        new.validators = keys;
        let checkpoint = new.header(10).clone();
        let mut certificate = Certificate {
            block: checkpoint.id(),
            height: checkpoint.height,
            signatures: Bounded::new(),
        };
        for _ in 0..above {
            new.headers.push(next(&new, b, b, certificate));
            certificate = certified(&new);
        }
        Self { old, new, elected }
    }

    fn serve(&self, world: &World, file: &File, final_height: usize) -> Vec<u8> {
        match file {
            File::Validators(hash) if *hash == self.elected.hash(world.chain()) => {
                encode(&self.elected)
            }
            other => world.honest(other, final_height),
        }
    }
}

#[test]
fn blocks_that_close_a_term_settle_its_last_checkpoint_and_nothing_above() {
    for (closing, settled) in [(2, 10), (3, 10), (4, 10)] {
        let terms = Terms::new(closing, 0);
        // The tip certifies the last but one: with two closing blocks, the first.
        let (light, refused) = run(&terms.old, |file| terms.serve(&terms.old, file, 0));
        let top = 10 + closing as u64;
        assert_eq!((refused, heights(&light)), (Vec::new(), [Some(top), Some(settled), None]));
    }
}

#[test]
fn an_honest_tip_across_an_election_is_no_lie_and_settles_nothing_beyond_it() {
    let terms = Terms::new(0, 6);
    let (light, refused) = run(&terms.new, |file| terms.serve(&terms.new, file, 0));
    // Within the term, the checkpoint carries the certificate of its parent, which settles the block before.
    assert_eq!((refused, heights(&light)), (Vec::new(), [Some(16), Some(8), None]));
}

#[test]
fn when_the_checkpoint_is_final_the_next_term_settles() {
    let terms = Terms::new(0, 6);
    let (mut light, _) = run(&terms.new, |file| terms.serve(&terms.new, file, 0));
    let (mut out, mut refused) = (Vec::new(), Vec::new());
    let now = light.deadline().unwrap();
    light.handle(now, super::NOW, Input::Tick, &mut out);
    drain(&mut light, &mut out, &mut refused, |file| terms.serve(&terms.new, file, 10));
    assert_eq!((refused, heights(&light)), (Vec::new(), [Some(16), Some(14), Some(10)]));
}

#[test]
fn whoever_changes_the_validators_without_an_election_is_refused() {
    let wrong: LightError = CertificateError::WrongSet.into();
    let refusals = |world: &World, terms: &Terms| {
        let (light, refused) = run(world, |file| terms.serve(world, file, 0));
        assert!(!refused.is_empty() && refused.iter().all(|e| *e == wrong), "{refused:?}");
        assert_eq!(light.head(Level::Settled), None);
    };
    // Another set in the middle of a term, with its own certificates.
    let mut terms = Terms::new(0, 0);
    let b = terms.elected.hash(terms.new.chain());
    terms.new.headers.truncate(5);
    for _ in 0..4 {
        let certificate = certified(&terms.new);
        terms.new.headers.push(next(&terms.new, b, b, certificate));
    }
    refusals(&terms.new, &terms);
    // An election where no checkpoint is.
    let mut terms = Terms::new(0, 0);
    let a = terms.old.spec.validators.hash(terms.old.chain());
    terms.old.headers.truncate(5);
    for _ in 0..4 {
        let certificate = certified(&terms.old);
        terms.old.headers.push(next(&terms.old, a, b, certificate));
    }
    refusals(&terms.old, &terms);
    // The next term in the hands of a set that the checkpoint does not elect.
    let mut terms = Terms::new(0, 1);
    let last = terms.new.headers.last_mut().unwrap();
    (last.validators_hash, last.next_validators_hash) = (Hash([7; 32]), Hash([7; 32]));
    terms.new.headers.push(next(&terms.new, Hash([7; 32]), Hash([7; 32]), Certificate::genesis()));
    refusals(&terms.new, &terms);
    // A closing block that elects somebody else.
    let mut terms = Terms::new(2, 0);
    terms.old.headers.truncate(11);
    terms.old.headers[10].next_validators_hash = Hash([7; 32]);
    let certificate = certified(&terms.old);
    terms.old.headers.push(next(&terms.old, a, Hash([7; 32]), certificate));
    refusals(&terms.old, &terms);
}

#[test]
fn ex_validators_settle_nothing_above_a_final_checkpoint_that_ended_their_term() {
    let terms = Terms::new(4, 0);
    let (light, refused) = run(&terms.old, |file| terms.serve(&terms.old, file, 10));
    let wrong: LightError = CertificateError::WrongSet.into();
    assert!(refused.contains(&wrong), "{refused:?}");
    assert_eq!(heights(&light), [Some(10), Some(10), Some(10)]);
}

#[test]
fn a_certificate_of_the_next_term_that_is_forged_moves_nothing() {
    let terms = Terms::new(0, 6);
    let mut tip = terms.new.tip(10);
    tip.certificate = terms.old.certify(terms.new.header(15), &[0, 1, 2]);
    let bytes = encode(&tip);
    let (light, refused) = run(&terms.new, |file| match file {
        File::Tip => bytes.clone(),
        other => terms.serve(&terms.new, other, 10),
    });
    assert!(refused.contains(&CertificateError::BadSignature.into()), "{refused:?}");
    assert_eq!(light.head(Level::Settled).map(|head| head.level), Some(Level::Final));
}
