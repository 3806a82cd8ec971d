//! A gift as its giver sees it. What is promised, the payer keeps.

use super::{GiftView, Ground, Output, Proof, Stage, word};
use crate::{
    amount::Amount,
    chain::Level,
    crypto::Signed,
    id::{Address, Height, PoolId},
    payment::{
        reservation::{Only, PoolStatus, PoolTerms, Window},
        voucher::{CompactVoucher, Voucher},
    },
};
use alloc::{string::String, vec::Vec};

/// What the newest proof says.
#[derive(Clone, Copy, Debug)]
struct Seen {
    height: Height,
    level: Level,
    is_closed: bool,
    paid: Amount,
}

#[derive(Debug)]
pub(super) struct Given {
    only: Only,
    nonce: u64,
    amount: Amount,
    end: Height,
    voucher: Option<CompactVoucher>,
    is_taken: bool,
    seen: Option<Seen>,
    /// Proven not to be there after its end: it was never reserved, and never will be.
    is_void: bool,
    is_asked: bool,
    released: Option<Height>,
}

impl Given {
    pub(super) fn new(terms: &PoolTerms) -> Option<Self> {
        Some(Self {
            only: terms.only.clone()?,
            nonce: terms.nonce,
            amount: terms.deposit,
            end: terms.end_height,
            voucher: None,
            is_taken: false,
            seen: None,
            is_void: false,
            is_asked: false,
            released: None,
        })
    }

    pub(super) const fn payee(&self) -> Address {
        self.only.payee
    }

    pub(super) const fn promised(&mut self, voucher: &Signed<Voucher>) {
        self.voucher = Some(voucher.to_compact());
    }

    /// The payee says that it has it. Returns whether that is news.
    pub(super) const fn taken(&mut self) -> bool {
        !core::mem::replace(&mut self.is_taken, true)
    }

    /// Returns what the payee must be told, as long as it has not said that it knows.
    pub(super) fn tell(&self) -> Option<Output> {
        let voucher = self.voucher.filter(|_| !self.is_taken && !self.is_over())?;
        Some(Output::Tell(self.only.payee, word::offer(self.nonce, voucher)))
    }

    pub(super) fn proven(
        &mut self,
        pool: PoolId,
        proof: &Proof,
        ground: &Ground,
        out: &mut Vec<Output>,
    ) {
        let (height, level) = (proof.height, proof.level);
        let is_closed = proof.state.status == PoolStatus::Closed;
        // A final header is as good as any, and lags behind.
        let is_older = |known: Seen| {
            height < known.height && !(level == Level::Final && is_closed == known.is_closed)
        };
        if self.is_over() || self.seen.is_some_and(is_older) {
            return;
        }
        let before = self.stage(ground);
        self.seen = Some(Seen { height, level, is_closed, paid: proof.state.paid_total });
        if !is_closed {
            self.promise(pool, out);
            self.give_back(pool, proof, ground, out);
        }
        if self.stage(ground) != before {
            out.push(Output::Changed);
            if self.is_over() {
                out.push(Output::Done(pool));
            }
        }
    }

    /// The chain holds no such pool at this height. Returns whether that ends it.
    pub(super) const fn absent(&mut self, height: Height) -> bool {
        let is_news = self.seen.is_none() && height.0 > self.end.0 && !self.is_void;
        self.is_void |= is_news;
        is_news
    }

    /// What is reserved is promised, once in this life: the payer knows what it promised before.
    fn promise(&mut self, pool: PoolId, out: &mut Vec<Output>) {
        if !core::mem::replace(&mut self.is_asked, true) {
            out.push(Output::Promise(pool, self.only.payee, self.amount));
        }
    }

    fn give_back(&mut self, pool: PoolId, proof: &Proof, ground: &Ground, out: &mut Vec<Output>) {
        let margin = ground.rules.inclusion_margin;
        let waits = self.released.is_some_and(|sent| proof.height < sent.plus(margin));
        if proof.state.window(&ground.rules, proof.height) == Window::Release && !waits {
            self.released = Some(proof.height);
            out.push(Output::Release(pool));
        }
    }

    /// Returns whether nothing more can happen to it.
    pub(super) fn is_over(&self) -> bool {
        self.is_void || self.seen.is_some_and(|seen| seen.is_closed && seen.level == Level::Final)
    }

    fn stage(&self, ground: &Ground) -> Stage {
        let is_late = ground.tip > self.end;
        let Some(Seen { level, is_closed, paid, .. }) = self.seen else {
            return match (self.is_void, is_late) {
                (true, _) => Stage::Void,
                (false, true) => Stage::Lapsed,
                (false, false) => Stage::Asked,
            };
        };
        match (is_closed, is_late) {
            (true, _) if paid.is_zero() => Stage::Returned,
            (true, _) if level == Level::Final => Stage::Final,
            (true, _) => Stage::Settled,
            (false, true) => Stage::Lapsed,
            (false, false) if self.is_taken => Stage::Sure,
            (false, false) => Stage::Reserved,
        }
    }

    pub(super) fn view(&self, pool: PoolId, ground: &Ground) -> GiftView {
        GiftView {
            pool,
            is_given: true,
            other: self.only.payee,
            amount: self.amount,
            purpose: String::from(self.only.purpose.as_str()),
            stage: self.stage(ground),
            end: Some(self.end),
            refusal: None,
        }
    }
}
