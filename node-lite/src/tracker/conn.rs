//! What is known of one connection, and of the network that it comes from.

use super::{
    Bucket, Caller, LISTS, MESSAGES, NEARS, OPENS, Rate,
    heirs::Heirs,
    names::{NETWORK_NAMES, Names},
    place::{Network, Place},
    relay::REFUSALS,
    token::{self, Token, TokenError},
};
use antiphon_core::{
    crypto::Signed,
    id::{PeerId, StreamId},
    time::{Moment, UnixMillis, millis},
};
use std::{collections::BTreeSet, time::Duration};

/// One connection.
#[derive(Debug)]
pub(super) struct Conn {
    pub(super) network: Network,
    pub(super) place: Place,
    /// What it brought, unchecked.
    pub(super) token: Option<Box<Signed<Token>>>,
    /// Into which stream that let it, and until when.
    pass: Option<(StreamId, Moment)>,
    /// When it was opened, by both clocks.
    opened: (Moment, UnixMillis),
    /// What it must sign.
    pub(super) nonce: [u8; 32],
    /// Who it is, once it signed in.
    pub(super) peer: Option<PeerId>,
    /// When it signed in, in the count of sign-ins.
    pub(super) since: u64,
    pub(super) streams: BTreeSet<StreamId>,
    pub(super) messages: Bucket,
    pub(super) lists: Bucket,
    /// How often it may say who is near.
    pub(super) nears: Bucket,
    /// Whom it was told, and how many more it may be.
    pub(super) names: Names,
    /// Bytes that may be relayed for it.
    pub(super) relays: Bucket,
    /// Relays that may be refused without counting as faults.
    pub(super) refusals: Bucket,
    pub(super) faults: u32,
    /// When it is closed unless it says something.
    pub(super) silent_at: Moment,
}

impl Conn {
    pub(super) fn new(
        now: Moment,
        caller: Caller,
        relays: Rate,
        nonce: [u8; 32],
        silent_at: Moment,
    ) -> Self {
        Self {
            network: Network::of(caller.address),
            place: caller.place,
            token: caller.token,
            pass: None,
            opened: (now, caller.clock),
            nonce,
            peer: None,
            since: 0,
            streams: BTreeSet::new(),
            messages: Bucket::full(now, MESSAGES),
            lists: Bucket::full(now, LISTS),
            nears: Bucket::full(now, NEARS),
            names: Names::new(now),
            // Who opens another connection has no more to relay than who waits.
            relays: Bucket::fresh(now, relays),
            refusals: Bucket::full(now, REFUSALS),
            faults: 0,
            silent_at,
        }
    }

    /// Checks that the token which came along lets this peer into the stream now, and until when.
    pub(super) fn admit(
        &mut self,
        now: Moment,
        heirs: &mut Heirs,
        (stream, peer): (StreamId, PeerId),
    ) -> Result<(), TokenError> {
        let (at, clock) = self.opened;
        let passed = millis(now.since(at));
        let clock = clock.plus(passed);
        let token = self.token.as_deref().ok_or(TokenError::Missing)?;
        // Before the signatures, for they are dear.
        heirs.check(now, &token.body)?;
        token::check(Some(token), stream, peer, clock)?;
        heirs.learn(now, &token.body);
        let left = token.body.expires.since(clock);
        self.pass = Some((stream, now.after(Duration::from_millis(left))));
        Ok(())
    }

    /// Returns why what let this connection into the stream does so no more, if that is so.
    pub(super) fn past(&self, now: Moment, heirs: &Heirs, stream: StreamId) -> Option<TokenError> {
        if !self.pass.is_some_and(|(opens, until)| opens == stream && now < until) {
            return Some(TokenError::Expired);
        }
        let token = self.token.as_deref()?;
        heirs.check(now, &token.body).err()
    }
}

/// What the connections of one network, or of one prefix, have together.
#[derive(Debug)]
pub(super) struct Shared {
    /// Connections that are open.
    pub(super) count: u32,
    pub(super) opens: Bucket,
    pub(super) names: Bucket,
    /// How much wider than a network it is: what its rates are multiplied by.
    factor: u32,
}

impl Shared {
    pub(super) fn new(now: Moment, factor: u32) -> Self {
        let opens = Bucket::full(now, OPENS.times(factor));
        Self { count: 0, opens, names: Bucket::full(now, NETWORK_NAMES.times(factor)), factor }
    }

    /// Counts one more connection, if there may be one.
    pub(super) fn open(&mut self, now: Moment, most: u32) -> bool {
        self.count < most.saturating_mul(self.factor)
            && self.opens.take(now, OPENS.times(self.factor))
    }

    /// Takes one name, if there is one left.
    pub(super) fn name(&mut self, now: Moment) -> bool {
        self.names.take(now, NETWORK_NAMES.times(self.factor))
    }

    /// Returns whether nothing is open and every rate is as good as new.
    pub(super) fn is_idle(&mut self, now: Moment) -> bool {
        self.count == 0
            && self.opens.is_full(now, OPENS.times(self.factor))
            && self.names.is_full(now, NETWORK_NAMES.times(self.factor))
    }
}
