//! A publisher that died goes on as if nothing had been.

use super::*;

/// What a host has on disk.
#[derive(Default)]
struct Disk {
    memory: Memory,
    files: BTreeMap<String, Vec<u8>>,
}

impl Disk {
    /// Carries out the next `count` orders that touch it, as a host that dies then; returns what is not carried out.
    fn take(&mut self, out: Vec<Output>, count: usize) {
        for output in out.into_iter().take(count) {
            match output {
                Output::Keep(file) => drop(self.files.insert(file.name, file.bytes)),
                Output::Store(_, memory) => self.memory = memory,
                Output::Forget(name) => drop(self.files.remove(&name)),
                Output::Serve(_) | Output::Show(_) => {}
            }
        }
    }

    fn start(&self) -> (Publisher, Vec<Output>) {
        let mut out = Vec::new();
        let memory = codec::decode(&codec::encode(&self.memory), 1 << 20).unwrap();
        let publisher = Publisher::new(terms(), memory, &self.files, &mut out);
        (publisher, out)
    }
}

/// A disk after `count` segments, with the main playlist that was shown then.
fn after(count: u8) -> (Disk, String) {
    let mut disk = Disk::default();
    let mut publisher =
        Publisher::new(terms(), Memory::default(), &BTreeMap::new(), &mut Vec::new());
    publisher.rendition("main", Offer::default()).unwrap();
    let mut out = Vec::new();
    publisher.map(0, vec![1; 700], &mut out).unwrap();
    let mut text = String::new();
    for n in 0..count {
        out.extend(feed(&mut publisher, n));
        publisher.handle(Input::Stored(u64::MAX), &mut out);
        text = last_text(&out).unwrap();
        disk.take(core::mem::take(&mut out), usize::MAX);
    }
    (disk, text)
}

#[test]
fn the_playlist_is_the_same_and_goes_on_without_a_discontinuity() {
    let (disk, before) = after(20);
    let (mut publisher, mut out) = disk.start();
    assert_eq!(last_text(&out).unwrap(), before, "to the byte: signatures are deterministic");
    let served = out.iter().filter(|output| matches!(output, Output::Serve(_))).count();
    assert_eq!(served, 12 + 1, "three windows and the map");
    out.extend(feed(&mut publisher, 20));
    publisher.handle(Input::Stored(u64::MAX), &mut out);
    let text = last_text(&out).unwrap();
    let playlist = read(&text);
    assert!(playlist.segments.iter().map(|segment| segment.sequence).eq(17..21));
    assert!(
        !text.contains("#EXT-X-DISCONTINUITY\n") && text.contains("T22:14:00.960Z\n"),
        "{text}"
    );
}

#[test]
fn what_was_published_on_another_chain_is_left_behind_and_numbers_go_on() {
    let (disk, _) = after(6);
    let mut out = Vec::new();
    let elsewhere = Terms { chain: ChainId(Hash([8; 32])), ..terms() };
    let mut publisher = Publisher::new(elsewhere, disk.memory, &disk.files, &mut out);
    assert!(page_named(&out, MAIN).is_none());
    let mut out = feed(&mut publisher, 6);
    publisher.handle(Input::Stored(u64::MAX), &mut out);
    let mut reader = Reader::new(ChainId(Hash([8; 32])), Expected::Stream(publisher.stream()));
    let playlist = reader.read(&last_text(&out).unwrap()).unwrap();
    assert_eq!(playlist.segments.len(), 1);
    assert!(playlist.segments[0].verified().is_some() && playlist.segments[0].sequence == 6);
}

#[test]
fn a_source_that_does_not_go_on_is_a_discontinuity() {
    let (disk, _) = after(3);
    let (mut publisher, _) = disk.start();
    let mut out = Vec::new();
    for (n, source) in [(3, 4), (4, 5), (5, 0)] {
        publisher.segment(0, Segment { source, ..segment(n) }, &mut out).unwrap();
    }
    publisher.handle(Input::Stored(u64::MAX), &mut out);
    let text = last_text(&out).unwrap();
    assert_eq!(text.matches("#EXT-X-DISCONTINUITY\n").count(), 2, "{text}");
    assert!(text.contains("#EXT-X-DISCONTINUITY-SEQUENCE:0\n"));
}

#[test]
fn wherever_it_dies_no_number_stands_for_two_segments() {
    let (disk, _) = after(3);
    let (mut publisher, _) = disk.start();
    let mut orders = feed(&mut publisher, 3);
    publisher.handle(Input::Stored(u64::MAX), &mut orders);
    for count in 0..=orders.len() {
        let (mut disk, _) = after(3);
        disk.take(orders.clone(), count);
        let (mut publisher, out) = disk.start();
        let before = read(&last_text(&out).unwrap()).segments.len();
        // The memory of it is on disk with the second order; before that, nothing was signed.
        assert_eq!(before, if count < 2 { 3 } else { 4 }, "dies after {count}");
        let other = Segment { bytes: vec![99; 20_000], ..segment(4) };
        let mut out = Vec::new();
        publisher.segment(0, other, &mut out).unwrap();
        publisher.handle(Input::Stored(u64::MAX), &mut out);
        let last = read(&last_text(&out).unwrap()).segments.pop().unwrap();
        assert_eq!(last.sequence, if count < 2 { 3 } else { 4 }, "dies after {count}");
    }
}

#[test]
fn what_lost_its_file_or_has_another_is_listed_no_more_and_what_is_older_neither() {
    for damage in [None, Some(vec![0; 20_000])] {
        let (mut disk, text) = after(6);
        let victim = read(&text).segments[1].uri.clone();
        match damage {
            Some(other) => drop(disk.files.insert(victim, other)),
            None => drop(disk.files.remove(&victim)),
        }
        let (mut publisher, out) = disk.start();
        let rest = read(&last_text(&out).unwrap());
        assert!(rest.segments.iter().map(|segment| segment.sequence).eq(4..6));
        let mut out = feed(&mut publisher, 6);
        publisher.handle(Input::Stored(u64::MAX), &mut out);
        assert_eq!(read(&last_text(&out).unwrap()).segments.len(), 3);
    }
    let (mut disk, _) = after(6);
    disk.files.clear();
    let (mut publisher, out) = disk.start();
    assert!(out.is_empty(), "nothing is listed");
    assert_eq!(publisher.segment(0, segment(6), &mut Vec::new()), Err(SegmentError::NoMap));
    publisher.map(0, vec![1; 700], &mut Vec::new()).unwrap();
    let mut out = feed(&mut publisher, 6);
    publisher.handle(Input::Stored(u64::MAX), &mut out);
    assert_eq!(read(&last_text(&out).unwrap()).segments[0].sequence, 6, "numbers go on");
}

#[test]
fn a_clock_that_jumps_moves_no_date_back_over_a_restart_neither() {
    let (disk, _) = after(5);
    let (mut publisher, _) = disk.start();
    let hour = 3_600_000;
    let mut out = Vec::new();
    let mut put = |n: u8, date: u64, is_discontinuous| {
        let date = UnixMillis(date);
        publisher.segment(0, Segment { date, is_discontinuous, ..segment(n) }, &mut out).unwrap();
    };
    let at = |n: u8| segment(n).date.0;
    put(5, at(5) - hour, false);
    put(6, at(6) - hour, true);
    put(7, at(7) + hour, false);
    put(8, at(8) + hour, true);
    publisher.handle(Input::Stored(u64::MAX), &mut out);
    let kept = &publisher.renditions[0].entries;
    let dates: Vec<u64> = kept.iter().map(|(entry, _)| entry.date).collect();
    let steps: Vec<u64> = dates.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert_eq!(steps[..7], [2048, 2048, 2048, 2048, 2045, 2048, 2051]);
    assert_eq!(dates[8], at(8) + hour, "a gap may leap forward");
}
