//! After every input: what is due now, and when the next thing is.

use super::{
    Fault, Fetch, FetchError, HTTP_PATIENCE, HttpRange, LOST_PATIENCE, MAX_ASKED, MAX_ATTEMPTS,
    MAX_ORDERS, Neighbour, OrderId, Output, PEER_PATIENCE, PREFETCH, REFUSAL_REST,
    active::{Active, Order, Slot},
};
use crate::{
    delivery::{
        chunk::{self, ChunkId},
        record::Record,
        rendition,
        schedule::{BACKUP_PATIENCE, Salt, election_wait},
    },
    id::PeerId,
    time::Moment,
};
use alloc::vec::Vec;
use core::ops::Range;

/// The first chunk of one segment in so many is asked of who brought nothing yet, so that everybody is tried, and
/// polluters waste little. Chosen here.
const TRIAL_EVERY: u64 = 8;

/// So often trials become half as many: where many pollute, those who brought nothing yet are mostly they. Chosen here.
pub(super) const MAX_DISTRUST: u8 = 8;

/// Why the origin is asked now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Due {
    /// The deadline is near: everything that is not here.
    Hedge,
    /// It is our turn: what no peer offers.
    Turn,
}

impl Fetch {
    pub(super) fn plan(&mut self, now: Moment, out: &mut Vec<Output>) {
        self.time_out_orders(now, out);
        self.activate(now, out);
        self.time_out_asks(now, out);
        let sequences: Vec<u64> = self.active.keys().copied().collect();
        for sequence in &sequences {
            self.ask_peers(now, *sequence, out);
        }
        for sequence in &sequences {
            self.ask_origin(now, *sequence, out);
        }
        for sequence in sequences {
            self.finish(sequence, out);
        }
        self.wake = self.moments().into_iter().filter(|moment| *moment > now).min();
    }

    /// Takes back every ask and order of a segment.
    pub(super) fn stop(&mut self, sequence: u64, out: &mut Vec<Output>) {
        for (peer, neighbour) in &mut self.peers {
            let asked: Vec<ChunkId> =
                neighbour.asked.keys().copied().filter(|id| id.sequence == sequence).collect();
            for id in asked {
                neighbour.cancel(id);
                out.push(Output::Cancel(*peer, id));
            }
        }
        self.orders.retain(|id, order| {
            let is_other = order.sequence != sequence;
            if !is_other {
                out.push(Output::CancelHttp(*id));
            }
            is_other
        });
    }

    fn time_out_orders(&mut self, now: Moment, out: &mut Vec<Output>) {
        let late = |order: &Order| order.since.after(HTTP_PATIENCE) <= now;
        let late: Vec<OrderId> =
            self.orders.iter().filter(|(_, order)| late(order)).map(|(id, _)| *id).collect();
        for id in late {
            out.push(Output::CancelHttp(id));
            self.fetch_failed(now, id);
        }
    }

    /// Takes up what came within reach of the player and drops what left it.
    fn activate(&mut self, now: Moment, out: &mut Vec<Output>) {
        let ahead = self.ahead();
        let is_idle =
            |sequence: &u64, active: &Active| active.wanted.is_none() && !ahead.contains(sequence);
        let idle: Vec<u64> = self
            .active
            .iter()
            .filter(|(sequence, active)| is_idle(sequence, active))
            .map(|(sequence, _)| *sequence)
            .collect();
        for sequence in idle {
            self.stop(sequence, out);
            self.active.remove(&sequence);
        }
        for (sequence, record) in self.known.range(ahead) {
            if !self.cache.is_whole(record) && self.fits(record) {
                let fresh = || Active::new(now, record.count());
                self.active.entry(*sequence).or_insert_with(fresh);
            }
        }
        for (sequence, active) in &mut self.active {
            for (index, slot) in (0_u16..).zip(active.slots.iter_mut()) {
                if *slot == Slot::Missing && self.cache.has(ChunkId { sequence: *sequence, index })
                {
                    *slot = Slot::Here;
                }
            }
        }
    }

    /// Returns whether the segment can be held at all.
    pub(super) fn fits(&self, record: &Record) -> bool {
        usize::try_from(record.length).is_ok_and(|length| length <= self.config.cache_limit)
    }

    /// Returns what is fetched before the player wants it; nothing that is not listed, though its number be known from before.
    pub(super) fn ahead(&self) -> Range<u64> {
        self.position.map_or(0..0, |position| {
            let first = position.saturating_add(1);
            let end = self.end.filter(|end| rendition::of(*end) == rendition::of(position));
            let listed = end.map_or(u64::MAX, |end| end.saturating_add(1));
            first..first.saturating_add(PREFETCH).min(listed)
        })
    }

    /// Gives stalled chunks to another peer, or up.
    fn time_out_asks(&mut self, now: Moment, out: &mut Vec<Output>) {
        let mut stalled = Vec::new();
        for (peer, neighbour) in &self.peers {
            for (id, asked) in &neighbour.asked {
                let is_lost = neighbour.stalled_at(*asked, LOST_PATIENCE) <= now;
                if is_lost || neighbour.stalled_at(*asked, neighbour.patience()) <= now {
                    stalled.push((*peer, *id, is_lost));
                }
            }
        }
        for (peer, id, is_lost) in stalled {
            let other = self.best_peer(now, id, Some(peer));
            let Some(neighbour) = self.peers.get_mut(&peer) else { continue };
            if other.is_none() && !is_lost {
                continue;
            }
            neighbour.cancel(id);
            if is_lost {
                neighbour.resting_until = now.after(REFUSAL_REST);
                neighbour.missed = neighbour.missed.saturating_add(1);
                out.push(Output::Blame(peer, Fault::TooSlow(id)));
            }
            out.push(Output::Cancel(peer, id));
            if let Some(active) = self.active.get_mut(&id.sequence) {
                active.tried.insert((id.index, peer), ());
                active.set(id.index, Slot::Missing);
            }
        }
    }

    /// Returns whom to ask of those that have the chunk and were not tried for it.
    fn best_peer(&self, now: Moment, id: ChunkId, but: Option<PeerId>) -> Option<PeerId> {
        let active = self.active.get(&id.sequence)?;
        let is_trial =
            id.index == 0 && id.sequence.is_multiple_of(TRIAL_EVERY << (self.distrust / 2));
        let is_early = !is_trial && self.opens_at(active) > now;
        // Not by keys: who chooses one that comes first must gain nothing by it.
        let salt = self.known.get(&id.sequence).map(Salt::of)?;
        self.peers
            .iter()
            .filter(|(peer, neighbour)| {
                Some(**peer) != but
                    && neighbour.asked.len() < MAX_ASKED
                    && neighbour.resting_until <= now
                    && neighbour.holdings.has(id)
                    && !(is_early && neighbour.received == 0)
                    && !active.tried.contains_key(&(id.index, **peer))
            })
            .min_by_key(|(peer, neighbour)| (neighbour.reserve(is_trial), salt.lot(**peer)))
            .map(|(peer, _)| *peer)
    }

    fn ask_peers(&mut self, now: Moment, sequence: u64, out: &mut Vec<Output>) {
        let Some(active) = self.active.get(&sequence) else { return };
        let missing: Vec<u16> = active
            .indexed()
            .filter(|(_, slot)| *slot == Slot::Missing)
            .map(|(index, _)| index)
            .collect();
        for index in missing {
            let id = ChunkId { sequence, index };
            let Some(peer) = self.best_peer(now, id, None) else { continue };
            if let Some(neighbour) = self.peers.get_mut(&peer) {
                neighbour.asked.insert(id, now);
            }
            if let Some(active) = self.active.get_mut(&sequence) {
                active.set(index, Slot::Asked(peer));
            }
            out.push(Output::Ask(peer, id));
        }
    }

    fn ask_origin(&mut self, now: Moment, sequence: u64, out: &mut Vec<Output>) {
        let Some(active) = self.active.get(&sequence) else { return };
        if active.retry_at > now || self.orders.len() >= MAX_ORDERS {
            return;
        }
        let due = if self.hedge_at(sequence, active).is_some_and(|at| at <= now) {
            Due::Hedge
        } else if self.turn_at(sequence, active).is_some_and(|at| at <= now) {
            Due::Turn
        } else {
            return;
        };
        let needed: Vec<u16> = active
            .indexed()
            .filter(|(index, slot)| match slot {
                Slot::Missing => {
                    let id = ChunkId { sequence, index: *index };
                    due == Due::Hedge || !active.is_servable(&self.peers, id)
                }
                Slot::Asked(_) => due == Due::Hedge,
                Slot::Ordered(_) | Slot::Here => false,
            })
            .map(|(index, _)| index)
            .collect();
        if needed.is_empty() {
            return;
        }
        self.strike_winners(now, sequence);
        for run in runs(&needed) {
            if self.orders.len() >= MAX_ORDERS {
                break;
            }
            self.order(now, sequence, run, due, out);
        }
    }

    fn order(
        &mut self,
        now: Moment,
        sequence: u64,
        run: Range<u16>,
        due: Due,
        out: &mut Vec<Output>,
    ) {
        let Some(record) = self.known.get(&sequence) else { return };
        let Some(active) = self.active.get_mut(&sequence) else { return };
        let last = run.end.saturating_sub(1);
        let (Some(first), Some(last)) = (chunk::span(record, run.start), chunk::span(record, last))
        else {
            return;
        };
        let order = OrderId(self.next_order);
        self.next_order = self.next_order.saturating_add(1);
        for index in run.clone() {
            let id = ChunkId { sequence, index };
            for (peer, neighbour) in &mut self.peers {
                if neighbour.asked.contains_key(&id) {
                    neighbour.cancel(id);
                    out.push(Output::Cancel(*peer, id));
                }
            }
            active.set(index, Slot::Ordered(order));
            if due == Due::Hedge && !self.peers.is_empty() {
                self.stats.hedged = self.stats.hedged.saturating_add(1);
            }
        }
        let is_whole = run.len() == usize::from(record.count());
        let range = (!is_whole).then_some((first.start, last.end));
        let length = last.end.saturating_sub(first.start);
        self.orders.insert(order, Order { sequence, since: now });
        self.news.fetching.push(sequence);
        out.push(Output::Http(order, HttpRange { sequence, range, length }));
    }

    /// Returns when the origin must be asked for everything that is not here, to meet the player's deadline.
    fn hedge_at(&self, sequence: u64, active: &Active) -> Option<Moment> {
        let wanted = active.wanted?;
        let last_safe = self.http_times.last_safe(wanted.deadline);
        let is_offered = active.indexed().all(|(index, slot)| match slot {
            Slot::Missing => active.is_servable(&self.peers, ChunkId { sequence, index }),
            Slot::Asked(_) | Slot::Ordered(_) | Slot::Here => true,
        });
        // A listener that joins late has a deadline of now; peers that offer everything still get a chance.
        Some(if is_offered { last_safe.max(wanted.since.after(PEER_PATIENCE)) } else { last_safe })
    }

    /// Returns when it is our turn to ask the origin for what no peer offers.
    fn turn_at(&self, sequence: u64, active: &Active) -> Option<Moment> {
        let is_carrying = |neighbour: &&Neighbour| neighbour.is_carrying(sequence);
        if !self.peers.values().any(|neighbour| is_carrying(&neighbour)) {
            return active.wanted.map(|wanted| wanted.since);
        }
        let position = self.drawn_before(sequence).filter(|(_, peer)| is_carrying(peer)).count();
        let ours = Salt::of(self.known.get(&sequence)?).lot(self.config.me);
        let seen = u64::try_from(self.peers.len()).unwrap_or(u64::MAX).saturating_add(1);
        let unseen = self.crowd.saturating_sub(seen);
        let turn = active.since.after(election_wait(position, ours, unseen));
        let turn =
            if position == 0 { turn } else { self.turn_after_a_look(sequence, active, turn) };
        let carrying = self.peers.values().filter(is_carrying);
        let claimed = carrying.filter_map(|peer| peer.claims.get(&sequence)).min();
        // The earliest claim alone buys time, so that claims cannot be chained.
        Some(claimed.map_or(turn, |claimed| turn.max(claimed.after(self.config.target))))
    }

    /// Returns `turn`, later by the time between two looks at a playlist where the player can wait: whoever was drawn before
    /// us may not know of the segment yet, and who always looks first would fetch everything for everybody.
    fn turn_after_a_look(&self, sequence: u64, active: &Active, turn: Moment) -> Moment {
        let looked = turn.after(self.config.target);
        let hedge = self.hedge_at(sequence, active);
        let latest = hedge.map_or(looked, |hedge| hedge.before(BACKUP_PATIENCE));
        turn.max(looked.min(latest))
    }

    /// Returns whose lot for a segment is lower than ours.
    fn drawn_before(&self, sequence: u64) -> impl Iterator<Item = (&PeerId, &Neighbour)> {
        let salt = self.known.get(&sequence).map(Salt::of);
        let ours = salt.map(|salt| salt.lot(self.config.me));
        self.peers.iter().filter(move |(peer, _)| salt.map(|salt| salt.lot(**peer)) < ours)
    }

    /// Who was drawn before us and offers nothing of a segment for which we had to turn to the origin is passed over in time.
    fn strike_winners(&mut self, now: Moment, sequence: u64) {
        let Some(active) = self.active.get(&sequence) else { return };
        if active.since.after(BACKUP_PATIENCE) > now || active.failures > 0 {
            return;
        }
        let has_some = |neighbour: &Neighbour| {
            let mut chunks = active.indexed().map(|(index, _)| ChunkId { sequence, index });
            chunks.any(|id| neighbour.holdings.has(id))
        };
        let missed: Vec<PeerId> = self
            .drawn_before(sequence)
            .filter(|(_, neighbour)| neighbour.is_carrying(sequence) && !has_some(neighbour))
            .map(|(peer, _)| *peer)
            .collect();
        for peer in missed {
            if let Some(neighbour) = self.peers.get_mut(&peer) {
                neighbour.strikes = neighbour.strikes.saturating_add(1);
            }
        }
    }

    /// Delivers a segment that is whole, or gives it up.
    fn finish(&mut self, sequence: u64, out: &mut Vec<Output>) {
        let Some(active) = self.active.get(&sequence) else { return };
        let Some(record) = self.known.get(&sequence) else {
            // Forgotten because thousands of newer ones came.
            if active.wanted.is_some() {
                out.push(Output::Fail(sequence, FetchError::Unknown));
            }
            self.stop(sequence, out);
            self.active.remove(&sequence);
            return;
        };
        let is_wanted = active.wanted.is_some();
        if let Some(bytes) = self.cache.segment(record) {
            self.stop(sequence, out);
            self.active.remove(&sequence);
            if is_wanted {
                self.stats.delivered = self.stats.delivered.saturating_add(1);
                out.push(Output::Deliver(sequence, bytes));
            }
            return;
        }
        let is_asked = active.indexed().any(|(_, slot)| matches!(slot, Slot::Asked(_)));
        if is_wanted && !is_asked && active.failures >= MAX_ATTEMPTS {
            self.stop(sequence, out);
            self.active.remove(&sequence);
            out.push(Output::Fail(sequence, FetchError::OriginFailed));
        }
    }

    /// Returns every moment at which something may become due.
    fn moments(&self) -> Vec<Moment> {
        let mut moments = Vec::new();
        for (sequence, active) in &self.active {
            let is_open = active.slots.iter().any(|s| matches!(s, Slot::Missing | Slot::Asked(_)));
            if is_open {
                let due = [self.hedge_at(*sequence, active), self.turn_at(*sequence, active)];
                moments.extend(due.into_iter().flatten().map(|at| at.max(active.retry_at)));
                moments.push(self.opens_at(active));
            }
        }
        for neighbour in self.peers.values() {
            moments.push(neighbour.resting_until);
            for asked in neighbour.asked.values() {
                moments.push(neighbour.stalled_at(*asked, neighbour.patience()));
                moments.push(neighbour.stalled_at(*asked, LOST_PATIENCE));
            }
        }
        moments.extend(self.orders.values().map(|order| order.since.after(HTTP_PATIENCE)));
        moments
    }
}

/// Merges adjacent positions.
fn runs(indices: &[u16]) -> Vec<Range<u16>> {
    let mut runs: Vec<Range<u16>> = Vec::new();
    for index in indices {
        match runs.last_mut() {
            Some(run) if run.end == *index => run.end = index.saturating_add(1),
            _ => runs.push(*index..index.saturating_add(1)),
        }
    }
    runs
}
