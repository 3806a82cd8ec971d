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
mod border;
mod neighbour;
mod plan;

pub use border::{
    Body, Fault, FetchError, HttpRange, Input, OrderId, Output, PeerChunk, Refused, Want,
};

use super::{
    cache::{Cache, farthest},
    chunk::ChunkId,
    have::{self, HaveDelta, Segments},
    playlist::MAX_SEGMENTS,
    record::Record,
    rendition,
    schedule::HttpTimes,
};
use crate::{codec::Bounded, id::PeerId, table::Table, time::Moment};
use active::{Active, Order};
use alloc::vec::Vec;
use core::time::Duration;
use neighbour::Neighbour;

/// Records, and addresses of segments, that are remembered; of more, the farthest from the one that is learned goes.
pub const MAX_KNOWN: usize = MAX_SEGMENTS;

/// Segments that the player may want at once.
pub const MAX_WANTED: usize = 32;

/// Chunks of a peer after which its smoothed time says something. Chosen here: an eighth of what it began with is left.
pub const MEASURED: u64 = 16;

/// Peers that are asked. Above the links that a swarm keeps (ALLA-21: 100).
pub const MAX_PEERS: usize = 128;

/// HTTP requests in flight. Chosen here: below the six that browsers give one host.
pub const MAX_ORDERS: usize = 4;

/// Chunks asked of one peer and not yet answered.
pub const MAX_ASKED: usize = 4;

/// Segments past the last wanted one that are fetched ahead.
pub const PREFETCH: u64 = 3;

/// How long a peer may leave a chunk open at least, with no chunk arriving from it, before another is asked.
pub const PEER_PATIENCE: Duration = Duration::from_millis(500);

/// How long a peer may leave a chunk open if no other has it.
pub const LOST_PATIENCE: Duration = Duration::from_millis(2000);

/// How long a peer is left alone after it refused.
pub const REFUSAL_REST: Duration = Duration::from_millis(1000);

/// Chunks that a peer may refuse or leave open one after the other before it is of no use. Chosen here: those of five segments.
pub const MAX_MISSED: u8 = 16;

/// How long an HTTP request may take.
pub const HTTP_PATIENCE: Duration = Duration::from_millis(8000);

/// How long what came is kept from neighbours while more of the same segment is on its way, so that one message tells of all. Chosen
/// here: several times what lies between chunks that neighbours send at once, and far below any patience.
pub const GATHER: Duration = Duration::from_millis(40);

/// HTTP failures in a row after which the player is told.
pub const MAX_ATTEMPTS: u32 = 4;

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
    /// Who we are, to our peers.
    pub me: PeerId,
    /// How long a segment lasts at most.
    pub target: Duration,
    /// Bytes of the cache. Several segments must fit.
    pub cache_limit: usize,
}

/// Gets the segments of one stream.
#[derive(Clone, Debug)]
pub struct Fetch {
    config: Config,
    position: Option<u64>,
    /// The last number of the newest playlist.
    end: Option<u64>,
    crowd: u64,
    known: Table<u64, Record>,
    active: Table<u64, Active>,
    peers: Table<PeerId, Neighbour>,
    orders: Table<OrderId, Order>,
    next_order: u64,
    cache: Cache,
    http_times: HttpTimes,
    news: News,
    stats: Stats,
    /// Bad chunks, less those that were the first of a peer and good.
    distrust: u8,
    wake: Option<Moment>,
}

/// What the next announcement will say.
#[derive(Clone, Debug, Default)]
struct News {
    added: Vec<ChunkId>,
    removed: Vec<u64>,
    fetching: Vec<u64>,
    /// Until when it may wait for more.
    until: Option<Moment>,
}

impl Fetch {
    /// Makes a fetcher that knows no segment and no peer.
    pub fn new(config: Config) -> Self {
        Self {
            cache: Cache::new(config.cache_limit),
            config,
            position: None,
            end: None,
            crowd: 0,
            known: Table::new(),
            active: Table::new(),
            peers: Table::new(),
            orders: Table::new(),
            next_order: 0,
            http_times: HttpTimes::default(),
            news: News::default(),
            stats: Stats::default(),
            distrust: 0,
            wake: None,
        }
    }

    /// Applies one input and appends what the host must do to `out`.
    pub fn handle(&mut self, now: Moment, input: Input, out: &mut Vec<Output>) {
        match input {
            Input::Listed { end, is_anew } => self.list(end, is_anew),
            Input::Known(record) => self.know(record, out),
            Input::Want(want) => self.want(now, want, out),
            Input::Unwant(sequence) => {
                if let Some(active) = self.active.get_mut(&sequence) {
                    active.wanted = None;
                }
            }
            Input::Crowd(listeners) => self.crowd = listeners,
            Input::Joined(peer) => self.join(now, peer),
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
        self.announce(now, out);
    }

    /// Returns when [`Input::Tick`] is next needed.
    pub const fn deadline(&self) -> Option<Moment> {
        self.wake
    }

    /// Returns the verified chunks, for serving.
    pub const fn cache(&self) -> &Cache {
        &self.cache
    }

    /// Returns everything that we have, for a new neighbour; what is near the player if it exceeds one message.
    pub fn holdings(&self) -> Segments {
        have::segments_near(self.position.unwrap_or(u64::MAX), self.cache.ids())
    }

    /// Returns what came from where.
    pub const fn stats(&self) -> Stats {
        self.stats
    }

    /// Returns the smoothed time from an ask to its chunk; `None` before [`MEASURED`] have come, for it begins at the worst.
    pub fn latency(&self, peer: &PeerId) -> Option<Duration> {
        self.peers.get(peer).filter(|peer| peer.received >= MEASURED).map(|peer| peer.latency)
    }

    /// Returns whether a chunk is asked of a peer and not here yet.
    pub fn is_asking(&self, peer: &PeerId) -> bool {
        self.peers.get(peer).is_some_and(|peer| !peer.asked.is_empty())
    }

    /// Returns whether nothing is to be had of a peer: it offers nothing and brought nothing, or failed [`MAX_MISSED`] times in a
    /// row. What others do makes nobody useless.
    pub fn is_useless(&self, peer: &PeerId) -> bool {
        self.peers.get(peer).is_some_and(|peer| {
            peer.missed >= MAX_MISSED || peer.received == 0 && peer.carries.is_none()
        })
    }

    /// Returns whether the player wants the segment, or would soon.
    pub fn is_near(&self, sequence: u64) -> bool {
        self.position.is_some_and(|it| (it..=it.saturating_add(PREFETCH)).contains(&sequence))
    }

    /// Returns whether a record of the segment is known.
    pub fn knows(&self, sequence: u64) -> bool {
        self.known.contains_key(&sequence)
    }

    /// Returns the record of a segment.
    pub fn record(&self, sequence: u64) -> Option<&Record> {
        self.known.get(&sequence)
    }

    /// Where a publisher counts anew, what is known, and kept for neighbours, under numbers that it has yet to reach is forgotten
    /// at once: none of them is another segment's when it is listed.
    fn list(&mut self, end: u64, is_anew: bool) {
        self.end = Some(end);
        if !is_anew {
            return;
        }
        while let Some(sequence) = self.known.range(end.saturating_add(1)..).next().map(|it| *it.0)
            && rendition::is_past(sequence, end)
        {
            self.forget(sequence);
        }
        self.forget_unlisted();
    }

    /// Nothing is kept that no record vouches for: another segment may come to stand under its number.
    fn forget(&mut self, sequence: u64) {
        self.known.remove(&sequence);
        self.cache.forget(sequence);
        self.news.removed.push(sequence);
    }

    /// A publisher counts anew. Neighbours who have not read of that yet have, and send, what was signed before: of numbers that
    /// are new to us they are taken to have nothing.
    fn forget_unlisted(&mut self) {
        for neighbour in self.peers.values_mut() {
            neighbour.holdings.retain(|sequence| self.known.contains_key(&sequence));
            neighbour.claims.clear();
        }
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
            for neighbour in self.peers.values_mut() {
                neighbour.forget_segment(sequence);
            }
            self.forget_unlisted();
            if let Some(active) = self.active.get_mut(&sequence) {
                active.restart(count);
            }
        }
        if self.known.len() > MAX_KNOWN
            && let Some(farthest) = farthest(&self.known, sequence)
        {
            self.forget(farthest);
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

    /// Returns whether more of what came is on its way, and worth waiting for. Who fetches says so at once: others would, too.
    fn gathers(&mut self, now: Moment) -> bool {
        let is_coming = |id: &ChunkId| {
            let slots = self.active.get(&id.sequence).map(|active| &active.slots);
            slots.is_some_and(|slots| slots.iter().any(|slot| slot.is_coming()))
        };
        if !self.news.fetching.is_empty() || !self.news.added.iter().any(is_coming) {
            return false;
        }
        let until = *self.news.until.get_or_insert(now.after(GATHER));
        if until <= now {
            return false;
        }
        self.wake = Some(self.wake.map_or(until, |wake| wake.min(until)));
        true
    }

    fn announce(&mut self, now: Moment, out: &mut Vec<Output>) {
        if self.gathers(now) {
            return;
        }
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
