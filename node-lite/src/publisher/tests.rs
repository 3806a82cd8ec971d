use super::*;
use antiphon_core::{
    amount::Amount,
    chain::spec::Token,
    codec::{self, Text},
    crypto::SecretKey,
    delivery::{
        chunk::{Chunk, MAX_SEGMENT},
        heir::Heirs,
        playlist::{Expected, Playlist, Reader},
        record::{MAX_MAP, MAX_MAPS, MAX_RECORD_BYTES, MapFault, RecordError},
        rendition,
    },
    time::UnixMillis,
};

mod end;
mod renditions;
mod restart;

const CHAIN: ChainId = ChainId(Hash([9; 32]));

#[test]
fn nothing_is_signed_before_its_number_is_stored() {
    let mut publisher = publisher();
    let out = feed(&mut publisher, 1);
    let [Output::Keep(kept), Output::Store(0, memory)] = out.as_slice() else { panic!("{out:?}") };
    assert_eq!(memory.renditions[0].standing.next, 1);
    assert!(memory.files().any(|name| name == kept.name), "the memory names its file");
    let mut out = Vec::new();
    publisher.handle(Input::Stored(7), &mut out);
    let names: Vec<&str> = out.iter().filter_map(shown).map(|page| page.name.as_str()).collect();
    assert_eq!(names, [&format!("{}.record", kept.name), DESCRIPTION, MAIN]);
    let playlist = read(&last_text(&out).unwrap());
    assert_eq!(playlist.segments[0].uri, kept.name);
    assert_eq!(playlist.segments[0].sequence, 0);
}

#[test]
fn a_listener_can_verify_every_chunk_of_what_is_listed() {
    let mut publisher = publisher();
    let (mut files, text) = run(&mut publisher, 3);
    let playlist = read(&text);
    assert_eq!(playlist.stream, publisher.stream());
    assert_eq!(playlist.info.publisher, key().public());
    assert_eq!(playlist.segments.len(), 3);
    for segment in playlist.segments {
        let record = segment.verified().unwrap().body.clone();
        let bytes = files.remove(0).bytes;
        for (index, chunk) in (0..).zip(bytes.chunks(16_384)) {
            Chunk::verify(&record, index, chunk).unwrap();
        }
        assert_eq!(segment.duration_ms, 2048);
    }
}

#[test]
fn every_segment_is_dated_and_the_map_named_once() {
    let (_, text) = run(&mut publisher(), 3);
    assert_eq!(text.matches("#EXT-X-PROGRAM-DATE-TIME:").count(), 3);
    assert!(text.contains("#EXT-X-PROGRAM-DATE-TIME:2023-11-14T22:13:22.048Z\n"), "{text}");
    assert_eq!(text.matches("#EXT-X-MAP:URI=\"init-").count(), 1);
    assert!(text.contains("#EXT-X-TARGETDURATION:3\n") && text.contains("#EXTINF:2.048000,\n"));
    let parsed = m3u8_rs::parse_media_playlist_res(text.as_bytes()).unwrap();
    assert_eq!(parsed.segments.len(), 3);
}

#[test]
fn the_window_slides_and_old_files_are_served_on_for_two_windows() {
    let mut publisher = publisher();
    let mut forgotten = Vec::new();
    for n in 0..20 {
        let mut out = feed(&mut publisher, n);
        publisher.handle(Input::Stored(u64::from(n)), &mut out);
        let playlist = read(&last_text(&out).unwrap());
        assert_eq!(playlist.segments.len(), usize::from(n + 1).min(4));
        assert_eq!(playlist.segments.last().unwrap().sequence, u64::from(n));
        forgotten.extend(out.into_iter().filter_map(forgotten_name));
    }
    assert_eq!(forgotten.len(), 2 * (20 - 4 * 3), "with their records");
    assert!(forgotten[0].starts_with("0-") && forgotten[15].starts_with("7-"));
}

#[test]
fn a_new_map_is_named_where_it_begins_and_the_old_one_forgotten_with_its_last_segment() {
    let mut publisher = publisher();
    let (mut out, mut all) = (Vec::new(), Vec::new());
    for n in 0..14 {
        if n == 1 {
            publisher.map(0, vec![2; 99], &mut out).unwrap();
        }
        out.extend(feed(&mut publisher, n));
        publisher.handle(Input::Stored(u64::from(n)), &mut out);
        all.append(&mut out);
    }
    let texts = all.iter().filter_map(shown).filter(|page| page.name == MAIN);
    let mut maps = texts.map(|page| text_of(page).matches("#EXT-X-MAP").count());
    assert!(maps.any(|count| count == 2));
    let forgotten = all.into_iter().filter_map(forgotten_name);
    assert_eq!(forgotten.filter(|name| name.starts_with("init-")).count(), 1);
}

#[test]
fn every_map_that_is_served_is_signed_for_and_no_other() {
    let mut publisher = publisher();
    let (mut served, mut signed_for) = (BTreeMap::new(), 0);
    served.insert(String::from("first"), vec![1; 700]);
    for n in 0..40 {
        let mut out = Vec::new();
        if n % 9 == 1 {
            publisher.map(0, vec![n; 99], &mut out).unwrap();
        }
        out.extend(feed(&mut publisher, n));
        publisher.handle(Input::Stored(u64::from(n)), &mut out);
        // What is forgotten with this playlist is still signed for in it.
        let info = read(&last_text(&out).unwrap()).info;
        for output in out {
            if let Output::Serve(file) = output
                && file.name.starts_with("init-")
            {
                served.insert(file.name, file.bytes);
            }
        }
        signed_for = served.values().filter(|map| info.check_map(map).is_ok()).count();
        assert_eq!(info.maps.len(), signed_for, "a map that was never served");
        let newest = if n == 0 { vec![1; 700] } else { vec![n - (n - 1) % 9; 99] };
        assert_eq!(info.check_map(&newest), Ok(()), "segment {n}");
    }
    assert!(signed_for < served.len(), "old maps are signed for no more");
}

#[test]
fn a_map_that_is_altered_is_not_the_publishers() {
    let (_, text) = run(&mut publisher(), 1);
    let mut map = vec![1; 700];
    assert_eq!(read(&text).info.check_map(&map), Ok(()));
    map[350] ^= 1;
    assert_eq!(read(&text).info.check_map(&map), Err(MapFault::NotSigned));
}

#[test]
fn a_map_too_many_is_refused_and_the_stream_keeps_those_that_it_has() {
    let mut publisher = publisher();
    let mut out = Vec::new();
    for n in 0..20 {
        let refused = publisher.map(0, vec![n; 99], &mut out).err();
        // The one it began with was dropped: no segment needed it.
        let is_over = usize::from(n) >= MAX_MAPS;
        assert_eq!(refused, is_over.then_some(SegmentError::TooManyMaps), "map {n}");
        publisher.segment(0, segment(n), &mut out).unwrap();
    }
    let long = vec![0; MAX_MAP + 1];
    let refused = publisher.map(0, long, &mut out);
    assert_eq!(refused, Err(SegmentError::Record(RecordError::MapTooLong)));
}

#[test]
fn what_cannot_be_published_uses_no_number() {
    let mut publisher = publisher();
    let mut out = Vec::new();
    let mut refused = |segment| publisher.segment(0, segment, &mut out).unwrap_err();
    let empty = Segment { bytes: Vec::new(), ..segment(0) };
    assert_eq!(refused(empty), SegmentError::Record(RecordError::Empty));
    let huge = Segment { bytes: vec![0; MAX_SEGMENT + 1], ..segment(0) };
    assert_eq!(refused(huge), SegmentError::Record(RecordError::TooLong));
    for duration in [Duration::ZERO, MAX_DURATION + Duration::from_millis(1)] {
        assert_eq!(refused(Segment { duration, ..segment(0) }), SegmentError::Duration);
    }
    assert!(out.is_empty());
    assert_eq!(publisher.segment(1, segment(0), &mut out), Err(SegmentError::NoRendition));
    assert_eq!(publisher.map(1, vec![1], &mut out), Err(SegmentError::NoRendition));
    let mut bare = Publisher::new(terms(), Memory::default(), &BTreeMap::new(), &mut out);
    bare.rendition("main", Offer::default()).unwrap();
    assert_eq!(bare.segment(0, segment(0), &mut out), Err(SegmentError::NoMap));
    let mut memory = self::publisher().memory();
    memory.renditions[0].standing.next = rendition::MAX_NUMBER;
    memory.renditions[0].standing.map = None;
    let mut last = Publisher::new(terms(), memory, &BTreeMap::new(), &mut out);
    let plain = Segment { container: Container::Aac, ..segment(0) };
    assert_eq!(last.segment(0, plain, &mut out), Err(SegmentError::Exhausted));
    assert!(out.is_empty());
}

#[test]
fn the_queue_to_the_disk_is_bounded() {
    let mut publisher = publisher();
    let mut out = Vec::new();
    for _ in 0..MAX_PENDING {
        publisher.segment(0, segment(1), &mut out).unwrap();
    }
    assert_eq!(publisher.segment(0, segment(1), &mut out), Err(SegmentError::Busy));
}

fn key() -> SecretKey {
    SecretKey::from_bytes(&[3; 32])
}

fn keyring() -> Keyring {
    Keyring::new(key())
}

fn terms() -> Terms {
    let info = StreamInfo {
        publisher: key().public(),
        name: Text::try_from("radio").unwrap(),
        price: Amount::from_units(1),
        token: Token::Operational,
        target_ms: 2000,
        tracker: Text::try_from("").unwrap(),
        node: Text::try_from("").unwrap(),
        maps: Bounded::new(),
        heirs: Heirs::new(),
    };
    Terms { chain: CHAIN, keyring: keyring(), info, window: 4 }
}

/// A new publisher of one rendition.
fn publisher() -> Publisher {
    let mut publisher =
        Publisher::new(terms(), Memory::default(), &BTreeMap::new(), &mut Vec::new());
    publisher.rendition("main", Offer::default()).unwrap();
    publisher.map(0, vec![1; 700], &mut Vec::new()).unwrap();
    publisher
}

fn segment(n: u8) -> Segment {
    Segment {
        bytes: vec![n; 20_000],
        container: Container::Mp4,
        duration: Duration::from_micros(2_048_000),
        date: UnixMillis(1_700_000_000_000 + 2048 * u64::from(n)),
        is_discontinuous: false,
        source: n.into(),
        encryption: None,
    }
}

fn feed(publisher: &mut Publisher, n: u8) -> Vec<Output> {
    let mut out = Vec::new();
    publisher.segment(0, segment(n), &mut out).unwrap();
    out
}

/// Publishes `count` segments; returns their files and the last playlist.
fn run(publisher: &mut Publisher, count: u8) -> (Vec<File>, String) {
    let mut out = Vec::new();
    for n in 1..=count {
        publisher.segment(0, segment(n), &mut out).unwrap();
    }
    publisher.handle(Input::Stored(u64::MAX), &mut out);
    let text = last_text(&out).unwrap();
    let served = out.into_iter().filter_map(|output| match output {
        Output::Serve(file) => Some(file),
        Output::Keep(_) | Output::Store(..) | Output::Show(_) | Output::Forget(_) => None,
    });
    (served.collect(), text)
}

fn shown(output: &Output) -> Option<&Page> {
    match output {
        Output::Show(page) => Some(page),
        Output::Keep(_) | Output::Store(..) | Output::Serve(_) | Output::Forget(_) => None,
    }
}

fn forgotten_name(output: Output) -> Option<String> {
    match output {
        Output::Forget(name) => Some(name),
        Output::Keep(_) | Output::Store(..) | Output::Serve(_) | Output::Show(_) => None,
    }
}

fn text_of(page: &Page) -> &str {
    core::str::from_utf8(&page.bytes).unwrap()
}

/// The main playlist as it was shown last.
fn last_text(out: &[Output]) -> Option<String> {
    page_named(out, MAIN).map(|page| text_of(page).to_owned())
}

fn page_named<'a>(out: &'a [Output], name: &str) -> Option<&'a Page> {
    out.iter().filter_map(shown).rfind(|page| page.name == name)
}

fn read(text: &str) -> Playlist {
    Reader::new(CHAIN, Expected::Publisher(key().public())).read_all(text).unwrap()
}
