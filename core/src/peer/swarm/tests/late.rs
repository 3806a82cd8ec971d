//! Candidates that are found after a description went.

use super::*;

const LINES: &str = "a=candidate:1";

fn late(link: u64) -> Input {
    Input::Candidates(LinkId(link), String::from(LINES))
}

fn late_of(from: u8, session: u64) -> Input {
    let sdp = Text::try_from(LINES).unwrap();
    let (stream, kind) = (stream(), SignalKind::Candidates);
    let body = Signal { stream, from: id(from), to: id(1), session, kind, sdp };
    forwarded(3, Signed::new(&key(from), ChainId::default(), body))
}

fn signal_of(out: &[Output]) -> Signal {
    match &said(out)[..] {
        [ToTracker::Signal(signal)] => signal.body.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn they_are_told_to_the_peer_while_the_link_is_made_and_four_times_at_most() {
    let mut swarm = joined(2, 1);
    feed(&mut swarm, 0, told(&met(1, 0)));
    assert_eq!(feed(&mut swarm, 0, late(0)), [], "there is no description yet to add to");
    let described = Input::Described(LinkId(0), String::from("v=0"));
    let offer = signal_of(&feed(&mut swarm, 1, described));
    for _ in 0..4 {
        let added = signal_of(&feed(&mut swarm, 2, late(0)));
        let expected = Signal {
            kind: SignalKind::Candidates,
            sdp: Text::try_from(LINES).unwrap(),
            ..offer.clone()
        };
        assert_eq!(added, expected);
    }
    assert_eq!(feed(&mut swarm, 3, late(0)), []);
    assert_eq!(feed(&mut linked(), 3, late(0)), [], "an open link needs none");
}

#[test]
fn those_of_a_peer_go_to_its_link_of_that_session_and_four_times_at_most() {
    let mut swarm = joined(1, 0);
    feed(&mut swarm, 0, offer_of(2, 1));
    assert_eq!(feed(&mut swarm, 1, late_of(2, 98)), [], "of another session");
    assert_eq!(feed(&mut swarm, 1, late_of(3, 99)), [], "of somebody else");
    for _ in 0..4 {
        let added = Output::AddCandidates(LinkId(0), String::from(LINES));
        assert_eq!(feed(&mut swarm, 1, late_of(2, 99)), [added]);
    }
    assert_eq!(feed(&mut swarm, 1, late_of(2, 99)), []);
}
