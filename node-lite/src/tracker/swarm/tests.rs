use super::*;
use antiphon_core::{crypto::PublicKey, peer::tracker_wire::MAX_NEARBY};
use std::{
    collections::{BTreeSet, VecDeque},
    net::IpAddr,
};

#[test]
fn half_are_near_with_the_own_operator_first_and_half_are_random() {
    let mut swarm = Swarm::default();
    // Twenty cities three degrees apart, fifty listeners in each, of two operators; every listener in a prefix of its own.
    for n in 0..1000_u32 {
        let city = n / 50;
        swarm.insert(peer(n), member(n, far(n), place(f64::from(city) * 3.0, n % 2)));
    }
    let mut dice = Dice::new([1; 32]);
    let (mut near, mut own_operator, mut cities) = (0, 0, BTreeSet::new());
    for _ in 0..100 {
        let list = named(&swarm, 525, &mut dice);
        assert_eq!(list.len(), MAX_CANDIDATES);
        // Who asks lives in city 10 with operator 1; the first half is what was chosen for being near.
        let (first, rest) = list.split_at(MAX_NEAR);
        near += first.iter().filter(|n| (8..=12).contains(&(**n / 50))).count();
        own_operator += first.iter().filter(|n| **n % 2 == 1).count();
        assert!(first.iter().filter(|n| **n / 50 == 10).count() >= 2, "{first:?}");
        cities.extend(rest.iter().map(|n| n / 50));
    }
    assert_eq!(near, 100 * MAX_NEAR, "the nearest four or five cities");
    assert!(own_operator > 100 * MAX_NEAR * 9 / 10, "{own_operator}");
    assert_eq!(cities.len(), 20, "random ones come from everywhere");
}

#[test]
fn without_a_file_the_own_prefix_and_the_wide_one_are_near() {
    let mut swarm = Swarm::default();
    (0..2000).for_each(|n| swarm.insert(peer(n), member(n, far(n), Place::default())));
    for n in 0..20_u8 {
        let close = [[203, 0, 113, n], [203, 0, n, 1]].map(IpAddr::from);
        for (m, address) in close.into_iter().enumerate() {
            let n = 10_000 + 100 * u32::try_from(m).unwrap() + u32::from(n);
            swarm.insert(peer(n), member(n, address, Place::default()));
        }
    }
    let list = named(&swarm, 10_005, &mut Dice::new([1; 32]));
    let count = |of: std::ops::Range<u32>| list.iter().filter(|n| of.contains(n)).count();
    assert_eq!(count(10_000..10_100), MAX_PER_PREFIX);
    assert_eq!(count(10_000..10_200), MAX_PER_WIDE);
    assert_eq!(count(0..2000), MAX_CANDIDATES - MAX_PER_WIDE);
}

#[test]
fn a_flood_of_keys_from_few_prefixes_does_not_hide_the_others() {
    // Five thousand of one /24, then of one /16, then in the asker's own prefix; forty honest ones from everywhere.
    let floods: [fn(u32) -> IpAddr; 3] = [
        |n| IpAddr::from([198, 51, 100, n.to_le_bytes()[0]]),
        |n| IpAddr::from([198, 51, n.to_le_bytes()[0], n.to_le_bytes()[1]]),
        |n| IpAddr::from([10, 0, 0, n.to_le_bytes()[0]]),
    ];
    for (flood, most) in
        floods.into_iter().zip([MAX_PER_PREFIX, MAX_PER_WIDE, MAX_PER_PREFIX + MAX_OWN])
    {
        let mut swarm = Swarm::default();
        (0..40).for_each(|n| swarm.insert(peer(n), member(n, far(n), Place::default())));
        for n in 1000..6000 {
            swarm.insert(peer(n), member(n, flood(n), Place::default()));
        }
        let mut seen = BTreeSet::new();
        let mut dice = Dice::new([1; 32]);
        for _ in 0..20 {
            let list = named(&swarm, 0, &mut dice);
            let foes = list.iter().filter(|n| **n >= 1000).count();
            assert!(foes <= most, "{foes} of {most}");
            assert!(list.len() >= MAX_CANDIDATES - MAX_OWN, "{}", list.len());
            seen.extend(list.into_iter().filter(|n| *n < 1000));
        }
        assert_eq!(seen.len(), 39, "every honest one is met");
    }
}

#[test]
fn a_swarm_in_one_house_meets_itself() {
    let mut swarm = Swarm::default();
    let house = IpAddr::from([192, 0, 2, 1]);
    (0..100).for_each(|n| swarm.insert(peer(n), member(n, house, Place::default())));
    assert_eq!(named(&swarm, 5, &mut Dice::new([1; 32])).len(), MAX_OWN);
    let mut street = Swarm::default();
    let doors = |n: u32| IpAddr::from([192, 0, 2, n.to_le_bytes()[0]]);
    (0..100).for_each(|n| street.insert(peer(n), member(n, doors(n), Place::default())));
    assert_eq!(named(&street, 5, &mut Dice::new([1; 32])).len(), MIN_NAMED);
}

#[test]
fn every_other_member_is_as_likely_where_nobody_is_near() {
    let mut swarm = Swarm::default();
    (0..100).for_each(|n| swarm.insert(peer(n), member(n, far(n), Place::default())));
    let mut dice = Dice::new([1; 32]);
    let mut counts = BTreeMap::new();
    for _ in 0..1000 {
        let list = named(&swarm, 5, &mut dice);
        assert_eq!(list.iter().collect::<BTreeSet<_>>().len(), MAX_CANDIDATES);
        list.into_iter().for_each(|n| *counts.entry(n).or_insert(0) += 1);
    }
    assert!(!counts.contains_key(&5));
    // 1000 picks of 32 out of 99: 323 on average, standard deviation 15.
    assert!(counts.len() == 99 && counts.values().all(|count| (250..400).contains(count)));
}

#[test]
fn who_leaves_offers_unanswered_is_named_when_others_are_few() {
    let mut swarm = Swarm::default();
    (0..20).for_each(|n| swarm.insert(peer(n), member(n, far(n), Place::default())));
    let mut dice = Dice::new([1; 32]);
    let mut has = |swarm: &Swarm| named(swarm, 0, &mut dice).contains(&7);
    assert!((0..MAX_UNANSWERED).all(|_| {
        let is_named = has(&swarm);
        swarm.offered(&peer(7));
        is_named
    }));
    assert!(!has(&swarm));
    swarm.seen(&peer(7));
    assert!(has(&swarm), "a heartbeat later it is asked again");
    (0..200).for_each(|_| swarm.offered(&peer(7)));
    swarm.answered(&peer(7));
    assert!(has(&swarm), "an answer says that it has room");
    for n in 0..20 {
        (0..MAX_UNANSWERED).for_each(|_| swarm.offered(&peer(n)));
    }
    assert_eq!(
        named(&swarm, 0, &mut dice).len(),
        MIN_NAMED,
        "if all are full, some are named nevertheless"
    );
}

#[test]
fn who_is_near_by_measure_is_named_among_thousands_and_no_more_than_a_quarter_are() {
    let mut swarm = Swarm::default();
    (0..2000).for_each(|n| swarm.insert(peer(n), member(n, far(n), Place::default())));
    let near = |n: u32| Nearby { doublings: 3, peer: peer(n) };
    // 0 is near to 1 and 2, each of whom is near to six more; each says so, and the other end too.
    let around = |middle: u32| (0..6).map(move |n| 100 * middle + n);
    swarm.measured(peer(0), &[near(1), near(2)]);
    for middle in [1, 2] {
        let list: Vec<Nearby> = around(middle).chain([0]).map(near).collect();
        swarm.measured(peer(middle), &list);
        around(middle).for_each(|n| swarm.measured(peer(n), &[near(middle)]));
    }
    let list = named(&swarm, 0, &mut Dice::new([1; 32]));
    let is_around = |n: &&u32| around(1).chain(around(2)).any(|other| other == **n);
    assert_eq!(list.iter().filter(is_around).count(), MAX_MEASURED, "{list:?}");
    assert_eq!(list.len(), MAX_CANDIDATES);
    around(1).for_each(|n| assert!(swarm.remove(&peer(n)).is_some()));
    let list = named(&swarm, 0, &mut Dice::new([1; 32]));
    assert_eq!(list.iter().filter(is_around).count(), 6, "who has gone is not named");
}

/// Thirty towns whose listeners no address brings together. Each minute everybody loses a link and dials another of those whom
/// it is named, and tells whom it measured to be near, if it tells anything.
#[test]
fn those_who_tell_what_they_measured_get_nearer_to_each_other_and_still_know_all_the_world() {
    let ((blind, _), (told, travellers)) = (half_an_hour(false), half_an_hour(true));
    assert!(told * 100 <= blind * 90, "{told} ms, {blind} ms without telling");
    assert!(travellers > COUNT * 9 / 10, "{travellers} have a neighbour far away");
}

const COUNT: usize = 300;

/// Returns the milliseconds of a link after half an hour, and how many have one to the other end of the world.
fn half_an_hour(tells: bool) -> (u64, usize) {
    let numbers = || (0..COUNT).map(|n| u32::try_from(n).unwrap());
    let way = |one: u32, other: u32| 1 + 8 * u64::from((one % 30).abs_diff(other % 30));
    let mut swarm = Swarm::default();
    numbers().for_each(|n| swarm.insert(peer(n), member(n, far(n), Place::default())));
    let mut dice = Dice::new([3; 32]);
    let mut dialled: Vec<VecDeque<u32>> =
        numbers().map(|n| named(&swarm, n, &mut dice).into_iter().take(7).collect()).collect();
    for _ in 0..30 {
        let mut linked = vec![BTreeSet::new(); COUNT];
        for (n, mine) in numbers().zip(&mut dialled) {
            mine.pop_front();
            let list = named(&swarm, n, &mut dice);
            // Whom it dials of a list is chance, see `antiphon_core::peer::swarm`.
            let turn = dice.below(list.len());
            let mut others = list.iter().cycle().skip(turn);
            mine.push_back(*others.find(|other| !mine.contains(other)).unwrap());
            for other in mine.iter() {
                linked[n as usize].insert((way(n, *other), *other));
                linked[*other as usize].insert((way(n, *other), n));
            }
        }
        for (n, near) in numbers().zip(&linked).filter(|_| tells) {
            let nearby = near.iter().take(MAX_NEARBY).map(|(way, other)| {
                let doublings = way.next_power_of_two().trailing_zeros();
                Nearby { doublings: doublings.try_into().unwrap(), peer: peer(*other) }
            });
            swarm.measured(peer(n), &nearby.collect::<Vec<_>>());
        }
    }
    let ways: Vec<Vec<u64>> = numbers()
        .zip(&dialled)
        .map(|(n, mine)| mine.iter().map(|other| way(n, *other)).collect())
        .collect();
    let all: u64 = ways.iter().flatten().sum();
    let travellers = ways.iter().filter(|ways| ways.iter().any(|way| *way > 60)).count();
    (all / (7 * COUNT as u64), travellers)
}

#[test]
fn liars_who_call_everybody_near_are_named_no_more_than_their_prefixes_may_be() {
    let mut swarm = Swarm::default();
    (0..200).for_each(|n| swarm.insert(peer(n), member(n, far(n), Place::default())));
    let foes = 1000..1064_u32;
    for n in foes.clone() {
        let address = IpAddr::from([198, 51, 100, n.to_le_bytes()[0]]);
        swarm.insert(peer(n), member(n, address, Place::default()));
    }
    let nearest = |n: u32| Nearby { doublings: 0, peer: peer(n) };
    // One of them is linked to the asker, which finds it near; all of them agree with each other.
    swarm.measured(peer(0), &[nearest(1000)]);
    for n in foes.clone() {
        let next = foes.clone().filter(|other| *other != n).take(7).map(nearest);
        swarm.measured(peer(n), &[nearest(0)].into_iter().chain(next).collect::<Vec<_>>());
    }
    let mut dice = Dice::new([1; 32]);
    for _ in 0..20 {
        let list = named(&swarm, 0, &mut dice);
        let count = list.iter().filter(|n| foes.contains(n)).count();
        assert!(count <= MAX_PER_PREFIX, "{count}: {list:?}");
    }
    // Whom they call near and who does not say so is told nothing of it.
    assert_eq!(swarm.nearness.around(&peer(5)), []);
}

#[test]
fn nothing_is_left_of_who_has_gone() {
    let mut swarm = Swarm::default();
    let place = |n: u32| place(f64::from(n), n % 3);
    (0..50).for_each(|n| swarm.insert(peer(n), member(n, far(n), place(n))));
    swarm.insert(peer(3), member(99, far(4), place(4)));
    assert_eq!((swarm.len(), swarm.rank(&peer(3)), swarm.tree.size()), (50, Some(99), 49));
    for n in 0..50 {
        assert!(swarm.remove(&peer(n)).is_some() && swarm.remove(&peer(n)).is_none());
        let list = named(&swarm, 49, &mut Dice::new([1; 32]));
        assert!(list.iter().all(|left| *left > n && *left < 49));
    }
    assert_eq!((swarm.len(), swarm.all.len(), swarm.tree.size()), (0, 0, 0));
    let mut dice = Dice::new([1; 32]);
    assert!(swarm.networks.sample_groups(9, &mut dice).is_empty());
    assert!(swarm.prefixes.sample_groups(9, &mut dice).is_empty());
    assert!(swarm.wides.sample_groups(9, &mut dice).is_empty());
    assert!(swarm.cells.sample_groups(9, &mut dice).is_empty());
}

/// Returns the numbers of whom this one is told.
fn named(swarm: &Swarm, asker: u32, dice: &mut Dice) -> Vec<u32> {
    let list = swarm.pick(&peer(asker), dice);
    assert!(list.iter().all(|candidate| swarm.rank(&candidate.peer) == Some(candidate.rank)));
    let number = |peer: PeerId| u32::from_le_bytes(*peer.0.0.first_chunk().unwrap());
    list.into_iter().map(|candidate| number(candidate.peer)).collect()
}

fn peer(n: u32) -> PeerId {
    let mut key = [0; 32];
    key[..4].copy_from_slice(&n.to_le_bytes());
    PeerId(PublicKey(key))
}

/// An address in a wide prefix of its own for the first 200, and never two in one prefix.
fn far(n: u32) -> IpAddr {
    let [a, b, ..] = n.to_le_bytes();
    IpAddr::from([10 + a % 200, b, a / 200, 1])
}

fn place(longitude: f64, operator: u32) -> Place {
    Place { position: Position::coarse(50.0, longitude), operator: Some(operator) }
}

fn member(n: u32, address: IpAddr, place: Place) -> Member {
    let network = Network::of(address);
    let (rank, prefix, network) = (n.into(), network.prefix(), Some(network));
    Member { rank, since: 0, network, prefix, place, tracker: None, unanswered: 0 }
}
