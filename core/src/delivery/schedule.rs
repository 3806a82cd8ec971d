//! When to stop waiting for peers: the election of a first fetcher and the last safe moment for the origin.
//!
//! ```text
//! known ---- the lowest lot of the swarm fetches at once
//!       ---- position p among neighbours waits p × 700 ms for a claim or an announcement, and 350 ms for every doubling
//!            of those out of sight who are thought to come before, and, if p > 0 and the player can wait, as long as lies
//!            between two looks at a playlist; then it fetches itself
//! deadline - 500 ms - max(p95 of HTTP, 300 ms) ---- whoever needs it fetches what is missing
//! ```
//!
//! Everybody draws for everybody, without a word: a lot is made of the segment's signed record and a peer's key. The
//! record is made after the keys, so nobody can choose a key that wins (FIELD-NOTES c.13), and each segment has another
//! winner. Who is drawn late but learns of a segment early does not wait for the winner to look at its playlist.
//!
//! Source: FIELD-NOTES recommendation 2, c.10, c.13. Deviation: the salt is the record, not an epoch's: it needs no
//! clock. And what arrives must still reach the ear: on a busy machine a page that hedged 300 ms before silence stalled.

use super::record::Record;
use crate::{id::PeerId, table::Table, time::Moment};
use alloc::vec::Vec;
use core::time::Duration;

/// What each further position waits longer. Chosen here: a fetch and an announcement on a slow line.
pub const BACKUP_PATIENCE: Duration = Duration::from_millis(700);

/// What each doubling of those who come before out of sight waits longer. Chosen here: a chunk goes from one neighbour to
/// the next meanwhile, so that few fetch what all hear, however many they are (as Nonnenmacher and Biersack 1999).
pub const SPREAD_PATIENCE: Duration = Duration::from_millis(350);

/// Least time that an HTTP fetch is thought to take.
pub const MIN_HTTP: Duration = Duration::from_millis(300);

/// Time that an HTTP fetch is thought to take before any was measured.
pub const UNMEASURED_HTTP: Duration = Duration::from_millis(1000);

/// Time from a segment's arrival to its sound: handed to the player, appended, decoded. Chosen here, for a busy phone.
pub const HAND_OVER: Duration = Duration::from_millis(500);

/// Fetches that are remembered.
const MAX_SAMPLES: usize = 20;

/// A peer's place in the draw for one segment: the lowest fetches first. The key makes it one of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lot(u64, PeerId);

impl Lot {
    /// Returns how many of `others` are thought to have a lower lot.
    fn expected_below(self, others: u64) -> u64 {
        let below = u128::from(self.0).saturating_mul(others.into()) >> 64;
        u64::try_from(below).unwrap_or(u64::MAX)
    }
}

/// What nobody knew of a segment before it was published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Salt(u64);

impl Salt {
    /// Returns the salt of a segment: the beginning of its first digest.
    pub fn of(record: &Record) -> Self {
        Self(record.chunks.first().map_or(0, head))
    }

    /// Draws for a peer.
    pub fn lot(self, peer: PeerId) -> Lot {
        // The finalizer of SplitMix64 (Steele, Lea, Flood 2014). The salt keeps it from being aimed at, not the mixing.
        let mut mixed = self.0 ^ head(&peer.0.0);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Lot(mixed ^ (mixed >> 31), peer)
    }
}

fn head(bytes: &[u8; 32]) -> u64 {
    bytes.first_chunk().map_or(0, |head| u64::from_le_bytes(*head))
}

/// Returns how long who drew `lot` waits before it fetches a new segment from the origin: `position` neighbours come
/// before, and nobody sees the lots of `unseen` others.
pub fn election_wait(position: usize, lot: Lot, unseen: u64) -> Duration {
    let near = BACKUP_PATIENCE.saturating_mul(u32::try_from(position).unwrap_or(u32::MAX));
    let doublings = u64::BITS.saturating_sub(lot.expected_below(unseen).leading_zeros());
    near.saturating_add(SPREAD_PATIENCE.saturating_mul(doublings))
}

/// How long HTTP fetches took of late.
#[derive(Clone, Debug, Default)]
pub struct HttpTimes {
    samples: Vec<Duration>,
    next: usize,
}

impl HttpTimes {
    /// Notes how long a fetch took.
    pub fn note(&mut self, took: Duration) {
        match self.samples.get_mut(self.next) {
            Some(sample) => *sample = took,
            None => self.samples.push(took),
        }
        self.next = self.next.saturating_add(1) % MAX_SAMPLES;
    }

    /// Returns the 95th percentile, at least [`MIN_HTTP`]; [`UNMEASURED_HTTP`] before the first fetch.
    pub fn p95(&self) -> Duration {
        let sorted: Table<_, ()> = self.samples.iter().zip(0_usize..).map(|of| (of, ())).collect();
        let rank = sorted.len().saturating_mul(95).div_ceil(100).saturating_sub(1);
        sorted.keys().nth(rank).map_or(UNMEASURED_HTTP, |(p95, _)| MIN_HTTP.max(**p95))
    }

    /// Returns the last moment at which what is fetched is still heard by `deadline`.
    pub fn last_safe(&self, deadline: Moment) -> Moment {
        deadline.before(self.p95().saturating_add(HAND_OVER))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{crypto::PublicKey, id::StreamId};

    #[test]
    fn the_winner_waits_for_nobody_and_each_other_a_step_longer() {
        let lot = Lot(u64::MAX / 2, PeerId(PublicKey([0; 32])));
        let waits = [0, 1, 2].map(|position| election_wait(position, lot, 0).as_millis());
        assert_eq!(waits, [0, 700, 1400]);
        assert!(election_wait(usize::MAX, lot, 0) > election_wait(1_000_000, lot, 0));
    }

    #[test]
    fn each_doubling_of_those_before_us_out_of_sight_waits_a_step_longer() {
        let half = Lot(u64::MAX / 2 + 1, PeerId(PublicKey([0; 32])));
        let waits = [1, 2, 4, 1000].map(|unseen| election_wait(0, half, unseen).as_millis());
        assert_eq!(waits, [0, 350, 700, 9 * 350]);
        let first = Lot(0, PeerId(PublicKey([0; 32])));
        assert_eq!(election_wait(0, first, u64::MAX), Duration::ZERO);
        assert_eq!(election_wait(1, half, u64::MAX).as_millis(), 700 + 63 * 350);
    }

    #[test]
    fn each_listener_wins_as_many_draws_as_any_other() {
        const ROUNDS: u64 = 4000;
        let record = |sequence: u64| {
            Record::of(StreamId::default(), sequence, &sequence.to_le_bytes()).unwrap()
        };
        // Keys that differ as little as keys can.
        let peers: Vec<PeerId> = (0..10).map(|n| PeerId(PublicKey([n; 32]))).collect();
        let mut won = [0_u64; 10];
        for sequence in 0..ROUNDS {
            let salt = Salt::of(&record(sequence));
            let winner = (0..10).min_by_key(|n| salt.lot(peers[*n])).unwrap();
            won[winner] += 1;
        }
        assert!(won.iter().all(|won| (320..=480).contains(won)), "{won:?}");
    }

    #[test]
    fn the_last_safe_moment_follows_what_was_measured() {
        let mut times = HttpTimes::default();
        let deadline = Moment::from_millis(10_000);
        assert_eq!(times.last_safe(deadline), Moment::from_millis(8_500));
        times.note(Duration::from_millis(20));
        assert_eq!(times.last_safe(deadline), Moment::from_millis(9_200));
        for _ in 0..18 {
            times.note(Duration::from_millis(400));
        }
        assert_eq!(times.last_safe(deadline), Moment::from_millis(9_100));
        for _ in 0..2 {
            times.note(Duration::from_millis(3000));
        }
        assert_eq!(times.last_safe(deadline), Moment::from_millis(6_500));
        for _ in 0..20 {
            times.note(Duration::from_millis(50));
        }
        assert_eq!(times.last_safe(deadline), Moment::from_millis(9_200));
        assert_eq!(times.last_safe(Moment::ZERO), Moment::ZERO);
    }
}
