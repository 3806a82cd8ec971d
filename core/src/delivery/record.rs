//! What a publisher signs: its stream once, and a record for every segment.
//!
//! ```text
//! StreamId   = H("stream/v1/id", publisher, name)
//! StreamInfo = publisher | name | price | token | target | tracker | node | maps | heirs
//! Map        = length | BLAKE3 digest
//! Record     = stream | sequence | length | one BLAKE3 digest for every 16 KiB chunk
//! ```
//!
//! A map sets up the decoder of every segment after it, so the stream's own description answers for it.
//!
//! Source: FIELD-NOTES recommendation 1. Deviation: a flat list of digests where the notes say a Merkle root;
//! an audio segment has 2 to 8 chunks, so the list is smaller than the proofs it saves.

use super::{
    chunk::{self, MAX_CHUNKS},
    heir::{self, Heirs},
};
use crate::{
    amount::Amount,
    chain::spec::Token,
    codec::{self, Bounded, Text},
    crypto::{PublicKey, Tagged, hash_tagged},
    id::{ChainId, StreamId},
};
use alloc::vec::Vec;
use borsh::{BorshDeserialize, BorshSerialize};

/// Longest encoding of a signed record: ids, lengths, digests, signature.
pub const MAX_RECORD_BYTES: usize = 32 + 8 + 4 + 4 + 32 * MAX_CHUNKS + 64;

/// Longest encoding of a signed stream description.
pub const MAX_INFO_BYTES: usize = 3072;

/// Longest map, in bytes. Chosen here: that of an audio track has less than 2 KiB.
pub const MAX_MAP: usize = 64 * 1024;

/// Maps that a stream has at one time. Chosen here: a source changes its encoder seldom, not with every segment.
pub const MAX_MAPS: usize = 16;

/// A stream as its publisher describes it.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct StreamInfo {
    /// Whose stream it is, and who signs if it has no heir.
    pub publisher: PublicKey,
    /// The publisher's name for it; unique among its streams.
    pub name: Text<64>,
    /// What a listener owes the peer that brought it one chunk.
    pub price: Amount,
    /// The token of the price.
    pub token: Token,
    /// Milliseconds that a segment lasts at most.
    pub target_ms: u32,
    /// URL of the tracker (`ws:` or `wss:`), or those of several with spaces between; empty for none.
    pub tracker: Text<256>,
    /// URL of a node's RPC; empty for none.
    pub node: Text<256>,
    /// Every map that a listed segment may need; empty for containers without one.
    pub maps: Bounded<Map, MAX_MAPS>,
    /// The keys that took over from the publisher's first; the last one signs stream and records.
    pub heirs: Heirs,
}

impl StreamInfo {
    /// Returns the stream's id on `chain`.
    pub fn id(&self, chain: ChainId) -> StreamId {
        stream_id(chain, self.publisher, &self.name)
    }

    /// Returns the key that signs stream and records, or `None` if an heir was not named by the key before it.
    pub fn signer(&self) -> Option<PublicKey> {
        heir::signer(self.publisher, &self.heirs)
    }

    /// Checks that these bytes are a map of the stream.
    ///
    /// # Errors
    /// [`MapFault`], one variant a cause.
    pub fn check_map(&self, bytes: &[u8]) -> Result<(), MapFault> {
        if bytes.len() > MAX_MAP {
            return Err(MapFault::TooLong);
        }
        let found = Map::of(bytes).map_err(|_| MapFault::NotSigned)?;
        if self.maps.contains(&found) { Ok(()) } else { Err(MapFault::NotSigned) }
    }
}

/// Returns the id on `chain` of what this publisher calls by this name.
pub fn stream_id(chain: ChainId, publisher: PublicKey, name: &Text<64>) -> StreamId {
    StreamId(hash_tagged("stream/v1/id", chain, &codec::encode(&(publisher, name))))
}

impl Tagged for StreamInfo {
    // The third form: the first had no maps, the second no heirs.
    const TAG: &'static str = "stream/v3/info";
}

/// An initialisation segment (`EXT-X-MAP`, RFC 8216 §4.3.2.5) as its publisher describes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Map {
    /// Its length in bytes.
    pub length: u32,
    /// The BLAKE3 digest of its bytes.
    pub digest: [u8; 32],
}

impl Map {
    /// Describes the bytes of a map.
    ///
    /// # Errors
    /// [`RecordError`] if there is no byte, or more than [`MAX_MAP`].
    pub fn of(bytes: &[u8]) -> Result<Self, RecordError> {
        if bytes.is_empty() {
            return Err(RecordError::Empty);
        }
        let length = u32::try_from(bytes.len()).map_err(|_| RecordError::MapTooLong)?;
        if bytes.len() > MAX_MAP {
            return Err(RecordError::MapTooLong);
        }
        Ok(Self { length, digest: *blake3::hash(bytes).as_bytes() })
    }
}

/// Why bytes are not a map of the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MapFault {
    /// More bytes than a map may have.
    #[error("a map is at most {MAX_MAP} bytes")]
    TooLong,
    /// The publisher's description of the stream holds no map of this length and digest.
    #[error("the publisher has not signed this map")]
    NotSigned,
}

impl MapFault {
    /// Returns the stable code of this fault.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooLong => "map/too-long",
            Self::NotSigned => "map/not-signed",
        }
    }
}

/// A segment as its publisher describes it.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Record {
    /// The stream it belongs to.
    pub stream: StreamId,
    /// Its media sequence number; [`super::rendition`] says what is in it.
    pub sequence: u64,
    /// Its length in bytes.
    pub length: u32,
    /// The BLAKE3 digest of every chunk, in order.
    pub chunks: Bounded<[u8; 32], MAX_CHUNKS>,
}

impl Tagged for Record {
    const TAG: &'static str = "stream/v1/record";
}

/// Why bytes cannot have a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// A segment has at least one byte.
    #[error("an empty segment has no record")]
    Empty,
    /// A segment has at most 1024 chunks.
    #[error("a segment is at most {} bytes", chunk::MAX_SEGMENT)]
    TooLong,
    /// A map has at most 64 KiB.
    #[error("a map is at most {MAX_MAP} bytes")]
    MapTooLong,
}

impl RecordError {
    /// Returns the stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Empty => "record/empty",
            Self::TooLong => "record/too-long",
            Self::MapTooLong => "record/map-too-long",
        }
    }
}

impl Record {
    /// Describes the bytes of a segment.
    ///
    /// # Errors
    /// [`RecordError`] if there is no byte, or more than a segment may have.
    pub fn of(stream: StreamId, sequence: u64, bytes: &[u8]) -> Result<Self, RecordError> {
        if bytes.is_empty() {
            return Err(RecordError::Empty);
        }
        let digests: Vec<[u8; 32]> =
            bytes.chunks(chunk::CHUNK).map(|part| *blake3::hash(part).as_bytes()).collect();
        let chunks = Bounded::try_from(digests).map_err(|_| RecordError::TooLong)?;
        let length = u32::try_from(bytes.len()).map_err(|_| RecordError::TooLong)?;
        Ok(Self { stream, sequence, length, chunks })
    }

    /// Returns whether there is exactly one digest for every 16 KiB begun, and at least one.
    pub fn is_consistent(&self) -> bool {
        self.length > 0
            && usize::try_from(self.length)
                .is_ok_and(|n| n.div_ceil(chunk::CHUNK) == self.chunks.len())
    }

    /// Returns whether these bytes are the whole segment. Costs one BLAKE3 of the bytes.
    pub fn describes(&self, bytes: &[u8]) -> bool {
        bytes.len() <= chunk::MAX_SEGMENT
            && Self::of(self.stream, self.sequence, bytes).is_ok_and(|found| found == *self)
    }

    /// Returns the number of chunks.
    pub fn count(&self) -> u16 {
        u16::try_from(self.chunks.len()).unwrap_or(u16::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        crypto::{Hash, SecretKey, Signed},
        delivery::heir::{Heir, MAX_HEIRS},
    };
    use alloc::vec;

    const CHAIN: ChainId = ChainId(Hash([9; 32]));
    const MAP: [u8; 9] = *b"ftyp moov";

    #[test]
    fn a_record_has_one_digest_for_every_chunk_begun() {
        for (length, count) in [(1, 1), (16_384, 1), (16_385, 2), (49_152, 3)] {
            let record = Record::of(StreamId::default(), 7, &vec![1; length]).unwrap();
            assert_eq!(usize::from(record.count()), count, "{length}");
            assert!(record.is_consistent());
        }
        assert_eq!(Record::of(StreamId::default(), 7, &[]), Err(RecordError::Empty));
        let long = vec![0; chunk::MAX_SEGMENT + 1];
        assert_eq!(Record::of(StreamId::default(), 7, &long), Err(RecordError::TooLong));
    }

    #[test]
    fn a_record_describes_its_segment_and_nothing_else() {
        let bytes = vec![1; 20_000];
        let record = Record::of(StreamId::default(), 7, &bytes).unwrap();
        assert!(record.describes(&bytes));
        for at in [0, 16_383, 16_384, 19_999] {
            let mut altered = bytes.clone();
            altered[at] ^= 1;
            assert!(!record.describes(&altered), "byte {at}");
        }
        let longer = [&bytes[..], &[1]].concat();
        let huge = vec![1; chunk::MAX_SEGMENT + 1];
        for other in [&bytes[..16_384], &bytes[..19_999], &longer, &huge, &[]] {
            assert!(!record.describes(other), "{} bytes", other.len());
        }
    }

    #[test]
    fn a_record_with_a_digest_too_many_or_too_few_is_inconsistent() {
        let good = Record::of(StreamId::default(), 7, &[1; 20_000]).unwrap();
        assert!(!Record { length: 16_384, ..good.clone() }.is_consistent());
        assert!(!Record { length: 40_000, ..good.clone() }.is_consistent());
        assert!(!Record { length: 0, chunks: Bounded::new(), ..good }.is_consistent());
    }

    #[test]
    fn a_stream_is_named_by_chain_publisher_and_name_alone() {
        let info = info();
        let dearer = StreamInfo { price: Amount::from_units(2), ..info.clone() };
        let other = StreamInfo { name: Text::try_from("b").unwrap(), ..info.clone() };
        assert_eq!(info.id(CHAIN), dearer.id(CHAIN));
        assert_ne!(info.id(CHAIN), other.id(CHAIN));
        assert_ne!(info.id(CHAIN), info.id(ChainId::default()));
    }

    #[test]
    fn only_a_map_that_the_publisher_described_is_one() {
        let info = info();
        assert_eq!(info.check_map(&MAP), Ok(()));
        for at in 0..MAP.len() {
            let mut altered = MAP;
            altered[at] ^= 1;
            assert_eq!(info.check_map(&altered), Err(MapFault::NotSigned), "byte {at}");
            assert_eq!(info.check_map(&MAP[..at]), Err(MapFault::NotSigned), "cut at {at}");
        }
        let longer = [MAP.as_slice(), &[0]].concat();
        assert_eq!(info.check_map(&longer), Err(MapFault::NotSigned));
        assert_eq!(info.check_map(&vec![0; MAX_MAP]), Err(MapFault::NotSigned));
        assert_eq!(info.check_map(&vec![0; MAX_MAP + 1]), Err(MapFault::TooLong));
        let none = StreamInfo { maps: Bounded::new(), ..info };
        assert_eq!(none.check_map(&MAP), Err(MapFault::NotSigned));
        assert_eq!(Map::of(&[]), Err(RecordError::Empty));
        assert_eq!(Map::of(&vec![0; MAX_MAP + 1]), Err(RecordError::MapTooLong));
    }

    #[test]
    fn a_description_with_a_map_too_many_is_refused_before_it_is_read() {
        let key = SecretKey::from_bytes(&[3; 32]);
        let bytes = Signed::new(&key, CHAIN, info()).to_bytes();
        let count = bytes.len() - 64 - 4 - 36 - 4;
        assert_eq!(bytes[count..count + 4], [1, 0, 0, 0]);
        let mut many = bytes;
        many[count] = u8::try_from(MAX_MAPS + 1).unwrap();
        let read = codec::decode::<Signed<StreamInfo>>(&many, MAX_INFO_BYTES);
        assert_eq!(read.err(), Some(codec::DecodeError::OverLimit));
    }

    #[test]
    fn the_signed_digests_are_what_they_always_were() {
        // Made here: pins tags, field orders and widths.
        let golden = "18f3b87fc243dcbce95931838e6448c66712bc412513bab583321fb4ea30c4f6";
        assert_eq!(info().digest(CHAIN).to_hex(), golden);
        let record = Record::of(info().id(CHAIN), 7, &[1; 20_000]).unwrap();
        let golden = "087a4086de98b0b4c74d7ec4fbae7a048a36e3dbde2645ecdce5b82a52416d10";
        assert_eq!(record.digest(CHAIN).to_hex(), golden);
    }

    #[test]
    fn signed_forms_round_trip_and_every_cut_is_refused() {
        let key = SecretKey::from_bytes(&[3; 32]);
        let record = Record::of(info().id(CHAIN), 7, &[1; 20_000]).unwrap();
        let signed = Signed::new(&key, CHAIN, record);
        let bytes = signed.to_bytes();
        assert_eq!(codec::decode(&bytes, MAX_RECORD_BYTES), Ok(signed));
        for cut in 0..bytes.len() {
            assert!(codec::decode::<Signed<Record>>(&bytes[..cut], MAX_RECORD_BYTES).is_err());
        }
        let signed = Signed::new(&key, CHAIN, info());
        let mut bytes = signed.to_bytes();
        assert_eq!(codec::decode(&bytes, MAX_INFO_BYTES), Ok(signed));
        bytes.push(0);
        let trailing = codec::decode::<Signed<StreamInfo>>(&bytes, MAX_INFO_BYTES);
        assert_eq!(trailing.err(), Some(codec::DecodeError::Trailing));
    }

    #[test]
    fn the_longest_record_and_stream_description_fit_their_limits() {
        let key = SecretKey::from_bytes(&[3; 32]);
        let longest = vec![0; chunk::MAX_SEGMENT];
        let record = Record::of(StreamId::default(), u64::MAX, &longest).unwrap();
        assert_eq!(Signed::new(&key, CHAIN, record).to_bytes().len(), MAX_RECORD_BYTES);
        let url = "x".repeat(256);
        let heir = Heir::new(&key, key.public(), 0, key.public());
        let info = StreamInfo {
            name: Text::try_from("n".repeat(64).as_str()).unwrap(),
            tracker: Text::try_from(url.as_str()).unwrap(),
            node: Text::try_from(url.as_str()).unwrap(),
            maps: Bounded::try_from(vec![Map::of(&[1]).unwrap(); MAX_MAPS]).unwrap(),
            heirs: Bounded::try_from(vec![heir; MAX_HEIRS]).unwrap(),
            ..info()
        };
        assert!(Signed::new(&key, CHAIN, info).to_bytes().len() <= MAX_INFO_BYTES);
    }

    fn info() -> StreamInfo {
        StreamInfo {
            publisher: SecretKey::from_bytes(&[3; 32]).public(),
            name: Text::try_from("a").unwrap(),
            price: Amount::from_units(1),
            token: Token::Operational,
            target_ms: 2000,
            tracker: Text::try_from("ws://localhost/tracker").unwrap(),
            node: Text::try_from("").unwrap(),
            maps: Bounded::try_from(vec![Map::of(&MAP).unwrap()]).unwrap(),
            heirs: Bounded::new(),
        }
    }
}
