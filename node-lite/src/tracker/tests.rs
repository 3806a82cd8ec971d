mod limits;
mod relay;
mod token;

use super::*;
use antiphon_core::{
    codec::Text,
    crypto::{Hash, SecretKey, Signed},
    id::ChainId,
    peer::tracker_wire::{
        ForwardedSignal, MAX_CANDIDATES, MAX_TRACKER_MESSAGE, Near, Nearby, Relay, Relayed, SignIn,
        Signal, SignalKind,
    },
};

const URL: &str = "ws://tracker.example/";
const STREAM: StreamId = StreamId(Hash([1; 32]));
const OTHER: StreamId = StreamId(Hash([2; 32]));

#[test]
fn two_listeners_meet_and_exchange_descriptions_as_signed() {
    let mut world = World::new();
    world.enter(1, 1, STREAM);
    let said = world.enter(2, 2, STREAM);
    let [(_, ToListener::Welcome(STREAM, 2)), (_, ToListener::Candidates(list))] = &said[..] else {
        panic!("{said:?}");
    };
    assert_eq!(list.peers.iter().map(|c| (c.peer, c.rank)).collect::<Vec<_>>(), [(id(1), 1)]);
    let offer = signal(2, 1, STREAM);
    let said = world.say(2, &ToTracker::Signal(offer.clone()));
    let forwarded = ForwardedSignal { rank: 2, signal: offer };
    assert_eq!(said, [(1, ToListener::Signal(forwarded))]);
}

#[test]
fn a_wrong_signature_a_foreign_url_and_another_nonce_are_turned_away() {
    let sign = |nonce, url| SignIn::new(&key(1), nonce, Text::try_from(url).unwrap());
    for n in 0..4 {
        let mut world = World::new();
        let nonce = world.open(1);
        let mut sign_in = match n {
            0 | 3 => sign(nonce, URL),
            1 => sign(nonce, "ws://evil.example/"),
            _ => sign([0; 32], URL),
        };
        if n == 3 {
            sign_in.key = key(2).public();
        } else if n == 0 {
            sign_in.signature.0[0] ^= 1;
        }
        let out =
            world.feed(0, Input::Message(Connection(1), ToTracker::SignIn(sign_in).to_bytes()));
        assert_eq!(refusals(&out), [TrackerRefusal::BadSignIn]);
        assert_eq!(out.last(), Some(&Output::Close(Connection(1), Reason::NoSignIn)));
        assert_eq!(world.tracker.load(), (0, 0));
    }
}

#[test]
fn a_sign_in_cannot_be_used_twice() {
    let mut world = World::new();
    let nonce = world.open(1);
    let sign_in = ToTracker::SignIn(sign_in(1, nonce)).to_bytes();
    assert_eq!(world.feed(0, Input::Message(Connection(1), sign_in.clone())), []);
    assert_ne!(world.open(2), nonce);
    let out = world.feed(0, Input::Message(Connection(2), sign_in.clone()));
    assert_eq!(refusals(&out), [TrackerRefusal::BadSignIn]);
    let again = world.feed(0, Input::Message(Connection(1), sign_in));
    assert_eq!(refusals(&again), [TrackerRefusal::BadMessage]);
    assert_eq!(world.tracker.load().0, 1);
}

#[test]
fn who_has_not_signed_in_gets_nothing() {
    let mut world = World::new();
    world.enter(1, 1, STREAM);
    world.open(2);
    for message in [
        ToTracker::Join(STREAM),
        ToTracker::Leave(STREAM),
        ToTracker::Heartbeat,
        ToTracker::Signal(signal(2, 1, STREAM)),
        relay(1, STREAM, 3),
    ] {
        let said = world.say(2, &message);
        assert_eq!(said, [(2, ToListener::Refused(TrackerRefusal::NotSignedIn))]);
    }
}

#[test]
fn nobody_is_evicted_but_by_its_own_key() {
    let mut world = World::new();
    world.enter(1, 1, STREAM);
    world.enter(2, 2, STREAM);
    // Another claims the key of 1, and fails.
    let nonce = world.open(3);
    let forged = SignIn { key: key(1).public(), ..sign_in(3, nonce) };
    world.feed(0, Input::Message(Connection(3), ToTracker::SignIn(forged).to_bytes()));
    assert_eq!(world.say(2, &ToTracker::Signal(signal(2, 1, STREAM)))[0].0, 1);
    // The key itself signs in elsewhere: its old connection goes, and no other.
    let nonce = world.open(4);
    let own = ToTracker::SignIn(sign_in(1, nonce)).to_bytes();
    let out = world.feed(0, Input::Message(Connection(4), own));
    assert_eq!(out, [Output::Close(Connection(1), Reason::Replaced)]);
    // Its late end does not touch the new one.
    world.feed(0, Input::Closed(Connection(1)));
    let said = world.say(4, &ToTracker::Join(STREAM));
    assert_eq!(said[0], (4, ToListener::Welcome(STREAM, 1)));
    assert_eq!(world.say(2, &ToTracker::Signal(signal(2, 1, STREAM)))[0].0, 4);
}

#[test]
fn a_swarm_is_shown_in_part_and_no_faster_than_heartbeats() {
    let mut world = World::new();
    for n in 1..=200 {
        world.enter(n, u8::try_from(n).unwrap(), STREAM);
    }
    let mut seen = BTreeSet::new();
    let mut refused = 0;
    for _ in 0..100 {
        for (_, message) in world.say(1, &ToTracker::Heartbeat) {
            match &message {
                ToListener::Candidates(list) => {
                    assert!(list.peers.len() <= MAX_CANDIDATES && list.stream == STREAM);
                    seen.extend(list.peers.iter().map(|candidate| candidate.peer));
                }
                ToListener::Refused(TrackerRefusal::TooMuch) => refused += 1,
                ToListener::Refused(_)
                | ToListener::Challenge(_)
                | ToListener::Welcome(..)
                | ToListener::Relayed(_)
                | ToListener::Signal(_) => panic!("{message:?}"),
            }
        }
    }
    assert!(seen.len() <= 5 * MAX_CANDIDATES && seen.len() < 199, "{}", seen.len());
    assert_eq!(refused, MAX_FAULTS);
}

#[test]
fn heartbeats_of_a_listener_to_four_streams_are_never_too_many() {
    let mut world = World::new();
    world.enter(1, 1, STREAM);
    for n in 2..=4 {
        world.say(1, &ToTracker::Join(StreamId(Hash([n; 32]))));
    }
    for beat in 1..100 {
        let out = world
            .feed(beat * 20_000, Input::Message(Connection(1), ToTracker::Heartbeat.to_bytes()));
        assert_eq!(said(&out).len(), 4);
        assert_eq!(refusals(&out), []);
    }
}

#[test]
fn leaving_and_joining_does_not_show_more_than_waiting() {
    let mut world = World::new();
    for n in 1..=100 {
        world.enter(n, u8::try_from(n).unwrap(), STREAM);
    }
    let mut lists = 0;
    for _ in 0..40 {
        world.say(1, &ToTracker::Leave(STREAM));
        let said = world.say(1, &ToTracker::Join(STREAM));
        lists += said.iter().filter(|(_, m)| matches!(m, ToListener::Candidates(_))).count();
    }
    assert_eq!(lists, 5);
}

#[test]
fn peers_of_other_streams_are_neither_shown_nor_reached() {
    let mut world = World::new();
    world.enter(1, 1, STREAM);
    let said = world.enter(2, 2, OTHER);
    let [_, (_, ToListener::Candidates(list))] = &said[..] else { panic!("{said:?}") };
    assert!(list.peers.is_empty());
    let absent = |to, stream| ToTracker::Signal(signal(2, to, stream));
    let no_such = ToListener::Refused(TrackerRefusal::NoSuchPeer);
    // One who listens to something else, and one who does not exist, look the same.
    assert_eq!(world.say(2, &absent(1, OTHER)), [(2, no_such.clone())]);
    assert_eq!(world.say(2, &absent(9, OTHER)), [(2, no_such.clone())]);
    assert_eq!(world.say(2, &absent(2, OTHER)), [(2, no_such)]);
    let not_joined = ToListener::Refused(TrackerRefusal::NotJoined);
    assert_eq!(world.say(2, &absent(1, STREAM)), [(2, not_joined)]);
}

#[test]
fn nobody_speaks_for_another() {
    let mut world = World::new();
    (1..=3).for_each(|n| drop(world.enter(n.into(), n, STREAM)));
    let said = world.say(3, &ToTracker::Signal(signal(2, 1, STREAM)));
    assert_eq!(said, [(3, ToListener::Refused(TrackerRefusal::BadMessage))]);
}

#[test]
fn a_rank_survives_an_absence_of_a_minute_and_no_longer() {
    for (absence, rank) in [(59_999, 1), (60_000, 3)] {
        let mut world = World::new();
        world.enter(1, 1, STREAM);
        world.enter(2, 2, STREAM);
        world.feed(0, Input::Closed(Connection(1)));
        world.beat(2, absence);
        let said = world.enter(4, 1, STREAM);
        assert_eq!(said[0], (4, ToListener::Welcome(STREAM, rank)), "{absence}");
    }
}

#[test]
fn silence_ends_a_connection_at_its_deadline_and_not_before() {
    let mut world = World::new();
    world.open(1);
    assert_eq!(world.tracker.deadline(), Some(Moment::from_millis(10_000)));
    assert_eq!(world.feed(9_999, Input::Tick), []);
    let out = world.feed(10_000, Input::Tick);
    assert_eq!(out, [Output::Close(Connection(1), Reason::NoSignIn)]);
    world.enter(2, 2, STREAM);
    assert_eq!(world.tracker.deadline(), Some(Moment::from_millis(50_000)));
    world.feed(20_000, Input::Message(Connection(2), ToTracker::Heartbeat.to_bytes()));
    assert_eq!(world.feed(59_999, Input::Tick), []);
    let out = world.feed(60_000, Input::Tick);
    assert_eq!(out, [Output::Close(Connection(2), Reason::Silent)]);
    assert_eq!(world.tracker.load(), (0, 0));
    // What is left are the limits of the network.
    assert_eq!(world.tracker.deadline(), Some(Moment::from_millis(120_000)));
}

#[test]
fn malformed_and_oversized_messages_are_refused_and_then_end_the_connection() {
    let mut world = World::new();
    world.enter(1, 1, STREAM);
    let mut closed = false;
    for n in 0..MAX_FAULTS {
        let bytes = match n % 3 {
            0 => vec![0; MAX_TRACKER_MESSAGE + 1],
            1 => ToListener::Challenge([0; 32]).to_bytes(),
            _ => vec![1, 2, 3],
        };
        let out = world.feed(0, Input::Message(Connection(1), bytes));
        assert_eq!(refusals(&out), [TrackerRefusal::BadMessage]);
        closed = out.last() == Some(&Output::Close(Connection(1), Reason::Misbehaved));
    }
    assert!(closed);
    let late = world.feed(0, Input::Message(Connection(1), ToTracker::Heartbeat.to_bytes()));
    assert_eq!(late, []);
}

#[test]
fn a_flood_is_cut_off_and_does_not_reach_others() {
    let mut world = World::new();
    world.enter(1, 1, STREAM);
    world.enter(2, 2, STREAM);
    let flood = ToTracker::Signal(signal(2, 1, STREAM)).to_bytes();
    let mut reached = 0;
    for _ in 0..1000 {
        let out = world.feed(0, Input::Message(Connection(2), flood.clone()));
        reached += out.iter().filter(|o| matches!(o, Output::Send(Connection(1), _))).count();
    }
    assert_eq!(reached, 98, "the burst of 100, less sign-in and join");
    assert_eq!(world.tracker.load(), (1, 1));
}

#[test]
fn a_listener_is_in_few_streams_at_once() {
    let mut world = World::new();
    world.enter(1, 1, STREAM);
    let stream = |n| StreamId(Hash([n; 32]));
    for n in 2..=4 {
        assert_eq!(
            world.say(1, &ToTracker::Join(stream(n)))[0].1,
            ToListener::Welcome(stream(n), n.into())
        );
    }
    let said = world.say(1, &ToTracker::Join(stream(5)));
    assert_eq!(said, [(1, ToListener::Refused(TrackerRefusal::TooMuch))]);
    assert_eq!(world.tracker.load(), (1, 4));
    world.say(1, &ToTracker::Leave(stream(2)));
    let not_joined = ToListener::Refused(TrackerRefusal::NotJoined);
    assert_eq!(world.say(1, &ToTracker::Leave(stream(2))), [(1, not_joined)]);
    assert_eq!(world.tracker.load(), (1, 3));
}

#[test]
fn nothing_is_left_when_all_have_gone() {
    let mut world = World::new();
    (1..=20).for_each(|n| drop(world.enter(n, u8::try_from(n).unwrap(), STREAM)));
    (1..=20).for_each(|n| drop(world.feed(0, Input::Closed(Connection(n)))));
    world.feed(60_000, Input::Tick);
    assert_eq!(world.tracker.load(), (0, 0));
    assert!(world.tracker.peers.is_empty() && world.tracker.silences.is_empty());
    world.feed(35 * 60_000, Input::Tick);
    assert!(world.tracker.networks.is_empty() && world.tracker.prefixes.is_empty());
    assert_eq!(world.tracker.deadline(), None);
}

/// A tracker with a clock.
struct World {
    tracker: Tracker,
    now: u64,
}

impl World {
    fn new() -> Self {
        let urls = vec!["ws://tracker.example".to_owned()];
        let config = Config {
            urls,
            max_per_network: 1000,
            relay_bytes: 2048,
            needs_token: false,
            cluster: None,
        };
        Self { tracker: Tracker::new(config, [5; 32]), now: 0 }
    }

    fn feed(&mut self, at_ms: u64, input: Input) -> Vec<Output> {
        let mut out = Vec::new();
        self.now = self.now.max(at_ms);
        self.tracker.handle(Moment::from_millis(self.now), input, &mut out);
        out
    }

    /// Opens a connection from an address of its own; returns its nonce.
    fn open(&mut self, conn: u64) -> [u8; 32] {
        let address = IpAddr::from([10, 0, 0, conn.to_le_bytes()[0]]);
        match said(&self.feed(0, Input::Opened(Connection(conn), from(address))))[..] {
            [(_, ToListener::Challenge(nonce))] => nonce,
            ref other => panic!("{other:?}"),
        }
    }

    fn say(&mut self, conn: u64, message: &ToTracker) -> Vec<(u64, ToListener)> {
        said(&self.feed(0, Input::Message(Connection(conn), message.to_bytes())))
    }

    /// Opens, signs in with the key number `n`, joins; returns what is said to the join.
    fn enter(&mut self, conn: u64, n: u8, stream: StreamId) -> Vec<(u64, ToListener)> {
        let nonce = self.open(conn);
        assert_eq!(self.say(conn, &ToTracker::SignIn(sign_in(n, nonce))), []);
        self.say(conn, &ToTracker::Join(stream))
    }

    fn heartbeat(&mut self, conn: u64, at: u64) -> Vec<(u64, ToListener)> {
        said(&self.feed(at, Input::Message(Connection(conn), ToTracker::Heartbeat.to_bytes())))
    }

    /// Lets `wait` pass while one connection stays alive.
    fn beat(&mut self, conn: u64, wait: u64) {
        for at in [wait / 3, wait / 3 * 2, wait] {
            self.feed(at, Input::Message(Connection(conn), ToTracker::Heartbeat.to_bytes()));
        }
    }
}

/// A caller of this address, of whom nothing else is known.
pub(super) fn from(address: IpAddr) -> Caller {
    Caller { address, place: Place::default(), token: None, clock: UnixMillis(0) }
}

pub(super) fn said(out: &[Output]) -> Vec<(u64, ToListener)> {
    let sent = out.iter().filter_map(|output| match output {
        Output::Send(id, bytes) | Output::Relay(id, bytes) => {
            Some((id.0, ToListener::from_bytes(bytes).unwrap()))
        }
        Output::Refused(..) | Output::Close(..) | Output::Share(..) => None,
    });
    sent.collect()
}

pub(super) fn names(said: &[(u64, ToListener)]) -> Vec<PeerId> {
    let lists = said.iter().filter_map(|(_, message)| match message {
        ToListener::Candidates(list) => Some(list.peers.iter().map(|c| c.peer)),
        ToListener::Refused(_)
        | ToListener::Challenge(_)
        | ToListener::Welcome(..)
        | ToListener::Relayed(_)
        | ToListener::Signal(_) => None,
    });
    lists.flatten().collect()
}

fn refusals(out: &[Output]) -> Vec<TrackerRefusal> {
    let refused = said(out).into_iter().filter_map(|(_, message)| match message {
        ToListener::Refused(refusal) => Some(refusal),
        ToListener::Challenge(_)
        | ToListener::Welcome(..)
        | ToListener::Candidates(_)
        | ToListener::Relayed(_)
        | ToListener::Signal(_) => None,
    });
    refused.collect()
}

pub(super) fn key(n: u8) -> SecretKey {
    SecretKey::from_bytes(&[n; 32])
}

pub(super) fn id(n: u8) -> PeerId {
    PeerId(key(n).public())
}

pub(super) fn sign_in(n: u8, nonce: [u8; 32]) -> SignIn {
    SignIn::new(&key(n), nonce, Text::try_from(URL).unwrap())
}

pub(super) fn relay(to: u8, stream: StreamId, length: usize) -> ToTracker {
    let parcel = vec![7; length].try_into().unwrap();
    ToTracker::Relay(Relay { stream, to: id(to), parcel })
}

pub(super) fn signal(from: u8, to: u8, stream: StreamId) -> Signed<Signal> {
    let sdp = Text::try_from("v=0").unwrap();
    let kind = SignalKind::Offer;
    let body = Signal { stream, from: id(from), to: id(to), session: 1, kind, sdp };
    Signed::new(&key(from), ChainId::default(), body)
}
