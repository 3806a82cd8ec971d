//! Turns segments into a live stream: numbers them, signs a record for each, and writes the playlists.
//!
//! ```text
//! segment() --Keep(file), Store(next number)--> host --Stored--> sign --Serve, Show, Forget--> host
//! ```
//!
//! A number is stored with the file that has it before anything is signed under it, so that after a crash no number is
//! signed twice with different bytes, and a playlist goes on as it was. Source: issue 2 "Publisher and origin", issue 5;
//! RFC 8216 §6.2.2 for the sliding window.
//!
//! Invariant: a file name holds a digest of its bytes, so what a cache keeps under it is never wrong. Pages are what may
//! change: playlists, and records by themselves, which are signed anew when the key changes.

pub mod catalogue;
mod clock;
mod end;
pub mod fragment;
pub mod inbox;
pub mod intake;
pub mod keyring;
mod map;
mod playlist;
mod rendition;
pub mod repeat;
mod segment;

pub use end::End;
pub use rendition::{Kept, Offer, RenditionError, Standing};
pub use segment::{Container, MAX_DURATION, Segment, SegmentError};

use antiphon_core::{
    codec::Bounded,
    crypto::{Hash, Signed},
    delivery::{
        record::{Record, StreamInfo},
        rendition::MAX_RENDITIONS,
    },
    id::{ChainId, StreamId},
};
use borsh::{BorshDeserialize, BorshSerialize};
use keyring::Keyring;
use rendition::Rendition;
use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

/// Segments that wait for the disk. Chosen here: above any burst of a start.
pub const MAX_PENDING: usize = 64;

/// Segments that a playlist may list.
pub const MAX_WINDOW: usize = 100;

/// How many windows of segments are served on after they left the playlist, for those who lag.
const KEPT_WINDOWS: usize = 2;

/// Name of the playlist that players are given: of the only rendition, or of the list of them.
pub const MAIN: &str = "live.m3u8";

/// Name of the page that holds the stream's description alone.
pub const DESCRIPTION: &str = "live.stream";

/// What the name of a segment's file is followed by in that of its record alone.
pub const RECORD: &str = ".record";

/// What outlives a restart.
#[derive(Clone, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Memory {
    /// Each rendition, by its index.
    pub renditions: Vec<Kept>,
    /// Whether the source said that nothing follows.
    pub end: End,
}

impl Memory {
    /// Returns the names of all files that it needs.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        self.renditions.iter().flat_map(|kept| {
            let maps = kept.entries.iter().map(|entry| &entry.map).chain([&kept.standing.map]);
            let maps = maps.flatten().map(|map| map.name.as_str());
            kept.entries.iter().map(|entry| entry.name.as_str()).chain(maps)
        })
    }
}

/// What happened outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// The memory of [`Output::Store`] with this token is on disk, and so is all before it.
    Stored(u64),
}

/// What the host must do, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Write a file to disk, before the next memory.
    Keep(File),
    /// Write to disk, then say [`Input::Stored`] with the token.
    Store(u64, Memory),
    /// Serve a file; it never changes.
    Serve(File),
    /// Serve a page from now on; it may be replaced by another of its name.
    Show(Page),
    /// Stop serving the file or page of this name, and remove it from disk.
    Forget(String),
}

/// A file to serve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its name, beside the playlist.
    pub name: String,
    /// What it holds.
    pub container: Container,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// A page to serve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Its name, beside the main playlist.
    pub name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// What a publisher publishes as.
#[derive(Clone, Debug)]
pub struct Terms {
    /// Chain of the stream's id and of all signatures.
    pub chain: ChainId,
    /// Signs the stream and its records.
    pub keyring: Keyring,
    /// The stream; its publisher and heirs are overwritten with the keyring's, its maps with those of the source.
    pub info: StreamInfo,
    /// Segments in the playlist, 1 to [`MAX_WINDOW`].
    pub window: usize,
}

/// Publishes one stream.
#[derive(Debug)]
pub struct Publisher {
    terms: Terms,
    stream: StreamId,
    info: Signed<StreamInfo>,
    /// Whether the description has changed since it was shown.
    is_info_new: bool,
    renditions: Vec<Rendition>,
    end: End,
    /// What the end waits for.
    ending: Option<u64>,
    next_token: u64,
    /// What waits for the disk: its token, and what will be served.
    pending: VecDeque<(u64, u8, File)>,
}

impl Publisher {
    /// Makes a publisher that goes on from `memory`, the default one for a new stream; `files` are those that it names, as
    /// far as they are still there. What lost its file is listed no more, and what is older than that neither.
    pub fn new(
        mut terms: Terms,
        memory: Memory,
        files: &BTreeMap<String, Vec<u8>>,
        out: &mut Vec<Output>,
    ) -> Self {
        terms.window = terms.window.clamp(1, MAX_WINDOW);
        terms.info.publisher = terms.keyring.publisher();
        let stream = terms.info.id(terms.chain);
        let end = memory.end;
        let sign = |record: Record| Signed::new(terms.keyring.key(), terms.chain, record);
        let renditions: Vec<_> = (0..MAX_RENDITIONS)
            .zip(memory.renditions)
            .map(|(index, kept)| Rendition::restore(index, kept, stream, files, sign))
            .collect();
        let info = Signed::new(terms.keyring.key(), terms.chain, terms.info.clone());
        let mut restored = Self {
            terms,
            stream,
            info,
            is_info_new: true,
            renditions,
            end,
            ending: None,
            next_token: 0,
            pending: VecDeque::new(),
        };
        let lengths = restored.renditions.iter().flat_map(Rendition::signed);
        if let Some(longest) = lengths.map(|(entry, _)| entry.duration()).max() {
            restored.lengthen_target(longest);
        }
        restored.sign_info();
        restored.serve_restored(files, out);
        restored
    }

    /// Returns the stream's id.
    pub const fn stream(&self) -> StreamId {
        self.stream
    }

    /// Returns the rendition that the source calls by this name; opens it if there is none. A source that says nothing of it
    /// takes nothing back.
    ///
    /// # Errors
    /// [`RenditionError`], one variant a cause.
    pub fn rendition(&mut self, name: &str, offer: Offer) -> Result<u8, RenditionError> {
        let known = self.renditions.iter_mut().find(|known| known.standing.name == name);
        if let Some(known) = known {
            let Rendition { standing, .. } = Rendition::new(known.index, name, offer)?;
            if standing.offer != Offer::default() {
                known.standing.offer = standing.offer;
            }
            return Ok(known.index);
        }
        let index = u8::try_from(self.renditions.len()).map_err(|_| RenditionError::TooMany)?;
        self.renditions.push(Rendition::new(index, name, offer)?);
        self.is_info_new = true; // The playlists have other names where there are several.
        Ok(index)
    }

    /// Returns where a rendition stands, or `None` if it is not open.
    pub fn standing(&self, rendition: u8) -> Option<&Standing> {
        self.renditions.get(usize::from(rendition)).map(|rendition| &rendition.standing)
    }

    /// Takes the next segment of a rendition and gives it the next number.
    ///
    /// # Errors
    /// [`SegmentError`], one variant a cause; no number is used then.
    pub fn segment(
        &mut self,
        rendition: u8,
        segment: Segment,
        out: &mut Vec<Output>,
    ) -> Result<(), SegmentError> {
        segment::check(&segment)?;
        if self.pending.len() >= MAX_PENDING {
            return Err(SegmentError::Busy);
        }
        let place = self.renditions.get_mut(usize::from(rendition));
        let entry = place.ok_or(SegmentError::NoRendition)?.add(self.stream, &segment)?;
        let Segment { container, bytes, duration, .. } = segment;
        let file = File { name: entry.name.clone(), container, bytes };
        self.lengthen_target(duration);
        self.take_back();
        let token = self.token();
        out.push(Output::Keep(file.clone()));
        out.push(Output::Store(token, self.memory()));
        self.pending.push_back((token, rendition, file));
        Ok(())
    }

    /// Applies one input and appends what the host must do to `out`. Unknown tokens are ignored.
    pub fn handle(&mut self, input: Input, out: &mut Vec<Output>) {
        let Input::Stored(token) = input;
        let mut changed = BTreeMap::new();
        while self.pending.front().is_some_and(|(waiting, ..)| *waiting <= token) {
            if let Some((_, rendition, file)) = self.pending.pop_front() {
                self.publish(rendition, file, out);
                changed.insert(rendition, ());
            }
        }
        if !changed.is_empty() {
            self.show(|rendition| changed.contains_key(&rendition.index), out);
            self.forget_old(out);
        }
        self.end_stored(token, out);
    }

    /// Lets another key of the publisher sign from now on; everything that is listed is signed anew.
    pub fn rekey(&mut self, keyring: Keyring, out: &mut Vec<Output>) {
        let is_ours = keyring.publisher() == self.terms.info.publisher;
        if !is_ours || keyring.heirs() == self.terms.keyring.heirs() {
            return; // Nothing new, or another publisher's: its streams have other names.
        }
        self.terms.keyring = keyring;
        for rendition in &mut self.renditions {
            rendition.sign_anew(self.terms.keyring.key(), self.terms.chain);
        }
        self.sign_info();
        for (entry, signed) in self.renditions.iter().flat_map(Rendition::signed) {
            out.push(record_page(&entry.name, signed));
        }
        self.show(|_| true, out);
    }

    fn publish(&mut self, rendition: u8, file: File, out: &mut Vec<Output>) {
        let Some(place) = self.renditions.get_mut(usize::from(rendition)) else { return };
        let waiting = place.entries.iter_mut().find(|(_, signed)| signed.is_none());
        let Some((entry, signed)) = waiting else { return };
        let record = Signed::new(self.terms.keyring.key(), self.terms.chain, entry.record.clone());
        out.push(record_page(&entry.name, &record));
        *signed = Some(record);
        out.push(Output::Serve(file));
    }

    /// Serves what was published before a restart.
    fn serve_restored(&self, files: &BTreeMap<String, Vec<u8>>, out: &mut Vec<Output>) {
        let serve = |name: &str, container| {
            let bytes = files.get(name).cloned().unwrap_or_default();
            Output::Serve(File { name: name.to_owned(), container, bytes })
        };
        for rendition in &self.renditions {
            let maps = rendition.entries.iter().map(|(entry, _)| &entry.map);
            let maps: BTreeMap<_, ()> = maps
                .chain([&rendition.standing.map])
                .flatten()
                .map(|map| (map.name.as_str(), ()))
                .collect();
            out.extend(maps.into_keys().map(|name| serve(name, Container::Mp4)));
            for (entry, signed) in rendition.signed() {
                out.push(serve(&entry.name, entry.container));
                out.push(record_page(&entry.name, signed));
            }
        }
        let mut shown = Vec::new();
        self.pages(|_| true, &mut shown);
        out.append(&mut shown);
    }

    /// Shows the playlists of these renditions; of all if the stream's description has changed.
    fn show(&mut self, which: impl Fn(&Rendition) -> bool, out: &mut Vec<Output>) {
        let is_info_new = core::mem::take(&mut self.is_info_new);
        self.pages(|rendition| is_info_new || which(rendition), out);
    }

    fn pages(&self, which: impl Fn(&Rendition) -> bool, out: &mut Vec<Output>) {
        let mut page = |name: &str, bytes: Vec<u8>| {
            out.push(Output::Show(Page { name: name.to_owned(), bytes }));
        };
        let spoken = |rendition: &&Rendition| rendition.signed().next().is_some();
        if !self.renditions.iter().any(|rendition| spoken(&rendition)) {
            return;
        }
        page(DESCRIPTION, self.info.to_bytes());
        for rendition in self.renditions.iter().filter(spoken).filter(|of| which(of)) {
            let text = self.text(rendition).into_bytes();
            match self.renditions.len() {
                1 => page(MAIN, text),
                _ => page(&playlist::playlist_name(rendition.index), text),
            }
        }
        if self.renditions.len() > 1 {
            page(MAIN, self.variants().into_bytes());
        }
    }

    /// Deviation: RFC 8216 §6.2.1 wants a constant target; a source that exceeds what it announced is told truly.
    fn lengthen_target(&mut self, duration: Duration) {
        let ms = u32::try_from(duration.as_micros().div_ceil(1000)).unwrap_or(u32::MAX);
        if ms > self.terms.info.target_ms {
            self.terms.info.target_ms = ms;
            self.sign_info();
        }
    }

    /// Describes the stream anew, with the maps that are in use and the keys that follow each other.
    fn sign_info(&mut self) {
        // `map()` lets no more in than the description holds.
        self.terms.info.maps = Bounded::try_from(self.maps_in_use()).unwrap_or_default();
        self.terms.info.heirs = self.terms.keyring.heirs().clone();
        let key = self.terms.keyring.key();
        self.info = Signed::new(key, self.terms.chain, self.terms.info.clone());
        self.is_info_new = true;
    }

    fn forget_old(&mut self, out: &mut Vec<Output>) {
        let kept = self.terms.window.saturating_mul(KEPT_WINDOWS.saturating_add(1));
        let mut maps = Vec::new();
        for rendition in &mut self.renditions {
            let over = rendition.signed().count().saturating_sub(kept);
            for (old, _) in rendition.entries.drain(..over) {
                out.push(Output::Forget(format!("{}{RECORD}", old.name)));
                out.push(Output::Forget(old.name));
                maps.extend(old.map);
            }
        }
        for map in maps {
            self.forget_map(map, out);
        }
    }

    fn memory(&self) -> Memory {
        let renditions = self.renditions.iter().map(Rendition::kept).collect();
        Memory { renditions, end: self.end }
    }

    const fn token(&mut self) -> u64 {
        let token = self.next_token;
        self.next_token = token.saturating_add(1);
        token
    }
}

/// Returns the page that holds the record of this file alone.
fn record_page(name: &str, record: &Signed<Record>) -> Output {
    Output::Show(Page { name: format!("{name}{RECORD}"), bytes: record.to_bytes() })
}

/// Returns 16 hexadecimal digits that tell apart what caches may keep under one name.
fn short_digest(bytes: &[u8]) -> String {
    Hash::of(&[bytes]).to_hex().chars().take(16).collect()
}

#[cfg(test)]
mod tests;
