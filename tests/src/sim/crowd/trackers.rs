//! The node's own tracker, or several that share the swarm where there are more listeners than one takes.

use super::{Crowd, Event, START_MS, Whereabouts, kind::Kind};
use antiphon_core::{
    peer::{swarm, tracker_wire::ToListener},
    time::{Moment, UnixMillis},
};
use antiphon_node::tracker::{
    Caller, Config, Connection, Input, MAX_PEERS, Output, Tracker,
    cluster::{To, TrackerId},
};
use std::collections::BTreeMap;

/// Milliseconds that a message to or from a tracker takes, or from one to another.
pub(super) const TRACKER_MS: u64 = 30;
/// Bytes of a message beside what it carries: WebSocket, TLS, TCP, IP.
const ENVELOPE: u64 = 6 + 29 + 40;

/// The trackers, while they live.
#[derive(Debug)]
pub(super) struct Trackers {
    /// None while they are dead.
    machines: Vec<Option<Tracker>>,
    ids: Vec<Option<TrackerId>>,
    wakes: Vec<Option<Moment>>,
    /// Whose each connection is, and with which tracker.
    sockets: BTreeMap<Connection, (usize, usize)>,
    next: u64,
}

impl Trackers {
    /// As many as it takes for so many listeners, with room for those who come while others go.
    pub(super) fn new(listeners: usize) -> Self {
        let count = listeners / (MAX_PEERS * 3 / 4) + 1;
        let machines = (0..count).map(|_| None).collect();
        let (ids, wakes) = (vec![None; count], vec![None; count]);
        Self { machines, ids, wakes, sockets: BTreeMap::new(), next: 0 }
    }

    /// Returns the URLs that a listener dials one after the other.
    pub(super) fn urls(&self, who: usize) -> String {
        let count = self.machines.len();
        let urls: Vec<String> = (0..count).map(|step| url((who + step) % count)).collect();
        urls.join(" ")
    }
}

fn url(tracker: usize) -> String {
    format!("wss://tracker-{tracker}")
}

impl Crowd {
    /// Starts trackers that know nobody.
    pub(super) fn raise_trackers(&mut self) {
        let count = self.trackers.machines.len();
        for index in 0..count {
            let cluster = (count > 1).then(|| TrackerId(self.dice.roll()));
            let config = Config {
                urls: vec![url(index)],
                max_per_network: 64,
                relay_bytes: 0,
                needs_token: false,
                cluster,
            };
            self.trackers.ids[index] = cluster;
            self.trackers.machines[index] = Some(Tracker::new(config, self.dice.bytes()));
            self.tell(index, Input::ClusterUp);
        }
    }

    /// Ends all of them; who was connected notices.
    pub(super) fn kill_trackers(&mut self) {
        self.trackers.machines.iter_mut().for_each(|machine| *machine = None);
        for (connection, (who, _)) in std::mem::take(&mut self.trackers.sockets) {
            self.at(self.now + TRACKER_MS, Event::Cut(who, connection));
        }
    }

    /// Dials a tracker. Returns what the connection is called.
    pub(super) fn dial_tracker(&mut self, who: usize, url_of: &str) -> Connection {
        self.trackers.next += 1;
        let connection = Connection(self.trackers.next);
        let count = self.trackers.machines.len();
        let tracker = (0..count).find(|index| url(*index) == url_of).unwrap();
        if self.trackers.machines[tracker].is_none() {
            self.at(self.now + 2 * TRACKER_MS, Event::Cut(who, connection));
            return connection;
        }
        self.trackers.sockets.insert(connection, (who, tracker));
        let Whereabouts { address, place, .. } = self.listeners[who].as_ref().unwrap().whereabouts;
        let clock = UnixMillis(self.now);
        let caller = Caller { address, place, token: None, clock };
        self.at(self.now + 2 * TRACKER_MS, Event::Heard(who, connection, None));
        self.at(self.now + TRACKER_MS, Event::Tell(tracker, Input::Opened(connection, caller)));
        connection
    }

    pub(super) fn say_to_tracker(&mut self, connection: Connection, bytes: Vec<u8>) {
        let Some((_, tracker)) = self.trackers.sockets.get(&connection) else { return };
        self.report.signalled += bytes.len() as u64 + ENVELOPE;
        self.at(self.now + TRACKER_MS, Event::Tell(*tracker, Input::Message(connection, bytes)));
    }

    pub(super) fn hang_up_tracker(&mut self, connection: Connection) {
        if let Some((_, tracker)) = self.trackers.sockets.remove(&connection) {
            self.at(self.now + TRACKER_MS, Event::Tell(tracker, Input::Closed(connection)));
        }
    }

    pub(super) fn tell(&mut self, tracker: usize, input: Input) {
        let Some(machine) = &mut self.trackers.machines[tracker] else { return };
        let (mut out, now) = (Vec::new(), Moment::from_millis(self.now));
        if input == Input::Tick {
            self.trackers.wakes[tracker] = None;
        }
        machine.handle(now, input, &mut out);
        let due = machine.deadline();
        for output in out {
            self.told(tracker, output);
        }
        let wake = &mut self.trackers.wakes[tracker];
        if let Some(due) = due.filter(|due| wake.is_none_or(|wake| *due < wake)) {
            *wake = Some(due);
            self.queue.push(due.max(now), Event::Tell(tracker, Input::Tick));
        }
    }

    fn told(&mut self, tracker: usize, output: Output) {
        let at = self.now + TRACKER_MS;
        match output {
            Output::Send(connection, bytes) | Output::Relay(connection, bytes) => {
                let Some((who, _)) = self.trackers.sockets.get(&connection).copied() else {
                    return;
                };
                self.report.signalled += bytes.len() as u64 + ENVELOPE;
                self.at(at, Event::Heard(who, connection, Some(bytes)));
            }
            Output::Close(connection, _) => {
                let Some((who, _)) = self.trackers.sockets.remove(&connection) else { return };
                let kind = self.listeners[who].as_ref().map(|listener| listener.kind);
                self.report.put_out += u64::from(kind.is_some_and(|kind| kind != Kind::Impostor));
                self.at(at, Event::Cut(who, connection));
            }
            Output::Refused(..) => {}
            Output::Share(to, bytes) => {
                for other in (0..self.trackers.machines.len()).filter(|other| *other != tracker) {
                    if to == To::All || self.trackers.ids[other].map(To::One) == Some(to) {
                        self.at(at, Event::Tell(other, Input::Shared(bytes.clone())));
                    }
                }
            }
        }
    }

    /// Something came over a socket to a tracker: a message, or word that it is open.
    pub(super) fn heard(&mut self, who: usize, connection: Connection, bytes: Option<Vec<u8>>) {
        let Some(listener) = &self.listeners[who] else { return };
        if listener.kind == Kind::Impostor {
            return self.pretend(who, connection, bytes.unwrap_or_default());
        }
        // Eclipsers dial nobody but whom they surround.
        let is_list = || {
            matches!(
                bytes.as_deref().map(ToListener::from_bytes),
                Some(Ok(ToListener::Candidates(_)))
            )
        };
        if listener.socket != Some(connection) || listener.kind == Kind::Eclipser && is_list() {
            return;
        }
        let input = bytes.map_or(swarm::Input::TrackerOpened, swarm::Input::TrackerMessage);
        self.swarm(who, input);
    }

    /// A socket to a tracker is gone.
    pub(super) fn cut(&mut self, who: usize, connection: Connection) {
        let Some(listener) = &mut self.listeners[who] else { return };
        if listener.socket == Some(connection) {
            listener.socket = None;
            self.swarm(who, swarm::Input::TrackerClosed);
        }
    }

    /// Whether trackers are to die and to rise again.
    pub(super) fn plan_trackers(&mut self) {
        let dead = self.setting.dead_tracker.clone();
        self.raise_trackers();
        if dead.is_empty() {
            return;
        }
        if dead.start == 0 {
            self.kill_trackers();
        } else {
            self.at(START_MS + dead.start, Event::Trackers(false));
        }
        if let Some(end) = START_MS.checked_add(dead.end) {
            self.at(end, Event::Trackers(true));
        }
    }
}
