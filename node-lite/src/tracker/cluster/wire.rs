//! What trackers of one cluster say to each other.
//!
//! ```text
//! to all   News: from | seq | alive, or here, or gone        seq counts what each has said to be here or gone
//! to one   Ask: tell me all that you have                    after a gap in seq, and at first
//!          State: seq | part of parts | members
//!          Deliver: what one of your members is to hear
//! ```

use crate::tracker::place::{Place, Prefix};
use antiphon_core::{
    codec::{self, Bounded, DecodeError},
    id::{PeerId, StreamId},
    peer::tracker_wire::MAX_TRACKER_MESSAGE,
};
use borsh::{BorshDeserialize, BorshSerialize};

/// Members in one part of a state.
pub(super) const MAX_PART: usize = 256;
/// Longest message: the longest for a listener, and whom it concerns; a part of a state is not much longer.
pub const MAX_SHARED: usize = 32 * 1024;

/// One tracker of a cluster, for as long as its process lives. Chosen by itself at random.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub struct TrackerId(pub u64);

/// One message.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(super) enum Message {
    News(News),
    Ask(TrackerId),
    State(Part),
    Deliver(Delivery),
}

/// What has changed at one tracker.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(super) struct News {
    pub(super) from: TrackerId,
    /// Changes up to this one.
    pub(super) seq: u64,
    pub(super) change: Change,
}

#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(super) enum Change {
    /// None.
    Alive,
    Here(Entry),
    Gone(StreamId, PeerId),
}

/// One member, without its address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(super) struct Entry {
    pub(super) stream: StreamId,
    pub(super) peer: PeerId,
    pub(super) rank: u64,
    pub(super) since: u64,
    pub(super) prefix: Prefix,
    pub(super) place: Place,
}

/// Some of the members of one tracker.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(super) struct Part {
    pub(super) from: TrackerId,
    pub(super) seq: u64,
    /// Which part this is; the last is the one below `parts`.
    pub(super) part: u32,
    pub(super) parts: u32,
    pub(super) members: Bounded<Entry, MAX_PART>,
}

/// A message for a listener.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(super) struct Delivery {
    /// What both ends have joined.
    pub(super) stream: StreamId,
    pub(super) to: PeerId,
    pub(super) message: Bounded<u8, MAX_TRACKER_MESSAGE>,
}

impl Message {
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        codec::encode(self)
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        codec::decode(bytes, MAX_SHARED)
    }
}
