use crate::host::{Process, get, output, refusal};
use antiphon_core::{
    codec::Text,
    crypto::{Hash, SecretKey, Signed},
    delivery::record::stream_id,
    id::{ChainId, PeerId, StreamId},
    peer::tracker_wire::{SignIn, Signal, SignalKind, ToListener, ToTracker, TrackerRefusal},
};
use std::net::TcpStream;
use tungstenite::{Message, WebSocket, client::IntoClientRequest as _, stream::MaybeTlsStream};

pub(crate) const STREAM: StreamId = StreamId(Hash([1; 32]));

pub(crate) struct Listener(WebSocket<MaybeTlsStream<TcpStream>>);

impl Listener {
    fn dial(process: &Process) -> Self {
        Self(tungstenite::connect(process.ready["url"].as_str().unwrap()).unwrap().0)
    }

    /// Dials with a header of its own.
    fn dial_with(process: &Process, name: &'static str, value: &str) -> Self {
        let mut request = process.ready["url"].as_str().unwrap().into_client_request().unwrap();
        request.headers_mut().insert(name, value.parse().unwrap());
        Self(tungstenite::connect(request).unwrap().0)
    }

    /// Signs in and asks to join; what is said to that is still to be heard.
    fn join(&mut self, process: &Process, n: u8, stream: StreamId) {
        let ToListener::Challenge(nonce) = self.hear() else { panic!() };
        let url = Text::try_from(process.ready["url"].as_str().unwrap()).unwrap();
        self.say(&ToTracker::SignIn(SignIn::new(&key(n), nonce, url)));
        self.say(&ToTracker::Join(stream));
    }

    /// Dials, signs in and joins; returns how many others it was told.
    pub(crate) fn enter(process: &Process, n: u8) -> (Self, usize) {
        let mut listener = Self::dial(process);
        listener.join(process, n, STREAM);
        let ToListener::Welcome(STREAM, _) = listener.hear() else { panic!() };
        let ToListener::Candidates(list) = listener.hear() else { panic!() };
        (listener, list.peers.len())
    }

    pub(crate) fn say(&mut self, message: &ToTracker) {
        self.0.send(Message::binary(message.to_bytes())).unwrap();
    }

    pub(crate) fn hear(&mut self) -> ToListener {
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

#[test]
fn a_publisher_prints_tokens_and_its_listeners_get_in_with_them() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("publisher.key"), [9; 32]).unwrap();
    let chain = ChainId(Hash([7; 32]));
    let stream = stream_id(chain, key(9).public(), &text("live"));
    let process = Process::start(&["tracker", "--require-token"]);
    let (data, chain, one) =
        (folder.path().to_str().unwrap(), chain.0.to_hex(), key(1).public().to_string());
    let mint = |more: &[&str]| {
        let all = [&["token", "--data", data, "--chain", &chain], more].concat();
        format!("antiphon-token.{}", output(&all).trim())
    };
    let heard = |token: &str, n: u8| {
        let mut listener = Listener::dial_with(&process, "sec-websocket-protocol", token);
        listener.join(&process, n, stream);
        (listener.hear(), listener)
    };
    let (welcome, _one) = heard(&mint(&["--listener", &one, "--for", "1h"]), 1);
    assert_eq!(welcome, ToListener::Welcome(stream, 1));
    let (welcome, mut two) = heard(&mint(&[]), 2);
    assert_eq!(welcome, ToListener::Welcome(stream, 2));
    let ToListener::Candidates(list) = two.hear() else { panic!() };
    assert_eq!(list.peers.len(), 1);
    let refused = ToListener::Refused(TrackerRefusal::NoToken);
    assert_eq!(heard(&mint(&["--listener", &one]), 3).0, refused);
    assert_eq!(heard(&mint(&["--name", "other"]), 3).0, refused);
    assert_eq!(heard("antiphon-token.AAAA", 3).0, refused);
    let mut bare = Listener::dial(&process);
    bare.join(&process, 3, stream);
    assert_eq!(bare.hear(), refused);
    assert!(refusal(&["token", "--data", "/nowhere", "--chain", &chain]).contains("publisher.key"));
}

#[test]
fn after_a_rotation_the_heirs_tokens_open_the_stream_that_the_first_key_named() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("publisher.key"), [9; 32]).unwrap();
    let chain = ChainId(Hash([7; 32]));
    let stream = stream_id(chain, key(9).public(), &text("live"));
    let (data, chain) = (folder.path().to_str().unwrap(), chain.0.to_hex());
    let mint = || {
        let text = output(&["token", "--data", data, "--chain", &chain]);
        format!("antiphon-token.{}", text.trim())
    };
    let rotate = |more: &[&str]| -> serde_json::Value {
        let all = [&["rotate", "--data", data], more].concat();
        serde_json::from_str(&output(&all)).unwrap()
    };
    let heard = |process: &Process, token: &str, n: u8| {
        let mut listener = Listener::dial_with(process, "sec-websocket-protocol", token);
        listener.join(process, n, stream);
        (listener.hear(), listener)
    };
    let old = mint();
    let said = rotate(&[]);
    assert_eq!(rotate(&["--show"]), said, "which changes nothing");
    let new = mint();
    let told = said["succession"].as_str().unwrap();
    let (learns, is_told) = (
        Process::start(&["tracker", "--require-token"]),
        Process::start(&[
            "tracker",
            "--require-token",
            "--heirs",
            told,
            "--metrics",
            "127.0.0.1:0",
        ]),
    );
    let refused = ToListener::Refused(TrackerRefusal::NoToken);
    let mut kept = Vec::new();
    for (n, (process, token, is_in)) in (1..).zip([
        (&learns, &new, true),
        (&learns, &old, true),
        (&is_told, &old, false),
        (&is_told, &new, true),
    ]) {
        let (answer, listener) = heard(process, token, n);
        assert_eq!(matches!(answer, ToListener::Welcome(..)), is_in, "{n}: {answer:?}");
        assert!(is_in || answer == refused);
        kept.push(listener);
    }
    let metrics = is_told.ready["metrics"].as_str().unwrap();
    let address = metrics.strip_prefix("http://").unwrap().strip_suffix("/metrics").unwrap();
    let line = "antiphon_tracker_refused_tokens_total{reason=\"token/old-key\"} 1";
    let answer = get(address, "/metrics", "");
    assert!(answer.text().lines().any(|has| has == line), "{}", answer.text());
    let cut = &told[..told.len() - 4];
    for bad in ["", "?", cut, &"A".repeat(4096)] {
        let said = refusal(&["tracker", "--require-token", "--heirs", bad]);
        assert!(said.contains("--heirs"), "{said}");
    }
    assert!(refusal(&["tracker", "--heirs", told]).contains("--require-token"));
}

#[test]
fn listeners_behind_a_proxy_of_ours_are_told_apart() {
    let process = Process::start(&["tracker", "--proxy", "127.0.0.1", "--max-per-network", "1"]);
    let heard = |from: &str| {
        let mut listener = Listener::dial_with(&process, "x-forwarded-for", from);
        (listener.hear(), listener)
    };
    let kept: Vec<_> = ["192.0.2.1", "192.0.2.2", "10.1.2.3, 2001:db8::1"].map(heard).into();
    assert!(kept.iter().all(|(said, _)| matches!(said, ToListener::Challenge(_))));
    assert_eq!(heard("192.0.2.1").0, ToListener::Refused(TrackerRefusal::TooMuch));
}

pub(crate) fn key(n: u8) -> SecretKey {
    SecretKey::from_bytes(&[n; 32])
}

fn text<const MAX: usize>(text: &str) -> Text<MAX> {
    Text::try_from(text).unwrap()
}

pub(crate) fn signal(from: u8, to: u8) -> Signed<Signal> {
    let (from_key, kind) = (key(from), SignalKind::Offer);
    let (from, to) = (PeerId(from_key.public()), PeerId(key(to).public()));
    let body = Signal { stream: STREAM, from, to, session: 1, kind, sdp: text("v=0") };
    Signed::new(&from_key, ChainId::default(), body)
}

#[test]
fn what_a_tracker_does_is_counted_for_its_keeper_alone() {
    let tracker = Process::start(&["tracker", "--metrics", "127.0.0.1:0"]);
    let (_first, _) = Listener::enter(&tracker, 1);
    let (_second, others) = Listener::enter(&tracker, 2);
    assert_eq!(others, 1);
    let mut rude = Listener::dial(&tracker);
    rude.say(&ToTracker::SignIn(SignIn::new(&key(3), [0; 32], text("ws://x"))));
    assert!(rude.is_closed());
    let metrics = tracker.ready["metrics"].as_str().unwrap();
    let address = metrics.strip_prefix("http://").unwrap().strip_suffix("/metrics").unwrap();
    let answer = get(address, "/metrics", "");
    assert!(answer.header("content-type").starts_with("application/openmetrics-text"));
    for line in [
        "antiphon_tracker_connections 2",
        "antiphon_tracker_streams 1",
        "antiphon_tracker_messages_total{way=\"In\"} 5",
        "antiphon_tracker_closed_total{reason=\"tracker/no-sign-in\"} 1",
    ] {
        assert!(answer.text().lines().any(|has| has == line), "{line}\n{}", answer.text());
    }
    assert_eq!(get(tracker.address(), "/metrics", "").status, 404);
}
