//! What came of a crowd.

#![allow(clippy::cast_precision_loss, reason = "shares and means that people read")]

use super::{kind::Kind, listener::Listener};
use antiphon_core::id::PeerId;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// Sums over all who listened, those who left among them. Bytes are as lines see them.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Bytes of a segment as lines see them.
    pub segment_bytes: u64,
    /// Who listened.
    pub listeners: u64,
    /// Milliseconds of listening, of all.
    pub listened_ms: u64,
    /// Bytes that came from peers.
    pub from_peers: u64,
    /// Bytes that came from the origin.
    pub from_origin: u64,
    /// The same two in the first half of the time.
    pub at_half: (u64, u64),
    /// Bytes of chunks that peers sent, or that wait to be.
    pub sent: u64,
    /// Bytes that the origin was asked for.
    pub ordered: u64,
    /// Requests to the origin.
    pub orders: u64,
    /// Bytes of all that was said over links beside chunks.
    pub said: u64,
    /// Bytes to and from trackers.
    pub signalled: u64,
    /// Times that sound stopped.
    pub stalls: u64,
    /// Milliseconds for which it did.
    pub silence_ms: u64,
    /// Segments heard.
    pub played: u64,
    /// Links that were closed for a bad chunk.
    pub bans: u64,
    /// Segments that squatters claimed.
    pub claims: u64,
    /// Bad chunks that came.
    pub bad: u64,
    /// Chunks from peers that were here already.
    pub late: u64,
    /// Bytes that gluttons read.
    pub gorged: u64,
    /// Most bytes that waited in one send buffer.
    pub held: u64,
    /// Segments that could not be had.
    pub failed: u64,
    /// Complaints about trackers.
    pub troubles: u64,
    /// Connections that impostors opened.
    pub pretended: u64,
    /// What trackers refused to impostors.
    pub refused: u64,
    /// Whom trackers named to impostors.
    pub names: BTreeSet<PeerId>,
    /// Connections of others that trackers closed.
    pub put_out: u64,
    /// Of whom eclipsers surround: links to them, and all links, each counted once in a segment.
    pub victim: (u64, u64),
    /// Bytes that the same one had from peers, from the origin, and how often it stalled.
    pub victims: (u64, u64, u64),
    /// Links that were let go for others.
    pub let_go: u64,
    /// Milliseconds that messages take over links between honest listeners, at the end: of all together, and how many links.
    pub ways: (u64, u64),
    /// Links of honest listeners to foes, at the end, and all links that they have.
    pub to_foes: (u64, u64),
    /// Milliseconds from joining to sound, of each who heard any.
    pub starts: Vec<u64>,
    /// Bytes that each honest listener gave.
    pub given: Vec<u64>,
    /// Of each kind: milliseconds of listening, and chunks that others took and found good.
    pub earned: BTreeMap<Kind, (u64, u64)>,
}

impl Report {
    pub(super) fn add(&mut self, listener: &Listener, now: u64) {
        let (from_peers, from_origin) = listener.received();
        self.listeners += 1;
        self.listened_ms += now - listener.joined;
        self.from_peers += from_peers;
        self.from_origin += from_origin;
        self.stalls += listener.stalls;
        self.silence_ms += listener.silence_ms;
        self.played += listener.played;
        let stats = listener.fetch.stats();
        (self.bad, self.late) = (self.bad + stats.bad, self.late + stats.late);
        self.starts.extend(listener.started_after);
        if listener.kind == Kind::Honest {
            self.given.push(listener.uploaded);
        }
        let earned = self.earned.entry(listener.kind).or_default();
        *earned = (earned.0 + now - listener.joined, earned.1 + listener.earned);
    }

    /// Looks at the links that a listener has at the end.
    pub(super) fn look<'a>(
        &mut self,
        listener: &Listener,
        of: impl Fn(usize) -> Option<&'a Listener>,
    ) {
        if listener.kind != Kind::Honest {
            return;
        }
        for (other, way) in &listener.links {
            let is_foe = of(*other).is_some_and(|other| other.kind != Kind::Honest);
            self.to_foes = (self.to_foes.0 + u64::from(is_foe), self.to_foes.1 + 1);
            if !is_foe {
                self.ways = (self.ways.0 + way, self.ways.1 + 1);
            }
        }
    }

    /// Returns the part of the links of honest listeners that are to foes, at the end.
    pub fn foes_linked(&self) -> f64 {
        self.to_foes.0 as f64 / self.to_foes.1.max(1) as f64
    }

    /// Returns the part of the bytes that peers brought.
    pub fn offload(&self) -> f64 {
        self.from_peers as f64 / self.used().max(1) as f64
    }

    /// Returns the part of the bytes that peers brought in the second half of the time, when the first have begun: who
    /// joins live begins with what the origin brings at once.
    pub fn later_offload(&self) -> f64 {
        let peers = self.from_peers.saturating_sub(self.at_half.0);
        let origin = self.from_origin.saturating_sub(self.at_half.1);
        peers as f64 / (peers + origin).max(1) as f64
    }

    /// Returns how often sound stopped in an hour of listening.
    pub fn stalls_per_hour(&self) -> f64 {
        self.stalls as f64 / (self.listened_ms as f64 / 3_600_000.0)
    }

    /// Returns the bytes that were sent and not used, of those that were used. What gluttons read is theirs.
    pub fn wasted(&self) -> f64 {
        let wasted = (self.sent + self.ordered).saturating_sub(self.used() + self.gorged);
        wasted as f64 / self.used() as f64
    }

    /// Returns of what [`Self::wasted`] is made: bad chunks, chunks that were here already, and answers of the origin.
    pub fn wastes(&self) -> [f64; 3] {
        let origin = self.ordered.saturating_sub(self.from_origin);
        [self.bad * self.segment_bytes, self.late * self.segment_bytes, origin]
            .map(|part| part as f64 / self.used() as f64)
    }

    /// Returns the bytes of all that was said beside chunks, to trackers, too, of those of chunks.
    pub fn overhead(&self) -> f64 {
        (self.said + self.signalled) as f64 / self.used() as f64
    }

    /// Returns Jain's index of what honest listeners gave: 1 if all gave alike, 1/n if one gave all.
    pub fn fairness(&self) -> f64 {
        let sum: f64 = self.given.iter().map(|bytes| *bytes as f64).sum();
        let squares: f64 = self.given.iter().map(|bytes| (*bytes as f64).powi(2)).sum();
        // Where nobody gave anything, all gave alike.
        if squares > 0.0 { sum * sum / (squares * self.given.len() as f64) } else { 1.0 }
    }

    /// Returns for how many chunks a listener of a kind is paid in an hour; `None` if nobody is of the kind.
    pub fn income(&self, kind: Kind) -> Option<f64> {
        let (listened_ms, chunks) = self.earned.get(&kind)?;
        Some(*chunks as f64 / (*listened_ms as f64 / 3_600_000.0))
    }

    /// Returns how many milliseconds a message takes over a link, in the mean.
    pub fn way_ms(&self) -> f64 {
        self.ways.0 as f64 / self.ways.1.max(1) as f64
    }

    /// Returns the median time from joining to sound, in milliseconds.
    pub fn start_ms(&self) -> u64 {
        let mut starts = self.starts.clone();
        starts.sort_unstable();
        starts.get(starts.len() / 2).copied().unwrap_or_default()
    }

    const fn used(&self) -> u64 {
        self.from_peers + self.from_origin
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [bad, late, origin] = self.wastes().map(|part| part * 100.0);
        write!(
            f,
            "{} listeners, {:.2} % from peers ({:.2} % in the second half), {:.2} stalls an hour ({} ms of silence), {:.1} % wasted ({bad:.1} bad, {late:.1} late, \
             {origin:.1} of the origin), {:.2} % overhead, fairness {:.3}, start {} ms, {} bad chunks, {} bans, {} orders, {} failed, {} put out, {} troubles, \
             {:.1} ms to a neighbour, {:.1} % of links to foes, {} links let go",
            self.listeners,
            self.offload() * 100.0,
            self.later_offload() * 100.0,
            self.stalls_per_hour(),
            self.silence_ms,
            self.wasted() * 100.0,
            self.overhead() * 100.0,
            self.fairness(),
            self.start_ms(),
            self.bad,
            self.bans,
            self.orders,
            self.failed,
            self.put_out,
            self.troubles,
            self.way_ms(),
            self.foes_linked() * 100.0,
            self.let_go,
        )?;
        for kind in self.earned.keys() {
            write!(f, "; {kind:?} earns {:.0} an hour", self.income(*kind).unwrap_or_default())?;
        }
        if self.victim.1 > 0 {
            let (foes, all) = self.victim;
            let (peers, origin, stalls) = self.victims;
            write!(
                f,
                "; the surrounded: {foes} of {all} links to foes, {peers} bytes from peers, {origin} of the origin, {stalls} stalls"
            )?;
        }
        if self.pretended > 0 {
            let (names, pretended, refused) = (self.names.len(), self.pretended, self.refused);
            write!(
                f,
                "; impostors: {pretended} connections, {refused} refusals, {names} names, {} others put out",
                self.put_out
            )?;
        }
        Ok(())
    }
}
