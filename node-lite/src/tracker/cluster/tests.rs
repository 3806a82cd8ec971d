use super::{
    super::{
        Config, Connection, Dice, Input, Network, Place,
        tests::{from, id, key, names, relay, said, sign_in, signal},
    },
    *,
};
use antiphon_core::{
    crypto::Hash,
    peer::tracker_wire::{ToTracker, TrackerRefusal},
};
use std::{collections::VecDeque, net::IpAddr};

const STREAM: StreamId = StreamId(Hash([1; 32]));

#[test]
fn listeners_of_two_trackers_meet_signal_and_relay() {
    let mut net = Net::new(2);
    net.enter(0, 1);
    let told = net.enter(1, 2);
    assert_eq!(names(&told), [id(1)], "who came first at the other tracker");
    // Whoever joins later is younger, wherever.
    let rank = |n| net.trackers[0].swarms[&STREAM].rank(&id(n)).unwrap();
    let (one, two) = (rank(1), rank(2));
    assert!(two > one);
    let offer = signal(2, 1, STREAM);
    let heard = net.say(1, 2, &ToTracker::Signal(offer.clone()));
    let [(0, 1, ToListener::Signal(forwarded))] = &heard[..] else { panic!("{heard:?}") };
    assert_eq!((forwarded.rank, &forwarded.signal), (two, &offer));
    let heard = net.say(0, 1, &relay(2, STREAM, 3));
    assert!(matches!(&heard[..], [(1, 2, ToListener::Relayed(relayed))] if relayed.from == id(1)));
    let beat = net.say(0, 1, &ToTracker::Heartbeat);
    let [(0, 1, ToListener::Candidates(list))] = &beat[..] else { panic!("{beat:?}") };
    assert_eq!(list.peers.iter().map(|candidate| candidate.peer).collect::<Vec<_>>(), [id(2)]);
    net.say(1, 2, &ToTracker::Leave(STREAM));
    let gone = net.say(0, 1, &relay(2, STREAM, 3));
    assert_eq!(gone, [(0, 1, ToListener::Refused(TrackerRefusal::NoSuchPeer))]);
}

#[test]
fn a_tracker_that_starts_late_is_told_all_and_tells_all() {
    let mut net = Net::new(2);
    net.is_up[1] = false;
    net.feed(1, Input::ClusterDown);
    (1..=60).for_each(|n| drop(net.enter(0, n)));
    (61..=100).for_each(|n| drop(net.enter(1, n)));
    assert_eq!(net.members(1).len(), 40);
    net.is_up[1] = true;
    net.feed(1, Input::ClusterUp);
    net.wait(100);
    assert_eq!((net.members(0), net.members(1).len()), (net.members(1), 100));
}

#[test]
fn who_was_at_a_dead_tracker_comes_to_another_one_with_its_rank() {
    let mut net = Net::new(2);
    net.enter(0, 1);
    net.enter(1, 2);
    net.enter(1, 3);
    let one = net.trackers[1].swarms[&STREAM].rank(&id(1)).unwrap();
    // Tracker 0 is killed. Its listener dials the other one at once, before anybody knows.
    net.is_up[0] = false;
    let told = net.enter(1, 1);
    assert_eq!(told[0].1, ToListener::Welcome(STREAM, one));
    assert!(names(&told).contains(&id(2)));
}

#[test]
fn the_members_of_a_dead_tracker_are_forgotten_and_their_ranks_kept_for_them() {
    let mut net = Net::new(2);
    net.enter(1, 2);
    net.enter(1, 3);
    let rank = net.trackers[0].swarms[&STREAM].rank(&id(2)).unwrap();
    net.is_up[1] = false;
    net.enter(0, 9);
    net.beat(0, 9, 15_999);
    assert_eq!((net.members(0).len(), net.trackers[0].others()), (3, 1));
    net.beat(0, 9, 16_000);
    assert_eq!((net.members(0), net.trackers[0].others()), (sorted([9]), 0));
    let told = net.enter(0, 2);
    assert_eq!(told[0].1, ToListener::Welcome(STREAM, rank));
}

#[test]
fn what_is_lost_on_the_way_is_noticed_and_asked_for() {
    for seed in 0..20 {
        let mut net = Net::new(3);
        net.loss = Some(Dice::new([seed; 32]));
        for step in 0..120_u8 {
            let n = 1 + step % 40;
            let at = usize::from(net.roll(3));
            match net.roll(3) {
                0 => drop(net.say(at, n, &ToTracker::Leave(STREAM))),
                _ => drop(net.enter(at, n)),
            }
            net.wait(net.now + 50);
        }
        net.loss = None;
        // A word every five seconds, a question, an answer; questions that were lost are asked again at the next word.
        net.wait(net.now + 15_000);
        let all = net.members(0);
        assert!(all == net.members(1) && all == net.members(2), "seed {seed}");
        let local =
            |tracker: &Tracker| tracker.swarms.get(&STREAM).map_or(0, |swarm| swarm.local());
        let sum: usize = net.trackers.iter().map(local).sum();
        assert_eq!(sum, all.len(), "everybody is somewhere, and nobody in two places; seed {seed}");
        assert!(all.len() > 10);
    }
}

#[test]
fn without_what_carries_messages_each_goes_on_alone_and_they_find_together_again() {
    let mut net = Net::new(2);
    net.enter(0, 1);
    net.enter(1, 2);
    for at in 0..2 {
        net.is_up[at] = false;
        net.feed(at, Input::ClusterDown);
    }
    let refused = net.say(0, 1, &relay(2, STREAM, 3));
    assert_eq!(refused, [(0, 1, ToListener::Refused(TrackerRefusal::NoSuchPeer))]);
    net.enter(0, 3);
    net.beat(0, 1, 17_000);
    assert_eq!(net.members(0), sorted([1, 3]));
    // 3 signs in at the other, too, which cannot know of the first time.
    net.enter(1, 3);
    net.beat(1, 2, 17_000);
    assert_eq!(net.members(1), sorted([2, 3]));
    for at in 0..2 {
        net.is_up[at] = true;
        net.feed(at, Input::ClusterUp);
    }
    net.wait(17_100);
    assert_eq!((net.members(0), net.members(1)), (sorted([1, 2, 3]), sorted([1, 2, 3])));
    let is_here = |at: usize| net.trackers[at].peers.contains_key(&id(3));
    assert!(is_here(0) != is_here(1), "of two sign-ins of one key, one counts");
}

#[test]
fn the_newer_sign_in_of_a_key_counts_and_nobody_elses_connection_ends() {
    let mut net = Net::new(2);
    net.enter(0, 1);
    net.enter(0, 2);
    net.closed.clear();
    net.enter(1, 1);
    assert_eq!(net.closed, [(0, 1, Reason::Replaced)]);
    assert_eq!(net.members(0), net.members(1));
    let heard = net.say(0, 2, &ToTracker::Signal(signal(2, 1, STREAM)));
    assert!(matches!(heard[..], [(1, 1, ToListener::Signal(_))]));
}

#[test]
fn what_cannot_be_read_was_not_asked_for_or_is_too_much_is_ignored() {
    let mut net = Net::new(1);
    net.enter(0, 1);
    let stranger = TrackerId(77);
    let peer = id(9);
    let entry = Entry {
        stream: STREAM,
        peer,
        rank: 5,
        since: 5,
        prefix: Network::of(IpAddr::from([10, 0, 0, 1])).prefix(),
        place: Place::default(),
    };
    let members = Bounded::try_from(vec![entry]).unwrap();
    let part = |part, parts| Part { from: stranger, seq: 1, part, parts, members: members.clone() };
    let refused = ToListener::Refused(TrackerRefusal::NoToken).to_bytes().try_into().unwrap();
    for message in [
        Message::News(News { from: stranger, seq: 4, change: Change::Here(entry) }),
        Message::State(part(1, 2)),
        Message::State(part(0, u32::MAX)),
        Message::Deliver(Delivery { stream: STREAM, to: id(1), message: refused }),
        Message::Ask(TrackerId(0)),
    ] {
        let bytes = message.to_bytes();
        let out = net.feed(0, Input::Shared(bytes.clone()));
        assert!(said(&out).is_empty());
        for cut in 0..bytes.len() {
            assert_eq!(net.feed(0, Input::Shared(bytes[..cut].to_vec())), []);
        }
        assert_eq!(net.feed(0, Input::Shared([bytes, vec![0]].concat())), []);
    }
    assert_eq!(net.feed(0, Input::Shared(vec![0; MAX_SHARED + 1])), []);
    assert_eq!(net.members(0), [id(1)]);
    // A state that was asked for counts.
    net.feed(0, Input::Shared(Message::State(part(0, 1)).to_bytes()));
    assert_eq!(net.members(0), sorted([1, 9]));
    for n in 0..1000 {
        let news = News { from: TrackerId(1000 + n), seq: 0, change: Change::Alive };
        net.feed(0, Input::Shared(Message::News(news).to_bytes()));
    }
    assert_eq!(net.trackers[0].others(), MAX_TRACKERS);
}

/// Trackers whose messages arrive at once, or not at all.
struct Net {
    trackers: Vec<Tracker>,
    is_up: Vec<bool>,
    /// Loses every fifth message.
    loss: Option<Dice>,
    dice: Dice,
    now: u64,
    closed: Vec<(usize, u64, Reason)>,
}

impl Net {
    fn new(count: u8) -> Self {
        let tracker = |n: u8| {
            let urls = vec!["ws://tracker.example".to_owned()];
            let cluster = Some(TrackerId(n.into()));
            let (max_per_network, relay_bytes, needs_token) = (1000, 2048, false);
            let config = Config { urls, max_per_network, relay_bytes, needs_token, cluster };
            Tracker::new(config, [n; 32])
        };
        let trackers: Vec<Tracker> = (0..count).map(tracker).collect();
        let is_up = vec![true; trackers.len()];
        let dice = Dice::new([7; 32]);
        let mut net = Self { trackers, is_up, loss: None, dice, now: 0, closed: Vec::new() };
        (0..net.trackers.len()).for_each(|at| drop(net.feed(at, Input::ClusterUp)));
        net
    }

    /// Feeds one tracker and carries what trackers say to each other. Returns what this one orders.
    fn feed(&mut self, at: usize, input: Input) -> Vec<Output> {
        let out = self.feed_all(at, input);
        out.into_iter().filter(|(tracker, _)| *tracker == at).map(|(_, output)| output).collect()
    }

    fn feed_all(&mut self, at: usize, input: Input) -> Vec<(usize, Output)> {
        let mut queue = VecDeque::from([(at, input)]);
        let mut all = Vec::new();
        while let Some((at, input)) = queue.pop_front() {
            let mut out = Vec::new();
            self.trackers[at].handle(Moment::from_millis(self.now), input, &mut out);
            for output in out {
                if let Output::Share(to, bytes) = &output {
                    for there in 0..self.trackers.len() {
                        let is_for = there != at
                            && [To::All, To::One(TrackerId(u64::try_from(there).unwrap()))]
                                .contains(to);
                        let is_lost = self.loss.as_mut().is_some_and(|dice| dice.below(5) == 0);
                        if is_for && !is_lost && self.is_up[at] && self.is_up[there] {
                            queue.push_back((there, Input::Shared(bytes.clone())));
                        }
                    }
                } else if let Output::Close(conn, reason) = &output {
                    self.closed.push((at, conn.0, *reason));
                }
                all.push((at, output));
            }
        }
        all
    }

    fn say(&mut self, at: usize, conn: u8, message: &ToTracker) -> Vec<(usize, u64, ToListener)> {
        let message = Input::Message(Connection(conn.into()), message.to_bytes());
        let all = self.feed_all(at, message);
        let heard = |(at, output)| said(&[output]).pop().map(|(conn, said)| (at, conn, said));
        all.into_iter().filter_map(heard).collect()
    }

    /// The key number `n` connects, signs in and joins; returns what it is told.
    fn enter(&mut self, at: usize, n: u8) -> Vec<(u64, ToListener)> {
        let conn = Connection(n.into());
        self.feed(at, Input::Closed(conn));
        let caller = from(IpAddr::from([10, n, 0, 1]));
        let out = self.feed(at, Input::Opened(conn, caller));
        let [(_, ToListener::Challenge(nonce))] = said(&out)[..] else { panic!("{out:?}") };
        self.say(at, n, &ToTracker::SignIn(sign_in(n, nonce)));
        let told = self.say(at, n, &ToTracker::Join(STREAM));
        told.into_iter().filter(|(to, ..)| *to == at).map(|(_, conn, said)| (conn, said)).collect()
    }

    /// Lets time pass, at most half a minute for those who say nothing.
    fn wait(&mut self, until: u64) {
        while self.now < until {
            self.now = until.min(self.now + 100);
            (0..self.trackers.len()).for_each(|at| drop(self.feed(at, Input::Tick)));
        }
    }

    /// Lets time pass for one tracker alone, while one listener stays alive.
    fn beat(&mut self, at: usize, conn: u8, until: u64) {
        self.say(at, conn, &ToTracker::Heartbeat);
        while self.now < until {
            self.now = until.min(self.now + 100);
            self.feed(at, Input::Tick);
        }
    }

    fn members(&self, at: usize) -> Vec<PeerId> {
        let swarm = self.trackers[at].swarms.get(&STREAM);
        swarm.map(|swarm| swarm.iter().map(|(peer, _)| *peer).collect()).unwrap_or_default()
    }

    fn roll(&mut self, below: u8) -> u8 {
        u8::try_from(self.dice.below(below.into())).unwrap()
    }
}

fn sorted<const N: usize>(numbers: [u8; N]) -> Vec<PeerId> {
    let all: BTreeSet<PeerId> = numbers.into_iter().map(|n| PeerId(key(n).public())).collect();
    all.into_iter().collect()
}
