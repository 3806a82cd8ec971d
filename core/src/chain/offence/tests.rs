use super::*;
use crate::{
    chain::{
        certificate::{Counts, FinalityCertificate, Signers},
        light::tests::{spec, test_keys},
    },
    codec::Bounded,
    crypto::{Hash, SecretKey, bls::BlsSecretKey},
    id::BlockId,
};
use alloc::{vec, vec::Vec};

/// A vote of `key` for a header at `height` that carries a certificate of height `seen`.
fn vote(key: &SecretKey, height: u64, seen: u64) -> VoteOnHeader {
    let (validators, guardians) = test_keys();
    let mut header = Header::genesis(&spec(&validators, &guardians), Hash([1; 32]));
    (header.height, header.hcc.height) = (Height(height), Height(seen));
    let body =
        Vote { validators_hash: header.validators_hash, height: header.height, block: header.id() };
    VoteOnHeader { vote: Signed::new(key, header.chain_id, body), header }
}

#[test]
fn a_vote_that_forgets_the_lock_is_an_offence_and_every_other_pair_is_none() {
    let (key, other) = (SecretKey::from_bytes(&[9; 32]), SecretKey::from_bytes(&[8; 32]));
    let guardian = BlsSecretKey::from_seed(&[7; 32]).unwrap().public();
    let public = key.public();
    let accused = Accused { validator: Some(&public), guardian: &guardian };
    let judge = |pair: [VoteOnHeader; 2]| {
        let known = Known { chain: pair[0].header.chain_id, interval: 10, guardians: None };
        Evidence::Unlocked(Box::new(pair)).judge(known, accused)
    };
    let shown = Shown { offence: Offence::Unlocked, height: Height(5) };
    assert_eq!(judge([vote(&key, 5, 4), vote(&key, 6, 3)]), Ok(shown));
    let locked = [vote(&key, 5, 4), vote(&key, 6, 4)];
    assert_eq!(judge(locked), Err(EvidenceError::Locked));
    let not_above = [vote(&key, 5, 4), vote(&key, 5, 3)];
    assert_eq!(judge(not_above), Err(EvidenceError::Apart));
    let forged = [vote(&key, 5, 4), vote(&other, 6, 3)];
    assert_eq!(judge(forged), Err(EvidenceError::BadSignature));
    let mut swapped = [vote(&key, 5, 4), vote(&key, 6, 4)];
    swapped[1].header.hcc.height = Height(3);
    assert_eq!(judge(swapped), Err(EvidenceError::WrongHeader));
}

/// Seven guardians, and headers on branches.
struct World {
    keys: Vec<BlsSecretKey>,
    set: GuardianSet,
    chain: ChainId,
}

impl World {
    fn new() -> Self {
        let (validators, mut keys) = test_keys();
        let spec = spec(&validators, &keys);
        keys.sort_by_key(BlsSecretKey::public);
        Self { keys, chain: spec.chain_id(), set: spec.guardians }
    }

    /// The checkpoint at a height, above another one; the branch tells it from others.
    fn header(&self, height: u64, branch: u8, below: BlockId) -> Header {
        let (validators, guardians) = test_keys();
        let mut header = Header::genesis(&spec(&validators, &guardians), Hash([branch; 32]));
        (header.height, header.cp_link) = (Height(height), below);
        header
    }

    fn vote(&self, header: &Header) -> FinalityVote {
        let guardians_hash = self.set.hash(self.chain);
        FinalityVote { guardians_hash, height: header.height, block: header.id() }
    }

    fn share(&self, place: usize, header: &Header) -> Vouched {
        let vote = self.vote(header);
        let signature = self.keys[place].sign(vote.digest(self.chain));
        Vouched::Share(SignedShare { vote, signature })
    }

    fn certificate(&self, places: &[usize], counted: bool, header: &Header) -> FinalityCertificate {
        let FinalityVote { height, block, .. } = self.vote(header);
        let digest = self.vote(header).digest(self.chain);
        let shares: Vec<_> = places.iter().map(|place| self.keys[*place].sign(digest)).collect();
        let signature = BlsSignature::aggregate(&shares).unwrap();
        let counts = (0..7).map(|at| u32::from(places.contains(&at))).collect();
        let signers = if counted {
            Signers::Counts(Counts::new(counts).unwrap())
        } else {
            Signers::bitmap(7, places.iter().copied()).unwrap()
        };
        FinalityCertificate { height, block, signers, signature }
    }

    fn sum(&self, places: &[usize], counted: bool, header: &Header) -> Vouched {
        let certificate = self.certificate(places, counted, header);
        if counted {
            Vouched::CurrentSum(certificate)
        } else {
            Vouched::Sum(certificate, Box::new(self.set.clone()))
        }
    }

    fn judge(
        &self,
        place: usize,
        vouched: [Vouched; 2],
        headers: &[Header],
    ) -> Result<Offence, EvidenceError> {
        let key = self.keys[place].public();
        let accused = Accused { validator: None, guardian: &key };
        let headers = Bounded::try_from(headers.to_vec()).unwrap();
        let known = Known { chain: self.chain, interval: 10, guardians: Some(&self.set) };
        let evidence = Evidence::Checkpoints(Box::new(Branches { vouched, headers }));
        evidence.judge(known, accused).map(|shown| shown.offence)
    }
}

/// ADVERSARIAL case 15: of two certificates, whoever signed both is guilty, and nobody else.
#[test]
fn of_two_sums_the_guilty_are_those_in_both_and_nobody_else() {
    let world = World::new();
    let none = BlockId::default();
    let (one, other) = (world.header(20, 1, none), world.header(20, 2, none));
    let (first, second) = ([0, 1, 2, 3, 4], [2, 3, 4, 5, 6]);
    for counted in [false, true] {
        for place in 0..7 {
            let pair = [world.sum(&first, counted, &one), world.sum(&second, !counted, &other)];
            let verdict = world.judge(place, pair, &[]);
            let guilty = first.contains(&place) && second.contains(&place);
            let expected =
                if guilty { Ok(Offence::TwoShares) } else { Err(EvidenceError::BadSignature) };
            assert_eq!(verdict, expected, "guardian {place}");
        }
    }
    // A share beside a sum shows the same.
    let pair = |place| [world.share(place, &one), world.sum(&second, true, &other)];
    assert_eq!(world.judge(2, pair(2), &[]), Ok(Offence::TwoShares));
    assert_eq!(world.judge(0, pair(0), &[]), Err(EvidenceError::BadSignature));
    assert_eq!(world.judge(3, pair(2), &[]), Err(EvidenceError::BadSignature), "of another");
    let same = [world.sum(&first, true, &one), world.sum(&second, true, &one)];
    assert_eq!(world.judge(2, same, &[]), Err(EvidenceError::Same));
    let padded = [world.sum(&first, true, &one), world.sum(&second, true, &other)];
    assert_eq!(
        world.judge(2, padded, core::slice::from_ref(&one)),
        Err(EvidenceError::WrongHeader)
    );
}

/// CometBFT #1749: what is not verified to the end names innocents.
#[test]
fn a_sum_that_does_not_verify_or_a_set_of_ones_own_frames_nobody() {
    let world = World::new();
    let none = BlockId::default();
    let (one, other) = (world.header(20, 1, none), world.header(20, 2, none));
    let mut bogus = world.certificate(&[2, 3, 4, 5, 6], true, &other);
    bogus.signers = Signers::Counts(Counts::new(vec![1; 7]).unwrap());
    let pair = [world.sum(&[0, 1, 2], true, &one), Vouched::CurrentSum(bogus)];
    assert_eq!(world.judge(0, pair, &[]), Err(EvidenceError::BadSignature));
    // A set with registered keys whose sum is the attacker's own key: the bitmap form would take the sum at its word.
    let mine = BlsSecretKey::from_seed(&[99; 32]).unwrap();
    let rogue = GuardianSet { aggregate: mine.public(), ..world.set.clone() };
    let frame = |header: &Header| {
        let (height, block) = (header.height, header.id());
        let vote = FinalityVote { guardians_hash: rogue.hash(world.chain), height, block };
        let signature = mine.sign(vote.digest(world.chain));
        let signers = Signers::bitmap(7, 0..7).unwrap();
        let certificate = FinalityCertificate { height, block, signers, signature };
        assert_eq!(certificate.verify(world.chain, &rogue), Ok(()), "it looks like one");
        Vouched::Sum(certificate, Box::new(rogue.clone()))
    };
    assert_eq!(world.judge(3, [frame(&one), frame(&other)], &[]), Err(EvidenceError::WrongSet));
}

#[test]
fn a_checkpoint_on_another_branch_is_an_offence_and_a_descendant_is_none() {
    let world = World::new();
    let ten = world.header(10, 1, BlockId::default());
    let twenty = world.header(20, 1, ten.id());
    let thirty = world.header(30, 1, twenty.id());
    let fork = world.header(20, 2, BlockId(Hash([9; 32])));
    let above = world.header(30, 2, fork.id());
    let all = [0, 1, 2, 3, 4];
    let vouch =
        |lower: &Header, higher: &Header| [world.share(1, lower), world.sum(&all, true, higher)];
    let links = [above.clone(), fork.clone()];
    assert_eq!(world.judge(1, vouch(&ten, &above), &links), Ok(Offence::OtherBranch));
    assert_eq!(world.judge(6, vouch(&ten, &above), &links), Err(EvidenceError::BadSignature));
    let honest = [thirty.clone(), twenty.clone()];
    assert_eq!(world.judge(1, vouch(&ten, &thirty), &honest), Err(EvidenceError::Descends));
    let near = world.judge(1, vouch(&twenty, &thirty), &honest[..1]);
    assert_eq!(near, Err(EvidenceError::Descends));
    for (headers, error) in [
        (vec![], EvidenceError::Apart),
        (vec![above.clone()], EvidenceError::Apart),
        (vec![above.clone(), fork, ten.clone()], EvidenceError::WrongHeader),
        (vec![above.clone(), twenty], EvidenceError::WrongHeader),
        (honest.to_vec(), EvidenceError::WrongHeader),
    ] {
        assert_eq!(world.judge(1, vouch(&ten, &above), &headers), Err(error));
    }
    let backwards = [world.share(1, &above), world.share(1, &ten)];
    assert!(world.judge(1, backwards, &links).is_err());
    // A header of another's making between them is not what the guardian signed.
    let mut forged = links;
    forged[1].cp_link = BlockId(Hash([7; 32]));
    assert_eq!(world.judge(1, vouch(&ten, &above), &forged), Err(EvidenceError::WrongHeader));
}
