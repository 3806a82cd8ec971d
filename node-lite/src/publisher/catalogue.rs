//! Reads the playlist in which a source lists its renditions.
//!
//! Source: RFC 8216 §4.3.4. Only what sounds is taken: streams of key frames and alternative tracks are passed over.

use super::{
    Offer,
    intake::{IntakeError, MAX_SOURCE_PLAYLIST, plain_name},
};
use antiphon_core::delivery::rendition::MAX_RENDITIONS;

/// A rendition that the source offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variant {
    /// Where its playlist is: a name beside the catalogue, or in one folder below.
    pub path: String,
    /// What the source says of it.
    pub offer: Offer,
}

/// Returns whether a text lists renditions and not segments.
pub fn is_catalogue(text: &[u8]) -> bool {
    let tag = b"#EXT-X-STREAM-INF:";
    text.split(|byte| *byte == b'\n').any(|line| line.starts_with(tag))
}

/// Reads a catalogue.
///
/// # Errors
/// [`IntakeError::NotPlaylist`]: no catalogue, none or too many renditions, or one twice; [`IntakeError::BadName`].
pub fn read(text: &[u8]) -> Result<Vec<Variant>, IntakeError> {
    // The parser expects UTF-8 and would panic without.
    if text.len() > MAX_SOURCE_PLAYLIST || core::str::from_utf8(text).is_err() {
        return Err(IntakeError::NotPlaylist);
    }
    let playlist =
        m3u8_rs::parse_master_playlist_res(text).map_err(|_| IntakeError::NotPlaylist)?;
    let mut variants: Vec<Variant> = Vec::new();
    for listed in playlist.variants.into_iter().filter(|variant| !variant.is_i_frame) {
        let mut steps = listed.uri.split('/');
        for step in steps.by_ref().take(2) {
            plain_name(step)?;
        }
        if steps.next().is_some() || !listed.uri.ends_with(".m3u8") {
            return Err(IntakeError::BadName);
        }
        let is_known = variants.iter().any(|known| known.path == listed.uri);
        if is_known || variants.len() >= usize::from(MAX_RENDITIONS) {
            return Err(IntakeError::NotPlaylist);
        }
        let bandwidth = Some(listed.bandwidth).filter(|bandwidth| *bandwidth > 0);
        let offer = Offer { bandwidth, codecs: listed.codecs };
        variants.push(Variant { path: listed.uri, offer });
    }
    if variants.is_empty() { Err(IntakeError::NotPlaylist) } else { Ok(variants) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_sounds_is_taken_in_order() {
        let text = "#EXTM3U\n#EXT-X-VERSION:7\n\
             #EXT-X-STREAM-INF:BANDWIDTH=70400,CODECS=\"mp4a.40.2\"\nlow.m3u8\n\
             #EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=9,URI=\"frames.m3u8\"\n\
             #EXT-X-STREAM-INF:BANDWIDTH=140800\nhigh/live.m3u8\n";
        assert!(is_catalogue(text.as_bytes()));
        let offer = |bandwidth, codecs: Option<&str>| Offer {
            bandwidth: Some(bandwidth),
            codecs: codecs.map(str::to_owned),
        };
        let variants = read(text.as_bytes()).unwrap();
        let low = Variant { path: "low.m3u8".into(), offer: offer(70_400, Some("mp4a.40.2")) };
        let high = Variant { path: "high/live.m3u8".into(), offer: offer(140_800, None) };
        assert_eq!(variants, [low, high]);
    }

    #[test]
    fn what_leads_elsewhere_repeats_itself_or_lists_nothing_is_refused() {
        let of = |paths: &[&str]| {
            let mut text = String::from("#EXTM3U\n");
            for path in paths {
                text += &format!("#EXT-X-STREAM-INF:BANDWIDTH=1\n{path}\n");
            }
            read(text.as_bytes()).err()
        };
        for path in
            ["../a.m3u8", "/a.m3u8", "a/b/c.m3u8", "http://x/a.m3u8", "a.mp4", "a//b.m3u8", ".m3u8"]
        {
            assert_eq!(of(&[path]), Some(IntakeError::BadName), "{path}");
        }
        assert_eq!(of(&["a.m3u8", "a.m3u8"]), Some(IntakeError::NotPlaylist));
        let many: Vec<String> = (0..17).map(|n| format!("{n}.m3u8")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(of(&many), Some(IntakeError::NotPlaylist));
        assert_eq!(of(&many[..16]), None);
        for text in [&b""[..], b"#EXTM3U\n", b"#EXTM3U\n\xff\n", b"#EXTM3U\n#EXTINF:1,\na.m4s\n"] {
            assert_eq!(read(text).err(), Some(IntakeError::NotPlaylist), "{text:?}");
            assert!(!is_catalogue(text));
        }
        let long = [b"#EXTM3U\n".as_slice(), &vec![b'#'; MAX_SOURCE_PLAYLIST]].concat();
        assert_eq!(read(&long).err(), Some(IntakeError::NotPlaylist));
    }
}
