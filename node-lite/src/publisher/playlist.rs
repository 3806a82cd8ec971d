//! Writes the playlists. Source: RFC 8216 §4.3; the two tags of ours come from `antiphon_core::delivery::playlist`.

use super::{
    Publisher,
    rendition::{Entry, Rendition},
    segment::MAX_DURATION,
};
use antiphon_core::{
    crypto::Signed,
    delivery::{
        playlist::{record_tag, stream_tag},
        record::Record,
    },
    time::UnixMillis,
};
use chrono::{DateTime, SecondsFormat};
use core::fmt::Write as _;

impl Publisher {
    /// Returns the playlist of a rendition's last segments.
    pub(super) fn text(&self, rendition: &Rendition) -> String {
        let skipped = rendition.signed().count().saturating_sub(self.terms.window);
        let listed = || rendition.signed().skip(skipped);
        let mut text = String::from("#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n");
        let target = self.terms.info.target_ms.div_ceil(1000);
        line(&mut text, format_args!("#EXT-X-TARGETDURATION:{target}"));
        if let Some((first, _)) = listed().next() {
            let sequence = first.record.sequence;
            line(&mut text, format_args!("#EXT-X-MEDIA-SEQUENCE:{sequence}"));
            let breaks = first.discontinuities;
            line(&mut text, format_args!("#EXT-X-DISCONTINUITY-SEQUENCE:{breaks}"));
        }
        line(&mut text, format_args!("{}", stream_tag(&self.info)));
        let (mut map, mut encryption) = (None, None);
        for (entry, signed) in listed() {
            if entry.is_discontinuous {
                line(&mut text, format_args!("#EXT-X-DISCONTINUITY"));
            }
            if entry.map != map {
                // A key that comes before a map is the map's, too; ours are in the clear (RFC 8216 §4.3.2.5).
                if encryption.take().is_some() {
                    line(&mut text, format_args!("#EXT-X-KEY:METHOD=NONE"));
                }
                map.clone_from(&entry.map);
                let uri = map.as_ref().map_or("", |map| &map.name);
                line(&mut text, format_args!("#EXT-X-MAP:URI=\"{uri}\""));
            }
            if entry.encryption != encryption {
                encryption.clone_from(&entry.encryption);
                let attributes = encryption.as_deref().unwrap_or("METHOD=NONE");
                line(&mut text, format_args!("#EXT-X-KEY:{attributes}"));
            }
            describe(&mut text, entry, signed);
        }
        if self.says_end() {
            line(&mut text, format_args!("#EXT-X-ENDLIST"));
        }
        text
    }

    /// Returns the playlist of renditions, without those whose source has fallen silent.
    pub(super) fn variants(&self) -> String {
        let mut text = String::from("#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n");
        let newest = |rendition: &Rendition| rendition.signed().last().map(|(entry, _)| entry.date);
        let latest = self.renditions.iter().filter_map(newest).max().unwrap_or_default();
        let silence = u64::try_from(MAX_DURATION.as_millis()).unwrap_or(u64::MAX);
        for rendition in &self.renditions {
            if newest(rendition).is_none_or(|date| date.saturating_add(silence) < latest) {
                continue;
            }
            let bandwidth = rendition.bandwidth();
            let codecs = rendition.standing.offer.codecs.as_ref();
            let codecs = codecs.map_or_else(String::new, |codecs| format!(",CODECS=\"{codecs}\""));
            line(&mut text, format_args!("#EXT-X-STREAM-INF:BANDWIDTH={bandwidth}{codecs}"));
            line(&mut text, format_args!("{}", playlist_name(rendition.index)));
        }
        text
    }
}

/// Returns the name of a rendition's playlist where there are several.
pub(super) fn playlist_name(index: u8) -> String {
    format!("live-{index}.m3u8")
}

fn describe(text: &mut String, entry: &Entry, signed: &Signed<Record>) {
    line(text, format_args!("{}", record_tag(signed)));
    line(text, format_args!("#EXT-X-PROGRAM-DATE-TIME:{}", date(UnixMillis(entry.date))));
    let duration = entry.duration();
    let (seconds, micros) = (duration.as_secs(), duration.subsec_micros());
    line(text, format_args!("#EXTINF:{seconds}.{micros:06},"));
    line(text, format_args!("{}", entry.name));
}

/// Returns the time as RFC 3339 with milliseconds, in UTC.
fn date(time: UnixMillis) -> String {
    let ms = i64::try_from(time.0).unwrap_or_default();
    let date = DateTime::from_timestamp_millis(ms).unwrap_or_default();
    date.to_rfc3339_opts(SecondsFormat::Millis, true)
}

fn line(text: &mut String, words: core::fmt::Arguments<'_>) {
    // Writing to memory does not fail.
    let _ = writeln!(text, "{words}");
}
