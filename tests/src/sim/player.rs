//! A player as hls.js is one: wants segments in order, keeps a buffer, notices when it runs dry.

use super::origin::SEGMENT_MS;
use antiphon_core::{
    client::{WantId, Wanted},
    time::Moment,
};
use std::time::Duration;

/// How far behind the newest segment a player starts.
const BEHIND: u64 = 3;
/// Milliseconds of buffer above which nothing more is wanted.
const ENOUGH_MS: u64 = 12_000;
/// Milliseconds of buffer at which playback starts.
const START_MS: u64 = 4000;

/// A player of one live stream.
#[derive(Debug, Default)]
pub struct Player {
    map: Option<WantId>,
    /// Whether it knows how to decode.
    has_map: bool,
    next: Option<u64>,
    wanted: Option<(WantId, u64)>,
    wants: u64,
    loaded_ms: u64,
    /// When the buffer ends, once playback started.
    ends: Option<Moment>,
    rest_until: Moment,
    /// Milliseconds of silence after playback started.
    pub stalled_ms: u64,
    /// Segments played.
    pub delivered: u64,
    /// Wants that failed.
    pub failed: u64,
    /// Maps that were refused.
    pub refused: u64,
}

impl Player {
    /// Returns a name for the map that the player has loaded, if it still needs one.
    pub fn want_map(&mut self) -> Option<WantId> {
        if self.has_map || self.map.is_some() {
            return None;
        }
        self.wants += 1;
        self.map = Some(WantId(self.wants));
        self.map
    }

    /// Takes the map, if it is what was delivered.
    pub fn take_map(&mut self, id: WantId) -> bool {
        let is_it = self.map.take_if(|map| *map == id).is_some();
        self.has_map |= is_it;
        is_it
    }

    /// The map must not be used; it will be loaded anew.
    pub fn refuse_map(&mut self, id: WantId) {
        if self.map.take_if(|map| *map == id).is_some() {
            self.refused += 1;
        }
    }

    /// Returns what the player wants now, if anything, given what the playlist lists.
    pub fn want(&mut self, now: Moment, listed: std::ops::Range<u64>) -> Option<(WantId, Wanted)> {
        let next = *self.next.get_or_insert(listed.end.saturating_sub(BEHIND).max(listed.start));
        let buffered_ms = self.buffered_ms(now);
        let idle = self.has_map && self.wanted.is_none() && now >= self.rest_until;
        if !idle || buffered_ms > ENOUGH_MS || !listed.contains(&next) {
            return None;
        }
        self.wants += 1;
        let id = WantId(self.wants);
        self.wanted = Some((id, next));
        Some((id, Wanted { sequence: next, buffered_ms }))
    }

    /// Takes a segment and returns its number, if it is the one that is wanted.
    pub fn deliver(&mut self, now: Moment, id: WantId) -> Option<u64> {
        let (_, sequence) = self.wanted.take_if(|(wanted, _)| *wanted == id)?;
        self.delivered += 1;
        self.next = Some(sequence + 1);
        let segment = Duration::from_millis(SEGMENT_MS);
        match self.ends {
            Some(ends) => {
                self.stalled_ms += now.since(ends).as_millis() as u64;
                self.ends = Some(ends.max(now).after(segment));
            }
            None => {
                self.loaded_ms += SEGMENT_MS;
                if self.loaded_ms >= START_MS {
                    self.ends = Some(now.after(Duration::from_millis(self.loaded_ms)));
                }
            }
        }
        Some(sequence)
    }

    /// The wanted segment cannot be had now.
    pub fn fail(&mut self, now: Moment, id: WantId) {
        if self.wanted.take_if(|(wanted, _)| *wanted == id).is_some() {
            self.failed += 1;
            self.rest_until = now.after(Duration::from_millis(500));
        }
    }

    /// Returns milliseconds of silence so far, the present one included.
    pub fn silence_ms(&self, now: Moment) -> u64 {
        self.stalled_ms + self.ends.map_or(0, |ends| now.since(ends).as_millis() as u64)
    }

    fn buffered_ms(&self, now: Moment) -> u64 {
        self.ends.map_or(self.loaded_ms, |ends| ends.since(now).as_millis() as u64)
    }
}
