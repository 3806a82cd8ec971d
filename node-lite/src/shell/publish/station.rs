//! Carries out what the publisher orders: its memory on disk, its files and playlist in RAM for the origin.

use crate::{
    publisher::{File, Input, Memory, Output, Publisher, Segment, Terms},
    shell::dev::keys,
};
use antiphon_core::id::StreamId;
use anyhow::{Context, bail};
use axum::body::Bytes;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError, RwLock},
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
    path: PathBuf,
    stream: StreamId,
    /// Held as long as we run: no other process signs the same numbers.
    _lock: fs::File,
}

#[derive(Debug, Default)]
struct Shelf {
    files: BTreeMap<String, Served>,
    playlist: Bytes,
}

/// The memory as written to disk.
#[derive(Debug, Serialize, Deserialize)]
struct Written {
    next: u64,
    discontinuities: u64,
}

impl Station {
    /// Opens the publisher's memory of the stream `name` under the folder `data`.
    pub(super) fn open(terms: Terms, data: &Path, name: &str) -> anyhow::Result<Self> {
        let lock = fs::File::create(data.join(format!("{name}.lock")))?;
        if lock.try_lock().is_err() {
            bail!("another process publishes {name} from {}", data.display());
        }
        let path = data.join(format!("{name}.json"));
        let memory = if path.exists() {
            let written: Written = serde_json::from_slice(&fs::read(&path)?)
                .with_context(|| format!("{} is damaged", path.display()))?;
            Memory { next: written.next, discontinuities: written.discontinuities }
        } else {
            Memory::default()
        };
        let publisher = Publisher::new(terms, memory);
        let stream = publisher.stream();
        let shelf = RwLock::default();
        Ok(Self { publisher: Mutex::new(publisher), shelf, path, stream, _lock: lock })
    }

    pub(super) const fn stream(&self) -> StreamId {
        self.stream
    }

    /// Takes the initialisation segment of what follows.
    pub(super) fn map(&self, bytes: Vec<u8>) -> anyhow::Result<()> {
        let mut publisher = self.publisher();
        let mut out = Vec::new();
        publisher.map(bytes, &mut out)?;
        self.carry_out(&mut publisher, out)
    }

    /// Publishes a segment; blocks until its number is on disk.
    pub(super) fn segment(&self, segment: Segment) -> anyhow::Result<()> {
        let mut publisher = self.publisher();
        let mut out = Vec::new();
        publisher.segment(segment, &mut out)?;
        self.carry_out(&mut publisher, out)
    }

    pub(super) fn playlist(&self) -> Bytes {
        self.shelf.read().unwrap_or_else(PoisonError::into_inner).playlist.clone()
    }

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
                    Output::Store(token, memory) => {
                        self.store(memory)?;
                        publisher.handle(Input::Stored(token), &mut out);
                    }
                    Output::Serve(File { name, container, bytes }) => {
                        let media_type = container.media_type();
                        let served = Served { media_type, bytes: bytes.into() };
                        self.shelf(|shelf| shelf.files.insert(name, served));
                    }
                    Output::Playlist(text) => self.shelf(|shelf| {
                        shelf.playlist = text.into();
                        None
                    }),
                    Output::Forget(name) => self.shelf(|shelf| shelf.files.remove(&name)),
                }
            }
        }
        Ok(())
    }

    fn store(&self, memory: Memory) -> anyhow::Result<()> {
        let Memory { next, discontinuities } = memory;
        let text = serde_json::to_vec(&Written { next, discontinuities })?;
        keys::write_atomically(&self.path, &text)
    }

    fn shelf(&self, change: impl FnOnce(&mut Shelf) -> Option<Served>) {
        let mut shelf = self.shelf.write().unwrap_or_else(PoisonError::into_inner);
        drop(change(&mut shelf));
    }
}
