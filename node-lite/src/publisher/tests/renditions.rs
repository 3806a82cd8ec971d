//! Several renditions, records by themselves, and keys that change.

use super::*;
use antiphon_core::{
    crypto::PublicKey,
    delivery::{heir, record::Record},
};

const LOW: &str = "live-0.m3u8";
const HIGH: &str = "live-1.m3u8";

/// A publisher of two renditions.
fn two() -> Publisher {
    let mut publisher = publisher();
    let offer = Offer { bandwidth: Some(140_800), codecs: Some("mp4a.40.2".into()) };
    assert_eq!(publisher.rendition("high", offer), Ok(1));
    publisher.map(1, vec![2; 700], &mut Vec::new()).unwrap();
    publisher
}

/// Publishes segment `n` of both.
fn feed_both(publisher: &mut Publisher, n: u8) -> Vec<Output> {
    let mut out = feed(publisher, n);
    let high = Segment { bytes: vec![n; 40_000], ..segment(n) };
    publisher.segment(1, high, &mut out).unwrap();
    publisher.handle(Input::Stored(u64::MAX), &mut out);
    out
}

#[test]
fn each_rendition_has_its_playlist_and_numbers_of_its_own() {
    let mut publisher = two();
    feed_both(&mut publisher, 1);
    let out = feed_both(&mut publisher, 2);
    let of = |name| read(text_of(page_named(&out, name).unwrap()));
    let (low, high) = (of(LOW), of(HIGH));
    assert_eq!((low.stream, &low.info), (high.stream, &high.info), "one stream");
    let numbers = |list: &Playlist| list.segments.iter().map(|s| s.sequence).collect::<Vec<_>>();
    assert_eq!(numbers(&low), [0, 1]);
    assert_eq!(numbers(&high), [1 << 40, (1 << 40) + 1]);
    assert!(low.segments.iter().chain(&high.segments).all(|segment| segment.verified().is_some()));
    assert_eq!(low.info.check_map(&[1; 700]), Ok(()));
    assert_eq!(low.info.check_map(&[2; 700]), Ok(()), "who switches has its map already");
}

#[test]
fn the_main_playlist_lists_the_renditions_as_offered_or_measured() {
    let mut publisher = two();
    assert_eq!(publisher.rendition("high", Offer::default()), Ok(1), "says no more");
    let text = last_text(&feed_both(&mut publisher, 1)).unwrap();
    let listed = "#EXT-X-STREAM-INF:BANDWIDTH=78125\nlive-0.m3u8\n\
                  #EXT-X-STREAM-INF:BANDWIDTH=140800,CODECS=\"mp4a.40.2\"\nlive-1.m3u8\n";
    assert!(text.ends_with(listed), "{text}");
    assert_eq!(m3u8_rs::parse_master_playlist_res(text.as_bytes()).unwrap().variants.len(), 2);
}

#[test]
fn a_rendition_that_falls_silent_leaves_the_list_and_comes_back() {
    let mut publisher = two();
    feed_both(&mut publisher, 1);
    let mut texts = Vec::new();
    for n in 2..40 {
        let mut out = feed(&mut publisher, n);
        publisher.handle(Input::Stored(u64::MAX), &mut out);
        texts.push(last_text(&out).unwrap());
    }
    let gone = texts.iter().position(|text| !text.contains(HIGH)).unwrap();
    assert_eq!(gone, 29, "after a minute");
    assert!(texts.iter().all(|text| text.contains(LOW)));
    let high = Segment { bytes: vec![7; 40_000], ..segment(41) };
    let mut out = Vec::new();
    publisher.segment(1, high, &mut out).unwrap();
    publisher.handle(Input::Stored(u64::MAX), &mut out);
    assert!(last_text(&out).unwrap().contains(HIGH));
    assert!(text_of(page_named(&out, HIGH).unwrap()).contains("#EXT-X-DISCONTINUITY\n"));
}

#[test]
fn what_cannot_be_a_rendition_is_refused() {
    let mut publisher = publisher();
    for codecs in ["", "mp4a\"", "a b", "x\n", &"a".repeat(65)] {
        let offer = Offer { bandwidth: None, codecs: Some(codecs.into()) };
        assert_eq!(publisher.rendition("x", offer.clone()), Err(RenditionError::BadOffer));
        assert_eq!(publisher.rendition("main", offer), Err(RenditionError::BadOffer));
    }
    let long = "n".repeat(256);
    assert_eq!(publisher.rendition(&long, Offer::default()), Err(RenditionError::BadOffer));
    for n in 1..MAX_RENDITIONS {
        assert_eq!(publisher.rendition(&n.to_string(), Offer::default()), Ok(n));
    }
    assert_eq!(publisher.rendition("over", Offer::default()), Err(RenditionError::TooMany));
    assert_eq!(publisher.rendition("3", Offer::default()), Ok(3), "a known one has its place");
}

#[test]
fn records_and_description_by_themselves_say_what_the_tags_say() {
    let mut publisher = publisher();
    let mut out = feed(&mut publisher, 1);
    publisher.handle(Input::Stored(u64::MAX), &mut out);
    let playlist = read(&last_text(&out).unwrap());
    let page = page_named(&out, &format!("{}.record", playlist.segments[0].uri)).unwrap();
    let record: Signed<Record> = codec::decode(&page.bytes, MAX_RECORD_BYTES).unwrap();
    assert_eq!(Some(&record), playlist.segments[0].verified());
    assert!(record.verify(CHAIN, &key().public()).is_ok() && record.body.describes(&[1; 20_000]));
    let described = page_named(&out, DESCRIPTION).unwrap();
    let info: Signed<StreamInfo> = codec::decode(&described.bytes, 4096).unwrap();
    assert_eq!(info.body, playlist.info);
}

#[test]
fn when_the_key_changes_everything_listed_is_signed_anew_and_listeners_follow() {
    let mut publisher = two();
    let mut readers = [LOW, HIGH].map(|name| (name, Reader::new(CHAIN, pinned())));
    let before = feed_both(&mut publisher, 1);
    for (name, reader) in &mut readers {
        reader.read(text_of(page_named(&before, name).unwrap())).unwrap();
    }
    let heir = SecretKey::from_bytes(&[5; 32]);
    let ring = keyring().inherit(heir.clone()).unwrap();
    let mut out = Vec::new();
    publisher.rekey(ring.clone(), &mut out);
    let records = out.iter().filter_map(shown).filter(|page| page.name.ends_with(RECORD));
    for page in records {
        let record: Signed<Record> = codec::decode(&page.bytes, MAX_RECORD_BYTES).unwrap();
        assert!(record.verify(CHAIN, &heir.public()).is_ok());
    }
    out.extend(feed_both(&mut publisher, 2));
    for (name, reader) in &mut readers {
        let playlist = reader.read(text_of(page_named(&out, name).unwrap())).unwrap();
        assert_eq!((playlist.stream, playlist.signer), (publisher.stream(), heir.public()));
        assert!(playlist.segments.iter().all(|segment| segment.verified().is_some()), "{name}");
        let first = playlist.segments.iter().map(|segment| rendition::number(segment.sequence));
        assert!(first.eq([0, 1]), "numbers go on");
    }
    let mut again = Vec::new();
    publisher.rekey(ring, &mut again);
    publisher.rekey(Keyring::new(heir), &mut again);
    assert!(again.is_empty(), "the same key, or another publisher's, changes nothing");
    let signer = heir::signer(key().public(), publisher.terms.keyring.heirs());
    assert_eq!(signer, Some(publisher.terms.keyring.key().public()));
}

#[test]
fn encrypted_segments_are_described_and_signed_as_they_are() {
    let mut publisher = publisher();
    let words = "METHOD=AES-128,URI=\"https://k.example/1\",IV=0x07";
    let mut out = Vec::new();
    for (n, encryption) in [(1, None), (2, Some(words)), (3, Some(words)), (4, None)] {
        if n == 3 {
            publisher.map(0, vec![3; 99], &mut out).unwrap();
        }
        let encryption = encryption.map(str::to_owned);
        publisher.segment(0, Segment { encryption, ..segment(n) }, &mut out).unwrap();
    }
    publisher.handle(Input::Stored(u64::MAX), &mut out);
    let text = last_text(&out).unwrap();
    assert!(read(&text).segments.iter().all(|segment| segment.verified().is_some()));
    let is_told = |line: &&str| line.starts_with("#EXT-X-KEY") || line.starts_with("#EXT-X-MAP");
    let told: Vec<_> = text.lines().filter(is_told).map(|line| &line[7..18]).collect();
    let (on, off, map) = ("KEY:METHOD=", "KEY:METHOD=", "MAP:URI=\"in");
    assert_eq!(told, [map, on, off, map, on, off], "maps stay in the clear");
    assert_eq!(text.matches("METHOD=NONE\n").count(), 2);
}

fn pinned() -> Expected {
    Expected::Publisher(PublicKey(key().public().0))
}
