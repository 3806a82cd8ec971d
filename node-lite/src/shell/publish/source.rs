//! Where segments come from: a folder that grows, a recording that repeats, ffmpeg, or nowhere (pushes come by HTTP).

mod ffmpeg;

use super::{Options, station::Station};
use crate::{
    publisher::{
        Container, Segment,
        intake::{Intake, MAX_SOURCE_PLAYLIST, Wanted},
        repeat::{Played, Repeat},
    },
    shell::http::now,
};
use antiphon_core::{delivery::chunk::MAX_SEGMENT, time::UnixMillis};
use anyhow::{Context, bail};
use std::{
    fs,
    io::Read as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::time::{Instant, sleep, sleep_until};

/// How often a folder's playlist is read. Far below a segment's duration.
const POLL: Duration = Duration::from_millis(150);

/// Segments of a recording that are published at once at the start, so that a player can begin.
const HEAD_START: u64 = 6;

/// A source that was opened and checked.
pub(super) enum Source {
    Folder(PathBuf),
    Loop(Vec<u8>, Repeat),
    Ffmpeg(ffmpeg::Encoder),
    Pushes,
}

/// Opens the source that the options name.
pub(super) fn open(options: &Options) -> anyhow::Result<Source> {
    if let Some(audio) = &options.file {
        return Ok(Source::Ffmpeg(ffmpeg::Encoder::start(audio, &options.data)?));
    }
    let Some(folder) = &options.source else { return Ok(Source::Pushes) };
    if options.is_loop {
        let (init, repeat) = recording(folder)?;
        return Ok(Source::Loop(init, repeat));
    }
    if !folder.is_dir() {
        bail!("{} is not a folder", folder.display());
    }
    // It may still be empty, but it must be ours to read, and hold one playlist at most.
    playlist_in(folder)?;
    Ok(Source::Folder(folder.clone()))
}

/// Publishes what the source brings, as long as it brings something.
pub(super) async fn feed(source: Source, station: Arc<Station>) -> anyhow::Result<()> {
    match source {
        Source::Folder(folder) => follow(&folder, &station).await,
        Source::Loop(init, repeat) => play(init, repeat, &station).await,
        Source::Ffmpeg(mut encoder) => {
            let folder = encoder.folder().to_owned();
            tokio::select! {
                end = follow(&folder, &station) => end,
                end = encoder.ended() => end,
            }
        }
        Source::Pushes => std::future::pending().await,
    }
}

/// Reads a finished playlist and its files.
fn recording(folder: &Path) -> anyhow::Result<(Vec<u8>, Repeat)> {
    let path = playlist_in(folder)?.with_context(|| format!("no .m3u8 in {}", folder.display()))?;
    let listing = Intake::default()
        .read(&read(&path, MAX_SOURCE_PLAYLIST)?)
        .with_context(|| path.display().to_string())?;
    if !listing.is_ended {
        bail!("{} is not finished (no #EXT-X-ENDLIST); follow it without --loop", path.display());
    }
    let maps: Vec<_> = listing.wanted.iter().map(|wanted| wanted.map.as_ref()).collect();
    let Some(Some(map)) = maps.first().copied() else {
        bail!("--loop needs fragmented MP4 with an initialisation segment (#EXT-X-MAP)");
    };
    if maps.iter().any(|other| *other != Some(map)) {
        bail!("--loop needs one initialisation segment for the whole recording");
    }
    let init = read(&folder.join(map), MAX_SEGMENT)?;
    let segments: Vec<_> = listing
        .wanted
        .iter()
        .map(|wanted| read(&folder.join(&wanted.name), MAX_SEGMENT))
        .collect::<Result<_, _>>()?;
    let repeat = Repeat::new(&init, segments).with_context(|| path.display().to_string())?;
    Ok((init, repeat))
}

/// Plays a recording at the pace of the clock, a few segments ahead of the start.
async fn play(init: Vec<u8>, repeat: Repeat, station: &Arc<Station>) -> anyhow::Result<()> {
    station.map(init)?;
    let lead = repeat.segment(HEAD_START)?.offset;
    let (begin, heard) = (Instant::now(), now());
    for index in 0.. {
        let Played { bytes, offset, duration } = repeat.segment(index)?;
        // A segment can be published when its last sample was heard.
        let due = offset.saturating_add(duration);
        sleep_until(begin + due.saturating_sub(lead)).await;
        let from_start = millis(offset);
        let date = UnixMillis(heard.0.saturating_sub(millis(lead)).saturating_add(from_start));
        let is_discontinuous = false;
        let container = Container::Mp4;
        let segment = Segment { bytes, container, duration, date, is_discontinuous };
        let station = Arc::clone(station);
        tokio::task::spawn_blocking(move || station.segment(segment)).await??;
    }
    Ok(())
}

/// Publishes each segment that the folder's playlist lists anew.
async fn follow(folder: &Path, station: &Arc<Station>) -> anyhow::Result<()> {
    let mut intake = Intake::default();
    let mut seen = Vec::new();
    loop {
        let (folder, station) = (folder.to_owned(), Arc::clone(station));
        let look = tokio::task::spawn_blocking(move || {
            let end = look(&folder, &station, &mut intake, &mut seen);
            (end, intake, seen)
        });
        let end;
        (end, intake, seen) = look.await?;
        if end? {
            bail!("the playlist has ended (#EXT-X-ENDLIST); --loop plays a finished one for ever");
        }
        sleep(POLL).await;
    }
}

/// Looks at a folder once; says whether its playlist is finished.
fn look(
    folder: &Path,
    station: &Station,
    intake: &mut Intake,
    seen: &mut Vec<u8>,
) -> anyhow::Result<bool> {
    let Some(path) = playlist_in(folder)? else { return Ok(false) };
    let text = match read(&path, MAX_SOURCE_PLAYLIST) {
        Ok(text) if text != *seen => text,
        // The encoder replaces it just now.
        Ok(_) | Err(_) => return Ok(false),
    };
    let listing = match intake.read(&text) {
        Ok(listing) => listing,
        Err(error) => {
            tracing::warn!(%error, path = %path.display(), "waiting for a readable playlist");
            return Ok(false);
        }
    };
    let mut is_gap = false;
    for wanted in listing.wanted {
        let map =
            wanted.map.as_ref().map(|map| read(&folder.join(map), MAX_SEGMENT)).transpose()?;
        match read(&folder.join(&wanted.name), MAX_SEGMENT) {
            Ok(bytes) => {
                publish(station, wanted, map, bytes, is_gap)?;
                is_gap = false;
            }
            Err(error) => {
                tracing::warn!(%error, "a listed segment is missing");
                is_gap = true;
            }
        }
    }
    *seen = text;
    Ok(listing.is_ended)
}

/// Publishes one segment of a source, after its initialisation segment.
pub(super) fn publish(
    station: &Station,
    wanted: Wanted,
    map: Option<Vec<u8>>,
    bytes: Vec<u8>,
    is_gap: bool,
) -> anyhow::Result<()> {
    let Wanted { container, duration, date, is_discontinuous, .. } = wanted;
    if let Some(map) = map {
        station.map(map)?;
    }
    // A source that does not say when is believed to have just finished the segment.
    let ended = UnixMillis(now().0.saturating_sub(millis(duration)));
    let date = date.unwrap_or(ended);
    let is_discontinuous = is_discontinuous || is_gap;
    station.segment(Segment { bytes, container, duration, date, is_discontinuous })
}

/// Returns the one playlist of a folder, or `None` if there is none yet.
fn playlist_in(folder: &Path) -> anyhow::Result<Option<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))?;
    let mut found: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "m3u8"))
        .collect();
    found.sort();
    if found.len() > 1 {
        bail!("{} holds {} playlists; one is expected", folder.display(), found.len());
    }
    Ok(found.pop())
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
