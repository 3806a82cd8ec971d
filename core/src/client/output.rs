//! What the host must do, in order.

pub use crate::chain::lookup::{Found, LookupId, Question};
pub use crate::wallet::book::{AskId, Query};

pub use crate::payment::member::{Threat, Warning};

use crate::{chain::lookup::Proven, id::FieldId, payment::field::FieldShown, peer::LinkId};
use alloc::{boxed::Box, string::String, vec::Vec};

/// Names an HTTP request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RequestId(pub u64);

/// Names a durable write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StoreToken(pub u64);

/// Names a segment or map that the player wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct WantId(pub u64);

/// What the host must do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Fetch over HTTP.
    Http(RequestId, HttpOrder),
    /// Abort an HTTP request; no answer is expected any more.
    CancelHttp(RequestId),
    /// Ask the node.
    Ask(AskId, Query),
    /// Open the socket to the tracker at this URL.
    ConnectTracker(String),
    /// Send to the tracker.
    TrackerSend(Vec<u8>),
    /// Close the socket to the tracker.
    CloseTracker,
    /// Make a peer connection with a data channel and describe it: an offer without, an answer with a remote
    /// description.
    CreateLink(LinkId, Option<String>),
    /// Give the remote answer to a link that was offered.
    AcceptAnswer(LinkId, String),
    /// Give a link candidates that the peer has found since, as lines of a description. Unverified.
    AddCandidates(LinkId, String),
    /// Close the peer connection.
    CloseLink(LinkId),
    /// Send on the link's data channel.
    Send(LinkId, Vec<u8>),
    /// Write durably under this name, or remove it; then say `Stored`.
    Store(StoreToken, String, Option<Vec<u8>>),
    /// Hand a verified segment or map to the player.
    Deliver(WantId, Vec<u8>),
    /// What the player loaded is not what the publisher signed; it must not be played. The code says why.
    Refuse(WantId, &'static str),
    /// The client cannot bring or judge it; the player may ask again or play it unverified. The code says why.
    Fail(WantId, &'static str),
    /// Answer a look-up: everything in it is proven.
    Found(LookupId, Box<Found>),
    /// What a file shows, under a header of this chain that is believed.
    Shown(LookupId, Box<Exhibit>),
    /// A look-up has no answer, or a file shows nothing; the code says why.
    Lost(LookupId, &'static str),
    /// Tell the application.
    Notify(Notice),
}

/// A file about a payment that is true on this chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exhibit {
    /// The block that closed the field, and how far it is believed.
    pub proven: Proven,
    /// What is shown.
    pub shown: FieldShown,
    /// The file.
    pub file: Vec<u8>,
}

/// An HTTP request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpOrder {
    /// The URL; relative to `base` if there is one.
    pub url: String,
    /// Absolute URL that `url` is resolved against (RFC 3986 §5), as a playlist's segments are.
    pub base: Option<String>,
    /// First byte and the byte after the last, or `None` for the whole.
    pub range: Option<(u64, u64)>,
    /// Longest body the host may hand in; longer is `HttpFailed`.
    pub max_bytes: u64,
    /// Whether the URL's content never changes, so that any cache may answer.
    pub is_immutable: bool,
}

/// Something the application may want to show at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// Something went wrong or was refused; stable code.
    Trouble(&'static str),
    /// What went wrong is well again.
    Recovered(&'static str),
    /// A peer was banned for this reason.
    Banned(&'static str),
    /// A deadline of the chain is near for a field; something is being done about it: stay online.
    Warning(FieldId, Warning),
    /// The snapshot changed.
    Changed,
}
