use super::*;
use mp4_atom::{
    Encode, Mdat, Mdhd, Mdia, Mfhd, Mvex, Mvhd, SegmentReference, Sidx, Tfdt, Tfhd, Traf, Trak,
    Trex, Trun, TrunEntry, TrunSamples,
};

/// Ticks of a test sample: an AAC frame.
const TICKS: u32 = 1024;

#[test]
fn a_segment_moves_and_nothing_else_changes() {
    let track = Track::read(&init()).unwrap();
    let mut moved = segment(48_000, 3);
    track.shift(&mut moved, 7000, 99).unwrap();
    assert_eq!(track.span(&moved), Ok(Span { start: 55_000, ticks: 3 * u64::from(TICKS) }));
    let back = moved.clone();
    let differing = back.iter().zip(segment(48_000, 3)).filter(|(a, b)| **a != *b).count();
    assert!(differing <= 2 + 2 + 1, "{differing} bytes differ");
    assert_eq!(moved.len(), segment(48_000, 3).len());
    let (_, body) = children(&moved).unwrap().remove(1);
    let (header, _) = children(&moved).unwrap().remove(1);
    assert_eq!(atom::<Moof>(&header, body).unwrap().mfhd.sequence_number, 99);
    let (header, body) = children(&moved).unwrap().remove(0);
    assert_eq!(atom::<Sidx>(&header, body).unwrap().earliest_presentation_time, 55_000);
}

#[test]
fn a_time_that_does_not_fit_its_field_is_refused() {
    let track = Track::read(&init()).unwrap();
    let mut end = segment(u64::MAX, 1);
    assert_eq!(track.shift(&mut end, 1, 1), Err(FragmentError::TimeOverflow));
    let mut narrow = boxed(b"tfdt", &[0, 0, 0, 0, 0xff, 0xff, 0xff, 0xf0]);
    assert_eq!(track.shift(&mut narrow, 15, 1), Ok(()));
    assert_eq!(track.shift(&mut narrow, 1, 1), Err(FragmentError::TimeOverflow));
    let mut future = boxed(b"tfdt", &[2; 12]);
    assert_eq!(track.shift(&mut future, 1, 1), Err(FragmentError::Malformed));
}

#[test]
fn every_cut_of_a_segment_is_refused_or_has_no_media() {
    let track = Track::read(&init()).unwrap();
    let whole = segment(0, 3);
    let sizes = children(&whole).unwrap().into_iter().map(|(_, body)| body.len() + 8);
    let borders: Vec<usize> =
        sizes.scan(0, |end, size| Some(std::mem::replace(end, *end + size))).collect();
    for cut in 0..whole.len() {
        let mut bytes = whole[..cut].to_vec();
        let shifted = track.shift(&mut bytes, 1, 1);
        if !borders.contains(&cut) {
            assert_eq!(shifted, Err(FragmentError::Malformed), "{cut}");
            assert!(track.span(&whole[..cut]).is_err(), "{cut}");
        }
    }
    assert!(Track::read(&init()[..100]).is_err());
}

#[test]
fn boxes_nested_deeper_than_fragments_are_refused() {
    let mut deep = (0..10).fold(Vec::new(), |inner, _| boxed(b"moof", &inner));
    let track = Track::read(&init()).unwrap();
    assert_eq!(track.shift(&mut deep, 1, 1), Err(FragmentError::Malformed));
}

#[test]
fn an_index_in_other_units_is_refused() {
    let other = Track { timescale: 1000, sample_ticks: TICKS };
    assert_eq!(other.shift(&mut segment(0, 1), 1, 1), Err(FragmentError::Timescale));
}

fn boxed(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let size = u32::try_from(body.len() + 8).unwrap();
    [&size.to_be_bytes(), kind.as_slice(), body].concat()
}

/// An initialisation segment with one track of 48 kHz.
pub(in crate::publisher) fn init() -> Vec<u8> {
    let track = Trak {
        mdia: Mdia { mdhd: Mdhd { timescale: 48_000, ..Mdhd::default() }, ..Mdia::default() },
        ..Trak::default()
    };
    let trex = Trex { track_id: 1, default_sample_duration: TICKS, ..Trex::default() };
    let moov = Moov {
        mvhd: Mvhd { timescale: 1000, ..Mvhd::default() },
        mvex: Some(Mvex { mehd: None, trex: vec![trex] }),
        trak: vec![track],
        ..Moov::default()
    };
    let mut bytes = Vec::new();
    moov.encode(&mut bytes).unwrap();
    bytes
}

/// A segment that starts at `start` and has `samples` frames, the last with a duration of its own.
pub(in crate::publisher) fn segment(start: u64, samples: u32) -> Vec<u8> {
    let entry = TrunEntry { duration: Some(TICKS), ..TrunEntry::default() };
    let entries = vec![entry; usize::try_from(samples).unwrap()];
    let trun = Trun { data_offset: Some(0), samples: TrunSamples::Explicit(entries) };
    let traf = Traf {
        tfhd: Tfhd { track_id: 1, ..Tfhd::default() },
        tfdt: Some(Tfdt { base_media_decode_time: start }),
        trun: vec![trun],
        ..Traf::default()
    };
    let reference = SegmentReference {
        reference_type: false,
        referenced_size: 0,
        subsegment_duration: 0,
        starts_with_sap: true,
        sap_type: 1,
        sap_delta_time: 0,
    };
    let sidx = Sidx {
        reference_id: 1,
        timescale: 48_000,
        earliest_presentation_time: start,
        first_offset: 0,
        references: vec![reference],
    };
    let mut bytes = Vec::new();
    sidx.encode(&mut bytes).unwrap();
    Moof { mfhd: Mfhd { sequence_number: 1 }, traf: vec![traf] }.encode(&mut bytes).unwrap();
    Mdat { data: vec![1, 2, 3] }.encode(&mut bytes).unwrap();
    bytes
}
