//! Routes between gifts, the payer that promises them, the chain, and whoever gives or receives.
//!
//! The data tunnel of AELF-37 is the way that members of fields have: a link if there is one, the tracker's relay if not.

use super::{Client, CommandError, Kept, Now, Output};
use crate::{
    amount::Amount,
    chain::Level,
    id::{Address, PeerId, PoolId, StreamId},
    payment::{
        gift::{self, GiftView, Gifts},
        reservation::{Only, PoolTerms, Purpose},
    },
    wallet::book::PoolProof,
};
use alloc::{boxed::Box, vec::Vec};

impl Client {
    pub(super) fn feed_gifts(&mut self, now: Now, input: gift::Input, out: &mut Vec<Output>) {
        self.with_gifts(now, out, |gifts, lifted| gifts.handle(input, lifted));
    }

    /// Somebody said a word of giver and payee.
    pub(super) fn gift_heard(
        &mut self,
        now: Now,
        peer: PeerId,
        bytes: Vec<u8>,
        out: &mut Vec<Output>,
    ) {
        let from = self.meet(peer);
        self.feed_gifts(now, gift::Input::Heard(from, bytes), out);
    }

    /// Returns what a proof of a pool, whosever it is, says to gifts. What is too old to spend on is too old to be sure of (A7.6).
    pub(super) fn gift_proof(&self, now: Now, proof: &PoolProof) -> Option<gift::Input> {
        let PoolProof { pool, state, level, height, .. } = proof;
        let Some(state) = state.clone() else {
            let is_undecided = self.purse.as_ref()?.book.is_undecided(*height);
            let is_absent = *level >= Level::Settled && !is_undecided;
            return is_absent.then_some(gift::Input::Absent(*pool, *height));
        };
        let is_fresh = self.check_fresh(now).is_ok();
        let proof = gift::Proof { state, height: *height, level: *level, is_fresh };
        Some(gift::Input::Proven(*pool, Box::new(proof)))
    }

    /// Reserves this for one payee alone. It is promised once it is proven reserved.
    pub(super) fn give(
        &mut self,
        now: Now,
        (payee, amount, purpose): (Address, Amount, Purpose),
        out: &mut Vec<Output>,
    ) -> Result<(), CommandError> {
        self.check_fresh(now)?;
        let settled = self.light.head(Level::Settled).ok_or(CommandError::NotReady)?;
        let spec = self.light.spec().ok_or(CommandError::NotReady)?;
        if amount <= spec.fee {
            return Err(CommandError::GiftTooSmall);
        }
        let rules = spec.pool;
        let purse = self.purse.as_mut().ok_or(CommandError::NotReady)?;
        let terms = PoolTerms {
            creator: self.config.key.public(),
            nonce: now.clock.0,
            resource: StreamId::default(),
            deposit: amount,
            collateral: Amount::ZERO,
            // As soon as the payee can rely on: what nobody takes comes back then.
            end_height: rules.end_of(settled.header.height, 0),
            only: Some(Only { payee, purpose }),
        };
        purse.gifts.check_room().map_err(CommandError::Gift)?;
        purse.book.check_pool(&terms).map_err(CommandError::Book)?;
        let mut lifted = Vec::new();
        let pool = purse.payer.open(terms, &mut lifted).map_err(CommandError::Open)?;
        let given = match purse.payer.pool(pool) {
            Some((terms, _)) => purse.gifts.give(terms).map_err(CommandError::Gift),
            None => Ok(()),
        };
        self.lift_payer(now, lifted, out);
        self.changed = true;
        given
    }

    /// Returns every gift, given and received.
    pub(super) fn gift_views(&self) -> Vec<GiftView> {
        let Some(purse) = &self.purse else { return Vec::new() };
        let show = |view: GiftView| GiftView { refusal: purse.payer.refusal(view.pool), ..view };
        purse.gifts.view().into_iter().map(show).collect()
    }

    pub(super) fn with_gifts(
        &mut self,
        now: Now,
        out: &mut Vec<Output>,
        act: impl FnOnce(&mut Gifts, &mut Vec<gift::Output>),
    ) {
        let Some(purse) = &mut self.purse else { return };
        let mut lifted = Vec::new();
        act(&mut purse.gifts, &mut lifted);
        self.lift_gifts(now, lifted, out);
    }

    fn lift_gifts(&mut self, now: Now, outputs: Vec<gift::Output>, out: &mut Vec<Output>) {
        let mut promises = Vec::new();
        for output in outputs {
            match output {
                gift::Output::Tell(to, bytes) => self.send_member(now, to, bytes, out),
                gift::Output::Need(pool) => self.watch_pool(now, pool, out),
                gift::Output::Done(_) => {
                    if let Some(purse) = &mut self.purse {
                        purse.review();
                    }
                }
                gift::Output::Store(token, name, row) => {
                    self.store(Kept::Gift(token), name, row, out);
                }
                gift::Output::Settle(promise) => promises.push(*promise),
                gift::Output::Promise(pool, payee, amount) => {
                    self.promise_gift(now, (pool, payee, amount), out);
                }
                gift::Output::Release(pool) => {
                    self.ask_book(now, |book, out| book.release(now.at, pool, out), out);
                }
                gift::Output::Refused(_, refusal) => self.trouble(refusal.code(), out),
                gift::Output::Changed => self.changed = true,
            }
        }
        if !promises.is_empty() {
            self.ask_book(now, |book, out| book.settle_all(now.at, promises, out), out);
        }
    }

    /// Promises a gift, or finds that it was promised in a life before.
    fn promise_gift(
        &mut self,
        now: Now,
        (pool, payee, amount): (PoolId, Address, Amount),
        out: &mut Vec<Output>,
    ) {
        let Some(purse) = &mut self.purse else { return };
        if let Some(voucher) = purse.payer.latest(pool, payee) {
            self.with_gifts(now, out, |gifts, lifted| {
                gifts.promised(&voucher, lifted);
            });
            return;
        }
        let mut lifted = Vec::new();
        let paid = purse.payer.pay(pool, payee, amount, &mut lifted);
        self.lift_payer(now, lifted, out);
        if let Err(error) = paid {
            self.trouble(error.code(), out);
        }
    }
}
