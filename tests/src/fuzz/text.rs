//! Texts: what a person types, and the playlist that a stranger serves.

use super::{choice::Choices, world::world};
use antiphon_core::{
    amount::Amount,
    delivery::playlist::{Expected, Playlist, Reader},
    wallet::{address, mnemonic::Words},
};

/// An address, words or an amount; the first byte says which, or how many decimals.
pub fn typed_texts(data: &[u8]) -> &'static str {
    let mut choices = Choices::new(data);
    let kind = choices.byte();
    let Ok(text) = std::str::from_utf8(choices.rest()) else { return "not text" };
    match kind {
        0 => address::parse(text).map_or_else(
            |error| error.code(),
            |read| {
                assert!(address::to_text(&read) == text, "a second text of one address");
                "ok"
            },
        ),
        1 => Words::parse(text).map_or_else(
            |error| error.code(),
            |words| {
                let again = Words::parse(&words.to_text());
                assert!(again.as_ref() == Ok(&words), "words that do not read back");
                "ok"
            },
        ),
        decimals => Amount::parse(text, decimals).map_or_else(
            |error| error.code(),
            |amount| {
                let again = Amount::parse(&amount.to_decimal(decimals), decimals);
                assert!(again == Ok(amount), "an amount that does not read back");
                "ok"
            },
        ),
    }
}

/// A whole playlist, or one honest playlist with other text at one place.
pub fn playlists(data: &[u8]) -> &'static str {
    let world = world();
    let mut choices = Choices::new(data);
    let honest = world.playlist(5, 3);
    let text = match choices.below(3) {
        0 => String::from_utf8_lossy(choices.rest()).into_owned(),
        1 => {
            let line = choices.below(16);
            let other = String::from_utf8_lossy(choices.rest()).into_owned();
            let lines = honest.lines().enumerate();
            let lines = lines.map(|(at, own)| if at == line { other.as_str() } else { own });
            lines.flat_map(|line| [line, "\n"]).collect()
        }
        _ => {
            let spoilt = choices.spoil(honest.clone().into_bytes());
            String::from_utf8_lossy(&spoilt).into_owned()
        }
    };
    let mut reader = Reader::new(world.chain, Expected::Publisher(world.publisher.public()));
    assert!(reader.read(&honest).is_ok(), "the honest playlist is not read");
    let before = format!("{reader:?}");
    match reader.read(&text) {
        Ok(playlist) => {
            check(&playlist, &mut reader);
            "ok"
        }
        Err(error) => {
            assert!(format!("{reader:?}") == before, "a refused playlist changed something");
            error.code()
        }
    }
}

/// Holds what was read against what the publisher signed.
fn check(playlist: &Playlist, reader: &mut Reader) {
    let world = world();
    assert!(playlist.info == world.info, "a stream that nobody signed");
    for segment in &playlist.segments {
        let honest = world.segment(segment.sequence).map(|(_, honest)| honest);
        let later = reader.verify(segment.sequence).and_then(Result::ok);
        for record in segment.record.iter().flatten().chain(&later) {
            assert!(honest == Some(record), "a record that nobody signed, or another segment's");
        }
    }
}
