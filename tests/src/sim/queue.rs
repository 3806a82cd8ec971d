//! What will happen, in order of virtual time, and in order of asking where times are equal.

use antiphon_core::time::Moment;
use std::collections::BTreeMap;

/// Events of the future.
#[derive(Debug)]
pub struct Queue<E> {
    events: BTreeMap<(Moment, u64), E>,
    next: u64,
}

impl<E> Default for Queue<E> {
    fn default() -> Self {
        Self { events: BTreeMap::new(), next: 0 }
    }
}

impl<E> Queue<E> {
    /// Lets `event` happen at `at`.
    pub fn push(&mut self, at: Moment, event: E) {
        self.events.insert((at, self.next), event);
        self.next += 1;
    }

    /// Returns when the next event happens.
    pub fn next_at(&self) -> Option<Moment> {
        self.events.keys().next().map(|(at, _)| *at)
    }

    /// Takes the next event.
    pub fn pop(&mut self) -> Option<(Moment, E)> {
        self.events.pop_first().map(|((at, _), event)| (at, event))
    }
}
