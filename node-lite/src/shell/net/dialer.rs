//! Whom to dial, and when again: back-off that doubles, with jitter, so that a network that starts together does not
//! dial in step.

use antiphon_core::time::Moment;
use std::{collections::BTreeMap, time::Duration};

/// First wait after a failed dial. Chosen here.
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// The wait doubles at most this often: half a minute.
const MAX_DOUBLINGS: u32 = 6;
/// Failures after which a peer that was only heard of is forgotten. Chosen here.
const MAX_FAILURES: u32 = 5;
/// Peers heard of that are remembered. Chosen here.
const MAX_HEARD: usize = 256;
/// Addresses kept of one peer. Chosen here.
pub(super) const MAX_ADDRESSES: usize = 4;
/// Dials begun at one time. Chosen here.
const MAX_AT_ONCE: usize = 8;

#[derive(Debug)]
struct Target<A> {
    addresses: Vec<A>,
    /// From the configuration: kept for ever, and dialled however many neighbours there are.
    configured: bool,
    failures: u32,
    due: Moment,
}

/// Peers that may be dialled.
#[derive(Debug)]
pub(super) struct Dialer<P, A> {
    targets: BTreeMap<P, Target<A>>,
}

impl<P, A> Default for Dialer<P, A> {
    fn default() -> Self {
        Self { targets: BTreeMap::new() }
    }
}

impl<P: Ord + Copy, A: Clone + PartialEq> Dialer<P, A> {
    /// Adds an address from the configuration.
    pub(super) fn configure(&mut self, peer: P, address: A) {
        let target = self.targets.entry(peer).or_insert_with(|| Target::new(Moment::ZERO));
        target.configured = true;
        target.addresses.push(address);
    }

    /// Hears of a peer. Those heard of later are let go when too many are known.
    pub(super) fn hear(&mut self, now: Moment, peer: P, addresses: impl IntoIterator<Item = A>) {
        let heard = self.targets.values().filter(|target| !target.configured).count();
        if !self.targets.contains_key(&peer) && heard >= MAX_HEARD {
            return;
        }
        let target = self.targets.entry(peer).or_insert_with(|| Target::new(now));
        for address in addresses {
            if target.addresses.len() < MAX_ADDRESSES && !target.addresses.contains(&address) {
                target.addresses.push(address);
            }
        }
        if target.addresses.is_empty() {
            self.targets.remove(&peer);
        }
    }

    /// Returns whom to dial now: every configured peer that is away, and of the others as many as `wanted`.
    /// `dice` gives a number below 1000.
    pub(super) fn due(
        &mut self,
        now: Moment,
        is_away: impl Fn(&P) -> bool,
        wanted: usize,
        mut dice: impl FnMut() -> u32,
    ) -> Vec<(P, Vec<A>)> {
        let mut left = wanted;
        let mut dials = Vec::new();
        for (peer, target) in &mut self.targets {
            let chosen = target.configured || left > 0;
            if dials.len() >= MAX_AT_ONCE || !chosen || target.due > now || !is_away(peer) {
                continue;
            }
            left = left.saturating_sub(usize::from(!target.configured));
            target.due = now.after(target.wait(dice()));
            dials.push((*peer, target.addresses.clone()));
        }
        dials
    }

    /// A peer answered: the next dial is as quick as the first.
    pub(super) fn connected(&mut self, peer: &P) {
        if let Some(target) = self.targets.get_mut(peer) {
            target.failures = 0;
        }
    }

    /// A dial failed.
    pub(super) fn failed(&mut self, peer: &P) {
        let Some(target) = self.targets.get_mut(peer) else { return };
        target.failures = target.failures.saturating_add(1);
        if !target.configured && target.failures >= MAX_FAILURES {
            self.targets.remove(peer);
        }
    }

    /// Forgets a peer that was only heard of.
    pub(super) fn forget(&mut self, peer: &P) {
        self.targets.retain(|known, target| known != peer || target.configured);
    }
}

impl<A> Target<A> {
    const fn new(due: Moment) -> Self {
        Self { addresses: Vec::new(), configured: false, failures: 0, due }
    }

    /// Between half and one and a half times the wait.
    fn wait(&self, dice: u32) -> Duration {
        let doublings = self.failures.min(MAX_DOUBLINGS);
        let wait = FIRST_WAIT.saturating_mul(1_u32.checked_shl(doublings).unwrap_or(1));
        let thousandths = 500_u32.saturating_add(dice.min(999));
        wait.saturating_mul(thousandths).checked_div(1000).unwrap_or(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(ms: u64) -> Moment {
        Moment::from_millis(ms)
    }

    fn dial(dialer: &mut Dialer<char, u8>, now: u64, wanted: usize) -> Vec<char> {
        let due = dialer.due(at(now), |_| true, wanted, || 500);
        due.into_iter().map(|(peer, _)| peer).collect()
    }

    #[test]
    fn waits_double_up_to_half_a_minute_and_begin_anew_after_a_connection() {
        let mut dialer = Dialer::default();
        dialer.configure('a', 1);
        let mut now = 0;
        for wait in [500, 1000, 2000, 4000, 8000, 16_000, 32_000, 32_000] {
            assert_eq!(dial(&mut dialer, now, 0), ['a']);
            dialer.failed(&'a');
            now += wait;
            assert!(dial(&mut dialer, now - 1, 0).is_empty(), "after {wait}");
        }
        assert_eq!(dial(&mut dialer, now, 0), ['a']);
        dialer.connected(&'a');
        assert_eq!(dial(&mut dialer, now + 40_000, 0), ['a']);
        assert_eq!(dial(&mut dialer, now + 40_500, 0), ['a']);
    }

    #[test]
    fn jitter_spreads_from_half_to_one_and_a_half() {
        let target: Target<u8> = Target::new(at(0));
        assert_eq!(target.wait(0), Duration::from_millis(250));
        assert_eq!(target.wait(999), Duration::from_micros(749_500));
    }

    #[test]
    fn who_was_only_heard_of_is_dialled_when_wanted_and_forgotten_after_five_failures() {
        let mut dialer = Dialer::default();
        dialer.configure('a', 1);
        dialer.hear(at(0), 'b', [2, 3, 3, 4, 5, 6]);
        dialer.hear(at(0), 'c', []);
        assert_eq!(dialer.due(at(0), |_| true, 0, || 0), [('a', vec![1])]);
        assert_eq!(dialer.due(at(0), |_| true, 1, || 0), [('b', vec![2, 3, 4, 5])]);
        for _ in 0..MAX_FAILURES {
            dialer.failed(&'a');
            dialer.failed(&'b');
        }
        assert_eq!(dial(&mut dialer, 100_000, 9), ['a']);
        assert!(dialer.due(at(200_000), |peer| *peer != 'a', 9, || 0).is_empty());
    }

    #[test]
    fn no_more_are_remembered_than_fit() {
        let mut dialer = Dialer::default();
        for peer in 0..2 * MAX_HEARD {
            dialer.hear(at(0), peer, [1]);
        }
        assert_eq!(dialer.targets.len(), MAX_HEARD);
    }
}
