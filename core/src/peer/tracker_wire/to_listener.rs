//! From the tracker to a listener.

use super::{MAX_CANDIDATES, MAX_TRACKER_MESSAGE, Signal, open};
use crate::{
    codec::{self, Bounded},
    crypto::Signed,
    id::{PeerId, StreamId},
    peer::frames::{FrameError, Parcel, with_header},
};
use alloc::vec::Vec;
use borsh::{BorshDeserialize, BorshSerialize};

/// One thing that the tracker says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToListener {
    /// Sign this, for me.
    Challenge([u8; 32]),
    /// You joined the stream, as the one of this rank.
    Welcome(StreamId, u64),
    /// Some who listen to the same, with their ranks as they are now.
    Candidates(Candidates),
    /// An offer or answer from another listener.
    Signal(ForwardedSignal),
    /// What you asked for is not given.
    Refused(TrackerRefusal),
    /// From another listener, with whom there is no channel.
    Relayed(Relayed),
}

impl ToListener {
    /// Returns the message.
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Challenge(body) => with_header(65, body),
            Self::Welcome(stream, rank) => with_header(66, &(*stream, *rank)),
            Self::Candidates(body) => with_header(67, body),
            Self::Signal(body) => with_header(68, body),
            Self::Refused(body) => with_header(69, body),
            Self::Relayed(body) => with_header(70, body),
        }
    }

    /// Reads a message.
    ///
    /// # Errors
    /// [`FrameError`], one variant a cause.
    pub fn from_bytes(message: &[u8]) -> Result<Self, FrameError> {
        let (kind, body) = open(message)?;
        Ok(match kind {
            65 => Self::Challenge(codec::decode(body, MAX_TRACKER_MESSAGE)?),
            66 => {
                let (stream, rank) = codec::decode(body, MAX_TRACKER_MESSAGE)?;
                Self::Welcome(stream, rank)
            }
            67 => Self::Candidates(codec::decode(body, MAX_TRACKER_MESSAGE)?),
            68 => Self::Signal(codec::decode(body, MAX_TRACKER_MESSAGE)?),
            69 => Self::Refused(codec::decode(body, MAX_TRACKER_MESSAGE)?),
            70 => Self::Relayed(codec::decode(body, MAX_TRACKER_MESSAGE)?),
            other => return Err(FrameError::UnknownKind(other)),
        })
    }
}

/// A listener that one may meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Candidate {
    /// Its key.
    pub peer: PeerId,
    /// Its place in the order of joins.
    pub rank: u64,
}

/// Some listeners of a stream, never all of a large one: nobody can list a swarm.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Candidates {
    /// What they listen to.
    pub stream: StreamId,
    /// How many listen to it, these and the asker among them.
    pub crowd: u32,
    /// Who they are.
    pub peers: Bounded<Candidate, MAX_CANDIDATES>,
}

/// A signal as the tracker hands it on.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct ForwardedSignal {
    /// The sender's rank.
    pub rank: u64,
    /// What the sender signed, untouched.
    pub signal: Signed<Signal>,
}

/// What another listener asked the tracker to hand on.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Relayed {
    /// What both have joined.
    pub stream: StreamId,
    /// Who signed in on the connection that it came by.
    pub from: PeerId,
    /// What was handed on, untouched.
    pub parcel: Parcel,
}

/// Why the tracker does not do what was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum TrackerRefusal {
    /// Sign in first.
    NotSignedIn,
    /// The signature, its URL or the key is wrong.
    BadSignIn,
    /// Join first.
    NotJoined,
    /// The receiver is not there.
    NoSuchPeer,
    /// The message does not decode, or its sender is not who signed in.
    BadMessage,
    /// Too much, too fast, or the tracker is full.
    TooMuch,
    /// The publisher of the stream asks for a token, and there is none that is good.
    NoToken,
}

impl TrackerRefusal {
    /// Returns the stable code of this reason.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotSignedIn => "tracker/not-signed-in",
            Self::BadSignIn => "tracker/bad-sign-in",
            Self::NotJoined => "tracker/not-joined",
            Self::NoSuchPeer => "tracker/no-such-peer",
            Self::BadMessage => "tracker/bad-message",
            Self::TooMuch => "tracker/too-much",
            Self::NoToken => "tracker/no-token",
        }
    }
}
