//! Both forms of finality certificates, and what is refused of them. ADVERSARIAL case 11.

use super::*;
use crate::{
    chain::set::Guardian,
    codec::{DecodeError, decode, encode},
    crypto::bls::{BlsError, BlsSecretKey},
};
use alloc::vec;
use blst::{MultiPoint as _, min_pk};

const CHAIN: ChainId = ChainId(Hash([7; 32]));

struct World {
    keys: Vec<BlsSecretKey>,
    set: GuardianSet,
}

impl World {
    fn new(count: u8) -> Self {
        let mut keys: Vec<_> =
            (1..=count).map(|n| BlsSecretKey::from_seed(&[n; 32]).unwrap()).collect();
        keys.sort_by_key(BlsSecretKey::public);
        let public: Vec<_> = keys.iter().map(BlsSecretKey::public).collect();
        let members: Vec<_> = public.iter().map(|key| Guardian { key: *key, weight: 1 }).collect();
        let aggregate = BlsPublicKey::aggregate(&public).unwrap();
        let members = Bounded::try_from(members).unwrap();
        Self { keys, set: GuardianSet { since: Height(0), members, aggregate } }
    }

    fn vote(&self) -> FinalityVote {
        let block = BlockId(Hash([5; 32]));
        FinalityVote { guardians_hash: self.set.hash(CHAIN), height: Height(10), block }
    }

    /// The sum in which each signature is as often as `counts` says.
    fn sum(&self, counts: &[u32]) -> BlsSignature {
        let digest = self.vote().digest(CHAIN);
        let mut points = Vec::new();
        let mut scalars = Vec::new();
        for (key, count) in self.keys.iter().zip(counts).filter(|(_, count)| **count > 0) {
            points.push(min_pk::Signature::uncompress(&key.sign(digest).0).unwrap());
            scalars.extend(count.to_le_bytes());
        }
        BlsSignature(points.as_slice().mult(&scalars, 32).to_signature().compress())
    }

    fn certificate(&self, signers: Signers, signature: BlsSignature) -> FinalityCertificate {
        let FinalityVote { height, block, .. } = self.vote();
        FinalityCertificate { height, block, signers, signature }
    }

    fn counted(&self, counts: &[u32], signature: BlsSignature) -> FinalityCertificate {
        self.certificate(Signers::Counts(Counts::new(counts.to_vec()).unwrap()), signature)
    }

    fn verdict(&self, certificate: &FinalityCertificate) -> Result<(), CertificateError> {
        certificate.verify(CHAIN, &self.set)
    }
}

#[test]
fn both_forms_count_by_the_same_rule() {
    let world = World::new(7);
    for (signed, verdict) in [
        (vec![0, 1, 2, 3, 4, 5, 6], Ok(())),
        (vec![0, 2, 3, 4, 6], Ok(())),
        (vec![1, 3, 4, 6], Err(CertificateError::BelowQuorum { weight: 4, quorum: 5 })),
        (vec![], Err(CertificateError::BelowQuorum { weight: 0, quorum: 5 })),
    ] {
        let mut counts = vec![0; 7];
        signed.iter().for_each(|at: &usize| counts[*at] = 1);
        let sum = if signed.is_empty() { BlsSignature([0; 96]) } else { world.sum(&counts) };
        let bitmap = Signers::bitmap(7, signed.clone()).unwrap();
        assert_eq!(world.verdict(&world.certificate(bitmap, sum)), verdict, "{signed:?}");
        assert_eq!(world.verdict(&world.counted(&counts, sum)), verdict, "{signed:?}");
        let often: Vec<u32> = counts.iter().zip(1..).map(|(one, n)| one * n * 90_001).collect();
        let sum = if signed.is_empty() { sum } else { world.sum(&often) };
        assert_eq!(world.verdict(&world.counted(&often, sum)), verdict, "{signed:?}");
    }
}

#[test]
fn counts_that_no_gossip_gives_are_refused_and_never_counted() {
    let world = World::new(7);
    let honest = [1, 2, 81, 0, 6561, 1, 9];
    let sum = world.sum(&honest);
    assert_eq!(world.verdict(&world.counted(&honest, sum)), Ok(()));
    let with = |at: usize, count: u32| {
        let mut counts = honest;
        counts[at] = count;
        world.verdict(&world.counted(&counts, sum))
    };
    let greatest = max_count(MAX_ROUND + 1);
    assert_eq!(with(3, greatest + 1), Err(CertificateError::OverCount));
    // No 32 bits are a multiple of the group's order, so what stands for the order is only a wrong count (A2.3a).
    assert_eq!(with(3, u32::MAX), Err(CertificateError::OverCount));
    assert_eq!(with(3, 1), Err(CertificateError::BadSignature), "who did not sign");
    assert_eq!(with(3, 1 << 31), Err(CertificateError::BadSignature));
    assert_eq!(with(0, 0), Err(CertificateError::BadSignature), "who signed");
    let swapped = [2, 1, 81, 0, 6561, 1, 9];
    assert_eq!(world.verdict(&world.counted(&swapped, sum)), Err(CertificateError::BadSignature));
    for length in [0, 6, 8] {
        let counts = vec![1; length];
        let verdict = world.verdict(&world.counted(&counts, sum));
        assert_eq!(verdict, Err(CertificateError::UnknownSigner), "{length}");
    }
    let none = world.verdict(&world.counted(&[0; 7], sum));
    assert_eq!(none, Err(CertificateError::BelowQuorum { weight: 0, quorum: 5 }));
    // The greatest count of all is no flaw by itself.
    let most = [greatest; 7];
    assert_eq!(world.verdict(&world.counted(&most, world.sum(&most))), Ok(()));
}

#[test]
fn a_signature_that_is_the_identity_or_outside_the_subgroup_finalises_nothing() {
    let world = World::new(4);
    let mut identity = [0; 96];
    identity[0] = 0xC0;
    // A point of the curve that is not in the subgroup: the first abscissa that has one.
    let outside = (1_u8..=255).find_map(|x| {
        let mut bytes = [0; 96];
        (bytes[0], bytes[95]) = (0x80, x);
        let point = min_pk::Signature::uncompress(&bytes).ok()?;
        point.validate(true).is_err().then_some(bytes)
    });
    for bytes in [identity, outside.unwrap()] {
        for signers in [
            Signers::bitmap(4, 0..4).unwrap(),
            Signers::bitmap(4, 0..3).unwrap(),
            Signers::Counts(Counts::new(vec![1, 2, 3, 0]).unwrap()),
        ] {
            let lie = world.certificate(signers, BlsSignature(bytes));
            assert_eq!(world.verdict(&lie), Err(CertificateError::BadSignature));
        }
    }
}

/// Two keys of one owner that cancel each other vouch for nobody else (A2.14).
#[test]
fn keys_that_cancel_each_other_finalise_nothing() {
    let key = BlsSecretKey::from_seed(&[1; 32]).unwrap().public();
    let mut negative = min_pk::PublicKey::deserialize(&key.0).unwrap().compress();
    negative[0] ^= 0x20;
    let negative = BlsPublicKey(min_pk::PublicKey::uncompress(&negative).unwrap().serialize());
    let share = BlsSecretKey::from_seed(&[2; 32]).unwrap().sign(Hash([3; 32]));
    for count in [1, 2, 1000] {
        let sum = BlsPublicKey::weighted([(&key, count), (&negative, count)]).unwrap();
        assert_eq!(sum.verify(Hash([3; 32]), &share), Err(BlsError::BadPoint), "{count}");
    }
    let whole = BlsPublicKey::aggregate([&key, &negative]).unwrap();
    assert_eq!(whole.without([&key]).map(|_| ()), Err(BlsError::BadPoint));
}

#[test]
fn sums_of_keys_are_the_same_by_every_way() {
    let world = World::new(33);
    let keys: Vec<_> = world.set.members.iter().map(|member| member.key).collect();
    let slowly = |counts: &[u32]| {
        let each = keys.iter().zip(counts);
        let all = each.flat_map(|(key, count)| core::iter::repeat_n(key, *count as usize));
        let points: Vec<_> = all.map(|k| min_pk::PublicKey::deserialize(&k.0).unwrap()).collect();
        let points: Vec<_> = points.iter().collect();
        let sum = min_pk::AggregatePublicKey::aggregate(&points, false).unwrap();
        BlsPublicKey(sum.to_public_key().serialize())
    };
    for greatest in [1, 2, 3, 7, 15, 40] {
        for members in [1, 2, 31, 32, 33] {
            let counts: Vec<u32> =
                (0..members).map(|at| (at * 7 + members) % (greatest + 1)).collect();
            if counts.iter().all(|count| *count == 0) {
                continue;
            }
            let quickly = BlsPublicKey::weighted(keys.iter().zip(counts.iter().copied()));
            assert_eq!(quickly, Ok(slowly(&counts)), "{members} members, up to {greatest}");
        }
    }
    for missing in [0, 1, 16, 32] {
        let rest = world.set.aggregate.without(&keys[..missing]);
        assert_eq!(rest, BlsPublicKey::aggregate(&keys[missing..]), "{missing}");
    }
}

#[test]
fn counts_have_one_encoding_each_and_bounds() {
    for (counts, length) in [
        (vec![], 3),
        (vec![0; 9], 3 + 2),
        (vec![1; 2000], 3 + 250),
        (vec![1, 2, 3], 3 + 1),
        (vec![511, 0, 7], 3 + 4),
        (vec![u32::MAX; MAX_GUARDIANS], 3 + 4 * MAX_GUARDIANS),
    ] {
        let value = Counts::new(counts).unwrap();
        let bytes = encode(&value);
        assert_eq!(bytes.len(), length);
        assert_eq!(decode::<Counts>(&bytes, MAX_FINALITY), Ok(value));
        for cut in [0, 1, 2, bytes.len() - 1] {
            let short = decode::<Counts>(&bytes[..cut], MAX_FINALITY);
            assert_eq!(short, Err(DecodeError::Truncated), "{cut} of {length}");
        }
    }
    let refused = |bytes: &[u8]| decode::<Counts>(bytes, MAX_FINALITY).unwrap_err();
    assert_eq!(refused(&[3, 0, 2, 0b0011_1001, 0]), DecodeError::Trailing);
    assert_eq!(refused(&[3, 0, 2, 0b0111_1001]), DecodeError::NonCanonical, "a spare bit");
    assert_eq!(refused(&[3, 0, 2, 0b0001_0001]), DecodeError::NonCanonical, "too wide");
    assert_eq!(refused(&[3, 0, 0]), DecodeError::NonCanonical);
    assert_eq!(refused(&[3, 0, 33, 0, 0, 0]), DecodeError::NonCanonical);
    assert_eq!(refused(&[1, 20, 1]), DecodeError::OverLimit, "5121 of them");
    assert!(
        encode(&Signers::Counts(Counts::new(vec![u32::MAX; MAX_GUARDIANS]).unwrap())).len()
            < MAX_FINALITY
    );
}

#[test]
fn counts_add_up_within_their_bounds() {
    assert_eq!((max_count(1), max_count(2), max_count(3)), (1, 9, 81));
    assert!(max_count(MAX_ROUND) <= 1 << 31 && max_count(MAX_ROUND + 1) < u32::MAX);
    let add = |a: &[u32], b: &[u32]| {
        Counts::new(a.to_vec()).unwrap().checked_add(&Counts::new(b.to_vec()).unwrap())
    };
    assert_eq!(add(&[1, 0], &[2, 3]).as_deref(), Some(&[3, 3][..]));
    assert_eq!(add(&[1], &[u32::MAX]), None, "nothing wraps");
    assert_eq!(add(&[1, 0], &[2]), None);
}
