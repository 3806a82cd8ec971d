mod late;
mod near;
mod refresh;
mod room;

use super::*;
use crate::{
    codec::Bounded,
    crypto::{Hash, Signed},
    id::ChainId,
    peer::tracker_wire::{Candidate, Candidates, ForwardedSignal, Relayed, Signal, ToListener},
};
use alloc::{string::ToString, vec};

/// What a peer is banned for here.
const FOUL: &str = "peer/bad-chunk";

#[test]
fn a_start_signs_in_joins_and_beats_every_twenty_seconds() {
    let mut swarm = swarm(1);
    assert_eq!(feed(&mut swarm, 0, Input::Start), [Output::ConnectTracker(url())]);
    assert!(feed(&mut swarm, 10, Input::TrackerOpened).is_empty());
    let out = feed(&mut swarm, 20, told(&ToListener::Challenge([7; 32])));
    let said = said(&out);
    let ToTracker::SignIn(sign_in) = &said[0] else { panic!("{said:?}") };
    assert!(sign_in.verify([7; 32]).is_ok());
    assert_eq!((sign_in.key, sign_in.tracker.clone()), (key(1).public(), url()));
    assert_eq!(said[1], ToTracker::Join(stream()));
    let out = feed(&mut swarm, 30, told(&ToListener::Welcome(stream(), 4)));
    assert_eq!(out, [Output::Welcomed]);
    assert!(feed(&mut swarm, 20_029, Input::Tick).is_empty());
    let out = feed(&mut swarm, 20_030, Input::Tick);
    assert_eq!(out, [Output::TrackerSend(ToTracker::Heartbeat.to_bytes())]);
    assert_eq!(swarm.deadline(), Some(at(40_030)));
}

#[test]
fn the_younger_dials_and_the_elder_answers() {
    let (mut elder, mut younger) = (joined(1, 0), joined(2, 1));
    assert!(feed(&mut elder, 0, told(&met(2, 1))).is_empty(), "the younger will dial");
    let out = feed(&mut younger, 0, told(&met(1, 0)));
    assert_eq!(out, [Output::CreateLink(LinkId(0), None)]);
    let offer = sent(&feed(&mut younger, 1, described(0, "offer")), 1);
    let out = feed(&mut elder, 2, offer.clone());
    assert_eq!(out, [Output::CreateLink(LinkId(0), Some("offer".to_string()))]);
    assert!(feed(&mut elder, 2, offer).is_empty(), "the same offer twice is one");
    let answer = sent(&feed(&mut elder, 3, described(0, "answer")), 0);
    let out = feed(&mut younger, 4, answer.clone());
    assert_eq!(out, [Output::AcceptAnswer(LinkId(0), "answer".to_string())]);
    assert!(feed(&mut younger, 4, answer).is_empty(), "one answer counts");
    let out = feed(&mut younger, 5, Input::LinkOpened(LinkId(0)));
    assert_eq!(out, [Output::Joined(LinkId(0), id(1))]);
    let out = feed(&mut elder, 5, Input::LinkOpened(LinkId(0)));
    assert_eq!(out, [Output::Joined(LinkId(0), id(2))]);
    assert!(feed(&mut younger, 6, told(&met(1, 0))).is_empty(), "no second link");
}

#[test]
fn the_size_of_the_crowd_is_passed_on() {
    let mut out = Vec::new();
    joined(1, 0).handle(at(0), told(&met(2, 1)), &mut out);
    assert_eq!(out, [Output::Crowd(2)]);
}

#[test]
fn a_description_that_its_sender_did_not_sign_for_us_is_refused() {
    let body = Signal {
        stream: stream(),
        from: id(2),
        to: id(1),
        session: 5,
        kind: SignalKind::Offer,
        sdp: Text::try_from("v=0").unwrap(),
    };
    let by = |n: u8, body: Signal| Signed::new(&key(n), ChainId::default(), body);
    let forged = [
        by(3, body.clone()),
        by(2, Signal { to: id(3), ..body.clone() }),
        by(2, Signal { stream: StreamId::default(), ..body.clone() }),
        by(1, Signal { from: id(1), ..body.clone() }),
    ];
    for signal in forged {
        let mut swarm = joined(1, 0);
        let out = feed(&mut swarm, 0, forwarded(1, signal));
        assert_eq!(out, [Output::Trouble(TrackerFault::ForgedSignal)]);
    }
    let out = feed(&mut joined(1, 0), 0, forwarded(1, by(2, body)));
    assert_eq!(out.len(), 1);
    assert!(matches!(out[0], Output::CreateLink(..)));
}

#[test]
fn a_lost_tracker_is_dialled_again_ever_later_and_the_links_stay() {
    let mut swarm = linked();
    let out = feed(&mut swarm, 0, Input::TrackerClosed);
    assert_eq!(out, [Output::Trouble(TrackerFault::Closed)]);
    let mut now = 0;
    let mut waits = Vec::new();
    for _ in 0..9 {
        let next = swarm.deadline().unwrap().as_millis();
        assert!(feed(&mut swarm, next - 1, Input::Tick).is_empty());
        assert_eq!(feed(&mut swarm, next, Input::Tick), [Output::ConnectTracker(url())]);
        feed(&mut swarm, next, Input::TrackerClosed);
        waits.push(next - now);
        now = next;
    }
    assert!((1000..=2000).contains(&waits[0]), "{waits:?}");
    assert!(waits[1..].iter().all(|wait| (2000..=60_000).contains(wait)), "{waits:?}");
    assert!(waits[8] >= 30_000, "{waits:?}");
    assert_eq!(swarm.neighbours().count(), 1);
    let next = swarm.deadline().unwrap().as_millis();
    feed(&mut swarm, next, Input::Tick);
    feed(&mut swarm, next, Input::TrackerOpened);
    let out = feed(&mut swarm, next, told(&ToListener::Challenge([1; 32])));
    assert_eq!(said(&out)[1], ToTracker::Join(stream()));
}

#[test]
fn when_a_tracker_is_lost_the_next_of_several_is_dialled_and_signed_in_at() {
    let url = |n: u8| {
        Text::<256>::try_from(["ws://a", "ws://b/x", "wss://c"][usize::from(n % 3)]).unwrap()
    };
    let tracker = Text::try_from("ws://a ws://b/x wss://c").unwrap();
    let config = Config { tracker, ..swarm(2).config };
    let mut swarm = Swarm::new(config);
    assert_eq!(feed(&mut swarm, 0, Input::Start), [Output::ConnectTracker(url(0))]);
    let mut now = 0;
    for n in 0..7 {
        feed(&mut swarm, now, Input::TrackerOpened);
        let out = feed(&mut swarm, now, told(&ToListener::Challenge([n; 32])));
        let ToTracker::SignIn(sign_in) = &said(&out)[0] else { panic!("{out:?}") };
        assert!(sign_in.tracker == url(n) && sign_in.verify([n; 32]).is_ok());
        feed(&mut swarm, now, told(&ToListener::Welcome(stream(), 1)));
        assert!(swarm.is_joined());
        feed(&mut swarm, now, Input::TrackerClosed);
        // Each was there, so the next one is asked within two seconds.
        let next = swarm.deadline().unwrap().as_millis();
        assert!(next - now <= 2000);
        now = next;
        assert_eq!(feed(&mut swarm, now, Input::Tick), [Output::ConnectTracker(url(n + 1))]);
    }
    // One that does not answer costs its patience, and no more.
    let silent = feed(&mut swarm, now + 10_000, Input::Tick);
    assert_eq!(silent, [Output::CloseTracker, Output::Trouble(TrackerFault::Silent)]);
    let next = swarm.deadline().unwrap().as_millis();
    assert_eq!(feed(&mut swarm, next, Input::Tick), [Output::ConnectTracker(url(8))]);
}

#[test]
fn a_tracker_without_welcome_is_given_up_at_its_patience_and_not_before() {
    let mut swarm = swarm(1);
    feed(&mut swarm, 0, Input::Start);
    feed(&mut swarm, 5, Input::TrackerOpened);
    assert!(feed(&mut swarm, 9_999, Input::Tick).is_empty());
    let out = feed(&mut swarm, 10_000, Input::Tick);
    assert_eq!(out, [Output::CloseTracker, Output::Trouble(TrackerFault::Silent)]);
}

#[test]
fn a_tracker_that_talks_nonsense_or_refuses_is_left() {
    let mut swarm = joined(1, 0);
    let out = feed(&mut swarm, 0, Input::TrackerMessage(vec![1, 2, 3]));
    let fault = TrackerFault::Malformed(FrameError::BadLength(0));
    assert_eq!(out, [Output::CloseTracker, Output::Trouble(fault)]);
    assert!(feed(&mut swarm, 0, Input::TrackerMessage(vec![1])).is_empty());
    let mut swarm = joined(1, 0);
    let out = feed(&mut swarm, 0, told(&ToListener::Refused(TrackerRefusal::BadSignIn)));
    let fault = TrackerFault::Refused(TrackerRefusal::BadSignIn);
    assert_eq!(out, [Output::CloseTracker, Output::Trouble(fault)]);
    let out = feed(&mut joined(1, 0), 0, told(&ToListener::Refused(TrackerRefusal::NoToken)));
    let fault = TrackerFault::Refused(TrackerRefusal::NoToken);
    assert_eq!(out, [Output::CloseTracker, Output::Trouble(fault)]);
    let out = feed(&mut joined(1, 0), 0, told(&ToListener::Refused(TrackerRefusal::NoSuchPeer)));
    assert!(out.is_empty());
}

#[test]
fn what_has_no_channel_goes_by_the_tracker_while_there_is_one() {
    let parcel = || Parcel::try_from(vec![1, 2, 3]).unwrap();
    let (mut swarm, mut out) = (joined(2, 1), Vec::new());
    feed(&mut swarm, 0, told(&met(1, 0)));
    assert_eq!(swarm.around().collect::<Vec<_>>(), [id(1)]);
    assert!(swarm.relay(at(0), id(1), parcel(), &mut out));
    let relay = Relay { stream: stream(), to: id(1), parcel: parcel() };
    assert_eq!(said(&out), [ToTracker::Relay(relay)]);

    let relayed = |stream, from| Relayed { stream, from, parcel: parcel() };
    let heard = feed(&mut swarm, 0, told(&ToListener::Relayed(relayed(stream(), id(1)))));
    assert_eq!(heard, [Output::Relayed(id(1), parcel())]);
    // Of another stream, or in our own name: nothing that an honest tracker sends.
    for strange in [relayed(StreamId(Hash([9; 32])), id(1)), relayed(stream(), id(2))] {
        assert_eq!(feed(&mut swarm, 0, told(&ToListener::Relayed(strange))), []);
    }
    feed(&mut swarm, 0, Input::Ban(id(1), FOUL));
    assert_eq!(feed(&mut swarm, 0, told(&ToListener::Relayed(relayed(stream(), id(1))))), []);
    assert!(!swarm.relay(at(0), id(1), parcel(), &mut out), "who is banned is told nothing");
    feed(&mut swarm, 0, Input::TrackerClosed);
    assert!(!swarm.relay(at(0), id(3), parcel(), &mut out), "there is no tracker");
}

#[test]
fn a_dial_without_end_is_given_up_at_its_patience_and_tried_again() {
    let mut swarm = joined(2, 1);
    feed(&mut swarm, 0, told(&met(1, 0)));
    assert!(feed(&mut swarm, 14_999, Input::Tick).is_empty());
    let out = feed(&mut swarm, 15_000, Input::Tick);
    assert_eq!(out, [Output::CloseLink(LinkId(0))]);
    let next = swarm.deadline().unwrap().as_millis();
    assert!((16_000..=17_000).contains(&next), "{next}");
    let out = feed(&mut swarm, next, Input::Tick);
    assert_eq!(out, [Output::CreateLink(LinkId(1), None)]);
}

#[test]
fn a_link_that_closes_is_dialled_again() {
    let mut swarm = linked();
    let out = feed(&mut swarm, 100, Input::LinkClosed(LinkId(0)));
    assert_eq!(out, [Output::Left(LinkId(0), id(1))]);
    let next = swarm.deadline().unwrap().as_millis();
    assert!((1_100..=2_100).contains(&next), "{next}");
    assert_eq!(feed(&mut swarm, next, Input::Tick), [Output::CreateLink(LinkId(1), None)]);
}

#[test]
fn a_peer_whose_page_was_loaded_anew_replaces_its_link_when_the_new_one_opens() {
    let mut swarm = linked();
    let out = feed(&mut swarm, 0, offer_of(1, 2));
    assert_eq!(out, [Output::CreateLink(LinkId(1), Some("v=0".to_string()))]);
    let out = feed(&mut swarm, 1, Input::LinkOpened(LinkId(1)));
    assert_eq!(out[..2], [Output::CloseLink(LinkId(0)), Output::Left(LinkId(0), id(1))]);
    assert!(matches!(out[2], Output::Joined(LinkId(1), _)));
}

#[test]
fn when_both_dial_the_lower_key_stands() {
    let (low, high) = if id(1) < id(2) { (1, 2) } else { (2, 1) };
    for (me, other, is_accepted) in [(low, high, false), (high, low, true)] {
        let mut swarm = joined(me, 5);
        feed(&mut swarm, 0, told(&met(other, 3)));
        let out = feed(&mut swarm, 1, offer_of(other, me));
        assert_eq!(out.first() == Some(&Output::CloseLink(LinkId(0))), is_accepted);
        assert_eq!(out.len(), if is_accepted { 2 } else { 0 });
    }
}

#[test]
fn stop_leaves_everything() {
    let mut swarm = linked();
    let out = feed(&mut swarm, 0, Input::Stop);
    assert_eq!(
        out,
        [
            Output::CloseLink(LinkId(0)),
            Output::Left(LinkId(0), id(1)),
            Output::TrackerSend(ToTracker::Leave(stream()).to_bytes()),
            Output::CloseTracker,
        ]
    );
    assert_eq!(swarm.deadline(), None);
}

fn at(ms: u64) -> Moment {
    Moment::from_millis(ms)
}

fn key(n: u8) -> SecretKey {
    SecretKey::from_bytes(&[n; 32])
}

fn id(n: u8) -> PeerId {
    PeerId(key(n).public())
}

fn stream() -> StreamId {
    StreamId(Hash([5; 32]))
}

fn url() -> Text<256> {
    Text::try_from("ws://localhost/tracker").unwrap()
}

fn swarm(n: u8) -> Swarm {
    let (key, stream, tracker) = (key(n), stream(), url());
    let first_link = LinkId(0);
    Swarm::new(Config { key, stream, tracker, max_links: 4, first_link, seed: [n; 32] })
}

fn joined(n: u8, rank: u64) -> Swarm {
    let mut swarm = swarm(n);
    feed(&mut swarm, 0, Input::Start);
    feed(&mut swarm, 0, Input::TrackerOpened);
    feed(&mut swarm, 0, told(&ToListener::Challenge([7; 32])));
    feed(&mut swarm, 0, told(&ToListener::Welcome(stream(), rank)));
    swarm
}

/// Peer 2, linked to its elder, peer 1.
fn linked() -> Swarm {
    let mut swarm = joined(2, 1);
    feed(&mut swarm, 0, told(&met(1, 0)));
    feed(&mut swarm, 0, described(0, "offer"));
    feed(&mut swarm, 0, Input::LinkOpened(LinkId(0)));
    swarm
}

fn feed(swarm: &mut Swarm, ms: u64, input: Input) -> Vec<Output> {
    let mut out = Vec::new();
    swarm.handle(at(ms), input, &mut out);
    // Said with every list, and nothing here depends on it.
    out.retain(|output| *output != Output::Crowd(2));
    out
}

fn told(message: &ToListener) -> Input {
    Input::TrackerMessage(message.to_bytes())
}

fn met(n: u8, rank: u64) -> ToListener {
    let peers = Bounded::try_from(vec![Candidate { peer: id(n), rank }]).unwrap();
    ToListener::Candidates(Candidates { stream: stream(), crowd: 2, peers })
}

fn described(link: u64, sdp: &str) -> Input {
    Input::Described(LinkId(link), sdp.to_string())
}

fn forwarded(rank: u64, signal: Signed<Signal>) -> Input {
    told(&ToListener::Signal(ForwardedSignal { rank, signal }))
}

fn offer_of(from: u8, to: u8) -> Input {
    let sdp = Text::try_from("v=0").unwrap();
    let (stream, session, kind) = (stream(), 99, SignalKind::Offer);
    let body = Signal { stream, from: id(from), to: id(to), session, kind, sdp };
    forwarded(3, Signed::new(&key(from), ChainId::default(), body))
}

fn said(out: &[Output]) -> Vec<ToTracker> {
    let say = |o: &Output| {
        let Output::TrackerSend(bytes) = o else { return None };
        Some(ToTracker::from_bytes(bytes).unwrap())
    };
    out.iter().filter_map(say).collect()
}

/// The one signal in `out`, as the tracker would hand it on.
fn sent(out: &[Output], rank: u64) -> Input {
    match &said(out)[..] {
        [ToTracker::Signal(signal)] => forwarded(rank, signal.clone()),
        other => panic!("{other:?}"),
    }
}

fn is_no_link(output: &Output) -> bool {
    !matches!(output, Output::CreateLink(..))
}
