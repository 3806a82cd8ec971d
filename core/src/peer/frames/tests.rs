use super::*;
use crate::{
    amount::Amount,
    chain::spec::Token,
    codec::Bounded,
    crypto::Hash,
    delivery::{
        chunk::MAX_CHUNKS,
        have::{MAX_NAMED_SEGMENTS, segments},
    },
    id::{Address, StreamId},
};
use alloc::vec;

#[test]
fn every_kind_round_trips_and_every_cut_or_extra_byte_is_refused() {
    for frame in one_of_each() {
        let bytes = frame.to_bytes();
        let inner = &bytes[LENGTH_BYTES..];
        assert_eq!(Frame::from_bytes(inner), Ok(frame.clone()));
        for cut in (0..inner.len()).filter(|cut| *cut < 300 || cut % 1000 == 0) {
            assert!(Frame::from_bytes(&inner[..cut]).is_err(), "{frame:?} cut at {cut}");
        }
        let mut long = inner.to_vec();
        long.push(0);
        assert_eq!(
            Frame::from_bytes(&long).err(),
            Some(FrameError::BadBody(DecodeError::Trailing))
        );
    }
}

#[test]
fn the_encoding_does_not_change_unnoticed() {
    let all: Vec<u8> = one_of_each().iter().flat_map(Frame::to_bytes).collect();
    assert_eq!(
        Hash::of(&[&all]).to_hex(),
        "93f848105ccff266fa32fa851454900af936bc56a47c840c0935b29a576905f2"
    );
}

#[test]
fn frames_survive_any_cut_into_messages() {
    let all: Vec<u8> = one_of_each().iter().flat_map(Frame::to_bytes).collect();
    for size in [1, 2, 3, 5, 7, 100, 4096, MAX_MESSAGE] {
        let mut assembler = Assembler::default();
        let mut frames = Vec::new();
        for message in all.chunks(size) {
            assembler.push(message, &mut frames).unwrap();
            assert!(assembler.held() <= MAX_FRAME + LENGTH_BYTES);
        }
        assert_eq!(frames, one_of_each(), "messages of {size}");
        assert_eq!(assembler.held(), 0);
    }
}

#[test]
fn a_whole_chunk_fits_a_frame_and_a_message() {
    let frame = chunk(vec![7; CHUNK]);
    let bytes = frame.to_bytes();
    assert!(bytes.len() <= MAX_FRAME + LENGTH_BYTES);
    assert_eq!(messages(&bytes).count(), 1);
    let longer = vec![7; MAX_MESSAGE + 1];
    assert!(messages(&longer).all(|message| message.len() <= MAX_MESSAGE));
}

/// FIELD-NOTES c.16: p2p-media-loader took media that begins `cstr` and ends `cend` for a command.
#[test]
fn media_that_looks_like_commands_is_media() {
    let mut looks = b"cstr".to_vec();
    looks.extend(Frame::Cancel(ChunkId { sequence: 1, index: 1 }).to_bytes());
    looks.extend(b"cend");
    looks.resize(CHUNK - 4, 0);
    looks.extend(b"cend");
    let frame = chunk(looks);
    let mut assembler = Assembler::default();
    let mut frames = Vec::new();
    for message in messages(&frame.to_bytes()) {
        assembler.push(message, &mut frames).unwrap();
    }
    assert_eq!(frames, [frame]);
}

/// FIELD-NOTES c.17: p2p-media-loader wrote counts in 8 bits and lost announcements of 256 ids and more.
#[test]
fn a_thousand_ids_are_announced_whole() {
    let ids = (0..64).flat_map(|sequence| (0..1024).map(move |index| ChunkId { sequence, index }));
    let all = segments(ids.clone());
    assert_eq!((all.len(), MAX_CHUNKS), (MAX_NAMED_SEGMENTS, 1024));
    let bytes = Frame::Have(all).to_bytes();
    let Ok(Frame::Have(read)) = Frame::from_bytes(&bytes[LENGTH_BYTES..]) else {
        panic!("not read");
    };
    for segment in read.iter() {
        assert!((0..1024).all(|index| segment.chunks.contains(index)));
    }
    let removed: Vec<u64> = (0..64).collect();
    let delta = HaveDelta {
        added: segments(ids),
        removed: Bounded::try_from(removed.clone()).unwrap(),
        fetching: Bounded::try_from(removed).unwrap(),
    };
    assert!(Frame::HaveDelta(delta).to_bytes().len() <= MAX_FRAME + LENGTH_BYTES);
}

#[test]
fn lengths_out_of_range_are_refused_before_memory_is_taken() {
    for length in [0, 1, 17_409, u32::MAX] {
        let mut assembler = Assembler::default();
        let pushed = assembler.push(&length.to_le_bytes(), &mut Vec::new());
        assert_eq!(pushed, Err(FrameError::BadLength(length)));
    }
    let pushed = Assembler::default().push(&[0; MAX_MESSAGE + 1], &mut Vec::new());
    assert_eq!(pushed, Err(FrameError::LongMessage));
}

#[test]
fn versions_kinds_and_bodies_that_are_unknown_are_told_apart() {
    assert_eq!(Frame::from_bytes(&[2, 7]), Err(FrameError::BadVersion(2)));
    for kind in [0, 13, 255] {
        assert_eq!(Frame::from_bytes(&[1, kind]), Err(FrameError::UnknownKind(kind)));
    }
    let reason = Frame::from_bytes(&[1, 10, 9]);
    assert_eq!(reason, Err(FrameError::BadBody(DecodeError::NonCanonical)));
    let mut long = vec![1, 5];
    long.extend(codec::encode(&ChunkId { sequence: 1, index: 0 }));
    long.extend(u32::to_le_bytes(16_385));
    long.resize(long.len() + 16_385, 0);
    assert_eq!(Frame::from_bytes(&long), Err(FrameError::BadBody(DecodeError::OverLimit)));
}

#[test]
fn what_came_before_a_fault_is_not_lost() {
    let mut bytes = Frame::Bye(ByeReason::Leaving).to_bytes();
    bytes.extend([2, 0, 0, 0, 9, 9]);
    let mut frames = Vec::new();
    let pushed = Assembler::default().push(&bytes, &mut frames);
    assert_eq!(pushed, Err(FrameError::BadVersion(9)));
    assert_eq!(frames, [Frame::Bye(ByeReason::Leaving)]);
}

fn chunk(bytes: Vec<u8>) -> Frame {
    let id = ChunkId { sequence: 7, index: 3 };
    Frame::Chunk(ChunkBytes { id, bytes: Bounded::try_from(bytes).unwrap() })
}

fn one_of_each() -> Vec<Frame> {
    let id = ChunkId { sequence: 7, index: 3 };
    let voucher = Voucher::try_from(vec![5; 150]).unwrap();
    let terms =
        Terms { payee: Address([4; 20]), price: Amount::from_units(9), token: Token::Operational };
    let delta = HaveDelta {
        added: segments([id]),
        removed: Bounded::try_from(vec![1, 2]).unwrap(),
        fetching: Bounded::try_from(vec![8]).unwrap(),
    };
    vec![
        Frame::Hello(Hello { stream: StreamId(Hash([3; 32])), features: 0, terms: Some(terms) }),
        Frame::Have(segments([id])),
        Frame::HaveDelta(delta),
        Frame::Request(Request { id, voucher: Some(voucher.clone()) }),
        chunk(vec![6; CHUNK]),
        Frame::Refuse(Refuse { id, reason: Refusal::NoCredit }),
        Frame::Cancel(id),
        Frame::Voucher(voucher),
        Frame::PoolRef(PoolId(Hash([2; 32]))),
        Frame::Bye(ByeReason::Crowded),
        Frame::Field(Parcel::try_from(vec![7; 90]).unwrap()),
        Frame::Tick(Preimage([5; 32])),
    ]
}
