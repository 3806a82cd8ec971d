//! The end of a stream: its playlists say that nothing follows (`EXT-X-ENDLIST`, RFC 8216 §4.3.3.4).
//!
//! ```text
//! end() --Store--> host --Stored--> every playlist ends --Show--> host
//!         a segment comes all the same --Store--> the stream goes on, without the line
//! ```
//!
//! The end is stored before it is said, so that a publisher that starts again says it, too. A source that begins anew opens
//! the stream again; who has heard the end by then has stopped looking and hears of it when the page is opened again.

use super::{Output, Publisher};

impl Publisher {
    /// Ends the stream. Does nothing if it has ended, or if no segment was ever given to it.
    pub fn end(&mut self, out: &mut Vec<Output>) {
        let is_empty = self.renditions.iter().all(|rendition| rendition.entries.is_empty());
        if self.is_ended || is_empty {
            return;
        }
        self.is_ended = true;
        let token = self.token();
        self.ending = Some(token);
        out.push(Output::Store(token, self.memory()));
    }

    /// Returns whether the source said that nothing follows.
    pub const fn is_ended(&self) -> bool {
        self.is_ended
    }

    /// Returns whether the playlists say the end: it is on disk.
    pub(super) const fn says_end(&self) -> bool {
        self.is_ended && self.ending.is_none()
    }

    /// Takes the end back: something follows.
    pub(super) const fn go_on(&mut self) {
        self.is_ended = false;
        self.ending = None;
    }

    /// Says the end if it is on disk with this token.
    pub(super) fn end_stored(&mut self, token: u64, out: &mut Vec<Output>) {
        if self.ending.is_some_and(|ending| ending <= token) {
            self.ending = None;
            self.show(|_| true, out);
        }
    }
}
