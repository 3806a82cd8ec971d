//! What a payee does with each block, and with each tick: counts, writes, settles.
//!
//! Source: PROTOCOL A5.14; AME-24; T6 of `SPEC-MAP.md`.

use super::{
    Fault, Offer, Output, Payee, Proof, Tip,
    book::{Act, When},
};
use crate::{
    chain::Level,
    id::{Height, PeerId, PoolId},
    payment::tick::Preimage,
    time::Moment,
};
use alloc::vec::Vec;

impl Payee {
    pub(super) fn proven(&mut self, pool: PoolId, proof: Proof, out: &mut Vec<Output>) {
        if proof.level < Level::Settled {
            return;
        }
        let Some(book) = self.books.get_mut(&pool) else { return };
        let was_insolvent = book.is_insolvent();
        if let Some(paid) = book.prove(self.chain, proof) {
            out.push(Output::Settled(pool, paid));
        }
        if book.is_insolvent() && !was_insolvent {
            out.push(Output::Insolvent(pool, book.exposure()));
        }
        if let Some(lost) = book.ended(&self.rules) {
            if !lost.is_zero() {
                out.push(Output::Lost(pool, lost));
            }
            self.forget(pool, out);
            return;
        }
        self.take_held(out);
        self.review(out);
    }

    /// Counts a tick (T6). It is credit at once: of what is not written yet, the policy says how much may be lost.
    pub(super) fn tick(
        &mut self,
        peer: PeerId,
        preimage: Preimage,
        out: &mut Vec<Output>,
    ) -> Result<(), Fault> {
        let account = self.accounts.get_mut(&peer).ok_or(Fault::NoPool)?;
        let pool = account.pool().ok_or(Fault::NoPool)?;
        let (resource, price) = account.terms().ok_or(Fault::NoTerms)?;
        if account.hold_tick(preimage) {
            return Err(Fault::Early);
        }
        let tip = self.tip.ok_or(Fault::NoTicks)?;
        let (chain, me, rules, policy) = (self.chain, self.me, self.rules, self.policy);
        let offer = Offer { chain, me, resource, price, height: tip.height, rules, policy };
        let book = self.books.get_mut(&pool).ok_or(Fault::NoPool)?;
        let counted = book.tick(peer, preimage, &offer);
        if counted == Err(Fault::NotFinal) && book.ask(Some(offer.height)) {
            out.push(Output::NeedPool(pool));
        }
        let gain = counted?;
        account.credit(gain);
        out.push(Output::Credit(peer, gain));
        let Tip { height, is_stalled, .. } = tip;
        let now = When { height, is_stalled, is_pay_day: false, rules: &rules, policy: &policy };
        out.extend(book.act(&now).map(|act| lift(pool, act)));
        self.store_next(pool, policy.unsaved_ticks, out);
        Ok(())
    }

    pub(super) fn advance(&mut self, now: Moment, height: Height, out: &mut Vec<Output>) {
        if self.tip.is_some_and(|tip| tip.height >= height) {
            return;
        }
        self.tip = Some(Tip { height, seen: now, is_stalled: false });
        for (pool, book) in &mut self.books {
            if book.needs_proof(height, &self.rules) && book.ask(Some(height)) {
                out.push(Output::NeedPool(*pool));
            }
        }
        self.take_held(out);
        let pools: Vec<_> = self.books.keys().copied().collect();
        for pool in pools {
            self.store_next(pool, 1, out);
        }
        let pay_days = self.policy.settle_every.and_then(|every| height.0.checked_div(every));
        let is_pay_day = pay_days.is_some_and(|days| days > self.pay_days);
        self.pay_days = pay_days.unwrap_or_default();
        self.review_at(is_pay_day, out);
    }

    /// Orders everything that is due (A5.14).
    pub(super) fn review(&mut self, out: &mut Vec<Output>) {
        self.review_at(false, out);
    }

    fn review_at(&mut self, is_pay_day: bool, out: &mut Vec<Output>) {
        let Some(Tip { height, is_stalled, .. }) = self.tip else { return };
        let (rules, policy) = (&self.rules, &self.policy);
        let now = When { height, is_stalled, is_pay_day, rules, policy };
        for (pool, book) in &mut self.books {
            out.extend(book.act(&now).map(|act| lift(*pool, act)));
        }
    }
}

fn lift(pool: PoolId, act: Act) -> Output {
    match act {
        Act::Settle(promise) => Output::Settle(*promise),
        Act::Collect => Output::Collect(pool),
    }
}
