//! Join tokens: a publisher says who may meet the listeners of its stream, and until when.
//!
//! ```text
//! Token = chain | publisher | heirs | name | listener, or anyone | expires        signed by the last heir's key on that chain
//! ```
//!
//! The stream's id is made of chain, publisher and name, so a token of any other key names another stream. Whoever signs shows
//! how the publisher's first key led to its own: at most 16 signatures, each of them checked. Which of those keys was given up
//! since is the matter of `tracker::heirs`. Source: issue 5 "join tokens from the publisher"; FIELD-NOTES, free riding on the
//! provider.

use antiphon_core::{
    codec::Text,
    crypto::{PublicKey, Signed, Tagged},
    delivery::{
        heir::{self, Heirs, MAX_HEIRS},
        record::stream_id,
    },
    id::{ChainId, PeerId, StreamId},
    time::UnixMillis,
};
use borsh::{BorshDeserialize, BorshSerialize};

/// Longest encoding of a signed token: keys, heirs, name, expiry, signature.
pub const MAX_TOKEN_BYTES: usize =
    32 + 32 + (4 + (32 + 64) * MAX_HEIRS) + (4 + 64) + (1 + 32) + 8 + 64;

/// A publisher's leave to join one of its streams.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Token {
    /// The chain of the stream.
    pub chain: ChainId,
    /// Whose stream it is.
    pub publisher: PublicKey,
    /// The keys that took over; the last one signs, or the publisher's first.
    pub heirs: Heirs,
    /// The publisher's name for the stream.
    pub name: Text<64>,
    /// The only listener that may use it, or whoever has it.
    pub listener: Option<PeerId>,
    /// Until when.
    pub expires: UnixMillis,
}

impl Tagged for Token {
    // The second form: the first had no heirs.
    const TAG: &'static str = "tracker/v2/token";
}

/// Why a listener may not join.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// It brought none.
    #[error("no token was brought")]
    Missing,
    /// It is for another stream, or of another publisher.
    #[error("the token is for another stream")]
    OtherStream,
    /// It is for another listener.
    #[error("the token is for another listener")]
    OtherListener,
    /// Its time is over.
    #[error("the token has expired")]
    Expired,
    /// The publisher has not signed it.
    #[error("the publisher has not signed the token")]
    BadSignature,
    /// The key that signed it was given up for another.
    #[error("the publisher has given up the key that signed the token")]
    OldKey,
}

impl TokenError {
    /// Returns the stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Missing => "token/missing",
            Self::OtherStream => "token/other-stream",
            Self::OtherListener => "token/other-listener",
            Self::Expired => "token/expired",
            Self::BadSignature => "token/bad-signature",
            Self::OldKey => "token/old-key",
        }
    }
}

/// Checks that `token` lets `listener` into `stream` at this time. The signature comes last, for it is dear.
///
/// # Errors
/// [`TokenError`], one variant a cause.
pub fn check(
    token: Option<&Signed<Token>>,
    stream: StreamId,
    listener: PeerId,
    clock: UnixMillis,
) -> Result<(), TokenError> {
    let signed = token.ok_or(TokenError::Missing)?;
    let Token { chain, publisher, heirs, name, listener: named, expires } = &signed.body;
    if stream_id(*chain, *publisher, name) != stream {
        return Err(TokenError::OtherStream);
    }
    if named.is_some_and(|named| named != listener) {
        return Err(TokenError::OtherListener);
    }
    if *expires <= clock {
        return Err(TokenError::Expired);
    }
    let signer = heir::signer(*publisher, heirs).ok_or(TokenError::BadSignature)?;
    signed.verify(*chain, &signer).map_err(|_| TokenError::BadSignature)
}

#[cfg(test)]
mod tests {
    use super::*;
    use antiphon_core::{
        codec::{self, DecodeError},
        crypto::{Hash, SecretKey},
        delivery::heir::Heir,
    };

    #[test]
    fn a_token_opens_one_stream_to_one_listener_until_its_end() {
        let token = signed(None);
        let stream = stream();
        assert_eq!(check(Some(&token), stream, id(1), UnixMillis(999)), Ok(()));
        assert_eq!(check(Some(&token), stream, id(1), UnixMillis(1000)), Err(TokenError::Expired));
        assert_eq!(check(None, stream, id(1), UnixMillis(0)), Err(TokenError::Missing));
        let other = StreamId(Hash([7; 32]));
        assert_eq!(check(Some(&token), other, id(1), UnixMillis(0)), Err(TokenError::OtherStream));
        let mine = signed(Some(id(1)));
        assert_eq!(check(Some(&mine), stream, id(1), UnixMillis(0)), Ok(()));
        assert_eq!(
            check(Some(&mine), stream, id(2), UnixMillis(0)),
            Err(TokenError::OtherListener)
        );
    }

    #[test]
    fn nothing_of_a_token_can_be_changed() {
        let good = signed(Some(id(1)));
        let refused = |token: &Signed<Token>, listener| {
            let body = &token.body;
            let stream = stream_id(body.chain, body.publisher, &body.name);
            check(Some(token), stream, listener, UnixMillis(0))
        };
        for body in [
            Token { listener: Some(id(2)), ..good.body.clone() },
            Token { listener: None, ..good.body.clone() },
            Token { expires: UnixMillis(2000), ..good.body.clone() },
            Token { name: Text::try_from("other").unwrap(), ..good.body.clone() },
            Token { publisher: key(2).public(), ..good.body.clone() },
            Token { chain: ChainId(Hash([2; 32])), ..good.body.clone() },
        ] {
            let listener = body.listener.unwrap_or(id(1));
            let forged = Signed { body, signature: good.signature };
            assert_eq!(refused(&forged, listener), Err(TokenError::BadSignature));
        }
        // A key that signs for a name of its own opens only a stream of its own.
        let own = Token { publisher: key(2).public(), ..good.body };
        let own = Signed::new(&key(2), own.chain, own);
        assert_eq!(check(Some(&own), stream(), id(1), UnixMillis(0)), Err(TokenError::OtherStream));
    }

    #[test]
    fn after_the_key_was_changed_the_heir_lets_in_and_nobody_else() {
        let of = |heirs: Vec<Heir>, by: u8| {
            let body = Token { heirs: heirs.try_into().unwrap(), ..signed(None).body };
            let token = Signed::new(&key(by), body.chain, body);
            check(Some(&token), stream(), id(1), UnixMillis(0))
        };
        assert_eq!(of(vec![heir(9, 0, 8)], 8), Ok(()));
        for (heirs, by) in [
            (vec![heir(9, 0, 8)], 9),
            (vec![heir(7, 0, 7)], 7),
            (vec![heir(9, 0, 8), heir(9, 1, 7)], 7),
            (vec![], 8),
        ] {
            assert_eq!(of(heirs, by), Err(TokenError::BadSignature));
        }
    }

    #[test]
    fn the_longest_token_fits_and_no_longer_one_is_read() {
        let name = Text::try_from("n".repeat(64).as_str()).unwrap();
        let heirs = vec![heir(9, 0, 8); MAX_HEIRS].try_into().unwrap();
        let body = Token { name, heirs, ..signed(Some(id(1))).body };
        let bytes = Signed::new(&key(9), ChainId::default(), body).to_bytes();
        assert_eq!(bytes.len(), MAX_TOKEN_BYTES);
        assert!(codec::decode::<Signed<Token>>(&bytes, MAX_TOKEN_BYTES).is_ok());
        let longer = [bytes, vec![0]].concat();
        let read = codec::decode::<Signed<Token>>(&longer, MAX_TOKEN_BYTES);
        assert_eq!(read.unwrap_err(), DecodeError::OverLimit);
    }

    fn key(n: u8) -> SecretKey {
        SecretKey::from_bytes(&[n; 32])
    }

    fn heir(old: u8, place: u8, new: u8) -> Heir {
        Heir::new(&key(old), key(9).public(), place, key(new).public())
    }

    fn id(n: u8) -> PeerId {
        PeerId(key(n).public())
    }

    fn stream() -> StreamId {
        let token = signed(None).body;
        stream_id(token.chain, token.publisher, &token.name)
    }

    fn signed(listener: Option<PeerId>) -> Signed<Token> {
        let (chain, name) = (ChainId(Hash([1; 32])), Text::try_from("live").unwrap());
        let (publisher, expires) = (key(9).public(), UnixMillis(1000));
        let heirs = Heirs::new();
        Signed::new(&key(9), chain, Token { chain, publisher, heirs, name, listener, expires })
    }
}
