//! Who comes, who goes, who must go; and where the others are.

use super::Task;
use crate::{
    bucket::{Bucket, Rate},
    shell::{
        http,
        net::{
            Command,
            dialer::MAX_ADDRESSES,
            exchange::{Answer, MAX_PEERS, Question},
            queue::Queue,
            resolve,
        },
    },
};
use antiphon_core::time::Moment;
use libp2p::{
    Multiaddr, PeerId,
    core::ConnectedPoint,
    identify,
    multiaddr::Protocol,
    swarm::{DialError, dial_opts::DialOpts},
};
use std::time::Duration;

/// Within this time a neighbour must have said who it is.
const IDENTIFY_PATIENCE: Duration = Duration::from_secs(10);
/// A neighbour is asked for others every so many looks while there are too few: every ten seconds.
const ASK_EVERY: u64 = 40;
/// A clock that differs this much from most neighbours' is told of. Chosen here: half of what a header may be ahead.
const MAX_SKEW_MS: u64 = 5000;
/// Clocks without which nothing is said about ours.
const MIN_CLOCKS: usize = 3;
/// Points that ban at once: another chain will not become ours within a quarter of an hour.
const STRANGER: u32 = 200;

/// A connected peer.
#[derive(Debug)]
pub(super) struct Neighbour {
    since: Moment,
    /// Whether it has said that it is of our chain.
    identified: bool,
    /// Whether this node dialled it.
    chosen: bool,
    /// Whether it is reached over this machine's own loopback.
    local: bool,
    addresses: Vec<Multiaddr>,
    pub(super) queue: Queue,
    buckets: [Bucket; 2],
}

impl Neighbour {
    /// Takes a message and its KiB from the neighbour's rates.
    pub(super) fn affords(&mut self, now: Moment, rates: &[Rate; 2], bytes: usize) -> bool {
        let kib = u64::try_from(bytes.div_ceil(1024)).unwrap_or(u64::MAX);
        let mut pairs = self.buckets.iter_mut().zip(rates).zip([1, kib]);
        pairs.all(|((bucket, rate), count)| bucket.take_many(now, *rate, count))
    }
}

impl Task {
    pub(super) fn on_connected(&mut self, peer: PeerId, endpoint: &ConnectedPoint) {
        let now = self.clock.now();
        self.dialer.connected(&peer);
        if self.neighbours.contains_key(&peer) {
            return;
        }
        if self.numbers.give(peer).is_none() {
            let _ = self.swarm.disconnect_peer_id(peer);
            return;
        }
        let neighbour = Neighbour {
            since: now,
            identified: false,
            chosen: endpoint.is_dialer(),
            local: is_local(endpoint.get_remote_address()),
            addresses: Vec::new(),
            queue: Queue::default(),
            buckets: self.rates.map(|rate| Bucket::full(now, rate)),
        };
        self.neighbours.insert(peer, neighbour);
    }

    pub(super) fn on_gone(&mut self, peer: &PeerId) {
        if self.neighbours.remove(peer).is_some_and(|neighbour| neighbour.identified) {
            tracing::info!(%peer, "neighbour left");
        }
        self.numbers.take(peer);
        self.skews.remove(peer);
        self.count();
    }

    pub(super) fn on_identified(&mut self, peer: PeerId, info: &identify::Info) {
        if info.protocol_version != self.version {
            self.refuse(peer, "it is of another chain");
            return;
        }
        let Some(neighbour) = self.neighbours.get_mut(&peer) else { return };
        let local = neighbour.local;
        let fit = info.listen_addrs.iter().filter(|address| is_dialable(address, local));
        neighbour.addresses = fit.map(without_peer).take(MAX_ADDRESSES).collect();
        let first = !neighbour.identified;
        neighbour.identified = true;
        let (now, addresses) = (self.clock.now(), neighbour.addresses.clone());
        if first {
            tracing::info!(%peer, "neighbour");
            self.dialer.hear(now, peer, addresses);
            self.swarm.behaviour_mut().exchange.send_request(&peer, Question::Peers);
            self.count();
        }
    }

    /// Answers where other neighbours are.
    pub(super) fn places(&self, asker: &PeerId) -> Answer {
        let local = self.neighbours.get(asker).is_some_and(|neighbour| neighbour.local);
        let others = self.neighbours.iter().filter(|(peer, _)| *peer != asker);
        // From a place that differs from asker to asker, so that each learns of others.
        let turn = usize::try_from(self.looks).unwrap_or(0);
        let count = others.clone().count().max(1);
        let places = others.cycle().skip(turn.checked_rem(count).unwrap_or(0)).take(count);
        let places = places.filter_map(|(peer, neighbour)| {
            let fit = neighbour.addresses.iter().find(|address| is_dialable(address, local))?;
            fit.clone().with_p2p(*peer).ok()
        });
        Answer::Peers(http::now().0, places.take(MAX_PEERS).collect())
    }

    pub(super) fn on_places(&mut self, from: PeerId, clock: u64, places: Vec<Multiaddr>) {
        let Some(local) = self.neighbours.get(&from).map(|neighbour| neighbour.local) else {
            return;
        };
        let ours = i64::try_from(http::now().0).unwrap_or(i64::MAX);
        let theirs = i64::try_from(clock).unwrap_or(i64::MAX);
        self.skews.insert(from, theirs.saturating_sub(ours));
        let now = self.clock.now();
        for mut place in places {
            let Some(Protocol::P2p(peer)) = place.pop() else { continue };
            if peer != *self.swarm.local_peer_id() && is_dialable(&place, local) {
                self.dialer.hear(now, peer, [place]);
            }
        }
    }

    /// Gives points; at a hundred the peer is cut off.
    pub(super) fn strike(&mut self, peer: PeerId, points: u32, why: &str) {
        let now = self.clock.now();
        if self.bans.strike(now, peer, points) {
            tracing::warn!(%peer, why, "banned");
            self.metrics.bans.inc();
            self.dialer.forget(&peer);
            self.swarm.behaviour_mut().banned.block_peer(peer);
        }
    }

    /// Cuts off who can never be a neighbour.
    pub(super) fn refuse(&mut self, peer: PeerId, why: &str) {
        self.metrics.refused.inc();
        self.strike(peer, STRANGER, why);
    }

    /// Looks who is missing, who has not said who it is, and whose ban is over.
    pub(super) fn look(&mut self) {
        let now = self.clock.now();
        self.looks = self.looks.wrapping_add(1);
        for peer in self.bans.forgive(now) {
            self.swarm.behaviour_mut().banned.unblock_peer(peer);
        }
        let silent = |n: &Neighbour| !n.identified && now.since(n.since) > IDENTIFY_PATIENCE;
        let silent: Vec<_> =
            self.neighbours.iter().filter(|(_, n)| silent(n)).map(|(peer, _)| *peer).collect();
        for peer in silent {
            let _ = self.swarm.disconnect_peer_id(peer);
        }
        // Those who came by themselves do not count: strangers could otherwise be all that a node knows.
        let chosen = self.neighbours.values().filter(|neighbour| neighbour.chosen).count();
        let wanted = self.enough.saturating_sub(chosen);
        let (neighbours, bans) = (&self.neighbours, &self.bans);
        let away = |peer: &PeerId| !neighbours.contains_key(peer) && !bans.is_banned(peer);
        for (peer, addresses) in self.dialer.due(now, away, wanted, dice) {
            self.dial_named(peer, addresses);
        }
        self.tell();
        if self.looks.is_multiple_of(ASK_EVERY) {
            self.ask_around(wanted);
        }
    }

    /// Tells the node who its neighbours are, when that has changed.
    fn tell(&mut self) {
        let known = self.neighbours.iter().filter(|(_, neighbour)| neighbour.identified);
        let mut numbers: Vec<_> = known.filter_map(|(peer, _)| self.numbers.of(peer)).collect();
        numbers.sort_unstable();
        if numbers != self.told && self.node.set_neighbours(numbers.clone()) {
            self.told = numbers;
        }
    }

    fn ask_around(&mut self, wanted: usize) {
        let count = self.neighbours.len();
        let turn = usize::try_from(dice()).ok().and_then(|dice| dice.checked_rem(count));
        let peer = turn.and_then(|turn| self.neighbours.keys().nth(turn)).copied();
        if let Some(peer) = peer.filter(|_| wanted > 0 || self.looks.is_multiple_of(ASK_EVERY * 6))
        {
            self.swarm.behaviour_mut().exchange.send_request(&peer, Question::Peers);
        }
        let mut skews: Vec<_> = self.skews.values().copied().collect();
        skews.sort_unstable();
        let middle = skews.get(skews.len() / 2).copied().unwrap_or(0);
        if skews.len() >= MIN_CLOCKS && middle.unsigned_abs() > MAX_SKEW_MS {
            tracing::warn!(
                behind_ms = middle,
                "this machine's clock differs from most neighbours'; set it, or blocks will be refused"
            );
        }
    }

    /// Dials, after the system has resolved names.
    fn dial_named(&mut self, peer: PeerId, addresses: Vec<Multiaddr>) {
        if !addresses.iter().any(resolve::has_name) {
            self.dial(peer, addresses);
            return;
        }
        let commands = self.commands.clone();
        tokio::spawn(async move {
            let mut found = Vec::new();
            for address in &addresses {
                found.extend(resolve::resolve(address).await);
            }
            // A full or closed queue: the dialer comes back to this peer.
            let _ = commands.try_send(Command::Dial(peer, found));
        });
    }

    pub(super) fn dial(&mut self, peer: PeerId, addresses: Vec<Multiaddr>) {
        let options = DialOpts::peer_id(peer).addresses(addresses).build();
        match self.swarm.dial(options) {
            Ok(()) | Err(DialError::DialPeerConditionFalse(_)) => {}
            Err(error) => {
                tracing::debug!(%peer, %error, "dial");
                self.dialer.failed(&peer);
            }
        }
    }

    fn count(&self) {
        let known = self.neighbours.values().filter(|neighbour| neighbour.identified).count();
        self.metrics.peers.set(i64::try_from(known).unwrap_or(i64::MAX));
    }
}

fn without_peer(address: &Multiaddr) -> Multiaddr {
    address.iter().filter(|part| !matches!(part, Protocol::P2p(_))).collect()
}

fn is_local(address: &Multiaddr) -> bool {
    match address.iter().next() {
        Some(Protocol::Ip4(ip)) => ip.is_loopback(),
        Some(Protocol::Ip6(ip)) => ip.is_loopback(),
        _ => false,
    }
}

/// Whether an address of another's is worth a dial: TCP or QUIC on a number, loopback only among neighbours on loopback.
fn is_dialable(address: &Multiaddr, local: bool) -> bool {
    let mut parts = address.iter();
    let usable = match parts.next() {
        Some(Protocol::Ip4(ip)) => !ip.is_unspecified() && !ip.is_multicast(),
        Some(Protocol::Ip6(ip)) => !ip.is_unspecified() && !ip.is_multicast(),
        _ => false,
    };
    let carried = match (parts.next(), parts.next()) {
        (Some(Protocol::Tcp(port)), None | Some(Protocol::P2p(_))) => port > 0,
        (Some(Protocol::Udp(port)), Some(Protocol::QuicV1)) => port > 0,
        _ => false,
    };
    usable && carried && is_local(address) == local
}

/// A number below 1000, for jitter. Without randomness it is the middle.
fn dice() -> u32 {
    let random = getrandom::u32().unwrap_or(500);
    random.checked_rem(1000).unwrap_or(500)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_that_can_lead_to_a_node_are_dialled() {
        let fits = |text: &str, local| is_dialable(&text.parse().unwrap(), local);
        assert!(
            fits("/ip4/10.0.0.1/tcp/1", false) && fits("/ip6/2001:db8::1/udp/1/quic-v1", false)
        );
        assert!(fits("/ip4/127.0.0.1/tcp/1", true) && !fits("/ip4/127.0.0.1/tcp/1", false));
        assert!(!fits("/ip4/10.0.0.1/tcp/1", true), "what is near is reached over loopback");
        for wrong in [
            "/ip4/0.0.0.0/tcp/1",
            "/ip4/10.0.0.1/tcp/0",
            "/ip4/10.0.0.1/udp/1",
            "/dns4/x/tcp/1",
            "/ip4/224.0.0.1/tcp/1",
        ] {
            assert!(!fits(wrong, false), "{wrong}");
        }
    }

    #[test]
    fn a_neighbour_is_held_to_messages_and_to_bytes() {
        let now = Moment::from_millis(0);
        let rates =
            [Rate { burst: 3, milli_per_second: 0 }, Rate { burst: 10, milli_per_second: 0 }];
        let neighbour = || Neighbour {
            since: now,
            identified: true,
            chosen: true,
            local: true,
            addresses: Vec::new(),
            queue: Queue::default(),
            buckets: rates.map(|rate| Bucket::full(now, rate)),
        };
        let mut many = neighbour();
        assert!((0..3).all(|_| many.affords(now, &rates, 100)) && !many.affords(now, &rates, 100));
        let mut large = neighbour();
        assert!(large.affords(now, &rates, 9 * 1024) && !large.affords(now, &rates, 1025));
    }
}
