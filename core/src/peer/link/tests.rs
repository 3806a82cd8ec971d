use super::*;
use crate::{
    crypto::Hash,
    delivery::chunk::{CHUNK, ChunkId},
    id::StreamId,
    peer::frames::{ByeReason, ChunkBytes},
};
use alloc::vec;

const CANCEL: Frame = Frame::Cancel(ChunkId { sequence: 1, index: 0 });

#[test]
fn two_links_greet_and_carry_frames_whole() {
    let (mut a, mut b) = (Link::new(hello(1)), Link::new(hello(1)));
    let from_a = feed(&mut a, 0, Input::Opened);
    let from_b = feed(&mut b, 0, Input::Opened);
    assert_eq!(carry(&from_a, &mut b), [Output::Ready(hello(1))]);
    assert_eq!(carry(&from_b, &mut a), [Output::Ready(hello(1))]);
    let id = ChunkId { sequence: 1, index: 0 };
    let bytes = vec![3; CHUNK].try_into().unwrap();
    let chunk = Frame::Chunk(ChunkBytes { id, bytes });
    let said = feed(&mut a, 1, Input::Say(chunk.clone()));
    assert_eq!(said.len(), 1, "a chunk and its header are one message");
    assert_eq!(carry(&said, &mut b), [Output::Heard(chunk)]);
    let said = feed(&mut a, 2, Input::Say(Frame::Bye(ByeReason::Leaving)));
    assert_eq!(said.last(), Some(&Output::Close));
    assert_eq!(
        carry(&said[..1], &mut b),
        [Output::Heard(Frame::Bye(ByeReason::Leaving)), Output::Close]
    );
}

#[test]
fn nothing_is_said_or_heard_before_the_greeting() {
    let mut link = Link::new(hello(1));
    assert!(feed(&mut link, 0, Input::Say(CANCEL)).is_empty());
    assert!(feed(&mut link, 0, Input::Message(CANCEL.to_bytes())).is_empty());
    feed(&mut link, 0, Input::Opened);
    let out = feed(&mut link, 0, Input::Message(CANCEL.to_bytes()));
    assert_eq!(out, [Output::Blame(Fault::NotGreeted), Output::Close]);
    assert!(feed(&mut link, 0, Input::Message(CANCEL.to_bytes())).is_empty());
}

#[test]
fn a_silent_peer_is_let_go_at_its_patience_and_not_before() {
    let mut link = Link::new(hello(1));
    feed(&mut link, 0, Input::Opened);
    assert_eq!(link.deadline(), Some(Moment::from_millis(5000)));
    assert!(feed(&mut link, 4999, Input::Tick).is_empty());
    let out = feed(&mut link, 5000, Input::Tick);
    assert_eq!(out, [Output::Blame(Fault::Silent), Output::Close]);
    assert_eq!(link.deadline(), None);
}

#[test]
fn a_second_hello_another_stream_and_malformed_bytes_end_the_link() {
    let greeted = Frame::Hello(hello(1)).to_bytes();
    let other = Frame::Hello(hello(2)).to_bytes();
    let cases = [
        (other, Fault::WrongStream),
        ([greeted.clone(), greeted.clone()].concat(), Fault::GreetedTwice),
        (vec![0, 0, 0, 0], Fault::Malformed(FrameError::BadLength(0))),
        (
            [greeted, vec![2, 0, 0, 0, 1, 99]].concat(),
            Fault::Malformed(FrameError::UnknownKind(99)),
        ),
    ];
    for (bytes, fault) in cases {
        let mut link = Link::new(hello(1));
        feed(&mut link, 0, Input::Opened);
        let out = feed(&mut link, 0, Input::Message(bytes));
        let (last, before) = out.split_last().unwrap();
        assert_eq!((last, before.last()), (&Output::Close, Some(&Output::Blame(fault))));
    }
}

#[test]
fn a_flood_of_frames_ends_the_link_and_a_steady_stream_does_not() {
    let mut link = ready();
    for ms in 0..60_000 {
        let out = feed(&mut link, ms, Input::Message(CANCEL.to_bytes()));
        assert_eq!(out, [Output::Heard(CANCEL)]);
    }
    let many = CANCEL.to_bytes().repeat(500);
    let mut heard = 0;
    let flooded = (0..20).any(|_| {
        let out = feed(&mut link, 60_000, Input::Message(many.clone()));
        heard += out.len();
        out.contains(&Output::Blame(Fault::Flood))
    });
    assert!(flooded && heard <= 4100, "{heard}");
}

fn ready() -> Link {
    let mut link = Link::new(hello(1));
    feed(&mut link, 0, Input::Opened);
    feed(&mut link, 0, Input::Message(Frame::Hello(hello(1)).to_bytes()));
    assert!(link.is_ready());
    link
}

fn hello(n: u8) -> Hello {
    Hello { stream: StreamId(Hash([n; 32])), features: 0, terms: None }
}

fn feed(link: &mut Link, ms: u64, input: Input) -> Vec<Output> {
    let mut out = Vec::new();
    link.handle(Moment::from_millis(ms), input, &mut out);
    out
}

fn carry(from: &[Output], to: &mut Link) -> Vec<Output> {
    let mut out = Vec::new();
    for output in from {
        if let Output::Transmit(bytes) = output {
            out.extend(feed(to, 0, Input::Message(bytes.clone())));
        }
    }
    out
}
