use super::*;
use crate::{
    codec::{Bounded, DecodeError, Text},
    crypto::{Hash, SecretKey, Signed},
    id::{ChainId, PeerId, StreamId},
};
use alloc::{vec, vec::Vec};

#[test]
fn every_message_round_trips_and_every_cut_or_extra_byte_is_refused() {
    for message in to_tracker() {
        let bytes = message.to_bytes();
        assert_eq!(ToTracker::from_bytes(&bytes), Ok(message));
        for cut in 0..bytes.len() {
            assert!(ToTracker::from_bytes(&bytes[..cut]).is_err());
        }
        assert_eq!(ToTracker::from_bytes(&longer(&bytes)), trailing());
        assert!(ToListener::from_bytes(&bytes).is_err());
    }
    for message in to_listener() {
        let bytes = message.to_bytes();
        assert_eq!(ToListener::from_bytes(&bytes), Ok(message));
        for cut in 0..bytes.len() {
            assert!(ToListener::from_bytes(&bytes[..cut]).is_err());
        }
        assert_eq!(ToListener::from_bytes(&longer(&bytes)), trailing());
        assert!(ToTracker::from_bytes(&bytes).is_err());
    }
}

#[test]
fn the_encoding_does_not_change_unnoticed() {
    let mut all: Vec<u8> = to_tracker().iter().flat_map(ToTracker::to_bytes).collect();
    all.extend(to_listener().iter().flat_map(ToListener::to_bytes));
    assert_eq!(
        Hash::of(&[&all]).to_hex(),
        "e4e9c0b35123ec640cb03c5cf16cd18a54dcd90c6883cdc4bb7ad5577ac1b401"
    );
}

#[test]
fn a_sign_in_answers_one_challenge_of_one_tracker() {
    let sign_in = SignIn::new(&key(), [1; 32], url());
    assert!(sign_in.verify([1; 32]).is_ok());
    assert!(sign_in.verify([2; 32]).is_err());
    let elsewhere = SignIn { tracker: Text::try_from("ws://b").unwrap(), ..sign_in };
    assert!(elsewhere.verify([1; 32]).is_err());
    let mine = SignIn::new(&key(), [1; 32], url());
    let other = SignIn { key: SecretKey::from_bytes(&[8; 32]).public(), ..mine };
    assert!(other.verify([1; 32]).is_err());
}

#[test]
fn a_signal_with_another_description_sender_or_receiver_does_not_verify() {
    let good = signal();
    assert!(good.verify_sender().is_ok());
    let stranger = PeerId(SecretKey::from_bytes(&[8; 32]).public());
    let sdp = Text::try_from("a=fingerprint:00").unwrap();
    for body in [
        Signal { from: stranger, ..good.body.clone() },
        Signal { to: stranger, ..good.body.clone() },
        Signal { session: 6, ..good.body.clone() },
        Signal { kind: SignalKind::Answer, ..good.body.clone() },
        Signal { sdp, ..good.body.clone() },
        Signal { stream: StreamId(Hash([1; 32])), ..good.body.clone() },
    ] {
        assert!(Signed { body, signature: good.signature }.verify_sender().is_err());
    }
}

#[test]
fn over_long_messages_and_lists_are_refused() {
    let long = vec![0; MAX_TRACKER_MESSAGE + 1];
    assert_eq!(ToTracker::from_bytes(&long), Err(FrameError::LongMessage));
    let many: Vec<([u8; 32], u64)> = vec![([1; 32], 1); MAX_CANDIDATES + 1];
    let bytes = crate::peer::frames::with_header(67, &(StreamId::default(), many));
    let refused = Err(FrameError::BadBody(DecodeError::OverLimit));
    assert_eq!(ToListener::from_bytes(&bytes), refused);
    let many: Bounded<Nearby, 9> = nearby(MAX_NEARBY + 1);
    let bytes = crate::peer::frames::with_header(7, &(StreamId::default(), many));
    let refused = Err(FrameError::BadBody(DecodeError::OverLimit));
    assert_eq!(ToTracker::from_bytes(&bytes), refused);
    let sdp = "x".repeat(MAX_SDP_BYTES);
    let body = Signal { sdp: Text::try_from(sdp.as_str()).unwrap(), ..signal().body };
    let signal = Signed::new(&key(), ChainId::default(), body);
    let forwarded = ForwardedSignal { rank: u64::MAX, signal };
    assert!(ToListener::Signal(forwarded).to_bytes().len() <= MAX_TRACKER_MESSAGE);
}

fn longer(bytes: &[u8]) -> Vec<u8> {
    let mut longer = bytes.to_vec();
    longer.push(0);
    longer[0] += 1;
    longer
}

fn trailing<T>() -> Result<T, FrameError> {
    Err(FrameError::BadBody(DecodeError::Trailing))
}

fn key() -> SecretKey {
    SecretKey::from_bytes(&[7; 32])
}

fn url() -> Text<256> {
    Text::try_from("ws://localhost:1/tracker").unwrap()
}

fn signal() -> Signed<Signal> {
    let from = PeerId(key().public());
    let to = PeerId(SecretKey::from_bytes(&[9; 32]).public());
    let sdp = Text::try_from("v=0").unwrap();
    let stream = StreamId::default();
    let body = Signal { stream, from, to, session: 5, kind: SignalKind::Offer, sdp };
    Signed::new(&key(), ChainId::default(), body)
}

fn to_tracker() -> Vec<ToTracker> {
    vec![
        ToTracker::SignIn(SignIn::new(&key(), [1; 32], url())),
        ToTracker::Join(StreamId::default()),
        ToTracker::Leave(StreamId::default()),
        ToTracker::Signal(signal()),
        ToTracker::Heartbeat,
        ToTracker::Relay(Relay {
            stream: StreamId::default(),
            to: PeerId(key().public()),
            parcel: Bounded::try_from(vec![1, 2, 3]).unwrap(),
        }),
        ToTracker::Near(Near { stream: StreamId::default(), peers: nearby(MAX_NEARBY) }),
    ]
}

fn nearby<const MAX: usize>(count: usize) -> Bounded<Nearby, MAX> {
    let nearby = Nearby { doublings: 5, peer: PeerId(key().public()) };
    Bounded::try_from(vec![nearby; count]).unwrap()
}

fn to_listener() -> Vec<ToListener> {
    let candidate = Candidate { peer: PeerId(key().public()), rank: 3 };
    let peers = Bounded::try_from(vec![candidate]).unwrap();
    vec![
        ToListener::Challenge([4; 32]),
        ToListener::Welcome(StreamId::default(), 3),
        ToListener::Candidates(Candidates { stream: StreamId::default(), crowd: 3, peers }),
        ToListener::Signal(ForwardedSignal { rank: 9, signal: signal() }),
        ToListener::Refused(TrackerRefusal::TooMuch),
        ToListener::Relayed(Relayed {
            stream: StreamId::default(),
            from: PeerId(key().public()),
            parcel: Bounded::try_from(vec![1, 2, 3]).unwrap(),
        }),
    ]
}
