//! From a listener to the tracker.

use super::{MAX_NEARBY, MAX_SDP_BYTES, MAX_TRACKER_MESSAGE, open};
use crate::{
    codec::{self, Bounded, Text},
    crypto::{PublicKey, SecretKey, Signature, SignatureError, Signed, Tagged},
    id::{ChainId, PeerId, StreamId},
    peer::frames::{FrameError, Parcel, with_header},
};
use alloc::vec::Vec;
use borsh::{BorshDeserialize, BorshSerialize};

/// One thing that a listener says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToTracker {
    /// Answers the challenge.
    SignIn(SignIn),
    /// Wants to meet the listeners of a stream.
    Join(StreamId),
    /// Does not any more.
    Leave(StreamId),
    /// An offer or answer for another listener.
    Signal(Signed<Signal>),
    /// Is still there; the tracker answers with candidates.
    Heartbeat,
    /// For another listener, where no channel could be opened.
    Relay(Relay),
    /// Which of its neighbours are near.
    Near(Near),
}

/// The nearest neighbours of a listener, by what it measured: the shortest time of a question and its answer.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Near {
    /// The stream that all of them listen to.
    pub stream: StreamId,
    /// They, the nearest first; what was said before holds no more.
    pub peers: Bounded<Nearby, MAX_NEARBY>,
}

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub struct Nearby {
    /// How often a millisecond must be doubled to be as long as the time.
    pub doublings: u8,
    /// Who it is.
    pub peer: PeerId,
}

/// What the tracker is asked to hand on. It is signed inside by whom it concerns; the tracker says whose connection it came by.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Relay {
    /// The stream or room that both have joined.
    pub stream: StreamId,
    /// For whom.
    pub to: PeerId,
    /// What is handed on.
    pub parcel: Parcel,
}

impl ToTracker {
    /// Returns the message.
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::SignIn(body) => with_header(1, body),
            Self::Join(body) => with_header(2, body),
            Self::Leave(body) => with_header(3, body),
            Self::Signal(body) => with_header(4, body),
            Self::Heartbeat => with_header(5, &()),
            Self::Relay(body) => with_header(6, body),
            Self::Near(body) => with_header(7, body),
        }
    }

    /// Reads a message.
    ///
    /// # Errors
    /// [`FrameError`], one variant a cause.
    pub fn from_bytes(message: &[u8]) -> Result<Self, FrameError> {
        let (kind, body) = open(message)?;
        Ok(match kind {
            1 => Self::SignIn(codec::decode(body, MAX_TRACKER_MESSAGE)?),
            2 => Self::Join(codec::decode(body, MAX_TRACKER_MESSAGE)?),
            3 => Self::Leave(codec::decode(body, MAX_TRACKER_MESSAGE)?),
            4 => Self::Signal(codec::decode(body, MAX_TRACKER_MESSAGE)?),
            5 => {
                let () = codec::decode(body, MAX_TRACKER_MESSAGE)?;
                Self::Heartbeat
            }
            6 => Self::Relay(codec::decode(body, MAX_TRACKER_MESSAGE)?),
            7 => Self::Near(codec::decode(body, MAX_TRACKER_MESSAGE)?),
            other => return Err(FrameError::UnknownKind(other)),
        })
    }
}

/// What a sign-in signs: the tracker's nonce, for this tracker only.
///
/// Signed on the zero chain, for a tracker serves streams of any.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct SignInBody {
    /// From the challenge.
    pub nonce: [u8; 32],
    /// The URL that the listener dialled, so that no tracker can sign in at another with it.
    pub tracker: Text<256>,
}

impl Tagged for SignInBody {
    const TAG: &'static str = "tracker/v1/sign-in";
}

/// Proves that the listener holds its key.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct SignIn {
    /// The listener's key.
    pub key: PublicKey,
    /// The URL that it dialled.
    pub tracker: Text<256>,
    /// Over [`SignInBody`].
    pub signature: Signature,
}

impl SignIn {
    /// Answers the challenge `nonce` of the tracker at the URL that was dialled.
    pub fn new(key: &SecretKey, nonce: [u8; 32], tracker: Text<256>) -> Self {
        let body = SignInBody { nonce, tracker };
        let signature = key.sign(ChainId::default(), &body);
        Self { key: key.public(), tracker: body.tracker, signature }
    }

    /// Checks the answer to the challenge `nonce`. The tracker also compares [`Self::tracker`] with its own URLs.
    ///
    /// # Errors
    /// [`SignatureError`].
    pub fn verify(&self, nonce: [u8; 32]) -> Result<(), SignatureError> {
        let body = SignInBody { nonce, tracker: self.tracker.clone() };
        self.key.verify(&body.digest(ChainId::default()).0, &self.signature)
    }
}

/// Whether a description opens, answers, or adds to one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum SignalKind {
    /// Opens a session.
    Offer,
    /// Answers an offer.
    Answer,
    /// Candidates that were found after the description went, as lines of it (RFC 8838: half trickle).
    Candidates,
}

/// A description of one end of a data channel, for one peer. Signed on the zero chain: the stream's id binds its own.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Signal {
    /// The stream that both listen to.
    pub stream: StreamId,
    /// Who signs.
    pub from: PeerId,
    /// For whom.
    pub to: PeerId,
    /// Chosen by the offerer at random; the answer repeats it.
    pub session: u64,
    /// Offer or answer.
    pub kind: SignalKind,
    /// The description with all its candidates. Its fingerprint names the sender's DTLS certificate. An empty answer says that
    /// the sender has no room for a link.
    pub sdp: Text<MAX_SDP_BYTES>,
}

impl Tagged for Signal {
    const TAG: &'static str = "tracker/v1/signal";
}

impl Signed<Signal> {
    /// Checks that the one who claims to send it signed it.
    ///
    /// # Errors
    /// [`SignatureError`].
    pub fn verify_sender(&self) -> Result<(), SignatureError> {
        self.verify(ChainId::default(), &self.body.from.0)
    }
}
