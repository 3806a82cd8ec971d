//! Several trackers that share their swarms: each tells the others who is connected to it, and hands on what their members
//! say to each other.
//!
//! ```text
//! unknown --News--> asked --State--> known --News, one after the other--> known
//!                     ^                 |--gap in seq--> asked
//!                     '-----------------'--16 s without a word--> forgotten, with its members
//! ```
//!
//! Nothing is kept between them: whatever carries the messages may lose them, end, and come back. A tracker that hears of no
//! other goes on alone. They believe each other in all things, so what carries the messages is the operator's.
//! Source: issue 5 "several trackers share one swarm".

mod count;
mod wire;

pub(super) use count::Count;
pub use wire::{MAX_SHARED, TrackerId};

use super::{Output, Reason, Tracker, swarm::Member};
use antiphon_core::{
    codec::Bounded,
    id::{PeerId, StreamId},
    peer::tracker_wire::ToListener,
    time::Moment,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use wire::{Change, Delivery, Entry, MAX_PART, Message, News, Part};

/// How often a tracker says that it lives. Chosen here.
pub const ALIVE: Duration = Duration::from_secs(5);
/// After how long without a word another tracker counts as dead. Chosen here: three words lost.
pub const DEAD: Duration = Duration::from_secs(16);
/// How often one tracker is asked for all that it has.
const ASK_AGAIN: Duration = Duration::from_secs(2);
/// Other trackers that one listens to. Chosen here.
const MAX_TRACKERS: usize = 64;
/// Members of one other tracker. Source: its own bounds.
const MAX_MEMBERS: usize = super::MAX_CONNS * super::MAX_STREAMS;

/// For whom a message between trackers is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum To {
    /// Every tracker of the cluster.
    All,
    /// One of them.
    One(TrackerId),
}

/// What is known of the cluster.
#[derive(Debug)]
pub(super) struct Cluster {
    me: TrackerId,
    /// Whether messages go anywhere.
    is_up: bool,
    /// What we have said to be here or gone.
    seq: u64,
    alive_at: Moment,
    others: BTreeMap<TrackerId, Other>,
}

/// What is known of another tracker.
#[derive(Debug, Default)]
struct Other {
    /// The last change that we followed; none before its state was here.
    seq: Option<u64>,
    dead_at: Moment,
    asked_at: Option<Moment>,
    members: BTreeMap<(StreamId, PeerId), Entry>,
    /// The state that is coming: its seq, and its parts so far.
    coming: (u64, Vec<Part>),
}

impl Cluster {
    pub(super) const fn new(me: TrackerId) -> Self {
        let others = BTreeMap::new();
        Self { me, is_up: false, seq: 0, alive_at: Moment::ZERO, others }
    }

    /// Returns how many other trackers live.
    pub(super) fn others(&self) -> usize {
        self.others.len()
    }

    pub(super) fn deadline(&self) -> Option<Moment> {
        let alive = self.is_up.then_some(self.alive_at);
        self.others.values().map(|other| other.dead_at).chain(alive).min()
    }
}

impl Tracker {
    /// What carries messages is there, or is not.
    pub(super) fn set_cluster(&mut self, is_up: bool, out: &mut Vec<Output>) {
        if let Some(cluster) = &mut self.cluster {
            cluster.is_up = is_up;
            cluster.alive_at = self.now;
        }
        // Much may have been said meanwhile.
        let others = self.cluster.iter().flat_map(|cluster| cluster.others.keys().copied());
        for id in others.collect::<Vec<_>>() {
            self.ask(id, out);
        }
    }

    /// Another tracker said something. What cannot be read is ignored.
    pub(super) fn shared(&mut self, bytes: &[u8], out: &mut Vec<Output>) {
        let Ok(message) = Message::from_bytes(bytes) else { return };
        let Some(me) = self.cluster.as_ref().map(|cluster| cluster.me) else { return };
        match message {
            Message::News(news) if news.from != me => self.news(news, out),
            Message::Ask(from) if from != me => self.tell_all(from, out),
            Message::State(part) if part.from != me => self.state(part, out),
            Message::Deliver(delivery) => self.deliver(delivery, out),
            Message::News(_) | Message::Ask(_) | Message::State(_) => {}
        }
    }

    /// Says that a member has come.
    pub(super) fn say_here(&mut self, stream: StreamId, peer: PeerId, out: &mut Vec<Output>) {
        let member = self.swarms.get(&stream).and_then(|swarm| swarm.get(&peer));
        if let Some(member) = member.copied() {
            self.say(Change::Here(entry(stream, peer, &member)), out);
        }
    }

    /// Says that a member has gone.
    pub(super) fn say_gone(&mut self, stream: StreamId, peer: PeerId, out: &mut Vec<Output>) {
        self.say(Change::Gone(stream, peer), out);
    }

    /// Sends a message to a member of another tracker. Returns whether there is a way.
    pub(super) fn send_to(
        &self,
        tracker: TrackerId,
        (stream, to): (StreamId, PeerId),
        message: &ToListener,
        out: &mut Vec<Output>,
    ) -> bool {
        let is_up = self.cluster.as_ref().is_some_and(|cluster| cluster.is_up);
        let Ok(message) = Bounded::try_from(message.to_bytes()) else { return false };
        if is_up {
            let delivery = Message::Deliver(Delivery { stream, to, message });
            out.push(Output::Share(To::One(tracker), delivery.to_bytes()));
        }
        is_up
    }

    /// Says that this tracker lives, and forgets those that do not.
    pub(super) fn tick_cluster(&mut self, out: &mut Vec<Output>) {
        let now = self.now;
        let Some(cluster) = &mut self.cluster else { return };
        if cluster.is_up && cluster.alive_at <= now {
            cluster.alive_at = now.after(ALIVE);
            self.say(Change::Alive, out);
        }
        let Some(cluster) = &mut self.cluster else { return };
        let dead = cluster.others.iter().filter(|(_, other)| other.dead_at <= now);
        for id in dead.map(|(id, _)| *id).collect::<Vec<_>>() {
            let others = self.cluster.as_mut().map(|cluster| &mut cluster.others);
            let members = others.and_then(|others| others.remove(&id)).map(|other| other.members);
            for (stream, peer) in members.unwrap_or_default().into_keys() {
                self.settle(stream, peer, out);
            }
        }
    }

    fn say(&mut self, change: Change, out: &mut Vec<Output>) {
        let Some(cluster) = &mut self.cluster else { return };
        if change != Change::Alive {
            cluster.seq = cluster.seq.saturating_add(1);
        }
        if cluster.is_up {
            let news = Message::News(News { from: cluster.me, seq: cluster.seq, change });
            out.push(Output::Share(To::All, news.to_bytes()));
        }
    }

    /// Follows another tracker, one change after the other. A gap is closed by asking for everything.
    fn news(&mut self, news: News, out: &mut Vec<Output>) {
        let News { from, seq, change } = news;
        let Some(other) = self.meet(from, out) else { return };
        let follows = match change {
            Change::Alive => other.seq == Some(seq),
            Change::Here(_) | Change::Gone(..) => {
                other.seq.is_some_and(|last| last.checked_add(1) == Some(seq))
            }
        };
        if !follows {
            // What was asked for a moment ago is on its way.
            return self.ask(from, out);
        }
        other.seq = Some(seq);
        match change {
            Change::Alive => {}
            Change::Here(entry) => self.remote_here(from, entry, out),
            Change::Gone(stream, peer) => self.remote_gone(from, (stream, peer), out),
        }
    }

    /// Notes that a tracker lives; who is new hears from us at once.
    fn meet(&mut self, id: TrackerId, out: &mut Vec<Output>) -> Option<&mut Other> {
        let now = self.now;
        let cluster = self.cluster.as_mut()?;
        if !cluster.others.contains_key(&id) {
            if cluster.others.len() >= MAX_TRACKERS {
                return None;
            }
            cluster.others.insert(id, Other::default());
            self.say(Change::Alive, out);
        }
        let other = self.cluster.as_mut()?.others.get_mut(&id)?;
        other.dead_at = now.after(DEAD);
        Some(other)
    }

    fn ask(&mut self, of: TrackerId, out: &mut Vec<Output>) {
        let now = self.now;
        let Some(cluster) = &mut self.cluster else { return };
        let Some(other) = cluster.others.get_mut(&of) else { return };
        if cluster.is_up && other.asked_at.is_none_or(|at| at.after(ASK_AGAIN) <= now) {
            other.asked_at = Some(now);
            out.push(Output::Share(To::One(of), Message::Ask(cluster.me).to_bytes()));
        }
    }

    /// Tells one tracker everyone who is connected here.
    fn tell_all(&mut self, to: TrackerId, out: &mut Vec<Output>) {
        if self.meet(to, out).is_none() {
            return;
        }
        let Some(Cluster { me, seq, is_up: true, .. }) = self.cluster else { return };
        let local = self.swarms.iter().flat_map(|(stream, swarm)| {
            let local = swarm.iter().filter(|(_, member)| member.tracker.is_none());
            local.map(|(peer, member)| entry(*stream, *peer, member))
        });
        let members: Vec<Entry> = local.collect();
        let mut chunks: Vec<&[Entry]> = members.chunks(MAX_PART).collect();
        if chunks.is_empty() {
            chunks.push(&[]);
        }
        let parts = u32::try_from(chunks.len()).unwrap_or(u32::MAX);
        for (part, members) in (0..parts).zip(chunks) {
            let members = Bounded::try_from(members.to_vec()).unwrap_or_default();
            let state = Message::State(Part { from: me, seq, part, parts, members });
            out.push(Output::Share(To::One(to), state.to_bytes()));
        }
    }

    /// Gathers the parts of a state; the whole takes the place of what was known.
    fn state(&mut self, part: Part, out: &mut Vec<Output>) {
        let from = part.from;
        let Some(other) = self.meet(from, out) else { return };
        // Nobody pushes a state on us that we did not ask for.
        if other.asked_at.is_none() || !other.gather(part) {
            return;
        }
        let (seq, parts) = std::mem::take(&mut other.coming);
        (other.asked_at, other.seq) = (None, Some(seq));
        let entries: Vec<Entry> =
            parts.into_iter().flat_map(|part| part.members.into_vec()).collect();
        let new: BTreeSet<_> = entries.iter().map(|entry| (entry.stream, entry.peer)).collect();
        let gone = other.members.keys().filter(|member| !new.contains(member)).copied();
        for gone in gone.collect::<Vec<_>>() {
            self.remote_gone(from, gone, out);
        }
        for entry in entries {
            self.remote_here(from, entry, out);
        }
    }

    fn remote_here(&mut self, from: TrackerId, entry: Entry, out: &mut Vec<Output>) {
        let key = (entry.stream, entry.peer);
        self.joins.see(entry.rank);
        self.sign_ins.see(entry.since);
        let other = self.cluster.as_mut().and_then(|cluster| cluster.others.get_mut(&from));
        let Some(other) = other else { return };
        if other.members.len() < MAX_MEMBERS || other.members.contains_key(&key) {
            other.members.insert(key, entry);
            self.settle(entry.stream, entry.peer, out);
        }
    }

    fn remote_gone(
        &mut self,
        from: TrackerId,
        (stream, peer): (StreamId, PeerId),
        out: &mut Vec<Output>,
    ) {
        let other = self.cluster.as_mut().and_then(|cluster| cluster.others.get_mut(&from));
        if other.is_some_and(|other| other.members.remove(&(stream, peer)).is_some()) {
            self.settle(stream, peer, out);
        }
    }

    /// Puts a member where it is connected. Of several places of one key, the newest sign-in counts, everywhere.
    pub(super) fn settle(&mut self, stream: StreamId, peer: PeerId, out: &mut Vec<Output>) {
        let others = self.cluster.iter().flat_map(|cluster| &cluster.others);
        let places = others.filter_map(|(id, other)| {
            other.members.get(&(stream, peer)).map(|entry| (*id, *entry))
        });
        let newest = places.max_by_key(|(_, entry)| entry.since);
        let known = self.swarms.get(&stream).and_then(|swarm| swarm.get(&peer)).copied();
        let is_local = known.is_some_and(|known| known.tracker.is_none());
        let Some((id, entry)) = newest else {
            if !is_local {
                self.lose(stream, peer);
            }
            return;
        };
        if known.is_some_and(|known| is_local && known.since > entry.since) {
            return;
        }
        if is_local && let Some(conn) = self.peers.get(&peer).copied() {
            // What it leaves is settled on the way.
            return self.close(conn, Reason::Replaced, out);
        }
        let swarm = self.swarms.entry(stream).or_default();
        if known.is_some() || swarm.len() < super::MAX_SWARM {
            self.leavers.take(stream, peer);
            let Entry { rank, since, prefix, place, .. } = entry;
            let (network, tracker) = (None, Some(id));
            let member = Member { rank, since, network, prefix, place, tracker, unanswered: 0 };
            swarm.insert(peer, member);
        }
    }

    /// Takes out who is nowhere any more; its rank is kept for a while, for it may come to us.
    pub(super) fn lose(&mut self, stream: StreamId, peer: PeerId) {
        let Some(swarm) = self.swarms.get_mut(&stream) else { return };
        if let Some(member) = swarm.remove(&peer) {
            self.leavers.put(self.now, stream, peer, member.rank);
        }
        if swarm.len() == 0 {
            self.swarms.remove(&stream);
        }
    }

    /// Hands on what a member of another tracker says to one of ours.
    fn deliver(&self, delivery: Delivery, out: &mut Vec<Output>) {
        let Delivery { stream, to, message } = delivery;
        let member = self.swarms.get(&stream).and_then(|swarm| swarm.get(&to));
        let Some(id) = member.and_then(|_| self.peers.get(&to)).copied() else { return };
        match ToListener::from_bytes(&message) {
            Ok(ToListener::Signal(_)) => out.push(Output::Send(id, message.into_vec())),
            Ok(ToListener::Relayed(_)) => out.push(Output::Relay(id, message.into_vec())),
            // Nothing else comes from listeners.
            Ok(
                ToListener::Challenge(_)
                | ToListener::Welcome(..)
                | ToListener::Candidates(_)
                | ToListener::Refused(_),
            )
            | Err(_) => {}
        }
    }
}

impl Other {
    /// Adds a part of the state. Returns whether that was the last.
    fn gather(&mut self, part: Part) -> bool {
        let is_first = part.part == 0;
        if is_first {
            self.coming = (part.seq, Vec::new());
        }
        let expected = u32::try_from(self.coming.1.len()).unwrap_or(u32::MAX);
        let most = u32::try_from(MAX_MEMBERS.div_ceil(MAX_PART)).unwrap_or(u32::MAX);
        if part.part != expected || part.seq != self.coming.0 || part.parts > most {
            return false;
        }
        let is_last = part.part.saturating_add(1) >= part.parts;
        self.coming.1.push(part);
        is_last
    }
}

const fn entry(stream: StreamId, peer: PeerId, member: &Member) -> Entry {
    let Member { rank, since, prefix, place, .. } = *member;
    Entry { stream, peer, rank, since, prefix, place }
}

#[cfg(test)]
mod tests;
