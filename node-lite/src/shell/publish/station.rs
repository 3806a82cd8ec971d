//! Carries out what the publisher orders: its memory and files on disk, files and pages in RAM for the origin.
//!
//! ```text
//! NAME.lock     held as long as we run
//! NAME.memory   numbers, dates and what is listed
//! NAME.files/   the segments and maps that the memory names
//! ```

use super::{counts::Counts, keys as publisher_keys};
use crate::{
    publisher::{File, Input, MAIN, Memory, Offer, Output, Page, Publisher, Segment, Terms},
    shell::dev::keys,
};
use antiphon_core::{codec, id::StreamId, time::UnixMillis};
use anyhow::{Context, bail};
use axum::body::Bytes;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// A file as it is served.
#[derive(Clone, Debug)]
pub(super) struct Served {
    pub(super) media_type: &'static str,
    pub(super) bytes: Bytes,
}

/// The publisher with its disk and its shelf.
#[derive(Debug)]
pub(super) struct Station {
    publisher: Mutex<Publisher>,
    shelf: RwLock<Shelf>,
    data: PathBuf,
    name: String,
    stream: StreamId,
    counts: Arc<Counts>,
    has_told_parts: AtomicBool,
    /// Held as long as we run: no other process signs the same numbers.
    _lock: fs::File,
}

#[derive(Debug, Default)]
struct Shelf {
    files: BTreeMap<String, Served>,
    pages: BTreeMap<String, Served>,
}

impl Station {
    /// Opens the stream `name` under the folder `data`, and goes on as it was left.
    pub(super) fn open(
        terms: Terms,
        data: &Path,
        name: &str,
        counts: Arc<Counts>,
    ) -> anyhow::Result<Self> {
        let lock = fs::File::create(data.join(format!("{name}.lock")))?;
        if lock.try_lock().is_err() {
            bail!("another process publishes {name} from {}", data.display());
        }
        let memory = read_memory(&memory_path(data, name))?;
        let files = read_files(&folder(data, name), &memory)?;
        let mut out = Vec::new();
        let publisher = Publisher::new(terms, memory, &files, &mut out);
        let station = Self {
            stream: publisher.stream(),
            publisher: Mutex::new(publisher),
            shelf: RwLock::default(),
            data: data.to_owned(),
            name: name.to_owned(),
            counts,
            has_told_parts: AtomicBool::new(false),
            _lock: lock,
        };
        station.carry_out(&mut station.publisher(), out)?;
        Ok(station)
    }

    pub(super) const fn stream(&self) -> StreamId {
        self.stream
    }

    /// Returns the rendition that the source calls by this name.
    pub(super) fn rendition(&self, name: &str, offer: Offer) -> anyhow::Result<u8> {
        Ok(self.publisher().rendition(name, offer)?)
    }

    /// Returns the number in the source of a rendition's next segment, and when it begins; `None` of a new one.
    pub(super) fn position(&self, rendition: u8) -> Option<(u64, UnixMillis)> {
        let publisher = self.publisher();
        let standing = publisher.standing(rendition)?;
        Some((standing.source?, UnixMillis(standing.due?)))
    }

    /// Takes the initialisation segment of what follows.
    pub(super) fn map(&self, rendition: u8, bytes: Vec<u8>) -> anyhow::Result<()> {
        let mut publisher = self.publisher();
        let mut out = Vec::new();
        publisher.map(rendition, bytes, &mut out)?;
        self.carry_out(&mut publisher, out)
    }

    /// Publishes a segment; blocks until it and its number are on disk.
    pub(super) fn segment(&self, rendition: u8, segment: Segment) -> anyhow::Result<()> {
        let mut publisher = self.publisher();
        let mut out = Vec::new();
        match publisher_keys::ring(&self.data) {
            Ok(Some(ring)) => publisher.rekey(ring, &mut out),
            Ok(None) => {}
            // The stream does not end because of it: the key so far is still good.
            Err(error) => tracing::error!(error = format!("{error:#}"), "the key is not changed"),
        }
        publisher.segment(rendition, segment, &mut out)?;
        self.carry_out(&mut publisher, out)?;
        self.counts.published(rendition);
        Ok(())
    }

    /// Returns when the newest segment of each rendition ended, by index, and whether the stream has; blocks while the disk is
    /// busy.
    pub(super) fn standing(&self) -> (Vec<UnixMillis>, bool) {
        let publisher = self.publisher();
        let ends = (0..).map_while(|rendition| publisher.standing(rendition));
        (
            ends.map(|standing| UnixMillis(standing.due.unwrap_or_default())).collect(),
            publisher.is_ended(),
        )
    }

    /// Tells the keeper, once, that a source's low latency is not carried.
    pub(super) fn note_parts(&self, has_parts: bool) {
        if has_parts && !self.has_told_parts.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                "the source lists parts of segments (#EXT-X-PART): whole segments are published, \
                 for parts are not signed; segments of one second come near to them"
            );
        }
    }

    /// Says that nothing follows; blocks until that is on disk. Costs nothing if it is said already.
    pub(super) fn end(&self) -> anyhow::Result<()> {
        let mut publisher = self.publisher();
        let mut out = Vec::new();
        publisher.end(&mut out);
        if !out.is_empty() {
            tracing::info!(
                "the source has ended; what is listed is served until this process ends"
            );
        }
        self.carry_out(&mut publisher, out)
    }

    /// Keeps in mind, over a restart, too, that the source has said its end and that not all has come.
    pub(super) fn await_end(&self) -> anyhow::Result<()> {
        let mut publisher = self.publisher();
        let mut out = Vec::new();
        publisher.await_end(&mut out);
        self.carry_out(&mut publisher, out)
    }

    /// Returns how long a segment lasts at most, if the source's end is awaited.
    pub(super) fn awaits_end(&self) -> Option<Duration> {
        self.publisher().awaits_end()
    }

    /// The source has not said its end, or goes on after it.
    pub(super) fn go_on(&self) {
        self.publisher().go_on();
    }

    /// Returns the page of this name, or `None` if there is none.
    pub(super) fn page(&self, name: &str) -> Option<Served> {
        self.shelf.read().unwrap_or_else(PoisonError::into_inner).pages.get(name).cloned()
    }

    /// Returns the file of this name, or `None` if there is none.
    pub(super) fn file(&self, name: &str) -> Option<Served> {
        self.shelf.read().unwrap_or_else(PoisonError::into_inner).files.get(name).cloned()
    }

    fn publisher(&self) -> MutexGuard<'_, Publisher> {
        self.publisher.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn carry_out(&self, publisher: &mut Publisher, mut out: Vec<Output>) -> anyhow::Result<()> {
        while !out.is_empty() {
            for output in core::mem::take(&mut out) {
                match output {
                    Output::Keep(File { name, bytes, .. }) => {
                        keys::write_atomically(&self.path(&name), &bytes)?;
                    }
                    Output::Store(token, memory) => {
                        let bytes = codec::encode(&memory);
                        keys::write_atomically(&memory_path(&self.data, &self.name), &bytes)?;
                        publisher.handle(Input::Stored(token), &mut out);
                    }
                    Output::Serve(File { name, container, bytes }) => {
                        let media_type = container.media_type();
                        let served = Served { media_type, bytes: bytes.into() };
                        self.shelf(|shelf| shelf.files.insert(name, served));
                    }
                    Output::Show(Page { name, bytes }) => {
                        let served =
                            Served { media_type: type_of_page(&name), bytes: bytes.into() };
                        self.shelf(|shelf| shelf.pages.insert(name, served));
                    }
                    Output::Forget(name) => {
                        self.shelf(|shelf| shelf.files.remove(&name));
                        self.shelf(|shelf| shelf.pages.remove(&name));
                        // A page was never on disk.
                        let _ = fs::remove_file(self.path(&name));
                    }
                }
            }
        }
        Ok(())
    }

    fn path(&self, name: &str) -> PathBuf {
        folder(&self.data, &self.name).join(name)
    }

    fn shelf(&self, change: impl FnOnce(&mut Shelf) -> Option<Served>) {
        let mut shelf = self.shelf.write().unwrap_or_else(PoisonError::into_inner);
        drop(change(&mut shelf));
    }
}

fn folder(data: &Path, name: &str) -> PathBuf {
    data.join(format!("{name}.files"))
}

fn memory_path(data: &Path, name: &str) -> PathBuf {
    data.join(format!("{name}.memory"))
}

fn read_memory(path: &Path) -> anyhow::Result<Memory> {
    if !path.exists() {
        return Ok(Memory::default());
    }
    let bytes = fs::read(path)?;
    codec::decode(&bytes, bytes.len()).with_context(|| format!("{} is damaged", path.display()))
}

/// Reads what the memory names, as far as it is there, and removes what it does not name.
fn read_files(folder: &Path, memory: &Memory) -> anyhow::Result<BTreeMap<String, Vec<u8>>> {
    fs::create_dir_all(folder)?;
    let named: BTreeMap<&str, ()> = memory.files().map(|name| (name, ())).collect();
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if named.contains_key(name) {
            files.insert(name.to_owned(), fs::read(&path)?);
        } else {
            fs::remove_file(&path)?;
        }
    }
    Ok(files)
}

fn type_of_page(name: &str) -> &'static str {
    let is_playlist = Path::new(name).extension() == Path::new(MAIN).extension();
    if is_playlist { "application/vnd.apple.mpegurl" } else { "application/octet-stream" }
}
