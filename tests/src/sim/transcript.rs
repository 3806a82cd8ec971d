//! A running hash of everything that happened: two runs are the same iff their transcripts are.

use antiphon_core::{crypto::Hash, time::Moment};

/// What happened so far, as one hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transcript(pub Hash);

impl Default for Transcript {
    fn default() -> Self {
        Self(Hash([0; 32]))
    }
}

impl Transcript {
    /// Adds one event.
    pub fn note(&mut self, at: Moment, what: &str, bytes: &[u8]) {
        let at = at.as_millis().to_le_bytes();
        self.0 = Hash::of(&[&self.0.0, &at, what.as_bytes(), bytes]);
    }
}
