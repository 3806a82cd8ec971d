//! Gets the segments of one stream: from peers while that is safe, from the origin when it is not.
//!
//! ```text
//! chunk:  Missing --a peer has it--> Asked --verified--> Here
//!            |  ^------refused, stalled, peer left--'      ^
//!            '--elected, or last safe moment--> Ordered ---'
//!               (HTTP range)  '--failed--> Missing
//! ```
//!
//! The player's [`Input::Want`] gives a deadline; three segments past the last wanted one are fetched ahead. A chunk
//! that fails verification is not kept, and its sender is gone at once. Source: FIELD-NOTES recommendations 1 and 2,
//! ALZA §3.2.2. Invariants: every kept byte was verified; every ask, order and table is bounded.

mod active;
mod answer;
mod neighbour;
mod plan;

use super::{
    cache::Cache,
    chunk::{ChunkError, ChunkId},
    have::{self, HaveDelta, Segments},
    record::Record,
    schedule::HttpTimes,
};
use crate::{codec::Bounded, id::PeerId, peer::frames::Refusal, time::Moment};
use active::{Active, Order};
use alloc::{collections::BTreeMap, vec::Vec};
use core::time::Duration;
use neighbour::Neighbour;

/// Records that are remembered; the oldest go first.
pub const MAX_KNOWN: usize = 4096;

/// Segments that the player may want at once.
pub const MAX_WANTED: usize = 32;

/// Peers that are asked. Above the links that a swarm keeps (ALLA-21: 100).
pub const MAX_PEERS: usize = 128;

/// HTTP requests in flight. Chosen here: below the six that browsers give one host.
pub const MAX_ORDERS: usize = 4;

/// Chunks asked of one peer and not yet answered.
pub const MAX_ASKED: usize = 4;

/// Segments past the last wanted one that are fetched ahead.
pub const PREFETCH: u64 = 3;

/// How long a peer may leave a chunk open, with no chunk arriving from it, before another is asked.
pub const PEER_PATIENCE: Duration = Duration::from_millis(500);

/// How long a peer may leave a chunk open if no other has it.
pub const LOST_PATIENCE: Duration = Duration::from_millis(2000);

/// How long a peer is left alone after it refused.
pub const REFUSAL_REST: Duration = Duration::from_millis(1000);

/// How long an HTTP request may take.
pub const HTTP_PATIENCE: Duration = Duration::from_millis(8000);

/// HTTP failures in a row after which the player is told.
pub const MAX_ATTEMPTS: u32 = 4;

/// Names an HTTP order of one fetcher.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OrderId(pub u64);

/// What the player wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Want {
    /// Which segment.
    pub sequence: u64,
    /// When the player runs dry without it.
    pub deadline: Moment,
}

/// Bytes that an HTTP server sent. Unverified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body {
    /// Where in the segment they begin: the range's start for status 206, 0 for 200.
    pub start: usize,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// What happened outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// The playlist lists this segment; the record is verified. Another record for a known segment replaces it.
    Known(Record),
    /// The player wants a segment. Answered by one `Deliver` or `Fail`.
    Want(Want),
    /// The player does not want it any more.
    Unwant(u64),
    /// The tracker gave us this rank.
    Ranked(u64),
    /// A peer said hello, or its rank changed.
    Joined(PeerId, u64),
    /// A peer is gone.
    Left(PeerId),
    /// A peer told everything that it has.
    Has(PeerId, Segments),
    /// A peer told what changed.
    HasNow(PeerId, HaveDelta),
    /// Bytes from a peer. Unverified.
    Chunk(PeerId, PeerChunk),
    /// A peer will not send a chunk.
    Refused(PeerId, Refused),
    /// An HTTP order was answered.
    Fetched(OrderId, Body),
    /// An HTTP order failed.
    FetchFailed(OrderId),
    /// Time moved on; nothing else happened.
    Tick,
}

/// A chunk as a peer sent it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerChunk {
    /// Which it claims to be.
    pub id: ChunkId,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// A refusal as a peer sent it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Which chunk.
    pub id: ChunkId,
    /// Why.
    pub reason: Refusal,
}

/// What the host must do, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Ask this peer for a chunk.
    Ask(PeerId, ChunkId),
    /// Tell this peer that the chunk is no longer needed.
    Cancel(PeerId, ChunkId),
    /// Fetch bytes of a segment over HTTP.
    Http(OrderId, HttpRange),
    /// Abort an HTTP order; no answer is expected any more.
    CancelHttp(OrderId),
    /// Hand a segment to the player. Verified.
    Deliver(u64, Vec<u8>),
    /// The segment cannot be had now; the player may want it again.
    Fail(u64, FetchError),
    /// This peer's chunk was verified and is new: it has earned its price, once.
    Earned(PeerId, ChunkId),
    /// Tell every peer what changed in what we have.
    Announce(HaveDelta),
    /// This peer broke the rules; if [`Fault::is_ban`], it is forgotten here already and its link should end.
    Blame(PeerId, Fault),
    /// The origin sent bytes that the publisher did not sign.
    BlameOrigin(ChunkId, ChunkError),
}

/// A range of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HttpRange {
    /// Which segment.
    pub sequence: u64,
    /// First byte and the byte after the last; `None` for the whole segment.
    pub range: Option<(usize, usize)>,
    /// Bytes that are expected.
    pub length: usize,
}

/// Why a segment cannot be delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// No record of it is known.
    #[error("no record of the segment is known")]
    Unknown,
    /// Too many segments are wanted.
    #[error("more than {MAX_WANTED} segments are wanted")]
    TooMany,
    /// The origin failed again and again, and no peer has it.
    #[error("the origin failed and no peer has the segment")]
    OriginFailed,
    /// The segment exceeds the cache.
    #[error("the segment exceeds the cache")]
    TooLarge,
}

impl FetchError {
    /// Returns the stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unknown => "fetch/unknown-segment",
            Self::TooMany => "fetch/too-many",
            Self::OriginFailed => "fetch/origin-failed",
            Self::TooLarge => "fetch/too-large",
        }
    }
}

/// What a peer did wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// It sent bytes that the publisher did not sign.
    BadChunk(ChunkId, ChunkError),
    /// It sent chunks that nobody asked for, again and again.
    Flood,
    /// It left a chunk open for [`LOST_PATIENCE`].
    TooSlow(ChunkId),
}

impl Fault {
    /// Returns the stable code of this fault.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::BadChunk(..) => "peer/bad-chunk",
            Self::Flood => "peer/flood",
            Self::TooSlow(_) => "peer/too-slow",
        }
    }

    /// Returns whether the peer should be banned for it.
    pub const fn is_ban(&self) -> bool {
        matches!(self, Self::BadChunk(..) | Self::Flood)
    }
}

/// What came from where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Verified bytes from peers.
    pub from_peers: u64,
    /// Verified bytes from the origin.
    pub from_origin: u64,
    /// Chunks from peers that were here already.
    pub late: u64,
    /// Chunks ordered over HTTP because the deadline was near.
    pub hedged: u64,
    /// Chunks that failed verification.
    pub bad: u64,
    /// Segments handed to the player.
    pub delivered: u64,
}

/// What a fetcher needs to know at the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// How long a segment lasts at most.
    pub target: Duration,
    /// Bytes of the cache. Several segments must fit.
    pub cache_limit: usize,
}

/// Gets the segments of one stream.
#[derive(Clone, Debug)]
pub struct Fetch {
    config: Config,
    rank: Option<u64>,
    position: Option<u64>,
    known: BTreeMap<u64, Record>,
    active: BTreeMap<u64, Active>,
    peers: BTreeMap<PeerId, Neighbour>,
    orders: BTreeMap<OrderId, Order>,
    next_order: u64,
    cache: Cache,
    http_times: HttpTimes,
    news: News,
    stats: Stats,
    wake: Option<Moment>,
}

/// What the next announcement will say.
#[derive(Clone, Debug, Default)]
struct News {
    added: Vec<ChunkId>,
    removed: Vec<u64>,
    fetching: Vec<u64>,
}

impl Fetch {
    /// Makes a fetcher that knows no segment and no peer.
    pub fn new(config: Config) -> Self {
        Self {
            cache: Cache::new(config.cache_limit),
            config,
            rank: None,
            position: None,
            known: BTreeMap::new(),
            active: BTreeMap::new(),
            peers: BTreeMap::new(),
            orders: BTreeMap::new(),
            next_order: 0,
            http_times: HttpTimes::default(),
            news: News::default(),
            stats: Stats::default(),
            wake: None,
        }
    }

    /// Applies one input and appends what the host must do to `out`.
    pub fn handle(&mut self, now: Moment, input: Input, out: &mut Vec<Output>) {
        match input {
            Input::Known(record) => self.know(record, out),
            Input::Want(want) => self.want(now, want, out),
            Input::Unwant(sequence) => {
                if let Some(active) = self.active.get_mut(&sequence) {
                    active.wanted = None;
                }
            }
            Input::Ranked(rank) => self.rank = Some(rank),
            Input::Joined(peer, rank) => self.join(now, peer, rank),
            Input::Left(peer) => self.release(peer),
            Input::Has(peer, all) => self.has(peer, &all),
            Input::HasNow(peer, delta) => self.has_now(now, peer, &delta),
            Input::Chunk(peer, chunk) => self.chunk(now, peer, &chunk, out),
            Input::Refused(peer, refused) => self.refused(now, peer, refused),
            Input::Fetched(order, body) => self.fetched(now, order, &body, out),
            Input::FetchFailed(order) => self.fetch_failed(now, order),
            Input::Tick => {}
        }
        self.plan(now, out);
        self.announce(out);
    }

    /// Returns when [`Input::Tick`] is next needed.
    pub const fn deadline(&self) -> Option<Moment> {
        self.wake
    }

    /// Returns the verified chunks, for serving.
    pub const fn cache(&self) -> &Cache {
        &self.cache
    }

    /// Returns everything that we have, for a new neighbour; the newest segments if it exceeds one message.
    pub fn holdings(&self) -> Segments {
        have::segments(self.cache.ids())
    }

    /// Returns what came from where.
    pub const fn stats(&self) -> Stats {
        self.stats
    }

    /// Returns whether a record of the segment is known.
    pub fn knows(&self, sequence: u64) -> bool {
        self.known.contains_key(&sequence)
    }

    fn know(&mut self, record: Record, out: &mut Vec<Output>) {
        let sequence = record.sequence;
        if self.known.get(&sequence).is_some_and(|old| *old == record) || !record.is_consistent() {
            return;
        }
        let count = record.count();
        if self.known.insert(sequence, record).is_some() {
            // The publisher signed another segment under the same number: it started anew.
            if self.cache.ids().any(|id| id.sequence == sequence) {
                self.cache.forget(sequence);
                self.news.removed.push(sequence);
            }
            self.stop(sequence, out);
            if let Some(active) = self.active.get_mut(&sequence) {
                active.restart(count);
            }
        }
        if self.known.len() > MAX_KNOWN {
            self.known.pop_first();
        }
    }

    fn want(&mut self, now: Moment, want: Want, out: &mut Vec<Output>) {
        let Some(record) = self.known.get(&want.sequence) else {
            out.push(Output::Fail(want.sequence, FetchError::Unknown));
            return;
        };
        if !self.fits(record) {
            out.push(Output::Fail(want.sequence, FetchError::TooLarge));
            return;
        }
        let wanted = self.active.values().filter(|active| active.wanted.is_some()).count();
        if wanted >= MAX_WANTED {
            out.push(Output::Fail(want.sequence, FetchError::TooMany));
            return;
        }
        self.position = Some(want.sequence);
        let count = record.count();
        let active = self.active.entry(want.sequence).or_insert_with(|| Active::new(now, count));
        active.want(now, want.deadline);
    }

    fn announce(&mut self, out: &mut Vec<Output>) {
        let news = core::mem::take(&mut self.news);
        let added: Vec<_> =
            news.added.into_iter().filter(|id| !news.removed.contains(&id.sequence)).collect();
        let bounded = |list: Vec<u64>| {
            Bounded::try_from(list.into_iter().take(have::MAX_NAMED_SEGMENTS).collect::<Vec<_>>())
                .unwrap_or_default()
        };
        let delta = HaveDelta {
            added: have::segments(added),
            removed: bounded(news.removed),
            fetching: bounded(news.fetching),
        };
        if !delta.is_empty() {
            out.push(Output::Announce(delta));
        }
    }
}

#[cfg(test)]
mod swarm_tests;
#[cfg(test)]
mod tests;
