//! A source that ends ends the stream.

use super::*;

const END: &str = "#EXT-X-ENDLIST\n";

/// Ends a publisher, and lets the disk keep up; returns what it orders then.
fn end(publisher: &mut Publisher) -> Vec<Output> {
    let mut out = Vec::new();
    publisher.end(&mut out);
    publisher.handle(Input::Stored(u64::MAX), &mut out);
    out
}

#[test]
fn the_end_is_said_once_it_is_on_disk_and_what_was_listed_stays() {
    let mut publisher = publisher();
    let (_, before) = run(&mut publisher, 3);
    let mut out = Vec::new();
    publisher.end(&mut out);
    let [Output::Store(token, memory)] = out.as_slice() else { panic!("{out:?}") };
    assert_eq!(memory.end, End::Said);
    let token = *token;
    let mut early = Vec::new();
    publisher.handle(Input::Stored(token - 1), &mut early);
    assert_eq!(early, [], "not yet");
    let mut out = Vec::new();
    publisher.handle(Input::Stored(token), &mut out);
    let text = last_text(&out).unwrap();
    assert_eq!(text, before + END);
    assert!(read(&text).is_ended);
    assert_eq!(end(&mut publisher), [], "an end that was said is not said again");
}

#[test]
fn a_segment_that_waits_for_the_disk_comes_before_the_end() {
    let mut publisher = publisher();
    run(&mut publisher, 2);
    let mut out = feed(&mut publisher, 3);
    publisher.end(&mut out);
    publisher.handle(Input::Stored(2), &mut out);
    let text = last_text(&out).unwrap();
    assert!(read(&text).segments.len() == 3 && !text.contains(END), "{text}");
    publisher.handle(Input::Stored(3), &mut out);
    assert!(last_text(&out).unwrap().ends_with(END));
}

#[test]
fn a_publisher_that_starts_again_says_the_end_and_a_source_that_goes_on_takes_it_back() {
    let mut publisher = publisher();
    let (files, _) = run(&mut publisher, 3);
    let mut out = Vec::new();
    publisher.end(&mut out);
    let Some(Output::Store(_, memory)) = out.pop() else { panic!("{out:?}") };
    let mut files: BTreeMap<_, _> = files.into_iter().map(|file| (file.name, file.bytes)).collect();
    for name in memory.files() {
        files.entry(name.to_owned()).or_insert_with(|| vec![1; 700]); // The map.
    }
    let mut out = Vec::new();
    let mut again = Publisher::new(terms(), memory, &files, &mut out);
    assert!(last_text(&out).unwrap().ends_with(END));
    assert_eq!(end(&mut again), []);
    let mut out = feed(&mut again, 4);
    let goes_on =
        |output: &Output| matches!(output, Output::Store(_, memory) if memory.end == End::Open);
    assert!(out.iter().any(goes_on), "{out:?}");
    again.handle(Input::Stored(u64::MAX), &mut out);
    let text = last_text(&out).unwrap();
    assert!(read(&text).segments.len() == 4 && !text.contains(END), "{text}");
    assert!(last_text(&end(&mut again)).unwrap().ends_with(END), "and it may end again");
}

#[test]
fn a_stream_without_a_segment_has_no_end() {
    assert_eq!(end(&mut publisher()), []);
}

#[test]
fn every_rendition_ends() {
    let mut publisher = publisher();
    assert_eq!(publisher.rendition("other", Offer::default()), Ok(1));
    publisher.map(1, vec![2; 700], &mut Vec::new()).unwrap();
    for rendition in 0..2 {
        publisher.segment(rendition, segment(1), &mut Vec::new()).unwrap();
    }
    let out = end(&mut publisher);
    for name in ["live-0.m3u8", "live-1.m3u8"] {
        assert!(text_of(page_named(&out, name).unwrap()).ends_with(END), "{name}");
    }
    assert!(!text_of(page_named(&out, MAIN).unwrap()).contains(END), "a list of lists has none");
}

#[test]
fn an_end_that_is_awaited_is_not_said_and_outlives_a_restart_until_the_source_goes_on() {
    let mut publisher = publisher();
    let (files, _) = run(&mut publisher, 2);
    let mut out = Vec::new();
    publisher.await_end(&mut out);
    let [Output::Store(token, memory)] = out.as_slice() else { panic!("{out:?}") };
    assert_eq!((memory.end, publisher.is_ended()), (End::Awaited, false));
    let mut shown = Vec::new();
    publisher.handle(Input::Stored(*token), &mut shown);
    publisher.await_end(&mut shown);
    assert_eq!(shown, [], "nothing is said, and nothing twice");
    // What it waits for comes: the memory of it still knows of the end.
    let mut out = feed(&mut publisher, 2);
    let Some(Output::Store(_, memory)) = out.pop() else { panic!("{out:?}") };
    assert_eq!(memory.end, End::Awaited);
    let files = files.into_iter().map(|file| (file.name, file.bytes));
    let mut files: BTreeMap<_, _> = files.collect();
    for output in out {
        let Output::Keep(file) = output else { continue };
        files.insert(file.name, file.bytes);
    }
    for name in memory.files() {
        files.entry(name.to_owned()).or_insert_with(|| vec![1; 700]); // The map.
    }
    let start = || {
        let mut out = Vec::new();
        let again = Publisher::new(terms(), memory.clone(), &files, &mut out);
        let text = last_text(&out).unwrap();
        assert!(read(&text).segments.len() == 3 && !text.contains(END), "{text}");
        (again, text)
    };
    let (mut again, before) = start();
    assert_eq!(again.awaits_end(), Some(Duration::from_millis(2048)));
    assert_eq!(last_text(&end(&mut again)).unwrap(), before + END, "what was listed stays");
    assert_eq!(again.awaits_end(), None);
    again.await_end(&mut Vec::new());
    assert!(again.is_ended(), "who has said it waits for nothing");
    let (mut live, _) = start();
    live.go_on();
    assert_eq!(live.awaits_end(), None);
    let mut out = feed(&mut live, 3);
    let Some(Output::Store(_, memory)) = out.pop() else { panic!("{out:?}") };
    assert_eq!(memory.end, End::Open);
}

#[test]
fn on_disk_an_end_is_the_truth_value_that_it_was() {
    let encodings = [End::Open, End::Said, End::Awaited].map(|end| codec::encode(&end));
    assert_eq!(encodings, [codec::encode(&false), codec::encode(&true), vec![2]]);
    assert!(codec::decode::<End>(&[3], 1).is_err());
    let mut empty = publisher();
    empty.await_end(&mut Vec::new());
    assert_eq!(empty.awaits_end(), None, "a stream without a segment has no end");
}
