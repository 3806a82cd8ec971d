//! A publisher with its HTTP server: signs the stream and a record for each segment, serves playlist and ranges.

use super::dice::Dice;
use antiphon_core::{
    amount::Amount,
    chain::spec::Token,
    client::HttpAnswer,
    codec::{Bounded, Text},
    crypto::{SecretKey, Signed},
    delivery::{
        playlist::{record_tag, stream_tag},
        record::{Map, Record, StreamInfo},
    },
    id::{ChainId, StreamId},
};

/// URL of the playlist.
pub const PLAYLIST: &str = "http://origin/live.m3u8";
/// URL of the tracker, as the stream names it.
pub const TRACKER: &str = "ws://tracker";
/// Milliseconds of a segment.
pub const SEGMENT_MS: u64 = 2000;
/// Bytes of a segment: 160 kbit/s, three chunks, the last one short.
const SEGMENT_BYTES: usize = 40_000;
/// The bytes of the one map.
const MAP: &[u8] = b"how to decode what follows";
/// Segments that the playlist lists.
const WINDOW: usize = 10;

/// A live stream.
#[derive(Debug)]
pub struct Origin {
    key: SecretKey,
    chain: ChainId,
    info: Signed<StreamInfo>,
    segments: Vec<(Vec<u8>, Signed<Record>)>,
    /// Whether it answers.
    pub is_up: bool,
    /// Changes one bit of the map that it serves.
    pub alters_map: bool,
}

impl Origin {
    /// Starts a stream of this price a chunk.
    pub fn new(chain: ChainId, price: Amount) -> Self {
        let key = SecretKey::from_bytes(&[99; 32]);
        let info = StreamInfo {
            publisher: key.public(),
            name: Text::try_from("sim").unwrap(),
            price,
            token: Token::Operational,
            target_ms: SEGMENT_MS as u32,
            tracker: Text::try_from(TRACKER).unwrap(),
            node: Text::try_from("").unwrap(),
            maps: vec![Map::of(MAP).unwrap()].try_into().unwrap(),
            heirs: Bounded::new(),
        };
        let info = Signed::new(&key, chain, info);
        Self { key, chain, info, segments: Vec::new(), is_up: true, alters_map: false }
    }

    /// Returns the stream's id.
    pub fn stream(&self) -> StreamId {
        self.info.body.id(self.chain)
    }

    /// Adds a segment of noise.
    pub fn publish(&mut self, dice: &mut Dice) {
        let mut bytes = Vec::new();
        while bytes.len() < SEGMENT_BYTES {
            bytes.extend(dice.bytes());
        }
        let record = Record::of(self.stream(), self.segments.len() as u64, &bytes).unwrap();
        let record = Signed::new(&self.key, self.chain, record);
        self.segments.push((bytes, record));
    }

    /// Returns a segment.
    pub fn segment(&self, sequence: u64) -> &[u8] {
        &self.segments[sequence as usize].0
    }

    /// Returns the sequence numbers that the playlist lists.
    pub fn listed(&self) -> std::ops::Range<u64> {
        let end = self.segments.len();
        end.saturating_sub(WINDOW) as u64..end as u64
    }

    /// Returns the playlist.
    pub fn playlist(&self) -> String {
        let listed = self.listed();
        let mut text = format!(
            "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:{}\n\
             {}\n#EXT-X-MAP:URI=\"init.mp4\"\n",
            listed.start,
            stream_tag(&self.info),
        );
        for sequence in listed {
            let (_, record) = &self.segments[sequence as usize];
            text += &format!("{}\n#EXTINF:2.000,\nseg{sequence}.m4s\n", record_tag(record));
        }
        text
    }

    /// Returns the map as the publisher signed it.
    pub const fn map(&self) -> &'static [u8] {
        MAP
    }

    /// Answers a player's request for the map.
    pub fn get_map(&self) -> Vec<u8> {
        let mut bytes = MAP.to_vec();
        if let Some(last) = bytes.last_mut().filter(|_| self.alters_map) {
            *last ^= 1;
        }
        bytes
    }

    /// Answers a request for a segment by its name in the playlist.
    pub fn get(&self, name: &str, range: Option<(u64, u64)>) -> Option<HttpAnswer> {
        let sequence: usize = name.strip_prefix("seg")?.strip_suffix(".m4s")?.parse().ok()?;
        let (bytes, _) = self.segments.get(sequence).filter(|_| self.is_up)?;
        let (status, body) = match range {
            Some((from, to)) => (206, bytes.get(from as usize..(to as usize).min(bytes.len()))?),
            None => (200, bytes.as_slice()),
        };
        Some(HttpAnswer { status, body: body.to_vec() })
    }
}
