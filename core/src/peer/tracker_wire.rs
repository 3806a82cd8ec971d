//! What listeners and the tracker say to each other over a WebSocket, one frame in one binary message.
//!
//! ```text
//! tracker                          listener
//!   Challenge{nonce}  ------------->
//!                     <-------------  SignIn: key, signature over (nonce, tracker's URL)
//!                     <-------------  Join{stream}
//!   Welcome{rank}, Candidates ------>
//!                     <-------------  Signal (offer, signed by its sender)
//!   Signal (to the other, with the sender's rank) ---> ... answer the same way back
//!   Candidates        <------------>  Heartbeat, every 20 s
//!   Relayed (to the other)  <-------  Relay, where no channel could be opened
//!                     <-------------  Near: which neighbours are near, once a minute at most
//! ```
//!
//! Header as in [`super::frames`]. The *rank* is the tracker's count of joins, so it cannot be chosen; a lower one
//! is an elder. The younger of two dials. Source: FIELD-NOTES recommendation 6, c.13, c.19: ids there are free to
//! choose and to evict; here an id is a key, and every offer and answer is signed with it.

mod to_listener;
mod to_tracker;

pub use to_listener::{
    Candidate, Candidates, ForwardedSignal, Relayed, ToListener, TrackerRefusal,
};
pub use to_tracker::{Near, Nearby, Relay, SignIn, SignInBody, Signal, SignalKind, ToTracker};

use super::frames::{FrameError, LENGTH_BYTES, MAX_PARCEL, kind_and_body};

/// Longest message either way: a parcel that is relayed, whom it concerns, and the header.
pub const MAX_TRACKER_MESSAGE: usize = MAX_PARCEL + 128;

/// Longest session description. A data channel's, with some dozen candidates, has 1–3 kB.
pub const MAX_SDP_BYTES: usize = 8192;

/// Peers that one message names.
pub const MAX_CANDIDATES: usize = 32;

/// Neighbours that a listener says are near. Chosen here: half of what a page is linked to.
pub const MAX_NEARBY: usize = 8;

/// Takes the header off a message that must be exactly one frame.
fn open(message: &[u8]) -> Result<(u8, &[u8]), FrameError> {
    if message.len() > MAX_TRACKER_MESSAGE {
        return Err(FrameError::LongMessage);
    }
    let (length, frame) =
        message.split_first_chunk::<LENGTH_BYTES>().ok_or(FrameError::BadLength(0))?;
    let length = u32::from_le_bytes(*length);
    if usize::try_from(length) != Ok(frame.len()) {
        return Err(FrameError::BadLength(length));
    }
    kind_and_body(frame, MAX_TRACKER_MESSAGE)
}

#[cfg(test)]
mod tests;
