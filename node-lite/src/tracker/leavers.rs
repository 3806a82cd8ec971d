//! The ranks of those who left a moment ago, so that a page that reloads is no newcomer.

use antiphon_core::{
    id::{PeerId, StreamId},
    time::Moment,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// How long a rank is kept for its peer. Chosen here: a reload, or a change of network.
pub(super) const GRACE: Duration = Duration::from_secs(60);

/// Ranks kept at once; when there are more, the oldest goes.
pub(super) const MAX_LEAVERS: usize = 65_536;

/// Ranks by stream and peer, with when they go.
#[derive(Debug, Default)]
pub(super) struct Leavers {
    ranks: BTreeMap<(StreamId, PeerId), (u64, Moment)>,
    ends: BTreeSet<(Moment, StreamId, PeerId)>,
}

impl Leavers {
    /// Keeps the rank of a peer that leaves now.
    pub(super) fn put(&mut self, now: Moment, stream: StreamId, peer: PeerId, rank: u64) {
        let end = now.after(GRACE);
        if let Some((_, old)) = self.ranks.insert((stream, peer), (rank, end)) {
            self.ends.remove(&(old, stream, peer));
        }
        self.ends.insert((end, stream, peer));
        if self.ends.len() > MAX_LEAVERS {
            self.drop_first();
        }
    }

    /// Takes back the rank of a peer that is there again.
    pub(super) fn take(&mut self, stream: StreamId, peer: PeerId) -> Option<u64> {
        let (rank, end) = self.ranks.remove(&(stream, peer))?;
        self.ends.remove(&(end, stream, peer));
        Some(rank)
    }

    pub(super) fn expire(&mut self, now: Moment) {
        while self.deadline().is_some_and(|end| end <= now) {
            self.drop_first();
        }
    }

    pub(super) fn deadline(&self) -> Option<Moment> {
        self.ends.first().map(|(end, ..)| *end)
    }

    fn drop_first(&mut self) {
        if let Some((_, stream, peer)) = self.ends.pop_first() {
            self.ranks.remove(&(stream, peer));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use antiphon_core::crypto::{Hash, PublicKey};

    #[test]
    fn a_rank_is_kept_for_a_minute_and_given_back_once() {
        let (mut leavers, stream, peer) = (Leavers::default(), StreamId::default(), peer(1));
        leavers.put(Moment::ZERO, stream, peer, 7);
        leavers.put(Moment::from_millis(5), stream, peer, 7);
        assert_eq!(leavers.deadline(), Some(Moment::from_millis(60_005)));
        leavers.expire(Moment::from_millis(60_004));
        assert_eq!(leavers.take(stream, peer), Some(7));
        assert_eq!((leavers.take(stream, peer), leavers.deadline()), (None, None));
        leavers.put(Moment::ZERO, stream, peer, 7);
        leavers.expire(Moment::from_millis(60_000));
        assert_eq!(leavers.take(stream, peer), None);
    }

    #[test]
    fn the_oldest_goes_when_there_are_too_many() {
        let mut leavers = Leavers::default();
        for n in 0..=u32::try_from(MAX_LEAVERS).unwrap() {
            let stream = StreamId(Hash::of(&[&n.to_le_bytes()]));
            leavers.put(Moment::from_millis(n.into()), stream, peer(1), n.into());
        }
        assert_eq!((leavers.ranks.len(), leavers.ends.len()), (MAX_LEAVERS, MAX_LEAVERS));
        assert_eq!(leavers.take(StreamId(Hash::of(&[&0_u32.to_le_bytes()])), peer(1)), None);
    }

    fn peer(n: u8) -> PeerId {
        PeerId(PublicKey([n; 32]))
    }
}
