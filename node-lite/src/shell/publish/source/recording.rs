//! Plays finished recordings at the pace of the clock, for ever; all renditions of one at the same pace.

use super::{Station, folder, millis, read};
use crate::{
    publisher::{
        Container, Offer, Segment,
        intake::{Intake, MAX_SOURCE_PLAYLIST},
        repeat::{Played, Repeat},
    },
    shell::http::now,
};
use antiphon_core::{delivery::chunk::MAX_SEGMENT, time::UnixMillis};
use anyhow::{Context, bail};
use std::{path::Path, sync::Arc, time::Duration};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep_until},
};

/// Segments of a recording that are published at once at the start, so that a player can begin.
const HEAD_START: u64 = 6;

/// A publisher that was gone for no longer than this publishes at once what it missed; listeners still hold what comes
/// before. After that it goes on with a gap. Chosen here: the window of ten segments of two seconds.
const CATCH_UP: Duration = Duration::from_secs(20);

/// A finished recording of one rendition.
pub(in crate::shell::publish) struct Recording {
    name: String,
    offer: Offer,
    init: Vec<u8>,
    repeat: Repeat,
}

/// The moment at which all renditions begin.
#[derive(Clone, Copy)]
struct Begin {
    at: Instant,
    clock: UnixMillis,
}

/// Where a rendition goes on.
struct Start {
    index: u64,
    date: UnixMillis,
    /// How long ago its first segment began.
    late: Duration,
    is_gap: bool,
}

/// Reads the finished playlists of a folder and their files.
pub(super) fn open(folder: &Path) -> anyhow::Result<Vec<Recording>> {
    let tracks = folder::tracks(folder)?;
    if tracks.is_empty() {
        bail!("no .m3u8 in {}", folder.display());
    }
    tracks.into_iter().map(read_track).collect()
}

fn read_track(track: folder::Track) -> anyhow::Result<Recording> {
    let path = track.path.display();
    let listing = Intake::default()
        .read(&read(&track.path, MAX_SOURCE_PLAYLIST)?)
        .with_context(|| path.to_string())?;
    if !listing.is_ended {
        bail!("{path} is not finished (no #EXT-X-ENDLIST); follow it without --loop");
    }
    let maps: Vec<_> = listing.wanted.iter().map(|wanted| wanted.map.as_ref()).collect();
    let Some(Some(map)) = maps.first().copied() else {
        bail!("--loop needs fragmented MP4 with an initialisation segment (#EXT-X-MAP)");
    };
    if maps.iter().any(|other| *other != Some(map)) {
        bail!("--loop needs one initialisation segment for the whole recording");
    }
    if listing.wanted.iter().any(|wanted| wanted.encryption.is_some()) {
        bail!("--loop cannot move encrypted segments in time");
    }
    let init = read(&track.folder().join(map), MAX_SEGMENT)?;
    let segments: Vec<_> = listing
        .wanted
        .iter()
        .map(|wanted| read(&track.folder().join(&wanted.name), MAX_SEGMENT))
        .collect::<Result<_, _>>()?;
    let repeat = Repeat::new(&init, segments).with_context(|| path.to_string())?;
    Ok(Recording { name: track.name, offer: track.offer, init, repeat })
}

/// Plays all of them until one cannot go on.
pub(super) async fn play(recordings: Vec<Recording>, station: &Arc<Station>) -> anyhow::Result<()> {
    let begin = Begin { at: Instant::now(), clock: now() };
    let mut playing = JoinSet::new();
    for recording in recordings {
        let rendition = station.rendition(&recording.name, recording.offer.clone())?;
        station.map(rendition, recording.init)?;
        playing.spawn(play_one(recording.repeat, rendition, Arc::clone(station), begin));
    }
    match playing.join_next().await {
        Some(end) => end?,
        None => Ok(()),
    }
}

async fn play_one(
    repeat: Repeat,
    rendition: u8,
    station: Arc<Station>,
    begin: Begin,
) -> anyhow::Result<()> {
    let lead = repeat.segment(HEAD_START)?.offset;
    let start = start(station.position(rendition), begin.clock, lead);
    let origin = repeat.segment(start.index)?.offset;
    for index in start.index.. {
        let Played { bytes, offset, duration } = repeat.segment(index)?;
        let offset = offset.saturating_sub(origin);
        // A segment can be published when its last sample was heard.
        let due = offset.saturating_add(duration).saturating_sub(start.late);
        sleep_until(begin.at + due).await;
        let segment = Segment {
            bytes,
            container: Container::Mp4,
            duration,
            date: start.date.plus(millis(offset)),
            is_discontinuous: start.is_gap && index == start.index,
            source: index,
            encryption: None,
        };
        let station = Arc::clone(&station);
        tokio::task::spawn_blocking(move || station.segment(rendition, segment)).await??;
    }
    Ok(())
}

/// Decides where a rendition goes on that had come to `position`.
fn start(position: Option<(u64, UnixMillis)>, clock: UnixMillis, lead: Duration) -> Start {
    let ahead = UnixMillis(clock.0.saturating_sub(millis(lead)));
    match position {
        None => Start { index: 0, date: ahead, late: lead, is_gap: false },
        Some((index, due)) => {
            // A clock that was set back since makes the last segment one of the future: then it ends just now.
            let late = Duration::from_millis(clock.since(due));
            if late <= CATCH_UP {
                Start { index, date: due, late, is_gap: false }
            } else {
                Start { index, date: ahead, late: lead, is_gap: true }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAD: Duration = Duration::from_secs(12);
    const NOW: UnixMillis = UnixMillis(1_700_000_000_000);

    #[test]
    fn a_short_absence_is_made_up_for_and_a_long_one_is_a_gap() {
        let fresh = start(None, NOW, LEAD);
        assert_eq!((fresh.index, fresh.date.0, fresh.late), (0, NOW.0 - 12_000, LEAD));
        let catch_up = u64::try_from(CATCH_UP.as_millis()).unwrap();
        for (gone, is_gap) in [(0, false), (5_000, false), (catch_up, false), (catch_up + 1, true)]
        {
            let due = UnixMillis(NOW.0 - gone);
            let again = start(Some((41, due)), NOW, LEAD);
            assert_eq!((again.index, again.is_gap), (41, is_gap), "{gone}");
            let late = if is_gap { LEAD } else { Duration::from_millis(gone) };
            assert_eq!((again.date.0, again.late), (NOW.0 - millis(late), late), "{gone}");
        }
    }

    #[test]
    fn a_clock_that_was_set_back_makes_nobody_wait() {
        let due = UnixMillis(NOW.0 + 3_600_000);
        let again = start(Some((41, due)), NOW, LEAD);
        assert_eq!((again.date, again.late, again.is_gap), (due, Duration::ZERO, false));
    }
}
