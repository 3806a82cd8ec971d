//! `antiphon token`: a publisher signs who may join its stream; and how a token travels.
//!
//! Text: base64url (RFC 4648 §5) without padding. On the way to a tracker it is the one subprotocol that the listener
//! offers, `antiphon-token.TEXT`, for browsers let pages set no other header; a URL would end up in logs.

use super::http::now;
use crate::tracker::token::{MAX_TOKEN_BYTES, Token};
use antiphon_core::{
    codec::{self, Text},
    crypto::{PublicKey, Signed},
    id::{ChainId, PeerId},
};
use anyhow::Context as _;
use axum::http::HeaderMap;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use clap::Args;
use std::{io::Write as _, path::PathBuf};

/// What comes before the token where it is a subprotocol.
const PROTOCOL: &str = "antiphon-token.";

/// Whom to let in, where, for how long.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// Where the publisher's keys are: --data of `antiphon publish`.
    #[arg(long, default_value = "antiphon-publish")]
    pub data: PathBuf,
    /// Name of the stream.
    #[arg(long, default_value = "live")]
    pub name: String,
    /// Chain that pays for the stream: its id in hexadecimal.
    #[arg(long, value_name = "HEX", value_parser = super::publish::parse_chain)]
    pub chain: ChainId,
    /// Key of the only listener that may use it, in hexadecimal. Without it, whoever has the token may.
    #[arg(long, value_name = "HEX", value_parser = parse_listener)]
    pub listener: Option<PeerId>,
    /// How long it is good: 90s, 30m, 12h, 7d.
    #[arg(long = "for", value_name = "TIME", default_value = "1h", value_parser = parse_span)]
    pub lasts_ms: u64,
}

/// Prints one token.
///
/// # Errors
/// No key of a publisher there, a name that is too long.
pub fn run(options: &Options) -> anyhow::Result<()> {
    let keyring = super::publish::keys::load(&options.data)?;
    let token = Token {
        chain: options.chain,
        publisher: keyring.publisher(),
        heirs: keyring.heirs().clone(),
        name: Text::try_from(options.name.as_str()).context("--name is too long")?,
        listener: options.listener,
        expires: now().plus(options.lasts_ms),
    };
    let text = URL_SAFE_NO_PAD.encode(Signed::new(keyring.key(), options.chain, token).to_bytes());
    // Whoever reads it may have gone.
    let _ = writeln!(std::io::stdout(), "{text}");
    Ok(())
}

/// Returns what a listener offers as its subprotocol, if that is a token.
pub(super) fn shown(headers: &HeaderMap) -> Option<&str> {
    let offered = headers.get("sec-websocket-protocol")?.to_str().ok()?;
    offered.split(',').map(str::trim).find(|offer| offer.starts_with(PROTOCOL))
}

/// Reads a token from the subprotocol that carries it. What cannot be read is none.
pub(super) fn read(shown: &str) -> Option<Signed<Token>> {
    let text = shown.strip_prefix(PROTOCOL)?;
    if text.len() > MAX_TOKEN_BYTES * 4 / 3 + 1 {
        return None;
    }
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    codec::decode(&bytes, MAX_TOKEN_BYTES).ok()
}

fn parse_listener(text: &str) -> Result<PeerId, String> {
    let bytes = hex::decode(text).ok().and_then(|bytes| bytes.try_into().ok());
    bytes
        .map(|key| PeerId(PublicKey(key)))
        .ok_or_else(|| "64 hexadecimal digits are expected".into())
}

/// Reads `90s`, `30m`, `12h` or `7d`, in milliseconds, at most a year.
fn parse_span(text: &str) -> Result<u64, String> {
    let wrong =
        || format!("{text:?} is not a time such as 90s, 30m, 12h or 7d, and at most a year");
    let unit = match text.chars().next_back() {
        Some('s') => 1,
        Some('m') => 60,
        Some('h') => 3600,
        Some('d') => 86_400,
        Some(_) | None => return Err(wrong()),
    };
    let digits = text.get(..text.len().saturating_sub(1)).unwrap_or_default();
    let seconds = digits.parse::<u64>().ok().and_then(|count| count.checked_mul(unit));
    let seconds =
        seconds.filter(|seconds| (1..=366 * 86_400).contains(seconds)).ok_or_else(wrong)?;
    Ok(seconds.saturating_mul(1000))
}

#[cfg(test)]
mod tests {
    use super::*;
    use antiphon_core::{crypto::SecretKey, delivery::heir::Heirs, time::UnixMillis};

    #[test]
    fn a_token_is_read_from_the_subprotocol_and_nothing_else_is() {
        let name = Text::try_from("n".repeat(64).as_str()).unwrap();
        let key = SecretKey::from_bytes(&[9; 32]);
        let listener = Some(PeerId(key.public()));
        let (chain, publisher, expires) = (ChainId::default(), key.public(), UnixMillis(u64::MAX));
        let heirs = Heirs::new();
        let body = Token { chain, publisher, heirs, name, listener, expires };
        let token = Signed::new(&key, chain, body);
        let text = format!("{PROTOCOL}{}", URL_SAFE_NO_PAD.encode(token.to_bytes()));
        let headers = |text: &str| {
            let name: axum::http::HeaderName = "sec-websocket-protocol".parse().unwrap();
            HeaderMap::from_iter([(name, text.parse().unwrap())])
        };
        let offered = headers(&format!("other, {text}"));
        assert_eq!(shown(&offered), Some(text.as_str()));
        assert_eq!(read(&text), Some(token));
        assert_eq!(shown(&headers("other")), None);
        for bad in [
            PROTOCOL,
            &text[..text.len() - 1],
            &format!("{text}AAAA"),
            &text.replacen("-token", "", 1),
        ] {
            assert_eq!(read(bad), None);
        }
        assert_eq!(read(&format!("{PROTOCOL}{}", "A".repeat(1 << 20))), None);
    }

    #[test]
    fn times_are_read_strictly() {
        assert_eq!(parse_span("90s"), Ok(90_000));
        assert_eq!(parse_span("7d"), Ok(7 * 86_400_000));
        for bad in ["", "s", "0s", "-1s", "1", "1w", "367d", "99999999999999999999d", "1é"] {
            assert!(parse_span(bad).is_err(), "{bad}");
        }
    }
}
