//! Introduces the listeners of a stream to each other, and knows nothing else about them.
//!
//! ```text
//! Opened --Challenge--> Strange --SignIn, signed for us--> Known --Join--> Member --Heartbeat, Signal--> ...
//!                          '--10 s, a wrong word--> closed      '--40 s of silence--> closed
//! ```
//!
//! A listener is its key. It joins one stream, is told a few others of that stream at random, and hands on
//! descriptions only to members of it. Nobody can list a swarm, speak for another, or put another out: a second
//! connection replaces only one of the same key. Its rank is our count of joins and survives a short absence.
//!
//! Source: FIELD-NOTES recommendation 6, c.19; ALLA-18, ALLA-19. Deviation: no positions yet, so candidates are a
//! random draw.

mod limits;
mod swarm;
#[cfg(test)]
mod tests;

use antiphon_core::{codec::Bounded, crypto::Signed};
use antiphon_core::{
    crypto::Hash,
    id::{PeerId, StreamId},
    peer::tracker_wire::{
        Candidates, ForwardedSignal, MAX_CANDIDATES, SignIn, Signal, ToListener, ToTracker,
        TrackerRefusal,
    },
    time::Moment,
};
use limits::Bucket;
use std::{collections::BTreeMap, net::IpAddr, time::Duration};
use swarm::Swarm;

/// Connections at once. Chosen here: what one process with the default 64 Ki descriptors carries.
pub const MAX_CONNECTIONS: usize = 50_000;
/// Connections of one address. Chosen here: a household or a class room behind one router.
pub const MAX_PER_ADDRESS: usize = 64;
/// Streams at once.
pub const MAX_SWARMS: usize = 10_000;
/// How long a stranger may take to sign in.
pub const SIGN_IN_PATIENCE: Duration = Duration::from_secs(10);
/// How long a listener may be silent: two of its heartbeats.
pub const SILENCE: Duration = Duration::from_secs(40);
/// How long a rank is kept for who left.
pub const ABSENCE: Duration = Duration::from_secs(60);

/// Names a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Connection(pub u64);

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// Somebody connected from this address.
    Opened(Connection, IpAddr),
    /// A message came. Unverified.
    Message(Connection, Vec<u8>),
    /// The connection ended.
    Closed(Connection),
    /// Time moved on.
    Tick,
}

/// What the host must do, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Send a message.
    Send(Connection, Vec<u8>),
    /// Close the connection; the host need not report it closed.
    Close(Connection),
}

/// How much there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// Open connections.
    pub connections: usize,
    /// Streams with at least one member.
    pub swarms: usize,
    /// Messages that were refused.
    pub refused: u64,
}

/// Somebody connected.
#[derive(Debug)]
struct Guest {
    address: IpAddr,
    nonce: [u8; 32],
    until: Moment,
    bucket: Bucket,
    peer: Option<PeerId>,
    stream: Option<StreamId>,
}

/// The tracker of any number of streams.
#[derive(Debug)]
pub struct Tracker {
    /// How listeners may call us.
    urls: Vec<String>,
    seed: [u8; 32],
    draws: u64,
    guests: BTreeMap<Connection, Guest>,
    by_peer: BTreeMap<PeerId, Connection>,
    by_address: BTreeMap<IpAddr, usize>,
    swarms: BTreeMap<StreamId, Swarm>,
    refused: u64,
}

impl Tracker {
    /// Makes a tracker that answers to these URLs. The seed feeds nonces and draws: fresh entropy of the host.
    pub fn new(urls: impl IntoIterator<Item = String>, seed: [u8; 32]) -> Self {
        Self {
            urls: urls.into_iter().map(|url| plain(&url).to_owned()).collect(),
            seed,
            draws: 0,
            guests: BTreeMap::new(),
            by_peer: BTreeMap::new(),
            by_address: BTreeMap::new(),
            swarms: BTreeMap::new(),
            refused: 0,
        }
    }

    /// Applies one input and appends what the host must do to `out`.
    pub fn handle(&mut self, now: Moment, input: Input, out: &mut Vec<Output>) {
        match input {
            Input::Opened(id, address) => self.opened(now, id, address, out),
            Input::Message(id, bytes) => self.message(now, id, &bytes, out),
            Input::Closed(id) => self.forget(now, id),
            Input::Tick => self.sweep(now, out),
        }
    }

    /// Returns when [`Input::Tick`] is next needed.
    pub fn deadline(&self) -> Option<Moment> {
        let guests = self.guests.values().map(|guest| guest.until).min();
        let absent = self.swarms.values().filter_map(Swarm::deadline).min();
        guests.into_iter().chain(absent).min()
    }

    /// Returns how much there is.
    pub fn census(&self) -> Census {
        let swarms = self.swarms.values().filter(|swarm| !swarm.is_empty()).count();
        Census { connections: self.guests.len(), swarms, refused: self.refused }
    }

    fn opened(&mut self, now: Moment, id: Connection, address: IpAddr, out: &mut Vec<Output>) {
        let here = self.by_address.get(&address).copied().unwrap_or(0);
        if self.guests.len() >= MAX_CONNECTIONS || here >= MAX_PER_ADDRESS {
            self.refused = self.refused.saturating_add(1);
            out.push(Output::Send(id, ToListener::Refused(TrackerRefusal::TooMuch).to_bytes()));
            out.push(Output::Close(id));
            return;
        }
        let nonce = self.draw();
        let guest = Guest {
            address,
            nonce,
            until: now.after(SIGN_IN_PATIENCE),
            bucket: Bucket::full(now),
            peer: None,
            stream: None,
        };
        self.by_address.insert(address, here.saturating_add(1));
        self.guests.insert(id, guest);
        out.push(Output::Send(id, ToListener::Challenge(nonce).to_bytes()));
    }

    fn message(&mut self, now: Moment, id: Connection, bytes: &[u8], out: &mut Vec<Output>) {
        let Some(guest) = self.guests.get_mut(&id) else { return };
        if !guest.bucket.take(now) {
            return self.expel(now, id, TrackerRefusal::TooMuch, out);
        }
        let Ok(message) = ToTracker::from_bytes(bytes) else {
            return self.expel(now, id, TrackerRefusal::BadMessage, out);
        };
        let Some(peer) = guest.peer else {
            let ToTracker::SignIn(sign_in) = message else {
                return self.expel(now, id, TrackerRefusal::NotSignedIn, out);
            };
            return self.sign_in(now, id, &sign_in, out);
        };
        guest.until = now.after(SILENCE);
        match message {
            ToTracker::SignIn(_) => self.expel(now, id, TrackerRefusal::BadMessage, out),
            ToTracker::Join(stream) => self.join(now, id, peer, stream, out),
            ToTracker::Leave(stream) => {
                if guest.stream == Some(stream) {
                    self.leave(now, id);
                }
            }
            ToTracker::Heartbeat => self.introduce(id, peer, out),
            ToTracker::Signal(signal) => self.hand_on(id, peer, signal, out),
        }
    }

    fn sign_in(&mut self, now: Moment, id: Connection, sign_in: &SignIn, out: &mut Vec<Output>) {
        let Some(guest) = self.guests.get_mut(&id) else { return };
        let is_for_us = self.urls.iter().any(|url| url == plain(sign_in.tracker.as_str()));
        if !is_for_us || sign_in.verify(guest.nonce).is_err() {
            return self.expel(now, id, TrackerRefusal::BadSignIn, out);
        }
        let peer = PeerId(sign_in.key);
        guest.peer = Some(peer);
        guest.until = now.after(SILENCE);
        // The same key proved itself again: its older connection is a ghost. Nobody else's can be replaced.
        if let Some(old) = self.by_peer.insert(peer, id) {
            self.forget(now, old);
            self.by_peer.insert(peer, id);
            out.push(Output::Close(old));
        }
    }

    fn join(
        &mut self,
        now: Moment,
        id: Connection,
        peer: PeerId,
        stream: StreamId,
        out: &mut Vec<Output>,
    ) {
        if self.guests.get(&id).is_some_and(|guest| guest.stream.is_some_and(|s| s != stream)) {
            self.leave(now, id);
        }
        if !self.swarms.contains_key(&stream) && self.swarms.len() >= MAX_SWARMS {
            return self.refuse(id, TrackerRefusal::TooMuch, out);
        }
        let Some(rank) = self.swarms.entry(stream).or_default().join(now, peer) else {
            return self.refuse(id, TrackerRefusal::TooMuch, out);
        };
        if let Some(guest) = self.guests.get_mut(&id) {
            guest.stream = Some(stream);
        }
        out.push(Output::Send(id, ToListener::Welcome(stream, rank).to_bytes()));
        self.introduce(id, peer, out);
    }

    /// Tells a member some others of its stream.
    fn introduce(&mut self, id: Connection, peer: PeerId, out: &mut Vec<Output>) {
        let Some(stream) = self.guests.get(&id).and_then(|guest| guest.stream) else {
            return self.refuse(id, TrackerRefusal::NotJoined, out);
        };
        let draw = self.draw();
        let Some(swarm) = self.swarms.get(&stream) else { return };
        let peers = Bounded::try_from(swarm.some(peer, draw, MAX_CANDIDATES)).unwrap_or_default();
        let candidates = Candidates { stream, peers };
        out.push(Output::Send(id, ToListener::Candidates(candidates).to_bytes()));
    }

    /// Hands a description on, untouched, to a member of the stream that both are in.
    fn hand_on(
        &mut self,
        id: Connection,
        peer: PeerId,
        signal: Signed<Signal>,
        out: &mut Vec<Output>,
    ) {
        let stream = self.guests.get(&id).and_then(|guest| guest.stream);
        if stream != Some(signal.body.stream) || signal.body.from != peer {
            return self.refuse(id, TrackerRefusal::BadMessage, out);
        }
        let swarm = self.swarms.get(&signal.body.stream);
        let rank = swarm.and_then(|swarm| swarm.rank(&peer));
        let is_member = swarm.is_some_and(|swarm| swarm.rank(&signal.body.to).is_some());
        let to = self.by_peer.get(&signal.body.to).filter(|_| is_member);
        let (Some(rank), Some(to)) = (rank, to) else {
            return self.refuse(id, TrackerRefusal::NoSuchPeer, out);
        };
        let forwarded = ToListener::Signal(ForwardedSignal { rank, signal });
        out.push(Output::Send(*to, forwarded.to_bytes()));
    }

    fn refuse(&mut self, id: Connection, why: TrackerRefusal, out: &mut Vec<Output>) {
        self.refused = self.refused.saturating_add(1);
        out.push(Output::Send(id, ToListener::Refused(why).to_bytes()));
    }

    fn expel(&mut self, now: Moment, id: Connection, why: TrackerRefusal, out: &mut Vec<Output>) {
        self.refuse(id, why, out);
        self.forget(now, id);
        out.push(Output::Close(id));
    }

    fn forget(&mut self, now: Moment, id: Connection) {
        self.leave(now, id);
        let Some(guest) = self.guests.remove(&id) else { return };
        if let Some(peer) = guest.peer.filter(|peer| self.by_peer.get(peer) == Some(&id)) {
            self.by_peer.remove(&peer);
        }
        if let Some(here) = self.by_address.get_mut(&guest.address) {
            *here = here.saturating_sub(1);
            if *here == 0 {
                self.by_address.remove(&guest.address);
            }
        }
    }

    fn leave(&mut self, now: Moment, id: Connection) {
        let Some(guest) = self.guests.get_mut(&id) else { return };
        let left = guest.stream.take().zip(guest.peer);
        if let Some((stream, peer)) = left
            && let Some(swarm) = self.swarms.get_mut(&stream)
        {
            swarm.leave(now, peer);
        }
    }

    /// Closes who was silent, forgets who stayed away.
    fn sweep(&mut self, now: Moment, out: &mut Vec<Output>) {
        let silent = self.guests.iter().filter(|(_, guest)| guest.until <= now);
        for id in silent.map(|(id, _)| *id).collect::<Vec<_>>() {
            self.forget(now, id);
            out.push(Output::Close(id));
        }
        self.swarms.retain(|_, swarm| {
            swarm.sweep(now);
            !swarm.is_over()
        });
    }

    /// Returns 32 bytes that nobody outside can foretell.
    fn draw(&mut self) -> [u8; 32] {
        self.draws = self.draws.saturating_add(1);
        Hash::of(&[b"antiphon tracker", &self.seed, &self.draws.to_le_bytes()]).0
    }
}

/// A URL without the slash that browsers add.
fn plain(url: &str) -> &str {
    url.trim_end_matches('/')
}
