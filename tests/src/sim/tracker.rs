//! A tracker: challenges, counts joins, names candidates, hands signals on.

use super::dice::Dice;
use antiphon_core::{
    codec::Bounded,
    id::{PeerId, StreamId},
    peer::tracker_wire::{
        Candidate, Candidates, ForwardedSignal, Near, Relay, Relayed, ToListener, ToTracker,
        TrackerRefusal,
    },
};
use std::collections::BTreeMap;

/// One listener's socket.
#[derive(Debug)]
struct Socket {
    nonce: [u8; 32],
    peer: Option<PeerId>,
    joined: Option<(StreamId, u64)>,
}

/// The tracker, while it lives.
#[derive(Debug, Default)]
pub struct Tracker {
    sockets: BTreeMap<u64, Socket>,
    joins: u64,
    /// What each listener said last of how near its neighbours are.
    pub near: BTreeMap<PeerId, Near>,
}

/// Messages to sockets.
type Said = Vec<(u64, ToListener)>;

impl Tracker {
    /// A socket opened.
    pub fn opened(&mut self, socket: u64, dice: &mut Dice) -> Said {
        let nonce = dice.bytes();
        self.sockets.insert(socket, Socket { nonce, peer: None, joined: None });
        vec![(socket, ToListener::Challenge(nonce))]
    }

    /// A socket closed.
    pub fn closed(&mut self, socket: u64) {
        self.sockets.remove(&socket);
    }

    /// Returns every open socket.
    pub fn sockets(&self) -> Vec<u64> {
        self.sockets.keys().copied().collect()
    }

    /// A socket said something.
    pub fn heard(&mut self, socket: u64, bytes: &[u8]) -> Said {
        let Some(place) = self.sockets.get_mut(&socket) else { return Vec::new() };
        match ToTracker::from_bytes(bytes).unwrap() {
            ToTracker::SignIn(sign_in) => {
                if sign_in.verify(place.nonce).is_err() {
                    return vec![(socket, ToListener::Refused(TrackerRefusal::BadSignIn))];
                }
                place.peer = Some(PeerId(sign_in.key));
                Vec::new()
            }
            ToTracker::Join(stream) => {
                self.joins += 1;
                place.joined = Some((stream, self.joins));
                let welcome = ToListener::Welcome(stream, self.joins);
                vec![(socket, welcome), (socket, self.candidates(socket, stream))]
            }
            ToTracker::Leave(_) => {
                place.joined = None;
                Vec::new()
            }
            ToTracker::Signal(signal) => {
                let Some((_, rank)) = place.joined else { return Vec::new() };
                let to = signal.body.to;
                let found = self.sockets.iter().find(|(_, other)| other.peer == Some(to));
                let forwarded = ForwardedSignal { rank, signal };
                match found {
                    Some((to, _)) => vec![(*to, ToListener::Signal(forwarded))],
                    None => vec![(socket, ToListener::Refused(TrackerRefusal::NoSuchPeer))],
                }
            }
            ToTracker::Relay(Relay { stream, to, parcel }) => {
                let from = place.peer;
                let found = self.sockets.iter().find(|(_, other)| other.peer == Some(to));
                match (found, from) {
                    (Some((to, _)), Some(from)) => {
                        vec![(*to, ToListener::Relayed(Relayed { stream, from, parcel }))]
                    }
                    _ => vec![(socket, ToListener::Refused(TrackerRefusal::NoSuchPeer))],
                }
            }
            // This one names everybody.
            ToTracker::Near(near) => {
                self.near.extend(place.peer.map(|peer| (peer, near)));
                Vec::new()
            }
            ToTracker::Heartbeat => match place.joined {
                Some((stream, _)) => vec![(socket, self.candidates(socket, stream))],
                None => Vec::new(),
            },
        }
    }

    fn candidates(&self, asking: u64, stream: StreamId) -> ToListener {
        let others = self.sockets.iter().filter(|(socket, _)| **socket != asking);
        let joined = others.filter_map(|(_, other)| {
            let (_, rank) = other.joined.filter(|(joined, _)| *joined == stream)?;
            Some(Candidate { peer: other.peer?, rank })
        });
        let joined: Vec<Candidate> = joined.collect();
        let crowd = u32::try_from(joined.len()).unwrap_or(u32::MAX).saturating_add(1);
        let peers = Bounded::try_from(joined.into_iter().take(16).collect::<Vec<_>>()).unwrap();
        ToListener::Candidates(Candidates { stream, crowd, peers })
    }
}
