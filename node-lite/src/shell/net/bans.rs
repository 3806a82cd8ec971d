//! Who may not connect for a while: points for what no honest neighbour does, forgiven as time passes.
//!
//! ```text
//! points 0 ---- foul, flood ----> 100: banned ---- one point every six seconds ----> 50: may come again
//! ```

use antiphon_core::time::Moment;
use std::collections::BTreeMap;

/// Points for a message that no honest node sends. Chosen here: five within minutes are no accident.
pub(super) const FOUL: u32 = 20;
/// Points for a sum of shares that a neighbour forged: a ban at once (A2.15). Each would cost a check of milliseconds.
pub(super) const FORGED: u32 = BANNED;
/// Points for a message beyond the rates. Chosen here: a burst too long is a fault, not an attack.
pub(super) const FLOOD: u32 = 2;
/// Points at which a peer is banned.
const BANNED: u32 = 100;
/// Points at which it may come again: half are forgiven, so that who starts over is soon out again.
const FORGIVEN: u32 = 50;
/// Most points, so that a ban ends after a quarter of an hour at the latest.
const MAX_POINTS: u32 = 200;
/// Time after which one point is forgiven. Chosen here: the shortest ban takes five minutes.
const FORGIVENESS_MS: u64 = 6000;
/// Peers remembered. Chosen here: ids cost nothing, so the list must; who has least is forgotten first.
const MAX_REMEMBERED: usize = 1024;

#[derive(Clone, Copy, Debug)]
struct Record {
    points: u32,
    /// Up to when points were forgiven.
    at: Moment,
    banned: bool,
}

/// The points of every peer that has any.
#[derive(Debug)]
pub(super) struct Bans<P> {
    records: BTreeMap<P, Record>,
}

impl<P> Default for Bans<P> {
    fn default() -> Self {
        Self { records: BTreeMap::new() }
    }
}

impl<P: Ord + Copy> Bans<P> {
    /// Gives points and returns whether the peer is banned by them just now.
    pub(super) fn strike(&mut self, now: Moment, peer: P, points: u32) -> bool {
        self.forgive(now);
        if !self.records.contains_key(&peer) && self.records.len() >= MAX_REMEMBERED {
            let least = self.records.iter().min_by_key(|(_, record)| record.points);
            if let Some(least) = least.map(|(peer, _)| *peer) {
                self.records.remove(&least);
            }
        }
        let fresh = Record { points: 0, at: now, banned: false };
        let record = self.records.entry(peer).or_insert(fresh);
        record.points = record.points.saturating_add(points).min(MAX_POINTS);
        let newly = !record.banned && record.points >= BANNED;
        record.banned |= newly;
        newly
    }

    /// Returns whether a peer may not connect.
    pub(super) fn is_banned(&self, peer: &P) -> bool {
        self.records.get(peer).is_some_and(|record| record.banned)
    }

    /// Forgives what time has paid for and returns whose ban is over.
    pub(super) fn forgive(&mut self, now: Moment) -> Vec<P> {
        let mut free = Vec::new();
        self.records.retain(|peer, record| {
            let passed = now.as_millis().saturating_sub(record.at.as_millis());
            let forgiven = passed.checked_div(FORGIVENESS_MS).unwrap_or(0);
            let paid = std::time::Duration::from_millis(forgiven.saturating_mul(FORGIVENESS_MS));
            record.at = record.at.after(paid);
            let forgiven = u32::try_from(forgiven).unwrap_or(u32::MAX);
            record.points = record.points.saturating_sub(forgiven);
            if record.banned && record.points <= FORGIVEN {
                record.banned = false;
                free.push(*peer);
            }
            record.points > 0
        });
        free
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(ms: u64) -> Moment {
        Moment::from_millis(ms)
    }

    #[test]
    fn the_fifth_foul_message_bans_and_five_minutes_later_the_peer_may_come_again() {
        let mut bans = Bans::default();
        assert!((0..4).all(|_| !bans.strike(at(0), 7, FOUL)));
        assert!(bans.strike(at(0), 7, FOUL) && bans.is_banned(&7));
        assert!(!bans.strike(at(0), 8, FOUL) && !bans.is_banned(&8), "each for itself");
        assert!(bans.forgive(at(299_999)).is_empty());
        assert_eq!(bans.forgive(at(300_000)), [7]);
        assert!(!bans.is_banned(&7));
        assert!((0..2).all(|_| !bans.strike(at(300_000), 7, FOUL)));
        assert!(bans.strike(at(300_000), 7, FOUL), "half was not forgiven");
    }

    #[test]
    fn rare_mistakes_never_add_up_to_a_ban() {
        let mut bans = Bans::default();
        let every_two_minutes = (0..1000).map(|n| at(n * 120_000));
        assert!(every_two_minutes.into_iter().all(|now| !bans.strike(now, 7, FOUL)));
    }

    #[test]
    fn a_crowd_of_new_ids_takes_bounded_memory_and_frees_nobody_who_is_banned() {
        let mut bans = Bans::default();
        assert!(bans.strike(at(0), 0, BANNED));
        for id in 1..=2 * MAX_REMEMBERED {
            bans.strike(at(0), id, FLOOD);
        }
        assert_eq!(bans.records.len(), MAX_REMEMBERED);
        assert!(bans.is_banned(&0));
    }
}
