//! The machine numbers its neighbours; the network knows them by key. A bounded map between the two.

use crate::bft::Peer;
use std::collections::BTreeMap;

/// Most neighbours at a time. Chosen here: far above what gossip needs, and so few that a number stays free for long.
pub(super) const MAX_NEIGHBOURS: u16 = 512;
/// Numbers in turn: many more than neighbours, so that a late answer rarely meets a newcomer with an old number.
const NUMBERS: u16 = u16::MAX;

/// Who has which number.
#[derive(Debug)]
pub(super) struct Numbers<P> {
    of: BTreeMap<P, Peer>,
    who: BTreeMap<Peer, P>,
    next: Peer,
}

impl<P> Default for Numbers<P> {
    fn default() -> Self {
        Self { of: BTreeMap::new(), who: BTreeMap::new(), next: 0 }
    }
}

impl<P: Ord + Copy> Numbers<P> {
    /// Returns the peer's number, giving it one if there is room.
    pub(super) fn give(&mut self, peer: P) -> Option<Peer> {
        if let Some(number) = self.of.get(&peer) {
            return Some(*number);
        }
        if self.of.len() >= usize::from(MAX_NEIGHBOURS) {
            return None;
        }
        while self.who.contains_key(&self.next) {
            self.advance();
        }
        let number = self.next;
        self.advance();
        self.of.insert(peer, number);
        self.who.insert(number, peer);
        Some(number)
    }

    /// Forgets a neighbour that left.
    pub(super) fn take(&mut self, peer: &P) {
        if let Some(number) = self.of.remove(peer) {
            self.who.remove(&number);
        }
    }

    /// Returns a peer's number.
    pub(super) fn of(&self, peer: &P) -> Option<Peer> {
        self.of.get(peer).copied()
    }

    /// Returns who has a number.
    pub(super) fn exactly(&self, number: Peer) -> Option<P> {
        self.who.get(&number).copied()
    }

    /// Returns who has a number; if nobody, somebody. `None` only when alone.
    pub(super) fn who(&self, number: Peer) -> Option<P> {
        let exactly = self.who.get(&number);
        let count = self.who.len();
        exactly.or_else(|| self.who.values().nth(usize::from(number).checked_rem(count)?)).copied()
    }

    fn advance(&mut self) {
        self.next = self.next.wrapping_add(1).checked_rem(NUMBERS).unwrap_or(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_neighbour_keeps_its_number_and_a_freed_one_is_reused_last() {
        let mut numbers = Numbers::default();
        assert_eq!(
            (numbers.give('a'), numbers.give('b'), numbers.give('a')),
            (Some(0), Some(1), Some(0))
        );
        numbers.take(&'a');
        assert_eq!((numbers.of(&'a'), numbers.give('c')), (None, Some(2)));
        for _ in 0..NUMBERS {
            numbers.take(&'d');
            assert!(numbers.give('d').is_some_and(|number| number != 1 && number != 2));
        }
    }

    #[test]
    fn a_number_that_nobody_has_names_somebody() {
        let mut numbers = Numbers::default();
        assert_eq!(numbers.who(3), None);
        numbers.give('a');
        numbers.give('b');
        assert_eq!((numbers.who(0), numbers.who(1)), (Some('a'), Some('b')));
        assert_eq!((numbers.who(8), numbers.who(9)), (Some('a'), Some('b')));
    }

    #[test]
    fn more_neighbours_than_fit_get_no_number() {
        let mut numbers = Numbers::default();
        assert!((0..MAX_NEIGHBOURS).all(|peer| numbers.give(peer).is_some()));
        assert_eq!(numbers.give(MAX_NEIGHBOURS), None);
        numbers.take(&7);
        assert!(numbers.give(MAX_NEIGHBOURS).is_some());
    }
}
