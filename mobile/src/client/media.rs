//! Verified audio for a player of the application, as hls.js has it in a page.

use super::{Antiphon, waiting::Waiting};
use crate::{
    error::AntiphonError,
    secretary::{Ask, Request},
};
use antiphon_core::client::{Part, Wanted};
use std::sync::Arc;

#[uniffi::export]
impl Antiphon {
    /// Returns what the application's player asks about the stream that is listened to. Cancel it with the player.
    pub fn media(&self) -> Arc<Media> {
        Arc::new(Media(Waiting::new(self.session.clone())))
    }
}

/// What a player asks: it reads the playlist itself, with its durations, and has segments brought, and maps judged.
#[derive(Debug, uniffi::Object)]
pub struct Media(Waiting);

#[uniffi::export]
impl Media {
    /// Waits for the segment of this media sequence number, checked against its signed record; returns none once this is cancelled.
    /// `buffered_ms` is how long the player can go on without it: peers are asked while there is time, then the origin.
    ///
    /// # Errors
    /// `fetch/…`: nobody can bring it. The player may ask again, or load it from the origin and have it judged; of more than sixteen
    /// at once `fetch/too-many`. `client/suspended`, `client/closed`.
    pub async fn segment(
        &self,
        sequence: u64,
        buffered_ms: u64,
    ) -> Result<Option<Vec<u8>>, AntiphonError> {
        let ask = Ask::Segment(Wanted { sequence, buffered_ms });
        self.0.ask(|reply| Request::Play(ask, reply)).await
    }

    /// Judges what the player has loaded by itself: the segment of this media sequence number, or without one a map
    /// (`EXT-X-MAP`). Returns the same bytes if the publisher signed them; none once this is cancelled.
    ///
    /// # Errors
    /// `Refused`: the publisher did not sign these bytes, which must not be played. `Unavailable`: nobody can tell.
    pub async fn check(
        &self,
        sequence: Option<u64>,
        bytes: Vec<u8>,
    ) -> Result<Option<Vec<u8>>, AntiphonError> {
        let ask = Ask::Check(sequence.map_or(Part::Map, Part::Segment), bytes);
        self.0.ask(|reply| Request::Play(ask, reply)).await
    }

    /// Ends it: whoever waits gets none.
    pub fn cancel(&self) {
        self.0.cancel();
    }
}

#[cfg(test)]
mod tests;
