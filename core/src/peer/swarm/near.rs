//! How near neighbours are: the shortest time that a question and its answer took over each link, told to the tracker.
//!
//! The tracker believes it only where both ends of a link say so, and only to order whom it names; see its `nearness`.
//! Source: issue 5 "Tracker", reported round trips.

use super::{Output, Stage, Swarm};
use crate::{
    codec::Bounded,
    id::PeerId,
    peer::tracker_wire::{MAX_NEARBY, Near, Nearby, ToTracker},
    table::Table,
    time::Moment,
};
use alloc::vec::Vec;
use core::time::Duration;

/// How often the tracker is told at most. Chosen here: three heartbeats.
pub const NEAR_REST: Duration = Duration::from_secs(60);

/// What the tracker was told last, and when it may be told again.
#[derive(Clone, Debug, Default)]
pub(super) struct Told {
    peers: Bounded<Nearby, MAX_NEARBY>,
    next: Option<Moment>,
}

impl Swarm {
    /// A question to this neighbour and its answer took so long.
    pub(super) fn measured(&mut self, peer: PeerId, took: Duration) {
        let mut open = self.links.values_mut().filter(|link| link.stage == Stage::Open);
        if let Some(link) = open.find(|link| link.peer == peer) {
            link.round_trip = Some(link.round_trip.map_or(took, |before| before.min(took)));
        }
    }

    /// Tells the tracker who is nearest, if that has changed.
    pub(super) fn tell_near(&mut self, now: Moment, out: &mut Vec<Output>) {
        if self.told.next.is_some_and(|next| next > now) {
            return;
        }
        let nearby =
            self.links.values().filter(|link| link.stage == Stage::Open).filter_map(|link| {
                Some(Nearby { doublings: doublings(link.round_trip?), peer: link.peer })
            });
        // In order: a table costs a page less than a sort.
        let nearby: Table<Nearby, ()> = nearby.map(|near| (near, ())).collect();
        let nearest: Vec<Nearby> = nearby.into_keys().take(MAX_NEARBY).collect();
        let peers = Bounded::try_from(nearest).unwrap_or_default();
        if peers == self.told.peers {
            return;
        }
        let near = Near { stream: self.config.stream, peers: peers.clone() };
        self.told = Told { peers, next: Some(now.after(NEAR_REST)) };
        out.push(Output::TrackerSend(ToTracker::Near(near).to_bytes()));
    }
}

/// Returns how often a millisecond must be doubled to be as long.
fn doublings(time: Duration) -> u8 {
    let ms = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    u8::try_from(u64::BITS - ms.saturating_sub(1).leading_zeros()).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_told_in_doublings_of_a_millisecond_rounded_up() {
        for (ms, expected) in [(0, 0), (1, 0), (2, 1), (3, 2), (4, 2), (5, 3), (64, 6), (65, 7)] {
            assert_eq!(doublings(Duration::from_millis(ms)), expected, "{ms}");
        }
        assert_eq!(doublings(Duration::MAX), 64);
    }
}
