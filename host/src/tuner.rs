//! Stands where a player would: reads the playlist as it grows and wants each segment once, while it is new.
//!
//! ```text
//! Waiting --Tick--> Load --Loaded--> Tell, Want what is new --> Waiting: the target duration after news, half of it without
//!    ^                |---Failed, no playlist--> Waiting: 1 s, doubled up to 8 s
//!    '----------------'--ended--> Waiting: a minute
//! ```
//!
//! Source: RFC 8216 §6.3.4 for the pace. A segment is wanted within one target duration: listeners play some behind the
//! newest, so they find it here before they need it.

use antiphon_core::{
    client::{Loaded, WantId, Wanted},
    delivery::playlist::MAX_PLAYLIST_BYTES,
    time::{Moment, millis},
};
use m3u8_rs::MediaPlaylist;
use std::{collections::BTreeSet, time::Duration};

/// How far behind the newest segment the first one is. Chosen here: where a player begins (RFC 8216 §6.3.3).
pub const BEHIND: u64 = 3;

/// Segments that are wanted of one playlist at most, the newest. Below `fetch::MAX_WANTED`.
pub const MAX_AT_ONCE: u64 = 16;

/// Shortest time between two loads, whatever a playlist says.
pub const MIN_PAUSE: Duration = Duration::from_millis(200);

/// Longest time between two loads, whatever a playlist says.
pub const MAX_PAUSE: Duration = Duration::from_secs(8);

/// Time to the second load if the first fails; doubled each time, up to [`MAX_PAUSE`].
pub const RETRY: Duration = Duration::from_secs(1);

/// Time to the next look at a playlist that said that nothing follows: an encoder that was started again goes on with it.
/// Chosen here: nobody waits for it.
pub const AFTER_END: Duration = Duration::from_secs(60);

/// What happened outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// The playlist: the URL that it came from at last, and its text.
    Loaded(String, String),
    /// The playlist could not be loaded.
    Failed,
    /// The client has brought a segment, or gives it up.
    Done(WantId, Outcome),
    /// Time moved on; nothing else happened.
    Tick,
}

/// What became of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is verified and in the cache.
    Here,
    /// It cannot be had.
    Lost,
}

/// What the host must do, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Load this playlist, at most [`MAX_PLAYLIST_BYTES`]; then say `Loaded` or `Failed`.
    Load(String),
    /// Tell the client this playlist. What it answers to the id is nothing to wait for.
    Tell(WantId, Loaded),
    /// Tell the client that this segment is wanted.
    Want(WantId, Wanted),
}

/// What was wanted, and what became of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Segments wanted.
    pub wanted: u64,
    /// Of these, verified and in the cache.
    pub here: u64,
    /// Of these, given up.
    pub lost: u64,
    /// Playlists that did not come or could not be read.
    pub failed_loads: u64,
    /// Whether the newest playlist says that nothing follows.
    pub is_ended: bool,
}

/// Wants the segments of one playlist.
#[derive(Clone, Debug)]
pub struct Tuner {
    url: String,
    state: State,
    failures: u32,
    /// The highest number that was wanted.
    newest: Option<u64>,
    next_want: u64,
    open: BTreeSet<WantId>,
    stats: Stats,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Waiting(Moment),
    Loading,
}

impl Tuner {
    /// Makes a tuner that loads this playlist at its first tick.
    pub const fn new(url: String) -> Self {
        Self {
            url,
            state: State::Waiting(Moment::ZERO),
            failures: 0,
            newest: None,
            next_want: 0,
            open: BTreeSet::new(),
            stats: Stats { wanted: 0, here: 0, lost: 0, failed_loads: 0, is_ended: false },
        }
    }

    /// Applies one input and appends what the host must do to `out`.
    pub fn handle(&mut self, now: Moment, input: Input, out: &mut Vec<Output>) {
        match input {
            Input::Loaded(url, text) if self.state == State::Loading => {
                self.loaded(now, url, text, out);
            }
            Input::Failed if self.state == State::Loading => self.failed(now),
            Input::Done(id, outcome) if self.open.remove(&id) => {
                let count = match outcome {
                    Outcome::Here => &mut self.stats.here,
                    Outcome::Lost => &mut self.stats.lost,
                };
                *count = count.saturating_add(1);
            }
            Input::Loaded(..) | Input::Failed | Input::Done(..) | Input::Tick => {}
        }
        if matches!(self.state, State::Waiting(until) if until <= now) {
            self.state = State::Loading;
            out.push(Output::Load(self.url.clone()));
        }
    }

    /// Returns when [`Input::Tick`] is next needed.
    pub const fn deadline(&self) -> Option<Moment> {
        match self.state {
            State::Waiting(until) => Some(until),
            State::Loading => None,
        }
    }

    /// Returns what was wanted, and what became of it.
    pub const fn stats(&self) -> Stats {
        self.stats
    }

    fn loaded(&mut self, now: Moment, url: String, text: String, out: &mut Vec<Output>) {
        let is_short = text.len() <= MAX_PLAYLIST_BYTES;
        let read = m3u8_rs::parse_media_playlist_res(text.as_bytes()).ok();
        let playlist = read.filter(|_| is_short);
        // The client says in a stable code what is wrong with it.
        out.push(Output::Tell(self.fresh(), Loaded { url, text }));
        let Some(playlist) = playlist else { return self.failed(now) };
        self.failures = 0;
        let target = Duration::from_secs(playlist.target_duration).clamp(MIN_PAUSE, MAX_PAUSE);
        let has_news = self.want_news(&playlist, target, out);
        self.stats.is_ended = playlist.end_list;
        let pause = match (playlist.end_list, has_news) {
            (true, _) => AFTER_END,
            (false, true) => target,
            (false, false) => target / 2,
        };
        self.state = State::Waiting(now.after(pause.max(MIN_PAUSE)));
    }

    /// Wants what came since. Returns whether anything did.
    fn want_news(
        &mut self,
        playlist: &MediaPlaylist,
        target: Duration,
        out: &mut Vec<Output>,
    ) -> bool {
        let count = u64::try_from(playlist.segments.len()).unwrap_or(u64::MAX);
        let first = playlist.media_sequence;
        let end = first.saturating_add(count);
        // A cache on the way may show an older list: only one that ends well before what was wanted counts anew.
        self.newest = self.newest.filter(|newest| *newest < end.saturating_add(count));
        let next = match self.newest {
            Some(newest) => newest.saturating_add(1).max(end.saturating_sub(MAX_AT_ONCE)),
            None => end.saturating_sub(BEHIND),
        };
        let buffered_ms = millis(target);
        let news = next.max(first)..end;
        for sequence in news.clone() {
            let id = self.fresh();
            self.open.insert(id);
            self.stats.wanted = self.stats.wanted.saturating_add(1);
            out.push(Output::Want(id, Wanted { sequence, buffered_ms }));
        }
        if let Some(last) = news.clone().last() {
            self.newest = Some(last);
        }
        !news.is_empty()
    }

    fn fresh(&mut self) -> WantId {
        let id = WantId(self.next_want);
        self.next_want = self.next_want.saturating_add(1);
        id
    }

    fn failed(&mut self, now: Moment) {
        self.stats.failed_loads = self.stats.failed_loads.saturating_add(1);
        let pause = RETRY.saturating_mul(1_u32.checked_shl(self.failures).unwrap_or(u32::MAX));
        self.failures = self.failures.saturating_add(1).min(16);
        self.state = State::Waiting(now.after(pause.min(MAX_PAUSE)));
    }
}

#[cfg(test)]
mod tests;
