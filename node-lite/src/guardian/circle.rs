//! The neighbours of a guardian: who is listened to, who is told, and who is left alone for a while (A2.15, A2.16).

use crate::bft::Peer;
use antiphon_core::{chain::certificate::MAX_MERGES, crypto::Hash, time::Moment};
use std::{collections::BTreeMap, time::Duration};

/// Most neighbours that are listened to. Chosen here: as many as the network numbers.
pub const MAX_NEIGHBOURS: usize = 512;
/// Whoever sent what no honest guardian sends is not listened to for this long. Chosen here: some checkpoints.
const BACK_OFF: Duration = Duration::from_secs(60);

/// The neighbours that the host knows by their keys.
#[derive(Debug)]
pub(super) struct Circle {
    /// Makes this node's choice of neighbours its own.
    salt: Hash,
    neighbours: Vec<Peer>,
    /// Who is not listened to, and until when.
    shunned: BTreeMap<Peer, Moment>,
    /// Who was shown a certificate, and until when it is not shown again.
    shown: BTreeMap<Peer, Moment>,
}

impl Circle {
    pub(super) const fn new(salt: Hash) -> Self {
        Self { salt, neighbours: Vec::new(), shunned: BTreeMap::new(), shown: BTreeMap::new() }
    }

    /// Takes the neighbours of now. Who is none any more is forgotten.
    pub(super) fn set(&mut self, mut neighbours: Vec<Peer>) {
        neighbours.truncate(MAX_NEIGHBOURS);
        neighbours.sort_unstable();
        neighbours.dedup();
        self.neighbours = neighbours;
        let has = |peer: &Peer| self.neighbours.binary_search(peer).is_ok();
        self.shunned.retain(|peer, _| has(peer));
        self.shown.retain(|peer, _| has(peer));
    }

    pub(super) fn has(&self, peer: Peer) -> bool {
        self.neighbours.binary_search(&peer).is_ok()
    }

    /// Returns whether a peer is a neighbour that is listened to.
    pub(super) fn listens_to(&self, now: Moment, peer: Peer) -> bool {
        self.has(peer) && !self.shuns(now, peer)
    }

    /// Returns whether a peer is not listened to for a while.
    pub(super) fn shuns(&self, now: Moment, peer: Peer) -> bool {
        self.shunned.get(&peer).is_some_and(|until| now < *until)
    }

    /// Listens to a neighbour no more for a while.
    pub(super) fn shun(&mut self, now: Moment, peer: Peer) {
        if self.has(peer) {
            self.shunned.insert(peer, now.after(BACK_OFF));
        }
    }

    /// Returns whether a neighbour may be shown a certificate now, and notes that it was: once in so long a time.
    pub(super) fn may_show(&mut self, now: Moment, peer: Peer, pause: Duration) -> bool {
        let may = self.shown.get(&peer).is_none_or(|until| *until <= now);
        if may {
            self.shown.insert(peer, now.after(pause));
        }
        may
    }

    /// Returns the neighbours of a round: others in each, and others than those of another node.
    pub(super) fn chosen(&self, round: u8) -> Vec<Peer> {
        let place = |peer: &Peer| Hash::of(&[&self.salt.0, &[round], &peer.to_le_bytes()]);
        let mut peers = self.neighbours.clone();
        if peers.len() > MAX_MERGES as usize {
            peers.sort_by_cached_key(place);
            peers.truncate(MAX_MERGES as usize);
        }
        peers
    }
}
