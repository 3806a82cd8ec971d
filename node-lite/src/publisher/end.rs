//! The end of a stream: its playlists say that nothing follows (`EXT-X-ENDLIST`, RFC 8216 §4.3.3.4).
//!
//! ```text
//! Open --await_end()--> Awaited     the source has said it, and not all that it lists has come; kept over a restart
//!   '-----end()-----------'--Store--> host --Stored--> every playlist ends --Show--> host
//! Said --a segment comes all the same--> Open     Awaited --go_on()--> Open
//! ```
//!
//! The end is stored before it is said, so that a publisher that starts again says it, too. A source that begins anew opens
//! the stream again; who has heard the end by then has stopped looking and hears of it when the page is opened again.
//!
//! An end that is awaited is stored, too: what an encoder pushes is not, and one that has said its end does not come back to
//! say it again.

use super::{Output, Publisher};
use borsh::{BorshDeserialize, BorshSerialize};
use std::time::Duration;

/// How near the end is. On disk the first two are what was a truth value before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum End {
    /// The source goes on.
    #[default]
    Open,
    /// The source said that nothing follows, and all came that will come.
    Said,
    /// The source said that nothing follows what it lists; some of that is waited for.
    Awaited,
}

impl Publisher {
    /// Ends the stream. Does nothing if it has ended, or if no segment was ever given to it.
    pub fn end(&mut self, out: &mut Vec<Output>) {
        if self.end == End::Said || self.is_empty() {
            return;
        }
        self.end = End::Said;
        let token = self.token();
        self.ending = Some(token);
        out.push(Output::Store(token, self.memory()));
    }

    /// Keeps in mind that the source has said its end. Does nothing if that is known, or if no segment was ever given to it.
    pub fn await_end(&mut self, out: &mut Vec<Output>) {
        if self.end != End::Open || self.is_empty() {
            return;
        }
        self.end = End::Awaited;
        let token = self.token();
        out.push(Output::Store(token, self.memory()));
    }

    /// Forgets an end that is awaited: the source goes on. The next segment stores it; should there be none, the end is said
    /// after a restart, and taken back by the segment that comes then.
    pub const fn go_on(&mut self) {
        if matches!(self.end, End::Awaited) {
            self.end = End::Open;
        }
    }

    /// Returns whether the source said that nothing follows, and all has come.
    pub const fn is_ended(&self) -> bool {
        matches!(self.end, End::Said)
    }

    /// Returns how long a segment lasts at most, if the source has said its end and not all has come.
    pub fn awaits_end(&self) -> Option<Duration> {
        let target = Duration::from_millis(self.terms.info.target_ms.into());
        (self.end == End::Awaited).then_some(target)
    }

    /// Returns whether the playlists say the end: it is on disk.
    pub(super) const fn says_end(&self) -> bool {
        self.is_ended() && self.ending.is_none()
    }

    /// Takes an end back that was said: something follows. One that is awaited stays: this is what it waits for.
    pub(super) const fn take_back(&mut self) {
        if self.is_ended() {
            self.end = End::Open;
            self.ending = None;
        }
    }

    /// Says the end if it is on disk with this token.
    pub(super) fn end_stored(&mut self, token: u64, out: &mut Vec<Output>) {
        if self.ending.is_some_and(|ending| ending <= token) {
            self.ending = None;
            self.show(|_| true, out);
        }
    }

    fn is_empty(&self) -> bool {
        self.renditions.iter().all(|rendition| rendition.entries.is_empty())
    }
}
