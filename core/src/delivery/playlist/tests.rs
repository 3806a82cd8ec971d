use super::*;
use crate::{
    amount::Amount,
    chain::spec::Token,
    codec::{Bounded, Text},
    crypto::{Hash, SecretKey},
    delivery::record::Map,
    id::ChainId,
};
use alloc::{format, vec};

const CHAIN: ChainId = ChainId(Hash([9; 32]));

#[test]
fn a_playlist_yields_segments_with_their_verified_records() {
    let mut reader = Reader::new(CHAIN, Expected::Publisher(key().public()));
    let playlist = reader.read(&text(7, 3)).unwrap();
    assert_eq!(playlist.info, info());
    assert_eq!(playlist.segments.len(), 3);
    let last = &playlist.segments[2];
    assert_eq!((last.sequence, last.uri.as_str(), last.duration_ms), (9, "seg9.m4s", 2000));
    assert_eq!(last.record.as_ref().unwrap(), &record(9));
    assert!(!playlist.is_ended);
    let ended = text(7, 3) + "#EXT-X-ENDLIST\n";
    assert!(reader.read(&ended).unwrap().is_ended);
    let windows = text(7, 3).replace('\n', "\r\n");
    assert_eq!(reader.read(&windows).unwrap(), playlist);
}

#[test]
fn every_prefix_of_a_playlist_is_refused_or_shorter() {
    let whole = text(7, 2);
    for cut in 0..whole.len() {
        let read = Reader::new(CHAIN, Expected::Anyone).read(&whole[..cut]);
        match read {
            Ok(playlist) => assert!(whole[..cut].ends_with('\n') && playlist.segments.len() < 2),
            Err(error) => assert!(
                matches!(
                    error,
                    PlaylistError::Truncated | PlaylistError::NotPlaylist | PlaylistError::NoStream
                ),
                "{error}"
            ),
        }
    }
}

#[test]
fn a_stream_that_was_not_expected_is_refused() {
    let foreign = SecretKey::from_bytes(&[4; 32]).public();
    let read = Reader::new(CHAIN, Expected::Publisher(foreign)).read(&text(7, 1));
    assert_eq!(read, Err(PlaylistError::WrongStream));
    let mut reader = Reader::new(CHAIN, Expected::Anyone);
    reader.read(&text(7, 1)).unwrap();
    let other = StreamInfo { name: Text::try_from("other").unwrap(), ..info() };
    let moved = head(&Signed::new(&key(), CHAIN, other));
    assert_eq!(reader.read(&moved), Err(PlaylistError::WrongStream));
}

#[test]
fn a_stream_tag_that_its_publisher_did_not_sign_is_refused() {
    let thief = SecretKey::from_bytes(&[4; 32]);
    let forged = head(&Signed::new(&thief, CHAIN, info()));
    let mut reader = Reader::new(CHAIN, Expected::Anyone);
    assert_eq!(reader.read(&forged), Err(PlaylistError::BadSignature));
    let elsewhere = head(&Signed::new(&key(), ChainId::default(), info()));
    assert_eq!(reader.read(&elsewhere), Err(PlaylistError::BadSignature));
    assert_eq!(reader.read("#EXTM3U\n"), Err(PlaylistError::NoStream));
    let bad = "#EXTM3U\n#EXT-X-ANTIPHON-STREAM:%%%%\n";
    assert_eq!(reader.read(bad), Err(PlaylistError::BadStream(TagError::Base64)));
    let variants = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nlow.m3u8\n";
    assert_eq!(reader.read(variants), Err(PlaylistError::Multivariant));
}

#[test]
fn a_segment_with_a_wrong_record_is_listed_and_the_others_carried() {
    let thief = SecretKey::from_bytes(&[4; 32]);
    let stray = Record { stream: StreamId::default(), ..record(7).body };
    let short = Record { length: 70_000, ..record(7).body };
    let flipped = {
        let mut record = record(7);
        record.signature.0[3] ^= 1;
        record
    };
    let cases = [
        (record_tag(&Signed::new(&thief, CHAIN, record(7).body)), RecordFault::BadSignature),
        (record_tag(&flipped), RecordFault::BadSignature),
        (record_tag(&Signed::new(&key(), CHAIN, stray)), RecordFault::WrongStream),
        (record_tag(&record(8)), RecordFault::WrongSequence),
        (record_tag(&Signed::new(&key(), CHAIN, short)), RecordFault::WrongCount),
        (format!("{}A", record_tag(&record(7))), RecordFault::Malformed(TagError::Base64)),
        (
            String::from("#EXT-X-ANTIPHON-RECORD:AAAA"),
            RecordFault::Malformed(TagError::Decode(DecodeError::Truncated)),
        ),
        (
            format!("#EXT-X-ANTIPHON-RECORD:{}", "A".repeat(50_000)),
            RecordFault::Malformed(TagError::Decode(DecodeError::OverLimit)),
        ),
        (String::from("#EXT-X-BYTERANGE:100@0"), RecordFault::ByteRange),
        (String::from("# nothing"), RecordFault::Absent),
    ];
    for (tag, fault) in cases {
        let changed = text(7, 2).replace(&record_tag(&record(7)), &tag);
        let playlist = Reader::new(CHAIN, Expected::Anyone).read(&changed).unwrap();
        assert_eq!(playlist.segments[0].record, Err(fault));
        assert!(playlist.segments[1].record.is_ok());
    }
}

#[test]
fn a_record_that_was_verified_is_still_refused_under_another_number() {
    let mut reader = Reader::new(CHAIN, Expected::Anyone);
    reader.read(&text(7, 3)).unwrap();
    let shifted = text(7, 3).replace("SEQUENCE:7", "SEQUENCE:8");
    let playlist = reader.read(&shifted).unwrap();
    for segment in playlist.segments {
        assert_eq!(segment.record, Err(RecordFault::WrongSequence));
    }
}

#[test]
fn limits_and_numbers_are_kept() {
    let mut reader = Reader::new(CHAIN, Expected::Anyone);
    let long = text(7, 1) + &"#\n".repeat(MAX_PLAYLIST_BYTES / 2);
    assert_eq!(reader.read(&long), Err(PlaylistError::TooLong));
    let many = text(7, 1) + &"#EXTINF:1,\nx\n".repeat(MAX_SEGMENTS);
    assert_eq!(reader.read(&many), Err(PlaylistError::TooLong));
    let uri = text(7, 1).replace("seg7", &"s".repeat(MAX_URI_BYTES));
    assert_eq!(reader.read(&uri), Err(PlaylistError::TooLong));
    let last = text(7, 1).replace("SEQUENCE:7", "SEQUENCE:18446744073709551615");
    assert_eq!(reader.read(&last), Err(PlaylistError::BadNumber));
    let timeless = text(7, 1).replace("#EXTINF:2.0,", "#EXT-X-GAP");
    assert_eq!(reader.read(&timeless), Err(PlaylistError::BadNumber));
}

fn key() -> SecretKey {
    SecretKey::from_bytes(&[3; 32])
}

fn info() -> StreamInfo {
    StreamInfo {
        publisher: key().public(),
        name: Text::try_from("radio").unwrap(),
        price: Amount::from_units(1),
        token: Token::Operational,
        target_ms: 2000,
        tracker: Text::try_from("ws://localhost/tracker").unwrap(),
        node: Text::try_from("").unwrap(),
        maps: Bounded::try_from(vec![Map::of(b"map").unwrap()]).unwrap(),
    }
}

fn record(sequence: u64) -> Signed<Record> {
    let bytes = vec![u8::try_from(sequence).unwrap(); 20_000];
    let record = Record::of(info().id(CHAIN), sequence, &bytes).unwrap();
    Signed::new(&key(), CHAIN, record)
}

fn head(info: &Signed<StreamInfo>) -> String {
    format!("#EXTM3U\n#EXT-X-TARGETDURATION:2\n{}\n", stream_tag(info))
}

fn text(first: u64, count: u64) -> String {
    let mut text = head(&Signed::new(&key(), CHAIN, info()));
    text += &format!("#EXT-X-MEDIA-SEQUENCE:{first}\n#EXT-X-MAP:URI=\"init.mp4\"\n");
    for sequence in first..first + count {
        let tag = record_tag(&record(sequence));
        text += &format!("{tag}\n#EXTINF:2.0,\nseg{sequence}.m4s\n");
    }
    text
}
