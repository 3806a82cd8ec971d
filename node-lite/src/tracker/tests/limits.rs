//! What one network may have, open and learn.

use super::*;

#[test]
fn one_network_gets_a_bounded_number_of_connections_and_attempts() {
    let mut world = World::new();
    world.tracker.config.max_per_network = 3;
    let address = |n: u8| IpAddr::from([0x2001, 0xdb8, 0, n.into(), 0, 0, 0, n.into()]);
    let full = |out: &[Output], n| out.last() == Some(&Output::Close(Connection(n), Reason::Full));
    for n in 1..=4 {
        let out = world.feed(0, Input::Opened(Connection(n), from(address(1))));
        assert_eq!(full(&out, n), n > 3);
    }
    assert!(!full(&world.feed(0, Input::Opened(Connection(5), from(address(2)))), 5));
    let mut refused = 0;
    for n in 10..300 {
        world.feed(0, Input::Closed(Connection(n - 1)));
        world.feed(0, Input::Closed(Connection(1)));
        refused +=
            u32::from(full(&world.feed(0, Input::Opened(Connection(n), from(address(1)))), n));
    }
    assert_eq!(refused, 290 - (100 - 3), "the burst of 100 opens, three used before");
}

#[test]
fn an_answer_that_says_that_there_is_no_room_counts_as_none() {
    let mut world = World::new();
    (1..=2).for_each(|n| drop(world.enter(n.into(), n, STREAM)));
    let unanswered = |world: &World| world.tracker.swarms[&STREAM].get(&id(1)).unwrap().unanswered;
    let answer = |sdp: &str| {
        let body = Signal {
            kind: SignalKind::Answer,
            sdp: Text::try_from(sdp).unwrap(),
            ..signal(1, 2, STREAM).body
        };
        ToTracker::Signal(Signed::new(&key(1), ChainId::default(), body))
    };
    world.say(2, &ToTracker::Signal(signal(2, 1, STREAM)));
    assert_eq!(world.say(1, &answer("")).len(), 1, "it is handed on");
    assert_eq!(unanswered(&world), 1);
    world.say(1, &answer("v=0"));
    assert_eq!(unanswered(&world), 0);
}

#[test]
fn one_listener_is_told_few_new_names_an_hour_and_still_enough() {
    let mut world = World::new();
    world.enter(1, 1, STREAM);
    crowd(&mut world, 0..5000);
    let (mut seen, mut least) = (BTreeSet::new(), usize::MAX);
    for beat in 1..=180 {
        let told = names(&world.heartbeat(1, beat * 20_000));
        least = least.min(told.len());
        seen.extend(told);
    }
    assert!((600..=64 + 602).contains(&seen.len()), "{}", seen.len());
    assert_eq!(least, MAX_CANDIDATES, "the rest of each list has been told before");
}

#[test]
fn one_network_is_told_few_names_an_hour_whatever_keys_it_has() {
    let mut world = World::new();
    crowd(&mut world, 0..9000);
    let (mut seen, mut burst) = (BTreeSet::new(), 0);
    let foe = IpAddr::from([192, 0, 2, 1]);
    // New keys join and go, as fast as the network may open connections, for an hour.
    for second in 0..3600_u64 {
        for n in 0..2 {
            let conn = Connection(1000 + second * 2 + n);
            let out = world.feed(second * 1000, Input::Opened(conn, from(foe)));
            let [(_, ToListener::Challenge(nonce))] = said(&out)[..] else { panic!("{out:?}") };
            let key = SecretKey::from_bytes(&Hash::of(&[&conn.0.to_le_bytes()]).0);
            let sign_in = SignIn::new(&key, nonce, Text::try_from(URL).unwrap());
            world.say(conn.0, &ToTracker::SignIn(sign_in));
            seen.extend(names(&world.say(conn.0, &ToTracker::Join(STREAM))));
            world.feed(second * 1000, Input::Closed(conn));
        }
        burst = if second == 100 { seen.len() } else { burst };
    }
    assert!(burst <= 2048 + 101, "{burst}");
    assert!((3000..=2048 + 3600).contains(&seen.len()), "{}", seen.len());
}

#[test]
fn a_prefix_is_a_bounded_number_of_networks() {
    let mut world = World::new();
    world.tracker.config.max_per_network = 3;
    let address = |n: u16| IpAddr::from([0x2001, 0xdb8, 0, n, 0, 0, 0, 1]);
    let opened = |world: &mut World, n: u16| {
        let out = world.feed(0, Input::Opened(Connection(n.into()), from(address(n))));
        !matches!(out.last(), Some(Output::Close(_, Reason::Full)))
    };
    assert_eq!((1..100).filter(|n| opened(&mut world, *n)).count(), 12);
    world.feed(0, Input::Closed(Connection(1)));
    assert!(opened(&mut world, 100));
}

#[test]
fn who_comes_from_many_networks_keeps_nobody_else_out() {
    let mut world = World::new();
    for n in 0..=2 * u32::try_from(MAX_CONNS).unwrap() {
        let address = IpAddr::from(n.to_be_bytes());
        world.feed(0, Input::Opened(Connection(n.into()), from(address)));
        world.feed(0, Input::Closed(Connection(n.into())));
    }
    assert!(world.tracker.networks.len() < 2 * MAX_CONNS);
    world.enter(1, 1, STREAM);
    assert_eq!(world.tracker.load(), (1, 1));
}

/// Adds members from everywhere, who say nothing.
fn crowd(world: &mut World, of: std::ops::Range<u32>) {
    for n in of {
        let [a, b, ..] = n.to_le_bytes();
        let network = Network::of(IpAddr::from([20 + a % 100, b, a / 100, 1]));
        let peer = PeerId(antiphon_core::crypto::PublicKey(Hash::of(&[&n.to_le_bytes()]).0));
        let member = swarm::Member {
            rank: n.into(),
            since: 0,
            tracker: None,
            network: Some(network),
            prefix: network.prefix(),
            place: Place::default(),
            unanswered: 0,
        };
        world.tracker.swarms.entry(STREAM).or_default().insert(peer, member);
    }
}

#[test]
fn who_is_near_is_heard_once_a_minute_of_members_alone() {
    let mut world = World::new();
    (1..=3).for_each(|n| drop(world.enter(n.into(), n, STREAM)));
    let near = |stream, to: &[u8]| {
        let nearby = to.iter().map(|n| Nearby { doublings: 3, peer: id(*n) });
        let peers = nearby.collect::<Vec<_>>().try_into().unwrap();
        ToTracker::Near(Near { stream, peers })
    };
    assert_eq!(world.say(1, &near(STREAM, &[2])), []);
    assert_eq!(world.say(2, &near(STREAM, &[1, 3])), []);
    assert_eq!(world.say(3, &near(STREAM, &[2])), []);
    let refused = |said: Vec<(u64, ToListener)>, with| said == [(1, ToListener::Refused(with))];
    assert!(refused(world.say(1, &near(OTHER, &[2])), TrackerRefusal::NotJoined));
    (0..2).for_each(|_| assert_eq!(world.say(1, &near(STREAM, &[2])), []));
    assert!(refused(world.say(1, &near(STREAM, &[2])), TrackerRefusal::TooMuch));
}
