//! Where segments come from: a folder that grows, a recording that repeats, ffmpeg, or nowhere (pushes come by HTTP).

mod ffmpeg;
mod folder;
mod recording;

use super::{Options, station::Station};
use crate::{
    publisher::{Segment, intake::Wanted},
    shell::http::now,
};
use antiphon_core::time::UnixMillis;
use anyhow::{Context, bail};
use recording::Recording;
use std::{
    fs,
    io::Read as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

/// A source that was opened and checked.
pub(super) enum Source {
    Folder(PathBuf),
    Loop(Vec<Recording>),
    Ffmpeg(ffmpeg::Encoder),
    Pushes,
}

/// A segment's bytes, and those of its map if it has one.
pub(super) struct Media {
    pub(super) map: Option<Vec<u8>>,
    pub(super) bytes: Vec<u8>,
}

/// Opens the source that the options name.
pub(super) fn open(options: &Options) -> anyhow::Result<Source> {
    if let Some(audio) = &options.file {
        let encoder = ffmpeg::Encoder::start(audio, &options.data, &options.bitrates)?;
        return Ok(Source::Ffmpeg(encoder));
    }
    let Some(folder) = &options.source else { return Ok(Source::Pushes) };
    if options.is_loop {
        return Ok(Source::Loop(recording::open(folder)?));
    }
    if !folder.is_dir() {
        bail!("{} is not a folder", folder.display());
    }
    // It may still be empty, but it must be ours to read, and say what its renditions are.
    folder::tracks(folder)?;
    Ok(Source::Folder(folder.clone()))
}

/// Publishes what the source brings, as long as it brings something.
pub(super) async fn feed(source: Source, station: Arc<Station>) -> anyhow::Result<()> {
    match source {
        Source::Folder(folder) => folder::follow(&folder, &station).await,
        Source::Loop(recordings) => recording::play(recordings, &station).await,
        Source::Ffmpeg(mut encoder) => {
            let folder = encoder.folder().to_owned();
            tokio::select! {
                end = folder::follow(&folder, &station) => end,
                end = encoder.ended() => end,
            }
        }
        Source::Pushes => std::future::pending().await,
    }
}

/// Publishes one segment of a source, after its initialisation segment.
pub(super) fn publish(
    station: &Station,
    rendition: u8,
    wanted: Wanted,
    media: Media,
    is_gap: bool,
) -> anyhow::Result<()> {
    let Wanted { number, container, duration, date, is_discontinuous, encryption, .. } = wanted;
    if let Some(map) = media.map {
        station.map(rendition, map)?;
    }
    // A source that does not say when is believed to have just finished the segment.
    let ended = UnixMillis(now().0.saturating_sub(millis(duration)));
    let segment = Segment {
        bytes: media.bytes,
        container,
        duration,
        date: date.unwrap_or(ended),
        is_discontinuous: is_discontinuous || is_gap,
        source: number,
        encryption,
    };
    station.segment(rendition, segment)
}

fn read(path: &Path, max: usize) -> anyhow::Result<Vec<u8>> {
    let file = fs::File::open(path).with_context(|| format!("reading {}", path.display()))?;
    let limit = u64::try_from(max)?.saturating_add(1);
    let mut bytes = Vec::new();
    file.take(limit).read_to_end(&mut bytes)?;
    if bytes.len() > max {
        bail!("{} is longer than {max} bytes", path.display());
    }
    Ok(bytes)
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
