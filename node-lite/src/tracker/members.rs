//! Who is in which swarm, and what members are told.

use super::{
    Connection, LISTS, MAX_PEERS, MAX_STREAMS, NEARS, Output, Tracker,
    cluster::TrackerId,
    place::Network,
    send,
    swarm::{Member, Swarm},
    token::TokenError,
};
use antiphon_core::{
    codec::Bounded,
    crypto::Signed,
    id::{PeerId, StreamId},
    peer::tracker_wire::{
        Candidate, Candidates, ForwardedSignal, MAX_CANDIDATES, Near, Signal, SignalKind,
        ToListener, TrackerRefusal,
    },
};

impl Tracker {
    pub(super) fn join(
        &mut self,
        id: Connection,
        peer: PeerId,
        stream: StreamId,
        out: &mut Vec<Output>,
    ) {
        let Some(conn) = self.conns.get_mut(&id) else { return };
        if self.config.needs_token
            && let Err(why) = conn.admit(self.now, &mut self.heirs, (stream, peer))
        {
            out.push(Output::Refused(id, why));
            return self.fault(id, TrackerRefusal::NoToken, out);
        }
        let is_member = conn.streams.contains(&stream);
        let peers = self.swarms.get(&stream).map_or(0, Swarm::local);
        if !is_member && (conn.streams.len() >= MAX_STREAMS || peers >= MAX_PEERS) {
            return self.fault(id, TrackerRefusal::TooMuch, out);
        }
        conn.streams.insert(stream);
        let (network, place, since) = (conn.network, conn.place, conn.since);
        let swarm = self.swarms.entry(stream).or_default();
        // Who was at another tracker keeps its rank, too.
        let rank = swarm.rank(&peer).or_else(|| self.leavers.take(stream, peer));
        let rank = rank.unwrap_or_else(|| self.joins.next());
        if !is_member {
            let (prefix, network) = (network.prefix(), Some(network));
            let (tracker, unanswered) = (None, 0);
            let member = Member { rank, since, network, prefix, place, tracker, unanswered };
            swarm.insert(peer, member);
            self.say_here(stream, peer, out);
        }
        out.push(send(id, &ToListener::Welcome(stream, rank)));
        self.show(id, peer, &[stream], out);
        // It may have signed in anew elsewhere while this connection hesitated.
        self.settle(stream, peer, out);
    }

    pub(super) fn leave(
        &mut self,
        id: Connection,
        peer: PeerId,
        stream: StreamId,
        out: &mut Vec<Output>,
    ) {
        let Some(conn) = self.conns.get_mut(&id) else { return };
        if !conn.streams.remove(&stream) {
            return self.fault(id, TrackerRefusal::NotJoined, out);
        }
        self.remove(peer, stream, out);
    }

    pub(super) fn heartbeat(&mut self, id: Connection, peer: PeerId, out: &mut Vec<Output>) {
        self.put_out(id, peer, out);
        let streams = self.conns.get(&id).map(|conn| conn.streams.clone()).unwrap_or_default();
        for stream in &streams {
            if let Some(swarm) = self.swarms.get_mut(stream) {
                swarm.seen(&peer);
            }
        }
        self.show(id, peer, &streams.into_iter().collect::<Vec<_>>(), out);
    }

    /// Hears which neighbours are near, at the pace at which listeners say it.
    pub(super) fn near(
        &mut self,
        id: Connection,
        peer: PeerId,
        near: &Near,
        out: &mut Vec<Output>,
    ) {
        let Some(conn) = self.conns.get_mut(&id) else { return };
        if !conn.nears.take(self.now, NEARS) {
            return self.fault(id, TrackerRefusal::TooMuch, out);
        }
        let stream = Some(near.stream).filter(|stream| conn.streams.contains(stream));
        match stream.and_then(|stream| self.swarms.get_mut(&stream)) {
            Some(swarm) => swarm.measured(peer, &near.peers),
            None => self.fault(id, TrackerRefusal::NotJoined, out),
        }
    }

    /// Ends the membership for which there is no good token any more.
    fn put_out(&mut self, id: Connection, peer: PeerId, out: &mut Vec<Output>) {
        let Some(conn) = self.conns.get(&id).filter(|_| self.config.needs_token) else {
            return;
        };
        let past = |stream: &StreamId| Some((*stream, conn.past(self.now, &self.heirs, *stream)?));
        let over: Vec<(StreamId, TokenError)> = conn.streams.iter().filter_map(past).collect();
        for (stream, why) in over {
            if let Some(conn) = self.conns.get_mut(&id) {
                conn.streams.remove(&stream);
            }
            out.push(Output::Refused(id, why));
            out.push(send(id, &ToListener::Refused(TrackerRefusal::NoToken)));
            self.remove(peer, stream, out);
        }
    }

    /// Shows some of each swarm, unless this is asked faster than joins and heartbeats need.
    fn show(&mut self, id: Connection, peer: PeerId, streams: &[StreamId], out: &mut Vec<Output>) {
        let Some(conn) = self.conns.get_mut(&id) else { return };
        if !conn.lists.take(self.now, LISTS) {
            return self.fault(id, TrackerRefusal::TooMuch, out);
        }
        let network = conn.network;
        for stream in streams {
            let Some(swarm) = self.swarms.get(stream) else { continue };
            let crowd = u32::try_from(swarm.len()).unwrap_or(u32::MAX);
            let picked = swarm.pick(&peer, &mut self.dice);
            let peers = Bounded::try_from(self.allowed(id, network, *stream, picked));
            let candidates =
                Candidates { stream: *stream, crowd, peers: peers.unwrap_or_default() };
            out.push(send(id, &ToListener::Candidates(candidates)));
        }
    }

    /// Returns whom of the picked ones this connection may be told, and in the place of the others whom it was told before.
    fn allowed(
        &mut self,
        id: Connection,
        network: Network,
        stream: StreamId,
        picked: Vec<Candidate>,
    ) -> Vec<Candidate> {
        let now = self.now;
        let (Some(conn), Some(swarm)) = (self.conns.get_mut(&id), self.swarms.get(&stream)) else {
            return Vec::new();
        };
        let wanted = picked.len().min(MAX_CANDIDATES);
        let mut told: Vec<Candidate> = Vec::new();
        for candidate in picked {
            if !conn.names.has(&candidate.peer) {
                let is_own = swarm.get(&candidate.peer).is_some_and(|m| m.network == Some(network));
                let narrow = self.networks.get_mut(&network);
                let wide = self.prefixes.get_mut(&network.prefix());
                // Those behind the same address are no news to it.
                let has_name = || {
                    is_own || [narrow, wide].into_iter().flatten().all(|shared| shared.name(now))
                };
                if !(conn.names.take(now) && has_name()) {
                    continue;
                }
                conn.names.show(candidate.peer);
            }
            told.push(candidate);
        }
        for peer in conn.names.shown() {
            if told.len() >= wanted {
                break;
            }
            let is_told = told.iter().any(|candidate| candidate.peer == *peer);
            if let Some(rank) = swarm.rank(peer).filter(|_| !is_told) {
                told.push(Candidate { peer: *peer, rank });
            }
        }
        told
    }

    /// Hands a signal on as it is: the receiver checks its signature, we that its sender is who signed in here.
    pub(super) fn signal(
        &mut self,
        id: Connection,
        peer: PeerId,
        signal: Signed<Signal>,
        out: &mut Vec<Output>,
    ) {
        let Signal { stream, from, to, kind, sdp, .. } = &signal.body;
        if *from != peer {
            return self.fault(id, TrackerRefusal::BadMessage, out);
        }
        let Some((swarm, rank)) = self
            .swarms
            .get_mut(stream)
            .and_then(|swarm| swarm.rank(from).map(|rank| (swarm, rank)))
        else {
            return self.fault(id, TrackerRefusal::NotJoined, out);
        };
        match kind {
            SignalKind::Offer => swarm.offered(to),
            // An empty answer says that there is no room.
            SignalKind::Answer if sdp.as_str().is_empty() => {}
            SignalKind::Candidates => {}
            SignalKind::Answer => swarm.answered(from),
        }
        // Whether a peer listens to something else is nobody's business: absent means absent from this swarm.
        let (stream, to) = (*stream, *to);
        let receiver = self.whereabouts(stream, &to).filter(|_| to != peer);
        let forwarded = ToListener::Signal(ForwardedSignal { rank, signal });
        let is_sent = match receiver {
            Some(Whereabouts::Here(receiver)) => {
                out.push(send(receiver, &forwarded));
                true
            }
            Some(Whereabouts::There(tracker)) => {
                self.send_to(tracker, (stream, to), &forwarded, out)
            }
            None => false,
        };
        // Those who leave while others dial are no fault of the dialler.
        if !is_sent {
            out.push(send(id, &ToListener::Refused(TrackerRefusal::NoSuchPeer)));
        }
    }

    pub(super) fn remove(&mut self, peer: PeerId, stream: StreamId, out: &mut Vec<Output>) {
        let Some(swarm) = self.swarms.get(&stream) else { return };
        // Who is at another tracker meanwhile is not ours to take out.
        if swarm.get(&peer).is_none_or(|member| member.tracker.is_some()) {
            return;
        }
        self.lose(stream, peer);
        self.settle(stream, peer, out);
        self.say_gone(stream, peer, out);
    }

    /// Returns where a member is connected, if it is one.
    pub(super) fn whereabouts(&self, stream: StreamId, peer: &PeerId) -> Option<Whereabouts> {
        let member = self.swarms.get(&stream)?.get(peer)?;
        match member.tracker {
            Some(tracker) => Some(Whereabouts::There(tracker)),
            None => self.peers.get(peer).copied().map(Whereabouts::Here),
        }
    }
}

/// Where a member is connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whereabouts {
    Here(Connection),
    There(TrackerId),
}
