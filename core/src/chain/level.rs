//! How far a value is believed, and a row with one entry for each such level.

use borsh::{BorshDeserialize, BorshSerialize};

/// How far a value is believed. Every value handed to an application carries one. Source: PROTOCOL A2.19.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub enum Level {
    /// A block holds it; nobody has vouched for the block yet.
    Included,
    /// The block is settled by validators (A1.18).
    Settled,
    /// A checkpoint at or above the block is final by guardians (A2.16).
    Final,
}

impl Level {
    /// All levels, the least believed first.
    pub const ALL: [Self; 3] = [Self::Included, Self::Settled, Self::Final];
}

/// What is known at each level, if anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ByLevel<T> {
    included: Option<T>,
    settled: Option<T>,
    is_final: Option<T>,
}

impl<T> ByLevel<T> {
    /// Returns a row of nothing.
    pub const fn new() -> Self {
        Self { included: None, settled: None, is_final: None }
    }

    /// Returns what is known at exactly this level.
    pub const fn get(&self, level: Level) -> Option<&T> {
        match level {
            Level::Included => self.included.as_ref(),
            Level::Settled => self.settled.as_ref(),
            Level::Final => self.is_final.as_ref(),
        }
    }

    /// Enters what is known at exactly this level.
    pub fn set(&mut self, level: Level, value: T) {
        let entry = match level {
            Level::Included => &mut self.included,
            Level::Settled => &mut self.settled,
            Level::Final => &mut self.is_final,
        };
        *entry = Some(value);
    }

    /// Returns what is known at this level or above, least believed first.
    pub fn at_least(&self, level: Level) -> impl Iterator<Item = &T> {
        Level::ALL.into_iter().filter(move |known| *known >= level).filter_map(|l| self.get(l))
    }
}

impl<T> Default for ByLevel<T> {
    fn default() -> Self {
        Self::new()
    }
}
