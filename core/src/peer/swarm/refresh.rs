//! Refresh: now and then one of the links that we dialled makes room for somebody new.
//!
//! ```text
//! our part full --a minute, or more--> Weigh --Weighed--> useless, else slow, else far --LetGo--> dial another
//! seats:  at most half for near ones (near by measure, or sought for being named near) | the others by chance
//! far:    goes only from a near seat, or while near seats are not taken
//! held, young, dialled by the other: never goes
//! ```
//!
//! Without it a link is made anew only where one is lost, and whom the tracker names for being near never meets a swarm
//! whose links are all taken. The rhythm is that of BitTorrent's optimistic unchoke (Cohen 2003: 30 s, three of its rounds),
//! slower, for a link costs a handshake, and ever slower while nothing better is found; one at a time and drawn, as in a shuffle of HyParView (Leitao 2007).
//! Source: issue 5 "neighbour refresh", "near peers (measured round trip) mixed with random ones".
//!
//! What an attacker gains by it:
//! - *Splendid round trips.* What is asked of a link is absolute: nobody becomes worse because another is better. Who is near,
//!   or is named for it, takes near seats, and these are half at most. Whom the others are, our own dice say.
//! - *Slow links, opened to be replaced.* Whoever dials us replaces nobody: only links that we dialled are weighed. One that we
//!   dialled costs us a dial a minute, less often each time that it was in vain, and is not dialled for ten minutes.
//! - *Making others look useless.* That is what they offer and refuse, not how often they were chosen.
//!
//! Invariants: a link goes before another is dialled, so that no bound is passed; who runs a transfer, owes or is owed is held.

use super::{Link, Output, Stage, Swarm};
use crate::{id::PeerId, time::Moment};
use alloc::vec::Vec;
use core::time::Duration;

/// How often links are weighed at most; jitter makes it half as long at times. Chosen here: twice BitTorrent's 30 s.
pub const REFRESH: Duration = Duration::from_secs(60);

/// How long a link is not weighed after it opened. Chosen here: strangers are tried once in eight segments.
pub const YOUNG: Duration = Duration::from_secs(60);

/// How long somebody whom we let go is not dialled again. Chosen here: as long as a first ban.
pub const LET_GO_REST: Duration = Duration::from_secs(600);

/// Best answers that take longer are slow. Source: `fetch::PEER_PATIENCE`, by then somebody else is asked.
const SLOW: Duration = Duration::from_millis(500);

/// Best answers that take no longer are near. Source: the tracker's bound; oceans are wider.
pub const NEAR: Duration = Duration::from_millis(128);

/// So often the rest doubles, to a quarter of an hour, where letting go of the slow and the far brought nobody near.
const MAX_VAIN: u32 = 4;

/// What a neighbour is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Worth {
    /// A transfer runs, or one owes the other.
    Held,
    /// It brings something, or may.
    Useful,
    /// It offers nothing and brought nothing, or keeps failing.
    Useless,
}

/// When links are weighed next.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Refresh {
    at: Moment,
    /// Near ones at the last weighing, and links that were let go since they became more.
    near: usize,
    vain: u32,
}

/// Why a link may go; the later ones go first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Reason {
    Far,
    Slow,
    Useless,
}

impl Swarm {
    /// Returns when links are to be weighed, if somebody may be dialled at `fresh`: once one of ours is no longer young.
    pub(super) fn weigh_at(&self, fresh: Moment) -> Option<Moment> {
        let grown = self.links.values().filter(|link| link.is_ours).map(|link| link.until).min();
        let grown = grown.filter(|_| self.is_settled())?;
        Some(self.refresh.at.max(grown).max(fresh))
    }

    /// Returns whether our part is full of open links.
    fn is_settled(&self) -> bool {
        let mut ours = self.links.values().filter(|link| link.is_ours);
        self.is_joined() && !self.can_dial() && ours.all(|link| link.stage == Stage::Open)
    }

    pub(super) fn weigh(&mut self, now: Moment, out: &mut Vec<Output>) {
        if self.refresh.at > now {
            return;
        }
        let fresh = self.candidates().map(|(_, known)| known.retry_at).min();
        if fresh.and_then(|fresh| self.weigh_at(fresh)).is_some_and(|at| at <= now) {
            let rest = REFRESH.saturating_mul(1 << self.refresh.vain.min(MAX_VAIN));
            self.refresh.at = now.after(self.dice.jitter(rest));
            out.push(Output::Weigh);
        }
    }

    /// Lets the least useful of our links go, if there is one and somebody to dial in its place.
    pub(super) fn weighed(
        &mut self,
        now: Moment,
        worths: &[(PeerId, Worth)],
        out: &mut Vec<Output>,
    ) {
        let due = self.candidates().filter(|(_, known)| known.retry_at <= now);
        let nearest = due.min_by_key(|(_, known)| (known.failures, known.place));
        let (Some((nearest, _)), true) = (nearest, self.is_settled()) else { return };
        let ours = || self.links.values().filter(|link| link.is_ours);
        let near = ours().filter(|link| link.is_within(NEAR)).count();
        let half = ours().count() / 2;
        let seats = ours().filter(|link| link.has_near_seat()).count();
        let is_seat_free = seats < half;
        let mut worst = None;
        for (id, link) in &self.links {
            let worth = worths.iter().find(|(peer, _)| *peer == link.peer).map(|(_, worth)| *worth);
            let is_judged = link.is_ours && link.until <= now;
            let is_slow = link.round_trip.is_some() && !link.is_within(SLOW);
            let may_be_far = near >= half || link.is_within(NEAR);
            let reason = match worth.filter(|_| is_judged) {
                Some(Worth::Useless) => Reason::Useless,
                Some(Worth::Useful) if is_slow => Reason::Slow,
                Some(Worth::Useful) if !may_be_far && (is_seat_free || link.is_sought) => {
                    Reason::Far
                }
                Some(Worth::Useful | Worth::Held) | None => continue,
            };
            let frees_seat = seats.saturating_sub(link.has_near_seat().into()) < half;
            worst = worst.max(Some((reason, self.dice.roll(), *id, link.peer, frees_seat)));
        }
        let Some((reason, _, id, peer, is_seat_free)) = worst else { return };
        let vain = if near > self.refresh.near { 0 } else { self.refresh.vain };
        let vain = vain.saturating_add((reason != Reason::Useless).into());
        (self.refresh.near, self.refresh.vain) = (near, vain);
        out.push(Output::LetGo(id, peer));
        self.drop_link(now, id, out);
        let known = self.know(now, peer);
        (known.failures, known.retry_at) = (0, now.after(LET_GO_REST));
        if is_seat_free {
            let sought = self.dial_to(now, nearest, out);
            if let Some(link) = self.links.get_mut(&sought) {
                link.is_sought = true;
            }
        }
    }
}

impl Link {
    fn is_within(&self, bound: Duration) -> bool {
        self.round_trip.is_some_and(|took| took <= bound)
    }

    /// Returns whether it takes a seat of those that are near, or were named for it.
    fn has_near_seat(&self) -> bool {
        self.is_sought || self.is_within(NEAR)
    }
}
