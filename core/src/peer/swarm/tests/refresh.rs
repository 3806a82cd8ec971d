//! When links are weighed, which one goes, and who does not gain by it.

use super::*;

const MINUTE: u64 = 60_000;
/// Of sixteen links, those that we dial, and of these the seats for near ones.
const OURS: usize = 7;
const HALF: usize = 3;

/// The peer of this number; keys are dear.
fn nth(n: u8) -> PeerId {
    static PEERS: std::sync::LazyLock<Vec<PeerId>> =
        std::sync::LazyLock::new(|| (0..=u8::MAX).map(id).collect());
    PEERS[usize::from(n)]
}

#[test]
fn a_full_part_is_weighed_once_a_link_is_grown_and_somebody_else_is_named_and_then_every_minute() {
    let mut swarm = full(1);
    assert!(!is_weighed(&mut swarm.clone(), 10 * MINUTE), "nobody else is named");
    name(&mut swarm, 0, &[20]);
    assert!(!is_weighed(&mut swarm, MINUTE - 1), "all are young");
    assert!(is_weighed(&mut swarm, MINUTE));
    let mut now = MINUTE;
    for _ in 0..20 {
        // Heartbeats are due between.
        let next = loop {
            let due = swarm.deadline().unwrap().as_millis();
            if is_weighed(&mut swarm, due) {
                break due;
            }
        };
        assert!((now + MINUTE / 2..=now + MINUTE).contains(&next), "{now} {next}");
        now = next;
    }
    feed(&mut swarm, now, Input::LinkClosed(LinkId(0)));
    assert!(!is_weighed(&mut swarm, now + 1), "one is being dialled");
}

#[test]
fn the_useless_goes_first_then_the_slow_then_the_far_one_at_a_time_and_the_near_stay() {
    let mut swarm = full(1);
    for (n, took) in [(1, 900), (2, 20), (3, 30), (4, 300), (5, 300), (6, 10), (7, 5)] {
        measure(&mut swarm, n, took);
    }
    measure(&mut swarm, 6, 200);
    name(&mut swarm, 0, &[20, 21, 22, 23]);
    // 2, 3, 6 and 7 are near: more than the seats for them. Nobody is let go for being far.
    assert_eq!(let_go(&mut swarm, MINUTE, &[(6, Worth::Useless)]), Some(6));
    assert_eq!(let_go(&mut swarm, MINUTE, &[]), None, "a place is being filled");
    open(&mut swarm, MINUTE);
    assert_eq!(let_go(&mut swarm, MINUTE, &[]), Some(1), "whose best answer took 900 ms");
    open(&mut swarm, MINUTE);
    assert_eq!(let_go(&mut swarm, MINUTE, &[]), None, "three are near, the others by chance");
    let out = weighed(&mut swarm, MINUTE, &[(7, Worth::Useless)]);
    let link = LinkId(9);
    let [Output::LetGo(gone, of), Output::CloseLink(closed), Output::Left(left, _), dialled] =
        &out[..]
    else {
        panic!("{out:?}")
    };
    assert!(gone == closed && gone == left && *of == nth(7), "goodbye comes before the end");
    assert_eq!(*dialled, Output::CreateLink(link, None));
    open(&mut swarm, MINUTE);
    let sought = swarm.links.get(&link).map(|link| link.peer);
    assert_eq!(let_go(&mut swarm, MINUTE, &[]), None, "the seat of the near one is taken");
    let far = let_go(&mut swarm, 2 * MINUTE, &[]);
    assert_eq!(far.map(nth), sought, "who sits there and is not near");
}

#[test]
fn who_is_held_young_not_judged_or_dialled_us_stays() {
    let mut swarm = full(1);
    for from in 30..39 {
        feed(&mut swarm, 0, offer_of(from, 60));
    }
    open(&mut swarm, 0);
    assert_eq!(swarm.neighbours().count(), 16);
    name(&mut swarm, 0, &[20]);
    let answered: Vec<_> = (30..39).map(|n| (n, Worth::Useless)).collect();
    let all = |worth| (1..=7).map(|n| (n, worth)).chain(answered.clone()).collect::<Vec<_>>();
    assert_eq!(let_go(&mut swarm, MINUTE, &all(Worth::Held)), None);
    assert_eq!(let_go(&mut swarm, MINUTE - 1, &all(Worth::Useless)), None, "young");
    assert_eq!(feed(&mut swarm, MINUTE, Input::Weighed(Vec::new())), [], "nobody is judged");
    assert!(let_go(&mut swarm, MINUTE, &all(Worth::Useless)).is_some_and(|n| n <= 7));
    assert_eq!(swarm.neighbours().count(), 15);
    assert_eq!(swarm.links.len(), 16, "no more than before");
}

#[test]
fn who_was_let_go_is_not_dialled_for_ten_minutes_however_many_are_named_meanwhile() {
    let mut swarm = full(1);
    name(&mut swarm, 0, &[20]);
    assert_eq!(let_go(&mut swarm, MINUTE, &[(3, Worth::Useless)]), Some(3));
    for n in 0..1000_u64 {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&n.to_le_bytes());
        let peer = PeerId(crate::crypto::PublicKey(bytes));
        let peers = Bounded::try_from(vec![Candidate { peer, rank: n }]).unwrap();
        let list = ToListener::Candidates(Candidates { stream: stream(), crowd: 2, peers });
        feed(&mut swarm, MINUTE, told(&list));
    }
    assert!(swarm.known.len() <= MAX_KNOWN);
    name(&mut swarm, MINUTE, &[3]);
    let retry_at = swarm.known.get(&nth(3)).map(|known| known.retry_at);
    assert_eq!(retry_at, Some(at(11 * MINUTE)));
    let is_dialled = |swarm: &mut Swarm, ms| {
        swarm.known.retain(|peer, _| *peer == nth(3));
        let links: Vec<LinkId> = swarm.links.keys().copied().collect();
        for link in links {
            feed(swarm, ms, Input::LinkClosed(link));
        }
        swarm.links.values().any(|link| link.peer == nth(3))
    };
    assert!(!is_dialled(&mut swarm.clone(), 11 * MINUTE - 1));
    assert!(is_dialled(&mut swarm, 11 * MINUTE));
}

/// Foes stand first in every list, as those who are near by measure do, and are what they seem, or a little farther.
#[test]
fn whoever_answers_splendidly_or_pretends_to_be_near_takes_half_of_our_part_at_most() {
    for (took, worth) in [(1, Worth::Useful), (129, Worth::Useful), (129, Worth::Held)] {
        let mut swarm = full(1);
        (1..=7).for_each(|n| measure(&mut swarm, n, 400));
        let mut now = 0;
        for round in 0..200_u8 {
            now += 10 * MINUTE;
            let list: Vec<u8> =
                (0..8).map(|n| 100 + round.wrapping_mul(8).wrapping_add(n) % 120).collect();
            name(&mut swarm, now, &list);
            let foes: Vec<_> = list.iter().map(|n| (*n, worth)).collect();
            let_go(&mut swarm, now, &foes);
            open(&mut swarm, now);
            (100..220).for_each(|n| measure(&mut swarm, n, took));
        }
        let honest =
            swarm.neighbours().filter(|(_, peer)| (1..=7).any(|n| nth(n) == *peer)).count();
        assert_eq!(swarm.neighbours().count(), OURS);
        assert!(
            honest >= OURS - HALF,
            "{honest} honest ones are left of {OURS}, foes at {took} ms"
        );
    }
}

#[test]
fn near_ones_are_sought_where_the_tracker_names_them_first_until_half_of_our_part_is_near() {
    let mut swarm = full(1);
    (1..=7).for_each(|n| measure(&mut swarm, n, 300));
    let mut now = 0;
    let mut last = 0;
    for round in 0..30 {
        now += 20 * MINUTE;
        name(&mut swarm, now, &[20, 21, 22, 23, 24, 25, 40, 41, 42, 43, 44, 45, 46]);
        if let_go(&mut swarm, now, &[]).is_some() {
            last = round;
        }
        open(&mut swarm, now);
        // One of those who are named for being near is far.
        (21..=25).for_each(|n| measure(&mut swarm, n, 40));
        [20, 40, 41, 42, 43, 44, 45, 46].iter().for_each(|n| measure(&mut swarm, *n, 300));
    }
    let near = swarm.neighbours().filter(|(_, peer)| (21..=25).any(|n| nth(n) == *peer)).count();
    assert_eq!(near, HALF);
    assert!(last < 15, "and then nobody goes any more: {last}");
}

/// Listener 60 with seven links that it dialled, to 1 to 7.
fn full(seed: u8) -> Swarm {
    let mut swarm = Swarm::new(Config { max_links: 16, seed: [seed; 32], ..swarm(60).config });
    feed(&mut swarm, 0, Input::Start);
    feed(&mut swarm, 0, Input::TrackerOpened);
    feed(&mut swarm, 0, told(&ToListener::Welcome(stream(), 1_000_000)));
    name(&mut swarm, 0, &[1, 2, 3, 4, 5, 6, 7]);
    open(&mut swarm, 0);
    assert_eq!(swarm.neighbours().count(), OURS);
    swarm
}

/// The tracker names these, in this order.
fn name(swarm: &mut Swarm, ms: u64, numbers: &[u8]) {
    let candidates = numbers.iter().map(|n| Candidate { peer: nth(*n), rank: u64::from(*n) });
    let peers = Bounded::try_from(candidates.collect::<Vec<_>>()).unwrap();
    let list = ToListener::Candidates(Candidates { stream: stream(), crowd: 2, peers });
    feed(swarm, ms, told(&list));
}

/// Every link that is being made opens.
fn open(swarm: &mut Swarm, ms: u64) {
    let pending: Vec<LinkId> = swarm.links.keys().copied().collect();
    for link in pending {
        feed(swarm, ms, Input::LinkOpened(link));
    }
}

fn measure(swarm: &mut Swarm, n: u8, took: u64) {
    feed(swarm, 0, Input::Measured(nth(n), Duration::from_millis(took)));
}

fn is_weighed(swarm: &mut Swarm, ms: u64) -> bool {
    feed(swarm, ms, Input::Tick).last() == Some(&Output::Weigh)
}

/// Neighbours are worth this, the others are useful.
fn weighed(swarm: &mut Swarm, ms: u64, worths: &[(u8, Worth)]) -> Vec<Output> {
    let worth = |peer: PeerId| {
        let named = worths.iter().find(|(n, _)| nth(*n) == peer);
        (peer, named.map_or(Worth::Useful, |(_, worth)| *worth))
    };
    let worths = swarm.neighbours().map(|(_, peer)| worth(peer)).collect();
    feed(swarm, ms, Input::Weighed(worths))
}

fn let_go(swarm: &mut Swarm, ms: u64, worths: &[(u8, Worth)]) -> Option<u8> {
    let out = weighed(swarm, ms, worths);
    let number = |output: &Output| {
        let Output::LetGo(_, peer) = output else { return None };
        (0..=u8::MAX).find(|n| nth(*n) == *peer)
    };
    let gone: Vec<u8> = out.iter().filter_map(number).collect();
    assert!(gone.len() <= 1, "{out:?}");
    gone.first().copied()
}
