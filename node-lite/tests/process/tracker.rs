use crate::host::{Process, get, refusal};
use antiphon_core::{
    codec::Text,
    crypto::{Hash, SecretKey, Signed},
    id::{ChainId, PeerId, StreamId},
    peer::tracker_wire::{SignIn, Signal, SignalKind, ToListener, ToTracker},
};
use std::net::TcpStream;
use tungstenite::{Message, WebSocket, stream::MaybeTlsStream};

const STREAM: StreamId = StreamId(Hash([1; 32]));

struct Listener(WebSocket<MaybeTlsStream<TcpStream>>);

impl Listener {
    fn dial(process: &Process) -> Self {
        Self(tungstenite::connect(process.ready["url"].as_str().unwrap()).unwrap().0)
    }

    /// Dials, signs in and joins; returns how many others it was told.
    fn enter(process: &Process, n: u8) -> (Self, usize) {
        let mut listener = Self::dial(process);
        let ToListener::Challenge(nonce) = listener.hear() else { panic!() };
        let url = Text::try_from(process.ready["url"].as_str().unwrap()).unwrap();
        listener.say(&ToTracker::SignIn(SignIn::new(&key(n), nonce, url)));
        listener.say(&ToTracker::Join(STREAM));
        let ToListener::Welcome(STREAM, _) = listener.hear() else { panic!() };
        let ToListener::Candidates(list) = listener.hear() else { panic!() };
        (listener, list.peers.len())
    }

    fn say(&mut self, message: &ToTracker) {
        self.0.send(Message::binary(message.to_bytes())).unwrap();
    }

    fn hear(&mut self) -> ToListener {
        ToListener::from_bytes(&self.0.read().unwrap().into_data()).unwrap()
    }

    fn is_closed(&mut self) -> bool {
        loop {
            match self.0.read() {
                Ok(Message::Close(_)) | Err(_) => return true,
                Ok(Message::Binary(_)) => {}
                Ok(_) => return false,
            }
        }
    }
}

#[test]
fn listeners_meet_over_real_sockets() {
    let process = Process::start(&["tracker"]);
    let (mut one, others) = Listener::enter(&process, 1);
    assert_eq!(others, 0);
    let (mut two, others) = Listener::enter(&process, 2);
    assert_eq!(others, 1);
    let offer = signal(2, 1);
    two.say(&ToTracker::Signal(offer.clone()));
    let ToListener::Signal(heard) = one.hear() else { panic!() };
    assert_eq!(heard.signal, offer);
    heard.signal.verify_sender().unwrap();
    assert_eq!(get(process.address(), "/health", "").status, 200);
}

#[test]
fn a_listener_that_breaks_the_rules_is_closed_and_the_others_stay() {
    let process = Process::start(&["tracker", "--max-per-network", "6"]);
    let (mut one, _) = Listener::enter(&process, 1);
    for rude in [
        Message::binary(vec![0; 10 * 1024 + 1]),
        Message::text("hello"),
        Message::binary(
            ToTracker::SignIn(SignIn::new(&key(3), [0; 32], text("ws://x"))).to_bytes(),
        ),
    ] {
        let mut listener = Listener::dial(&process);
        listener.0.send(rude).unwrap();
        assert!(listener.is_closed());
    }
    // A second connection with the same key takes the place of the first, and of no other.
    let (mut two, _) = Listener::enter(&process, 2);
    let (_again, _) = Listener::enter(&process, 1);
    assert!(one.is_closed());
    two.say(&ToTracker::Signal(signal(2, 1)));
    two.say(&ToTracker::Heartbeat);
    let ToListener::Candidates(list) = two.hear() else { panic!() };
    assert_eq!(list.peers.len(), 1);
    // All stay open while they listen, for each that closes makes room.
    let mut crowd: Vec<Listener> = (0..5).map(|_| Listener::dial(&process)).collect();
    let heard: Vec<ToListener> = crowd.iter_mut().map(Listener::hear).collect();
    let refused = heard.iter().filter(|heard| matches!(heard, ToListener::Refused(_))).count();
    assert_eq!(refused, 1);
    assert!(refusal(&["tracker", "--listen", process.address()]).contains("port taken"));
}

fn key(n: u8) -> SecretKey {
    SecretKey::from_bytes(&[n; 32])
}

fn text<const MAX: usize>(text: &str) -> Text<MAX> {
    Text::try_from(text).unwrap()
}

fn signal(from: u8, to: u8) -> Signed<Signal> {
    let (from_key, kind) = (key(from), SignalKind::Offer);
    let (from, to) = (PeerId(from_key.public()), PeerId(key(to).public()));
    let body = Signal { stream: STREAM, from, to, session: 1, kind, sdp: text("v=0") };
    Signed::new(&from_key, ChainId::default(), body)
}
