//! Data channels to peers, whatever carries them.
//!
//! The client names every link and decides about it; what is behind this trait moves bytes. `rtc` does so with the
//! `webrtc` crate, another stack would be another file here.

#[cfg(feature = "rtc")]
mod rtc;

#[cfg(feature = "rtc")]
pub use rtc::{RtcLinks, RtcOptions};
#[cfg(feature = "rtc")]
pub use webrtc::peer_connection::RTCIceServer;

use antiphon_core::peer::LinkId;

/// What happened on a link. After [`Links::close`] nothing is told of it any more that matters: names are used once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkEvent {
    /// Its description is there, with the candidates that were found soon.
    Described(LinkId, String),
    /// Its channel is open.
    Opened(LinkId),
    /// A message came.
    Message(LinkId, Vec<u8>),
    /// Nothing waits to be sent any more.
    Drained(LinkId),
    /// It is gone, or could not be made.
    Closed(LinkId),
}

/// Makes and keeps peer connections with one data channel each.
pub trait Links {
    /// Makes a connection and describes it: an offer without, an answer with a remote offer.
    fn create(&mut self, link: LinkId, offer: Option<String>);
    /// Gives the remote answer to a link that was offered.
    fn accept(&mut self, link: LinkId, answer: String);
    /// Gives a link candidates that the peer has found since, as lines of a description.
    fn add(&mut self, link: LinkId, lines: String);
    /// Sends a message, or loses the link.
    fn send(&mut self, link: LinkId, message: Vec<u8>);
    /// Sends what waits, for a moment, then closes.
    fn close(&mut self, link: LinkId);
}
