//! How connections come and go.

use super::{
    Caller, Connection, MAX_CONNS, Output, Reason, SIGN_IN_PATIENCE, SILENCE_PATIENCE, Tracker,
    conn::{Conn, Shared},
    names::PREFIX_FACTOR,
    place::Network,
    send,
};
use antiphon_core::{
    id::PeerId,
    peer::tracker_wire::{SignIn, ToListener, TrackerRefusal},
};
use std::collections::BTreeMap;

/// Networks and prefixes whose rates are remembered when nothing of them is connected any more.
const MAX_QUIET: usize = MAX_CONNS;

impl Tracker {
    pub(super) fn opened(&mut self, id: Connection, caller: Caller, out: &mut Vec<Output>) {
        if self.conns.contains_key(&id) {
            return;
        }
        let network = Network::of(caller.address);
        if self.conns.len() >= MAX_CONNS || !self.admit(network) {
            out.push(send(id, &ToListener::Refused(TrackerRefusal::TooMuch)));
            out.push(Output::Close(id, Reason::Full));
            return;
        }
        let nonce = self.dice.bytes();
        let silent_at = self.now.after(SIGN_IN_PATIENCE);
        let relays = self.config.relays();
        let conn = Conn::new(self.now, caller, relays, nonce, silent_at);
        self.conns.insert(id, conn);
        self.silences.insert((silent_at, id));
        out.push(send(id, &ToListener::Challenge(nonce)));
    }

    /// Counts a connection of this network, unless it or its prefix has too many or opens them too fast.
    fn admit(&mut self, network: Network) -> bool {
        let (now, most) = (self.now, self.config.max_per_network);
        make_room(&mut self.networks);
        make_room(&mut self.prefixes);
        let narrow = self.networks.entry(network).or_insert_with(|| Shared::new(now, 1));
        let fresh = || Shared::new(now, PREFIX_FACTOR);
        let wide = self.prefixes.entry(network.prefix()).or_insert_with(fresh);
        let is_admitted = narrow.open(now, most) && wide.open(now, most);
        if is_admitted {
            narrow.count = narrow.count.saturating_add(1);
            wide.count = wide.count.saturating_add(1);
        }
        is_admitted
    }

    /// Only the holder of a key speaks for it. A new connection of the same key takes the place of its old one.
    pub(super) fn sign_in(&mut self, id: Connection, sign_in: &SignIn, out: &mut Vec<Output>) {
        let Some(conn) = self.conns.get_mut(&id) else { return };
        let dialled = plain(sign_in.tracker.as_str());
        let is_ours = self.config.urls.iter().any(|url| plain(url) == dialled);
        if !is_ours || sign_in.verify(conn.nonce).is_err() {
            out.push(send(id, &ToListener::Refused(TrackerRefusal::BadSignIn)));
            return self.close(id, Reason::NoSignIn, out);
        }
        let peer = PeerId(sign_in.key);
        conn.peer = Some(peer);
        conn.since = self.sign_ins.next();
        if let Some(old) = self.peers.get(&peer).copied() {
            self.close(old, Reason::Replaced, out);
        }
        self.peers.insert(peer, id);
        self.heard(id);
    }

    pub(super) fn heard(&mut self, id: Connection) {
        let Some(conn) = self.conns.get_mut(&id) else { return };
        self.silences.remove(&(conn.silent_at, id));
        conn.silent_at = self.now.after(SILENCE_PATIENCE);
        self.silences.insert((conn.silent_at, id));
    }

    pub(super) fn expire(&mut self, out: &mut Vec<Output>) {
        while let Some((at, id)) = self.silences.first().copied().filter(|(at, _)| *at <= self.now)
        {
            self.silences.remove(&(at, id));
            let is_signed_in = self.conns.get(&id).is_some_and(|conn| conn.peer.is_some());
            let reason = if is_signed_in { Reason::Silent } else { Reason::NoSignIn };
            self.close(id, reason, out);
        }
        self.leavers.expire(self.now);
        self.sweep();
    }

    pub(super) fn close(&mut self, id: Connection, reason: Reason, out: &mut Vec<Output>) {
        if self.conns.contains_key(&id) {
            self.forget(id, out);
            out.push(Output::Close(id, reason));
        }
    }

    /// Forgets a connection and all that it held; ranks are kept for a while, and rates until they are full again.
    pub(super) fn forget(&mut self, id: Connection, out: &mut Vec<Output>) {
        let Some(conn) = self.conns.remove(&id) else { return };
        self.silences.remove(&(conn.silent_at, id));
        if let Some(peer) = conn.peer {
            conn.streams.iter().for_each(|stream| self.remove(peer, *stream, out));
            if self.peers.get(&peer) == Some(&id) {
                self.peers.remove(&peer);
            }
        }
        if let Some(shared) = self.networks.get_mut(&conn.network) {
            shared.count = shared.count.saturating_sub(1);
        }
        if let Some(shared) = self.prefixes.get_mut(&conn.network.prefix()) {
            shared.count = shared.count.saturating_sub(1);
        }
    }

    /// Forgets, now and then, every network and prefix of which nothing is connected and whose rates are full again.
    fn sweep(&mut self) {
        let now = self.now;
        if now < self.sweep_at {
            return;
        }
        self.sweep_at = now.after(super::SWEEP);
        self.networks.retain(|_, shared| !shared.is_idle(now));
        self.prefixes.retain(|_, shared| !shared.is_idle(now));
    }
}

/// What is connected always has room: rates of the rest are forgotten where there are too many. Who has so many networks
/// that it can make us forget has their rates anyway.
fn make_room<K: Ord>(shared: &mut BTreeMap<K, Shared>) {
    if shared.len() >= MAX_CONNS.saturating_add(MAX_QUIET) {
        shared.retain(|_, shared| shared.count > 0);
    }
}

/// A URL without the slash that browsers add.
fn plain(url: &str) -> &str {
    url.trim_end_matches('/')
}
