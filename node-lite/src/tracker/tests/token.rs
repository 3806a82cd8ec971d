//! Who joins where the publisher asks for tokens.

use super::*;
use antiphon_core::delivery::{heir::Heirs, record::stream_id};

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
