//! The conversation with the tracker.

use super::{
    HEARTBEAT, Known, MAX_KNOWN, Output, Swarm, TRACKER_PATIENCE, Tracker, TrackerFault, near,
};
use crate::{
    codec::Text,
    id::PeerId,
    peer::tracker_wire::{Candidate, SignIn, ToListener, ToTracker, TrackerRefusal},
    time::Moment,
};
use alloc::vec::Vec;
use core::time::Duration;

/// Longest rest between two dials of the tracker.
const MAX_REST: Duration = Duration::from_secs(60);

impl Swarm {
    pub(super) fn connect(&mut self, now: Moment, out: &mut Vec<Output>) {
        self.tracker = Tracker::Opening { until: now.after(TRACKER_PATIENCE) };
        out.push(Output::ConnectTracker(self.url()));
    }

    /// Returns the URL of the tracker whose turn it is.
    fn url(&self) -> Text<256> {
        let urls = self.config.tracker.as_str().split(' ');
        urls.cycle()
            .nth(self.losses.into())
            .and_then(|url| Text::try_from(url).ok())
            .unwrap_or_default()
    }

    pub(super) fn leave(&mut self, out: &mut Vec<Output>) {
        if self.is_joined() {
            out.push(Output::TrackerSend(ToTracker::Leave(self.config.stream).to_bytes()));
        }
        if !matches!(self.tracker, Tracker::Off | Tracker::Waiting { .. }) {
            out.push(Output::CloseTracker);
        }
        self.tracker = Tracker::Off;
    }

    pub(super) const fn tracker_opened(&mut self) {
        if let Tracker::Opening { until } = self.tracker {
            self.tracker = Tracker::SigningIn { until };
        }
    }

    pub(super) fn tracker_closed(&mut self, now: Moment, out: &mut Vec<Output>) {
        match self.tracker {
            Tracker::Off | Tracker::Waiting { .. } => {}
            Tracker::Opening { .. } | Tracker::SigningIn { .. } | Tracker::Joined { .. } => {
                self.lose(now, TrackerFault::Closed, out);
            }
        }
    }

    pub(super) fn tick_tracker(&mut self, now: Moment, out: &mut Vec<Output>) {
        match self.tracker {
            Tracker::Waiting { until } if until <= now => self.connect(now, out),
            Tracker::Opening { until } | Tracker::SigningIn { until } if until <= now => {
                out.push(Output::CloseTracker);
                self.lose(now, TrackerFault::Silent, out);
            }
            Tracker::Joined { heartbeat } if heartbeat <= now => {
                self.tracker = Tracker::Joined { heartbeat: now.after(HEARTBEAT) };
                // Told first: the answer to the heartbeat names whom that brings near.
                self.tell_near(now, out);
                out.push(Output::TrackerSend(ToTracker::Heartbeat.to_bytes()));
            }
            Tracker::Off
            | Tracker::Waiting { .. }
            | Tracker::Opening { .. }
            | Tracker::SigningIn { .. }
            | Tracker::Joined { .. } => {}
        }
    }

    pub(super) fn tracker_message(&mut self, now: Moment, message: &[u8], out: &mut Vec<Output>) {
        if matches!(self.tracker, Tracker::Off | Tracker::Waiting { .. }) {
            return;
        }
        match ToListener::from_bytes(message) {
            Ok(ToListener::Challenge(nonce)) => {
                let sign_in = SignIn::new(&self.config.key, nonce, self.url());
                let sign_in = ToTracker::SignIn(sign_in);
                out.push(Output::TrackerSend(sign_in.to_bytes()));
                out.push(Output::TrackerSend(ToTracker::Join(self.config.stream).to_bytes()));
            }
            Ok(ToListener::Welcome(stream, rank)) => {
                if stream == self.config.stream {
                    self.failures = 0;
                    self.rank = Some(rank);
                    self.told = near::Told::default();
                    self.tracker = Tracker::Joined { heartbeat: now.after(HEARTBEAT) };
                    out.push(Output::Welcomed);
                }
            }
            Ok(ToListener::Candidates(list)) => {
                if list.stream == self.config.stream {
                    out.push(Output::Crowd(list.crowd));
                    self.known.iter_mut().for_each(|(_, known)| known.place = usize::MAX);
                    for (place, candidate) in list.peers.iter().enumerate() {
                        self.meet(now, place, *candidate);
                    }
                }
            }
            Ok(ToListener::Signal(forwarded)) => self.signal(now, forwarded, out),
            Ok(ToListener::Refused(reason)) => self.refused(now, reason, out),
            Ok(ToListener::Relayed(relayed)) => {
                let is_ours = relayed.stream == self.config.stream && relayed.from != self.me;
                if is_ours && !self.is_banned(now, &relayed.from) {
                    out.push(Output::Relayed(relayed.from, relayed.parcel));
                }
            }
            Err(error) => self.fail(now, TrackerFault::Malformed(error), out),
        }
    }

    fn refused(&mut self, now: Moment, reason: TrackerRefusal, out: &mut Vec<Output>) {
        match reason {
            TrackerRefusal::NotSignedIn
            | TrackerRefusal::BadSignIn
            | TrackerRefusal::NotJoined
            | TrackerRefusal::BadMessage
            | TrackerRefusal::NoToken => self.fail(now, TrackerFault::Refused(reason), out),
            TrackerRefusal::TooMuch if !self.is_joined() => {
                self.fail(now, TrackerFault::Refused(reason), out);
            }
            // A peer that is gone, or we were too fast: the dial times out and is tried again later.
            TrackerRefusal::NoSuchPeer | TrackerRefusal::TooMuch => {}
        }
    }

    /// Learns of a peer, or of its newest rank.
    fn meet(&mut self, now: Moment, place: usize, candidate: Candidate) {
        let Candidate { peer, rank } = candidate;
        if peer == self.me || self.is_banned(now, &peer) {
            return;
        }
        let known = self.know(now, peer);
        (known.rank, known.place) = (rank, place);
    }

    /// Returns what is known of a peer, and forgets somebody else if that is too much: not whom we let go, else it would be
    /// named and dialled anew.
    pub(super) fn know(&mut self, now: Moment, peer: PeerId) -> &mut Known {
        if self.known.len() >= MAX_KNOWN && !self.known.contains_key(&peer) {
            let key = |known: &Known| (known.failures, known.retry_at <= now, known.lot);
            let worst = self.known.iter().max_by_key(|(_, known)| key(known));
            let worst = worst.map(|(peer, _)| *peer);
            worst.and_then(|peer| self.known.remove(&peer));
        }
        let (rank, lot, place) = (u64::MAX, self.dice.roll(), usize::MAX);
        let fresh = Known { rank, lot, failures: 0, retry_at: now, place };
        self.known.entry(peer).or_insert(fresh)
    }

    /// Gives the tracker up for now.
    fn fail(&mut self, now: Moment, fault: TrackerFault, out: &mut Vec<Output>) {
        out.push(Output::CloseTracker);
        self.lose(now, fault, out);
    }

    fn lose(&mut self, now: Moment, fault: TrackerFault, out: &mut Vec<Output>) {
        let rest = Duration::from_secs(2).saturating_mul(1 << self.failures.min(5));
        let rest = self.dice.jitter(rest.min(MAX_REST));
        self.failures = self.failures.saturating_add(1);
        self.losses = self.losses.wrapping_add(1);
        self.tracker = Tracker::Waiting { until: now.after(rest) };
        out.push(Output::Trouble(fault));
    }
}
