//! Whom to ask: those who answer, few questions at a time, and nobody twice who was caught.

use crate::{
    bft::Peer,
    bucket::{Bucket, Rate},
};
use antiphon_core::time::Moment;
use std::{collections::BTreeMap, time::Duration};

/// Neighbours remembered. Chosen here: more than are dialled.
const MAX_NEIGHBOURS: usize = 64;
/// Questions to one neighbour that are unanswered. Chosen here: while one travels the next is read.
const MAX_FLIGHTS: usize = 2;
/// How long a neighbour that did not answer is not asked. Chosen here.
const BENCH: Duration = Duration::from_secs(30);

#[derive(Clone, Copy, Debug)]
struct Neighbour {
    flights: usize,
    /// When it was asked last, in questions; and when for its tip.
    last: u64,
    last_tip: u64,
    bench: Moment,
    /// It sent what no honest node sends.
    foul: bool,
    /// It does not have the state that is being synced.
    lacks: bool,
    pace: Bucket,
}

/// What a neighbour is to be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// What depends on the state that is synced.
    State,
    /// The tip.
    Tip,
    /// Another light file.
    File,
}

/// The neighbours that were heard.
#[derive(Debug)]
pub(super) struct Neighbours {
    known: BTreeMap<Peer, Neighbour>,
    rate: Rate,
    asked: u64,
}

impl Neighbours {
    /// Knows nobody yet. `rate` is what one neighbour is asked for, in KiB.
    pub(super) const fn new(rate: Rate) -> Self {
        Self { known: BTreeMap::new(), rate, asked: 0 }
    }

    /// Remembers one that said something.
    pub(super) fn hear(&mut self, now: Moment, peer: Peer) {
        if self.known.len() < MAX_NEIGHBOURS || self.known.contains_key(&peer) {
            self.known.entry(peer).or_insert_with(|| Neighbour {
                flights: 0,
                last: 0,
                last_tip: 0,
                bench: Moment::ZERO,
                foul: false,
                lacks: false,
                pace: Bucket::full(now, self.rate),
            });
        }
    }

    /// Chooses the one that was asked least recently of those that may be asked for so many KiB, and counts the question.
    /// Tips go round by themselves: else who is asked for one after the other might always get the same kind.
    pub(super) fn pick(&mut self, now: Moment, kib: u64, kind: Kind) -> Option<Peer> {
        let of_state = kind == Kind::State;
        let rate = self.rate;
        let may = |held: &Neighbour| !(held.foul || of_state && held.lacks);
        // Where all let us wait, it may be the way to them, as after a sudden restart.
        let some_answer = self.known.values().any(|held| may(held) && held.bench <= now);
        let free = |held: &Neighbour| {
            may(held) && held.flights < MAX_FLIGHTS && (held.bench <= now || !some_answer)
        };
        let mut free: Vec<_> = self.known.iter_mut().filter(|(_, held)| free(held)).collect();
        free.sort_by_key(|(_, held)| match kind {
            Kind::Tip => (held.last_tip, held.last),
            Kind::State | Kind::File => (held.flights as u64, held.last),
        });
        let (peer, held) = free
            .into_iter()
            .find_map(|(peer, held)| held.pace.take_many(now, rate, kib).then_some((peer, held)))?;
        self.asked = self.asked.saturating_add(1);
        held.flights = held.flights.saturating_add(1);
        held.last = self.asked;
        if kind == Kind::Tip {
            held.last_tip = self.asked;
        }
        Some(*peer)
    }

    /// A question to it was answered, or is given up.
    pub(super) fn done(&mut self, peer: Peer) {
        if let Some(held) = self.known.get_mut(&peer) {
            held.flights = held.flights.saturating_sub(1);
        }
    }

    /// It let us wait.
    pub(super) fn bench(&mut self, now: Moment, peer: Peer) {
        if let Some(held) = self.known.get_mut(&peer) {
            held.bench = now.after(BENCH);
        }
    }

    /// It lied.
    pub(super) fn condemn(&mut self, peer: Peer) {
        if let Some(held) = self.known.get_mut(&peer) {
            held.foul = true;
        }
    }

    /// It does not have the state.
    pub(super) fn lacks(&mut self, peer: Peer) {
        if let Some(held) = self.known.get_mut(&peer) {
            held.lacks = true;
        }
    }

    /// Another state is to be synced.
    pub(super) fn forget_lacks(&mut self) {
        self.known.values_mut().for_each(|held| held.lacks = false);
    }

    /// Returns whether everybody who may be asked at all says that the state is gone.
    pub(super) fn all_lack(&self) -> bool {
        let mut fair = self.known.values().filter(|held| !held.foul).peekable();
        fair.peek().is_some() && fair.all(|held| held.lacks)
    }

    /// Returns whether somebody may be asked now or later.
    pub(super) fn has_fair(&self) -> bool {
        self.known.values().any(|held| !held.foul)
    }
}
