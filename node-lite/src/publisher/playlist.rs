//! Writes the playlist. Source: RFC 8216 §4.3; the two tags of ours come from `antiphon_core::delivery::playlist`.

use super::{Entry, Publisher};
use antiphon_core::{
    delivery::playlist::{record_tag, stream_tag},
    time::UnixMillis,
};
use chrono::{DateTime, SecondsFormat};
use core::fmt::Write as _;

impl Publisher {
    /// Returns the playlist of the last segments.
    pub(super) fn text(&self) -> String {
        let skipped = self.entries.len().saturating_sub(self.terms.window);
        let listed = || self.entries.iter().skip(skipped);
        let mut text = String::from("#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n");
        let target = self.terms.info.target_ms.div_ceil(1000);
        line(&mut text, format_args!("#EXT-X-TARGETDURATION:{target}"));
        if let Some(first) = listed().next() {
            let sequence = first.record.body.sequence;
            line(&mut text, format_args!("#EXT-X-MEDIA-SEQUENCE:{sequence}"));
            let breaks = first.discontinuities;
            line(&mut text, format_args!("#EXT-X-DISCONTINUITY-SEQUENCE:{breaks}"));
        }
        line(&mut text, format_args!("{}", stream_tag(&self.info)));
        let mut map = None;
        for entry in listed() {
            if entry.is_discontinuous {
                line(&mut text, format_args!("#EXT-X-DISCONTINUITY"));
            }
            if entry.map != map {
                map.clone_from(&entry.map);
                let uri = map.as_ref().map_or("", |map| &map.name);
                line(&mut text, format_args!("#EXT-X-MAP:URI=\"{uri}\""));
            }
            describe(&mut text, entry);
        }
        text
    }
}

fn describe(text: &mut String, entry: &Entry) {
    line(text, format_args!("{}", record_tag(&entry.record)));
    line(text, format_args!("#EXT-X-PROGRAM-DATE-TIME:{}", date(entry.date)));
    let (seconds, micros) = (entry.duration.as_secs(), entry.duration.subsec_micros());
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
