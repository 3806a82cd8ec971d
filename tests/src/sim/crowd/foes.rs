//! What foes do of their own accord; the rest they do by serving badly or not at all.

use super::{Crowd, Event, WINDOW, kind::Kind};
use antiphon_core::{
    codec::{Bounded, Text},
    crypto::{SecretKey, Signed},
    delivery::{chunk::ChunkId, have::HaveDelta, schedule::Salt, serve, serve::Asked},
    id::{ChainId, PeerId, StreamId},
    peer::{
        swarm,
        tracker_wire::{Candidate, Candidates, SignIn, Signal, SignalKind, ToListener, ToTracker},
    },
};
use antiphon_node::tracker::Connection;

/// Keys among which a grinder chooses.
const GROUND: u64 = 256;
/// Segments whose draws it looks at.
const DRAWS: u64 = 8;
/// How long foes that wait for a listener are there before it comes.
const AMBUSH_MS: u64 = 10_000;

/// Returns a key for a listener; a grinder looks for a good one.
pub(super) fn key(who: usize, kind: Kind) -> SecretKey {
    let nth = |nth: u64| {
        let mut secret = [7; 32];
        secret[..8].copy_from_slice(&(who as u64).to_le_bytes());
        secret[8..16].copy_from_slice(&nth.to_le_bytes());
        SecretKey::from_bytes(&secret)
    };
    if kind != Kind::Grinder {
        return nth(0);
    }
    let keys = (0..GROUND).map(nth);
    // One half wants to be first in the order of keys, the other to have won the draws that are over.
    if who.is_multiple_of(2) {
        return keys.min_by_key(SecretKey::public).unwrap();
    }
    let worst_lot = |key: &SecretKey| {
        let peer = PeerId(key.public());
        (0..DRAWS).map(|old| Salt::of(&super::record(old)).lot(peer)).max()
    };
    keys.min_by_key(worst_lot).unwrap()
}

impl Crowd {
    /// Once for each segment.
    pub(super) fn mischief(&mut self, who: usize, newest: u64, new: usize) {
        let Some(listener) = self.listeners[who].as_ref() else { return };
        match listener.kind {
            Kind::Honest | Kind::Polluter | Kind::FreeRider | Kind::Grinder | Kind::Charmer => {}
            Kind::Squatter => self.claim(who, newest, new),
            Kind::Eclipser => {
                self.claim(who, newest, new);
                self.surround(who);
            }
            Kind::SlowReader | Kind::Glutton => self.ask_for_everything(who, newest),
            Kind::Impostor => {
                let connection = self.dial_tracker(who, "wss://tracker-0");
                self.report.pretended += 1;
                if let Some(listener) = &mut self.listeners[who] {
                    listener.socket = Some(connection);
                }
            }
        }
    }

    /// It claims what is new before anybody has it, and never says that it has anything.
    fn claim(&mut self, who: usize, newest: u64, new: usize) {
        self.report.claims += new as u64;
        let fetching = (newest.saturating_sub(new as u64)..newest).collect::<Vec<_>>();
        let fetching = fetching.try_into().unwrap();
        self.announce(who, &HaveDelta { fetching, ..HaveDelta::default() });
    }

    fn ask_for_everything(&mut self, who: usize, newest: u64) {
        let others: Vec<usize> =
            self.listeners[who].iter().flat_map(|l| l.links.keys().copied()).collect();
        for to in others {
            for sequence in newest.saturating_sub(WINDOW)..newest {
                let id = ChunkId { sequence, index: 0 };
                self.say(who, to, 11, |peer| {
                    Event::Serve(to, serve::Input::Request(Asked { peer, id }))
                });
            }
        }
    }

    /// Whoever is to be surrounded is known to those who surround it, however they learned of it.
    fn surround(&mut self, who: usize) {
        let Some(victim) = self.victim.and_then(|victim| self.listeners[victim].as_ref()) else {
            return;
        };
        let peers = Bounded::try_from(vec![Candidate { peer: victim.peer, rank: 0 }]).unwrap();
        let stream = StreamId::default();
        let named = ToListener::Candidates(Candidates { stream, crowd: 2, peers });
        self.swarm(who, swarm::Input::TrackerMessage(named.to_bytes()));
    }

    /// Lets those come who wait for a listener, and later the listener.
    pub(super) fn plan_eclipse(&mut self) {
        let comes = super::START_MS + self.setting.arrival_ms + AMBUSH_MS;
        for foe in 0..self.setting.eclipsers as u64 {
            self.at(comes - AMBUSH_MS + foe * 40, Event::Join(Some(Kind::Eclipser)));
        }
        if self.setting.eclipsers > 0 {
            self.at(comes, Event::Ambush);
        }
    }

    /// Notes how many links of whom they surround are theirs.
    pub(super) fn look_at_victim(&mut self, who: usize) {
        let Some(listener) = self.listeners[who].as_ref() else { return };
        let is_foe = |other: &&usize| {
            let other = self.listeners[**other].as_ref();
            other.is_some_and(|other| other.kind == Kind::Eclipser)
        };
        let (all, foes) = (listener.links.len(), listener.links.keys().filter(is_foe).count());
        let victim = &mut self.report.victim;
        *victim = (victim.0 + foes as u64, victim.1 + all as u64);
    }

    /// An impostor heard from the tracker.
    pub(super) fn pretend(&mut self, who: usize, connection: Connection, bytes: Vec<u8>) {
        let Some(key) = self.listeners[who].as_ref().map(|listener| listener.key.clone()) else {
            return;
        };
        let present = self.present[self.dice.below(self.present.len() as u64) as usize];
        let Some(other) = self.listeners[present].as_ref().map(|other| other.peer) else { return };
        let stream = StreamId::default();
        match ToListener::from_bytes(&bytes) {
            Ok(ToListener::Challenge(nonce)) => {
                let url = Text::try_from("wss://tracker-0").unwrap();
                let mut sign_in = SignIn::new(&key, nonce, url);
                if self.dice.chance(50) {
                    // The key of somebody else, which the signature does not fit.
                    sign_in.key = other.0;
                }
                self.say_to_tracker(connection, ToTracker::SignIn(sign_in).to_bytes());
                self.say_to_tracker(connection, ToTracker::Join(stream).to_bytes());
            }
            Ok(ToListener::Candidates(list)) => {
                self.report.names.extend(list.peers.iter().map(|candidate| candidate.peer));
                let (kind, session) = (SignalKind::Offer, self.dice.roll());
                let sdp = Text::try_from("0 0").unwrap();
                for to in list.peers.iter().map(|candidate| candidate.peer) {
                    // In the name of somebody else.
                    let body = Signal { stream, from: other, to, session, kind, sdp: sdp.clone() };
                    let signal = ToTracker::Signal(Signed::new(&key, ChainId::default(), body));
                    self.say_to_tracker(connection, signal.to_bytes());
                }
                // And more of the list, as fast as it goes.
                self.say_to_tracker(connection, ToTracker::Heartbeat.to_bytes());
            }
            Ok(ToListener::Refused(_)) => self.report.refused += 1,
            // Whoever is listed is dialled; it takes nothing up.
            Ok(ToListener::Welcome(..) | ToListener::Signal(_) | ToListener::Relayed(_))
            | Err(_) => {}
        }
    }
}
