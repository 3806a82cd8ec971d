//! Who we know and are linked to: the conversation with the tracker, dialling, bans.
//!
//! ```text
//! tracker: Off -> Waiting -> Opening -> SigningIn -> Joined --closed, silent, malformed--> Waiting (1 s … 60 s)
//! link:    Offering --described--> Offered --answer, opened--> Open      the younger dials
//!          Answering --described--> Answered -------opened---> Open      the elder answers
//! ```
//!
//! Links outlive the tracker. When ours are full, `refresh` lets one go now and then. Every offer and answer is signed by a peer's key and bound to both keys, the stream
//! and the session. Source: FIELD-NOTES recommendation 6, c.19; ALLA-21 (at most 100 links).

mod dial;
mod dice;
mod near;
mod refresh;
mod tracker;

pub use near::NEAR_REST;
pub use refresh::{LET_GO_REST, NEAR, REFRESH, Worth, YOUNG};

use super::{
    LinkId,
    tracker_wire::{SignalKind, TrackerRefusal},
};
use crate::{
    codec::Text,
    crypto::SecretKey,
    id::{PeerId, StreamId},
    peer::{
        frames::{FrameError, Parcel},
        tracker_wire::{Relay, ToTracker},
    },
    table::Table,
    time::Moment,
};
use alloc::{collections::VecDeque, string::String, vec::Vec};
use core::time::Duration;
use dice::Dice;

/// Links that a swarm may keep. Source: ALLA-21.
pub const MAX_LINKS: usize = 100;

/// Links that a page keeps unless told otherwise. Chosen here: WebRTC connections are dear in browsers.
pub const DEFAULT_LINKS: usize = 16;

/// Peers that are remembered without a link.
pub const MAX_KNOWN: usize = 128;

/// Bans that are remembered; the one that ends first is forgotten first.
pub const MAX_BANS: usize = 1024;

/// How long a peer that broke the rules is kept away; twice as long each further time, eleven hours at most. As long again it
/// is remembered that it was. Source: FIELD-NOTES recommendation 1, "ban by public key with decay".
pub const BAN: Duration = Duration::from_secs(600);

/// So often they become twice as long.
const MAX_TIMES: u32 = 6;

/// How long a link may take from its making to its opening.
pub const DIAL_PATIENCE: Duration = Duration::from_secs(15);

/// How long the tracker may take from the dial to its welcome.
pub const TRACKER_PATIENCE: Duration = Duration::from_secs(10);

/// How often the tracker hears that we are there, and answers with candidates.
pub const HEARTBEAT: Duration = Duration::from_secs(20);

/// Offers that are remembered, so that none is taken up twice.
const MAX_SEEN: usize = 256;

/// What a swarm needs to know at the start.
#[derive(Clone, Debug)]
pub struct Config {
    /// Our key: signs in and signs descriptions.
    pub key: SecretKey,
    /// The stream to listen to.
    pub stream: StreamId,
    /// The tracker's URL, or those of several, with spaces between; the next one is dialled when one is lost.
    pub tracker: Text<256>,
    /// Links to keep, at most [`MAX_LINKS`].
    pub max_links: usize,
    /// What its first link is called; the others follow.
    pub first_link: LinkId,
    /// For jitter and session numbers, another one for each swarm; no secret depends on it.
    pub seed: [u8; 32],
}

/// What happened outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// Begin.
    Start,
    /// End: leave the tracker, close every link.
    Stop,
    /// The socket to the tracker is open.
    TrackerOpened,
    /// A message from the tracker.
    TrackerMessage(Vec<u8>),
    /// The socket to the tracker closed or could not be opened.
    TrackerClosed,
    /// The host has the local description of a link, with the candidates that were found soon.
    Described(LinkId, String),
    /// The host has found more candidates since, as lines of a description.
    Candidates(LinkId, String),
    /// A link's data channel is open.
    LinkOpened(LinkId),
    /// A link's data channel closed or could not be opened.
    LinkClosed(LinkId),
    /// A question to this neighbour and its answer took so long.
    Measured(PeerId, Duration),
    /// The peer broke the rules: close its link, keep it away.
    Ban(PeerId, &'static str),
    /// Close a link; the peer may be dialled again later.
    Drop(LinkId),
    /// What each neighbour is good for at this moment, the answer to [`Output::Weigh`]. Who is not named is not judged.
    Weighed(Vec<(PeerId, Worth)>),
    /// Time moved on; nothing else happened.
    Tick,
}

/// What the host must do, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Open the socket to the tracker.
    ConnectTracker(Text<256>),
    /// Send to the tracker.
    TrackerSend(Vec<u8>),
    /// Close the socket to the tracker; the host reports nothing about that socket any more.
    CloseTracker,
    /// Make a peer connection and describe it: an offer without, an answer with a remote description.
    CreateLink(LinkId, Option<String>),
    /// Give the remote answer to a link that was offered.
    AcceptAnswer(LinkId, String),
    /// Give a link candidates that the peer has found since, as lines of a description. Unverified.
    AddCandidates(LinkId, String),
    /// Close the peer connection; the host need not report it closed.
    CloseLink(LinkId),
    /// A link to this peer is open.
    Joined(LinkId, PeerId),
    /// The link to this peer is gone.
    Left(LinkId, PeerId),
    /// Say what neighbours are good for: [`Input::Weighed`]. It comes last of all that one input brings.
    Weigh,
    /// Say goodbye over this link, which is closed next: somebody else gets its place.
    LetGo(LinkId, PeerId),
    /// The tracker welcomed us.
    Welcomed,
    /// The tracker says that so many listen.
    Crowd(u32),
    /// A peer without a link said this by way of the tracker.
    Relayed(PeerId, Parcel),
    /// The tracker is lost or misbehaves. If it is lost ([`Swarm::is_joined`]), it is dialled again by itself.
    Trouble(TrackerFault),
}

/// What is wrong with the tracker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TrackerFault {
    /// The socket closed or did not open.
    Closed,
    /// No welcome in time.
    Silent,
    /// It sent bytes that are no message, or one out of turn.
    Malformed(FrameError),
    /// It handed on a description that its sender did not sign. The message is ignored, the tracker kept.
    ForgedSignal,
    /// It refused.
    Refused(TrackerRefusal),
}

impl TrackerFault {
    /// Returns the stable code of this fault.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Closed => "tracker/closed",
            Self::Silent => "tracker/silent",
            Self::Malformed(error) => error.code(),
            Self::ForgedSignal => "tracker/forged-signal",
            Self::Refused(reason) => reason.code(),
        }
    }
}

/// The neighbourhood of one listener of one stream.
#[derive(Clone, Debug)]
pub struct Swarm {
    config: Config,
    me: PeerId,
    rank: Option<u64>,
    tracker: Tracker,
    /// The trackers that were lost, which says whose turn it is.
    losses: u8,
    failures: u32,
    dice: Dice,
    known: Table<PeerId, Known>,
    links: Table<LinkId, Link>,
    next_link: LinkId,
    banned: Table<PeerId, Ban>,
    seen: VecDeque<(PeerId, u64)>,
    told: near::Told,
    refresh: refresh::Refresh,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tracker {
    Off,
    Waiting { until: Moment },
    Opening { until: Moment },
    SigningIn { until: Moment },
    Joined { heartbeat: Moment },
}

/// A peer that may be dialled.
#[derive(Clone, Copy, Debug)]
struct Known {
    rank: u64,
    /// Drawn when it was named: who is dialled first is chance, else everybody would hang on the eldest.
    lot: u64,
    failures: u32,
    retry_at: Moment,
    /// Its place in the newest list: near ones come first.
    place: usize,
}

/// Who is kept away, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Banned {
    /// Its key.
    pub peer: PeerId,
    /// What it did last, in one stable code.
    pub code: &'static str,
    /// How often it broke the rules; counted no further than a ban grows.
    pub times: u32,
    /// For how long still.
    pub left: Duration,
}

/// What is remembered of a peer that broke the rules.
#[derive(Clone, Copy, Debug)]
struct Ban {
    /// Why, at last.
    code: &'static str,
    times: u32,
    /// Kept away until then.
    until: Moment,
    /// Remembered until then.
    forgotten_at: Moment,
}

#[derive(Clone, Copy, Debug)]
struct Link {
    peer: PeerId,
    /// Whether we dialled.
    is_ours: bool,
    /// Whether we dialled because it was named for being near.
    is_sought: bool,
    session: u64,
    stage: Stage,
    /// When the dial is given up; of an open link, until when it is young.
    until: Moment,
    /// Additions that it may still send, and take.
    additions: (u8, u8),
    /// The shortest time that a question and its answer took.
    round_trip: Option<Duration>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Waits for our description, which goes out as this kind.
    Describing(SignalKind),
    /// Our description is out: waits for the answer, or for the channel.
    Described(SignalKind),
    Open,
}

impl Swarm {
    /// Makes a swarm that does nothing until [`Input::Start`].
    pub fn new(config: Config) -> Self {
        Self {
            me: PeerId(config.key.public()),
            dice: Dice::new(config.seed),
            next_link: config.first_link,
            config,
            rank: None,
            tracker: Tracker::Off,
            losses: 0,
            failures: 0,
            known: Table::new(),
            links: Table::new(),
            banned: Table::new(),
            seen: VecDeque::new(),
            told: near::Told::default(),
            refresh: refresh::Refresh::default(),
        }
    }

    /// Applies one input and appends what the host must do to `out`.
    pub fn handle(&mut self, now: Moment, input: Input, out: &mut Vec<Output>) {
        match input {
            Input::Start if self.tracker == Tracker::Off => self.connect(now, out),
            Input::Stop => self.stop(out),
            Input::TrackerOpened => self.tracker_opened(),
            Input::TrackerMessage(message) => self.tracker_message(now, &message, out),
            Input::TrackerClosed => self.tracker_closed(now, out),
            Input::Described(link, sdp) => self.described(now, link, &sdp, out),
            Input::Candidates(link, lines) => self.trickle(link, &lines, out),
            Input::LinkOpened(link) => self.link_opened(now, link, out),
            Input::LinkClosed(link) => self.link_gone(now, link, out),
            // Nothing follows from it before the next heartbeat.
            Input::Measured(peer, took) => return self.measured(peer, took),
            Input::Ban(peer, code) => self.ban(now, peer, code, out),
            Input::Drop(link) => self.drop_link(now, link, out),
            Input::Weighed(worths) => self.weighed(now, &worths, out),
            Input::Start | Input::Tick => {}
        }
        self.tick_tracker(now, out);
        self.tick_links(now, out);
        self.banned.retain(|_, ban| ban.forgotten_at > now);
        self.dial(now, out);
        self.weigh(now, out);
    }

    /// Returns when [`Input::Tick`] is next needed.
    pub fn deadline(&self) -> Option<Moment> {
        let tracker = match self.tracker {
            Tracker::Off => None,
            Tracker::Waiting { until }
            | Tracker::Opening { until }
            | Tracker::SigningIn { until }
            | Tracker::Joined { heartbeat: until } => Some(until),
        };
        let pending = self.links.values().filter(|link| link.stage != Stage::Open);
        let fresh = self.candidates().map(|(_, known)| known.retry_at).min();
        let redial = fresh.filter(|_| self.can_dial());
        let weighing = fresh.and_then(|fresh| self.weigh_at(fresh));
        let moments = [tracker, pending.map(|link| link.until).min(), redial, weighing];
        moments.into_iter().flatten().min()
    }

    /// Returns whether the tracker knows us.
    pub const fn is_joined(&self) -> bool {
        matches!(self.tracker, Tracker::Joined { .. })
    }

    /// Returns a link that this swarm has not named, for the next one.
    pub const fn next_link(&self) -> LinkId {
        self.next_link
    }

    /// Returns every open link with its peer.
    pub fn neighbours(&self) -> impl Iterator<Item = (LinkId, PeerId)> {
        let open = self.links.iter().filter(|(_, link)| link.stage == Stage::Open);
        open.map(|(id, link)| (*id, link.peer))
    }

    /// Returns every peer that is linked or that the tracker named.
    pub fn around(&self) -> impl Iterator<Item = PeerId> {
        let linked = self.neighbours().map(|(_, peer)| peer);
        let unlinked = |peer: &&PeerId| !self.neighbours().any(|(_, near)| near == **peer);
        linked.chain(self.known.keys().filter(unlinked).copied())
    }

    /// Sends to a peer by way of the tracker. Returns whether there is a tracker to ask; it may drop what it is given.
    pub fn relay(&self, now: Moment, to: PeerId, parcel: Parcel, out: &mut Vec<Output>) -> bool {
        let is_possible = self.is_joined() && !self.is_banned(now, &to);
        if is_possible {
            let relay = Relay { stream: self.config.stream, to, parcel };
            out.push(Output::TrackerSend(ToTracker::Relay(relay).to_bytes()));
        }
        is_possible
    }

    fn stop(&mut self, out: &mut Vec<Output>) {
        for (id, link) in core::mem::take(&mut self.links) {
            out.push(Output::CloseLink(id));
            if link.stage == Stage::Open {
                out.push(Output::Left(id, link.peer));
            }
        }
        self.leave(out);
        self.known.clear();
    }

    fn is_banned(&self, now: Moment, peer: &PeerId) -> bool {
        self.banned.get(peer).is_some_and(|ban| ban.until > now)
    }

    /// Returns who is kept away at this moment.
    pub fn bans(&self, now: Moment) -> impl Iterator<Item = Banned> {
        let is_now = move |(_, ban): &(&PeerId, &Ban)| ban.until > now;
        self.banned.iter().filter(is_now).map(move |(peer, ban)| Banned {
            peer: *peer,
            code: ban.code,
            times: ban.times,
            left: ban.until.since(now),
        })
    }

    fn ban(&mut self, now: Moment, peer: PeerId, code: &'static str, out: &mut Vec<Output>) {
        let times = self.banned.get(&peer).map_or(0, |ban| ban.times);
        let length = BAN.saturating_mul(1 << times);
        let until = now.after(length);
        let (times, forgotten_at) = (times.saturating_add(1).min(MAX_TIMES), until.after(length));
        self.banned.insert(peer, Ban { code, times, until, forgotten_at });
        if self.banned.len() > MAX_BANS {
            let first = self.banned.iter().min_by_key(|(_, ban)| ban.until).map(|(peer, _)| *peer);
            first.and_then(|peer| self.banned.remove(&peer));
        }
        self.known.remove(&peer);
        let of_peer = self.links.iter().filter(|(_, link)| link.peer == peer);
        for id in of_peer.map(|(id, _)| *id).collect::<Vec<_>>() {
            self.drop_link(now, id, out);
        }
    }
}

#[cfg(test)]
mod tests;
