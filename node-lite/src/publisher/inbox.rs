//! What an encoder pushes, put in the order of its playlists.
//!
//! ```text
//! file --------> held
//! playlist ----> listed --its file is held---------------------------------> published
//!                   |-----the next playlist and something after it came----> a gap
//!                   '-----listed for three target durations----------------> a gap
//! every playlist says its end, and nothing of them is waited for ----------> the end
//! ```
//!
//! Encoders push a segment and the playlist that lists it at the same time, on two connections, and several segments at once
//! at their start; so what is listed and not here is waited for, but not for ever.
//!
//! What is given up is left out, and what follows it is a discontinuity. `EXT-X-GAP` (RFC 8216bis §4.4.4.7) would list it
//! instead: but what has no bytes has no digest that anybody could sign, players of RFC 8216 do not know the tag and ask for
//! the file, and hls.js froze at it up to 1.5.17 (video-dev/hls.js#6814).
//!
//! Source: issue 5 "Publisher". Invariant: files and names that wait are bounded, however long an encoder runs.

mod track;

use super::intake::{IntakeError, Wanted};
use antiphon_core::{delivery::chunk::MAX_SEGMENT, time::Moment};
use std::{collections::BTreeMap, time::Duration};
use track::Track;

/// Files that wait for the playlist that lists them. Chosen here: several times a window.
pub const MAX_WAITING: usize = 64;

/// Bytes of all of them.
pub const MAX_WAITING_BYTES: usize = 4 * MAX_SEGMENT;

/// How many target durations what is listed is waited for. Source: RFC 8216 §6.3.3: players begin three of them behind the
/// newest segment; what comes later than that nobody waits for.
pub const PATIENCE: u32 = 3;

/// How long a file is held that no playlist lists. Chosen here: as long as five of the longest segments.
const STALE: Duration = Duration::from_mins(5);

/// How often such files are looked for.
const SWEEP: Duration = Duration::from_mins(1);

/// What the host must do, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Publish a segment.
    Publish(Box<Ready>),
    /// Tell the keeper that this file was listed and has not come: it is a gap.
    Missing(String),
    /// Tell the keeper that the source lists parts of segments, which are passed over.
    Parts,
    /// The source has said its end, but what it lists has not come yet.
    AwaitEnd,
    /// The source has not said its end, or goes on after it.
    GoOn,
    /// Nothing follows.
    End,
}

/// A segment whose turn it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ready {
    /// Its rendition.
    pub rendition: u8,
    /// What the playlist says of it.
    pub wanted: Wanted,
    /// Its initialisation segment, if that is held.
    pub map: Option<Vec<u8>>,
    /// Its media.
    pub bytes: Vec<u8>,
    /// Whether what should have come before it was given up.
    pub is_gap: bool,
}

/// Puts pushes in order.
#[derive(Debug, Default)]
pub struct Inbox {
    now: Moment,
    tracks: BTreeMap<String, Track>,
    files: BTreeMap<String, Held>,
    /// When files that nobody lists are next looked for.
    sweep_at: Moment,
    /// When the end is said that was awaited before a restart, unless a playlist comes.
    end_by: Option<Moment>,
}

/// A file that waits for its turn.
#[derive(Debug)]
struct Held {
    since: Moment,
    bytes: Vec<u8>,
}

impl Inbox {
    /// Makes the inbox of a publisher that was stopped while its source's end was awaited: what the source had sent by then is
    /// lost, so the end is said after `target`, the longest segment, times [`PATIENCE`], unless the source speaks again.
    pub fn awaiting_end(now: Moment, target: Duration) -> Self {
        let end_by = Some(now.after(target.saturating_mul(PATIENCE)));
        Self { now, end_by, ..Self::default() }
    }

    /// Returns whether the playlist of this name has a rendition.
    pub fn has(&self, playlist: &str) -> bool {
        self.tracks.contains_key(playlist)
    }

    /// Gives the playlist of this name a rendition; `next` is the source's number that follows what was published of it.
    pub fn open(&mut self, playlist: &str, rendition: u8, next: Option<u64>) {
        self.tracks.entry(playlist.to_owned()).or_insert_with(|| Track::new(rendition, next));
    }

    /// Takes a file. Returns `false`, and nothing changes, if there is no room for it.
    #[must_use]
    pub fn file(
        &mut self,
        now: Moment,
        name: String,
        bytes: Vec<u8>,
        out: &mut Vec<Output>,
    ) -> bool {
        self.now = self.now.max(now);
        let others = || self.files.iter().filter(|(other, _)| **other != name);
        let held: usize = others().map(|(_, held)| held.bytes.len()).sum();
        if held.saturating_add(bytes.len()) > MAX_WAITING_BYTES || others().count() >= MAX_WAITING {
            return false;
        }
        if self.files.is_empty() {
            self.sweep_at = self.now.after(SWEEP);
        }
        self.files.insert(name, Held { since: self.now, bytes });
        self.advance(out);
        true
    }

    /// Takes a playlist that lists segments. It must have been given a rendition.
    ///
    /// # Errors
    /// [`IntakeError`]; nothing changes then.
    pub fn playlist(
        &mut self,
        now: Moment,
        name: &str,
        text: &[u8],
        out: &mut Vec<Output>,
    ) -> Result<(), IntakeError> {
        self.now = self.now.max(now);
        let Some(track) = self.tracks.get_mut(name) else { return Ok(()) };
        if track.list(self.now, text)? {
            out.push(Output::Parts);
        }
        if !track.says_end() {
            out.push(Output::GoOn);
        }
        self.end_by = None;
        self.advance(out);
        Ok(())
    }

    /// Drops a file that the encoder takes back, unless it is the initialisation segment in use.
    pub fn forget(&mut self, name: &str) {
        if !self.tracks.values().any(|track| track.map() == Some(name)) {
            self.files.remove(name);
        }
    }

    /// Does what is due. Call it at [`Self::deadline`].
    pub fn tick(&mut self, now: Moment, out: &mut Vec<Output>) {
        self.now = self.now.max(now);
        self.advance(out);
        if self.end_by.is_some_and(|end| end <= self.now) {
            self.end_by = None;
            out.push(Output::End);
        }
        if self.sweep_at <= self.now {
            self.sweep_at = self.now.after(SWEEP);
            let Self { now, tracks, files, .. } = self;
            files.retain(|name, held| {
                now.since(held.since) < STALE || tracks.values().any(|track| track.needs(name))
            });
        }
    }

    /// Returns when [`Self::tick`] is next needed, or `None` if time does not matter now.
    pub fn deadline(&self) -> Option<Moment> {
        let sweep = (!self.files.is_empty()).then_some(self.sweep_at);
        let tracks = self.tracks.values().filter_map(Track::deadline);
        tracks.chain(sweep).chain(self.end_by).min()
    }

    fn advance(&mut self, out: &mut Vec<Output>) {
        for track in self.tracks.values_mut() {
            track.advance(self.now, &mut self.files, out);
        }
        if self.tracks.is_empty() || !self.tracks.values().all(Track::says_end) {
            return;
        }
        let is_whole = self.tracks.values().all(Track::is_idle);
        out.push(if is_whole { Output::End } else { Output::AwaitEnd });
    }
}

#[cfg(test)]
mod tests;
