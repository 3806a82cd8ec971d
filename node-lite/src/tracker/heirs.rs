//! Who signs tokens for a publisher: what its tokens, or the tracker's keeper, have shown of its heirs.
//!
//! ```text
//! first key --------> heir 1 --------> heir 2          every list that is taken goes on from the one that is known
//!    given up when a token shows heir 1, and refused an hour later
//! ```
//!
//! A token carries the heirs up to the key that signed it (`tracker::token`), so a tracker can follow a publisher that it has
//! never heard of. What it cannot know is who came after: a key that was given up goes on signing tokens that are good by
//! themselves. So the longest list that a good token has shown is remembered, as listeners remember that of the stream:
//!
//! - A token of a key before the last is refused from [`OLD_KEY_PATIENCE`] on after its heir was first shown: those that were
//!   given out by then are still good for so long. Who is in by such a token is put out then.
//! - A list that goes another way is refused at once. The first one wins: of two heirs of one key nobody can say which is the
//!   publisher's. Whoever stole a key could show its own heir to a tracker that has just begun, and the publisher's listeners
//!   would not meet there; so the keeper can say how the list goes (`Heirs::tell`). Keys before the last are refused at once
//!   then, for who tells it wants that.
//!
//! Source: issue 5 "Tracker". Invariant: at most [`MAX_PUBLISHERS`] lists of public keys, and only of publishers one of whose
//! tokens was verified; what the keeper told is never forgotten.

use super::token::{Token, TokenError};
use antiphon_core::{crypto::PublicKey, delivery::heir::Heirs as List, time::Moment};
use std::{collections::BTreeMap, time::Duration};

/// How long tokens of a key are taken after its heir was shown. Chosen here: what `antiphon token` makes without `--for`.
pub const OLD_KEY_PATIENCE: Duration = Duration::from_hours(1);

/// Publishers whose heirs are remembered. Chosen here: 2.6 MB with 16 heirs each.
pub const MAX_PUBLISHERS: usize = 4096;

/// What is known of publishers.
#[derive(Debug, Default)]
pub(super) struct Heirs {
    known: BTreeMap<PublicKey, Known>,
    uses: u64,
}

#[derive(Debug, Default)]
struct Known {
    /// Each heir, and when tokens of the key before it are over.
    heirs: Vec<(PublicKey, Moment)>,
    is_told: bool,
    /// Number of the last use.
    used: u64,
}

impl Heirs {
    /// Takes the keeper's word; the list must have been verified. Another one of the same publisher takes its place.
    pub(super) fn tell(&mut self, publisher: PublicKey, list: &List) {
        let heirs = list.iter().map(|heir| (heir.key, Moment::ZERO)).collect();
        self.known.insert(publisher, Known { heirs, is_told: true, used: 0 });
    }

    /// Returns until when a token is good as far as heirs are concerned, or `None` if there is no end to that. Looks at no
    /// signature.
    ///
    /// # Errors
    /// [`TokenError::OldKey`].
    pub(super) fn check(&self, now: Moment, token: &Token) -> Result<Option<Moment>, TokenError> {
        let Some(known) = self.known.get(&token.publisher) else { return Ok(None) };
        if token.heirs.iter().zip(&known.heirs).any(|(shown, (key, _))| shown.key != *key) {
            return Err(TokenError::OldKey);
        }
        match known.heirs.get(token.heirs.len()) {
            Some((_, until)) if *until <= now => Err(TokenError::OldKey),
            Some((_, until)) => Ok(Some(*until)),
            None => Ok(None),
        }
    }

    /// Remembers whom a token shows that was verified and that [`Self::check`] has let pass.
    pub(super) fn learn(&mut self, now: Moment, token: &Token) {
        if token.heirs.is_empty() && !self.known.contains_key(&token.publisher) {
            return;
        }
        self.uses = self.uses.saturating_add(1);
        if !self.known.contains_key(&token.publisher) && !self.make_room() {
            return;
        }
        let known = self.known.entry(token.publisher).or_default();
        known.used = self.uses;
        let until = now.after(OLD_KEY_PATIENCE);
        let fresh = token.heirs.iter().skip(known.heirs.len());
        known.heirs.extend(fresh.map(|heir| (heir.key, until)));
    }

    /// Forgets whose tokens nobody has shown for the longest time, if there are too many; returns whether there is room.
    fn make_room(&mut self) -> bool {
        if self.known.len() < MAX_PUBLISHERS {
            return true;
        }
        let learned = self.known.iter().filter(|(_, known)| !known.is_told);
        let oldest = learned.min_by_key(|(_, known)| known.used).map(|(publisher, _)| *publisher);
        oldest.is_some_and(|oldest| self.known.remove(&oldest).is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use antiphon_core::{
        codec::Text, crypto::SecretKey, delivery::heir::Heir, id::ChainId, time::UnixMillis,
    };

    const HOUR: u64 = 3_600_000;

    #[test]
    fn a_key_is_refused_an_hour_after_its_heir_was_shown_and_not_before() {
        let mut heirs = Heirs::default();
        let (first, second, third) = (token(&[]), token(&[1]), token(&[1, 2]));
        assert_eq!(heirs.check(at(0), &first), Ok(None));
        heirs.learn(at(0), &first);
        heirs.learn(at(1000), &second);
        let until = at(1000 + HOUR);
        assert_eq!(heirs.check(at(1000 + HOUR - 1), &first), Ok(Some(until)));
        assert_eq!(heirs.check(until, &first), Err(TokenError::OldKey));
        assert_eq!(heirs.check(until, &second), Ok(None));
        // Each key has its own hour, and nobody begins it anew.
        heirs.learn(at(2000), &third);
        heirs.learn(at(3000), &first);
        heirs.learn(at(3000), &second);
        heirs.learn(at(3000), &third);
        assert_eq!(heirs.check(until, &first), Err(TokenError::OldKey));
        assert_eq!(heirs.check(at(2000 + HOUR - 1), &second), Ok(Some(at(2000 + HOUR))));
        assert_eq!(heirs.check(at(2000 + HOUR), &second), Err(TokenError::OldKey));
        assert_eq!(heirs.check(at(u64::MAX), &third), Ok(None));
    }

    #[test]
    fn another_heir_of_a_key_is_refused_at_once_however_long_its_list() {
        let mut heirs = Heirs::default();
        heirs.learn(at(0), &token(&[1, 2]));
        let lists: [&[u8]; 5] = [&[7], &[1, 7], &[7, 2], &[1, 7, 8], &[7; 16]];
        for list in lists {
            assert_eq!(heirs.check(at(0), &token(list)), Err(TokenError::OldKey), "{list:?}");
        }
        assert_eq!(heirs.check(at(0), &token(&[1, 2, 3])), Ok(None), "it goes on from there");
        let other = Token { publisher: key(50), ..token(&[7]) };
        assert_eq!(heirs.check(at(0), &other), Ok(None), "of another publisher");
    }

    #[test]
    fn what_the_keeper_told_holds_from_the_beginning_and_goes_on() {
        let mut heirs = Heirs::default();
        heirs.tell(key(0), &token(&[1, 2]).heirs);
        for list in [&[][..], &[1], &[1, 7], &[7]] {
            assert_eq!(heirs.check(at(0), &token(list)), Err(TokenError::OldKey), "{list:?}");
        }
        assert_eq!(heirs.check(at(0), &token(&[1, 2])), Ok(None));
        heirs.learn(at(5), &token(&[1, 2, 3]));
        assert_eq!(heirs.check(at(5), &token(&[1, 2])), Ok(Some(at(5 + HOUR))), "another rotation");
        heirs.tell(key(0), &token(&[]).heirs);
        assert_eq!(
            heirs.check(at(5), &token(&[])),
            Ok(None),
            "who was told otherwise believes that"
        );
    }

    #[test]
    fn so_many_publishers_are_remembered_those_in_use_and_the_keepers_longest() {
        let mut heirs = Heirs::default();
        let base = token(&[1]);
        let of = |n: usize| {
            let mut publisher = [0; 32];
            publisher[..8].copy_from_slice(&n.to_le_bytes());
            Token { publisher: PublicKey(publisher), ..base.clone() }
        };
        heirs.tell(key(0), &token(&[1]).heirs);
        for n in 0..2 * MAX_PUBLISHERS {
            heirs.learn(at(0), &of(n));
            heirs.learn(at(0), &of(7)); // Somebody is always there.
            heirs.learn(at(0), &Token { heirs: List::new(), ..of(n + 1_000_000) }); // No heirs.
        }
        assert_eq!(heirs.known.len(), MAX_PUBLISHERS);
        for (token, is_known) in
            [(token(&[7]), true), (of(7), true), (of(8), false), (of(2 * MAX_PUBLISHERS - 1), true)]
        {
            let forked = Token { heirs: self::token(&[9]).heirs, ..token };
            assert_eq!(heirs.check(at(0), &forked).is_err(), is_known);
        }
        let mut told = Heirs::default();
        (0..MAX_PUBLISHERS).for_each(|n| told.tell(of(n).publisher, &of(n).heirs));
        told.learn(at(0), &of(MAX_PUBLISHERS));
        assert_eq!(told.known.len(), MAX_PUBLISHERS);
        assert_eq!(told.check(at(0), &token(&[])), Ok(None), "no room for what nobody told");
    }

    fn at(ms: u64) -> Moment {
        Moment::from_millis(ms)
    }

    fn key(n: u8) -> PublicKey {
        SecretKey::from_bytes(&[n + 1; 32]).public()
    }

    /// A token of publisher 0 that shows these heirs. Signatures are looked at elsewhere.
    fn token(heirs: &[u8]) -> Token {
        let old = SecretKey::from_bytes(&[200; 32]);
        let heirs = heirs.iter().zip(0..).map(|(n, place)| Heir::new(&old, key(0), place, key(*n)));
        Token {
            chain: ChainId::default(),
            publisher: key(0),
            heirs: heirs.collect::<Vec<_>>().try_into().unwrap(),
            name: Text::try_from("live").unwrap(),
            listener: None,
            expires: UnixMillis(u64::MAX),
        }
    }
}
