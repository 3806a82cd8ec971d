//! One of a crowd: the machines of a listener, its line and its player.

use super::{KEPT, Whereabouts, foes, kind::Kind, links::End, media, setting::bytes_of};
use antiphon_core::{
    codec::Text,
    crypto::SecretKey,
    delivery::{
        chunk::ChunkId,
        fetch::{self, Fetch, Want},
        serve::{Policy, Serve},
    },
    id::{PeerId, StreamId},
    peer::{
        LinkId,
        swarm::{self, Swarm},
    },
    time::Moment,
};
use antiphon_node::tracker::Connection;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// Where somebody is, how fast its uplink is, in bytes a millisecond, and how long segments last.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    pub(super) whereabouts: Whereabouts,
    pub(super) uplink: u64,
    pub(super) segment_ms: u64,
}

/// A listener.
#[derive(Debug)]
pub(super) struct Listener {
    pub(super) kind: Kind,
    pub(super) key: SecretKey,
    pub(super) peer: PeerId,
    pub(super) whereabouts: Whereabouts,
    pub(super) swarm: Swarm,
    pub(super) swarm_due: Option<Moment>,
    pub(super) fetch: Fetch,
    pub(super) serve: Serve,
    /// Its socket to a tracker.
    pub(super) socket: Option<Connection>,
    /// Peer connections, with their other ends once they are open.
    pub(super) pipes: BTreeMap<LinkId, Option<End>>,
    /// To whom, and how many milliseconds a message takes.
    pub(super) links: BTreeMap<usize, u64>,
    /// Bytes that wait in the send buffer for each of them.
    pub(super) sending: BTreeMap<usize, u64>,
    /// What each neighbour was asked, and when.
    pub(super) probes: BTreeMap<PeerId, (ChunkId, u64)>,
    pub(super) wake: Option<Moment>,
    pub(super) joined: u64,
    segment_ms: u64,
    /// Bytes a millisecond, and when the line is free.
    uplink: u64,
    free_at: u64,
    pub(super) uploaded: u64,
    /// Chunks that others took from it and found good.
    pub(super) earned: u64,
    /// The first segment that it plays, those that came before their turn, the newest that it knows.
    first: Option<u64>,
    ready: BTreeSet<u64>,
    /// Milliseconds of the first that are not heard.
    skipped: u64,
    newest: Option<u64>,
    /// Milliseconds between the time at which a segment begins and that at which it is heard.
    pub(super) offset: Option<u64>,
    pub(super) started_after: Option<u64>,
    pub(super) stalls: u64,
    pub(super) silence_ms: u64,
    pub(super) played: u64,
}

impl Listener {
    pub(super) fn new(who: usize, kind: Kind, is: Line, now: u64, urls: &str) -> Self {
        let target = Duration::from_millis(is.segment_ms);
        let key = foes::key(who, kind);
        let me = PeerId(key.public());
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&(who as u64).to_le_bytes());
        let config = swarm::Config {
            key: key.clone(),
            stream: StreamId::default(),
            tracker: Text::try_from(urls).unwrap(),
            max_links: swarm::DEFAULT_LINKS,
            first_link: LinkId(0),
            seed,
        };
        Self {
            kind,
            key,
            peer: me,
            whereabouts: is.whereabouts,
            swarm: Swarm::new(config),
            swarm_due: None,
            fetch: Fetch::new(fetch::Config { me, target, cache_limit: KEPT * media(0).len() }),
            serve: Serve::new(Policy { is_enabled: kind.serves(), rate: None, total: None }),
            socket: None,
            pipes: BTreeMap::new(),
            links: BTreeMap::new(),
            sending: BTreeMap::new(),
            probes: BTreeMap::new(),
            wake: None,
            joined: now,
            segment_ms: is.segment_ms,
            uplink: is.uplink,
            free_at: 0,
            uploaded: 0,
            earned: 0,
            first: None,
            ready: BTreeSet::new(),
            skipped: 0,
            newest: None,
            offset: None,
            started_after: None,
            stalls: 0,
            silence_ms: 0,
            played: 0,
        }
    }

    /// The machines' time; it begins late enough for every patience.
    pub(super) const fn moment(&self, now: u64) -> Moment {
        Moment::from_millis(now)
    }

    pub(super) fn knows(&self, sequence: u64) -> bool {
        self.newest.is_some_and(|newest| sequence <= newest)
    }

    /// A segment is in the playlist: returns what the player wants of it, once it plays there.
    pub(super) fn wants(&mut self, sequence: u64, now: u64, behind: u64) -> Option<fetch::Input> {
        self.newest = self.newest.max(Some(sequence));
        // Playing begins so far before the end of the playlist, within a segment if need be.
        let back = behind.div_ceil(self.segment_ms);
        self.skipped = back * self.segment_ms - behind;
        let first = *self.first.get_or_insert((now / self.segment_ms).saturating_sub(back));
        if sequence < first || !self.kind.plays() {
            return None;
        }
        let begins = ((sequence - first) * self.segment_ms).saturating_sub(self.skipped);
        let due = self.offset.map_or(now + begins, |offset| sequence * self.segment_ms + offset);
        Some(fetch::Input::Want(Want { sequence, deadline: Moment::from_millis(due) }))
    }

    /// A segment came to the player. It begins with the first, and is silent until the next one in turn is there.
    pub(super) fn play(&mut self, sequence: u64, now: u64) {
        self.ready.insert(sequence);
        let first = self.first.unwrap_or(sequence);
        while self.ready.remove(&(first + self.played)) {
            let begins = (first + self.played) * self.segment_ms;
            self.played += 1;
            let Some(offset) = self.offset else {
                self.offset = Some(now - begins - self.skipped);
                self.started_after = Some(now - self.joined);
                continue;
            };
            let late = now.saturating_sub(begins + offset);
            if late > 0 {
                self.stalls += 1;
                self.silence_ms += late;
                self.offset = Some(offset + late);
            }
        }
    }

    /// Puts so many bytes on the uplink, and returns when they are gone.
    pub(super) fn upload(&mut self, now: u64, bytes: u64) -> u64 {
        self.uploaded += bytes;
        self.free_at = self.free_at.max(now) + bytes / self.uplink.max(1);
        self.free_at
    }

    /// Bytes that came from peers and from the origin, as lines see them.
    pub(super) fn received(&self) -> (u64, u64) {
        let stats = self.fetch.stats();
        let each = media(0).len() as u64;
        let segments = |bytes: u64| bytes / each * bytes_of(self.segment_ms);
        (segments(stats.from_peers), segments(stats.from_origin))
    }
}
