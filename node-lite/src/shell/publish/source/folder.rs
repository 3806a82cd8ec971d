//! Follows the playlists of a folder as they grow: one alone, or those that a multivariant playlist names.

use super::{Media, Station, publish, read};
use crate::publisher::{
    Offer,
    catalogue::{self, Variant},
    intake::{Intake, MAX_SOURCE_PLAYLIST},
};
use antiphon_core::delivery::chunk::MAX_SEGMENT;
use anyhow::{Context, bail};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::time::sleep;

/// How often a folder's playlists are read. Far below a segment's duration.
const POLL: Duration = Duration::from_millis(150);

/// What the only rendition of a folder is called, whatever its playlist's name.
const ALONE: &str = "main";

/// A rendition of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Track {
    pub(super) name: String,
    pub(super) path: PathBuf,
    pub(super) offer: Offer,
}

impl Track {
    /// Returns where its segments are.
    pub(super) fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new("."))
    }
}

/// Returns the renditions of a folder; none if there is no playlist yet.
///
/// # Errors
/// A folder that cannot be read, several playlists and none that lists them, or one that cannot be read.
pub(super) fn tracks(folder: &Path) -> anyhow::Result<Vec<Track>> {
    let mut paths = playlists_in(folder)?;
    for path in &paths {
        let Ok(text) = read(path, MAX_SOURCE_PLAYLIST) else { continue };
        if catalogue::is_catalogue(&text) {
            let variants = catalogue::read(&text).with_context(|| path.display().to_string())?;
            let track = |Variant { path, offer }| {
                let place = folder.join(&path);
                Track { name: path, path: place, offer }
            };
            return Ok(variants.into_iter().map(track).collect());
        }
    }
    if paths.len() > 1 {
        bail!(
            "{} holds {} playlists and none that lists them (#EXT-X-STREAM-INF)",
            folder.display(),
            paths.len()
        );
    }
    let alone = |path| Track { name: ALONE.into(), path, offer: Offer::default() };
    Ok(paths.pop().map(alone).into_iter().collect())
}

/// Publishes each segment that the folder's playlists list anew, and the end once all of them say it. An encoder that is
/// started again goes on with the stream.
pub(super) async fn follow(folder: &Path, station: &Arc<Station>) -> anyhow::Result<()> {
    let mut reader = Reader::default();
    loop {
        let (folder, station) = (folder.to_owned(), Arc::clone(station));
        let look = tokio::task::spawn_blocking(move || {
            let looked = reader
                .look(&folder, &station)
                .and_then(|is_ended| if is_ended { station.end() } else { Ok(()) });
            (looked, reader)
        });
        let looked;
        (looked, reader) = look.await?;
        looked?;
        sleep(POLL).await;
    }
}

/// What was read of a folder so far.
#[derive(Default)]
struct Reader {
    tracks: Vec<Track>,
    followed: BTreeMap<String, Followed>,
}

/// A rendition that is followed.
struct Followed {
    rendition: u8,
    intake: Intake,
    seen: Vec<u8>,
    is_ended: bool,
}

impl Reader {
    /// Looks at the folder once; says whether all its playlists are finished.
    fn look(&mut self, folder: &Path, station: &Station) -> anyhow::Result<bool> {
        let tracks = match tracks(folder) {
            Ok(tracks) => tracks,
            Err(error) => {
                tracing::warn!(error = format!("{error:#}"), "waiting for readable playlists");
                return Ok(false);
            }
        };
        if tracks != self.tracks {
            // An encoder of several renditions may have written only the first of them so far.
            self.tracks = tracks;
            return Ok(false);
        }
        for track in &tracks {
            if !self.followed.contains_key(&track.name) {
                let rendition = station.rendition(&track.name, track.offer.clone())?;
                let next = station.position(rendition).map(|(next, _)| next);
                let intake = Intake::from(next);
                let fresh = Followed { rendition, intake, seen: Vec::new(), is_ended: false };
                self.followed.insert(track.name.clone(), fresh);
            }
            if let Some(followed) = self.followed.get_mut(&track.name) {
                followed.look(track, station)?;
            }
        }
        let mut ends = tracks.iter().map(|track| self.followed.get(&track.name));
        Ok(!tracks.is_empty() && ends.all(|of| of.is_some_and(|followed| followed.is_ended)))
    }
}

impl Followed {
    fn look(&mut self, track: &Track, station: &Station) -> anyhow::Result<()> {
        let text = match read(&track.path, MAX_SOURCE_PLAYLIST) {
            Ok(text) if text != self.seen => text,
            // The encoder replaces it just now.
            Ok(_) | Err(_) => return Ok(()),
        };
        let listing = match self.intake.read(&text) {
            Ok(listing) => listing,
            Err(error) => {
                let path = track.path.display();
                tracing::warn!(%error, %path, "waiting for a readable playlist");
                return Ok(());
            }
        };
        station.note_parts(listing.has_parts);
        let folder = track.folder();
        let mut is_gap = false;
        for wanted in listing.wanted {
            let map = wanted.map.as_ref().map(|map| read(&folder.join(map), MAX_SEGMENT));
            let map = map.transpose()?;
            match read(&folder.join(&wanted.name), MAX_SEGMENT) {
                Ok(bytes) => {
                    publish(station, self.rendition, wanted, Media { map, bytes }, is_gap)?;
                    is_gap = false;
                }
                Err(error) => {
                    tracing::warn!(%error, "a listed segment is missing");
                    is_gap = true;
                }
            }
        }
        self.seen = text;
        self.is_ended = listing.is_ended;
        Ok(())
    }
}

/// Returns the playlists that lie in a folder, sorted.
fn playlists_in(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))?;
    let mut found: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "m3u8"))
        .collect();
    found.sort();
    Ok(found)
}
