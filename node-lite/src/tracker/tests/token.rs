//! Who joins where the publisher asks for tokens.

use super::heirs::OLD_KEY_PATIENCE;
use super::*;
use crate::publisher::keyring::Keyring;
use antiphon_core::delivery::{
    heir::{Heir, Heirs},
    record::stream_id,
};

#[test]
fn only_who_has_a_token_of_the_publisher_meets_its_listeners() {
    let mut world = World::new();
    world.tracker.config.needs_token = true;
    assert_eq!(enter(&mut world, 1, Some(token(9, Some(1), 1000))), [welcome(1), nobody()]);
    let said = enter(&mut world, 2, Some(token(9, None, 1000)));
    let [(2, ToListener::Welcome(..)), (2, ToListener::Candidates(list))] = &said[..] else {
        panic!("{said:?}")
    };
    assert_eq!(list.peers.iter().map(|candidate| candidate.peer).collect::<Vec<_>>(), [id(1)]);
    // None, another key's, another listener's, one that is over, one that was changed.
    let mut changed = token(9, Some(5), 1000);
    changed.body.listener = Some(id(7));
    let bad = [
        None,
        Some(token(8, None, 1000)),
        Some(token(9, Some(1), 1000)),
        Some(token(9, None, 500)),
        Some(changed),
    ];
    for (n, token) in (3..).zip(bad) {
        let refused = (u64::from(n), ToListener::Refused(TrackerRefusal::NoToken));
        assert_eq!(enter(&mut world, n, token), [refused]);
        // And nothing that members may do.
        let said = world.say(n.into(), &ToTracker::Signal(signal(n, 1, stream())));
        assert_eq!(said[0].1, ToListener::Refused(TrackerRefusal::NotJoined));
        assert_eq!(names(&world.heartbeat(n.into(), 0)), []);
    }
    let room = world.say(1, &ToTracker::Join(STREAM));
    assert_eq!(
        room,
        [(1, ToListener::Refused(TrackerRefusal::NoToken))],
        "rooms have no publisher"
    );
}

#[test]
fn who_is_in_is_put_out_when_the_token_is_over() {
    let mut world = World::new();
    world.tracker.config.needs_token = true;
    // The clock stood at 500 when it connected.
    enter(&mut world, 1, Some(token(9, None, 40_500)));
    enter(&mut world, 2, Some(token(9, None, 1_000_000)));
    for at in [20_000, 39_999] {
        assert_eq!(names(&world.heartbeat(1, at)), [id(2)]);
        world.heartbeat(2, at);
    }
    let said = world.heartbeat(1, 40_000);
    assert_eq!(said, [(1, ToListener::Refused(TrackerRefusal::NoToken))]);
    assert_eq!(names(&world.heartbeat(2, 59_000)), []);
    let again = world.say(1, &ToTracker::Join(stream()));
    assert_eq!(again, [(1, ToListener::Refused(TrackerRefusal::NoToken))]);
}

#[test]
fn a_tracker_that_asks_for_none_takes_any() {
    let mut world = World::new();
    assert_eq!(enter(&mut world, 1, Some(token(8, Some(2), 1))), [welcome(1), nobody()]);
}

#[test]
fn after_a_rotation_tokens_of_the_heir_are_taken_and_those_of_the_old_key_for_an_hour_more() {
    let mut world = World::new();
    world.tracker.config.needs_token = true;
    let (old, new) = (ring(&[]), ring(&[7]));
    let is_in = |said: &[(u64, ToListener)]| matches!(said[0].1, ToListener::Welcome(..));
    assert!(is_in(&enter_at(&mut world, 0, 1, &old)));
    assert!(is_in(&enter_at(&mut world, 1000, 2, &new)));
    // What was given out before is still good.
    let end = 1000 + u64::try_from(OLD_KEY_PATIENCE.as_millis()).unwrap();
    assert!(is_in(&enter_at(&mut world, end - 30_000, 3, &old)));
    assert!(is_in(&enter_at(&mut world, end - 30_000, 4, &new)));
    assert_eq!(names(&world.heartbeat(3, end - 1)), [id(4)]);
    assert_eq!(names(&world.heartbeat(4, end - 1)), [id(3)]);
    let refused = |n: u64| (n, ToListener::Refused(TrackerRefusal::NoToken));
    let out = world.feed(end, Input::Message(Connection(3), ToTracker::Heartbeat.to_bytes()));
    assert_eq!(said(&out), [refused(3)]);
    assert!(out.contains(&Output::Refused(Connection(3), TokenError::OldKey)), "{out:?}");
    assert_eq!(names(&world.heartbeat(4, end + 1)), [], "they meet no more");
    assert_eq!(enter_at(&mut world, end + 2, 5, &old), [refused(5)]);
    assert!(is_in(&enter_at(&mut world, end + 3, 6, &ring(&[7, 6]))), "another rotation");
    assert!(is_in(&enter_at(&mut world, end + 4, 7, &new)), "has its own hour");
}

#[test]
fn a_forged_heir_opens_nothing_and_teaches_nothing() {
    let mut world = World::new();
    world.tracker.config.needs_token = true;
    let refused = |n: u64| (n, ToListener::Refused(TrackerRefusal::NoToken));
    let forge = |heirs: Vec<Heir>, by: u8| {
        let body = Token { heirs: heirs.try_into().unwrap(), ..token(9, None, u64::MAX).body };
        Signed::new(&key(by), body.chain, body)
    };
    let heir = |old: u8, place: u8, new: u8| {
        Heir::new(&key(old), key(9).public(), place, key(new).public())
    };
    for (n, (heirs, by)) in (1..).zip([
        (vec![heir(7, 0, 7)], 7),
        (vec![heir(9, 1, 7)], 7),
        (vec![heir(9, 0, 8), heir(9, 1, 7)], 7),
        (vec![heir(9, 0, 8)], 9),
        (vec![heir(9, 0, 8); antiphon_core::delivery::heir::MAX_HEIRS], 8),
    ]) {
        assert_eq!(enter(&mut world, n, Some(forge(heirs, by))), [refused(n.into())], "{n}");
    }
    // Had one of them been believed, the first key would be one that was given up, or another heir's.
    let good = enter(&mut world, 10, Some(signed_by(&ring(&[8]))));
    assert_eq!(good[0].1, ToListener::Welcome(stream(), 1));
    // A thief of the first key names an heir of its own: too late here.
    let stolen = enter(&mut world, 11, Some(signed_by(&ring(&[6]))));
    assert_eq!(stolen, [refused(11)]);
    let longer = enter(&mut world, 12, Some(signed_by(&ring(&[6, 5, 4]))));
    assert_eq!(longer, [refused(12)]);
}

#[test]
fn who_was_told_the_heirs_refuses_the_old_key_and_its_thief_from_the_first_token_on() {
    let mut world = World::new();
    world.tracker.config.needs_token = true;
    world.tracker.tell(&ring(&[7]).succession());
    for (n, ring) in (1..).zip([ring(&[]), ring(&[6]), ring(&[6, 5])]) {
        let refused = (u64::from(n), ToListener::Refused(TrackerRefusal::NoToken));
        assert_eq!(enter(&mut world, n, Some(signed_by(&ring))), [refused], "{n}");
    }
    let said = enter(&mut world, 9, Some(signed_by(&ring(&[7]))));
    assert_eq!(said[0].1, ToListener::Welcome(stream(), 1));
}

/// The keys of publisher 9 after it was given these heirs.
fn ring(heirs: &[u8]) -> Keyring {
    heirs.iter().fold(Keyring::new(key(9)), |ring, n| ring.inherit(key(*n)).unwrap())
}

/// A token as `antiphon token` makes it, without an end.
fn signed_by(ring: &Keyring) -> Signed<Token> {
    let body = Token { heirs: ring.heirs().clone(), ..token(9, None, u64::MAX).body };
    Signed::new(ring.key(), body.chain, body)
}

fn enter_at(world: &mut World, at: u64, n: u8, by: &Keyring) -> Vec<(u64, ToListener)> {
    world.feed(at, Input::Tick);
    enter(world, n, Some(signed_by(by)))
}

fn enter(world: &mut World, n: u8, token: Option<Signed<Token>>) -> Vec<(u64, ToListener)> {
    let token = token.map(Box::new);
    let caller = Caller { token, clock: UnixMillis(500), ..from(IpAddr::from([10, 0, 0, n])) };
    let out = world.feed(0, Input::Opened(Connection(n.into()), caller));
    let [(_, ToListener::Challenge(nonce))] = said(&out)[..] else { panic!("{out:?}") };
    world.say(n.into(), &ToTracker::SignIn(sign_in(n, nonce)));
    world.say(n.into(), &ToTracker::Join(stream()))
}

fn token(publisher: u8, listener: Option<u8>, expires: u64) -> Signed<Token> {
    let (chain, name) = (ChainId(Hash([1; 32])), Text::try_from("live").unwrap());
    let (listener, expires) = (listener.map(id), UnixMillis(expires));
    let (publisher_key, heirs) = (key(publisher).public(), Heirs::new());
    let body = Token { chain, publisher: publisher_key, heirs, name, listener, expires };
    Signed::new(&key(publisher), chain, body)
}

fn stream() -> StreamId {
    stream_id(ChainId(Hash([1; 32])), key(9).public(), &Text::try_from("live").unwrap())
}

fn welcome(rank: u64) -> (u64, ToListener) {
    (rank, ToListener::Welcome(stream(), rank))
}

fn nobody() -> (u64, ToListener) {
    (
        1,
        ToListener::Candidates(antiphon_core::peer::tracker_wire::Candidates {
            stream: stream(),
            crowd: 1,
            peers: antiphon_core::codec::Bounded::new(),
        }),
    )
}
