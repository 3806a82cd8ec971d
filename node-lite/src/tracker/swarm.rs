//! The listeners of one stream, and whom each of them is told.
//!
//! ```text
//! near    ≤ 16 of 32   own network ── own prefix ── near by measure ── nearest cells, own operator first ── own wide prefix
//! random  the rest     any member ── any prefix, however many it has ── (below 8) whoever there is
//! ```
//!
//! Near ones make short ways, random ones keep the swarm in one piece and an attacker from choosing whom somebody
//! meets: of one prefix no more than a few are named, however many keys and addresses it has. Source: issue 5
//! "Tracker"; FIELD-NOTES recommendation 6 (mixed, capped per prefix against eclipse); ALLA-18.

use super::{
    cluster::TrackerId,
    dice::Dice,
    nearness::Nearness,
    place::{Cell, Network, Place, Position, Prefix, WidePrefix},
    pool::{Groups, Pool},
};
use antiphon_core::{
    id::PeerId,
    peer::tracker_wire::{Candidate, MAX_CANDIDATES, Nearby},
};
use rstar::RTree;
use std::collections::BTreeMap;

/// Candidates that are chosen for being near. Chosen here: half.
const MAX_NEAR: usize = MAX_CANDIDATES / 2;
/// Candidates from the asker's own network. Chosen here: a quarter; those share its way out, and an attacker seldom does.
const MAX_OWN: usize = 8;
/// Candidates that are near to whom the asker is near, by what both ends measured. Chosen here: a quarter, see `nearness`.
const MAX_MEASURED: usize = 8;
/// Candidates from another prefix, an IPv4 /24 or IPv6 /48. Chosen here: an eighth.
const MAX_PER_PREFIX: usize = 4;
/// Candidates from another wide prefix, an IPv4 /16 or IPv6 /32. Chosen here: a quarter.
const MAX_PER_WIDE: usize = 8;
/// So many are named whatever they have in common: a whole swarm may sit in one house. Chosen here.
const MIN_NAMED: usize = 8;
/// Cells that are looked at, members of each, and of all together. Chosen here.
const MAX_CELLS: usize = 16;
const PER_CELL: usize = 16;
const MAX_LOOKED_AT: usize = 64;
/// Offers in a row without an answer after which somebody is named only if there are few others: its links are full, or
/// it cannot be reached. Chosen here.
const MAX_UNANSWERED: u8 = 4;

/// One listener of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) rank: u64,
    /// When its connection signed in, in the count of sign-ins of all trackers.
    pub(super) since: u64,
    /// Its address, where it is connected here.
    pub(super) network: Option<Network>,
    pub(super) prefix: Prefix,
    pub(super) place: Place,
    /// The other tracker that it is connected to, if it is not here.
    pub(super) tracker: Option<TrackerId>,
    /// Offers since its last answer.
    pub(super) unanswered: u8,
}

/// Who listens to one stream.
#[derive(Clone, Debug, Default)]
pub(super) struct Swarm {
    members: BTreeMap<PeerId, Member>,
    /// How many of them are connected here.
    local: usize,
    all: Pool<PeerId>,
    networks: Groups<Network, PeerId>,
    prefixes: Groups<Prefix, PeerId>,
    wides: Groups<WidePrefix, PeerId>,
    cells: Groups<Position, PeerId>,
    tree: RTree<Cell>,
    nearness: Nearness,
}

impl Swarm {
    pub(super) fn len(&self) -> usize {
        self.members.len()
    }

    /// Returns how many members are connected to this tracker.
    pub(super) const fn local(&self) -> usize {
        self.local
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&PeerId, &Member)> {
        self.members.iter()
    }

    pub(super) fn get(&self, peer: &PeerId) -> Option<&Member> {
        self.members.get(peer)
    }

    pub(super) fn rank(&self, peer: &PeerId) -> Option<u64> {
        self.get(peer).map(|member| member.rank)
    }

    /// Adds a peer, or puts what is known of it in the place of what was.
    pub(super) fn insert(&mut self, peer: PeerId, member: Member) {
        self.remove(&peer);
        self.all.insert(peer);
        self.local = self.local.saturating_add(usize::from(member.tracker.is_none()));
        if let Some(network) = member.network {
            self.networks.insert(network, peer);
        }
        self.prefixes.insert(member.prefix, peer);
        self.wides.insert(member.prefix.wide(), peer);
        if let Some(position) = member.place.position
            && self.cells.insert(position, peer)
        {
            self.tree.insert(Cell::from(position));
        }
        self.members.insert(peer, member);
    }

    /// Removes a peer and returns what was known of it.
    pub(super) fn remove(&mut self, peer: &PeerId) -> Option<Member> {
        let member = self.members.remove(peer)?;
        self.nearness.forget(peer);
        self.all.remove(peer);
        self.local = self.local.saturating_sub(usize::from(member.tracker.is_none()));
        if let Some(network) = member.network {
            self.networks.remove(network, peer);
        }
        self.prefixes.remove(member.prefix, peer);
        self.wides.remove(member.prefix.wide(), peer);
        if let Some(position) = member.place.position
            && self.cells.remove(position, peer)
        {
            self.tree.remove(&Cell::from(position));
        }
        Some(member)
    }

    /// An offer was handed to this peer. Its answers are seen where it is connected.
    pub(super) fn offered(&mut self, peer: &PeerId) {
        if let Some(member) = self.members.get_mut(peer).filter(|member| member.tracker.is_none()) {
            member.unanswered = member.unanswered.saturating_add(1);
        }
    }

    /// This peer answered an offer: it can be reached and has room.
    pub(super) fn answered(&mut self, peer: &PeerId) {
        if let Some(member) = self.members.get_mut(peer) {
            member.unanswered = 0;
        }
    }

    /// This peer is still there. What it left unanswered fades, so that nobody can silence it by offers.
    pub(super) fn seen(&mut self, peer: &PeerId) {
        if let Some(member) = self.members.get_mut(peer) {
            member.unanswered /= 2;
        }
    }

    /// A member says which of its neighbours are near.
    pub(super) fn measured(&mut self, peer: PeerId, nearby: &[Nearby]) {
        if self.members.contains_key(&peer) {
            self.nearness.tell(peer, nearby);
        }
    }

    /// Picks at most [`MAX_CANDIDATES`] others for `asker`, who is a member.
    pub(super) fn pick(&self, asker: &PeerId, dice: &mut Dice) -> Vec<Candidate> {
        let Some(me) = self.members.get(asker) else { return Vec::new() };
        let mut list =
            List { swarm: self, asker: *asker, me, chosen: Vec::new(), common: Common::default() };
        self.near(asker, me, &mut list, dice);
        list.take(MAX_CANDIDATES, self.all.sample(MAX_CANDIDATES * 3, dice));
        if list.chosen.len() < MAX_CANDIDATES {
            // Many of few prefixes filled the draw.
            list.take(MAX_CANDIDATES, self.wides.sample_groups(MAX_CANDIDATES * 2, dice));
            list.take(MAX_CANDIDATES, self.prefixes.sample_groups(MAX_CANDIDATES * 2, dice));
        }
        if list.chosen.len() < MIN_NAMED {
            list.take_any(self.all.sample(MIN_NAMED * 2, dice));
        }
        let rank = |peer| Some(Candidate { peer, rank: self.rank(&peer)? });
        list.chosen.into_iter().filter_map(rank).collect()
    }

    fn near(&self, asker: &PeerId, me: &Member, list: &mut List<'_>, dice: &mut Dice) {
        if let Some(network) = me.network {
            list.take(MAX_OWN, self.networks.sample(network, MAX_OWN + 1, dice));
        }
        list.take(MAX_NEAR, self.prefixes.sample(me.prefix, MAX_PER_PREFIX + 1, dice));
        let measured = list.chosen.len().saturating_add(MAX_MEASURED).min(MAX_NEAR);
        list.take(measured, self.nearness.around(asker));
        let mut nearest = Vec::new();
        if let Some(position) = me.place.position {
            let cells = self.tree.nearest_neighbor_iter(Cell::from(position).point);
            for cell in cells.take(MAX_CELLS) {
                if nearest.len() >= MAX_LOOKED_AT {
                    break;
                }
                nearest.extend(self.cells.sample(cell.position, PER_CELL, dice));
            }
        }
        // A stable sort: among those of one operator the nearest stays first. Source: ALLA-18, second filter.
        let operator = |peer: &PeerId| self.get(peer).and_then(|member| member.place.operator);
        nearest
            .sort_by_key(|peer| me.place.operator.is_none() || operator(peer) != me.place.operator);
        list.take(MAX_NEAR, nearest);
        list.take(MAX_NEAR, self.wides.sample(me.prefix.wide(), MAX_PER_WIDE * 4, dice));
    }
}

/// How many of a list have what in common.
#[derive(Debug, Default)]
struct Common {
    own: usize,
    prefixes: BTreeMap<Prefix, usize>,
    wides: BTreeMap<WidePrefix, usize>,
}

/// A list that is being written.
struct List<'a> {
    swarm: &'a Swarm,
    asker: PeerId,
    me: &'a Member,
    chosen: Vec<PeerId>,
    common: Common,
}

impl List<'_> {
    /// Takes whom the caps allow until there are `most`.
    fn take(&mut self, most: usize, peers: Vec<PeerId>) {
        for peer in peers {
            if self.chosen.len() >= most {
                return;
            }
            let Some(member) = self.swarm.get(&peer).filter(|_| self.is_new(&peer)) else {
                continue;
            };
            if member.unanswered < MAX_UNANSWERED && self.has_room(member) {
                self.chosen.push(peer);
            }
        }
    }

    /// Takes whoever it is until there are [`MIN_NAMED`].
    fn take_any(&mut self, peers: Vec<PeerId>) {
        for peer in peers {
            if self.chosen.len() >= MIN_NAMED {
                return;
            }
            if self.is_new(&peer) {
                self.chosen.push(peer);
            }
        }
    }

    fn is_new(&self, peer: &PeerId) -> bool {
        *peer != self.asker && !self.chosen.contains(peer)
    }

    /// Counts one more of this network or these prefixes, if there may be one more.
    fn has_room(&mut self, member: &Member) -> bool {
        if member.network.is_some() && member.network == self.me.network {
            self.common.own = self.common.own.saturating_add(1);
            return self.common.own <= MAX_OWN;
        }
        let prefix = self.common.prefixes.entry(member.prefix).or_default();
        let wide = self.common.wides.entry(member.prefix.wide()).or_default();
        let has_room = *prefix < MAX_PER_PREFIX && *wide < MAX_PER_WIDE;
        if has_room {
            *prefix = prefix.saturating_add(1);
            *wide = wide.saturating_add(1);
        }
        has_room
    }
}

#[cfg(test)]
mod tests;
