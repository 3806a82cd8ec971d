//! How many others somebody is told, so that nobody lists a swarm.
//!
//! Keys cost nothing, so what counts is where they come from: a network, and the prefix around it, are told only so many
//! new names an hour, whoever asks. Who has no new ones left is told again whom it was told before.

use super::{Bucket, Rate};
use antiphon_core::{id::PeerId, time::Moment};
use std::collections::VecDeque;

/// New names that one connection is told: 64 at once, 600 an hour. Chosen here: sixteen links whose far ends stay five
/// minutes in the middle lose 133 an hour, and not every dial succeeds.
const NAMES: Rate = Rate { burst: 64, milli_per_second: 167 };
/// New names outside itself that one network is told: 2048 at once, 3600 an hour. A prefix has [`PREFIX_FACTOR`] times as much.
pub(super) const NETWORK_NAMES: Rate = Rate { burst: 2048, milli_per_second: 1000 };
/// How much more a prefix has than a network. Chosen here: holders of a whole prefix are one, providers are many.
pub(super) const PREFIX_FACTOR: u32 = 4;
/// Names that are remembered for one connection: 4 KiB.
const MAX_SHOWN: usize = 128;

/// Whom one connection was told.
#[derive(Debug)]
pub(super) struct Names {
    shown: VecDeque<PeerId>,
    left: Bucket,
}

impl Names {
    pub(super) fn new(now: Moment) -> Self {
        Self { shown: VecDeque::new(), left: Bucket::full(now, NAMES) }
    }

    /// Returns whether this is no news.
    pub(super) fn has(&self, peer: &PeerId) -> bool {
        self.shown.contains(peer)
    }

    /// Takes one new name, if this connection may be told one.
    pub(super) fn take(&mut self, now: Moment) -> bool {
        self.left.take(now, NAMES)
    }

    /// Remembers that this one was told.
    pub(super) fn show(&mut self, peer: PeerId) {
        self.shown.push_back(peer);
        if self.shown.len() > MAX_SHOWN {
            self.shown.pop_front();
        }
    }

    /// Returns who was told, the newest first.
    pub(super) fn shown(&self) -> impl Iterator<Item = &PeerId> {
        self.shown.iter().rev()
    }
}
