use super::{
    Inbox, MAX_WAITING, MAX_WAITING_BYTES,
    Output::{self, AwaitEnd, End, GoOn, Missing, Parts},
    Ready, STALE,
};
use crate::publisher::intake::{IntakeError, MAX_SOURCE_SEGMENTS};
use antiphon_core::time::Moment;
use std::time::Duration;

const LIVE: &str = "live.m3u8";
/// How long what the lists of these tests list is waited for: three target durations.
const WAIT: u64 = 6000;

#[test]
fn what_comes_before_after_or_with_its_playlist_is_published_once_and_in_order() {
    let mut inbox = open();
    assert_eq!(inbox.push(0, "s1.aac"), []);
    assert_eq!(inbox.list(1, 0..3, ""), [GoOn], "the first has not come");
    assert_eq!(inbox.push(2, "s2.aac"), []);
    let out = inbox.push(3, "s0.aac");
    assert_eq!(published(&out), [("s0.aac", false), ("s1.aac", false), ("s2.aac", false)]);
    assert_eq!(inbox.0.deadline(), None, "nothing is waited for");
    assert_eq!(inbox.list(4, 0..3, ""), [GoOn]);
    assert_eq!(inbox.push(5, "s1.aac"), [], "once");
}

#[test]
fn what_never_comes_is_a_gap_three_target_durations_after_it_was_listed_and_no_earlier() {
    let mut inbox = open();
    inbox.push(0, "s0.aac");
    assert_eq!(published(&inbox.list(100, 0..3, "")), [("s0.aac", false)]);
    assert_eq!(inbox.push(200, "s2.aac"), [], "the one before it may still come");
    assert_eq!(inbox.0.deadline(), Some(Moment::from_millis(100 + WAIT)));
    assert_eq!(inbox.tick(100 + WAIT - 1), []);
    let out = inbox.tick(100 + WAIT);
    assert_eq!(out[0], Missing("s1.aac".into()));
    assert_eq!(published(&out), [("s2.aac", true)], "and what follows does not go on from it");
    assert!(inbox.0.deadline().is_none_or(|due| due > Moment::from_millis(100 + WAIT)));
    assert_eq!(inbox.push(8000, "s1.aac"), [], "too late");
    inbox.push(8000, "s3.aac");
    assert_eq!(published(&inbox.list(8001, 0..4, "")), [("s3.aac", false)]);
}

#[test]
fn what_never_comes_in_the_middle_is_a_gap_with_the_next_playlist_and_what_follows_it() {
    let mut inbox = open();
    inbox.list(0, 0..2, "");
    inbox.push(1, "s1.aac");
    assert_eq!(inbox.list(2, 0..2, ""), [GoOn], "the same playlist again says nothing new");
    assert_eq!(inbox.list(3, 0..3, "")[1..], [Missing("s0.aac".into()), ready("s1.aac", 1, true)]);
    assert_eq!(published(&inbox.push(4, "s2.aac")), [("s2.aac", false)]);
}

#[test]
fn a_stream_whose_last_file_never_comes_ends_all_the_same() {
    let mut inbox = open();
    inbox.push(0, "s0.aac");
    let out = inbox.list(0, 0..3, "#EXT-X-ENDLIST\n");
    assert_eq!(out, [ready("s0.aac", 0, false), AwaitEnd]);
    assert_eq!(inbox.push(1000, "s1.aac"), [ready("s1.aac", 1, false), AwaitEnd]);
    assert_eq!(inbox.tick(WAIT - 1), [AwaitEnd]);
    assert_eq!(inbox.tick(WAIT), [Missing("s2.aac".into()), End]);
    assert_eq!(inbox.0.deadline(), None);
}

#[test]
fn the_end_waits_for_every_rendition_and_one_that_goes_on_takes_it_back() {
    let mut inbox = open();
    inbox.0.open("other.m3u8", 1, None);
    inbox.push(0, "s0.aac");
    let end = "#EXT-X-ENDLIST\n";
    assert_eq!(published(&inbox.list(0, 0..1, end)), [("s0.aac", false)]);
    let mut out = Vec::new();
    inbox.0.playlist(at(1), "other.m3u8", text(0..1, "t", end).as_bytes(), &mut out).unwrap();
    assert_eq!(out, [AwaitEnd], "the other's last is waited for");
    assert_eq!(inbox.list(2, 0..2, ""), [GoOn]);
    assert_eq!(inbox.tick(WAIT + 1)[0], Missing("t0.aac".into()));
    assert_eq!(inbox.tick(WAIT + 2), [Missing("s1.aac".into())], "given up, and no end");
    assert_eq!(inbox.list(WAIT + 3, 0..2, end), [End]);
}

#[test]
fn an_end_that_was_awaited_before_a_restart_is_said_unless_the_source_speaks_again() {
    let target = Duration::from_secs(2);
    let of = || {
        let mut inbox = Feeder(Inbox::awaiting_end(at(10), target));
        assert_eq!(inbox.push(20, "s7.aac"), [], "a file alone says nothing");
        assert_eq!(inbox.tick(10 + WAIT - 1), []);
        inbox.0.open(LIVE, 0, Some(7));
        inbox
    };
    let mut silent = of();
    assert_eq!(silent.0.deadline(), Some(at(10 + WAIT)));
    assert_eq!(silent.tick(10 + WAIT), [End]);
    assert_eq!(silent.tick(20 + WAIT), [], "once");
    let mut ended = of();
    let end = "#EXT-X-ENDLIST\n";
    assert_eq!(ended.list(10 + WAIT - 1, 6..8, end), [ready("s7.aac", 7, false), End]);
    let mut live = of();
    assert_eq!(live.list(10 + WAIT - 1, 6..8, ""), [GoOn, ready("s7.aac", 7, false)]);
    assert_eq!(live.tick(10 + WAIT), [], "it goes on");
}

#[test]
fn without_its_map_a_segment_is_waited_for_and_then_a_gap() {
    let mut inbox = open();
    let mapped = |map: &str, rest: &str| {
        format!("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MAP:URI=\"{map}\"\n#EXTINF:2,\n{rest}\n")
    };
    let mut put = |ms, text: String| {
        let mut out = Vec::new();
        inbox.0.playlist(at(ms), LIVE, text.as_bytes(), &mut out).unwrap();
        out.retain(|output| *output != GoOn);
        (out, inbox.push(ms, "s1.m4s"), inbox.tick(ms + WAIT))
    };
    let one = mapped("a.mp4", "s0.m4s\n#EXTINF:2,\ns1.m4s");
    let missing = |name: &str| Missing(name.into());
    let gone = vec![missing("s0.m4s"), missing("a.mp4")];
    assert_eq!(put(0, one), (vec![], vec![], gone), "its bytes are no segment without it");
    // What was used is held, and needs not be pushed again.
    inbox.push(9000, "b.mp4");
    inbox.push(9000, "s2.m4s");
    let two = mapped("b.mp4", "s2.m4s").replace("#EXTINF", "#EXT-X-MEDIA-SEQUENCE:2\n#EXTINF");
    let mut out = Vec::new();
    inbox.0.playlist(at(9000), LIVE, two.as_bytes(), &mut out).unwrap();
    let [GoOn, Output::Publish(first)] = &out[..] else { panic!("{out:?}") };
    assert_eq!((first.map.as_deref(), first.is_gap), (Some(&b"b.mp4"[..]), true));
    inbox.0.forget("b.mp4");
    inbox.push(9001, "s3.m4s");
    out.clear();
    let three = two.replace(
        "s2.m4s",
        "s2.m4s\n#EXTINF:2,\ns3.m4s\n#EXT-X-MAP:URI=\"c.mp4\"\n#EXTINF:2,\ns4.m4s",
    );
    inbox.0.playlist(at(9001), LIVE, three.as_bytes(), &mut out).unwrap();
    let [GoOn, Output::Publish(second)] = &out[..] else { panic!("{out:?}") };
    assert!(second.map.is_some() && !second.is_gap);
    assert_eq!(inbox.push(9002, "s4.m4s"), [], "another map is not the one before");
    assert_eq!(published(&inbox.push(9003, "c.mp4")), [("s4.m4s", false)]);
}

#[test]
fn after_a_restart_the_map_is_the_one_that_was_published() {
    let mut inbox = Feeder::default();
    inbox.0.open(LIVE, 3, Some(1));
    inbox.push(0, "s1.m4s");
    let text = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MAP:URI=\"a.mp4\"\n#EXTINF:2,\ns0.m4s\n#EXTINF:2,\ns1.m4s\n";
    let mut out = Vec::new();
    inbox.0.playlist(at(0), LIVE, text.as_bytes(), &mut out).unwrap();
    let [GoOn, Output::Publish(ready)] = &out[..] else { panic!("{out:?}") };
    assert_eq!((ready.rendition, ready.map.as_ref(), ready.wanted.number), (3, None, 1));
}

#[test]
fn there_is_room_for_so_many_files_and_bytes_and_those_that_nobody_lists_make_room() {
    let mut inbox = open();
    for n in 0..MAX_WAITING {
        assert!(inbox.0.file(at(0), format!("x{n}.aac"), vec![1], &mut Vec::new()));
    }
    let mut put = |ms: u64, name: &str, size: usize| {
        inbox.0.file(at(ms), name.into(), vec![1; size], &mut Vec::new())
    };
    assert!(!put(0, "one-more.aac", 1));
    assert!(put(0, "x7.aac", 100), "the same again");
    assert!(!put(0, "x7.aac", MAX_WAITING_BYTES));
    let stale = u64::try_from(STALE.as_millis()).unwrap();
    let mut sweeps = 0;
    while let Some(due) = inbox.0.deadline().filter(|due| due.as_millis() < stale) {
        inbox.tick(due.as_millis());
        assert!(inbox.0.deadline() > Some(due), "a deadline that is past is no deadline");
        sweeps += 1;
    }
    assert_eq!(sweeps, 4, "once a minute");
    let listed = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\ny.aac\n#EXTINF:2,\nx5.aac\n";
    inbox.0.playlist(at(stale - 1), LIVE, listed.as_bytes(), &mut Vec::new()).unwrap();
    assert_eq!(inbox.0.files.len(), MAX_WAITING);
    inbox.tick(stale);
    // What waits for its turn stays.
    assert!(inbox.0.files.keys().eq(["x5.aac"]), "{:?}", inbox.0.files.keys());
    assert_eq!(published(&inbox.tick(stale + WAIT)), [("x5.aac", true)]);
}

#[test]
fn what_a_source_lists_and_never_sends_is_bounded_too() {
    let mut inbox = open();
    let most = u64::try_from(MAX_SOURCE_SEGMENTS).unwrap();
    inbox.list(0, 0..most, "");
    let out = inbox.list(1, 7..most + 7, "");
    assert_eq!(out.len(), 1 + 7, "{:?}", out.last());
    assert_eq!(out[7], Missing("s6.aac".into()));
    assert!(
        matches!(inbox.tick(WAIT).last(), Some(Missing(name)) if *name == format!("s{}.aac", most - 1))
    );
}

#[test]
fn a_refused_playlist_changes_nothing_and_parts_are_told() {
    let mut inbox = open();
    inbox.list(0, 0..1, "");
    let bad = text(0..2, "s", "#EXT-X-ENDLIST\n").replace("s1.aac", "../s1.aac");
    let mut out = Vec::new();
    assert_eq!(inbox.0.playlist(at(1), LIVE, bad.as_bytes(), &mut out), Err(IntakeError::BadName));
    assert_eq!(inbox.0.playlist(at(1), "unknown.m3u8", bad.as_bytes(), &mut out), Ok(()));
    assert_eq!(out, []);
    assert_eq!(published(&inbox.push(2, "s0.aac")), [("s0.aac", false)], "and it has no end");
    assert_eq!(inbox.list(3, 0..1, "#EXT-X-PART:DURATION=1,URI=\"p.aac\"\n"), [Parts, GoOn]);
}

#[test]
fn a_target_that_is_no_duration_is_at_least_a_second_and_a_minute_at_most() {
    for (said, seconds) in [("0", 3), ("1", 3), ("7", 21), ("61", 180), ("99999999", 180)] {
        let mut inbox = open();
        let head = "#EXTM3U\n#EXT-X-TARGETDURATION:";
        let text = format!("{head}{said}\n#EXTINF:0.5,\ns0.aac\n");
        inbox.0.playlist(at(0), LIVE, text.as_bytes(), &mut Vec::new()).unwrap();
        assert_eq!(inbox.0.deadline(), Some(at(seconds * 1000)), "{said}");
    }
}

/// An inbox, and what it orders with each input.
#[derive(Default)]
struct Feeder(Inbox);

impl Feeder {
    /// Pushes a file that holds its name.
    fn push(&mut self, ms: u64, name: &str) -> Vec<Output> {
        let mut out = Vec::new();
        assert!(self.0.file(at(ms), name.into(), name.into(), &mut out));
        out
    }

    fn list(&mut self, ms: u64, numbers: core::ops::Range<u64>, rest: &str) -> Vec<Output> {
        let mut out = Vec::new();
        self.0.playlist(at(ms), LIVE, text(numbers, "s", rest).as_bytes(), &mut out).unwrap();
        out
    }

    fn tick(&mut self, ms: u64) -> Vec<Output> {
        let mut out = Vec::new();
        self.0.tick(at(ms), &mut out);
        out
    }
}

fn open() -> Feeder {
    let mut inbox = Feeder::default();
    inbox.0.open(LIVE, 0, None);
    inbox
}

fn at(ms: u64) -> Moment {
    Moment::from_millis(ms)
}

fn text(numbers: core::ops::Range<u64>, prefix: &str, rest: &str) -> String {
    let first = numbers.start;
    let head = format!("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:{first}\n");
    let listed = numbers.map(|n| format!("#EXTINF:2,\n{prefix}{n}.aac\n"));
    listed.fold(head, |text, line| text + &line) + rest
}

fn published(out: &[Output]) -> Vec<(&str, bool)> {
    let ready = out.iter().filter_map(|output| match output {
        Output::Publish(ready) => Some((ready.wanted.name.as_str(), ready.is_gap)),
        Missing(_) | Parts | AwaitEnd | GoOn | End => None,
    });
    ready.collect()
}

/// The order to publish a file that [`Feeder::push`] pushed.
fn ready(name: &str, number: u64, is_gap: bool) -> Output {
    let mut inbox = open();
    inbox.push(0, name);
    let listed = text(number..number + 1, "s", "");
    let mut out = Vec::new();
    inbox.0.playlist(at(0), LIVE, listed.as_bytes(), &mut out).unwrap();
    let Some(Output::Publish(ready)) = out.pop() else { panic!("{out:?}") };
    Output::Publish(Box::new(Ready { is_gap, ..*ready }))
}
