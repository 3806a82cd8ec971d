//! Follows a playlist that an encoder writes and says which of its segments are new.
//!
//! Source: RFC 8216 §6.3.4, seen from a client. Invariant: a segment of the source is wanted once, by its number.

use super::{Container, MAX_DURATION};
use antiphon_core::time::UnixMillis;
use chrono::DateTime;
use m3u8_rs::{Key, KeyMethod, MediaPlaylist, MediaSegment};
use std::time::Duration;

/// Longest playlist of a source, in bytes.
pub const MAX_SOURCE_PLAYLIST: usize = 1 << 20;

/// Segments of a source's playlist that are looked at.
pub const MAX_SOURCE_SEGMENTS: usize = 4096;

/// Why a source's playlist cannot be followed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IntakeError {
    /// Not a media playlist of RFC 8216, or over a limit.
    #[error("not a media playlist")]
    NotPlaylist,
    /// Its segments are parts of a file, or encrypted otherwise than whole with AES-128 and a key at an absolute URL.
    #[error("byte ranges, and encryption other than AES-128 with a key's URL, are not carried")]
    Unsupported,
    /// A name that leads out of the folder, or of a kind that is not carried.
    #[error("a segment's name must end in .m4s, .mp4, .m4a, .aac, .mp3 or .ts, without folders")]
    BadName,
}

impl IntakeError {
    /// Returns the stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotPlaylist => "intake/not-playlist",
            Self::Unsupported => "intake/unsupported",
            Self::BadName => "intake/bad-name",
        }
    }
}

/// What a line that lists a part begins with.
const PART: &[u8] = b"\n#EXT-X-PART:";

/// The unit of `EXT-X-TARGETDURATION`: what says less says nothing.
const MIN_TARGET: Duration = Duration::from_secs(1);

/// Longest URL of a key, in bytes.
const MAX_KEY_URL: usize = 2048;

/// A segment that the source has and we do not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Its number in the source.
    pub number: u64,
    /// Its file.
    pub name: String,
    /// What the file holds.
    pub container: Container,
    /// File of its initialisation segment.
    pub map: Option<String>,
    /// How long it lasts.
    pub duration: Duration,
    /// When it was heard, if the source says so.
    pub date: Option<UnixMillis>,
    /// Whether it does not go on from the one before, or some between were missed.
    pub is_discontinuous: bool,
    /// The attributes of its `EXT-X-KEY`, if it is encrypted.
    pub encryption: Option<String>,
}

/// A source's playlist as read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// What is new, oldest first.
    pub wanted: Vec<Wanted>,
    /// Whether the source says that no segment will follow.
    pub is_ended: bool,
    /// Whether it lists parts of segments for low latency (RFC 8216bis `EXT-X-PART`), too. They are passed over: records are of
    /// whole segments.
    pub has_parts: bool,
    /// How long a segment lasts at most, as the source says and as it lists: 1 to 60 seconds.
    pub target: Duration,
}

/// Follows one playlist.
#[derive(Clone, Debug, Default)]
pub struct Intake {
    next: Option<u64>,
}

impl Intake {
    /// Follows a playlist of which all before the segment number `next` was taken already.
    pub const fn from(next: Option<u64>) -> Self {
        Self { next }
    }

    /// Reads the playlist as it is now.
    ///
    /// # Errors
    /// [`IntakeError`]; nothing counts as taken then.
    pub fn read(&mut self, text: &[u8]) -> Result<Listing, IntakeError> {
        let playlist = parse(text)?;
        let first = playlist.media_sequence;
        let count = u64::try_from(playlist.segments.len()).unwrap_or(u64::MAX);
        let end = first.checked_add(count).ok_or(IntakeError::NotPlaylist)?;
        // An encoder that was started anew counts from the beginning.
        let is_anew = self.next.is_some_and(|next| end < next);
        let from = self.next.filter(|_| !is_anew).unwrap_or(first);
        let mut is_gap = is_anew || first > from;
        let (mut map, mut key) = (None, None);
        let mut wanted = Vec::new();
        for (number, segment) in (first..).zip(&playlist.segments) {
            if let Some(new) = &segment.map {
                map = Some(plain_name(&new.uri)?.to_owned());
            }
            // Both hold until the next of their kind; the parser says them once.
            key = segment.key.as_ref().or(key);
            if number >= from {
                let mut item = describe(number, segment, map.clone())?;
                item.encryption = key.map(|key| encryption(key, number)).transpose()?.flatten();
                item.is_discontinuous |= core::mem::take(&mut is_gap);
                wanted.push(item);
            }
        }
        self.next = Some(end);
        let has_parts = text.windows(PART.len()).any(|window| window == PART);
        let longest = wanted.iter().map(|wanted| wanted.duration).max().unwrap_or_default();
        let target = Duration::from_secs(playlist.target_duration).max(longest);
        let target = target.clamp(MIN_TARGET, MAX_DURATION);
        Ok(Listing { wanted, is_ended: playlist.end_list, has_parts, target })
    }
}

fn parse(text: &[u8]) -> Result<MediaPlaylist, IntakeError> {
    // The parser expects UTF-8 and would panic without.
    let is_text = core::str::from_utf8(text).is_ok_and(|text| text.ends_with('\n'));
    if text.len() > MAX_SOURCE_PLAYLIST || !is_text {
        return Err(IntakeError::NotPlaylist);
    }
    let playlist = m3u8_rs::parse_media_playlist_res(text).map_err(|_| IntakeError::NotPlaylist)?;
    if playlist.segments.len() > MAX_SOURCE_SEGMENTS {
        return Err(IntakeError::NotPlaylist);
    }
    Ok(playlist)
}

fn describe(
    number: u64,
    segment: &MediaSegment,
    map: Option<String>,
) -> Result<Wanted, IntakeError> {
    let is_map_part = segment.map.as_ref().is_some_and(|map| map.byte_range.is_some());
    if segment.byte_range.is_some() || is_map_part {
        return Err(IntakeError::Unsupported);
    }
    let name = plain_name(&segment.uri)?;
    let container = Container::of_name(name).ok_or(IntakeError::BadName)?;
    let seconds = f64::from(segment.duration);
    let duration = Duration::try_from_secs_f64(seconds).map_err(|_| IntakeError::NotPlaylist)?;
    // The parser keeps seconds in single precision; microseconds, rounded, are what it can still tell.
    let micros = duration.saturating_add(Duration::from_nanos(500)).as_micros();
    let micros = u64::try_from(micros).map_err(|_| IntakeError::NotPlaylist)?;
    let encryption = segment.key.as_ref().map(|key| encryption(key, number)).transpose()?.flatten();
    Ok(Wanted {
        number,
        encryption,
        name: name.to_owned(),
        container,
        map,
        duration: Duration::from_micros(micros),
        date: date(segment),
        is_discontinuous: segment.discontinuity,
    })
}

/// Returns how a segment is encrypted, in words that stay true when it is numbered anew: where nothing else is said, the
/// initialisation vector is the number that the source gave it (RFC 8216 §5.2).
fn encryption(key: &Key, number: u64) -> Result<Option<String>, IntakeError> {
    if key.method == KeyMethod::None {
        return Ok(None);
    }
    let is_plain = key.keyformat.as_deref().is_none_or(|format| format == "identity");
    let url = key.uri.as_deref().filter(|url| {
        let is_url = url.starts_with("https://") || url.starts_with("http://");
        is_url && url.len() <= MAX_KEY_URL && url.bytes().all(|b| b.is_ascii_graphic() && b != b'"')
    });
    let counted = format!("0x{number:032x}");
    let vector = key.iv.as_deref().unwrap_or(&counted);
    let digits = vector.strip_prefix("0x").or_else(|| vector.strip_prefix("0X"));
    let is_vector = digits.is_some_and(|digits| {
        (1..=32).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_hexdigit())
    });
    match url {
        Some(url) if key.method == KeyMethod::AES128 && is_plain && is_vector => {
            Ok(Some(format!("METHOD=AES-128,URI=\"{url}\",IV={vector}")))
        }
        Some(_) | None => Err(IntakeError::Unsupported),
    }
}

/// Reads the date. ffmpeg writes the zone without a colon, which RFC 3339 and thus the parser do not know.
fn date(segment: &MediaSegment) -> Option<UnixMillis> {
    let unknown = segment.unknown_tags.iter().find(|tag| tag.tag == "X-PROGRAM-DATE-TIME");
    let without_colon = unknown.and_then(|tag| {
        DateTime::parse_from_str(tag.rest.as_deref()?, "%Y-%m-%dT%H:%M:%S%.f%z").ok()
    });
    let date = segment.program_date_time.or(without_colon)?;
    date.timestamp_millis().try_into().ok().map(UnixMillis)
}

/// Accepts the name of a file in the playlist's own folder only.
pub(super) fn plain_name(uri: &str) -> Result<&str, IntakeError> {
    let is_plain = !uri.is_empty()
        && uri.len() <= 255
        && !uri.starts_with('.')
        && uri.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'));
    if is_plain { Ok(uri) } else { Err(IntakeError::BadName) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_segment_is_wanted_once_with_its_map_and_date() {
        let mut intake = Intake::default();
        let listing = intake.read(text(5, 2).as_bytes()).unwrap();
        assert_eq!(names(&listing), ["s5.m4s", "s6.m4s"]);
        let first = &listing.wanted[0];
        assert_eq!(first.map.as_deref(), Some("init.mp4"));
        assert_eq!(first.duration, Duration::from_micros(2_048_000));
        assert_eq!(first.date, Some(UnixMillis(1_700_000_000_250)));
        assert!(!first.is_discontinuous && !listing.is_ended);
        assert_eq!(names(&intake.read(text(5, 2).as_bytes()).unwrap()), [""; 0]);
        let more = intake.read(text(6, 3).as_bytes()).unwrap();
        assert_eq!(names(&more), ["s7.m4s", "s8.m4s"]);
        assert!(more.wanted.iter().all(|wanted| !wanted.is_discontinuous));
        assert_eq!(more.wanted[0].map.as_deref(), Some("init.mp4"));
    }

    #[test]
    fn durations_are_rounded_to_the_microsecond() {
        for (text_s, micros) in [("2.005333", 2_005_333), ("1.984000", 1_984_000), ("2", 2_000_000)]
        {
            let listed = text(0, 1).replace("2.048000", text_s);
            let listing = Intake::default().read(listed.as_bytes()).unwrap();
            assert_eq!(listing.wanted[0].duration, Duration::from_micros(micros), "{text_s}");
        }
    }

    #[test]
    fn a_date_is_read_with_and_without_a_colon_in_its_zone() {
        for (zone, ms) in [("Z", 0), ("+00:00", 0), ("+0100", 3_600_000), ("+01:00", 3_600_000)] {
            let zoned = text(0, 1).replace("+0000", zone);
            let listing = Intake::default().read(zoned.as_bytes()).unwrap();
            let expected = UnixMillis(1_700_000_000_250 - ms);
            assert_eq!(listing.wanted[0].date, Some(expected), "{zone}");
        }
        let undated = text(0, 1).replace("+0000", "");
        assert_eq!(Intake::default().read(undated.as_bytes()).unwrap().wanted[0].date, None);
    }

    #[test]
    fn missed_segments_and_a_new_start_are_discontinuities() {
        let mut intake = Intake::default();
        intake.read(text(5, 2).as_bytes()).unwrap();
        let later = intake.read(text(9, 2).as_bytes()).unwrap();
        assert_eq!(
            later.wanted.iter().map(|w| w.is_discontinuous).collect::<Vec<_>>(),
            [true, false]
        );
        let anew = intake.read(text(0, 2).as_bytes()).unwrap();
        assert_eq!(names(&anew), ["s0.m4s", "s1.m4s"]);
        assert!(anew.wanted[0].is_discontinuous);
    }

    #[test]
    fn what_cannot_be_followed_is_refused_by_kind() {
        let read = |text: &str| Intake::default().read(text.as_bytes()).err();
        assert_eq!(read("hello\n"), Some(IntakeError::NotPlaylist));
        assert_eq!(
            Intake::default().read(b"#EXTM3U\n\xff\n").err(),
            Some(IntakeError::NotPlaylist)
        );
        let cut = text(0, 1);
        assert_eq!(read(cut.trim_end()), Some(IntakeError::NotPlaylist));
        for name in ["../s.m4s", "a/b.m4s", "s.exe", "http://x/s.m4s", ".m4s", "s"] {
            let renamed = text(0, 1).replace("s0.m4s", name);
            assert_eq!(read(&renamed), Some(IntakeError::BadName), "{name}");
        }
        let range = text(0, 1).replace("#EXTINF", "#EXT-X-BYTERANGE:5@0\n#EXTINF");
        assert_eq!(read(&range), Some(IntakeError::Unsupported));
        let variants = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nlow.m3u8\n";
        assert!(read(variants).is_some());
    }

    #[test]
    fn of_a_low_latency_playlist_whole_segments_are_wanted() {
        let whole = Intake::default().read(text(5, 2).as_bytes()).unwrap();
        assert!(!whole.has_parts);
        let parts = |n: u64| {
            format!(
                "#EXT-X-PART:DURATION=1.024,URI=\"s{n}.0.m4s\",INDEPENDENT=YES\n#EXT-X-PART:DURATION=1.024,URI=\"s{n}.1.m4s\"\n"
            )
        };
        let inf = "#EXTINF:2.048000,\n";
        let [head, five, six] =
            text(5, 2).split(inf).map(str::to_owned).collect::<Vec<_>>().try_into().unwrap();
        let hint = "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"s7.1.m4s\"\n";
        let control = "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=3.072\n#EXT-X-PART-INF:PART-TARGET=1.024\n";
        let low = format!(
            "{head}{control}{}{inf}{five}{}{inf}{six}{}{hint}",
            parts(5),
            parts(6),
            parts(7)
        );
        let mut intake = Intake::default();
        let listing = intake.read(low.as_bytes()).unwrap();
        assert!(listing.has_parts);
        assert_eq!(listing.wanted, whole.wanted, "and the one that is still made is none yet");
        let next = low.replace(hint, &format!("{inf}s7.m4s\n{}", parts(8)));
        assert_eq!(names(&intake.read(next.as_bytes()).unwrap()), ["s7.m4s"]);
    }

    #[test]
    fn encrypted_segments_keep_the_vector_of_the_number_that_the_source_gave_them() {
        let keyed = |attributes: &str| {
            let tag = format!("#EXT-X-KEY:{attributes}\n#EXTINF");
            Intake::default().read(text(7, 2).replacen("#EXTINF", &tag, 1).as_bytes())
        };
        let url = "URI=\"https://keys.example/1?a=b\"";
        let listing = keyed(&format!("METHOD=AES-128,{url}")).unwrap();
        let said = listing.wanted.iter().map(|wanted| wanted.encryption.clone().unwrap());
        let zeros = "0".repeat(31);
        assert!(said.eq([7, 8].map(|n| format!("METHOD=AES-128,{url},IV=0x{zeros}{n}"))));
        let explicit = keyed(&format!("METHOD=AES-128,{url},IV=0xAb")).unwrap();
        assert!(explicit.wanted[1].encryption.as_ref().unwrap().ends_with(",IV=0xAb"));
        assert_eq!(keyed("METHOD=NONE").unwrap().wanted[0].encryption, None);
        for other in [
            format!("METHOD=SAMPLE-AES,{url}"),
            format!("METHOD=AES-128,{url},KEYFORMAT=\"com.example\""),
            format!("METHOD=AES-128,{url},IV=0xzz"),
            String::from("METHOD=AES-128,URI=\"key.bin\""),
            String::from("METHOD=AES-128"),
        ] {
            assert_eq!(keyed(&other).err(), Some(IntakeError::Unsupported), "{other}");
        }
    }

    #[test]
    fn an_intake_goes_on_where_another_ended() {
        let mut intake = Intake::from(Some(7));
        let listing = intake.read(text(5, 4).as_bytes()).unwrap();
        assert_eq!(names(&listing), ["s7.m4s", "s8.m4s"]);
        assert!(!listing.wanted[0].is_discontinuous && listing.wanted[0].number == 7);
        let anew = Intake::from(Some(70)).read(text(5, 2).as_bytes()).unwrap();
        assert!(anew.wanted[0].is_discontinuous && anew.wanted[0].number == 5);
    }

    fn names(listing: &Listing) -> Vec<&str> {
        listing.wanted.iter().map(|wanted| wanted.name.as_str()).collect()
    }

    fn text(first: u64, count: u64) -> String {
        let mut text = format!(
            "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:{first}\n\
             #EXT-X-MAP:URI=\"init.mp4\"\n#EXT-X-PROGRAM-DATE-TIME:2023-11-14T22:13:20.250+0000\n"
        );
        for number in first..first + count {
            text += &format!("#EXTINF:2.048000,\ns{number}.m4s\n");
        }
        text
    }
}
