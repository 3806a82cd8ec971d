//! Listeners who behave, and those who would list, impersonate, evict or flood.

use super::{swarm::MAX_MEMBERS, *};
use antiphon_core::{
    codec::Text,
    crypto::SecretKey,
    id::ChainId,
    peer::tracker_wire::{Candidate, SignalKind},
};

const URL: &str = "ws://tracker.example";
const STREAM: StreamId = StreamId(Hash([1; 32]));
const OTHER: StreamId = StreamId(Hash([2; 32]));

struct World {
    tracker: Tracker,
    now: Moment,
}

impl World {
    fn new() -> Self {
        Self { tracker: Tracker::new([format!("{URL}/")], [7; 32]), now: Moment::ZERO }
    }

    fn feed(&mut self, input: Input) -> Vec<Output> {
        let mut out = Vec::new();
        self.tracker.handle(self.now, input, &mut out);
        out
    }

    fn say(&mut self, id: u64, message: &ToTracker) -> Vec<(u64, ToListener)> {
        said(&self.feed(Input::Message(Connection(id), message.to_bytes())))
    }

    fn open(&mut self, id: u64) -> [u8; 32] {
        let out = self.feed(Input::Opened(Connection(id), IpAddr::from([10, 0, 0, id as u8])));
        match said(&out).as_slice() {
            [(_, ToListener::Challenge(nonce))] => *nonce,
            other => panic!("{other:?}"),
        }
    }

    /// Connects, signs in and joins; returns everything said meanwhile.
    fn enter(&mut self, id: u64, key: &SecretKey, stream: StreamId) -> Vec<(u64, ToListener)> {
        let nonce = self.open(id);
        let sign_in = SignIn::new(key, nonce, Text::try_from(URL).unwrap());
        assert_eq!(self.say(id, &ToTracker::SignIn(sign_in)), []);
        self.say(id, &ToTracker::Join(stream))
    }
}

fn said(out: &[Output]) -> Vec<(u64, ToListener)> {
    let sends = out.iter().filter_map(|output| match output {
        Output::Send(id, bytes) => Some((id.0, ToListener::from_bytes(bytes).unwrap())),
        Output::Close(_) => None,
    });
    sends.collect()
}

fn key(n: u8) -> SecretKey {
    SecretKey::from_bytes(&[n; 32])
}

fn peer(n: u8) -> PeerId {
    PeerId(key(n).public())
}

fn signal(from: u8, to: u8, stream: StreamId) -> Signed<Signal> {
    let sdp = Text::try_from("v=0").unwrap();
    let kind = SignalKind::Offer;
    let body = Signal { stream, from: peer(from), to: peer(to), session: 1, kind, sdp };
    Signed::new(&key(from), ChainId::default(), body)
}

fn ranks(said: &[(u64, ToListener)]) -> (Option<u64>, Vec<(PeerId, u64)>) {
    let rank = said.iter().find_map(|(_, message)| match message {
        ToListener::Welcome(_, rank) => Some(*rank),
        _ => None,
    });
    let known = said.iter().flat_map(|(_, message)| match message {
        ToListener::Candidates(some) => some.peers.to_vec(),
        _ => Vec::new(),
    });
    (rank, known.map(|Candidate { peer, rank }| (peer, rank)).collect())
}

#[test]
fn listeners_of_one_stream_meet_in_the_order_of_their_joins() {
    let mut world = World::new();
    assert_eq!(ranks(&world.enter(1, &key(1), STREAM)), (Some(0), vec![]));
    assert_eq!(ranks(&world.enter(2, &key(2), STREAM)), (Some(1), vec![(peer(1), 0)]));
    assert_eq!(ranks(&world.enter(3, &key(3), OTHER)), (Some(0), vec![]), "streams do not mix");
    let heard = world.say(1, &ToTracker::Heartbeat);
    assert_eq!(ranks(&heard), (None, vec![(peer(2), 1)]));
}

#[test]
fn a_signal_is_handed_on_untouched_with_the_senders_rank() {
    let mut world = World::new();
    world.enter(1, &key(1), STREAM);
    world.enter(2, &key(2), STREAM);
    let signal = signal(2, 1, STREAM);
    let forwarded = ForwardedSignal { rank: 1, signal: signal.clone() };
    assert_eq!(world.say(2, &ToTracker::Signal(signal)), [(1, ToListener::Signal(forwarded))]);
}

#[test]
fn nobody_speaks_for_another_or_across_streams() {
    let mut world = World::new();
    for (id, stream) in [(1, STREAM), (2, STREAM), (3, OTHER)] {
        world.enter(id, &key(id as u8), stream);
    }
    let refused = |why| vec![(2, ToListener::Refused(why))];
    let forged = ToTracker::Signal(signal(1, 2, STREAM));
    assert_eq!(world.say(2, &forged), refused(TrackerRefusal::BadMessage));
    let across = ToTracker::Signal(signal(2, 3, STREAM));
    assert_eq!(world.say(2, &across), refused(TrackerRefusal::NoSuchPeer));
    let elsewhere = ToTracker::Signal(signal(2, 3, OTHER));
    assert_eq!(world.say(2, &elsewhere), refused(TrackerRefusal::BadMessage));
}

#[test]
fn a_sign_in_for_another_tracker_nonce_or_key_is_refused_and_closed() {
    let right = Text::try_from(URL).unwrap();
    let wrong = Text::try_from("ws://elsewhere.example").unwrap();
    let forge = |nonce, make: &dyn Fn([u8; 32]) -> SignIn| make(nonce);
    let cases: [&dyn Fn([u8; 32]) -> SignIn; 3] = [
        &|nonce| SignIn::new(&key(1), nonce, wrong.clone()),
        &|_| SignIn::new(&key(1), [0; 32], right.clone()),
        &|nonce| SignIn { key: key(2).public(), ..SignIn::new(&key(1), nonce, right.clone()) },
    ];
    for make in cases {
        let mut world = World::new();
        let nonce = world.open(1);
        let bytes = ToTracker::SignIn(forge(nonce, make)).to_bytes();
        let out = world.feed(Input::Message(Connection(1), bytes));
        assert_eq!(said(&out), [(1, ToListener::Refused(TrackerRefusal::BadSignIn))]);
        assert_eq!(out.last(), Some(&Output::Close(Connection(1))));
        assert_eq!(world.tracker.census().connections, 0);
    }
}

#[test]
fn a_stranger_learns_nothing() {
    for message in [ToTracker::Join(STREAM), ToTracker::Heartbeat, ToTracker::Leave(STREAM)] {
        let mut world = World::new();
        world.enter(1, &key(1), STREAM);
        world.open(9);
        let heard = world.say(9, &message);
        assert_eq!(heard, [(9, ToListener::Refused(TrackerRefusal::NotSignedIn))]);
    }
}

#[test]
fn a_second_connection_replaces_only_one_of_the_same_key() {
    let mut world = World::new();
    world.enter(1, &key(1), STREAM);
    world.enter(2, &key(2), STREAM);
    let nonce = world.open(3);
    let sign_in = SignIn::new(&key(1), nonce, Text::try_from(URL).unwrap());
    let out = world.feed(Input::Message(Connection(3), ToTracker::SignIn(sign_in).to_bytes()));
    assert_eq!(out, [Output::Close(Connection(1))]);
    assert_eq!(ranks(&world.say(3, &ToTracker::Join(STREAM))).0, Some(0), "and keeps its rank");
    let heard = world.say(2, &ToTracker::Heartbeat);
    assert_eq!(ranks(&heard).1, [(peer(1), 0)], "the other is untouched");
}

#[test]
fn a_rank_survives_a_short_absence_and_not_a_long_one() {
    for (away, rank) in [(59_999, 0), (60_000, 2)] {
        let mut world = World::new();
        world.enter(1, &key(1), STREAM);
        world.enter(2, &key(2), STREAM);
        world.feed(Input::Closed(Connection(1)));
        world.now = Moment::from_millis(away);
        assert_eq!(ranks(&world.enter(3, &key(1), STREAM)).0, Some(rank));
    }
}

#[test]
fn who_does_not_sign_in_or_falls_silent_is_closed_on_the_millisecond() {
    let mut world = World::new();
    world.open(1);
    assert_eq!(world.tracker.deadline(), Some(Moment::from_millis(10_000)));
    world.now = Moment::from_millis(9_999);
    assert_eq!(world.feed(Input::Tick), []);
    world.now = Moment::from_millis(10_000);
    assert_eq!(world.feed(Input::Tick), [Output::Close(Connection(1))]);
    world.enter(2, &key(2), STREAM);
    world.now = Moment::from_millis(49_999);
    assert_eq!(world.feed(Input::Tick), []);
    world.now = Moment::from_millis(50_000);
    assert_eq!(world.feed(Input::Tick), [Output::Close(Connection(2))]);
    world.now = Moment::from_millis(110_000);
    world.feed(Input::Tick);
    assert_eq!(world.tracker.deadline(), None, "nothing is left of anybody");
    assert!(world.tracker.swarms.is_empty() && world.tracker.by_address.is_empty());
}

#[test]
fn a_flood_and_a_malformed_message_end_the_connection() {
    let mut world = World::new();
    world.enter(1, &key(1), STREAM);
    let heartbeat = ToTracker::Heartbeat.to_bytes();
    let closed = (0..200).find(|_| {
        let out = world.feed(Input::Message(Connection(1), heartbeat.clone()));
        out.contains(&Output::Close(Connection(1)))
    });
    assert_eq!(closed, Some(126), "sign-in and join came before");
    world.open(2);
    let out = world.feed(Input::Message(Connection(2), vec![0; 20_000]));
    assert_eq!(said(&out), [(2, ToListener::Refused(TrackerRefusal::BadMessage))]);
    assert_eq!(world.tracker.census().connections, 0);
}

#[test]
fn one_address_cannot_take_every_place() {
    let mut world = World::new();
    let address = IpAddr::from([10, 0, 0, 1]);
    for id in 0..MAX_PER_ADDRESS as u64 {
        world.feed(Input::Opened(Connection(id), address));
    }
    let out = world.feed(Input::Opened(Connection(999), address));
    assert_eq!(said(&out), [(999, ToListener::Refused(TrackerRefusal::TooMuch))]);
    assert_eq!(world.tracker.census().connections, MAX_PER_ADDRESS);
    world.feed(Input::Closed(Connection(0)));
    assert!(matches!(
        said(&world.feed(Input::Opened(Connection(1000), address))).as_slice(),
        [(1000, ToListener::Challenge(_))]
    ));
}

#[test]
fn a_large_swarm_is_shown_in_small_random_parts() {
    let mut swarm = Swarm::default();
    for n in 0..MAX_MEMBERS as u64 {
        let key = antiphon_core::crypto::PublicKey(Hash::of(&[&n.to_le_bytes()]).0);
        assert_eq!(swarm.join(Moment::ZERO, PeerId(key)), Some(n));
    }
    assert_eq!(swarm.join(Moment::ZERO, peer(1)), None, "full");
    let one = swarm.some(peer(1), [3; 32], MAX_CANDIDATES);
    let two = swarm.some(peer(1), [200; 32], MAX_CANDIDATES);
    assert_eq!((one.len(), two.len()), (MAX_CANDIDATES, MAX_CANDIDATES));
    assert!(one.iter().all(|a| two.iter().all(|b| a != b)));
}
