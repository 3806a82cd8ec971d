//! Thousands of listeners of one live stream: the fetchers and servers of real listeners over simulated links, lines and an
//! origin.
//!
//! ```text
//! playlist --poll--> Fetch --ask--> line --> Serve --uplink, in turn--> line --> Fetch --> player
//!                      '---order---> origin ---------------------------------------^
//! ```
//!
//! They meet as pages do: by the swarm of core and the tracker of the node, which knows where they are. What is left out is what
//! does not grow with the crowd: wallets, the chain, the hello of a link. Chunks are free here, and each segment is one chunk
//! of a few bytes whose transfer takes as long as [`NOMINAL`] would, so that a hundred thousand caches fit into memory; so a
//! bad chunk wastes a whole segment, where a page loses a third of one.
//!
//! Source: issue 5, "In the simulator"; FIELD-NOTES recommendation 10.

mod foes;
mod kind;
mod lines;
mod links;
mod listener;
mod place;
mod report;
mod setting;
mod trackers;

pub use kind::Kind;
pub use report::Report;
pub use setting::Setting;

use super::{dice::Dice, queue::Queue};
use antiphon_core::{
    delivery::{
        chunk::ChunkId,
        fetch::{self, Body},
        record::Record,
        serve::{self, Asked},
    },
    id::{PeerId, StreamId},
    peer::swarm,
    time::Moment,
};
use antiphon_node::tracker::{self, Connection, Place};
use links::End;
use listener::{Line, Listener};
use place::Whereabouts;
use std::{collections::BTreeMap, time::Duration};
use trackers::Trackers;

/// Milliseconds of a segment, but where a setting says otherwise.
pub const SEGMENT_MS: u64 = 2000;
/// Bytes of such a segment as lines see them: two seconds at 192 kbit/s.
pub const NOMINAL: u64 = 48 * 1024;
/// Bytes of a frame beside what it carries: length, version, kind, and what a data channel adds.
const FRAME: u64 = 6 + 28;
/// When the first of the crowd may come: the stream has been on for a while.
const START_MS: u64 = 60_000;
/// Segments in the playlist.
const WINDOW: u64 = 10;
/// Segments that a listener keeps: the playlist, and a little more. A page keeps minutes, for who listens later than others.
const KEPT: usize = 16;
/// What a lost message waits before it comes again. Source: BROWSER-LAB, "tail losses cost 0.4 s".
const RETRANSMIT_MS: u64 = 400;

/// What will happen.
#[derive(Debug)]
enum Event {
    /// Somebody comes, of this kind if one is given.
    Join(Option<Kind>),
    /// The one comes for whom foes wait.
    Ambush,
    Leave(usize),
    Poll(usize),
    Wake(usize),
    Fetch(usize, fetch::Input),
    Serve(usize, serve::Input),
    Swarm(usize, swarm::Input),
    /// A send buffer is empty again.
    Sent(usize, PeerId),
    Linked(End, End),
    Unlinked(End),
    Tell(usize, tracker::Input),
    Heard(usize, Connection, Option<Vec<u8>>),
    Cut(usize, Connection),
    /// Trackers die, or rise again.
    Trackers(bool),
}

/// A crowd in virtual time.
#[derive(Debug)]
pub struct Crowd {
    setting: Setting,
    now: u64,
    dice: Dice,
    queue: Queue<Event>,
    listeners: Vec<Option<Box<Listener>>>,
    /// Those that are here, in no order.
    present: Vec<usize>,
    trackers: Trackers,
    /// Whom eclipsers surround.
    victim: Option<usize>,
    names: BTreeMap<PeerId, usize>,
    records: BTreeMap<u64, Record>,
    report: Report,
}

impl Crowd {
    /// Makes a crowd that is still to come.
    pub fn new(setting: Setting) -> Self {
        let mut dice = Dice::new(setting.seed);
        let mut queue = Queue::default();
        for _ in 0..setting.listeners {
            let at = START_MS + dice.below(setting.arrival_ms.max(1));
            queue.push(Moment::from_millis(at), Event::Join(None));
        }
        let report = Report { segment_bytes: setting.segment_bytes(), ..Report::default() };
        let mut crowd = Self {
            trackers: Trackers::new(setting.listeners),
            victim: None,
            setting,
            now: 0,
            dice,
            queue,
            listeners: Vec::new(),
            present: Vec::new(),
            names: BTreeMap::new(),
            records: BTreeMap::new(),
            report,
        };
        crowd.plan_trackers();
        crowd.plan_eclipse();
        crowd
    }

    /// Lets it listen, and says what came of it.
    pub fn run(mut self) -> Report {
        let end = START_MS + self.setting.seconds * 1000;
        let half = START_MS + self.setting.seconds * 500;
        while let Some((at, event)) = self.queue.pop() {
            if at.as_millis() > end {
                break;
            }
            if self.now < half && at.as_millis() >= half {
                self.report.at_half = self.received();
            }
            self.now = at.as_millis();
            self.happen(event);
        }
        for listener in self.listeners.iter().flatten() {
            self.report.add(listener, end);
            self.report.look(listener, |other| self.listeners[other].as_deref());
        }
        if let Some(victim) = self.victim.and_then(|victim| self.listeners[victim].as_ref()) {
            let (peers, origin) = victim.received();
            self.report.victims = (peers, origin, victim.stalls);
        }
        self.report
    }

    /// Bytes from peers and from the origin of all so far.
    fn received(&self) -> (u64, u64) {
        let gone = (self.report.from_peers, self.report.from_origin);
        self.listeners.iter().flatten().fold(gone, |(peers, origin), listener| {
            let (more, others) = listener.received();
            (peers + more, origin + others)
        })
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Join(kind) => {
                self.join(kind);
            }
            Event::Ambush => self.victim = Some(self.join(Some(Kind::Honest))),
            Event::Leave(who) => self.leave(who),
            Event::Poll(who) => self.poll(who),
            Event::Wake(who) => self.wake(who),
            Event::Fetch(who, input) => self.fetch(who, input),
            Event::Serve(who, input) => self.serve(who, input),
            Event::Swarm(who, input) => self.swarm(who, input),
            Event::Sent(who, peer) => self.sent(who, peer),
            Event::Linked(one, two) => self.linked(one, two),
            Event::Unlinked(end) => self.unlinked(end),
            Event::Tell(tracker, input) => self.tell(tracker, input),
            Event::Heard(who, connection, bytes) => self.heard(who, connection, bytes),
            Event::Cut(who, connection) => self.cut(who, connection),
            Event::Trackers(true) => self.raise_trackers(),
            Event::Trackers(false) => self.kill_trackers(),
        }
    }

    fn at(&mut self, ms: u64, event: Event) {
        self.queue.push(Moment::from_millis(ms), event);
    }

    /// Somebody comes. Returns who.
    fn join(&mut self, kind: Option<Kind>) -> usize {
        let who = self.listeners.len();
        let drawn = self.dice.below(100);
        let kind = kind.unwrap_or_else(|| self.setting.kind(drawn));
        let uplink = self.dice.between(self.setting.uplinks);
        let uplink = if kind == Kind::Charmer { 100_000 } else { uplink };
        let is_of_few = matches!(kind, Kind::Eclipser | Kind::Impostor);
        let draw = if is_of_few { Whereabouts::of_few } else { Whereabouts::draw };
        let mut whereabouts = draw(&mut self.dice);
        if !self.setting.is_mapped {
            whereabouts.place = Place::default();
        }
        let line = Line { whereabouts, uplink, segment_ms: self.setting.segment_ms };
        let listener = Listener::new(who, kind, line, self.now, &self.trackers.urls(who));
        self.names.insert(listener.peer, who);
        self.listeners.push(Some(Box::new(listener)));
        self.present.push(who);
        if kind != Kind::Impostor {
            self.swarm(who, swarm::Input::Start);
        }
        self.poll(who);
        if let Some(median) = self.setting.stay_ms.filter(|_| kind != Kind::Eclipser) {
            // Half of those that are left go in each median.
            let mut stay = self.dice.below(median);
            while self.dice.chance(50) {
                stay += median;
            }
            self.at(self.now + stay + 1000, Event::Leave(who));
        }
        who
    }

    fn leave(&mut self, who: usize) {
        self.swarm(who, swarm::Input::Stop);
        let Some(listener) = self.listeners[who].take() else { return };
        self.report.add(&listener, self.now);
        self.present.retain(|other| *other != who);
        self.at(self.now, Event::Join(None));
    }

    /// The player reads the playlist, and wants what is new in it.
    fn poll(&mut self, who: usize) {
        if self.listeners[who].is_none() {
            return;
        }
        let newest = self.now / self.setting.segment_ms;
        for sequence in newest.saturating_sub(WINDOW)..newest {
            self.records.entry(sequence).or_insert_with(|| record(sequence));
        }
        let (now, behind) = (self.now, self.setting.behind_ms);
        let Some(listener) = &mut self.listeners[who] else { return };
        let (mut inputs, mut new) = (Vec::new(), 0);
        for sequence in newest.saturating_sub(WINDOW)..newest {
            if listener.knows(sequence) {
                continue;
            }
            new += 1;
            inputs.push(fetch::Input::Known(self.records[&sequence].clone()));
            inputs.extend(listener.wants(sequence, now, behind));
        }
        for input in inputs {
            self.fetch(who, input);
        }
        self.mischief(who, newest, new);
        if self.victim == Some(who) {
            self.look_at_victim(who);
        }
        // RFC 8216 §6.3.4: half as long where nothing was new.
        let until_next = self.setting.segment_ms / if new == 0 { 2 } else { 1 };
        let wait = until_next - 20 + self.dice.below(40);
        self.at(self.now + wait, Event::Poll(who));
    }

    fn wake(&mut self, who: usize) {
        let now = self.now;
        let Some(listener) = &mut self.listeners[who] else { return };
        let at = listener.moment(now);
        listener.wake = None;
        let is_due = |deadline: Option<Moment>| deadline.is_some_and(|due| due <= at);
        let (fetches, serves, swarms) = (
            is_due(listener.fetch.deadline()),
            is_due(listener.serve.deadline()),
            is_due(listener.swarm_due),
        );
        if fetches {
            self.fetch(who, fetch::Input::Tick);
        }
        if serves {
            self.serve(who, serve::Input::Tick);
        }
        if swarms {
            self.swarm(who, swarm::Input::Tick);
        }
        self.arm(who);
    }

    /// Lets the listener wake when its machines next need it.
    fn arm(&mut self, who: usize) {
        let Some(listener) = &mut self.listeners[who] else { return };
        let due = [listener.fetch.deadline(), listener.serve.deadline(), listener.swarm_due];
        let Some(due) = due.into_iter().flatten().min() else { return };
        if listener.wake.is_none_or(|wake| due < wake) {
            listener.wake = Some(due);
            self.queue.push(due, Event::Wake(who));
        }
    }

    fn fetch(&mut self, who: usize, input: fetch::Input) {
        if let fetch::Input::Chunk(peer, chunk) = &input {
            self.measure(who, *peer, chunk.id);
        }
        let Some(listener) = &mut self.listeners[who] else { return };
        let mut out = Vec::new();
        listener.fetch.handle(listener.moment(self.now), input, &mut out);
        for output in out {
            self.fetched(who, output);
        }
        self.arm(who);
    }

    /// An answer says how near the neighbour is, as the client of a page finds it out.
    fn measure(&mut self, who: usize, peer: PeerId, id: ChunkId) {
        let now = self.now;
        let Some(listener) = &mut self.listeners[who] else { return };
        let is_it = listener.probes.get(&peer).is_some_and(|(asked, _)| *asked == id);
        if is_it && let Some((_, since)) = listener.probes.remove(&peer) {
            let took = Duration::from_millis(now - since);
            self.swarm(who, swarm::Input::Measured(peer, took));
        }
    }

    fn fetched(&mut self, who: usize, output: fetch::Output) {
        match output {
            fetch::Output::Ask(peer, id) => {
                let to = self.names[&peer];
                if let Some(listener) = &mut self.listeners[who] {
                    let probe = listener.probes.entry(peer).or_insert((id, self.now));
                    if probe.1 + 5000 < self.now {
                        *probe = (id, self.now);
                    }
                }
                self.say(who, to, 11, |peer| {
                    Event::Serve(to, serve::Input::Request(Asked { peer, id }))
                });
            }
            fetch::Output::Cancel(peer, id) => {
                let to = self.names[&peer];
                self.say(who, to, 10, |peer| {
                    Event::Serve(to, serve::Input::Cancel(Asked { peer, id }))
                });
            }
            fetch::Output::Http(order, range) => {
                self.report.orders += 1;
                let length = self.setting.segment_bytes();
                self.report.ordered += length;
                // An answer, then the bytes on a line of 20 Mbit/s.
                let took = 60 + self.dice.below(90) + length / 2500;
                let body = Body { start: 0, bytes: media(range.sequence) };
                self.at(self.now + took, Event::Fetch(who, fetch::Input::Fetched(order, body)));
            }
            fetch::Output::Deliver(sequence, bytes) => {
                assert_eq!(bytes, media(sequence), "a byte that nobody signed was played");
                let now = self.now;
                if let Some(listener) = &mut self.listeners[who] {
                    listener.play(sequence, now);
                }
            }
            fetch::Output::Announce(delta) => self.announce(who, &delta),
            fetch::Output::Blame(peer, fault) if fault.is_ban() => {
                self.report.bans += 1;
                self.swarm(who, swarm::Input::Ban(peer, fault.code()));
            }
            fetch::Output::Earned(peer, _) => {
                let from = self.names[&peer];
                if let Some(from) = &mut self.listeners[from] {
                    from.earned += 1;
                }
            }
            fetch::Output::Blame(..) | fetch::Output::CancelHttp(_) => {}
            fetch::Output::Fail(..) => self.report.failed += 1,
            fetch::Output::BlameOrigin(..) => panic!("the origin is honest: {output:?}"),
        }
    }
}

/// The bytes of a segment.
fn media(sequence: u64) -> Vec<u8> {
    sequence.to_le_bytes().repeat(8)
}

fn record(sequence: u64) -> Record {
    Record::of(StreamId::default(), sequence, &media(sequence)).unwrap()
}
