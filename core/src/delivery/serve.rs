//! Serves verified chunks to peers: within credit, within what the listener agreed to give, within the send window.
//!
//! ```text
//! Request --> queue --credit, window, rate--> Send
//!     |          '--waited too long--> Refuse(why)
//!     '--off, not here, queue full, spent--> Refuse
//! ```
//!
//! Source: PROTOCOL A5.14 (bounded exposure), FIELD-NOTES recommendation 7 (consent and caps). c.6: there a second
//! request silently replaced the first upload; here requests queue, in order, and each gets an answer.

mod meter;

use super::{cache::Cache, chunk::ChunkId};
use crate::{id::PeerId, table::Table, time::Moment};
use alloc::{collections::VecDeque, vec::Vec};
use borsh::{BorshDeserialize, BorshSerialize};
use core::time::Duration;
use meter::Meter;

/// Requests of one peer that wait. Twice what our own fetcher asks at once.
pub const MAX_QUEUE: usize = 16;

/// Peers that are served. Above the links that a swarm keeps.
pub const MAX_PEERS: usize = 128;

/// Bytes that may wait in one peer's send buffer.
pub const MAX_OUTSTANDING: usize = 256 * 1024;

/// Bytes that may wait in all send buffers together: what waits here instead can still be taken back, and is refused in time
/// where the line is slow. Chosen here: three chunks, a quarter of a second at 1.5 Mbit/s, so that the line never idles.
pub const MAX_SENDING: usize = 48 * 1024;

/// How long a send buffer counts among these after its last chunk: who does not read must not keep others waiting.
const SENDING_PATIENCE: Duration = Duration::from_millis(1000);

/// How long a request may wait for credit, window or rate; below the asker's own patience.
pub const QUEUE_PATIENCE: Duration = Duration::from_millis(400);

/// Credit that is never used up, for a price of nothing.
pub const UNLIMITED: u64 = u64::MAX;

/// Why a chunk is not served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Refusal {
    /// The peer does not have it (any more).
    NotHere,
    /// Too many requests wait already, or this one waited too long.
    Busy,
    /// Chunks served and not paid for have reached the credit.
    NoCredit,
    /// The listener does not serve.
    Off,
    /// The listener has given what it agreed to give.
    Spent,
}

impl Refusal {
    /// Returns the stable code of this reason.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotHere => "refusal/not-here",
            Self::Busy => "refusal/busy",
            Self::NoCredit => "refusal/no-credit",
            Self::Off => "refusal/off",
            Self::Spent => "refusal/spent",
        }
    }
}
/// What a listener agrees to give away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Serve peers at all.
    pub is_enabled: bool,
    /// Bytes a second, or `None` for no cap.
    pub rate: Option<u64>,
    /// Bytes that are given at most since this server was made, or `None` for no cap. What was given before counts, however
    /// often the policy changes. The host keeps the count across restarts and months.
    pub total: Option<u64>,
}

/// A request as it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Who asks.
    pub peer: PeerId,
    /// For what.
    pub id: ChunkId,
}

/// What happened outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// A peer may ask from now on. It has no credit yet.
    Joined(PeerId),
    /// A peer is gone.
    Left(PeerId),
    /// A peer asks for a chunk.
    Request(Asked),
    /// A peer takes a request back.
    Cancel(Asked),
    /// The peer may have this many more chunks, in place of what it had.
    Credit(PeerId, u64),
    /// This many bytes still wait in the peer's send buffer.
    Drained(PeerId, usize),
    /// The listener agreed to something else.
    Agreed(Policy),
    /// Time moved on; nothing else happened.
    Tick,
}

/// What the host must do, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Send a chunk. One unit of the peer's credit is used.
    Send(Asked, Vec<u8>),
    /// Send a refusal.
    Refuse(Asked, Refusal),
}

/// What was given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Bytes of chunks.
    pub bytes: u64,
    /// Chunks.
    pub chunks: u64,
    /// Requests refused.
    pub refused: u64,
}

/// Serves the peers of one stream.
#[derive(Clone, Debug)]
pub struct Serve {
    is_enabled: bool,
    meter: Meter,
    peers: Table<PeerId, Guest>,
    last: Option<PeerId>,
    stats: Stats,
    wake: Option<Moment>,
}

/// A peer that is served.
#[derive(Clone, Debug, Default)]
struct Guest {
    queue: VecDeque<(ChunkId, Moment)>,
    credit: u64,
    outstanding: usize,
    sent_at: Moment,
}

impl Serve {
    /// Makes a server without peers.
    pub fn new(policy: Policy) -> Self {
        Self {
            is_enabled: policy.is_enabled,
            meter: Meter::new(policy),
            peers: Table::new(),
            last: None,
            stats: Stats::default(),
            wake: None,
        }
    }

    /// Applies one input and appends what the host must do to `out`.
    ///
    /// Reads the chunks from `cache`, which the fetcher fills, so that there is one copy of them.
    pub fn handle(&mut self, now: Moment, input: Input, cache: &Cache, out: &mut Vec<Output>) {
        match input {
            Input::Joined(peer) => {
                if self.peers.len() < MAX_PEERS {
                    self.peers.entry(peer).or_default();
                }
            }
            Input::Left(peer) => {
                self.peers.remove(&peer);
            }
            Input::Request(asked) => self.request(now, asked, cache, out),
            Input::Cancel(asked) => {
                if let Some(guest) = self.peers.get_mut(&asked.peer) {
                    guest.queue.retain(|(id, _)| *id != asked.id);
                }
            }
            Input::Credit(peer, chunks) => {
                if let Some(guest) = self.peers.get_mut(&peer) {
                    guest.credit = chunks;
                }
            }
            Input::Drained(peer, left) => {
                if let Some(guest) = self.peers.get_mut(&peer) {
                    guest.outstanding = left;
                }
            }
            Input::Agreed(policy) => self.agree(policy, out),
            Input::Tick => {}
        }
        self.meter.refill(now);
        while let Some(peer) = self.next_ready(now, cache, out) {
            self.send(now, peer, cache, out);
        }
        self.expire(now, out);
        self.wake = self.next_moment(now, cache);
    }

    /// Returns when [`Input::Tick`] is next needed.
    pub const fn deadline(&self) -> Option<Moment> {
        self.wake
    }

    /// Returns what was given.
    pub const fn stats(&self) -> Stats {
        self.stats
    }

    /// Returns whether something that a peer asked for may still wait in its send buffer.
    pub fn is_sending(&self, peer: &PeerId) -> bool {
        self.peers.get(peer).is_some_and(|guest| guest.outstanding > 0)
    }

    /// Returns whether a chunk is on its way to a peer, or a request of it waits.
    pub fn is_serving(&self, now: Moment, peer: &PeerId) -> bool {
        let is_on = |guest: &Guest| guest.outstanding > 0 && guest.is_read(now);
        self.peers.get(peer).is_some_and(|guest| !guest.queue.is_empty() || is_on(guest))
    }

    /// Returns how many bytes may still be given; `None` without a cap.
    pub fn left(&self) -> Option<u64> {
        self.meter.left()
    }

    fn request(&mut self, now: Moment, asked: Asked, cache: &Cache, out: &mut Vec<Output>) {
        let Some(guest) = self.peers.get_mut(&asked.peer) else { return };
        if guest.queue.iter().any(|(id, _)| *id == asked.id) {
            return;
        }
        let refusal = match cache.get(asked.id) {
            _ if !self.is_enabled => Some(Refusal::Off),
            None => Some(Refusal::NotHere),
            Some(bytes) if self.meter.is_spent(bytes.len()) => Some(Refusal::Spent),
            Some(_) if guest.queue.len() >= MAX_QUEUE => Some(Refusal::Busy),
            Some(_) => None,
        };
        match refusal {
            Some(reason) => self.refuse(asked, reason, out),
            None => guest.queue.push_back((asked.id, now)),
        }
    }

    fn agree(&mut self, policy: Policy, out: &mut Vec<Output>) {
        self.is_enabled = policy.is_enabled;
        self.meter.agree(policy);
        if self.is_enabled {
            return;
        }
        let waiting = |(peer, guest): (&PeerId, &mut Guest)| {
            let peer = *peer;
            guest.queue.drain(..).map(move |(id, _)| Asked { peer, id }).collect::<Vec<_>>()
        };
        let waiting: Vec<Asked> = self.peers.iter_mut().flat_map(waiting).collect();
        for asked in waiting {
            self.refuse(asked, Refusal::Off, out);
        }
    }

    /// Returns the next peer in turn whose first request can be served now; refuses first requests that never can.
    fn next_ready(&mut self, now: Moment, cache: &Cache, out: &mut Vec<Output>) -> Option<PeerId> {
        let sending = self.peers.values().filter(|guest| guest.is_read(now));
        let is_full = sending.map(|guest| guest.outstanding).sum::<usize>() >= MAX_SENDING;
        let after = |peer: &PeerId| self.last.is_some_and(|last| *peer <= last);
        let (past, next): (Vec<PeerId>, Vec<_>) = self.peers.keys().copied().partition(after);
        for peer in next.into_iter().chain(past) {
            while let Some((id, _)) = self.peers.get(&peer).and_then(|g| g.queue.front().copied()) {
                let length = cache.get(id).map(<[u8]>::len);
                let refusal = match length {
                    None => Refusal::NotHere,
                    Some(length) if self.meter.is_spent(length) => Refusal::Spent,
                    Some(length) => {
                        let guest = self.peers.get(&peer)?;
                        if !is_full && guest.can_take(length) && self.meter.allows(length) {
                            return Some(peer);
                        }
                        break;
                    }
                };
                if let Some(guest) = self.peers.get_mut(&peer) {
                    guest.queue.pop_front();
                }
                self.refuse(Asked { peer, id }, refusal, out);
            }
        }
        None
    }

    fn send(&mut self, now: Moment, peer: PeerId, cache: &Cache, out: &mut Vec<Output>) {
        let Some(guest) = self.peers.get_mut(&peer) else { return };
        let Some((id, _)) = guest.queue.pop_front() else { return };
        let Some(bytes) = cache.get(id) else { return };
        if guest.credit != UNLIMITED {
            guest.credit = guest.credit.saturating_sub(1);
        }
        guest.outstanding = guest.outstanding.saturating_add(bytes.len());
        guest.sent_at = now;
        self.meter.take(bytes.len());
        self.last = Some(peer);
        self.stats.chunks = self.stats.chunks.saturating_add(1);
        let count = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.stats.bytes = self.stats.bytes.saturating_add(count);
        out.push(Output::Send(Asked { peer, id }, bytes.to_vec()));
    }

    /// Refuses what has waited too long, and says for what it waited.
    fn expire(&mut self, now: Moment, out: &mut Vec<Output>) {
        let mut expired = Vec::new();
        for (peer, guest) in &mut self.peers {
            let reason = if guest.credit == 0 { Refusal::NoCredit } else { Refusal::Busy };
            guest.queue.retain(|(id, since)| {
                let is_over = since.after(QUEUE_PATIENCE) <= now;
                if is_over {
                    expired.push((Asked { peer: *peer, id: *id }, reason));
                }
                !is_over
            });
        }
        for (asked, reason) in expired {
            self.refuse(asked, reason, out);
        }
    }

    fn refuse(&mut self, asked: Asked, reason: Refusal, out: &mut Vec<Output>) {
        self.stats.refused = self.stats.refused.saturating_add(1);
        out.push(Output::Refuse(asked, reason));
    }

    fn next_moment(&self, now: Moment, cache: &Cache) -> Option<Moment> {
        let waiting = self.peers.values().flat_map(|guest| guest.queue.iter());
        let expiry = waiting.map(|(_, since)| since.after(QUEUE_PATIENCE)).min();
        let refill = self
            .peers
            .values()
            .filter_map(|guest| {
                let length = cache.get(guest.queue.front()?.0)?.len();
                guest.can_take(length).then(|| self.meter.allows_at(now, length))
            })
            .min();
        // Whoever waits may go on once a send buffer does not count any more.
        let unread = self.peers.values().map(|guest| guest.sent_at.after(SENDING_PATIENCE));
        let unread = unread.filter(|at| expiry.is_some() && *at > now).min();
        [expiry, refill, unread].into_iter().flatten().filter(|at| *at > now).min()
    }
}

impl Guest {
    /// Returns whether its send buffer may still be emptied soon.
    fn is_read(&self, now: Moment) -> bool {
        self.sent_at.after(SENDING_PATIENCE) > now
    }

    const fn can_take(&self, length: usize) -> bool {
        self.credit > 0 && self.outstanding.saturating_add(length) <= MAX_OUTSTANDING
    }
}

#[cfg(test)]
mod tests;
