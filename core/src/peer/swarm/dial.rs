//! Links: dialling elders, answering the younger, giving up.

use super::{
    DIAL_PATIENCE, Known, Link, MAX_LINKS, MAX_SEEN, Output, Stage, Swarm, TrackerFault, YOUNG,
};
use crate::{
    codec::Text,
    crypto::Signed,
    id::{ChainId, PeerId},
    peer::{
        LinkId,
        tracker_wire::{ForwardedSignal, MAX_SDP_BYTES, Signal, SignalKind, ToTracker},
    },
    table::Table,
    time::Moment,
};
use alloc::{string::String, vec::Vec};
use core::time::Duration;

/// Rest before a peer is dialled again; doubles with each failure.
const REDIAL: Duration = Duration::from_secs(2);

/// Of sixteen links, those that we dial. Chosen here: eight pages are all linked with each other.
const OWN_SIXTEENTHS: usize = 7;

/// Additions to a description that one end may send. Chosen here: what a slow server or two are late with.
const MAX_ADDITIONS: u8 = 4;

/// Failures after which a peer is forgotten until the tracker names it again.
const MAX_FAILURES: u32 = 5;

impl Swarm {
    /// Returns the peers that are ours to dial: elders without a link.
    pub(super) fn candidates(&self) -> impl Iterator<Item = (PeerId, Known)> {
        let rank = self.rank.unwrap_or_default();
        self.known
            .iter()
            .filter(move |(peer, known)| {
                known.rank < rank && !self.links.values().any(|link| link.peer == **peer)
            })
            .map(|(peer, known)| (*peer, *known))
    }

    /// Returns whether there is a tracker to signal through and room for a link of our own.
    pub(super) fn can_dial(&self) -> bool {
        self.is_joined() && self.has_room(true)
    }

    /// Returns whether there is room for a link that we dial, or that we answer. Each has a part of its own: else whoever has
    /// many keys could dial us until we are linked with nobody else. A little less is dialled than is answered, so that
    /// newcomers find room where everybody has dialled all that it may.
    fn has_room(&self, is_ours: bool) -> bool {
        let most = self.config.max_links.min(MAX_LINKS);
        let ours = most.saturating_mul(OWN_SIXTEENTHS) / 16;
        let part = if is_ours { ours } else { most.saturating_sub(ours) };
        self.links.values().filter(|link| link.is_ours == is_ours).count() < part
    }

    pub(super) fn dial(&mut self, now: Moment, out: &mut Vec<Output>) {
        let due = self.candidates().filter(|(_, known)| known.retry_at <= now);
        let due: Table<_, ()> =
            due.map(|(peer, known)| ((known.failures, known.lot, peer), ())).collect();
        for (_, _, peer) in due.into_keys() {
            if !self.can_dial() {
                return;
            }
            self.dial_to(now, peer, out);
        }
    }

    pub(super) fn dial_to(&mut self, now: Moment, peer: PeerId, out: &mut Vec<Output>) -> LinkId {
        let session = self.dice.roll();
        let id = self.make(now, peer, session, SignalKind::Offer);
        out.push(Output::CreateLink(id, None));
        id
    }

    pub(super) fn tick_links(&mut self, now: Moment, out: &mut Vec<Output>) {
        let is_late = |link: &Link| link.stage != Stage::Open && link.until <= now;
        let late: Vec<LinkId> =
            self.links.iter().filter(|(_, link)| is_late(link)).map(|(id, _)| *id).collect();
        for id in late {
            self.drop_link(now, id, out);
        }
    }

    /// Sends our description to the peer.
    pub(super) fn described(&mut self, now: Moment, id: LinkId, sdp: &str, out: &mut Vec<Output>) {
        let is_joined = self.is_joined();
        let Some(link) = self.links.get_mut(&id) else { return };
        let Stage::Describing(kind) = link.stage else { return };
        let Ok(sdp) = Text::try_from(sdp) else {
            self.drop_link(now, id, out);
            return;
        };
        if !is_joined {
            self.drop_link(now, id, out);
            return;
        }
        link.stage = Stage::Described(kind);
        let (to, session) = (link.peer, link.session);
        self.say(to, session, kind, sdp, out);
    }

    /// Sends what was found since the description went. Once the link is open, nobody needs it.
    pub(super) fn trickle(&mut self, id: LinkId, lines: &str, out: &mut Vec<Output>) {
        let is_joined = self.is_joined();
        let Some(link) = self.links.get_mut(&id) else { return };
        let (Stage::Described(_), Ok(lines)) = (link.stage, Text::try_from(lines)) else { return };
        let Some(left) = link.additions.0.checked_sub(1).filter(|_| is_joined) else { return };
        link.additions.0 = left;
        let (to, session) = (link.peer, link.session);
        self.say(to, session, SignalKind::Candidates, lines, out);
    }

    fn say(
        &self,
        to: PeerId,
        session: u64,
        kind: SignalKind,
        sdp: Text<MAX_SDP_BYTES>,
        out: &mut Vec<Output>,
    ) {
        let body = Signal { stream: self.config.stream, from: self.me, to, session, kind, sdp };
        let signed = Signed::new(&self.config.key, ChainId::default(), body);
        out.push(Output::TrackerSend(ToTracker::Signal(signed).to_bytes()));
    }

    /// Takes up a description from another peer, if it is one for us and its sender signed it.
    pub(super) fn signal(
        &mut self,
        now: Moment,
        forwarded: ForwardedSignal,
        out: &mut Vec<Output>,
    ) {
        let ForwardedSignal { signal, .. } = forwarded;
        let body = &signal.body;
        let is_ours = body.to == self.me && body.stream == self.config.stream;
        if !is_ours || body.from == self.me || signal.verify_sender().is_err() {
            out.push(Output::Trouble(TrackerFault::ForgedSignal));
            return;
        }
        if self.is_banned(now, &body.from) {
            return;
        }
        let (from, session) = (body.from, body.session);
        let sdp = String::from(body.sdp.as_str());
        match body.kind {
            SignalKind::Offer => self.offered(now, from, session, sdp, out),
            SignalKind::Answer => {
                let waiting = self.links.iter_mut().find(|(_, link)| {
                    link.peer == from
                        && link.session == session
                        && link.stage == Stage::Described(SignalKind::Offer)
                });
                if let Some((id, link)) = waiting {
                    if sdp.is_empty() {
                        // It has no room. Who is named again may have some then.
                        let id = *id;
                        self.known.remove(&from);
                        return self.drop_link(now, id, out);
                    }
                    // One answer counts: from here on the link waits only for its channel.
                    link.stage = Stage::Described(SignalKind::Answer);
                    out.push(Output::AcceptAnswer(*id, sdp));
                }
            }
            SignalKind::Candidates => {
                let waiting = self.links.iter_mut().find(|(_, link)| {
                    link.peer == from && link.session == session && link.stage != Stage::Open
                });
                let Some((id, link)) = waiting else { return };
                let Some(left) = link.additions.1.checked_sub(1) else { return };
                link.additions.1 = left;
                out.push(Output::AddCandidates(*id, sdp));
            }
        }
    }

    fn offered(
        &mut self,
        now: Moment,
        from: PeerId,
        session: u64,
        sdp: String,
        out: &mut Vec<Output>,
    ) {
        if self.seen.contains(&(from, session)) {
            return;
        }
        self.seen.push_back((from, session));
        if self.seen.len() > MAX_SEEN {
            self.seen.pop_front();
        }
        let pending = self
            .links
            .iter()
            .find(|(_, link)| link.peer == from && link.stage != Stage::Open)
            .map(|(id, link)| (*id, link.stage));
        if let Some((id, stage)) = pending {
            // Both dial at once when ranks change meanwhile: the lower key's offer stands.
            let is_ours = stage == Stage::Describing(SignalKind::Offer)
                || stage == Stage::Described(SignalKind::Offer);
            if is_ours && self.me < from {
                return;
            }
            self.links.remove(&id);
            out.push(Output::CloseLink(id));
        }
        // A peer whose page was loaded anew offers while its old link still looks open; that one goes when the
        // new one opens, so a replayed offer cannot tear it down.
        if !self.has_room(false) {
            // No room is said with an empty answer, else the dial would hold a place of the other's until its patience ends.
            return self.say(from, session, SignalKind::Answer, Text::default(), out);
        }
        let id = self.make(now, from, session, SignalKind::Answer);
        out.push(Output::CreateLink(id, Some(sdp)));
    }

    fn make(&mut self, now: Moment, to: PeerId, session: u64, kind: SignalKind) -> LinkId {
        let id = self.next_link;
        self.next_link = LinkId(id.0.saturating_add(1));
        let (stage, until) = (Stage::Describing(kind), now.after(DIAL_PATIENCE));
        let is_ours = kind == SignalKind::Offer;
        let additions = (MAX_ADDITIONS, MAX_ADDITIONS);
        let round_trip = None;
        let is_sought = false;
        let link =
            Link { peer: to, is_ours, is_sought, session, stage, until, additions, round_trip };
        self.links.insert(id, link);
        id
    }

    pub(super) fn link_opened(&mut self, now: Moment, id: LinkId, out: &mut Vec<Output>) {
        let Some(link) = self.links.get_mut(&id).filter(|link| link.stage != Stage::Open) else {
            return;
        };
        (link.stage, link.until) = (Stage::Open, now.after(YOUNG));
        let peer = link.peer;
        if let Some(known) = self.known.get_mut(&peer) {
            known.failures = 0;
        }
        let is_old = |(other, link): &(&LinkId, &Link)| link.peer == peer && **other != id;
        let old: Vec<(LinkId, Stage)> =
            self.links.iter().filter(is_old).map(|(id, link)| (*id, link.stage)).collect();
        for (old, stage) in old {
            self.links.remove(&old);
            out.push(Output::CloseLink(old));
            if stage == Stage::Open {
                out.push(Output::Left(old, peer));
            }
        }
        out.push(Output::Joined(id, peer));
    }

    /// Closes a link of our own accord.
    pub(super) fn drop_link(&mut self, now: Moment, id: LinkId, out: &mut Vec<Output>) {
        if self.links.contains_key(&id) {
            out.push(Output::CloseLink(id));
            self.link_gone(now, id, out);
        }
    }

    pub(super) fn link_gone(&mut self, now: Moment, id: LinkId, out: &mut Vec<Output>) {
        let Some(link) = self.links.remove(&id) else { return };
        if link.stage == Stage::Open {
            out.push(Output::Left(id, link.peer));
        }
        if let Some(known) = self.known.get_mut(&link.peer) {
            let rest = self.dice.jitter(REDIAL.saturating_mul(1 << known.failures.min(5)));
            known.retry_at = now.after(rest);
            known.failures = known.failures.saturating_add(1);
            if known.failures > MAX_FAILURES {
                self.known.remove(&link.peer);
            }
        }
    }
}
