use super::*;
use crate::{
    amount::Amount,
    chain::spec::Token,
    codec::{Bounded, Text},
    crypto::{Hash, SecretKey},
    delivery::{heir::Heir, record::Map, rendition},
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
    assert_eq!(last.record, Ok(Some(record(9))));
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
fn the_newest_records_are_verified_at_once_and_each_other_when_it_is_needed() {
    let mut reader = Reader::new(CHAIN, Expected::Anyone);
    assert_eq!(reader.verify(7), None);
    let mut forged = record(8);
    forged.signature.0[3] ^= 1;
    let long = text(7, 9).replace(&record_tag(&record(8)), &record_tag(&forged));
    let listed = reader.read(&long).unwrap().segments;
    let at_once = listed.iter().map(|s| s.record.clone().map(|it| it.is_some()));
    assert!(at_once.eq([false, false, false, false, false, true, true, true, true].map(Ok)));
    assert_eq!(reader.verify(7), Some(Ok(record(7))));
    assert_eq!(reader.verify(8), Some(Err(RecordFault::BadSignature)));
    assert_eq!(reader.verify(8), Some(Err(RecordFault::BadSignature)), "once more");
    assert_eq!(reader.verify(15), Some(Ok(record(15))));
    assert_eq!((reader.verify(6), reader.verify(16)), (None, None));
    let next = reader.read(&text(8, 9)).unwrap().segments;
    let known = next.iter().map(|s| matches!(s.record, Ok(Some(_))));
    assert!(known.eq([false, false, false, false, true, true, true, true, true]));
    assert_eq!((reader.verify(7), reader.verify(8)), (None, Some(Ok(record(8)))));
    let all = Reader::new(CHAIN, Expected::Anyone).read_all(&long).unwrap().segments;
    assert_eq!(all[1].record, Err(RecordFault::BadSignature));
    assert_eq!(all.iter().filter_map(Segment::verified).count(), 8);
}

#[test]
fn what_nobody_has_verified_yet_outlives_the_lists_that_follow_while_there_is_room() {
    let mut reader = Reader::new(CHAIN, Expected::Anyone);
    let second = rendition::sequence(1, 7).unwrap();
    reader.read(&text(second, 6)).unwrap();
    reader.read(&text(7, 6)).unwrap();
    reader.read(&text(9, 6)).unwrap();
    let stripped = text(8, 6).replace("#EXT-X-ANTIPHON-RECORD", "#EXT-X-OTHER");
    reader.read(&stripped).unwrap();
    for left in [7, 8, second, second + 1] {
        assert_eq!(reader.verify(left), Some(Ok(record(left))));
    }
    assert_eq!(reader.verify(9), None, "whoever was told of it has learned it");
    reader.read(&text(20, 12)).unwrap();
    assert!(!reader.read(&text(20, 2)).unwrap().is_anew);
    assert!(reader.verify(22).is_some(), "a list that is merely old");
    assert!(reader.read(&text(18, 2)).unwrap().is_anew);
    assert_eq!((reader.verify(19).is_some(), reader.verify(22)), (true, None), "counted anew");
    let mut full = Reader::new(CHAIN, Expected::Anyone);
    full.read(&text(second, 6)).unwrap();
    full.read(&text(7, MAX_SEGMENTS as u64 - 1)).unwrap();
    assert_eq!((full.verify(second), full.listed.len()), (None, MAX_SEGMENTS - 1));
}

#[test]
fn other_segments_under_the_newest_numbers_are_counted_anew_and_older_ones_are_not_looked_at() {
    let mut reader = Reader::new(CHAIN, Expected::Anyone);
    assert!(!reader.read(&text(7, 9)).unwrap().is_anew, "the first list");
    let body = Record::of(info().id(CHAIN), 14, b"another").unwrap();
    let anew = record_tag(&Signed::new(&key(), CHAIN, body));
    let other = text(7, 9).replace(&record_tag(&record(14)), &anew);
    assert!(reader.read(&other).unwrap().is_anew);
    assert!(!reader.read(&other).unwrap().is_anew, "once");
    assert!(!reader.read(&text(10, 9)).unwrap().is_anew, "14 is not among the newest");
}

#[test]
fn a_list_in_which_something_is_seen_to_be_wrong_is_not_remembered_unless_it_is_the_first() {
    let mut forged = record(10);
    forged.signature.0[3] ^= 1;
    let lie = |whole: String| whole.replace(&record_tag(&record(10)), &record_tag(&forged));
    let mut reader = Reader::new(CHAIN, Expected::Anyone);
    assert_eq!(reader.read(&lie(text(7, 4))).unwrap().fault(), Some(RecordFault::BadSignature));
    assert_eq!(reader.verify(7), Some(Ok(record(7))), "the player may have nothing else");
    reader.read(&text(7, 9)).unwrap();
    let before = format!("{reader:?}");
    let refused =
        [reader.read(&lie(text(5, 6))), reader.read_for(&lie(text(5, 19)), |it| it == 10)];
    for playlist in refused.map(Result::unwrap) {
        assert_eq!((playlist.fault(), playlist.is_anew), (Some(RecordFault::BadSignature), false));
    }
    assert_eq!(format!("{reader:?}"), before);
    assert_eq!(reader.read(&lie(text(5, 19))).unwrap().fault(), None, "nobody needs it");
}

#[test]
fn what_an_old_key_signed_is_not_taken_from_an_earlier_list_once_an_heir_signs() {
    let heir = SecretKey::from_bytes(&[5; 32]);
    let mut reader = Reader::new(CHAIN, Expected::Publisher(key().public()));
    let second = rendition::sequence(1, 7).unwrap();
    reader.read(&text(second, 6)).unwrap();
    let heirs = [named(&key(), 0, &heir)];
    reader.read(&signed_by(&heir, &heirs, 7)).unwrap();
    assert_eq!(reader.verify(second), Some(Ok(record(second))), "listed while it was the key");
    let inherited = signed_by(&heir, &heirs, second);
    let head: String = inherited.split_inclusive('\n').take(3).collect();
    let old = text(second, 6);
    let stolen: String = old.split_inclusive('\n').skip(3).collect();
    let read = reader.read_all(&(head + &stolen)).unwrap();
    assert!(read.segments.iter().all(|s| s.record == Err(RecordFault::BadSignature)));
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
    for past in [rendition::END, 1 << 53, u64::MAX - 1, u64::MAX] {
        let past = text(7, 1).replace("SEQUENCE:7", &format!("SEQUENCE:{past}"));
        assert_eq!(reader.read(&past), Err(PlaylistError::BadNumber));
    }
    let last = text(7, 1).replace("SEQUENCE:7", &format!("SEQUENCE:{}", rendition::END - 1));
    assert!(reader.read(&last).is_ok());
    let after = text(7, 2).replace("SEQUENCE:7", &format!("SEQUENCE:{}", rendition::END - 1));
    assert_eq!(reader.read(&after), Err(PlaylistError::BadNumber));
    for absurd in ["-2.0", "-0.0", "1e300", "inf", "NaN", "99999999999999999999", "0x2"] {
        let absurd = text(7, 1).replace("#EXTINF:2.0,", &format!("#EXTINF:{absurd},"));
        assert_eq!(reader.read(&absurd), Err(PlaylistError::BadNumber));
    }
    let tags = text(7, 1) + &"#EXT-X-GAP\n".repeat(MAX_LINES);
    assert_eq!(reader.read(&tags), Err(PlaylistError::TooLong));
    let wide = text(7, 1) + "#" + &"w".repeat(1 << 20) + "\n";
    assert!(reader.read(&wide).is_ok(), "a long line that does not concern us");
    let timeless = text(7, 1).replace("#EXTINF:2.0,", "#EXT-X-GAP");
    assert_eq!(reader.read(&timeless), Err(PlaylistError::BadNumber));
}

#[test]
fn refused_playlists_leave_a_reader_as_it_was() {
    let mut reader = Reader::new(CHAIN, Expected::Anyone);
    reader.read(&text(7, 3)).unwrap();
    let before = format!("{reader:?}");
    let stray = StreamInfo { name: Text::try_from("other").unwrap(), ..info() };
    for hostile in [
        String::from("#EXTM3U\n"),
        String::from("\u{fffd}\u{fffd}\n"),
        text(7, 3).replace("#EXT-X-ANTIPHON-STREAM:", "#EXT-X-ANTIPHON-STREAM:\u{fffd}"),
        text(8, 3) + "#EXT-X-MEDIA-SEQUENCE:1\n",
        text(8, 3).replace("SEQUENCE:8", "SEQUENCE:18446744073709551615"),
        text(8, 3) + "#EXT-X-STREAM-INF:BANDWIDTH=1\n",
        text(8, 2) + "#EXTINF:-1,\nx\n",
        head(&Signed::new(&key(), CHAIN, stray)),
    ] {
        assert!(reader.read(&hostile).is_err());
        assert_eq!(format!("{reader:?}"), before);
    }
}

#[test]
fn a_record_under_two_tags_or_listed_twice_counts_at_its_own_number_alone() {
    let mut reader = Reader::new(CHAIN, Expected::Anyone);
    let tag = record_tag(&record(7));
    let doubled = text(7, 2).replace(&tag, &format!("{tag}\n{tag}"));
    assert!(reader.read(&doubled).unwrap().segments.iter().all(|s| s.record.is_ok()));
    let again = text(7, 1) + &format!("{tag}\n#EXTINF:2.0,\nseg7.m4s\n");
    let playlist = reader.read(&again).unwrap();
    assert!(playlist.segments[0].record.is_ok());
    assert_eq!(playlist.segments[1].record, Err(RecordFault::WrongSequence));
}

#[test]
fn an_heir_that_the_key_before_named_signs_on_and_the_old_key_no_more() {
    let (heir, thief) = (SecretKey::from_bytes(&[5; 32]), SecretKey::from_bytes(&[6; 32]));
    let mut reader = Reader::new(CHAIN, Expected::Publisher(key().public()));
    let before = reader.read(&text(7, 2)).unwrap();
    assert_eq!(before.signer, key().public());
    let inherited = signed_by(&heir, &[named(&key(), 0, &heir)], 7);
    let after = reader.read(&inherited).unwrap();
    assert_eq!((after.stream, after.signer), (before.stream, heir.public()));
    assert!(after.segments.iter().all(|segment| segment.record.is_ok()));
    let cases = [
        ("the key that was given up", text(8, 2), PlaylistError::OldKey),
        (
            "another heir of it",
            signed_by(&thief, &[named(&key(), 0, &thief)], 8),
            PlaylistError::OldKey,
        ),
        (
            "a second heir that the first did not name",
            signed_by(&thief, &[named(&key(), 0, &heir), named(&key(), 1, &thief)], 8),
            PlaylistError::BadHeir,
        ),
        (
            "the old key with the new list",
            signed_by(&key(), &[named(&key(), 0, &heir)], 8),
            PlaylistError::BadSignature,
        ),
    ];
    let state = format!("{reader:?}");
    for (case, text, error) in cases {
        assert_eq!(reader.read(&text), Err(error), "{case}");
        assert_eq!(format!("{reader:?}"), state, "{case}");
    }
    let records = inherited.replace(&tag_of(&heir, 8), &tag_of(&key(), 8));
    let playlist = reader.read(&records).unwrap();
    assert_eq!(playlist.segments[1].record, Err(RecordFault::BadSignature));
}

/// A playlist of two segments with everything signed by `signer`.
fn signed_by(signer: &SecretKey, heirs: &[Heir], first: u64) -> String {
    let heirs = Bounded::try_from(heirs.to_vec()).unwrap();
    let mut text = head(&Signed::new(signer, CHAIN, StreamInfo { heirs, ..info() }));
    text += &format!("#EXT-X-MEDIA-SEQUENCE:{first}\n");
    for sequence in first..first + 2 {
        text += &format!("{}\n#EXTINF:2.0,\nseg{sequence}.m4s\n", tag_of(signer, sequence));
    }
    text
}

fn named(old: &SecretKey, before: u8, heir: &SecretKey) -> Heir {
    Heir::new(old, key().public(), before, heir.public())
}

fn tag_of(signer: &SecretKey, sequence: u64) -> String {
    record_tag(&Signed::new(signer, CHAIN, record(sequence).body))
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
        heirs: Bounded::new(),
    }
}

fn record(sequence: u64) -> Signed<Record> {
    let bytes = vec![u8::try_from(sequence % 256).unwrap(); 20_000];
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
