//! Who is linked with whom: carries out what a listener's swarm orders.
//!
//! ```text
//! CreateLink --describe--> Described --tracker--> CreateLink of the other --> Described --tracker--> AcceptAnswer --> LinkOpened
//! ```

use super::{Crowd, Event, kind::Kind};
use antiphon_core::{
    codec,
    delivery::{fetch, serve},
    id::PeerId,
    peer::{
        LinkId,
        swarm::{self, Worth},
    },
};

/// What it takes to gather the candidates of a description.
const DESCRIBE_MS: u64 = 50;
/// Turns of a link from the answer to an open channel: checks, DTLS, SCTP.
const TURNS: u64 = 5;
/// Bytes of a description. Source: a data channel of Chromium with four candidates.
const SDP_BYTES: usize = 700;

/// One end of a link.
pub(super) type End = (usize, LinkId);

impl Crowd {
    /// Lets a listener's swarm hear something.
    pub(super) fn swarm(&mut self, who: usize, input: swarm::Input) {
        let Some(listener) = &mut self.listeners[who] else { return };
        let mut out = Vec::new();
        listener.swarm.handle(listener.moment(self.now), input, &mut out);
        listener.swarm_due = listener.swarm.deadline();
        for output in out {
            self.swarmed(who, output);
        }
        self.arm(who);
    }

    fn swarmed(&mut self, who: usize, output: swarm::Output) {
        match output {
            swarm::Output::ConnectTracker(url) => {
                let connection = self.dial_tracker(who, url.as_str());
                self.socket(who, Some(connection));
            }
            swarm::Output::TrackerSend(bytes) => {
                let socket = self.listeners[who].as_ref().and_then(|listener| listener.socket);
                if let Some(connection) = socket {
                    self.say_to_tracker(connection, bytes);
                }
            }
            swarm::Output::CloseTracker => self.socket(who, None),
            swarm::Output::CreateLink(link, _) => {
                if let Some(listener) = &mut self.listeners[who] {
                    listener.pipes.insert(link, None);
                }
                // The "description" says who describes, and which link.
                let sdp = format!("{who} {} {:>SDP_BYTES$}", link.0, "");
                let described = swarm::Input::Described(link, sdp);
                self.at(self.now + DESCRIBE_MS, Event::Swarm(who, described));
            }
            swarm::Output::AcceptAnswer(link, sdp) => {
                if let Some(other) = read(&sdp) {
                    let took = TURNS * self.latency(who, other.0);
                    self.at(self.now + took, Event::Linked((who, link), other));
                }
            }
            swarm::Output::CloseLink(link) => {
                let Some(listener) = &mut self.listeners[who] else { return };
                if let Some(other) = listener.pipes.remove(&link).flatten() {
                    let at = self.now + self.latency(who, other.0);
                    self.at(at, Event::Unlinked(other));
                }
            }
            swarm::Output::Joined(_, peer) => self.joined(who, peer),
            swarm::Output::Left(_, peer) => self.left(who, peer),
            swarm::Output::Weigh => self.weigh(who),
            swarm::Output::LetGo(..) => self.report.let_go += 1,
            swarm::Output::Crowd(crowd) => self.fetch(who, fetch::Input::Crowd(crowd.into())),
            swarm::Output::Trouble(_) => self.report.troubles += 1,
            swarm::Output::AddCandidates(..)
            | swarm::Output::Welcomed
            | swarm::Output::Relayed(..) => {}
        }
    }

    /// Says what neighbours are good for, as the client of a page does; whoever gives nothing keeps whom it has.
    fn weigh(&mut self, who: usize) {
        let Some(listener) = &self.listeners[who] else { return };
        if !self.setting.refreshes || !listener.kind.serves() {
            return;
        }
        let at = listener.moment(self.now);
        let worth = |peer: PeerId| {
            let is_running =
                listener.fetch.is_asking(&peer) || listener.serve.is_serving(at, &peer);
            if is_running {
                Worth::Held
            } else if listener.fetch.is_useless(&peer) {
                Worth::Useless
            } else {
                Worth::Useful
            }
        };
        let neighbours = listener.swarm.neighbours().map(|(_, peer)| (peer, worth(peer)));
        let worths = neighbours.collect();
        self.swarm(who, swarm::Input::Weighed(worths));
    }

    fn socket(&mut self, who: usize, socket: Option<antiphon_node::tracker::Connection>) {
        let Some(listener) = &mut self.listeners[who] else { return };
        if let Some(old) = std::mem::replace(&mut listener.socket, socket) {
            self.hang_up_tracker(old);
        }
    }

    /// A channel opens, if neither end has given it up.
    pub(super) fn linked(&mut self, one: End, two: End) {
        for (here, there) in [(one, two), (two, one)] {
            let Some(listener) = &mut self.listeners[here.0] else { return };
            let Some(pipe) = listener.pipes.get_mut(&here.1) else { return };
            *pipe = Some(there);
        }
        self.swarm(one.0, swarm::Input::LinkOpened(one.1));
        self.swarm(two.0, swarm::Input::LinkOpened(two.1));
    }

    /// A channel closes by the other end.
    pub(super) fn unlinked(&mut self, (who, link): End) {
        let Some(listener) = &mut self.listeners[who] else { return };
        if listener.pipes.remove(&link).is_some() {
            self.swarm(who, swarm::Input::LinkClosed(link));
        }
    }

    fn joined(&mut self, who: usize, peer: PeerId) {
        let to = self.names[&peer];
        let latency = self.latency(who, to);
        let Some(listener) = &mut self.listeners[who] else { return };
        listener.links.insert(to, latency);
        let holdings = listener.kind.announces().then(|| listener.fetch.holdings());
        self.serve(who, serve::Input::Joined(peer));
        self.serve(who, serve::Input::Credit(peer, serve::UNLIMITED));
        self.fetch(who, fetch::Input::Joined(peer));
        if let Some(holdings) = holdings {
            self.say(who, to, codec::encode(&holdings).len() as u64, |from| {
                Event::Fetch(to, fetch::Input::Has(from, holdings))
            });
        }
    }

    fn left(&mut self, who: usize, peer: PeerId) {
        let other = self.names[&peer];
        let Some(listener) = &mut self.listeners[who] else { return };
        listener.links.remove(&other);
        listener.sending.remove(&other);
        self.fetch(who, fetch::Input::Left(peer));
        self.serve(who, serve::Input::Left(peer));
    }

    /// Returns how many milliseconds a message takes from one to the other.
    pub(super) fn latency(&self, one: usize, other: usize) -> u64 {
        match (&self.listeners[one], &self.listeners[other]) {
            (Some(one), Some(other)) if [one.kind, other.kind].contains(&Kind::Charmer) => 1,
            (Some(one), Some(other)) => one.whereabouts.latency(&other.whereabouts),
            _ => 0,
        }
    }
}

/// Reads a description.
fn read(text: &str) -> Option<End> {
    let mut parts = text.split(' ').map(|part| part.parse::<u64>().ok());
    Some((parts.next()?? as usize, LinkId(parts.next()??)))
}
