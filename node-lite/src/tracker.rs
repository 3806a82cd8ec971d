//! Introduces the listeners of a stream to each other, hands on what they sign, and relays for members of a payment field who
//! could not open a channel.
//!
//! ```text
//! Opened --Challenge--> unsigned --SignIn verified--> signed in --Join--> member of swarms (at most MAX_STREAMS)
//!    '--10 s------------> closed        '--wrong--> closed     '--40 s of silence--> closed
//! ```
//!
//! Source: issue 2 "Tracker"; FIELD-NOTES c.19, whose faults are closed here: who is spoken for is who signed in,
//! nobody is evicted but by its own key, no message lists swarms, and a swarm is shown 32 at a time at the pace of
//! heartbeats. Invariant: everything held belongs to an open connection, or to the bounded list of those who left.

mod conn;
mod leavers;
mod reason;
mod swarm;

pub use reason::Reason;

use crate::bucket::{Bucket, Rate};
use antiphon_core::{
    crypto::Signed,
    id::{PeerId, StreamId},
    peer::tracker_wire::{
        Candidates, ForwardedSignal, Relay, Relayed, SignIn, Signal, ToListener, ToTracker,
        TrackerRefusal,
    },
    time::Moment,
};
use conn::{Conn, Network};
use leavers::Leavers;
use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    time::Duration,
};
use swarm::{Dice, Swarm};

/// Two heartbeats of 20 s (`antiphon_core::peer::swarm::HEARTBEAT`). Source: FIELD-NOTES c.19, expiry.
pub const SILENCE_PATIENCE: Duration = Duration::from_secs(40);

/// How long a connection may take to sign in. Chosen here.
pub const SIGN_IN_PATIENCE: Duration = Duration::from_secs(10);

/// Streams that one listener may be in at once. Chosen here.
pub const MAX_STREAMS: usize = 4;

/// Connections at once. Source: FIELD-NOTES: 5–8 KiB each, so below 256 MiB.
pub const MAX_CONNS: usize = 32_768;

/// Listeners of one stream.
pub const MAX_PEERS: usize = 16_384;

/// Messages over the rate, or wrong ones, after which a connection is closed. Chosen here.
const MAX_FAULTS: u32 = 20;

/// Messages of a connection. A join answers up to 32 candidates with an offer each.
const MESSAGES: Rate = Rate { burst: 100, milli_per_second: 10_000 };

/// Lists of candidates of a connection: the joins, and then a little faster than heartbeats.
const LISTS: Rate = Rate { burst: 6, milli_per_second: 66 };

/// Connections that one network opens.
const OPENS: Rate = Rate { burst: 100, milli_per_second: 2_000 };

/// Names a connection, as host and tracker call it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Connection(pub u64);

/// What happened outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A connection was opened from this address.
    Opened(Connection, IpAddr),
    /// A message arrived.
    Message(Connection, Vec<u8>),
    /// A connection is gone.
    Closed(Connection),
    /// Time moved on; nothing else happened.
    Tick,
}

/// What the host must do, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Send this message.
    Send(Connection, Vec<u8>),
    /// Close the connection after what was sent; the host reports nothing about it any more.
    Close(Connection, Reason),
}

/// How a tracker is run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The URLs under which listeners dial it; a sign-in for another is refused.
    pub urls: Vec<String>,
    /// Connections that one network (an IPv4 address, an IPv6 /64) may have at once.
    pub max_per_network: u32,
    /// Bytes that are relayed for one connection each second; sixteen seconds' worth at once. None if zero.
    pub relay_bytes: u32,
}

impl Config {
    const fn relays(&self) -> Rate {
        let milli_per_second = self.relay_bytes.saturating_mul(1000);
        Rate { burst: self.relay_bytes.saturating_mul(16), milli_per_second }
    }
}

/// Introduces listeners. Serves streams of any chain.
#[derive(Debug)]
pub struct Tracker {
    config: Config,
    now: Moment,
    dice: Dice,
    joins: u64,
    conns: BTreeMap<Connection, Conn>,
    peers: BTreeMap<PeerId, Connection>,
    swarms: BTreeMap<StreamId, Swarm>,
    networks: BTreeMap<Network, (u32, Bucket)>,
    leavers: Leavers,
    /// When each connection has been silent for too long.
    silences: BTreeSet<(Moment, Connection)>,
}

impl Tracker {
    /// Makes a tracker without connections. `seed` is secret: challenges come from it.
    pub fn new(config: Config, seed: [u8; 32]) -> Self {
        Self {
            config,
            now: Moment::ZERO,
            dice: Dice::new(seed),
            joins: 0,
            conns: BTreeMap::new(),
            peers: BTreeMap::new(),
            swarms: BTreeMap::new(),
            networks: BTreeMap::new(),
            leavers: Leavers::default(),
            silences: BTreeSet::new(),
        }
    }

    /// Applies one input and appends what the host must do to `out`. Inputs of unknown connections are ignored.
    pub fn handle(&mut self, now: Moment, input: Input, out: &mut Vec<Output>) {
        self.now = self.now.max(now);
        match input {
            Input::Opened(id, address) => self.opened(id, Network::of(address), out),
            Input::Message(id, bytes) => self.message(id, &bytes, out),
            Input::Closed(id) => self.forget(id),
            Input::Tick => {}
        }
        self.expire(out);
    }

    /// Returns when [`Input::Tick`] is next needed, or `None` if time does not matter now.
    pub fn deadline(&self) -> Option<Moment> {
        let silence = self.silences.first().map(|(at, _)| *at);
        silence.into_iter().chain(self.leavers.deadline()).min()
    }

    /// Returns how many connections and swarms there are, for the operator.
    pub fn load(&self) -> (usize, usize) {
        (self.conns.len(), self.swarms.len())
    }

    fn opened(&mut self, id: Connection, network: Network, out: &mut Vec<Output>) {
        let now = self.now;
        if self.conns.contains_key(&id) {
            return;
        }
        if self.networks.len() >= 2 * MAX_CONNS {
            self.networks.retain(|_, (count, bucket)| *count > 0 || !bucket.is_full(now, OPENS));
        }
        let is_known = self.networks.contains_key(&network);
        let has_room =
            self.conns.len() < MAX_CONNS && (is_known || self.networks.len() < 2 * MAX_CONNS);
        if !has_room {
            return refuse_new(id, out);
        }
        let fresh = || (0, Bucket::full(now, OPENS));
        let (count, opens) = self.networks.entry(network).or_insert_with(fresh);
        if *count >= self.config.max_per_network || !opens.take(now, OPENS) {
            return refuse_new(id, out);
        }
        *count = count.saturating_add(1);
        let nonce = self.dice.bytes();
        let silent_at = now.after(SIGN_IN_PATIENCE);
        let relays = self.config.relays();
        self.conns.insert(id, Conn::new(now, network, relays, nonce, silent_at));
        self.silences.insert((silent_at, id));
        out.push(send(id, &ToListener::Challenge(nonce)));
    }

    fn message(&mut self, id: Connection, bytes: &[u8], out: &mut Vec<Output>) {
        let now = self.now;
        let Some(conn) = self.conns.get_mut(&id) else { return };
        let message = ToTracker::from_bytes(bytes);
        let is_paced = match &message {
            Ok(ToTracker::Relay(_)) => {
                conn.relays.take_many(now, self.config.relays(), bytes.len() as u64)
            }
            Ok(_) | Err(_) => conn.messages.take(now, MESSAGES),
        };
        if !is_paced {
            return self.fault(id, TrackerRefusal::TooMuch, out);
        }
        let Ok(message) = message else {
            return self.fault(id, TrackerRefusal::BadMessage, out);
        };
        let Some(peer) = conn.peer else {
            return match message {
                ToTracker::SignIn(sign_in) => self.sign_in(id, &sign_in, out),
                ToTracker::Join(_)
                | ToTracker::Leave(_)
                | ToTracker::Signal(_)
                | ToTracker::Relay(_)
                | ToTracker::Heartbeat => self.fault(id, TrackerRefusal::NotSignedIn, out),
            };
        };
        self.heard(id);
        match message {
            // A challenge is answered once.
            ToTracker::SignIn(_) => self.fault(id, TrackerRefusal::BadMessage, out),
            ToTracker::Join(stream) => self.join(id, peer, stream, out),
            ToTracker::Leave(stream) => self.leave(id, peer, stream, out),
            ToTracker::Signal(signal) => self.signal(id, peer, signal, out),
            ToTracker::Heartbeat => self.heartbeat(id, peer, out),
            ToTracker::Relay(relay) => self.relay(id, peer, relay, out),
        }
    }

    /// Only the holder of a key speaks for it. A new connection of the same key takes the place of its old one.
    fn sign_in(&mut self, id: Connection, sign_in: &SignIn, out: &mut Vec<Output>) {
        let Some(conn) = self.conns.get_mut(&id) else { return };
        let dialled = plain(sign_in.tracker.as_str());
        let is_ours = self.config.urls.iter().any(|url| plain(url) == dialled);
        if !is_ours || sign_in.verify(conn.nonce).is_err() {
            out.push(send(id, &ToListener::Refused(TrackerRefusal::BadSignIn)));
            return self.close(id, Reason::NoSignIn, out);
        }
        let peer = PeerId(sign_in.key);
        conn.peer = Some(peer);
        if let Some(old) = self.peers.get(&peer).copied() {
            self.close(old, Reason::Replaced, out);
        }
        self.peers.insert(peer, id);
        self.heard(id);
    }

    fn join(&mut self, id: Connection, peer: PeerId, stream: StreamId, out: &mut Vec<Output>) {
        let Some(conn) = self.conns.get_mut(&id) else { return };
        let is_member = conn.streams.contains(&stream);
        let peers = self.swarms.get(&stream).map_or(0, Swarm::len);
        if !is_member && (conn.streams.len() >= MAX_STREAMS || peers >= MAX_PEERS) {
            return self.fault(id, TrackerRefusal::TooMuch, out);
        }
        conn.streams.insert(stream);
        let swarm = self.swarms.entry(stream).or_default();
        let rank = swarm.rank(&peer).unwrap_or_else(|| {
            let rank = self.leavers.take(stream, peer).unwrap_or_else(|| {
                self.joins = self.joins.saturating_add(1);
                self.joins
            });
            swarm.insert(peer, rank);
            rank
        });
        out.push(send(id, &ToListener::Welcome(stream, rank)));
        self.show(id, peer, &[stream], out);
    }

    fn leave(&mut self, id: Connection, peer: PeerId, stream: StreamId, out: &mut Vec<Output>) {
        let Some(conn) = self.conns.get_mut(&id) else { return };
        if !conn.streams.remove(&stream) {
            return self.fault(id, TrackerRefusal::NotJoined, out);
        }
        self.remove(peer, stream);
    }

    fn heartbeat(&mut self, id: Connection, peer: PeerId, out: &mut Vec<Output>) {
        let streams = self.conns.get(&id).map(|conn| conn.streams.clone()).unwrap_or_default();
        self.show(id, peer, &streams.into_iter().collect::<Vec<_>>(), out);
    }

    /// Shows some of each swarm, unless this is asked faster than joins and heartbeats need.
    fn show(&mut self, id: Connection, peer: PeerId, streams: &[StreamId], out: &mut Vec<Output>) {
        let Some(conn) = self.conns.get_mut(&id) else { return };
        if !conn.lists.take(self.now, LISTS) {
            return self.fault(id, TrackerRefusal::TooMuch, out);
        }
        for stream in streams {
            let Some(swarm) = self.swarms.get(stream) else { continue };
            let peers = swarm.pick(&peer, &mut self.dice);
            let candidates = Candidates { stream: *stream, peers };
            out.push(send(id, &ToListener::Candidates(candidates)));
        }
    }

    /// Hands a signal on as it is: the receiver checks its signature, we that its sender is who signed in here.
    fn signal(
        &mut self,
        id: Connection,
        peer: PeerId,
        signal: Signed<Signal>,
        out: &mut Vec<Output>,
    ) {
        let Signal { stream, from, to, .. } = &signal.body;
        if *from != peer {
            return self.fault(id, TrackerRefusal::BadMessage, out);
        }
        let swarm = self.swarms.get(stream);
        let Some(rank) = swarm.and_then(|swarm| swarm.rank(from)) else {
            return self.fault(id, TrackerRefusal::NotJoined, out);
        };
        // Whether a peer listens to something else is nobody's business: absent means absent from this swarm.
        let receiver = swarm.and_then(|swarm| swarm.rank(to)).and_then(|_| self.peers.get(to));
        match receiver {
            Some(receiver) if to != from => {
                out.push(send(*receiver, &ToListener::Signal(ForwardedSignal { rank, signal })));
            }
            // Those who leave while others dial are no fault of the dialler.
            Some(_) | None => {
                out.push(send(id, &ToListener::Refused(TrackerRefusal::NoSuchPeer)));
            }
        }
    }

    /// Hands on what members of one swarm say to each other, with the name of who signed in here.
    fn relay(&self, id: Connection, from: PeerId, relay: Relay, out: &mut Vec<Output>) {
        let Relay { stream, to, parcel } = relay;
        let swarm = self.swarms.get(&stream).filter(|swarm| swarm.rank(&from).is_some());
        let receiver = swarm.and_then(|swarm| swarm.rank(&to)).and_then(|_| self.peers.get(&to));
        out.push(match receiver {
            Some(receiver) if to != from => {
                send(*receiver, &ToListener::Relayed(Relayed { stream, from, parcel }))
            }
            Some(_) | None => send(id, &ToListener::Refused(TrackerRefusal::NoSuchPeer)),
        });
    }

    /// Refuses, and closes after too many refusals.
    fn fault(&mut self, id: Connection, refusal: TrackerRefusal, out: &mut Vec<Output>) {
        let Some(conn) = self.conns.get_mut(&id) else { return };
        conn.faults = conn.faults.saturating_add(1);
        out.push(send(id, &ToListener::Refused(refusal)));
        if conn.faults >= MAX_FAULTS {
            self.close(id, Reason::Misbehaved, out);
        }
    }

    fn heard(&mut self, id: Connection) {
        let Some(conn) = self.conns.get_mut(&id) else { return };
        self.silences.remove(&(conn.silent_at, id));
        conn.silent_at = self.now.after(SILENCE_PATIENCE);
        self.silences.insert((conn.silent_at, id));
    }

    fn expire(&mut self, out: &mut Vec<Output>) {
        while let Some((at, id)) = self.silences.first().copied().filter(|(at, _)| *at <= self.now)
        {
            self.silences.remove(&(at, id));
            let is_signed_in = self.conns.get(&id).is_some_and(|conn| conn.peer.is_some());
            let reason = if is_signed_in { Reason::Silent } else { Reason::NoSignIn };
            self.close(id, reason, out);
        }
        self.leavers.expire(self.now);
    }

    fn close(&mut self, id: Connection, reason: Reason, out: &mut Vec<Output>) {
        if self.conns.contains_key(&id) {
            self.forget(id);
            out.push(Output::Close(id, reason));
        }
    }

    /// Forgets a connection and all that it held; ranks are kept for a while.
    fn forget(&mut self, id: Connection) {
        let Some(conn) = self.conns.remove(&id) else { return };
        self.silences.remove(&(conn.silent_at, id));
        if let Some(peer) = conn.peer {
            conn.streams.iter().for_each(|stream| self.remove(peer, *stream));
            if self.peers.get(&peer) == Some(&id) {
                self.peers.remove(&peer);
            }
        }
        if let Some((count, opens)) = self.networks.get_mut(&conn.network) {
            *count = count.saturating_sub(1);
            if *count == 0 && opens.is_full(self.now, OPENS) {
                self.networks.remove(&conn.network);
            }
        }
    }

    fn remove(&mut self, peer: PeerId, stream: StreamId) {
        let Some(swarm) = self.swarms.get_mut(&stream) else { return };
        if let Some(rank) = swarm.remove(&peer) {
            self.leavers.put(self.now, stream, peer, rank);
        }
        if swarm.len() == 0 {
            self.swarms.remove(&stream);
        }
    }
}

fn send(id: Connection, message: &ToListener) -> Output {
    Output::Send(id, message.to_bytes())
}

/// A URL without the slash that browsers add.
fn plain(url: &str) -> &str {
    url.trim_end_matches('/')
}

fn refuse_new(id: Connection, out: &mut Vec<Output>) {
    out.push(send(id, &ToListener::Refused(TrackerRefusal::TooMuch)));
    out.push(Output::Close(id, Reason::Full));
}

#[cfg(test)]
mod tests;
