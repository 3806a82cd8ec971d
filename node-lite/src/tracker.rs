//! Introduces the listeners of a stream to each other, hands on what they sign, and relays for members of a payment field who
//! could not open a channel.
//!
//! ```text
//! Opened --Challenge--> unsigned --SignIn verified--> signed in --Join--> member of swarms (at most MAX_STREAMS)
//!    '--10 s------------> closed        '--wrong--> closed     '--40 s of silence--> closed
//! ```
//!
//! Source: issues 2 and 5 "Tracker"; FIELD-NOTES c.19, whose faults are closed here: who is spoken for is who signed in,
//! nobody is evicted but by its own key, no message lists swarms, a swarm is shown 32 at a time at the pace of heartbeats,
//! and one network is told only so many names an hour. Invariant: everything held belongs to an open connection, or to the bounded list of those who left.

pub mod cluster;
mod conn;
mod dice;
mod door;
pub mod heirs;
mod leavers;
mod members;
mod names;
mod nearness;
mod place;
mod pool;
mod reason;
mod relay;
mod swarm;
pub mod token;

pub use place::{Place, Position};
pub use reason::Reason;

use crate::{
    bucket::{Bucket, Rate},
    publisher::keyring::Succession,
};
use antiphon_core::{
    crypto::Signed,
    id::{PeerId, StreamId},
    peer::tracker_wire::{ToListener, ToTracker, TrackerRefusal},
    time::{Moment, UnixMillis},
};
use cluster::{Cluster, Count, To, TrackerId};
use conn::{Conn, Shared};
use dice::Dice;
use heirs::Heirs;
use leavers::Leavers;
use place::{Network, Prefix};
use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    time::Duration,
};
use swarm::Swarm;
use token::{Token, TokenError};

/// Two heartbeats of 20 s (`antiphon_core::peer::swarm::HEARTBEAT`). Source: FIELD-NOTES c.19, expiry.
pub const SILENCE_PATIENCE: Duration = Duration::from_secs(40);

/// How long a connection may take to sign in. Chosen here.
pub const SIGN_IN_PATIENCE: Duration = Duration::from_secs(10);

/// Streams that one listener may be in at once. Chosen here.
pub const MAX_STREAMS: usize = 4;

/// Connections at once. Source: FIELD-NOTES: 5–8 KiB each, so below 256 MiB.
pub const MAX_CONNS: usize = 32_768;

/// Listeners of one stream that are connected to one tracker.
pub const MAX_PEERS: usize = 16_384;

/// Listeners of one stream at all trackers of a cluster. Chosen here.
pub const MAX_SWARM: usize = 8 * MAX_PEERS;

/// Messages over the rate, or wrong ones, after which a connection is closed. Chosen here.
const MAX_FAULTS: u32 = 20;

/// Messages of a connection. A join answers up to 32 candidates with an offer each.
const MESSAGES: Rate = Rate { burst: 100, milli_per_second: 10_000 };

/// Lists of candidates of a connection: the joins, and then a little faster than heartbeats.
const LISTS: Rate = Rate { burst: 6, milli_per_second: 66 };

/// Words of a connection about who is near: one for each stream, and then a little faster than once a minute for each.
const NEARS: Rate = Rate { burst: 4, milli_per_second: 80 };

/// Connections that one network opens; a prefix has four times as many.
const OPENS: Rate = Rate { burst: 100, milli_per_second: 2_000 };

/// How often networks that have gone are looked for.
const SWEEP: Duration = Duration::from_secs(60);

/// Names a connection, as host and tracker call it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Connection(pub u64);

/// Who opened a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Where from.
    pub address: IpAddr,
    /// Where that is, as far as anybody knows.
    pub place: Place,
    /// The token that came along, unchecked.
    pub token: Option<Box<Signed<Token>>>,
    /// The time by the wall clock, by which tokens expire.
    pub clock: UnixMillis,
}

/// What happened outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A connection was opened.
    Opened(Connection, Caller),
    /// A message arrived.
    Message(Connection, Vec<u8>),
    /// A connection is gone.
    Closed(Connection),
    /// What carries messages between trackers is there.
    ClusterUp,
    /// It is not there any more.
    ClusterDown,
    /// Another tracker said this.
    Shared(Vec<u8>),
    /// Time moved on; nothing else happened.
    Tick,
}

/// What the host must do, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Send this message. Who reads so slowly that it cannot be is closed.
    Send(Connection, Vec<u8>),
    /// Send what another listener said, or drop it where much waits to be read already: that is not the reader's fault.
    Relay(Connection, Vec<u8>),
    /// Tell the keeper why the token of a connection does not let it join, which it hears itself in one word.
    Refused(Connection, TokenError),
    /// Close the connection after what was sent; the host reports nothing about it any more.
    Close(Connection, Reason),
    /// Give this to other trackers.
    Share(To, Vec<u8>),
}

/// How a tracker is run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The URLs under which listeners dial it; a sign-in for another is refused.
    pub urls: Vec<String>,
    /// Connections that one network (an IPv4 address, an IPv6 /64) may have at once; its prefix (/24, /48) four times as many.
    pub max_per_network: u32,
    /// Bytes that are relayed for one connection each second, each relay counted as 512 at least; one second's worth when it
    /// is new, sixteen at once when it was quiet for as long. None if zero.
    pub relay_bytes: u32,
    /// Whether only those meet who bring a token of the stream's publisher. Rooms have no publisher, so there are none.
    pub needs_token: bool,
    /// What it is called among the trackers that share their swarms; none if it is alone.
    pub cluster: Option<TrackerId>,
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
    /// Ranks.
    joins: Count,
    sign_ins: Count,
    cluster: Option<Cluster>,
    conns: BTreeMap<Connection, Conn>,
    peers: BTreeMap<PeerId, Connection>,
    swarms: BTreeMap<StreamId, Swarm>,
    networks: BTreeMap<Network, Shared>,
    prefixes: BTreeMap<Prefix, Shared>,
    /// When networks and prefixes that have gone are next looked for.
    sweep_at: Moment,
    leavers: Leavers,
    /// Which keys of publishers were given up.
    heirs: Heirs,
    /// When each connection has been silent for too long.
    silences: BTreeSet<(Moment, Connection)>,
}

impl Tracker {
    /// Makes a tracker without connections. `seed` is secret: challenges come from it.
    pub fn new(config: Config, seed: [u8; 32]) -> Self {
        Self {
            now: Moment::ZERO,
            dice: Dice::new(seed),
            joins: Count::new(config.cluster),
            sign_ins: Count::new(config.cluster),
            cluster: config.cluster.map(Cluster::new),
            config,
            conns: BTreeMap::new(),
            peers: BTreeMap::new(),
            swarms: BTreeMap::new(),
            networks: BTreeMap::new(),
            prefixes: BTreeMap::new(),
            sweep_at: Moment::ZERO,
            leavers: Leavers::default(),
            heirs: Heirs::default(),
            silences: BTreeSet::new(),
        }
    }

    /// Takes the keeper's word for who has taken over from a publisher's first key: tokens of the keys before are refused.
    pub fn tell(&mut self, succession: &Succession) {
        self.heirs.tell(succession.publisher(), succession.heirs());
    }

    /// Applies one input and appends what the host must do to `out`. Inputs of unknown connections are ignored.
    pub fn handle(&mut self, now: Moment, input: Input, out: &mut Vec<Output>) {
        self.now = self.now.max(now);
        match input {
            Input::Opened(id, caller) => self.opened(id, caller, out),
            Input::Message(id, bytes) => self.message(id, &bytes, out),
            Input::Closed(id) => self.forget(id, out),
            Input::ClusterUp => self.set_cluster(true, out),
            Input::ClusterDown => self.set_cluster(false, out),
            Input::Shared(bytes) => self.shared(&bytes, out),
            Input::Tick => {}
        }
        self.expire(out);
        self.tick_cluster(out);
    }

    /// Returns when [`Input::Tick`] is next needed, or `None` if time does not matter now.
    pub fn deadline(&self) -> Option<Moment> {
        let silence = self.silences.first().map(|(at, _)| *at);
        let sweep = (!self.prefixes.is_empty()).then_some(self.sweep_at);
        let cluster = self.cluster.as_ref().and_then(Cluster::deadline);
        [silence, self.leavers.deadline(), sweep, cluster].into_iter().flatten().min()
    }

    /// Returns how many connections and swarms there are, for the operator.
    pub fn load(&self) -> (usize, usize) {
        (self.conns.len(), self.swarms.len())
    }

    /// Returns whether there is a cluster.
    pub const fn is_shared(&self) -> bool {
        self.cluster.is_some()
    }

    /// Returns how many other trackers share their swarms with this one now.
    pub fn others(&self) -> usize {
        self.cluster.as_ref().map_or(0, Cluster::others)
    }

    fn message(&mut self, id: Connection, bytes: &[u8], out: &mut Vec<Output>) {
        let now = self.now;
        let Some(conn) = self.conns.get_mut(&id) else { return };
        let message = ToTracker::from_bytes(bytes);
        let is_relay = matches!(message, Ok(ToTracker::Relay(_))) && conn.peer.is_some();
        // Relays are paced by their bytes.
        if !is_relay && !conn.messages.take(now, MESSAGES) {
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
                | ToTracker::Near(_)
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
            ToTracker::Near(near) => self.near(id, peer, &near, out),
            ToTracker::Relay(relay) => self.relay(id, peer, (relay, bytes.len()), out),
        }
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
}

fn send(id: Connection, message: &ToListener) -> Output {
    Output::Send(id, message.to_bytes())
}

#[cfg(test)]
mod tests;
