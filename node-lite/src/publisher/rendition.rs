//! One rendition: its segments, and where its numbers, dates and source go on.
//!
//! Invariant: what was given a number is in the memory before it is signed; so after a crash the same file is signed
//! again under the same number, or nothing.

use super::{
    SegmentError, clock,
    map::NamedMap,
    segment::{Container, Segment},
    short_digest,
};
use antiphon_core::{
    crypto::{SecretKey, Signed},
    delivery::{
        record::Record,
        rendition::{self, MAX_RENDITIONS},
    },
    id::{ChainId, StreamId},
    time::UnixMillis,
};
use borsh::{BorshDeserialize, BorshSerialize};
use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

/// Longest name of a rendition, in bytes.
const MAX_NAME: usize = 255;

/// Longest list of codecs, in bytes. Chosen here: audio has one.
const MAX_CODECS: usize = 64;

/// What a multivariant playlist says of a rendition, as far as its source says it.
#[derive(Clone, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Offer {
    /// Bits per second; measured if the source does not say.
    pub bandwidth: Option<u64>,
    /// As RFC 6381 writes it; not said if the source does not say.
    pub codecs: Option<String>,
}

/// Why a rendition is not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RenditionError {
    /// No room.
    #[error("a stream has at most {MAX_RENDITIONS} renditions")]
    TooMany,
    /// Its name is too long, or its codecs are none.
    #[error("a rendition's name or codecs cannot be written into a playlist")]
    BadOffer,
}

impl RenditionError {
    /// Returns the stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooMany => "rendition/too-many",
            Self::BadOffer => "rendition/bad-offer",
        }
    }
}

/// What is known of a rendition beside its segments.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Standing {
    /// The source's name for it.
    pub name: String,
    /// What is said of it.
    pub offer: Offer,
    /// The number of its next segment.
    pub next: u64,
    /// Discontinuities up to it.
    pub discontinuities: u64,
    /// Number in the source of the segment that follows.
    pub source: Option<u64>,
    /// When the last segment ended, in Unix milliseconds.
    pub due: Option<u64>,
    /// The map of what follows.
    pub(super) map: Option<NamedMap>,
}

/// A segment that has a number.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Entry {
    pub(super) name: String,
    pub(super) container: Container,
    pub(super) map: Option<NamedMap>,
    pub(super) record: Record,
    pub(super) micros: u64,
    pub(super) date: u64,
    pub(super) is_discontinuous: bool,
    /// Discontinuities before it, its own not counted.
    pub(super) discontinuities: u64,
    pub(super) encryption: Option<String>,
}

/// A rendition as the disk keeps it.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Kept {
    /// Where it stands.
    pub standing: Standing,
    /// Its segments, oldest first.
    pub entries: Vec<Entry>,
}

/// One rendition.
#[derive(Debug)]
pub(super) struct Rendition {
    pub(super) index: u8,
    pub(super) standing: Standing,
    /// Oldest first. Those that are signed are stored; they come before those that wait for it.
    pub(super) entries: VecDeque<(Entry, Option<Signed<Record>>)>,
}

impl Rendition {
    pub(super) fn new(index: u8, name: &str, offer: Offer) -> Result<Self, RenditionError> {
        if index >= MAX_RENDITIONS {
            return Err(RenditionError::TooMany);
        }
        if name.len() > MAX_NAME || !offer.codecs.as_deref().is_none_or(is_codecs) {
            return Err(RenditionError::BadOffer);
        }
        let standing = Standing {
            name: name.to_owned(),
            offer,
            next: 0,
            discontinuities: 0,
            source: None,
            due: None,
            map: None,
        };
        Ok(Self { index, standing, entries: VecDeque::new() })
    }

    /// Goes on from what was kept, with the newest run of segments whose files are whole. Those of another stream, for the
    /// chain or the key is another one now, are left behind; numbers go on all the same.
    pub(super) fn restore(
        index: u8,
        kept: Kept,
        stream: StreamId,
        files: &BTreeMap<String, Vec<u8>>,
        sign: impl Fn(Record) -> Signed<Record>,
    ) -> Self {
        let Kept { mut standing, entries } = kept;
        let is_there = |map: &NamedMap| files.get(&map.name).is_some_and(|bytes| map.is(bytes));
        standing.map = standing.map.filter(is_there);
        let is_whole = |entry: &Entry| {
            let bytes = files.get(&entry.name);
            entry.record.stream == stream
                && bytes.is_some_and(|bytes| entry.record.describes(bytes))
                && entry.map.as_ref().is_none_or(is_there)
        };
        let whole = entries.into_iter().rev().take_while(is_whole);
        let mut entries: VecDeque<_> =
            whole.map(|entry| (entry.clone(), Some(sign(entry.record)))).collect();
        entries.make_contiguous().reverse();
        Self { index, standing, entries }
    }

    /// Gives a segment its number and date. Nothing changes on an error.
    pub(super) fn add(
        &mut self,
        stream: StreamId,
        segment: &Segment,
    ) -> Result<&Entry, SegmentError> {
        let Standing { next, discontinuities, source, due, .. } = self.standing;
        let sequence = rendition::sequence(self.index, next).ok_or(SegmentError::Exhausted)?;
        let map = match segment.container {
            Container::Mp4 => Some(self.standing.map.clone().ok_or(SegmentError::NoMap)?),
            Container::Aac | Container::Mp3 | Container::Ts => None,
        };
        let record = Record::of(stream, sequence, &segment.bytes)?;
        let is_discontinuous =
            segment.is_discontinuous || source.is_some_and(|source| source != segment.source);
        let date =
            clock::date(due.map(UnixMillis), segment.date, segment.duration, is_discontinuous);
        self.standing.next = next.saturating_add(1);
        self.standing.discontinuities = discontinuities.saturating_add(is_discontinuous.into());
        self.standing.source = Some(segment.source.saturating_add(1));
        self.standing.due = Some(clock::end(date, segment.duration).0);
        let extension = segment.container.extension();
        let entry = Entry {
            name: format!("{sequence}-{}.{extension}", short_digest(&segment.bytes)),
            container: segment.container,
            map,
            record,
            micros: u64::try_from(segment.duration.as_micros()).unwrap_or(u64::MAX),
            date: date.0,
            is_discontinuous,
            discontinuities,
            encryption: segment.encryption.clone(),
        };
        self.entries.push_back((entry, None));
        self.entries.back().map(|(entry, _)| entry).ok_or(SegmentError::Exhausted)
    }

    /// Signs everything that is stored once more, for the key has changed.
    pub(super) fn sign_anew(&mut self, key: &SecretKey, chain: ChainId) {
        for (entry, signed) in &mut self.entries {
            if signed.is_some() {
                *signed = Some(Signed::new(key, chain, entry.record.clone()));
            }
        }
    }

    /// Returns the segments that are signed, oldest first.
    pub(super) fn signed(&self) -> impl Iterator<Item = (&Entry, &Signed<Record>)> {
        self.entries.iter().filter_map(|(entry, signed)| Some((entry, signed.as_ref()?)))
    }

    /// Returns how many of its bits a second is, at most, or as the source says.
    pub(super) fn bandwidth(&self) -> u64 {
        let bits = |entry: &Entry| {
            let bits = u64::from(entry.record.length).saturating_mul(8_000_000);
            bits.div_ceil(entry.micros.max(1))
        };
        let measured = || self.entries.iter().map(|(entry, _)| bits(entry)).max().unwrap_or(0);
        self.standing.offer.bandwidth.unwrap_or_else(measured)
    }

    pub(super) fn kept(&self) -> Kept {
        let entries = self.entries.iter().map(|(entry, _)| entry.clone()).collect();
        Kept { standing: self.standing.clone(), entries }
    }
}

impl Entry {
    pub(super) const fn duration(&self) -> Duration {
        Duration::from_micros(self.micros)
    }
}

fn is_codecs(text: &str) -> bool {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b',' | b'-');
    !text.is_empty() && text.len() <= MAX_CODECS && text.bytes().all(is_plain)
}
