//! Messages to one neighbour that wait for their turn: few at a time on the wire, and a bounded number behind them.

use std::collections::VecDeque;

/// Messages of ours to one neighbour that are unanswered. Chosen here.
pub(super) const MAX_IN_FLIGHT: usize = 8;
/// Messages that wait. Chosen here: several answers to requests for blocks.
const MAX_WAITING: usize = 128;
/// Bytes that wait. Chosen here: eight messages of the longest kind.
const MAX_BYTES: usize = 16 << 20;

/// What is still to be sent to one neighbour.
#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: VecDeque<Vec<u8>>,
    bytes: usize,
    in_flight: usize,
}

impl Queue {
    /// Adds a message. Returns whether there was room; whoever misses it asks again.
    pub(super) fn add(&mut self, message: Vec<u8>) -> bool {
        let bytes = self.bytes.saturating_add(message.len());
        let fits = self.waiting.len() < MAX_WAITING && bytes <= MAX_BYTES;
        if fits {
            self.bytes = bytes;
            self.waiting.push_back(message);
        }
        fits
    }

    /// Returns the next message to send now.
    pub(super) fn next(&mut self) -> Option<Vec<u8>> {
        if self.in_flight >= MAX_IN_FLIGHT {
            return None;
        }
        let message = self.waiting.pop_front()?;
        self.bytes = self.bytes.saturating_sub(message.len());
        self.in_flight = self.in_flight.saturating_add(1);
        Some(message)
    }

    /// A message was answered or lost.
    pub(super) fn done(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_leave_in_order_and_few_at_a_time() {
        let mut queue = Queue::default();
        assert!((0..20).all(|n| queue.add(vec![n])));
        let first: Vec<_> = std::iter::from_fn(|| queue.next()).collect();
        assert_eq!(first.concat(), (0..8).collect::<Vec<u8>>());
        queue.done();
        assert_eq!((queue.next(), queue.next()), (Some(vec![8]), None));
    }

    #[test]
    fn what_does_not_fit_is_let_go() {
        let mut queue = Queue::default();
        assert_eq!((0..200).filter(|_| queue.add(vec![0])).count(), MAX_WAITING);
        let mut queue = Queue::default();
        assert_eq!((0..20).filter(|_| queue.add(vec![0; 2 << 20])).count(), 8);
        assert!(queue.next().is_some() && queue.add(vec![0; 2 << 20]));
    }
}
